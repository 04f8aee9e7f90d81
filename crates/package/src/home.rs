//! Which registry is the home of a package, and which rule says so.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::{Label, PackageName, RegistryMetadata, RegistryName};

const BUILT_IN: [(&str, &str); 4] = [
    ("wasi", "wasi.dev"),
    ("ba", "bytecodealliance.org"),
    ("wasmcloud", "wasmcloud.com"),
    ("wrpc", "bytecodealliance.org"),
];

/// The registry that is the home of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The registry.
    pub registry: RegistryName,
    /// What the settings say of the registry, where they do, so that it need not be asked.
    pub metadata: Option<RegistryMetadata>,
    /// What decided.
    pub rule: HomeRule,
}

/// What decides which registry is the home of a package; displayed, where to look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HomeRule {
    /// The command line.
    Flag,
    /// The project's word on the package.
    ProjectPackage,
    /// The project's word on the namespace.
    ProjectNamespace,
    /// The project's word on all packages.
    ProjectDefault,
    /// The user's word on the package.
    Package,
    /// The user's word on the namespace.
    Namespace,
    /// The user's word on all packages.
    Default,
    /// The homes of well-known namespaces.
    BuiltIn,
}

impl HomeRule {
    /// Whether the project decided, whose files may come from somebody else than the user.
    pub(crate) fn is_of_project(self) -> bool {
        matches!(self, Self::ProjectPackage | Self::ProjectNamespace | Self::ProjectDefault)
    }
}

impl fmt::Display for HomeRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Flag => "`--registry`",
            Self::ProjectPackage => "`[packages]` of wharf.toml",
            Self::ProjectNamespace => "`[registries]` of wharf.toml",
            Self::ProjectDefault => "`default` of wharf.toml",
            Self::Package => "`package_registry_overrides` of config.toml",
            Self::Namespace => "`namespace_registries` of config.toml",
            Self::Default => "`default_registry` of config.toml",
            Self::BuiltIn => "the namespaces that Wharf knows",
        })
    }
}

/// Returns the home of a well-known namespace.
pub(crate) fn built_in(namespace: &Label) -> Option<Home> {
    let (_, registry) = BUILT_IN.iter().find(|(known, _)| *known == namespace.as_str())?;
    let registry = registry.parse().expect("the built-in registries are hosts");
    Some(Home { registry, metadata: None, rule: HomeRule::BuiltIn })
}

/// A registry, as settings give it: by its name, or with what it would say of itself.
///
/// ```toml
/// wasi = "wasi.dev"
/// acme = { registry = "acme", metadata = { oci = { registry = "ghcr.io", namespacePrefix = "acme/" } } }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    registry: RegistryName,
    metadata: Option<RegistryMetadata>,
}

impl Mapping {
    pub(crate) fn named(registry: RegistryName) -> Self {
        Self { registry, metadata: None }
    }

    fn home(&self, rule: HomeRule) -> Home {
        Home { registry: self.registry.clone(), metadata: self.metadata.clone(), rule }
    }
}

impl<'de> Deserialize<'de> for Mapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MappingVisitor)
    }
}

/// Tells the two forms apart by hand, so that a fault in one is told as what it is.
struct MappingVisitor;

impl<'de> Visitor<'de> for MappingVisitor {
    type Value = Mapping;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a registry, or a table with `registry` and `metadata`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Mapping, E> {
        text.parse().map(Mapping::named).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Mapping, A::Error> {
        #[derive(serde::Deserialize)]
        struct Fields {
            registry: RegistryName,
            metadata: RegistryMetadata,
        }
        let Fields { registry, metadata } = Fields::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Mapping { registry, metadata: Some(metadata) })
    }
}

/// What one file says of the homes of packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mappings {
    pub(crate) packages: BTreeMap<PackageName, Mapping>,
    pub(crate) namespaces: BTreeMap<Label, Mapping>,
    pub(crate) default: Option<Mapping>,
}

/// The rules that the three parts of [`Mappings`] stand for in one file.
pub(crate) struct MappingRules {
    pub(crate) package: HomeRule,
    pub(crate) namespace: HomeRule,
    pub(crate) default: HomeRule,
}

impl Mappings {
    pub(crate) fn home(&self, package: &PackageName, rules: &MappingRules) -> Option<Home> {
        if let Some(mapping) = self.packages.get(package) {
            return Some(mapping.home(rules.package));
        }
        if let Some(mapping) = self.namespaces.get(package.namespace()) {
            return Some(mapping.home(rules.namespace));
        }
        self.default.as_ref().map(|mapping| mapping.home(rules.default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Project, Settings};

    const PROJECT: &str = r#"
        default = "project.example"
        [registries]
        wasi = "wasi-of-project.example"
        [packages]
        "wasi:http" = "http-of-project.example"
    "#;
    const CONFIG: &str = r#"
        default_registry = "user.example"
        [namespace_registries]
        wasi = "wasi-of-user.example"
        [package_registry_overrides]
        "wasi:http" = "http-of-user.example"
    "#;

    fn home_of(package: &str, project: &str, config: &str) -> Option<(String, HomeRule)> {
        let (project, config) = (Project::parse(project).unwrap(), Config::parse(config).unwrap());
        let settings = Settings { project, config, flag: None };
        let home = settings.home(&package.parse().unwrap())?;
        Some((home.registry.to_string(), home.rule))
    }

    #[test]
    fn the_first_rule_that_speaks_of_the_package_decides() {
        let no_default = "[registries]\nacme = \"acme.example\"";
        for (package, project, config, registry, rule) in [
            ("wasi:http", PROJECT, CONFIG, "http-of-project.example", HomeRule::ProjectPackage),
            ("wasi:cli", PROJECT, CONFIG, "wasi-of-project.example", HomeRule::ProjectNamespace),
            ("ba:cli", PROJECT, CONFIG, "project.example", HomeRule::ProjectDefault),
            ("wasi:http", no_default, CONFIG, "http-of-user.example", HomeRule::Package),
            ("wasi:cli", no_default, CONFIG, "wasi-of-user.example", HomeRule::Namespace),
            ("ba:cli", no_default, CONFIG, "user.example", HomeRule::Default),
            ("acme:cli", no_default, CONFIG, "acme.example", HomeRule::ProjectNamespace),
            ("wasi:cli", "", "", "wasi.dev", HomeRule::BuiltIn),
            ("ba:cli", "", "", "bytecodealliance.org", HomeRule::BuiltIn),
            ("wrpc:cli", "", "", "bytecodealliance.org", HomeRule::BuiltIn),
            ("wasmcloud:cli", "", "", "wasmcloud.com", HomeRule::BuiltIn),
        ] {
            assert_eq!(home_of(package, project, config), Some((registry.to_owned(), rule)), "{package}");
        }
    }

    #[test]
    fn a_package_that_no_rule_speaks_of_has_no_home() {
        assert_eq!(home_of("acme:cli", "", "[namespace_registries]\nother = \"other.example\""), None);
    }

    #[test]
    fn metadata_goes_with_the_rule_it_was_given_in() {
        let config = r#"
            [namespace_registries]
            acme = { registry = "acme", metadata = { oci = { registry = "ghcr.io", namespacePrefix = "acme/" } } }
            [package_registry_overrides]
            "acme:special" = "special.example"
        "#;
        let config = Config::parse(config).unwrap();
        let home_of = |package: &str| config.home(&package.parse().unwrap()).unwrap();
        let home = home_of("acme:usual");
        assert_eq!(home.registry.as_str(), "acme");
        assert_eq!(home.metadata.unwrap().oci_home(&home.registry).registry().as_str(), "ghcr.io");
        assert_eq!(home_of("acme:special").metadata, None);
    }

    #[test]
    fn a_fault_in_a_mapping_is_told_as_what_it_is() {
        for (mapping, expected) in [
            ("5", "expected the name of a registry, or a table with `registry` and `metadata`"),
            ("\"https://wasi.dev\"", "`https://wasi.dev` is not a registry"),
            ("{ registry = \"acme\" }", "missing field `metadata`"),
            ("{ metadata = {} }", "missing field `registry`"),
            ("{ registry = \"acme\", metadata = { oci = { namespacePrefix = \"../\" } } }", "not a repository name"),
        ] {
            let error = Config::parse(&format!("[namespace_registries]\nacme = {mapping}\n")).unwrap_err().to_string();
            assert!(error.contains("line 2") && error.contains(expected), "{mapping}: {error}");
        }
    }

    #[test]
    fn a_rule_says_where_to_look() {
        assert_eq!(HomeRule::Flag.to_string(), "`--registry`");
        assert_eq!(HomeRule::Namespace.to_string(), "`namespace_registries` of config.toml");
        assert_eq!(HomeRule::ProjectPackage.to_string(), "`[packages]` of wharf.toml");
    }
}
