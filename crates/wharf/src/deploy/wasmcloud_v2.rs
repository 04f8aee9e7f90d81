//! A workload of wasmCloud 2, as its operator for Kubernetes takes it.
//!
//! ```text
//!   requests for a host ──> wasi:http ──> component ──> hostInterfaces: what the plugins of the host provide
//!                                         service: a component that is a program
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::workload::{Http, Workload, is_command};
use super::yaml::{metadata, quoted};

/// What every host provides, without a word about it.
const BUILT_IN: [&str; 7] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:http", "wasi:io", "wasi:random", "wasi:sockets"];
/// The host that requests are for unless told otherwise.
const HOST: &str = "localhost";

/// Writes the manifest.
pub(super) fn workload_deployment(workload: &Workload<'_>) -> String {
    let (name, image) = (quoted(workload.name.as_str()), quoted(&workload.image()));
    let program = match workload.http() {
        None if is_command(&workload.inspection) => format!("      service:\n        image: {image}\n"),
        _ => format!("      components:\n        - name: {name}\n          image: {image}\n"),
    };
    let interfaces = [http(workload), imported(&workload.inspection.imports)].concat();
    let interfaces = match interfaces.is_empty() {
        true => String::new(),
        false => format!("      hostInterfaces:\n{interfaces}"),
    };
    format!(
        r"apiVersion: runtime.wasmcloud.dev/v1alpha1
kind: WorkloadDeployment
{metadata}spec:
  replicas: {replicas}
  template:
    spec:
{interfaces}{program}",
        metadata = metadata(&workload.name, workload.settings.namespace.as_ref()),
        replicas = workload.replicas(),
    )
}

/// Writes that the component takes requests, and for which host.
fn http(workload: &Workload<'_>) -> String {
    let (version, interface) = match workload.http() {
        None => return String::new(),
        Some(Http::IncomingHandler) => ("", "incoming-handler"),
        Some(Http::Handler) => ("          version: \"0.3.0\"\n", "handler"),
    };
    let host = quoted(workload.settings.host.as_deref().unwrap_or(HOST));
    format!(
        r"        - namespace: wasi
          package: http
{version}          interfaces: [{interface}]
          config:
            host: {host}
"
    )
}

/// Writes what the host has to provide to the component.
fn imported(imports: &[String]) -> String {
    let mut packages: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        let (path, version) = import.split_once('@').unwrap_or((import, ""));
        // Functions that stand alone belong to no package.
        let Some((package, interface)) = path.split_once('/') else { continue };
        if !BUILT_IN.contains(&package) {
            packages.entry((package, version)).or_default().insert(interface);
        }
    }
    packages.into_iter().map(|((package, version), interfaces)| host_interface(package, version, interfaces)).collect()
}

fn host_interface(package: &str, version: &str, interfaces: BTreeSet<&str>) -> String {
    let (namespace, name) = package.split_once(':').unwrap_or(("", package));
    let version = match version {
        "" => String::new(),
        version => format!("          version: {}\n", quoted(version)),
    };
    let interfaces: Vec<_> = interfaces.into_iter().map(quoted).collect();
    format!(
        r"        - namespace: {namespace}
          package: {name}
{version}          interfaces: [{interfaces}]
",
        namespace = quoted(namespace),
        name = quoted(name),
        interfaces = interfaces.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_built_in_is_named_once_for_each_version() {
        let imports = [
            "wasi:io/streams@0.2.3",
            "wasi:http/outgoing-handler@0.2.3",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:keyvalue/atomics@0.2.0-draft",
            "wasi:keyvalue/store@0.1.0",
            "acme:log/log",
            "log",
        ];
        let expected = r#"        - namespace: "acme"
          package: "log"
          interfaces: ["log"]
        - namespace: "wasi"
          package: "keyvalue"
          version: "0.1.0"
          interfaces: ["store"]
        - namespace: "wasi"
          package: "keyvalue"
          version: "0.2.0-draft"
          interfaces: ["atomics", "store"]
"#;
        assert_eq!(imported(&imports.map(str::to_owned)), expected);
    }
}
