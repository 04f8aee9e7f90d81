//! What is said of Wasm that is packed, beside what it says of itself.

use wharf_artifact::ManifestFormat;
use wharf_oci::Annotations;

/// What to say of Wasm that is packed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// Annotations of the manifest; they win over what the file says of itself.
    pub annotations: Annotations,
    /// Who made it.
    pub author: Option<String>,
    /// The world that a component targets, such as `wasi:http/proxy@0.2.0`; an artifact has a place for it.
    pub world: Option<String>,
    /// The contexts of a filter that Envoy starts; Istio's forms have a place for them.
    pub root_ids: Vec<String>,
    /// Whose media types a container image has.
    pub manifest_format: ManifestFormat,
    /// Seconds since 1970 that it says it was made at; 0 where nothing is given, so that the same file gives the same
    /// digest.
    pub created: Option<i64>,
}
