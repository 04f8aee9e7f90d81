//! Where the versions of a package are: in repositories of an OCI registry, or in a folder.

use std::path::{Path, PathBuf};

use semver::Version;
use wharf_oci::{InvalidReference, Reference, Registry, RepositoryName};

use crate::{PackageName, tag_of};

/// Where the packages of a registry are.
///
/// ```text
/// OCI      <registry>/<prefix><namespace>/<name>:<version>      ghcr.io/webassembly/wasi/http:0.2.3
/// folder   <root>/<namespace>/<name>/<version>.wasm             packages/wasi/http/0.2.3.wasm
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In an OCI registry.
    Oci(OciHome),
    /// In a folder.
    Local(LocalHome),
}

/// An OCI registry, and the prefix that the repositories of packages have there. Its host can stand in references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciHome {
    registry: Registry,
    prefix: String,
}

impl OciHome {
    /// Makes a home of a registry, and of a prefix that was [checked](Self::check_prefix): it stands before the
    /// namespace as it is, `webassembly/` with its slash, or nothing.
    pub(crate) fn new(registry: Registry, prefix: String) -> Self {
        Self { registry, prefix }
    }

    /// Refuses a prefix behind which the shortest package is no repository.
    pub(crate) fn check_prefix(prefix: &str) -> Result<(), InvalidReference> {
        format!("{prefix}a/a").parse::<RepositoryName>().map(drop)
    }

    /// Whether the references of packages are read as what they are: where a host has neither a dot nor a port, it is
    /// read as a part of a repository, of another registry.
    pub(crate) fn has_references(&self) -> bool {
        let repository = "a/a".parse().expect("it is a repository");
        let reference = Reference::new(self.registry.clone(), repository);
        reference.to_string().parse().as_ref() == Ok(&reference)
    }

    /// Returns the registry.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the repository of a package.
    ///
    /// # Errors
    /// [`InvalidReference::RepositoryLength`].
    pub fn repository(&self, package: &PackageName) -> Result<RepositoryName, InvalidReference> {
        format!("{}{}/{}", self.prefix, package.namespace(), package.name()).parse()
    }

    /// Returns the reference of a package, with the tag of `version` where one is given.
    ///
    /// # Errors
    /// [`InvalidReference`], where the name or the version is too long for a registry.
    pub fn reference(&self, package: &PackageName, version: Option<&Version>) -> Result<Reference, InvalidReference> {
        let repository = Reference::new(self.registry.clone(), self.repository(package)?);
        match version {
            Some(version) => Ok(repository.with_tag(tag_of(version)?)),
            None => Ok(repository),
        }
    }
}

/// A folder of packages, in the layout of `wkg`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalHome {
    root: PathBuf,
}

impl LocalHome {
    /// Makes a home of the folder `root`.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Returns the folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder with the versions of a package.
    #[must_use]
    pub fn package_folder(&self, package: &PackageName) -> PathBuf {
        self.root.join(package.namespace().as_str()).join(package.name().as_str())
    }

    /// Returns the file with one version of a package.
    #[must_use]
    pub fn version_file(&self, package: &PackageName, version: &Version) -> PathBuf {
        self.package_folder(package).join(format!("{version}.wasm"))
    }

    /// Returns the version that a file in a [package folder](Self::package_folder) holds by its name; nothing for
    /// other files.
    #[must_use]
    pub fn version_of_file(file_name: &str) -> Option<Version> {
        file_name.strip_suffix(".wasm")?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> PackageName {
        "wasi:http".parse().unwrap()
    }

    #[test]
    fn a_prefix_stands_before_the_namespace_as_it_is() {
        for (prefix, expected) in [
            ("", "ghcr.io/wasi/http:0.2.3"),
            ("webassembly/", "ghcr.io/webassembly/wasi/http:0.2.3"),
            ("webassembly-", "ghcr.io/webassembly-wasi/http:0.2.3"),
        ] {
            let home = OciHome::new("ghcr.io".parse().unwrap(), prefix.to_owned());
            let reference = home.reference(&package(), Some(&"0.2.3".parse().unwrap())).unwrap();
            assert_eq!(reference, expected.parse().unwrap());
        }
    }

    #[test]
    fn without_a_version_there_is_no_tag() {
        let home = OciHome::new("ghcr.io".parse().unwrap(), String::new());
        assert_eq!(home.reference(&package(), None).unwrap().tag(), None);
    }

    #[test]
    fn a_prefix_that_leads_out_of_the_registry_is_refused() {
        for prefix in ["/", "../", "a//", "A/", "a b/", "a/?", "a:b/"] {
            assert!(OciHome::check_prefix(prefix).is_err(), "{prefix}");
        }
    }

    #[test]
    fn a_host_has_references_where_it_is_read_as_a_host_in_them() {
        for (host, expected) in [
            ("acme.example", true),
            ("acme:443", true),
            ("localhost", true),
            ("[::1]:5000", true),
            ("docker.io", true),
            ("acme", false),
            ("a_b-c", false),
        ] {
            let home = OciHome::new(host.parse().unwrap(), String::new());
            assert_eq!(home.has_references(), expected, "{host}");
            let reference = home.reference(&package(), None).unwrap();
            assert_eq!(reference.to_string().parse() == Ok(reference), expected, "{host}");
        }
    }

    #[test]
    fn a_repository_name_that_becomes_too_long_is_refused() {
        let home = OciHome::new("ghcr.io".parse().unwrap(), "a/".repeat(100));
        let package = format!("a:{}", "b".repeat(60)).parse().unwrap();
        assert_eq!(home.repository(&package), Err(InvalidReference::RepositoryLength { length: 262 }));
    }

    #[test]
    fn a_folder_has_one_file_for_each_version() {
        let home = LocalHome::new(PathBuf::from("root"));
        let version: Version = "1.0.0-rc.1+b".parse().unwrap();
        let file = home.version_file(&package(), &version);
        assert_eq!(file, Path::new("root").join("wasi").join("http").join("1.0.0-rc.1+b.wasm"));
        assert_eq!(LocalHome::version_of_file("1.0.0-rc.1+b.wasm"), Some(version));
        for other in ["1.0.0", "1.0.0.wat", "v1.0.0.wasm", ".wasm", "1.0.wasm"] {
            assert_eq!(LocalHome::version_of_file(other), None, "{other}");
        }
    }
}
