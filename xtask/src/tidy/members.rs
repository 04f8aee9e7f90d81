//! The packages of the workspace as `cargo metadata` gives them, and the rule for the head of each.

use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use super::finding::Finding;
use super::tree::read;
use crate::error::Error;

/// A package of the workspace.
pub(crate) struct Member {
    pub(crate) package: String,
    /// Its `Cargo.toml`, relative to the root.
    pub(crate) path: String,
    /// What stands in there.
    pub(crate) text: String,
    /// The members that it depends on.
    pub(crate) uses: Vec<(String, DependencyKind)>,
}

impl Member {
    /// Returns a finding on the first line of the manifest that begins with `key`.
    pub(crate) fn finding(&self, key: &str, what: String, mend: &'static str) -> Finding {
        let at = self
            .text
            .lines()
            .position(|line| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.', '='])));
        Finding { path: self.path.clone(), line: at.map_or(1, |at| at + 1), what, mend }
    }
}

/// Reads the members of the workspace.
///
/// # Errors
/// [`Error::Metadata`] and [`Error::File`].
pub(crate) fn members(root: &Path) -> Result<Vec<Member>, Error> {
    let metadata = MetadataCommand::new().current_dir(root).no_deps().exec().map_err(Error::Metadata)?;
    let names: Vec<_> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    metadata.workspace_packages().iter().map(|package| member(root, &metadata, &names, package)).collect()
}

/// Checks that the workspace's lints hold in every member.
pub(crate) fn check_lints(members: &[Member]) -> Vec<Finding> {
    let without = members.iter().filter(|member| !has_workspace_lints(&member.text));
    let what = |member: &Member| format!("the crate `{}` does not take the workspace's lints", member.package);
    without.map(|member| member.finding("[lints]", what(member), "add `[lints]` with `workspace = true`")).collect()
}

fn member(
    root: &Path,
    metadata: &Metadata,
    names: &[String],
    package: &cargo_metadata::Package,
) -> Result<Member, Error> {
    let path = package.manifest_path.strip_prefix(&metadata.workspace_root).unwrap_or(&package.manifest_path);
    let uses = package.dependencies.iter().filter(|dependency| names.contains(&dependency.name));
    Ok(Member {
        package: package.name.to_string(),
        path: path.to_string(),
        text: read(root, path.as_str())?,
        uses: uses.map(|dependency| (dependency.name.clone(), dependency.kind)).collect(),
    })
}

fn has_workspace_lints(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.find(|line| !line.is_empty()) == Some("workspace = true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(text: &str) -> Member {
        Member {
            package: "a".to_owned(),
            path: "crates/a/Cargo.toml".to_owned(),
            text: text.to_owned(),
            uses: Vec::new(),
        }
    }

    #[test]
    fn every_member_takes_the_workspaces_lints() {
        assert_eq!(check_lints(&[member("[package]\n\n[lints]\nworkspace = true\n")]), []);
        for text in
            ["[package]\nname = \"a\"", "[lints]\n", "[lints]\nworkspace = false", "[dependencies]\nworkspace = true"]
        {
            let found = check_lints(&[member(text)]);
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].to_string().starts_with("crates/a/Cargo.toml:1: the crate `a`"), "{found:?}");
        }
    }

    #[test]
    fn a_finding_stands_on_the_line_of_its_key() {
        let member = member("a-b.workspace = true\na.workspace = true\n");
        assert_eq!(member.finding("a", String::new(), "").line, 2);
        assert_eq!(member.finding("c", String::new(), "").line, 1);
    }
}
