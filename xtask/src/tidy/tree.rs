//! The files of the repository, read once for all checks.

use std::collections::BTreeSet;
use std::path::Path;

use super::mentions::{Mention, is_test_only, mentions};
use crate::error::Error;

/// What the checks look at.
pub(crate) struct Tree {
    /// Every file and directory, relative to the root.
    pub(crate) paths: BTreeSet<String>,
    /// The Rust files.
    pub(crate) sources: Vec<Source>,
    /// The Markdown files.
    pub(crate) papers: Vec<Paper>,
}

/// A Rust file.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
    pub(crate) mentions: Vec<Mention>,
}

/// A Markdown file.
pub(crate) struct Paper {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Tree {
    /// Reads the repository.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Syntax`].
    pub(crate) fn read(root: &Path) -> Result<Self, Error> {
        let mut paths = BTreeSet::new();
        walk(root, "", &mut paths)?;
        let mut sources = Vec::new();
        for path in paths.iter().filter(|path| path.ends_with(".rs")) {
            sources.push(Source::parse(path, read(root, path)?)?);
        }
        mark_test_files(&mut sources);
        let mut papers = Vec::new();
        for path in paths.iter().filter(|path| path.ends_with(".md")) {
            papers.push(Paper { path: path.clone(), text: read(root, path)? });
        }
        Ok(Self { paths, sources, papers })
    }
}

impl Source {
    /// Parses a file.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub(crate) fn parse(path: &str, text: String) -> Result<Self, Error> {
        let syntax = syn::parse_file(&text).map_err(|source| Error::Syntax {
            path: path.to_owned(),
            line: source.span().start().line,
            source,
        })?;
        let mentions = mentions(&syntax);
        Ok(Self { path: path.to_owned(), text, syntax, mentions })
    }
}

/// Reads a file of the repository.
///
/// # Errors
/// [`Error::File`].
pub(crate) fn read(root: &Path, path: &str) -> Result<String, Error> {
    let path = root.join(path);
    std::fs::read_to_string(&path).map_err(|source| Error::File { path, source })
}

/// Adds what lies in `directory`, except for what is built and what is hidden.
fn walk(root: &Path, directory: &str, paths: &mut BTreeSet<String>) -> Result<(), Error> {
    let failed = |source| Error::File { path: root.join(directory), source };
    for entry in std::fs::read_dir(root.join(directory)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_built = name == "target" && matches!(directory, "" | "fuzz");
        if is_built || (name.starts_with('.') && name != ".ci") {
            continue;
        }
        let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
        if entry.file_type().map_err(failed)?.is_dir() {
            walk(root, &path, paths)?;
        }
        paths.insert(path);
    }
    Ok(())
}

/// Marks the mentions of files that only tests have: those in `tests` directories, and the modules that another
/// file declares for tests.
fn mark_test_files(sources: &mut [Source]) {
    let modules: Vec<_> = sources.iter().flat_map(|source| test_modules(&source.path, &source.syntax)).collect();
    for source in sources {
        let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let is_module = modules.iter().any(|module| stem == module || stem.starts_with(&format!("{module}/")));
        if is_module || source.path.split('/').any(|part| part == "tests") {
            source.mentions.iter_mut().for_each(|mention| mention.in_test = true);
        }
    }
}

/// Returns the paths, without `.rs` or `/mod.rs`, of the modules that a file declares for tests.
fn test_modules(path: &str, syntax: &syn::File) -> Vec<String> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let directory = match name {
        "lib.rs" | "main.rs" | "mod.rs" => directory.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    };
    let modules = syntax.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() && is_test_only(&module.attrs) => Some(module),
        _ => None,
    });
    modules.map(|module| format!("{directory}/{}", module.ident)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_and_hidden_files_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        for path in ["target/a.rs", ".git/b.rs", "crates/target/c.rs", "crates/d.md", ".ci/run"] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let tree = Tree::read(root.path()).unwrap();
        let paths: Vec<_> = tree.paths.iter().map(String::as_str).collect();
        assert_eq!(paths, [".ci", ".ci/run", "crates", "crates/d.md", "crates/target", "crates/target/c.rs"]);
        assert_eq!((tree.sources.len(), tree.papers.len()), (1, 1));
    }

    #[test]
    fn what_is_not_rust_is_an_error_with_its_line() {
        let error = Source::parse("a.rs", "fn f() {}\nfn {".to_owned()).err().unwrap();
        assert!(matches!(&error, Error::Syntax { line: 2, .. }), "{error}");
    }

    #[test]
    fn files_that_only_tests_have_are_known() {
        let source = |path, text: &str| Source::parse(path, text.to_owned()).unwrap();
        let mut sources = [
            source("crates/a/src/lib.rs", "#[cfg(test)] mod fixtures;\nmod b;"),
            source("crates/a/src/fixtures.rs", "fn f() { a::b(); }"),
            source("crates/a/src/fixtures/deep.rs", "fn f() { a::b(); }"),
            source("crates/a/src/b.rs", "#[cfg(test)] mod cases;\nfn f() { a::b(); }"),
            source("crates/a/src/b/cases.rs", "fn f() { a::b(); }"),
            source("crates/a/src/cases.rs", "fn f() { a::b(); }"),
            source("crates/a/tests/c.rs", "fn f() { a::b(); }"),
        ];
        mark_test_files(&mut sources);
        let in_test = |source: &Source| source.mentions.iter().any(|mention| mention.in_test && mention.name() == "b");
        let found: Vec<_> = sources.iter().map(in_test).collect();
        assert_eq!(found, [false, true, true, false, true, false, true]);
    }
}
