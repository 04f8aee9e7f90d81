//! Moves an artifact into a repository and names it there.

use std::sync::Arc;

use wharf_client::Repository;
use wharf_oci::{
    CopyOptions, CopySummary, Error, Fetch, Manifest, Progress, Reference, Referrers, Tag as _, TagName, copy,
};

use crate::Cause;

/// Where an artifact goes.
pub(crate) struct Destination<'a> {
    pub(crate) repository: &'a Repository,
    /// The tag that is to point at it; none leaves it to be found by digest.
    pub(crate) tag: Option<&'a TagName>,
}

/// Fails where the target names another digest than that of the artifact.
pub(crate) fn check_pin(target: &Reference, manifest: &Manifest) -> Result<(), Cause> {
    match target.digest() {
        Some(expected) if expected != manifest.digest() => {
            Err(Cause::Pinned { expected: expected.clone(), actual: manifest.digest().clone() })
        }
        _ => Ok(()),
    }
}

/// Copies the graph below `manifest`, and tags it last: the tag never points at something incomplete.
pub(crate) async fn transfer(
    source: &dyn Fetch,
    destination: &Destination<'_>,
    manifest: &Manifest,
    referrers: Option<&dyn Referrers>,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary, Error> {
    // A registry stores a manifest as it tags it, so that sending it by digest too would be one request more.
    let without_root = destination.tag.is_some();
    let options = CopyOptions { referrers, without_root, ..CopyOptions::default() };
    let summary = copy(source, destination.repository, manifest, &options, progress).await?;
    if let Some(tag) = destination.tag {
        destination.repository.tag(manifest, tag).await?;
    }
    Ok(summary)
}
