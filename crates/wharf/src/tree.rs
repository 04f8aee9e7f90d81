//! `tree`: tells which packages a project uses, which of them use which, and where each is from.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wharf_package::{PackageSpec, near};
use wharf_wit::Document;

use crate::blocking::blocking;
use crate::homes::Connect;
use crate::package_source::{Brought, Wanted};
use crate::project::{LocalPackage, definitions, held};
use crate::resolution::{Locking, ProjectOptions, Ready, ReadyPackage};
use crate::{Cause, Error};

/// Of which project to tell, and from which end.
#[derive(Debug, Clone)]
pub struct TreeOptions {
    /// The project, and where its packages come from.
    pub project: ProjectOptions,
    /// The package to start at, to tell what uses it; where none is given, what the project uses is told.
    pub invert: Option<PackageSpec>,
}

/// The packages of a project as a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeOutcome {
    /// Where to start: the packages of the project, or the one that was asked for in all its versions.
    pub roots: Vec<String>,
    /// Which way to go from there.
    pub direction: Direction,
    /// All packages, by name and version, such as `wasi:io@0.2.3`.
    pub packages: BTreeMap<String, PackageNode>,
}

/// Which way a tree grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// From a package to those that it uses.
    Uses,
    /// From a package to those that use it.
    UsedBy,
}

/// A package in a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageNode {
    /// Where it is from.
    pub origin: PackageOrigin,
    /// The packages that it uses, by name and version.
    pub uses: BTreeSet<String>,
}

/// Where a package is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum PackageOrigin {
    /// It is a package of the project.
    Project {
        /// The folder of its WIT.
        path: String,
    },
    /// It is in a folder that a `wkg.toml` names.
    Override {
        /// The folder of its WIT.
        path: String,
    },
    /// It was put into `deps` by hand.
    ByHand {
        /// Where it is there.
        path: String,
    },
    /// It comes from a registry.
    Registry {
        /// The registry, as the settings name it.
        registry: String,
        /// Where that keeps it; nothing where it is a folder of this machine.
        repository: Option<String>,
    },
    /// It comes inside of others: nested in text, or as the part of it that others in Wasm take something from.
    Within {
        /// Those packages, by name and version.
        packages: BTreeSet<String>,
    },
}

/// Tells which packages a project uses, which of them use which, and where each is from.
///
/// What is not locked and kept here is brought for it, as [`fetch`](crate::fetch) does. The project stays as it is.
///
/// ```no_run
/// use wharf::{Connect, Error, ProjectOptions, TreeOptions, tree};
///
/// # async fn example(connect: &dyn Connect, project: ProjectOptions) -> Result<(), Error> {
/// let outcome = tree(connect, &TreeOptions { project, invert: None }).await?;
/// for root in &outcome.roots {
///     println!("{root} uses {:?}", outcome.packages[root].uses);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Tree`].
pub async fn tree(connect: &dyn Connect, options: &TreeOptions) -> Result<TreeOutcome, Error> {
    let project = options.project.folder.clone();
    let run = async {
        let ready = options.project.ready(connect).await?;
        if options.project.locking == Locking::Locked {
            ready.check_locked(&ready.locks(BTreeMap::new()))?;
        }
        let invert = options.invert.clone();
        blocking(move || graph(&ready, invert.as_ref())).await
    };
    run.await.map_err(|source| Error::Tree { project, source })
}

fn graph(ready: &Ready, invert: Option<&PackageSpec>) -> Result<TreeOutcome, Cause> {
    let (mut roots, mut packages) = (Vec::new(), BTreeMap::new());
    for package in &ready.packages {
        roots.push(package.plan.root.name().to_string());
        add(&mut packages, ready, package)?;
    }
    roots.sort();
    match invert {
        None => Ok(TreeOutcome { roots, direction: Direction::Uses, packages }),
        Some(spec) => {
            let roots = versions_of(spec, &packages)?;
            Ok(TreeOutcome { roots, direction: Direction::UsedBy, packages })
        }
    }
}

/// Adds a package of the project, and all that it needs.
fn add(packages: &mut BTreeMap<String, PackageNode>, ready: &Ready, package: &ReadyPackage) -> Result<(), Cause> {
    let origins = Origins::of(ready, package)?;
    for (name, used) in package.merge()?.dependencies() {
        let name = name.to_string();
        let node = PackageNode { origin: origins.of_package(&name), uses: BTreeSet::new() };
        let node = packages.entry(name).or_insert(node);
        node.uses.extend(used.into_iter().map(ToString::to_string));
    }
    Ok(())
}

/// Returns the packages that a name stands for, in all versions where it has none.
fn versions_of(spec: &PackageSpec, packages: &BTreeMap<String, PackageNode>) -> Result<Vec<String>, Cause> {
    let specs: Vec<PackageSpec> = packages.keys().filter_map(|name| name.parse().ok()).collect();
    let is_meant = |it: &&PackageSpec| it.name == spec.name && (spec.version.is_none() || it.version == spec.version);
    let found: Vec<String> = specs.iter().filter(is_meant).map(ToString::to_string).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let others: Vec<_> = specs.iter().filter(|it| it.name == spec.name).cloned().collect();
    let near = if others.is_empty() { spelled_alike(spec, &specs) } else { others };
    Err(Cause::NotUsed { package: spec.clone(), near })
}

pub(crate) fn spelled_alike(spec: &PackageSpec, known: &[PackageSpec]) -> Vec<PackageSpec> {
    let found = near(&spec.name, known.iter().map(|known| &known.name)).into_iter();
    found.map(|name| PackageSpec { name: name.clone(), version: None }).collect()
}

/// Where the packages are from that one of the project needs.
struct Origins {
    known: BTreeMap<String, PackageOrigin>,
    /// The packages that others hold in part, and those.
    held: BTreeMap<String, BTreeSet<String>>,
}

impl Origins {
    fn of(ready: &Ready, package: &ReadyPackage) -> Result<Self, Cause> {
        let mut origins = Self { known: BTreeMap::new(), held: BTreeMap::new() };
        let plan = &package.plan;
        let LocalPackage { wit, .. } = &ready.project.packages[package.index];
        origins.add(&plan.root, PackageOrigin::Project { path: wit.display().to_string() });
        for document in &plan.given {
            let path = document.label().to_owned();
            let is_member =
                plan.members.iter().any(|&index| ready.project.packages[index].document.name() == document.name());
            let origin = if plan.in_deps.contains(document.name()) {
                PackageOrigin::ByHand { path }
            } else if is_member {
                PackageOrigin::Project { path }
            } else {
                PackageOrigin::Override { path }
            };
            origins.add(document, origin);
        }
        for Brought { wanted: Wanted { name, version, .. }, registry, repository, wasm, .. } in &package.brought {
            let document = Document::decode(&format!("{name}@{version}"), wasm)?;
            let (registry, repository) = (registry.to_string(), repository.as_ref().map(ToString::to_string));
            origins.add(&document, PackageOrigin::Registry { registry, repository });
        }
        Ok(origins)
    }

    /// Adds a document. What comes inside of it comes with it.
    fn add(&mut self, document: &Document, origin: PackageOrigin) {
        let name = document.name().to_string();
        let nested = definitions(document).into_iter().skip(1);
        for inner in nested.chain(held(document)) {
            self.held.entry(inner.to_string()).or_default().insert(name.clone());
        }
        self.known.insert(name, origin);
    }

    fn of_package(&self, name: &str) -> PackageOrigin {
        let within = || PackageOrigin::Within { packages: self.held.get(name).cloned().unwrap_or_default() };
        self.known.get(name).cloned().unwrap_or_else(within)
    }
}
