//! `fetch`: brings the packages that a project's WIT names into its `wit/deps`, and locks which they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use wharf_oci::Digest;
use wharf_package::{PackageName, Version};
use wharf_wit::{Document, Resolved, merge};

use crate::blocking::blocking;
use crate::homes::Connect;
use crate::package_source::{Brought, Wanted};
use crate::project::{
    ChangedFiles, DEPS, Generated, LocalPackage, PACKAGE_FILE, Plan, Prepared, Project, definitions, folder_name, held,
    is_named,
};
use crate::resolution::{Locking, ProjectOptions, Ready, ReadyPackage};
use crate::{Cause, Error};

/// What to fetch, and how.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// The project, and where its packages come from.
    pub project: ProjectOptions,
    /// What `wit/deps` is to hold.
    pub form: DepsForm,
}

/// What `wit/deps` is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DepsForm {
    /// Text: a folder for each package, also for those that packages need.
    #[default]
    Wit,
    /// Wasm: a file for each package that the project names.
    Wasm,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FetchOutcome {
    /// The packages that the project names, sorted.
    pub packages: Vec<FetchedPackage>,
    /// What is in the folders `deps` now, but for what was put there by hand: their names by the folder of the WIT,
    /// relative to the project.
    pub deps: BTreeMap<String, BTreeSet<String>>,
    /// Whether a folder `deps` or a lock file changed.
    pub is_changed: bool,
}

/// A package that the project names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FetchedPackage {
    /// Its name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Its registry, as the settings name it.
    pub registry: String,
    /// Where that keeps it; nothing where it is a folder of this machine.
    pub repository: Option<String>,
    /// The digest of the Wasm.
    pub digest: Digest,
    /// Whether a registry was asked for it.
    pub is_fetched: bool,
}

/// Fetches the packages that the WIT of a project names.
///
/// What is locked and kept here costs no request. `wit/deps` changes at once; what was put there by hand stays, and
/// counts before what a registry has.
///
/// # Errors
/// [`Error::Fetch`]. The project is then as it was before.
pub async fn fetch(connect: &dyn Connect, options: &FetchOptions) -> Result<FetchOutcome, Error> {
    let run = async {
        let ready = options.project.ready(connect).await?;
        write(ready, options).await
    };
    run.await.map_err(|source| Error::Fetch { project: options.project.folder.clone(), source })
}

/// Writes the folders `deps` and the lock files of a project.
pub(crate) async fn write(ready: Ready, options: &FetchOptions) -> Result<FetchOutcome, Cause> {
    write_edited(ready, options, ChangedFiles::default()).await
}

/// Writes the folders `deps` and the lock files of a project together with files that say what it needs.
pub(crate) async fn write_edited(
    ready: Ready,
    options: &FetchOptions,
    edited: ChangedFiles,
) -> Result<FetchOutcome, Cause> {
    let form = options.form;
    let (ready, prepared, mut deps) = blocking(move || {
        let (mut prepared, mut deps) = (Vec::new(), BTreeMap::<String, BTreeSet<String>>::new());
        for package in &ready.packages {
            let LocalPackage { wit, key, .. } = &ready.project.packages[package.index];
            let files = generate(wit, package, form)?;
            deps.insert(key.clone(), files.keys().filter_map(|path| first_name(path)).collect());
            prepared.extend(Generated { files, stale: package.plan.stale.clone() }.prepare(wit)?);
        }
        Ok::<_, Cause>((ready, prepared, deps))
    })
    .await?;
    let edited = edited.check().await?;
    let locks = ready.locks(deps.clone());
    // The lock files tell what in `deps` was generated: first what is there and what comes, so that all of it is known
    // as that wherever this is given up.
    let meanwhile = ready.locks(ready.with_stale(deps.clone()));
    let Project { root, locks: before, .. } = &ready.project;
    match options.project.locking {
        Locking::Update => drop(meanwhile.write(root, before).await?),
        Locking::Locked => ready.check_locked(&locks)?,
    }
    let is_changed = !prepared.is_empty() || (options.project.locking == Locking::Update && locks != *before);
    edited.put().await?;
    blocking(move || prepared.into_iter().try_for_each(Prepared::put)).await?;
    if options.project.locking == Locking::Update {
        locks.write(root, &meanwhile).await?;
    }
    deps.retain(|_, names| !names.is_empty());
    let packages = ready.brought().into_iter().map(FetchedPackage::of).collect();
    Ok(FetchOutcome { packages, deps, is_changed })
}

impl ReadyPackage {
    /// Puts a package and all that it needs together.
    pub(crate) fn merge(&self) -> Result<Resolved, Cause> {
        let mut documents = self.plan.given.clone();
        for (index, Brought { wanted, wasm, .. }) in self.brought.iter().enumerate() {
            let is_version = |it: &Brought| (&it.wanted.name, &it.wanted.version) == (&wanted.name, &wanted.version);
            // Several requirements may lead to one version.
            if self.brought[..index].iter().any(is_version) {
                continue;
            }
            let Wanted { name, version, .. } = wanted;
            let document = Document::decode(&format!("{name}@{version}"), wasm)?;
            check_name(name, version, &document)?;
            documents.push(document);
        }
        Ok(merge(self.plan.root.clone(), documents)?)
    }
}

/// Makes the files of `deps`.
fn generate(wit: &Path, package: &ReadyPackage, form: DepsForm) -> Result<BTreeMap<PathBuf, Vec<u8>>, Cause> {
    let Plan { given, by_hand, in_deps, .. } = &package.plan;
    let held: BTreeSet<_> = given.iter().flat_map(held).cloned().collect();
    let mut folders = package.merge()?.tree()?;
    folders.retain(|folder| !in_deps.contains(&folder.package) && !held.contains(&folder.package));
    let mut files = BTreeMap::new();
    if form == DepsForm::Wasm {
        let given: BTreeSet<_> = given.iter().flat_map(definitions).collect();
        // What a path gave has no Wasm; what packages hold of others stays in them.
        folders.retain(|folder| given.contains(&folder.package));
    }
    for Brought { wanted: Wanted { name, version, .. }, wasm, .. } in &package.brought {
        let name = name.folder_name(Some(version));
        // What stands in Wasm beside it cannot be read together with its text.
        if form == DepsForm::Wasm || held.iter().any(|package| folder_name(package) == name) {
            files.insert(PathBuf::from(format!("{name}.wasm")), wasm.to_vec());
        }
    }
    for folder in folders {
        files.insert(Path::new(&folder.name).join(PACKAGE_FILE), folder.text.into_bytes());
    }
    match files.keys().filter_map(|path| first_name(path)).find(|name| by_hand.contains(name)) {
        None => Ok(files),
        Some(name) => Err(Cause::Exists { path: wit.join(DEPS).join(name) }),
    }
}

/// Fails where what a registry gave is another package than was asked for.
pub(crate) fn check_name(name: &PackageName, version: &Version, document: &Document) -> Result<(), Cause> {
    let found = document.name();
    if is_named(document, name) && found.version.as_ref().is_none_or(|found| found == version) {
        return Ok(());
    }
    Err(Cause::OtherPackage { package: name.clone(), version: version.clone(), found: found.to_string() })
}

fn first_name(path: &Path) -> Option<String> {
    path.iter().next()?.to_str().map(str::to_owned)
}

impl FetchedPackage {
    fn of(brought: &Brought) -> Self {
        Self {
            name: brought.wanted.name.to_string(),
            version: brought.wanted.version.to_string(),
            registry: brought.registry.to_string(),
            repository: brought.repository.as_ref().map(ToString::to_string),
            digest: brought.content.wasm.clone(),
            is_fetched: brought.is_fetched,
        }
    }
}
