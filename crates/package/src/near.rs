//! Names that somebody may have meant.

use crate::PackageName;

/// How many names are suggested.
const NEAR_MAX: usize = 3;

/// The packages of WASI, which most people look for.
const WASI: [&str; 14] = [
    "blobstore",
    "cli",
    "clocks",
    "config",
    "filesystem",
    "http",
    "io",
    "keyvalue",
    "logging",
    "messaging",
    "nn",
    "random",
    "sockets",
    "tls",
];

/// Returns the names of packages that everybody may know: those of WASI.
#[must_use]
pub fn well_known() -> Vec<PackageName> {
    WASI.iter().map(|name| format!("wasi:{name}").parse().expect("it is a name")).collect()
}

/// Returns the names that are spelled most like one that is not there, the nearest first, at most three.
///
/// Namespace and name each count by themselves: at most a third of either may be spelled otherwise.
#[must_use]
pub fn near<'a>(name: &PackageName, candidates: impl IntoIterator<Item = &'a PackageName>) -> Vec<&'a PackageName> {
    let with_distance = |candidate: &'a PackageName| {
        let namespace = distance(name.namespace().as_str(), candidate.namespace().as_str())?;
        Some((namespace + distance(name.name().as_str(), candidate.name().as_str())?, candidate))
    };
    let mut near: Vec<_> = candidates.into_iter().filter_map(with_distance).collect();
    near.sort();
    near.dedup();
    near.into_iter().take(NEAR_MAX).map(|(_, candidate)| candidate).collect()
}

/// Returns how many characters of one are missing, added, changed or swapped in the other, unless that is too many.
fn distance(one: &str, other: &str) -> Option<usize> {
    let distance = strsim::damerau_levenshtein(one, other);
    let limit = (one.len().max(other.len()) / 3).max(1);
    (distance <= limit).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_names_are_names_and_near_what_people_mistype() {
        let known = well_known();
        let near = |name: &str| near(&name.parse().unwrap(), &known).first().map(ToString::to_string);
        for (name, expected) in [("wasi:htpp", Some("wasi:http")), ("wsai:io", Some("wasi:io")), ("acme:log", None)] {
            assert_eq!(near(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_nearest_names_come_first_and_far_ones_not_at_all() {
        let there = ["wasi:cli", "wasi:http", "wasi:io", "wasi:sockets", "wasm:http", "acme:http", "wasi:https"];
        let there = there.map(|name| name.parse::<PackageName>().unwrap());
        for (name, expected) in [
            ("wasi:htpp", &["wasi:http", "wasm:http"][..]),
            ("wasi:http", &["wasi:http", "wasi:https", "wasm:http"]),
            ("wasi:oi", &["wasi:io"]),
            ("wasi:socket", &["wasi:sockets"]),
            ("wsai:clis", &["wasi:cli"]),
            ("other:http", &[]),
            ("wasi:random", &[]),
        ] {
            let near: Vec<String> = near(&name.parse().unwrap(), &there).into_iter().map(ToString::to_string).collect();
            assert_eq!(near, expected, "{name}");
        }
    }
}
