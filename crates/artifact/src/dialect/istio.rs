//! Filters for Istio and Envoy Gateway in Solo.io's "Wasm Image Specification", the variant `oci`: a runtime config
//! and a filter, both as layers; the config may be the runtime config again.

use wharf_oci::ImageManifest;

use super::{Answer, Dialect, Located, Reads, Rule, any_layer};
use crate::ImageConfig;
use crate::istio::{FILTER_LAYER, is_runtime_config};

pub(super) const RULE: Rule = Rule {
    accepts: "layers application/vnd.module.wasm.config.v1+json and \
              application/vnd.module.wasm.content.layer.v1+wasm (Istio)",
    reads: Reads::Manifest,
    locate,
};

/// How the annotations start that `wasme` gives the manifest.
const ANNOTATIONS: &str = "module.wasm.runtime/";

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_configured = is_runtime_config(&manifest.config.media_type) || any_layer(manifest, is_runtime_config);
    // Images of the other variant have the annotations too.
    let is_annotated = manifest.annotations.keys().any(|key| key.starts_with(ANNOTATIONS))
        && any_layer(manifest, |media_type| media_type.as_str() == FILTER_LAYER);
    let locate = || Located::in_layers(Dialect::Istio, manifest, |media_type| media_type.as_str() == FILTER_LAYER);
    (is_configured || is_annotated).then(locate)
}
