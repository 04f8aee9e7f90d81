//! Why a package cannot be built, or not be published.

use std::path::PathBuf;

use wharf_package::{PackageName, PackageSpec, Version};
use wharf_wit::compare::Change;

use super::Cause;

/// Why a package cannot be built, or not be published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageFault {
    /// Two packages are the same.
    #[error("`{package}` is in `{}`, and in `{}` too", first.display(), second.display())]
    Twice {
        /// The package, with its version.
        package: String,
        /// Where it is.
        first: PathBuf,
        /// Where it is too.
        second: PathBuf,
    },
    /// A workspace is to be published as if it was a package.
    #[error("`{}` is a workspace, of which all members would be published", path.display())]
    Workspace {
        /// Its folder.
        path: PathBuf,
    },
    /// The members of a workspace are to be published, and there is none.
    #[error("`{}` is no workspace", path.display())]
    NoWorkspace {
        /// The folder.
        path: PathBuf,
    },
    /// A name is given for several packages.
    #[error("`{given}` is one package, and {count} are to be published")]
    OneName {
        /// The name that was given.
        given: PackageSpec,
        /// How many packages there are.
        count: usize,
    },
    /// A component or a module does not say which package it is.
    #[error("`{}` does not say which package it is", path.display())]
    NoName {
        /// The file.
        path: PathBuf,
    },
    /// A package has no version.
    #[error("`{package}` in `{}` has no version", path.display())]
    NoVersion {
        /// The package.
        package: PackageName,
        /// The file or the folder.
        path: PathBuf,
    },
    /// A package is another one than it is to be published as.
    #[error("`{}` is the package `{found}`, and cannot be published as `{given}`", path.display())]
    OtherName {
        /// The file or the folder.
        path: PathBuf,
        /// What it calls itself.
        found: String,
        /// The name that was given.
        given: PackageSpec,
    },
    /// The version is published already.
    #[error(
        "`{package}@{version}` is in `{place}` already, with {}",
        if *is_same { "the same content" } else { "other content" }
    )]
    Published {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// The repository or the folder that has it.
        place: String,
        /// Whether it is the same.
        is_same: bool,
    },
    /// A version breaks who uses one that it counts as compatible with.
    #[error("{}{}", broken(package, [older, newer, published], least_version), listed(changes))]
    Breaking {
        /// The package.
        package: PackageName,
        /// The version that is broken.
        older: Version,
        /// The version that breaks it.
        newer: Version,
        /// Which of the two is published.
        published: Version,
        /// The lowest version that the newer one could have.
        least_version: Version,
        /// The changes that break.
        changes: Vec<Change>,
    },
}

impl From<PackageFault> for Cause {
    fn from(fault: PackageFault) -> Self {
        Self::PackageFault(Box::new(fault))
    }
}

/// Says which of two versions is broken by the other.
fn broken(package: &PackageName, [older, newer, published]: [&Version; 3], least_version: &Version) -> String {
    match newer == published {
        false => format!("`{package}@{newer}` breaks who uses {older}, and would have to be {least_version}"),
        true => format!("`{package}@{older}` would be broken by {newer}, which is published"),
    }
}

/// Lists changes, a few of many, each in a line.
fn listed(changes: &[Change]) -> String {
    const SHOWN: usize = 10;
    let mut text: String = changes.iter().take(SHOWN).map(|change| format!("\n{change}")).collect();
    if changes.len() > SHOWN {
        text += &format!("\nand {} others", changes.len() - SHOWN);
    }
    text
}
