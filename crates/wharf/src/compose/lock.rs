//! Which versions of components a project has chosen: a part of its `wharf.lock`.
//!
//! `wkg.lock` is what the WIT of a project needs, and each `fetch` writes it anew; components have a table of their own,
//! which holds those of all compositions of the project. What is locked stays until somebody takes it out.

use std::path::{Path, PathBuf};

use wharf_package::{
    ChosenComponent, ComponentOrigin, Content, Lock, Locked, Origin, Project, RegistryName, WharfLock,
};

use crate::blocking::blocking;
use crate::package_source::{Brought, Wanted};
use crate::project::{Locks, SETTINGS, root_around, settings_around};
use crate::{Cause, ComposeFault, Locking};

/// The components that a project has locked.
#[derive(Debug)]
pub(crate) struct ComponentLock {
    /// The folder of the lock files; nothing outside of a project, where nothing is locked.
    root: Option<PathBuf>,
    /// What the project says of its registries.
    pub(crate) settings: Project,
    /// The components, as the locks of a project have the packages of its WIT.
    pub(crate) locks: Locks,
    /// The lock files as they are.
    pub(crate) before: Locks,
}

impl ComponentLock {
    /// Reads what the project around a folder has locked.
    pub(crate) async fn read(folder: &Path) -> Result<Self, Cause> {
        let folder = folder.to_owned();
        blocking(move || {
            let root = root_around(&folder)?;
            let before = root.as_deref().map(Locks::read).transpose()?.unwrap_or_default();
            let settings = settings_around(&folder.join(SETTINGS))?;
            Ok(Self { root, settings, locks: as_locks(&before.origins), before })
        })
        .await
    }

    /// Locks what was brought; tells whether the lock file changed by that.
    pub(crate) async fn keep(&self, brought: &[&Brought], locking: Locking) -> Result<bool, Cause> {
        let after = with(&self.before.origins, brought);
        match (locking, &self.root) {
            (Locking::Locked, _) if after == self.before.origins => Ok(false),
            (Locking::Locked, _) => {
                let is_new = |it: &&&Brought| with(&self.before.origins, &[**it]) != self.before.origins;
                let packages = brought
                    .iter()
                    .filter(is_new)
                    .map(|it| format!("{}@{}", it.wanted.name, it.wanted.version))
                    .collect();
                Err(ComposeFault::NotLocked { packages }.into())
            }
            (Locking::Update, None) => Ok(false),
            (Locking::Update, Some(root)) => {
                let locks = Locks { chosen: self.before.chosen.clone(), origins: after };
                locks.write(root, &self.before).await
            }
        }
    }
}

/// Returns the components as packages that were chosen.
fn as_locks(lock: &WharfLock) -> Locks {
    let mut chosen = Lock::default();
    let mut origins = WharfLock::default();
    for (name, ComponentOrigin { registry, repository, chosen: versions }) in &lock.components {
        let mut origin = Origin { registry: registry.clone(), repository: repository.clone(), versions: [].into() };
        for ChosenComponent { requirement, version, content } in versions.values() {
            let (requirement, digest) = (requirement.clone(), content.wasm.clone());
            let locked = Locked { requirement, version: version.clone(), digest };
            chosen = chosen.with(name.clone(), Some(registry.clone()), locked);
            origin.versions.insert(version.clone(), content.clone());
        }
        origins.packages.insert(name.clone(), origin);
    }
    Locks { chosen: Some(chosen), origins }
}

/// Returns a lock with these components in it. Of one that moved, what came from the other place goes.
fn with(lock: &WharfLock, brought: &[&Brought]) -> WharfLock {
    let mut lock = lock.clone();
    for Brought { wanted, registry, repository, content, .. } in brought {
        let Wanted { name, requirement, version } = wanted;
        let new = || ComponentOrigin {
            registry: RegistryName::clone(registry),
            repository: repository.clone(),
            chosen: [].into(),
        };
        let origin = lock.components.entry(name.clone()).or_insert_with(new);
        if (&origin.registry, &origin.repository) != (registry, repository) {
            *origin = new();
        }
        let content = Content::clone(content);
        let chosen = ChosenComponent { requirement: requirement.clone(), version: version.clone(), content };
        origin.chosen.insert(requirement.to_string(), chosen);
    }
    lock
}
