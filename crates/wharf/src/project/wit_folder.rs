//! The WIT of a project on the disk: the package, and what lies in its `deps` folder.
//!
//! ```text
//!   wit/
//!     *.wit              the package
//!     deps/
//!       NAME/*.wit       a package that it uses
//!       NAME.wit         the same in one file
//!       NAME.wasm        the same in Wasm
//! ```

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use wharf_wit::{Document, TextFile};

use crate::Cause;

/// The folder below a package for what it uses.
pub(crate) const DEPS: &str = "deps";

/// Bytes of all files together; those of WASI have 300 KB.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Files and folders.
const ENTRIES_MAX: usize = 10_000;

/// A folder of WIT.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WitFolder {
    /// The files of the package, sorted by name.
    pub(crate) files: Vec<TextFile>,
    /// What lies in `deps`, sorted by name.
    pub(crate) deps: Vec<Dep>,
}

/// One package in `deps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dep {
    /// Its name in that folder.
    pub(crate) name: String,
    pub(crate) content: DepContent,
}

/// What a package in `deps` is kept as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DepContent {
    Text(Vec<TextFile>),
    Wasm(Vec<u8>),
}

impl Dep {
    /// Reads the package, which lies in `deps` of the folder `wit`.
    pub(crate) fn document(&self, wit: &Path) -> Result<Document, Cause> {
        let label = wit.join(DEPS).join(&self.name).display().to_string();
        match &self.content {
            DepContent::Text(files) => Ok(Document::parse(&label, files.clone())?),
            DepContent::Wasm(bytes) => Ok(Document::decode(&label, bytes)?),
        }
    }
}

impl WitFolder {
    /// Reads a folder, or a single file of WIT, which has no `deps`.
    pub(crate) fn read(path: &Path) -> Result<Self, Cause> {
        let mut reader = Reader { bytes_left: BYTES_MAX, entries_left: ENTRIES_MAX, root: path };
        if !path.is_dir() {
            return Ok(Self { files: vec![reader.text(path.to_owned())?], deps: Vec::new() });
        }
        let files = reader.package(path)?;
        let deps = path.join(DEPS);
        let deps = if deps.is_dir() { reader.deps(&deps)? } else { Vec::new() };
        Ok(Self { files, deps })
    }
}

/// Reads files up to a limit for all of them.
struct Reader<'a> {
    bytes_left: u64,
    entries_left: usize,
    root: &'a Path,
}

impl Reader<'_> {
    fn deps(&mut self, folder: &Path) -> Result<Vec<Dep>, Cause> {
        let mut deps = Vec::new();
        for path in self.entries(folder)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
                return Err(Cause::PathNotUtf8 { path });
            };
            let content = match path.extension().and_then(|end| end.to_str()) {
                _ if name.starts_with('.') => continue,
                _ if path.is_dir() => match self.package(&path)? {
                    // What stays of a package that was taken out: no WIT either.
                    files if files.is_empty() && self.entries(&path)?.is_empty() => continue,
                    files => DepContent::Text(files),
                },
                Some("wit") => DepContent::Text(vec![self.text(path)?]),
                Some("wasm") => DepContent::Wasm(self.bytes(&path)?),
                // A licence, a list of what was fetched: no WIT.
                _ => continue,
            };
            deps.push(Dep { name, content });
        }
        Ok(deps)
    }

    /// Reads the files of one package, without those in folders below.
    fn package(&mut self, folder: &Path) -> Result<Vec<TextFile>, Cause> {
        let paths = self.entries(folder)?.into_iter();
        let is_wit = |path: &PathBuf| path.extension().is_some_and(|end| end == "wit") && path.is_file();
        paths.filter(is_wit).map(|path| self.text(path)).collect()
    }

    fn entries(&mut self, folder: &Path) -> Result<Vec<PathBuf>, Cause> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(Cause::file("read the folder", folder))? {
            self.entries_left = self.entries_left.checked_sub(1).ok_or_else(|| self.too_large())?;
            paths.push(entry.map_err(Cause::file("read the folder", folder))?.path());
        }
        paths.sort();
        Ok(paths)
    }

    fn text(&mut self, path: PathBuf) -> Result<TextFile, Cause> {
        let bytes = self.bytes(&path)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(TextFile { name: path.display().to_string(), text }),
            Err(_) => Err(Cause::TextNotUtf8 { path }),
        }
    }

    fn bytes(&mut self, path: &Path) -> Result<Vec<u8>, Cause> {
        let file = File::open(path).map_err(Cause::file("open", path))?;
        let mut bytes = Vec::new();
        file.take(self.bytes_left + 1).read_to_end(&mut bytes).map_err(Cause::file("read", path))?;
        self.bytes_left = self.bytes_left.checked_sub(bytes.len() as u64).ok_or_else(|| self.too_large())?;
        Ok(bytes)
    }

    fn too_large(&self) -> Cause {
        Cause::WitTooLarge { path: self.root.to_owned(), bytes: BYTES_MAX, entries: ENTRIES_MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_the_files_of_its_folder_and_deps_are_packages_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for name in ["b.wit", "a.wit", "README.md", "deps/io/streams.wit", "deps/io/sub/x.wit", "deps/http.wit"] {
            write(name, name);
        }
        write("deps/cli.wasm", "\0asm");
        write("deps/.wharf-x/y.wit", "left over");
        write("deps/LICENSE", "free");
        let read = WitFolder::read(folder.path()).unwrap();
        let names = |files: &[TextFile]| {
            let path = |file: &TextFile| Path::new(&file.name).strip_prefix(folder.path()).unwrap().to_owned();
            files.iter().map(path).collect::<Vec<_>>()
        };
        assert_eq!(names(&read.files), [Path::new("a.wit"), Path::new("b.wit")]);
        let [cli, http, io] = read.deps.as_slice() else { panic!("{:?}", read.deps) };
        assert_eq!((cli.name.as_str(), &cli.content), ("cli.wasm", &DepContent::Wasm(b"\0asm".to_vec())));
        for (dep, file) in [(http, "deps/http.wit"), (io, "deps/io/streams.wit")] {
            let DepContent::Text(files) = &dep.content else { panic!() };
            assert_eq!(names(files), [Path::new(file)]);
        }
        let single = WitFolder::read(&folder.path().join("a.wit")).unwrap();
        assert_eq!((single.files.len(), single.deps.len()), (1, 0));
    }

    #[test]
    fn a_folder_in_deps_is_no_package_where_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["empty", "notes"] {
            fs::create_dir_all(folder.path().join(DEPS).join(name)).unwrap();
        }
        fs::write(folder.path().join("deps/notes/README.md"), "no WIT").unwrap();
        let read = WitFolder::read(folder.path()).unwrap();
        let [notes] = read.deps.as_slice() else { panic!("{:?}", read.deps) };
        let error = notes.document(Path::new("wit")).unwrap_err();
        assert_eq!(error.to_string(), "there is no file `*.wit` in `wit/deps/notes`");
    }

    #[test]
    fn what_is_no_text_or_not_there_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wit");
        assert!(matches!(WitFolder::read(&path), Err(Cause::File { path: it, .. }) if it == path));
        fs::write(&path, b"\xff").unwrap();
        assert!(matches!(WitFolder::read(folder.path()), Err(Cause::TextNotUtf8 { path: it }) if it == path));
    }
}
