//! Finds the Wasm bytes below a manifest, whoever wrote it.
//!
//! Each dialect is one way to put Wasm into an OCI manifest. The first that knows a manifest as its own speaks for
//! it: it says where the bytes are, or why they cannot be had. What the bytes are, only the bytes tell.
//!
//! | dialect | known by | Wasm bytes |
//! |---|---|---|
//! | `cncf-wasm` | config `application/vnd.wasm.config.v0+json` | the only layer |
//! | `plain-wasm` | a single layer `application/wasm` with any other config, as `oras push` writes it | that layer |

mod cncf;
mod plain;
mod select;

use std::fmt;

use wharf_oci::{Descriptor, ImageManifest, MediaType};

pub use self::select::select;

/// A way to put Wasm into an OCI manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// The CNCF's "Wasm OCI Artifact layout".
    CncfWasm,
    /// A single layer of Wasm, with a config that says nothing of it.
    PlainWasm,
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CncfWasm => "cncf-wasm",
            Self::PlainWasm => "plain-wasm",
        })
    }
}

/// Where the Wasm bytes of an artifact are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The dialect of the manifest.
    pub dialect: Dialect,
    /// The layer that is the Wasm binary.
    pub wasm: Descriptor,
    /// Where the manifest departs from its dialect, though it can be read.
    pub departures: Vec<Departure>,
}

/// How a manifest departs from its dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Departure {
    /// The layer has another type than the dialect's.
    LayerType {
        /// The type it has.
        found: MediaType,
        /// The type it should have.
        expected: MediaType,
    },
}

impl fmt::Display for Departure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LayerType { found, expected } => {
                write!(formatter, "the layer has type {}, where {expected} is expected", clean(found))
            }
        }
    }
}

/// Why no Wasm bytes can be read from an artifact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// No dialect knows the manifest as its own.
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
    /// The index names nothing but attestations and signatures, or nothing at all.
    #[error("index names no artifact")]
    EmptyIndex,
    /// The index names several artifacts, and none of them is for Wasm.
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
            write!(formatter, "artifact type {}, ", clean(artifact_type))?;
        }
        write!(formatter, "config {} and ", clean(&self.config))?;
        let layers = self.layers.iter().map(|(media_type, size)| format!("{} ({size} bytes)", clean(media_type)));
        match self.layers.len() {
            0 => formatter.write_str("no layers"),
            1 => write!(formatter, "layer {}", Listed(&layers.collect::<Vec<_>>())),
            _ => write!(formatter, "layers {}", Listed(&layers.collect::<Vec<_>>())),
        }
    }
}

/// Tells the dialect of a manifest, and which of its layers is the Wasm binary.
///
/// # Errors
/// [`Unreadable::Unknown`] where no dialect knows it, and what a dialect has against a manifest of its own.
pub fn classify(manifest: &ImageManifest) -> Result<Located, Unreadable> {
    let unknown = || Err(Unreadable::Unknown { contents: Contents::of(manifest) });
    RULES.iter().find_map(|rule| (rule.locate)(manifest)).unwrap_or_else(unknown)
}

/// How one dialect reads manifests.
struct Rule {
    /// What it takes, for those whose manifest is refused.
    accepts: &'static str,
    /// Returns nothing for a manifest of another dialect.
    locate: fn(&ImageManifest) -> Option<Result<Located, Unreadable>>,
}

/// All dialects, the more specific first.
static RULES: &[Rule] = &[cncf::RULE, plain::RULE];

fn accepted() -> String {
    RULES.iter().map(|rule| rule.accepts).collect::<Vec<_>>().join("; ")
}

/// Shows a media type, which someone else has written, without what could change a terminal.
fn clean(media_type: &MediaType) -> String {
    media_type.as_str().escape_debug().take(NAME_CHARACTERS_MAX).collect()
}

/// Characters of a foreign name that a message shows.
const NAME_CHARACTERS_MAX: usize = 128;

/// Shows the first of many texts.
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

#[cfg(test)]
mod tests;
