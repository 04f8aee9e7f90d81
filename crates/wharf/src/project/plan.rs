//! What a package needs, as far as the files of its project tell.

use std::collections::BTreeSet;
use std::path::Path;

use wharf_package::{Lock, Override, PackageName, PackageSpec, Version, VersionReq, exactly};
use wharf_wit::{Document, Form, Requirement, requirements};

use super::{Dep, DepContent, LocalPackage, Locks, Project, is_same, join};
use crate::Cause;

/// The file in a folder of `deps` that is generated.
pub(crate) const PACKAGE_FILE: &str = "package.wit";

/// What a package needs.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) root: Document,
    /// Packages that are here: put into `deps` by hand, named by a path in a `wkg.toml`, or members of the workspace.
    pub(crate) given: Vec<Document>,
    /// What was put into `deps` by hand: the names there.
    pub(crate) by_hand: BTreeSet<String>,
    /// The packages in that.
    pub(crate) in_deps: BTreeSet<wharf_wit::PackageName>,
    /// The names in `deps` that were generated before.
    pub(crate) stale: Vec<String>,
    /// The members of the workspace that are among what is given, by their place in the project.
    pub(crate) members: BTreeSet<usize>,
    /// Who needs what that is not here.
    pub(crate) requirers: Vec<Requirer>,
}

/// A package that needs others.
#[derive(Debug)]
pub(crate) struct Requirer {
    /// What people know it by.
    pub(crate) label: String,
    /// The package, where a `wkg.toml` names it by a path, so that it is the only one of its name.
    pub(crate) package: Option<PackageSpec>,
    pub(crate) needs: Vec<Needed>,
}

/// A package that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) name: PackageName,
    /// Which versions will do.
    pub(crate) requirement: VersionReq,
    /// The only one that will, where that is so.
    pub(crate) exact: Option<Version>,
    /// What says so: a place in the WIT, or a `wkg.toml`.
    pub(crate) place: String,
}

impl Plan {
    /// Plans what one of the packages of a project needs.
    pub(crate) fn new(project: &Project, package: usize) -> Result<Self, Cause> {
        let LocalPackage { wit, document, deps, key, .. } = &project.packages[package];
        let (mut given, mut by_hand, mut stale) = (Vec::new(), BTreeSet::new(), Vec::new());
        for (dep, document) in read(wit, deps, (&project.locks, key))? {
            match document {
                None => stale.push(dep.name.clone()),
                Some(document) => {
                    by_hand.insert(dep.name.clone());
                    given.push(document);
                }
            }
        }
        let in_deps = given.iter().flat_map(definitions).cloned().collect();
        let locals = Locals::find(project, package, &mut given)?;
        let requirers = requirers(&project.packages[package], &given, &locals)?;
        let members = locals.packages.iter().filter_map(|local| local.member).collect();
        Ok(Self { root: document.clone(), given, by_hand, in_deps, stale, members, requirers })
    }

    /// Takes what was generated in `deps` as it lies there, for what is not here otherwise.
    pub(crate) fn vendored(mut self, package: &LocalPackage) -> Result<Self, Cause> {
        for dep in package.deps.iter().filter(|dep| self.stale.contains(&dep.name)) {
            let document = dep.document(&package.wit)?;
            if !self.given.iter().flat_map(definitions).any(|given| given == document.name()) {
                self.given.push(document);
            }
        }
        self.requirers = requirers(package, &self.given, &Locals::default())?;
        Ok(self)
    }

    /// Returns all that is needed and not here.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &Needed> {
        self.requirers.iter().flat_map(|requirer| &requirer.needs)
    }
}

/// The packages on the disk that are used, but for the root.
#[derive(Default)]
struct Locals {
    packages: Vec<Local>,
}

/// A package on the disk that is used.
struct Local {
    package: LocalPackage,
    /// Its place in the project, where it is a member of the workspace and no `wkg.toml` names its path.
    member: Option<usize>,
}

impl Locals {
    /// Finds what the `wkg.toml` of the root and of what that leads to name by a path, and the members of the workspace
    /// that any of them needs. What is first found for a name stays.
    fn find(project: &Project, root: usize, given: &mut Vec<Document>) -> Result<Self, Cause> {
        let mut found = Self::default();
        let mut vendored = Vec::new();
        let package = &project.packages[root];
        found.add_overrides(package, package, given)?;
        let mut next = 0;
        loop {
            if let Some(Local { package, .. }) = found.packages.get(next) {
                let package = package.clone();
                vendored.extend(package.vendored()?);
                found.add_overrides(&project.packages[root], &package, given)?;
                next += 1;
            } else if !found.add_member(project, root, given) {
                break;
            }
        }
        for document in vendored {
            if !given.iter().flat_map(definitions).any(|package| package == document.name()) {
                given.push(document);
            }
        }
        Ok(found)
    }

    fn add_overrides(
        &mut self,
        root: &LocalPackage,
        package: &LocalPackage,
        given: &mut Vec<Document>,
    ) -> Result<(), Cause> {
        for (name, it) in &package.manifest.overrides {
            let Override::Path(path) = it else { continue };
            if self.packages.iter().any(|local| is_named(&local.package.document, name)) {
                continue;
            }
            let local = LocalPackage::at(join(&package.base, path))?;
            if !is_named(&local.document, name) {
                let found = local.document.name().to_string();
                return Err(Cause::OverrideOther { package: name.clone(), path: local.wit, found });
            }
            // It is there already; that it is needed by what it needs itself, merging will tell.
            if is_same(&local.wit, &root.wit) {
                continue;
            }
            given.push(local.document.clone());
            self.packages.push(Local { package: local, member: None });
        }
        Ok(())
    }

    /// Adds a member of the workspace that is needed; tells whether there was one.
    fn add_member(&mut self, project: &Project, root: usize, given: &mut Vec<Document>) -> bool {
        let needed = requirements(&project.packages[root].document, given);
        let is_needed = |index: usize| {
            let name = project.packages[index].document.name();
            let is_meant = |needed: &Requirement| {
                let needed = &needed.package;
                let is_named = (&needed.namespace, &needed.name) == (&name.namespace, &name.name);
                is_named && (needed.version.is_none() || needed.version == name.version)
            };
            needed.iter().any(is_meant)
        };
        let is_there = |index: usize| self.packages.iter().any(|local| local.member == Some(index));
        let member = (0..project.packages.len()).find(|&index| !is_there(index) && is_needed(index));
        if let Some(index) = member {
            let package = project.packages[index].clone();
            given.push(package.document.clone());
            self.packages.push(Local { package, member });
        }
        member.is_some()
    }
}

impl LocalPackage {
    /// Reads what was put into its `deps` by hand.
    fn vendored(&self) -> Result<Vec<Document>, Cause> {
        if self.deps.is_empty() {
            return Ok(Vec::new());
        }
        let (locks, key) = self.locks()?;
        let read = read(&self.wit, &self.deps, (&locks, &key))?;
        Ok(read.into_iter().filter_map(|(_, document)| document).collect())
    }

    /// Whether `[overrides]` name a path for a package.
    pub(crate) fn has_path(&self, package: &PackageName) -> bool {
        matches!(self.manifest.overrides.get(package), Some(Override::Path(_)))
    }

    /// Returns the version that `[overrides]` ask of a package.
    fn override_of(&self, package: &PackageName) -> Option<&VersionReq> {
        match self.manifest.overrides.get(package) {
            Some(Override::Version(version)) => Some(version),
            _ => None,
        }
    }
}

/// Returns who needs what is not here. What the root says of a version goes before what others say.
fn requirers(root: &LocalPackage, given: &[Document], locals: &Locals) -> Result<Vec<Requirer>, Cause> {
    let missing = requirements(&root.document, given);
    let mut requirers = Vec::new();
    for document in [&root.document].into_iter().chain(given) {
        let local = locals.packages.iter().find(|local| local.package.document.name() == document.name());
        let own = requirements(document, &[]);
        let is_missing = |it: &Requirement| missing.iter().any(|missing| missing.package == it.package);
        let needs = own.iter().filter(|it| is_missing(it)).map(|requirement| {
            let mut needed = Needed::of(requirement)?;
            let of_root = root.override_of(&needed.name).map(|version| (version, &root.base));
            let of_local = || {
                let package = &local?.package;
                Some((package.override_of(&needed.name)?, &package.base))
            };
            if let Some((version, base)) = of_root.or_else(of_local) {
                (needed.requirement, needed.exact) = (version.clone(), None);
                needed.place = join(base, Path::new(super::MANIFEST)).display().to_string();
            }
            Ok(needed)
        });
        let needs = needs.collect::<Result<Vec<_>, Cause>>()?;
        let package = match local {
            Some(Local { package, member: None }) => package.document.name().to_string().parse().ok(),
            _ => None,
        };
        if !needs.is_empty() || package.is_some() {
            requirers.push(Requirer { label: document.name().to_string(), package, needs });
        }
    }
    Ok(requirers)
}

impl Needed {
    fn of(requirement: &Requirement) -> Result<Self, Cause> {
        let package = &requirement.package;
        let place = requirement.location.to_string();
        let name = registry_name(package, &place)?;
        let exact = package.version.clone();
        let requirement = exact.as_ref().map_or(VersionReq::STAR, exactly);
        Ok(Self { name, requirement, exact, place })
    }
}

/// Reads the packages that lie in `deps` of the folder `wit`; nothing of those that a tool wrote, and may write anew.
///
/// Wharf says in its lock file what that is. `wkg` does not, but replaces all of the folder, and calls each package after
/// what is in it.
fn read<'a>(
    wit: &Path,
    deps: &'a [Dep],
    (locks, key): (&Locks, &str),
) -> Result<Vec<(&'a Dep, Option<Document>)>, Cause> {
    let is_generated = |dep: &Dep| locks.generated(key).any(|name| *name == dep.name);
    let locked = locked_names(locks);
    // What was put there by hand is never locked.
    let is_of_wkg = locks.is_of_wkg() || deps.iter().any(|dep| locked.contains(&dep.name) && !is_generated(dep));
    let read = |dep: &'a Dep| {
        if is_generated(dep) {
            return Ok((dep, None));
        }
        let document = dep.document(wit)?;
        let is_of_tool = is_of_wkg && has_name_of_tool(dep, &document);
        Ok((dep, if is_of_tool { None } else { Some(document) }))
    };
    deps.iter().map(read).collect()
}

/// Returns what tools call the packages of a lock in `deps`, as text and as Wasm.
fn locked_names(locks: &Locks) -> BTreeSet<String> {
    let folders = locks.chosen.iter().flat_map(Lock::entries);
    let folders = folders.map(|(name, _, locked)| name.folder_name(Some(&locked.version)));
    folders.flat_map(|name| [format!("{name}.wasm"), name]).collect()
}

/// Whether a package in `deps` has the name and the form that tools give it.
fn has_name_of_tool(dep: &Dep, document: &Document) -> bool {
    let name = folder_name(document.name());
    match &dep.content {
        DepContent::Text(files) => {
            dep.name == name && files.len() == 1 && Path::new(&files[0].name).ends_with(PACKAGE_FILE)
        }
        DepContent::Wasm(_) => dep.name == format!("{name}.wasm"),
    }
}

/// Returns the packages that a document holds as a whole.
pub(crate) fn definitions(document: &Document) -> Vec<&wharf_wit::PackageName> {
    match document.form() {
        Form::Text => document.packages(),
        Form::Package | Form::Component => vec![document.name()],
    }
}

/// Returns the packages that a document in Wasm holds in part, as its own takes something from them.
pub(crate) fn held(document: &Document) -> Vec<&wharf_wit::PackageName> {
    match document.form() {
        Form::Text => Vec::new(),
        Form::Package | Form::Component => document.packages().split_off(1),
    }
}

/// Returns the name of the folder in `deps` that tools give a package.
pub(crate) fn folder_name(package: &wharf_wit::PackageName) -> String {
    let wharf_wit::PackageName { namespace, name, version } = package;
    match version {
        Some(version) => format!("{namespace}-{name}-{version}"),
        None => format!("{namespace}-{name}"),
    }
}

/// Whether a document is some version of a package.
pub(crate) fn is_named(document: &Document, name: &PackageName) -> bool {
    is_of(document.name(), name)
}

/// Whether the WIT means a package by a name, in whatever version.
pub(crate) fn is_of(named: &wharf_wit::PackageName, package: &PackageName) -> bool {
    (named.namespace.as_str(), named.name.as_str()) == (package.namespace().as_str(), package.name().as_str())
}

/// Returns the name that registries have for a package, which is named at a place in the WIT.
pub(crate) fn registry_name(named: &wharf_wit::PackageName, place: impl ToString) -> Result<PackageName, Cause> {
    let name = format!("{}:{}", named.namespace, named.name).parse();
    name.map_err(|source| Cause::PackageName { location: place.to_string(), source })
}
