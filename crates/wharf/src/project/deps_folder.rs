//! Writes the `deps` folder of a project: all of it changes at once, or nothing does.
//!
//! What is to be there is built in a folder beside it, with links to what stays as it is, and then the two change places.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::DEPS;
use crate::Cause;

/// What `deps` is to hold beside what somebody else put there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Generated {
    /// The files by their path in `deps`, such as `wasi-io-0.2.3/package.wit` or `wasi-io-0.2.3.wasm`.
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    /// Names in `deps` that were generated before, and go unless they are generated again.
    pub(crate) stale: Vec<String>,
}

impl Generated {
    /// Builds the folder that is to be `deps` in the folder `wit`; nothing where `deps` is in this state already.
    ///
    /// A name that is generated replaces all that has the name.
    pub(crate) fn prepare(&self, wit: &Path) -> Result<Option<Prepared>, Cause> {
        let deps = wit.join(DEPS);
        if self.is_written(&deps) {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix(".wharf-").tempdir_in(wit);
        // The error names the random path that was tried; its kind is all that there is to know.
        let folder = folder.map_err(|error| Cause::file("create a folder in", wit)(error.kind().into()))?;
        set_usual_mode(folder.path()).map_err(Cause::file("write", &deps))?;
        for name in names_in(&deps)?.into_iter().filter(|name| !self.names().any(|it| it == name)) {
            link(&deps.join(&name), &folder.path().join(&name)).map_err(Cause::file("keep", &deps.join(&name)))?;
        }
        for (path, bytes) in &self.files {
            write_new(&folder.path().join(path), bytes).map_err(Cause::file("write", &deps.join(path)))?;
        }
        Ok(Some(Prepared { folder, deps }))
    }

    /// Returns the names in `deps` that are not what anybody else put there.
    fn names(&self) -> impl Iterator<Item = &str> {
        let first = |path: &Path| path.iter().next().and_then(|name| name.to_str()).map(str::len);
        let files = self.files.keys().filter_map(move |path| path.to_str()?.get(..first(path)?));
        files.chain(self.stale.iter().map(String::as_str))
    }

    /// Whether all files are there already, and nothing else has their names.
    fn is_written(&self, deps: &Path) -> bool {
        let is_same = |(path, bytes): (&PathBuf, &Vec<u8>)| fs::read(deps.join(path)).is_ok_and(|it| it == *bytes);
        let folders = self.files.keys().filter_map(|path| path.parent()).filter(|path| !path.as_os_str().is_empty());
        let is_alone = |folder: &Path| {
            let count = self.files.keys().filter(|path| path.parent() == Some(folder)).count();
            fs::read_dir(deps.join(folder)).is_ok_and(|entries| entries.count() == count)
        };
        let is_generated = |name: &str| self.files.keys().any(|path| path.starts_with(name));
        let is_gone = |name: &String| is_generated(name) || deps.join(name).symlink_metadata().is_err();
        self.files.iter().all(is_same) && folders.into_iter().all(is_alone) && self.stale.iter().all(is_gone)
    }
}

/// A folder that is to be `deps`; it goes with this value, unless it is put there.
#[derive(Debug)]
pub(crate) struct Prepared {
    folder: TempDir,
    deps: PathBuf,
}

impl Prepared {
    /// Makes the folder `deps`, in the place of the one that is there.
    pub(crate) fn put(self) -> Result<(), Cause> {
        let Self { folder, deps } = self;
        match swap(folder.path(), &deps).map_err(Cause::file("replace", &deps))? {
            // What was there before now has the temporary name, and goes.
            Swapped::Exchanged => folder.close().map_err(Cause::file("remove the old content of", &deps)),
            Swapped::Moved => {
                drop(folder.keep());
                Ok(())
            }
        }
    }
}

/// How a folder came to its place.
enum Swapped {
    /// Another one was there, which now has the first one's name.
    Exchanged,
    /// Nothing was there.
    Moved,
}

fn names_in(deps: &Path) -> Result<Vec<String>, Cause> {
    let entries = match fs::read_dir(deps) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Cause::file("read the folder", deps)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(Cause::file("read the folder", deps))?.file_name();
        names.push(name.into_string().map_err(|name| Cause::PathNotUtf8 { path: deps.join(name) })?);
    }
    Ok(names)
}

/// Gives the same content another name: files as links, for which nothing is copied.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    let kind = from.symlink_metadata()?.file_type();
    if kind.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            link(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    // Of a symbolic link, the link itself; some file systems have no hard links.
    fs::hard_link(from, to).or_else(|error| match kind.is_file() {
        true => fs::copy(from, to).map(drop),
        false => Err(error),
    })
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives a folder the mode of any new one: a temporary one is for this user alone.
fn set_usual_mode(folder: &Path) -> io::Result<()> {
    let usual = folder.join("mode");
    fs::create_dir(&usual)?;
    let permissions = fs::metadata(&usual)?.permissions();
    fs::remove_dir(&usual)?;
    fs::set_permissions(folder, permissions)
}

/// Puts `new` in the place of `old`, in one step where the system has one for it.
fn swap(new: &Path, old: &Path) -> io::Result<Swapped> {
    if old.symlink_metadata().is_err() {
        return fs::rename(new, old).map(|()| Swapped::Moved);
    }
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(Swapped::Exchanged),
            // A file system without it.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let aside = new.with_extension("old");
    fs::rename(old, &aside)?;
    match fs::rename(new, old) {
        Ok(()) => fs::rename(&aside, new).map(|()| Swapped::Exchanged),
        Err(error) => {
            fs::rename(&aside, old)?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(files: &[(&str, &str)], stale: &[&str]) -> Generated {
        let file = |(path, text): &(&str, &str)| (PathBuf::from(path), text.as_bytes().to_vec());
        let stale = stale.iter().map(|&name| name.to_owned()).collect();
        Generated { files: files.iter().map(file).collect(), stale }
    }

    fn write(generated: &Generated, wit: &Path) -> Result<bool, Cause> {
        let prepared = generated.prepare(wit)?;
        prepared.map_or(Ok(false), |prepared| prepared.put().map(|()| true))
    }

    /// Returns all files below a folder, with their text.
    fn tree(folder: &Path) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut pending = vec![folder.to_owned()];
        while let Some(next) = pending.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => pending.push(path),
                    false => {
                        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                        found.push((name, fs::read_to_string(path).unwrap()));
                    }
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn what_is_generated_replaces_its_own_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let wit = folder.path();
        let first = generated(&[("a-b-1.0.0/package.wit", "one"), ("c-d.wasm", "wasm")], &[]);
        assert!(write(&first, wit).unwrap());
        assert!(!write(&first, wit).unwrap(), "it is all there");
        fs::create_dir_all(wit.join("deps/mine/sub")).unwrap();
        fs::write(wit.join("deps/mine/sub/x.wit"), "by hand").unwrap();
        fs::write(wit.join("deps/a-b-1.0.0/more.wit"), "not generated").unwrap();
        let second = generated(&[("a-b-1.0.0/package.wit", "one"), ("e-f/package.wit", "two")], &["c-d.wasm"]);
        assert!(write(&second, wit).unwrap());
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let expected = [
            file("deps/a-b-1.0.0/package.wit", "one"),
            file("deps/e-f/package.wit", "two"),
            file("deps/mine/sub/x.wit", "by hand"),
        ];
        assert_eq!(tree(wit), expected);
        assert!(!write(&second, wit).unwrap());
    }

    #[test]
    fn a_folder_that_cannot_be_built_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let wit = folder.path();
        write(&generated(&[("a/package.wit", "one")], &[]), wit).unwrap();
        // A file cannot be a folder too.
        let refused = write(&generated(&[("b", "file"), ("b/package.wit", "two")], &["a"]), wit);
        assert!(matches!(refused, Err(Cause::File { operation: "write", .. })), "{refused:?}");
        assert_eq!(tree(wit), [("deps/a/package.wit".to_owned(), "one".to_owned())]);
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_has_the_mode_of_any_other() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("usual")).unwrap();
        write(&generated(&[("a/package.wit", "one")], &[]), folder.path()).unwrap();
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("deps"), mode("usual"));
    }
}
