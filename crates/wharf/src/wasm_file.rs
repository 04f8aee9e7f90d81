//! A file of Wasm, binary or text, and what it is.

use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempPath;
use wharf_artifact::limits::TEXT_BYTES_MAX;
use wharf_artifact::{InvalidText, InvalidWasm, Wasm};

use crate::Cause;
use crate::blocking::blocking;
use crate::file_sink::temporary_in;

/// How many bytes of a file are read at a time to examine it.
const READ_BYTES: usize = 256 * 1024;

/// A file that holds a Wasm binary.
#[derive(Debug)]
pub(crate) struct WasmFile {
    /// The binary; of a text, what was made of it.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) wasm: Wasm,
    /// What to call it where it is unpacked: the name of the file that was given, as a binary.
    pub(crate) name: Option<String>,
    temporary: Option<TempPath>,
}

impl WasmFile {
    /// Examines a file. The text format is turned into a binary, in a file in `scratch` that vanishes with this value.
    pub(crate) async fn open(path: &Path, scratch: &Path) -> Result<Self, Cause> {
        let (path, scratch) = (path.to_owned(), scratch.to_owned());
        blocking(move || match examine(&path) {
            Err(Cause::Wasm(InvalidWasm::Text)) => {
                let binary = assemble(&path, &scratch)?;
                let wasm = examine(&binary)?;
                let name = Some(PathBuf::from(path.with_extension("wasm").file_name().unwrap_or_default()));
                let name = name.map(|name| name.to_string_lossy().into_owned());
                Ok(Self { path: binary.to_path_buf(), wasm, name, temporary: Some(binary) })
            }
            Err(cause) => Err(cause),
            Ok(wasm) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                Ok(Self { path, wasm, name, temporary: None })
            }
        })
        .await
    }

    /// Takes a file that was fetched from an artifact, and keeps it for as long as this value.
    pub(crate) async fn fetched(temporary: TempPath, name: Option<String>) -> Result<Self, Cause> {
        blocking(move || {
            let wasm = examine(&temporary)?;
            Ok(Self { path: temporary.to_path_buf(), wasm, name, temporary: Some(temporary) })
        })
        .await
    }

    /// Returns the file that has to be kept for as long as the binary is read.
    pub(crate) fn take_temporary(&mut self) -> Option<TempPath> {
        self.temporary.take()
    }
}

/// Says what the Wasm binary in a file is.
pub(crate) fn examine(path: &Path) -> Result<Wasm, Cause> {
    let file = File::open(path).map_err(Cause::file("open", path))?;
    let is_file = file.metadata().map_err(Cause::file("open", path))?.is_file();
    if !is_file {
        return Err(Cause::NoFile { path: path.to_owned() });
    }
    Ok(wharf_artifact::examine(&mut BufReader::with_capacity(READ_BYTES, file))?)
}

/// Writes the binary of a text in the folder `scratch`.
fn assemble(path: &Path, scratch: &Path) -> Result<TempPath, Cause> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(Cause::file("open", path))?;
    file.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(Cause::file("read", path))?;
    let binary = wharf_artifact::from_text(&text).map_err(|mut invalid| {
        if let InvalidText::Syntax(error) = &mut invalid {
            error.set_path(path);
        }
        invalid
    })?;
    let mut temporary = temporary_in(scratch, "wharf-")?;
    temporary.write_all(&binary).map_err(Cause::file("write", temporary.path()))?;
    Ok(temporary.into_temp_path())
}
