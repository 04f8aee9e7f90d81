//! `pull`: fetches the Wasm of an artifact, or a provider archive, into a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wharf_artifact::cncf::TITLE;
use wharf_artifact::dialect::{Dialect, Place as Inside};
use wharf_artifact::search::What;
use wharf_client::Client;
use wharf_oci::{Digest, Progress, Watched};

use crate::extract::{Extracted, extract, layer};
use crate::file_sink::{folder_of, measure, persist, refuse_existing, save};
use crate::input::ProviderFile;
use crate::locate::{Artifact, Choice, locate};
use crate::place::Place;
use crate::{Cause, Error, Existing, Location};

/// What to pull, and where it goes.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// Where the artifact is.
    pub from: Location,
    /// The file, or a folder to put it in under its own name; the current folder where none is given.
    pub output: Option<PathBuf>,
    /// What to do with a file that is there already.
    pub existing: Existing,
    /// Which Wasm is meant where there are several.
    pub choice: Choice,
    /// The time in seconds since 1970, at which the claims of a provider have to hold.
    pub now: u64,
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PullOutcome {
    /// The artifact, pinned: `host/repository@digest`.
    pub reference: String,
    /// The digest of the manifest that the location names.
    pub digest: Digest,
    /// The file that holds the Wasm now.
    pub path: PathBuf,
    /// The digest of the file.
    pub wasm_digest: Digest,
    /// The size of the file in bytes.
    pub size: u64,
}

/// Fetches the Wasm of an artifact into a file, which appears when all of it was verified.
///
/// # Errors
/// [`Error::Pull`]. The file is then as it was before.
pub async fn pull(client: &Client, options: &PullOptions, progress: &Arc<dyn Progress>) -> Result<PullOutcome, Error> {
    fetch(client, options, progress).await.map_err(|source| Error::Pull { from: options.from.clone(), source })
}

async fn fetch(client: &Client, options: &PullOptions, progress: &Arc<dyn Progress>) -> Result<PullOutcome, Cause> {
    if let Some(path) = options.output.as_deref().filter(|path| !is_folder(path)) {
        refuse_existing(path, options.existing)?;
    }
    let place = Place::open(client, &options.from).await?;
    let artifact = locate(&place, &options.choice).await?;
    let is_provider = artifact.located.dialect == Dialect::WasmcloudProvider;
    let (path, wasm_digest, size) = match &artifact.located.place {
        Inside::Layer(_) | Inside::Choice(_) if !is_provider => {
            save_layer(&place, &artifact, options, progress).await?
        }
        _ => save_found(&place, &artifact, options, progress).await?,
    };
    Ok(PullOutcome {
        reference: options.from.with_digest(artifact.root.digest().clone()).to_string(),
        digest: artifact.root.digest().clone(),
        path,
        wasm_digest,
        size,
    })
}

/// Saves a layer as it is, and verifies it as it comes.
async fn save_layer(
    place: &Place,
    artifact: &Artifact,
    options: &PullOptions,
    progress: &Arc<dyn Progress>,
) -> Result<(PathBuf, Digest, u64), Cause> {
    let layer = layer(place, artifact, &options.choice).await?;
    let path = target(options, layer.annotations.get(TITLE).map(String::as_str), "wasm");
    save(&Watched { source: place.content(), progress }, layer, &path, options.existing).await?;
    progress.finished(layer);
    Ok((path, layer.digest.clone(), layer.size))
}

/// Saves what has to be looked for, or put together, once it is there.
async fn save_found(
    place: &Place,
    artifact: &Artifact,
    options: &PullOptions,
    progress: &Arc<dyn Progress>,
) -> Result<(PathBuf, Digest, u64), Cause> {
    // It is renamed where it is to stand, so that it must not come from another file system.
    let folder = match &options.output {
        Some(path) if is_folder(path) => path.as_path(),
        Some(path) => folder_of(path),
        None => Path::new("."),
    };
    let extracted = extract(place, artifact, &options.choice, folder, progress).await?;
    let end = match extracted.what {
        What::Wasm => "wasm",
        What::Text => "wat",
        What::Provider => "par.gz",
    };
    let path = target(options, extracted.name(), end);
    let Extracted { file, what, .. } = extracted;
    if what == What::Provider {
        // It holds native code: what is not signed, or not what was signed, gets no name.
        ProviderFile::open(file.path().to_owned(), options.now).await?;
    }
    let (digest, size) = measure(&file).await?;
    persist(file, &path, options.existing)?;
    Ok((path, digest, size))
}

/// Returns the file to write: the one that was asked for, or one of this name in the folder that was asked for.
fn target(options: &PullOptions, name: Option<&str>, end: &str) -> PathBuf {
    let own = || file_name(name, &options.from, end);
    match &options.output {
        Some(path) if is_folder(path) => path.join(own()),
        Some(path) => path.clone(),
        None => own().into(),
    }
}

/// Whether a path means the folder to put the file in.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::MAIN_SEPARATOR)
}

/// Returns the name that the artifact gives its file, if it is a plain one; else that of the repository or archive.
///
/// The name comes from elsewhere: it must not reach another folder, hide the file, or speak to the terminal.
fn file_name(name: Option<&str>, from: &Location, end: &str) -> String {
    let is_plain = |name: &&str| {
        let has_strange = name.contains(['/', '\\', ':']) || name.chars().any(char::is_control);
        !name.is_empty() && name.len() <= 255 && !name.starts_with(['.', '-']) && !has_strange
    };
    if let Some(name) = name.filter(is_plain) {
        return name.to_owned();
    }
    let stem = match from {
        Location::Registry(reference) => reference.repository().as_str().rsplit('/').next().map(str::to_owned),
        Location::Local(local) => local.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
    };
    format!("{}.{end}", stem.unwrap_or_else(|| "artifact".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_the_file_only_if_it_is_a_plain_name() {
        let from: Location = "ghcr.io/acme/hello:1".parse().unwrap();
        for (title, expected) in [
            ("hello-1.wasm", "hello-1.wasm"),
            ("../../etc/passwd", "hello.wasm"),
            ("/etc/passwd", "hello.wasm"),
            ("C:\\x.wasm", "hello.wasm"),
            (".bashrc", "hello.wasm"),
            ("-rf", "hello.wasm"),
            ("a\u{1b}[2Jb", "hello.wasm"),
            ("", "hello.wasm"),
        ] {
            assert_eq!(file_name(Some(title), &from, "wasm"), expected, "{title:?}");
        }
        let archive: Location = "oci-archive:out/hello.tar".parse().unwrap();
        assert_eq!(file_name(None, &archive, "par.gz"), "hello.par.gz");
    }
}
