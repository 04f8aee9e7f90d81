//! Who may change the index of a layout.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::Error;
use crate::index::LAYOUT_FILE;

/// The pauses between attempts to lock: each is twice as long as the one before, from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(32));
/// How often it is attempted, which is for about ten seconds: who holds the lock may be stopped.
const ATTEMPTS: u32 = 300;

/// Keeps all others, in this process too, from changing the index.
///
/// It is on `oci-layout`, which never changes: `index.json` is replaced by another file.
pub(super) struct Lock(File);

impl Lock {
    /// Waits for its turn.
    pub(super) async fn of(folder: &Path) -> Result<Self, Error> {
        Self::within(folder, ATTEMPTS).await
    }

    async fn within(folder: &Path, attempts: u32) -> Result<Self, Error> {
        let path = folder.join(LAYOUT_FILE);
        let file = File::open(&path).map_err(Error::file("open", &path))?;
        let (mut pause, pause_max) = PAUSES;
        for _ in 0..attempts {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(pause).await,
                Err(TryLockError::Error(source)) => return Err(Error::File { operation: "lock", path, source }),
            }
            pause = pause_max.min(pause * 2);
        }
        Err(Error::Busy { path: folder.to_owned() })
    }
}

impl Drop for Lock {
    /// Lets the lock go at once: a process that is just being forked off has the file open too for a moment.
    fn drop(&mut self) {
        // Closing the file does the rest.
        let _unlocked = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_that_is_not_let_go_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LAYOUT_FILE), "").unwrap();
        let holder = Lock::within(folder.path(), 1).await.unwrap();
        assert!(matches!(Lock::within(folder.path(), 2).await, Err(Error::Busy { .. })));
        drop(holder);
        assert!(Lock::within(folder.path(), 1).await.is_ok());
    }
}
