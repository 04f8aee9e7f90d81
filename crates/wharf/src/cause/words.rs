//! Parts of messages.

use wharf_artifact::{Kind, Role};
use wharf_oci::TagName;
use wharf_package::{PackageSpec, Version, VersionReq};

/// Names what a binary is, as closely as its bytes tell.
pub(super) fn name(kind: Kind, role: Option<Role>) -> String {
    role.map_or_else(|| kind.to_string(), |role| role.to_string())
}

/// Says which version is not there, and which are.
pub(super) fn instead_of(requirement: &VersionReq, known: &[Version]) -> String {
    match known {
        [] if *requirement == VersionReq::STAR => " there".to_owned(),
        [] => format!(" `{requirement}`; it has none"),
        known => format!(" `{requirement}`; it has {}", versions(known)),
    }
}

/// Lists versions, the last of many.
fn versions(known: &[Version]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<_> = known.iter().rev().take(SHOWN).map(ToString::to_string).collect();
    match known.len() {
        0..=SHOWN => shown.join(", "),
        count => format!("{} and {} others", shown.join(", "), count - SHOWN),
    }
}

/// Names the packages that may have been meant.
pub(super) fn but(near: &[PackageSpec]) -> String {
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!(", but {}", names.join(", ")) }
}

/// Says what a repository has instead of a tag.
pub(super) fn instead(near: &[TagName], count: usize) -> String {
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    match (count, names.as_slice()) {
        (0, _) => "none".to_owned(),
        (1, []) => "1 other".to_owned(),
        (_, []) => format!("{count} others"),
        (_, names) => names.join(", "),
    }
}
