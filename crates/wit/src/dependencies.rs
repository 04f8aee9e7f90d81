//! What packages use of each other, and what they have.

use std::collections::{BTreeMap, BTreeSet};

use wit_parser::PackageName;

use crate::document::Content;
use crate::{Document, Resolved};

impl Resolved {
    /// Returns which other packages each package uses, by name.
    ///
    /// For text these are the packages that it names. WIT in Wasm does not tell what a world includes, only what
    /// that comes to, so these are the packages that it takes something from.
    #[must_use]
    pub fn dependencies(&self) -> BTreeMap<&PackageName, BTreeSet<&PackageName>> {
        let name = |id| &self.resolve.packages[id].name;
        let packages = self.resolve.packages.iter().map(|(id, package)| {
            let used = match self.named.get(&id) {
                Some(named) => named.iter().map(|&id| name(id)).collect(),
                None => self.resolve.package_direct_deps(id).map(name).collect(),
            };
            (&package.name, used)
        });
        packages.collect()
    }
}

impl Document {
    /// Returns the names of the interfaces of the package, sorted.
    #[must_use]
    pub fn interfaces(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match &self.content {
            // What has no name belongs to a world, or to another package.
            Content::Text(group) => {
                group.main.interfaces.iter().filter_map(|(_, interface)| interface.name.as_deref()).collect()
            }
            Content::Wasm(decoded) => {
                decoded.resolve.packages[decoded.package].interfaces.keys().map(String::as_str).collect()
            }
        };
        names.sort_unstable();
        names
    }

    /// Returns the names of the worlds of the package, sorted.
    #[must_use]
    pub fn worlds(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match &self.content {
            // What has no name belongs to another package.
            Content::Text(group) => {
                let names = group.main.worlds.iter().map(|(_, world)| world.name.as_str());
                names.filter(|name| !name.is_empty()).collect()
            }
            Content::Wasm(decoded) => {
                decoded.resolve.packages[decoded.package].worlds.keys().map(String::as_str).collect()
            }
        };
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{text, wasm};
    use crate::merge;

    const IO: &str = "package x:io@1.0.0;\ninterface streams { type t = u8; }";
    const HTTP: &str = "package x:http@1.0.0;\ninterface types { use x:io/streams@1.0.0.{t}; }\n\
                        world proxy { import x:io/streams@1.0.0; export types; }";
    const ROOT: &str = "package a:b;\nworld w { include x:http/proxy@1.0.0; import a:n/i; import inner: interface {} }\n\
                        interface mine {}\npackage a:n { interface i { use x:io/streams.{t}; } }";

    fn shown(root: &str, dependencies: Vec<Document>) -> Vec<String> {
        let resolved = merge(text("wit", root), dependencies).unwrap();
        let line = |(package, used): (&PackageName, BTreeSet<&PackageName>)| {
            let used: Vec<_> = used.into_iter().map(ToString::to_string).collect();
            format!("{package}: {}", used.join(" "))
        };
        resolved.dependencies().into_iter().map(line).collect()
    }

    #[test]
    fn a_package_uses_what_its_text_names_and_no_more() {
        let expected = ["a:b: a:n x:http@1.0.0", "a:n: x:io@1.0.0", "x:http@1.0.0: x:io@1.0.0", "x:io@1.0.0: "];
        assert_eq!(shown(ROOT, vec![text("http", HTTP), text("io", IO)]), expected);
        assert_eq!(shown(ROOT, vec![text("io", IO), text("http", HTTP)]), expected);
        assert_eq!(shown(ROOT, vec![wasm("http", HTTP, &[IO]), text("io", IO)]), expected);
    }

    #[test]
    fn a_package_in_wasm_uses_what_it_takes_something_from() {
        let root = ROOT.split("\npackage").next().unwrap().replace("import a:n/i;", "");
        let resolved = merge(wasm("wit", &root, &[HTTP, IO]), vec![]).unwrap();
        let used: Vec<_> = resolved.dependencies()[resolved.name()].iter().map(ToString::to_string).collect();
        assert_eq!(used, ["x:http@1.0.0", "x:io@1.0.0"]);
    }

    #[test]
    fn a_document_tells_the_interfaces_and_worlds_of_its_own_package() {
        let body = "interface mine {}\ninterface other {}\nworld w { include x:http/proxy@1.0.0; import inner: interface {} }\nworld v {}";
        let root = format!("package a:b;\n{body}");
        for document in [
            text("wit", &format!("{root}\npackage a:n {{ interface i {{}} world n {{}} }}")),
            wasm("wit", &root, &[HTTP, IO]),
        ] {
            assert_eq!(document.interfaces(), ["mine", "other"], "{:?}", document.form());
            assert_eq!(document.worlds(), ["v", "w"], "{:?}", document.form());
        }
    }
}
