//! Looks for Wasm inside of layers, where the manifest does not say which bytes it is.
//!
//! ```text
//!   layer ─undo gzip, zstd─┬─ \0asm              the Wasm, whatever the layer's type says
//!                          └─ tar ─┬─ claims.jwt   a provider archive of wasmCloud
//!                                  └─ files of which the first bytes are \0asm
//! ```
//!
//! Compression and content are told by the bytes, never by the type of the layer. A [`Search`] does no input or
//! output of its own: it says which layer it wants to see, is shown its bytes, and says what it found. The layers of
//! an image are seen from the highest down, and no further than it takes.

mod bundle;
mod candidate;
mod layer;
mod names;
mod others;
mod queue;
mod stack;

use std::fmt;
use std::io::{self, Read, Write};

use serde::Serialize;
use wharf_oci::{Descriptor, Digest, ImageManifest};
use wharf_tar::InvalidTar;

pub use self::others::{Others, Rest};

use self::bundle::{Bundle, split_beside};
use self::candidate::{Candidate, chosen, only};
use self::layer::Member;
use self::queue::{Budget, Queue};
use self::stack::Stack;
use crate::dialect::{Contents, Dialect, Unreadable};
use crate::limits::{SEARCHED_LAYERS_MAX, SEARCHED_NAMES_BYTES_MAX, WASM_BYTES_MAX};

/// A search for Wasm in the layers of one artifact.
///
/// Show it each layer that it [wants](Search::wants), then let it [finish](Search::finish).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    dialect: Dialect,
    contents: Contents,
    queue: Queue,
    scope: Scope,
    /// The name of what is wanted, where somebody gave one.
    choice: Option<String>,
}

/// How layers belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    /// They are changes of one file system.
    Stack(Box<Stack>),
    /// Each stands for itself; what was found in them so far.
    Apart(Vec<Candidate>),
}

/// Wasm, or a provider archive, in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The layer.
    pub layer: Descriptor,
    /// Its index among [`Search::layers`].
    pub index: usize,
    /// The file in the layer, where that is a tar; nothing where the whole layer is it.
    pub path: Option<String>,
    /// What it is.
    pub what: What,
    /// How it was told from all others.
    pub clue: Clue,
    /// The dialect of the artifact, as what was found tells it.
    pub dialect: Dialect,
    /// Its number among the entries of the tar.
    entry: u64,
}

/// What was found in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A Wasm binary.
    Wasm,
    /// WebAssembly text, which [`from_text`](crate::from_text) turns into a binary.
    Text,
    /// A provider archive of wasmCloud; it is the whole layer, compressed as it may be.
    Provider,
}

/// How what was found was told from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clue {
    /// The image runs it.
    Entrypoint,
    /// It is the first `plugin.wasm` of its layer.
    Plugin,
    /// There is no other.
    Only,
    /// Somebody named it, and nothing else tells it from others; see [`Search::choosing`].
    Chosen,
}

impl fmt::Display for Clue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Entrypoint => "the entrypoint of the image",
            Self::Plugin => "the plugin.wasm of its layer",
            Self::Only => "the only one in the artifact",
            Self::Chosen => "the one that was asked for",
        })
    }
}

/// Why a layer could not be looked into.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLayer {
    /// What it is compressed with, or the tar in it, is invalid, or larger than the limits.
    #[error("cannot look into layer {digest}")]
    Tar {
        /// The layer.
        digest: Digest,
        /// Why.
        source: InvalidTar,
    },
    /// The names of all files take more than [`SEARCHED_NAMES_BYTES_MAX`].
    #[error(
        "the names of the files in layer {digest} and those above it take more than {SEARCHED_NAMES_BYTES_MAX} bytes"
    )]
    TooManyNames {
        /// The layer.
        digest: Digest,
    },
    /// What was found is larger than [`WASM_BYTES_MAX`].
    #[error("the Wasm in layer {digest} has more than {WASM_BYTES_MAX} bytes")]
    TooLarge {
        /// The layer.
        digest: Digest,
    },
    /// What was found before is not there any more: these are other bytes.
    #[error("`{}` is not in layer {digest} any more", path.escape_debug())]
    Changed {
        /// The layer.
        digest: Digest,
        /// The file.
        path: String,
    },
    /// What was found could not be written to where it goes.
    #[error("cannot write what was found in layer {digest}")]
    Write {
        /// The layer.
        digest: Digest,
        /// Why.
        source: io::Error,
    },
}

impl Search {
    /// Starts a search in the file system of an image, which runs `executable`.
    ///
    /// # Errors
    /// [`Unreadable::TooManyLayers`] and, without layers, [`Unreadable::NoWasm`].
    pub(crate) fn of_image(manifest: &ImageManifest, executable: Option<String>) -> Result<Self, Unreadable> {
        let (dialect, layers) = (Dialect::ContainerImage, manifest.layers.clone());
        // The highest layer stands last.
        let pending = (0..layers.len()).collect();
        Self::new(dialect, manifest, layers, pending, Scope::Stack(Box::new(Stack::new(executable))))
    }

    /// Starts a search in `layers`, each of which stands for itself.
    ///
    /// # Errors
    /// As for [`Search::of_image`].
    pub(crate) fn of_each(
        dialect: Dialect,
        manifest: &ImageManifest,
        layers: Vec<Descriptor>,
    ) -> Result<Self, Unreadable> {
        let pending = (0..layers.len()).rev().collect();
        Self::new(dialect, manifest, layers, pending, Scope::Apart(Vec::new()))
    }

    fn new(
        dialect: Dialect,
        manifest: &ImageManifest,
        layers: Vec<Descriptor>,
        pending: Vec<usize>,
        scope: Scope,
    ) -> Result<Self, Unreadable> {
        let contents = Contents::of(manifest);
        match layers.len() {
            0 => return Err(Unreadable::NoWasm { dialect, contents }),
            count if count > SEARCHED_LAYERS_MAX => return Err(Unreadable::TooManyLayers { count }),
            _ => {}
        }
        Ok(Self { dialect, contents, queue: Queue::new(layers, pending), scope, choice: None })
    }

    /// Takes what `name` names, instead of what the artifact prefers: by its path in a tar or the last part of that,
    /// by title or digest of its layer, or by `DIGEST/PATH`. All layers are looked into then.
    #[must_use]
    pub fn choosing(self, name: &str) -> Self {
        Self { choice: Some(name.to_owned()), ..self }
    }

    /// Returns the layers that may be looked into.
    #[must_use]
    pub fn layers(&self) -> &[Descriptor] {
        &self.queue.layers
    }

    /// Returns the index of the layer to look into next; nothing where it is known what there is, or where the next
    /// layer is too large to look into.
    #[must_use]
    pub fn wants(&self) -> Option<usize> {
        self.queue.wants()
    }

    /// Looks into the layer that [`Search::wants`] named, whose verified bytes `reader` gives from the start.
    ///
    /// # Errors
    /// [`InvalidLayer`].
    ///
    /// # Panics
    /// Where no layer is wanted, or another one.
    pub fn look(&mut self, index: usize, reader: &mut dyn Read) -> Result<(), InvalidLayer> {
        let (layer, has_lower) = self.queue.take(index);
        let whole = Candidate::whole(index, self.dialect);
        match &mut self.scope {
            Scope::Apart(found) => {
                let mut bundle = Bundle::default();
                let content = layer::look(&layer, reader, &mut self.queue.left, &mut |file, _| Ok(bundle.visit(file)))?;
                found.extend(bundle.into_candidates(content, whole));
            }
            Scope::Stack(stack) => {
                let mut change = stack.next_change(has_lower);
                let content =
                    layer::look(&layer, reader, &mut self.queue.left, &mut |file, _| Ok(change.visit(stack, file)))?;
                if change.has_too_many_names() {
                    return Err(InvalidLayer::TooManyNames { digest: layer.digest });
                }
                stack.apply(change, content, &whole);
                if stack.is_settled() && self.choice.is_none() {
                    self.queue.pending.clear();
                }
            }
        }
        Ok(())
    }

    /// Returns what was found in the layers that were wanted.
    ///
    /// # Errors
    /// [`Unreadable::Several`] where nothing tells which of several is meant, [`Unreadable::NoSuchName`] and
    /// [`Unreadable::AmbiguousName`] where the one that was chosen is none or several, [`Unreadable::NativeEntrypoint`],
    /// [`Unreadable::EntrypointLink`], [`Unreadable::NoWasm`] or [`Unreadable::Unknown`] where there is none, and
    /// [`Unreadable::TooLarge`] where not all layers could be seen.
    pub fn finish(self) -> Result<Found, Unreadable> {
        if !self.queue.pending.is_empty() {
            return Err(Unreadable::TooLarge);
        }
        let (dialect, contents) = (self.dialect, self.contents);
        let none = || match dialect {
            Dialect::Untyped => Unreadable::Unknown { contents },
            _ => Unreadable::NoWasm { dialect, contents },
        };
        let (layers, choice) = (&self.queue.layers, self.choice.as_deref());
        let candidate = match (self.scope, choice) {
            (Scope::Stack(stack), _) => stack.finish(layers, choice, none),
            (Scope::Apart(found), Some(name)) => chosen(found, layers, name, none),
            (Scope::Apart(found), None) => {
                let (candidates, beside) = split_beside(found);
                only(candidates, beside, layers, none)
            }
        };
        candidate.map(|candidate| candidate.into_found(layers))
    }

    /// Starts on a list of what else there is, beside what was found; the search may have been told to finish.
    #[must_use]
    pub fn others(&self, found: &Found) -> Others {
        let is_stack = matches!(self.scope, Scope::Stack(_));
        Others::new(self.queue.layers.clone(), is_stack, found)
    }
}

impl Found {
    /// Writes what was found, from the verified bytes of its layer, and returns how many bytes that are.
    ///
    /// # Errors
    /// [`InvalidLayer`]; what was written before is of no use then.
    pub fn extract(&self, reader: &mut dyn Read, writer: &mut dyn Write) -> Result<u64, InvalidLayer> {
        match &self.path {
            _ if self.what == What::Provider => layer::copy(&self.layer, reader, writer),
            None => layer::unpack(&self.layer, reader, writer),
            Some(path) => layer::unpack_file(&self.layer, reader, &Member { path, number: self.entry }, writer),
        }
    }
}

#[cfg(test)]
mod tests;
