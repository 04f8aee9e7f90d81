//! Finds the Wasm behind a manifest.

use wharf_artifact::dialect::{self, Located, Platforms};
use wharf_artifact::limits::CONFIG_BYTES_MAX;
use wharf_artifact::{ImageConfig, dialect::needs_config};
use wharf_oci::limits::GRAPH_DEPTH_MAX;
use wharf_oci::{Document, Error, ImageManifest, Manifest, Platform, fetch_manifest, fetch_verified};

use crate::Cause;
use crate::place::Place;

/// Which Wasm is meant where an artifact has several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// The title, the digest or the component name of a layer, or the path of a file in one.
    pub layer: Option<String>,
    /// The platform of a manifest in an index.
    pub platform: Option<Platform>,
}

/// The Wasm artifact that a location leads to.
pub(crate) struct Artifact {
    /// What the location names; an index, or the same as `manifest`.
    pub(crate) root: Manifest,
    /// The manifest that holds the Wasm.
    pub(crate) manifest: Manifest,
    /// What that says.
    pub(crate) image: ImageManifest,
    /// The config, where it is that of a container image and had to be read to find the Wasm.
    pub(crate) config: Option<ImageConfig>,
    /// How to read it, and where the Wasm is.
    pub(crate) located: Located,
}

/// Finds the Wasm that a location leads to, without reading it.
pub(crate) async fn locate(place: &Place, choice: &Choice) -> Result<Artifact, Cause> {
    let root = place.manifest().await?;
    if let (Some(wanted), false) = (&choice.platform, matches!(root.document(), Document::Index(_))) {
        let wanted = format!("{}/{}", wanted.os, wanted.architecture);
        return Err(Cause::NoPlatforms { wanted });
    }
    let platforms = Platforms { wanted: choice.platform.clone(), host: host() };
    let mut manifest = root.clone();
    for _ in 0..GRAPH_DEPTH_MAX {
        let child = match manifest.document() {
            Document::Image(image) => {
                let image = ImageManifest::clone(image);
                let config = read_config(place, &image).await?;
                let located = dialect::classify(&image, config.as_ref())?;
                return Ok(Artifact { root, manifest, image, config, located });
            }
            Document::Artifact(artifact) => {
                let image = artifact.to_image();
                let located = dialect::classify(&image, None)?;
                return Ok(Artifact { root, manifest, image, config: None, located });
            }
            Document::Index(index) => dialect::select(index, &platforms)?.clone(),
        };
        manifest = fetch_manifest(place.content(), &child).await?;
    }
    let (root, limit) = (root.digest().clone(), GRAPH_DEPTH_MAX as u64);
    Err(Error::Graph { root, limit, unit: "levels" }.into())
}

/// Reads the config of a container image, where the Wasm cannot be found without.
async fn read_config(place: &Place, image: &ImageManifest) -> Result<Option<ImageConfig>, Cause> {
    if !needs_config(image) {
        return Ok(None);
    }
    let bytes = fetch_verified(place.content(), &image.config, CONFIG_BYTES_MAX as u64).await?;
    Ok(Some(ImageConfig::parse(&bytes)?))
}

/// Returns the platform of this machine, as Go names it.
fn host() -> Platform {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    Platform { architecture: architecture.to_owned(), os: os.to_owned(), os_version: None, variant: None }
}
