//! `index.json`: which manifests a layout holds, and what they are called (image-spec, image-layout.md).

use std::collections::HashSet;
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wharf_oci::json::parse_strict;
use wharf_oci::{
    Descriptor, Digest, Document, Fetch, ImageIndex, InvalidManifest, Manifest, MediaType, fetch_manifest,
};

use crate::{Error, ImageName};

/// The file that makes a folder or a tar an OCI image layout.
pub(crate) const LAYOUT_FILE: &str = "oci-layout";
/// The file that lists the manifests.
pub(crate) const INDEX_FILE: &str = "index.json";
/// The name of a manifest, mostly a tag (image-spec, annotations.md).
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The whole name of an image, which containerd looks at first.
pub(crate) const IMAGE_NAME: &str = "io.containerd.image.name";
/// Says that a manifest in an index is no image, but BuildKit's attestation of one.
const ATTESTATION: (&str, &str) = ("vnd.docker.reference.type", "attestation-manifest");

/// Where a layout keeps content.
pub(crate) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// The digest that content at `path` of a layout goes by.
pub(crate) fn blob_digest(path: &str) -> Option<Digest> {
    let (algorithm, hex) = path.strip_prefix("blobs/")?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// What [`LAYOUT_FILE`] holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LayoutVersion {
    image_layout_version: String,
}

/// Returns what to write as [`LAYOUT_FILE`].
pub(crate) fn layout_version() -> Vec<u8> {
    br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()
}

/// Checks the [`LAYOUT_FILE`] of the layout at `path`.
pub(crate) fn check_version(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let invalid = |source| Error::Json { path: path.to_owned(), entry: LAYOUT_FILE.to_owned(), source };
    let version = parse_strict::<LayoutVersion>(bytes).map_err(invalid)?.image_layout_version;
    match version.split('.').next() {
        Some("1") => Ok(()),
        _ => Err(Error::Version { path: path.to_owned(), version }),
    }
}

/// Reads the [`INDEX_FILE`] of the layout at `path`.
pub(crate) fn parse_index(path: &Path, bytes: Bytes) -> Result<ImageIndex, Error> {
    let invalid = |source| Error::Index { path: path.to_owned(), source };
    let manifest = Manifest::parse(bytes, None).map_err(invalid)?;
    match manifest.document() {
        Document::Index(index) => Ok((**index).clone()),
        _ => Err(invalid(InvalidManifest::MediaType {
            declared: MediaType::OCI_INDEX,
            actual: manifest.media_type().clone(),
        })),
    }
}

/// Describes a manifest for an index, with its name.
pub(crate) fn describe(manifest: &Manifest, name: Option<&ImageName>) -> Descriptor {
    let descriptor = manifest.descriptor();
    let Some(name) = name else { return descriptor };
    let descriptor = descriptor.with_annotation(REF_NAME, name.tag().as_str());
    match name.repository() {
        Some(_) => descriptor.with_annotation(IMAGE_NAME, name.qualified()),
        None => descriptor,
    }
}

/// Returns what an entry of an index is called: a tag, the whole name, or both.
pub(crate) fn names_of(descriptor: &Descriptor) -> Vec<String> {
    [REF_NAME, IMAGE_NAME].iter().filter_map(|key| descriptor.annotations.get(*key)).cloned().collect()
}

/// Whether what is called `whole` can be meant by `name`: all of it, or the tag behind a repository.
pub(crate) fn is_called(whole: &str, name: &str) -> bool {
    is_same(whole, name) || tag_of(whole) == Some(name)
}

/// Whether two names are the same, with or without the registry that container tools take where none is given.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let qualified = |text: &str| text.parse::<ImageName>().map_or_else(|_| text.to_owned(), |name| name.qualified());
    one == other || qualified(one) == qualified(other)
}

/// The manifests of a layout or an archive, and what they are called.
#[derive(Debug, Default)]
pub(crate) struct Listing(Vec<Listed>);

#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) descriptor: Descriptor,
    /// All that it can be found by.
    pub(crate) names: Vec<String>,
}

impl Listing {
    pub(crate) fn new(listed: Vec<Listed>) -> Self {
        Self(listed)
    }

    /// Lists the manifests of an index by their annotations.
    pub(crate) fn of_index(manifests: &[Descriptor]) -> Self {
        let listed = manifests.iter().filter(|it| it.media_type.is_manifest());
        Self(listed.map(|it| Listed { descriptor: it.clone(), names: names_of(it) }).collect())
    }

    /// Returns the names, sorted; a tag alone is none where the whole name is known.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.0.iter().flat_map(|Listed { names, .. }| {
            let is_part = |name: &str| names.iter().any(|whole| tag_of(whole) == Some(name));
            names.iter().filter(move |name| !is_part(name)).cloned()
        });
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        names
    }

    /// Finds the manifest that is called `name`, or, where none is, the one whose tag is.
    pub(crate) fn named(&self, path: &Path, name: &str) -> Result<&Descriptor, Error> {
        let whole = self.matching(|it| is_same(it, name));
        let found = if whole.is_empty() { self.matching(|it| is_called(it, name)) } else { whole };
        let (path, name) = (path.to_owned(), name.to_owned());
        match found[..] {
            [one] => Ok(one),
            [] => Err(Error::NameUnknown { path, name, known: self.all_names() }),
            _ => Err(Error::NameAmbiguous { path, name, known: self.all_names() }),
        }
    }

    /// Finds the one manifest: the only one that is no attestation, the only one that has a name, or the only one that
    /// says nothing of another.
    pub(crate) async fn only(&self, source: &dyn Fetch, path: &Path) -> Result<&Descriptor, Error> {
        let all = distinct(self.0.iter().filter(|it| !is_attestation(&it.descriptor)));
        let named = distinct(self.0.iter().filter(|it| !it.names.is_empty()));
        if let ([one], _) | (_, [one]) = (&all[..], &named[..]) {
            return Ok(one);
        }
        let mut subjectless = Vec::new();
        for descriptor in &all {
            if fetch_manifest(source, descriptor).await?.subject().is_none() {
                subjectless.push(*descriptor);
            }
        }
        match subjectless[..] {
            [one] => Ok(one),
            _ => Err(Error::NameMissing { path: path.to_owned(), count: subjectless.len(), known: self.all_names() }),
        }
    }

    fn matching(&self, is_name: impl Fn(&str) -> bool) -> Vec<&Descriptor> {
        distinct(self.0.iter().filter(|listed| listed.names.iter().any(|it| is_name(it))))
    }

    /// Returns each name under which something can be found, and the digest of what has none.
    fn all_names(&self) -> Vec<String> {
        let names = self.0.iter().flat_map(|listed| match &listed.names[..] {
            [] => vec![listed.descriptor.digest.to_string()],
            names => names.to_vec(),
        });
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Leaves out what is there again under another name.
fn distinct<'a>(listed: impl Iterator<Item = &'a Listed>) -> Vec<&'a Descriptor> {
    let mut seen = HashSet::new();
    listed.map(|it| &it.descriptor).filter(|it| seen.insert(&it.digest)).collect()
}

fn is_attestation(descriptor: &Descriptor) -> bool {
    let (key, value) = ATTESTATION;
    let is_marked = descriptor.annotations.get(key).is_some_and(|it| it == value);
    let is_nowhere = |it: &wharf_oci::Platform| it.architecture == "unknown" && it.os == "unknown";
    is_marked || descriptor.platform.as_ref().is_some_and(is_nowhere)
}

/// Returns the tag of a name that has a repository before it; a colon before a `/` belongs to a port.
fn tag_of(name: &str) -> Option<&str> {
    let (repository, tag) = name.rsplit_once(':')?;
    (!repository.is_empty() && !tag.contains('/')).then_some(tag)
}

#[cfg(test)]
mod tests {
    use wharf_oci::{ImageManifest, MemoryStore, Platform};

    use super::*;

    fn entry(number: u8, annotations: &[(&str, &str)]) -> Descriptor {
        let descriptor = Descriptor::of(MediaType::OCI_MANIFEST, &[number]);
        annotations.iter().fold(descriptor, |it, (key, value)| it.with_annotation(*key, *value))
    }

    fn found(listing: &Listing, name: &str) -> Result<Digest, String> {
        let found = listing.named(Path::new("x"), name);
        found.map(|it| it.digest.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_is_a_whole_one_or_a_tag_that_only_one_has() {
        let entries = [
            entry(1, &[(REF_NAME, "v1"), (IMAGE_NAME, "localhost:5000/a/x:v1")]),
            entry(2, &[(REF_NAME, "v2"), (IMAGE_NAME, "a/x:v2")]),
            entry(3, &[(REF_NAME, "ghcr.io/a/y:v3")]),
            entry(4, &[(IMAGE_NAME, "a/z:v4")]),
            entry(5, &[(REF_NAME, "a/x/other.txt+1")]),
            entry(6, &[(REF_NAME, "twice"), (IMAGE_NAME, "a/x:twice")]),
            entry(7, &[(REF_NAME, "twice"), (IMAGE_NAME, "a/y:twice")]),
            entry(8, &[(REF_NAME, "same")]),
            entry(8, &[(REF_NAME, "same")]),
            entry(9, &[(REF_NAME, "localhost:5000/tagless")]),
        ];
        let listing = Listing::of_index(&entries);
        let table = [
            ("v1", 1),
            ("localhost:5000/a/x:v1", 1),
            ("a/x:v2", 2),
            ("v3", 3),
            ("ghcr.io/a/y:v3", 3),
            ("v4", 4),
            ("a/z:v4", 4),
            ("a/x/other.txt+1", 5),
            ("a/y:twice", 7),
            ("same", 8),
        ];
        for (name, number) in table {
            assert_eq!(found(&listing, name), Ok(entry(number, &[]).digest), "{name}");
        }
        assert!(found(&listing, "twice").unwrap_err().contains("more than one `twice`"));
        for name in ["", "5000/tagless", "5000/a/x", "5000/a/x:v1", "x", "a/x", "v"] {
            let message = found(&listing, name).unwrap_err();
            assert!(message.contains("it has `a/x/other.txt+1`, `a/x:twice`, "), "{name}: {message}");
        }
        assert_eq!(
            listing.names(),
            [
                "a/x/other.txt+1",
                "a/x:twice",
                "a/x:v2",
                "a/y:twice",
                "a/z:v4",
                "ghcr.io/a/y:v3",
                "localhost:5000/a/x:v1",
                "localhost:5000/tagless",
                "same"
            ]
        );
    }

    #[tokio::test]
    async fn without_a_name_there_must_be_one_that_is_meant() {
        let store = MemoryStore::new();
        let plain = |text: &'static str| {
            let config = store.insert(MediaType::OCI_EMPTY, "{}");
            let layer = store.insert(MediaType::WASM, text);
            let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer])).unwrap();
            store.insert_manifest(&manifest);
            manifest.descriptor()
        };
        let (one, other) = (plain("one"), plain("other"));
        let mut referrer = ImageManifest::new(store.insert(MediaType::OCI_EMPTY, "{}"), Vec::new());
        referrer.subject = Some(one.clone());
        let referrer = Manifest::from_image(&referrer).unwrap();
        store.insert_manifest(&referrer);
        let marked = other.clone().with_annotation(ATTESTATION.0, ATTESTATION.1);
        let unknown = Platform { architecture: "unknown".into(), os: "unknown".into(), ..Platform::default() };
        let nowhere = Descriptor { platform: Some(unknown), ..other.clone() };
        let tagged = one.clone().with_annotation(REF_NAME, "v1");
        let blob = Descriptor::of(MediaType::WASM, b"blob");
        let table = [
            (vec![one.clone()], None),
            (vec![one.clone(), one.clone()], None),
            (vec![marked, one.clone()], None),
            (vec![one.clone(), nowhere], None),
            (vec![other.clone(), tagged.clone()], None),
            (vec![referrer.descriptor(), one.clone()], None),
            (vec![blob, one.clone()], None),
            (vec![], Some("holds 0 artifacts")),
            (vec![one.clone(), other.clone()], Some("holds 2 artifacts")),
            (vec![tagged, other.with_annotation(REF_NAME, "v2")], Some("it has `v1`, `v2`")),
        ];
        for (entries, expected) in table {
            let listing = Listing::of_index(&entries);
            let only = listing.only(&store, Path::new("x")).await;
            match expected {
                None => assert_eq!(only.unwrap().digest, one.digest, "{entries:?}"),
                Some(expected) => {
                    let message = only.unwrap_err().to_string();
                    assert!(message.contains(expected), "{message}");
                }
            }
        }
    }

    #[test]
    fn only_the_path_of_a_blob_gives_a_digest() {
        for digest in [Digest::sha256(b"x"), Digest::of(wharf_oci::Algorithm::Sha512, b"x")] {
            assert_eq!(blob_digest(&blob_path(&digest)), Some(digest));
        }
        let hex = Digest::sha256(b"x").hex().to_owned();
        for path in
            [format!("sha256/{hex}"), format!("blobs/md5/{hex}"), format!("blobs/sha256/x/{hex}"), String::new()]
        {
            assert_eq!(blob_digest(&path), None, "{path}");
        }
    }

    #[test]
    fn a_layout_of_another_version_is_refused() {
        let check = |text: &str| check_version(Path::new("x"), text.as_bytes());
        check(r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        check(r#"{"imageLayoutVersion":"1.1.0","more":1}"#).unwrap();
        assert!(matches!(check(r#"{"imageLayoutVersion":"2.0.0"}"#), Err(Error::Version { .. })));
        for text in ["", "{}", r#"{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}"#, "[\"1.0.0\"]"] {
            assert!(matches!(check(text), Err(Error::Json { .. })), "{text}");
        }
    }
}
