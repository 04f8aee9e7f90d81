//! What the builders of all dialects return, and why they cannot build.

use bytes::Bytes;
use jiff::Timestamp;
use wharf_oci::{Descriptor, Digest, ImageManifest, InvalidManifest, Manifest, MediaType};

use crate::Kind;
use crate::limits::CONFIG_BYTES_MAX;

/// A manifest with those blobs that are in memory; the bytes of the layers are the caller's.
#[derive(Debug, Clone)]
pub struct Built {
    /// The manifest.
    pub manifest: Manifest,
    /// The config first, then what else the builder made.
    pub blobs: Vec<(Descriptor, Bytes)>,
}

impl Built {
    /// Writes the manifest of what was built.
    pub(crate) fn new(image: &ImageManifest, blobs: Vec<(Descriptor, Bytes)>) -> Result<Self, InvalidBuild> {
        let manifest = Manifest::from_image(image).map_err(InvalidBuild::Manifest)?;
        Ok(Self { manifest, blobs })
    }
}

/// A layer that a builder puts into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What the manifest says of it.
    pub descriptor: Descriptor,
    /// The digest of its tar without compression (image-spec, config.md); of a layer that is no tar, its own digest.
    pub diff_id: Digest,
}

impl Layer {
    /// Makes a layer that is not compressed, so that its `diff_id` is its digest.
    #[must_use]
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self { diff_id: digest.clone(), descriptor: Descriptor::new(media_type, digest, size) }
    }
}

/// Why an artifact cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBuild {
    /// The time has no date.
    #[error("{seconds} seconds since 1970 is not a time of the years -9999 to 9999")]
    Created {
        /// What was given.
        seconds: i64,
        /// Why.
        source: jiff::Error,
    },
    /// The file name could lead out of a directory, or cannot be shown.
    #[error("{name:?} is not a plain file name: it has no `/`, `\\` or control character, and is not `.` or `..`")]
    FileName {
        /// What was given.
        name: String,
    },
    /// The name of the file to run means something else to a host.
    #[error("{name:?} cannot be an entrypoint: that is `NAME.wasm`, without `#` and not starting with `.wh.`")]
    Entrypoint {
        /// What was given.
        name: String,
    },
    /// The target is no world.
    #[error("{text:?} does not name a world: that has the form `ns:pkg/world`, `ns:pkg/world@1.2.3` or `world`")]
    Target {
        /// What was given.
        text: String,
    },
    /// A target was given for what has none.
    #[error("a {kind} has no target world; a component has")]
    TargetOf {
        /// What it is.
        kind: Kind,
    },
    /// An image was asked for, and there is nothing to run.
    #[error("a {kind} cannot be run, so it makes no container image; a component or a core module does")]
    NothingToRun {
        /// What it is.
        kind: Kind,
    },
    /// A filter was asked for, and the binary is no core module.
    #[error("a {kind} is no proxy-wasm filter, which is a core module that exports `proxy_abi_version_…`")]
    FilterKind {
        /// What it is.
        kind: Kind,
    },
    /// A filter was asked for, and the core module says of itself that it is none.
    #[error("the core module is no proxy-wasm filter: it does not export `proxy_abi_version_0_2_1` or another version")]
    NoAbi,
    /// An image that consists of Wasm layers has none.
    #[error("the image has no layer of type {expected}, so hosts would find no Wasm in it")]
    NoWasmLayer {
        /// The type that hosts look for.
        expected: MediaType,
    },
    /// The layer has another type than hosts look for.
    #[error("the layer has type {found}, where hosts expect {expected}")]
    LayerType {
        /// The type it has.
        found: MediaType,
        /// The type it should have.
        expected: MediaType,
    },
    /// The type of a layer has not the form of a media type.
    #[error("{text:?} is not a media type: that has the form `application/wasm`")]
    MediaType {
        /// What was given.
        text: String,
    },
    /// Docker's manifest was asked for, and the layers have types that it does not know.
    #[error("an image with raw Wasm layers cannot have Docker's manifest, which knows no layers but tars")]
    RawLayersInDocker,
    /// The config would be larger than [`CONFIG_BYTES_MAX`].
    #[error("the config would take {size} bytes; the limit is {CONFIG_BYTES_MAX}")]
    ConfigTooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// The manifest cannot be written.
    #[error("the manifest cannot be written")]
    Manifest(#[source] InvalidManifest),
    /// The config cannot be written.
    #[error("the config cannot be written")]
    Config(#[source] serde_json::Error),
}

/// Writes a config, within its limit.
pub(crate) fn config_bytes(config: &impl serde::Serialize) -> Result<Bytes, InvalidBuild> {
    let bytes = serde_json::to_vec(config).map_err(InvalidBuild::Config)?;
    match bytes.len() {
        size if size > CONFIG_BYTES_MAX => Err(InvalidBuild::ConfigTooLarge { size }),
        _ => Ok(bytes.into()),
    }
}

/// Reads a time as configs have it, in seconds since 1970; nothing for what is none.
#[must_use]
pub fn created_seconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Returns a time as RFC 3339 has it.
pub(crate) fn created_text(seconds: i64) -> Result<String, InvalidBuild> {
    let created = Timestamp::from_second(seconds).map_err(|source| InvalidBuild::Created { seconds, source })?;
    Ok(created.to_string())
}

pub(crate) fn checked_file_name(name: &str) -> Result<&str, InvalidBuild> {
    let is_unsafe = |character: char| character.is_control() || matches!(character, '/' | '\\');
    match matches!(name, "" | "." | "..") || name.contains(is_unsafe) {
        true => Err(InvalidBuild::FileName { name: name.to_owned() }),
        false => Ok(name),
    }
}
