//! `copy`: copies an artifact from one place to another, as it is or packed anew.

use std::sync::Arc;

use serde::Serialize;
use wharf_archive::ImageName;
use wharf_client::Client;
use wharf_oci::{CopySummary, Digest, Progress, TagName};

use crate::convert::{Conversion, Converted, convert};
use crate::destination::{Cargo, Destination, check_pin};
use crate::place::Place;
use crate::{Cause, Error, Existing, Location};

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
    pub from: Location,
    /// Where it goes; the tag is that of `from` where none is given.
    pub to: Location,
    /// What to copy along. What refers to an artifact says nothing of one that is packed anew.
    pub depth: Depth,
    /// How to pack it anew; byte for byte the same where nothing is given.
    pub conversion: Option<Conversion>,
    /// What to do with an archive that is there already.
    pub existing: Existing,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyOutcome {
    /// The copy, pinned: `host/repository@digest`.
    pub reference: String,
    /// The digest of the manifest; the same on both sides, unless it was packed anew.
    pub digest: Digest,
    /// The tag that now points at it.
    pub tag: Option<String>,
    /// What the new form has no place for, and was left behind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
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

/// Copies an artifact, or an index with all it lists, byte for byte; with a conversion, what is Wasm in it, in a new
/// form.
///
/// # Errors
/// [`Error::Copy`]. The target may then hold blobs that nothing points at, and its tag is as it was.
pub async fn copy(
    clients: Clients<'_>,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopyOutcome, Error> {
    let copied = match &options.conversion {
        None => move_graph(clients, options, progress).await,
        Some(conversion) => pack_anew(clients, options, conversion, progress).await,
    };
    copied.map_err(|source| Error::Copy { from: options.from.clone(), to: options.to.clone(), source })
}

async fn move_graph(
    clients: Clients<'_>,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopyOutcome, Cause> {
    let CopyOptions { from, to, depth, existing, .. } = options;
    let place = Place::open(clients.from, from).await?;
    let manifest = place.manifest().await?;
    check_pin(to.digest(), &manifest)?;
    let name = target_name(from, place.whole_name().await?, to);
    let destination = Destination::open(clients.to, to, name.clone(), *existing).await?;
    let referrers = (*depth == Depth::Referrers).then(|| place.referrers());
    let cargo = Cargo { source: place.content(), manifest: &manifest, referrers };
    let summary = destination.receive(cargo, progress).await?;
    Ok(outcome(to, manifest.digest(), name.as_ref(), summary))
}

async fn pack_anew(
    clients: Clients<'_>,
    options: &CopyOptions,
    conversion: &Conversion,
    progress: &Arc<dyn Progress>,
) -> Result<CopyOutcome, Cause> {
    let CopyOptions { from, to, existing, .. } = options;
    let place = Place::open(clients.from, from).await?;
    let name = target_name(from, place.whole_name().await?, to);
    let Converted { package, lost } = convert(&place, conversion, name.as_ref(), progress).await?;
    let manifest = &package.manifest;
    check_pin(to.digest(), manifest)?;
    let destination = Destination::open(clients.to, to, name.clone(), *existing).await?;
    let cargo = Cargo { source: &package, manifest, referrers: None };
    let summary = destination.receive(cargo, progress).await?;
    Ok(CopyOutcome { lost, ..outcome(to, manifest.digest(), name.as_ref(), summary) })
}

fn outcome(to: &Location, digest: &Digest, name: Option<&ImageName>, summary: CopySummary) -> CopyOutcome {
    let CopySummary { sent, sent_bytes, mounted, present, .. } = summary;
    CopyOutcome {
        reference: to.with_digest(digest.clone()).to_string(),
        digest: digest.clone(),
        tag: name.map(|name| name.tag().to_string()),
        lost: Vec::new(),
        sent,
        sent_bytes,
        mounted,
        present,
    }
}

/// Returns the name of the copy: the one that was asked for, else the source's, of which it may know more than was
/// asked for; none for what is named by digest.
fn target_name(from: &Location, known: Option<ImageName>, to: &Location) -> Option<ImageName> {
    match (to.image_name(), to.digest(), known.or(from.image_name()), from.digest()) {
        (Some(name), ..) if name.repository().is_some() => Some(name),
        // A tag alone gets the repository of the source: hosts find an image in an archive by its whole name.
        (Some(name), _, Some(source), _) => source.repository().map_or(Some(name.clone()), |repository| {
            ImageName::new(repository, name.tag().clone()).ok().or(Some(name.clone()))
        }),
        (Some(name), ..) => Some(name),
        (None, Some(_), ..) => None,
        // An image is run by the last part of its name, which in a registry is that of its repository.
        (None, None, Some(name), _) if to.registry().is_some() => to.with_tag(name.tag().clone()).image_name(),
        (None, None, Some(name), _) => Some(name),
        (None, None, None, Some(_)) => None,
        (None, None, None, None) if to.registry().is_some() => to.with_tag(TagName::latest()).image_name(),
        (None, None, None, None) => from.with_tag(TagName::latest()).image_name(),
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
                conversion: None,
                existing: Existing::Keep,
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
            conversion: None,
            existing: Existing::Keep,
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
    fn the_name_of_a_copy_is_the_one_asked_for_or_the_sources() {
        let digest = Digest::sha256(b"").to_string();
        for (from, to, expected) in [
            ("h.io/a:1", "h.io/b:2", Some("h.io/b:2")),
            ("h.io/a:1", "h.io/b", Some("h.io/b:1")),
            ("h.io/a", "h.io/b", Some("h.io/b:latest")),
            ("h.io/a@DIGEST", "h.io/b", None),
            ("h.io/a:1@DIGEST", "h.io/b", Some("h.io/b:1")),
            ("h.io/a:1", "h.io/b@DIGEST", None),
            ("h.io/a:1", "oci-archive:x.tar", Some("h.io/a:1")),
            ("h.io/a:1", "oci-archive:x.tar:2", Some("h.io/a:2")),
            ("h.io/a:1", "oci-archive:x.tar:b:2", Some("b:2")),
            ("oci-archive:x.tar", "oci-archive:y.tar:2", Some("2")),
            ("oci-archive:x.tar:a:1", "h.io/b", Some("h.io/b:1")),
            ("oci-archive:x.tar", "h.io/b", Some("h.io/b:latest")),
        ] {
            let parse = |text: &str| text.replace("DIGEST", &digest).parse().unwrap();
            let name = target_name(&parse(from), None, &parse(to)).map(|name| name.to_string());
            assert_eq!(name.as_deref(), expected, "{from} -> {to}");
        }
        for (to, expected) in [("h.io/b", "h.io/b:1"), ("oci-archive:y.tar", "a:1"), ("oci-archive:y.tar:2", "a:2")] {
            let (from, known) = ("oci-archive:x.tar".parse().unwrap(), Some("a:1".parse().unwrap()));
            let name = target_name(&from, known, &to.parse().unwrap()).map(|name| name.to_string());
            assert_eq!(name.as_deref(), Some(expected), "{to}");
        }
    }
}
