//! What the tests of this crate build on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use wharf_oci::{
    CopyOptions, Error, Fetch, ImageIndex, ImageManifest, Manifest, MediaType, MemoryStore, NoProgress, Progress, Push,
    copy,
};
use wharf_tar::Writer;

use crate::Flavor::{Docker, Oci};
use crate::{ArchiveWriter, Existing, Flavor, ImageName, WriteOptions};

pub(crate) const CONFIG: &str = r#"{"architecture":"wasm","os":"wasip2","config":{},"rootfs":{}}"#;
pub(crate) const FLAVORS: [Flavor; 2] = [Oci, Docker];

/// A container image with these layers.
pub(crate) fn image(store: &MemoryStore, layers: &[&'static str]) -> Manifest {
    let config = store.insert(MediaType::OCI_CONFIG, CONFIG);
    let layers = layers.iter().map(|layer| store.insert(MediaType::OCI_LAYER, *layer)).collect();
    stored(store, &ImageManifest::new(config, layers))
}

/// An artifact that is no container image.
pub(crate) fn artifact(store: &MemoryStore, wasm: &'static str) -> Manifest {
    let config = store.insert(MediaType::OCI_EMPTY, "{}");
    let layer = store.insert(MediaType::WASM, wasm);
    stored(store, &ImageManifest::new(config, vec![layer]))
}

/// Something that says something of `subject`.
pub(crate) fn signature(store: &MemoryStore, subject: &Manifest) -> Manifest {
    let config = store.insert(MediaType::OCI_EMPTY, "{}");
    let layer = store.insert(MediaType::OCTET_STREAM, "signature");
    let image = ImageManifest { subject: Some(subject.descriptor()), ..ImageManifest::new(config, vec![layer]) };
    stored(store, &image)
}

pub(crate) fn index(store: &MemoryStore, manifests: &[&Manifest]) -> Manifest {
    let manifests = manifests.iter().map(|manifest| manifest.descriptor()).collect();
    let manifest = Manifest::from_index(&ImageIndex::new(manifests)).unwrap();
    store.insert_manifest(&manifest);
    manifest
}

pub(crate) fn stored(store: &MemoryStore, image: &ImageManifest) -> Manifest {
    let manifest = Manifest::from_image(image).unwrap();
    store.insert_manifest(&manifest);
    manifest
}

pub(crate) async fn copied(source: &dyn Fetch, sink: &dyn Push, root: &Manifest) -> Result<(), Error> {
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    copy(source, sink, root, &CopyOptions::default(), &progress).await.map(drop)
}

/// Copies with all that refers to the manifests.
pub(crate) async fn copied_with_referrers(source: &MemoryStore, sink: &dyn Push, root: &Manifest) {
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let options = CopyOptions { referrers: Some(source), ..CopyOptions::default() };
    copy(source, sink, root, &options, &progress).await.unwrap();
}

pub(crate) fn name(text: &str) -> ImageName {
    text.parse().unwrap()
}

/// Writes an archive of one graph.
pub(crate) async fn archived(
    store: &MemoryStore,
    root: &Manifest,
    names: &[&str],
    flavor: Flavor,
) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.tar");
    let options = WriteOptions { flavor, existing: Existing::Keep };
    let archive = ArchiveWriter::create(&path, options).await.unwrap();
    copied(store, &archive, root).await.unwrap();
    if names.is_empty() {
        archive.add(root, None).await.unwrap();
    }
    for text in names {
        archive.add(root, Some(&name(text))).await.unwrap();
    }
    archive.finish().await.unwrap();
    (folder, path)
}

/// A tar of these files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (path, content) in files {
        writer.file(path, 0o644, content.len() as u64, &mut &content[..]).unwrap();
    }
    writer.finish().unwrap()
}

/// A file with these bytes, and the folder that it is in.
pub(crate) fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.tar");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The files in a folder and below it, sorted.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    files.sort();
    files
}

/// Gives these bytes for whatever is asked of it.
pub(crate) struct Liar(pub(crate) &'static [u8]);

#[async_trait::async_trait]
impl Fetch for Liar {
    async fn fetch(&self, _: &wharf_oci::Descriptor, _: u64) -> Result<wharf_oci::ByteStream, Error> {
        use futures_util::StreamExt as _;
        Ok(futures_util::stream::iter([Ok(Bytes::from_static(self.0))]).boxed())
    }
}
