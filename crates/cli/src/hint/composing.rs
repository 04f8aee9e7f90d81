//! What to do about components that cannot be composed.

use std::io::ErrorKind;

use wharf::artifact::Kind;
use wharf::artifact::dialect::Unreadable;
use wharf::client::Error as ClientError;
use wharf::{Cause, ComposeFault};

use crate::exit;

/// Returns what to do about components that could not be composed; nothing where that is not about them.
pub(super) fn compose_hint(cause: &Cause) -> Option<String> {
    match cause {
        Cause::ComposeFault(fault) => fault_hint(fault),
        Cause::OutputIsInput { .. } => Some("--output takes another name".to_owned()),
        Cause::Changed { .. } => Some("somebody else changed it at the same time; run it again".to_owned()),
        Cause::NoHome { package } => Some(format!(
            "in wharf.toml, `registries.{} = \"HOST\"` says so; in a document, --dep {package}=FILE takes a file",
            package.namespace()
        )),
        Cause::PackageName { .. } => Some("--dep PACKAGE=FILE takes it from a file".to_owned()),
        Cause::NoVersion { known, .. } if !known.is_empty() => Some("ask for one of these".to_owned()),
        Cause::NoVersion { .. } => {
            Some("check the name, and which registry wharf.toml or config.toml gives the package".to_owned())
        }
        Cause::File { operation: "open", source, .. } if source.kind() == ErrorKind::NotFound => {
            Some("a package is named as NAMESPACE:NAME, and a reference as HOST/REPOSITORY".to_owned())
        }
        Cause::Unreadable(Unreadable::Several { .. }) => {
            Some("`wharf pull --layer NAME` takes one of them into a file".to_owned())
        }
        cause if matches!(cause.client(), Some(ClientError::NotFound { .. })) => {
            Some("check the name, and whether it is in that registry".to_owned())
        }
        _ => None,
    }
}

/// Returns the exit code: that of a no, where the components are as they should be, and do not go together.
pub(super) fn code(fault: &ComposeFault) -> u8 {
    match fault {
        ComposeFault::FitsNothing(_)
        | ComposeFault::Contested { .. }
        | ComposeFault::Mismatch { .. }
        | ComposeFault::ImportConflict { .. }
        | ComposeFault::Invalid { .. }
        | ComposeFault::NotLocked { .. }
        | ComposeFault::LockedOtherwise { .. } => exit::NO,
        _ => exit::USAGE,
    }
}

pub(super) fn fault_hint(fault: &ComposeFault) -> Option<String> {
    let hint = match fault {
        ComposeFault::NotComponent { kind: Kind::Module, .. } => {
            "`wasm-tools component new MODULE --adapt ADAPTER -o COMPONENT` makes a component of a module".to_owned()
        }
        ComposeFault::NotComponent { .. } => {
            "WIT says what a component imports; name a component that exports it".to_owned()
        }
        ComposeFault::FitsNothing(unfit) => match (&unfit.user, &unfit.near) {
            (Some(user), _) => format!("compose these two first: `wharf compose {user} --plug {} -o FILE`", unfit.plug),
            (None, Some((_, import))) => format!("take a version that exports `{import}`, or a compatible one"),
            (None, None) => "`wharf inspect FILE` tells what a component imports and exports".to_owned(),
        },
        ComposeFault::Contested { .. } => "leave out one of them; a document (.wac) says who gets what".to_owned(),
        ComposeFault::Mismatch { .. } => {
            "build both with the same version of the WIT; `wharf diff` tells what changed between two".to_owned()
        }
        ComposeFault::ImportConflict { .. } => "build both with the same version of its WIT".to_owned(),
        ComposeFault::Document { help, .. } => return help.clone(),
        ComposeFault::NotNamed { .. } => "check the name that --dep gives".to_owned(),
        ComposeFault::NotLocked { .. } => {
            "run it in the project without --locked or --frozen, and commit wharf.lock".to_owned()
        }
        ComposeFault::LockedOtherwise { package, .. } => format!(
            "a version should never change: ask who publishes it before you trust it; to take it, remove `{package}` \
             from wharf.lock"
        ),
        _ => return None,
    };
    Some(hint)
}
