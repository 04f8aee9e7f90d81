//! The arguments of all commands that work on a project of WIT.

use std::path::PathBuf;

use clap::ValueEnum;
use wharf::packages::PackageName;
use wharf::{DepsForm, FetchOptions, Locking, Network, ProjectOptions, Sources};

use crate::context::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::registries::{Registries, RegistriesArgs};

/// Whether lock files may change, and where packages come from.
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectArgs {
    /// Fail where a lock file would change
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

/// Which project changes, and how what it then needs is fetched.
#[derive(Debug, clap::Args)]
pub(crate) struct EditedProjectArgs {
    /// A folder of WIT, one with a folder `wit`, or a member of a workspace
    #[arg(long = "wit-dir", short = 'd', value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// What to write to wit/deps: text, or the Wasm of each package that the WIT names
    #[arg(long = "type", short = 't', value_name = "TYPE", value_enum, default_value_t = Type::Wit)]
    form: Type,
    #[command(flatten)]
    sources: SourcesArgs,
}

/// What a folder `deps` is to hold.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Type {
    Wit,
    Wasm,
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

impl EditedProjectArgs {
    /// Returns how to fetch for the project.
    pub(crate) fn options(&self, context: &Context) -> Result<FetchOptions, Failure> {
        let sources = self.sources.options(&context.environment)?;
        let project = ProjectOptions { folder: self.folder.clone(), sources, locking: Locking::Update };
        Ok(FetchOptions { project, form: self.form.into() })
    }

    /// Returns what reaches the registries.
    pub(crate) fn registries<'a>(&self, context: &'a Context) -> Result<Registries<'a>, Failure> {
        self.sources.registries(context)
    }
}

impl SourcesArgs {
    /// Returns where packages come from.
    pub(crate) fn options(&self, environment: &Environment) -> Result<Sources, Failure> {
        let cache = self.cache(environment);
        self.options_with(
            cache.ok_or_else(|| Failure::Usage("there is no HOME for packages: pass --cache".to_owned()))?,
            environment,
        )
    }

    /// Returns where packages come from, which are kept in the folder `cache`.
    pub(crate) fn options_with(&self, cache: PathBuf, environment: &Environment) -> Result<Sources, Failure> {
        Ok(Sources {
            config: self.registries.settings(environment)?,
            cache,
            network: if self.offline { Network::Offline } else { Network::Online },
            may_move: self.allow_move.clone(),
        })
    }

    /// Returns what reaches the registries.
    pub(crate) fn registries<'a>(&self, context: &'a Context) -> Result<Registries<'a>, Failure> {
        self.registries.registries(context)
    }

    /// Returns the folder in which packages are kept.
    pub(crate) fn cache(&self, environment: &Environment) -> Option<PathBuf> {
        self.cache.as_ref().or(environment.package_cache.as_ref()).cloned()
    }
}

impl From<Type> for DepsForm {
    fn from(form: Type) -> Self {
        match form {
            Type::Wit => Self::Wit,
            Type::Wasm => Self::Wasm,
        }
    }
}
