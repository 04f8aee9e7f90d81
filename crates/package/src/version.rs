//! Versions of packages, and the tags they have in a registry.
//!
//! A tag is the version, save that `+`, which no tag may have, is `_` there (as Helm does it):
//!
//! ```text
//! 1.2.3-rc.1          1.2.3-rc.1
//! 1.2.3+build.5       1.2.3_build.5       no version has `_`, so the way back is certain
//! ```

use semver::{Comparator, Op, Version, VersionReq};
use wharf_oci::{InvalidReference, TagName};

/// Returns the tag of a version.
///
/// # Errors
/// [`InvalidReference::Tag`], where the version is longer than a tag may be.
pub fn tag_of(version: &Version) -> Result<TagName, InvalidReference> {
    version.to_string().replace('+', "_").parse()
}

/// Returns the version that a tag stands for; nothing for tags that are no version, such as `latest`, `v1.0.0` and
/// the `sha256-…` of signatures.
#[must_use]
pub fn version_of_tag(tag: &TagName) -> Option<Version> {
    tag.as_str().replacen('_', "+", 1).parse().ok()
}

/// Returns the newest version: the highest release, or the highest pre-release where there is no release.
pub fn newest<'a>(versions: impl IntoIterator<Item = &'a Version>) -> Option<&'a Version> {
    versions.into_iter().max_by_key(|version| (version.pre.is_empty(), *version))
}

/// Returns the requirement that `version` alone meets, as `wasi:http@0.2.3` in WIT means it: `=0.2.3`.
///
/// Requirements do not see build metadata: `1.0.0+a` and `1.0.0+b` meet the same ones.
#[must_use]
pub fn exactly(version: &Version) -> VersionReq {
    VersionReq {
        comparators: vec![Comparator {
            op: Op::Exact,
            major: version.major,
            minor: Some(version.minor),
            patch: Some(version.patch),
            pre: version.pre.clone(),
        }],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_tag_is_the_version_with_an_underscore_for_the_plus() {
        for (text, tag) in [
            ("0.2.3", "0.2.3"),
            ("1.0.0-rc.1", "1.0.0-rc.1"),
            ("1.0.0+build.5", "1.0.0_build.5"),
            ("1.0.0-a.b+c-d", "1.0.0-a.b_c-d"),
        ] {
            assert_eq!(tag_of(&version(text)).unwrap().as_str(), tag);
            assert_eq!(version_of_tag(&tag.parse().unwrap()), Some(version(text)));
        }
    }

    #[test]
    fn a_tag_that_is_no_version_is_none() {
        for tag in ["latest", "v1.0.0", "1.0", "1", "01.0.0", "1.0.0_a_b", "1.0.0_", "_1.0.0", "sha256-9f86d081.sig"] {
            assert_eq!(version_of_tag(&tag.parse().unwrap()), None, "{tag}");
        }
    }

    #[test]
    fn a_version_too_long_for_a_tag_is_told() {
        assert!(tag_of(&version(&format!("1.0.0-{}", "a".repeat(122)))).is_ok());
        let error = tag_of(&version(&format!("1.0.0-{}", "a".repeat(123)))).unwrap_err();
        assert!(matches!(error, InvalidReference::Tag { .. }), "{error}");
    }

    #[test]
    fn a_release_is_newer_than_any_pre_release() {
        for (versions, expected) in [
            (vec!["0.2.0", "0.3.0-rc.1", "0.1.9"], Some("0.2.0")),
            (vec!["0.9.0", "0.10.0"], Some("0.10.0")),
            (vec!["0.3.0-rc.2", "0.3.0-rc.10"], Some("0.3.0-rc.10")),
            (vec![], None),
        ] {
            let versions: Vec<Version> = versions.into_iter().map(version).collect();
            assert_eq!(newest(&versions), expected.map(version).as_ref());
        }
    }

    #[test]
    fn requirements_match_by_the_rules_of_semver() {
        for (requirement, version, expected) in [
            ("=0.2.3", "0.2.3", true),
            ("=0.2.3", "0.2.4", false),
            ("=0.2.3", "0.2.3+build", true),
            ("=0.2.3-rc.1", "0.2.3-rc.1", true),
            ("=0.2.3-rc.1", "0.2.3", false),
            ("^0.2.1", "0.2.9", true),
            ("^0.2.1", "0.3.0", false),
            ("0.2", "0.2.9", true),
            ("*", "7.0.0", true),
            ("*", "7.0.0-rc.1", false),
            (">=0.3, <0.5", "0.4.1", true),
        ] {
            let parsed: VersionReq = requirement.parse().unwrap();
            assert_eq!(parsed.matches(&version.parse().unwrap()), expected, "{requirement} {version}");
        }
    }

    #[test]
    fn an_exact_requirement_is_written_with_an_equals_sign() {
        for (text, expected) in [("0.2.3", "=0.2.3"), ("1.0.0-rc.1", "=1.0.0-rc.1"), ("1.0.0+build", "=1.0.0")] {
            assert_eq!(exactly(&version(text)).to_string(), expected);
            assert_eq!(exactly(&version(text)), expected.parse().unwrap());
        }
    }

    proptest! {
        #[test]
        fn versions_round_trip_through_tags(
            text in "(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]?)\\.(0|[1-9])(-[a-zA-Z-][a-z0-9-]{0,4}(\\.[1-9]{1,3})?)?(\\+[0-9A-Za-z.]{1,3}[a-z-])?",
        ) {
            prop_assume!(!text.contains("..") && !text.contains("+."));
            let version = version(&text);
            prop_assert_eq!(version_of_tag(&tag_of(&version).unwrap()), Some(version));
        }

        #[test]
        fn no_two_tags_are_one_version(tag in "[0-9]\\.[0-9]\\.[0-9][a-z0-9._-]{0,12}") {
            let tag: TagName = tag.parse().unwrap();
            if let Some(version) = version_of_tag(&tag) {
                prop_assert_eq!(tag_of(&version).unwrap(), tag);
            }
        }
    }
}
