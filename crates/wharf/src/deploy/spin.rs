//! A `SpinApp`, of which the operator of SpinKube makes a deployment and a service.
//!
//! ```text
//!   SpinApp ─ executor ─> containerd-shim-spin ──> the components of the application
//! ```

use super::workload::Workload;
use super::yaml::{metadata, quoted};

/// Writes the manifest.
pub(super) fn spin_app(workload: &Workload<'_>) -> String {
    format!(
        r#"apiVersion: core.spinkube.dev/v1alpha1
kind: SpinApp
{metadata}spec:
  image: {image}
  executor: "containerd-shim-spin"
  replicas: {replicas}
"#,
        metadata = metadata(&workload.name, workload.settings.namespace.as_ref()),
        image = quoted(&workload.image()),
        replicas = workload.replicas(),
    )
}
