//! Media types of manifests, configs and layers.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A media type, as it stands in a descriptor or a `Content-Type` header, without parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// An OCI image manifest.
    pub const OCI_MANIFEST: Self = Self::known("application/vnd.oci.image.manifest.v1+json");
    /// An OCI image index.
    pub const OCI_INDEX: Self = Self::known("application/vnd.oci.image.index.v1+json");
    /// An OCI artifact manifest, which the release candidates of image-spec 1.1 had and 1.1 has not.
    pub const OCI_ARTIFACT: Self = Self::known("application/vnd.oci.artifact.manifest.v1+json");
    /// A Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: Self = Self::known("application/vnd.docker.distribution.manifest.v2+json");
    /// A Docker manifest list.
    pub const DOCKER_LIST: Self = Self::known("application/vnd.docker.distribution.manifest.list.v2+json");
    /// An OCI image configuration.
    pub const OCI_CONFIG: Self = Self::known("application/vnd.oci.image.config.v1+json");
    /// A layer of an OCI image: a tar of files.
    pub const OCI_LAYER: Self = Self::known("application/vnd.oci.image.layer.v1.tar");
    /// A layer of an OCI image, compressed with gzip.
    pub const OCI_LAYER_GZIP: Self = Self::known("application/vnd.oci.image.layer.v1.tar+gzip");
    /// A layer of an OCI image, compressed with zstd.
    pub const OCI_LAYER_ZSTD: Self = Self::known("application/vnd.oci.image.layer.v1.tar+zstd");
    /// A Docker image configuration.
    pub const DOCKER_CONFIG: Self = Self::known("application/vnd.docker.container.image.v1+json");
    /// A layer of a Docker image: a tar of files.
    pub const DOCKER_LAYER: Self = Self::known("application/vnd.docker.image.rootfs.diff.tar");
    /// A layer of a Docker image, compressed with gzip.
    pub const DOCKER_LAYER_GZIP: Self = Self::known("application/vnd.docker.image.rootfs.diff.tar.gzip");
    /// The empty JSON object `{}` where a config is required but none is meant.
    pub const OCI_EMPTY: Self = Self::known("application/vnd.oci.empty.v1+json");
    /// The configuration of a CNCF Wasm OCI artifact.
    pub const WASM_CONFIG: Self = Self::known("application/vnd.wasm.config.v0+json");
    /// A Wasm binary: core module, component or WIT package.
    pub const WASM: Self = Self::known("application/wasm");
    /// Bytes of which nothing is known.
    pub const OCTET_STREAM: Self = Self::known("application/octet-stream");

    /// The media types of manifests that Wharf reads, in the order in which it asks for them.
    pub const MANIFESTS: [Self; 5] =
        [Self::OCI_MANIFEST, Self::OCI_INDEX, Self::DOCKER_MANIFEST, Self::DOCKER_LIST, Self::OCI_ARTIFACT];

    const fn known(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// Reads a `Content-Type` header: what stands before the first `;`.
    #[must_use]
    pub fn from_content_type(header: &str) -> Self {
        let essence = header.split(';').next().unwrap_or_default().trim();
        Self::from(essence.to_ascii_lowercase())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether content of this type is a manifest or an index, and so names other content.
    #[must_use]
    pub fn is_manifest(&self) -> bool {
        Self::MANIFESTS.contains(self)
    }

    /// Whether content of this type is an index (a list of manifests).
    #[must_use]
    pub fn is_index(&self) -> bool {
        *self == Self::OCI_INDEX || *self == Self::DOCKER_LIST
    }

    /// Whether content of this type is a layer that hosts of containers unpack, whatever it is compressed with: a
    /// change of a file system (image-spec, layer.md), as they tell it by the start of the type.
    #[must_use]
    pub fn is_file_system_layer(&self) -> bool {
        let starts = [
            "application/vnd.oci.image.layer.",
            "application/vnd.docker.image.rootfs.diff.tar",
            "application/vnd.docker.image.rootfs.foreign.diff.tar",
        ];
        starts.iter().any(|start| self.0.starts_with(start))
    }

    /// Whether content of this type may be stored elsewhere; a layer that only its maker may distribute is left
    /// where its `urls` point (image-spec, layer.md, "Non-Distributable Layers").
    #[must_use]
    pub fn is_distributable(&self) -> bool {
        let foreign =
            ["application/vnd.oci.image.layer.nondistributable.", "application/vnd.docker.image.rootfs.foreign."];
        !foreign.iter().any(|prefix| self.0.starts_with(prefix))
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl From<&str> for MediaType {
    fn from(text: &str) -> Self {
        Self(Cow::Owned(text.to_owned()))
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.0.into_owned()
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_loses_its_parameters() {
        let header = "Application/vnd.oci.image.index.v1+json; charset=utf-8";
        assert_eq!(MediaType::from_content_type(header), MediaType::OCI_INDEX);
    }

    #[test]
    fn layers_of_file_systems_are_told_from_raw_content() {
        let table = [
            ("application/vnd.oci.image.layer.v1.tar", true),
            ("application/vnd.oci.image.layer.v1.tar+zstd", true),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", true),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", true),
            ("application/vnd.oci.image.config.v1+json", false),
            ("application/wasm", false),
            ("application/x-tar", false),
        ];
        for (text, expected) in table {
            assert_eq!(MediaType::from(text).is_file_system_layer(), expected, "{text}");
        }
    }

    #[test]
    fn manifests_are_told_from_blobs() {
        assert!(MediaType::DOCKER_LIST.is_manifest() && MediaType::DOCKER_LIST.is_index());
        assert!(MediaType::OCI_MANIFEST.is_manifest() && !MediaType::OCI_MANIFEST.is_index());
        assert!(MediaType::OCI_ARTIFACT.is_manifest() && !MediaType::OCI_ARTIFACT.is_index());
        assert!(!MediaType::WASM.is_manifest());
    }
}
