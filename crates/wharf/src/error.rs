//! What went wrong: which verb failed, on which thing.

use std::net::SocketAddr;
use std::path::PathBuf;

use wharf_oci::{Registry, TagName};

use crate::{Cause, DeployTarget, Location};

/// A verb that failed, and on what.
///
/// The text names the operation and the thing; the reason is the [`source`](std::error::Error::source), a [`Cause`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `push` failed.
    #[error("cannot push `{}` to `{to}`", file.display())]
    Push {
        /// The file.
        file: PathBuf,
        /// Where it should have gone.
        to: Location,
        /// Why.
        source: Cause,
    },
    /// `pull` failed.
    #[error("cannot pull `{from}`")]
    Pull {
        /// What was asked for.
        from: Location,
        /// Why.
        source: Cause,
    },
    /// `copy` failed.
    #[error("cannot copy `{from}` to `{to}`")]
    Copy {
        /// What was asked for.
        from: Location,
        /// Where it should have gone.
        to: Location,
        /// Why.
        source: Cause,
    },
    /// `pack` failed.
    #[error("cannot pack `{}`", output.display())]
    Pack {
        /// The archive that should have been written.
        output: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `pack` failed on one of the files.
    #[error("cannot pack `{}` into `{}`", file.display(), output.display())]
    PackFile {
        /// The file.
        file: PathBuf,
        /// The archive that should have been written.
        output: PathBuf,
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
    /// `diff` could not read one of the two.
    #[error("cannot read the WIT of `{target}`")]
    ReadWit {
        /// The file, folder or reference.
        target: String,
        /// Why.
        source: Cause,
    },
    /// `diff` failed on the two together.
    #[error("cannot compare `{old}` with `{new}`")]
    Diff {
        /// The older version.
        old: String,
        /// The newer version.
        new: String,
        /// Why.
        source: Cause,
    },
    /// `tags` failed.
    #[error("cannot list the tags of `{location}`")]
    Tags {
        /// The repository.
        location: Location,
        /// Why.
        source: Cause,
    },
    /// `tag` failed.
    #[error("cannot tag `{location}` as `{name}`")]
    Tag {
        /// The manifest.
        location: Location,
        /// The new name.
        name: TagName,
        /// Why.
        source: Cause,
    },
    /// `delete` failed.
    #[error("cannot delete `{location}`")]
    Delete {
        /// What was to be deleted.
        location: Location,
        /// Why.
        source: Cause,
    },
    /// `fetch` failed.
    #[error("cannot fetch the packages of `{}`", project.display())]
    Fetch {
        /// The folder of the project.
        project: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `deploy` failed.
    #[error("cannot deploy `{}` to {target}", file.display())]
    Deploy {
        /// The file.
        file: PathBuf,
        /// What should have run it.
        target: DeployTarget,
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
    /// Returns why the verb failed: of a package, why that failed.
    #[must_use]
    pub fn reason(&self) -> &Cause {
        let cause = match self {
            Self::Push { source, .. }
            | Self::Pull { source, .. }
            | Self::Copy { source, .. }
            | Self::Pack { source, .. }
            | Self::PackFile { source, .. }
            | Self::Inspect { source, .. }
            | Self::ReadWit { source, .. }
            | Self::Diff { source, .. }
            | Self::Tags { source, .. }
            | Self::Tag { source, .. }
            | Self::Delete { source, .. }
            | Self::Fetch { source, .. }
            | Self::Deploy { source, .. }
            | Self::Login { source, .. }
            | Self::Logout { source, .. }
            | Self::Listen { source, .. }
            | Self::Hub { source, .. } => source,
        };
        if let Cause::Package { source, .. } = cause { source } else { cause }
    }
}
