//! `copy`: copies an artifact from one registry to another, as it is.

use std::sync::Arc;

use serde::Serialize;
use wharf_client::Client;
use wharf_oci::{CopySummary, Digest, Progress, Reference, Referrers, TagName};

use crate::locate::{manifest, repository};
use crate::transfer::{Destination, check_pin, transfer};
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
    check_pin(to, &manifest)?;
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
    use wharf_client::ClientOptions;
    use wharf_oci::{
        CopyOptions as GraphOptions, Descriptor, ImageIndex, ImageManifest, Manifest, MediaType, MemoryStore,
        NoProgress, Tag as _,
    };
    use wharf_testing::registry::TestRegistry;

    use super::*;

    fn silent() -> Arc<dyn Progress> {
        Arc::new(NoProgress)
    }

    fn image(store: &MemoryStore, layer: &'static str, subject: Option<Descriptor>) -> Manifest {
        let config = store.insert(MediaType::OCI_EMPTY, "{}");
        let layer = store.insert(MediaType::WASM, layer);
        let image = ImageManifest { subject, ..ImageManifest::new(config, vec![layer]) };
        let manifest = Manifest::from_image(&image).unwrap();
        store.insert_manifest(&manifest);
        manifest
    }

    /// Fills `acme/hello:1` with an index of two artifacts, one of which has a signature, which is signed itself.
    async fn fill(registry: &TestRegistry, client: &Client) -> (Manifest, Vec<Manifest>) {
        let store = MemoryStore::new();
        let artifacts = [image(&store, "one", None), image(&store, "two", None)];
        let signature = image(&store, "signature", Some(artifacts[0].descriptor()));
        let witness = image(&store, "witness", Some(signature.descriptor()));
        let index = ImageIndex::new(artifacts.iter().map(Manifest::descriptor).collect());
        let index = Manifest::from_index(&index).unwrap();
        let repository = client.repository(registry.registry(), &"acme/hello".parse().unwrap());
        for manifest in artifacts.iter().chain([&signature, &witness, &index]) {
            let options = GraphOptions::default();
            wharf_oci::copy(&store, &repository, manifest, &options, &silent()).await.unwrap();
        }
        repository.tag(&index, &"1".parse().unwrap()).await.unwrap();
        (index, vec![signature, witness])
    }

    #[tokio::test]
    async fn an_index_is_copied_whole_and_what_refers_to_it_if_asked_for() {
        let (from, to) = (TestRegistry::start().await, TestRegistry::start().await);
        let client = Client::new(ClientOptions::default()).unwrap();
        let (index, companions) = fill(&from, &client).await;
        let target = to.store().repository(&"mirror/hello".parse().unwrap());
        for (depth, expected) in [(Depth::Artifact, false), (Depth::Referrers, true)] {
            let options = CopyOptions {
                from: format!("{}/acme/hello:1", from.registry()).parse().unwrap(),
                to: format!("{}/mirror/hello", to.registry()).parse().unwrap(),
                depth,
            };
            let clients = Clients { from: &client, to: &client };
            let outcome = copy(clients, &options, &silent()).await.unwrap();
            assert_eq!((&outcome.digest, outcome.tag.as_deref()), (index.digest(), Some("1")));
            for child in index.children() {
                assert!(target.manifest(&child.digest).await.unwrap().is_some());
            }
            for companion in &companions {
                let is_there = target.manifest(companion.digest()).await.unwrap().is_some();
                assert_eq!(is_there, expected, "{depth:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_blob_of_the_same_registry_is_mounted_and_not_sent() {
        let registry = TestRegistry::start().await;
        let client = Client::new(ClientOptions::default()).unwrap();
        fill(&registry, &client).await;
        registry.clear_log();
        let options = CopyOptions {
            from: format!("{}/acme/hello:1", registry.registry()).parse().unwrap(),
            to: format!("{}/acme/other:1", registry.registry()).parse().unwrap(),
            depth: Depth::Artifact,
        };
        let outcome = copy(Clients { from: &client, to: &client }, &options, &silent()).await.unwrap();
        assert_eq!(outcome.mounted, 3);
        let blob_bytes: u64 = registry
            .log()
            .iter()
            .filter(|exchange| exchange.path().contains("/blobs/"))
            .map(|exchange| exchange.request_bytes + exchange.response_bytes)
            .sum();
        assert_eq!(blob_bytes, 0);
    }

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
