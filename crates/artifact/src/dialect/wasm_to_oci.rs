//! The layout of `wasm-to-oci`, which Krustlet and `cosign upload wasm` took over, and which Kubewarden has for its
//! policies.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Reads, Rule, any_layer};
use crate::ImageConfig;

pub(super) const RULE: Rule = Rule {
    accepts: "a layer application/vnd.wasm.content.layer.v1+wasm (wasm-to-oci, Kubewarden)",
    reads: Reads::Manifest,
    locate,
};

/// The type, and a slip of it that is found in registries.
const LAYERS: [&str; 2] = ["application/vnd.wasm.content.layer.v1+wasm", "application/vnd.wasm.content.layer.v1.wasm"];
/// How the annotations start that `kwctl push` takes from a policy.
const POLICY_ANNOTATIONS: &str = "io.kubewarden.";

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_wasm = |media_type: &MediaType| LAYERS.contains(&media_type.as_str());
    let is_policy = manifest.annotations.keys().any(|key| key.starts_with(POLICY_ANNOTATIONS));
    let dialect = if is_policy { Dialect::KubewardenPolicy } else { Dialect::WasmToOci };
    any_layer(manifest, is_wasm).then(|| Located::in_layers(dialect, manifest, is_wasm))
}
