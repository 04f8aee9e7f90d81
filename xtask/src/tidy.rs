//! `cargo xtask tidy`: checks the repository's own rules.
//!
//! Each check is a function from what it looks at to its findings. All findings are printed, one a line:
//!
//! ```text
//! path:line: what is wrong; how to mend it
//! ```
//!
//! What the compiler, clippy and rustfmt check is not checked here again.

mod boundaries;
mod budgets;
mod dependencies;
mod finding;
mod layers;
mod links;
mod members;
mod mentions;
mod names;
mod patience;
mod tree;
mod unfinished;

use std::path::Path;

use crate::Verdict;
use crate::error::Error;
use finding::Finding;
use tree::Tree;

pub(crate) fn run(root: &Path) -> Result<Verdict, Error> {
    let tree = Tree::read(root)?;
    let members = members::members(root)?;
    let lock = tree::read(root, "Cargo.lock")?;

    let mut findings = check_tree(&tree);
    findings.extend(layers::check(layers::TABLE, &members));
    findings.extend(members::check_lints(&members));
    findings.extend(dependencies::check(&lock));
    findings.sort();
    findings.dedup();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        return Ok(Verdict::Bad);
    }
    println!(
        "tidy: {} crates, {} Rust files, {} papers, {} of at most {} packages",
        members.len(),
        tree.sources.len(),
        tree.papers.len(),
        dependencies::count(&lock),
        dependencies::PACKAGES_MAX,
    );
    Ok(Verdict::Good)
}

/// Runs the checks that need files only.
fn check_tree(tree: &Tree) -> Vec<Finding> {
    let architecture = tree.papers.iter().find(|paper| paper.path == "ARCHITECTURE.md");
    let mut findings = layers::check_paper(layers::TABLE, architecture.map(|paper| paper.text.as_str()));
    findings.extend(names::check_paths(&tree.paths));
    findings.extend(budgets::check(&tree.sources, budgets::EXCEPTIONS));
    findings.extend(patience::check(&tree.sources, patience::EXCEPTIONS));
    for source in &tree.sources {
        findings.extend(boundaries::check(source));
        findings.extend(names::check(source));
        findings.extend(unfinished::check(source));
    }
    for paper in &tree.papers {
        findings.extend(links::check(paper, &tree.paths));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one fault for every check on files.
    fn faulty() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let long = format!("fn long() {{\n{}}}\n", "\n".repeat(70));
        for (path, text) in [
            ("README.md", "[a](missing.md)"),
            ("crates/oci/src/util.rs", ""),
            ("crates/oci/src/lib.rs", "fn f() { println!() }"),
            ("crates/oci/src/memory.rs", "mod misc {}"),
            ("crates/oci/src/copy.rs", long.as_str()),
            ("crates/oci/src/verify.rs", "fn f() { todo!() }"),
            ("crates/oci/tests/slow.rs", "#[ignore] fn f() {}"),
        ] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn every_check_on_files_runs() {
        let root = faulty();
        let findings: Vec<_> = check_tree(&Tree::read(root.path()).unwrap()).iter().map(Finding::to_string).collect();
        for expected in [
            "ARCHITECTURE.md:1: there is no",
            "README.md:1: the link",
            "crates/oci/src/util.rs:1: the name",
            "crates/oci/src/lib.rs:1: `println!`",
            "crates/oci/src/memory.rs:1: the name",
            "crates/oci/src/copy.rs:1: the function `long` has 72 lines",
            "crates/oci/src/verify.rs:1: `todo!`",
            "crates/oci/tests/slow.rs:1: a test is ignored",
        ] {
            assert_eq!(findings.iter().filter(|it| it.starts_with(expected)).count(), 1, "{expected}: {findings:#?}");
        }
        assert_eq!(findings.len(), 8, "{findings:#?}");
    }
}
