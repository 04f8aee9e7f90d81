//! Every maximum that the registry holds to.

use wharf_oci::limits::MANIFEST_BYTES_MAX;

/// How much one request may ask for, and send.
///
/// | field | default | why this number |
/// |---|---|---|
/// | `blob_bytes_max` | 16 GiB | the largest layers in use are models of some GiB |
/// | `manifest_bytes_max` | 4 MiB | distribution-spec, "Pushing Manifests": at least 4 megabytes; what Wharf reads |
/// | `page_max` | 1,000 | 128 KB of tags at the most |
/// | `tags_max` | 100 | distribution-spec: at least 10 |
///
/// Time is not limited here: whoever owns the socket ends requests that stall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a blob.
    pub blob_bytes_max: u64,
    /// Bytes of a manifest, and of one page of referrers; no more than [`MANIFEST_BYTES_MAX`] takes effect.
    pub manifest_bytes_max: u64,
    /// Entries in one page of tags, repositories or referrers.
    pub page_max: usize,
    /// `tag` parameters when a manifest is pushed by digest.
    pub tags_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { blob_bytes_max: 16 << 30, manifest_bytes_max: MANIFEST_BYTES_MAX, page_max: 1000, tags_max: 100 }
    }
}
