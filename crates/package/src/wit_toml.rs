//! `wit.toml`: what a package said of itself for the tool `wit`, which is retired.

use std::collections::BTreeMap;
use std::path::PathBuf;

use semver::{Version, VersionReq};
use serde::Deserialize;
use wharf_oci::InvalidReference;

use crate::document::{check_size, parse_toml};
use crate::limits::SETTINGS_BYTES_MAX;
use crate::{DocumentKind, InvalidDocument, PackageMetadata, PackageName, RegistryName};

/// What a package said of itself for the tool `wit` of cargo-component, which went out of use in 2024. Wharf reads it, so
/// that such a project can become one of its own, and never writes it.
///
/// ```toml
/// version = "0.1.0"                                # of the package, whose name is in the WIT
/// authors = ["…"]
/// categories = ["…"]
/// description = "…"
/// license = "…"
/// documentation = "https://…"
/// homepage = "https://…"
/// repository = "https://…"
///
/// [dependencies]
/// "acme:log" = "0.1.0"                             # ^0.1.0
/// "acme:local" = { path = "../local" }
/// "acme:web" = { package = "other:web", version = "1", registry = "acme" }
///
/// [registries]
/// default = "https://registry.example/"            # where no registry is named
/// acme = "https://registry.acme.example/"
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WitToml {
    /// The version of the package.
    pub version: Version,
    /// What it depends on, by the names that its WIT uses.
    pub dependencies: BTreeMap<PackageName, WitDependency>,
    /// The registry for dependencies that name none.
    pub default_registry: Option<RegistryName>,
    /// What it says of itself that a `wkg.toml` has room for; several authors are joined by commas.
    pub metadata: PackageMetadata,
    /// Words under which to find it, for which a `wkg.toml` has no room.
    pub categories: Vec<String>,
    /// Where it is explained, for which a `wkg.toml` has no room.
    pub documentation: Option<String>,
}

/// A dependency of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitDependency {
    /// A package in this folder or file, relative to the `wit.toml`.
    Path(PathBuf),
    /// A package of a registry.
    Registry {
        /// Its name there, where that is not the name that the WIT uses.
        package: Option<PackageName>,
        /// Which versions will do.
        requirement: VersionReq,
        /// The registry, where one is named.
        registry: Option<RegistryName>,
    },
}

impl WitToml {
    /// Reads a `wit.toml`. What it says beside the above is passed over.
    ///
    /// # Errors
    /// [`InvalidDocument::TooLarge`], [`InvalidDocument::Toml`], [`InvalidDocument::UnknownRegistry`].
    pub fn parse(text: &str) -> Result<Self, InvalidDocument> {
        check_size(DocumentKind::WitToml, text.len(), SETTINGS_BYTES_MAX)?;
        let fields: Fields = parse_toml(DocumentKind::WitToml, text)?;
        let registry_of = |name: &str| fields.registries.get(name).map(|RegistryUrl(registry)| registry.clone());
        let default_registry = registry_of("default");
        let mut dependencies = BTreeMap::new();
        for (name, dependency) in fields.dependencies {
            let dependency = match dependency {
                DependencyFields::Path(path) => WitDependency::Path(path),
                DependencyFields::Registry { package, version: requirement, registry } => {
                    let unknown = |registry: String| InvalidDocument::UnknownRegistry { name: name.clone(), registry };
                    let named = registry.map(|registry| registry_of(&registry).ok_or_else(|| unknown(registry)));
                    WitDependency::Registry { package, requirement, registry: named.transpose()? }
                }
            };
            dependencies.insert(name, dependency);
        }
        let metadata = PackageMetadata {
            authors: Some(fields.authors.join(", ")).filter(|authors| !authors.is_empty()),
            description: fields.description,
            licenses: fields.license,
            source: fields.repository,
            homepage: fields.homepage,
            revision: None,
        };
        let Fields { version, categories, documentation, .. } = fields;
        Ok(Self { version, dependencies, default_registry, metadata, categories, documentation })
    }
}

/// The document as it is written.
#[derive(Deserialize)]
struct Fields {
    version: Version,
    #[serde(default)]
    dependencies: BTreeMap<PackageName, DependencyFields>,
    #[serde(default)]
    registries: BTreeMap<String, RegistryUrl>,
    #[serde(default)]
    authors: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    description: Option<String>,
    license: Option<String>,
    documentation: Option<String>,
    homepage: Option<String>,
    repository: Option<String>,
}

/// A dependency, which names its registry as `[registries]` does.
#[derive(Deserialize)]
#[serde(try_from = "toml::Value")]
enum DependencyFields {
    Path(PathBuf),
    Registry { package: Option<PackageName>, version: VersionReq, registry: Option<String> },
}

impl TryFrom<toml::Value> for DependencyFields {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, expecting = "a version, or a table")]
        struct Table {
            path: Option<PathBuf>,
            package: Option<PackageName>,
            version: Option<VersionReq>,
            registry: Option<String>,
        }
        let table = match value {
            toml::Value::String(text) => {
                let version = text.parse().map_err(|error| format!("`{text}` is not a version: {error}"))?;
                return Ok(Self::Registry { package: None, version, registry: None });
            }
            value => value.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?,
        };
        match table {
            Table { path: Some(path), package: None, version: None, registry: None } => Ok(Self::Path(path)),
            Table { path: None, package, version: Some(version), registry } => {
                Ok(Self::Registry { package, version, registry })
            }
            _ => Err("a dependency has a `path`, or a `version` with or without `package` and `registry`".to_owned()),
        }
    }
}

/// The address of a registry, of which the host counts.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct RegistryUrl(RegistryName);

impl TryFrom<String> for RegistryUrl {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        let address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(&text);
        address.strip_suffix('/').unwrap_or(address).parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_it_says_is_read() {
        let text = r#"
            version = "0.1.0-rc.1"
            authors = ["A <a@example.com>", "B"]
            categories = ["logging"]
            description = "D"
            license = "L"
            documentation = "https://docs.example"
            homepage = "H"
            repository = "R"
            edition = "2024"
            [dependencies]
            "acme:log" = "0.1.0"
            "acme:local" = { path = "../local" }
            "acme:web" = { package = "other:web", version = "=1.2.3", registry = "acme" }
            "acme:any" = { version = "*" }
            [registries]
            default = "https://registry.example"
            acme = "http://registry.acme.example:8090/"
        "#;
        let wit = WitToml::parse(text).unwrap();
        assert_eq!(wit.version.to_string(), "0.1.0-rc.1");
        let registry = |package: Option<&str>, requirement: &str, registry: Option<&str>| WitDependency::Registry {
            package: package.map(|package| package.parse().unwrap()),
            requirement: requirement.parse().unwrap(),
            registry: registry.map(|registry| registry.parse().unwrap()),
        };
        let expected = [
            ("acme:any", registry(None, "*", None)),
            ("acme:local", WitDependency::Path("../local".into())),
            ("acme:log", registry(None, "^0.1.0", None)),
            ("acme:web", registry(Some("other:web"), "=1.2.3", Some("registry.acme.example:8090"))),
        ];
        assert_eq!(wit.dependencies, expected.map(|(name, it)| (name.parse().unwrap(), it)).into());
        assert_eq!(wit.default_registry, Some("registry.example".parse().unwrap()));
        let some = |text: &str| Some(text.to_owned());
        let metadata = PackageMetadata {
            authors: some("A <a@example.com>, B"),
            description: some("D"),
            licenses: some("L"),
            source: some("R"),
            homepage: some("H"),
            revision: None,
        };
        assert_eq!(wit.metadata, metadata);
        assert_eq!((wit.categories, wit.documentation), (vec!["logging".to_owned()], some("https://docs.example")));
    }

    #[test]
    fn a_version_is_all_it_has_to_say() {
        let wit = WitToml::parse("version = \"1.0.0\"").unwrap();
        assert_eq!((wit.dependencies.len(), wit.default_registry, wit.metadata), (0, None, PackageMetadata::default()));
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let large = format!("# {}", "x".repeat(SETTINGS_BYTES_MAX));
        let with = |rest: &str| format!("version = \"1.0.0\"\n{rest}");
        let depends = |dependency: &str| with(&format!("[dependencies]\n\"a:b\" = {dependency}"));
        let form =
            "line 3, column 9: a dependency has a `path`, or a `version` with or without `package` and `registry`";
        for (text, expected) in [
            (String::new(), "wit.toml is not valid at line 1, column 1: missing field `version`"),
            (with("[dependencies]\nab = \"1\""), "`ab` is not a package name"),
            (depends("\"1.y\""), "line 3, column 9: `1.y` is not a version: unexpected character 'y'"),
            (depends("{}"), form),
            (depends("{ path = \"a\", version = \"1\" }"), form),
            (depends("{ package = \"c:d\" }"), form),
            (depends("{ git = \"a\" }"), "line 3, column 9: unknown field `git`"),
            (depends("5"), "invalid type: integer `5`, expected a version, or a table"),
            (
                depends("{ version = \"1\", registry = \"acme\" }"),
                "wit.toml has `a:b` from the registry `acme`, which `[registries]` does not name",
            ),
            (with("[registries]\na = \"https://a.example/b\""), "line 3, column 5: `a.example/b` is not a registry"),
            (large, "wit.toml of 1048578 bytes is larger than the limit of 1048576"),
        ] {
            let error = WitToml::parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
