//! The arguments of all commands that work on a project of WIT.

use std::path::PathBuf;

use wharf::packages::PackageName;
use wharf::{Locking, Network, ProjectOptions, Sources};

use crate::context::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::registries::{Registries, RegistriesArgs};

/// Whether lock files may change, and where packages come from.
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectArgs {
    /// Fail where wkg.lock would change
    #[arg(long)]
    locked: bool,
    /// The same as --locked --offline
    #[arg(long)]
    frozen: bool,
    #[command(flatten)]
    sources: SourcesArgs,
}

/// Where packages come from.
#[derive(Debug, clap::Args)]
pub(crate) struct SourcesArgs {
    /// Ask no registry
    #[arg(long)]
    offline: bool,
    /// Take this package from where the settings say, though it came from elsewhere before; can be given several times
    #[arg(long, value_name = "PACKAGE")]
    allow_move: Vec<PackageName>,
    /// Folder in which packages are kept for the next time [env: WHARF_CACHE_DIR] [default: ~/.cache/wharf]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    #[command(flatten)]
    registries: RegistriesArgs,
}

impl ProjectArgs {
    /// Returns how to work on the project in `folder`.
    pub(crate) fn options(&self, folder: PathBuf, environment: &Environment) -> Result<ProjectOptions, Failure> {
        let mut sources = self.sources.options(environment)?;
        if self.frozen {
            sources.network = Network::Offline;
        }
        let locking = if self.locked || self.frozen { Locking::Locked } else { Locking::Update };
        Ok(ProjectOptions { folder, sources, locking })
    }

    /// Returns what reaches the registries.
    pub(crate) fn registries<'a>(&self, context: &'a Context) -> Result<Registries<'a>, Failure> {
        self.sources.registries(context)
    }
}

impl SourcesArgs {
    /// Returns where packages come from.
    pub(crate) fn options(&self, environment: &Environment) -> Result<Sources, Failure> {
        Ok(Sources {
            config: self.registries.settings(environment)?,
            cache: self.cache(environment)?,
            network: if self.offline { Network::Offline } else { Network::Online },
            may_move: self.allow_move.clone(),
        })
    }

    /// Returns what reaches the registries.
    pub(crate) fn registries<'a>(&self, context: &'a Context) -> Result<Registries<'a>, Failure> {
        self.registries.registries(context)
    }

    /// Returns the folder in which packages are kept.
    fn cache(&self, environment: &Environment) -> Result<PathBuf, Failure> {
        let folder = self.cache.as_ref().or(environment.package_cache.as_ref()).cloned();
        folder.ok_or_else(|| Failure::Usage("there is no HOME for packages: pass --cache".to_owned()))
    }
}
