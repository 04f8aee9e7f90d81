//! The container image with a Wasm file in its root folder, as Docker and podman build and run it.
//!
//! ```text
//!   manifest  application/vnd.oci.image.manifest.v1+json         or Docker's type, here and below
//!     │       annotated with module.wasm.image/variant = compat-smart
//!     ├─ config  application/vnd.oci.image.config.v1+json
//!     │    { "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wasi",
//!     │      "config": { "Entrypoint": ["/app.wasm"] },
//!     │      "rootfs": { "type": "layers", "diff_ids": [digest of the layer] } }
//!     └─ layer   application/vnd.oci.image.layer.v1.tar          app.wasm, and nothing else
//! ```
//!
//! The platform is `wasi/wasm` for components too: it is the one that Docker documents for `--platform`, that podman
//! has in its table of runtimes, and that `buildah build` is told; hosts compare it as a text.
//!
//! crun runs an image as Wasm where the annotation says so. Its value `compat-smart` does that for programs whose name
//! ends with `.wasm`, and leaves the containers beside them in a pod alone; `compat` does it for all of them.
//!
//! The tar is not compressed, so that its digest is its `diff_id`, and depends on no version of a compressor.

use wharf_oci::Annotations;

use crate::image::{Image, VARIANT, check_layer_type};
use crate::{Built, Content, Entrypoint, ImageOptions, InvalidBuild, Layer, LayerFile};

/// The `os` of the platform `wasi/wasm`.
pub(crate) const OS: &str = "wasi";

/// Returns the one file that is in the layer.
///
/// It is executable, since runtimes look for that before they look at what it is.
#[must_use]
pub fn file(entrypoint: &Entrypoint) -> LayerFile {
    LayerFile { path: entrypoint.file_name().to_owned(), mode: 0o755, content: Content::Wasm }
}

/// Builds an image of one layer, which is a tar of [`file`] alone.
///
/// # Errors
/// [`InvalidBuild::LayerType`] for a layer of another type than [`tar_layer`](crate::ManifestFormat::tar_layer), and [`InvalidBuild::Created`].
pub fn build(entrypoint: &Entrypoint, layer: &Layer, options: &ImageOptions) -> Result<Built, InvalidBuild> {
    check_layer_type(layer, options.format.tar_layer())?;
    let image = Image {
        os: OS,
        program: format!("/{}", entrypoint.file_name()),
        annotations: entrypoint.annotations(),
        marks: Annotations::from([(VARIANT.to_owned(), "compat-smart".to_owned())]),
        labels: Annotations::new(),
        diff_ids: vec![layer.diff_id.clone()],
        layers: std::slice::from_ref(layer),
    };
    image.build(options)
}

#[cfg(test)]
mod tests;
