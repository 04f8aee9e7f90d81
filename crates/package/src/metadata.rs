//! `registry.json`: what a package registry says of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use wharf_oci::{InvalidReference, Registry, json};

use crate::document::check_size;
use crate::limits::METADATA_BYTES_MAX;
use crate::{DocumentKind, InvalidDocument, OciHome, RegistryName};

/// How packages are kept: the word that settings and registries use for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "String")]
#[non_exhaustive]
pub enum Protocol {
    /// `oci`: artifacts of an OCI registry.
    Oci,
    /// `local`: files in a folder.
    Local,
    /// One that Wharf does not speak.
    Unknown(String),
}

impl From<String> for Protocol {
    fn from(text: String) -> Self {
        match text.as_str() {
            "oci" => Self::Oci,
            "local" => Self::Local,
            _ => Self::Unknown(text),
        }
    }
}

/// What a package registry says of itself at `/.well-known/wasm-pkg/registry.json`, or the settings say of it.
///
/// ```json
/// { "preferredProtocol": "oci", "oci": { "registry": "ghcr.io", "namespacePrefix": "webassembly/" } }
/// { "ociRegistry": "ghcr.io", "ociNamespacePrefix": "webassembly/" }
/// ```
///
/// The second form is the older one, and goes before the first where a document has both. Any other key with an object
/// is a protocol that Wharf does not speak.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct RegistryMetadata {
    preferred: Option<Protocol>,
    oci_registry: Option<Registry>,
    oci_prefix: String,
}

impl RegistryMetadata {
    /// Reads a `registry.json`.
    ///
    /// # Errors
    /// [`InvalidDocument::TooLarge`], [`InvalidDocument::Json`].
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidDocument> {
        check_size(DocumentKind::Metadata, bytes.len(), METADATA_BYTES_MAX)?;
        json::parse_strict(bytes).map_err(|source| InvalidDocument::Json { document: DocumentKind::Metadata, source })
    }

    /// Returns the protocol that the registry prefers: the one it says, else the only one that it tells of.
    #[must_use]
    pub fn preferred_protocol(&self) -> Option<&Protocol> {
        self.preferred.as_ref()
    }

    /// Returns where the packages of the registry `name` are in OCI: at its own host, if this does not say otherwise.
    pub(crate) fn oci_home(&self, name: &RegistryName) -> OciHome {
        OciHome::new(self.oci_registry.as_ref().unwrap_or(name.host()).clone(), self.oci_prefix.clone())
    }
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    preferred_protocol: Option<Protocol>,
    oci: Option<OciFields>,
    oci_registry: Option<String>,
    oci_namespace_prefix: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OciFields {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

impl TryFrom<Fields> for RegistryMetadata {
    type Error = InvalidReference;

    fn try_from(fields: Fields) -> Result<Self, InvalidReference> {
        let preferred = fields.preferred_protocol.clone().or_else(|| only_protocol(&fields));
        let oci = fields.oci.unwrap_or_default();
        let oci_registry = fields.oci_registry.or(oci.registry).map(|text| text.parse()).transpose()?;
        let oci_prefix = fields.oci_namespace_prefix.or(oci.namespace_prefix).unwrap_or_default();
        OciHome::check_prefix(&oci_prefix)?;
        Ok(Self { preferred, oci_registry, oci_prefix })
    }
}

/// Returns the protocol that the document has an object for, if there is one alone. The older keys count where there
/// is none.
fn only_protocol(fields: &Fields) -> Option<Protocol> {
    let others = fields.others.iter().filter(|(_, value)| value.is_object());
    let mut protocols: BTreeSet<Protocol> = others.map(|(name, _)| Protocol::from(name.clone())).collect();
    if fields.oci.is_some() || (protocols.is_empty() && fields.oci_registry.is_some()) {
        protocols.insert(Protocol::Oci);
    }
    if protocols.len() > 1 { None } else { protocols.pop_first() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> RegistryMetadata {
        RegistryMetadata::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn both_forms_lead_to_an_oci_registry() {
        let name: RegistryName = "wasi.dev".parse().unwrap();
        for (text, registry, repository) in [
            (r#"{"oci":{"registry":"ghcr.io","namespacePrefix":"webassembly/"}}"#, "ghcr.io", "webassembly/wasi/http"),
            (r#"{"ociRegistry":"ghcr.io","ociNamespacePrefix":"webassembly/"}"#, "ghcr.io", "webassembly/wasi/http"),
            (r#"{"oci":{"registry":"a.example"},"ociRegistry":"b.example"}"#, "b.example", "wasi/http"),
            (r#"{"oci":{"namespacePrefix":"a/b/"}}"#, "wasi.dev", "a/b/wasi/http"),
            (r#"{"oci":{"registry":null,"more":1},"note":"x","list":[1]}"#, "wasi.dev", "wasi/http"),
            ("{}", "wasi.dev", "wasi/http"),
        ] {
            let home = parse(text).oci_home(&name);
            assert_eq!(home.registry().as_str(), registry, "{text}");
            let package = "wasi:http".parse().unwrap();
            assert_eq!(home.repository(&package).unwrap().as_str(), repository, "{text}");
        }
    }

    #[test]
    fn the_preferred_protocol_is_said_or_the_only_one() {
        let warg = Protocol::Unknown("warg".to_owned());
        for (text, expected) in [
            (r#"{"preferredProtocol":"oci","warg":{},"oci":{}}"#, Some(Protocol::Oci)),
            (r#"{"preferredProtocol":"warg","oci":{}}"#, Some(warg.clone())),
            (r#"{"preferredProtocol":"local"}"#, Some(Protocol::Local)),
            (r#"{"oci":{}}"#, Some(Protocol::Oci)),
            (r#"{"ociRegistry":"ghcr.io"}"#, Some(Protocol::Oci)),
            (r#"{"ociRegistry":"ghcr.io","note":"x"}"#, Some(Protocol::Oci)),
            (r#"{"ociRegistry":"ghcr.io","warg":{"url":"x"}}"#, Some(warg)),
            (r#"{"local":{"root":"x"}}"#, Some(Protocol::Local)),
            (r#"{"oci":{},"warg":{}}"#, None),
            (r#"{"ociNamespacePrefix":"a/"}"#, None),
            ("{}", None),
        ] {
            assert_eq!(parse(text).preferred_protocol(), expected.as_ref(), "{text}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        let large = format!(r#"{{"note":"{}"}}"#, "x".repeat(METADATA_BYTES_MAX));
        for (text, expected) in [
            ("<html>", "it is not an object"),
            ("[]", "it is not an object"),
            (r#"{"oci":"ghcr.io"}"#, "expected struct OciFields"),
            (r#"{"oci":{},"oci":{}}"#, "stands twice"),
            (r#"{"ociRegistry":"https://ghcr.io"}"#, "`https://ghcr.io` is not a registry"),
            (r#"{"ociRegistry":"ghcr.io/webassembly"}"#, "is not a registry"),
            (r#"{"ociNamespacePrefix":"../"}"#, "is not a repository name"),
            (r#"{"ociNamespacePrefix":"/a/"}"#, "is not a repository name"),
            (r#"{"ociNamespacePrefix":"a/?b=/"}"#, "is not a repository name"),
            (large.as_str(), "larger than the limit of 65536"),
        ] {
            let error = RegistryMetadata::parse(text.as_bytes()).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(format!("{error}: {source}").contains(expected), "{expected}: {error}: {source}");
        }
    }
}
