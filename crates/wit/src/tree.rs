//! The folders of `wit/deps`, and the text of packages.
//!
//! ```text
//! deps/wasi-io-0.2.3/package.wit      of wasi:io@0.2.3
//!      acme-local/package.wit         of acme:local
//! ```

use std::collections::HashSet;

use wit_component::WitPrinter;
use wit_parser::{PackageId, PackageName};

use crate::guard::guard;
use crate::{Error, Resolved};

/// A folder of `wit/deps`, which holds one file `package.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// What it is called, see [`folder_names`].
    pub name: String,
    /// The package in it.
    pub package: PackageName,
    /// The text of `package.wit`.
    pub text: String,
}

/// What all file systems take as a name, less an extension of four letters.
const NAME_BYTES_MAX: usize = 250;

impl Resolved {
    /// Lays out every package but the root, and what nests in it, in folders of their own, sorted by name; see
    /// [`folder_names`] for how they are called.
    ///
    /// # Errors
    /// [`Error::FolderName`] where a name does not suit a folder, [`Error::Unprintable`].
    pub fn tree(&self) -> Result<Vec<Folder>, Error> {
        let others: Vec<_> = self.resolve.packages.iter().filter(|(id, _)| !self.is_root(*id)).collect();
        let packages: Vec<_> = others.iter().map(|(_, package)| &package.name).collect();
        let mut folders = Vec::new();
        for (name, (id, package)) in folder_names(&packages)?.into_iter().zip(others) {
            folders.push(Folder { name, package: package.name.clone(), text: self.print_packages(id, &[])? });
        }
        folders.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(folders)
    }

    /// Prints the root as WIT.
    ///
    /// What nests in its text follows in the form `package … { … }`; after a component, which stands for itself,
    /// all packages that it refers to, as far as it uses them.
    ///
    /// # Errors
    /// [`Error::Unprintable`].
    pub fn print(&self) -> Result<String, Error> {
        let all = || self.resolve.packages.iter().map(|(id, _)| id);
        let nested: Vec<PackageId> = match self.world {
            None => self.nested.clone(),
            Some(_) => all().filter(|&id| id != self.package).collect(),
        };
        self.print_packages(self.package, &nested)
    }

    fn is_root(&self, id: PackageId) -> bool {
        id == self.package || self.nested.contains(&id)
    }

    fn print_packages(&self, package: PackageId, nested: &[PackageId]) -> Result<String, Error> {
        let mut printer = WitPrinter::default();
        guard(|| printer.print(&self.resolve, package, nested)).map_err(|source| {
            let package = Box::new(self.resolve.packages[package].name.clone());
            Error::Unprintable { package, source }
        })?;
        Ok(printer.output.to_string())
    }
}

/// Names the folders of packages that stand beside each other, in the order of `packages`.
///
/// A folder is called `<namespace>-<name>-<version>`. Where two packages would share one (`a:b-c` and `a-b:c`, or two
/// that differ in case only), that of the one that sorts later has more dashes after its namespace. Every name is one
/// component of a path, of ASCII letters, digits, `-`, `.` and `+`.
///
/// # Errors
/// [`Error::FolderName`] where a name does not suit a folder.
pub fn folder_names(packages: &[&PackageName]) -> Result<Vec<String>, Error> {
    let mut sorted: Vec<usize> = (0..packages.len()).collect();
    sorted.sort_by_key(|&index| packages[index]);
    let mut taken = HashSet::new();
    let mut names = vec![String::new(); packages.len()];
    for index in sorted {
        names[index] = folder_name(packages[index], &mut taken)?;
    }
    Ok(names)
}

/// Names the folder of a package as no other in `taken` is named, and takes the name.
fn folder_name(package: &PackageName, taken: &mut HashSet<String>) -> Result<String, Error> {
    let PackageName { namespace, name, version } = package;
    let tail = version.as_ref().map_or_else(|| name.clone(), |version| format!("{name}-{version}"));
    let mut dashes = "-".to_owned();
    loop {
        let folder = format!("{namespace}{dashes}{tail}");
        if !is_folder_name(&folder) {
            return Err(Error::FolderName { package: Box::new(package.clone()) });
        }
        // Some file systems do not tell upper case from lower case.
        if taken.insert(folder.to_ascii_lowercase()) {
            return Ok(folder);
        }
        dashes.push('-');
    }
}

/// Tells whether a name is one component of a path on every system, and hidden on none.
fn is_folder_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'+');
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !name.ends_with('.')
        && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{text, wasm};
    use crate::{Document, merge};

    const LIBRARY: &str = "\
/// What is shared.
package x:lib@0.3.0;

/// How to go on.
@since(version = 0.2.0)
interface steps {
  @unstable(feature = fancy)
  record step {
    /// One of many.
    %type: u8,
  }

  @since(version = 0.2.0)
  @deprecated(version = 0.3.0)
  resource walk {
    constructor(first: option<u8>);
    next: async func() -> future<result<u8, string>>;
    all: static func(walk: borrow<walk>) -> stream<u8>;
  }
}

";

    fn names(root: &str, others: &[&str]) -> Vec<String> {
        let others = others.iter().map(|other| text("other", &format!("package {other};\ninterface i {{}}"))).collect();
        let tree = merge(text("wit", root), others).unwrap().tree().unwrap();
        tree.into_iter().map(|folder| folder.name).collect()
    }

    #[test]
    fn a_folder_is_called_like_its_package() {
        let others = ["wasi:io@0.2.3", "acme:local", "a:b@1.0.0-rc.1+build.2"];
        assert_eq!(names("package a:root;", &others), ["a-b-1.0.0-rc.1+build.2", "acme-local", "wasi-io-0.2.3"]);
    }

    #[test]
    fn two_packages_never_share_a_folder() {
        assert_eq!(names("package r:r;", &["a-b:c", "a:b-c"]), ["a-b--c", "a-b-c"]);
        let user = text("user", "package a:b-c;\ninterface i { use a-b:c/i.{t}; }");
        let used = text("used", "package a-b:c;\ninterface i { type t = u8; }");
        let tree = merge(text("wit", "package r:r;"), vec![user, used]).unwrap().tree().unwrap();
        assert_eq!((tree[0].name.as_str(), tree[0].package.to_string().as_str()), ("a-b--c", "a-b:c"));
        assert_eq!(names("package r:r;", &["a:b", "a:B", "A:b"]), ["A-b", "a---b", "a--B"]);
    }

    #[test]
    fn no_package_gets_out_of_its_folder() {
        let hostile = ["..", "../x", "a/b", "a\\b", "a:b", "C:", ".", "", "a\0", "a b", "ä", "-"];
        let long = "a".repeat(NAME_BYTES_MAX);
        for namespace in hostile.into_iter().chain([long.as_str()]) {
            let package = PackageName { namespace: namespace.to_owned(), name: "x".to_owned(), version: None };
            let named = folder_name(&package, &mut HashSet::new());
            assert!(matches!(named, Err(Error::FolderName { .. })), "{namespace}: {named:?}");
        }
    }

    #[test]
    fn no_name_of_a_package_gives_a_folder_that_some_system_does_not_have() {
        for name in ["x.", "x/", "x/../..", "x\\..", "x ", "x:stream", "x\n"] {
            let package = PackageName { namespace: "a".to_owned(), name: name.to_owned(), version: None };
            assert!(folder_name(&package, &mut HashSet::new()).is_err(), "{name}");
        }
    }

    #[test]
    fn text_survives_the_way_through_wasm_as_it_is() {
        let root = "package a:root;\nworld w { import x:lib/steps@0.3.0; }";
        for library in [text("lib", LIBRARY), wasm("lib", LIBRARY, &[])] {
            let tree = merge(text("wit", root), vec![library]).unwrap().tree().unwrap();
            let [folder] = tree.as_slice() else { panic!("{tree:?}") };
            assert_eq!(folder.text, LIBRARY);
        }
    }

    #[test]
    fn what_nests_in_the_root_has_no_folder_and_is_printed_with_it() {
        let root =
            "package a:root;\nworld w { import a:n/i; }\npackage a:n { interface i { use x:lib/steps@0.3.0.{walk}; } }";
        let nesting = "package x:other;\npackage x:inner { interface i {} }";
        let resolved = merge(text("wit", root), vec![wasm("lib", LIBRARY, &[]), text("other", nesting)]).unwrap();
        let names: Vec<_> = resolved.tree().unwrap().into_iter().map(|folder| folder.name).collect();
        assert_eq!(names, ["x-inner", "x-lib-0.3.0", "x-other"]);
        let printed = resolved.print().unwrap();
        assert!(printed.starts_with("package a:root;\n") && printed.contains("\npackage a:n {\n"), "{printed}");
        assert!(!printed.contains("package x:lib"), "{printed}");
    }

    #[test]
    fn the_tree_read_back_is_the_same_tree() {
        let root = "package a:root;\nworld w { import x:user/i@1.0.0; }";
        let user = "package x:user@1.0.0;\ninterface i { use x:lib/steps@0.3.0.{walk}; }\nworld v { import i; }";
        let tree = merge(text("wit", root), vec![wasm("user", user, &[LIBRARY])]).unwrap().tree().unwrap();
        let read: Vec<Document> = tree.iter().map(|folder| text(&folder.name, &folder.text)).collect();
        assert_eq!(merge(text("wit", root), read).unwrap().tree().unwrap(), tree);
    }

    #[test]
    fn of_wasm_a_package_is_printed_alone_and_a_component_with_all_it_refers_to() {
        let user = "package x:user@1.0.0;\n\ninterface i {\n  use x:lib/steps@0.3.0.{walk};\n}\n\n";
        let resolved = merge(wasm("user", user, &[LIBRARY]), vec![]).unwrap();
        assert_eq!(resolved.print().unwrap(), user);
        let component = Document::decode("app.wasm", b"\0asm\x0d\0\x01\0").unwrap();
        let printed = merge(component, vec![]).unwrap().print().unwrap();
        assert_eq!(printed, "package root:component;\n\nworld root {\n}\n");
    }
}
