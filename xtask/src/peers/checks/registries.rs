//! Registries and clients: each reads from the other what it wrote.

use serde_json::Value;

use super::Registry::{self, DockerRegistry, WharfHub};
use super::{
    Check, Error, Failure, World, digest_in, inspect, is_the_component, json, pulled_is_the_component, reference, same,
    text,
};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "one file has one digest, whenever and wherever it is pushed", run: pushes_are_reproducible },
    Check { name: "wharf pulls from docker-registry what it pushed", run: |world| pulls_back(world, DockerRegistry) },
    Check { name: "wharf pulls from wharf hub what it pushed", run: |world| pulls_back(world, WharfHub) },
    Check { name: "wkg reads from docker-registry what wharf pushed", run: |world| wkg_reads(world, DockerRegistry) },
    Check { name: "wkg reads from wharf hub what wharf pushed", run: |world| wkg_reads(world, WharfHub) },
    Check { name: "wharf reads from docker-registry what wkg pushed", run: |world| reads_wkg(world, DockerRegistry) },
    Check { name: "wharf reads from wharf hub what wkg pushed", run: |world| reads_wkg(world, WharfHub) },
    Check { name: "skopeo copies to wharf hub and back", run: skopeo_copies },
    Check { name: "skopeo reads manifests and tags of wharf hub", run: skopeo_inspects },
    Check { name: "skopeo reads the storage of wharf hub as an image layout", run: skopeo_reads_storage },
    Check { name: "wharf copies between docker-registry and wharf hub", run: wharf_copies },
    Check { name: "wharf deletes from docker-registry", run: |world| deletes(world, DockerRegistry) },
    Check { name: "wharf deletes from wharf hub", run: |world| deletes(world, WharfHub) },
];

fn pushes_are_reproducible(world: &World) -> Result<(), Failure> {
    let first = push(world, DockerRegistry, "acme/same:1")?;
    for (registry, name) in [(DockerRegistry, "acme/same:2"), (WharfHub, "acme/same:1"), (WharfHub, "acme/same:2")] {
        let digest = push(world, registry, name)?;
        same(&format!("the digest of {name} on {registry:?}"), &first, &digest)?;
    }
    Ok(())
}

fn pulls_back(world: &World, registry: Registry) -> Result<(), Failure> {
    let digest = push(world, registry, "acme/hello:1.0.0")?;
    pulled_is_the_component(world, &reference(world, registry, "acme/hello:1.0.0")?)?;
    pulled_is_the_component(world, &reference(world, registry, &format!("acme/hello@{digest}"))?)
}

fn wkg_reads(world: &World, registry: Registry) -> Result<(), Failure> {
    push(world, registry, "acme/for-wkg:1.0.0")?;
    let reference = reference(world, registry, "acme/for-wkg:1.0.0")?;
    let host = world.registry(registry)?.address();
    let file = world.file(&format!("wkg-{registry:?}.wasm"));
    world.wkg(&["oci", "pull", &reference, "--insecure", &host, "--output", &file.to_string_lossy()])?;
    is_the_component(world, &file)
}

fn reads_wkg(world: &World, registry: Registry) -> Result<(), Failure> {
    let reference = reference(world, registry, "acme/from-wkg:1.0.0")?;
    let host = world.registry(registry)?.address();
    let file = world.component_file();
    let said = world.wkg(&["oci", "push", &reference, &file.to_string_lossy(), "--insecure", &host])?;
    pulled_is_the_component(world, &reference)?;
    let inspected = inspect(world, &reference)?;
    same("the kind", "component", text(&inspected, "kind"))?;
    same("whether wkg names the digest", &true, &said.contains(text(&inspected, "digest")))?;
    same("the imports", r#"["acme:hello/clock@1.0.0"]"#, &inspected["imports"].to_string())?;
    same("the exports", r#"["acme:hello/answers@1.0.0"]"#, &inspected["exports"].to_string())
}

fn skopeo_copies(world: &World) -> Result<(), Failure> {
    let digest = push(world, DockerRegistry, "acme/there:1.0.0")?;
    let there = reference(world, DockerRegistry, "acme/there:1.0.0")?;
    let hub = reference(world, WharfHub, "acme/moved:1.0.0")?;
    let back = reference(world, DockerRegistry, "acme/back:1.0.0")?;
    for (from, to) in [(&there, &hub), (&hub, &back)] {
        let (from, to) = (format!("docker://{from}"), format!("docker://{to}"));
        world.skopeo(&["copy", "--src-tls-verify=false", "--dest-tls-verify=false", &from, &to])?;
    }
    for reference in [&hub, &back] {
        same(&format!("the digest of {reference}"), digest.as_str(), text(&inspect(world, reference)?, "digest"))?;
        pulled_is_the_component(world, reference)?;
    }
    Ok(())
}

fn skopeo_inspects(world: &World) -> Result<(), Failure> {
    let digest = push(world, WharfHub, "acme/seen:1.0.0")?;
    push(world, WharfHub, "acme/seen:1.1.0")?;
    let reference = reference(world, WharfHub, "acme/seen")?;
    let tags = world.skopeo(&["list-tags", "--tls-verify=false", &format!("docker://{reference}")])?;
    let tags: Value = json("the list of tags", &tags)?;
    same("the list of tags", r#"["1.0.0","1.1.0"]"#, &tags["Tags"].to_string())?;
    let image = format!("docker://{reference}:1.0.0");
    let manifest = world.skopeo(&["inspect", "--raw", "--tls-verify=false", &image])?;
    same("the digest of the manifest", &digest, &digest_of(world, &manifest)?)
}

fn skopeo_reads_storage(world: &World) -> Result<(), Failure> {
    let digest = push(world, WharfHub, "acme/hello:1.0.0")?;
    let storage = world.registry(WharfHub)?.storage().display();
    let layout = format!("oci:{storage}/repositories/acme/hello/_layout:1.0.0");
    let manifest = world.skopeo(&["inspect", "--raw", &layout])?;
    same("the digest of the manifest", &digest, &digest_of(world, &manifest)?)?;
    // To copy it, skopeo reads and verifies every blob.
    world.skopeo(&["copy", &layout, &format!("oci:{}:1.0.0", world.file("layout").display())])?;
    Ok(())
}

fn wharf_copies(world: &World) -> Result<(), Failure> {
    let digest = push(world, DockerRegistry, "acme/here:1.0.0")?;
    let here = reference(world, DockerRegistry, "acme/here:1.0.0")?;
    let hub = reference(world, WharfHub, "acme/copied:1.0.0")?;
    let back = reference(world, DockerRegistry, "acme/returned:1.0.0")?;
    for (from, to) in [(&here, &hub), (&hub, &back)] {
        let copied = world.wharf(&["copy", from, to])?;
        same(&format!("the digest of {to}"), digest.as_str(), digest_in(&copied))?;
        pulled_is_the_component(world, to)?;
    }
    Ok(())
}

fn deletes(world: &World, registry: Registry) -> Result<(), Failure> {
    let digest = push(world, registry, "acme/shelf:gone")?;
    let gone = reference(world, registry, &format!("acme/shelf@{digest}"))?;
    let kept = reference(world, registry, "acme/shelf:kept")?;
    let file = world.component_file();
    // The annotation makes it another artifact, which has to outlive the first.
    world.wharf(&["push", &kept, &file.to_string_lossy(), "--annotation", "org.example.kept=yes"])?;
    inspect(world, &gone)?;
    world.wharf(&["delete", &gone])?;
    inspect(world, &kept)?;
    let found = world.try_wharf(&["inspect", &gone])?.status.success();
    same("whether it is still there", &false, &found)
}

/// Pushes the component and returns the digest of its manifest.
fn push(world: &World, registry: Registry, name: &str) -> Result<String, Failure> {
    let file = world.component_file();
    let printed = world.wharf(&["push", &reference(world, registry, name)?, &file.to_string_lossy()])?;
    Ok(digest_in(&printed).to_owned())
}

/// Lets skopeo say what the digest of a manifest is.
fn digest_of(world: &World, manifest: &str) -> Result<String, Failure> {
    let file = world.file("manifest.json");
    std::fs::write(&file, manifest).map_err(|source| Error::File { path: file.clone(), source })?;
    world.skopeo(&["manifest-digest", &file.to_string_lossy()])
}
