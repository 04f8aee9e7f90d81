//! The tables `[registry."…"]`: how a registry is reached, and with which credential.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::Protocol;

/// Base64 with its padding or without, as `wkg` takes it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The settings of one registry.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RegistrySettings {
    /// How its OCI registry is reached.
    pub oci: OciSettings,
    /// The folder that holds its packages.
    pub folder: Option<PathBuf>,
    /// How it keeps its packages: the protocol that is set by name, else the only one that has a table.
    pub protocol: Option<Protocol>,
}

/// How an OCI registry is reached.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OciSettings {
    /// Who the user is there.
    pub credential: Option<BasicCredential>,
    /// With TLS or without, where that is set.
    pub scheme: Option<Scheme>,
    /// Whether any certificate will do, which lets everybody on the way read and change what passes.
    pub accepts_invalid_certificates: bool,
    /// Authorities to trust besides the system's, each a PEM text.
    pub root_certificates: Vec<String>,
}

/// Whether a registry is spoken to with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Without.
    Http,
    /// With.
    Https,
}

/// A name and a password. The password is wiped from memory, and never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicCredential {
    /// The name of the user.
    pub username: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for BasicCredential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BasicCredential").field("username", &self.username).finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for RegistrySettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(alias = "type")]
            default: Option<Protocol>,
            oci: Option<OciSettings>,
            local: Option<LocalFields>,
            #[serde(flatten)]
            others: BTreeMap<String, OtherTable>,
        }
        #[derive(Deserialize)]
        struct LocalFields {
            root: PathBuf,
        }
        let Fields { default, oci, local, others } = Fields::deserialize(deserializer)?;
        let mut tables: Vec<Protocol> = others.into_keys().map(Protocol::from).collect();
        tables.extend(oci.is_some().then_some(Protocol::Oci));
        tables.extend(local.is_some().then_some(Protocol::Local));
        let only_table = if tables.len() == 1 { tables.pop() } else { None };
        let folder = local.map(|local| local.root);
        Ok(Self { oci: oci.unwrap_or_default(), folder, protocol: default.or(only_table) })
    }
}

/// The table of a protocol that Wharf does not speak. What is in it may be secret, and is dropped.
struct OtherTable;

impl<'de> Deserialize<'de> for OtherTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::Table(_) => Ok(Self),
            _ => Err(D::Error::custom("settings of a registry are `default`, and one table for each protocol")),
        }
    }
}

impl<'de> Deserialize<'de> for OciSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            auth: Option<BasicCredential>,
            protocol: Option<Scheme>,
            #[serde(default)]
            accept_invalid_certificates: bool,
            #[serde(default)]
            extra_root_certificates: Vec<PemCertificate>,
        }
        let fields = Fields::deserialize(deserializer)?;
        Ok(Self {
            credential: fields.auth,
            scheme: fields.protocol,
            accepts_invalid_certificates: fields.accept_invalid_certificates,
            root_certificates: fields.extra_root_certificates.into_iter().map(|PemCertificate(pem)| pem).collect(),
        })
    }
}

struct PemCertificate(String);

impl<'de> Deserialize<'de> for PemCertificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Encoding {
            Pem,
            Der,
        }
        #[derive(Deserialize)]
        struct Fields {
            encoding: Encoding,
            data: String,
        }
        let fields = Fields::deserialize(deserializer)?;
        match fields.encoding {
            Encoding::Pem => Ok(Self(fields.data)),
            // `wkg` reads it, fails to make a certificate of text, and goes on without the certificate.
            Encoding::Der => Err(D::Error::custom("a DER certificate is not text; give it as PEM")),
        }
    }
}

impl<'de> Deserialize<'de> for BasicCredential {
    /// Reads a table or base64. No message repeats what was read.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = || D::Error::custom("`auth` is a table of `username` and `password`, or their base64");
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => from_base64(&Zeroizing::new(text))
                .ok_or_else(|| D::Error::custom("`auth` is not the base64 of a name, a `:` and a password")),
            toml::Value::Table(table) => from_table(table).ok_or_else(form),
            _ => Err(form()),
        }
    }
}

fn from_base64(text: &str) -> Option<BasicCredential> {
    let bytes = Zeroizing::new(BASE64.decode(text).ok()?);
    let (username, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some(BasicCredential { username: username.to_owned(), password: Zeroizing::new(password.to_owned()) })
}

fn from_table(mut table: toml::Table) -> Option<BasicCredential> {
    let mut take = |key| match table.remove(key) {
        Some(toml::Value::String(text)) => Some(text),
        _ => None,
    };
    let (username, password) = (take("username"), take("password").map(Zeroizing::new));
    match (username, password) {
        (Some(username), Some(password)) if table.is_empty() => Some(BasicCredential { username, password }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> RegistrySettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_credential_is_a_table_or_base64() {
        for text in [
            "oci.auth = { username = \"open\", password = \"se:same\" }",
            "oci.auth = \"b3BlbjpzZTpzYW1l\"",
            "[oci.auth]\npassword = \"se:same\"\nusername = \"open\"",
        ] {
            let credential = settings(text).oci.credential.unwrap();
            assert_eq!((credential.username.as_str(), credential.password.as_str()), ("open", "se:same"), "{text}");
        }
        for padding in ["", "="] {
            let text = format!("oci.auth = \"b3BlbjpzZXNhbWU{padding}\"");
            assert_eq!(settings(&text).oci.credential.unwrap().password.as_str(), "sesame");
        }
    }

    #[test]
    fn the_protocol_is_named_or_the_only_one_with_a_table() {
        let warg = Protocol::Unknown("warg".to_owned());
        for (text, expected) in [
            ("default = \"oci\"\nlocal.root = \"a\"", Some(Protocol::Oci)),
            ("type = \"local\"\n[oci]\n[warg]", Some(Protocol::Local)),
            ("[oci]", Some(Protocol::Oci)),
            ("local.root = \"a\"", Some(Protocol::Local)),
            ("warg.url = \"a\"", Some(warg)),
            ("[oci]\n[warg]", None),
            ("[oci]\n[local]\nroot = \"a\"", None),
            ("", None),
        ] {
            assert_eq!(settings(text).protocol, expected, "{text}");
        }
    }

    #[test]
    fn the_connection_is_described() {
        let text = "[oci]\nprotocol = \"http\"\naccept_invalid_certificates = true\nnew_key = 1\n\
                    extra_root_certificates = [{ encoding = \"pem\", data = \"-----BEGIN\" }]\n";
        let oci = settings(text).oci;
        assert_eq!(oci.scheme, Some(Scheme::Http));
        assert!(oci.accepts_invalid_certificates);
        assert_eq!(oci.root_certificates, ["-----BEGIN"]);
        let oci = settings("[oci]\nprotocol = \"https\"").oci;
        assert_eq!(oci.scheme, Some(Scheme::Https));
        assert!(!oci.accepts_invalid_certificates && oci.root_certificates.is_empty());
    }

    #[test]
    fn debug_output_has_no_password() {
        let text = format!("{:?}", settings("oci.auth = { username = \"open\", password = \"sesame\" }"));
        assert!(text.contains("open") && !text.contains("sesame"), "{text}");
    }
}
