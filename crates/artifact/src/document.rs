//! Small JSON documents of others: configs, and lists of what an artifact holds.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use wharf_oci::json::parse_strict;

use crate::limits::CONFIG_BYTES_MAX;

/// Why bytes are not the document that they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDocument {
    /// It is larger than [`CONFIG_BYTES_MAX`].
    #[error("{what} of {size} bytes is larger than the limit of {CONFIG_BYTES_MAX}")]
    TooLarge {
        /// What it should be, such as `image config`.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
    },
    /// It is not JSON, not JSON of that kind, or has a key twice.
    #[error("{what} is not valid JSON of its kind")]
    Json {
        /// What it should be.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

/// Reads an object, in which no key stands twice; `what` names the document in errors.
pub(crate) fn parse<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, InvalidDocument> {
    if bytes.len() > CONFIG_BYTES_MAX {
        return Err(InvalidDocument::TooLarge { what, size: bytes.len() });
    }
    parse_strict(bytes).map_err(|source| InvalidDocument::Json { what, source })
}

/// Takes `null`, which Go writes for what is empty, as empty.
pub(crate) fn null_as_default<'de, T, D>(value: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(value)?.unwrap_or_default())
}
