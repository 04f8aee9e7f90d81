//! Changes the files of a package that say what it needs: its WIT, `wkg.toml` and `wharf.toml`.
//!
//! ```text
//!   files ──read──> ProjectEdit ──change──> changed texts ──plan──> what they need
//!                                                │
//!                                                └──prepare──> temporary files ──put──> files
//! ```
//!
//! Nothing is written before all else is known to be good, and then each file changes at once and whole.

use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;
use wharf_archive::Existing;
use wharf_package::limits::SETTINGS_BYTES_MAX;
use wharf_package::{InvalidDocument, Manifest, Override, PackageName, RegistryName, Version, edit as toml};
use wharf_wit::edit::{Added, Statement};
use wharf_wit::limits::TEXT_BYTES_MAX;
use wharf_wit::{Document, Location, TextFile, edit as wit, requirements};

use super::{LocalPackage, MANIFEST, Plan, Project, SETTINGS, WIT, WitFolder, canonical, is_of, join, read};
use crate::cause::EditFault;
use crate::file_sink::{begin, persist};
use crate::{Cause, blocking::blocking};

/// A change of a file of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum FileChange {
    /// Something was added.
    Added {
        /// The file and the line that it has there.
        place: String,
        /// What it says.
        text: String,
    },
    /// Something was taken out.
    Removed {
        /// The file and the line that it had there.
        place: String,
        /// What it said.
        text: String,
    },
    /// A package is named with another version.
    Version {
        /// The package.
        package: String,
        /// The version that was named; nothing where none was.
        old: Option<Version>,
        /// The version that is named now.
        new: Version,
        /// The files and lines that named it.
        places: Vec<String>,
    },
}

/// A package of a project, of which the files are to change.
#[derive(Debug)]
pub(crate) struct ProjectEdit {
    pub(crate) project: Project,
    /// The place of the package in the project.
    pub(crate) package: usize,
    /// What changed so far, but for what was added to worlds.
    changes: Vec<FileChange>,
    /// What was added to worlds, where one was named to that.
    added: Vec<(Option<String>, Statement)>,
    before: Vec<TextFile>,
    wit: Vec<TextFile>,
    manifest: Text,
    settings: Text,
    /// Whether files are to say less of where packages come from.
    is_forgetful: bool,
}

impl ProjectEdit {
    /// Reads the only package that a folder stands for.
    pub(crate) fn read(folder: &Path) -> Result<Self, Cause> {
        let mut project = Project::read(folder)?;
        let &[package] = project.selected.as_slice() else {
            let shown = |&index: &usize| project.packages[index].wit.display().to_string();
            let packages = project.selected.iter().map(shown).collect();
            return Err(EditFault::SeveralPackages { path: folder.to_owned(), packages }.into());
        };
        let local = &mut project.packages[package];
        let mut manifest = Text::read(local.base.join(MANIFEST))?;
        if let Ok(Manifest::Workspace(_)) = Manifest::parse(&manifest.after) {
            // That of a workspace says nothing of what a single member needs.
            local.base = own_folder(&local.wit, &project.root);
            manifest = Text::read(local.base.join(MANIFEST))?;
        }
        let wit = WitFolder::read(&local.wit)?.files;
        let settings = Text::read(project.root.join(SETTINGS))?;
        let (changes, added, before) = (Vec::new(), Vec::new(), wit.clone());
        Ok(Self { project, package, changes, added, before, wit, manifest, settings, is_forgetful: false })
    }

    /// Returns the package as it is planned to be.
    pub(crate) fn local(&self) -> &LocalPackage {
        &self.project.packages[self.package]
    }

    /// Plans what the package needs, as its files say now.
    pub(crate) fn plan(&mut self) -> Result<Plan, Cause> {
        let local = &mut self.project.packages[self.package];
        local.document = Document::parse(&local.wit.display().to_string(), self.wit.clone())?;
        Plan::new(&self.project, self.package)
    }

    /// Tells what changed: what was added with its place in the new files, all else with the place that it had.
    pub(crate) fn changes(&self) -> Result<Vec<FileChange>, Cause> {
        let mut changes = self.changes.clone();
        for (world, statement) in &self.added {
            let (Added::Present(location) | Added::New(location)) =
                wit::add(&mut self.wit.clone(), world.as_deref(), statement)?;
            changes.push(FileChange::Added { place: place(&location), text: said(&self.wit, &location) });
        }
        Ok(changes)
    }

    /// Returns the packages that the WIT names, with the places.
    pub(crate) fn mentions(&self) -> Result<Vec<(wharf_wit::PackageName, Vec<Location>)>, Cause> {
        Ok(wit::mentions(&self.wit)?.into_iter().collect())
    }

    /// Whether a world has a statement; any, where none is named.
    pub(crate) fn has(&self, world: Option<&str>, statement: &Statement) -> bool {
        let worlds = world.map_or_else(|| self.local().document.worlds(), |world| vec![world]);
        let has = |world| matches!(wit::add(&mut self.wit.clone(), Some(world), statement), Ok(Added::Present(_)));
        worlds.into_iter().any(has)
    }

    /// Lets `wkg.toml` say that a package is in a folder, which is named as seen from there.
    pub(crate) fn set_override(&mut self, package: &PackageName, folder: &Path) -> Result<(), Cause> {
        if !folder.exists() {
            return Err(Cause::NoFolder { path: folder.to_owned() });
        }
        let path = relative(&self.local().base, folder)?;
        let to = Override::Path(path);
        self.change_manifest(|text| toml::set_override(text, package, &to))
    }

    /// Lets `wharf.toml` say which registry has a package.
    pub(crate) fn set_registry(&mut self, package: &PackageName, registry: &RegistryName) -> Result<(), Cause> {
        self.change_settings(|text| toml::set_package_registry(text, package, registry))
    }

    /// Takes out what `wkg.toml` and `wharf.toml` say of a package; tells whether they did. The latter is for all of a
    /// workspace, and keeps what another member needs.
    pub(crate) fn forget(&mut self, package: &PackageName) -> Result<bool, Cause> {
        self.is_forgetful = true;
        let before = self.changes.len();
        self.change_manifest(|text| toml::remove_override(text, package))?;
        let others = self.project.packages.iter().enumerate().filter(|(index, _)| *index != self.package);
        let mut needed = others.flat_map(|(_, other)| requirements(&other.document, &[]));
        if !needed.any(|needed| is_of(&needed.package, package)) {
            self.change_settings(|text| toml::remove_package_registry(text, package))?;
        }
        Ok(self.changes.len() > before)
    }

    /// Adds a statement to a world, unless it has it.
    pub(crate) fn add(&mut self, world: Option<&str>, statement: &Statement) -> Result<(), Cause> {
        if let Added::New(_) = wit::add(&mut self.wit, world, statement)? {
            self.added.push((world.map(str::to_owned), statement.clone()));
        }
        Ok(())
    }

    /// Names a package with a new version where it has the old one; where it had none, this is for all places.
    pub(crate) fn set_version(
        &mut self,
        package: &PackageName,
        (old, locations): (Option<Version>, &[Location]),
        new: &Version,
    ) -> Result<(), Cause> {
        if old.as_ref() != Some(new) {
            wit::set_version(&mut self.wit, &name_in_wit(package, old.as_ref()), new)?;
            let (package, places) = (package.to_string(), locations.iter().map(place).collect());
            self.changes.push(FileChange::Version { package, old, new: new.clone(), places });
        }
        Ok(())
    }

    /// Takes the statements out that name a package; of any version, where none is given.
    pub(crate) fn remove(&mut self, package: &PackageName, version: Option<&Version>) -> Result<(), Cause> {
        let package = name_in_wit(package, version);
        wit::remove(&mut self.wit, &package)?;
        // Where it stood before anything was taken out.
        for location in wit::remove(&mut self.before.clone(), &package)? {
            let (place, text) = (place(&location), said(&self.before, &location));
            self.changes.push(FileChange::Removed { place, text });
        }
        Ok(())
    }

    /// Writes what changed beside the files that it is to replace, in the order in which it is to do so: in between, the
    /// WIT must not name a package of which no file says any longer, or not yet, where it comes from.
    pub(crate) async fn prepare(&self) -> Result<ChangedFiles, Cause> {
        let text = |(before, after): (&TextFile, &TextFile)| {
            let path = PathBuf::from(&after.name);
            Text { path, before: Some(before.text.clone()), after: after.text.clone() }
        };
        let mut files = vec![self.manifest.clone(), self.settings.clone()];
        files.extend(self.before.iter().zip(&self.wit).map(text));
        if self.is_forgetful {
            files.rotate_left(2);
        }
        let mut prepared = Vec::new();
        for file in files.into_iter().filter(Text::is_changed) {
            prepared.push(file.prepare().await?);
        }
        Ok(ChangedFiles(prepared))
    }

    fn change_manifest(&mut self, change: impl Fn(&str) -> Result<String, InvalidDocument>) -> Result<(), Cause> {
        let edited = self.manifest.change(change)?;
        if let Ok(Manifest::Package(parsed)) = Manifest::parse(&self.manifest.after) {
            self.project.packages[self.package].manifest.overrides = parsed.overrides;
        }
        self.changes.extend(edited);
        Ok(())
    }

    fn change_settings(&mut self, change: impl Fn(&str) -> Result<String, InvalidDocument>) -> Result<(), Cause> {
        let edited = self.settings.change(change)?;
        let path = &self.settings.path;
        let parsed = wharf_package::Project::parse(&self.settings.after);
        self.project.settings = parsed.map_err(|source| Cause::ProjectFile { path: path.clone(), source })?;
        self.changes.extend(edited);
        Ok(())
    }
}

/// Files with their new content, which have no names yet, and vanish unless they get them.
#[derive(Debug, Default)]
pub(crate) struct ChangedFiles(Vec<(Text, NamedTempFile)>);

impl ChangedFiles {
    /// Fails where somebody else changed one of the files since it was read.
    pub(crate) async fn check(self) -> Result<Self, Cause> {
        blocking(move || {
            for (file, _) in &self.0 {
                if read(&file.path, TEXT_BYTES_MAX)? != file.before {
                    return Err(Cause::Changed { path: file.path.clone() });
                }
            }
            Ok(self)
        })
        .await
    }

    /// Puts the files in the place of the old ones.
    pub(crate) async fn put(self) -> Result<(), Cause> {
        for (file, temporary) in self.0 {
            persist(temporary, &file.path, Existing::Replace).await?;
        }
        Ok(())
    }
}

/// The text of a file, as it is and as it is to be.
#[derive(Debug, Clone)]
struct Text {
    path: PathBuf,
    /// Nothing where there is no file.
    before: Option<String>,
    after: String,
}

impl Text {
    fn read(path: PathBuf) -> Result<Self, Cause> {
        let before = read(&path, SETTINGS_BYTES_MAX)?;
        let after = before.clone().unwrap_or_default();
        Ok(Self { path, before, after })
    }

    fn is_changed(&self) -> bool {
        self.before.as_deref().unwrap_or_default() != self.after
    }

    /// Writes the new text beside the file, which it is to replace with all that the system says of it.
    async fn prepare(mut self) -> Result<(Self, NamedTempFile), Cause> {
        if self.path.is_symlink() {
            self.path = canonical(&self.path)?;
        }
        let mut temporary = begin(&self.path, Existing::Replace).await?;
        let mut write = || {
            if self.before.is_some() {
                temporary.as_file().set_permissions(self.path.metadata()?.permissions())?;
            }
            temporary.write_all(self.after.as_bytes())
        };
        write().map_err(Cause::file("write", &self.path))?;
        Ok((self, temporary))
    }

    fn change(&mut self, change: impl Fn(&str) -> Result<String, InvalidDocument>) -> Result<Vec<FileChange>, Cause> {
        let after = change(&self.after).map_err(|source| Cause::ProjectFile { path: self.path.clone(), source })?;
        let changes = line_changes(&self.path, &self.after, &after);
        self.after = after;
        Ok(changes)
    }
}

/// Tells which lines stand in the place of which, where the texts differ in one place.
fn line_changes(path: &Path, before: &str, after: &str) -> Vec<FileChange> {
    let [old, new]: [Vec<&str>; 2] = [before, after].map(|text| text.lines().collect());
    let first = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let [old_rest, new_rest] = [&old[first..], &new[first..]];
    let last = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let lines = |rest: &[&str]| {
        let lines = rest[..rest.len() - last].iter().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let line = |(number, line): (usize, &&str)| {
            (format!("{}:{}", path.display(), first + number + 1), line.trim().to_owned())
        };
        lines.map(line).collect::<Vec<_>>()
    };
    let removed = lines(old_rest).into_iter().map(|(place, text)| FileChange::Removed { place, text });
    let added = lines(new_rest).into_iter().map(|(place, text)| FileChange::Added { place, text });
    removed.chain(added).collect()
}

/// Returns the statement in which a package is named at a place.
fn said(files: &[TextFile], location: &Location) -> String {
    let line =
        files.iter().find(|file| file.name == location.file).and_then(|file| file.text.lines().nth(location.line - 1));
    let line = line.unwrap_or_default();
    let (before, after) = line.split_at_checked(location.column - 1).unwrap_or((line, ""));
    let start = before.rfind(['{', ';']).map_or(0, |end| end + 1);
    let end = after.find(';').map_or(line.len(), |end| before.len() + end + 1);
    line[start..end].trim().to_owned()
}

/// Returns the folder of the `wkg.toml` of a member of the workspace in `root`: around `wit`, where it is called that.
fn own_folder(wit: &Path, root: &Path) -> PathBuf {
    match wit.parent().filter(|parent| wit.ends_with(WIT) && *parent != root) {
        Some(parent) => parent.to_owned(),
        None => wit.to_owned(),
    }
}

/// Returns the path of a folder as seen from another.
fn relative(from: &Path, to: &Path) -> Result<PathBuf, Cause> {
    let to = canonical(to)?;
    let from = canonical(&join(from, Path::new("")))?;
    let shared = from.components().zip(to.components()).take_while(|(from, to)| from == to).count();
    if shared == 0 {
        // They have nothing in common, as on two drives.
        return Ok(to);
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    Ok(join(Path::new("."), &path))
}

/// Returns the name of a package as WIT has it.
pub(crate) fn name_in_wit(package: &PackageName, version: Option<&Version>) -> wharf_wit::PackageName {
    wharf_wit::PackageName {
        namespace: package.namespace().to_string(),
        name: package.name().to_string(),
        version: version.cloned(),
    }
}

fn place(location: &Location) -> String {
    format!("{}:{}", location.file, location.line)
}

#[cfg(test)]
mod tests {
    use wharf_wit::edit::{ItemPath, Keyword};

    use super::*;

    #[tokio::test]
    async fn a_file_that_somebody_else_changes_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wit/app.wit");
        std::fs::create_dir(folder.path().join("wit")).unwrap();
        let [text, other] = ["package a:app;\nworld app {\n}\n", "package a:app;\nworld app {\n  // new\n}\n"];
        for (meanwhile, expected) in [(Some(text), true), (Some(other), false), (None, false)] {
            std::fs::write(&path, text).unwrap();
            let mut edit = ProjectEdit::read(folder.path()).unwrap();
            let path_in_wit = ItemPath::new(name_in_wit(&"a:log".parse().unwrap(), None), "log").unwrap();
            edit.add(None, &Statement { keyword: Keyword::Import, path: path_in_wit }).unwrap();
            let changed = edit.prepare().await.unwrap();
            match meanwhile {
                Some(text) => std::fs::write(&path, text).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            match changed.check().await {
                Ok(changed) => changed.put().await.unwrap(),
                Err(cause) => assert!(matches!(&cause, Cause::Changed { path: it } if *it == path), "{cause:?}"),
            }
            let found = std::fs::read_to_string(&path).ok();
            assert_eq!(found.as_ref().is_some_and(|found| found.contains("import a:log/log;")), expected);
            assert_eq!(found.is_some(), meanwhile.is_some());
            let left = std::fs::read_dir(folder.path().join("wit")).unwrap().count();
            assert_eq!(left, usize::from(meanwhile.is_some()), "nothing else is left there");
        }
    }

    #[test]
    fn the_lines_that_changed_are_told() {
        let added = |place: &str, text: &str| FileChange::Added { place: place.to_owned(), text: text.to_owned() };
        let removed = |place: &str, text: &str| FileChange::Removed { place: place.to_owned(), text: text.to_owned() };
        for (before, after, expected) in [
            ("", "", vec![]),
            ("a\n", "a\n", vec![]),
            ("", "a\n  b\n", vec![added("f:1", "a"), added("f:2", "b")]),
            ("a\n", "a\n\nb\n", vec![added("f:3", "b")]),
            ("a\nb\nc\n", "a\nc\n", vec![removed("f:2", "b")]),
            ("a\nb\nc\n", "a\nd\nc\n", vec![removed("f:2", "b"), added("f:2", "d")]),
            ("a\na\n", "a\na\na\n", vec![added("f:3", "a")]),
        ] {
            assert_eq!(line_changes(Path::new("f"), before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_folder_is_named_as_seen_from_another() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["app/wit", "greet/wit"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for (from, to, expected) in [
            ("app", "greet/wit", "../greet/wit"),
            ("app/wit", "greet", "../../greet"),
            ("app", "app/wit", "wit"),
            ("app/wit", "app/../app", ".."),
            ("app", "app", "."),
        ] {
            let found = relative(&folder.path().join(from), &folder.path().join(to)).unwrap();
            assert_eq!(found, Path::new(expected), "{from} {to}");
        }
        assert!(matches!(relative(folder.path(), &folder.path().join("missing")), Err(Cause::File { .. })));
    }

    #[test]
    fn a_statement_is_shown_without_what_stands_beside_it() {
        for (text, column, expected) in [
            ("  import a:b/c;\n", 10, "import a:b/c;"),
            ("world w { import a:b/c; export a:b/d; }", 18, "import a:b/c;"),
            ("world w { import a:b/c; export a:b/d; }", 32, "export a:b/d;"),
            ("use a:b/c", 5, "use a:b/c"),
            ("use a:b/c", 50, "use a:b/c"),
        ] {
            let files = [TextFile { name: "f".to_owned(), text: text.to_owned() }];
            let location = Location { file: "f".to_owned(), line: 1, column };
            assert_eq!(said(&files, &location), expected);
        }
    }
}
