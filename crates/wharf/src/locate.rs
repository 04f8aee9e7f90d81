//! Finds the manifest behind a reference, and the Wasm behind a manifest.

use wharf_artifact::dialect::{self, Located};
use wharf_client::{Client, Repository};
use wharf_oci::limits::GRAPH_DEPTH_MAX;
use wharf_oci::{Document, Error, ImageManifest, Manifest, Reference, Selector, TagName};

use crate::Cause;

/// Tags to name when the one asked for is not there.
const NEAR_MAX: usize = 3;

/// The Wasm artifact that a reference leads to.
pub(crate) struct Artifact {
    /// What the reference names; an index, or the same as `manifest`.
    pub(crate) root: Manifest,
    /// The manifest that holds the Wasm.
    pub(crate) manifest: Manifest,
    /// What that says.
    pub(crate) image: ImageManifest,
    /// How to read it, and where the Wasm is.
    pub(crate) located: Located,
}

/// Returns the handle of the repository that a reference is in.
pub(crate) fn repository(client: &Client, reference: &Reference) -> Repository {
    client.repository(reference.registry(), reference.repository())
}

/// Finds the Wasm that `reference` leads to, without reading it.
pub(crate) async fn locate(repository: &Repository, reference: &Reference) -> Result<Artifact, Cause> {
    let root = manifest(repository, reference).await?;
    let mut manifest = root.clone();
    for _ in 0..GRAPH_DEPTH_MAX {
        let child = match manifest.document() {
            Document::Image(image) => {
                let (image, located) = (ImageManifest::clone(image), dialect::classify(image)?);
                return Ok(Artifact { root, manifest, image, located });
            }
            Document::Index(index) => Selector::Digest(dialect::select(index)?.digest.clone()),
        };
        manifest = repository.manifest(&child).await?;
    }
    let (root, limit) = (root.digest().clone(), GRAPH_DEPTH_MAX as u64);
    Err(Error::Graph { root, limit, unit: "levels" }.into())
}

/// Fetches the manifest that a reference names; where the tag is not there, says which are.
pub(crate) async fn manifest(repository: &Repository, reference: &Reference) -> Result<Manifest, Cause> {
    let selector = reference.selector();
    match repository.manifest(&selector).await {
        Ok(manifest) => Ok(manifest),
        Err(error) => Err(explain(repository, reference, error.into()).await),
    }
}

/// Turns "not found" into what is there instead, where the registry tells.
pub(crate) async fn explain(repository: &Repository, reference: &Reference, error: Cause) -> Cause {
    let (true, Selector::Tag(tag)) = (is_not_found(&error), reference.selector()) else { return error };
    // Only the better message is lost when the list cannot be had.
    let Ok(tags) = repository.tags().await else { return error };
    let repository = reference.bare().to_string();
    let (count, near) = (tags.len(), nearest(&tag, tags));
    Cause::NoSuchTag { tag, repository, near, count }
}

fn is_not_found(cause: &Cause) -> bool {
    matches!(cause, Cause::Content(Error::NotFound { .. }))
        || matches!(cause.client(), Some(wharf_client::Error::NotFound { .. }))
}

/// Returns the tags that are spelled most like `wanted`, the nearest first.
fn nearest(wanted: &TagName, tags: Vec<TagName>) -> Vec<TagName> {
    let mut tags: Vec<_> = tags
        .into_iter()
        .map(|tag| (strsim::damerau_levenshtein(wanted.as_str(), tag.as_str()), tag))
        .filter(|(distance, tag)| *distance <= wanted.as_str().len().max(tag.as_str().len()) / 2)
        .collect();
    tags.sort();
    tags.into_iter().take(NEAR_MAX).map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_tags_come_first_and_far_ones_not_at_all() {
        let tags = ["1.0.0", "1.0.1", "1.1.0", "2.0.0-rc.1", "latest", "nightly"].map(|tag| tag.parse().unwrap());
        let near = |wanted: &str| {
            let near = nearest(&wanted.parse().unwrap(), tags.to_vec());
            near.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(near("1.0.2"), ["1.0.0", "1.0.1", "1.1.0"]);
        assert_eq!(near("lastest"), ["latest"]);
        assert_eq!(near("zzz"), [""; 0]);
    }
}
