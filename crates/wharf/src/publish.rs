//! `publish`: puts packages into their registries, after all of them were checked.
//!
//! ```text
//!   folders ──encode──┐                ┌─ there already? ─┐
//!                     ├─> offers, each ┤                  ├─ all good ─> one after the other:
//!   files ────read────┘                └─ a break? ───────┘              copy ─> is the tag still free? ─> tag
//! ```

mod offer;
mod plan;
mod send;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use wharf_oci::{Digest, Progress};
use wharf_package::{PackageSpec, RegistryName, Settings};

use self::offer::Offer;
use self::plan::Plan;
use crate::Error;
use crate::homes::Connect;
use crate::package_cache::PackageCache;
use crate::package_source::PackageSource;
use crate::project::Locks;
use crate::resolution::{Locking, Sources};

/// Packages that are looked for at the same time.
const PACKAGES_AT_ONCE: usize = 16;

/// What to publish, and what may be in the way.
#[derive(Debug, Clone)]
pub struct PublishOptions {
    /// What to publish: folders of WIT, or files of Wasm.
    pub paths: Vec<PathBuf>,
    /// Whether the paths are packages.
    pub selection: Selection,
    /// What the only package is published as: a component does not say it itself. It has to agree with what WIT says.
    pub package: Option<PackageSpec>,
    /// Where to publish, whatever the settings say; what the packages need comes from where these say.
    pub registry: Option<RegistryName>,
    /// Where packages come from that are needed.
    pub sources: Sources,
    /// Whether there may be no lock file. None is written, and one that is there has to be as it would be written.
    pub locking: Locking,
    /// Whether to publish indeed.
    pub mode: PublishMode,
    /// What to do with a version that is published already.
    pub duplicates: Duplicates,
    /// Whether a version may break who uses one that it counts as compatible with.
    pub breaks: BreakPolicy,
    /// Seconds since 1970 that the artifacts say they were made at; 0 where nothing is given.
    pub created: Option<i64>,
    /// The folder for temporary files.
    pub scratch: PathBuf,
}

/// Whether paths are packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Selection {
    /// Each is a package.
    #[default]
    Paths,
    /// Each is a workspace, of which all members are meant.
    Workspace,
}

/// Whether to publish indeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PublishMode {
    /// Publish.
    #[default]
    Publish,
    /// Do all that comes before it.
    DryRun,
}

/// What to do with a version that is published already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// Fail.
    #[default]
    Refuse,
    /// Leave it as it is.
    Skip,
}

/// Whether a version may break who uses one that it counts as compatible with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BreakPolicy {
    /// It may not.
    #[default]
    Refuse,
    /// It may, and nothing is compared.
    Allow,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishOutcome {
    /// The packages, each after those that it needs.
    pub packages: Vec<PublishedPackage>,
}

/// A package, and what was done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishedPackage {
    /// Its name.
    pub name: String,
    /// The version.
    pub version: String,
    /// What was done.
    pub status: PublishStatus,
    /// What is published, pinned: `host/repository@digest`; where that is a folder, the file.
    pub reference: String,
    /// The digest of the Wasm here.
    pub digest: Digest,
    /// Whether other Wasm is published as this version, and was left as it is.
    pub is_other: bool,
}

/// What was done with a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublishStatus {
    /// It is published now.
    Published,
    /// It was published before.
    Skipped,
    /// It would be published.
    WouldPublish,
}

/// Publishes packages: each as an artifact that is named by its version.
///
/// A version is never replaced. All packages are built, looked for, and compared with their neighbours in the registry
/// before the first one is sent; a package is sent after those that it needs. The same package gives the same artifact.
///
/// ```no_run
/// use std::sync::Arc;
/// use wharf::client::{Client, ClientOptions};
/// use wharf::oci::{NoProgress, Progress, Registry};
/// use wharf::packages::{Config, RegistrySettings};
/// use wharf::{PublishOptions, Sources};
///
/// /// Reaches each registry with the credentials of this user.
/// #[derive(Debug)]
/// struct Registries;
///
/// impl wharf::Connect for Registries {
///     fn client(&self, _: &Registry, _: Option<&RegistrySettings>) -> Result<Client, wharf::client::Error> {
///         Client::new(ClientOptions::default())
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let sources = Sources {
///     config: Config::parse("default_registry = \"registry.example\"")?,
///     cache: ".cache".into(),
///     network: wharf::Network::Online,
///     may_move: Vec::new(),
/// };
/// let options = PublishOptions::new("wit", sources, std::env::temp_dir());
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let outcome = wharf::publish(&Registries, &options, &progress).await?;
/// println!("{}", outcome.packages[0].reference);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Publish`], which says what was published before it failed.
pub async fn publish(
    connect: &dyn Connect,
    options: &PublishOptions,
    progress: &Arc<dyn Progress>,
) -> Result<PublishOutcome, Error> {
    let failed = |source| {
        let paths: Vec<_> = options.paths.iter().map(|path| format!("`{}`", path.display())).collect();
        Error::Publish { what: paths.join(", "), published: Vec::new(), source }
    };
    let offers = Offer::all(connect, options).await.map_err(failed)?;
    let cache = PackageCache::open(&options.sources.cache).await.map_err(failed)?;
    // Where a package came from before, as somebody else's, says nothing of where it goes.
    let locks = Locks::default();
    let settings = options.settings(&offers);
    let sources: Vec<_> =
        settings.iter().map(|settings| options.sources.open(connect, settings, &cache, &locks)).collect();
    let mut outcome = PublishOutcome { packages: Vec::new() };
    for plan in plans(&sources, options, offers).await? {
        let what = format!("`{}` to `{}`", plan.spec(), plan.place());
        match plan.carry_out(options.mode, progress).await {
            Ok(package) => outcome.packages.push(package),
            Err(source) => return Err(Error::Publish { what, published: outcome.published(), source }),
        }
    }
    Ok(outcome)
}

/// Checks all that is to be published.
async fn plans(
    sources: &[PackageSource<'_>],
    options: &PublishOptions,
    offers: Vec<Offer>,
) -> Result<Vec<Plan>, Error> {
    let plan = async |offer: Offer| {
        let what = format!("`{}`", offer.spec());
        let is_its = |source: &&PackageSource<'_>| source.homes.settings.project == offer.settings;
        let source = sources.iter().find(is_its).expect("there is one for the settings of each offer");
        let planned = Plan::new(source, options, offer).await;
        planned.map_err(|source| Error::Publish { what, published: Vec::new(), source })
    };
    stream::iter(offers).map(plan).buffered(PACKAGES_AT_ONCE).try_collect().await
}

impl PublishOptions {
    /// Publishes the package at `path` where the settings say, if it is new and breaks nothing.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, sources: Sources, scratch: PathBuf) -> Self {
        Self {
            paths: vec![path.into()],
            selection: Selection::default(),
            package: None,
            registry: None,
            sources,
            locking: Locking::default(),
            mode: PublishMode::default(),
            duplicates: Duplicates::default(),
            breaks: BreakPolicy::default(),
            created: None,
            scratch,
        }
    }

    /// Returns the settings of all that is to be published, each once, so that a registry is asked once where its
    /// packages are.
    fn settings(&self, offers: &[Offer]) -> Vec<Settings> {
        let mut projects: Vec<_> = offers.iter().map(|offer| &offer.settings).collect();
        let mut each = Vec::new();
        while let Some(project) = projects.pop() {
            projects.retain(|other| *other != project);
            let (config, flag) = (self.sources.config.clone(), self.registry.clone());
            each.push(Settings { config, project: project.clone(), flag });
        }
        each
    }
}

impl PublishOutcome {
    /// Returns what was published.
    fn published(&self) -> Vec<String> {
        let published = self.packages.iter().filter(|package| package.status == PublishStatus::Published);
        published.map(|package| format!("`{}@{}`", package.name, package.version)).collect()
    }
}
