//! `manifest.json`: the images of a docker archive.
//!
//! ```text
//!   [{"Config": PATH, "RepoTags": [NAME…], "Layers": [PATH…]}…]     paths within the archive
//! ```
//!
//! It names no digests and no manifest. An archive that is an OCI layout too has the image's own manifest, which is
//! used as it is; for others one is made, always the same for the same content.

use std::collections::HashMap;
use std::io::{self, Read as _};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wharf_oci::json::parse_strict_list;
use wharf_oci::limits::DESCRIPTORS_MAX;
use wharf_oci::{Algorithm, Descriptor, Digest, Document, Hashing, ImageManifest, Manifest, MediaType};
use wharf_tar::Compression;

use crate::Error;
use crate::entries::Entries;
use crate::index::{blob_digest, blob_path};
use crate::span::Span;

/// The file that makes a tar a docker archive.
pub(crate) const MANIFEST_FILE: &str = "manifest.json";

/// An image in [`MANIFEST_FILE`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DockerImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

impl DockerImage {
    /// Describes an image whose content is in the archive as in an OCI layout, with this config.
    pub(crate) fn new(image: &ImageManifest, config: &Digest, names: Vec<String>) -> Self {
        let layers = image.layers.iter().map(|layer| blob_path(&layer.digest)).collect();
        Self { config: blob_path(config), repo_tags: Some(names), layers }
    }

    /// Returns the names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.repo_tags.clone().unwrap_or_default()
    }
}

/// The manifests in an archive, to find those of its images.
pub(crate) struct Manifests<'a>(HashMap<Vec<String>, Vec<&'a (Descriptor, Manifest)>>);

impl<'a> Manifests<'a> {
    pub(crate) fn new(manifests: &'a [(Descriptor, Manifest)]) -> Self {
        let mut by_layers: HashMap<_, Vec<_>> = HashMap::new();
        for found in manifests {
            if let Document::Image(image) = found.1.document() {
                let layers: Vec<_> = image.layers.iter().map(|layer| blob_path(&layer.digest)).collect();
                by_layers.entry(layers).or_default().push(found);
            }
        }
        Self(by_layers)
    }

    /// Finds the manifest of an image: in the same places, the same layers, and the same config.
    ///
    /// An image with a layer that Docker does not unpack, such as raw Wasm, may have another config, as readers of
    /// docker archives count such layers in it and containerd does not. Of several that differ in their config alone,
    /// none is more this image than the others.
    pub(crate) fn find(&self, image: &DockerImage, config: &Digest) -> Option<&'a Descriptor> {
        let same = self.0.get(&image.layers)?;
        let exact = same.iter().find(|(_, manifest)| manifest.children().next().is_some_and(|it| it.digest == *config));
        let only = match same[..] {
            [only] if only.1.children().skip(1).any(|layer| !layer.media_type.is_file_system_layer()) => Some(&only.0),
            _ => None,
        };
        exact.map(|(descriptor, _)| descriptor).or(only)
    }
}

/// Returns the config with a `diff_id` for each layer, where it has one for the tars among them alone.
///
/// Who makes images of raw Wasm layers has two readers to satisfy: containerd (1.6.25, 1.7.7 and later) counts the
/// layers that it unpacks and refuses an image with a `diff_id` for anything else; readers of docker archives, such as
/// skopeo, count every layer. A docker archive names its config on its own, so it gets one to its readers' taste.
pub(crate) fn counted(config: &[u8], layers: &[Descriptor]) -> Option<Vec<u8>> {
    let mut config: Value = serde_json::from_slice(config).ok()?;
    let known = config.pointer("/rootfs/diff_ids").and_then(Value::as_array).cloned().unwrap_or_default();
    let unpacked = layers.iter().filter(|layer| layer.media_type.is_file_system_layer()).count();
    if unpacked == layers.len() || known.len() != unpacked {
        return None;
    }
    let mut known = known.into_iter();
    let own = |layer: &Descriptor| Some(Value::String(layer.digest.to_string()));
    let all = layers.iter().filter_map(|layer| match layer.media_type.is_file_system_layer() {
        true => known.next(),
        false => own(layer),
    });
    let rootfs = json!({ "type": "layers", "diff_ids": all.collect::<Vec<_>>() });
    config.as_object_mut()?.insert("rootfs".to_owned(), rootfs);
    serde_json::to_vec(&config).ok()
}

/// Returns the digests of the unpacked layers, where a config has one for each (image-spec, config.md, `diff_ids`).
fn diff_ids(config: &[u8], layers: usize) -> Vec<String> {
    #[derive(Deserialize)]
    struct Config {
        rootfs: RootFs,
    }
    #[derive(Deserialize)]
    struct RootFs {
        diff_ids: Vec<String>,
    }
    let known = serde_json::from_slice::<Config>(config).map(|config| config.rootfs.diff_ids).unwrap_or_default();
    if known.len() == layers { known } else { Vec::new() }
}

/// Reads the images of an archive.
pub(crate) fn parse(entries: &Entries) -> Result<Vec<DockerImage>, Error> {
    let (path, entry) = (entries.path().to_owned(), MANIFEST_FILE.to_owned());
    let images: Vec<DockerImage> = match parse_strict_list(&entries.read(MANIFEST_FILE)?) {
        Ok(images) => images,
        Err(source) => return Err(Error::Json { path, entry, source }),
    };
    // A path takes fewer bytes than a descriptor, and may be that of the same file each time.
    let count = images.iter().map(|image| image.layers.len() + 1).sum();
    if count > DESCRIPTORS_MAX {
        return Err(Error::Images { path, count });
    }
    Ok(images)
}

/// Finds the digests of what images name by path, reading each file once.
pub(crate) struct Digests<'a> {
    entries: &'a Entries,
    known: HashMap<String, Hashed>,
}

#[derive(Clone)]
struct Hashed {
    digest: Digest,
    span: Span,
    first: Vec<u8>,
}

impl<'a> Digests<'a> {
    pub(crate) fn new(entries: &'a Entries) -> Self {
        Self { entries, known: HashMap::new() }
    }

    /// Returns the digest of the config, in the algorithm that its path tells.
    pub(crate) fn config(&mut self, image: &DockerImage) -> Result<Digest, Error> {
        // It is small; the limit is that of what is read into memory.
        self.entries.read(&image.config)?;
        Ok(self.hash(&image.config)?.digest)
    }

    /// Makes a manifest for an image that has none.
    pub(crate) fn manifest(&mut self, image: &DockerImage) -> Result<Manifest, Error> {
        let diff_ids = diff_ids(&self.entries.read(&image.config)?, image.layers.len());
        let config = self.hash(&image.config)?;
        let mut layers = Vec::new();
        for (index, layer) in image.layers.iter().enumerate() {
            let Hashed { digest, span, first } = self.hash(layer)?;
            let compression = Compression::of(&first);
            let media_type = match compression {
                Compression::Gzip => MediaType::DOCKER_LAYER_GZIP,
                _ => MediaType::DOCKER_LAYER,
            };
            // No name in the archive tells what the layer has to be.
            if let Some(expected) = diff_ids.get(index)
                && compression == Compression::None
                && *expected != digest.to_string()
            {
                let (path, entry) = (self.entries.path().to_owned(), layer.clone());
                return Err(Error::Layer { path, entry, expected: expected.clone(), actual: digest });
            }
            layers.push(Descriptor::new(media_type, digest, span.size));
        }
        let config = Descriptor::new(MediaType::DOCKER_CONFIG, config.digest, config.span.size);
        let manifest =
            ImageManifest { media_type: Some(MediaType::DOCKER_MANIFEST), ..ImageManifest::new(config, layers) };
        Manifest::from_image(&manifest).map_err(|source| {
            let path = self.entries.path().to_owned();
            Error::Image { path, config: image.config.clone(), source }
        })
    }

    /// Returns where the content is that was hashed.
    pub(crate) fn into_spans(self) -> impl Iterator<Item = (Digest, Span)> {
        self.known.into_values().map(|hashed| (hashed.digest, hashed.span))
    }

    fn hash(&mut self, entry: &str) -> Result<Hashed, Error> {
        if let Some(hashed) = self.known.get(entry) {
            return Ok(hashed.clone());
        }
        let span = self.entries.find(entry)?;
        let algorithm = blob_digest(entry).map_or(Algorithm::Sha256, |digest| digest.algorithm());
        let path = self.entries.path();
        let (digest, first) =
            span.open(path).and_then(|part| hash(part, algorithm)).map_err(Error::file("read", path))?;
        let hashed = Hashed { digest, span, first };
        self.known.insert(entry.to_owned(), hashed.clone());
        Ok(hashed)
    }
}

/// Hashes content, and returns its first bytes too.
fn hash(content: impl io::Read, algorithm: Algorithm) -> io::Result<(Digest, Vec<u8>)> {
    let mut content = Hashing::new(algorithm, content);
    let mut first = Vec::new();
    (&mut content).take(Compression::MAGIC_BYTES as u64).read_to_end(&mut first)?;
    Ok((content.read_rest()?.digest, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(media_type: MediaType) -> Descriptor {
        Descriptor::of(media_type.clone(), media_type.as_str().as_bytes())
    }

    fn stored(config: &str, layers: &[Descriptor]) -> (Descriptor, Manifest) {
        let config = Descriptor::of(MediaType::OCI_CONFIG, config.as_bytes());
        let manifest = Manifest::from_image(&ImageManifest::new(config, layers.to_vec())).unwrap();
        (manifest.descriptor(), manifest)
    }

    #[test]
    fn another_config_is_no_matter_where_a_layer_is_not_unpacked() {
        for (kind, is_found) in [(MediaType::WASM, true), (MediaType::OCI_LAYER, false)] {
            let layers = [layer(kind.clone())];
            let (one, other) = (stored("{}", &layers), stored("{ }", &layers));
            let Document::Image(image) = one.1.document() else { panic!() };
            let (own, foreign) = (image.config.digest.clone(), Digest::sha256(b"foreign"));
            let docker = DockerImage::new(image, &foreign, Vec::new());
            let found = |known: &[(Descriptor, Manifest)], config| {
                Manifests::new(known).find(&docker, config).map(|descriptor| descriptor.digest.clone())
            };
            let only = std::slice::from_ref(&one);
            assert_eq!(found(only, &own), Some(one.0.digest.clone()), "{kind}");
            assert_eq!(found(only, &foreign), is_found.then(|| one.0.digest.clone()), "{kind}");
            // Nothing tells which of the two is meant.
            assert_eq!(found(&[one.clone(), other.clone()], &foreign), None, "{kind}");
        }
    }

    #[test]
    fn every_layer_counts_in_the_config_for_docker() {
        let (tar, wasm) = (layer(MediaType::OCI_LAYER_GZIP), layer(MediaType::WASM));
        let config = |ids: &[&str]| json!({ "os": "wasip2", "rootfs": { "type": "layers", "diff_ids": ids } });
        let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        let table = [
            (vec![], vec![&wasm], Some(vec!["WASM"])),
            (vec!["tar"], vec![&wasm, &tar], Some(vec!["WASM", "tar"])),
            (vec!["tar"], vec![&tar, &wasm, &wasm], Some(vec!["tar", "WASM", "WASM"])),
            // It counts every layer already, or is none to mend.
            (vec!["tar"], vec![&tar], None),
            (vec!["wasm"], vec![&wasm], None),
            (vec!["tar", "wasm"], vec![&tar, &wasm], None),
        ];
        for (ids, layers, expected) in table {
            let layers: Vec<_> = layers.into_iter().cloned().collect();
            let written = counted(config(&ids).to_string().as_bytes(), &layers).map(read);
            let digest = wasm.digest.to_string();
            let expected = expected.map(|ids| {
                config(&ids.iter().map(|id| if *id == "WASM" { digest.as_str() } else { id }).collect::<Vec<_>>())
            });
            assert_eq!(written, expected, "{ids:?}");
        }
        assert_eq!(counted(b"no JSON", std::slice::from_ref(&wasm)), None);
        assert_eq!(read(counted(b"{}", std::slice::from_ref(&wasm)).unwrap())["rootfs"]["type"], "layers");
    }
}
