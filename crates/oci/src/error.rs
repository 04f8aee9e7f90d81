//! What can go wrong with content, whatever holds it.

use std::error::Error as StdError;
use std::fmt;

use crate::{Digest, InvalidManifest};

/// Why content could not be fetched, pushed, resolved or tagged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place holds no such content or name.
    #[error("{what} not found")]
    NotFound {
        /// A digest or a tag, with what it names.
        what: String,
    },
    /// The bytes are other bytes than their name says.
    #[error("digest mismatch after {read} bytes: expected {expected}, got {actual}")]
    Digest {
        /// The name they go by.
        expected: Digest,
        /// What their digest is.
        actual: Digest,
        /// How many bytes there were.
        read: u64,
    },
    /// The content ended early or late.
    #[error("{digest} has {actual} bytes where {expected} were announced")]
    Size {
        /// The content.
        digest: Digest,
        /// The size that its descriptor gives.
        expected: u64,
        /// The size it has; where it is longer than announced, what had come when that was noticed.
        actual: u64,
    },
    /// The content is larger than what may be read into memory.
    #[error("{digest} has {size} bytes; the limit for what it is used as is {limit}")]
    TooLarge {
        /// The content.
        digest: Digest,
        /// The size that its descriptor gives.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The content is no manifest, where it should be one.
    #[error("invalid manifest {digest}")]
    Manifest {
        /// The manifest.
        digest: Digest,
        /// Why.
        source: InvalidManifest,
    },
    /// The graph is deeper or larger than [`limits`](crate::limits) allow.
    #[error("the graph below {root} is over the limit of {limit} {unit}")]
    Graph {
        /// Where the walk started.
        root: Digest,
        /// The limit.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// What holds the content (a registry, a disk) failed.
    #[error(transparent)]
    Medium(#[from] Medium),
}

impl Error {
    /// Wraps the error of what holds the content.
    pub fn medium(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::Medium(Medium(Box::new(error)))
    }

    /// Returns the error of what holds the content, where it is an `E`.
    #[must_use]
    pub fn medium_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match self {
            Self::Medium(Medium(error)) => error.downcast_ref(),
            _ => None,
        }
    }
}

/// The error of a medium, kept whole.
///
/// The traits are used through `dyn`, so that any source can be copied to any sink; the medium's own typed error
/// travels inside, and [`Error::medium_ref`] gives it back.
pub struct Medium(Box<dyn StdError + Send + Sync>);

impl Medium {
    /// Returns the error of what holds the content, where it is an `E`.
    ///
    /// # Errors
    /// The same value, where it is another.
    pub fn downcast<E: StdError + Send + Sync + 'static>(self) -> Result<E, Self> {
        self.0.downcast().map(|error| *error).map_err(Self)
    }
}

impl fmt::Debug for Medium {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl StdError for Medium {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
