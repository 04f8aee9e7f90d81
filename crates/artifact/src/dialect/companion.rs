//! What says something of another artifact: signatures, attestations, bills of materials. It holds no Wasm.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Reads, Rule, Unreadable};
use crate::ImageConfig;

pub(super) const RULE: Rule = Rule { accepts: "", reads: Reads::Manifest, locate };

/// How the types of such artifacts start, and what they are.
const KINDS: [(&str, &str); 12] = [
    ("application/vnd.dev.cosign.artifact.sbom", "a bill of materials"),
    ("application/vnd.dev.cosign.", "a cosign signature"),
    ("application/vnd.dev.sigstore.", "a Sigstore bundle"),
    ("application/vnd.cncf.notary.", "a Notary signature"),
    ("application/vnd.in-toto", "an in-toto attestation"),
    ("application/vnd.dsse.envelope", "a signed attestation"),
    ("application/spdx", "an SPDX bill of materials"),
    ("text/spdx", "an SPDX bill of materials"),
    ("application/vnd.cyclonedx", "a CycloneDX bill of materials"),
    ("application/vnd.syft", "a Syft bill of materials"),
    ("application/vnd.openvex", "an OpenVEX statement"),
    ("application/sarif", "a SARIF report"),
];

/// Returns what an artifact or a layer of that type is; nothing where it is none of these.
pub(super) fn kind_of(media_type: &MediaType) -> Option<&'static str> {
    KINDS.iter().find(|(start, _)| media_type.as_str().starts_with(start)).map(|(_, what)| *what)
}

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let stated = manifest.artifact_type.as_ref().and_then(kind_of).or_else(|| kind_of(&manifest.config.media_type));
    let what = stated.or_else(|| of_layers(manifest))?;
    let subject = manifest.subject.as_ref().map(|subject| subject.digest.clone());
    Some(Err(Unreadable::NotWasm { what, subject }))
}

/// Tells it by the layers, where there is nothing else among them: Wasm may carry a bill of its materials along.
fn of_layers(manifest: &ImageManifest) -> Option<&'static str> {
    let (first, rest) = manifest.layers.split_first()?;
    let what = kind_of(&first.media_type)?;
    rest.iter().all(|layer| kind_of(&layer.media_type).is_some()).then_some(what)
}
