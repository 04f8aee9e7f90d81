//! The traits that whatever holds content implements.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use crate::limits::MANIFEST_BYTES_MAX;
use crate::{Descriptor, Digest, Error, Manifest, Registry, RepositoryName, Selector, TagName, verified};

/// Bytes as they come, unverified until something has compared them with a digest.
pub type ByteStream = BoxStream<'static, Result<Bytes, Error>>;

/// Gives content by descriptor.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Opens content at `offset` bytes from its start.
    ///
    /// The stream is not verified: whoever keeps the bytes does that, see [`verified`].
    ///
    /// # Errors
    /// [`Error::NotFound`], or the medium's own.
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, Error>;

    /// Returns the repository that the content comes from, where there is one.
    ///
    /// A registry that is pushed to from one of its own repositories can mount a blob instead of receiving it.
    fn origin(&self) -> Option<Origin> {
        None
    }
}

/// A repository of a registry, as a place where content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The registry.
    pub registry: Registry,
    /// The repository in it.
    pub repository: RepositoryName,
}

/// What it took to push content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// The bytes were sent.
    Sent,
    /// The sink had them elsewhere, and linked them.
    Mounted,
}

/// Takes content.
#[async_trait]
pub trait Push: Send + Sync {
    /// Whether the sink has the content already.
    ///
    /// # Errors
    /// The medium's own.
    async fn contains(&self, descriptor: &Descriptor) -> Result<bool, Error>;

    /// Stores content, which appears under its digest only when all of it was there and verified.
    ///
    /// The sink reads from `source` at the offset it needs: where it kept the start of an interrupted push, it
    /// goes on from there; where it must send again, it reads again.
    ///
    /// # Errors
    /// [`Error::Digest`] and [`Error::Size`] where the source lies, else the source's or the sink's own.
    async fn push(&self, descriptor: &Descriptor, source: &dyn Fetch) -> Result<Transfer, Error>;
}

/// Tells what a tag or a digest stands for.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// Returns the descriptor of the manifest.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the medium's own.
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor, Error>;
}

/// Gives names to manifests.
#[async_trait]
pub trait Tag: Send + Sync {
    /// Stores `manifest`, whose children are there, and points `name` at it.
    ///
    /// # Errors
    /// The medium's own.
    async fn tag(&self, manifest: &Manifest, name: &TagName) -> Result<(), Error>;
}

/// Tells which manifests have another as their subject.
#[async_trait]
pub trait Referrers: Send + Sync {
    /// Returns the descriptors of all manifests whose `subject` is `digest`; none where there are none.
    ///
    /// # Errors
    /// The medium's own.
    async fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, Error>;
}

/// Reads small content whole, verified.
///
/// # Errors
/// [`Error::TooLarge`] where its descriptor gives more than `limit` bytes, and those of [`Fetch::fetch`] and
/// [`verified`].
pub async fn fetch_verified(source: &dyn Fetch, descriptor: &Descriptor, limit: u64) -> Result<Bytes, Error> {
    if descriptor.size > limit {
        let (digest, size) = (descriptor.digest.clone(), descriptor.size);
        return Err(Error::TooLarge { digest, size, limit });
    }
    let mut stream = verified(source.fetch(descriptor, 0).await?, descriptor);
    let first = stream.next().await.transpose()?.unwrap_or_default();
    let Some(second) = stream.next().await.transpose()? else { return Ok(first) };
    let mut bytes = BytesMut::from(first);
    bytes.extend_from_slice(&second);
    while let Some(chunk) = stream.next().await.transpose()? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Reads a manifest, verified and parsed.
///
/// # Errors
/// [`Error::Manifest`], and those of [`fetch_verified`].
pub async fn fetch_manifest(source: &dyn Fetch, descriptor: &Descriptor) -> Result<Manifest, Error> {
    let bytes = fetch_verified(source, descriptor, MANIFEST_BYTES_MAX).await?;
    Manifest::parse_as(bytes, Some(&descriptor.media_type), descriptor.digest.algorithm())
        .map_err(|source| Error::Manifest { digest: descriptor.digest.clone(), source })
}
