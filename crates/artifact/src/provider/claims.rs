//! The signed claims of a provider: a JSON Web Token (RFC 7519) with a signature of Ed25519.
//!
//! ```text
//!   base64url( {"typ":"jwt","alg":"Ed25519"} ) . base64url( claims ) . base64url( signature of all before it )
//!
//!   { "exp": 1700000000,  "nbf": 1600000000,         seconds since 1970; each may be absent
//!     "iat": 1650000000,  "jti": "…",
//!     "iss": "A…",  "sub": "V…",                     the account that signs, the provider
//!     "wascap": { "name": "…", "vendor": "…", "rev": 1, "ver": "0.1.0",
//!                 "target_hashes": { "x86_64-linux": SHA-256 in capitals, "world.wasm": … },
//!                 "config_schema": {} },
//!     "wascap_revision": 3 }
//! ```

use std::collections::BTreeMap;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wharf_oci::{Algorithm, Digest};

use super::{InvalidKey, KeyKind, KeyPair, PublicKey};
use crate::InvalidDocument;
use crate::document;
use crate::limits::PROVIDER_CLAIMS_BYTES_MAX;

const TYPE: &str = "jwt";
const ALGORITHM: &str = "Ed25519";
/// The latest form of the claims; hashes of what they are about came with it.
const REVISION: u32 = 3;
/// The length of the ids that wasmCloud's tools give their tokens.
const ID_CHARACTERS: usize = 22;

/// What a provider says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Description {
    /// The name, for people.
    pub name: Option<String>,
    /// Who makes it.
    pub vendor: String,
    /// A number that grows with each release.
    pub revision: Option<i32>,
    /// The version, for people.
    pub version: Option<String>,
    /// A JSON schema of its configuration.
    pub config_schema: Option<Value>,
}

/// The claims of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// The account that signed them.
    pub issuer: PublicKey,
    /// The provider.
    pub subject: PublicKey,
    /// The name of this token.
    pub id: String,
    /// When they were signed, in seconds since 1970.
    pub issued_at: u64,
    /// From when on they are no longer valid, in seconds since 1970.
    pub expires: Option<u64>,
    /// From when on they are valid, in seconds since 1970.
    pub not_before: Option<u64>,
    /// What the provider says of itself.
    pub description: Description,
    /// The SHA-256 digest of each binary by its target, and of the WIT world by its file name, `world.wasm`.
    pub hashes: BTreeMap<String, Digest>,
}

/// Why claims are not to be believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClaims {
    /// The token is larger than [`PROVIDER_CLAIMS_BYTES_MAX`].
    #[error("the claims take {size} bytes; the limit is {PROVIDER_CLAIMS_BYTES_MAX}")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// It has not the three parts of a signed token.
    #[error("the claims have {count} parts where a signed JSON Web Token has 3")]
    Parts {
        /// How many it has.
        count: usize,
    },
    /// A part is not base64url.
    #[error("the {part} of the claims is not base64url without padding")]
    Encoding {
        /// Which part.
        part: &'static str,
    },
    /// A part is not the JSON that it should be.
    #[error(transparent)]
    Json(#[from] InvalidDocument),
    /// The token is of another type, or signed in another way.
    #[error("the claims have type {kind:?} and algorithm {algorithm:?} where `{TYPE}` and `{ALGORITHM}` are expected")]
    Header {
        /// The type.
        kind: String,
        /// The algorithm.
        algorithm: String,
    },
    /// The claims have a form that came later.
    #[error("the claims have revision {revision}; Wharf knows revisions up to {REVISION}")]
    Revision {
        /// Which.
        revision: u32,
    },
    /// They are not about a provider.
    #[error("the claims say nothing of a provider: `wascap` is not there")]
    NoProvider,
    /// A key is none.
    #[error("`{field}` of the claims is no key")]
    Key {
        /// The name of the claim.
        field: &'static str,
        /// Why.
        source: InvalidKey,
    },
    /// A key is for something else.
    #[error("`{field}` of the claims is a key for the kind `{found}` where one for the kind `{expected}` is expected")]
    KeyKind {
        /// The name of the claim.
        field: &'static str,
        /// What it is for.
        found: KeyKind,
        /// What it should be for.
        expected: KeyKind,
    },
    /// A hash is none.
    #[error("the hash of {file:?} in the claims is not SHA-256 in capital hexadecimal letters")]
    Hash {
        /// What the hash is of.
        file: String,
    },
    /// They were signed by another key than they say, or changed since.
    #[error("the signature of the claims does not match: they were not signed by {issuer}, or changed afterwards")]
    Signature {
        /// Whose key they name.
        issuer: PublicKey,
    },
    /// They are no longer valid.
    #[error("the claims expired at {}", rfc3339(*.expired))]
    Expired {
        /// Since when, in seconds since 1970.
        expired: u64,
    },
    /// They are not valid yet.
    #[error("the claims are not valid before {}", rfc3339(*.not_before))]
    NotYetValid {
        /// From when on, in seconds since 1970.
        not_before: u64,
    },
}

impl Claims {
    /// Returns from when on they are no longer valid, as RFC 3339 has it.
    #[must_use]
    pub fn expires_text(&self) -> Option<String> {
        self.expires.map(rfc3339)
    }

    /// Reads a token, and checks its signature and that it is valid at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// [`InvalidClaims`], for each way in which it falls short; see there.
    pub fn verify(token: &str, now: u64) -> Result<Self, InvalidClaims> {
        let size = token.len() as u64;
        if size > PROVIDER_CLAIMS_BYTES_MAX {
            return Err(InvalidClaims::TooLarge { size });
        }
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(InvalidClaims::Parts { count: parts.len() });
        };
        check_header(header)?;
        let json: ClaimsJson = document::parse("token of claims", &decode(claims, "body")?)?;
        let claims = Self::try_from(json)?;
        let signature = decode(signature, "signature")?;
        let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
        let issuer = claims.issuer;
        if !issuer.verifies(signed.as_bytes(), &signature) {
            return Err(InvalidClaims::Signature { issuer });
        }
        claims.check_time(now)?;
        Ok(claims)
    }

    /// Gives the claims an id and signs them; the key must be that of their issuer.
    ///
    /// Tokens of wasmCloud's tools have a random id. Here it is made from the claims, so that the same provider signed
    /// with the same key gives the same archive, and other claims have another id, which is all that an id is for.
    pub(super) fn sign(mut self, issuer: &KeyPair) -> (Self, String) {
        self.id.clear();
        let hash = ring::digest::digest(&ring::digest::SHA256, &json(&ClaimsJson::from(&self)));
        self.id = BASE32_NOPAD.encode(hash.as_ref());
        self.id.truncate(ID_CHARACTERS);
        let header = json(&Header { typ: TYPE.to_owned(), alg: ALGORITHM.to_owned() });
        let claims = json(&ClaimsJson::from(&self));
        let signed = format!("{}.{}", BASE64URL_NOPAD.encode(&header), BASE64URL_NOPAD.encode(&claims));
        let signature = BASE64URL_NOPAD.encode(&issuer.sign(signed.as_bytes()));
        (self, format!("{signed}.{signature}"))
    }

    fn check_time(&self, now: u64) -> Result<(), InvalidClaims> {
        if let Some(expired) = self.expires.filter(|&expires| expires <= now) {
            return Err(InvalidClaims::Expired { expired });
        }
        if let Some(not_before) = self.not_before.filter(|&not_before| now < not_before) {
            return Err(InvalidClaims::NotYetValid { not_before });
        }
        Ok(())
    }
}

/// The header of a token. Another field could change what the signature means (RFC 7515, section 4.1.11).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: String,
}

/// The claims as they are written, in the order of wasmCloud's tools.
#[derive(Serialize, Deserialize)]
struct ClaimsJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    jti: String,
    iat: u64,
    iss: String,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    wascap: Option<ProviderJson>,
    wascap_revision: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct ProviderJson {
    name: Option<String>,
    vendor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rev: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ver: Option<String>,
    target_hashes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_schema: Option<Value>,
}

impl From<&Claims> for ClaimsJson {
    fn from(claims: &Claims) -> Self {
        let Description { name, vendor, revision, version, config_schema } = claims.description.clone();
        let hash = |digest: &Digest| digest.hex().to_ascii_uppercase();
        let target_hashes = claims.hashes.iter().map(|(file, digest)| (file.clone(), hash(digest))).collect();
        Self {
            exp: claims.expires,
            jti: claims.id.clone(),
            iat: claims.issued_at,
            iss: claims.issuer.to_string(),
            sub: claims.subject.to_string(),
            nbf: claims.not_before,
            wascap: Some(ProviderJson { name, vendor, rev: revision, ver: version, target_hashes, config_schema }),
            wascap_revision: Some(REVISION),
        }
    }
}

impl TryFrom<ClaimsJson> for Claims {
    type Error = InvalidClaims;

    fn try_from(json: ClaimsJson) -> Result<Self, InvalidClaims> {
        if let Some(revision) = json.wascap_revision.filter(|&revision| revision > REVISION) {
            return Err(InvalidClaims::Revision { revision });
        }
        let ProviderJson { name, vendor, rev, ver, target_hashes, config_schema } =
            json.wascap.ok_or(InvalidClaims::NoProvider)?;
        let hashes = target_hashes.into_iter().map(|(file, hash)| match digest(&hash) {
            Some(digest) => Ok((file, digest)),
            None => Err(InvalidClaims::Hash { file }),
        });
        Ok(Self {
            issuer: key("iss", &json.iss, KeyKind::Account)?,
            subject: key("sub", &json.sub, KeyKind::Service)?,
            id: json.jti,
            issued_at: json.iat,
            expires: json.exp,
            not_before: json.nbf,
            description: Description { name, vendor, revision: rev, version: ver, config_schema },
            hashes: hashes.collect::<Result<_, _>>()?,
        })
    }
}

fn check_header(part: &str) -> Result<(), InvalidClaims> {
    let Header { typ, alg } = document::parse("header of claims", &decode(part, "header")?)?;
    match typ == TYPE && alg == ALGORITHM {
        true => Ok(()),
        false => Err(InvalidClaims::Header { kind: typ, algorithm: alg }),
    }
}

fn key(field: &'static str, text: &str, expected: KeyKind) -> Result<PublicKey, InvalidClaims> {
    let key: PublicKey = text.parse().map_err(|source| InvalidClaims::Key { field, source })?;
    match key.kind() {
        found if found != expected => Err(InvalidClaims::KeyKind { field, found, expected }),
        _ => Ok(key),
    }
}

/// Reads a hash. Hosts compare it as a text, so that small letters would match nothing.
fn digest(hash: &str) -> Option<Digest> {
    let bytes = HEXUPPER.decode(hash.as_bytes()).ok()?;
    format!("{}:{}", Algorithm::Sha256, HEXLOWER.encode(&bytes)).parse().ok()
}

fn decode(part: &str, name: &'static str) -> Result<Vec<u8>, InvalidClaims> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| InvalidClaims::Encoding { part: name })
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("all keys are texts")
}

/// Returns a time in seconds since 1970 as people read it.
#[must_use]
pub fn rfc3339(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| format!("{seconds} seconds after 1970"), |time| time.to_string())
}

#[cfg(test)]
mod tests;
