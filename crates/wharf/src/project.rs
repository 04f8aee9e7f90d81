//! A project on the disk: a package of WIT, or a workspace of several.
//!
//! ```text
//!   PROJECT/                          the root
//!     wharf.toml                        which registries the packages come from
//!     wkg.lock, wharf.lock              which were chosen
//!     wkg.toml                          [workspace], or that of the only package
//!     MEMBER/                           a package; the root where there is but one
//!       wkg.toml                          overrides and metadata
//!       wit/*.wit                         the package itself
//!       wit/deps/                         what it uses
//! ```

mod deps_folder;
mod edit;
mod files;
mod locks;
mod members;
mod plan;
mod wit_folder;

use std::path::{Component, Path, PathBuf};

use wharf_package::limits::SETTINGS_BYTES_MAX;
use wharf_package::{Manifest, PackageManifest, PackageMetadata, WorkspaceManifest};
use wharf_wit::Document;

use crate::Cause;

pub(crate) use deps_folder::{Generated, Prepared};
pub use edit::FileChange;
pub(crate) use edit::{ChangedFiles, ProjectEdit, name_in_wit};
pub(crate) use files::{parse, read, replace};
pub(crate) use locks::Locks;
pub(crate) use members::members;
pub(crate) use plan::{Needed, PACKAGE_FILE, Plan, definitions, folder_name, held, is_named, is_of, registry_name};
pub(crate) use wit_folder::{DEPS, Dep, DepContent, WitFolder};

/// What a package or a workspace says of itself.
pub(crate) const MANIFEST: &str = "wkg.toml";
/// Which registries the packages of a project come from.
pub(crate) const SETTINGS: &str = "wharf.toml";
/// The folder of the WIT of a package.
pub(crate) const WIT: &str = "wit";

/// A project, read.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of its lock files.
    pub(crate) root: PathBuf,
    pub(crate) settings: wharf_package::Project,
    pub(crate) locks: Locks,
    /// All packages of it.
    pub(crate) packages: Vec<LocalPackage>,
    /// Those that are meant.
    pub(crate) selected: Vec<usize>,
}

/// A package of WIT on the disk.
#[derive(Debug, Clone)]
pub(crate) struct LocalPackage {
    /// The folder of the WIT, or its only file.
    pub(crate) wit: PathBuf,
    /// The name of that in lock files.
    pub(crate) key: String,
    /// The folder in which paths of the manifest start.
    pub(crate) base: PathBuf,
    pub(crate) manifest: PackageManifest,
    pub(crate) document: Document,
    /// What lies in `deps`.
    pub(crate) deps: Vec<Dep>,
}

impl Project {
    /// Reads the project that a folder is the root, a package, or the WIT of.
    pub(crate) fn read(folder: &Path) -> Result<Self, Cause> {
        if let Some(Manifest::Workspace(workspace)) = manifest(folder)? {
            let packages = read_members(folder, &workspace)?;
            if packages.is_empty() {
                return Err(Cause::NoMembers { path: join(folder, Path::new(MANIFEST)) });
            }
            let selected = (0..packages.len()).collect();
            return Self::new(folder.to_owned(), packages, selected);
        }
        let wit = wit_of(folder);
        let around = Around::find(&wit)?;
        let Some(workspace) = &around.workspace else {
            let package = LocalPackage::read(wit, &around.root, around.base, around.manifest)?;
            return Self::new(around.root, vec![package], vec![0]);
        };
        let packages = read_members(&around.root, workspace)?;
        let wanted = canonical(&wit)?;
        let is_meant = |package: &LocalPackage| canonical(&package.wit).is_ok_and(|path| path == wanted);
        let selected = packages.iter().position(is_meant).into_iter().collect();
        Self::new(around.root, packages, selected)
    }

    fn new(root: PathBuf, packages: Vec<LocalPackage>, selected: Vec<usize>) -> Result<Self, Cause> {
        let settings = parse(&root, SETTINGS, SETTINGS_BYTES_MAX, wharf_package::Project::parse)?.unwrap_or_default();
        let locks = Locks::read(&root)?;
        Ok(Self { root, settings, locks, packages, selected })
    }

    /// Whether all packages are meant that the lock files are for, so that these have to hold no more.
    ///
    /// They are also for folders that are no packages of the project, and for which something was fetched there.
    pub(crate) fn is_whole(&self) -> bool {
        let is_package = |key: &String| self.packages.iter().any(|package| package.key == *key);
        let is_there = |key: &String| self.root.join(key).join(DEPS).is_dir();
        let mut others = self.locks.origins.generated.keys().filter(|key| !is_package(key));
        self.selected.len() == self.packages.len() && !others.any(is_there)
    }
}

impl LocalPackage {
    fn read(wit: PathBuf, root: &Path, base: PathBuf, manifest: PackageManifest) -> Result<Self, Cause> {
        let WitFolder { files, deps } = WitFolder::read(&wit)?;
        let document = Document::parse(&wit.display().to_string(), files)?;
        let key = key(root, &wit)?;
        Ok(Self { wit, key, base, manifest, document, deps })
    }

    /// Reads a package that a path leads to, with the manifest in it or beside it.
    pub(crate) fn at(path: PathBuf) -> Result<Self, Cause> {
        let parent = join(Path::new("."), path.parent().unwrap_or(&path));
        for base in [path.clone(), parent.clone()] {
            if let Some(Manifest::Package(manifest)) = manifest(&base)? {
                return Self::read(path, &base.clone(), base, manifest);
            }
        }
        Self::read(path, &parent.clone(), parent, PackageManifest::default())
    }

    /// Returns the lock files that tell what in `deps` was generated: those of the nearest folder that has any.
    pub(crate) fn locks(&self) -> Result<(Locks, String), Cause> {
        let here = absolute(&self.wit)?;
        match here.ancestors().find(|folder| Locks::are_in(folder)) {
            Some(folder) => Ok((Locks::read(folder)?, key(folder, &self.wit)?)),
            None => Ok((Locks::default(), self.key.clone())),
        }
    }
}

/// Where a folder of WIT is.
struct Around {
    root: PathBuf,
    base: PathBuf,
    manifest: PackageManifest,
    /// The workspace that has the package as a member; it is in the root.
    workspace: Option<WorkspaceManifest>,
}

impl Around {
    fn find(wit: &Path) -> Result<Self, Cause> {
        let here = absolute(wit)?;
        let mut nearest = None;
        for (level, folder) in here.ancestors().enumerate() {
            match manifest(folder)? {
                Some(Manifest::Package(manifest)) if nearest.is_none() => {
                    nearest = Some((shown(wit, level, folder), manifest));
                }
                Some(Manifest::Workspace(workspace)) => {
                    let root = shown(wit, level, folder);
                    let is_member = members(folder, &workspace)?.iter().any(|member| is_same(&wit_of(member), &here));
                    if is_member {
                        let (base, manifest) = nearest.unwrap_or_else(|| (root.clone(), PackageManifest::default()));
                        return Ok(Self { root, base, manifest, workspace: Some(workspace) });
                    }
                    if nearest.is_none() {
                        nearest = Some((root, PackageManifest::default()));
                    }
                }
                _ => {}
            }
        }
        // A project has its WIT in a folder of that name, or is nothing but WIT.
        let is_inside = here.ends_with(WIT) || !here.is_dir();
        let (level, folder) = if is_inside { (1, here.parent().unwrap_or(&here)) } else { (0, here.as_path()) };
        let alone = || (shown(wit, level, folder), PackageManifest::default());
        let (root, manifest) = nearest.unwrap_or_else(alone);
        Ok(Self { base: root.clone(), root, manifest, workspace: None })
    }
}

fn read_members(root: &Path, workspace: &WorkspaceManifest) -> Result<Vec<LocalPackage>, Cause> {
    let read = |member: PathBuf| {
        let wit = wit_of(&member);
        let folders = wit.ancestors().take_while(|folder| *folder != root);
        let mut found = None;
        for folder in folders {
            if let Some(Manifest::Package(manifest)) = manifest(folder)? {
                found = Some((folder.to_owned(), manifest));
                break;
            }
        }
        let (base, mut manifest) = found.unwrap_or_else(|| (root.to_owned(), PackageManifest::default()));
        manifest.metadata = completed(manifest.metadata, &workspace.metadata);
        LocalPackage::read(wit, root, base, manifest)
    };
    members(root, workspace)?.into_iter().map(read).collect()
}

/// Takes from the workspace what a member does not say of itself.
fn completed(mut own: PackageMetadata, shared: &PackageMetadata) -> PackageMetadata {
    let take = |own: &mut Option<String>, shared: &Option<String>| {
        if own.is_none() {
            own.clone_from(shared);
        }
    };
    take(&mut own.authors, &shared.authors);
    take(&mut own.description, &shared.description);
    take(&mut own.licenses, &shared.licenses);
    take(&mut own.source, &shared.source);
    take(&mut own.homepage, &shared.homepage);
    take(&mut own.revision, &shared.revision);
    own
}

fn manifest(folder: &Path) -> Result<Option<Manifest>, Cause> {
    if !folder.is_dir() {
        return Ok(None);
    }
    parse(folder, MANIFEST, SETTINGS_BYTES_MAX, Manifest::parse)
}

/// Whether a folder is the root of a workspace.
pub(crate) fn is_workspace(folder: &Path) -> Result<bool, Cause> {
    Ok(matches!(manifest(folder)?, Some(Manifest::Workspace(_))))
}

/// Reads the settings of the project that a file is in: the nearest `wharf.toml` around it.
pub(crate) fn settings_around(file: &Path) -> Result<wharf_package::Project, Cause> {
    for folder in absolute(file)?.ancestors().skip(1) {
        if let Some(settings) = parse(folder, SETTINGS, SETTINGS_BYTES_MAX, wharf_package::Project::parse)? {
            return Ok(settings);
        }
    }
    Ok(wharf_package::Project::default())
}

/// Returns the folder of the project that a folder is in: the nearest one with lock files, else the nearest one with
/// `wkg.toml` or `wharf.toml`.
pub(crate) fn root_around(folder: &Path) -> Result<Option<PathBuf>, Cause> {
    let here = absolute(folder)?;
    let is_project = |folder: &&Path| [MANIFEST, SETTINGS].iter().any(|name| folder.join(name).is_file());
    let root = here.ancestors().find(|folder| Locks::are_in(folder)).or_else(|| here.ancestors().find(is_project));
    Ok(root.map(Path::to_owned))
}

/// Returns the WIT of a folder: `wit` in it, else itself.
pub(crate) fn wit_of(folder: &Path) -> PathBuf {
    let inside = join(folder, Path::new(WIT));
    if inside.is_dir() { inside } else { folder.to_owned() }
}

/// Returns the name of a folder of WIT in the lock files of `root`, with `/` on all systems.
fn key(root: &Path, wit: &Path) -> Result<String, Cause> {
    let [root, wit] = [absolute(root)?, absolute(wit)?];
    let relative = wit.strip_prefix(&root).unwrap_or(&wit);
    let names: Vec<_> = relative.iter().map(|name| name.to_string_lossy()).collect();
    Ok(if names.is_empty() { ".".to_owned() } else { names.join("/") })
}

/// Names a folder that is `level` above a path as that path does, where it can: as `.` rather than as `/home/…`.
fn shown(path: &Path, level: usize, absolute: &Path) -> PathBuf {
    let names: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    let is_plain = names.components().all(|part| matches!(part, Component::Normal(_)));
    match names.ancestors().nth(level).filter(|_| is_plain) {
        Some(folder) => join(Path::new("."), folder),
        None => absolute.to_owned(),
    }
}

/// Joins two paths, and leaves out a `.` that says nothing.
pub(crate) fn join(folder: &Path, name: &Path) -> PathBuf {
    match (folder == Path::new("."), name.as_os_str().is_empty()) {
        (_, true) => folder.to_owned(),
        (true, false) => name.to_owned(),
        (false, false) => folder.join(name),
    }
}

/// Returns the absolute path of a file, with no `..` in it.
fn absolute(path: &Path) -> Result<PathBuf, Cause> {
    match path.components().any(|part| part == Component::ParentDir) {
        true => canonical(path),
        false => std::path::absolute(path).map_err(Cause::file("find", path)),
    }
}

fn canonical(path: &Path) -> Result<PathBuf, Cause> {
    path.canonicalize().map_err(Cause::file("find", path))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
