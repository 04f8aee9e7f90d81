//! What is wrong with a file of the cache, and what keeps the cache from working.

use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::error::EngineError;

/// Why the cache cannot be used now. It never stops a run: what is not kept is compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A folder of the cache is not the user's own.
    #[error("cannot keep compiled code in {path}: it {flaw}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// The operating system refused a file operation.
    #[error("cannot {operation} {path}")]
    File {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was just written is not what was read back.
    #[error("cannot keep compiled code: {discarded}")]
    Changed {
        /// The file, and what is wrong with it.
        discarded: Discarded,
    },
    /// The engine does not give out what it compiled.
    #[error("cannot turn compiled code into bytes")]
    Serialize {
        /// Why.
        source: EngineError,
    },
    /// The engine does not take the code, though it is what was kept; so it is where files may not hold programs
    /// (`noexec`).
    #[error("cannot map compiled code {path}")]
    Map {
        /// The file.
        path: PathBuf,
        /// Why.
        source: EngineError,
    },
}

/// A file or folder that was not used, and is removed or put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{path} {flaw}")]
pub struct Discarded {
    /// Where it was.
    pub path: PathBuf,
    /// What was wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a file or folder of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Flaw {
    /// It is a link, a pipe, or something else that holds no bytes of its own.
    #[error("is no regular file")]
    NotFile,
    /// It is no folder.
    #[error("is no folder")]
    NotFolder,
    /// Somebody else owns it.
    #[error("belongs to another user")]
    Owner,
    /// Others may write to it.
    #[error("can be written by other users")]
    Writable,
    /// It may not be read.
    #[error("cannot be read")]
    Unreadable,
    /// Its seal is damaged, or was made with another key: by another user, or on another machine.
    #[error("has no valid seal")]
    Seal,
    /// Its seal is valid, and of other Wasm or of another engine.
    #[error("is sealed for something else")]
    Other,
    /// It is not the bytes that were kept.
    #[error("has changed since it was kept")]
    Content,
}

/// Why there is no code to be had from a file.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file is not to be used.
    Flawed(Discarded),
    /// Nothing is known against the file.
    Failed(CacheError),
}

impl From<CacheError> for Fault {
    fn from(error: CacheError) -> Self {
        Self::Failed(error)
    }
}

impl From<Fault> for CacheError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Flawed(discarded) => Self::Changed { discarded },
            Fault::Failed(error) => error,
        }
    }
}
