//! Reads the texts, and replaces the files that they are from.

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::text::{BYTES_MAX, PinText};
use super::{Digests, PinInput};
use crate::blocking::blocking;
use crate::file_sink::{begin_in, folder_of, persist};
use crate::wasm_file::open_file;
use crate::{Cause, Error, Existing, PinFault};

/// What standard input is called.
const TEXT: &str = "-";

/// A text, and where it is from.
#[derive(Debug)]
pub(super) struct Source {
    /// What to call it.
    pub(super) name: String,
    pub(super) text: PinText,
    file: Option<SourceFile>,
}

/// A file as it was read.
#[derive(Debug)]
struct SourceFile {
    /// Its path without links, which stay.
    path: PathBuf,
    permissions: Permissions,
}

/// Reads a text.
pub(super) async fn read(input: &PinInput) -> Result<Source, Error> {
    let name = match input {
        PinInput::File(path) => path.display().to_string(),
        PinInput::Text(_) => TEXT.to_owned(),
    };
    let input = input.clone();
    let read = blocking(move || match input {
        PinInput::File(path) => {
            let (text, file) = read_file(&path)?;
            Ok((PinText::parse(text)?, Some(file)))
        }
        PinInput::Text(text) => Ok((PinText::parse(text)?, None)),
    });
    match read.await {
        Ok((text, file)) => Ok(Source { name, text, file }),
        Err(source) => Err(Error::Pin { place: name, source }),
    }
}

fn read_file(path: &Path) -> Result<(String, SourceFile), Cause> {
    let path = path.canonicalize().map_err(Cause::file("open", path))?;
    let file = open_file(&path)?;
    let permissions = file.metadata().map_err(Cause::file("read", &path))?.permissions();
    let mut bytes = Vec::new();
    file.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(Cause::file("read", &path))?;
    if bytes.len() > BYTES_MAX {
        return Err(PinFault::Size { limit: BYTES_MAX }.into());
    }
    let text = String::from_utf8(bytes).map_err(|_| Cause::TextNotUtf8 { path: path.clone() })?;
    Ok((text, SourceFile { path, permissions }))
}

/// Replaces all files in which something is pinned. Returns for each source its text, where it is from no file.
///
/// All are written before the first one gets its name.
pub(super) async fn replace(sources: &[Source], digests: &Digests) -> Result<Vec<Option<String>>, Error> {
    let mut texts = Vec::new();
    let mut written = Vec::new();
    for source in sources {
        let text = source.text.with_digests(|tag| digests.get(&tag.key()).cloned());
        let failed = |cause| Error::Pin { place: source.name.clone(), source: cause };
        match &source.file {
            None => texts.push(Some(text)),
            Some(file) => {
                texts.push(None);
                if text != source.text.text {
                    written.push((source, file, write(file, &text).await.map_err(failed)?));
                }
            }
        }
    }
    for (source, file, temporary) in written {
        let failed = |cause| Error::Pin { place: source.name.clone(), source: cause };
        check_unchanged(source, file).map_err(failed)?;
        persist(temporary, &file.path, Existing::Replace).await.map_err(failed)?;
    }
    Ok(texts)
}

/// Writes a file beside another one, with the same mode.
async fn write(file: &SourceFile, text: &str) -> Result<NamedTempFile, Cause> {
    let mut temporary = begin_in(folder_of(&file.path)).await?;
    temporary.write_all(text.as_bytes()).map_err(Cause::file("write", &file.path))?;
    let permissions = file.permissions.clone();
    temporary.as_file().set_permissions(permissions).map_err(Cause::file("write", &file.path))?;
    Ok(temporary)
}

/// Fails where somebody else has written a file since it was read.
fn check_unchanged(source: &Source, file: &SourceFile) -> Result<(), Cause> {
    let (text, _) = read_file(&file.path)?;
    match text == source.text.text {
        true => Ok(()),
        false => Err(PinFault::Changed { path: file.path.clone() }.into()),
    }
}
