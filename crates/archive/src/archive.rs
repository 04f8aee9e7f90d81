//! A tar file as a source.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use wharf_oci::{ByteStream, Descriptor, Digest, Fetch, Manifest, Referrers, Resolve, Selector};
use wharf_tar::Links;

use crate::blocking::blocking;
use crate::docker::{self, Digests, DockerImage, Manifests};
use crate::entries::Entries;
use crate::graph::{Subjects, manifests_below};
use crate::index::{INDEX_FILE, LAYOUT_FILE, Listed, Listing, blob_digest, check_version, parse_index};
use crate::span::Span;
use crate::{Error, Flavor};

/// A tar file that holds an OCI image layout, or images as Docker saves them.
///
/// It is gone through once, as it is opened, and its content is read from where it is: nothing is unpacked. The file
/// must stay as it is meanwhile; bytes that have changed do not match their digest.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    listing: Listing,
    /// The manifests from which all others can be found.
    roots: Vec<Descriptor>,
    blobs: HashMap<Digest, Span>,
    /// Manifests that were made of what the archive says in other words.
    made: HashMap<Digest, Bytes>,
    subjects: Subjects,
}

impl Archive {
    /// Opens the archive at `path` and lists what `flavor` sees in it.
    ///
    /// # Errors
    /// [`Error`], for each way in which the file is no such archive; see there.
    pub async fn open(path: &Path, flavor: Flavor) -> Result<Self, Error> {
        let path = path.to_owned();
        match flavor {
            Flavor::Oci => blocking(move || Self::open_oci(&path)).await,
            Flavor::Docker => Self::open_docker(path).await,
        }
    }

    /// Returns the names of the manifests, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.listing.names()
    }

    /// Finds the manifest that is called `name`: a whole name, or a tag that only one has.
    ///
    /// # Errors
    /// [`Error::NameUnknown`] and [`Error::NameAmbiguous`].
    pub fn named(&self, name: &str) -> Result<Descriptor, Error> {
        self.listing.named(&self.path, name).cloned()
    }

    /// Finds the one manifest, where there is but one; attestations do not count, nor does what has no name where
    /// something has one, nor what refers to another manifest.
    ///
    /// # Errors
    /// [`Error::NameMissing`], and those of reading manifests.
    pub async fn only(&self) -> Result<Descriptor, Error> {
        self.listing.only(self, &self.path).await.cloned()
    }

    fn new(entries: &Entries) -> Self {
        let blobs = entries.files().filter_map(|(path, span)| Some((blob_digest(path)?, span))).collect();
        Self {
            path: entries.path().to_owned(),
            listing: Listing::default(),
            roots: Vec::new(),
            blobs,
            made: HashMap::new(),
            subjects: Subjects::default(),
        }
    }

    fn open_oci(path: &Path) -> Result<Self, Error> {
        let entries = Entries::index(path, Links::Refuse)?;
        check_version(path, &entries.read(LAYOUT_FILE)?)?;
        let manifests = parse_index(path, entries.read(INDEX_FILE)?)?.manifests;
        Ok(Self { listing: Listing::of_index(&manifests), roots: manifests, ..Self::new(&entries) })
    }

    async fn open_docker(path: PathBuf) -> Result<Self, Error> {
        let (entries, images, roots) = blocking(move || {
            // What Podman and skopeo save has a link for each layer, besides the layers themselves.
            let entries = Entries::index(&path, Links::Report)?;
            let images = docker::parse(&entries)?;
            let roots = match entries.has(INDEX_FILE) {
                true => parse_index(&path, entries.read(INDEX_FILE)?)?.manifests,
                false => Vec::new(),
            };
            Ok::<_, Error>((entries, images, roots))
        })
        .await?;
        let archive = Self { roots, ..Self::new(&entries) };
        let manifests = manifests_below(&archive, &archive.roots).await?;
        blocking(move || archive.with_images(&entries, &images, &manifests)).await
    }

    /// Lists `images`, with their own manifests where they are among `manifests`.
    fn with_images(
        mut self,
        entries: &Entries,
        images: &[DockerImage],
        manifests: &[(Descriptor, Manifest)],
    ) -> Result<Self, Error> {
        let (own, mut digests) = (Manifests::new(manifests), Digests::new(entries));
        let mut listed = Vec::new();
        for image in images {
            let config = digests.config(image)?;
            let descriptor = match own.find(image, &config) {
                Some(descriptor) => descriptor.clone(),
                None => {
                    let manifest = digests.manifest(image)?;
                    self.made.insert(manifest.digest().clone(), manifest.bytes().clone());
                    self.roots.push(manifest.descriptor());
                    manifest.descriptor()
                }
            };
            listed.push(Listed { descriptor, names: image.names() });
        }
        self.blobs.extend(digests.into_spans());
        self.listing = Listing::new(listed);
        Ok(self)
    }
}

#[async_trait]
impl Fetch for Archive {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, wharf_oci::Error> {
        let Descriptor { digest, size, .. } = descriptor;
        if let Some(bytes) = self.made.get(digest) {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            return Ok(stream::iter([Ok(bytes.slice(start..))]).boxed());
        }
        let span = *self.blobs.get(digest).ok_or_else(|| not_found(digest))?;
        if span.size != *size {
            return Err(wharf_oci::Error::Size { digest: digest.clone(), expected: *size, actual: span.size });
        }
        Ok(span.after(offset).stream(self.path.clone()))
    }
}

#[async_trait]
impl Resolve for Archive {
    /// Finds a manifest by its name or tag, as [`Archive::named`] does, or by its digest.
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor, wharf_oci::Error> {
        match selector {
            Selector::Tag(tag) => Ok(self.named(tag.as_str())?),
            Selector::Digest(digest) => find(self, &self.roots, digest).await,
        }
    }
}

#[async_trait]
impl Referrers for Archive {
    async fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, wharf_oci::Error> {
        self.subjects.referrers(self, self.roots.clone(), digest).await
    }
}

/// Finds a manifest by its digest among those from `roots` down.
pub(crate) async fn find(
    source: &dyn Fetch,
    roots: &[Descriptor],
    digest: &Digest,
) -> Result<Descriptor, wharf_oci::Error> {
    if let Some(root) = roots.iter().find(|root| root.digest == *digest && root.media_type.is_manifest()) {
        return Ok(root.clone());
    }
    let manifests = manifests_below(source, roots).await?;
    let found = manifests.into_iter().find(|(descriptor, _)| descriptor.digest == *digest);
    found.map(|(descriptor, _)| descriptor).ok_or_else(|| not_found(digest))
}

pub(crate) fn not_found(digest: &Digest) -> wharf_oci::Error {
    wharf_oci::Error::NotFound { what: digest.to_string() }
}

#[cfg(test)]
mod tests;
