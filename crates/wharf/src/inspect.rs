//! `inspect`: tells what a file or an artifact is, reading no more of it than that takes.

use std::fmt;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wharf_artifact::cncf::{DeclaredKind, WasmConfig, annotations_of};
use wharf_artifact::limits::{CONFIG_BYTES_MAX, PACKAGE_BYTES_MAX};
use wharf_artifact::{Kind, Wasm};
use wharf_client::{Client, Repository};
use wharf_oci::{Annotations, Descriptor, Digest, MediaType, Progress, Reference, Watched, fetch_verified};

use crate::blocking::blocking;
use crate::file_sink::fetch_to_temporary;
use crate::locate::{Artifact, locate, repository};
use crate::push::examine;
use crate::{Cause, Error};

/// Bytes of a binary that is read into memory to print its WIT.
const WIT_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// What to inspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of this machine.
    File(PathBuf),
    /// An artifact in a registry.
    Reference(Reference),
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Reference(reference) => reference.fmt(formatter),
        }
    }
}

/// Whether to print the world as WIT, for which the binary itself must be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wit {
    /// Leave it out.
    #[default]
    Omit,
    /// Print it.
    Print,
}

/// What to tell of what.
#[derive(Debug, Clone)]
pub struct InspectOptions {
    /// The file or artifact.
    pub target: Target,
    /// Whether to print its world.
    pub wit: Wit,
    /// The folder for a temporary file, where the binary of an artifact must be read.
    pub scratch: PathBuf,
}

/// What a file or an artifact is. Fields that do not apply are absent in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// What the Wasm is.
    pub kind: Kind,
    /// How it is packed, such as `cncf-wasm`; absent for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// The artifact, pinned, or the path of the file.
    pub reference: String,
    /// The digest of the manifest that the reference names; of a file, that of the file.
    pub digest: Digest,
    /// The digest of the manifest that was taken from an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<Digest>,
    /// The digest of the Wasm binary.
    pub wasm_digest: Digest,
    /// The size of the Wasm binary in bytes.
    pub size: u64,
    /// The highest version of WASI that it imports or exports, such as `0.2.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasi: Option<String>,
    /// The name of a WIT package with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// What it imports, sorted.
    pub imports: Vec<String>,
    /// What it exports, sorted.
    pub exports: Vec<String>,
    /// The world that its maker says it targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// When its maker says it was made (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who its maker says made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The media type of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// The kind of artifact that the manifest says it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Descriptor>,
    /// The layers.
    pub layers: Vec<Descriptor>,
    /// The annotations of the manifest.
    pub annotations: Annotations,
    /// Where kind, imports and exports were read.
    pub source: Source,
    /// In what the artifact departs from its dialect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub departures: Vec<String>,
    /// The world as WIT, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wit: Option<String>,
}

/// Where kind, imports and exports were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// In the config, which is what the maker says.
    Config,
    /// In the Wasm binary itself.
    Bytes,
}

/// Tells what a file or an artifact is.
///
/// Of an artifact, the manifest and the config are read; the Wasm itself only where those leave its kind open, or
/// where its WIT is asked for.
///
/// # Errors
/// [`Error::Inspect`].
pub async fn inspect(
    client: &Client,
    options: &InspectOptions,
    progress: &Arc<dyn Progress>,
) -> Result<Inspection, Error> {
    let inspected = match &options.target {
        Target::File(path) => inspect_file(path, options.wit).await,
        Target::Reference(reference) => {
            let repository = repository(client, reference);
            inspect_reference(&repository, reference, options, progress).await
        }
    };
    inspected.map_err(|source| Error::Inspect { target: options.target.to_string(), source })
}

async fn inspect_file(path: &Path, wit: Wit) -> Result<Inspection, Cause> {
    let wasm = examine(path).await?;
    let wit = print_wit(path, wit).await?;
    let annotations = annotations_of(&wasm.metadata);
    let (reference, digest) = (path.display().to_string(), wasm.digest.clone());
    Ok(Inspection { annotations, wit, ..Inspection::of(Facts::of_bytes(wasm), reference, digest) })
}

async fn inspect_reference(
    repository: &Repository,
    reference: &Reference,
    options: &InspectOptions,
    progress: &Arc<dyn Progress>,
) -> Result<Inspection, Cause> {
    let artifact = locate(repository, reference).await?;
    let config = read_config(repository, &artifact).await?;
    let stated = config.as_ref().and_then(|config| Facts::of_config(config, &artifact.located.wasm));
    let (facts, wit) = match stated {
        Some(facts) if options.wit == Wit::Omit => (facts, None),
        _ => read_layer(repository, &artifact, options, progress).await?,
    };
    let Artifact { root, manifest, image, located } = artifact;
    let config = config.unwrap_or_default();
    let pinned = reference.with_digest(root.digest().clone()).to_string();
    Ok(Inspection {
        dialect: Some(located.dialect.to_string()),
        taken: (root.digest() != manifest.digest()).then(|| manifest.digest().clone()),
        world: config.component.and_then(|component| component.target),
        created: config.created,
        author: config.author,
        media_type: Some(manifest.media_type().clone()),
        artifact_type: image.artifact_type,
        config: Some(image.config),
        layers: image.layers,
        annotations: image.annotations,
        departures: located.departures.iter().map(ToString::to_string).collect(),
        wit,
        ..Inspection::of(facts, pinned, root.digest().clone())
    })
}

impl Inspection {
    /// Tells what is known of a binary, with nothing of an artifact around it.
    fn of(facts: Facts, reference: String, digest: Digest) -> Self {
        Self {
            kind: facts.kind,
            dialect: None,
            reference,
            digest,
            taken: None,
            wasm_digest: facts.digest,
            size: facts.size,
            wasi: facts.wasi,
            package: facts.package,
            imports: facts.imports,
            exports: facts.exports,
            world: None,
            created: None,
            author: None,
            media_type: None,
            artifact_type: None,
            config: None,
            layers: Vec::new(),
            annotations: Annotations::new(),
            source: facts.source,
            departures: Vec::new(),
            wit: None,
        }
    }
}

/// Reads the config where it is one of Wasm; of any other, nothing is to be learnt.
async fn read_config(repository: &Repository, artifact: &Artifact) -> Result<Option<WasmConfig>, Cause> {
    let config = &artifact.image.config;
    if config.media_type != MediaType::WASM_CONFIG {
        return Ok(None);
    }
    let bytes = fetch_verified(repository, config, CONFIG_BYTES_MAX as u64).await?;
    Ok(Some(WasmConfig::parse(&bytes)?))
}

/// Reads the Wasm itself, through a temporary file.
async fn read_layer(
    repository: &Repository,
    artifact: &Artifact,
    options: &InspectOptions,
    progress: &Arc<dyn Progress>,
) -> Result<(Facts, Option<String>), Cause> {
    let layer = &artifact.located.wasm;
    let source = Watched { source: repository, progress };
    let temporary = fetch_to_temporary(&source, layer, &options.scratch).await?;
    progress.finished(layer);
    let wasm = examine(temporary.path()).await?;
    let wit = print_wit(temporary.path(), options.wit).await?;
    Ok((Facts::of_bytes(wasm), wit))
}

/// Reads a binary whole and prints its world, where that was asked for.
async fn print_wit(path: &Path, wit: Wit) -> Result<Option<String>, Cause> {
    if wit == Wit::Omit {
        return Ok(None);
    }
    let path = path.to_owned();
    blocking(move || {
        let mut file = std::fs::File::open(&path).map_err(Cause::file("open", &path))?;
        let size = file.seek(std::io::SeekFrom::End(0)).map_err(Cause::file("read", &path))?;
        if size > WIT_BYTES_MAX {
            return Err(Cause::TooLargeForWit { size, limit: WIT_BYTES_MAX });
        }
        file.rewind().map_err(Cause::file("read", &path))?;
        let mut bytes = Vec::new();
        file.take(WIT_BYTES_MAX).read_to_end(&mut bytes).map_err(Cause::file("read", &path))?;
        Ok(Some(wharf_artifact::world_wit(&bytes)?))
    })
    .await
}

/// What is told of a binary, whoever says so.
struct Facts {
    kind: Kind,
    digest: Digest,
    size: u64,
    wasi: Option<String>,
    package: Option<String>,
    imports: Vec<String>,
    exports: Vec<String>,
    source: Source,
}

impl Facts {
    fn of_bytes(wasm: Wasm) -> Self {
        Self {
            kind: wasm.kind,
            wasi: wasm.wasi_version().map(|version| version.to_string()),
            digest: wasm.digest,
            size: wasm.size,
            package: wasm.package,
            imports: wasm.imports,
            exports: wasm.exports,
            source: Source::Bytes,
        }
    }

    /// Takes the maker's word where it is clear. A core module's config names no imports, so its bytes are read.
    fn of_config(config: &WasmConfig, layer: &Descriptor) -> Option<Self> {
        let component = config.component.as_ref()?;
        let is_component = match config.declared_kind() {
            DeclaredKind::Component => true,
            DeclaredKind::ComponentOrWitPackage => layer.size > PACKAGE_BYTES_MAX,
            DeclaredKind::Module | DeclaredKind::Unclear => false,
        };
        if !is_component {
            return None;
        }
        let wasi = wharf_artifact::wasi_of_interfaces(component.imports.iter().chain(&component.exports));
        Some(Self {
            kind: Kind::Component,
            digest: layer.digest.clone(),
            size: layer.size,
            wasi: wasi.map(|version| version.to_string()),
            package: None,
            imports: component.imports.clone(),
            exports: component.exports.clone(),
            source: Source::Config,
        })
    }
}
