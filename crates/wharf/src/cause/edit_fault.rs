//! Why a project cannot be made, or not be changed.

use std::path::PathBuf;

use wharf_package::{InvalidName, PackageName, Version};

/// Why a project cannot be made, or not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditFault {
    /// Of a workspace, one package is changed at a time.
    #[error("`{}` is a workspace with {}", path.display(), members(packages))]
    SeveralPackages {
        /// The folder that was given.
        path: PathBuf,
        /// The folders of the WIT in it.
        packages: Vec<String>,
    },
    /// A package has nothing of that name.
    #[error("`{package}` has no interface or world `{item}`; it has {}", items(interfaces, worlds))]
    NoSuchItem {
        /// The package, with its version.
        package: String,
        /// What was asked for.
        item: String,
        /// The interfaces that it has.
        interfaces: Vec<String>,
        /// The worlds that it has.
        worlds: Vec<String>,
        /// Those of them that are spelled alike, the nearest first.
        near: Vec<String>,
    },
    /// A package has several things of which none is the one to take.
    #[error("`{package}` has {}", items(interfaces, worlds))]
    WhichItem {
        /// The package, with its version.
        package: String,
        /// The interfaces that it has.
        interfaces: Vec<String>,
        /// The worlds that it has.
        worlds: Vec<String>,
    },
    /// A package is to get a version, and is there in several that do not go together with it, nor with each other.
    #[error("`{package}` is there in versions that break with each other: {}", listed(versions))]
    SeveralRanges {
        /// The package.
        package: PackageName,
        /// The version that it was to get.
        new: Version,
        /// The versions that the WIT names, the newest last.
        versions: Vec<Version>,
    },
    /// A world was to be exported.
    #[error("`{world}` of `{package}` is a world, which is included and cannot be exported")]
    ExportedWorld {
        /// The package, with its version.
        package: String,
        /// The world.
        world: String,
    },
    /// A folder is called what no package can be called.
    #[error("`{}` has no name that a package can have", path.display())]
    FolderName {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: InvalidName,
    },
}

/// Names that are told of what a package or a workspace has.
const SHOWN: usize = 20;

fn members(packages: &[String]) -> String {
    match packages {
        [] => "no packages".to_owned(),
        packages => format!("several packages: {}", quoted(packages)),
    }
}

/// Lists what a package has.
fn items(interfaces: &[String], worlds: &[String]) -> String {
    let kind = |one: &str, names: &[String]| match names.len() {
        0 => None,
        1 => Some(format!("the {one} {}", quoted(names))),
        _ => Some(format!("the {one}s {}", quoted(names))),
    };
    match (kind("interface", interfaces), kind("world", worlds)) {
        (Some(interfaces), Some(worlds)) => format!("{interfaces}, and {worlds}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "none at all".to_owned(),
    }
}

fn listed(versions: &[Version]) -> String {
    quoted(&versions.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn quoted(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        ..=SHOWN => shown.join(", "),
        count => format!("{} and {} others", shown.join(", "), count - SHOWN),
    }
}
