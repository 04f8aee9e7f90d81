//! Anything else that has layers: of ORAS pushes without types, the bytes alone tell what they are.

use wharf_oci::ImageManifest;

use super::{Answer, Dialect, Located, Place, Reads, Rule};
use crate::ImageConfig;
use crate::search::Search;

pub(super) const RULE: Rule =
    Rule { accepts: "any layer that is Wasm, or a tar with one .wasm file", reads: Reads::Manifest, locate };

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let locate = || {
        let search = Search::of_each(Dialect::Untyped, manifest, manifest.layers.clone())?;
        Ok(Located::new(Dialect::Untyped, Place::Search(search)))
    };
    (!manifest.layers.is_empty()).then(locate)
}
