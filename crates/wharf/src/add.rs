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
use wharf_wit::{Document, Location, PackageName as WitName};

use crate::blocking::blocking;
use crate::cause::EditFault;
use crate::fetch::{check_name, write_edited};
use crate::get::choose;
use crate::homes::Connect;
use crate::newer::are_compatible;
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
    /// The versions of packages that stay as they are, as the one that was asked for may break what uses them.
    pub kept: Vec<KeptVersion>,
    /// What was fetched.
    pub fetched: FetchOutcome,
}

/// A version of a package that the WIT names beside the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptVersion {
    /// The package.
    pub package: String,
    /// The version that stays; nothing where none is named.
    pub version: Option<Version>,
    /// The version that was asked for.
    pub beside: Version,
    /// The files and lines that name it.
    pub places: Vec<String>,
}

/// Lets a project use packages: a world of it imports, exports or includes something of each.
///
/// The WIT gets an exact version:
///
/// - Where a version or a range is asked for, the newest that will do. What the WIT names in other versions of the same
///   compatible range gets it too; what it names in others stays, see [`kept`](EditOutcome::kept).
/// - Where none is, the newest that the WIT names already, and no other statement changes.
/// - Where it names none, the newest release.
///
/// A package that the WIT names already, asked for in a version and without an item, a world or
/// [`InterfaceUse::Export`], only gets the version. This is also how it gets an incompatible one, unless the WIT names
/// several that are incompatible with each other.
///
/// All that the project then needs is fetched, as [`fetch`](crate::fetch()) does, before any file is written.
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
        let settings = sources.settings(&edit.project.settings);
        let source = sources.open(connect, &settings, &cache, &edit.project.locks);
        let finder = Finder { edit: &edit, plan: &plan, source };
        let found = stream::iter(&options.requests).map(|request| finder.find(request)).buffered(PACKAGES_AT_ONCE);
        found.try_collect::<Vec<_>>().await?
    };
    let kept = change(&mut edit, options, &found)?;
    let brought: Vec<_> = found.into_iter().filter_map(|found| found.brought).collect();
    Ok(EditOutcome { kept, ..finish(connect, (edit, &brought), &options.fetch).await? })
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
    Ok(EditOutcome { changes, kept: Vec::new(), fetched })
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
}

impl Finder<'_> {
    async fn find(&self, request: &PackageRequest) -> Result<Found, Cause> {
        let PackageRequest { package, requirement, .. } = request;
        let requirement = match (requirement, mentioned(self.edit, package)?.pop()) {
            (Some(requirement), _) => requirement.clone(),
            (None, Some(Mentioned { version: Some(version), .. })) => Requirement::Exactly(version),
            (None, Some(Mentioned { version: None, .. })) => self.in_use(package)?,
            (None, None) => Requirement::Open(VersionReq::STAR),
        };
        self.find_version(package, &requirement).await
    }

    /// Returns which version the project has of a package that the WIT names without one.
    fn in_use(&self, package: &PackageName) -> Result<Requirement, Cause> {
        let Some(needed) = self.plan.needs().find(|needed| needed.name == *package) else {
            return Ok(Requirement::Open(VersionReq::STAR));
        };
        let locked = self.source.locked(needed)?;
        Ok(locked.map_or_else(|| Requirement::Open(needed.requirement.clone()), Requirement::Exactly))
    }

    async fn find_version(&self, package: &PackageName, requirement: &Requirement) -> Result<Found, Cause> {
        let any = Requirement::Open(VersionReq::STAR);
        if let Some(found) = self.here(package, |version| match version {
            Some(version) => requirement.is_met_by(version),
            None => *requirement == any,
        }) {
            return Ok(found);
        }
        if self.edit.local().has_path(package) {
            // Whatever a registry has, the project takes what is there.
            let known = self.here(package, |_| true).and_then(|found| found.version);
            return Err(no_version(package, &requirement.to_version_req(), known.into_iter().collect()));
        }
        let version = match requirement {
            Requirement::Exactly(version) => version.clone(),
            Requirement::Open(range) => {
                choose(package, requirement, self.source.versions(package, std::slice::from_ref(range)).await?)?
            }
        };
        let wanted = Wanted { name: package.clone(), requirement: exactly(&version), version: version.clone() };
        let brought = self.source.bring(&wanted).await?;
        let document = Document::decode(&format!("{package}@{version}"), &brought.wasm)?;
        check_name(package, &version, &document)?;
        Ok(Found { version: Some(version), document, brought: Some(brought) })
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
/// Returns the versions that stay.
fn change(edit: &mut ProjectEdit, options: &AddOptions, found: &[Found]) -> Result<Vec<KeptVersion>, Cause> {
    let world = options.world.as_deref();
    let (mut kept, mut missing) = (Vec::new(), Vec::new());
    let pairs = || options.requests.iter().zip(found);
    for (request, Found { version, .. }) in pairs() {
        if let (Some(_), Some(version)) = (&request.requirement, version) {
            let is_version_alone = is_version_alone(edit, options, request)?;
            kept.extend(set_version(edit, request, (version, is_version_alone))?);
        }
    }
    for (request, Found { version, document, .. }) in pairs() {
        let PackageRequest { package, item, requirement } = request;
        if !is_version_alone(edit, options, request)? {
            let version = match (requirement, mentioned(edit, package)?.pop()) {
                (None, Some(newest)) => newest.version,
                _ => version.clone(),
            };
            let name = name_in_wit(package, version.as_ref());
            missing.push(statement(name, item.as_deref(), (document, options.interfaces))?);
        }
    }
    missing.retain(|statement| !edit.has(world, statement));
    missing.iter().try_for_each(|statement| edit.add(world, statement))?;
    Ok(kept)
}

/// Whether a package is there already, and only to get the version that is named.
fn is_version_alone(edit: &ProjectEdit, options: &AddOptions, request: &PackageRequest) -> Result<bool, Cause> {
    let PackageRequest { package, item, requirement } = request;
    let is_by_itself = item.is_none() && options.world.is_none() && options.interfaces == InterfaceUse::Import;
    Ok(requirement.is_some() && is_by_itself && !mentioned(edit, package)?.is_empty())
}

/// Sets the version of a package where the WIT names one that goes together with it, and returns those that stay. Where
/// the version is all that was asked for, and none of them goes together with it, they are all set if they are of one
/// range.
fn set_version(
    edit: &mut ProjectEdit,
    PackageRequest { package, .. }: &PackageRequest,
    (new, is_version_alone): (&Version, bool),
) -> Result<Vec<KeptVersion>, Cause> {
    let mentioned = mentioned(edit, package)?;
    let fits = |it: &Mentioned, other: &Version| it.version.as_ref().is_none_or(|it| are_compatible(it, other));
    let (mut set, mut stay): (Vec<_>, Vec<_>) = mentioned.into_iter().partition(|it| fits(it, new));
    if is_version_alone && set.is_empty() {
        let newest = stay.last().and_then(|it| it.version.clone());
        if newest.is_some_and(|newest| !stay.iter().all(|it| fits(it, &newest))) {
            let versions = stay.into_iter().filter_map(|it| it.version).collect();
            return Err(EditFault::SeveralRanges { package: package.clone(), new: new.clone(), versions }.into());
        }
        set = std::mem::take(&mut stay);
    }
    if !stay.is_empty() {
        // Which of them a place without a version means is not known.
        stay.extend(set.extract_if(.., |it| it.version.is_none()));
    }
    for Mentioned { version, locations } in set {
        edit.set_version(package, (version, &locations), new)?;
    }
    let kept = |Mentioned { version, locations }| {
        let places = locations.iter().map(|at| format!("{}:{}", at.file, at.line)).collect();
        KeptVersion { package: package.to_string(), version, beside: new.clone(), places }
    };
    Ok(stay.into_iter().map(kept).collect())
}

/// How the WIT names a package.
struct Mentioned {
    /// Nothing where it names none.
    version: Option<Version>,
    locations: Vec<Location>,
}

/// Returns the versions in which the WIT names a package, the newest last, and the lack of one first.
fn mentioned(edit: &ProjectEdit, package: &PackageName) -> Result<Vec<Mentioned>, Cause> {
    let named = edit.mentions()?.into_iter().filter(|(named, _)| is_of(named, package));
    let mut found: Vec<_> = named.map(|(named, locations)| Mentioned { version: named.version, locations }).collect();
    found.sort_by(|one, other| one.version.cmp(&other.version));
    Ok(found)
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
