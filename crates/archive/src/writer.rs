//! A tar file as a sink.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tempfile::NamedTempFile;
use tokio::sync::Mutex;
use wharf_oci::limits::MANIFEST_BYTES_MAX;
use wharf_oci::{
    Descriptor, Digest, Document, Fetch, ImageIndex, ImageManifest, Manifest, MediaType, Push, Tag, TagName, Transfer,
};
use wharf_tar::{WriteError, Writer, frame};

use crate::blocking::blocking;
use crate::docker::{DockerImage, MANIFEST_FILE, counted};
use crate::files::{Existing, folder_of, persist, refuse_existing, temporary_in};
use crate::index::{INDEX_FILE, LAYOUT_FILE, blob_path, describe, layout_version};
use crate::receive::{content_error, receive};
use crate::span::Span;
use crate::{Error, Flavor, ImageName};

/// The mode of content, which never changes.
const BLOB_MODE: u32 = 0o444;
/// The mode of the files that describe it.
const FILE_MODE: u32 = 0o644;

/// How to write an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// What must be able to read it. With [`Flavor::Docker`] it takes one container image, and nothing else.
    pub flavor: Flavor,
    /// What to do with a file that is there already.
    pub existing: Existing,
}

/// Writes a tar file that is an OCI archive and, for a container image, a docker archive at the same time.
///
/// It takes one blob after the other, in the order in which they are pushed, and appears under its name with
/// [`ArchiveWriter::finish`]; one that is dropped leaves nothing. The [crate page](crate) draws the file.
#[derive(Debug)]
pub struct ArchiveWriter {
    path: PathBuf,
    options: WriteOptions,
    temporary: NamedTempFile,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Where the next file goes. What stands behind it is left of a push that failed.
    end: u64,
    blobs: HashMap<Digest, Span>,
    /// The manifests that the archive is written for.
    listed: Vec<Listed>,
    /// Those that refer to others: nothing names them, so that only the index can tell of them.
    referrers: Vec<Manifest>,
}

#[derive(Debug)]
struct Listed {
    manifest: Manifest,
    name: Option<ImageName>,
}

impl ArchiveWriter {
    /// Starts an archive in a temporary file beside `path`.
    ///
    /// # Errors
    /// [`Error::Exists`] and [`Error::NoFile`] where `path` is taken.
    pub async fn create(path: &Path, options: WriteOptions) -> Result<Self, Error> {
        let path = path.to_owned();
        blocking(move || {
            refuse_existing(&path, options.existing)?;
            let temporary = temporary_in(folder_of(&path))?;
            let file = temporary.as_file().try_clone().map_err(Error::file("write", &path))?;
            let state = State { file, end: 0, blobs: HashMap::new(), listed: Vec::new(), referrers: Vec::new() };
            Ok(Self { path, options, temporary, state: Arc::new(Mutex::new(state)) })
        })
        .await
    }

    /// Checks whether the archive can list `manifest`, which can be asked before its content is moved.
    ///
    /// # Errors
    /// [`Error::NoImage`] where it is to be a docker archive and this is no container image.
    pub fn accept(&self, manifest: &Manifest) -> Result<(), Error> {
        match (self.options.flavor, docker_image(manifest)) {
            (Flavor::Docker, Err(kind)) => Err(Error::NoImage { kind }),
            _ => Ok(()),
        }
    }

    /// Stores `manifest`, whose children are there, and lists it, with or without a name. A manifest can have several.
    ///
    /// # Errors
    /// [`Error::ChildMissing`], that of [`ArchiveWriter::accept`], and [`Error::SeveralImages`].
    pub async fn add(&self, manifest: &Manifest, name: Option<&ImageName>) -> Result<(), Error> {
        self.accept(manifest)?;
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let other = state.listed.iter().find(|it| it.manifest.digest() != manifest.digest());
        if let (Flavor::Docker, Some(other)) = (self.options.flavor, other) {
            let (one, other) = (other.manifest.digest().clone(), manifest.digest().clone());
            return Err(Error::SeveralImages { one, other });
        }
        let missing = manifest.children().find(|child| child.media_type.is_distributable() && !state.has(child));
        if let Some(child) = missing {
            let (manifest, digest) = (manifest.digest().clone(), child.digest.clone());
            return Err(Error::ChildMissing { manifest, digest });
        }
        let (path, manifest, name) = (self.path.clone(), manifest.clone(), name.cloned());
        blocking(move || {
            state.append(&path, &manifest.descriptor(), &mut &manifest.bytes()[..])?;
            state.list(manifest, name);
            Ok(())
        })
        .await
    }

    /// Writes what describes the content, and gives the archive its name.
    ///
    /// # Errors
    /// [`Error::Empty`] where nothing was listed, [`Error::Exists`] and [`Error::NoFile`] where the name was taken
    /// meanwhile.
    pub async fn finish(self) -> Result<(), Error> {
        let Self { path, options, temporary, state } = self;
        let mut state = state.lock_owned().await;
        let archive = path.clone();
        blocking(move || state.describe(&archive)).await?;
        persist(temporary, &path, options.existing).await
    }
}

#[async_trait]
impl Push for ArchiveWriter {
    async fn contains(&self, descriptor: &Descriptor) -> Result<bool, wharf_oci::Error> {
        Ok(self.state.lock().await.has(descriptor))
    }

    /// Appends content; one push waits for another.
    async fn push(&self, descriptor: &Descriptor, source: &dyn Fetch) -> Result<Transfer, wharf_oci::Error> {
        let mut state = Arc::clone(&self.state).lock_owned().await;
        let (path, descriptor) = (self.path.clone(), descriptor.clone());
        receive(source, &descriptor.clone(), move |pieces| {
            state.append(&path, &descriptor, pieces)?;
            state.keep_referrer(&path, &descriptor)
        })
        .await?;
        Ok(Transfer::Sent)
    }
}

#[async_trait]
impl Tag for ArchiveWriter {
    /// Does what [`ArchiveWriter::add`] does, with a name without a repository.
    async fn tag(&self, manifest: &Manifest, name: &TagName) -> Result<(), wharf_oci::Error> {
        Ok(self.add(manifest, Some(&name.clone().into())).await?)
    }
}

impl State {
    fn has(&self, descriptor: &Descriptor) -> bool {
        self.blobs.get(&descriptor.digest).is_some_and(|span| span.size == descriptor.size)
    }

    /// Appends content, unless it is there.
    fn append(&mut self, path: &Path, descriptor: &Descriptor, content: &mut dyn Read) -> Result<(), Error> {
        if !self.has(descriptor) {
            let span = self.append_file(path, &blob_path(&descriptor.digest), BLOB_MODE, descriptor.size, content)?;
            self.blobs.insert(descriptor.digest.clone(), span);
        }
        Ok(())
    }

    /// Remembers a manifest that refers to another.
    fn keep_referrer(&mut self, path: &Path, descriptor: &Descriptor) -> Result<(), Error> {
        if !descriptor.media_type.is_manifest() || descriptor.size > MANIFEST_BYTES_MAX {
            return Ok(());
        }
        let bytes = self.read(path, &descriptor.digest)?;
        let parsed = Manifest::parse_as(bytes.into(), Some(&descriptor.media_type), descriptor.digest.algorithm());
        if let Ok(manifest) = parsed
            && manifest.subject().is_some()
            && self.referrers.iter().all(|it| it.digest() != manifest.digest())
        {
            self.referrers.push(manifest);
        }
        Ok(())
    }

    /// Lists a manifest under a name once, and under none only where it has none.
    fn list(&mut self, manifest: Manifest, name: Option<ImageName>) {
        let is_same = |it: &Listed| it.manifest.digest() == manifest.digest();
        if name.is_some() {
            self.listed.retain(|it| it.name != name && !(is_same(it) && it.name.is_none()));
        }
        if name.is_some() || !self.listed.iter().any(is_same) {
            self.listed.push(Listed { manifest, name });
        }
    }

    /// Appends `index.json` and the rest, and cuts off what a failed push left.
    fn describe(&mut self, path: &Path) -> Result<(), Error> {
        if self.listed.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        let mut manifests = Vec::new();
        for Listed { manifest, name } in &self.listed {
            // Without its platform, which its config tells: `ctr image import` passes over what is for another machine.
            manifests.push(describe(manifest, name.as_ref()));
        }
        let is_listed = |it: &&Manifest| self.listed.iter().any(|listed| listed.manifest.digest() == it.digest());
        manifests.extend(self.referrers.iter().filter(|it| !is_listed(it)).map(|it| describe(it, None)));
        let index = Manifest::from_index(&ImageIndex::new(manifests));
        let index = index.map_err(|source| Error::Index { path: path.to_owned(), source })?;
        self.append_small(path, INDEX_FILE, index.bytes())?;
        self.append_small(path, LAYOUT_FILE, &layout_version())?;
        if let Some(images) = self.docker_images(path)? {
            let json = |source| Error::Json { path: path.to_owned(), entry: MANIFEST_FILE.to_owned(), source };
            self.append_small(path, MANIFEST_FILE, &serde_json::to_vec(&images).map_err(json)?)?;
        }
        let end = self.end;
        let ended = self.file.seek(SeekFrom::Start(end)).map_err(WriteError::Write);
        let ended = ended.and_then(|_| Writer::new(&mut self.file).finish().map(drop));
        ended.map_err(|error| write_error(error, path))?;
        let cut = self.file.stream_position().and_then(|end| self.file.set_len(end));
        cut.map_err(Error::file("write", path))
    }

    /// Returns what `manifest.json` lists: the image, where the archive is written for one and nothing else.
    fn docker_images(&mut self, path: &Path) -> Result<Option<[DockerImage; 1]>, Error> {
        let Some((first, rest)) = self.listed.split_first() else { return Ok(None) };
        if rest.iter().any(|it| it.manifest.digest() != first.manifest.digest()) {
            return Ok(None);
        }
        let Ok(image) = docker_image(&first.manifest) else { return Ok(None) };
        // Docker knows no tag without a repository.
        let names = self.listed.iter().filter_map(|it| it.name.as_ref().filter(|name| name.repository().is_some()));
        let names = names.map(ImageName::qualified).collect();
        let image = image.clone();
        let config = self.docker_config(path, &image)?;
        Ok(Some([DockerImage::new(&image, &config, names)]))
    }

    /// Returns the config for the docker archive, which is appended where it is not the image's own.
    fn docker_config(&mut self, path: &Path, image: &ImageManifest) -> Result<Digest, Error> {
        let own = &image.config;
        if own.size > MANIFEST_BYTES_MAX {
            return Ok(own.digest.clone());
        }
        let Some(config) = counted(&self.read(path, &own.digest)?, &image.layers) else {
            return Ok(own.digest.clone());
        };
        let descriptor = Descriptor::of(MediaType::DOCKER_CONFIG, &config);
        self.append(path, &descriptor, &mut &config[..])?;
        Ok(descriptor.digest)
    }

    fn read(&self, path: &Path, digest: &Digest) -> Result<Vec<u8>, Error> {
        let Some(span) = self.blobs.get(digest) else { return Err(crate::archive::not_found(digest).into()) };
        let mut file = &self.file;
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(span.offset)).and_then(|_| file.take(span.size).read_to_end(&mut bytes));
        read.map_err(Error::file("read", path))?;
        Ok(bytes)
    }

    fn append_small(&mut self, path: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.append_file(path, name, FILE_MODE, bytes.len() as u64, &mut &bytes[..]).map(drop)
    }

    /// Appends a file at the end, which moves only when all of the file is there.
    fn append_file(
        &mut self,
        path: &Path,
        name: &str,
        mode: u32,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<Span, Error> {
        let before = frame(name, mode, size).map_err(|error| write_error(error.into(), path))?.before;
        let offset = self.end + before.len() as u64;
        self.file.seek(SeekFrom::Start(self.end)).map_err(Error::file("write", path))?;
        let written = Writer::new(&mut self.file).file(name, mode, size, content);
        written.map_err(|error| write_error(error, path))?;
        self.end = self.file.stream_position().map_err(Error::file("write", path))?;
        Ok(Span { offset, size })
    }
}

/// Returns the manifest as that of a container image, or the type that shows that it is none.
fn docker_image(manifest: &Manifest) -> Result<&ImageManifest, MediaType> {
    match manifest.document() {
        Document::Image(image) => match &image.config.media_type {
            kind if [MediaType::OCI_CONFIG, MediaType::DOCKER_CONFIG].contains(kind) => Ok(image),
            kind => Err(kind.clone()),
        },
        _ => Err(manifest.media_type().clone()),
    }
}

fn write_error(error: WriteError, path: &Path) -> Error {
    let write = Error::file("write", path);
    match error {
        WriteError::Content { source, .. } => content_error(source, write),
        WriteError::Write(source) => write(source),
        other => write(io::Error::other(other)),
    }
}

#[cfg(test)]
mod tests;
