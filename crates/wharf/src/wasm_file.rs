//! A file of Wasm, binary or text, and what it is.

use std::fs::File;
use std::io::{BufReader, Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempPath;
use wharf_artifact::limits::TEXT_BYTES_MAX;
use wharf_artifact::{InvalidText, InvalidWasm, Wasm};
use wharf_oci::Digest;

use crate::Cause;
use crate::blocking::blocking;
use crate::file_sink::scratch_file;

/// How many bytes of a file are read at a time to examine it.
const READ_BYTES: usize = 256 * 1024;

/// A file that holds a Wasm binary.
#[derive(Debug)]
pub(crate) struct WasmFile {
    /// The binary; of a text, what was made of it.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) wasm: Wasm,
    /// What to call it where it is unpacked.
    pub(crate) name: String,
    temporary: Option<TempPath>,
}

impl WasmFile {
    /// Examines a file of this machine, which keeps its name; as a binary, where it is text.
    pub(crate) async fn open(path: &Path, scratch: &Path) -> Result<Self, Cause> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::load(path, path, name, scratch).await
    }

    /// Takes a file that was fetched from an artifact, to be called `name`, and keeps it for as long as this value.
    pub(crate) async fn fetched(temporary: TempPath, name: String, scratch: &Path) -> Result<Self, Cause> {
        let mut file = Self::load(&temporary, Path::new(&name.clone()), name, scratch).await?;
        file.temporary.get_or_insert(temporary);
        Ok(file)
    }

    /// Reads the binary, which has to be what it was when it was examined.
    pub(crate) fn read(&self) -> Result<Bytes, Cause> {
        let Wasm { digest, size, .. } = &self.wasm;
        let mut bytes = Vec::with_capacity(usize::try_from(*size).unwrap_or_default());
        let file = File::open(&self.path).map_err(Cause::file("open", &self.path))?;
        file.take(size + 1).read_to_end(&mut bytes).map_err(Cause::file("read", &self.path))?;
        match Digest::sha256(&bytes) == *digest {
            true => Ok(bytes.into()),
            false => Err(Cause::Changed { path: self.path.clone() }),
        }
    }

    /// Returns the file that has to be kept for as long as the binary is read.
    pub(crate) fn take_temporary(&mut self) -> Option<TempPath> {
        self.temporary.take()
    }

    /// Examines the file at `path`. Text, which its bytes tell, is turned into a binary, in a file in `scratch` that
    /// vanishes with this value; an error in it is one in `shown`.
    async fn load(path: &Path, shown: &Path, name: String, scratch: &Path) -> Result<Self, Cause> {
        let examined = path.to_owned();
        match blocking(move || examine(&examined)).await {
            Ok(wasm) => Ok(Self { path: path.to_owned(), wasm, name, temporary: None }),
            Err(Cause::Wasm(InvalidWasm::Text)) => {
                let name = Path::new(&name).with_extension("wasm").to_string_lossy().into_owned();
                Self::assembled(path, shown, name, scratch).await
            }
            Err(cause) => Err(cause),
        }
    }

    async fn assembled(path: &Path, shown: &Path, name: String, scratch: &Path) -> Result<Self, Cause> {
        let temporary = scratch_file(scratch).await?;
        let mut file = temporary.as_file().try_clone().map_err(Cause::file("write a binary to", scratch))?;
        let (path, shown, scratch) = (path.to_owned(), shown.to_owned(), scratch.to_owned());
        let wasm = blocking(move || {
            let binary = assemble(&path, &shown)?;
            file.write_all(&binary).map_err(Cause::file("write a binary to", &scratch))?;
            Ok::<_, Cause>(wharf_artifact::examine(&mut Cursor::new(binary))?)
        })
        .await?;
        let temporary = temporary.into_temp_path();
        Ok(Self { path: temporary.to_path_buf(), wasm, name, temporary: Some(temporary) })
    }
}

/// Says what the Wasm binary in a file is.
pub(crate) fn examine(path: &Path) -> Result<Wasm, Cause> {
    Ok(wharf_artifact::examine(&mut BufReader::with_capacity(READ_BYTES, open_file(path)?))?)
}

/// Opens a file, where it is one: a named pipe would be waited for.
pub(crate) fn open_file(path: &Path) -> Result<File, Cause> {
    match path.metadata().map_err(Cause::file("open", path))?.is_file() {
        true => File::open(path).map_err(Cause::file("open", path)),
        false => Err(Cause::NoFile { path: path.to_owned() }),
    }
}

/// Returns the binary of a text.
fn assemble(path: &Path, shown: &Path) -> Result<Vec<u8>, Cause> {
    let mut text = Vec::new();
    open_file(path)?.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(Cause::file("read", path))?;
    let binary = wharf_artifact::from_text(&text).map_err(|mut invalid| {
        if let InvalidText::Syntax(error) = &mut invalid {
            error.set_path(shown);
        }
        invalid
    })?;
    Ok(binary)
}
