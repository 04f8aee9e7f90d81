//! Which versions of a package are newer than one that is in use.

use wharf_package::{Version, VersionReq, newest};

/// What there is beyond a version; where nothing is, the version itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Newer {
    /// The newest version that takes its place without a break, by the rules of semver.
    pub(crate) compatible: Version,
    /// The newest version.
    pub(crate) newest: Version,
}

impl Newer {
    /// Compares a version with those that there are. Pre-releases count only for what is a pre-release itself.
    pub(crate) fn of(in_use: &Version, known: &[Version]) -> Self {
        let counts = |version: &&Version| version.pre.is_empty() || !in_use.pre.is_empty();
        let is_newer = |version: &&Version| *version > in_use && counts(version);
        let is_compatible = |version: &&Version| compatible(in_use).matches(version);
        let of_all = newest(known.iter().filter(is_newer));
        let of_compatible = newest(known.iter().filter(is_newer).filter(is_compatible));
        let or_itself = |found: Option<&Version>| found.unwrap_or(in_use).clone();
        Self { compatible: or_itself(of_compatible), newest: or_itself(of_all) }
    }
}

/// Whether one of two versions takes the place of the other without a break, by the rules of semver.
pub(crate) fn are_compatible(one: &Version, other: &Version) -> bool {
    compatible(one).matches(other) || compatible(other).matches(one)
}

/// Returns the requirement that a version and all that break nothing of it meet: `^0.2.3`.
fn compatible(version: &Version) -> VersionReq {
    let Version { major, minor, patch, pre, .. } = version;
    let pre = if pre.is_empty() { String::new() } else { format!("-{pre}") };
    format!("^{major}.{minor}.{patch}{pre}").parse().expect("a version without build metadata is a requirement")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_one_range_are_compatible_whichever_is_newer() {
        for (one, other, expected) in [
            ("0.2.3", "0.2.12", true),
            ("0.2.3", "0.3.0", false),
            ("1.0.0", "1.9.0", true),
            ("1.0.0", "2.0.0", false),
            ("0.0.1", "0.0.2", false),
            ("0.3.0-rc.1", "0.3.0-rc.2", true),
            ("0.3.0-rc.1", "0.3.0", true),
            ("1.0.0", "1.1.0-rc.1", false),
            ("1.0.0+one", "1.0.0+two", true),
        ] {
            let [one, other] = [one, other].map(|version| version.parse().unwrap());
            assert_eq!(are_compatible(&one, &other), expected, "{one} {other}");
            assert_eq!(are_compatible(&other, &one), expected, "{other} {one}");
        }
    }

    #[test]
    fn what_is_newer_is_told_with_what_is_newer_and_breaks_nothing() {
        for (in_use, known, compatible, newest) in [
            ("0.2.3", vec!["0.2.0", "0.2.3", "0.2.12", "0.3.0", "0.4.0-rc.1"], "0.2.12", "0.3.0"),
            ("1.2.0", vec!["1.2.0", "1.10.1", "2.0.0"], "1.10.1", "2.0.0"),
            ("0.0.1", vec!["0.0.1", "0.0.2"], "0.0.1", "0.0.2"),
            ("1.0.0", vec!["0.9.0", "1.0.0", "1.1.0-rc.1"], "1.0.0", "1.0.0"),
            ("1.0.0", vec![], "1.0.0", "1.0.0"),
            // Who uses a pre-release looks for the release, or for the next one.
            ("0.3.0-rc.1", vec!["0.2.9", "0.3.0-rc.1", "0.3.0-rc.10", "0.3.0-rc.9"], "0.3.0-rc.10", "0.3.0-rc.10"),
            ("0.3.0-rc.1", vec!["0.3.0-rc.2", "0.3.0", "0.4.0-rc.1"], "0.3.0", "0.3.0"),
            ("1.0.0+build.1", vec!["1.0.0+build.1", "1.0.0+build.2"], "1.0.0+build.2", "1.0.0+build.2"),
        ] {
            let known: Vec<Version> = known.iter().map(|version| version.parse().unwrap()).collect();
            let expected = Newer { compatible: compatible.parse().unwrap(), newest: newest.parse().unwrap() };
            assert_eq!(Newer::of(&in_use.parse().unwrap(), &known), expected, "{in_use}");
        }
    }
}
