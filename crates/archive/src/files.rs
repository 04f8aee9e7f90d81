//! Files that appear under their names only when all of them is there.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::Error;

/// Makes a file in `folder` that vanishes with the value returned, unless it is given a name.
pub(crate) fn temporary_in(folder: &Path) -> Result<NamedTempFile, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wharf-");
    // The final file has the mode that any new file of this user has, not that of a secret.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The error names the random path that was tried; its kind is all that there is to know.
    builder.tempfile_in(folder).map_err(|error| Error::file("create a file in", folder)(error.kind().into()))
}

/// Writes the file to the disk, gives it its name, in place of any other, and makes that last.
pub(crate) fn persist(temporary: NamedTempFile, path: &Path) -> Result<(), Error> {
    temporary.as_file().sync_all().map_err(Error::file("write", path))?;
    temporary.persist(path).map_err(|failed| Error::file("rename the finished file to", path)(failed.error))?;
    sync_folder(folder_of(path))
}

/// Gives the file its name as [`persist`] does, where nothing has it.
pub(crate) fn persist_new(temporary: NamedTempFile, path: &Path) -> Result<(), Error> {
    temporary.as_file().sync_all().map_err(Error::file("write", path))?;
    temporary.persist_noclobber(path).map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
        _ => Error::file("rename the finished file to", path)(failed.error),
    })?;
    sync_folder(folder_of(path))
}

/// Returns the folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes the names in a folder to the disk.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file("make the name last in", folder))
}
