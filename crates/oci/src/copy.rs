//! The one engine: moves a graph of content from a source to a sink.
//!
//! ```text
//!   plan:      walk the manifests from the root; leave out what the sink has
//!   blobs:     all that they name, a few at a time
//!   manifests: children before parents, the root last
//! ```
//!
//! A sink therefore never holds a manifest whose content is missing, wherever the copy stops.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::limits::{GRAPH_BYTES_MAX, GRAPH_DEPTH_MAX, GRAPH_MANIFESTS_MAX};
use crate::{
    ByteStream, Descriptor, Digest, Error, Fetch, Manifest, Origin, Push, Referrers, Transfer, fetch_manifest,
};

/// Blobs that move at the same time, unless told otherwise.
const CONCURRENCY: usize = 4;

/// How to copy.
#[derive(Clone, Copy)]
pub struct CopyOptions<'a> {
    /// How many blobs move at the same time.
    pub concurrency: usize,
    /// Where to look for what refers to the copied manifests (signatures, attestations), to copy it too.
    pub referrers: Option<&'a dyn Referrers>,
    /// Leave the root manifest for the caller to store, which a registry does as it tags it.
    pub without_root: bool,
}

impl Default for CopyOptions<'_> {
    fn default() -> Self {
        Self { concurrency: CONCURRENCY, referrers: None, without_root: false }
    }
}

/// What a copy did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopySummary {
    /// Blobs and manifests whose bytes were sent.
    pub sent: u64,
    /// The bytes of those.
    pub sent_bytes: u64,
    /// Blobs that the sink linked from elsewhere.
    pub mounted: u64,
    /// Blobs and manifests that the sink had. What a manifest that it had names is not counted.
    pub present: u64,
}

/// Is told how a copy goes on.
pub trait Progress: Send + Sync {
    /// The first `position` bytes of `descriptor` have moved. It goes back where a fault made bytes move again.
    fn at(&self, descriptor: &Descriptor, position: u64);
    /// `descriptor` is there.
    fn finished(&self, descriptor: &Descriptor);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn at(&self, _: &Descriptor, _: u64) {}
    fn finished(&self, _: &Descriptor) {}
}

/// Copies the graph below `root` from `source` to `sink`.
///
/// What the sink has is not sent again; a manifest that it has is taken to be complete.
///
/// # Errors
/// [`Error::Graph`] where the graph is over its limits, [`Error::Digest`] and [`Error::Size`] where the source lies,
/// else the source's or the sink's own. What was stored before stays, and a second copy goes on from there.
pub async fn copy(
    source: &dyn Fetch,
    sink: &dyn Push,
    root: &Manifest,
    options: &CopyOptions<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary, Error> {
    let mut plan = Plan::new(root.digest().clone());
    plan.fill(source, sink, options, root).await?;
    let source = Watched { source, progress };
    let blobs = std::mem::take(&mut plan.blobs);
    let sent = stream::iter(blobs).map(|blob| send_blob(&source, sink, blob));
    let mut summary = CopySummary { present: plan.present, ..CopySummary::default() };
    let mut outcomes = sent.buffer_unordered(options.concurrency.max(1));
    while let Some((descriptor, outcome)) = outcomes.try_next().await? {
        summary.count(&descriptor, outcome);
    }
    for level in plan.levels() {
        let level = level.into_iter().filter(|it| !options.without_root || it.digest != *root.digest());
        let sent = stream::iter(level).map(|manifest| async {
            let outcome = sink.push(&manifest, &plan).await?;
            Ok::<_, Error>((manifest, outcome))
        });
        let mut outcomes = sent.buffer_unordered(options.concurrency.max(1));
        while let Some((descriptor, outcome)) = outcomes.try_next().await? {
            summary.count(&descriptor, Some(outcome));
        }
    }
    Ok(summary)
}

impl CopySummary {
    /// Adds what was done with one thing; `None` where the sink had it.
    fn count(&mut self, descriptor: &Descriptor, outcome: Option<Transfer>) {
        match outcome {
            None => self.present += 1,
            Some(Transfer::Mounted) => self.mounted += 1,
            Some(Transfer::Sent) => {
                self.sent += 1;
                self.sent_bytes += descriptor.size;
            }
        }
    }
}

async fn send_blob(
    source: &Watched<'_>,
    sink: &dyn Push,
    blob: Descriptor,
) -> Result<(Descriptor, Option<Transfer>), Error> {
    let outcome = match sink.contains(&blob).await? {
        true => None,
        false => Some(sink.push(&blob, source).await?),
    };
    source.progress.finished(&blob);
    Ok((blob, outcome))
}

/// What a copy has to move.
struct Plan {
    root: Digest,
    /// All manifests and blobs met so far.
    seen: HashSet<Digest>,
    /// The manifests that the sink lacks.
    manifests: HashMap<Digest, (Descriptor, Manifest)>,
    /// The blobs that those name.
    blobs: Vec<Descriptor>,
    /// How many manifests the sink had.
    present: u64,
    bytes: u64,
}

impl Plan {
    fn new(root: Digest) -> Self {
        Self { root, seen: HashSet::new(), manifests: HashMap::new(), blobs: Vec::new(), present: 0, bytes: 0 }
    }

    /// Walks the graph level by level, the manifests of a level at the same time.
    async fn fill(
        &mut self,
        source: &dyn Fetch,
        sink: &dyn Push,
        options: &CopyOptions<'_>,
        root: &Manifest,
    ) -> Result<(), Error> {
        let mut level = vec![(root.descriptor(), Some(root.clone()))];
        for _ in 0..GRAPH_DEPTH_MAX {
            level.retain(|(descriptor, _)| self.seen.insert(descriptor.digest.clone()));
            let visits = stream::iter(level)
                .map(|(descriptor, known)| visit(source, sink, options.referrers, descriptor, known));
            let mut visits = visits.buffered(options.concurrency.max(1));
            let mut next = Vec::new();
            while let Some(visit) = visits.try_next().await? {
                next.extend(self.add(visit)?.into_iter().map(|descriptor| (descriptor, None)));
            }
            if next.is_empty() {
                return Ok(());
            }
            level = next;
        }
        Err(self.over(GRAPH_DEPTH_MAX as u64, "levels"))
    }

    /// Adds a manifest and its blobs, and returns the manifests to visit next.
    fn add(&mut self, visit: Visit) -> Result<Vec<Descriptor>, Error> {
        let mut next = visit.referrers;
        next.extend(visit.children);
        let Some(manifest) = visit.missing else {
            self.present += 1;
            return Ok(next);
        };
        for blob in manifest.children().filter(|child| !is_manifest_of(&manifest, child)) {
            if blob.media_type.is_distributable() && self.seen.insert(blob.digest.clone()) {
                self.blobs.push(blob.clone());
            }
        }
        self.bytes += manifest.bytes().len() as u64;
        self.manifests.insert(manifest.digest().clone(), (visit.descriptor, manifest));
        if self.manifests.len() > GRAPH_MANIFESTS_MAX {
            return Err(self.over(GRAPH_MANIFESTS_MAX as u64, "manifests"));
        }
        if self.bytes > GRAPH_BYTES_MAX {
            return Err(self.over(GRAPH_BYTES_MAX, "bytes of manifests"));
        }
        Ok(next)
    }

    fn over(&self, limit: u64, unit: &'static str) -> Error {
        Error::Graph { root: self.root.clone(), limit, unit }
    }

    /// Returns the manifests in groups, so that whatever one names stands in an earlier group.
    fn levels(&self) -> Vec<Vec<Descriptor>> {
        let mut heights = HashMap::new();
        let mut levels: BTreeMap<usize, Vec<Descriptor>> = BTreeMap::new();
        for (digest, (descriptor, _)) in &self.manifests {
            levels.entry(self.height(digest, &mut heights)).or_default().push(descriptor.clone());
        }
        // An archive is written in this order, and is to be the same each time.
        levels.values_mut().for_each(|level| level.sort_by(|one, other| one.digest.cmp(&other.digest)));
        levels.into_values().collect()
    }

    /// Returns how many manifests of the plan stand below this one at most; the recursion is as deep as the graph.
    fn height(&self, digest: &Digest, heights: &mut HashMap<Digest, usize>) -> usize {
        if let Some(&height) = heights.get(digest) {
            return height;
        }
        let Some((_, manifest)) = self.manifests.get(digest) else { return 0 };
        let below = manifest.children().chain(manifest.subject()).map(|child| self.height(&child.digest, heights));
        let height = 1 + below.max().unwrap_or_default();
        heights.insert(digest.clone(), height);
        height
    }
}

/// The manifests of a plan are sent from memory.
#[async_trait]
impl Fetch for Plan {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, Error> {
        let (_, manifest) = self
            .manifests
            .get(&descriptor.digest)
            .ok_or_else(|| Error::NotFound { what: format!("manifest {}", descriptor.digest) })?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(manifest.bytes().len());
        Ok(stream::iter([Ok(manifest.bytes().slice(start..))]).boxed())
    }
}

/// One manifest on the walk.
struct Visit {
    descriptor: Descriptor,
    /// The manifest, where the sink lacks it.
    missing: Option<Manifest>,
    /// The manifests that it names, as far as they are to be visited.
    children: Vec<Descriptor>,
    /// The manifests that say something of it.
    referrers: Vec<Descriptor>,
}

async fn visit(
    source: &dyn Fetch,
    sink: &dyn Push,
    referrers: Option<&dyn Referrers>,
    descriptor: Descriptor,
    known: Option<Manifest>,
) -> Result<Visit, Error> {
    let is_present = sink.contains(&descriptor).await?;
    // What the sink has is complete, but what refers to the manifests below it may be new.
    if is_present && (referrers.is_none() || !descriptor.media_type.is_index()) {
        let referrers = referrers_of(referrers, &descriptor).await?;
        return Ok(Visit { descriptor, missing: None, children: Vec::new(), referrers });
    }
    let manifest = match known {
        Some(known) => known,
        None => fetch_manifest(source, &descriptor).await?,
    };
    let children = manifest.children().filter(|child| is_manifest_of(&manifest, child)).cloned().collect();
    let referrers = referrers_of(referrers, &descriptor).await?;
    Ok(Visit { descriptor, missing: (!is_present).then_some(manifest), children, referrers })
}

/// Whether a child is a manifest; in anything but an index, whatever its type says, it is stored as a blob.
fn is_manifest_of(parent: &Manifest, child: &Descriptor) -> bool {
    parent.media_type().is_index() && child.media_type.is_manifest()
}

async fn referrers_of(referrers: Option<&dyn Referrers>, descriptor: &Descriptor) -> Result<Vec<Descriptor>, Error> {
    match referrers {
        Some(referrers) => referrers.referrers(&descriptor.digest).await,
        None => Ok(Vec::new()),
    }
}

/// A source whose bytes are reported as they pass.
pub struct Watched<'a> {
    /// The source.
    pub source: &'a dyn Fetch,
    /// Who is told.
    pub progress: &'a Arc<dyn Progress>,
}

#[async_trait]
impl Fetch for Watched<'_> {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, Error> {
        let stream = self.source.fetch(descriptor, offset).await?;
        let (progress, descriptor) = (Arc::clone(self.progress), descriptor.clone());
        progress.at(&descriptor, offset);
        let mut position = offset;
        let watched = stream.inspect_ok(move |bytes| {
            position += bytes.len() as u64;
            progress.at(&descriptor, position);
        });
        Ok(watched.boxed())
    }

    fn origin(&self) -> Option<Origin> {
        self.source.origin()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{ImageIndex, ImageManifest, MediaType, MemoryStore, Resolve as _, Selector, Tag as _};

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn silent() -> Arc<dyn Progress> {
        Arc::new(NoProgress)
    }

    fn image(store: &MemoryStore, layer: &'static str) -> Manifest {
        let config = store.insert(MediaType::OCI_EMPTY, "{}");
        let layer = store.insert(MediaType::WASM, layer);
        let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer])).unwrap();
        store.insert_manifest(&manifest);
        manifest
    }

    fn index(store: &MemoryStore, manifests: &[&Manifest]) -> Manifest {
        let manifests = manifests.iter().map(|manifest| manifest.descriptor()).collect();
        let manifest = Manifest::from_index(&ImageIndex::new(manifests)).unwrap();
        store.insert_manifest(&manifest);
        manifest
    }

    /// Refuses a manifest whose children are not there, and keeps the order of what came.
    #[derive(Default)]
    struct Strict {
        store: MemoryStore,
        order: Mutex<Vec<Digest>>,
    }

    #[async_trait]
    impl Push for Strict {
        async fn contains(&self, descriptor: &Descriptor) -> Result<bool, Error> {
            self.store.contains(descriptor).await
        }

        async fn push(&self, descriptor: &Descriptor, source: &dyn Fetch) -> Result<Transfer, Error> {
            if descriptor.media_type.is_manifest() {
                for child in fetch_manifest(source, descriptor).await?.children() {
                    assert!(self.store.contains(child).await?, "{child:?} is missing");
                }
            }
            self.order.lock().unwrap().push(descriptor.digest.clone());
            self.store.push(descriptor, source).await
        }
    }

    #[test]
    fn children_come_before_parents_also_where_they_are_shared() {
        let source = MemoryStore::new();
        let (one, two) = (image(&source, "one"), image(&source, "two"));
        let inner = index(&source, &[&one, &two]);
        // `one` is met on the first level, and again as a child of `inner`, which stands beside it.
        let root = index(&source, &[&one, &inner]);
        let sink = Strict::default();
        let summary = run(copy(&source, &sink, &root, &CopyOptions::default(), &silent())).unwrap();
        assert_eq!(sink.order.lock().unwrap().last(), Some(root.digest()));
        assert_eq!((summary.sent, summary.present), (7, 0));
    }

    #[test]
    fn a_second_copy_sends_nothing() {
        let (source, sink) = (MemoryStore::new(), MemoryStore::new());
        let root = image(&source, "one");
        run(copy(&source, &sink, &root, &CopyOptions::default(), &silent())).unwrap();
        let again = run(copy(&source, &sink, &root, &CopyOptions::default(), &silent())).unwrap();
        assert_eq!(again, CopySummary { present: 1, ..CopySummary::default() });
    }

    #[test]
    fn the_root_can_be_left_to_who_tags_it() {
        let (source, sink) = (MemoryStore::new(), MemoryStore::new());
        let manifest = image(&source, "one");
        let options = CopyOptions { without_root: true, ..CopyOptions::default() };
        run(copy(&source, &sink, &manifest, &options, &silent())).unwrap();
        assert!(sink.read(manifest.digest()).is_none());
        assert!(sink.read(&Digest::sha256(b"one")).is_some());
        let name: crate::TagName = "1.0.0".parse().unwrap();
        run(sink.tag(&manifest, &name)).unwrap();
        assert_eq!(run(sink.resolve(&Selector::Tag(name))).unwrap(), manifest.descriptor());
    }

    #[test]
    fn referrers_come_along_when_asked_for() {
        let source = MemoryStore::new();
        let subject = image(&source, "one");
        let mut signature = ImageManifest::new(source.insert(MediaType::OCI_EMPTY, "{}"), Vec::new());
        signature.subject = Some(subject.descriptor());
        let signature = Manifest::from_image(&signature).unwrap();
        source.insert_manifest(&signature);
        for (referrers, expected) in [(None, false), (Some(&source as &dyn Referrers), true)] {
            let sink = MemoryStore::new();
            let options = CopyOptions { referrers, ..CopyOptions::default() };
            run(copy(&source, &sink, &subject, &options, &silent())).unwrap();
            assert_eq!(sink.read(signature.digest()).is_some(), expected);
        }
    }

    #[test]
    fn referrers_of_what_the_sink_has_are_found_below_an_index() {
        let (source, sink) = (MemoryStore::new(), MemoryStore::new());
        let subject = image(&source, "one");
        let root = index(&source, &[&subject]);
        run(copy(&source, &sink, &root, &CopyOptions::default(), &silent())).unwrap();
        let mut signature = ImageManifest::new(source.insert(MediaType::OCI_EMPTY, "{}"), Vec::new());
        signature.subject = Some(subject.descriptor());
        let signature = Manifest::from_image(&signature).unwrap();
        source.insert_manifest(&signature);
        let options = CopyOptions { referrers: Some(&source), ..CopyOptions::default() };
        let summary = run(copy(&source, &sink, &root, &options, &silent())).unwrap();
        assert!(sink.read(signature.digest()).is_some());
        // The index, the artifact, and the config that the signature shares with it.
        assert_eq!((summary.sent, summary.present), (1, 3));
    }

    #[test]
    fn a_graph_that_is_too_deep_is_refused_and_nothing_sent() {
        let (source, sink) = (MemoryStore::new(), MemoryStore::new());
        let mut root = image(&source, "one");
        for _ in 0..GRAPH_DEPTH_MAX {
            root = index(&source, &[&root]);
        }
        let error = run(copy(&source, &sink, &root, &CopyOptions::default(), &silent()));
        assert!(matches!(error, Err(Error::Graph { unit: "levels", .. })), "{error:?}");
        assert!(sink.read(&Digest::sha256(b"one")).is_none());
    }

    #[test]
    fn progress_reaches_the_size_of_each_blob() {
        #[derive(Default)]
        struct Seen(Mutex<HashMap<Digest, u64>>);
        impl Progress for Seen {
            fn at(&self, descriptor: &Descriptor, position: u64) {
                self.0.lock().unwrap().insert(descriptor.digest.clone(), position);
            }
            fn finished(&self, _: &Descriptor) {}
        }
        let (source, sink) = (MemoryStore::new(), MemoryStore::new());
        let root = image(&source, "hello");
        let seen = Arc::new(Seen::default());
        let progress: Arc<dyn Progress> = Arc::clone(&seen) as _;
        run(copy(&source, &sink, &root, &CopyOptions::default(), &progress)).unwrap();
        assert_eq!(seen.0.lock().unwrap().get(&Digest::sha256(b"hello")), Some(&5));
    }
}
