//! Spin applications, as `spin registry push` writes them.
//!
//! ```text
//!   manifest
//!     ├─ config  application/vnd.oci.image.config.v1+json
//!     ├─ layer   application/vnd.wasm.content.layer.v1+wasm, or application/wasm       … each component
//!     ├─ layer   application/vnd.wasm.content.layer.v1+data                            … each asset
//!     └─ layer   application/vnd.fermyon.spin.application.v1+config                    the locked app; once the config
//! ```
//!
//! The locked app tells by digest which layer is which component.

use serde::{Deserialize, Serialize};
use wharf_oci::{Digest, ImageManifest, MediaType};

use super::{Answer, Located, Reads, Rule, any_layer};
use crate::dialect::Dialect;
use crate::document::{self, null_as_default};
use crate::{ImageConfig, InvalidDocument};

pub(super) const RULE: Rule = Rule {
    accepts: "layer or config application/vnd.fermyon.spin.application.v1+config (Spin)",
    reads: Reads::Manifest,
    locate,
};

const LOCKED_APP: &str = "application/vnd.fermyon.spin.application.v1+config";

/// A component of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Its name in the application.
    pub id: String,
    /// The digest of its Wasm.
    pub digest: Digest,
}

/// Returns the components that a locked app names, in its order; those whose Wasm it names by anything but a digest
/// are left out.
///
/// # Errors
/// [`InvalidDocument`], for each way in which the bytes fall short; see there.
pub fn components(bytes: &[u8]) -> Result<Vec<Component>, InvalidDocument> {
    let app: LockedApp = document::parse("locked app", bytes)?;
    let components = app.components.into_iter();
    Ok(components
        .filter_map(|component| Some(Component { id: component.id, digest: component.source.digest? }))
        .collect())
}

#[derive(Deserialize)]
struct LockedApp {
    #[serde(default, deserialize_with = "null_as_default")]
    components: Vec<LockedComponent>,
}

#[derive(Deserialize)]
struct LockedComponent {
    id: String,
    #[serde(default, deserialize_with = "null_as_default")]
    source: Source,
}

#[derive(Deserialize, Default)]
struct Source {
    digest: Option<Digest>,
}

fn locate(manifest: &ImageManifest, _: Option<&ImageConfig>) -> Answer {
    let is_locked_app = |media_type: &MediaType| media_type.as_str() == LOCKED_APP;
    let is_app = is_locked_app(&manifest.config.media_type) || any_layer(manifest, is_locked_app);
    is_app.then(|| {
        let mut located = Located::in_layers(Dialect::SpinApp, manifest, is_component)?;
        let documents = manifest.layers.iter().rev().chain([&manifest.config]);
        located.locked_app = documents.into_iter().find(|it| is_locked_app(&it.media_type)).cloned();
        Ok(located)
    })
}

fn is_component(media_type: &MediaType) -> bool {
    *media_type == MediaType::WASM || media_type.as_str() == "application/vnd.wasm.content.layer.v1+wasm"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_locked_app_names_its_components_by_digest() {
        let digest = Digest::sha256(b"one");
        let app = json!({
            "spin_lock_version": 1, "triggers": [], "metadata": { "name": "shop" },
            "components": [
                { "id": "cart", "source": { "content_type": "application/wasm", "digest": digest }, "files": [] },
                { "id": "local", "source": { "source": "file:///app.wasm" } },
                { "id": "none", "source": null },
            ],
        });
        let found = components(app.to_string().as_bytes()).unwrap();
        assert_eq!(found, [Component { id: "cart".to_owned(), digest }]);
        assert_eq!(components(br#"{"components":null}"#).unwrap(), []);
    }

    #[test]
    fn what_is_no_locked_app_is_refused() {
        for text in [
            "[]",
            r#"{"components":[{"source":{}}]}"#,
            r#"{"components":[{"id":"a","source":{"digest":"sha256:1"}}]}"#,
            r#"{"components":[{"id":"a","id":"b","source":{}}]}"#,
            r#"{"components":[],"components":[]}"#,
        ] {
            assert!(matches!(components(text.as_bytes()), Err(InvalidDocument::Json { .. })), "{text}");
        }
        let large = vec![b' '; crate::limits::CONFIG_BYTES_MAX + 1];
        assert!(matches!(components(&large), Err(InvalidDocument::TooLarge { .. })));
    }
}
