//! A single layer of Wasm with any config, as `oras push FILE:application/wasm` writes it.

use wharf_oci::{ImageManifest, MediaType};

use super::{Dialect, Located, Rule, Unreadable};

pub(super) const RULE: Rule = Rule { accepts: "a single layer application/wasm with any config", locate };

fn locate(manifest: &ImageManifest) -> Option<Result<Located, Unreadable>> {
    match manifest.layers.as_slice() {
        [layer] if layer.media_type == MediaType::WASM => {
            Some(Ok(Located { dialect: Dialect::PlainWasm, wasm: layer.clone(), departures: Vec::new() }))
        }
        _ => None,
    }
}
