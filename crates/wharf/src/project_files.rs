//! The files of a project that `fetch` reads and writes.
//!
//! ```text
//!   PROJECT/
//!     wkg.toml      overrides of dependencies, as wkg has it
//!     wharf.toml    which registries the packages come from
//!     wkg.lock      which version and which bytes were chosen, as wkg has it
//!     wharf.lock    where they came from
//!     wit/          the package, and deps/
//! ```

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use wharf_archive::Existing;
use wharf_package::limits::{LOCK_BYTES_MAX, SETTINGS_BYTES_MAX};
use wharf_package::{InvalidDocument, Lock, Locked, Manifest, PackageManifest, PackageName, Project, WharfLock};

use crate::Cause;
use crate::file_sink::{begin, persist};
use crate::wit_folder::WitFolder;

const MANIFEST: &str = "wkg.toml";
const SETTINGS: &str = "wharf.toml";
const LOCK: &str = "wkg.lock";
const ORIGINS: &str = "wharf.lock";

/// What the files of a project say.
#[derive(Debug)]
pub(crate) struct ProjectFiles {
    pub(crate) wit: WitFolder,
    pub(crate) manifest: PackageManifest,
    pub(crate) settings: Project,
    pub(crate) locks: Locks,
}

/// What was chosen before, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Locks {
    /// Nothing where there is no `wkg.lock`.
    pub(crate) chosen: Option<Lock>,
    pub(crate) origins: WharfLock,
}

impl ProjectFiles {
    /// Reads the files in `project`, and the WIT in `wit`. All but the WIT may be absent.
    pub(crate) fn read(project: &Path, wit: &Path) -> Result<Self, Cause> {
        let manifest = match parse(project, MANIFEST, SETTINGS_BYTES_MAX, Manifest::parse)? {
            None => PackageManifest::default(),
            Some(Manifest::Package(manifest)) => manifest,
            Some(_) => return Err(Cause::Workspace { path: project.join(MANIFEST) }),
        };
        let settings = parse(project, SETTINGS, SETTINGS_BYTES_MAX, Project::parse)?.unwrap_or_default();
        Ok(Self { wit: WitFolder::read(wit)?, manifest, settings, locks: Locks::read(project)? })
    }
}

impl Locks {
    /// Reads the lock files in `project`, which may be absent.
    pub(crate) fn read(project: &Path) -> Result<Self, Cause> {
        let chosen = parse(project, LOCK, LOCK_BYTES_MAX, Lock::parse)?;
        let origins = parse(project, ORIGINS, LOCK_BYTES_MAX, WharfLock::parse)?.unwrap_or_default();
        Ok(Self { chosen, origins })
    }

    /// Reads the lock files of the project that a folder of WIT is in: those around it, or in it.
    pub(crate) fn around(wit: &Path) -> Result<Self, Cause> {
        let has_lock = |folder: &&Path| [LOCK, ORIGINS].iter().any(|name| folder.join(name).is_file());
        Self::read(wit.parent().filter(has_lock).unwrap_or(wit))
    }

    /// Whether `wkg` was the last to fetch: its lock has something that ours does not know.
    pub(crate) fn is_of_wkg(&self) -> bool {
        let is_known = |(name, _, locked): (&PackageName, _, &Locked)| {
            let content = self.origins.packages.get(name).and_then(|origin| origin.versions.get(&locked.version));
            content.is_some_and(|content| content.wasm == locked.digest)
        };
        self.chosen.iter().any(|lock| !lock.entries().all(is_known))
    }

    /// Writes the lock files of a project, each at once and whole, where they say something else than `before`.
    pub(crate) async fn write(&self, project: &Path, before: &Self) -> Result<bool, Cause> {
        let origins = project.join(ORIGINS);
        let mut is_changed = false;
        // First where things come from: without it, a lock would be taken for one of wkg.
        if self.origins != before.origins {
            replace(&origins, &self.origins.to_text()).await?;
            is_changed = true;
        }
        if let Some(lock) = self.chosen.as_ref().filter(|_| self.chosen != before.chosen) {
            replace(&project.join(LOCK), &lock.to_text()).await?;
            is_changed = true;
        }
        Ok(is_changed)
    }
}

/// Reads one of the files; nothing where it is not there.
fn parse<T>(
    project: &Path,
    name: &str,
    limit: usize,
    parse: impl FnOnce(&str) -> Result<T, InvalidDocument>,
) -> Result<Option<T>, Cause> {
    let path = project.join(name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Cause::file("open", &path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(Cause::file("read", &path))?;
    let text = String::from_utf8(bytes).map_err(|_| Cause::TextNotUtf8 { path: path.clone() })?;
    let parsed = parse(&text).map_err(|source| Cause::ProjectFile { path, source })?;
    Ok(Some(parsed))
}

async fn replace(path: &Path, text: &str) -> Result<(), Cause> {
    let mut temporary = begin(path, Existing::Replace).await?;
    temporary.write_all(text.as_bytes()).map_err(Cause::file("write", path))?;
    persist(temporary, path, Existing::Replace).await
}
