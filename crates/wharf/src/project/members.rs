//! The members of a workspace on the disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wharf_package::{MemberPattern, WorkspaceManifest};

use super::{join, wit_of};
use crate::Cause;

/// Folders that are looked at for members; a workspace has some hundred.
const FOLDERS_MAX: usize = 100_000;

/// Returns the folders of the members that a workspace in `root` names, sorted, each once; of those that a pattern
/// finds, the ones with WIT. No pattern finds a hidden folder, or what a link leads to.
pub(crate) fn members(root: &Path, workspace: &WorkspaceManifest) -> Result<Vec<PathBuf>, Cause> {
    let literals = workspace.members.iter().filter_map(MemberPattern::literal);
    let mut found: BTreeSet<PathBuf> = literals.map(|folder| join(root, Path::new(&folder))).collect();
    let patterns: Vec<_> = workspace.members.iter().filter(|pattern| pattern.literal().is_none()).collect();
    let (mut pending, mut left) = (vec![String::new()], FOLDERS_MAX);
    while let Some(folder) = pending.pop() {
        let path = join(root, Path::new(&folder));
        if patterns.iter().any(|pattern| pattern.matches(&folder)) && has_wit(&path)? {
            found.insert(path.clone());
        }
        if patterns.iter().any(|pattern| pattern.matches_below(&folder)) {
            let too_large = || Cause::WorkspaceTooLarge { path: root.to_owned(), folders: FOLDERS_MAX };
            for name in folders_in(&path)? {
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

/// Whether a folder, or the folder `wit` in it, has a file of WIT.
fn has_wit(folder: &Path) -> Result<bool, Cause> {
    let wit = wit_of(folder);
    for entry in fs::read_dir(&wit).map_err(Cause::file("read the folder", &wit))? {
        let path = entry.map_err(Cause::file("read the folder", &wit))?.path();
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
        for path in ["a/wit/a.wit", "libs/b/b.wit", "libs/c/wit/c.wit", "libs/.d/d.wit", "libs/e/README.md"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "package x:y;").unwrap();
        }
        for (named, expected) in [
            (vec!["a"], vec!["a"]),
            (vec!["a/wit", "a"], vec!["a"]),
            (vec!["libs/*"], vec!["libs/b", "libs/c"]),
            (vec!["libs/*/wit"], vec!["libs/c/wit"]),
            (vec!["**"], vec!["a", "libs/b", "libs/c"]),
            (vec!["missing", "libs/b"], vec!["libs/b", "missing"]),
            (vec![], vec![]),
        ] {
            let found = members(root.path(), &workspace(&named)).unwrap();
            let expected: Vec<_> = expected.iter().map(|path| root.path().join(path)).collect();
            assert_eq!(found, expected, "{named:?}");
        }
    }
}
