//! Names of package registries: `host[:port]`, by which settings and lock files know them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use wharf_oci::{InvalidReference, Registry};

/// The name of a package registry, such as `wasi.dev`.
///
/// It is not where the artifacts are: what the registry says of itself, or the settings say of it, leads from this name
/// to an OCI registry, which is another host as often as not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct RegistryName(Registry);

impl RegistryName {
    /// Returns the name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the OCI registry at the host of this name, which holds the packages where nothing says otherwise.
    #[must_use]
    pub fn host(&self) -> &Registry {
        &self.0
    }
}

impl FromStr for RegistryName {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for RegistryName {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        text.parse()
    }
}

impl fmt::Display for RegistryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_any_case() {
        let name: RegistryName = "Acme.Example:8443".parse().unwrap();
        assert_eq!((name.as_str(), name.to_string().as_str()), ("acme.example:8443", "acme.example:8443"));
        assert_eq!(name.host().as_str(), "acme.example:8443");
    }

    #[test]
    fn a_name_is_a_host_and_nothing_more() {
        for text in ["", "https://wasi.dev", "wasi.dev/path", "user@wasi.dev", "wasi.dev:http", "wasi dev"] {
            let message = text.parse::<RegistryName>().unwrap_err().to_string();
            assert!(message.contains("is not a registry"), "{text}: {message}");
        }
    }
}
