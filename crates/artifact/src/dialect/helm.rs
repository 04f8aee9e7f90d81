//! Plugins of Helm 4: a tar with `plugin.wasm`, and perhaps its provenance in another layer.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Place, Reads, Rule};
use crate::ImageConfig;
use crate::search::Search;

pub(super) const RULE: Rule =
    Rule { accepts: "artifact type application/vnd.helm.plugin.v1+json (Helm)", reads: Reads::Manifest, locate };

const TYPE: &str = "application/vnd.helm.plugin.v1+json";

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_plugin = |media_type: &MediaType| media_type.as_str() == TYPE;
    let is_declared = manifest.artifact_type.as_ref().is_some_and(is_plugin) || is_plugin(&manifest.config.media_type);
    is_declared.then(|| {
        let search = Search::of_each(Dialect::HelmPlugin, manifest, manifest.layers.clone())?;
        Ok(Located::new(Dialect::HelmPlugin, Place::Search(search)))
    })
}
