//! Picks one manifest of an index.

use wharf_oci::{Descriptor, ImageIndex, Platform};

use super::companion;
use super::unreadable::{Unreadable, clean};

/// The annotation that Docker's builder marks attestations with.
const DOCKER_REFERENCE: &str = "vnd.docker.reference.type";

/// The operating systems of Wasm platforms, the most wanted first; `linux` is how container tools label Wasm.
const OS_PREFERENCE: [&str; 6] = ["wasip2", "wasip3", "wasip1", "wasi", "Wasip1", "linux"];

/// For what an artifact is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platforms {
    /// The one that was asked for; no other is taken then.
    pub wanted: Option<Platform>,
    /// The one of this machine, in the words of Go: `linux` and `amd64`.
    pub host: Platform,
}

/// Picks the manifest of an index that most likely holds Wasm; it may be an index itself.
///
/// Attestations and signatures are left aside. Of the rest, the platform is taken that was asked for. Where none was,
/// the best Wasm platform is (`wasip2`, `wasip3`, `wasip1`, `wasi`, `linux`, any other, each with architecture `wasm`
/// or `wasm32`), else the only manifest, else the one for this machine, else that for `linux/amd64`: filters for
/// Istio are the same for every machine.
///
/// # Errors
/// [`Unreadable::EmptyIndex`], [`Unreadable::NoSuchPlatform`] and [`Unreadable::Platforms`].
pub fn select<'a>(index: &'a ImageIndex, platforms: &Platforms) -> Result<&'a Descriptor, Unreadable> {
    let candidates: Vec<_> = index.manifests.iter().filter(|manifest| !is_companion(manifest)).collect();
    let names = || candidates.iter().map(|manifest| manifest.platform.as_ref().map_or_else(unnamed, name)).collect();
    let for_platform = |platform: &Platform| candidates.iter().copied().find(|manifest| is_for(manifest, platform));
    if candidates.is_empty() {
        return Err(Unreadable::EmptyIndex);
    }
    if let Some(wanted) = &platforms.wanted {
        return for_platform(wanted)
            .ok_or_else(|| Unreadable::NoSuchPlatform { wanted: name(wanted), platforms: names() });
    }
    // The first of several with the same rank.
    let wasm = candidates.iter().filter_map(|manifest| Some((wasm_rank(manifest)?, *manifest)));
    let best = wasm.min_by_key(|(rank, _)| *rank).map(|(_, manifest)| manifest);
    let only = || <[&Descriptor; 1]>::try_from(candidates.as_slice()).ok().map(|[manifest]| manifest);
    let usual = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), ..Platform::default() };
    best.or_else(only)
        .or_else(|| for_platform(&platforms.host))
        .or_else(|| for_platform(&usual))
        .ok_or_else(|| Unreadable::Platforms { platforms: names() })
}

/// Whether a manifest says something of another one of the index.
fn is_companion(manifest: &Descriptor) -> bool {
    let is_marked = manifest.annotations.get(DOCKER_REFERENCE).is_some_and(|kind| kind == "attestation-manifest");
    let is_nowhere = manifest.platform.as_ref().is_some_and(|at| at.os == "unknown" && at.architecture == "unknown");
    let is_typed = manifest.artifact_type.as_ref().is_some_and(|kind| companion::kind_of(kind).is_some());
    is_marked || is_nowhere || is_typed
}

/// Whether a manifest is for a platform; one that gives no variant takes any.
fn is_for(manifest: &Descriptor, platform: &Platform) -> bool {
    manifest.platform.as_ref().is_some_and(|at| {
        let has_variant = platform.variant.is_none() || platform.variant == at.variant;
        at.os == platform.os && at.architecture == platform.architecture && has_variant
    })
}

/// Returns the place of a Wasm platform in the order of preference; nothing for other platforms.
fn wasm_rank(manifest: &Descriptor) -> Option<usize> {
    let Platform { architecture, os, .. } = manifest.platform.as_ref()?;
    let is_wasm = matches!(architecture.as_str(), "wasm" | "wasm32");
    let rank = OS_PREFERENCE.iter().position(|known| known == os).unwrap_or(OS_PREFERENCE.len());
    is_wasm.then_some(rank)
}

fn name(platform: &Platform) -> String {
    let variant = platform.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    clean(&format!("{}/{}{variant}", platform.os, platform.architecture))
}

fn unnamed() -> String {
    "no platform".to_owned()
}
