//! Parts of messages.

use wharf_artifact::{Kind, Role};
use wharf_oci::TagName;
use wharf_package::Version;

/// Names what a binary is, as closely as its bytes tell.
pub(super) fn name(kind: Kind, role: Option<Role>) -> String {
    role.map_or_else(|| kind.to_string(), |role| role.to_string())
}

/// Lists versions, the last of many.
pub(super) fn versions(known: &[Version]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<_> = known.iter().rev().take(SHOWN).map(ToString::to_string).collect();
    match known.len() {
        0 => "none".to_owned(),
        1..=SHOWN => shown.join(", "),
        count => format!("{} and {} others", shown.join(", "), count - SHOWN),
    }
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
