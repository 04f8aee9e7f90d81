//! Picks one manifest of an index.

use wharf_oci::{Descriptor, ImageIndex, Platform};

use super::{NAME_CHARACTERS_MAX, Unreadable};

/// The annotation that Docker's builder marks attestations with.
const DOCKER_REFERENCE: &str = "vnd.docker.reference.type";

/// What the types of signatures, attestations and bills of materials start with.
const COMPANIONS: [&str; 6] = [
    "application/vnd.dev.cosign.",
    "application/vnd.dev.sigstore.",
    "application/vnd.cncf.notary.",
    "application/vnd.in-toto",
    "application/spdx",
    "application/vnd.cyclonedx",
];

/// The operating systems of Wasm platforms, the most wanted first; `linux` is how container tools label Wasm.
const OS_PREFERENCE: [&str; 6] = ["wasip2", "wasip3", "wasip1", "wasi", "Wasip1", "linux"];

/// Picks the manifest of an index that most likely holds Wasm; it may be an index itself.
///
/// Attestations and signatures are left aside. Of the rest, the best Wasm platform is taken (`wasip2`, `wasip3`,
/// `wasip1`, `wasi`, `linux`, any other, each with architecture `wasm` or `wasm32`); without any, the only manifest.
///
/// # Errors
/// [`Unreadable::EmptyIndex`] and [`Unreadable::Platforms`].
pub fn select(index: &ImageIndex) -> Result<&Descriptor, Unreadable> {
    let candidates: Vec<_> = index.manifests.iter().filter(|manifest| !is_companion(manifest)).collect();
    // The first of several with the same rank.
    let wasm = candidates.iter().filter_map(|manifest| Some((wasm_rank(manifest)?, *manifest)));
    let best = wasm.min_by_key(|(rank, _)| *rank).map(|(_, manifest)| manifest);
    match (best, candidates.as_slice()) {
        (Some(manifest), _) => Ok(manifest),
        (None, [manifest]) => Ok(manifest),
        (None, []) => Err(Unreadable::EmptyIndex),
        (None, _) => Err(Unreadable::Platforms { platforms: candidates.iter().map(|each| platform(each)).collect() }),
    }
}

/// Whether a manifest says something of another one of the index.
fn is_companion(manifest: &Descriptor) -> bool {
    let is_marked = manifest.annotations.get(DOCKER_REFERENCE).is_some_and(|kind| kind == "attestation-manifest");
    let is_nowhere = manifest.platform.as_ref().is_some_and(|at| at.os == "unknown" && at.architecture == "unknown");
    let is_typed = manifest
        .artifact_type
        .as_ref()
        .is_some_and(|kind| COMPANIONS.iter().any(|prefix| kind.as_str().starts_with(prefix)));
    is_marked || is_nowhere || is_typed
}

/// Returns the place of a Wasm platform in the order of preference; nothing for other platforms.
fn wasm_rank(manifest: &Descriptor) -> Option<usize> {
    let Platform { architecture, os, .. } = manifest.platform.as_ref()?;
    let is_wasm = matches!(architecture.as_str(), "wasm" | "wasm32");
    let rank = OS_PREFERENCE.iter().position(|known| known == os).unwrap_or(OS_PREFERENCE.len());
    is_wasm.then_some(rank)
}

fn platform(manifest: &Descriptor) -> String {
    let text = match &manifest.platform {
        Some(platform) => format!("{}/{}", platform.os, platform.architecture),
        None => "no platform".to_owned(),
    };
    text.escape_debug().take(NAME_CHARACTERS_MAX).collect()
}
