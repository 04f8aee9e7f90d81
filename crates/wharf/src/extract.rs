//! Takes the Wasm out of an artifact, wherever it is in there, into a file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use tempfile::{NamedTempFile, TempPath};
use wharf_artifact::cncf::TITLE;
use wharf_artifact::dialect::{self, Dialect, Place as Inside, spin};
use wharf_artifact::limits::CONFIG_BYTES_MAX;
use wharf_artifact::search::{Found, Search, What};
use wharf_oci::{Descriptor, Digest, Progress, Watched, fetch_verified};

use crate::Cause;
use crate::blocking::blocking;
use crate::file_sink::{Label, fetch_to_scratch, fill, folder_of, scratch_file};
use crate::locate::{Artifact, Choice};
use crate::place::Place;

/// Bytes of all layers that are fetched to find the Wasm of one artifact.
pub(crate) const FETCHED_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// What was taken out of an artifact.
pub(crate) struct Extracted {
    /// The file, which vanishes unless it is given a name.
    pub(crate) file: NamedTempFile,
    /// What it is, as far as that is known without examining it.
    pub(crate) what: What,
    /// The dialect, which what was found may tell more exactly than the manifest.
    pub(crate) dialect: Dialect,
    /// The layer that it was in; the first of several that it was made of.
    pub(crate) layer: Descriptor,
    /// Where in the layer it was, where it had to be searched for.
    pub(crate) found: Option<Found>,
    /// The layers that were searched, each in a file.
    pub(crate) seen: Seen,
}

impl Extracted {
    /// Returns the name of the file that it was, without its folders: in a tar, or as the layer says.
    pub(crate) fn name(&self) -> Option<&str> {
        let path = match self.found.as_ref().and_then(|found| found.path.as_deref()) {
            Some(path) => path,
            None => self.layer.annotations.get(TITLE)?,
        };
        path.rsplit(['/', '\\']).next()
    }
}

/// Where to work.
pub(crate) struct Workspace<'a> {
    /// The empty file that takes what is found.
    pub(crate) target: NamedTempFile,
    /// The folder for layers.
    pub(crate) scratch: &'a Path,
}

/// Takes the Wasm, or the provider archive, out of an artifact, into a file that nobody else can read.
pub(crate) async fn extract(
    place: &Place,
    artifact: &Artifact,
    choice: &Choice,
    scratch: &Path,
    progress: &Arc<dyn Progress>,
) -> Result<Extracted, Cause> {
    let target = scratch_file(scratch).await?;
    extract_into(place, artifact, choice, Workspace { target, scratch }, progress).await
}

/// Takes the Wasm, or the provider archive, out of an artifact.
pub(crate) async fn extract_into(
    place: &Place,
    artifact: &Artifact,
    choice: &Choice,
    workspace: Workspace<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<Extracted, Cause> {
    let located = &artifact.located;
    let layers = match &located.place {
        Inside::Search(search) => {
            let search = search.clone();
            let search = choice.layer.iter().fold(search, |search, name| search.choosing(name));
            return look(place, search, workspace, progress).await;
        }
        Inside::Chunks(chunks) => {
            // They are one Wasm, which is called as its first part is.
            chosen(place, artifact, &chunks[..1], choice).await?;
            chunks.as_slice()
        }
        Inside::Layer(_) | Inside::Choice(_) => {
            std::slice::from_ref(chosen(place, artifact, located.place.whole_layers(), choice).await?)
        }
    };
    let file = workspace.target;
    join(place, layers, &file, progress).await?;
    let what = if located.dialect == Dialect::WasmcloudProvider { What::Provider } else { What::Wasm };
    Ok(Extracted { file, what, dialect: located.dialect, layer: layers[0].clone(), found: None, seen: Seen::new() })
}

/// Returns the one of these layers that is the Wasm: the only one, or the one that was chosen.
pub(crate) async fn chosen<'a>(
    place: &Place,
    artifact: &Artifact,
    layers: &'a [Descriptor],
    choice: &Choice,
) -> Result<&'a Descriptor, Cause> {
    if let ([layer], None) = (layers, &choice.layer) {
        return Ok(layer);
    }
    let components = components(place, artifact).await?;
    match &choice.layer {
        Some(name) => Ok(dialect::choose(layers, &components, name)?),
        None => Err(dialect::several(layers, &components).into()),
    }
}

/// Reads what a locked app of Spin calls its components.
pub(crate) async fn components(place: &Place, artifact: &Artifact) -> Result<Vec<spin::Component>, Cause> {
    let Some(locked) = &artifact.located.locked_app else { return Ok(Vec::new()) };
    let bytes = fetch_verified(place.content(), locked, CONFIG_BYTES_MAX as u64).await?;
    Ok(spin::components(&bytes)?)
}

/// Fetches layers that are one file in parts, one after the other.
async fn join(
    place: &Place,
    chunks: &[Descriptor],
    whole: &NamedTempFile,
    progress: &Arc<dyn Progress>,
) -> Result<(), Cause> {
    let source = Watched { source: place.content(), progress };
    let bytes = chunks.iter().map(|chunk| chunk.size).fold(0, u64::saturating_add);
    if chunks.len() > 1 && bytes > FETCHED_BYTES_MAX {
        return Err(Cause::TooMuchToFetch { bytes, limit: FETCHED_BYTES_MAX });
    }
    for chunk in chunks {
        fill(whole, &source, chunk, Label { operation: "write a file in", path: folder_of(whole.path()) }).await?;
        progress.finished(chunk);
    }
    Ok(())
}

/// The layers that a search has seen, each in a file.
pub(crate) type Seen = HashMap<Digest, TempPath>;

/// Looks into one layer after the other until the Wasm is found.
async fn look(
    place: &Place,
    mut search: Search,
    workspace: Workspace<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<Extracted, Cause> {
    let Workspace { target, scratch } = workspace;
    let source = Watched { source: place.content(), progress };
    let mut seen = Seen::new();
    let mut bytes: u64 = 0;
    while let Some(index) = search.wants() {
        let layer = search.layers()[index].clone();
        bytes = bytes.saturating_add(layer.size);
        if bytes > FETCHED_BYTES_MAX {
            return Err(Cause::TooMuchToFetch { bytes, limit: FETCHED_BYTES_MAX });
        }
        let file = fetch_to_scratch(&source, &layer, scratch).await?.into_temp_path();
        progress.finished(&layer);
        let path = file.to_path_buf();
        search = blocking(move || {
            let opened = File::open(&path).map_err(Cause::file("read", &path))?;
            search.look(index, &mut BufReader::new(opened))?;
            Ok::<_, Cause>(search)
        })
        .await?;
        seen.insert(layer.digest, file);
    }
    let found = search.finish()?;
    // The files stay here: a thread may not live to remove them when all this is given up.
    let from = seen[&found.layer.digest].to_path_buf();
    let to = target.as_file().try_clone().map_err(Cause::file("write", target.path()))?;
    let found = blocking(move || take_out(found, &from, to)).await?;
    let (what, dialect, layer) = (found.what, found.dialect, found.layer.clone());
    Ok(Extracted { file: target, what, dialect, layer, found: Some(found), seen })
}

fn take_out(found: Found, layer: &Path, target: File) -> Result<Found, Cause> {
    let mut from = BufReader::new(File::open(layer).map_err(Cause::file("read", layer))?);
    let mut to = BufWriter::new(target);
    found.extract(&mut from, &mut to)?;
    to.flush().map_err(Cause::file("write what was found in", layer))?;
    Ok(found)
}
