//! The two lock files of a project.
//!
//! ```text
//!   wkg.lock      which version and which bytes were chosen, as wkg has it
//!   wharf.lock    where they came from, and what in folders of deps was generated
//! ```

use std::collections::BTreeSet;
use std::path::Path;

use wharf_package::limits::LOCK_BYTES_MAX;
use wharf_package::{Lock, Locked, PackageName, WharfLock};

use super::files::{parse, replace};
use crate::{Cause, blocking::blocking};

const LOCK: &str = "wkg.lock";
const ORIGINS: &str = "wharf.lock";

/// What was chosen before, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Locks {
    /// Nothing where there is no `wkg.lock`.
    pub(crate) chosen: Option<Lock>,
    pub(crate) origins: WharfLock,
}

impl Locks {
    /// Reads the lock files in `folder`, which may be absent.
    pub(crate) fn read(folder: &Path) -> Result<Self, Cause> {
        let chosen = parse(folder, LOCK, LOCK_BYTES_MAX, Lock::parse)?;
        let origins = parse(folder, ORIGINS, LOCK_BYTES_MAX, WharfLock::parse)?.unwrap_or_default();
        Ok(Self { chosen, origins })
    }

    /// Whether a folder has one of the lock files.
    pub(crate) fn are_in(folder: &Path) -> bool {
        [LOCK, ORIGINS].iter().any(|name| folder.join(name).is_file())
    }

    /// Returns what was generated in the `deps` of a folder of WIT, which goes by `key`.
    pub(crate) fn generated(&self, key: &str) -> impl Iterator<Item = &String> {
        self.origins.generated.get(key).into_iter().flatten()
    }

    /// Whether `wkg` was the last to fetch: its lock has something that ours does not know.
    pub(crate) fn is_of_wkg(&self) -> bool {
        let is_known = |(name, _, locked): (&PackageName, _, &Locked)| {
            let content = self.origins.packages.get(name).and_then(|origin| origin.versions.get(&locked.version));
            content.is_some_and(|content| content.wasm == locked.digest)
        };
        self.chosen.iter().any(|lock| !lock.entries().all(is_known))
    }

    /// Takes over what `self` has and `newer` does not say anything of, as it is about a part of the project.
    pub(crate) fn completed_by(&self, mut newer: Self) -> Self {
        let mut chosen = newer.chosen.unwrap_or_default();
        for (name, registry, locked) in self.chosen.iter().flat_map(Lock::entries) {
            if chosen.find(name, registry, &locked.requirement).is_none() {
                chosen = chosen.with(name.clone(), registry.cloned(), locked.clone());
            }
        }
        for (name, origin) in &self.origins.packages {
            let taken = newer.origins.packages.entry(name.clone()).or_insert_with(|| origin.clone());
            // Of a package that moved, nothing stays.
            if taken.registry == origin.registry && taken.repository == origin.repository {
                let used = chosen.entries().filter(|(it, ..)| *it == name).map(|(.., locked)| &locked.version);
                let used: BTreeSet<_> = used.collect();
                for (version, content) in origin.versions.iter().filter(|(version, _)| used.contains(version)) {
                    taken.versions.entry(version.clone()).or_insert_with(|| content.clone());
                }
            }
        }
        for (folder, names) in &self.origins.generated {
            newer.origins.generated.entry(folder.clone()).or_insert_with(|| names.clone());
        }
        Self { chosen: Some(chosen), origins: newer.origins }
    }

    /// Writes the lock files of a project, each at once and whole, where they do not say it already; fails where
    /// somebody else changed them since they were read as `before`.
    pub(crate) async fn write(&self, folder: &Path, before: &Self) -> Result<bool, Cause> {
        let read = folder.to_owned();
        let there = blocking(move || Self::read(&read)).await?;
        let [origins, chosen] = [folder.join(ORIGINS), folder.join(LOCK)];
        if ![&before.origins, &self.origins].contains(&&there.origins) {
            return Err(Cause::Changed { path: origins });
        }
        if ![&before.chosen, &self.chosen].contains(&&there.chosen) {
            return Err(Cause::Changed { path: chosen });
        }
        let mut is_changed = false;
        // First where things come from: without it, a lock would be taken for one of wkg.
        if self.origins != there.origins {
            replace(&origins, self.origins.to_text().as_bytes()).await?;
            is_changed = true;
        }
        if let Some(lock) = self.chosen.as_ref().filter(|_| self.chosen != there.chosen) {
            replace(&chosen, lock.to_text().as_bytes()).await?;
            is_changed = true;
        }
        Ok(is_changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn locks_that_somebody_else_changes_meanwhile_are_left_alone() {
        let with = |folder: &str| {
            let generated = [(folder.to_owned(), BTreeSet::from(["a-b".to_owned()]))].into();
            Locks { chosen: Some(Lock::default()), origins: WharfLock { generated, ..WharfLock::default() } }
        };
        let (before, [mine, other]) = (Locks::default(), ["mine", "other"].map(with));
        let folder = tempfile::tempdir().unwrap();
        assert!(other.write(folder.path(), &before).await.unwrap());
        assert!(!other.write(folder.path(), &before).await.unwrap(), "they say it already");
        let refused = mine.write(folder.path(), &before).await.unwrap_err();
        assert!(matches!(&refused, Cause::Changed { path } if path.ends_with(ORIGINS)), "{refused:?}");
        assert_eq!(Locks::read(folder.path()).unwrap(), other);
        assert!(mine.write(folder.path(), &other).await.unwrap());
    }
}
