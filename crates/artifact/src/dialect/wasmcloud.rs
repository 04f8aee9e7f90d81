//! Provider archives of wasmCloud, as `wash push` writes them; some hold one archive in several layers.

use wharf_oci::ImageManifest;

use super::{Answer, Dialect, Located, Reads, Rule, any_layer};
use crate::ImageConfig;
use crate::provider::{ARCHIVE_CONFIG, ARCHIVE_LAYER};

pub(super) const RULE: Rule = Rule {
    accepts: "layer application/vnd.wasmcloud.provider.archive.layer.v1+par (a wasmCloud provider)",
    reads: Reads::Manifest,
    locate,
};

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_provider =
        manifest.config.media_type.as_str() == ARCHIVE_CONFIG || any_layer(manifest, |of| of.as_str() == ARCHIVE_LAYER);
    is_provider.then(|| Located::in_chunks(Dialect::WasmcloudProvider, manifest, |_| true))
}
