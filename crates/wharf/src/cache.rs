//! `cache`: looks after compiled code that is kept.

use serde::Serialize;
use wharf_run::{CacheFolders, CodeCache, Tally, Verified};

use crate::blocking::blocking;
use crate::cause::RunFault;
use crate::{Cause, Error};

/// What became of kept code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CacheOutcome {
    /// All of it was read; what was not as it was kept was removed.
    Verified(Verified),
    /// It was removed.
    Cleared(Tally),
}

/// Reads all compiled code that is kept, and removes what is not as it was kept. A run does that only for what it needs, and
/// only where the state of the file has changed.
///
/// # Errors
/// [`Error::Cache`].
pub async fn verify_cache(folders: CacheFolders) -> Result<CacheOutcome, Error> {
    let verified = blocking(move || CodeCache::new(folders).verify()).await;
    Ok(CacheOutcome::Verified(verified.map_err(failed)?))
}

/// Removes all compiled code that is kept.
///
/// # Errors
/// [`Error::Cache`].
pub async fn clear_cache(folders: CacheFolders) -> Result<CacheOutcome, Error> {
    let cleared = blocking(move || CodeCache::new(folders).clear()).await;
    Ok(CacheOutcome::Cleared(cleared.map_err(failed)?))
}

fn failed(error: wharf_run::CacheError) -> Error {
    Error::Cache { source: Cause::RunFault(RunFault::Cache(error)) }
}
