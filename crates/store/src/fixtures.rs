//! What the tests of this crate start from.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tempfile::TempDir;
use wharf_oci::{ByteStream, Descriptor, Digest, Fetch, ImageManifest, Manifest, MediaType, MemoryStore};

use crate::{Repository, Store};

/// A store in a directory that goes with it.
pub(crate) struct Fixture {
    pub(crate) directory: TempDir,
    pub(crate) store: Store,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        Self { directory, store }
    }

    pub(crate) fn repository(&self, name: &str) -> Repository {
        self.store.repository(&name.parse().unwrap())
    }

    /// Opens the same directory once more, as another process would.
    pub(crate) async fn other_process(&self) -> Store {
        Store::open(self.directory.path()).await.unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the files in `ingest`.
    pub(crate) fn ingest(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.path().join("ingest")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// Runs a test to its end, and that of the file work which it left.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// Streams `bytes` in pieces of 7.
pub(crate) fn pieces(bytes: &'static [u8]) -> ByteStream {
    stream::iter(bytes.chunks(7).map(|piece| Ok(Bytes::from_static(piece)))).boxed()
}

/// Streams `bytes` and then fails as a lost connection does.
pub(crate) fn broken(bytes: &'static [u8]) -> ByteStream {
    let failure = wharf_oci::Error::NotFound { what: "the rest".to_owned() };
    pieces(bytes).chain(stream::iter([Err(failure)])).boxed()
}

pub(crate) async fn put(repository: &Repository, bytes: &'static [u8]) -> Digest {
    let digest = Digest::sha256(bytes);
    repository.put_blob(&digest, u64::MAX, pieces(bytes)).await.unwrap();
    digest
}

pub(crate) async fn read(stream: ByteStream) -> Vec<u8> {
    stream.map_ok(|bytes| bytes.to_vec()).try_concat().await.unwrap()
}

/// A manifest without layers that differs from others by `note`.
pub(crate) fn manifest(note: &str) -> Manifest {
    let mut image = ImageManifest::new(Descriptor::of(MediaType::OCI_EMPTY, b"{}"), Vec::new());
    image.annotations.insert("note".to_owned(), note.to_owned());
    Manifest::from_image(&image).unwrap()
}

/// A manifest that says something of `subject`.
pub(crate) fn referrer(note: &str, subject: &Manifest) -> Manifest {
    let mut image = ImageManifest::new(Descriptor::of(MediaType::OCI_EMPTY, b"{}"), Vec::new());
    image.artifact_type = Some(MediaType::from("application/vnd.example.note"));
    image.annotations.insert("note".to_owned(), note.to_owned());
    image.subject = Some(subject.descriptor());
    Manifest::from_image(&image).unwrap()
}

/// Holds blobs, and counts the bytes that were asked for.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) memory: MemoryStore,
    bytes: AtomicU64,
}

impl Counted {
    pub(crate) fn asked(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Fetch for Counted {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, wharf_oci::Error> {
        self.bytes.fetch_add(descriptor.size.saturating_sub(offset), Ordering::SeqCst);
        self.memory.fetch(descriptor, offset).await
    }
}

/// Gives one stream, whatever is asked for.
pub(crate) struct Scripted(pub(crate) std::sync::Mutex<Option<ByteStream>>);

impl Scripted {
    pub(crate) fn new(stream: ByteStream) -> Self {
        Self(std::sync::Mutex::new(Some(stream)))
    }
}

#[async_trait]
impl Fetch for Scripted {
    async fn fetch(&self, _: &Descriptor, _: u64) -> Result<ByteStream, wharf_oci::Error> {
        Ok(self.0.lock().unwrap().take().expect("fetched once"))
    }
}
