//! Provider archives of wasmCloud (`.par`, `.par.gz`): native binaries for several platforms, with signed claims.
//!
//! ```text
//!   provider.par = tar, provider.par.gz = the same with gzip around it
//!     ├─ claims.jwt          what the provider is, and the hash of each file below, signed
//!     ├─ world.wasm          its WIT world, as a WIT package; may be absent
//!     ├─ aarch64-linux.bin   one binary for each target, named as Rust names architecture and system, sorted
//!     └─ x86_64-linux.bin
//!
//!   manifest  application/vnd.oci.image.manifest.v1+json
//!     ├─ config  application/vnd.wasmcloud.provider.archive.config        {}
//!     └─ layer   application/vnd.wasmcloud.provider.archive.layer.v1+par  the archive
//! ```
//!
//! [`read`] believes nothing that is not signed: it checks the signature, the time, and every hash, which wasmCloud's
//! own host does in part. The binaries are native code; nothing here runs them.

mod claims;
mod image;
mod nkey;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use self::claims::{Claims, Description, InvalidClaims, rfc3339};
pub use self::image::{ARCHIVE_CONFIG, ARCHIVE_LAYER, ArchiveOptions, build};
pub use self::nkey::{InvalidKey, KeyKind, KeyPair, PublicKey};
pub use self::read::{InvalidProvider, Packaging, Provider, Target, extract, read};
pub use self::write::{ProviderOptions, TargetSource, UnwritableProvider, write};

/// The file with the claims.
pub(crate) const CLAIMS_FILE: &str = "claims.jwt";
/// The file with the WIT world; the name stands in the claims too.
pub(crate) const WORLD_FILE: &str = "world.wasm";
/// What the names of binaries end with.
const BINARY_SUFFIX: &str = ".bin";
