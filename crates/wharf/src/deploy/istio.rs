//! A `WasmPlugin`, of which Istio makes a filter of its proxies.
//!
//! ```text
//!   WasmPlugin ─ targetRefs, selector ─> gateway, pods ──> proxy: pulls the image, compares its digest, runs it
//! ```
//!
//! There is no `sha256`: Istio takes the digest of the reference for it.

use super::filter::{labels, target_refs};
use super::workload::Workload;
use super::yaml::{flow, indented, metadata, quoted};

/// Writes the manifest.
pub(super) fn wasm_plugin(workload: &Workload<'_>) -> String {
    let settings = workload.settings;
    let selector = labels(&settings.selector).map(|labels| {
        let selector = format!("selector:\n{}", indented(&labels, 2));
        indented(&selector, 2)
    });
    let root_id = settings.root_id.as_ref().map(|id| format!("  pluginName: {}\n", quoted(id)));
    let configuration = workload.configuration.as_ref().map(|value| format!("  pluginConfig: {}\n", flow(value)));
    format!(
        r#"apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
{metadata}spec:
{target}{selector}  url: {url}
{root_id}{configuration}  failStrategy: FAIL_CLOSE
"#,
        metadata = metadata(&workload.name, settings.namespace.as_ref()),
        target = target_refs(settings.gateway.as_ref()),
        selector = selector.unwrap_or_default(),
        url = quoted(&format!("oci://{}", workload.image())),
        root_id = root_id.unwrap_or_default(),
        configuration = configuration.unwrap_or_default(),
    )
}
