//! One repository of the store; what it does with blobs, uploads, manifests and tags stands in their files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use wharf_oci::{
    ByteStream, Descriptor, Digest, Fetch, ImageIndex, Manifest, Push, Referrers, RepositoryName, Resolve, Selector,
    Tag, TagName, Transfer, fetch_manifest,
};

use crate::files::{Handle, Lock};
use crate::paths::RepositoryPaths;
use crate::store::{Shared, blocking};
use crate::{Error, documents};

/// One repository: its blobs, manifests, tags and uploads. A clone is the same repository.
///
/// It holds only what was put into it, also where another repository of the store has the same content.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(crate) shared: Arc<Shared>,
    pub(crate) paths: RepositoryPaths,
    name: RepositoryName,
}

/// How long to wait for others that change the same repository, each of which takes some milliseconds.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(30);

/// The content of `oci-layout` (image-spec, image-layout.md).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LayoutMarker {
    image_layout_version: &'static str,
}

impl Repository {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    pub(crate) fn new(shared: Arc<Shared>, name: RepositoryName) -> Self {
        let paths = shared.paths.repository(&name);
        Self { shared, paths, name }
    }

    /// Runs file work on this repository where it holds up no other task.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let repository = self.clone();
        blocking(move || work(&repository)).await
    }

    /// As [`Repository::blocking`], for work that may wait for the lock of the repository.
    pub(crate) async fn changing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.shared.changers).acquire_owned().await.map_err(|_| Error::Stopped)?;
        self.blocking(move |it| {
            // Work that nobody waits for any more goes on, and counts.
            let _permit = permit;
            work(it)
        })
        .await
    }

    /// Makes the image layout, unless it is there. Its marker comes last, and says that the rest is there.
    pub(crate) fn create(&self) -> Result<(), Error> {
        let files = &self.shared.files;
        if files.exists(&self.paths.layout_marker())? {
            return Ok(());
        }
        files.make_directory(self.paths.root())?;
        let _lock = self.lock(Lock::Exclusive)?;
        if files.exists(&self.paths.layout_marker())? {
            return Ok(());
        }
        files.make_directory(&self.paths.blobs())?;
        self.write(&self.paths.index(), &ImageIndex::new(Vec::new()))?;
        self.write(&self.paths.layout_marker(), &LayoutMarker { image_layout_version: "1.0.0" })
    }

    /// Waits for the lock of this repository; `None` where it does not exist.
    ///
    /// Who adds a manifest shares it with others who do; who moves a tag or takes something out has it alone.
    pub(crate) fn lock(&self, lock: Lock) -> Result<Option<Handle>, Error> {
        let handle = self.shared.files.open_lock(&self.paths.lock())?;
        handle.as_ref().map(|handle| handle.lock(lock, LOCK_WAIT_MAX)).transpose()?;
        Ok(handle)
    }

    /// Writes a small JSON file in place of what was there.
    pub(crate) fn write<T: Serialize>(&self, path: &Path, value: &T) -> Result<(), Error> {
        documents::write(&self.shared.files, &self.shared.ingest, path, value)
    }
}

#[async_trait]
impl Fetch for Repository {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, wharf_oci::Error> {
        Ok(self.read_blob_from(&descriptor.digest, offset).await?)
    }
}

#[async_trait]
impl Push for Repository {
    async fn contains(&self, descriptor: &Descriptor) -> Result<bool, wharf_oci::Error> {
        let digest = descriptor.digest.clone();
        let is_manifest = descriptor.media_type.is_manifest();
        let is_there =
            self.blocking(move |it| if is_manifest { it.has_manifest(&digest) } else { it.has_blob(&digest) });
        Ok(is_there.await?)
    }

    async fn push(&self, descriptor: &Descriptor, source: &dyn Fetch) -> Result<Transfer, wharf_oci::Error> {
        if descriptor.media_type.is_manifest() {
            self.put_manifest(&fetch_manifest(source, descriptor).await?).await?;
        } else {
            self.push_blob(descriptor, source).await?;
        }
        Ok(Transfer::Sent)
    }
}

#[async_trait]
impl Resolve for Repository {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor, wharf_oci::Error> {
        let found = self.manifest_descriptor(selector).await?;
        found.ok_or_else(|| wharf_oci::Error::NotFound { what: format!("manifest {selector}") })
    }
}

#[async_trait]
impl Tag for Repository {
    async fn tag(&self, manifest: &Manifest, name: &TagName) -> Result<(), wharf_oci::Error> {
        self.put_manifest(manifest).await?;
        Ok(self.put_tag(name, manifest.digest()).await?)
    }
}

#[async_trait]
impl Referrers for Repository {
    async fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, wharf_oci::Error> {
        Ok(Self::referrers(self, digest).await?)
    }
}

#[cfg(test)]
mod tests {
    use wharf_oci::{CopyOptions, ImageManifest, MediaType, MemoryStore, NoProgress, Progress, copy};

    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::Store;
    use crate::files::Files;
    use crate::files::faults::Faults;
    use crate::fixtures::{Fixture, manifest, read, run};

    #[test]
    fn a_graph_is_copied_in_and_out() {
        run(async {
            let fixture = Fixture::new().await;
            let source = MemoryStore::new();
            let config = source.insert(MediaType::OCI_EMPTY, "{}");
            let layer = source.insert(MediaType::WASM, "layer");
            let image = Manifest::from_image(&ImageManifest::new(config, vec![layer.clone()])).unwrap();
            source.insert_manifest(&image);

            let progress: Arc<dyn Progress> = Arc::new(NoProgress);
            let options = CopyOptions::default();
            let repository = fixture.repository("acme/hello");
            let sent = copy(&source, &repository, &image, &options, &progress).await.unwrap();
            assert_eq!((sent.sent, sent.present), (3, 0));
            let again = copy(&source, &repository, &image, &options, &progress).await.unwrap();
            assert_eq!((again.sent, again.present), (0, 1));

            let name: TagName = "1.0.0".parse().unwrap();
            repository.tag(&image, &name).await.unwrap();
            let root = repository.resolve(&Selector::Tag(name)).await.unwrap();
            assert_eq!(root, image.descriptor());
            let sink = MemoryStore::new();
            copy(&repository, &sink, &image, &options, &progress).await.unwrap();
            assert_eq!(sink.read(&layer.digest).unwrap(), "layer");
            assert_eq!(read(repository.fetch(&layer, 2).await.unwrap()).await, b"yer");
            assert_eq!(read(repository.fetch(&layer, 9).await.unwrap()).await, b"");
        });
    }

    #[test]
    fn what_is_not_there_is_not_found_for_whoever_copies() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let descriptor = manifest("one").descriptor();
            assert!(!repository.contains(&descriptor).await.unwrap());
            let fetched = repository.fetch(&descriptor, 0).await.map(drop).unwrap_err();
            assert_eq!(fetched.to_string(), format!("blob {} not found", descriptor.digest));
            for selector in ["latest".to_owned(), descriptor.digest.to_string()] {
                let resolved = repository.resolve(&selector.parse().unwrap()).await.unwrap_err();
                assert_eq!(resolved.to_string(), format!("manifest {selector} not found"));
            }
        });
    }

    #[test]
    fn a_failure_of_the_disk_keeps_its_own_type() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            std::fs::write(fixture.path().join("repositories/acme"), "").unwrap();
            let error = repository.put_manifest(&manifest("one")).await.unwrap_err();
            let error = wharf_oci::Error::from(error);
            assert!(matches!(error.medium_ref(), Some(Error::File { .. })), "{error:?}");
        });
    }

    /// A store that tells when somebody waits for a lock.
    async fn watched(fixture: &Fixture) -> (Store, Arc<Faults>) {
        let faults = Arc::new(Faults::none());
        let files = Files { faults: Some(Arc::clone(&faults)) };
        (Store::open_with(fixture.path().to_owned(), files).await.unwrap(), faults)
    }

    type Outcome = Result<(), Error>;

    /// Starts an operation, and returns when it waits for a lock; where it does not, that is the failure.
    async fn waiting(operation: BoxFuture<'static, Outcome>, faults: &Faults) -> JoinHandle<Outcome> {
        let before = faults.waits();
        let operation = tokio::spawn(operation);
        while faults.waits() == before && !operation.is_finished() {
            tokio::task::yield_now().await;
        }
        assert_eq!((faults.waits(), operation.is_finished()), (before + 1, false));
        operation
    }

    type Change = fn(Repository, TagName) -> BoxFuture<'static, Outcome>;

    const CHANGES: [Change; 5] = [
        |it, _| Box::pin(async move { it.put_manifest(&manifest("two")).await }),
        |it, tag| Box::pin(async move { it.put_tag(&tag, manifest("one").digest()).await }),
        |it, tag| Box::pin(async move { it.delete_tag(&tag).await.map(drop) }),
        |it, _| Box::pin(async move { it.delete_blob(&Digest::sha256(b"any")).await.map(drop) }),
        |it, _| Box::pin(async move { it.delete_manifest(manifest("one").digest()).await.map(drop) }),
    ];

    #[test]
    fn however_many_changes_wait_reading_goes_on() {
        let fixture = run(Fixture::new());
        let faults = run(async {
            let (store, faults) = watched(&fixture).await;
            let repository = store.repository(&"acme/hello".parse().unwrap());
            let tag: TagName = "1.0.0".parse().unwrap();
            fixture.repository("acme/hello").tag(&manifest("one"), &tag).await.unwrap();
            let all = u32::try_from(repository.shared.changers.available_permits()).unwrap();
            let _all = repository.shared.changers.acquire_many(all).await.unwrap();
            for change in CHANGES {
                assert!(change(repository.clone(), tag.clone()).now_or_never().is_none());
                assert_eq!(repository.resolve_tag(&tag).await.unwrap(), Some(manifest("one").descriptor()));
            }
            faults
        });
        // The end of the runtime waited for the file work, and none of it came as far as the lock.
        assert_eq!(faults.waits(), 0);
    }

    #[test]
    fn changes_wait_for_those_of_another_process() {
        run(async {
            let fixture = Fixture::new().await;
            let (store, faults) = watched(&fixture).await;
            let locking = fixture.repository("acme/hello");
            let repository = store.repository(locking.name());
            let tag: TagName = "1.0.0".parse().unwrap();
            locking.tag(&manifest("one"), &tag).await.unwrap();
            for operation in CHANGES {
                let lock = locking.lock(Lock::Exclusive).unwrap().unwrap();
                let waiting = waiting(operation(repository.clone(), tag.clone()), &faults).await;
                drop(lock);
                waiting.await.unwrap().unwrap();
            }
        });
    }

    #[test]
    fn a_repository_that_another_process_creates_meanwhile_is_left_as_it_is() {
        run(async {
            let fixture = Fixture::new().await;
            let (store, faults) = watched(&fixture).await;
            let other = fixture.repository("acme/hello");
            let repository = store.repository(other.name());
            other.shared.files.make_directory(other.paths.root()).unwrap();
            let lock = other.lock(Lock::Exclusive).unwrap().unwrap();
            let creates = Box::pin(async move { repository.blocking(Repository::create).await });
            let created = waiting(creates, &faults).await;
            for path in [other.paths.index(), other.paths.layout_marker()] {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "{}").unwrap();
            }
            drop(lock);
            created.await.unwrap().unwrap();
            assert_eq!(std::fs::read_to_string(other.paths.index()).unwrap(), "{}");
        });
    }
}
