//! What to do about packages that cannot be built or published.

use std::io::ErrorKind;

use wharf::client::Error as ClientError;
use wharf::packages::PackageName;
use wharf::wit::Error as WitError;
use wharf::{Cause, Error, PackageFault};

use super::packages;
use crate::exit;

/// Returns what to do about a package that could not be built or published; nothing where that is not about packages.
pub(super) fn publish_hint(error: &Error) -> Option<String> {
    match error.reason() {
        Cause::NoHome { package } if is_offered(error, package) => Some(format!(
            "--registry HOST names one; wharf.toml does so for good: `registries.{} = \"HOST\"`",
            package.namespace()
        )),
        Cause::File { source, .. }
            if source.kind() == ErrorKind::NotFound && matches!(error, Error::Publish { .. }) =>
        {
            Some("name a folder of WIT, or a file of Wasm; a `path` in wkg.toml starts where that file is".to_owned())
        }
        Cause::PackageFault(fault) => fault_hint(fault),
        Cause::Wit(WitError::Metadata { .. }) => Some("`[metadata]` of wkg.toml says it; mend it there".to_owned()),
        Cause::File { source, .. } if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Some("name the folder of the WIT; a `path` in wkg.toml starts where that file is".to_owned())
        }
        Cause::Exists { .. } => Some("a version is published once; give this one another version".to_owned()),
        cause => match cause.client() {
            Some(ClientError::Unauthorized { .. } | ClientError::Forbidden { .. }) | None => {
                packages::fetch_hint(cause)
            }
            Some(_) => None,
        },
    }
}

/// Whether a package is the one that was to be published, and none that it needs.
fn is_offered(error: &Error, package: &PackageName) -> bool {
    matches!(error, Error::Publish { what, .. } if what.starts_with(&format!("`{package}@")))
}

/// Returns the exit code for a lock or a package that is not as it should be, and for what no rule speaks of.
pub(super) fn code(cause: &Cause) -> u8 {
    match cause {
        // Another try does not help, and neither does another command line.
        Cause::LockOutdated { .. } | Cause::LockedOtherwise { .. } | Cause::OtherPackage { .. } => exit::NO,
        Cause::PackageFault(fault)
            if matches!(**fault, PackageFault::Breaking { .. } | PackageFault::Published { .. }) =>
        {
            exit::NO
        }
        Cause::PackageFault(_) => exit::USAGE,
        _ => exit::ENVIRONMENT,
    }
}

fn fault_hint(fault: &PackageFault) -> Option<String> {
    let hint = match fault {
        PackageFault::Twice { .. } => "give one of them another name or version, or name one of them alone".to_owned(),
        PackageFault::Workspace { .. } => "--workspace does that; or name its members as PATH".to_owned(),
        PackageFault::NoWorkspace { .. } => {
            "without --workspace, it is published as a package; a workspace has `[workspace]` in wkg.toml".to_owned()
        }
        PackageFault::OneName { .. } => "publish it alone, or leave out --package and WKG_PACKAGE".to_owned(),
        PackageFault::NoName { .. } => "--package NAMESPACE:NAME@VERSION says it".to_owned(),
        PackageFault::NoVersion { package, .. } => {
            format!("--package {package}@0.1.0 gives it one, and for WIT, `package {package}@0.1.0;` in it")
        }
        PackageFault::OtherName { .. } => "leave out --package and WKG_PACKAGE, or change the WIT".to_owned(),
        PackageFault::Published { is_same: true, .. } => "--skip-dupes leaves out what is published already".to_owned(),
        PackageFault::Published { .. } => {
            "a version is published once; `wharf check` tells which version this can have".to_owned()
        }
        PackageFault::Breaking { newer, published, .. } if newer != published => {
            "give it that version or a higher one; or, if nobody minds, pass --allow-breaking".to_owned()
        }
        PackageFault::Breaking { published, .. } => {
            format!("give it a version above {published}; or, if nobody minds, pass --allow-breaking")
        }
        _ => return None,
    };
    Some(hint)
}
