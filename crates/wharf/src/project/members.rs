//! The members of a workspace on the disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wharf_package::{MemberPattern, WorkspaceManifest};

use super::{DEPS, join, wit_of};
use crate::Cause;

/// Folders that are looked at for members; a workspace has some hundred.
const FOLDERS_MAX: usize = 100_000;

/// Returns the folders of the members that a workspace in `root` names, sorted, each once; of those that a pattern
/// finds, the ones with WIT. No pattern finds a hidden folder, what a link leads to, or what is in the `deps` of WIT.
pub(crate) fn members(root: &Path, workspace: &WorkspaceManifest) -> Result<Vec<PathBuf>, Cause> {
    let literals = workspace.members.iter().filter_map(MemberPattern::literal);
    let mut found: BTreeSet<PathBuf> = literals.map(|folder| join(root, Path::new(&folder))).collect();
    let patterns: Vec<_> = workspace.members.iter().filter(|pattern| pattern.literal().is_none()).collect();
    let (mut pending, mut left) = (vec![String::new()], FOLDERS_MAX);
    while let Some(folder) = pending.pop() {
        let path = join(root, Path::new(&folder));
        if patterns.iter().any(|pattern| pattern.matches(&folder)) && holds_wit(&wit_of(&path))? {
            found.insert(path.clone());
        }
        if patterns.iter().any(|pattern| pattern.matches_below(&folder)) {
            let too_large = || Cause::WorkspaceTooLarge { path: root.to_owned(), folders: FOLDERS_MAX };
            let holds_wit = holds_wit(&path)?;
            // What lies in `deps` is what a member uses.
            for name in folders_in(&path)?.into_iter().filter(|name| !(holds_wit && name == DEPS)) {
                left = left.checked_sub(1).ok_or_else(too_large)?;
                pending.push(if folder.is_empty() { name } else { format!("{folder}/{name}") });
            }
        }
    }
    // A member and the WIT in it are one package.
    let mut seen = BTreeSet::new();
    found.retain(|folder| seen.insert(wit_of(folder)));
    Ok(found.into_iter().collect())
}

/// Returns the names of the folders in a folder.
fn folders_in(folder: &Path) -> Result<Vec<String>, Cause> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Cause::file("read the folder", folder))? {
        let entry = entry.map_err(Cause::file("read the folder", folder))?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().into_string();
        names.extend(name.ok().filter(|name| is_folder && !name.starts_with('.')));
    }
    Ok(names)
}

/// Whether a folder has a file of WIT.
fn holds_wit(folder: &Path) -> Result<bool, Cause> {
    for entry in fs::read_dir(folder).map_err(Cause::file("read the folder", folder))? {
        let path = entry.map_err(Cause::file("read the folder", folder))?.path();
        if path.extension().is_some_and(|end| end == "wit") && path.is_file() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(members: &[&str]) -> WorkspaceManifest {
        let members = members.iter().map(|member| member.parse().unwrap()).collect();
        WorkspaceManifest { members, ..WorkspaceManifest::default() }
    }

    #[test]
    fn patterns_find_folders_with_wit_and_names_are_taken_as_they_are() {
        let root = tempfile::tempdir().unwrap();
        for path in ["a/wit/a.wit", "libs/b/b.wit", "libs/c/wit/c.wit", "libs/.d/d.wit", "libs/e/README.md"]
            .into_iter()
            .chain(["a/wit/deps/x-y/package.wit", "libs/b/deps/x-y/package.wit", "libs/deps/f/f.wit"])
        {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "package x:y;").unwrap();
        }
        for (named, expected) in [
            (vec!["a"], vec!["a"]),
            (vec!["a/wit", "a"], vec!["a"]),
            (vec!["libs/*"], vec!["libs/b", "libs/c"]),
            (vec!["libs/*/wit"], vec!["libs/c/wit"]),
            (vec!["**"], vec!["a", "libs/b", "libs/c", "libs/deps/f"]),
            (vec!["libs/**", "libs/deps/f"], vec!["libs/b", "libs/c", "libs/deps/f"]),
            (vec!["missing", "libs/b"], vec!["libs/b", "missing"]),
            (vec![], vec![]),
        ] {
            let found = members(root.path(), &workspace(&named)).unwrap();
            let expected: Vec<_> = expected.iter().map(|path| root.path().join(path)).collect();
            assert_eq!(found, expected, "{named:?}");
        }
    }
}
