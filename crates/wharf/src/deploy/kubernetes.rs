//! A deployment of Kubernetes, on nodes whose containerd has the shim of runwasi for wasmtime.
//!
//! ```text
//!   Service ──> Deployment ──> pod ─ runtimeClassName ─> RuntimeClass ─ handler ─> containerd ──> shim ──> Wasm
//!     └ where it takes requests
//! ```

use std::num::NonZeroU16;

use super::workload::Workload;
use super::yaml::{metadata, quoted};

/// The name of the shim, which is that of its handler too where a distribution finds it by itself.
const RUNTIME: &str = "wasmtime";
/// Where the shim takes requests unless told otherwise.
const SHIM_PORT: u16 = 8080;
/// Where the service takes requests unless told otherwise.
const PORT: NonZeroU16 = NonZeroU16::new(80).expect("it is not zero");

/// Writes the manifests.
pub(super) fn manifests(workload: &Workload<'_>) -> String {
    let name = quoted(workload.name.as_str());
    let command = workload.command().map(|command| format!("          command: [{}]\n", quoted(&command)));
    let (ports, service) = match workload.serves_http() {
        true => (container_ports(), service(workload)),
        false => (String::new(), String::new()),
    };
    format!(
        r#"apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: {runtime}
# What containerd on the nodes calls the shim of runwasi.
handler: {runtime}
---
apiVersion: apps/v1
kind: Deployment
{metadata}spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
      runtimeClassName: {runtime}
      containers:
        - name: {name}
          image: {image}
{command}{ports}{service}"#,
        runtime = quoted(RUNTIME),
        metadata = metadata(&workload.name, workload.settings.namespace.as_ref()),
        replicas = workload.replicas(),
        image = quoted(&workload.image()),
        command = command.unwrap_or_default(),
    )
}

fn container_ports() -> String {
    format!("          ports:\n            - name: \"http\"\n              containerPort: {SHIM_PORT}\n")
}

fn service(workload: &Workload<'_>) -> String {
    format!(
        r#"---
apiVersion: v1
kind: Service
{metadata}spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: "http"
      port: {port}
      targetPort: "http"
"#,
        metadata = metadata(&workload.name, workload.settings.namespace.as_ref()),
        name = quoted(workload.name.as_str()),
        port = workload.settings.port.unwrap_or(PORT),
    )
}
