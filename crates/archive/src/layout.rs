//! A folder in the OCI image layout, as a source and a sink.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use wharf_oci::limits::MANIFEST_BYTES_MAX;
use wharf_oci::{
    ByteStream, Descriptor, Digest, Fetch, ImageIndex, Manifest, Push, Referrers, Resolve, Selector, Tag, TagName,
    Transfer, fetch_manifest,
};

use crate::archive::{find, not_found};
use crate::blocking::blocking;
use crate::files::{Existing, persist, persist_now, temporary_in};
use crate::graph::{Subjects, manifests_below};
use crate::index::{
    INDEX_FILE, LAYOUT_FILE, Listing, blob_path, check_version, is_called, layout_version, names_of, parse_index,
};
use crate::receive::{content_error, receive};
use crate::span::Span;
use crate::{Error, ImageName};

mod edit;
mod lock;

use edit::{edit_index, enter};
use lock::Lock;

/// A folder in the OCI image layout.
///
/// Several processes may add to one at the same time.
#[derive(Debug)]
pub struct Layout {
    folder: PathBuf,
    subjects: Subjects,
}

impl Layout {
    /// Opens the layout in `folder`.
    ///
    /// # Errors
    /// [`Error::NoLayout`], [`Error::Version`] and [`Error::Index`] where it is none.
    pub async fn open(folder: &Path) -> Result<Self, Error> {
        let layout = Self { folder: folder.to_owned(), subjects: Subjects::default() };
        let folder = layout.folder.clone();
        blocking(move || {
            check(&folder)?;
            read_index(&folder)
        })
        .await?;
        Ok(layout)
    }

    /// Opens the layout in `folder`, and makes it where there is none: the folder, those above it, and the files.
    ///
    /// # Errors
    /// [`Error::NoLayout`] where the folder holds something else, and those of [`Layout::open`].
    pub async fn create(folder: &Path) -> Result<Self, Error> {
        let path = folder.to_owned();
        blocking(move || make(&path)).await?;
        Self::open(folder).await
    }

    /// Returns the names of the manifests, sorted.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.listing().await?.names())
    }

    /// Finds the manifest that is called `name`: a whole name, or a tag that only one has.
    ///
    /// # Errors
    /// [`Error::NameUnknown`] and [`Error::NameAmbiguous`].
    pub async fn named(&self, name: &str) -> Result<Descriptor, Error> {
        self.listing().await?.named(&self.folder, name).cloned()
    }

    /// Finds the one manifest, where there is but one; attestations do not count, nor does what has no name where
    /// something has one, nor what refers to another manifest.
    ///
    /// # Errors
    /// [`Error::NameMissing`], and those of reading manifests.
    pub async fn only(&self) -> Result<Descriptor, Error> {
        self.listing().await?.only(self, &self.folder).await.cloned()
    }

    /// Stores `manifest`, whose children are there, and lists it: under `name`, which from then on means this
    /// manifest, or under none, where it is not listed yet. All other entries of `index.json` stay as they are.
    ///
    /// # Errors
    /// [`Error::ChildMissing`], [`Error::Busy`], and [`Error::Index`] where there is no room for another entry.
    pub async fn add(&self, manifest: &Manifest, name: Option<&ImageName>) -> Result<(), Error> {
        let lock = Lock::of(&self.folder).await?;
        let (folder, manifest, name) = (self.folder.clone(), manifest.clone(), name.cloned());
        blocking(move || {
            check_children(&folder, &manifest)?;
            if size_of(&folder.join(blob_path(manifest.digest())))? != Some(manifest.bytes().len() as u64) {
                make_folder_of(&folder, manifest.digest())?;
                write_file(&folder, &blob_path(manifest.digest()), manifest.bytes())?;
            }
            edit_index(&folder, |entries| enter(entries, &manifest, name.as_ref()))?;
            drop(lock);
            Ok(())
        })
        .await
    }

    /// Takes the name away from the manifest that [`Layout::named`] finds, and deletes the content that nothing else
    /// in the layout names. A signature of the manifest is a manifest of its own, and stays.
    ///
    /// # Errors
    /// Those of [`Layout::named`] and of reading what is left, after which nothing has changed; [`Error::Busy`].
    pub async fn untag(&self, name: &str) -> Result<(), Error> {
        let lock = Lock::of(&self.folder).await?;
        let digest = self.named(name).await?.digest;
        let goes = {
            let name = name.to_owned();
            move |it: &Descriptor| it.digest == digest && names_of(it).iter().any(|whole| is_called(whole, &name))
        };
        let (removed, kept): (Vec<_>, Vec<_>) = self.index().await?.manifests.into_iter().partition(&goes);
        let needed = self.reachable(&kept).await?;
        let garbage: Vec<_> = self.reachable(&removed).await?.into_iter().filter(|it| !needed.contains(it)).collect();
        let folder = self.folder.clone();
        blocking(move || {
            edit_index(&folder, |entries| entries.retain(|it| !goes(&it.descriptor)))?;
            for digest in garbage {
                remove(&folder.join(blob_path(&digest)))?;
            }
            drop(lock);
            Ok(())
        })
        .await
    }

    async fn index(&self) -> Result<ImageIndex, Error> {
        let folder = self.folder.clone();
        blocking(move || read_index(&folder).map(|(index, _)| index)).await
    }

    async fn listing(&self) -> Result<Listing, Error> {
        Ok(Listing::of_index(&self.index().await?.manifests))
    }

    /// Returns all that the manifests from `roots` down name, and they themselves.
    async fn reachable(&self, roots: &[Descriptor]) -> Result<HashSet<Digest>, Error> {
        let manifests = manifests_below(self, roots).await?;
        let children = manifests.iter().flat_map(|(_, manifest)| manifest.children());
        Ok(roots.iter().chain(children).map(|it| it.digest.clone()).collect())
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder.join(blob_path(digest))
    }
}

#[async_trait]
impl Fetch for Layout {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, wharf_oci::Error> {
        let (path, Descriptor { digest, size, .. }) = (self.blob(&descriptor.digest), descriptor);
        let stat = path.clone();
        let actual = blocking(move || size_of(&stat)).await?.ok_or_else(|| not_found(digest))?;
        if actual != *size {
            return Err(wharf_oci::Error::Size { digest: digest.clone(), expected: *size, actual });
        }
        Ok(Span { offset: 0, size: actual }.after(offset).stream(path))
    }
}

#[async_trait]
impl Push for Layout {
    /// Whether there is a file of this digest and size; its bytes are checked by whoever reads them.
    async fn contains(&self, descriptor: &Descriptor) -> Result<bool, wharf_oci::Error> {
        let path = self.blob(&descriptor.digest);
        Ok(blocking(move || size_of(&path)).await? == Some(descriptor.size))
    }

    async fn push(&self, descriptor: &Descriptor, source: &dyn Fetch) -> Result<Transfer, wharf_oci::Error> {
        let (folder, digest) = (self.folder.clone(), descriptor.digest.clone());
        let temporary = blocking(move || {
            make_folder_of(&folder, &digest)?;
            temporary_in(&folder)
        })
        .await?;
        let folder = self.folder.clone();
        let mut file = temporary.as_file().try_clone().map_err(Error::file("write to", &folder))?;
        receive(source, descriptor, move |pieces| {
            let written = io::copy(pieces, &mut file).map(drop);
            written.map_err(|error| content_error(error, Error::file("write to", &folder)))
        })
        .await?;
        persist(temporary, &self.blob(&descriptor.digest), Existing::Replace).await?;
        // What refers to another manifest is named by nothing, so that only the index can tell of it.
        if descriptor.media_type.is_manifest()
            && let Ok(manifest) = fetch_manifest(self, descriptor).await
            && manifest.subject().is_some()
        {
            self.add(&manifest, None).await?;
        }
        Ok(Transfer::Sent)
    }
}

#[async_trait]
impl Resolve for Layout {
    /// Finds a manifest by its name or tag, as [`Layout::named`] does, or by its digest.
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor, wharf_oci::Error> {
        match selector {
            Selector::Tag(tag) => Ok(self.named(tag.as_str()).await?),
            Selector::Digest(digest) => find(self, &self.index().await?.manifests, digest).await,
        }
    }
}

#[async_trait]
impl Tag for Layout {
    /// Does what [`Layout::add`] does, with a name without a repository.
    async fn tag(&self, manifest: &Manifest, name: &TagName) -> Result<(), wharf_oci::Error> {
        Ok(self.add(manifest, Some(&name.clone().into())).await?)
    }
}

#[async_trait]
impl Referrers for Layout {
    async fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, wharf_oci::Error> {
        self.subjects.referrers(self, self.index().await?.manifests, digest).await
    }
}

fn make(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    if size_of(&folder.join(LAYOUT_FILE))?.is_none() {
        let mut entries = fs::read_dir(folder).map_err(Error::file("list", folder))?;
        if entries.next().is_some() {
            return Err(Error::NoLayout { path: folder.to_owned() });
        }
        write_file(folder, LAYOUT_FILE, &layout_version())?;
    }
    let blobs = folder.join("blobs").join("sha256");
    fs::create_dir_all(&blobs).map_err(Error::file("create", &blobs))?;
    if size_of(&folder.join(INDEX_FILE))?.is_none() {
        let empty = Manifest::from_index(&ImageIndex::new(Vec::new()));
        let empty = empty.map_err(|source| Error::Index { path: folder.to_owned(), source })?;
        write_file(folder, INDEX_FILE, empty.bytes())?;
    }
    Ok(())
}

fn check(folder: &Path) -> Result<(), Error> {
    match size_of(&folder.join(LAYOUT_FILE))? {
        Some(_) => check_version(folder, &read_file(folder, LAYOUT_FILE)?),
        None => Err(Error::NoLayout { path: folder.to_owned() }),
    }
}

fn check_children(folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    for child in manifest.children().filter(|child| child.media_type.is_distributable()) {
        if size_of(&folder.join(blob_path(&child.digest)))? != Some(child.size) {
            let (manifest, digest) = (manifest.digest().clone(), child.digest.clone());
            return Err(Error::ChildMissing { manifest, digest });
        }
    }
    Ok(())
}

/// Makes the folder of a blob, which is one for each algorithm.
fn make_folder_of(folder: &Path, digest: &Digest) -> Result<(), Error> {
    let path = folder.join(blob_path(digest));
    path.parent().map_or(Ok(()), |parent| fs::create_dir_all(parent).map_err(Error::file("create", parent)))
}

fn read_index(folder: &Path) -> Result<(ImageIndex, Bytes), Error> {
    let bytes = read_file(folder, INDEX_FILE)?;
    Ok((parse_index(folder, bytes.clone())?, bytes))
}

/// Reads a small file of the layout whole.
fn read_file(folder: &Path, name: &str) -> Result<Bytes, Error> {
    let (path, entry) = (folder.join(name), name.to_owned());
    let Some(size) = size_of(&path)? else { return Err(Error::EntryMissing { path: folder.to_owned(), entry }) };
    let limit = MANIFEST_BYTES_MAX;
    if size > limit {
        return Err(Error::EntrySize { path: folder.to_owned(), entry, size, limit });
    }
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(Error::file("read", &path))?;
    Ok(bytes.into())
}

fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = folder.join(name);
    let mut temporary = temporary_in(folder)?;
    temporary.write_all(bytes).map_err(Error::file("write", &path))?;
    persist_now(temporary.as_file(), temporary.path(), &path, Existing::Replace)
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Returns the size of a regular file; `None` where there is nothing.
fn size_of(path: &Path) -> Result<Option<u64>, Error> {
    match path.metadata() {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::file("look at", path)(error)),
        // A named pipe would be waited for.
        Ok(found) if !found.is_file() => Err(Error::NoFile { path: path.to_owned() }),
        Ok(found) => Ok(Some(found.len())),
    }
}

#[cfg(test)]
mod tests;
