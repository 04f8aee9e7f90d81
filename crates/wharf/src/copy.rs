//! `copy`: copies an artifact from one registry to another, as it is.

use std::sync::Arc;

use serde::Serialize;
use wharf_client::Client;
use wharf_oci::{CopySummary, Digest, Progress, Reference, Referrers, TagName};

use crate::locate::{manifest, repository};
use crate::transfer::{Destination, transfer};
use crate::{Cause, Error};

/// What to copy along with an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// The artifact alone.
    #[default]
    Artifact,
    /// What refers to it too, and to that: signatures, attestations, SBOMs.
    Referrers,
}

/// What to copy, and where to.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// What to copy.
    pub from: Reference,
    /// Where it goes; the tag is that of `from` where none is given.
    pub to: Reference,
    /// What to copy along.
    pub depth: Depth,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyOutcome {
    /// The copy, pinned: `host/repository@digest`.
    pub reference: String,
    /// The digest of the manifest, the same on both sides.
    pub digest: Digest,
    /// The tag that now points at it.
    pub tag: Option<String>,
    /// Blobs and manifests that were sent.
    pub sent: u64,
    /// The bytes of those.
    pub sent_bytes: u64,
    /// Blobs that the registry linked from another repository of its own.
    pub mounted: u64,
    /// Blobs and manifests that were there already.
    pub present: u64,
}

/// The clients for the two sides, which may need different credentials.
#[derive(Clone, Copy)]
pub struct Clients<'a> {
    /// Reads.
    pub from: &'a Client,
    /// Writes.
    pub to: &'a Client,
}

/// Copies an artifact, or an index with all it lists, byte for byte.
///
/// # Errors
/// [`Error::Copy`]. The target may then hold blobs that nothing points at, and its tag is as it was.
pub async fn copy(
    clients: Clients<'_>,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopyOutcome, Error> {
    move_graph(clients, options, progress).await.map_err(|source| Error::Copy {
        from: options.from.clone(),
        to: options.to.clone(),
        source,
    })
}

async fn move_graph(
    clients: Clients<'_>,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopyOutcome, Cause> {
    let CopyOptions { from, to, depth } = options;
    let source = repository(clients.from, from);
    let sink = repository(clients.to, to);
    let manifest = manifest(&source, from).await?;
    if let Some(expected) = to.digest().filter(|&digest| digest != manifest.digest()) {
        return Err(Cause::Pinned { expected: expected.clone(), actual: manifest.digest().clone() });
    }
    let tag = target_tag(from, to);
    let referrers = (*depth == Depth::Referrers).then_some(&source as &dyn Referrers);
    let destination = Destination { repository: &sink, tag: tag.as_ref() };
    let summary = transfer(&source, &destination, &manifest, referrers, progress).await?;
    let CopySummary { sent, sent_bytes, mounted, present, .. } = summary;
    Ok(CopyOutcome {
        reference: to.with_digest(manifest.digest().clone()).to_string(),
        digest: manifest.digest().clone(),
        tag: tag.map(|tag| tag.to_string()),
        sent,
        sent_bytes,
        mounted,
        present,
    })
}

/// Returns the tag of the copy: the one that was asked for, else the source's; none for what is named by digest.
fn target_tag(from: &Reference, to: &Reference) -> Option<TagName> {
    match (to.tag(), to.digest(), from.tag(), from.digest()) {
        (Some(tag), ..) => Some(tag.clone()),
        (None, Some(_), ..) => None,
        (None, None, Some(tag), _) => Some(tag.clone()),
        (None, None, None, Some(_)) => None,
        (None, None, None, None) => Some(TagName::latest()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_a_copy_is_the_one_asked_for_or_the_sources() {
        let digest = Digest::sha256(b"").to_string();
        for (from, to, expected) in [
            ("h.io/a:1", "h.io/b:2", Some("2")),
            ("h.io/a:1", "h.io/b", Some("1")),
            ("h.io/a", "h.io/b", Some("latest")),
            ("h.io/a@DIGEST", "h.io/b", None),
            ("h.io/a:1@DIGEST", "h.io/b", Some("1")),
            ("h.io/a:1", "h.io/b@DIGEST", None),
        ] {
            let parse = |text: &str| text.replace("DIGEST", &digest).parse::<Reference>().unwrap();
            let tag = target_tag(&parse(from), &parse(to));
            assert_eq!(tag.as_ref().map(TagName::as_str), expected, "{from} -> {to}");
        }
    }
}
