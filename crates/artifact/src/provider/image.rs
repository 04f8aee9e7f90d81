//! Provider archives as OCI artifacts, as `wash push` writes them.

use bytes::Bytes;
use wharf_oci::{Annotations, Descriptor, Digest, ImageManifest};

use super::Claims;
use crate::built::checked_file_name;
use crate::cncf::{TITLE, one_line};
use crate::{Built, InvalidBuild};

/// The type of the config, which is `{}`.
pub const ARCHIVE_CONFIG: &str = "application/vnd.wasmcloud.provider.archive.config";

/// The type of the layer that is a provider archive.
pub const ARCHIVE_LAYER: &str = "application/vnd.wasmcloud.provider.archive.layer.v1+par";

/// What [`build`] cannot take from the claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveOptions {
    /// The digest of the archive.
    pub digest: Digest,
    /// The size of the archive in bytes.
    pub size: u64,
    /// The name that the archive gets where the artifact is unpacked, such as `http.par.gz`; without directories.
    pub file_name: Option<String>,
    /// The annotations of the manifest; they win over those from the claims.
    pub annotations: Annotations,
}

/// Builds the artifact of one layer, which is a provider archive with these claims.
///
/// The manifest says its own type, as the specification asks for and `wash push` does not; wasmCloud's hosts read one
/// layer in either case.
///
/// # Errors
/// [`InvalidBuild::FileName`] and [`InvalidBuild::Manifest`].
pub fn build(claims: &Claims, options: &ArchiveOptions) -> Result<Built, InvalidBuild> {
    let config = Bytes::from_static(b"{}");
    let config_descriptor = Descriptor::of(ARCHIVE_CONFIG.into(), &config);
    let mut layer = Descriptor::new(ARCHIVE_LAYER.into(), options.digest.clone(), options.size);
    if let Some(name) = &options.file_name {
        layer = layer.with_annotation(TITLE, checked_file_name(name)?);
    }
    let mut image = ImageManifest::new(config_descriptor.clone(), vec![layer]);
    image.annotations = annotations_of(claims);
    image.annotations.extend(options.annotations.clone());
    Built::new(&image, vec![(config_descriptor, config)])
}

/// Returns what a provider says of itself as annotations.
fn annotations_of(claims: &Claims) -> Annotations {
    let description = &claims.description;
    let texts = [
        (TITLE, description.name.as_deref()),
        ("org.opencontainers.image.vendor", Some(description.vendor.as_str())),
        ("org.opencontainers.image.version", description.version.as_deref()),
    ];
    texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), one_line(text?)?))).collect()
}
