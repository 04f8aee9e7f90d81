//! `update`: chooses anew what the lock files of a project hold, and fetches that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use wharf_package::{PackageName, PackageSpec, Version, near};

use crate::blocking::blocking;
use crate::fetch::write;
use crate::homes::{Connect, Network};
use crate::newer::Newer;
use crate::package_cache::PackageCache;
use crate::package_source::{Brought, PackageSource};
use crate::project::{Needed, Plan, definitions};
use crate::resolution::{PACKAGES_AT_ONCE, ProjectOptions, Ready, bring_all};
use crate::{Cause, DepsForm, Error, FetchOptions};

/// What to choose anew, and how to fetch it.
#[derive(Debug, Clone)]
pub struct UpdateOptions {
    /// The project, and where its packages come from.
    pub project: ProjectOptions,
    /// The packages to choose anew; all where none is named.
    pub packages: Vec<PackageName>,
    /// What `wit/deps` is to hold.
    pub form: DepsForm,
    /// Whether the project changes.
    pub mode: UpdateMode,
}

/// Whether a project changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UpdateMode {
    /// Folders `deps` and lock files are written.
    #[default]
    Write,
    /// Only what would change is told.
    DryRun,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateOutcome {
    /// The packages whose version was chosen anew, in the order in which the project names them.
    pub packages: Vec<UpdatedPackage>,
    /// The packages whose version stands in the WIT, and that have a newer one which breaks nothing.
    pub pinned: Vec<PinnedPackage>,
    /// Whether a folder `deps` or a lock file changed.
    pub is_changed: bool,
}

/// A package whose version was chosen anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdatedPackage {
    /// Its name.
    pub name: String,
    /// Which versions will do.
    pub requirement: String,
    /// The version that was locked; nothing where none was.
    pub old: Option<Version>,
    /// The version that was chosen.
    pub new: Version,
}

/// A package whose version the WIT names, and that has a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PinnedPackage {
    /// Its name.
    pub name: String,
    /// The version that the WIT names.
    pub version: Version,
    /// The newest that can take its place without a break, by the rules of semver.
    pub compatible: Version,
    /// Where the WIT names it first.
    pub place: String,
    /// The folder that stands for that package of the project alone, as [`add`](crate::add()) takes it.
    pub folder: PathBuf,
}

/// Chooses anew the versions that neither the WIT nor `wkg.toml` names exactly, and fetches what was chosen.
///
/// A version that has other content today than when it was locked is refused here too. Of what the WIT pins, the list of
/// versions is asked for, where registries may be asked, to tell what is newer.
///
/// ```no_run
/// use wharf::{Connect, DepsForm, Error, ProjectOptions, UpdateMode, UpdateOptions, update};
///
/// # async fn example(connect: &dyn Connect, project: ProjectOptions) -> Result<(), Error> {
/// let packages = Vec::new();
/// let options = UpdateOptions { project, packages, form: DepsForm::Wit, mode: UpdateMode::DryRun };
/// for package in update(connect, &options).await?.packages {
///     println!("{}: {:?} -> {}", package.name, package.old, package.new);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Update`]. The project is then as it was before.
pub async fn update(connect: &dyn Connect, options: &UpdateOptions) -> Result<UpdateOutcome, Error> {
    let project = options.project.folder.clone();
    run(connect, options).await.map_err(|source| Error::Update { project, source })
}

async fn run(connect: &dyn Connect, options: &UpdateOptions) -> Result<UpdateOutcome, Cause> {
    let sources = &options.project.sources;
    let (project, plans) = options.project.plans().await?;
    let needs = each_once(plans.iter().flat_map(|(_, plan)| plan.needs()));
    check_used(&options.packages, plans.iter().map(|(_, plan)| plan))?;
    let is_meant = |needed: &Needed| options.packages.is_empty() || options.packages.contains(&needed.name);
    let open: Vec<_> = needs.into_iter().filter(|needed| is_meant(needed) && needed.exact.is_none()).collect();
    let mut exact = Vec::new();
    for (index, plan) in &plans {
        let folder = match plans.as_slice() {
            [_] => &options.project.folder,
            _ => &project.packages[*index].wit,
        };
        let needs = each_once(plan.needs()).into_iter().filter(|needed| is_meant(needed) && needed.exact.is_some());
        exact.extend(needs.map(|needed| (folder.clone(), needed)));
    }
    let cache = PackageCache::open(&sources.cache).await?;
    let settings = sources.settings(&project.settings);
    let source = sources.open(connect, &settings, &cache, &project.locks);
    let locked = open.iter().map(|needed| source.locked(needed)).collect::<Result<Vec<_>, _>>()?;
    let anew = open.iter().map(|needed| needed.name.clone()).collect();
    let (brought, pinned) = tokio::try_join!(bring_all(&source, &plans, &anew), pinned(&source, &exact))?;
    let chosen = open.iter().zip(locked).filter_map(|(needed, old)| {
        let is_it = |it: &&Brought| it.wanted.name == needed.name && it.wanted.requirement == needed.requirement;
        let new = brought.iter().flatten().find(is_it)?.wanted.version.clone();
        Some(UpdatedPackage { name: needed.name.to_string(), requirement: needed.requirement.to_string(), old, new })
    });
    let packages = chosen.collect();
    let is_changed = finish(Ready::new(project, plans, brought), options).await?;
    Ok(UpdateOutcome { packages, pinned, is_changed })
}

/// Returns what is needed, each package and requirement once.
fn each_once<'a>(needs: impl Iterator<Item = &'a Needed>) -> Vec<Needed> {
    let mut each: Vec<Needed> = Vec::new();
    for needed in needs {
        let is_it =
            |it: &Needed| (&it.name, &it.requirement, &it.exact) == (&needed.name, &needed.requirement, &needed.exact);
        if !each.iter().any(is_it) {
            each.push(needed.clone());
        }
    }
    each
}

/// Fails where a package was named that the project does not use.
fn check_used<'a>(asked: &[PackageName], plans: impl Iterator<Item = &'a Plan>) -> Result<(), Cause> {
    let mut used = BTreeSet::new();
    for plan in plans {
        let here = plan.given.iter().flat_map(definitions);
        used.extend(plan.needs().map(|needed| needed.name.clone()));
        used.extend(here.filter_map(|it| format!("{}:{}", it.namespace, it.name).parse().ok()));
    }
    match asked.iter().find(|package| !used.contains(package)) {
        None => Ok(()),
        Some(package) => {
            let spec = |name: &PackageName| PackageSpec { name: name.clone(), version: None };
            let near = near(package, &used).into_iter().map(spec).collect();
            Err(Cause::NotUsed { package: spec(package), near })
        }
    }
}

/// Finds what is newer than the versions that the WIT names; nothing where registries may not be asked.
async fn pinned(source: &PackageSource<'_>, exact: &[(PathBuf, Needed)]) -> Result<Vec<PinnedPackage>, Cause> {
    if source.homes.network == Network::Offline {
        return Ok(Vec::new());
    }
    let mut names: Vec<&PackageName> = exact.iter().map(|(_, needed)| &needed.name).collect();
    names.sort();
    names.dedup();
    let ask = async |name| Ok::<_, Cause>((name, source.versions(name, &[]).await?));
    let known: BTreeMap<_, _> = stream::iter(names).map(ask).buffered(PACKAGES_AT_ONCE).try_collect().await?;
    let newer = exact.iter().filter_map(|(folder, needed)| {
        let version = needed.exact.clone()?;
        let Newer { compatible, .. } = Newer::of(&version, known.get(&needed.name)?);
        let (name, place, folder) = (needed.name.to_string(), needed.place.clone(), folder.clone());
        (compatible != version).then_some(PinnedPackage { name, version, compatible, place, folder })
    });
    Ok(newer.collect())
}

/// Writes what was chosen, or tries whether it fits together; tells whether the project changed.
async fn finish(ready: Ready, options: &UpdateOptions) -> Result<bool, Cause> {
    match options.mode {
        UpdateMode::Write => {
            let options = FetchOptions { project: options.project.clone(), form: options.form };
            Ok(write(ready, &options).await?.is_changed)
        }
        UpdateMode::DryRun => {
            blocking(move || ready.packages.iter().try_for_each(|package| package.merge().map(drop))).await?;
            Ok(false)
        }
    }
}
