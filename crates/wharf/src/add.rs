//! `add`: lets a project use a package.
//!
//! ```text
//!   request ──version──> package ──item──> statement ──edit──> WIT ──plan, bring──> all that it needs ──write──> files
//! ```

use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use wharf_package::resolve::Requirement;
use wharf_package::{PackageName, PackageRequest, RegistryName, Version, VersionReq, exactly};
use wharf_wit::edit::{ItemPath, Keyword, Statement};
use wharf_wit::{Document, PackageName as WitName};

use crate::blocking::blocking;
use crate::cause::EditFault;
use crate::fetch::{check_name, write_edited};
use crate::get::choose;
use crate::homes::Connect;
use crate::package_cache::PackageCache;
use crate::package_source::{Brought, PackageSource, Wanted, no_version};
use crate::project::{FileChange, Plan, ProjectEdit, is_named, is_of, name_in_wit, wit_of};
use crate::resolution::PACKAGES_AT_ONCE;
use crate::{Cause, Error, FetchOptions, FetchOutcome};

/// What to add to which project.
#[derive(Debug, Clone)]
pub struct AddOptions {
    /// The project, of which a single package is meant, and how what it needs is fetched.
    pub fetch: FetchOptions,
    /// What to add.
    pub requests: Vec<PackageRequest>,
    /// What the files of the project are to say of where that comes from.
    pub origin: AddOrigin,
    /// The world to add it to; not needed where there is one alone.
    pub world: Option<String>,
    /// What interfaces are to be for the world.
    pub interfaces: InterfaceUse,
}

/// What the files of a project are to say of where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AddOrigin {
    /// Nothing but what they say already.
    #[default]
    Settings,
    /// It is in this folder: `wkg.toml` gets an override.
    Folder(PathBuf),
    /// It is in this registry: `wharf.toml` names it.
    Registry(RegistryName),
}

/// What an interface is for a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InterfaceUse {
    /// Something that it asks for.
    #[default]
    Import,
    /// Something that it gives.
    Export,
}

/// What was changed, and what was fetched for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EditOutcome {
    /// What changed in WIT, `wkg.toml` and `wharf.toml`; nothing where they said it all before.
    pub changes: Vec<FileChange>,
    /// What was fetched.
    pub fetched: FetchOutcome,
}

/// Lets a project use packages: a world of it imports, exports or includes something of each.
///
/// The WIT gets an exact version, of several the newest that will do. A package that it names already in another version
/// is named with the new one everywhere, unless it is something else of it that is added. All that the project then needs
/// is fetched, as [`fetch`](crate::fetch()) does, before any file is written.
///
/// ```no_run
/// use wharf::{AddOptions, AddOrigin, Connect, FetchOptions, InterfaceUse, add};
///
/// # async fn example(connect: &dyn Connect, fetch: FetchOptions) -> Result<(), Box<dyn std::error::Error>> {
/// let options = AddOptions {
///     fetch,
///     requests: vec!["wasi:io/streams@^0.2".parse()?],
///     origin: AddOrigin::Settings,
///     world: None,
///     interfaces: InterfaceUse::Import,
/// };
/// println!("{:?}", add(connect, &options).await?.changes);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Add`]. The project is then as it was before, unless it was a disk that failed.
pub async fn add(connect: &dyn Connect, options: &AddOptions) -> Result<EditOutcome, Error> {
    run(connect, options).await.map_err(|source| {
        let packages = options.requests.iter().map(ToString::to_string).collect();
        Error::Add { packages, project: options.fetch.project.folder.clone(), source }
    })
}

async fn run(connect: &dyn Connect, options: &AddOptions) -> Result<EditOutcome, Cause> {
    let read = options.clone();
    let (mut edit, plan) = blocking(move || start(&read)).await?;
    let found = {
        let sources = &options.fetch.project.sources;
        let cache = PackageCache::open(&sources.cache).await?;
        let settings = sources.settings(&edit.project);
        let source = sources.open(connect, &settings, &cache, &edit.project.locks);
        let finder = Finder { edit: &edit, plan: &plan, source, world: options.world.as_deref() };
        let found = stream::iter(&options.requests).map(|request| finder.find(request)).buffered(PACKAGES_AT_ONCE);
        found.try_collect::<Vec<_>>().await?
    };
    change(&mut edit, options, &found)?;
    let brought: Vec<_> = found.into_iter().filter_map(|found| found.brought).collect();
    finish(connect, (edit, &brought), &options.fetch).await
}

/// Reads the project, and lets its files say where the packages come from.
fn start(options: &AddOptions) -> Result<(ProjectEdit, Plan), Cause> {
    let mut edit = ProjectEdit::read(&options.fetch.project.folder)?;
    for PackageRequest { package, .. } in &options.requests {
        match &options.origin {
            AddOrigin::Settings => {}
            AddOrigin::Folder(folder) => edit.set_override(package, &wit_of(folder))?,
            AddOrigin::Registry(registry) => edit.set_registry(package, registry)?,
        }
    }
    let plan = edit.plan()?;
    Ok((edit, plan))
}

/// Brings what a changed project needs, but for what was brought for it already, and writes all that changed.
pub(crate) async fn finish(
    connect: &dyn Connect,
    (mut edit, brought): (ProjectEdit, &[Brought]),
    options: &FetchOptions,
) -> Result<EditOutcome, Cause> {
    let (edit, plan) = blocking(move || edit.plan().map(|plan| (edit, plan))).await?;
    let files = edit.prepare().await?;
    let changes = edit.changes()?;
    let ProjectEdit { project, package, .. } = edit;
    let ready = options.project.bring(connect, (project, vec![(package, plan)]), brought).await?;
    let fetched = write_edited(ready, options, files).await?;
    Ok(EditOutcome { changes, fetched })
}

/// A package that something is taken of.
struct Found {
    /// Nothing where it has none.
    version: Option<Version>,
    document: Document,
    /// The package as its registry gave it; nothing where it is on the disk.
    brought: Option<Brought>,
}

/// Finds packages: on the disk, or in registries.
struct Finder<'a> {
    edit: &'a ProjectEdit,
    plan: &'a Plan,
    source: PackageSource<'a>,
    world: Option<&'a str>,
}

impl Finder<'_> {
    async fn find(&self, request: &PackageRequest) -> Result<Found, Cause> {
        let package = &request.package;
        let any = Requirement::Open(VersionReq::STAR);
        let requirement = match (&request.requirement, self.version_in_use(request)?) {
            (Some(requirement), _) => requirement.clone(),
            (None, Some(version)) => Requirement::Exactly(version),
            (None, None) => any.clone(),
        };
        if let Some(found) = self.here(package, |version| match version {
            Some(version) => requirement.is_met_by(version),
            None => requirement == any,
        }) {
            return Ok(found);
        }
        if self.edit.local().has_path(package) {
            // Whatever a registry has, the project takes what is there.
            let known = self.here(package, |_| true).and_then(|found| found.version);
            return Err(no_version(package, &requirement.to_version_req(), known.into_iter().collect()));
        }
        let version = match &requirement {
            Requirement::Exactly(version) => version.clone(),
            Requirement::Open(range) => {
                choose(package, &requirement, self.source.versions(package, std::slice::from_ref(range)).await?)?
            }
        };
        let wanted = Wanted { name: package.clone(), requirement: exactly(&version), version: version.clone() };
        let brought = self.source.bring(&wanted).await?;
        let document = Document::decode(&format!("{package}@{version}"), &brought.wasm)?;
        check_name(package, &version, &document)?;
        Ok(Found { version: Some(version), document, brought: Some(brought) })
    }

    /// Returns the version that the WIT names for a package, of which it is to name something more.
    fn version_in_use(&self, request: &PackageRequest) -> Result<Option<Version>, Cause> {
        let PackageRequest { package, item: Some(item), .. } = request else { return Ok(None) };
        if !self.edit.keywords(self.world, package, item)?.is_empty() {
            return Ok(None);
        }
        let named = self.edit.mentions()?.into_iter().map(|(named, _)| named);
        let mut named = named.filter(|named| is_of(named, package));
        Ok(named.next().and_then(|named| named.version).filter(|_| named.next().is_none()))
    }

    /// Returns the newest package of a name that is on the disk, of those whose version will do.
    fn here(&self, package: &PackageName, will_do: impl Fn(Option<&Version>) -> bool) -> Option<Found> {
        let members = self.edit.project.packages.iter().enumerate();
        let members = members.filter(|(index, _)| *index != self.edit.package).map(|(_, member)| &member.document);
        let here = self.plan.given.iter().chain(members).filter(|document| is_named(document, package));
        let fitting = here.filter(|document| will_do(document.name().version.as_ref()));
        let newest = fitting.max_by_key(|document| document.name().version.clone())?;
        Some(Found { version: newest.name().version.clone(), document: newest.clone(), brought: None })
    }
}

/// Changes the WIT, so that it uses what was found: first the versions of what is there, then what is to be there too.
fn change(edit: &mut ProjectEdit, options: &AddOptions, found: &[Found]) -> Result<(), Cause> {
    let world = options.world.as_deref();
    let mut missing = Vec::new();
    for (PackageRequest { package, item, .. }, Found { version, document, .. }) in options.requests.iter().zip(found) {
        let keywords = match item {
            Some(item) => edit.keywords(world, package, item)?,
            None => Vec::new(),
        };
        let is_named = edit.mentions()?.iter().any(|(named, _)| is_of(named, package));
        if item.is_some() || !is_named {
            let name = name_in_wit(package, version.as_ref());
            let statement = statement(name, item.as_deref(), (document, options.interfaces))?;
            missing.extend(Some(statement).filter(|statement| !keywords.contains(&statement.keyword)));
        }
        let is_there = !keywords.is_empty() || (item.is_none() && is_named);
        if let (true, Some(version)) = (is_there, version) {
            edit.set_version(package, version)?;
        }
    }
    missing.iter().try_for_each(|statement| edit.add(world, statement))
}

/// Says what to write for something of a package; where nothing is named, for what it is made for.
fn statement(
    package: WitName,
    item: Option<&str>,
    (document, interface_use): (&Document, InterfaceUse),
) -> Result<Statement, Cause> {
    let (interfaces, worlds) = (document.interfaces(), document.worlds());
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let keyword = match interface_use {
        InterfaceUse::Import => Keyword::Import,
        InterfaceUse::Export => Keyword::Export,
    };
    let (keyword, item) = match (item, interfaces.as_slice()) {
        (Some(item), _) if interfaces.contains(&item) => (keyword, item),
        (Some(item), _) if worlds.contains(&item) => (Keyword::Include, item),
        (Some(item), _) => {
            let near = nearest(item, interfaces.iter().chain(&worlds));
            let (package, item) = (package.to_string(), item.to_owned());
            let (interfaces, worlds) = (names(&interfaces), names(&worlds));
            return Err(EditFault::NoSuchItem { package, item, interfaces, worlds, near }.into());
        }
        (None, [interface]) => (keyword, *interface),
        (None, _) if interface_use == InterfaceUse::Import && worlds.contains(&IMPORTS) => (Keyword::Include, IMPORTS),
        (None, _) => {
            let (interfaces, worlds) = (names(&interfaces), names(&worlds));
            return Err(EditFault::WhichItem { package: package.to_string(), interfaces, worlds }.into());
        }
    };
    if (keyword, interface_use) == (Keyword::Include, InterfaceUse::Export) {
        return Err(EditFault::ExportedWorld { package: package.to_string(), world: item.to_owned() }.into());
    }
    Ok(Statement { keyword, path: ItemPath::new(package, item)? })
}

/// What packages call the world of all that they have to import.
const IMPORTS: &str = "imports";

/// Returns the names that are spelled most like one that is not there, the nearest first.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    const SUGGESTED: usize = 3;
    let limit = (wanted.len() / 3).max(1);
    let mut near: Vec<_> = names.map(|name| (strsim::damerau_levenshtein(wanted, name), *name)).collect();
    near.retain(|(distance, _)| *distance <= limit);
    near.sort_unstable();
    near.into_iter().take(SUGGESTED).map(|(_, name)| name.to_owned()).collect()
}
