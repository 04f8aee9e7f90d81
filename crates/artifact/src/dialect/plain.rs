//! Layers of Wasm with any config, as `oras push FILE:application/wasm` writes them.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Reads, Rule, any_layer};
use crate::ImageConfig;

pub(super) const RULE: Rule =
    Rule { accepts: "a layer application/wasm with any config", reads: Reads::Manifest, locate };

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_wasm = |media_type: &MediaType| *media_type == MediaType::WASM;
    any_layer(manifest, is_wasm).then(|| Located::in_layers(Dialect::PlainWasm, manifest, is_wasm))
}
