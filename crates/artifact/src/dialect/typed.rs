//! Types for Wasm that were proposed over time, and are found in registries: as the type of the artifact, or of a
//! layer. Wassette is among those who use them, with a policy in a layer beside the Wasm.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Contents, Dialect, Located, Place, Reads, Rule, Unreadable, any_layer};
use crate::ImageConfig;
use crate::search::Search;

pub(super) const RULE: Rule = Rule {
    accepts: "artifact type or layer application/vnd.wasm.component.v1+wasm, application/vnd.wasm.module.v1+wasm or \
              application/vnd.w3c.wasm.*",
    reads: Reads::Manifest,
    locate,
};

/// How the types of artifacts, configs and layers start.
const TYPES: [&str; 6] = [
    "application/vnd.wasm.component.",
    "application/vnd.wasm.module.",
    "application/vnd.wasm.interface.",
    "application/vnd.wasm.bundled.",
    "application/vnd.w3c.wasm.",
    "application/vnd.bytecodealliance.component.",
];

/// The types of policies, which say what a component may do.
const POLICIES: [&str; 5] = [
    "application/vnd.wasm.policy.v1+yaml",
    "application/vnd.wassette.policy+yaml",
    "application/x-yaml",
    "application/yaml",
    "text/yaml",
];

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_declared = manifest.artifact_type.as_ref().is_some_and(is_typed) || is_typed(&manifest.config.media_type);
    (is_declared || any_layer(manifest, is_typed)).then(|| locate_layer(manifest))
}

/// Goes by the types of the layers where they tell, and by the bytes where they do not.
fn locate_layer(manifest: &ImageManifest) -> Result<Located, Unreadable> {
    let dialect = Dialect::TypedWasm;
    let is_wasm = |media_type: &MediaType| is_typed(media_type) || *media_type == MediaType::WASM;
    if any_layer(manifest, is_wasm) {
        return Located::in_layers(dialect, manifest, is_wasm);
    }
    let layers = manifest.layers.iter().cloned();
    let (policies, layers): (Vec<_>, Vec<_>) = layers.partition(|it| POLICIES.contains(&it.media_type.as_str()));
    if layers.is_empty() {
        return Err(Unreadable::NoWasm { dialect, contents: Contents::of(manifest) });
    }
    let search = Search::of_each(dialect, manifest, layers)?;
    Ok(Located { others: policies, ..Located::new(dialect, Place::Search(search)) })
}

fn is_typed(media_type: &MediaType) -> bool {
    TYPES.iter().any(|start| media_type.as_str().starts_with(start))
}
