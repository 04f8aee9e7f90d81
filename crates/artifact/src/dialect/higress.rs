//! Plugins of Higress, as `hgctl plugin build` writes them: papers, each a layer, and last a tar with the filter.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Place, Reads, Rule, any_layer};
use crate::ImageConfig;
use crate::search::Search;

pub(super) const RULE: Rule = Rule {
    accepts: "layers application/vnd.module.wasm.spec.v1+yaml and application/vnd.oci.image.layer.v1.tar+gzip (Higress)",
    reads: Reads::Manifest,
    locate,
};

const PAPERS: [&str; 3] =
    ["application/vnd.module.wasm.spec.", "application/vnd.module.wasm.doc.", "application/vnd.module.wasm.icon."];
const UNKNOWN_CONFIG: &str = "application/vnd.unknown.config.v1+json";

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let (last, others) = manifest.layers.split_last()?;
    let has_papers = any_layer(manifest, |of| PAPERS.iter().any(|start| of.as_str().starts_with(start)));
    let is_bare = manifest.config.media_type.as_str() == UNKNOWN_CONFIG && last.media_type == MediaType::OCI_LAYER_GZIP;
    (has_papers || is_bare).then(|| {
        let search = Search::of_each(Dialect::Higress, manifest, vec![last.clone()])?;
        Ok(Located { others: others.to_vec(), ..Located::new(Dialect::Higress, Place::Search(search)) })
    })
}
