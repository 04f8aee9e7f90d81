//! `config.toml`: the settings of a user.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::document::{check_size, parse_toml};
use crate::home::{Mapping, MappingRules, Mappings};
use crate::limits::SETTINGS_BYTES_MAX;
use crate::{DocumentKind, Home, HomeRule, InvalidDocument, Label, PackageName, RegistryName};

mod registry;

pub use registry::{BasicCredential, OciSettings, RegistrySettings, Scheme};

const RULES: MappingRules =
    MappingRules { package: HomeRule::Package, namespace: HomeRule::Namespace, default: HomeRule::Default };

/// The settings of a user, `config.toml`, as `wkg` has them.
///
/// ```toml
/// default_registry = "acme.example"                # host[:port]; all packages
///
/// [namespace_registries]                           # namespaces
/// wasi = "wasi.dev"
/// acme = { registry = "acme", metadata = { oci = { registry = "ghcr.io", namespacePrefix = "acme/" } } }
///
/// [package_registry_overrides]                     # single packages
/// "acme:special" = "special.example"
///
/// [registry."acme.example"]                        # settings of a registry, by the name it has above
/// default = "oci"                                  # or "local"; once called `type`
///
/// [registry."acme.example".oci]
/// auth = { username = "open", password = "sesame" }    # or "b3BlbjpzZXNhbWU=", the same in base64
/// protocol = "https"                               # or "http"
/// accept_invalid_certificates = false
/// extra_root_certificates = [{ encoding = "pem", data = """…""" }]
///
/// [registry."acme.example".local]
/// root = "/a/folder"
/// ```
#[derive(Debug, Clone, Default)]
pub struct Config {
    homes: Mappings,
    pub(crate) registries: BTreeMap<RegistryName, RegistrySettings>,
}

impl Config {
    /// Reads a `config.toml`.
    ///
    /// # Errors
    /// [`InvalidDocument::TooLarge`], [`InvalidDocument::Toml`].
    pub fn parse(text: &str) -> Result<Self, InvalidDocument> {
        check_size(DocumentKind::Config, text.len(), SETTINGS_BYTES_MAX)?;
        let fields: Fields = parse_toml(DocumentKind::Config, text)?;
        let homes = Mappings {
            packages: fields.package_registry_overrides,
            namespaces: fields.namespace_registries,
            default: fields.default_registry.map(Mapping::named),
        };
        Ok(Self { homes, registries: fields.registry })
    }

    /// Returns the home that the user gives a package.
    pub(crate) fn home(&self, package: &PackageName) -> Option<Home> {
        self.homes.home(package, &RULES)
    }
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    default_registry: Option<RegistryName>,
    #[serde(default)]
    namespace_registries: BTreeMap<Label, Mapping>,
    #[serde(default)]
    package_registry_overrides: BTreeMap<PackageName, Mapping>,
    #[serde(default)]
    registry: BTreeMap<RegistryName, RegistrySettings>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_setting_is_refused_and_no_secret_repeated() {
        let table = [
            ("default = \"a.example\"", "line 1, column 1: unknown field `default`"),
            ("default_registry = \"https://a.example\"", "line 1, column 20: `https://a.example` is not a registry"),
            ("[registry.a.oci]\nprotocol = \"ftp\"", "line 2, column 12: unknown variant `ftp`"),
            ("[registry.a.oci]\nauth = \"sesame!\"", "line 2, column 8: `auth` is not the base64"),
            ("[registry.a.oci]\nauth = \"c2VzYW1l\"", "line 2, column 8: `auth` is not the base64"),
            ("[registry.a.oci]\nauth = 7353", "line 2, column 8: `auth` is a table"),
            ("[registry.a.oci]\nauth = { username = \"open\" }", "line 2, column 8: `auth` is a table"),
            ("[registry.a.oci]\nauth = { username = \"a\", password = 7353 }", "line 2, column 8: `auth` is a table"),
            ("[registry.a.oci]\nauth = { username = \"a\", password = \"sesame\", b = 1 }", "`auth` is a table"),
            ("[registry.a.oci]\nauth = { username = \"a\", password = \"sesame }", "line 2, column "),
            ("[registry.a]\nauth = \"sesame\"", "settings of a registry are `default`, and one table"),
            ("[registry.a.local]", "missing field `root`"),
            (
                "[registry.a.oci]\nextra_root_certificates = [{ encoding = \"der\", data = \"\" }]",
                "line 2, column 27: a DER certificate is not text",
            ),
        ];
        for (text, expected) in table {
            let error = Config::parse(text).unwrap_err();
            assert!(error.to_string().contains(expected), "{expected}: {error}");
            let everything = format!("{error} {error:?}");
            assert!(!["sesame", "c2VzYW1l", "7353"].iter().any(|secret| everything.contains(secret)), "{everything}");
        }
        let large = format!("# {}", "x".repeat(SETTINGS_BYTES_MAX));
        let error = Config::parse(&large).unwrap_err().to_string();
        assert_eq!(error, "config.toml of 1048578 bytes is larger than the limit of 1048576");
    }

    #[test]
    fn all_tables_may_be_empty_as_wkg_writes_them() {
        let text = "[namespace_registries]\n\n[package_registry_overrides]\n\n[registry]\n";
        assert_eq!(Config::parse(text).unwrap().home(&"acme:thing".parse().unwrap()), None);
    }
}
