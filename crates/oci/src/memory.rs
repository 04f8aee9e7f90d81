//! Content in memory, for tests and for small artifacts on their way to somewhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::{
    ByteStream, Descriptor, Digest, Error, Fetch, Manifest, MediaType, Push, Referrers, Resolve, Selector, Tag,
    TagName, Transfer, fetch_verified,
};

/// Holds blobs, manifests and tags in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    blobs: HashMap<Digest, (MediaType, Bytes)>,
    tags: BTreeMap<TagName, Digest>,
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds content and returns its descriptor.
    pub fn insert(&self, media_type: MediaType, bytes: impl Into<Bytes>) -> Descriptor {
        let bytes = bytes.into();
        let descriptor = Descriptor::of(media_type.clone(), &bytes);
        self.lock().blobs.insert(descriptor.digest.clone(), (media_type, bytes));
        descriptor
    }

    /// Adds a manifest.
    pub fn insert_manifest(&self, manifest: &Manifest) {
        let content = (manifest.media_type().clone(), manifest.bytes().clone());
        self.lock().blobs.insert(manifest.digest().clone(), content);
    }

    /// Returns the bytes of content.
    #[must_use]
    pub fn read(&self, digest: &Digest) -> Option<Bytes> {
        self.lock().blobs.get(digest).map(|(_, bytes)| bytes.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        // Each change below is one insertion, so a panic elsewhere leaves the maps whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Fetch for MemoryStore {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, Error> {
        let bytes = self
            .read(&descriptor.digest)
            .ok_or_else(|| Error::NotFound { what: format!("blob {}", descriptor.digest) })?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        Ok(stream::iter([Ok(bytes.slice(start..))]).boxed())
    }
}

#[async_trait]
impl Push for MemoryStore {
    async fn contains(&self, descriptor: &Descriptor) -> Result<bool, Error> {
        Ok(self.lock().blobs.contains_key(&descriptor.digest))
    }

    async fn push(&self, descriptor: &Descriptor, source: &dyn Fetch) -> Result<Transfer, Error> {
        let bytes = fetch_verified(source, descriptor, u64::MAX).await?;
        self.lock().blobs.insert(descriptor.digest.clone(), (descriptor.media_type.clone(), bytes));
        Ok(Transfer::Sent)
    }
}

#[async_trait]
impl Resolve for MemoryStore {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor, Error> {
        let content = self.lock();
        let digest = match selector {
            Selector::Tag(tag) => content.tags.get(tag),
            Selector::Digest(digest) => Some(digest),
        };
        digest
            .and_then(|digest| {
                let (media_type, bytes) = content.blobs.get(digest)?;
                Some(Descriptor::new(media_type.clone(), digest.clone(), bytes.len() as u64))
            })
            .ok_or_else(|| Error::NotFound { what: selector.to_string() })
    }
}

#[async_trait]
impl Tag for MemoryStore {
    async fn tag(&self, manifest: &Manifest, name: &TagName) -> Result<(), Error> {
        self.insert_manifest(manifest);
        self.lock().tags.insert(name.clone(), manifest.digest().clone());
        Ok(())
    }
}

#[async_trait]
impl Referrers for MemoryStore {
    async fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let content = self.lock();
        let manifests = content.blobs.values().filter(|(media_type, _)| media_type.is_manifest());
        let mut referrers: Vec<_> = manifests
            .filter_map(|(media_type, bytes)| Manifest::parse(bytes.clone(), Some(media_type)).ok())
            .filter(|manifest| manifest.subject().is_some_and(|subject| subject.digest == *digest))
            .map(|manifest| manifest.descriptor())
            .collect();
        referrers.sort_by(|one, other| one.digest.cmp(&other.digest));
        Ok(referrers)
    }
}
