//! Edits of `wkg.toml` and `wharf.toml` that leave all else in them as it is: comments, order and spaces.
//!
//! Each function takes the text of a file, which is empty for one that is not there yet, and returns the text it is to
//! have. Both are valid for the readers of this crate; what `wkg` reads stays what `wkg` reads.

use std::path::MAIN_SEPARATOR;

use toml_edit::{DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value};

use crate::document::place;
use crate::{
    DocumentKind, InvalidDocument, Label, Manifest, Override, PackageMetadata, PackageName, Project, RegistryName,
};

/// The fields of metadata, each with the other name it may have.
const METADATA_FIELDS: [(&str, Option<&str>, MetadataField); 6] = [
    ("authors", Some("author"), |metadata| &metadata.authors),
    ("description", None, |metadata| &metadata.description),
    ("licenses", Some("license"), |metadata| &metadata.licenses),
    ("source", Some("repository"), |metadata| &metadata.source),
    ("homepage", None, |metadata| &metadata.homepage),
    ("revision", None, |metadata| &metadata.revision),
];

type MetadataField = fn(&PackageMetadata) -> &Option<String>;

/// Sets the override of a package in a `wkg.toml`, in place of an earlier one.
///
/// # Errors
/// Those of [`Manifest::parse`], among them [`InvalidDocument::WorkspaceAndPackage`] for that of a workspace, which has
/// no overrides; [`InvalidDocument::NotUnicode`].
pub fn set_override(text: &str, package: &PackageName, to: &Override) -> Result<String, InvalidDocument> {
    let (key, value, other) = match to {
        Override::Path(path) => {
            let text = path.to_str().ok_or_else(|| InvalidDocument::NotUnicode { path: path.clone() })?;
            // So that it means the same on all systems.
            ("path", text.replace(MAIN_SEPARATOR, "/"), "version")
        }
        Override::Version(requirement) => ("version", requirement.to_string(), "path"),
    };
    edit_manifest(text, |document| {
        let overrides = table(document, &["overrides"]);
        let name = package.to_string();
        if !overrides.contains_key(&name) {
            overrides.insert(&name, Item::Value(InlineTable::new().into()));
        }
        let fields =
            overrides.get_mut(&name).and_then(Item::as_table_like_mut).expect("the reader refuses all but tables");
        fields.remove(other);
        set(fields, key, &value);
    })
}

/// Removes the override of a package from a `wkg.toml`, with the comments on it. Nothing changes where there is none.
///
/// # Errors
/// Those of [`Manifest::parse`].
pub fn remove_override(text: &str, package: &PackageName) -> Result<String, InvalidDocument> {
    edit_manifest(text, |document| {
        let Some(overrides) = document.get_mut("overrides").and_then(Item::as_table_like_mut) else { return };
        overrides.remove(&package.to_string());
    })
}

/// Sets the fields of metadata in a `wkg.toml` that `metadata` has; others stay as they are. In that of a workspace, it
/// is the metadata of all members.
///
/// # Errors
/// Those of [`Manifest::parse`].
pub fn set_metadata(text: &str, metadata: &PackageMetadata) -> Result<String, InvalidDocument> {
    edit_manifest(text, |document| {
        let is_workspace = document.contains_key("workspace");
        let path: &[&str] = if is_workspace { &["workspace", "metadata"] } else { &["metadata"] };
        for (name, alias, field) in METADATA_FIELDS {
            let Some(value) = field(metadata) else { continue };
            let fields = table(document, path);
            let key = alias.filter(|alias| fields.contains_key(alias)).unwrap_or(name);
            set(fields, key, value);
        }
    })
}

/// Sets the registry of a namespace in a `wharf.toml`, in place of an earlier one and of what was said of that.
///
/// # Errors
/// Those of [`Project::parse`].
pub fn set_namespace_registry(text: &str, namespace: &Label, to: &RegistryName) -> Result<String, InvalidDocument> {
    edit_project(text, |document| set(table(document, &["registries"]), namespace.as_str(), to.as_str()))
}

/// Sets the registry of a package in a `wharf.toml`, in place of an earlier one and of what was said of that.
///
/// # Errors
/// Those of [`Project::parse`].
pub fn set_package_registry(text: &str, package: &PackageName, to: &RegistryName) -> Result<String, InvalidDocument> {
    edit_project(text, |document| set(table(document, &["packages"]), &package.to_string(), to.as_str()))
}

/// Removes what a `wharf.toml` says of a package, with the comments on it. Nothing changes where it says nothing.
///
/// # Errors
/// Those of [`Project::parse`].
pub fn remove_package_registry(text: &str, package: &PackageName) -> Result<String, InvalidDocument> {
    edit_project(text, |document| {
        let Some(packages) = document.get_mut("packages").and_then(Item::as_table_like_mut) else { return };
        packages.remove(&package.to_string());
    })
}

fn edit_manifest(text: &str, change: impl FnOnce(&mut DocumentMut)) -> Result<String, InvalidDocument> {
    Manifest::parse(text)?;
    let edited = edit(DocumentKind::Manifest, text, change)?;
    Manifest::parse(&edited)?;
    Ok(edited)
}

fn edit_project(text: &str, change: impl FnOnce(&mut DocumentMut)) -> Result<String, InvalidDocument> {
    Project::parse(text)?;
    let edited = edit(DocumentKind::Project, text, change)?;
    Project::parse(&edited)?;
    Ok(edited)
}

fn edit(document: DocumentKind, text: &str, change: impl FnOnce(&mut DocumentMut)) -> Result<String, InvalidDocument> {
    let mut parsed: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let (line, column) = place(text, error.span().map_or(0, |span| span.start));
        InvalidDocument::Toml { document, line, column, reason: error.message().to_owned() }
    })?;
    change(&mut parsed);
    let edited = parsed.to_string();
    // The parser makes `\n` of all ends of lines.
    let is_of_windows = text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count();
    Ok(if is_of_windows { edited.replace("\r\n", "\n").replace('\n', "\r\n") } else { edited })
}

/// Returns the table at a path, which is made behind all else if it is not there.
fn table<'a>(document: &'a mut DocumentMut, path: &[&str]) -> &'a mut dyn TableLike {
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    let is_empty = document.is_empty();
    let is_there = path.iter().try_fold(document.as_item(), |item, key| item.get(key)).is_some();
    if !is_there && !trailing.is_empty() {
        document.set_trailing("");
    }
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for (depth, key) in path.iter().enumerate() {
        let is_new = !table.contains_key(key);
        if is_new {
            let mut new = Table::new();
            if depth + 1 == path.len() {
                let gap = if is_empty && trailing.is_empty() { "" } else { "\n" };
                new.decor_mut().set_prefix(RawString::from(format!("{trailing}{gap}")));
            }
            table.insert(key, Item::Table(new));
        }
        table = table.get_mut(key).and_then(Item::as_table_like_mut).expect("the readers refuse all but tables here");
    }
    table
}

/// Sets a text, and keeps what stands around the earlier value.
fn set(table: &mut dyn TableLike, key: &str, text: &str) {
    let mut value = Value::from(text);
    match table.get_mut(key) {
        Some(Item::Value(before)) => {
            *value.decor_mut() = before.decor().clone();
            *before = value;
        }
        _ => {
            table.insert(key, Item::Value(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(path: &str) -> Override {
        Override::Path(path.into())
    }

    fn version(requirement: &str) -> Override {
        Override::Version(requirement.parse().unwrap())
    }

    fn name(text: &str) -> PackageName {
        text.parse().unwrap()
    }

    #[test]
    fn an_override_is_set_and_all_else_stays() {
        for (before, to, after) in [
            ("", path("../b"), "[overrides]\n\"a:b\" = { path = \"../b\" }\n"),
            ("# mine\n", version("^1"), "# mine\n\n[overrides]\n\"a:b\" = { version = \"^1\" }\n"),
            (
                "[metadata]\ndescription = 'D' # it\n# the end\n",
                version("1"),
                "[metadata]\ndescription = 'D' # it\n# the end\n\n[overrides]\n\"a:b\" = { version = \"^1\" }\n",
            ),
            (
                "[overrides] # these\n# one\n\"z:z\"   =   {path=\"z\"} # z\n\n[metadata]\n",
                path("b"),
                "[overrides] # these\n# one\n\"z:z\"   =   {path=\"z\"} # z\n\"a:b\" = { path = \"b\" }\n\n[metadata]\n",
            ),
            (
                "[overrides]\n# why\n\"a:b\" = { path = \"a\" } # so\n\"z:z\" = { path = \"z\" }\n",
                path("b"),
                "[overrides]\n# why\n\"a:b\" = { path = \"b\" } # so\n\"z:z\" = { path = \"z\" }\n",
            ),
            (
                "[overrides]\n\"a:b\" = { path = \"a\", version = \"1\" } # so\n",
                version(">=1, <3"),
                "[overrides]\n\"a:b\" = { version = \">=1, <3\" } # so\n",
            ),
            (
                "[overrides.\"a:b\"]\n# where\npath = \"a\" # so\n\n[metadata]\n",
                path("b"),
                "[overrides.\"a:b\"]\n# where\npath = \"b\" # so\n\n[metadata]\n",
            ),
            (
                "[overrides.\"z:z\"]\npath = \"z\"\n",
                path("b"),
                "[overrides]\n\"a:b\" = { path = \"b\" }\n[overrides.\"z:z\"]\npath = \"z\"\n",
            ),
            (
                "overrides = { \"z:z\" = { path = \"z\" } }\n",
                path("b"),
                "overrides = { \"z:z\" = { path = \"z\" } , \"a:b\" = { path = \"b\" } }\n",
            ),
            ("overrides.\"a:b\".path = \"a\"\n", version("*"), "overrides.\"a:b\".version = \"*\"\n"),
            (
                "[metadata]\r\nsource = \"s\"\r\n",
                path("b"),
                "[metadata]\r\nsource = \"s\"\r\n\r\n[overrides]\r\n\"a:b\" = { path = \"b\" }\r\n",
            ),
        ] {
            let edited = set_override(before, &name("a:b"), &to).unwrap();
            assert_eq!(edited, after);
            let Manifest::Package(manifest) = Manifest::parse(&edited).unwrap() else { panic!("{edited}") };
            assert_eq!(manifest.overrides[&name("a:b")], to);
            assert_eq!(set_override(&edited, &name("a:b"), &to).unwrap(), edited, "once is enough");
        }
    }

    #[test]
    fn an_override_is_removed_and_all_else_stays() {
        for (before, after) in [
            ("", ""),
            ("# mine\n[metadata]\n", "# mine\n[metadata]\n"),
            (
                "[overrides] # these\n# why\n\"a:b\" = { path = \"a\" } # so\n# z\n\"z:z\" = { path = \"z\" }\n",
                "[overrides] # these\n# z\n\"z:z\" = { path = \"z\" }\n",
            ),
            ("[overrides]\n\"a:b\" = { path = \"a\" }\n\n[metadata]\n", "[overrides]\n\n[metadata]\n"),
            ("[overrides.\"a:b\"]\npath = \"a\"\n[metadata]\n", "[metadata]\n"),
            ("overrides = { \"a:b\" = { path = \"a\" } }\n", "overrides = {}\n"),
            ("[workspace]\nmembers = []\n", "[workspace]\nmembers = []\n"),
        ] {
            assert_eq!(remove_override(before, &name("a:b")).unwrap(), after);
        }
    }

    #[test]
    fn metadata_is_set_under_the_name_it_has_there() {
        let some = |text: &str| Some(text.to_owned());
        let metadata = PackageMetadata { authors: some("A"), licenses: some("L"), ..PackageMetadata::default() };
        for (before, after) in [
            ("", "[metadata]\nauthors = \"A\"\nlicenses = \"L\"\n"),
            (
                "[metadata]\n# who\nauthor = 'a' # me\nhomepage = \"h\"\n",
                "[metadata]\n# who\nauthor = \"A\" # me\nhomepage = \"h\"\nlicenses = \"L\"\n",
            ),
            (
                "[workspace]\nmembers = [\n  \"a\", # one\n]\n",
                "[workspace]\nmembers = [\n  \"a\", # one\n]\n\n[workspace.metadata]\nauthors = \"A\"\nlicenses = \"L\"\n",
            ),
        ] {
            let edited = set_metadata(before, &metadata).unwrap();
            assert_eq!(edited, after);
        }
        assert_eq!(set_metadata("# mine\n", &PackageMetadata::default()).unwrap(), "# mine\n");
    }

    #[test]
    fn a_registry_is_set_and_all_else_stays() {
        let registry: RegistryName = "new.example".parse().unwrap();
        for (before, namespace, package) in [
            ("", "[registries]\na = \"new.example\"\n", "[packages]\n\"a:b\" = \"new.example\"\n"),
            (
                "default = \"d.example\" # all\n",
                "default = \"d.example\" # all\n\n[registries]\na = \"new.example\"\n",
                "default = \"d.example\" # all\n\n[packages]\n\"a:b\" = \"new.example\"\n",
            ),
            (
                "[registries]\n# a\na = \"old.example\" # so\n[packages]\n\"a:b\" = { registry = \"c\", metadata = {} } # it\n",
                "[registries]\n# a\na = \"new.example\" # so\n[packages]\n\"a:b\" = { registry = \"c\", metadata = {} } # it\n",
                "[registries]\n# a\na = \"old.example\" # so\n[packages]\n\"a:b\" = \"new.example\" # it\n",
            ),
            (
                "[registries.a]\nregistry = \"old\"\nmetadata = {}\n",
                "[registries]\na = \"new.example\"\n",
                "[registries.a]\nregistry = \"old\"\nmetadata = {}\n\n[packages]\n\"a:b\" = \"new.example\"\n",
            ),
        ] {
            assert_eq!(set_namespace_registry(before, &"a".parse().unwrap(), &registry).unwrap(), namespace);
            assert_eq!(set_package_registry(before, &name("a:b"), &registry).unwrap(), package);
        }
    }

    #[test]
    fn the_registry_of_a_package_is_removed_and_all_else_stays() {
        for (before, after) in [
            ("", ""),
            ("default = \"d.example\"\n", "default = \"d.example\"\n"),
            (
                "[packages]\n# why\n\"a:b\" = \"a.example\" # so\n# c\n\"c:d\" = \"c.example\"\n",
                "[packages]\n# c\n\"c:d\" = \"c.example\"\n",
            ),
        ] {
            assert_eq!(remove_package_registry(before, &name("a:b")).unwrap(), after);
        }
    }

    #[test]
    fn what_is_no_such_file_is_not_edited() {
        let error = set_override("[workspace]\nmembers = []\n", &name("a:b"), &path("b")).unwrap_err().to_string();
        assert!(error.contains("has `[workspace]` and `[overrides]`"), "{error}");
        let error = set_override("overrides = 5", &name("a:b"), &path("b")).unwrap_err().to_string();
        assert!(error.contains("wkg.toml is not valid at line 1"), "{error}");
        let error = remove_override("[overrdes]", &name("a:b")).unwrap_err().to_string();
        assert!(error.contains("unknown field `overrdes`"), "{error}");
        let error = set_package_registry("packages = 5", &name("a:b"), &"a".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("wharf.toml is not valid at line 1, column 12"), "{error}");
        let full = format!("# {}\n", "x".repeat(crate::limits::SETTINGS_BYTES_MAX - 3));
        let error = set_package_registry(&full, &name("a:b"), &"a".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("is larger than the limit"), "{error}");
        let error = set_package_registry("default = 5", &name("a:b"), &"a".parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("wharf.toml is not valid at line 1"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_is_not_written() {
        use std::os::unix::ffi::OsStringExt as _;
        let path = std::ffi::OsString::from_vec(b"../\xff".to_vec());
        let error = set_override("", &name("a:b"), &Override::Path(path.into())).unwrap_err().to_string();
        assert_eq!(error, "the path `../\u{fffd}` is not Unicode, as all that is written to wkg.toml has to be");
    }

    proptest! {
        #[test]
        fn setting_and_removing_leaves_what_was_there(
            comment in "(# [a-z ]{0,8}\n){0,2}",
            others in proptest::collection::btree_map("[c-e]:[c-e]", "[a-z./]{1,6}", 0..4),
            end in "(\n|# end\n){0,2}",
            to in "\\PC{0,10}",
        ) {
            let others: String = others.iter().map(|(name, path)| format!("\"{name}\" = {{ path = \"{path}\" }}\n")).collect();
            let text = format!("{comment}[overrides]\n{others}{end}");
            let set = set_override(&text, &name("a:b"), &path(&to)).unwrap();
            let Manifest::Package(manifest) = Manifest::parse(&set).unwrap() else { panic!("{set}") };
            prop_assert_eq!(&manifest.overrides[&name("a:b")], &path(&to));
            prop_assert_eq!(remove_override(&set, &name("a:b")).unwrap(), text);
        }
    }
}
