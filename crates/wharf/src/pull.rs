//! `pull`: fetches the Wasm of an artifact, or a provider archive, into a file.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use wharf_artifact::cncf::TITLE;
use wharf_artifact::dialect::{Dialect, Place as Inside};
use wharf_artifact::provider::Packaging;
use wharf_artifact::search::What;
use wharf_client::Client;
use wharf_oci::{Digest, Hashed, Progress, Watched};

use crate::blocking::blocking;
use crate::extract::{Workspace, chosen, extract_into};
use crate::file_sink::{begin_in, measure, persist, save};
use crate::input::ProviderFile;
use crate::locate::{Artifact, Choice, locate};
use crate::output::Output;
use crate::place::Place;
use crate::{Cause, Error, Existing, Location, Surroundings};

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
    /// Where temporary files go, and what time it is.
    pub surroundings: Surroundings,
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
    let (path, existing) = (options.output.clone(), options.existing);
    let output = blocking(move || Output::check(path, existing)).await?;
    let place = Place::open(client, &options.from).await?;
    let artifact = locate(&place, &options.choice).await?;
    let is_provider = artifact.located.dialect == Dialect::WasmcloudProvider;
    let (path, wasm_digest, size) = match &artifact.located.place {
        Inside::Layer(_) | Inside::Choice(_) if !is_provider => {
            save_layer(&place, &artifact, &output, options, progress).await?
        }
        _ => save_found(&place, &artifact, &output, options, progress).await?,
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
    output: &Output,
    options: &PullOptions,
    progress: &Arc<dyn Progress>,
) -> Result<(PathBuf, Digest, u64), Cause> {
    let layer = chosen(place, artifact, artifact.located.place.whole_layers(), &options.choice).await?;
    let title = layer.annotations.get(TITLE).map(String::as_str);
    let path = output.path(|| file_name(title, &options.from, "wasm"));
    save(&Watched { source: place.content(), progress }, layer, &path, options.existing).await?;
    progress.finished(layer);
    Ok((path, layer.digest.clone(), layer.size))
}

/// Saves what has to be looked for, or put together, once it is there.
async fn save_found(
    place: &Place,
    artifact: &Artifact,
    output: &Output,
    options: &PullOptions,
    progress: &Arc<dyn Progress>,
) -> Result<(PathBuf, Digest, u64), Cause> {
    let Surroundings { scratch, now } = &options.surroundings;
    // It is renamed where it is to stand, so that it must not come from another file system.
    let target = begin_in(output.folder()).await?;
    let workspace = Workspace { target, scratch };
    let extracted = extract_into(place, artifact, &options.choice, workspace, progress).await?;
    let end = match extracted.what {
        What::Wasm => "wasm",
        What::Text => "wat",
        // It holds native code: what is not signed, or not what was signed, gets no name.
        What::Provider => match ProviderFile::open(extracted.file.path().to_owned(), *now).await?.provider.packaging {
            Packaging::Plain => "par",
            Packaging::Gzip => "par.gz",
        },
    };
    let path = output.path(|| file_name(extracted.name(), &options.from, end));
    let Hashed { digest, size } = measure(&extracted.file, &path).await?;
    persist(extracted.file, &path, options.existing).await?;
    Ok((path, digest, size))
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
