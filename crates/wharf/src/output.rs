//! Where the file goes that a verb makes, as somebody asked for it.

use std::path::{Path, PathBuf};

use crate::file_sink::{check_output, folder_of, require_folder};
use crate::{Cause, Existing};

/// Where the file goes.
pub(crate) enum Output {
    /// Into the current folder, under its own name.
    Here,
    /// Into this folder, under its own name.
    Folder(PathBuf),
    /// There.
    File(PathBuf),
}

impl Output {
    /// Takes what was asked for, where it can be had.
    pub(crate) fn check(path: Option<PathBuf>, existing: Existing) -> Result<Self, Cause> {
        let Some(path) = path else { return Ok(Self::Here) };
        if path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::MAIN_SEPARATOR) {
            require_folder(&path)?;
            return Ok(Self::Folder(path));
        }
        check_output(&path, existing)?;
        Ok(Self::File(path))
    }

    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Here => Path::new("."),
            Self::Folder(path) => path,
            Self::File(path) => folder_of(path),
        }
    }

    /// Returns the file to write, whose own name may be asked for.
    pub(crate) fn path(&self, own: impl FnOnce() -> String) -> PathBuf {
        match self {
            Self::Here => own().into(),
            Self::Folder(path) => path.join(own()),
            Self::File(path) => path.clone(),
        }
    }
}
