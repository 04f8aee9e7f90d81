//! What went wrong: which verb failed, on which thing.

use std::net::SocketAddr;
use std::path::PathBuf;

use wharf_client::Error as ClientError;
use wharf_oci::{Registry, TagName};
use wharf_package::PackageName;

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
    /// `run` failed.
    #[cfg(feature = "run")]
    #[error("cannot run `{program}`")]
    Run {
        /// The file, the package or the reference.
        program: String,
        /// Why.
        source: Cause,
    },
    /// `cache` failed.
    #[cfg(feature = "run")]
    #[error("cannot look after the compiled code that is kept")]
    Cache {
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
    /// `init` failed.
    #[error("cannot make a project in `{}`", folder.display())]
    Init {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `add` failed.
    #[error("cannot add {} to `{}`", listed(packages), project.display())]
    Add {
        /// What should have been added.
        packages: Vec<String>,
        /// The folder of the project.
        project: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `remove` failed.
    #[error("cannot remove {} from `{}`", listed(packages), project.display())]
    Remove {
        /// What should have been removed.
        packages: Vec<String>,
        /// The folder of the project.
        project: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `build` failed.
    #[error("cannot build the package of `{}`", project.display())]
    Build {
        /// The folder of the project.
        project: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `check` failed.
    #[error("cannot check the package of `{}`", project.display())]
    Check {
        /// The folder of the project.
        project: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `publish` failed.
    #[error("cannot publish {what}{}", after(published))]
    Publish {
        /// What should have been published: packages, or the paths that lead to them.
        what: String,
        /// The packages that were published before.
        published: Vec<String>,
        /// Why.
        source: Cause,
    },
    /// `get` failed.
    #[error("cannot get `{package}`{}", from.as_ref().map(|from| format!(" from `{from}`")).unwrap_or_default())]
    Get {
        /// What was asked for.
        package: String,
        /// The repository that was asked, or its mirror; nothing where it did not come to that.
        from: Option<String>,
        /// Why.
        source: Cause,
    },
    /// `tree` failed.
    #[error("cannot tell what `{}` uses", project.display())]
    Tree {
        /// The folder of the project.
        project: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `outdated` failed.
    #[error("cannot compare the packages of `{}` with those of their registries", project.display())]
    Outdated {
        /// The folder of the project.
        project: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `update` failed.
    #[error("cannot update the packages of `{}`", project.display())]
    Update {
        /// The folder of the project.
        project: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `compose` failed.
    #[error("cannot compose `{what}`")]
    Compose {
        /// The socket, or the document.
        what: String,
        /// Why.
        source: Cause,
    },
    /// `deploy` failed.
    #[error("cannot deploy `{input}` to {target}")]
    Deploy {
        /// The file or reference.
        input: String,
        /// What should have run it.
        target: DeployTarget,
        /// Why.
        source: Cause,
    },
    /// `pin` failed.
    #[error("cannot pin `{place}`")]
    Pin {
        /// The file, with the line where it is about one.
        place: String,
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
        let cause = self.cause();
        if let Cause::Package { source, .. } = cause { source } else { cause }
    }

    /// Returns the package that its registry does not know at all, or that no registry is known for: its name may be
    /// misspelled.
    #[must_use]
    pub fn unknown_package(&self) -> Option<PackageName> {
        let is_unknown = match self.reason() {
            Cause::NoHome { .. } | Cause::NoSuchTag { count: 0, .. } => true,
            Cause::NoVersion { known, .. } => known.is_empty(),
            cause => matches!(cause.client(), Some(ClientError::NotFound { .. })),
        };
        match (self, self.cause()) {
            _ if !is_unknown => None,
            (Self::Get { package, .. }, _) => package.split('@').next()?.parse().ok(),
            (_, Cause::Package { package, .. } | Cause::NoHome { package }) => Some(package.clone()),
            _ => None,
        }
    }

    fn cause(&self) -> &Cause {
        match self {
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
            | Self::Get { source, .. }
            | Self::Tree { source, .. }
            | Self::Outdated { source, .. }
            | Self::Update { source, .. }
            | Self::Init { source, .. }
            | Self::Add { source, .. }
            | Self::Remove { source, .. }
            | Self::Build { source, .. }
            | Self::Check { source, .. }
            | Self::Publish { source, .. }
            | Self::Compose { source, .. }
            | Self::Deploy { source, .. }
            | Self::Pin { source, .. }
            | Self::Login { source, .. }
            | Self::Logout { source, .. }
            | Self::Listen { source, .. }
            | Self::Hub { source, .. } => source,
            #[cfg(feature = "run")]
            Self::Run { source, .. } | Self::Cache { source } => source,
        }
    }
}

fn listed(packages: &[String]) -> String {
    packages.iter().map(|package| format!("`{package}`")).collect::<Vec<_>>().join(", ")
}

/// Says what was done before something failed.
fn after(published: &[String]) -> String {
    match published {
        [] => String::new(),
        published => format!(", after {}, which is published", published.join(", ")),
    }
}
