//! `fetch`: brings the packages that a project's WIT names into its `wit/deps`, and locks which they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use wharf_oci::Digest;
use wharf_package::{
    Config, Lock, Locked, Origin, Override, PackageName, RegistryName, Settings, Version, WharfLock, exactly,
};
use wharf_wit::{Document, Form, Requirement, merge, requirements};

use crate::blocking::blocking;
use crate::deps_folder::Generated;
use crate::homes::{Connect, Homes, Network, Served};
use crate::package_cache::PackageCache;
use crate::package_source::{Brought, PackageSource, Wanted};
use crate::project_files::{Locks, ProjectFiles};
use crate::wit_folder::{DEPS, Dep, DepContent, WitFolder};
use crate::{Cause, Error};

/// Packages that are asked for at the same time.
const PACKAGES_AT_ONCE: usize = 16;
/// The file in a folder of `wit/deps` that is generated.
const PACKAGE_FILE: &str = "package.wit";

/// What to fetch, and how.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// The folder of the project, with its `wkg.toml` and its lock files.
    pub project: PathBuf,
    /// The folder of the WIT.
    pub wit: PathBuf,
    /// The settings of the user.
    pub config: Config,
    /// The folder in which packages are kept for the next time; it is made where it is not there.
    pub cache: PathBuf,
    /// Whether registries may be asked.
    pub network: Network,
    /// Whether the lock file may change.
    pub locking: Locking,
    /// What `wit/deps` is to hold.
    pub form: DepsForm,
    /// Packages that may come from another registry than before.
    pub may_move: Vec<PackageName>,
}

/// Whether the lock file may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locking {
    /// What is not locked yet is locked, and what is no longer needed is taken out.
    #[default]
    Update,
    /// It has to be as it would be written.
    Locked,
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
    /// What is in `wit/deps` now, but for what was put there by hand.
    pub deps: Vec<String>,
    /// Whether `wit/deps` or a lock file changed.
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
    run(connect, options).await.map_err(|source| Error::Fetch { project: options.project.clone(), source })
}

async fn run(connect: &dyn Connect, options: &FetchOptions) -> Result<FetchOutcome, Cause> {
    let (project, wit) = (options.project.clone(), options.wit.clone());
    let (files, plan) = blocking(move || {
        let files = ProjectFiles::read(&project, &wit)?;
        let plan = Plan::new(&project, &wit, &files)?;
        Ok::<_, Cause>((files, plan))
    })
    .await?;
    let brought = bring(connect, options, &files, &plan.wanted).await?;
    let stale = plan.stale.clone();
    let (wit, form, parts) = (options.wit.clone(), options.form, brought.clone());
    let generated = blocking(move || generate(&wit, plan, &parts, form)).await?;
    let before = files.locks;
    let names: BTreeSet<String> = generated.keys().filter_map(|path| first_name(path)).collect();
    if options.locking == Locking::Locked {
        check_unchanged(before.chosen.as_ref(), &lock(&brought))?;
    }
    let wit = options.wit.clone();
    let prepared = blocking(move || Generated { files: generated, stale }.prepare(&wit)).await?;
    let is_replaced = prepared.is_some();
    // The lock files tell what in `deps` was generated, so that they have to be there first.
    let is_locked_anew = match options.locking {
        Locking::Update => {
            let locks = Locks { chosen: Some(lock(&brought)), origins: origins(&brought, names.clone()) };
            locks.write(&options.project, &before).await?
        }
        Locking::Locked => false,
    };
    if let Some(prepared) = prepared {
        blocking(move || prepared.put()).await?;
    }
    let packages = brought.iter().map(FetchedPackage::of).collect();
    Ok(FetchOutcome { packages, deps: names.into_iter().collect(), is_changed: is_replaced || is_locked_anew })
}

async fn bring(
    connect: &dyn Connect,
    options: &FetchOptions,
    files: &ProjectFiles,
    wanted: &[Wanted],
) -> Result<Vec<Brought>, Cause> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let cache = PackageCache::open(&options.cache).await?;
    let settings = Settings { config: options.config.clone(), project: files.settings.clone() };
    let homes = Homes { settings: &settings, connect, network: options.network, served: Served::default() };
    let source = PackageSource { homes, cache: &cache, locks: &files.locks, may_move: &options.may_move };
    let packages = stream::iter(wanted).map(|wanted| source.bring(wanted)).buffered(PACKAGES_AT_ONCE);
    packages.try_collect().await
}

/// What a project needs, as far as its files tell.
struct Plan {
    root: Document,
    /// Packages that are here: put into `deps` by hand, or named by a path in `wkg.toml`.
    given: Vec<Document>,
    /// What was put into `deps` by hand: the names there.
    by_hand: BTreeSet<String>,
    /// The packages in that.
    in_deps: BTreeSet<wharf_wit::PackageName>,
    wanted: Vec<Wanted>,
    /// The names in `deps` that were generated before.
    stale: Vec<String>,
}

impl Plan {
    fn new(project: &Path, wit: &Path, files: &ProjectFiles) -> Result<Self, Cause> {
        let root = Document::parse(&wit.display().to_string(), files.wit.files.clone())?;
        let (mut given, mut by_hand, mut stale) = (Vec::new(), BTreeSet::new(), Vec::new());
        for dep in &files.wit.deps {
            match read(wit, dep, &files.locks)? {
                None => stale.push(dep.name.clone()),
                Some(document) => {
                    by_hand.insert(dep.name.clone());
                    given.push(document);
                }
            }
        }
        let in_deps = given.iter().flat_map(definitions).cloned().collect();
        read_overrides(project, files, &mut given)?;
        let versions: BTreeMap<_, _> =
            overrides(files, |it| if let Override::Version(version) = it { Some(version) } else { None }).collect();
        let wanted = requirements(&root, &given).into_iter().map(|requirement| {
            let mut wanted = Wanted::of(&requirement)?;
            if let Some(version) = versions.get(&wanted.name) {
                (wanted.requirement, wanted.exact) = ((*version).clone(), None);
            }
            Ok(wanted)
        });
        let wanted = wanted.collect::<Result<_, Cause>>()?;
        Ok(Self { root, given, by_hand, in_deps, wanted, stale })
    }
}

/// Reads the packages that `wkg.toml` names by a path, and then what was put into their `deps` by hand, unless it is
/// given already.
fn read_overrides(project: &Path, files: &ProjectFiles, given: &mut Vec<Document>) -> Result<(), Cause> {
    let mut deps = Vec::new();
    for (name, path) in overrides(files, |it| if let Override::Path(path) = it { Some(path) } else { None }) {
        let path = project.join(path);
        let folder = WitFolder::read(&path)?;
        let document = Document::parse(&path.display().to_string(), folder.files)?;
        if !is_named(&document, name) {
            let found = document.name().to_string();
            return Err(Cause::OverrideOther { package: name.clone(), path, found });
        }
        given.push(document);
        if !folder.deps.is_empty() {
            let locks = Locks::around(&path)?;
            let read = folder.deps.iter().map(|dep| read(&path, dep, &locks)).collect::<Result<Vec<_>, _>>()?;
            deps.extend(read.into_iter().flatten());
        }
    }
    for document in deps {
        if !given.iter().flat_map(definitions).any(|package| package == document.name()) {
            given.push(document);
        }
    }
    Ok(())
}

impl Wanted {
    fn of(requirement: &Requirement) -> Result<Self, Cause> {
        let package = &requirement.package;
        let name = format!("{}:{}", package.namespace, package.name);
        let name =
            name.parse().map_err(|source| Cause::PackageName { location: requirement.location.to_string(), source })?;
        let exact = package.version.clone();
        let requirement = exact.as_ref().map_or(wharf_package::VersionReq::STAR, exactly);
        Ok(Self { name, requirement, exact })
    }
}

/// Reads a package that lies in `deps` of the folder `wit`; nothing where a tool wrote it, and may write it anew.
///
/// Wharf says in its lock file what that is. `wkg` does not, but replaces all of the folder, and calls each package after
/// what is in it.
fn read(wit: &Path, dep: &Dep, locks: &Locks) -> Result<Option<Document>, Cause> {
    if locks.origins.generated.contains(&dep.name) {
        return Ok(None);
    }
    let document = dep.document(wit)?;
    Ok(if locks.is_of_wkg() && has_name_of_tool(dep, &document) { None } else { Some(document) })
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
fn definitions(document: &Document) -> Vec<&wharf_wit::PackageName> {
    match document.form() {
        Form::Text => document.packages(),
        Form::Package | Form::Component => vec![document.name()],
    }
}

/// Returns the packages that a document in Wasm holds in part, as its own takes something from them.
fn held(document: &Document) -> Vec<&wharf_wit::PackageName> {
    match document.form() {
        Form::Text => Vec::new(),
        Form::Package | Form::Component => document.packages().split_off(1),
    }
}

/// Returns the name of the folder in `deps` that tools give a package.
fn folder_name(package: &wharf_wit::PackageName) -> String {
    let wharf_wit::PackageName { namespace, name, version } = package;
    match version {
        Some(version) => format!("{namespace}-{name}-{version}"),
        None => format!("{namespace}-{name}"),
    }
}

fn overrides<'a, T: 'a>(
    files: &'a ProjectFiles,
    of: impl Fn(&'a Override) -> Option<&'a T>,
) -> impl Iterator<Item = (&'a PackageName, &'a T)> {
    files.manifest.overrides.iter().filter_map(move |(name, it)| Some((name, of(it)?)))
}

/// Makes the files of `deps`.
fn generate(wit: &Path, plan: Plan, brought: &[Brought], form: DepsForm) -> Result<BTreeMap<PathBuf, Vec<u8>>, Cause> {
    let given: BTreeSet<_> = plan.given.iter().flat_map(definitions).cloned().collect();
    let held: BTreeSet<_> = plan.given.iter().flat_map(held).cloned().collect();
    let mut documents = plan.given;
    for Brought { wanted, version, wasm, .. } in brought {
        let label = format!("{}@{version}", wanted.name);
        let document = Document::decode(&label, wasm)?;
        check_name(&wanted.name, version, &document)?;
        documents.push(document);
    }
    let resolved = merge(plan.root, documents)?;
    let mut folders = resolved.tree()?;
    folders.retain(|folder| !plan.in_deps.contains(&folder.package) && !held.contains(&folder.package));
    let mut files = BTreeMap::new();
    if form == DepsForm::Wasm {
        // What a path gave has no Wasm; what packages hold of others stays in them.
        folders.retain(|folder| given.contains(&folder.package));
    }
    for Brought { wanted, version, wasm, .. } in brought {
        let name = wanted.name.folder_name(Some(version));
        // What stands in Wasm beside it cannot be read together with its text.
        if form == DepsForm::Wasm || held.iter().any(|package| folder_name(package) == name) {
            files.insert(PathBuf::from(format!("{name}.wasm")), wasm.to_vec());
        }
    }
    for folder in folders {
        files.insert(Path::new(&folder.name).join(PACKAGE_FILE), folder.text.into_bytes());
    }
    match files.keys().filter_map(|path| first_name(path)).find(|name| plan.by_hand.contains(name)) {
        None => Ok(files),
        Some(name) => Err(Cause::Exists { path: wit.join(DEPS).join(name) }),
    }
}

/// Fails where what a registry gave is another package than was asked for.
fn check_name(name: &PackageName, version: &Version, document: &Document) -> Result<(), Cause> {
    let found = document.name();
    if is_named(document, name) && found.version.as_ref().is_none_or(|found| found == version) {
        return Ok(());
    }
    Err(Cause::OtherPackage { package: name.clone(), version: version.clone(), found: found.to_string() })
}

/// Whether a document is some version of a package.
fn is_named(document: &Document, name: &PackageName) -> bool {
    let found = document.name();
    found.namespace == name.namespace().as_str() && found.name == name.name().as_str()
}

/// Returns the lock file of what was brought.
fn lock(brought: &[Brought]) -> Lock {
    brought.iter().fold(Lock::default(), |lock, Brought { wanted, version, registry, content, .. }| {
        let (requirement, version) = (wanted.requirement.clone(), version.clone());
        let locked = Locked { requirement, version, digest: content.wasm.clone() };
        lock.with(wanted.name.clone(), Some(registry.clone()), locked)
    })
}

fn origins(brought: &[Brought], generated: BTreeSet<String>) -> WharfLock {
    let mut packages = BTreeMap::new();
    for Brought { wanted, version, registry, repository, content, .. } in brought {
        let (registry, repository) = (registry.clone(), repository.clone());
        let new = Origin { registry, repository, versions: BTreeMap::new() };
        let origin: &mut Origin = packages.entry(wanted.name.clone()).or_insert(new);
        origin.versions.insert(version.clone(), content.clone());
    }
    WharfLock { packages, generated }
}

/// Fails where a lock file is not as it would be written. None is as good as one of no packages.
fn check_unchanged(before: Option<&Lock>, after: &Lock) -> Result<(), Cause> {
    let none = Lock::default();
    let before = before.unwrap_or(&none);
    if before == after { Ok(()) } else { Err(Cause::LockOutdated { changes: differences(before, after) }) }
}

/// Says in words how two lock files differ.
fn differences(before: &Lock, after: &Lock) -> Vec<String> {
    let entries = |lock: &Lock| -> BTreeSet<String> {
        let entry = |(name, registry, locked): (&PackageName, Option<&RegistryName>, &Locked)| match registry {
            Some(registry) => format!("{name} {} from {registry}", locked.requirement),
            None => format!("{name} {}", locked.requirement),
        };
        lock.entries().map(entry).collect()
    };
    let (before, after) = (entries(before), entries(after));
    let added = after.difference(&before).map(|entry| format!("+ {entry}"));
    added.chain(before.difference(&after).map(|entry| format!("- {entry}"))).collect()
}

fn first_name(path: &Path) -> Option<String> {
    path.iter().next()?.to_str().map(str::to_owned)
}

impl FetchedPackage {
    fn of(brought: &Brought) -> Self {
        Self {
            name: brought.wanted.name.to_string(),
            version: brought.version.to_string(),
            registry: brought.registry.to_string(),
            repository: brought.repository.as_ref().map(ToString::to_string),
            digest: brought.content.wasm.clone(),
            is_fetched: brought.is_fetched,
        }
    }
}
