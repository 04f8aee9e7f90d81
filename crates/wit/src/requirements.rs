//! Which other packages a package needs.

use std::collections::HashSet;

use wit_parser::{AstItem, PackageName, SourceMap, Span, UnresolvedPackage};

use crate::document::Content;
use crate::error::locate;
use crate::{Document, Location};

/// A package that WIT text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The package as it is named, with the version or without.
    pub package: PackageName,
    /// Where it is named first: the place of the interface or world that is taken from it.
    pub location: Location,
}

/// Returns the packages that the text of `root` and of `given` names and that none of them defines.
///
/// A package counts as named by `use`, `import`, `export` and `include`, in nested packages too. It counts as defined
/// by its own document and by the text that it nests in; a name without a version is met by any version. What a WIT
/// package in Wasm holds of others it holds in part, so that it defines none but itself; it also needs none.
///
/// They come in the order in which they are named, each once.
#[must_use]
pub fn requirements(root: &Document, given: &[Document]) -> Vec<Requirement> {
    let documents = || [root].into_iter().chain(given);
    let defined: HashSet<&PackageName> = documents().flat_map(Document::definitions).collect();
    let mut found: Vec<Requirement> = Vec::new();
    let mut named = HashSet::new();
    for document in documents() {
        let Content::Text(group) = &document.content else { continue };
        for package in [&group.main].into_iter().chain(&group.nested) {
            for needed in package.foreign_deps.keys() {
                if named.insert(needed) && !is_met(&defined, needed) {
                    let location = place(package, needed, &group.source_map);
                    found.push(Requirement { package: needed.clone(), location });
                }
            }
        }
    }
    found
}

/// Returns where `package` first names something of `needed`.
pub(crate) fn place(package: &UnresolvedPackage, needed: &PackageName, sources: &SourceMap) -> Location {
    let first = package.foreign_deps.get(needed).and_then(|items| items.values().next());
    let span = first.map_or_else(Span::default, |(item, _)| match item {
        AstItem::Interface(id) => package.interfaces[*id].span,
        AstItem::World(id) => package.worlds[*id].span,
    });
    locate(sources, span).expect("a name that was parsed stands in the text")
}

/// Tells whether a package is there, in any version where none is named.
pub(crate) fn is_met(defined: &HashSet<&PackageName>, needed: &PackageName) -> bool {
    let is_version = |name: &PackageName| name.namespace == needed.namespace && name.name == needed.name;
    defined.contains(needed) || (needed.version.is_none() && defined.iter().any(|name| is_version(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{text, wasm};

    fn shown(found: &[Requirement]) -> Vec<String> {
        found.iter().map(|requirement| format!("{} {}", requirement.package, requirement.location)).collect()
    }

    #[test]
    fn every_way_to_name_a_package_is_found_where_it_stands() {
        let cases = [
            ("use x:y/i@1.0.0;", "x:y@1.0.0 wit.wit:2:9"),
            ("interface i { use x:y/i@1.2.3-rc.1.{t}; }", "x:y@1.2.3-rc.1 wit.wit:2:23"),
            ("world w {\n  import x:y/i;\n}", "x:y wit.wit:3:14"),
            ("world w { export x:y/i@1.0.0+b; }", "x:y@1.0.0+b wit.wit:2:22"),
            ("world w { include x:y/w@1.0.0; }", "x:y@1.0.0 wit.wit:2:23"),
            ("world w { use x:y/i@1.0.0.{t}; }", "x:y@1.0.0 wit.wit:2:19"),
            ("package a:n {\n  interface i { use x:y/i@1.0.0.{t}; }\n}", "x:y@1.0.0 wit.wit:3:25"),
        ];
        for (body, expected) in cases {
            let root = text("wit", &format!("package a:root@1.0.0;\n{body}"));
            assert_eq!(shown(&requirements(&root, &[])), [expected], "{body}");
        }
    }

    #[test]
    fn a_package_is_told_once_where_it_is_named_first() {
        let body =
            "world w {\n  import x:b/i@1.0.0;\n  import x:a/i@1.0.0;\n  import x:b/j@1.0.0;\n  import x:b/i@1.0.1;\n}";
        let root = text(
            "wit",
            &format!("package a:root;\n{body}\npackage a:n {{ interface i {{ use x:b/i@1.0.0.{{t}}; }} }}"),
        );
        let expected = ["x:b@1.0.0 wit.wit:3:14", "x:a@1.0.0 wit.wit:4:14", "x:b@1.0.1 wit.wit:6:14"];
        assert_eq!(shown(&requirements(&root, &[])), expected);
    }

    #[test]
    fn what_is_there_is_not_required() {
        let itself = "world w { import a:root/i@1.0.0; }\ninterface i { type t = u8; }";
        let nested = "world w { import a:n/i@1.0.0; }\npackage a:n@1.0.0 { interface i {} }";
        for body in [itself, nested, ""] {
            let root = text("wit", &format!("package a:root@1.0.0;\n{body}"));
            assert_eq!(shown(&requirements(&root, &[])), [""; 0], "{body}");
        }
    }

    #[test]
    fn what_given_packages_define_is_not_required_but_what_they_need_is() {
        let root = text("wit", "package a:root;\nworld w { import x:one/i; import x:two/i@1.0.0; }");
        let [one, two] = [
            "package x:one@1.0.0;\ninterface i { type t = u8; }",
            "package x:two@1.0.0;\ninterface i { use x:one/i@1.0.0.{t}; }",
        ];
        let at = ["x:one wit.wit:2:24", "x:two@1.0.0 wit.wit:2:40", "x:one@1.0.0 two.wit:2:25"];
        let cases = [
            (vec![], vec![at[0], at[1]]),
            (vec![text("one", one)], vec![at[1]]),
            (vec![text("two", two)], vec![at[0], at[2]]),
            // It holds a part of `x:one` only.
            (vec![wasm("two", two, &[one])], vec![at[0]]),
            (vec![text("other", &one.replace("1.0.0", "1.0.1")), text("two", two)], vec![at[2]]),
            (vec![text("one", one), text("two", two)], vec![]),
        ];
        for (given, expected) in cases {
            assert_eq!(shown(&requirements(&root, &given)), expected);
        }
    }
}
