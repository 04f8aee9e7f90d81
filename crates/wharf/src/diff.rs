//! `diff`: tells what changed between two versions of WIT, whom that breaks, and what the newer has to be called.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use wharf_client::Client;
use wharf_oci::Progress;
use wharf_package::Version;
use wharf_wit::compare::{Bump, Change, Comparison, Incomparable, Release, compare};
use wharf_wit::limits::WASM_BYTES_MAX;
use wharf_wit::{Document, PackageName, Resolved, merge};

use crate::blocking::blocking;
use crate::extract::extract;
use crate::input::Input;
use crate::locate::{Choice, locate};
use crate::place::Place;
use crate::project::WitFolder;
use crate::wasm_file::open_file;
use crate::{Cause, Error, Surroundings, Target};

/// What to compare.
#[derive(Debug, Clone)]
pub struct DiffOptions {
    /// The older version: a file or a folder of WIT, a file of Wasm, or an artifact.
    pub old: Target,
    /// The newer version.
    pub new: Target,
    /// Where temporary files go, and what time it is.
    pub surroundings: Surroundings,
}

/// What is different between two versions, and whether the newer one says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffOutcome {
    /// The older version.
    pub old: DiffSide,
    /// The newer version.
    pub new: DiffSide,
    /// The changes, those that break first.
    pub changes: Vec<Change>,
    /// What they ask of the version, all together.
    pub bump: Bump,
    /// The lowest version that says that, where the older one has a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_version: Option<Version>,
    /// Whether the newer version says at least that. Where one of the two has no version, whether nothing breaks.
    pub compatible: bool,
}

/// One of the two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffSide {
    /// What was read.
    pub target: String,
    /// The name of the package, such as `wasi:io`; of a component, `root:component`.
    pub package: String,
    /// The version of the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// Compares two versions of a WIT package, or of a component.
///
/// ```no_run
/// use std::sync::Arc;
/// use wharf::client::{Client, ClientOptions};
/// use wharf::oci::{NoProgress, Progress};
/// use wharf::{DiffOptions, Surroundings, Target, diff};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::new(ClientOptions::default())?;
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let old = Target::Artifact("ghcr.io/acme/greet:0.2.0".parse()?);
/// let new = Target::File("wit".into());
/// let surroundings = Surroundings { scratch: std::env::temp_dir(), now: 1_800_000_000 };
/// let outcome = diff(&client, &DiffOptions { old, new, surroundings }, &progress).await?;
/// assert!(outcome.compatible, "{:#?}", outcome.changes);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::ReadWit`] where one of the two cannot be read, [`Error::Diff`] where they are no versions of one thing.
pub async fn diff(client: &Client, options: &DiffOptions, progress: &Arc<dyn Progress>) -> Result<DiffOutcome, Error> {
    let mut sides = Vec::new();
    for target in [&options.old, &options.new] {
        let read = read(client, target, &options.surroundings, progress).await;
        sides.push(read.map_err(|source| Error::ReadWit { target: target.to_string(), source })?);
    }
    let [old, new]: [Resolved; 2] = sides.try_into().expect("each of two targets was read");
    let side = |target: &Target, resolved: &Resolved| DiffSide::of(target.to_string(), resolved.name());
    let sides = [side(&options.old, &old), side(&options.new, &new)];
    DiffOutcome::of(sides, (&old, &new)).map_err(|source| Error::Diff {
        old: options.old.to_string(),
        new: options.new.to_string(),
        source: source.into(),
    })
}

impl DiffOutcome {
    /// Compares what two sides are.
    pub(crate) fn of(
        [old, new]: [DiffSide; 2],
        (old_resolved, new_resolved): (&Resolved, &Resolved),
    ) -> Result<Self, Incomparable> {
        let Comparison { changes, bump } = compare(&Release::from(old_resolved), &Release::from(new_resolved))?;
        let compatible = match (&old.version, &new.version) {
            (Some(old), Some(new)) => bump.is_said_by(old, new),
            _ => bump < Bump::Major,
        };
        let least_version = old.version.as_ref().map(|version| bump.least(version));
        Ok(Self { old, new, changes, bump, least_version, compatible })
    }
}

impl DiffSide {
    fn of(target: String, name: &PackageName) -> Self {
        let PackageName { namespace, name, version } = name;
        Self { target, package: format!("{namespace}:{name}"), version: version.clone() }
    }
}

async fn read(
    client: &Client,
    target: &Target,
    surroundings: &Surroundings,
    progress: &Arc<dyn Progress>,
) -> Result<Resolved, Cause> {
    let Surroundings { scratch, now } = surroundings;
    let label = target.to_string();
    match target {
        Target::File(path) if is_text(path) => {
            let path = path.clone();
            blocking(move || read_text(&path)).await
        }
        Target::File(path) => {
            let input = Input::open(path, scratch, *now).await?;
            blocking(move || read_wasm(&label, &input)).await
        }
        Target::Artifact(location) => {
            let place = Place::open(client, location).await?;
            let choice = Choice::default();
            let artifact = locate(&place, &choice).await?;
            let extracted = extract(&place, &artifact, &choice, scratch, progress).await?;
            let input = Input::open_extracted(&extracted, scratch, *now).await?;
            blocking(move || read_wasm(&label, &input)).await
        }
    }
}

fn is_text(path: &Path) -> bool {
    path.is_dir() || path.extension().is_some_and(|end| end == "wit")
}

/// Reads a file of WIT, or a folder with what it uses.
pub(crate) fn read_text(path: &Path) -> Result<Resolved, Cause> {
    let WitFolder { files, deps } = WitFolder::read(path)?;
    let root = Document::parse(&path.display().to_string(), files)?;
    let dependencies = deps.iter().map(|dep| dep.document(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(merge(root, dependencies)?)
}

/// Reads the WIT of a WIT package, of a component, or of the world of a provider.
fn read_wasm(label: &str, input: &Input) -> Result<Resolved, Cause> {
    match input {
        Input::Wasm(file) => read_wasm_file(label, &file.path),
        Input::Provider(file) => {
            let world = file.provider.world.as_deref().ok_or(Cause::NoWorld)?;
            Ok(merge(Document::decode(label, world)?, Vec::new())?)
        }
    }
}

/// Reads the WIT of a WIT package or a component in a file.
pub(crate) fn read_wasm_file(label: &str, path: &Path) -> Result<Resolved, Cause> {
    let mut bytes = Vec::new();
    let limit = WASM_BYTES_MAX as u64 + 1;
    open_file(path)?.take(limit).read_to_end(&mut bytes).map_err(Cause::file("read", path))?;
    Ok(merge(Document::decode(label, &bytes)?, Vec::new())?)
}
