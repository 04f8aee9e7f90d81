//! The container image of Wasm layers that containerd's runwasi runs, as `oci-tar-builder` writes it.
//!
//! ```text
//!   manifest  application/vnd.oci.image.manifest.v1+json
//!     ├─ config  application/vnd.oci.image.config.v1+json
//!     │    { "created": "1970-01-01T00:00:00Z", "architecture": "wasm",
//!     │      "os": "wasip2",                     wasip1 for a core module
//!     │      "config": { "Entrypoint": ["app.wasm"],
//!     │                  "Labels": { "containerd.runwasi.layers": SHA-256 of the layers' digests } },
//!     │      "rootfs": { "type": "layers", "diff_ids": […] } }
//!     ├─ layer   application/vnd.bytecodealliance.wasm.component.layer.v0+wasm
//!     └─ layer … of any type
//! ```
//!
//! The label makes the digest of the config that of this image alone: containerd finds a container's image by it, and
//! `diff_ids`, which do that for other images, say nothing of Wasm layers.
//!
//! What `diff_ids` holds is counted in two ways. containerd (1.6.25, 1.7.7 and later) counts the layers that it
//! unpacks, which are those whose type is one of tars, and refuses an image with a `diff_id` for anything else
//! ("mismatched image rootfs and manifest layers"); so that is what [`build`] writes. Readers of docker archives,
//! such as skopeo, count every layer ("Inconsistent layer count"). A docker archive names its config on its own, so
//! that whoever writes one can give it another.

use wharf_oci::{Annotations, Digest, MediaType};

use crate::built::checked_file_name;
use crate::cncf::{COMPONENT_OS, MODULE_OS, TITLE};
use crate::image::Image;
use crate::{Built, Entrypoint, ImageOptions, InvalidBuild, Kind, Layer, ManifestFormat, Wasm};

/// The type of a layer that is a Wasm binary, be it a component or a core module.
pub const WASM_LAYER: &str = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";

/// The label that holds a digest of all layers.
pub const LAYERS_LABEL: &str = "containerd.runwasi.layers";

/// Makes the layer that is a Wasm binary.
///
/// # Errors
/// [`InvalidBuild::NothingToRun`] for a WIT package, and [`InvalidBuild::FileName`].
pub fn wasm_layer(wasm: &Wasm, file_name: &str) -> Result<Layer, InvalidBuild> {
    if wasm.kind == Kind::WitPackage {
        return Err(InvalidBuild::NothingToRun { kind: wasm.kind });
    }
    let mut layer = Layer::new(WASM_LAYER.into(), wasm.digest.clone(), wasm.size);
    layer.descriptor = layer.descriptor.with_annotation(TITLE, checked_file_name(file_name)?);
    Ok(layer)
}

/// Builds an image of Wasm layers and layers of other types, in the order given.
///
/// # Errors
/// [`InvalidBuild::RawLayersInDocker`] where Docker's manifest is asked for, [`InvalidBuild::NoWasmLayer`],
/// [`InvalidBuild::MediaType`], [`InvalidBuild::Created`], and [`InvalidBuild::Manifest`] where there are too many
/// layers.
pub fn build(entrypoint: &Entrypoint, layers: &[Layer], options: &ImageOptions) -> Result<Built, InvalidBuild> {
    if options.format == ManifestFormat::Docker {
        return Err(InvalidBuild::RawLayersInDocker);
    }
    let types = || layers.iter().map(|layer| &layer.descriptor.media_type);
    if let Some(invalid) = types().find(|media_type| !is_media_type(media_type.as_str())) {
        return Err(InvalidBuild::MediaType { text: invalid.to_string() });
    }
    let expected = MediaType::from(WASM_LAYER);
    if !types().any(|media_type| *media_type == expected) {
        return Err(InvalidBuild::NoWasmLayer { expected });
    }
    let os = match entrypoint.kind() {
        Kind::Module => MODULE_OS,
        Kind::Component | Kind::WitPackage => COMPONENT_OS,
    };
    let unpacked = layers.iter().filter(|layer| layer.descriptor.media_type.is_file_system_layer());
    let image = Image {
        os,
        program: entrypoint.file_name().to_owned(),
        annotations: entrypoint.annotations(),
        marks: Annotations::new(),
        labels: Annotations::from([(LAYERS_LABEL.to_owned(), layers_id(layers))]),
        layers,
        diff_ids: unpacked.map(|layer| layer.diff_id.clone()).collect(),
    };
    image.build(options)
}

/// Returns the digest of all layers, as `oci-tar-builder` computes it: over their hexadecimal digests.
fn layers_id(layers: &[Layer]) -> String {
    let digests: String = layers.iter().map(|layer| layer.descriptor.digest.hex()).collect();
    Digest::sha256(digests.as_bytes()).hex().to_owned()
}

/// Whether a text has the form of a media type (RFC 6838, section 4.2).
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        name.len() <= 127
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(is_allowed)
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

#[cfg(test)]
mod tests;
