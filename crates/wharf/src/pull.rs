//! `pull`: fetches the Wasm of an artifact into a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wharf_artifact::cncf::TITLE;
use wharf_client::Client;
use wharf_oci::{Descriptor, Digest, Progress, Reference, Watched};

use crate::file_sink::{refuse_existing, save};
use crate::locate::{locate, repository};
use crate::{Cause, Error, Existing};

/// What to pull, and where it goes.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// The artifact.
    pub reference: Reference,
    /// The file, or a folder to put it in under its own name; the current folder where none is given.
    pub output: Option<PathBuf>,
    /// What to do with a file that is there already.
    pub existing: Existing,
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PullOutcome {
    /// The artifact, pinned: `host/repository@digest`.
    pub reference: String,
    /// The digest of the manifest that the reference named.
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
    fetch(client, options, progress)
        .await
        .map_err(|source| Error::Pull { reference: options.reference.clone(), source })
}

async fn fetch(client: &Client, options: &PullOptions, progress: &Arc<dyn Progress>) -> Result<PullOutcome, Cause> {
    let PullOptions { reference, output, existing } = options;
    if let Some(path) = output.as_deref().filter(|path| !is_folder(path)) {
        refuse_existing(path, *existing)?;
    }
    let repository = repository(client, reference);
    let artifact = locate(&repository, reference).await?;
    let wasm = &artifact.located.wasm;
    let path = match output {
        Some(path) if is_folder(path) => path.join(file_name(wasm, reference)),
        Some(path) => path.clone(),
        None => file_name(wasm, reference).into(),
    };
    save(&Watched { source: &repository, progress }, wasm, &path, *existing).await?;
    progress.finished(wasm);
    Ok(PullOutcome {
        reference: reference.with_digest(artifact.root.digest().clone()).to_string(),
        digest: artifact.root.digest().clone(),
        path,
        wasm_digest: wasm.digest.clone(),
        size: wasm.size,
    })
}

/// Whether a path means the folder to put the file in.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::MAIN_SEPARATOR)
}

/// Returns the name that the layer gives its file, if it is a plain one; else the repository's last part.
///
/// The title comes from the registry: it must not reach another folder, hide the file, or speak to the terminal.
fn file_name(layer: &Descriptor, reference: &Reference) -> String {
    let is_plain = |name: &str| {
        let has_strange = name.contains(['/', '\\', ':']) || name.chars().any(char::is_control);
        !name.is_empty() && name.len() <= 255 && !name.starts_with(['.', '-']) && !has_strange
    };
    match layer.annotations.get(TITLE).filter(|title| is_plain(title)) {
        Some(title) => title.clone(),
        None => {
            let repository = reference.repository().as_str();
            format!("{}.wasm", repository.rsplit('/').next().unwrap_or(repository))
        }
    }
}

#[cfg(test)]
mod tests {
    use wharf_oci::MediaType;

    use super::*;

    #[test]
    fn a_title_names_the_file_only_if_it_is_a_plain_name() {
        let reference: Reference = "ghcr.io/acme/hello:1".parse().unwrap();
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
            let layer = Descriptor::of(MediaType::WASM, b"").with_annotation(TITLE, title);
            assert_eq!(file_name(&layer, &reference), expected, "{title:?}");
        }
    }
}
