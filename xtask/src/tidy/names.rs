//! Names that say nothing.

use std::collections::BTreeSet;

use proc_macro2::Ident;
use syn::visit::{self, Visit};

use super::finding::Finding;
use super::tree::Source;

/// What a drawer is called that everything ends up in.
const EMPTY_NAMES: [&str; 5] = ["common", "helpers", "misc", "util", "utils"];

const MEND: &str = "name it after what it holds";

/// Finds files and directories with such names.
pub(crate) fn check_paths(paths: &BTreeSet<String>) -> Vec<Finding> {
    let empty = paths.iter().filter(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        is_empty(name.split('.').next().unwrap_or(name))
    });
    empty.map(|path| finding(path, 1, path)).collect()
}

/// Finds modules with such names inside of a file; those with a file of their own are found by that.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut modules = Modules::default();
    modules.visit_file(&source.syntax);
    let empty = modules.0.iter().filter(|name| is_empty(&name.to_string()));
    empty.map(|name| finding(&source.path, name.span().start().line, &name.to_string())).collect()
}

fn is_empty(name: &str) -> bool {
    EMPTY_NAMES.contains(&name)
}

fn finding(path: &str, line: usize, name: &str) -> Finding {
    Finding { path: path.to_owned(), line, what: format!("the name `{name}` does not say what is in it"), mend: MEND }
}

#[derive(Default)]
struct Modules(Vec<Ident>);

impl<'ast> Visit<'ast> for Modules {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.0.push(item.ident.clone());
        }
        visit::visit_item_mod(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_directories_are_named_after_what_they_hold() {
        for (path, expected) in [
            ("crates/oci/src/util.rs", 1),
            ("crates/common", 1),
            ("docs/misc.md", 1),
            ("crates/client/src/credentials/helper.rs", 0),
            ("crates/oci/src/common_prefix.rs", 0),
        ] {
            assert_eq!(check_paths(&BTreeSet::from([path.to_owned()])).len(), expected, "{path}");
        }
    }

    #[test]
    fn modules_are_named_after_what_they_hold() {
        let text = "mod helpers;\nmod a {\n    mod helpers { }\n}\nmod tests { }".to_owned();
        let found = check(&Source::parse("a.rs", text).unwrap());
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [3]);
    }
}
