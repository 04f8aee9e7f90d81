//! Which version of each package is taken.
//!
//! What is here (the project, the members of its workspace, packages in folders beside it) demands packages; registries
//! have versions of them. A published package holds all that it uses, so that what a registry has demands nothing.
//!
//! ```text
//!   acme:app ──── acme:log  ^1         ──┐
//!      │    └──── wasi:io   @0.2.3     ──┼──> one choice for all open demands on acme:log: 1.4.0
//!      └───> ../lib ── acme:log  >=1.2 ──┘    one choice for each exact demand on wasi:io: 0.2.3, 0.2.9
//!                 └─── wasi:io   @0.2.9
//! ```
//!
//! The rules:
//!
//! 1. A demand that names a version exactly, as WIT does, is met by that version alone. Several such versions of one
//!    package stand side by side.
//! 2. All other demands on one package have one choice, which meets all of them. It is a version that
//!    is demanded exactly anyway; else one that is locked; else the newest, a release before a pre-release.
//! 3. A requirement is met as semver has it; `*` by all versions, so that it leads to a pre-release where there is no
//!    release.
//! 4. What is here goes before what registries have, and meets all demands on its name but those that name another
//!    version exactly.
//!
//! The search and the proof that there is no answer are PubGrub's; [`Conflict`] puts the proof into words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use semver::{Version, VersionReq};

use crate::{PackageName, PackageSpec, exactly};

mod conflict;
mod cycle;
mod solver;
#[cfg(test)]
mod testing;

pub use conflict::{Conflict, Demanded, Supply};
pub use cycle::Cycle;

/// What is demanded of a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Requirement {
    /// This version, with its build metadata, as `wasi:io@0.2.3` in WIT has it.
    Exactly(Version),
    /// Any version that meets this: a range of `[overrides]`, or `*` where WIT names no version.
    Open(VersionReq),
}

/// A demand on a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The package.
    pub package: PackageName,
    /// Which versions of it will do.
    pub requirement: Requirement,
    /// Where that is written, such as `wit/world.wit:4:10` or `wkg.toml`.
    pub place: Option<String>,
}

/// A package that is here, and what it demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirer {
    /// The package, where it goes before all that registries have under its name; nothing where it is only what demands,
    /// as the project is, and other versions of it may stand beside it.
    pub package: Option<PackageSpec>,
    /// What people know it by, such as its name, or the folder it is in.
    pub label: String,
    /// What it demands.
    pub demands: Vec<Demand>,
}

/// All that bears on which versions are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// What is here. Each counts, whether another demands it or not.
    pub requirers: Vec<Requirer>,
    /// The versions that registries have. A package that is not in it has not been asked for: exact demands on it are
    /// taken at their word, and open ones met by what is locked or demanded exactly.
    pub versions: BTreeMap<PackageName, Vec<Version>>,
    /// The versions that open demands led to before. They count as there, whatever [`versions`](Self::versions) says.
    pub locked: BTreeMap<PackageName, BTreeSet<Version>>,
}

/// What a demand has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The package.
    pub package: PackageName,
    /// What was demanded of it.
    pub requirement: Requirement,
    /// What is taken.
    pub taken: Taken,
}

/// What is taken for a demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A package that is here.
    Here {
        /// What people know it by.
        label: String,
        /// Its version, where it says one.
        version: Option<Version>,
    },
    /// A version that a registry has.
    Version(Version),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unresolvable {
    /// Demands that no version meets, or none meets together.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// What is here demands itself, directly or by way of others.
    #[error(transparent)]
    Cycle(#[from] Cycle),
}

impl Requirement {
    /// Returns what `wkg.lock` says for it.
    ///
    /// Versions that differ in their build metadata alone have the same there.
    #[must_use]
    pub fn to_version_req(&self) -> VersionReq {
        match self {
            Self::Exactly(version) => exactly(version),
            Self::Open(requirement) => requirement.clone(),
        }
    }

    /// Whether a version meets it.
    #[must_use]
    pub fn is_met_by(&self, version: &Version) -> bool {
        match self {
            Self::Exactly(exact) => exact == version,
            Self::Open(requirement) => *requirement == VersionReq::STAR || requirement.matches(version),
        }
    }
}

impl Problem {
    /// Chooses a version for every demand. The choices are in the order of the demands, each once.
    ///
    /// # Errors
    /// [`Unresolvable`], where there is no answer.
    pub fn resolve(&self) -> Result<Vec<Choice>, Unresolvable> {
        cycle::in_order(&self.requirers)?;
        Ok(solver::solve(self)?)
    }

    /// Returns the packages whose versions a registry has to be asked for, because neither what is here nor what is
    /// locked or demanded exactly meets the open demands on them.
    #[must_use]
    pub fn unlisted(&self) -> BTreeSet<&PackageName> {
        let is_open = |demand: &&Demand| matches!(demand.requirement, Requirement::Open(_));
        let open = self.demands().filter(is_open).map(|demand| &demand.package);
        open.filter(|package| self.is_unlisted(package)).collect()
    }

    fn is_unlisted(&self, package: &PackageName) -> bool {
        if self.versions.contains_key(package) || self.here(package).next().is_some() {
            return false;
        }
        let known = self.locked_of(package).chain(self.demanded_exactly(package));
        !known.into_iter().any(|version| self.open_demands(package).all(|demand| demand.requirement.is_met_by(version)))
    }

    fn demands(&self) -> impl Iterator<Item = &Demand> {
        self.requirers.iter().flat_map(|requirer| &requirer.demands)
    }

    fn demands_on(&self, package: &PackageName) -> impl Iterator<Item = &Demand> {
        self.demands().filter(move |demand| demand.package == *package)
    }

    fn open_demands(&self, package: &PackageName) -> impl Iterator<Item = &Demand> {
        self.demands_on(package).filter(|demand| matches!(demand.requirement, Requirement::Open(_)))
    }

    fn demanded_exactly(&self, package: &PackageName) -> impl Iterator<Item = &Version> {
        self.demands_on(package).filter_map(|demand| match &demand.requirement {
            Requirement::Exactly(version) => Some(version),
            Requirement::Open(_) => None,
        })
    }

    fn locked_of(&self, package: &PackageName) -> impl Iterator<Item = &Version> {
        self.locked.get(package).into_iter().flatten()
    }

    fn here(&self, package: &PackageName) -> impl Iterator<Item = &Requirer> {
        self.requirers.iter().filter(move |requirer| requirer.name() == Some(package))
    }
}

impl Requirer {
    fn name(&self) -> Option<&PackageName> {
        self.package.as_ref().map(|package| &package.name)
    }

    fn version(&self) -> Option<&Version> {
        self.package.as_ref()?.version.as_ref()
    }

    /// Whether this is taken for a demand on its name.
    fn answers(&self, requirement: &Requirement) -> bool {
        match requirement {
            Requirement::Exactly(version) => self.version() == Some(version),
            Requirement::Open(_) => true,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(version) => version.fmt(formatter),
            Self::Open(requirement) => requirement.fmt(formatter),
        }
    }
}
