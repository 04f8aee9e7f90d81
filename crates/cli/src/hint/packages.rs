//! What to do about packages that cannot be fetched.

use std::io::ErrorKind;
use std::path::Path;

use wharf::artifact::dialect::Unreadable;
use wharf::client::{CredentialSource, Error as ClientError};
use wharf::oci::Registry;
use wharf::packages::{UnusableRegistry, near, well_known};
use wharf::wit::Error as WitError;
use wharf::{Cause, Error};

use crate::environment;

/// What to look at where a registry does not have a package.
const WHERE: &str =
    "check the name and the version in the WIT, and which registry wharf.toml or config.toml gives the package";

/// What to look at where a registry does not have a package that was asked for by its name.
const NAME: &str = "check the name, and which registry config.toml gives the package; --registry HOST asks another";

/// Whether it is up to the caller: something is wrong with a project, with settings, or with what was asked for.
pub(super) fn is_mistake(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::OverrideOther { .. }
            | Cause::TextNotUtf8 { .. }
            | Cause::WitTooLarge { .. }
            | Cause::WorkspaceTooLarge { .. }
            | Cause::NoMembers { .. }
            | Cause::Unresolvable(_)
            | Cause::ProjectFile { .. }
            | Cause::PackageName { .. }
            | Cause::NoHome { .. }
            | Cause::PackageMoved { .. }
            | Cause::NotUsed { .. }
            | Cause::UnusableRegistry(_)
            | Cause::Offline { .. }
            | Cause::NoVersion { .. }
            | Cause::EditFault(_)
    )
}

/// Returns which packages may be meant by the name of one that nobody has.
pub(super) fn near_hint(error: &Error) -> Option<String> {
    let known = well_known();
    let near: Vec<String> = near(&error.unknown_package()?, &known).iter().map(|name| format!("`{name}`")).collect();
    if near.is_empty() { None } else { Some(format!("is {} meant?", near.join(" or "))) }
}

/// Returns what to do about a project whose packages could not be fetched; nothing where that is not about packages.
pub(super) fn fetch_hint(cause: &Cause) -> Option<String> {
    match cause {
        Cause::File { source, .. } if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Some(
            "`wharf fetch FOLDER` names the folder of the WIT; a path in wkg.toml starts where that file is".to_owned(),
        ),
        Cause::Exists { .. } => Some("give what is there another name, or remove it".to_owned()),
        Cause::Changed { .. } => Some("somebody else changed it at the same time; run it again".to_owned()),
        Cause::NoSuchTag { count: 0, .. } => Some(WHERE.to_owned()),
        Cause::Wit(WitError::MissingPackage { .. }) => Some(
            "if `[overrides]` in wkg.toml has another version of it, let the WIT name that one, or none".to_owned(),
        ),
        cause => match cause.client()? {
            ClientError::NotFound { .. } => Some(WHERE.to_owned()),
            ClientError::Unauthorized { registry, credential, .. }
            | ClientError::Forbidden { registry, credential, .. } => credential_hint(registry, credential),
            _ => None,
        },
    }
}

/// Returns what to do about packages that could not be compared with newer ones.
pub(super) fn update_hint(cause: &Cause) -> Option<String> {
    match cause {
        Cause::Offline { .. } => Some("run it without --offline: only registries know what is newer".to_owned()),
        cause => fetch_hint(cause),
    }
}

/// Returns what to do about a package that could not be got by its name.
pub(super) fn get_hint(cause: &Cause) -> Option<String> {
    match cause {
        Cause::Exists { .. } => Some("pass --overwrite to replace it, or --output to write elsewhere".to_owned()),
        Cause::NoSuchTag { count: 0, .. } => Some(NAME.to_owned()),
        Cause::NoVersion { known, .. } if known.is_empty() => Some(NAME.to_owned()),
        Cause::NoVersion { .. } => Some("ask for one of these".to_owned()),
        Cause::OtherPackage { package, .. } => Some(format!("tell whoever publishes `{package}`")),
        Cause::Unreadable(Unreadable::Several { .. }) => Some("`wharf pull --layer NAME` takes one of them".to_owned()),
        Cause::NoHome { package } => Some(format!(
            "--registry HOST names one; config.toml does so for good: `namespace_registries.{} = \"HOST\"`",
            package.namespace()
        )),
        cause => match cause.client()? {
            ClientError::NotFound { .. } => Some(NAME.to_owned()),
            ClientError::Unauthorized { registry, credential, .. }
            | ClientError::Forbidden { registry, credential, .. } => credential_hint(registry, credential),
            _ => None,
        },
    }
}

/// Returns what to do about a credential that a registry of packages did not take.
fn credential_hint(registry: &Registry, credential: &CredentialSource) -> Option<String> {
    match credential {
        CredentialSource::Anonymous => Some(format!(
            "check the name of the package, or run `wharf login {registry}`, or set {}",
            environment::token_variable(registry.as_str())
        )),
        CredentialSource::Variable(name) => Some(format!("check {name}, or unset it")),
        CredentialSource::File(path) => Some(format!("check what {} has for `{registry}`", path.display())),
        _ => None,
    }
}

/// Returns what to do about a package, or about the files that say which there are.
pub(super) fn package_hint(cause: &Cause) -> Option<String> {
    let hint = match cause {
        Cause::ProjectFile { path, .. } => return project_file_hint(path),
        Cause::PackageName { .. } => {
            "registries have names of lower-case words; what is called otherwise belongs in wit/deps".to_owned()
        }
        Cause::OverrideOther { found, .. } => {
            let (name, _) = found.split_once('@').unwrap_or((found, ""));
            format!("an override goes by the name of the package: `\"{name}\" = {{ path = … }}`")
        }
        Cause::NoHome { package } => format!(
            "say so in wharf.toml: `registries.{} = \"HOST\"`; or put the package into wit/deps",
            package.namespace()
        ),
        Cause::PackageMoved { package, .. } => format!(
            "if that is meant, --allow-move {package} takes it from there; if not, somebody may pass off something else \
             as `{package}`"
        ),
        Cause::NotUsed { .. } => "`wharf tree` tells what it uses".to_owned(),
        Cause::UnusableRegistry(unusable) => return unusable_hint(unusable),
        Cause::Served { registry, .. } => format!(
            "tell whoever runs it; `[registries]` of wharf.toml can say it in its place: `NAMESPACE = {{ registry = \
             \"{registry}\", metadata = {{}} }}`"
        ),
        Cause::Offline { .. } => "run it once without --offline or --frozen; what it fetches is kept".to_owned(),
        Cause::NoVersion { known, .. } if known.is_empty() => WHERE.to_owned(),
        Cause::NoVersion { .. } => "ask for one of these, in the WIT or in `[overrides]` of wkg.toml".to_owned(),
        Cause::LockedOtherwise { package, .. } => format!(
            "a version should never change: ask who publishes it before you trust it; to take it, remove `{package}` \
             from wkg.lock"
        ),
        Cause::LockOutdated { .. } => {
            "run `wharf fetch` without --locked or --frozen, and commit wkg.lock and wharf.lock".to_owned()
        }
        Cause::OtherPackage { package, .. } | Cause::NoWitPackage { package, .. } => {
            format!("tell whoever publishes `{package}`; a copy in wit/deps goes before what a registry has")
        }
        Cause::TextNotUtf8 { .. } => "save it as UTF-8".to_owned(),
        Cause::NoMembers { .. } => {
            "a member is a folder with a folder `wit`, or with `*.wit` itself: `members = [\"app\", \"libs/*\"]`"
                .to_owned()
        }
        Cause::WorkspaceTooLarge { .. } => "let `members` in wkg.toml name the folders, or fewer of them".to_owned(),
        Cause::Unresolvable(_) => {
            "change what the WIT or the `[overrides]` named above ask for, so that one version meets them all"
                .to_owned()
        }
        Cause::WitTooLarge { .. } => "name the folder that holds the WIT and nothing else".to_owned(),
        _ => return None,
    };
    Some(hint)
}

fn project_file_hint(path: &Path) -> Option<String> {
    let hint = match path.file_name()?.to_str()? {
        "wkg.toml" => "an override is `[overrides]` and then `\"acme:dep\" = { path = \"../dep/wit\" }`",
        "wharf.toml" => "a registry is `[registries]` and then `acme = \"registry.example\"`",
        _ => "take it from version control, or remove it, and `wharf fetch` writes it anew",
    };
    Some(hint.to_owned())
}

fn unusable_hint(unusable: &UnusableRegistry) -> Option<String> {
    let hint = match unusable {
        UnusableRegistry::NoFolder { .. } => "name it there: `root = \"/a/folder\"`".to_owned(),
        UnusableRegistry::UnknownProtocol { registry, .. } => {
            format!("if it is an OCI registry, config.toml can say so: `registry.\"{registry}\".default = \"oci\"`")
        }
        UnusableRegistry::NoReference { registry, host } if registry.as_str() == host.as_str() => format!(
            "write it with its port, `{host}:443`; or give its host beside it: `{{ registry = \"{registry}\", \
             metadata = {{ oci = {{ registry = \"HOST\" }} }} }}`"
        ),
        UnusableRegistry::NoReference { host, .. } => {
            format!("what says that has to give the host its port: `{host}:443`")
        }
        UnusableRegistry::ForeignFolder { registry } => {
            format!("if that is meant: `registry.\"{registry}\".local.root = \"/a/folder\"`")
        }
        _ => return None,
    };
    Some(hint)
}
