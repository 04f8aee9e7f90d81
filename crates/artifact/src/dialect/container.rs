//! Container images with Wasm in their file system: what Docker, podman and buildah build for Wasm, and Solo.io's
//! variant `compat`, which is known by the file that is found.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Place, Reads, Rule};
use crate::ImageConfig;
use crate::search::Search;

pub(super) const RULE: Rule =
    Rule { accepts: "a container image that holds a .wasm file", reads: Reads::Config, locate };

fn locate(manifest: &ImageManifest, config: Option<&ImageConfig>) -> Answer {
    let is_image = [MediaType::OCI_CONFIG, MediaType::DOCKER_CONFIG].contains(&manifest.config.media_type);
    is_image.then(|| {
        let search = Search::of_image(manifest, config.and_then(ImageConfig::executable))?;
        Ok(Located::new(Dialect::ContainerImage, Place::Search(search)))
    })
}
