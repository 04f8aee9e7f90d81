//! Hosts: containerd and podman load what Wharf packs, and Envoy runs it.

use serde_json::Value;

use super::Registry::DockerRegistry;
use super::archives::{Packed, skopeo_push};
use super::{Check, Failure, World, digest_in, json, read, reference, same, text};
use crate::peers::world::FILTER_HEADER;

pub(super) const CHECKS: &[Check] = &[
    Check { name: "containerd imports an image tar", run: containerd_imports },
    Check { name: "containerd imports and unpacks a docker tar", run: containerd_unpacks },
    Check { name: "podman loads a docker tar", run: podman_loads },
    Check { name: "Envoy runs a filter that was packed as istio", run: |world| envoy_runs(world, "istio") },
    Check {
        name: "Envoy runs a filter that was packed as istio-compat",
        run: |world| envoy_runs(world, "istio-compat"),
    },
    Check { name: "wharf reads a filter whose manifest skopeo turned into Docker's", run: reads_docker_manifest },
];

fn containerd_imports(world: &World) -> Result<(), Failure> {
    let packed = Packed::component(world, "image", "for-containerd")?;
    world.ctr(&["image", "import", "--no-unpack", &packed.file])?;
    let columns = columns(world, &["image", "ls"], &packed)?;
    same(&format!("whether it is for Wasm in {columns:?}"), &true, &columns.contains(&"wasip2/wasm".to_owned()))
}

fn containerd_unpacks(world: &World) -> Result<(), Failure> {
    let packed = Packed::component(world, "docker", "unpacked")?;
    // The snapshotter that asks least of the file system.
    let snapshotter = ["--snapshotter", "native"];
    world.ctr(&[&["image", "import"], &snapshotter[..], &[&packed.file]].concat())?;
    let columns = columns(world, &[&["image", "check"], &snapshotter[..]].concat(), &packed)?;
    same("whether it is unpacked", &Some("true"), &columns.last().map(String::as_str))
}

/// Returns what `ctr` prints in the row of an image: its name, media type, digest, and more.
fn columns(world: &World, command: &[&str], packed: &Packed) -> Result<Vec<String>, Failure> {
    let printed = world.ctr(&[command, &[&format!("name=={}", packed.name)]].concat())?;
    let row = printed.lines().last().unwrap_or_default();
    let columns: Vec<_> = row.split_whitespace().map(str::to_owned).collect();
    let name_and_digest = (columns.first(), columns.get(2));
    same("the image that containerd has", &(Some(&packed.name), Some(&packed.digest)), &name_and_digest)?;
    Ok(columns)
}

fn podman_loads(world: &World) -> Result<(), Failure> {
    let packed = Packed::component(world, "docker", "for-podman")?;
    world.podman(&["load", "--input", &packed.file])?;
    let inspected: Value = json("what podman prints", &world.podman(&["image", "inspect", &packed.name])?)?;
    let image = &inspected[0];
    same("the digest that podman has", packed.digest.as_str(), text(image, "Digest"))?;
    same("the platform that podman has", &("wasi", "wasm"), &(text(image, "Os"), text(image, "Architecture")))
}

fn envoy_runs(world: &World, form: &str) -> Result<(), Failure> {
    let packed = Packed::filter(world, form, &format!("filter-{form}"))?;
    let there = reference(world, DockerRegistry, &format!("acme/filter-{form}:1.0.0"))?;
    let copied = world.wharf(&["copy", &format!("oci-archive:{}", packed.file), &there])?;
    same("the digest of what was pushed", packed.digest.as_str(), digest_in(&copied))?;
    let filter = pull(world, &there, &format!("filter-{form}.wasm"))?;
    let configure = |address: &str| world.wharf(&["deploy", &filter, "--to", "envoy", "--listen", address]);
    let head = world.envoy_answer(&format!("envoy-{form}"), configure)?;
    same(&format!("whether {FILTER_HEADER:?} is in the answer {head:?}"), &true, &has_line(&head, FILTER_HEADER))
}

fn reads_docker_manifest(world: &World) -> Result<(), Failure> {
    let packed = Packed::filter(world, "istio-compat", "filter-for-docker")?;
    let [one, other] = ["acme/filter-oci:1.0.0", "acme/filter-docker:1.0.0"];
    let (one, other) = (reference(world, DockerRegistry, one)?, reference(world, DockerRegistry, other)?);
    let archive = format!("oci-archive:{}", packed.file);
    let digest = skopeo_push(world, &[], &archive, &one)?;
    same("the digest of what skopeo pushed", &packed.digest, &digest)?;
    let digest = skopeo_push(world, &["--format", "v2s2"], &archive, &other)?;
    same("whether skopeo made another manifest", &true, &(digest != packed.digest))?;
    let filters = [pull(world, &one, "filter-oci.wasm")?, pull(world, &other, "filter-docker.wasm")?];
    let [one, other] = filters.map(|filter| read(filter.as_ref()));
    same("whether the filters are the same", &true, &(one? == other?))
}

/// Pulls into a file, and returns its path.
fn pull(world: &World, reference: &str, name: &str) -> Result<String, Failure> {
    let file = world.file(name).to_string_lossy().into_owned();
    world.wharf(&["pull", reference, "-o", &file, "--force"])?;
    Ok(file)
}

fn has_line(head: &str, wanted: &str) -> bool {
    head.lines().any(|line| line.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_whole_line() {
        let head = "HTTP/1.1 200 OK\r\nX-Wharf: filtered\r\n\r\n";
        assert!(has_line(head, "x-wharf: filtered"));
        assert!(!has_line(head, "x-wharf: filter"));
    }
}
