//! A layer of the type that Solo.io's specification has for filters, without a runtime config: actors of wasmCloud
//! before 1.0, modules of Trivy, components that `wash` takes.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Reads, Rule, any_layer};
use crate::ImageConfig;
use crate::istio::FILTER_LAYER;

pub(super) const RULE: Rule = Rule {
    accepts: "a layer application/vnd.module.wasm.content.layer.v1+wasm with any config",
    reads: Reads::Manifest,
    locate,
};

const ACTOR_CONFIG: &str = "application/vnd.wasmcloud.actor.archive.config";

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_module = |media_type: &MediaType| media_type.as_str() == FILTER_LAYER;
    let locate = || match manifest.config.media_type.as_str() {
        // Old pushes have an actor in parts.
        ACTOR_CONFIG => Located::in_chunks(Dialect::WasmcloudActor, manifest, is_module),
        _ => Located::in_layers(Dialect::ModuleLayer, manifest, is_module),
    };
    any_layer(manifest, is_module).then(locate)
}
