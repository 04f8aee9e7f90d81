//! A folder that its owner alone writes in, and its files: opened by descriptor, and never through a link.

use std::fs::{DirBuilder, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;

use super::error::{CacheError, Discarded, Fault, Flaw};
use super::hex;
use super::seal::FileState;

/// The start of the names of files that are being written.
const DRAFT: &str = "draft-";

/// Random bytes in the name of a draft.
const RANDOM_BYTES: usize = 16;

/// The mode of folders that are made.
const FOLDER_MODE: u32 = 0o700;

/// The bits of a mode that let others than the owner write.
const WRITABLE: u32 = 0o022;

/// The bits of a mode that let others than the owner do anything.
const SHARED: u32 = 0o077;

/// An open folder that belongs to the user.
#[derive(Debug)]
pub(super) struct Folder {
    directory: File,
    path: PathBuf,
    /// Whether others may write in it.
    is_writable: bool,
}

/// Whether a folder may be reached through a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// It may: users choose where it is.
    Follow,
    /// It may not: nobody but the cache makes it.
    Refuse,
}

/// A new file that has no name of meaning yet, and is removed unless it gets one.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    folder: &'a Folder,
    file: File,
    name: String,
    started: i64,
}

/// An open regular file of the user, which others cannot write.
#[derive(Debug)]
pub(super) struct Private {
    pub(super) file: File,
    pub(super) facts: Facts,
}

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) is_file: bool,
    pub(super) is_folder: bool,
    pub(super) owner: u32,
    pub(super) mode: u32,
    /// Bytes that it takes on the disk.
    pub(super) occupied: u64,
    /// When its content changed: nanoseconds since 1970.
    pub(super) modified: i64,
    pub(super) state: FileState,
}

impl Facts {
    fn of(metadata: &Metadata) -> Self {
        // A time that does not fit comes out as one that is never long ago.
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            is_file: metadata.is_file(),
            is_folder: metadata.is_dir(),
            owner: metadata.uid(),
            mode: metadata.mode(),
            occupied: metadata.blocks().saturating_mul(512),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            state: FileState {
                size: metadata.size(),
                device: metadata.dev(),
                inode: metadata.ino(),
                changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            },
        }
    }

    /// Returns what is wrong with a file, for a user who wants it alone.
    pub(super) fn flaw(&self, user: u32) -> Option<Flaw> {
        match self {
            _ if !self.is_file => Some(Flaw::NotFile),
            _ if self.owner != user => Some(Flaw::Owner),
            _ if self.mode & WRITABLE != 0 => Some(Flaw::Writable),
            _ => None,
        }
    }

    /// Returns what is wrong with a folder, but for who may write in it.
    fn folder_flaw(&self, user: u32) -> Option<Flaw> {
        match self {
            _ if !self.is_folder => Some(Flaw::NotFolder),
            _ if self.owner != user => Some(Flaw::Owner),
            _ => None,
        }
    }

    /// Whether others than the owner may read or write it.
    pub(super) fn is_shared(&self) -> bool {
        self.mode & SHARED != 0
    }
}

impl Folder {
    /// Opens a folder; `None` where there is none.
    pub(super) fn open(path: &Path, links: Links) -> Result<Option<Self>, CacheError> {
        let follow = match links {
            Links::Follow => OFlags::empty(),
            Links::Refuse => OFlags::NOFOLLOW,
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | follow;
        let directory = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(directory) => File::from(directory),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                return Err(CacheError::Folder { path: path.to_owned(), flaw: Flaw::NotFolder });
            }
            Err(error) => return Err(failed("open", path, error)),
        };
        let facts = Facts::of(&directory.metadata().map_err(|error| failed("look at", path, error))?);
        match facts.folder_flaw(user()) {
            Some(flaw) => Err(CacheError::Folder { path: path.to_owned(), flaw }),
            None => Ok(Some(Self { directory, path: path.to_owned(), is_writable: facts.mode & WRITABLE != 0 })),
        }
    }

    /// Opens a folder, and makes it and those above it where they are missing.
    pub(super) fn make(path: &Path, links: Links) -> Result<Self, CacheError> {
        if let Some(folder) = Self::open(path, links)? {
            return Ok(folder);
        }
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(path)
            .map_err(|error| failed("make", path, error))?;
        Self::open(path, links)?.ok_or_else(|| failed("make", path, ErrorKind::NotFound))
    }

    /// Whether others may write in it, so that nothing in it is to be trusted.
    pub(super) fn is_writable(&self) -> bool {
        self.is_writable
    }

    /// Lets nobody else in from now on.
    pub(super) fn take_back(&mut self) -> Result<(), CacheError> {
        let mode = Permissions::from_mode(FOLDER_MODE);
        self.directory.set_permissions(mode).map_err(|error| failed("protect", &self.path, error))?;
        self.is_writable = false;
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file to read it; `None` where there is none.
    pub(super) fn open_private(&self, name: &str) -> Result<Option<Private>, Fault> {
        let flawed = |flaw| Fault::Flawed(self.discarded(name, flaw));
        // A pipe does not wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.directory, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            // A symbolic link, which some systems call by the second name; a socket.
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO) => return Err(flawed(Flaw::NotFile)),
            Err(Errno::ACCESS | Errno::PERM) => return Err(flawed(Flaw::Unreadable)),
            Err(error) => return Err(self.failed("open", name, error).into()),
        };
        let facts = self.facts_of(&file, name)?;
        match facts.flaw(user()) {
            Some(flaw) => Err(flawed(flaw)),
            None => Ok(Some(Private { file, facts })),
        }
    }

    /// Reads a file of `size` bytes; one of another size is damaged.
    pub(super) fn read_sealed(&self, name: &str, size: usize) -> Result<Option<(Private, Vec<u8>)>, Fault> {
        let Some(private) = self.open_private(name)? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(size + 1);
        let limit = size as u64 + 1;
        (&private.file).take(limit).read_to_end(&mut bytes).map_err(|error| self.failed("read", name, error))?;
        match bytes.len() == size {
            true => Ok(Some((private, bytes))),
            false => Err(Fault::Flawed(self.discarded(name, Flaw::Seal))),
        }
    }

    /// Starts a file.
    pub(super) fn draft(&self) -> Result<Draft<'_>, CacheError> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(|error| self.failed("name a file in", "", error))?;
        let name = format!("{DRAFT}{}", hex(&random));
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let created = rustix::fs::openat(&self.directory, &name, flags, Mode::RUSR | Mode::WUSR);
        let file = created.map_err(|error| self.failed("create", &name, error))?.into();
        let started = self.facts_of(&file, &name)?.state.changed;
        Ok(Draft { folder: self, file, name, started })
    }

    /// Removes a name; whether it was there.
    pub(super) fn remove(&self, name: &str) -> Result<bool, CacheError> {
        match rustix::fs::unlinkat(&self.directory, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.failed("remove", name, error)),
        }
    }

    /// Returns all names of files, with what is known of them.
    pub(super) fn list(&self) -> Result<Vec<(String, Facts)>, CacheError> {
        let failed = |error: Errno| self.failed("list", "", error);
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            // What goes away meanwhile is not in the list.
            if let Ok(metadata) = self.path.join(name).symlink_metadata()
                && !metadata.is_dir()
            {
                files.push((name.to_owned(), Facts::of(&metadata)));
            }
        }
        Ok(files)
    }

    pub(super) fn facts_of(&self, file: &File, name: &str) -> Result<Facts, CacheError> {
        file.metadata().map(|metadata| Facts::of(&metadata)).map_err(|error| self.failed("look at", name, error))
    }

    pub(super) fn discarded(&self, name: &str, flaw: Flaw) -> Discarded {
        Discarded { path: self.path.join(name), flaw }
    }

    pub(super) fn failed(&self, operation: &'static str, name: &str, error: impl Into<io::Error>) -> CacheError {
        failed(operation, &self.path.join(name), error)
    }
}

impl Draft<'_> {
    /// Returns when the draft was started, by the clock of the file system: nanoseconds since 1970.
    pub(super) fn started(&self) -> i64 {
        self.started
    }

    /// Writes the content.
    pub(super) fn write(&self, bytes: &[u8], mode: u32) -> Result<(), CacheError> {
        (&self.file).write_all(bytes).map_err(|error| self.folder.failed("write", &self.name, error))?;
        let mode = Permissions::from_mode(mode);
        self.file.set_permissions(mode).map_err(|error| self.folder.failed("protect", &self.name, error))
    }

    /// Writes the content to the disk.
    pub(super) fn sync(&self) -> Result<(), CacheError> {
        self.file.sync_all().map_err(|error| self.folder.failed("sync", &self.name, error))
    }

    /// Gives the file its name, which from then on means this file.
    pub(super) fn publish(self, name: &str) -> Result<(), CacheError> {
        let directory = &self.folder.directory;
        let renamed = rustix::fs::renameat(directory, &self.name, directory, name);
        renamed.map_err(|error| self.folder.failed("rename a file to", name, error))
    }

    /// Gives the file its name, unless another file has it.
    pub(super) fn publish_first(self, name: &str) -> Result<(), CacheError> {
        let directory = &self.folder.directory;
        match rustix::fs::linkat(directory, &self.name, directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            // The file system has no links; who comes second then wins.
            Err(_) => self.publish(name),
        }
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // Once published it has this name no more; what stays all the same is removed when it is old.
        let _removed = self.folder.remove(&self.name);
    }
}

impl Private {
    /// Notes that the file was used now.
    pub(super) fn touch(&self) {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        // Where that cannot be written, the file goes sooner than it should.
        let _noted = rustix::fs::futimens(&self.file, &Timestamps { last_access: now, last_modification: now });
    }
}

/// Returns the user that this process acts for.
fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn failed(operation: &'static str, path: &Path, error: impl Into<io::Error>) -> CacheError {
    CacheError::File { operation, path: path.to_owned(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Facts = Facts {
        is_file: true,
        is_folder: false,
        owner: 1000,
        mode: 0o100_400,
        occupied: 0,
        modified: 0,
        state: FileState { size: 0, device: 0, inode: 0, changed: 0 },
    };

    #[test]
    fn only_a_file_of_the_user_that_others_cannot_write_is_private() {
        let table = [
            (FILE, None),
            (Facts { mode: 0o100_644, ..FILE }, None),
            (Facts { mode: 0o100_420, ..FILE }, Some(Flaw::Writable)),
            (Facts { mode: 0o100_402, ..FILE }, Some(Flaw::Writable)),
            (Facts { owner: 1001, ..FILE }, Some(Flaw::Owner)),
            (Facts { owner: 0, ..FILE }, Some(Flaw::Owner)),
            (Facts { is_file: false, ..FILE }, Some(Flaw::NotFile)),
        ];
        for (facts, flaw) in table {
            assert_eq!(facts.flaw(1000), flaw, "{facts:?}");
        }
    }

    #[test]
    fn only_a_folder_of_the_user_is_used() {
        let folder = Facts { is_file: false, is_folder: true, ..FILE };
        assert_eq!(folder.folder_flaw(1000), None);
        assert_eq!(folder.folder_flaw(1001), Some(Flaw::Owner));
        assert_eq!(FILE.folder_flaw(1000), Some(Flaw::NotFolder));
    }

    #[test]
    fn a_draft_without_a_name_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path(), Links::Refuse).unwrap().unwrap();
        let draft = folder.draft().unwrap();
        draft.write(b"wharf", 0o400).unwrap();
        assert_eq!(folder.list().unwrap().len(), 1);
        drop(draft);
        assert_eq!(folder.list().unwrap(), []);
    }

    #[test]
    fn who_publishes_first_stays() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path(), Links::Refuse).unwrap().unwrap();
        for bytes in [b"one", b"two"] {
            let draft = folder.draft().unwrap();
            draft.write(bytes, 0o600).unwrap();
            draft.publish_first("name").unwrap();
        }
        let (_, bytes) = folder.read_sealed("name", 3).unwrap().unwrap();
        assert_eq!((bytes.as_slice(), folder.list().unwrap().len()), (b"one".as_slice(), 1));
    }
}
