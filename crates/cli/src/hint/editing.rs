//! What to do about a project that cannot be made or changed.

use std::io::ErrorKind;

use wharf::wit::Error as WitError;
use wharf::{Cause, EditFault, Error};

use super::packages;

/// How to say which project is meant.
const WHERE: &str = "-d names the folder of the WIT; `wharf init FOLDER` makes a project";
/// What to look at where a registry does not have a package.
const NAME: &str =
    "check the name, and which registry wharf.toml or config.toml gives the package; --registry HOST names another";

/// Returns what to do about a project that could not be made or changed, where that is about packages.
pub(super) fn edit_hint(error: &Error) -> Option<String> {
    let cause = error.reason();
    let hint = match cause {
        Cause::EditFault(fault) => return fault_hint(fault),
        Cause::File { source, .. } if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => WHERE,
        Cause::Exists { .. } if matches!(error, Error::Init { .. }) => {
            "a project is there already: `wharf add` adds packages to it; or name another folder"
        }
        Cause::ProjectFile { .. } if matches!(error, Error::Init { .. }) => "mend it, or make a project without it",
        Cause::NoVersion { known, .. } if !known.is_empty() => "ask for one of these",
        Cause::OverrideOther { found, .. } => return Some(format!("`wharf add {found} --path …` adds what is there")),
        Cause::NoFolder { .. } => "--path names the folder that holds the WIT of the package",
        Cause::NoVersion { .. } | Cause::NoSuchTag { count: 0, .. } => NAME,
        Cause::NoHome { .. } => "--registry HOST says so in wharf.toml; --path FOLDER takes the package from a folder",
        Cause::Wit(WitError::Syntax(diagnostic)) if diagnostic.location.is_none() => WHERE,
        Cause::Wit(WitError::NoWorld) => "write one into the WIT, such as `world app {}`",
        Cause::Wit(WitError::SeveralWorlds { .. } | WitError::UnknownWorld { .. }) => "--world takes one of them",
        Cause::Wit(WitError::StillUsed { .. }) => "take out what uses it there, and then remove it",
        cause => return packages::fetch_hint(cause),
    };
    Some(hint.to_owned())
}

fn fault_hint(fault: &EditFault) -> Option<String> {
    let hint = match fault {
        EditFault::SeveralPackages { packages, .. } => match packages.first() {
            Some(package) => format!("-d names one of them, such as `-d {package}`"),
            None => "`members` in wkg.toml names their folders".to_owned(),
        },
        EditFault::NoSuchItem { package, interfaces, worlds, near, .. } => {
            command(package, near.iter().chain(interfaces).chain(worlds))?
        }
        EditFault::WhichItem { package, interfaces, worlds } => command(package, interfaces.iter().chain(worlds))?,
        EditFault::SeveralRanges { package, new, .. } => {
            format!("name what of it is to have the new version: `wharf add {package}/ITEM@{new}`")
        }
        EditFault::ExportedWorld { .. } => "leave --export out".to_owned(),
        EditFault::FolderName { .. } => "--name names the package: --name acme:hello".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// Says how to take the first of several things of a package.
fn command<'a>(package: &str, mut items: impl Iterator<Item = &'a String>) -> Option<String> {
    let item = items.next()?;
    let path = match package.split_once('@') {
        Some((name, version)) => format!("{name}/{item}@{version}"),
        None => format!("{package}/{item}"),
    };
    Some(format!("`wharf add {path}` takes one of them"))
}
