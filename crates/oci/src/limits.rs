//! Every maximum that the model and the copy engine hold to.
//!
//! | what | limit | why this number |
//! |---|---|---|
//! | bytes of a manifest | 4 MiB | distribution-spec: a registry must take at least 4 MB |
//! | manifests in one graph | 10,000 | an index of all versions of a large package stays below |
//! | bytes of all manifests in one graph | 64 MiB | they are held in memory while their blobs move |
//! | depth of a graph | 8 | index of indexes of manifests is 3 |
//! | descriptors in a manifest | 10,000 | overlay file systems stop at 500 layers |

/// Bytes of a manifest.
pub const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Descriptors (layers, or manifests of an index) in one manifest.
pub const DESCRIPTORS_MAX: usize = 10_000;

/// Manifests in one graph that [`copy`](crate::copy) moves.
pub const GRAPH_MANIFESTS_MAX: usize = 10_000;

/// Bytes of all manifests in one graph that [`copy`](crate::copy) moves.
pub const GRAPH_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How deep an index may nest in indexes, and a referrer in referrers.
pub const GRAPH_DEPTH_MAX: usize = 8;
