//! An `EnvoyExtensionPolicy`, of which Envoy Gateway makes a filter of its proxies.
//!
//! ```text
//!   EnvoyExtensionPolicy ─ targetRefs, targetSelectors ─> Gateway ──> Envoy
//!     └─ image ─> Envoy Gateway: pulls it, compares its digest, serves the filter to Envoy
//! ```
//!
//! There is no `sha256`: Envoy Gateway takes the digest of the reference for it.

use super::filter::{GATEWAY_GROUP, labels, target_refs};
use super::workload::Workload;
use super::yaml::{flow, indented, metadata, quoted};

/// Writes the manifest.
pub(super) fn extension_policy(workload: &Workload<'_>) -> String {
    let settings = workload.settings;
    let selector = labels(&settings.selector).map(|labels| {
        format!("  targetSelectors:\n    - group: {GATEWAY_GROUP}\n      kind: Gateway\n{}", indented(&labels, 6))
    });
    let root_id = settings.root_id.as_ref().map(|id| format!("      rootID: {}\n", quoted(id)));
    let configuration = workload.configuration.as_ref().map(|value| format!("      config: {}\n", flow(value)));
    format!(
        r#"apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
{metadata}spec:
{target}{selector}  wasm:
    - name: {name}
{root_id}      code:
        type: Image
        image:
          url: {url}
{configuration}      failOpen: false
"#,
        metadata = metadata(&workload.name, settings.namespace.as_ref()),
        target = target_refs(settings.gateway.as_ref()),
        selector = selector.unwrap_or_default(),
        name = quoted(workload.name.as_str()),
        root_id = root_id.unwrap_or_default(),
        url = quoted(&workload.image()),
        configuration = configuration.unwrap_or_default(),
    )
}
