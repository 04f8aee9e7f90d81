//! Files that appear under their names only when all of them is there.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

use crate::Error;
use crate::blocking::blocking;

/// What to do with a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Leave it, and fail.
    #[default]
    Keep,
    /// Replace it, at once and whole.
    Replace,
}

/// Fails where `path` is taken, before anything is made for it; a folder, a device or a pipe is never replaced.
///
/// # Errors
/// [`Error::NoFile`] and [`Error::Exists`].
pub fn refuse_existing(path: &Path, existing: Existing) -> Result<(), Error> {
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Error::NoFile { path: path.to_owned() });
    }
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(Error::Exists { path: path.to_owned() });
    }
    Ok(())
}

/// Makes a file in `folder` that vanishes with the value returned, unless it is given a name there.
///
/// It has the mode that any new file of this user has, not that of a secret: it is for what is to stay.
///
/// # Errors
/// [`Error::File`].
pub fn temporary_in(folder: &Path) -> Result<NamedTempFile, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wharf-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The error names the random path that was tried; its kind is all that there is to know.
    builder.tempfile_in(folder).map_err(|error| Error::file("create a file in", folder)(error.kind().into()))
}

/// Writes a finished file to the disk, gives it its name, and makes that last.
///
/// Whoever drops the future leaves no file under the temporary name: that is removed here, not on the thread that waits
/// for the disk, which the end of the process may not wait for.
///
/// # Errors
/// Those of [`refuse_existing`], and [`Error::File`].
pub async fn persist(temporary: NamedTempFile, path: &Path, existing: Existing) -> Result<(), Error> {
    let (file, mut temporary) = temporary.into_parts();
    let (from, to) = (temporary.to_path_buf(), path.to_owned());
    blocking(move || persist_now(&file, &from, &to, existing)).await?;
    temporary.disable_cleanup(true);
    Ok(())
}

/// Does what [`persist`] does with a file at `from`, on this thread.
pub(crate) fn persist_now(file: &File, from: &Path, to: &Path, existing: Existing) -> Result<(), Error> {
    file.sync_all().map_err(Error::file("write", to))?;
    refuse_existing(to, existing)?;
    let from = TempPath::try_from_path(from).map_err(Error::file("find", from))?;
    let persisted = match existing {
        Existing::Keep => from.persist_noclobber(to),
        Existing::Replace => from.persist(to),
    };
    persisted.map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { path: to.to_owned() },
        _ => Error::file("rename the finished file to", to)(failed.error),
    })?;
    let folder = folder_of(to);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file("make the name last in", folder))
}

/// Returns the folder that a file is in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_file_gets_its_name_only_where_that_is_free_or_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (existing, expected) in [(Existing::Keep, true), (Existing::Keep, false), (Existing::Replace, true)] {
            let persisted = persist(temporary_in(folder.path()).unwrap(), &path, existing).await;
            assert_eq!(persisted.is_ok(), expected, "{persisted:?}");
            assert!(expected || matches!(persisted, Err(Error::Exists { .. })));
            assert_eq!(names(folder.path()), ["file"]);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_is_no_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let persisted = persist(temporary_in(folder.path()).unwrap(), &socket, Existing::Replace).await;
        assert!(matches!(persisted, Err(Error::NoFile { .. })), "{persisted:?}");
        assert_eq!(names(folder.path()), ["socket"]);
    }

    #[tokio::test]
    async fn a_file_that_is_given_up_while_it_gets_its_name_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let temporary = temporary_in(folder.path()).unwrap();
        let mut persisting = Box::pin(persist(temporary, &path, Existing::Keep));
        let _state = futures_util::poll!(persisting.as_mut());
        drop(persisting);
        assert!(names(folder.path()).iter().all(|name| name == "file"));
    }
}
