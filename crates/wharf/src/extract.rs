//! Takes the Wasm out of an artifact, wherever it is in there, into a file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
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
use crate::file_sink::{fetch_to_temporary, temporary_in};
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

/// Takes the Wasm, or the provider archive, out of an artifact, into a file in `folder`.
pub(crate) async fn extract(
    place: &Place,
    artifact: &Artifact,
    choice: &Choice,
    folder: &Path,
    progress: &Arc<dyn Progress>,
) -> Result<Extracted, Cause> {
    let located = &artifact.located;
    let (layer, file) = match &located.place {
        Inside::Search(search) => return look(place, search.clone(), folder, progress).await,
        Inside::Chunks(chunks) => (chunks[0].clone(), join(place, chunks, folder, progress).await?),
        Inside::Layer(_) | Inside::Choice(_) => {
            let layer = layer(place, artifact, choice).await?.clone();
            let file = fetch_to_temporary(&Watched { source: place.content(), progress }, &layer, folder).await?;
            progress.finished(&layer);
            (layer, file)
        }
    };
    let what = if located.dialect == Dialect::WasmcloudProvider { What::Provider } else { What::Wasm };
    Ok(Extracted { file, what, dialect: located.dialect, layer, found: None, seen: Seen::new() })
}

/// Returns the one layer that is the Wasm, where it is one; of several, the one that was chosen.
pub(crate) async fn layer<'a>(place: &Place, artifact: &'a Artifact, choice: &Choice) -> Result<&'a Descriptor, Cause> {
    let layers = match &artifact.located.place {
        Inside::Layer(layer) => std::slice::from_ref(layer),
        Inside::Choice(layers) | Inside::Chunks(layers) => layers.as_slice(),
        Inside::Search(search) => search.layers(),
    };
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

/// Fetches layers that are one file in parts.
async fn join(
    place: &Place,
    chunks: &[Descriptor],
    folder: &Path,
    progress: &Arc<dyn Progress>,
) -> Result<NamedTempFile, Cause> {
    let source = Watched { source: place.content(), progress };
    let mut whole = temporary_in(folder, ".wharf-")?;
    let bytes = chunks.iter().map(|chunk| chunk.size).fold(0, u64::saturating_add);
    if bytes > FETCHED_BYTES_MAX {
        return Err(Cause::TooMuchToFetch { bytes, limit: FETCHED_BYTES_MAX });
    }
    for chunk in chunks {
        let part = fetch_to_temporary(&source, chunk, folder).await?;
        progress.finished(chunk);
        whole = blocking(move || {
            let mut part = part.reopen().map_err(Cause::file("read", part.path()))?;
            io::copy(&mut part, &mut whole).map_err(Cause::file("write", whole.path()))?;
            Ok::<_, Cause>(whole)
        })
        .await?;
    }
    Ok(whole)
}

/// The layers that a search has seen, each in a file.
pub(crate) type Seen = HashMap<Digest, TempPath>;

/// Looks into one layer after the other until the Wasm is found.
async fn look(
    place: &Place,
    mut search: Search,
    folder: &Path,
    progress: &Arc<dyn Progress>,
) -> Result<Extracted, Cause> {
    let source = Watched { source: place.content(), progress };
    let mut seen = Seen::new();
    let mut bytes: u64 = 0;
    while let Some(index) = search.wants() {
        let layer = search.layers()[index].clone();
        bytes = bytes.saturating_add(layer.size);
        if bytes > FETCHED_BYTES_MAX {
            return Err(Cause::TooMuchToFetch { bytes, limit: FETCHED_BYTES_MAX });
        }
        let file = fetch_to_temporary(&source, &layer, folder).await?.into_temp_path();
        progress.finished(&layer);
        let opened = File::open(&file).map_err(Cause::file("read", &file))?;
        search = blocking(move || {
            search.look(index, &mut BufReader::new(opened))?;
            Ok::<_, Cause>(search)
        })
        .await?;
        seen.insert(layer.digest, file);
    }
    let found = search.finish()?;
    let target = temporary_in(folder, ".wharf-")?;
    blocking(move || take_out(found, seen, target)).await
}

fn take_out(found: Found, seen: Seen, target: NamedTempFile) -> Result<Extracted, Cause> {
    let layer = &seen[&found.layer.digest];
    let mut from = BufReader::new(File::open(layer).map_err(Cause::file("read", layer))?);
    let mut to = BufWriter::new(target.as_file());
    found.extract(&mut from, &mut to)?;
    to.flush().map_err(Cause::file("write", target.path()))?;
    drop(to);
    let (what, dialect, layer) = (found.what, found.dialect, found.layer.clone());
    Ok(Extracted { file: target, what, dialect, layer, found: Some(found), seen })
}
