//! `wharf.toml`: the settings of a project.

use std::collections::BTreeMap;

use serde::Deserialize;
use wharf_oci::{InvalidReference, Reference, Registry, RepositoryName};

use crate::document::{check_size, parse_toml};
use crate::home::{Mapping, MappingRules, Mappings};
use crate::limits::SETTINGS_BYTES_MAX;
use crate::{DocumentKind, Home, HomeRule, InvalidDocument, Label, PackageName};

const RULES: MappingRules = MappingRules {
    package: HomeRule::ProjectPackage,
    namespace: HomeRule::ProjectNamespace,
    default: HomeRule::ProjectDefault,
};

/// The settings of a project, `wharf.toml`: where its packages come from, for everybody who builds it.
///
/// ```toml
/// default = "registry.acme.example"               # all packages
///
/// [registries]                                    # namespaces
/// acme = "registry.acme.example"
/// wasi = { registry = "wasi", metadata = { oci = { registry = "ghcr.io", namespacePrefix = "webassembly/" } } }
///
/// [packages]                                      # single packages
/// "acme:special" = "special.acme.example"
///
/// [mirrors]                                       # OCI registries, and what to ask in their place
/// "ghcr.io" = "mirror.acme.example/ghcr"
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    homes: Mappings,
    mirrors: BTreeMap<Registry, Mirror>,
}

impl Project {
    /// Reads a `wharf.toml`.
    ///
    /// # Errors
    /// [`InvalidDocument::TooLarge`], [`InvalidDocument::Toml`].
    pub fn parse(text: &str) -> Result<Self, InvalidDocument> {
        check_size(DocumentKind::Project, text.len(), SETTINGS_BYTES_MAX)?;
        let fields: Fields = parse_toml(DocumentKind::Project, text)?;
        let Fields { default, registries: namespaces, packages, mirrors } = fields;
        let mirrors = mirrors.into_iter().map(|(MirroredRegistry(registry), mirror)| (registry, mirror)).collect();
        Ok(Self { homes: Mappings { packages, namespaces, default }, mirrors })
    }

    /// Returns the settings without mirrors: what is published goes to the registry itself.
    #[must_use]
    pub fn without_mirrors(mut self) -> Self {
        self.mirrors.clear();
        self
    }

    /// Returns the home that the project gives a package.
    pub(crate) fn home(&self, package: &PackageName) -> Option<Home> {
        self.homes.home(package, &RULES)
    }

    /// Returns where to ask in place of `reference`; nothing where its registry has no mirror.
    ///
    /// # Errors
    /// [`InvalidReference::RepositoryLength`], where the repository is too long behind the prefix of the mirror.
    pub fn mirror(&self, reference: &Reference) -> Result<Option<Reference>, InvalidReference> {
        let Some(Mirror { registry, prefix }) = self.mirrors.get(reference.registry()) else {
            return Ok(None);
        };
        let repository = match prefix {
            Some(prefix) => format!("{prefix}/{}", reference.repository()).parse()?,
            None => reference.repository().clone(),
        };
        let mirrored = Reference::new(registry.clone(), repository);
        Ok(Some(match (reference.digest(), reference.tag()) {
            (Some(digest), _) => mirrored.with_digest(digest.clone()),
            (None, Some(tag)) => mirrored.with_tag(tag.clone()),
            (None, None) => mirrored,
        }))
    }
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    default: Option<Mapping>,
    #[serde(default)]
    registries: BTreeMap<Label, Mapping>,
    #[serde(default)]
    packages: BTreeMap<PackageName, Mapping>,
    #[serde(default)]
    mirrors: BTreeMap<MirroredRegistry, Mirror>,
}

/// The OCI registry that a mirror stands for.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct MirroredRegistry(Registry);

impl TryFrom<String> for MirroredRegistry {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        text.parse().map(Self)
    }
}

/// A registry, and what stands before the repositories that it mirrors: `host[:port][/prefix]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Mirror {
    registry: Registry,
    prefix: Option<RepositoryName>,
}

impl TryFrom<String> for Mirror {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        let (registry, prefix) = match text.split_once('/') {
            Some((registry, prefix)) => (registry, Some(prefix.parse()?)),
            None => (text.as_str(), None),
        };
        Ok(Self { registry: registry.parse()?, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_asked_in_place_of_its_registry() {
        let project = "[mirrors]\n\"ghcr.io\" = \"mirror.example:5000/ghcr\"\n\"docker.io\" = \"mirror.example\"\n";
        let project = Project::parse(project).unwrap();
        let digest = wharf_oci::Digest::sha256(b"");
        for (reference, expected) in [
            ("ghcr.io/wasi/http:0.2.3", Some("mirror.example:5000/ghcr/wasi/http:0.2.3".to_owned())),
            ("ghcr.io/wasi/http", Some("mirror.example:5000/ghcr/wasi/http".to_owned())),
            (&format!("ghcr.io/a/b:1@{digest}"), Some(format!("mirror.example:5000/ghcr/a/b@{digest}"))),
            ("hello:1", Some("mirror.example/library/hello:1".to_owned())),
            ("quay.io/wasi/http:0.2.3", None),
        ] {
            let reference: Reference = reference.parse().unwrap();
            let expected: Option<Reference> = expected.map(|text| text.parse().unwrap());
            assert_eq!(project.mirror(&reference).unwrap(), expected);
        }
    }

    #[test]
    fn a_repository_that_is_too_long_behind_the_prefix_is_refused() {
        let prefix = "a/".repeat(120);
        let project = Project::parse(&format!("[mirrors]\n\"ghcr.io\" = \"mirror.example/{prefix}a\"")).unwrap();
        let reference = format!("ghcr.io/{}", "b".repeat(20)).parse().unwrap();
        assert_eq!(project.mirror(&reference), Err(InvalidReference::RepositoryLength { length: 262 }));
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        let large = format!("# {}", "x".repeat(SETTINGS_BYTES_MAX));
        for (text, expected) in [
            ("defualt = \"a.example\"", "line 1, column 1: unknown field `defualt`"),
            ("[registries]\nWASI = \"a.example\"", "line 2, column 1: `WASI` has capitals"),
            ("[packages]\nwasi = \"a.example\"", "line 2, column 1: `wasi` is not a package name"),
            ("[mirrors]\n\"ghcr.io/acme\" = \"a.example\"", "line 2, column 1: `ghcr.io/acme` is not a registry"),
            ("[mirrors]\n\"ghcr.io\" = \"https://a.example\"", "line 2, column 13: `/a.example` is not a repository"),
            ("[mirrors]\n\"ghcr.io\" = \"a.example/\"", "line 2, column 13: `` is not a repository name"),
            (large.as_str(), "wharf.toml of 1048578 bytes is larger than the limit of 1048576"),
        ] {
            let error = Project::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
