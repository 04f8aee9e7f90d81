//! Every file operation of the store, in one place, so that tests can stop at each of them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rustix::fs::OFlags;

use crate::Error;

/// The file system, as the store uses it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    #[cfg(test)]
    pub(crate) faults: Option<std::sync::Arc<faults::Faults>>,
}

/// What became of a hard link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// It was made.
    Made,
    /// Its name was there before.
    Present,
    /// There is nothing to link to.
    Missing,
    /// The file has all the links it can have, or the file system makes none.
    Refused,
}

/// Who else may lock a file at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Nobody.
    Exclusive,
    /// Whoever wants the same.
    Shared,
}

/// The pauses between attempts to lock: each is twice as long as the one before, from the first to the last.
const LOCK_PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(16));

/// What the file system says of a regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) size: u64,
    /// How many names the file has.
    pub(crate) links: u64,
    pub(crate) is_read_only: bool,
    pub(crate) modified: SystemTime,
}

impl Files {
    /// Makes a directory and those above it, so that they outlast a power cut.
    pub(crate) fn make_directory(&self, path: &Path) -> Result<(), Error> {
        if self.attempt("look for", path, || path.try_exists())? {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(path);
        if parent != path && !parent.as_os_str().is_empty() {
            self.make_directory(parent)?;
        }
        self.attempt("create directory", path, || match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        })?;
        self.sync_directory(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
    }

    /// Writes the names in a directory to the disk.
    pub(crate) fn sync_directory(&self, path: &Path) -> Result<(), Error> {
        self.attempt("sync directory", path, || sync(&File::open(path)?))
    }

    /// Creates a file; `None` where its name is taken.
    pub(crate) fn create(&self, path: &Path) -> Result<Option<Handle>, Error> {
        let created = self.attempt("create", path, || {
            let mut options = OpenOptions::new();
            match options.read(true).append(true).create_new(true).open(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
                created => created.map(Some),
            }
        })?;
        Ok(created.map(|file| self.handle(file, path)))
    }

    /// Opens a regular file to read it; `None` where there is none.
    pub(crate) fn open(&self, path: &Path) -> Result<Option<Handle>, Error> {
        self.open_regular(path, OpenOptions::new().read(true))
    }

    /// Opens a regular file to read it and to write at its end; `None` where there is none.
    pub(crate) fn open_to_append(&self, path: &Path) -> Result<Option<Handle>, Error> {
        self.open_regular(path, OpenOptions::new().read(true).append(true))
    }

    /// Opens a file whose content does not matter, only who has locked it; `None` where its directory is missing.
    pub(crate) fn open_lock(&self, path: &Path) -> Result<Option<Handle>, Error> {
        self.open_regular(path, OpenOptions::new().append(true).create(true))
    }

    /// Tells of a regular file; `None` where there is none.
    pub(crate) fn stat(&self, path: &Path) -> Result<Option<Stat>, Error> {
        self.attempt("look at", path, || {
            let found = missing_as_none(fs::symlink_metadata(path))?;
            found.map(|metadata| stat(&metadata)).transpose()
        })
    }

    /// Whether there is a regular file.
    pub(crate) fn exists(&self, path: &Path) -> Result<bool, Error> {
        Ok(self.stat(path)?.is_some())
    }

    /// Gives a file one more name.
    pub(crate) fn link(&self, from: &Path, to: &Path) -> Result<Link, Error> {
        self.attempt("link", to, || {
            #[cfg(test)]
            if self.faults.as_ref().is_some_and(|faults| faults.refuses_links()) {
                return Ok(if to.exists() { Link::Present } else { Link::Refused });
            }
            let made = fs::hard_link(from, to);
            #[cfg(test)]
            if self.faults.as_ref().is_some_and(|faults| faults.loses_link(to)) {
                fs::remove_file(to)?;
            }
            match made {
                Ok(()) => Ok(Link::Made),
                Err(error) => match error.kind() {
                    io::ErrorKind::AlreadyExists => Ok(Link::Present),
                    io::ErrorKind::NotFound => Ok(Link::Missing),
                    // The kernel also forbids links to files of other users (fs.protected_hardlinks).
                    io::ErrorKind::TooManyLinks
                    | io::ErrorKind::CrossesDevices
                    | io::ErrorKind::PermissionDenied
                    | io::ErrorKind::Unsupported => Ok(Link::Refused),
                    _ => Err(error),
                },
            }
        })
    }

    /// Gives a file another name, which from then on means this file.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.attempt("rename a file to", to, || fs::rename(from, to))
    }

    /// Removes a name; whether it was there.
    pub(crate) fn remove(&self, path: &Path) -> Result<bool, Error> {
        self.attempt("remove", path, || Ok(missing_as_none(fs::remove_file(path))?.is_some()))
    }

    /// Returns the names in a directory that are UTF-8, in no order; none where there is no directory.
    pub(crate) fn names(&self, path: &Path) -> Result<Vec<String>, Error> {
        self.list(path, |_| Ok(true))
    }

    /// Returns the names of the directories in a directory, as [`Files::names`] does.
    pub(crate) fn directories(&self, path: &Path) -> Result<Vec<String>, Error> {
        self.list(path, |entry| Ok(entry.file_type()?.is_dir()))
    }

    fn list(&self, path: &Path, is_wanted: impl Fn(&fs::DirEntry) -> io::Result<bool>) -> Result<Vec<String>, Error> {
        self.attempt("list", path, || {
            let Some(entries) = missing_as_none(fs::read_dir(path))? else { return Ok(Vec::new()) };
            let mut names = Vec::new();
            for entry in entries {
                let entry = entry?;
                if let Ok(name) = entry.file_name().into_string()
                    && is_wanted(&entry)?
                {
                    names.push(name);
                }
            }
            Ok(names)
        })
    }

    fn open_regular(&self, path: &Path, options: &mut OpenOptions) -> Result<Option<Handle>, Error> {
        // A symbolic link is not followed, and a named pipe does not wait for its other end.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = self.attempt("open", path, || {
            let Some(file) = missing_as_none(options.custom_flags(flags).open(path))? else { return Ok(None) };
            stat(&file.metadata()?)?;
            Ok(Some(file))
        })?;
        Ok(file.map(|file| self.handle(file, path)))
    }

    fn handle(&self, file: File, path: &Path) -> Handle {
        Handle { files: self.clone(), file, path: path.to_owned() }
    }

    /// Runs one operation, and names it in its error.
    fn attempt<T>(
        &self,
        operation: &'static str,
        path: &Path,
        action: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, Error> {
        self.step(operation).and_then(|()| action()).map_err(|source| Error::File {
            operation,
            path: path.to_owned(),
            source,
        })
    }

    #[cfg(not(test))]
    fn step(&self, _: &'static str) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self, operation: &'static str) -> io::Result<()> {
        self.faults.as_ref().map_or(Ok(()), |faults| faults.step(operation))
    }
}

/// An open regular file.
#[derive(Debug)]
pub(crate) struct Handle {
    files: Files,
    file: File,
    path: PathBuf,
}

impl Drop for Handle {
    /// Lets a lock go at once: a process that is just being forked off has the file open too for a moment, and would
    /// keep the lock with it.
    fn drop(&mut self) {
        // A file that was never locked has nothing to let go, and closing it does the rest.
        let _unlocked = self.file.unlock();
    }
}

impl Handle {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn stat(&self) -> Result<Stat, Error> {
        self.attempt("look at", |file| stat(&file.metadata()?))
    }

    pub(crate) fn write_all(&self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.attempt("write", |mut file| file.write_all(bytes));
        #[cfg(test)]
        if let Err(Error::File { source, .. }) = &written
            && source.kind() == io::ErrorKind::StorageFull
        {
            // A full disk, like a crash, takes a part of what is written.
            self.file.try_clone().and_then(|mut file| file.write_all(&bytes[..bytes.len() / 2])).unwrap();
        }
        written
    }

    /// Writes content and mode to the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.attempt("sync", sync)
    }

    /// Takes the permission to write from everybody: the content is what it shall be.
    pub(crate) fn set_read_only(&self) -> Result<(), Error> {
        self.attempt("protect", |file| {
            let mut permissions = file.metadata()?.permissions();
            permissions.set_readonly(true);
            file.set_permissions(permissions)
        })
    }

    /// Goes to a place in the content, counted from its start.
    pub(crate) fn seek(&self, position: u64) -> Result<(), Error> {
        self.attempt("seek in", |mut file| file.seek(SeekFrom::Start(position)).map(drop))
    }

    /// Reads the next bytes, `count` of them unless the file ends before.
    pub(crate) fn read(&self, count: usize) -> Result<Bytes, Error> {
        self.attempt("read", |file| {
            let mut bytes = Vec::with_capacity(count);
            file.take(count as u64).read_to_end(&mut bytes)?;
            Ok(bytes.into())
        })
    }

    /// Reads a file that is not larger than `limit`.
    pub(crate) fn read_whole(&self, limit: usize) -> Result<Bytes, Error> {
        let size = usize::try_from(self.stat()?.size).unwrap_or(usize::MAX);
        // A file that grows meanwhile is read to where it ended.
        if size <= limit { self.read(size) } else { self.attempt("read", |_| Err(io::ErrorKind::FileTooLarge.into())) }
    }

    /// Waits until the other handles allow it, and locks the file until this one is closed.
    ///
    /// After `wait_max` it gives up: who holds the lock may be stopped. The operating system has no wait with an end.
    #[expect(clippy::disallowed_methods, reason = "nothing tells when a lock is let go but the lock itself")]
    pub(crate) fn lock(&self, lock: Lock, wait_max: Duration) -> Result<(), Error> {
        self.attempt("lock", |file| {
            let start = Instant::now();
            let (mut pause, pause_max) = LOCK_PAUSES;
            while !try_lock(file, lock)? {
                if start.elapsed() >= wait_max {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                thread::sleep(pause);
                pause = pause_max.min(pause * 2);
            }
            Ok(())
        })
    }

    /// Locks the file, unless another handle has; whether it did.
    pub(crate) fn try_lock(&self) -> Result<bool, Error> {
        self.attempt("try to lock", |file| try_lock(file, Lock::Exclusive))
    }

    /// Removes the file; whether it still had its name.
    pub(crate) fn remove(&self) -> Result<bool, Error> {
        self.files.remove(&self.path)
    }

    fn attempt<T>(&self, operation: &'static str, action: impl FnOnce(&File) -> io::Result<T>) -> Result<T, Error> {
        self.files.attempt(operation, &self.path, || action(&self.file))
    }
}

fn stat(metadata: &fs::Metadata) -> io::Result<Stat> {
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(Stat {
        size: metadata.len(),
        links: metadata.nlink(),
        is_read_only: metadata.permissions().readonly(),
        modified: metadata.modified()?,
    })
}

fn try_lock(file: &File, lock: Lock) -> io::Result<bool> {
    let locked = match lock {
        Lock::Exclusive => file.try_lock(),
        Lock::Shared => file.try_lock_shared(),
    };
    match locked {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(not(test))]
fn sync(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// A test cannot cut the power, so it does not wait for the disk either.
#[cfg(test)]
fn sync(_: &File) -> io::Result<()> {
    Ok(())
}

fn missing_as_none<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

#[cfg(test)]
pub(crate) mod faults {
    //! Lets file operations fail as they do where a machine stops or a disk is full.

    use std::io;
    use std::path::Path;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// What happens at the chosen change.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Fault {
        /// It fails, and all after it do.
        Crash,
        /// It alone fails.
        DiskFull,
        /// No operation fails, but hard links cannot be made.
        NoLinks,
        /// No operation fails, but what is linked into `ROOT/blobs` is gone at once, as where another process deletes.
        LostLink,
    }

    #[derive(Debug)]
    pub(crate) struct Faults {
        fault: Fault,
        at: usize,
        changes: Mutex<Vec<&'static str>>,
        waits: AtomicUsize,
    }

    impl Faults {
        /// Lets nothing fail.
        pub(crate) fn none() -> Self {
            Self::new(Fault::Crash, usize::MAX)
        }

        /// Lets the `at`-th change fail, counted from 1.
        pub(crate) fn new(fault: Fault, at: usize) -> Self {
            Self { fault, at, changes: Mutex::default(), waits: AtomicUsize::default() }
        }

        /// Whether the change at which to fail was reached.
        pub(crate) fn struck(&self) -> bool {
            self.changes.lock().unwrap().len() >= self.at
        }

        /// Returns how often somebody has waited for a lock, or waits now.
        pub(crate) fn waits(&self) -> usize {
            self.waits.load(Ordering::SeqCst)
        }

        /// Returns all changes so far.
        pub(crate) fn changes(&self) -> Vec<&'static str> {
            self.changes.lock().unwrap().clone()
        }

        pub(super) fn step(&self, operation: &'static str) -> io::Result<()> {
            // A machine that stops before it reads leaves the same as one that stops before its next change.
            if ["look for", "look at", "open", "list", "seek in", "read", "try to lock", "lock"].contains(&operation) {
                self.waits.fetch_add(usize::from(operation == "lock"), Ordering::SeqCst);
                let has_crashed = self.fault == Fault::Crash && self.struck();
                return if has_crashed { Err(io::Error::other("crashed before")) } else { Ok(()) };
            }
            let mut changes = self.changes.lock().unwrap();
            changes.push(operation);
            match self.fault {
                Fault::Crash | Fault::DiskFull if changes.len() == self.at => Err(io::ErrorKind::StorageFull.into()),
                Fault::Crash if changes.len() > self.at => Err(io::Error::other("crashed before")),
                _ => Ok(()),
            }
        }

        pub(super) fn loses_link(&self, to: &Path) -> bool {
            self.fault == Fault::LostLink && !to.components().any(|part| part.as_os_str() == "_layout")
        }

        pub(super) fn refuses_links(&self) -> bool {
            self.fault == Fault::NoLinks
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::default();
        let file = directory.path().join("file");
        files.create(&file).unwrap().unwrap();
        let symbolic = directory.path().join("symbolic");
        std::os::unix::fs::symlink(&file, &symbolic).unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        for path in [directory.path(), &symbolic, &pipe] {
            assert!(files.open(path).is_err(), "{path:?}");
            assert!(files.stat(path).is_err(), "{path:?}");
        }
        assert!(files.open(&file).unwrap().is_some());
        assert!(files.open(&directory.path().join("missing")).unwrap().is_none());
    }

    #[test]
    fn a_lock_that_is_not_let_go_is_not_waited_for_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let open = || Files::default().open_lock(&path).unwrap().unwrap();
        let wait_max = Duration::from_millis(3);
        let table =
            [(Lock::Shared, Lock::Exclusive), (Lock::Exclusive, Lock::Shared), (Lock::Exclusive, Lock::Exclusive)];
        for (held, wanted) in table {
            let (holder, waiter) = (open(), open());
            holder.lock(held, Duration::ZERO).unwrap();
            let error = waiter.lock(wanted, wait_max).unwrap_err();
            let Error::File { operation: "lock", source, .. } = error else { panic!("{error:?}") };
            assert_eq!(source.kind(), io::ErrorKind::TimedOut);
            drop(holder);
            waiter.lock(wanted, Duration::ZERO).unwrap();
        }
        let (one, other) = (open(), open());
        one.lock(Lock::Shared, Duration::ZERO).unwrap();
        other.lock(Lock::Shared, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let handle = Files::default().create(&directory.path().join("file")).unwrap().unwrap();
        handle.write_all(b"wharf").unwrap();
        handle.seek(0).unwrap();
        assert_eq!(handle.read_whole(5).unwrap(), "wharf");
        assert!(matches!(handle.read_whole(4), Err(Error::File { operation: "read", .. })));
    }
}
