//! The store as a whole.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use wharf_oci::RepositoryName;

use crate::files::Files;
use crate::ingest::Ingest;
use crate::paths::{LAYOUT, LAYOUT_MARKER, StorePaths};
use crate::running::RunningHashes;
use crate::{Error, Repository, documents, receive};

/// The format that this program reads and writes; the crate page draws it.
const VERSION: u64 = 1;

/// Changes of repositories at the same time. Each holds a blocking thread, also while it waits for the lock of its
/// repository, and with those that receive they leave some of tokio's 512 to whoever only reads.
const CHANGERS_MAX: usize = 128;

/// A store on local disk, which other processes may use at the same time. A clone is the same store.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// What all clones of a store have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) files: Files,
    pub(crate) paths: StorePaths,
    pub(crate) ingest: Ingest,
    pub(crate) running: RunningHashes,
    pub(crate) receivers: Semaphore,
    pub(crate) changers: Arc<Semaphore>,
}

/// The content of `store.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Format {
    version: u64,
}

impl Store {
    /// Opens the store at `root`, makes what is missing of it, and removes what interrupted writers left long ago.
    ///
    /// # Errors
    /// [`Error::Format`] where a newer program wrote it, [`Error::File`], [`Error::Json`].
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::open_with(root.into(), Files::default()).await
    }

    /// Names a repository, which need not exist: it comes to be with its first content.
    #[must_use]
    pub fn repository(&self, name: &RepositoryName) -> Repository {
        Repository::new(Arc::clone(&self.shared), name.clone())
    }

    /// Returns the names of all repositories, sorted bytewise.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn repositories(&self) -> Result<Vec<RepositoryName>, Error> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.repositories()).await
    }

    /// Opens a store on a file system of the caller's choice.
    pub(crate) async fn open_with(root: PathBuf, files: Files) -> Result<Self, Error> {
        let paths = StorePaths::new(root);
        let shared = Shared {
            ingest: Ingest::new(files.clone(), paths.ingest()),
            files,
            paths,
            running: RunningHashes::default(),
            receivers: Semaphore::new(receive::RECEIVERS_MAX),
            changers: Arc::new(Semaphore::new(CHANGERS_MAX)),
        };
        blocking(move || {
            shared.prepare()?;
            Ok(Self { shared: Arc::new(shared) })
        })
        .await
    }
}

impl Shared {
    fn prepare(&self) -> Result<(), Error> {
        let format: Option<Format> = documents::read(&self.files, &self.paths.version())?;
        if let Some(Format { version }) = format
            && version != VERSION
        {
            return Err(Error::Format { path: self.paths.root().to_owned(), version });
        }
        for directory in [self.paths.ingest(), self.paths.blobs(), self.paths.repositories()] {
            self.files.make_directory(&directory)?;
        }
        if format.is_none() {
            documents::write(&self.files, &self.ingest, &self.paths.version(), &Format { version: VERSION })?;
        }
        if self.files.names(&self.paths.ingest())?.is_empty() {
            Ok(())
        } else {
            self.ingest.remove_stale(self.ingest.now()?)
        }
    }

    fn repositories(&self) -> Result<Vec<RepositoryName>, Error> {
        let mut found = Vec::new();
        let mut prefixes = vec![String::new()];
        while let Some(prefix) = prefixes.pop() {
            for part in self.files.directories(&self.paths.repositories().join(&prefix))? {
                let name = if prefix.is_empty() { part } else { format!("{prefix}/{part}") };
                // What belongs to the repository above starts with `_`, which no part of a name does.
                let Ok(repository) = name.parse::<RepositoryName>() else { continue };
                let directory = self.paths.repositories().join(&name);
                if self.files.exists(&directory.join(LAYOUT).join(LAYOUT_MARKER))? {
                    found.push(repository);
                }
                prefixes.push(name);
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// Runs file work where it holds up no other task.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    finished(tokio::task::spawn_blocking(work)).await
}

/// Waits for file work.
pub(crate) async fn finished<T>(task: tokio::task::JoinHandle<Result<T, Error>>) -> Result<T, Error> {
    match task.await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Stopped),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{Fixture, put, run};

    #[test]
    fn a_store_of_another_format_is_refused() {
        run(async {
            let fixture = Fixture::new().await;
            let written = std::fs::read_to_string(fixture.path().join("store.json")).unwrap();
            assert_eq!(written, r#"{"version":1}"#);
            std::fs::write(fixture.path().join("store.json"), r#"{"version":2}"#).unwrap();
            let refused = Store::open(fixture.path()).await;
            assert!(matches!(refused, Err(Error::Format { version: 2, .. })), "{refused:?}");
            std::fs::write(fixture.path().join("store.json"), "version 1").unwrap();
            assert!(matches!(Store::open(fixture.path()).await, Err(Error::Json { .. })));
        });
    }

    #[test]
    fn repositories_are_those_with_content_sorted_by_name() {
        run(async {
            let fixture = Fixture::new().await;
            assert!(fixture.store.repositories().await.unwrap().is_empty());
            for name in ["acme/hello/world", "acme/hello", "acme-x", "b"] {
                put(&fixture.repository(name), b"content").await;
            }
            fixture.repository("acme/started").start_upload().await.unwrap();
            std::fs::write(fixture.path().join("repositories/file"), "").unwrap();
            let found = fixture.store.repositories().await.unwrap();
            let found: Vec<_> = found.iter().map(RepositoryName::as_str).collect();
            assert_eq!(found, ["acme-x", "acme/hello", "acme/hello/world", "b"]);
        });
    }
}
