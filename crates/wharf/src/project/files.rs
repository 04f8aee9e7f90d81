//! Reads and writes the small files of a project.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use wharf_archive::Existing;
use wharf_package::InvalidDocument;

use crate::Cause;
use crate::file_sink::{begin, persist};

/// Reads one of the files of a folder; nothing where it is not there.
pub(crate) fn parse<T>(
    folder: &Path,
    name: &str,
    limit: usize,
    parse: impl FnOnce(&str) -> Result<T, InvalidDocument>,
) -> Result<Option<T>, Cause> {
    let path = folder.join(name);
    let Some(text) = read(&path, limit)? else { return Ok(None) };
    let parsed = parse(&text).map_err(|source| Cause::ProjectFile { path, source })?;
    Ok(Some(parsed))
}

/// Reads a text of at most `limit` bytes, and one more, so that a parser can tell; nothing where it is not there.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Option<String>, Cause> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Cause::file("open", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(Cause::file("read", path))?;
    String::from_utf8(bytes).map(Some).map_err(|_| Cause::TextNotUtf8 { path: path.to_owned() })
}

/// Writes a file at once and whole, in place of one that is there.
pub(crate) async fn replace(path: &Path, content: &[u8]) -> Result<(), Cause> {
    let mut temporary = begin(path, Existing::Replace).await?;
    temporary.write_all(content).map_err(Cause::file("write", path))?;
    persist(temporary, path, Existing::Replace).await
}
