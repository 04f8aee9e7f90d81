//! The key that seals are made with: a file in the folder of state, where nothing that fills a cache writes.

use std::path::Path;

use super::error::{CacheError, Fault};
use super::folder::{Draft, Folder, Links};
use super::seal::{KEY_BYTES, SealKey};

/// The file of the key.
const NAME: &str = "code.key";

/// How often a key is made anew where somebody else removes it each time.
const ATTEMPTS: usize = 3;

impl SealKey {
    /// Reads the key; `None` where there is none. One that is not the user's secret is removed: all that it sealed is
    /// then compiled again.
    pub(super) fn find(state: &Path) -> Result<Option<Self>, CacheError> {
        match Folder::open(state, Links::Follow)? {
            Some(mut folder) => read(&mut folder),
            None => Ok(None),
        }
    }

    /// Reads the key, and makes one where there is none.
    pub(super) fn make(state: &Path) -> Result<Self, CacheError> {
        let mut folder = Folder::make(state, Links::Follow)?;
        for _ in 0..ATTEMPTS {
            if let Some(key) = read(&mut folder)? {
                return Ok(key);
            }
            // Of several processes that come here at once, all go on with the key of the first.
            draft(&folder)?.publish_first(NAME)?;
        }
        Err(folder.failed("keep", NAME, std::io::ErrorKind::NotFound))
    }
}

fn draft(folder: &Folder) -> Result<Draft<'_>, CacheError> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| folder.failed("make a key for", NAME, error))?;
    let draft = folder.draft()?;
    draft.write(&bytes, 0o600)?;
    draft.sync()?;
    Ok(draft)
}

fn read(folder: &mut Folder) -> Result<Option<SealKey>, CacheError> {
    if folder.is_writable() {
        folder.take_back()?;
        folder.remove(NAME)?;
        return Ok(None);
    }
    let bytes = match folder.read_sealed(NAME, KEY_BYTES) {
        Ok(Some((private, bytes))) if !private.facts.is_shared() => bytes,
        Ok(None) => return Ok(None),
        Ok(Some(_)) | Err(Fault::Flawed(_)) => {
            folder.remove(NAME)?;
            return Ok(None);
        }
        Err(Fault::Failed(error)) => return Err(error),
    };
    Ok(bytes.first_chunk().map(SealKey::new))
}
