//! What people write where they mean something of a package: `namespace:name[/item][@version]`.

use std::fmt;
use std::str::FromStr;

use semver::{Version, VersionReq};

use crate::resolve::Requirement;
use crate::{InvalidSpec, PackageName};

/// A package, which versions of it will do, and what is meant of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRequest {
    /// The package.
    pub package: PackageName,
    /// The interface or the world that is meant, where one is named.
    pub item: Option<String>,
    /// Which versions will do; nothing where none is named.
    pub requirement: Option<Requirement>,
}

impl FromStr for PackageRequest {
    type Err = InvalidSpec;

    /// Reads a version such as `0.2.3` as that very one, and all else as a range.
    fn from_str(text: &str) -> Result<Self, InvalidSpec> {
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        let (package, item) = match path.split_once('/') {
            Some((package, item)) => (package.parse()?, Some(item)),
            None => (path.parse()?, None),
        };
        if let Some(item) = item.filter(|item| item.is_empty() || item.contains('/')) {
            return Err(InvalidSpec::Item { package, text: item.to_owned() });
        }
        let requirement = version.map(|version| requirement(&package, version)).transpose()?;
        Ok(Self { package, item: item.map(str::to_owned), requirement })
    }
}

impl fmt::Display for PackageRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.package.fmt(formatter)?;
        if let Some(item) = &self.item {
            write!(formatter, "/{item}")?;
        }
        match &self.requirement {
            Some(Requirement::Exactly(version)) => write!(formatter, "@{version}"),
            Some(Requirement::Open(range)) => write!(formatter, "@{range}"),
            None => Ok(()),
        }
    }
}

fn requirement(package: &PackageName, text: &str) -> Result<Requirement, InvalidSpec> {
    if let Ok(version) = text.parse::<Version>() {
        return Ok(Requirement::Exactly(version));
    }
    let refused = |source| InvalidSpec::Version { name: package.clone(), text: text.to_owned(), source };
    text.parse::<VersionReq>().map(Requirement::Open).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_and_version_may_be_left_out() {
        let exactly = |version: &str| Some(Requirement::Exactly(version.parse().unwrap()));
        let range = |range: &str| Some(Requirement::Open(range.parse().unwrap()));
        for (text, item, requirement) in [
            ("wasi:io", None, None),
            ("wasi:io@0.2.3", None, exactly("0.2.3")),
            ("wasi:io/streams", Some("streams"), None),
            ("wasi:io/streams@0.2.3-rc.1", Some("streams"), exactly("0.2.3-rc.1")),
            ("wasi:io/streams@^0.2", Some("streams"), range("^0.2")),
            ("wasi:io@>=0.2, <0.4", None, range(">=0.2, <0.4")),
            ("wasi:io@*", None, range("*")),
        ] {
            let request: PackageRequest = text.parse().unwrap();
            assert_eq!(request.package.to_string(), "wasi:io");
            assert_eq!((request.item.as_deref(), &request.requirement), (item, &requirement), "{text}");
            assert_eq!(request.to_string(), text);
        }
        assert_eq!("a:b@0.2".parse::<PackageRequest>().unwrap().requirement, range("^0.2"));
    }

    #[test]
    fn what_names_nothing_of_a_package_is_refused() {
        for (text, expected) in [
            ("", "is not a package name"),
            ("streams@0.2.3", "`streams` is not a package name"),
            ("wasi:io/@0.2.3", "`` is no interface or world of `wasi:io`"),
            ("wasi:io/a/b", "`a/b` is no interface or world of `wasi:io`"),
            ("wasi:io@latest", "`latest` is not a version of `wasi:io`"),
            ("wasi:io@0.2.3/streams", "`0.2.3/streams` is not a version of `wasi:io`"),
        ] {
            let message = text.parse::<PackageRequest>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
