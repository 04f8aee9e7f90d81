//! The CNCF's "Wasm OCI Artifact layout": how it is written, and what its config says.
//!
//! ```text
//!   manifest  application/vnd.oci.image.manifest.v1+json
//!     ├─ config  application/vnd.wasm.config.v0+json
//!     │    { "created": "1970-01-01T00:00:00Z", "architecture": "wasm",
//!     │      "os": "wasip2",                     wasip1 for a core module, which has no `component`
//!     │      "layerDigests": ["sha256:…"],
//!     │      "component": { "exports": ["wasi:http/incoming-handler@0.2.3"], "imports": ["…"], "target": "…" } }
//!     └─ layer   application/wasm, annotated with org.opencontainers.image.title = file name
//! ```
//!
//! What is built depends on nothing but the arguments, so the same input gives the same manifest digest.

use serde::{Deserialize, Serialize};
use wasmparser::names::{ComponentName, ComponentNameKind};
use wharf_oci::json::parse_strict;
use wharf_oci::{Annotations, Descriptor, Digest, ImageManifest, MediaType};

use crate::built::{checked_file_name, config_bytes, created_text};
use crate::document::null_as_default;
use crate::limits::{ANNOTATION_BYTES_MAX, CONFIG_BYTES_MAX};
use crate::{Built, InvalidBuild, Kind, Metadata, Wasm};

pub(crate) const ARCHITECTURE: &str = "wasm";
/// The `os` of a core module, with or without WASI: it has to be one that Go knows.
pub(crate) const MODULE_OS: &str = "wasip1";
/// The `os` of every component, also of one that imports WASI 0.3.
pub(crate) const COMPONENT_OS: &str = "wasip2";
/// The annotation in which a layer says the name of its file (image-spec, annotations.md).
pub const TITLE: &str = "org.opencontainers.image.title";

/// What [`build`] cannot take from the binary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildOptions {
    /// When the artifact counts as made, in seconds since the start of 1970.
    pub created: i64,
    /// The name that the file gets where the artifact is unpacked; without directories.
    pub file_name: Option<String>,
    /// The annotations of the manifest; they win over those from the metadata of the binary.
    pub annotations: Annotations,
    /// The author, for the config.
    pub author: Option<String>,
    /// The world that the component is made for, as `ns:pkg/world`, `ns:pkg/world@1.2.3` or `world`.
    pub target_world: Option<String>,
}

/// Builds the manifest and the config of a binary, which is the only layer.
///
/// # Errors
/// [`InvalidBuild`], for each option that does not hold; see there.
pub fn build(wasm: &Wasm, options: &BuildOptions) -> Result<Built, InvalidBuild> {
    let config = config_bytes(&config_of(wasm, options)?)?;
    let config_descriptor = Descriptor::of(MediaType::WASM_CONFIG, &config);
    let mut layer = Descriptor::new(MediaType::WASM, wasm.digest.clone(), wasm.size);
    if let Some(name) = &options.file_name {
        layer = layer.with_annotation(TITLE, checked_file_name(name)?);
    }
    let mut image = ImageManifest::new(config_descriptor.clone(), vec![layer]);
    image.annotations = annotations_of(&wasm.metadata);
    image.annotations.extend(options.annotations.clone());
    Built::new(&image, vec![(config_descriptor, config)])
}

/// The config of an artifact: what its maker says of the binary. It is compared with nothing here.
///
/// Whoever wrote it, a key that is absent or `null` is empty, and unknown keys are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WasmConfig {
    /// When the artifact was made (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Always `wasm`.
    #[serde(deserialize_with = "null_as_default")]
    pub architecture: String,
    /// `wasip1` for core modules, `wasip2` for components; others may follow.
    #[serde(deserialize_with = "null_as_default")]
    pub os: String,
    /// The digests of the layers, in their order.
    #[serde(deserialize_with = "null_as_default")]
    pub layer_digests: Vec<Digest>,
    /// What the component imports and exports; absent for a core module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentConfig>,
}

/// What a component imports and exports, as its maker says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ComponentConfig {
    /// The names of the exports.
    #[serde(deserialize_with = "null_as_default")]
    pub exports: Vec<String>,
    /// The names of the imports.
    #[serde(deserialize_with = "null_as_default")]
    pub imports: Vec<String>,
    /// The world it is made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Why bytes are no config of a Wasm artifact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// It is larger than [`CONFIG_BYTES_MAX`].
    #[error("config of {size} bytes is larger than the limit of {CONFIG_BYTES_MAX}")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// It is not JSON, or not a Wasm config's JSON.
    #[error("config is not valid JSON of type {}", MediaType::WASM_CONFIG)]
    Json(#[source] serde_json::Error),
}

impl WasmConfig {
    /// Reads a config.
    ///
    /// # Errors
    /// [`InvalidConfig`], for each way in which the bytes fall short; see there.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidConfig> {
        if bytes.len() > CONFIG_BYTES_MAX {
            return Err(InvalidConfig::TooLarge { size: bytes.len() });
        }
        parse_strict(bytes).map_err(InvalidConfig::Json)
    }

    /// Returns the kind of binary that the config claims; only its bytes tell for certain.
    #[must_use]
    pub fn declared_kind(&self) -> DeclaredKind {
        match &self.component {
            None if self.os == MODULE_OS => DeclaredKind::Module,
            Some(component) if !component.imports.is_empty() => DeclaredKind::Component,
            Some(component) if !component.exports.is_empty() => DeclaredKind::ComponentOrWitPackage,
            _ => DeclaredKind::Unclear,
        }
    }
}

/// The kind of binary that a config claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclaredKind {
    /// A core module: `wasip1` without `component`.
    Module,
    /// A component: it imports something, which a WIT package never does.
    Component,
    /// It exports and imports nothing, as a WIT package does, and a component may.
    ComponentOrWitPackage,
    /// The config contradicts itself or says nothing. `wkg oci push` labels a core module `wasip2` with an empty
    /// `component`, which a component that imports and exports nothing would have too.
    Unclear,
}

fn config_of(wasm: &Wasm, options: &BuildOptions) -> Result<WasmConfig, InvalidBuild> {
    let created = created_text(options.created)?;
    let target = options.target_world.as_deref().map(|text| checked_target(wasm.kind, text)).transpose()?;
    let component = match wasm.kind {
        Kind::Module => None,
        Kind::Component | Kind::WitPackage => {
            Some(ComponentConfig { exports: wasm.exports.clone(), imports: wasm.imports.clone(), target })
        }
    };
    let os = if component.is_some() { COMPONENT_OS } else { MODULE_OS };
    Ok(WasmConfig {
        created: Some(created),
        author: options.author.clone(),
        architecture: ARCHITECTURE.to_owned(),
        os: os.to_owned(),
        layer_digests: vec![wasm.digest.clone()],
        component,
    })
}

fn checked_target(kind: Kind, text: &str) -> Result<String, InvalidBuild> {
    if kind != Kind::Component {
        return Err(InvalidBuild::TargetOf { kind });
    }
    let name = ComponentName::new(text, 0);
    let is_world = name.is_ok_and(|name| match name.kind() {
        ComponentNameKind::Interface(world) => world.version(None).is_ok(),
        ComponentNameKind::Plain(world) => world.is_bare(),
    });
    match is_world {
        true => Ok(text.to_owned()),
        false => Err(InvalidBuild::Target { text: text.to_owned() }),
    }
}

/// Returns what a binary says of itself as annotations; a text that fits into none is left out.
#[must_use]
pub fn annotations_of(metadata: &Metadata) -> Annotations {
    let texts = [
        (TITLE, &metadata.name),
        ("org.opencontainers.image.version", &metadata.version),
        ("org.opencontainers.image.description", &metadata.description),
        ("org.opencontainers.image.licenses", &metadata.licenses),
        ("org.opencontainers.image.revision", &metadata.revision),
        ("org.opencontainers.image.authors", &metadata.authors),
    ];
    let urls =
        [("org.opencontainers.image.source", &metadata.source), ("org.opencontainers.image.url", &metadata.homepage)];
    let texts = texts.into_iter().filter_map(|(key, value)| Some((key, one_line(value.as_deref()?)?)));
    let urls =
        urls.into_iter().filter_map(|(key, value)| Some((key, value.as_deref().filter(|url| is_url(url))?.to_owned())));
    texts.chain(urls).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Returns a text on one line; nothing where it is too long for an annotation.
pub(crate) fn one_line(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty() && line.len() <= ANNOTATION_BYTES_MAX).then_some(line)
}

/// Whether a text is a link that a page may offer; `javascript:` and a local path are not.
fn is_url(text: &str) -> bool {
    let is_web =
        text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).is_some_and(|rest| !rest.is_empty());
    is_web && text.len() <= ANNOTATION_BYTES_MAX && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests;
