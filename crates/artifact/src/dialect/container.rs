//! Container images with Wasm in their file system: what Docker, podman and buildah build for Wasm, and Solo.io's
//! variant `compat`, which is known by the file that is found.

use wharf_oci::{ImageManifest, MediaType};

use super::{Answer, Dialect, Located, Place, Reads, Rule};
use crate::ImageConfig;
use crate::search::Search;

pub(super) const RULE: Rule =
    Rule { accepts: "a container image that holds a .wasm file", reads: Reads::Config, locate };

const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

fn locate(manifest: &ImageManifest, config: Option<&ImageConfig>) -> Answer {
    let media_type = &manifest.config.media_type;
    let is_image = *media_type == MediaType::OCI_CONFIG || media_type.as_str() == DOCKER_CONFIG;
    is_image.then(|| {
        let search = Search::of_image(manifest, config.and_then(ImageConfig::executable))?;
        Ok(Located::new(Dialect::ContainerImage, Place::Search(search)))
    })
}
