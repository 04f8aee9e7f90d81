//! Images for containerd's runwasi with Wasm as layers, as `oci-tar-builder` writes them.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Reads, Rule, any_layer};
use crate::ImageConfig;
use crate::runwasi::WASM_LAYER;

pub(super) const RULE: Rule = Rule {
    accepts: "layers application/vnd.bytecodealliance.wasm.component.layer.v0+wasm (runwasi)",
    reads: Reads::Manifest,
    locate,
};

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    // Its shim takes both types, in one image too.
    let is_wasm = |media_type: &MediaType| media_type.as_str() == WASM_LAYER || *media_type == MediaType::WASM;
    let is_image = any_layer(manifest, |media_type| media_type.as_str() == WASM_LAYER);
    is_image.then(|| Located::in_layers(Dialect::RunwasiImage, manifest, is_wasm))
}
