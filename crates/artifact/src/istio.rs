//! Filters for Envoy in the two forms that Istio and Envoy Gateway pull ("WASM Artifact Image Specification").
//!
//! The form `oci`, as `wasme push` writes it. The runtime config is the config and the first layer at once, and
//! readers want exactly two layers:
//!
//! ```text
//!   manifest  application/vnd.oci.image.manifest.v1+json
//!     │       annotated with module.wasm.runtime/type and module.wasm.runtime/abi_version
//!     ├─ config  application/vnd.module.wasm.config.v1+json               runtime-config.json
//!     ├─ layer   application/vnd.module.wasm.config.v1+json               runtime-config.json, the same blob
//!     └─ layer   application/vnd.module.wasm.content.layer.v1+wasm        filter.wasm
//! ```
//!
//! The form `compat`, a container image, which runtimes of containers run too:
//!
//! ```text
//!   manifest  application/vnd.oci.image.manifest.v1+json                  or Docker's type, here and below
//!     │       annotated with module.wasm.image/variant = compat
//!     ├─ config  application/vnd.oci.image.config.v1+json
//!     │    { "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wasi",
//!     │      "config": { "Entrypoint": ["/plugin.wasm"] },
//!     │      "rootfs": { "type": "layers", "diff_ids": [digest of the tar] } }
//!     └─ layer   application/vnd.oci.image.layer.v1.tar+gzip              plugin.wasm, runtime-config.json
//! ```
//!
//! The runtime config names the versions of the proxy-wasm ABI, which are read from the exports of the module:
//! `{"type":"envoy_proxy","abiVersions":["v0.2.1"],"config":{"rootIds":["my_root"]}}`.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use wharf_oci::{Annotations, Descriptor, ImageManifest, MediaType};

use crate::built::config_bytes;
use crate::cncf::{TITLE, annotations_of};
use crate::container;
use crate::document::{self, InvalidDocument, null_as_default};
use crate::image::{Image, VARIANT, check_layer_type};
use crate::{Abi, Built, Content, ImageOptions, InvalidBuild, Kind, Layer, LayerFile, Wasm};

/// The type of a runtime config.
pub const RUNTIME_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";

/// The types of runtime configs: the specification's, and the one before it.
const RUNTIME_CONFIGS: [&str; 2] = [RUNTIME_CONFIG, "application/vnd.io.wasm.module.config.v1+json"];

/// The type of the layer that is a filter.
pub const FILTER_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

/// The annotation that names the kind of runtime.
const RUNTIME_TYPE: &str = "module.wasm.runtime/type";
/// The annotation that names the versions of the ABI, with commas between them.
const ABI_VERSION: &str = "module.wasm.runtime/abi_version";
/// The type of runtime that Envoy is.
const ENVOY: &str = "envoy_proxy";
pub(crate) const RUNTIME_CONFIG_FILE: &str = "runtime-config.json";
const FILTER_FILE: &str = "filter.wasm";
/// The name by which a filter is looked for in a tar.
pub(crate) const PLUGIN_FILE: &str = "plugin.wasm";

/// Whether content of this type is a runtime config, as today's tools or older ones write it.
#[must_use]
pub fn is_runtime_config(media_type: &MediaType) -> bool {
    RUNTIME_CONFIGS.contains(&media_type.as_str())
}

/// A binary that is a filter.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    wasm: &'a Wasm,
}

impl<'a> Filter<'a> {
    /// Takes a binary as a filter.
    ///
    /// # Errors
    /// [`InvalidBuild::FilterKind`] for a component or a WIT package, [`InvalidBuild::NoAbi`] for a core module that
    /// exports no version of the proxy-wasm ABI.
    pub fn new(wasm: &'a Wasm) -> Result<Self, InvalidBuild> {
        match wasm.kind {
            Kind::Component | Kind::WitPackage => Err(InvalidBuild::FilterKind { kind: wasm.kind }),
            Kind::Module if wasm.proxy_wasm_abis().is_empty() => Err(InvalidBuild::NoAbi),
            Kind::Module => Ok(Self { wasm }),
        }
    }

    /// Returns the versions of the proxy-wasm ABI that it exports; at least one.
    #[must_use]
    pub fn abis(&self) -> Vec<Abi> {
        self.wasm.proxy_wasm_abis()
    }

    /// Returns what a host is told of it. Each root id names a root context that the filter registers; none are
    /// needed where it registers but one.
    #[must_use]
    pub fn runtime_config(&self, root_ids: &[String]) -> RuntimeConfig {
        RuntimeConfig {
            runtime: ENVOY.to_owned(),
            abi_versions: self.abis().iter().map(ToString::to_string).collect(),
            config: FilterConfig { root_ids: root_ids.to_vec() },
        }
    }
}

/// What a host is told of a filter (`runtime-config.json`).
///
/// Keys are read in the spelling of the specification's text and in that of its tool, `wasme`; the latter is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeConfig {
    /// The kind of runtime, such as `envoy_proxy`.
    #[serde(rename = "type")]
    pub runtime: String,
    /// The versions of the ABI, such as `v0.2.1`; those before 0.1 are named by a commit.
    #[serde(rename = "abiVersions", default)]
    #[serde(alias = "abi_versions", alias = "abiVersion", alias = "abi_version", deserialize_with = "one_or_many")]
    pub abi_versions: Vec<String>,
    /// What the runtime is told in its own terms.
    #[serde(default, deserialize_with = "null_as_default")]
    pub config: FilterConfig,
}

/// What Envoy is told of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FilterConfig {
    /// The root contexts that the filter registers.
    #[serde(rename = "rootIds", alias = "root_ids", default, deserialize_with = "null_as_default")]
    pub root_ids: Vec<String>,
}

impl RuntimeConfig {
    /// Reads a runtime config.
    ///
    /// # Errors
    /// [`InvalidDocument`], for each way in which the bytes fall short; see there.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidDocument> {
        document::parse("runtime config", bytes)
    }

    fn to_bytes(&self) -> Result<Bytes, InvalidBuild> {
        config_bytes(self)
    }
}

/// What the form `oci` cannot take from the Wasm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterOptions {
    /// The root contexts that the filter registers, for the runtime config.
    pub root_ids: Vec<String>,
    /// The annotations of the manifest; they win over all others.
    pub annotations: Annotations,
}

/// Builds the form `oci`. The layer is the binary as it stands.
///
/// # Errors
/// [`InvalidBuild::ConfigTooLarge`] and [`InvalidBuild::Manifest`].
pub fn build(filter: Filter<'_>, options: &FilterOptions) -> Result<Built, InvalidBuild> {
    let runtime_config = filter.runtime_config(&options.root_ids);
    let bytes = runtime_config.to_bytes()?;
    let config = Descriptor::of(RUNTIME_CONFIG.into(), &bytes).with_annotation(TITLE, RUNTIME_CONFIG_FILE);
    let Wasm { digest, size, .. } = filter.wasm;
    let wasm = Descriptor::new(FILTER_LAYER.into(), digest.clone(), *size).with_annotation(TITLE, FILTER_FILE);
    let mut image = ImageManifest::new(config.clone(), vec![config.clone(), wasm]);
    image.annotations = annotations_of(&filter.wasm.metadata);
    image.annotations.insert(RUNTIME_TYPE.to_owned(), runtime_config.runtime);
    image.annotations.insert(ABI_VERSION.to_owned(), runtime_config.abi_versions.join(","));
    image.annotations.extend(options.annotations.clone());
    Built::new(&image, vec![(config, bytes)])
}

/// Returns what is in the layer of the form `compat`, in its order.
///
/// # Errors
/// [`InvalidBuild::ConfigTooLarge`].
pub fn compat_files(filter: Filter<'_>, root_ids: &[String]) -> Result<Vec<LayerFile>, InvalidBuild> {
    let config = filter.runtime_config(root_ids).to_bytes()?;
    Ok(vec![
        // Runtimes of containers want it executable, before they look at what it is.
        LayerFile { path: PLUGIN_FILE.to_owned(), mode: 0o755, content: Content::Wasm },
        LayerFile { path: RUNTIME_CONFIG_FILE.to_owned(), mode: 0o644, content: Content::Bytes(config) },
    ])
}

/// Builds the form `compat`. The layer is a tar of [`compat_files`] with gzip around it.
///
/// Istio takes `application/vnd.oci.image.layer.v1.tar+gzip` in an OCI manifest, and Docker's type in Docker's.
///
/// # Errors
/// [`InvalidBuild::LayerType`] for a layer of another type than
/// [`tar_gzip_layer`](crate::ManifestFormat::tar_gzip_layer), and [`InvalidBuild::Created`].
pub fn build_compat(filter: Filter<'_>, layer: &Layer, options: &ImageOptions) -> Result<Built, InvalidBuild> {
    check_layer_type(layer, options.format.tar_gzip_layer())?;
    let image = Image {
        os: container::OS,
        program: format!("/{PLUGIN_FILE}"),
        annotations: annotations_of(&filter.wasm.metadata),
        marks: Annotations::from([(VARIANT.to_owned(), "compat".to_owned())]),
        labels: Annotations::new(),
        diff_ids: vec![layer.diff_id.clone()],
        layers: std::slice::from_ref(layer),
    };
    image.build(options)
}

/// Reads the versions of the ABI: a list, or, as in the specification's example, one text.
fn one_or_many<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Versions {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::deserialize(value)? {
        None => Vec::new(),
        Some(Versions::One(version)) => vec![version],
        Some(Versions::Many(versions)) => versions,
    })
}

#[cfg(test)]
mod tests;
