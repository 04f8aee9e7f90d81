//! Gadgets of Inspektor Gadget: a program for eBPF, and perhaps one of Wasm.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Reads, Rule, any_layer};
use crate::ImageConfig;

pub(super) const RULE: Rule = Rule {
    accepts: "layer application/vnd.gadget.wasm.program.v1+binary (Inspektor Gadget)",
    reads: Reads::Manifest,
    locate,
};

const TYPES: &str = "application/vnd.gadget.";
const WASM: &str = "application/vnd.gadget.wasm.program.v1+binary";

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_gadget = |media_type: &MediaType| media_type.as_str().starts_with(TYPES);
    let is_declared = manifest.artifact_type.as_ref().is_some_and(is_gadget) || is_gadget(&manifest.config.media_type);
    let locate = || Located::in_layers(Dialect::Gadget, manifest, |media_type| media_type.as_str() == WASM);
    (is_declared || any_layer(manifest, is_gadget)).then(locate)
}
