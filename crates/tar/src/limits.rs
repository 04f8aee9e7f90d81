//! Every maximum that reading holds to.
//!
//! | what | limit | why this number |
//! |---|---|---|
//! | entries, their bytes, bytes of a path | [`Limits`] | the caller knows what the tar is for |
//! | bytes of one extended header | 1 MiB | what Go's reader takes, and so Docker, containerd and skopeo |
//! | bytes out of a decompressor | 64 MiB and 200 for each byte read | Wasm shrinks to a third, and seldom below a tenth; gzip of nothing but zeros gives 1,030 bytes for one |
//! | window of a zstd frame | 32 MiB | the largest that container tools write; `zstd` itself stays below up to level 20 |

/// Bytes of one extended header (a GNU long name, the PAX records of an entry), which is held in memory.
pub const EXTENSION_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of the window of a zstd frame, which is held in memory.
pub const ZSTD_WINDOW_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes that may come out of a decompressor, whatever went in.
pub const EXPANSION_BYTES_FREE: u64 = 64 * 1024 * 1024;

/// Bytes that may come out of a decompressor, beyond [`EXPANSION_BYTES_FREE`], for each byte that was read.
pub const EXPANSION_RATIO_MAX: u64 = 200;

/// How much of a tar [`walk`](crate::walk) goes through before it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Headers, extended headers included.
    pub entries: u64,
    /// Bytes of all entries together, as their headers give them.
    pub bytes: u64,
    /// Bytes of one path.
    pub path_bytes: usize,
    /// What to do with links.
    pub links: Links,
}

/// What to do with symbolic and hard links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// End with [`InvalidTar::Link`](crate::InvalidTar::Link).
    Refuse,
    /// Visit them as entries without content.
    Report,
}
