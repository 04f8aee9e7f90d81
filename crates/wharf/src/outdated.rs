//! `outdated`: tells which packages of a project have newer versions.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use wharf_package::{PackageName, Version, VersionReq, newest};

use crate::homes::Connect;
use crate::newer::Newer;
use crate::package_cache::PackageCache;
use crate::package_source::PackageSource;
use crate::project::Plan;
use crate::resolution::{PACKAGES_AT_ONCE, ProjectOptions};
use crate::{Cause, Error};

/// The packages that a project names, and their newer versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutdatedOutcome {
    /// The packages, sorted; one that is in use in several versions is there for each.
    pub packages: Vec<PackageInUse>,
}

/// A package that a project names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageInUse {
    /// Its name.
    pub name: String,
    /// The version in use; nothing where the WIT names none and none is locked yet.
    pub version: Option<Version>,
    /// The newest version that can take its place without a break, by the rules of semver.
    pub compatible: Option<Version>,
    /// The newest version; a pre-release only where one is in use, or where there is nothing else.
    pub newest: Option<Version>,
    /// Its registry, as the settings name it.
    pub registry: String,
    /// What asks for it: places in the WIT, or a `wkg.toml`.
    pub places: Vec<String>,
    /// Whether there is a newer version.
    pub is_outdated: bool,
    /// Whether the registry has the version in use.
    pub is_published: bool,
}

/// Tells which packages of a project have newer versions.
///
/// Each package costs one request, for the list of its tags; all are asked at the same time. Nothing is written.
///
/// ```no_run
/// use wharf::{Connect, Error, ProjectOptions, outdated};
///
/// # async fn example(connect: &dyn Connect, options: &ProjectOptions) -> Result<(), Error> {
/// for package in outdated(connect, options).await?.packages {
///     if package.is_outdated {
///         println!("{}: {:?}, newest {:?}", package.name, package.version, package.newest);
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Outdated`].
pub async fn outdated(connect: &dyn Connect, options: &ProjectOptions) -> Result<OutdatedOutcome, Error> {
    let run = async {
        let (project, plans) = options.plans().await?;
        let settings = options.sources.settings(&project.settings);
        let cache = PackageCache::open(&options.sources.cache).await?;
        let source = options.sources.open(connect, &settings, &cache, &project.locks);
        compare(&source, plans.iter().map(|(_, plan)| plan)).await
    };
    let packages = run.await.map_err(|source| Error::Outdated { project: options.folder.clone(), source })?;
    Ok(OutdatedOutcome { packages })
}

/// The versions of a package that are in use, and what asks for each.
type Used = BTreeMap<Option<Version>, Vec<String>>;

async fn compare(source: &PackageSource<'_>, plans: impl Iterator<Item = &Plan>) -> Result<Vec<PackageInUse>, Cause> {
    let mut used: BTreeMap<PackageName, Used> = BTreeMap::new();
    for needed in plans.flat_map(Plan::needs) {
        let version = match &needed.exact {
            Some(version) => Some(version.clone()),
            None => source.locked(needed)?,
        };
        let places = used.entry(needed.name.clone()).or_default().entry(version).or_default();
        if !places.contains(&needed.place) {
            places.push(needed.place.clone());
        }
    }
    let ask = async |(name, used): (PackageName, Used)| {
        // A package without any version is not there.
        let known = source.versions(&name, &[VersionReq::STAR]).await?;
        let registry = source.registry(&name)?.to_string();
        let in_use = used.into_iter().map(|(version, places)| {
            let is_published = version.as_ref().is_none_or(|version| known.contains(version));
            let newer = version.as_ref().map(|version| Newer::of(version, &known));
            let (compatible, newest) = match newer {
                Some(Newer { compatible, newest }) if is_published => (Some(compatible), Some(newest)),
                _ => (None, newest(&known).cloned()),
            };
            let is_outdated = version.is_some() && version != newest;
            let (name, registry) = (name.to_string(), registry.clone());
            PackageInUse { name, version, compatible, newest, registry, places, is_outdated, is_published }
        });
        Ok::<Vec<_>, Cause>(in_use.collect())
    };
    let packages: Vec<_> = stream::iter(used).map(ask).buffered(PACKAGES_AT_ONCE).try_collect().await?;
    Ok(packages.concat())
}
