//! What all documents have in common: who wrote them is not known, and a fault in them has a place.

use std::fmt;
use std::path::PathBuf;

use semver::{Version, VersionReq};
use serde::de::DeserializeOwned;

use crate::{PackageName, RegistryName};

/// The documents that this crate reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentKind {
    /// `config.toml`, a user's settings.
    Config,
    /// `wharf.toml`, a project's registries.
    Project,
    /// `wkg.toml`, what a package says of itself.
    Manifest,
    /// `wkg.lock`, the versions that a project has chosen.
    Lock,
    /// `wharf.lock`, where the packages of a project came from.
    Origins,
    /// `registry.json`, which a registry serves of itself.
    Metadata,
    /// `wit.toml`, what a package said of itself for the retired tool `wit`.
    WitToml,
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Config => "config.toml",
            Self::Project => "wharf.toml",
            Self::Manifest => "wkg.toml",
            Self::Lock => "wkg.lock",
            Self::Origins => "wharf.lock",
            Self::Metadata => "registry.json",
            Self::WitToml => "wit.toml",
        })
    }
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDocument {
    /// It is larger than [`limits`](crate::limits) allow.
    #[error("{document} of {size} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// The document.
        document: DocumentKind,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// It is not TOML, or not a document of its kind.
    ///
    /// The error of the parser is not kept, because it holds the whole text, and with it the secrets of a
    /// `config.toml`.
    #[error("{document} is not valid at line {line}, column {column}: {reason}")]
    Toml {
        /// The document.
        document: DocumentKind,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What the parser says of it.
        reason: String,
    },
    /// It is not JSON, or not a document of its kind.
    #[error("{document} is not valid JSON of its kind")]
    Json {
        /// The document.
        document: DocumentKind,
        /// Why.
        source: serde_json::Error,
    },
    /// A lock file of another version than 1.
    #[error("{document} has version {version}; Wharf reads version 1")]
    LockVersion {
        /// The document.
        document: DocumentKind,
        /// What it says.
        version: u64,
    },
    /// A lock file that has a package of one registry twice.
    #[error("{document} has the package `{name}` of one registry twice")]
    LockedPackageTwice {
        /// The document.
        document: DocumentKind,
        /// The package.
        name: PackageName,
        /// The registry, where there is one.
        registry: Option<RegistryName>,
    },
    /// A lock file that has two answers to one requirement.
    #[error("{document} locks `{name}` for the requirement `{requirement}` twice")]
    LockedRequirementTwice {
        /// Which lock file.
        document: DocumentKind,
        /// The package.
        name: PackageName,
        /// The requirement.
        requirement: VersionReq,
    },
    /// A lock file that has a version of a package twice.
    #[error("{} has version {version} of `{name}` twice", DocumentKind::Origins)]
    LockedVersionTwice {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
    },
    /// A path that a file cannot hold, as it is not Unicode.
    #[error("the path `{}` is not Unicode, as all that is written to {} has to be", path.display(), DocumentKind::Manifest)]
    NotUnicode {
        /// The path.
        path: PathBuf,
    },
    /// A `wit.toml` with a dependency of a registry that it does not tell of.
    #[error(
        "{} has `{name}` from the registry `{registry}`, which `[registries]` does not name",
        DocumentKind::WitToml
    )]
    UnknownRegistry {
        /// The dependency.
        name: PackageName,
        /// What it calls the registry.
        registry: String,
    },
    /// A `wkg.toml` that is that of a workspace and of a package at once.
    #[error(
        "{} has `[workspace]` and `[{table}]`; what holds for all members stands in `[workspace.metadata]`, and the \
         rest in the files of the members",
        DocumentKind::Manifest
    )]
    WorkspaceAndPackage {
        /// The table that does not go with `[workspace]`.
        table: &'static str,
    },
}

/// Refuses a document that is larger than its limit.
pub(crate) fn check_size(document: DocumentKind, size: usize, limit: usize) -> Result<(), InvalidDocument> {
    if size > limit {
        return Err(InvalidDocument::TooLarge { document, size, limit });
    }
    Ok(())
}

/// Parses `text`, whose size has been checked.
pub(crate) fn parse_toml<T: DeserializeOwned>(document: DocumentKind, text: &str) -> Result<T, InvalidDocument> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let (line, column) = place(text, start);
        InvalidDocument::Toml { document, line, column, reason: error.message().to_owned() }
    })
}

/// Returns the line and column, from 1, of the byte at `offset`.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let is_character_start = |byte: &&u8| !matches!(byte, 0x80..=0xbf);
    let column = before[line_start..].iter().filter(is_character_start).count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fault_in_toml_has_a_line_and_a_column() {
        let table = [
            ("a = 1\nb = \"é\" x\n", "wharf.toml is not valid at line 2, column 9: "),
            ("a = 1\na = 2", "wharf.toml is not valid at line 2, column 1: duplicate key"),
            ("", "wharf.toml is not valid at line 1, column 1: missing field `a`"),
            ("\n\nb = [", "wharf.toml is not valid at line 3, column "),
        ];
        #[derive(Debug, serde::Deserialize)]
        struct Document {
            #[expect(dead_code, reason = "it is there to be missed")]
            a: u8,
        }
        for (text, expected) in table {
            let error = parse_toml::<Document>(DocumentKind::Project, text).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_document_may_be_as_large_as_its_limit() {
        assert!(check_size(DocumentKind::Config, 9, 9).is_ok());
        let error = check_size(DocumentKind::Config, 10, 9).unwrap_err().to_string();
        assert_eq!(error, "config.toml of 10 bytes is larger than the limit of 9");
    }

    #[test]
    fn nesting_is_bounded() {
        for text in [format!("a = {}", "[".repeat(100_000)), format!("a = {}", "{b=".repeat(100_000))] {
            let error = parse_toml::<toml::Table>(DocumentKind::Project, &text).unwrap_err();
            assert!(error.to_string().contains("max recursion depth met"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_offset_has_a_place(text in "(\\PC|\n){0,20}", offset in 0_usize..40) {
            let (line, column) = place(&text, offset);
            let count = text.matches('\n').count();
            prop_assert!((1..=count + 1).contains(&line));
            prop_assert!((1..=text.chars().count() + 1).contains(&column));
        }
    }
}
