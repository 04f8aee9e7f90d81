//! `push`: packs a Wasm file, or takes a provider archive, and pushes it.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use wharf_archive::ImageName;
use wharf_client::Client;
use wharf_oci::{CopySummary, Digest, Progress, TagName};

use crate::destination::{Cargo, Destination, check_pin};
use crate::input::Input;
use crate::pack::entrypoint;
use crate::{Cause, Description, Error, Existing, Form, Location, Surroundings, Thing};

/// What to push, where to, and what to say of it.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// The file: a Wasm binary or text, or a provider archive of wasmCloud.
    pub file: PathBuf,
    /// Where it goes; the tag is `latest` where none is given.
    pub to: Location,
    /// What to pack it as. A provider archive has but one form, which is [`Form::Artifact`].
    pub form: Form,
    /// What to do with an archive that is there already.
    pub existing: Existing,
    /// What to say of it.
    pub description: Description,
    /// Where temporary files go, and what time it is.
    pub surroundings: Surroundings,
}

impl PushOptions {
    /// Pushes `file` to `to` as an artifact, with nothing to say of it but what it says itself.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>, to: impl Into<Location>, surroundings: Surroundings) -> Self {
        Self {
            file: file.into(),
            to: to.into(),
            form: Form::Artifact,
            existing: Existing::Keep,
            description: Description::default(),
            surroundings,
        }
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
    pub kind: Thing,
    /// The size of the file in bytes.
    pub size: u64,
    /// The bytes that were sent, without those that the registry had.
    pub sent_bytes: u64,
}

/// Packs a Wasm file and pushes it.
///
/// # Errors
/// [`Error::Push`]. The registry may then hold blobs that nothing points at, and the tag is as it was.
pub async fn push(client: &Client, options: &PushOptions, progress: &Arc<dyn Progress>) -> Result<PushOutcome, Error> {
    pack_and_send(client, options, progress).await.map_err(|source| Error::Push {
        file: options.file.clone(),
        to: options.to.clone(),
        source,
    })
}

async fn pack_and_send(
    client: &Client,
    options: &PushOptions,
    progress: &Arc<dyn Progress>,
) -> Result<PushOutcome, Cause> {
    let PushOptions { file, to, form, existing, description, surroundings } = options;
    let Surroundings { scratch, now } = surroundings;
    let input = Input::open(file, scratch, *now).await?;
    let (kind, size) = (input.thing(), input.size());
    let name = target_name(to);
    let run_as = name.as_ref().map_or_else(|| "app.wasm".to_owned(), entrypoint);
    let package = input.pack(*form, run_as, description, scratch).await?;
    let manifest = &package.manifest;
    check_pin(to.digest(), manifest)?;
    let destination = Destination::open(client, to, name.clone(), *existing).await?;
    let cargo = Cargo { source: &package, manifest, referrers: None };
    let CopySummary { sent_bytes, .. } = destination.receive(cargo, progress).await?;
    Ok(PushOutcome {
        reference: to.with_digest(manifest.digest().clone()).to_string(),
        digest: manifest.digest().clone(),
        tag: name.map(|name| name.tag().to_string()),
        kind,
        size,
        sent_bytes,
    })
}

/// Returns what the artifact is called where it goes; a location that is nothing but a digest asks for no name.
fn target_name(to: &Location) -> Option<ImageName> {
    match (to.image_name(), to.digest()) {
        (Some(name), _) => Some(name),
        (None, Some(_)) => None,
        (None, None) => to.with_tag(TagName::latest()).image_name(),
    }
}
