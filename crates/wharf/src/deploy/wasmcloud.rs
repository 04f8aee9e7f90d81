//! An application of wasmCloud 1, as wadm takes it.
//!
//! ```text
//!   requests ──> provider http-server ─ link wasi:http/incoming-handler ─> component
//! ```

use std::num::NonZeroU16;

use wharf_oci::Reference;

use super::workload::Workload;
use super::yaml::quoted;

/// The provider that hands requests on unless another one is named.
const HTTP_SERVER: &str = "ghcr.io/wasmcloud/http-server:0.27.0";
/// Where it takes requests unless told otherwise.
const PORT: NonZeroU16 = NonZeroU16::new(8080).expect("it is not zero");

/// Writes the manifest.
pub(super) fn application(workload: &Workload<'_>) -> String {
    let server = workload.http_server.as_ref().map(|server| linked(workload, server));
    format!(
        r#"apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: {name}
spec:
  components:
    - name: {name}
      type: {kind}
      properties:
        image: {image}
      traits:
        - type: spreadscaler
          properties:
            instances: {replicas}
{server}"#,
        name = quoted(workload.name.as_str()),
        kind = if workload.is_provider() { "capability" } else { "component" },
        image = quoted(&workload.image()),
        replicas = workload.replicas(),
        server = server.unwrap_or_default(),
    )
}

/// Returns the provider that hands requests on unless another one is named.
pub(super) fn http_server() -> Reference {
    HTTP_SERVER.parse().expect("it is a reference")
}

/// Writes the provider, and its link to the component.
fn linked(workload: &Workload<'_>, image: &str) -> String {
    let port = workload.settings.port.unwrap_or(PORT);
    let name = &workload.name;
    format!(
        r#"    - name: {server}
      type: capability
      properties:
        image: {image}
      traits:
        - type: link
          properties:
            target:
              name: {target}
            namespace: wasi
            package: http
            interfaces: [incoming-handler]
            source:
              config:
                - name: {config}
                  properties:
                    address: {address}
"#,
        server = quoted(&format!("{name}-http-server")),
        image = quoted(image),
        target = quoted(name.as_str()),
        config = quoted(&format!("{name}-http")),
        address = quoted(&format!("0.0.0.0:{port}")),
    )
}
