//! What an artifact or a file is, of all that Wharf packs and reads.

use std::fmt;

use serde::{Serialize, Serializer};
use wharf_artifact::Kind;

/// What an artifact or a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// A Wasm binary.
    Wasm(Kind),
    /// A provider of wasmCloud: native programs, with claims.
    Provider,
    /// An application of Spin: several components, with what puts them together.
    Application,
}

impl fmt::Display for Thing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wasm(kind) => kind.fmt(formatter),
            Self::Provider => formatter.write_str("wasmCloud provider"),
            Self::Application => formatter.write_str("Spin application"),
        }
    }
}

impl Serialize for Thing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Wasm(kind) => kind.serialize(serializer),
            Self::Provider => serializer.serialize_str("provider"),
            Self::Application => serializer.serialize_str("application"),
        }
    }
}
