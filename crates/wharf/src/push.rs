//! `push`: packs a Wasm file and pushes it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wharf_artifact::cncf::{self, BuildOptions};
use wharf_artifact::{Kind, Wasm};
use wharf_client::Client;
use wharf_oci::{Annotations, Digest, MediaType, MemoryStore, Progress, Reference, TagName};

use crate::blocking::blocking;
use crate::file_source::FileSource;
use crate::locate::repository;
use crate::transfer::{Destination, check_pin, transfer};
use crate::{Cause, Error};

/// How many bytes of a file are read at a time to examine it.
const READ_BYTES: usize = 256 * 1024;

/// What to push, where to, and what to say of it.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// The Wasm file.
    pub file: PathBuf,
    /// Where it goes; the tag is `latest` where none is given.
    pub reference: Reference,
    /// Annotations of the manifest; they win over what the file says of itself.
    pub annotations: Annotations,
    /// Who made it.
    pub author: Option<String>,
    /// The world that the component targets, such as `wasi:http/proxy@0.2.0`.
    pub world: Option<String>,
    /// Seconds since 1970 that the artifact says it was created at; 0 unless the caller knows better, so that the
    /// same file gives the same digest.
    pub created: i64,
}

impl PushOptions {
    /// Pushes `file` to `reference`, with nothing to say of it but what it says itself.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>, reference: Reference) -> Self {
        let annotations = Annotations::new();
        Self { file: file.into(), reference, annotations, author: None, world: None, created: 0 }
    }
}

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PushOutcome {
    /// The artifact, pinned: `host/repository@digest`.
    pub reference: String,
    /// The digest of the manifest.
    pub digest: Digest,
    /// The tag that now points at it.
    pub tag: Option<String>,
    /// What the file is.
    pub kind: Kind,
    /// The size of the file in bytes.
    pub size: u64,
    /// The bytes that were sent, without those that the registry had.
    pub sent_bytes: u64,
}

/// Packs a Wasm file as a CNCF Wasm OCI artifact and pushes it.
///
/// # Errors
/// [`Error::Push`]. The registry may then hold blobs that nothing points at, and the tag is as it was.
pub async fn push(client: &Client, options: &PushOptions, progress: &Arc<dyn Progress>) -> Result<PushOutcome, Error> {
    pack_and_send(client, options, progress).await.map_err(|source| Error::Push {
        file: options.file.clone(),
        reference: options.reference.clone(),
        source,
    })
}

async fn pack_and_send(
    client: &Client,
    options: &PushOptions,
    progress: &Arc<dyn Progress>,
) -> Result<PushOutcome, Cause> {
    let wasm = examine(&options.file).await?;
    let artifact = cncf::build(&wasm, &build_options(options))?;
    let (manifest, reference) = (&artifact.manifest, &options.reference);
    check_pin(reference, manifest)?;
    let repository = repository(client, reference);
    let rest = MemoryStore::new();
    rest.insert(MediaType::WASM_CONFIG, artifact.config.clone());
    let source = FileSource::new(&options.file, artifact.layer.digest.clone(), rest);
    // A reference that is nothing but a digest asks for no tag.
    let tag = match (reference.tag(), reference.digest()) {
        (None, Some(_)) => None,
        (tag, _) => Some(tag.cloned().unwrap_or_else(TagName::latest)),
    };
    let destination = Destination { repository: &repository, tag: tag.as_ref() };
    let summary = transfer(&source, &destination, manifest, None, progress).await?;
    Ok(PushOutcome {
        reference: reference.with_digest(manifest.digest().clone()).to_string(),
        digest: manifest.digest().clone(),
        tag: tag.map(|tag| tag.to_string()),
        kind: wasm.kind,
        size: wasm.size,
        sent_bytes: summary.sent_bytes,
    })
}

fn build_options(options: &PushOptions) -> BuildOptions {
    BuildOptions {
        created: options.created,
        file_name: options.file.file_name().map(|name| name.to_string_lossy().into_owned()),
        annotations: options.annotations.clone(),
        author: options.author.clone(),
        target_world: options.world.clone(),
    }
}

/// Says what the Wasm in a file is.
pub(crate) async fn examine(path: &Path) -> Result<Wasm, Cause> {
    let path = path.to_owned();
    blocking(move || {
        let file = File::open(&path).map_err(Cause::file("open", &path))?;
        let is_file = file.metadata().map_err(Cause::file("open", &path))?.is_file();
        if !is_file {
            return Err(Cause::NoFile { path });
        }
        Ok(wharf_artifact::examine(&mut BufReader::with_capacity(READ_BYTES, file))?)
    })
    .await
}
