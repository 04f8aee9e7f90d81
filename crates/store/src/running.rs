//! The hashes of uploads that are not finished, so that their bytes need not be read again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wharf_oci::Hasher;

use crate::UploadId;

/// Hashes that are kept. One takes about 200 bytes.
const HASHES_MAX: usize = 1024;

/// What this process knows of the uploads that it has received.
///
/// It is only a shorter way: what is missing here is read again from the file.
#[derive(Debug, Default)]
pub(crate) struct RunningHashes(Mutex<HashMap<UploadId, Running>>);

#[derive(Debug)]
struct Running {
    size: u64,
    hasher: Hasher,
}

impl RunningHashes {
    /// Takes the hash of the first `size` bytes, where that is how many were hashed.
    pub(crate) fn take(&self, id: &UploadId, size: u64) -> Option<Hasher> {
        let running = self.lock().remove(id)?;
        (running.size == size).then_some(running.hasher)
    }

    /// Keeps the hash of the first `size` bytes, in place of any other where there are too many.
    pub(crate) fn put(&self, id: &UploadId, size: u64, hasher: Hasher) {
        let mut hashes = self.lock();
        if hashes.len() >= HASHES_MAX
            && let Some(other) = hashes.keys().next().cloned()
        {
            hashes.remove(&other);
        }
        hashes.insert(id.clone(), Running { size, hasher });
    }

    /// Drops what is known of an upload.
    pub(crate) fn forget(&self, id: &UploadId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UploadId, Running>> {
        // Each change is one call on the map, so a panic elsewhere leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use wharf_oci::Algorithm;

    use super::*;

    fn id(number: usize) -> UploadId {
        format!("{number:032x}").parse().unwrap()
    }

    #[test]
    fn no_more_hashes_are_kept_than_the_limit() {
        let hashes = RunningHashes::default();
        for number in 0..=HASHES_MAX {
            hashes.put(&id(number), 1, Hasher::new(Algorithm::Sha256));
        }
        assert_eq!(hashes.lock().len(), HASHES_MAX);
        assert!(hashes.take(&id(HASHES_MAX), 1).is_some());
    }

    #[test]
    fn a_hash_of_another_length_is_not_used() {
        let hashes = RunningHashes::default();
        hashes.put(&id(1), 5, Hasher::new(Algorithm::Sha256));
        assert!(hashes.take(&id(1), 6).is_none());
    }
}
