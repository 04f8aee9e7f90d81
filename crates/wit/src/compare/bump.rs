//! Which part of a version a release has to raise.

use std::fmt;

use semver::{BuildMetadata, Prerelease, Version};
use serde::Serialize;

/// How much a release changes; the greater, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bump {
    /// Nothing that a release would be needed for.
    None,
    /// What is said of items, and not the items.
    Patch,
    /// Something is added.
    Minor,
    /// Something breaks.
    Major,
}

impl Bump {
    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// Returns the lowest version after `old` that says this much.
    ///
    /// Below 1.0.0 the numbers mean what they do to Cargo and to the component model: of `0.y.z`, a break raises `y` and
    /// all else `z`; of `0.0.z`, everything raises `z`. A pre-release promises nothing yet, so that the release it leads
    /// up to may have any change.
    ///
    /// ```
    /// use wharf_wit::compare::Bump;
    ///
    /// let least = |bump: Bump, old: &str| bump.least(&old.parse().unwrap()).to_string();
    /// assert_eq!(least(Bump::Major, "0.2.3"), "0.3.0");
    /// assert_eq!(least(Bump::Minor, "0.2.3"), "0.2.4");
    /// assert_eq!(least(Bump::Minor, "1.2.3"), "1.3.0");
    /// assert_eq!(least(Bump::Major, "1.0.0-rc.1"), "1.0.0");
    /// ```
    #[must_use]
    pub fn least(self, old: &Version) -> Version {
        let Version { major, minor, patch, ref pre, .. } = *old;
        if self == Self::None {
            return Version { build: BuildMetadata::EMPTY, ..old.clone() };
        }
        let (major, minor, patch) = match (self, major, minor) {
            _ if !pre.is_empty() => (major, minor, patch),
            (Self::Major, 0, 0) => (0, 0, patch.saturating_add(1)),
            (Self::Major, 0, _) => (0, minor.saturating_add(1), 0),
            (Self::Major, _, _) => (major.saturating_add(1), 0, 0),
            (Self::Minor, 1.., _) => (major, minor.saturating_add(1), 0),
            (Self::None | Self::Minor | Self::Patch, _, _) => (major, minor, patch.saturating_add(1)),
        };
        Version { major, minor, patch, pre: Prerelease::EMPTY, build: BuildMetadata::EMPTY }
    }

    /// Says whether `new` is as much later than `old` as this asks for.
    ///
    /// A pre-release counts as the release that it leads up to, but has to be later than `old`. Build metadata does not
    /// count.
    #[must_use]
    pub fn is_said_by(self, old: &Version, new: &Version) -> bool {
        let later = new.cmp_precedence(old);
        match self {
            Self::None => later.is_ge(),
            Self::Patch | Self::Minor | Self::Major => {
                let release = Version { pre: Prerelease::EMPTY, ..new.clone() };
                later.is_gt() && release.cmp_precedence(&self.least(old)).is_ge()
            }
        }
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_version_follows_semver_also_below_one() {
        let table = [
            ("0.0.3", ["0.0.3", "0.0.4", "0.0.4", "0.0.4"]),
            ("0.2.3", ["0.2.3", "0.2.4", "0.2.4", "0.3.0"]),
            ("1.2.3", ["1.2.3", "1.2.4", "1.3.0", "2.0.0"]),
            ("0.2.3+build", ["0.2.3", "0.2.4", "0.2.4", "0.3.0"]),
            ("0.3.0-rc.1", ["0.3.0-rc.1", "0.3.0", "0.3.0", "0.3.0"]),
            ("2.0.0-rc.1", ["2.0.0-rc.1", "2.0.0", "2.0.0", "2.0.0"]),
        ];
        for (old, expected) in table {
            let least = [Bump::None, Bump::Patch, Bump::Minor, Bump::Major]
                .map(|bump| bump.least(&old.parse().unwrap()).to_string());
            assert_eq!(least, expected, "{old}");
        }
    }

    #[test]
    fn a_version_says_a_bump_or_does_not() {
        let table = [
            (Bump::None, "0.2.0", "0.2.0", true),
            (Bump::None, "0.2.0", "0.2.0+build", true),
            (Bump::None, "0.2.1", "0.2.0", false),
            (Bump::Patch, "0.2.0", "0.2.0", false),
            (Bump::Patch, "0.2.0", "0.2.0+build", false),
            (Bump::Patch, "1.2.0", "1.2.1", true),
            (Bump::Minor, "0.2.0", "0.2.1", true),
            (Bump::Minor, "1.2.0", "1.2.1", false),
            (Bump::Major, "0.2.0", "0.2.9", false),
            (Bump::Major, "0.2.0", "0.3.0", true),
            (Bump::Major, "0.2.0", "1.0.0", true),
            (Bump::Major, "0.2.0", "0.3.0-rc.1", true),
            (Bump::Major, "0.3.0-rc.1", "0.3.0-rc.2", true),
            (Bump::Major, "0.3.0-rc.2", "0.3.0-rc.1", false),
            (Bump::Major, "0.3.0-rc.1", "0.3.0", true),
            (Bump::Major, "1.0.0", "1.9.0-rc.1", false),
        ];
        for (bump, old, new, expected) in table {
            assert_eq!(bump.is_said_by(&old.parse().unwrap(), &new.parse().unwrap()), expected, "{bump} {old} {new}");
        }
    }
}
