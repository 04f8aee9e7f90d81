//! Manifests and indexes (image-spec, manifest.md and image-index.md; Docker's schema 2 has the same shape, and what
//! became of artifact.md is read).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::limits::{DESCRIPTORS_MAX, MANIFEST_BYTES_MAX};
use crate::{Algorithm, Annotations, Descriptor, Digest, MediaType, json};

/// A manifest or an index together with the exact bytes it was received in.
///
/// The bytes are what the digest names, so they are never written anew from the parsed form.
#[derive(Debug, Clone)]
pub struct Manifest {
    bytes: Bytes,
    digest: Digest,
    media_type: MediaType,
    document: Document,
}

/// What a manifest's bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// A config and layers.
    Image(Box<ImageManifest>),
    /// A list of manifests.
    Index(Box<ImageIndex>),
    /// Blobs without a config, in the form that was withdrawn.
    Artifact(Box<ArtifactManifest>),
}

/// One artifact: a config and its layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// Always 2.
    pub schema_version: u32,
    /// The type of this document; other than OCI's own writers, some leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What kind of artifact this is; where it is absent, `config.mediaType` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The configuration.
    pub config: Descriptor,
    /// The content, in order.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// The manifest that this one says something of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

impl ImageManifest {
    /// Makes an OCI manifest of a config and layers.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MediaType::OCI_MANIFEST),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: Annotations::new(),
        }
    }
}

/// A list of manifests, such as one for each platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIndex {
    /// Always 2.
    pub schema_version: u32,
    /// The type of this document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What kind of artifact this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The manifests, in order.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this index says something of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

impl ImageIndex {
    /// Makes an OCI index of manifests.
    #[must_use]
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MediaType::OCI_INDEX),
            artifact_type: None,
            manifests,
            subject: None,
            annotations: Annotations::new(),
        }
    }
}

/// One artifact in the form that the release candidates of image-spec 1.1 had ("OCI Artifact Manifest") and 1.1 has
/// not: blobs, and no config. Wharf reads and copies it, and never writes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactManifest {
    /// The type of this document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// What kind of artifact this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The content, in order.
    #[serde(default)]
    pub blobs: Vec<Descriptor>,
    /// The manifest that this one says something of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free-form notes.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

impl ArtifactManifest {
    /// Returns what an image manifest would say of the same artifact: the blobs are its layers, and its config is the
    /// empty one, which is not there to be fetched.
    #[must_use]
    pub fn to_image(&self) -> ImageManifest {
        ImageManifest {
            artifact_type: self.artifact_type.clone(),
            subject: self.subject.clone(),
            annotations: self.annotations.clone(),
            ..ImageManifest::new(Descriptor::of(MediaType::OCI_EMPTY, b"{}"), self.blobs.clone())
        }
    }
}

/// Why bytes are no manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidManifest {
    /// It is larger than [`MANIFEST_BYTES_MAX`].
    #[error("manifest of {size} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// It is not JSON, or not a manifest's JSON.
    #[error("manifest is not valid JSON of its type")]
    Json(#[source] serde_json::Error),
    /// It is Docker's schema 1, which names no content by digest in a way that can be verified.
    #[error("manifest has schemaVersion {version}; Wharf reads version 2")]
    Schema {
        /// What it says.
        version: u64,
    },
    /// It could be read as more than one of a manifest, an index and an artifact manifest.
    #[error(
        "manifest holds more than one of `manifests`, `blobs`, and `layers` or `config`, so that two readers could \
         see two things in it"
    )]
    Ambiguous,
    /// It has none of `config`, `manifests` and `blobs`.
    #[error("document has none of `config`, `manifests` and `blobs`, so it is no manifest")]
    Unknown,
    /// Its body says another type than the one it was served as.
    #[error("manifest was served as `{declared}`, but says of itself that it is `{actual}`")]
    MediaType {
        /// What the `Content-Type` header or the descriptor said.
        declared: MediaType,
        /// What the body says, or what its shape is.
        actual: MediaType,
    },
    /// It names more than [`DESCRIPTORS_MAX`] things.
    #[error("manifest names {count} things; the limit is {DESCRIPTORS_MAX}")]
    TooMany {
        /// How many it names.
        count: usize,
    },
}

/// The forms that a document can have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Image,
    Index,
    Artifact,
}

impl Form {
    /// Returns the form of documents of a type; nothing for a type that is none of a manifest.
    fn of(media_type: &MediaType) -> Option<Self> {
        if !media_type.is_manifest() {
            None
        } else if media_type.is_index() {
            Some(Self::Index)
        } else if *media_type == MediaType::OCI_ARTIFACT {
            Some(Self::Artifact)
        } else {
            Some(Self::Image)
        }
    }

    /// Returns the type of documents that do not say theirs.
    fn usual_type(self) -> MediaType {
        match self {
            Self::Image => MediaType::OCI_MANIFEST,
            Self::Index => MediaType::OCI_INDEX,
            Self::Artifact => MediaType::OCI_ARTIFACT,
        }
    }
}

/// The fields that tell what a document is, before it is read as that.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    schema_version: Option<u64>,
    media_type: Option<MediaType>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
    blobs: Option<serde::de::IgnoredAny>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// `declared` is what the transport says of its type (`Content-Type`, or the descriptor that named it).
    ///
    /// # Errors
    /// [`InvalidManifest`], for each way in which the bytes fall short; see there.
    pub fn parse(bytes: Bytes, declared: Option<&MediaType>) -> Result<Self, InvalidManifest> {
        Self::parse_as(bytes, declared, Algorithm::Sha256)
    }

    /// Reads a manifest that is named by a digest of `algorithm`.
    ///
    /// # Errors
    /// As for [`Manifest::parse`].
    pub fn parse_as(bytes: Bytes, declared: Option<&MediaType>, algorithm: Algorithm) -> Result<Self, InvalidManifest> {
        let size = bytes.len() as u64;
        if size > MANIFEST_BYTES_MAX {
            return Err(InvalidManifest::TooLarge { size, limit: MANIFEST_BYTES_MAX });
        }
        let fields: Fields = json::parse_strict(&bytes).map_err(InvalidManifest::Json)?;
        if let Some(version) = fields.schema_version.filter(|&version| version != 2) {
            return Err(InvalidManifest::Schema { version });
        }
        let form = form_of(&fields, declared)?;
        let media_type = agreed_type(fields.media_type, declared, form)?;
        let document = match form {
            Form::Image => serde_json::from_slice(&bytes).map(Document::Image),
            Form::Index => serde_json::from_slice(&bytes).map(Document::Index),
            Form::Artifact => serde_json::from_slice(&bytes).map(Document::Artifact),
        };
        let document = document.map_err(InvalidManifest::Json)?;
        let digest = Digest::of(algorithm, &bytes);
        let manifest = Self { bytes, digest, media_type, document };
        let count = manifest.children().count();
        if count > DESCRIPTORS_MAX {
            return Err(InvalidManifest::TooMany { count });
        }
        Ok(manifest)
    }

    /// Writes a manifest as bytes; the same value gives the same bytes.
    ///
    /// # Errors
    /// [`InvalidManifest::TooLarge`] and [`InvalidManifest::TooMany`].
    pub fn from_image(image: &ImageManifest) -> Result<Self, InvalidManifest> {
        let bytes = serde_json::to_vec(image).map_err(InvalidManifest::Json)?;
        Self::parse(bytes.into(), None)
    }

    /// Writes an index as bytes; the same value gives the same bytes.
    ///
    /// # Errors
    /// As for [`Manifest::from_image`].
    pub fn from_index(index: &ImageIndex) -> Result<Self, InvalidManifest> {
        let bytes = serde_json::to_vec(index).map_err(InvalidManifest::Json)?;
        Self::parse(bytes.into(), None)
    }

    /// Returns the exact bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the type of the document.
    #[must_use]
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// Returns what the bytes say.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Returns the annotations.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        match &self.document {
            Document::Image(image) => &image.annotations,
            Document::Index(index) => &index.annotations,
            Document::Artifact(artifact) => &artifact.annotations,
        }
    }

    /// Returns the manifest that this one says something of.
    #[must_use]
    pub fn subject(&self) -> Option<&Descriptor> {
        match &self.document {
            Document::Image(image) => image.subject.as_ref(),
            Document::Index(index) => index.subject.as_ref(),
            Document::Artifact(artifact) => artifact.subject.as_ref(),
        }
    }

    /// Returns the kind of artifact: `artifactType`, else the type of the config
    /// (distribution-spec, "Listing referrers"). An index without `artifactType` has none.
    #[must_use]
    pub fn artifact_type(&self) -> Option<&MediaType> {
        match &self.document {
            Document::Image(image) => {
                let declared = image.artifact_type.as_ref().filter(|kind| !kind.as_str().is_empty());
                Some(declared.unwrap_or(&image.config.media_type))
            }
            Document::Index(index) => index.artifact_type.as_ref(),
            Document::Artifact(artifact) => artifact.artifact_type.as_ref(),
        }
    }

    /// Returns what names this manifest: type, digest and size, with `artifactType` where there is one.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        let size = self.bytes.len() as u64;
        Descriptor::new(self.media_type.clone(), self.digest.clone(), size)
    }

    /// Returns all that the manifest names but its subject: config and layers, manifests, or blobs.
    pub fn children(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, rest) = match &self.document {
            Document::Image(image) => (Some(&image.config), &image.layers),
            Document::Index(index) => (None, &index.manifests),
            Document::Artifact(artifact) => (None, &artifact.blobs),
        };
        config.into_iter().chain(rest)
    }
}

/// Tells the form of a document by the lists that it holds. An artifact manifest may go without any, so that its type
/// alone tells it.
fn form_of(fields: &Fields, declared: Option<&MediaType>) -> Result<Form, InvalidManifest> {
    let is_image = fields.config.is_some() || fields.layers.is_some();
    match (is_image, fields.manifests.is_some(), fields.blobs.is_some()) {
        (true, false, false) => Ok(Form::Image),
        (false, true, false) => Ok(Form::Index),
        (false, false, true) => Ok(Form::Artifact),
        (false, false, false) => {
            let is_artifact = |media_type: &&MediaType| **media_type == MediaType::OCI_ARTIFACT;
            let named = fields.media_type.as_ref().filter(is_artifact).or(declared.filter(is_artifact));
            named.map(|_| Form::Artifact).ok_or(InvalidManifest::Unknown)
        }
        _ => Err(InvalidManifest::Ambiguous),
    }
}

/// Settles the type of a document from what its body, its transport and its form say.
fn agreed_type(
    stated: Option<MediaType>,
    declared: Option<&MediaType>,
    form: Form,
) -> Result<MediaType, InvalidManifest> {
    let stated = stated.filter(|stated| !stated.as_str().is_empty());
    // A server that does not know the type says JSON or nothing; that is no contradiction.
    let declared = declared.filter(|declared| declared.is_manifest());
    if let (Some(stated), Some(declared)) = (&stated, declared)
        && stated != declared
    {
        return Err(InvalidManifest::MediaType { declared: declared.clone(), actual: stated.clone() });
    }
    let media_type = stated.or_else(|| declared.cloned()).unwrap_or_else(|| form.usual_type());
    match Form::of(&media_type) {
        Some(other) if other != form => {
            Err(InvalidManifest::MediaType { declared: media_type, actual: form.usual_type() })
        }
        _ => Ok(media_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = r#"{"mediaType":"application/wasm","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}"#;

    fn parse(text: &str, declared: Option<MediaType>) -> Result<Manifest, InvalidManifest> {
        Manifest::parse(Bytes::from(text.replace("ZERO", ZERO)), declared.as_ref())
    }

    #[test]
    fn bytes_are_kept_as_received() {
        let text = r#" { "schemaVersion":2, "x-custom": [1, 2],  "config": ZERO, "layers":[ZERO] } "#;
        let manifest = parse(text, None).unwrap();
        let expected = text.replace("ZERO", ZERO);
        assert_eq!(manifest.bytes(), expected.as_bytes());
        assert_eq!(*manifest.digest(), Digest::sha256(expected.as_bytes()));
        assert_eq!(*manifest.media_type(), MediaType::OCI_MANIFEST);
        assert_eq!(manifest.children().count(), 2);
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_the_reason() {
        let index = MediaType::OCI_INDEX;
        let table = [
            ("", None, "not valid JSON"),
            ("[]", None, "not valid JSON"),
            (r#"{"schemaVersion":2}"#, None, "no manifest"),
            (r#"{"schemaVersion":1,"config":ZERO}"#, None, "schemaVersion 1"),
            (r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, None, "more than one"),
            (r#"{"schemaVersion":2,"manifests":[],"config":ZERO}"#, None, "more than one"),
            (r#"{"schemaVersion":2,"manifests":[],"blobs":[]}"#, None, "more than one"),
            (r#"{"schemaVersion":2,"config":ZERO,"blobs":[]}"#, None, "more than one"),
            (r#"{"layers":[],"blobs":[]}"#, None, "more than one"),
            (r#"{"blobs":[]}"#, Some(index.clone()), "served as"),
            (r#"{"config":ZERO}"#, Some(MediaType::OCI_ARTIFACT), "served as"),
            (r#"{"schemaVersion":1,"blobs":[]}"#, None, "schemaVersion 1"),
            (r#"{"schemaVersion":2,"config":ZERO,"config":ZERO}"#, None, "not valid JSON"),
            (r#"{"schemaVersion":2,"config":ZERO,"layers":[]}"#, Some(index.clone()), "served as"),
            (
                r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":ZERO}"#,
                Some(index),
                "served as",
            ),
            (
                r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":ZERO}"#,
                None,
                "served as",
            ),
            (r#"{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:1","size":1}}"#, None, "not valid"),
            (r#"{"schemaVersion":2,"config":{"mediaType":"x","size":-1}}"#, None, "not valid"),
        ];
        for (text, declared, expected) in table {
            let message = parse(text, declared).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn size_and_count_are_limited() {
        let large = format!(r#"{{"schemaVersion":2,"config":ZERO,"x":"{}"}}"#, "x".repeat(4 << 20));
        assert!(matches!(parse(&large, None), Err(InvalidManifest::TooLarge { .. })));
        let many = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, vec!["ZERO"; 10_001].join(","));
        assert!(matches!(parse(&many, None), Err(InvalidManifest::TooMany { count: 10_001 })));
    }

    #[test]
    fn the_withdrawn_artifact_manifest_names_blobs_and_no_config() {
        let text = r#"{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","artifactType":"application/wasm",
            "blobs":[ZERO],"subject":ZERO,"annotations":{"a":"b"}}"#;
        for text in
            [text, r#"{"artifactType":"application/wasm","blobs":[ZERO],"subject":ZERO,"annotations":{"a":"b"}}"#]
        {
            let manifest = parse(text, None).unwrap();
            assert_eq!(*manifest.media_type(), MediaType::OCI_ARTIFACT);
            assert_eq!(manifest.children().count(), 1);
            assert_eq!(manifest.artifact_type(), Some(&MediaType::WASM));
            assert!(manifest.subject().is_some() && manifest.annotations().contains_key("a"));
            let Document::Artifact(artifact) = manifest.document() else { panic!("{text}") };
            let image = artifact.to_image();
            assert_eq!((&image.config.media_type, image.config.size), (&MediaType::OCI_EMPTY, 2));
            assert_eq!((image.layers, image.artifact_type), (artifact.blobs.clone(), Some(MediaType::WASM)));
        }
        let bare = r#"{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","artifactType":"a/b"}"#;
        assert_eq!(parse(bare, None).unwrap().children().count(), 0);
    }

    #[test]
    fn the_artifact_type_falls_back_to_the_config() {
        let image = parse(r#"{"schemaVersion":2,"artifactType":"","config":ZERO}"#, None).unwrap();
        assert_eq!(image.artifact_type(), Some(&MediaType::WASM));
        let index = parse(r#"{"schemaVersion":2,"manifests":[]}"#, None).unwrap();
        assert_eq!(index.artifact_type(), None);
    }
}
