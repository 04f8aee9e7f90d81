//! Deployments: the schemas of hosts accept what Wharf writes for them.

use std::path::Path;

use super::Registry::WharfHub;
use super::{Check, Failure, World, reference, same};
use crate::error::Error;
use crate::peers::schemas::Schemas;

pub(super) const CHECKS: &[Check] = &[
    Check { name: "the schemas of Kubernetes accept what is deployed there", run: kubernetes },
    Check { name: "the schema of wadm accepts what is deployed to wasmCloud", run: wadm },
    Check { name: "the schema of Istio accepts what is deployed there", run: istio },
    Check { name: "the schema of Envoy Gateway accepts what is deployed there", run: envoy_gateway },
];

/// A component that takes requests, as far as its exports tell.
const SERVER: &str = r#"
(component
  (instance $handler)
  (export "wasi:http/incoming-handler@0.2.3" (instance $handler)))"#;

fn kubernetes(world: &World) -> Result<(), Failure> {
    let server = push_server(world, "on-kubernetes")?;
    let manifests = world.wharf(&["deploy", &server, "--to", "kubernetes", "--namespace", "shop"])?;
    is_valid(world, &manifests, ("replicas: 1", "replicas: one"), Schemas::check_kubernetes)
}

fn wadm(world: &World) -> Result<(), Failure> {
    let server = push_server(world, "on-wasmcloud")?;
    // Which provider it is, the schema does not tell.
    let application = world.wharf(&["deploy", &server, "--to", "wasmcloud", "--http-server", &server])?;
    is_valid(world, &application, ("image:", "picture:"), Schemas::check_wadm)
}

fn istio(world: &World) -> Result<(), Failure> {
    let filter = push_filter(world, "on-istio")?;
    let plugin = ["deploy", &filter, "--to", "istio", "--selector", "app=web", "--config", r#"{"allow": [1, null]}"#];
    is_valid(world, &world.wharf(&plugin)?, ("url: ", "url: 1 # "), Schemas::check_istio)
}

fn envoy_gateway(world: &World) -> Result<(), Failure> {
    let filter = push_filter(world, "on-envoy-gateway")?;
    let policy =
        ["deploy", &filter, "--to", "envoy-gateway", "--gateway", "eg", "--root-id", "auth", "--config", "[1]"];
    is_valid(world, &world.wharf(&policy)?, ("url:", "uri:"), Schemas::check_envoy_gateway)
}

/// Pushes a component that takes requests, and returns its reference.
fn push_server(world: &World, name: &str) -> Result<String, Failure> {
    let file = world.file(&format!("{name}.wat"));
    write(&file, SERVER)?;
    let reference = reference(world, WharfHub, &format!("acme/{name}:1.0.0"))?;
    world.wharf(&["push", &reference, &file.to_string_lossy()])?;
    Ok(reference)
}

/// Pushes the filter as Istio takes it, and returns its reference.
fn push_filter(world: &World, name: &str) -> Result<String, Failure> {
    let reference = reference(world, WharfHub, &format!("acme/{name}:1.0.0"))?;
    world.wharf(&["push", &reference, &world.filter_file().to_string_lossy(), "--as", "istio"])?;
    Ok(reference)
}

/// Fails where a schema does not accept a text, or accepts one with a mistake in it.
fn is_valid(
    world: &World,
    text: &str,
    (right, wrong): (&str, &str),
    check: fn(&Schemas, &Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = world.file("deployed.yaml");
    write(&file, text)?;
    check(world.schemas(), &file)?;
    same("whether there is something to mistake", &true, &text.contains(right))?;
    write(&file, &text.replace(right, wrong))?;
    match check(world.schemas(), &file) {
        Err(Failure::Task(Error::Exit { .. })) => Ok(()),
        Err(other) => Err(other),
        Ok(()) => same("whether a mistake is refused", &true, &false),
    }
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    Ok(std::fs::write(file, text).map_err(|source| Error::File { path: file.to_owned(), source })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_a_component() {
        assert_eq!(wat::parse_str(SERVER).unwrap()[..8], *b"\0asm\x0d\0\x01\0");
    }
}
