//! What went wrong: which verb on which thing, and why.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use wharf_artifact::InvalidWasm;
use wharf_artifact::cncf::{InvalidBuild, InvalidConfig};
use wharf_artifact::dialect::Unreadable;
use wharf_oci::{Digest, Reference, Registry, TagName};

/// A verb that failed, and on what.
///
/// The text names the operation and the thing; the reason is the [`source`](std::error::Error::source), a [`Cause`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `push` failed.
    #[error("cannot push `{}` to `{reference}`", file.display())]
    Push {
        /// The file.
        file: PathBuf,
        /// Where it should have gone.
        reference: Reference,
        /// Why.
        source: Cause,
    },
    /// `pull` failed.
    #[error("cannot pull `{reference}`")]
    Pull {
        /// What was asked for.
        reference: Reference,
        /// Why.
        source: Cause,
    },
    /// `copy` failed.
    #[error("cannot copy `{from}` to `{to}`")]
    Copy {
        /// What was asked for.
        from: Reference,
        /// Where it should have gone.
        to: Reference,
        /// Why.
        source: Cause,
    },
    /// `inspect` failed.
    #[error("cannot inspect `{target}`")]
    Inspect {
        /// The file or reference.
        target: String,
        /// Why.
        source: Cause,
    },
    /// `tags` failed.
    #[error("cannot list the tags of `{reference}`")]
    Tags {
        /// The repository.
        reference: Reference,
        /// Why.
        source: Cause,
    },
    /// `tag` failed.
    #[error("cannot tag `{reference}` as `{name}`")]
    Tag {
        /// The manifest.
        reference: Reference,
        /// The new name.
        name: TagName,
        /// Why.
        source: Cause,
    },
    /// `delete` failed.
    #[error("cannot delete `{reference}`")]
    Delete {
        /// What was to be deleted.
        reference: Reference,
        /// Why.
        source: Cause,
    },
    /// `login` failed.
    #[error("cannot log in to `{registry}`")]
    Login {
        /// The registry.
        registry: Registry,
        /// Why.
        source: Cause,
    },
    /// `logout` failed.
    #[error("cannot log out of `{registry}`")]
    Logout {
        /// The registry.
        registry: Registry,
        /// Why.
        source: Cause,
    },
    /// The hub could not listen.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: Cause,
    },
    /// The hub could not start.
    #[error("cannot serve `{}`", storage.display())]
    Hub {
        /// The storage folder.
        storage: PathBuf,
        /// Why.
        source: Cause,
    },
}

impl Error {
    /// Returns why the verb failed.
    #[must_use]
    pub fn reason(&self) -> &Cause {
        match self {
            Self::Push { source, .. }
            | Self::Pull { source, .. }
            | Self::Copy { source, .. }
            | Self::Inspect { source, .. }
            | Self::Tags { source, .. }
            | Self::Tag { source, .. }
            | Self::Delete { source, .. }
            | Self::Login { source, .. }
            | Self::Logout { source, .. }
            | Self::Listen { source, .. }
            | Self::Hub { source, .. } => source,
        }
    }
}

/// Why a verb failed; sorted by whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The file is no Wasm that can be packed.
    #[error(transparent)]
    Wasm(#[from] InvalidWasm),
    /// The artifact cannot be built as asked.
    #[error(transparent)]
    Build(#[from] InvalidBuild),
    /// What should be a file is a folder or a device.
    #[error("`{}` is not a file", path.display())]
    NoFile {
        /// What was given.
        path: PathBuf,
    },
    /// What should be a folder is none, or is not there.
    #[error("there is no folder `{}`", path.display())]
    NoFolder {
        /// What was given.
        path: PathBuf,
    },
    /// A file would be overwritten.
    #[error("`{}` exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The reference pins another digest than what was built.
    #[error("the reference asks for {expected}, but the artifact is {actual}")]
    Pinned {
        /// What the reference says.
        expected: Digest,
        /// The manifest's digest.
        actual: Digest,
    },
    /// The binary is too large to read its WIT.
    #[error("the binary has {size} bytes; WIT is read from no more than {limit}")]
    TooLargeForWit {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A command that deletes was given a repository alone.
    #[error("the reference names neither a tag nor a digest")]
    NoSelector,
    /// A command that deletes was given a tag and a digest.
    #[error("the reference names both a tag and a digest, and only one of them can be meant")]
    TwoSelectors,
    /// The repository has no such tag.
    #[error("no tag `{tag}` in `{repository}`, which has {}", instead(near, *count))]
    NoSuchTag {
        /// The tag.
        tag: TagName,
        /// The repository, with its registry.
        repository: String,
        /// Tags that it has and that are spelled alike, the nearest first.
        near: Vec<TagName>,
        /// How many tags it has.
        count: usize,
    },
    /// The artifact is none that Wharf reads, or holds no Wasm.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The config of the artifact is none.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// The content, or what holds it, failed.
    #[error(transparent)]
    Content(#[from] wharf_oci::Error),
    /// The registry, or the way to it, failed.
    #[error(transparent)]
    Client(#[from] wharf_client::Error),
    /// The hub's storage failed.
    #[error(transparent)]
    Store(#[from] wharf_store::Error),
    /// The address cannot be listened on.
    #[error(transparent)]
    Listener(io::Error),
    /// A file of this machine could not be used.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// What was tried, such as `open`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Cause {
    /// Names the operation and the file in an I/O error.
    pub(crate) fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { operation, path: path.to_owned(), source }
    }

    /// Returns the registry client's error, wherever it is wrapped.
    #[must_use]
    pub fn client(&self) -> Option<&wharf_client::Error> {
        match self {
            Self::Client(error) => Some(error),
            Self::Content(error) => error.medium_ref(),
            _ => None,
        }
    }
}

/// Says what a repository has instead of a tag.
fn instead(near: &[TagName], count: usize) -> String {
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    match (count, names.as_slice()) {
        (0, _) => "none".to_owned(),
        (1, []) => "1 other".to_owned(),
        (_, []) => format!("{count} others"),
        (_, names) => names.join(", "),
    }
}
