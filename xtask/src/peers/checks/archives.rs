//! Archives: container tools take what Wharf packs, and Wharf reads what they make of it.

use serde_json::Value;

use super::Registry::{self, DockerRegistry, WharfHub};
use super::{
    Check, Failure, World, digest_in, inspect, is_the_component, json, pulled_is_the_component, read, reference, same,
    text,
};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "one file packs to the same bytes each time", run: packs_are_reproducible },
    Check {
        name: "skopeo inspects an image tar as both kinds of archive",
        run: |world| skopeo_inspects(world, "image"),
    },
    Check {
        name: "skopeo inspects a docker tar as both kinds of archive",
        run: |world| skopeo_inspects(world, "docker"),
    },
    Check {
        name: "wharf reads from docker-registry what skopeo pushed of its archives",
        run: |world| reads_what_skopeo_pushed(world, DockerRegistry),
    },
    Check {
        name: "wharf reads from wharf hub what skopeo pushed of its archives",
        run: |world| reads_what_skopeo_pushed(world, WharfHub),
    },
    Check { name: "skopeo reads the archives that wharf copies to", run: skopeo_reads_copies },
    Check { name: "wharf makes of what wkg pushed an image, and of an image what wkg pulls", run: wkg_and_images },
];

/// An archive that `wharf pack` wrote.
pub(super) struct Packed {
    /// Its path.
    pub(super) file: String,
    /// What the image in it is called, with its tag.
    pub(super) name: String,
    /// The digest of the manifest, as `wharf pack` printed it.
    pub(super) digest: String,
}

impl Packed {
    /// Packs the component.
    pub(super) fn component(world: &World, form: &str, repository: &str) -> Result<Self, Failure> {
        Self::pack(world, &["--as", form, &world.component_file().to_string_lossy()], repository)
    }

    /// Packs the filter from its text.
    pub(super) fn filter(world: &World, form: &str, repository: &str) -> Result<Self, Failure> {
        Self::pack(world, &["--as", form, &world.filter_file().to_string_lossy()], repository)
    }

    fn pack(world: &World, arguments: &[&str], repository: &str) -> Result<Self, Failure> {
        let file = world.file(&format!("{repository}.tar")).to_string_lossy().into_owned();
        // Each tool has its own idea of where a name without a host belongs.
        let name = format!("docker.io/acme/{repository}");
        let own = ["--output", &file, "--name", &name, "--tag", "1.0.0"];
        let printed = world.wharf(&[&["pack"], arguments, &own].concat())?;
        Ok(Self { file, name: format!("{name}:1.0.0"), digest: digest_in(&printed).to_owned() })
    }
}

fn packs_are_reproducible(world: &World) -> Result<(), Failure> {
    for form in ["artifact", "image", "docker"] {
        let mut packs = Vec::new();
        for _ in 0..2 {
            let packed = Packed::component(world, form, &format!("same-{form}"))?;
            packs.push((packed.digest, read(packed.file.as_ref())?));
        }
        same(&format!("whether {form} packs to the same bytes"), &true, &(packs[0] == packs[1]))?;
    }
    Ok(())
}

fn skopeo_inspects(world: &World, form: &str) -> Result<(), Failure> {
    let packed = Packed::component(world, form, &format!("seen-{form}"))?;
    let inspected = skopeo_inspect(world, &format!("oci-archive:{}:1.0.0", packed.file))?;
    same("the digest of the manifest", packed.digest.as_str(), text(&inspected, "Digest"))?;
    for transport in ["oci-archive", "docker-archive"] {
        let inspected = skopeo_inspect(world, &format!("{transport}:{}", packed.file))?;
        let platform = (text(&inspected, "Os"), text(&inspected, "Architecture"));
        // The platform that container tools know is another than that of runwasi.
        let os = if form == "image" { "wasip2" } else { "wasi" };
        same(&format!("the platform in the {transport}"), &(os, "wasm"), &platform)?;
        // In this form alone the layer is the Wasm itself.
        if form == "image" {
            let layers = format!("[{:?}]", wasm_digest(world)?);
            same(&format!("the layers in the {transport}"), &layers, &inspected["Layers"].to_string())?;
        }
    }
    Ok(())
}

fn reads_what_skopeo_pushed(world: &World, registry: Registry) -> Result<(), Failure> {
    for form in ["image", "docker"] {
        let packed = Packed::component(world, form, &format!("pushed-{form}"))?;
        let archive = |scheme: &str| format!("{scheme}:{}", packed.file);
        let same_bytes = reference(world, registry, &format!("acme/{form}-of-oci:1.0.0"))?;
        let digest = skopeo_push(world, &["--preserve-digests"], &archive("oci-archive"), &same_bytes)?;
        same(&format!("the digest of {same_bytes}"), &packed.digest, &digest)?;
        holds_the_component(world, &same_bytes, &digest)?;
        // Here skopeo writes a manifest of its own, and compresses even a layer that is no tar.
        let rewritten = reference(world, registry, &format!("acme/{form}-of-docker:1.0.0"))?;
        let digest = skopeo_push(world, &[], &archive("docker-archive"), &rewritten)?;
        holds_the_component(world, &rewritten, &digest)?;
    }
    Ok(())
}

fn skopeo_reads_copies(world: &World) -> Result<(), Failure> {
    for form in ["image", "docker"] {
        let packed = Packed::component(world, form, &format!("copied-{form}"))?;
        let there = reference(world, DockerRegistry, &format!("acme/copied-{form}:1.0.0"))?;
        let path = |name: &str| world.file(&format!("{form}-{name}")).to_string_lossy().into_owned();
        let (archive, folder) = (format!("oci-archive:{}:1.0.0", path("copy.tar")), path("layout"));
        let layout = format!("oci-layout:{folder}:1.0.0");
        // From each place on to the next, so that each is read as well as written.
        let places = [format!("oci-archive:{}", packed.file), there, archive.clone(), layout.clone()];
        for pair in places.windows(2) {
            let copied = world.wharf(&["copy", &pair[0], &pair[1]])?;
            same(&format!("the digest of {}", pair[1]), packed.digest.as_str(), digest_in(&copied))?;
            holds_the_component(world, &pair[1], &packed.digest)?;
        }
        for place in [archive, format!("oci:{folder}:1.0.0")] {
            let inspected = skopeo_inspect(world, &place)?;
            same(&format!("the digest of {place}"), packed.digest.as_str(), text(&inspected, "Digest"))?;
        }
        let docker = format!("docker-archive:{}:acme/copied:1.0.0", path("docker.tar"));
        world.wharf(&["copy", &layout, &docker])?;
        skopeo_inspect(world, &docker)?;
        pulled_is_the_component(world, &docker)?;
    }
    Ok(())
}

fn wkg_and_images(world: &World) -> Result<(), Failure> {
    let file = world.component_file();
    let host = world.registry(DockerRegistry)?.address();
    let pushed = reference(world, DockerRegistry, "acme/wkg-to-image:1.0.0")?;
    world.wkg(&["oci", "push", &pushed, &file.to_string_lossy(), "--insecure", &host])?;
    let archive = format!("docker-archive:{}:acme/converted:1.0.0", world.file("converted.tar").display());
    world.wharf(&["copy", &pushed, &archive, "--as", "image"])?;
    let inspected = skopeo_inspect(world, &archive)?;
    same("the layers", &format!("[{:?}]", wasm_digest(world)?), &inspected["Layers"].to_string())?;
    let back = reference(world, DockerRegistry, "acme/image-to-wkg:1.0.0")?;
    world.wharf(&["copy", &archive, &back, "--as", "artifact"])?;
    let pulled = world.file("from-image.wasm");
    world.wkg(&["oci", "pull", &back, "--insecure", &host, "--output", &pulled.to_string_lossy()])?;
    is_the_component(world, &pulled)
}

/// Checks that `wharf` finds the component at a place, which is in a registry or on this machine.
fn holds_the_component(world: &World, place: &str, digest: &str) -> Result<(), Failure> {
    let inspected = inspect(world, place)?;
    same(&format!("the kind of {place}"), "component", text(&inspected, "kind"))?;
    same(&format!("the digest of {place}"), digest, text(&inspected, "digest"))?;
    let wasm = wasm_digest(world)?;
    same(&format!("the digest of the Wasm in {place}"), wasm.as_str(), text(&inspected, "wasmDigest"))?;
    pulled_is_the_component(world, place)
}

/// Lets skopeo push, and returns the digest that it says the manifest has.
pub(super) fn skopeo_push(world: &World, options: &[&str], from: &str, reference: &str) -> Result<String, Failure> {
    let digest_file = world.file("pushed-digest");
    let path = digest_file.to_string_lossy();
    let to = format!("docker://{reference}");
    world.skopeo(&[&["copy", "--dest-tls-verify=false", "--digestfile", &path], options, &[from, &to]].concat())?;
    Ok(String::from_utf8_lossy(&read(&digest_file)?).trim_end().to_owned())
}

fn skopeo_inspect(world: &World, place: &str) -> Result<Value, Failure> {
    json("what skopeo inspect prints", &world.skopeo(&["inspect", place])?)
}

/// Returns the digest of the component, as layers have it that hold nothing else.
fn wasm_digest(world: &World) -> Result<String, Failure> {
    Ok(text(&inspect(world, &world.component_file().to_string_lossy())?, "wasmDigest").to_owned())
}
