//! Where credentials come from, and where `login` keeps them.
//!
//! ```text
//!   given (flags, variables)
//!     ->  each file in turn:  its `credHelpers` for the registry
//!                             its `auths`, the most specific key first
//!                             its `credsStore`
//!     ->  what other tools' variables give  ->  what the project names  ->  anonymous
//! ```
//!
//! What a project names comes last: a checkout must not replace the login of whoever works in it.
//!
//! The files are Podman's `auth.json` and Docker's `config.json`, which have the same form; a project's
//! `wasmcloud.toml` names one in the form of `wash`. The caller names all of them, and the directories to look for
//! helper programs in. A file that is not there is passed over; one that cannot be
//! read is an error, as is a helper that fails: going on without would turn a defect into a puzzling refusal.

mod fault;
mod file;
mod helper;
mod wash;

use std::fmt;
use std::path::PathBuf;

use wharf_oci::{Registry, RepositoryName};

use crate::{Credential, Error};
pub use fault::{CredentialFileFault, HelperFault};
use file::{CredentialFile, Found};
use helper::Helpers;

/// Where credentials come from.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    given: Vec<Given>,
    /// What is taken where no file has anything.
    fallbacks: Vec<Given>,
    wash_project: Option<PathBuf>,
    files: Vec<PathBuf>,
    helpers: Helpers,
}

/// A credential for one registry.
type Given = (Registry, Credential, CredentialSource);

impl Credentials {
    /// Adds a credential for a registry, which goes before all files. Of several for one registry, the first counts.
    #[must_use]
    pub fn with_given(mut self, registry: Registry, credential: Credential, source: CredentialSource) -> Self {
        self.given.push((registry, credential, source));
        self
    }

    /// Adds a credential for a registry, which counts where no file has one.
    #[must_use]
    pub fn with_fallback(mut self, registry: Registry, credential: Credential, source: CredentialSource) -> Self {
        self.fallbacks.push((registry, credential, source));
        self
    }

    /// Names the `wasmcloud.toml` of a project, whose `[registry]` may name a file in the form of `wash`. That comes
    /// after all else, and is only ever read.
    #[must_use]
    pub fn with_wash_project(mut self, path: impl Into<PathBuf>) -> Self {
        self.wash_project = Some(path.into());
        self
    }

    /// Adds a file in the form of Podman's `auth.json` or Docker's `config.json`, after those added before.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Adds a directory to look for the programs `docker-credential-NAME` in, after those added before.
    #[must_use]
    pub fn with_helper_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.helpers.add_directory(directory.into());
        self
    }

    /// Looks for the credential for a repository, or for the registry as a whole where none is named.
    ///
    /// # Errors
    /// [`Error::CredentialFile`] and [`Error::CredentialHelper`].
    pub async fn lookup(
        &self,
        registry: &Registry,
        repository: Option<&RepositoryName>,
    ) -> Result<Option<(Credential, CredentialSource)>, Error> {
        let of = |given: &[Given]| {
            let found = given.iter().find(|(known, ..)| known == registry);
            found.map(|(_, credential, source)| (credential.clone(), source.clone()))
        };
        if let Some(given) = of(&self.given) {
            return Ok(Some(given));
        }
        if let Some(kept) = self.lookup_in_files(registry, repository).await? {
            return Ok(Some(kept));
        }
        if let Some(fallback) = of(&self.fallbacks) {
            return Ok(Some(fallback));
        }
        let Some(project) = &self.wash_project else { return Ok(None) };
        let found = wash::lookup(project, registry)?;
        Ok(found.map(|(credential, path)| (credential, CredentialSource::Project(path))))
    }

    async fn lookup_in_files(
        &self,
        registry: &Registry,
        repository: Option<&RepositoryName>,
    ) -> Result<Option<(Credential, CredentialSource)>, Error> {
        for path in &self.files {
            let Some(file) = CredentialFile::read(path)? else { continue };
            for found in file.lookup(registry, repository)? {
                match found {
                    Found::Credential(credential) => {
                        return Ok(Some((credential, CredentialSource::File(path.clone()))));
                    }
                    Found::Helper(name) => {
                        if let Some(credential) = self.helpers.fetch(&name, registry).await? {
                            return Ok(Some((credential, CredentialSource::Helper(helper::program(&name)))));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    /// Keeps the credential for a registry, in the first file that is there, or else the last one named; through
    /// the helper that this file names for the registry, where it does.
    ///
    /// The file is replaced as a whole, readable by its owner alone; what else is in it stays. Returns where the
    /// credential is now.
    ///
    /// # Errors
    /// [`Error::NoCredentialFile`], [`Error::CredentialFile`] and [`Error::CredentialHelper`].
    pub async fn store(&self, registry: &Registry, credential: &Credential) -> Result<CredentialSource, Error> {
        let existing = self.files.iter().find(|path| path.exists());
        let path =
            existing.or(self.files.last()).ok_or_else(|| Error::NoCredentialFile { registry: registry.clone() })?;
        let mut file = CredentialFile::read(path)?.unwrap_or_else(|| CredentialFile::new(path));
        if let Some(name) = file.helper(registry)? {
            self.helpers.store(&name, registry, credential).await?;
            return Ok(CredentialSource::Helper(helper::program(&name)));
        }
        file.insert(registry, credential)?;
        file.write()?;
        Ok(CredentialSource::File(path.clone()))
    }

    /// Forgets the credentials for a registry as a whole, in all files and their helpers; those for single
    /// repositories of it stay. Returns where there were some.
    ///
    /// # Errors
    /// [`Error::CredentialFile`] and [`Error::CredentialHelper`].
    pub async fn erase(&self, registry: &Registry) -> Result<Vec<CredentialSource>, Error> {
        let mut erased = Vec::new();
        for path in &self.files {
            let Some(mut file) = CredentialFile::read(path)? else { continue };
            if let Some(name) = file.helper(registry)?
                && self.helpers.fetch(&name, registry).await?.is_some()
            {
                self.helpers.erase(&name, registry).await?;
                erased.push(CredentialSource::Helper(helper::program(&name)));
            }
            if file.remove(registry)? {
                file.write()?;
                erased.push(CredentialSource::File(path.clone()));
            }
        }
        Ok(erased)
    }
}

/// Where a credential comes from, for people to find the wrong one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialSource {
    /// There is none.
    Anonymous,
    /// The command line.
    CommandLine,
    /// An environment variable.
    Variable(String),
    /// A file that a project names.
    Project(PathBuf),
    /// A file.
    File(PathBuf),
    /// A helper program.
    Helper(String),
}

impl CredentialSource {
    /// Whether the credential was kept from an earlier day, and may be out of date without anybody's knowledge.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self, Self::Project(_) | Self::File(_) | Self::Helper(_))
    }
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("without a credential"),
            Self::CommandLine => formatter.write_str("with the credential from the command line"),
            Self::Variable(name) => write!(formatter, "with the credential from the variable {name}"),
            Self::Project(path) | Self::File(path) => write!(formatter, "with the credential from {}", path.display()),
            Self::Helper(program) => write!(formatter, "with the credential from `{program}`"),
        }
    }
}
