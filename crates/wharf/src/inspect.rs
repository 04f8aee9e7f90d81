//! `inspect`: tells what a file or an artifact is, reading no more of it than that takes.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use wharf_artifact::cncf::{WasmConfig, annotations_of};
use wharf_artifact::dialect::{Dialect, Place as Inside, spin};
use wharf_artifact::hosts::{Host, Subject, Verdict, verdicts};
use wharf_artifact::limits::CONFIG_BYTES_MAX;
use wharf_artifact::search::{Found, What};
use wharf_artifact::{Abi, ImageConfig, Role};
use wharf_client::Client;
use wharf_oci::{Annotations, Descriptor, Digest, MediaType, Progress, fetch_verified};

use crate::extract::{Extracted, chosen, components, extract};
use crate::facts::{Facts, ProviderFacts};
use crate::input::Input;
use crate::locate::{Artifact, Choice, locate};
use crate::place::Place;
use crate::{Cause, Error, Form, Location, Surroundings, Thing};

/// What to inspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of this machine.
    File(PathBuf),
    /// An artifact.
    Artifact(Location),
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Artifact(location) => location.fmt(formatter),
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
    /// Which Wasm is meant where there are several.
    pub choice: Choice,
    /// Where temporary files go, and what time it is.
    pub surroundings: Surroundings,
}

/// What a file or an artifact is. Fields that do not apply are absent in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// What it is.
    pub kind: Thing,
    /// What the Wasm is written to be, where its bytes tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The versions of the proxy-wasm ABI that a filter exports, from the first on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub abi_versions: Vec<Abi>,
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
    /// Where in the artifact the Wasm is; absent for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The digest of the Wasm binary, or of the provider archive; absent for an application, which has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasm_digest: Option<Digest>,
    /// The size of that in bytes; of an application, of all its Wasm.
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
    /// What a provider says of itself, which its claims hold for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderFacts>,
    /// The components of an application.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<spin::Component>,
    /// Which hosts take the artifact as it is, and in which form the others would.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostVerdict>,
    /// In what the artifact departs from its dialect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub departures: Vec<String>,
    /// The world as WIT, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wit: Option<String>,
}

/// Whether a host takes an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostVerdict {
    /// The host.
    pub host: Host,
    /// Whether it takes the artifact as it is.
    pub accepts: bool,
    /// Why, in a few words.
    pub reason: &'static str,
    /// The form in which the host would take the Wasm, for `copy --as`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub convert_to: Option<Form>,
}

impl From<Verdict> for HostVerdict {
    fn from(verdict: Verdict) -> Self {
        let Verdict { host, accepts, reason, convert_to } = verdict;
        Self { host, accepts, reason, convert_to: convert_to.and_then(Form::of) }
    }
}

/// Where kind, imports and exports were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// In the config, or another document of the artifact, which is what the maker says.
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
        Target::File(path) => inspect_file(path, options).await,
        Target::Artifact(location) => inspect_image(client, location, options, progress).await.map(|(told, _)| told),
    };
    inspected.map_err(|source| Error::Inspect { target: options.target.to_string(), source })
}

async fn inspect_file(path: &std::path::Path, options: &InspectOptions) -> Result<Inspection, Cause> {
    let input = Input::open(path, &options.surroundings.scratch, options.surroundings.now).await?;
    let annotations = match &input {
        Input::Wasm(file) => annotations_of(&file.wasm.metadata),
        Input::Provider(_) => Annotations::new(),
    };
    let facts = Facts::of_input(&input, options.wit).await?;
    Ok(Inspection { annotations, ..Inspection::of(facts, path.display().to_string(), input.digest().clone()) })
}

/// Tells what an artifact is; of a container image, with its config.
pub(crate) async fn inspect_image(
    client: &Client,
    location: &Location,
    options: &InspectOptions,
    progress: &Arc<dyn Progress>,
) -> Result<(Inspection, Option<ImageConfig>), Cause> {
    let place = Place::open(client, location).await?;
    let artifact = locate(&place, &options.choice).await?;
    let config = read_config(&place, &artifact).await?;
    let Told { facts, place: inside, dialect, found } =
        tell(&place, &artifact, config.as_ref(), options, progress).await?;
    let verdicts = verdicts(&Subject {
        manifest: &artifact.image,
        media_type: artifact.manifest.media_type(),
        dialect,
        found: found.as_ref(),
        kind: match facts.thing {
            Thing::Wasm(kind) => Some(kind),
            Thing::Provider | Thing::Application => None,
        },
        role: facts.role,
    });
    let Artifact { root, manifest, image, located, config: image_config } = artifact;
    let config = config.unwrap_or_default();
    let pinned = location.with_digest(root.digest().clone()).to_string();
    let inspection = Inspection {
        dialect: Some(dialect.to_string()),
        place: inside,
        taken: (root.digest() != manifest.digest()).then(|| manifest.digest().clone()),
        world: config.component.and_then(|component| component.target),
        created: config.created,
        author: config.author,
        media_type: Some(manifest.media_type().clone()),
        artifact_type: image.artifact_type,
        config: Some(image.config),
        layers: image.layers,
        annotations: image.annotations,
        hosts: verdicts.into_iter().map(HostVerdict::from).collect(),
        departures: located.departures.iter().map(ToString::to_string).collect(),
        ..Inspection::of(facts, pinned, root.digest().clone())
    };
    Ok((inspection, image_config))
}

/// What is told of the Wasm of an artifact.
struct Told {
    facts: Facts,
    /// Where it is.
    place: Option<String>,
    dialect: Dialect,
    found: Option<Found>,
}

/// Tells what the Wasm of an artifact is: from its config where that suffices, else from the bytes.
async fn tell(
    place: &Place,
    artifact: &Artifact,
    config: Option<&WasmConfig>,
    options: &InspectOptions,
    progress: &Arc<dyn Progress>,
) -> Result<Told, Cause> {
    let dialect = artifact.located.dialect;
    if let (Inside::Choice(layers), None, Some(_)) =
        (&artifact.located.place, &options.choice.layer, &artifact.located.locked_app)
    {
        let facts = Facts::of_application(components(place, artifact).await?, layers);
        return Ok(Told { facts, place: None, dialect, found: None });
    }
    if let (Inside::Layer(_), Some(config), Wit::Omit) = (&artifact.located.place, config, options.wit)
        && let layer = chosen(place, artifact, artifact.located.place.whole_layers(), &options.choice).await?
        && let Some(facts) = Facts::of_config(config, layer)
    {
        return Ok(Told { facts, place: Some(format!("layer {}", layer.digest)), dialect, found: None });
    }
    let Surroundings { scratch, now } = &options.surroundings;
    let extracted = extract(place, artifact, &options.choice, scratch, progress).await?;
    let input = Input::open_extracted(&extracted, scratch, *now).await?;
    let facts = Facts::of_input(&input, options.wit).await?;
    let inside = where_in(artifact, &extracted);
    let dialect = extracted.dialect.with_role(facts.role);
    Ok(Told { facts, place: Some(inside), dialect, found: extracted.found })
}

/// Says where in an artifact something was.
fn where_in(artifact: &Artifact, extracted: &Extracted) -> String {
    let layer = &extracted.layer.digest;
    match (&artifact.located.place, &extracted.found) {
        (Inside::Chunks(chunks), _) if chunks.len() > 1 => {
            format!("{} layers from {layer} on, one after the other", chunks.len())
        }
        (_, Some(Found { path: Some(path), clue, .. })) => format!("`{path}` in layer {layer}, {clue}"),
        (_, Some(Found { path: None, what: What::Wasm | What::Text, clue, .. })) => format!("layer {layer}, {clue}"),
        _ => format!("layer {layer}"),
    }
}

/// Reads the config where it is one of Wasm; of any other, nothing is to be learnt.
async fn read_config(place: &Place, artifact: &Artifact) -> Result<Option<WasmConfig>, Cause> {
    let config = &artifact.image.config;
    if config.media_type != MediaType::WASM_CONFIG {
        return Ok(None);
    }
    let bytes = fetch_verified(place.content(), config, CONFIG_BYTES_MAX as u64).await?;
    Ok(Some(WasmConfig::parse(&bytes)?))
}

impl Inspection {
    /// Tells what is known of what is in an artifact or a file, with nothing of an artifact around it.
    fn of(facts: Facts, reference: String, digest: Digest) -> Self {
        Self {
            kind: facts.thing,
            role: facts.role,
            abi_versions: facts.abi_versions,
            dialect: None,
            reference,
            digest,
            taken: None,
            place: None,
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
            provider: facts.provider,
            components: facts.components,
            hosts: Vec::new(),
            source: facts.source,
            departures: Vec::new(),
            wit: facts.wit,
        }
    }
}
