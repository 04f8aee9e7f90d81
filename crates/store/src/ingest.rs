//! Bytes that nobody has verified yet, and how they become content.
//!
//! ```text
//! ingest/temporary-<random>               one write; removed when it is over
//! ingest/partial-<algorithm>-<hex>        the start of a push, which the next push of the same content goes on from
//! ingest/upload-<id>-<repository hash>    an upload, see there
//! ```
//!
//! Whoever writes one of them holds its lock.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use wharf_oci::{Algorithm, Digest, Hasher};

use crate::Error;
use crate::files::{Files, Handle, Link, Stat};
use crate::paths::file_name;

/// Random bytes in a name that nobody may guess.
const RANDOM_BYTES: usize = 16;
/// Bytes that are read in one go.
pub(crate) const READ_BYTES: usize = 256 * 1024;

const TEMPORARY: &str = "temporary-";
const PARTIAL: &str = "partial-";
const UPLOAD: &str = "upload-";
/// How long a file without a writer is left; a temporary one is without for an instant as it is created.
const STALE_AFTER: [(&str, Duration); 3] =
    [(TEMPORARY, Duration::from_hours(1)), (PARTIAL, Duration::from_hours(168)), (UPLOAD, Duration::from_hours(24))];
/// How often a store that stays open looks for what is stale.
const STALE_EVERY: Duration = Duration::from_hours(1);

/// The directory of the bytes that are not verified.
#[derive(Debug)]
pub(crate) struct Ingest {
    files: Files,
    directory: PathBuf,
    /// When what is stale was last looked for.
    looked: Mutex<Option<SystemTime>>,
}

impl Ingest {
    pub(crate) fn new(files: Files, directory: PathBuf) -> Self {
        Self { files, directory, looked: Mutex::default() }
    }

    /// Starts a draft that is removed unless it becomes content.
    pub(crate) fn temporary(&self, algorithm: Algorithm) -> Result<Draft, Error> {
        let path = self.directory.join(format!("{TEMPORARY}{}", self.random()?));
        let handle = self.create(&path)?;
        let draft = Draft { handle, hasher: Some(Hasher::new(algorithm)), size: 0, on_drop: OnDrop::Remove };
        // The name is new and unguessable; only a cleaning up can have locked it, and that leaves new files.
        draft.handle.try_lock()?;
        Ok(draft)
    }

    /// Goes on with the draft that an interrupted push of this content left, or starts one that is left in turn.
    ///
    /// While another push is at it, a temporary draft takes its place.
    pub(crate) fn partial(&self, digest: &Digest, size_max: u64) -> Result<Draft, Error> {
        let path = self.directory.join(format!("{PARTIAL}{}", file_name(digest)));
        let handle = match self.files.create(&path)? {
            Some(created) => Some(created),
            None => self.files.open_to_append(&path).or_else(forbidden_as_none)?,
        };
        let Some(handle) = handle else { return self.temporary(digest.algorithm()) };
        if !handle.try_lock()? {
            return self.temporary(digest.algorithm());
        }
        let stat = handle.stat()?;
        if stat.links == 1 && !stat.is_read_only && stat.size <= size_max {
            let hasher = Some(hash(&handle, digest.algorithm())?);
            return Ok(Draft { handle, hasher, size: stat.size, on_drop: OnDrop::Keep });
        }
        if stat.links > 0 {
            // A crash came after its bytes had become content, or they are more than there can be.
            handle.remove()?;
        }
        self.temporary(digest.algorithm())
    }

    /// Returns where the upload of this name is.
    pub(crate) fn upload_path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{UPLOAD}{name}"))
    }

    /// Creates a file that was not there.
    pub(crate) fn create(&self, path: &Path) -> Result<Handle, Error> {
        self.files.create(path)?.ok_or_else(|| Error::File {
            operation: "create",
            path: path.to_owned(),
            source: std::io::ErrorKind::AlreadyExists.into(),
        })
    }

    /// Returns 32 hexadecimal characters that nobody can guess.
    pub(crate) fn random(&self) -> Result<String, Error> {
        let mut bytes = [0; RANDOM_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| Error::File {
            operation: "draw a random name in",
            path: self.directory.clone(),
            source: error.into(),
        })?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Replaces a small file by another, in one step and for good.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut draft = self.temporary(Algorithm::Sha256)?;
        draft.write(bytes)?;
        draft.handle.sync()?;
        self.place(draft, path)
    }

    /// Gives verified bytes the name `to`, by a hard link or, where that cannot be, by a copy; `false` where `from`
    /// is missing.
    pub(crate) fn share(&self, from: &Path, to: &Path, digest: &Digest) -> Result<bool, Error> {
        match self.files.link(from, to)? {
            Link::Made | Link::Present => {
                self.files.sync_directory(directory_of(to))?;
                Ok(true)
            }
            Link::Missing => Ok(false),
            Link::Refused => self.copy(from, to, digest),
        }
    }

    /// Tells the time of the file system, which dates what is left here.
    pub(crate) fn now(&self) -> Result<SystemTime, Error> {
        Ok(self.temporary(Algorithm::Sha256)?.handle.stat()?.modified)
    }

    /// Removes what writers left that are long gone, unless that was done within the hour.
    ///
    /// `now` is the time of the file system.
    pub(crate) fn remove_stale(&self, now: SystemTime) -> Result<(), Error> {
        if !self.is_due(now) {
            return Ok(());
        }
        for name in self.files.names(&self.directory)? {
            let Some((_, age_max)) = STALE_AFTER.into_iter().find(|(prefix, _)| name.starts_with(prefix)) else {
                continue;
            };
            // What cannot be removed, such as another user's, is no reason not to open the store.
            drop(self.remove_if_older(&self.directory.join(name), now, age_max));
        }
        Ok(())
    }

    /// Whether it is time to look for what is stale again; where it is, that is taken as done.
    fn is_due(&self, now: SystemTime) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        // Where the clock was set back, it is done once more.
        let is_due = looked.and_then(|looked| now.duration_since(looked).ok()).is_none_or(|since| since >= STALE_EVERY);
        if is_due {
            *looked = Some(now);
        }
        is_due
    }

    fn remove_if_older(&self, path: &Path, now: SystemTime, age_max: Duration) -> Result<(), Error> {
        let is_older = |stat: Stat| now.duration_since(stat.modified).is_ok_and(|age| age > age_max);
        if self.files.stat(path)?.is_some_and(is_older)
            && let Some(handle) = self.files.open(path)?
            && handle.try_lock()?
            // Somebody may have gone on with it before it was locked.
            && is_older(handle.stat()?)
        {
            handle.remove()?;
        }
        Ok(())
    }

    fn copy(&self, from: &Path, to: &Path, digest: &Digest) -> Result<bool, Error> {
        let Some(source) = self.files.open(from)? else { return Ok(false) };
        let mut draft = self.temporary(digest.algorithm())?;
        loop {
            let bytes = source.read(READ_BYTES)?;
            if bytes.is_empty() {
                break;
            }
            draft.write(&bytes)?;
        }
        let mut verified = draft.verify(digest)?;
        verified.seal()?;
        self.place(verified.draft, to)?;
        Ok(true)
    }

    fn place(&self, mut draft: Draft, path: &Path) -> Result<(), Error> {
        self.files.rename(draft.handle.path(), path)?;
        draft.on_drop = OnDrop::Keep;
        self.files.sync_directory(directory_of(path))
    }
}

/// A file that takes bytes.
#[derive(Debug)]
pub(crate) struct Draft {
    handle: Handle,
    /// Knows all bytes so far; `None` where they were not looked at.
    hasher: Option<Hasher>,
    size: u64,
    on_drop: OnDrop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDrop {
    Keep,
    Remove,
}

impl Draft {
    /// Goes on with a file that stays where it is until it has become content.
    pub(crate) fn resume(handle: Handle, hasher: Option<Hasher>, size: u64) -> Self {
        Self { handle, hasher, size, on_drop: OnDrop::Keep }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn hasher(&self) -> Option<&Hasher> {
        self.hasher.as_ref()
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.handle.write_all(bytes)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Has the file removed, whatever it was.
    pub(crate) fn discard(&mut self) {
        self.on_drop = OnDrop::Remove;
    }

    /// Compares the bytes with their name; a draft with others is removed.
    pub(crate) fn verify(mut self, digest: &Digest) -> Result<Verified, Error> {
        let known = self.hasher.take().map(Hasher::finish).filter(|known| known.algorithm() == digest.algorithm());
        let actual = match known {
            Some(known) => known,
            None => hash(&self.handle, digest.algorithm())?.finish(),
        };
        if actual != *digest {
            self.discard();
            return Err(wharf_oci::Error::Digest { expected: digest.clone(), actual, read: self.size }.into());
        }
        Ok(Verified { draft: self, digest: actual })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.on_drop == OnDrop::Remove {
            // There is nobody left to tell; what stays is removed when it is stale.
            drop(self.handle.remove());
        }
    }
}

/// A draft whose bytes are what `digest` names.
#[derive(Debug)]
pub(crate) struct Verified {
    draft: Draft,
    digest: Digest,
}

impl Verified {
    pub(crate) fn path(&self) -> &Path {
        self.draft.handle.path()
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(crate) fn size(&self) -> u64 {
        self.draft.size
    }

    /// Writes the bytes to the disk, and lets nobody change them any more.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        self.draft.handle.set_read_only()?;
        let synced = self.draft.handle.sync();
        if synced.is_err() {
            // The kernel tells once of bytes that it could not write, and then takes them for written: to try again
            // with this file could succeed without them.
            self.draft.discard();
        }
        synced
    }

    /// Has the draft removed, as its bytes have become content.
    pub(crate) fn admitted(mut self) {
        self.draft.discard();
    }
}

/// Hashes all of a file.
pub(crate) fn hash(handle: &Handle, algorithm: Algorithm) -> Result<Hasher, Error> {
    let mut hasher = Hasher::new(algorithm);
    handle.seek(0)?;
    loop {
        let bytes = handle.read(READ_BYTES)?;
        if bytes.is_empty() {
            return Ok(hasher);
        }
        hasher.update(&bytes);
    }
}

/// Reads what another user's file says to us, who may not touch it, as no file.
fn forbidden_as_none<T>(error: Error) -> Result<Option<T>, Error> {
    match error {
        Error::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => Ok(None),
        error => Err(error),
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::Store;
    use crate::fixtures::{Fixture, run};

    #[test]
    fn opening_removes_what_is_old_and_has_no_writer() {
        run(async {
            let fixture = Fixture::new().await;
            let directory = fixture.path().join("ingest");
            let hours = |count: u64| Duration::from_hours(count);
            let table = [
                ("temporary-old", hours(2), false),
                ("temporary-new", hours(0), true),
                ("temporary-locked", hours(2), true),
                ("partial-sha256-old", hours(169), false),
                ("partial-sha256-new", hours(2), true),
                ("upload-old", hours(25), false),
                ("upload-new", hours(23), true),
                ("foreign", hours(10_000), true),
            ];
            let now = std::fs::metadata(&directory).unwrap().modified().unwrap();
            let mut locked = Vec::new();
            for (name, age, _) in table {
                let file = File::create(directory.join(name)).unwrap();
                file.set_modified(now - age).unwrap();
                if name.ends_with("locked") {
                    file.lock().unwrap();
                    locked.push(file);
                }
            }
            // What cannot be looked at does not keep the store from opening.
            std::fs::create_dir(directory.join("temporary-directory")).unwrap();
            Store::open(fixture.path()).await.unwrap();
            for (name, _, stays) in table {
                assert_eq!(directory.join(name).exists(), stays, "{name}");
            }
            let left = fixture.ingest().into_iter().filter(|path| path.is_file()).count();
            assert_eq!(left, table.iter().filter(|(.., stays)| *stays).count());
        });
    }

    #[test]
    fn a_store_that_stays_open_removes_uploads_that_are_left() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let leave = || {
                let path = fixture.path().join("ingest/upload-left");
                let file = File::create(&path).unwrap();
                let created = file.metadata().unwrap().modified().unwrap();
                file.set_modified(created - Duration::from_hours(25)).unwrap();
                path
            };
            let left = leave();
            let id = repository.start_upload().await.unwrap();
            assert!(!left.exists());
            assert_eq!(repository.upload_size(&id).await.unwrap(), Some(0));
            leave();
            repository.start_upload().await.unwrap();
            assert!(left.exists(), "it was looked for a moment ago");
            let ingest = &repository.shared.ingest;
            ingest.remove_stale(ingest.now().unwrap() + STALE_EVERY).unwrap();
            assert!(!left.exists());
        });
    }

    #[test]
    fn only_bytes_with_their_own_digest_are_verified() {
        let directory = tempfile::tempdir().unwrap();
        let ingest = Ingest::new(Files::default(), directory.path().to_owned());
        for known in Algorithm::ALL {
            for algorithm in Algorithm::ALL {
                let mut draft = ingest.temporary(known).unwrap();
                draft.write(b"wha").unwrap();
                draft.write(b"rf").unwrap();
                assert_eq!(draft.verify(&Digest::of(algorithm, b"wharf")).unwrap().size(), 5);
                let mut draft = ingest.temporary(known).unwrap();
                draft.write(b"wharf!").unwrap();
                assert!(draft.verify(&Digest::of(algorithm, b"wharf")).is_err());
            }
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
