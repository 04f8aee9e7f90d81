//! Why no Wasm can be read from an artifact.

use std::fmt;

use wharf_oci::{Digest, ImageManifest, MediaType};

use super::{Dialect, accepted};
use crate::NativeFormat;
use crate::limits::{SEARCHED_BYTES_MAX, SEARCHED_LAYERS_MAX};

/// Why no Wasm bytes can be read from an artifact.
///
/// Texts show foreign names with their control characters escaped, and no more of them than fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// One of several was asked for by a name that none of them has.
    #[error("no Wasm of the artifact is named `{}`; there are {}", clean(name), Listed(names))]
    NoSuchName {
        /// The name.
        name: String,
        /// Their names.
        names: Vec<String>,
    },
    /// One of several was asked for by a name that more than one has.
    #[error(
        "more than one Wasm of the artifact is named `{}`: take one by its full name, of {}",
        clean(name),
        Listed(names)
    )]
    AmbiguousName {
        /// The name.
        name: String,
        /// Names that tell those apart that have it: digests, of files in layers with the path behind.
        names: Vec<String>,
    },
    /// There are several, and none was asked for.
    #[error("artifact holds {} Wasm binaries: {}", names.len(), Listed(names))]
    Several {
        /// Their names.
        names: Vec<String>,
    },
    /// The platform that was asked for is not in the index.
    #[error("index names no artifact for platform {}; it has {}", clean(wanted), Listed(platforms))]
    NoSuchPlatform {
        /// What was asked for.
        wanted: String,
        /// The platforms, as `os/architecture`, in the order of the index.
        platforms: Vec<String>,
    },
    /// It says something of another artifact, and is none itself.
    #[error("artifact holds no Wasm: it is {what}{}", of_subject(subject.as_ref()))]
    NotWasm {
        /// What it is, such as `a cosign signature`.
        what: &'static str,
        /// The artifact that it says something of, where the manifest names that.
        subject: Option<Digest>,
    },
    /// No dialect knows the manifest as its own, or nothing in it is Wasm.
    #[error("manifest is of no known kind of Wasm artifact: it has {contents}; accepted are {}", accepted())]
    Unknown {
        /// What it has.
        contents: Contents,
    },
    /// The dialect has exactly one layer.
    #[error("{dialect} artifact must have exactly one layer: it has {contents}")]
    LayerCount {
        /// The dialect.
        dialect: Dialect,
        /// What it has.
        contents: Contents,
    },
    /// Nothing in the artifact is Wasm, where the dialect has it.
    #[error("{dialect} artifact holds no Wasm: it has {contents}")]
    NoWasm {
        /// The dialect.
        dialect: Dialect,
        /// What it has.
        contents: Contents,
    },
    /// The program that an image runs is not Wasm, and nothing else in the image is.
    #[error("entrypoint `{}` of the image is a native program, not Wasm: {format}", clean(path))]
    NativeEntrypoint {
        /// Its path in the image.
        path: String,
        /// What it is.
        format: NativeFormat,
    },
    /// What an image runs is a link, which is not followed, and no other file tells what it is.
    #[error("entrypoint `{}` of the image is a link, which is not followed", clean(path))]
    EntrypointLink {
        /// Its path in the image.
        path: String,
    },
    /// There are too many layers to look into.
    #[error("{count} layers would have to be searched for Wasm; the limit is {SEARCHED_LAYERS_MAX}")]
    TooManyLayers {
        /// How many there are.
        count: usize,
    },
    /// What would have to be looked into is too large.
    #[error("the layers are larger than the {SEARCHED_BYTES_MAX} bytes that are searched for Wasm")]
    TooLarge,
    /// The index names nothing but attestations and signatures, or nothing at all.
    #[error("index names no artifact")]
    EmptyIndex,
    /// The index names several artifacts, and none of them is for Wasm or for this machine.
    #[error("index names {} artifacts, none of them for a Wasm platform: {}", platforms.len(), Listed(platforms))]
    Platforms {
        /// The platforms, as `os/architecture`, in the order of the index.
        platforms: Vec<String>,
    },
}

/// The types and sizes in a manifest, by which it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The type of artifact that the manifest gives.
    pub artifact_type: Option<MediaType>,
    /// The type of the config.
    pub config: MediaType,
    /// The type and the size in bytes of each layer.
    pub layers: Vec<(MediaType, u64)>,
}

impl Contents {
    /// Takes them from a manifest.
    #[must_use]
    pub fn of(manifest: &ImageManifest) -> Self {
        Self {
            artifact_type: manifest.artifact_type.clone(),
            config: manifest.config.media_type.clone(),
            layers: manifest.layers.iter().map(|layer| (layer.media_type.clone(), layer.size)).collect(),
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(artifact_type) = &self.artifact_type {
            write!(formatter, "artifact type {}, ", clean(artifact_type.as_str()))?;
        }
        write!(formatter, "config {} and ", clean(self.config.as_str()))?;
        let layers =
            self.layers.iter().map(|(media_type, size)| format!("{} ({size} bytes)", clean(media_type.as_str())));
        match self.layers.len() {
            0 => formatter.write_str("no layers"),
            1 => write!(formatter, "layer {}", Listed(&layers.collect::<Vec<_>>())),
            _ => write!(formatter, "layers {}", Listed(&layers.collect::<Vec<_>>())),
        }
    }
}

/// Shows a text, which someone else has written, without what could change a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.escape_debug().take(NAME_CHARACTERS_MAX).collect()
}

/// Characters of a foreign name that a message shows.
const NAME_CHARACTERS_MAX: usize = 128;

/// Shows the first of many texts, which are clean.
struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 8;
        let shown = &self.0[..self.0.len().min(SHOWN_MAX)];
        formatter.write_str(&shown.join(", "))?;
        match self.0.len() - shown.len() {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

fn of_subject(subject: Option<&Digest>) -> String {
    subject.map(|digest| format!(" of {digest}")).unwrap_or_default()
}
