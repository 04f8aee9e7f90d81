//! Small JSON files, each replaced in one step.

use std::path::Path;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::files::Files;
use crate::ingest::Ingest;

/// Bytes of a JSON file. A descriptor holds at most the annotations of one manifest; the view of the tags is the
/// largest, and this is about 200,000 tags.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads a JSON file; `None` where there is none.
pub(crate) fn read<T: DeserializeOwned>(files: &Files, path: &Path) -> Result<Option<T>, Error> {
    let Some(handle) = files.open(path)? else { return Ok(None) };
    let bytes: Bytes = handle.read_whole(DOCUMENT_BYTES_MAX)?;
    let value = serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.to_owned(), source })?;
    Ok(Some(value))
}

/// Writes a JSON file in place of what was there, and makes its directory.
pub(crate) fn write<T: Serialize>(files: &Files, ingest: &Ingest, path: &Path, value: &T) -> Result<(), Error> {
    let bytes = serde_json::to_vec(value).map_err(|source| Error::Json { path: path.to_owned(), source })?;
    if let Some(directory) = path.parent() {
        files.make_directory(directory)?;
    }
    ingest.replace(path, &bytes)
}
