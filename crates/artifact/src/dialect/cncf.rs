//! The CNCF's "Wasm OCI Artifact layout", as `wkg`, `oci-wasm` and Wharf write it.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Contents, Departure, Dialect, Located, Place, Reads, Rule, Unreadable};
use crate::ImageConfig;

pub(super) const RULE: Rule = Rule {
    accepts: "config application/vnd.wasm.config.v0+json with one layer application/wasm (the CNCF layout)",
    reads: Reads::Manifest,
    locate,
};

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let dialect = Dialect::CncfWasm;
    if manifest.config.media_type != MediaType::WASM_CONFIG {
        return None;
    }
    // Several layers are reserved for components in parts; a reader should refuse them for now.
    let [layer] = manifest.layers.as_slice() else {
        return Some(Err(Unreadable::LayerCount { dialect, contents: Contents::of(manifest) }));
    };
    let departures = match layer.media_type == MediaType::WASM {
        true => Vec::new(),
        false => vec![Departure::LayerType { found: layer.media_type.clone(), expected: MediaType::WASM }],
    };
    Some(Ok(Located { departures, ..Located::new(dialect, Place::Layer(layer.clone())) }))
}
