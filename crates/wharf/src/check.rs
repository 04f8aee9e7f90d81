//! `check`: tells whether the packages of a project can be built, and whether their versions say what changed.

use serde::Serialize;
use wharf_oci::Digest;
use wharf_package::{PackageName, Version};

use crate::diff::DiffOutcome;
use crate::encoding::EncodedPackage;
use crate::homes::{Connect, Network};
use crate::package_cache::PackageCache;
use crate::package_source::PackageSource;
use crate::project::registry_name;
use crate::published::{Offered, neighbours};
use crate::resolution::ProjectOptions;
use crate::{Cause, Error};

/// What to check.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// The project, and where its packages come from.
    pub project: ProjectOptions,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckOutcome {
    /// The packages, each after those of the project that it needs.
    pub packages: Vec<CheckedPackage>,
    /// How `wkg.lock` would change: what would be added and taken out. Nothing where there is none.
    pub lock_changes: Vec<String>,
    /// Whether what the packages need was taken from `wit/deps` as it lies there.
    pub is_vendored: bool,
    /// Whether all is as it should be.
    pub is_good: bool,
}

/// A package that can be built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedPackage {
    /// Its name.
    pub name: String,
    /// The version, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The digest of the Wasm.
    pub digest: Digest,
    /// What it could be compared with.
    pub standing: Standing,
    /// What changed since the published version below it, and up to the one above it; where the version itself is
    /// published, how this is different from it.
    pub comparisons: Vec<DiffOutcome>,
}

/// What a package can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing: it has no version.
    Unversioned,
    /// Nothing: no registry may be asked.
    Offline,
    /// Nothing: no registry is known that would have it.
    NoRegistry,
    /// Nothing: no version is published that its version counts as compatible with.
    Unpublished,
    /// Versions that are published.
    Published,
}

/// Builds the packages of a project without writing them, and compares each with what is published of it.
///
/// # Errors
/// [`Error::Check`], where a package cannot be built, or not be compared.
pub async fn check(connect: &dyn Connect, options: &CheckOptions) -> Result<CheckOutcome, Error> {
    let failed = |source| Error::Check { project: options.project.folder.clone(), source };
    run(connect, &options.project).await.map_err(failed)
}

async fn run(connect: &dyn Connect, options: &ProjectOptions) -> Result<CheckOutcome, Cause> {
    let encoded = options.encode(connect).await?;
    let lock_changes = match encoded.check_lock(options.locking) {
        Err(Cause::LockOutdated { changes }) => changes,
        checked => checked.map(|()| Vec::new())?,
    };
    let cache = PackageCache::open(&options.sources.cache).await?;
    let project = &encoded.ready.project;
    let settings = options.sources.settings(&project.settings);
    let source = options.sources.open(connect, &settings, &cache, &project.locks);
    let mut packages = Vec::new();
    for package in &encoded.packages {
        packages.push(compared(&source, package).await?);
    }
    let is_honest = |package: &CheckedPackage| package.comparisons.iter().all(|compared| compared.compatible);
    let is_good = lock_changes.is_empty() && packages.iter().all(is_honest);
    Ok(CheckOutcome { packages, lock_changes, is_vendored: encoded.is_vendored, is_good })
}

/// Compares a package with what is published of it.
async fn compared(source: &PackageSource<'_>, package: &EncodedPackage) -> Result<CheckedPackage, Cause> {
    let wharf_wit::PackageName { namespace, name, version } = package.name();
    let whole_name = format!("{namespace}:{name}");
    let (standing, comparisons) = match version {
        None => (Standing::Unversioned, Vec::new()),
        Some(_) if source.homes.network == Network::Offline => (Standing::Offline, Vec::new()),
        Some(version) => {
            let name = registry_name(package.name(), package.wit.display())?;
            compare(source, (&name, version), package).await?
        }
    };
    let (version, digest) = (version.clone(), package.digest.clone());
    Ok(CheckedPackage { name: whole_name, version, digest, standing, comparisons })
}

async fn compare(
    source: &PackageSource<'_>,
    (name, version): (&PackageName, &Version),
    package: &EncodedPackage,
) -> Result<(Standing, Vec<DiffOutcome>), Cause> {
    let published = match source.published(name).await {
        Err(Cause::NoHome { .. }) => return Ok((Standing::NoRegistry, Vec::new())),
        published => published?,
    };
    let target = package.wit.display().to_string();
    let offered = Offered { name, version, target: &target, resolved: &package.resolved };
    let mut comparisons = Vec::new();
    for published in neighbours(version, &published) {
        comparisons.push(source.compare(offered, published).await?);
    }
    let standing = if comparisons.is_empty() { Standing::Unpublished } else { Standing::Published };
    Ok((standing, comparisons))
}
