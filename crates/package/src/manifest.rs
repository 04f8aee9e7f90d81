//! `wkg.toml`: what a package or a workspace says of itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use semver::VersionReq;
use serde::Deserialize;

use crate::document::{check_size, parse_toml};
use crate::limits::SETTINGS_BYTES_MAX;
use crate::{DocumentKind, InvalidDocument, MemberPattern, PackageName};

/// What a `wkg.toml` says, as `wkg` reads it.
///
/// ```toml
/// [overrides]                                  # for the packages that the WIT asks for
/// "acme:local" = { path = "../local/wit" }
/// "acme:pinned" = { version = "^1.2" }
///
/// [metadata]                                   # goes into the built package
/// authors = "…"                                # or `author`; one text
/// description = "…"
/// licenses = "…"                               # or `license`
/// source = "…"                                 # or `repository`
/// homepage = "…"
/// revision = "…"
/// ```
///
/// That of a workspace has neither, and instead:
///
/// ```toml
/// [workspace]
/// members = ["one", "examples/*/wit"]          # folders, with globs
///
/// [workspace.metadata]                         # as [metadata]
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// That of a package.
    Package(PackageManifest),
    /// That of a workspace.
    Workspace(WorkspaceManifest),
}

/// What a package says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageManifest {
    /// Where dependencies come from, or which versions of them, other than the WIT says.
    pub overrides: BTreeMap<PackageName, Override>,
    /// What the built package says of itself.
    pub metadata: PackageMetadata,
}

/// What a workspace says of its members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspaceManifest {
    /// Which folders are members.
    pub members: Vec<MemberPattern>,
    /// What all members say of themselves where they say nothing else.
    pub metadata: PackageMetadata,
}

/// What goes before that which the WIT says of a dependency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OverrideFields")]
pub enum Override {
    /// The package is in this folder or file, relative to the `wkg.toml`; a version beside the path does not count.
    Path(PathBuf),
    /// Any version that meets this will do.
    Version(VersionReq),
}

/// What the built package says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of texts")]
#[non_exhaustive]
pub struct PackageMetadata {
    /// Who wrote it.
    #[serde(alias = "author")]
    pub authors: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Its licences, as an SPDX expression.
    #[serde(alias = "license")]
    pub licenses: Option<String>,
    /// Where its source is.
    #[serde(alias = "repository")]
    pub source: Option<String>,
    /// Where more is said of it.
    pub homepage: Option<String>,
    /// The revision of the source.
    pub revision: Option<String>,
}

impl Manifest {
    /// Reads a `wkg.toml`.
    ///
    /// A `[workspace]` without `members` says nothing, as for `wkg`.
    ///
    /// # Errors
    /// [`InvalidDocument::TooLarge`], [`InvalidDocument::Toml`], [`InvalidDocument::WorkspaceAndPackage`].
    pub fn parse(text: &str) -> Result<Self, InvalidDocument> {
        check_size(DocumentKind::Manifest, text.len(), SETTINGS_BYTES_MAX)?;
        let Fields { workspace, overrides, metadata } = parse_toml(DocumentKind::Manifest, text)?;
        if workspace.is_some() && overrides.is_some() {
            return Err(InvalidDocument::WorkspaceAndPackage { table: "overrides" });
        }
        if workspace.is_some() && metadata.is_some() {
            return Err(InvalidDocument::WorkspaceAndPackage { table: "metadata" });
        }
        if let Some(WorkspaceFields { members: Some(members), metadata }) = workspace {
            return Ok(Self::Workspace(WorkspaceManifest { members, metadata }));
        }
        let (overrides, metadata) = (overrides.unwrap_or_default(), metadata.unwrap_or_default());
        Ok(Self::Package(PackageManifest { overrides, metadata }))
    }
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    workspace: Option<WorkspaceFields>,
    overrides: Option<BTreeMap<PackageName, Override>>,
    metadata: Option<PackageMetadata>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table with `members`")]
struct WorkspaceFields {
    members: Option<Vec<MemberPattern>>,
    #[serde(default)]
    metadata: PackageMetadata,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with a `path` or a `version`")]
struct OverrideFields {
    path: Option<PathBuf>,
    version: Option<VersionReq>,
}

impl TryFrom<OverrideFields> for Override {
    type Error = &'static str;

    fn try_from(fields: OverrideFields) -> Result<Self, &'static str> {
        match fields {
            OverrideFields { path: Some(path), .. } => Ok(Self::Path(path)),
            OverrideFields { version: Some(version), .. } => Ok(Self::Version(version)),
            OverrideFields { .. } => Err("an override has a `path` or a `version`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_overrides_dependencies_and_describes_itself() {
        let text = r#"
            [overrides]
            "acme:local" = { path = "../local/wit" }
            "acme:pinned" = { version = "^1.2" }
            "acme:both" = { path = "both", version = "1" }
            [metadata]
            author = "A"
            description = "D"
            license = "L"
            repository = "S"
            homepage = "H"
            revision = "R"
        "#;
        let Manifest::Package(manifest) = Manifest::parse(text).unwrap() else { panic!("it is that of a package") };
        let overrides: Vec<(String, Override)> =
            manifest.overrides.into_iter().map(|(name, over)| (name.to_string(), over)).collect();
        let expected = [
            ("acme:both".to_owned(), Override::Path("both".into())),
            ("acme:local".to_owned(), Override::Path("../local/wit".into())),
            ("acme:pinned".to_owned(), Override::Version("^1.2".parse().unwrap())),
        ];
        assert_eq!(overrides, expected);
        let some = |text: &str| Some(text.to_owned());
        let metadata = PackageMetadata {
            authors: some("A"),
            description: some("D"),
            licenses: some("L"),
            source: some("S"),
            homepage: some("H"),
            revision: some("R"),
        };
        assert_eq!(manifest.metadata, metadata);
    }

    #[test]
    fn the_names_and_aliases_of_metadata_mean_the_same() {
        let names = "[metadata]\nauthors = \"A\"\nlicenses = \"L\"\nsource = \"S\"";
        let aliases = "[metadata]\nauthor = \"A\"\nlicense = \"L\"\nrepository = \"S\"";
        assert_eq!(Manifest::parse(names).unwrap(), Manifest::parse(aliases).unwrap());
    }

    #[test]
    fn a_workspace_has_members() {
        let text = "[workspace]\nmembers = [\"one\", \"examples/*/wit\"]\n[workspace.metadata]\nlicenses = \"L\"";
        let Manifest::Workspace(workspace) = Manifest::parse(text).unwrap() else { panic!("it is a workspace") };
        assert_eq!(workspace.members, ["one", "examples/*/wit"].map(|text| text.parse().unwrap()));
        assert_eq!(workspace.metadata.licenses.as_deref(), Some("L"));
    }

    #[test]
    fn nothing_said_is_an_empty_package() {
        for text in ["", "[overrides]", "[metadata]", "[workspace]", "[workspace]\nroot = \"..\""] {
            assert_eq!(Manifest::parse(text).unwrap(), Manifest::Package(PackageManifest::default()), "{text}");
        }
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let large = format!("# {}", "x".repeat(SETTINGS_BYTES_MAX));
        for (text, expected) in [
            ("[metdata]", "line 1, column 2: unknown field `metdata`"),
            ("[metadata]\nauthors = [\"A\"]", "line 2, column 11: invalid type: sequence, expected a string"),
            ("[metadata]\nauthor = \"A\"\nauthors = \"B\"", "line 1, column 1: duplicate field `authors`"),
            ("[overrides]\nacme = { path = \"a\" }", "line 2, column 1: `acme` is not a package name"),
            (
                "[overrides]\n\"a:b\" = \"../x\"",
                "line 2, column 9: invalid type: string \"../x\", expected a table with a `path` or a `version`",
            ),
            ("metadata = \"x\"", "line 1, column 12: invalid type: string \"x\", expected a table of texts"),
            ("workspace = \"..\"", "line 1, column 13: invalid type: string \"..\", expected a table with `members`"),
            ("[workspace]\nmembers = [\"../a\"]", "line 2, column 11: `../a` leads out of the workspace"),
            ("[overrides]\n\"a:b\" = {}", "line 2, column 9: an override has a `path` or a `version`"),
            ("[overrides]\n\"a:b\" = { version = \"1.y\" }", "line 2, column 21: unexpected character 'y'"),
            ("[overrides]\n\"a:b\" = { branch = \"x\" }", "line 2, column 11: unknown field `branch`"),
            ("[workspace]\nmembers = []\n[overrides]", "has `[workspace]` and `[overrides]`"),
            ("[workspace]\n[metadata]", "has `[workspace]` and `[metadata]`"),
            (large.as_str(), "wkg.toml of 1048578 bytes is larger than the limit of 1048576"),
        ] {
            let error = Manifest::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
