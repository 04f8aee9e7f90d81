//! What people write where they mean a package: `namespace:name[@version]`.

use std::fmt;
use std::str::FromStr;

use semver::Version;

use crate::{InvalidName, PackageName};

/// Why a text names no package, or no version of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSpec {
    /// The part before the `@` is no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The part after the `@` is no version.
    #[error("`{text}` is not a version of `{name}`")]
    Version {
        /// The package.
        name: PackageName,
        /// What was given as its version.
        text: String,
        /// Why.
        source: semver::Error,
    },
    /// The part after the `/` is no name.
    #[error("`{text}` is no interface or world of `{package}`")]
    Item {
        /// The package.
        package: PackageName,
        /// What was given as something in it.
        text: String,
    },
}

/// A package, and one version of it where one is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageSpec {
    /// The package.
    pub name: PackageName,
    /// The version, exactly.
    pub version: Option<Version>,
}

impl FromStr for PackageSpec {
    type Err = InvalidSpec;

    fn from_str(text: &str) -> Result<Self, InvalidSpec> {
        let Some((name, version)) = text.split_once('@') else {
            return Ok(Self { name: text.parse()?, version: None });
        };
        let name: PackageName = name.parse()?;
        match version.parse() {
            Ok(version) => Ok(Self { name, version: Some(version) }),
            Err(source) => Err(InvalidSpec::Version { name, text: version.to_owned(), source }),
        }
    }
}

impl fmt::Display for PackageSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(formatter, "{}@{version}", self.name),
            None => self.name.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_version_may_be_left_out() {
        let spec: PackageSpec = "wasi:http".parse().unwrap();
        assert_eq!((spec.name.to_string().as_str(), spec.version), ("wasi:http", None));
        let spec: PackageSpec = "wasi:http@0.2.0-rc.1+b".parse().unwrap();
        assert_eq!(spec.version, Some("0.2.0-rc.1+b".parse().unwrap()));
    }

    #[test]
    fn what_names_no_package_or_version_is_refused() {
        for (text, expected) in [
            ("", "is not a package name"),
            ("@1.0.0", "is not a package name"),
            ("wasi:http@", "`` is not a version of `wasi:http`"),
            ("wasi:http@1", "`1` is not a version of `wasi:http`"),
            ("wasi:http@^1.0.0", "`^1.0.0` is not a version"),
            ("wasi:http@latest", "`latest` is not a version"),
            ("wasi:http@1.0.0@2.0.0", "`1.0.0@2.0.0` is not a version"),
            ("wasi:http/types@0.2.0", "give the package alone"),
        ] {
            let message = text.parse::<PackageSpec>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    proptest! {
        #[test]
        fn specs_round_trip(text in "[a-z]{1,5}:[a-z]{1,5}(@[1-9]\\.[1-9]\\.[1-9](-rc\\.[1-9])?(\\+[a-z]{1,4})?)?") {
            let spec: PackageSpec = text.parse().unwrap();
            prop_assert_eq!(spec.to_string(), text);
        }
    }
}
