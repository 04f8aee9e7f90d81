//! Real programs for `wharf run`, made with the tools of others.
//!
//! What was made is kept in `target/peers/guests` beside the sources that it was made of, and made again when these
//! change. The tools are installed where they are missing and where that can be done.

mod c;
mod javascript;
mod python;

use std::path::{Path, PathBuf};

use crate::error::{Error, chain};
use crate::peers::part::Missing;

pub(crate) use javascript::obtain as obtain_javascript;

/// Where they are kept, below the root.
const KEPT: &str = "target/peers/guests";
/// What a program that was made is called in its folder.
const WASM: &str = "guest.wasm";
/// What it is called while it is made.
const NEW: &str = "new.wasm";

/// A real program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guest {
    /// A core module of clang and wasi-libc, for WASI 0.1: see `guests/files.c`.
    C,
    /// A component for WASI 0.2 that answers each HTTP request, and imports a function that is marked unstable.
    JavaScript,
    /// A component for WASI 0.2 that greets its arguments.
    Python,
    /// The same for WASI 0.3, with an async export.
    PythonAsync,
}

impl Guest {
    /// Returns what it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::C => "the program in C",
            Self::JavaScript => "the component in JavaScript",
            Self::Python => "the component in Python",
            Self::PythonAsync => "the async component in Python",
        }
    }

    fn obtain(self, root: &Path) -> Result<PathBuf, Missing> {
        match self {
            Self::C => c::obtain(root),
            Self::JavaScript => javascript::obtain(root),
            Self::Python => python::obtain(root, &python::COMMAND),
            Self::PythonAsync => python::obtain(root, &python::ASYNC_COMMAND),
        }
    }
}

/// The programs that are there.
pub(crate) struct Guests(Vec<(Guest, PathBuf)>);

impl Guests {
    /// Finds or makes each, and says in a line which are missing.
    pub(crate) fn obtain(root: &Path) -> Self {
        let all = [Guest::C, Guest::JavaScript, Guest::Python, Guest::PythonAsync];
        let obtain = |guest: Guest| match guest.obtain(root) {
            Ok(path) => Some((guest, path)),
            Err(missing) => {
                println!("missing {}: {}", guest.name(), chain(&missing));
                None
            }
        };
        Self(all.into_iter().filter_map(obtain).collect())
    }

    /// Returns the file of a program.
    pub(crate) fn find(&self, guest: Guest) -> Option<&Path> {
        self.0.iter().find(|(there, _)| *there == guest).map(|(_, path)| path.as_path())
    }
}

/// Returns the file of a Python component for WASI 0.2 of 36 MB.
///
/// # Errors
/// [`Missing`].
pub(crate) fn obtain_large(root: &Path) -> Result<PathBuf, Missing> {
    python::obtain(root, &python::LARGE)
}

/// Returns the file of the program `name`, which `make` makes in a folder that holds `sources` where it is not kept.
fn keep(
    root: &Path,
    name: &str,
    sources: &[(&str, &str)],
    make: impl FnOnce(&Path) -> Result<(), Missing>,
) -> Result<PathBuf, Missing> {
    let folder = root.join(KEPT).join(name);
    let wasm = folder.join(WASM);
    let is_same = |(name, text): &(&str, &str)| std::fs::read(folder.join(name)).is_ok_and(|it| it == text.as_bytes());
    if wasm.is_file() && sources.iter().all(is_same) {
        return Ok(wasm);
    }
    println!("making {KEPT}/{name}");
    // While it is not made of these sources, it must not lie beside them.
    let removed = if wasm.exists() { std::fs::remove_file(&wasm) } else { Ok(()) };
    removed.map_err(|source| Error::File { path: wasm.clone(), source })?;
    for (name, text) in sources {
        write(&folder.join(name), text)?;
    }
    make(&folder)?;
    std::fs::rename(folder.join(NEW), &wasm).map_err(|source| Error::File { path: wasm.clone(), source })?;
    Ok(wasm)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, text));
    written.map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps a program that holds how often it was made.
    fn keep_counted(root: &Path, count: &mut u8, source: &str) -> Vec<u8> {
        let make = |folder: &Path| {
            *count += 1;
            std::fs::write(folder.join(NEW), [*count]).unwrap();
            Ok(())
        };
        std::fs::read(keep(root, "it", &[("it.c", source), ("it.wit", "")], make).unwrap()).unwrap()
    }

    #[test]
    fn a_program_is_made_again_when_its_source_changes() {
        let root = tempfile::tempdir().unwrap();
        let mut count = 0;
        for (source, expected) in [("one", 1), ("one", 1), ("other", 2), ("other", 2), ("one", 3)] {
            assert_eq!(keep_counted(root.path(), &mut count, source), [expected]);
        }
    }

    #[test]
    fn what_could_not_be_made_is_not_kept() {
        let root = tempfile::tempdir().unwrap();
        let mut count = 0;
        keep_counted(root.path(), &mut count, "one");
        let failed = keep(root.path(), "it", &[("it.c", "other")], |_| Err(Missing::NotFound));
        assert!(failed.is_err());
        assert_eq!(keep_counted(root.path(), &mut count, "other"), [2]);
    }
}
