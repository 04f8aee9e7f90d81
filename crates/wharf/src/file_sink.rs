//! Files that are made here: those that stay appear under their names only when all of them is there and verified.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use wharf_archive::{Existing, files};
use wharf_oci::{Algorithm, Descriptor, Fetch, Hashed, Hashing, Verifier};

pub(crate) use wharf_archive::files::folder_of;

use crate::Cause;
use crate::blocking::blocking;

/// How many pieces wait between the network and the disk.
const PIECES_AHEAD: usize = 8;

/// Fetches `blob` from `source` into the file `path`.
///
/// The bytes go to a temporary file beside it, which vanishes when this fails or is given up.
pub(crate) async fn save(source: &dyn Fetch, blob: &Descriptor, path: &Path, existing: Existing) -> Result<(), Cause> {
    let temporary = begin(path, existing).await?;
    fill(&temporary, source, blob, Label { operation: "write", path }).await?;
    persist(temporary, path, existing).await
}

/// Makes the file that is to be `path`, beside it; it vanishes with the value returned, unless it gets its name.
///
/// Fails where the name is taken, and where there is no folder for it.
pub(crate) async fn begin(path: &Path, existing: Existing) -> Result<NamedTempFile, Cause> {
    let checked = path.to_owned();
    blocking(move || check_output(&checked, existing)).await?;
    begin_in(folder_of(path)).await
}

/// Makes a file that is to stay in `folder`, under a name that is not known yet.
pub(crate) async fn begin_in(folder: &Path) -> Result<NamedTempFile, Cause> {
    let folder = folder.to_owned();
    blocking(move || files::temporary_in(&folder).map_err(cause)).await
}

/// Fails where `path` is taken or has no folder, before anything is made or fetched for it.
pub(crate) fn check_output(path: &Path, existing: Existing) -> Result<(), Cause> {
    require_folder(folder_of(path))?;
    files::refuse_existing(path, existing).map_err(cause)
}

/// Fails where `output` is one of the files that it is made of: it would be lost.
pub(crate) fn check_inputs<'a>(output: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<(), Cause> {
    match inputs.into_iter().find(|input| is_same(input, output)) {
        Some(path) => Err(Cause::OutputIsInput { path: path.to_owned() }),
        None => Ok(()),
    }
}

/// Whether two paths lead to the same file.
#[cfg(unix)]
fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// Whether two paths lead to the same file.
#[cfg(not(unix))]
fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// Fails where there is no such folder.
pub(crate) fn require_folder(folder: &Path) -> Result<(), Cause> {
    if folder.is_dir() { Ok(()) } else { Err(Cause::NoFolder { path: folder.to_owned() }) }
}

/// Makes a file in `folder` that nobody else can read or write, and that vanishes with the value returned.
pub(crate) async fn scratch_file(folder: &Path) -> Result<NamedTempFile, Cause> {
    let folder = folder.to_owned();
    blocking(move || {
        require_folder(&folder)?;
        let made = tempfile::Builder::new().prefix("wharf-").tempfile_in(&folder);
        // The error names the random path that was tried; its kind is all that there is to know.
        made.map_err(|error| Cause::file("create a file in", &folder)(error.kind().into()))
    })
    .await
}

/// Fetches `blob` from `source`, verified, into a [`scratch_file`] in `folder`.
pub(crate) async fn fetch_to_scratch(
    source: &dyn Fetch,
    blob: &Descriptor,
    folder: &Path,
) -> Result<NamedTempFile, Cause> {
    let temporary = scratch_file(folder).await?;
    fill(&temporary, source, blob, Label { operation: "write a layer to", path: folder }).await?;
    Ok(temporary)
}

/// What an error says that is about a file with a random name.
pub(crate) struct Label<'a> {
    pub(crate) operation: &'static str,
    pub(crate) path: &'a Path,
}

/// Fetches `blob` into a file: one thread hashes and writes while the next pieces arrive.
pub(crate) async fn fill(
    temporary: &NamedTempFile,
    source: &dyn Fetch,
    blob: &Descriptor,
    label: Label<'_>,
) -> Result<(), Cause> {
    let Label { operation, path } = label;
    let file = temporary.as_file().try_clone().map_err(Cause::file(operation, path))?;
    let mut stream = source.fetch(blob, 0).await?;
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let (verifier, path) = (Verifier::new(blob), path.to_owned());
    let write = blocking(move || write_verified(receiver, file, verifier, Cause::file(operation, &path)));
    let read = async move {
        while let Some(piece) = stream.next().await.transpose()? {
            // A writer that has stopped says why itself.
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    tokio::try_join!(read, write).map(|((), ())| ())
}

fn write_verified(
    mut pieces: mpsc::Receiver<Bytes>,
    mut file: File,
    mut verifier: Verifier,
    failed: impl FnOnce(io::Error) -> Cause,
) -> Result<(), Cause> {
    while let Some(piece) = pieces.blocking_recv() {
        verifier.update(&piece)?;
        if let Err(error) = file.write_all(&piece) {
            return Err(failed(error));
        }
    }
    Ok(verifier.finish()?)
}

/// Gives the finished file its name, and makes content and name last.
pub(crate) async fn persist(temporary: NamedTempFile, path: &Path, existing: Existing) -> Result<(), Cause> {
    files::persist(temporary, path, existing).await.map_err(cause)
}

/// Returns the digest and the size of a file that is finished, and that is to be `path`.
pub(crate) async fn measure(file: &NamedTempFile, path: &Path) -> Result<Hashed, Cause> {
    let mut content = file.as_file().try_clone().map_err(Cause::file("read", path))?;
    let path = path.to_owned();
    blocking(move || {
        content
            .rewind()
            .and_then(|()| Hashing::new(Algorithm::Sha256, content).read_rest())
            .map_err(Cause::file("read", &path))
    })
    .await
}

/// What is wrong with a file is the same for whoever writes archives; what to do about it is not.
fn cause(error: wharf_archive::Error) -> Cause {
    match error {
        wharf_archive::Error::Exists { path } => Cause::Exists { path },
        wharf_archive::Error::NoFile { path } => Cause::NoFile { path },
        wharf_archive::Error::File { operation, path, source } => Cause::File { operation, path, source },
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures_util::stream;
    use wharf_oci::{ByteStream, Error, MediaType, MemoryStore};

    use super::*;

    const OLD: &[u8] = b"old";
    const NEW: &[u8] = b"new content";

    /// Gives these pieces for whatever is asked of it.
    struct Pieces(Vec<&'static [u8]>);

    #[async_trait]
    impl Fetch for Pieces {
        async fn fetch(&self, _: &Descriptor, _: u64) -> Result<ByteStream, Error> {
            let pieces: Vec<_> = self.0.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
            Ok(stream::iter(pieces).boxed())
        }
    }

    fn folder_with_file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.wasm");
        std::fs::write(&path, OLD).unwrap();
        (folder, path)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_file_that_exists_is_kept_or_replaced_as_asked() {
        let store = MemoryStore::new();
        let blob = store.insert(MediaType::WASM, NEW);
        let (folder, path) = folder_with_file();
        let kept = save(&store, &blob, &path, Existing::Keep).await;
        assert!(matches!(kept, Err(Cause::Exists { .. })), "{kept:?}");
        assert_eq!(std::fs::read(&path).unwrap(), OLD);
        save(&store, &blob, &path, Existing::Replace).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), NEW);
        assert_eq!(names(folder.path()), ["file.wasm"]);
    }

    #[tokio::test]
    async fn a_source_that_lies_leaves_the_old_file_and_nothing_else() {
        let blob = Descriptor::of(MediaType::WASM, NEW);
        for pieces in [vec![&b"new"[..]], vec![b"new ", b"kontent"], vec![NEW, b"!"], vec![]] {
            let (folder, path) = folder_with_file();
            let saved = save(&Pieces(pieces), &blob, &path, Existing::Replace).await;
            assert!(matches!(saved, Err(Cause::Content(_))), "{saved:?}");
            assert_eq!(std::fs::read(&path).unwrap(), OLD);
            assert_eq!(names(folder.path()), ["file.wasm"]);
        }
    }

    #[tokio::test]
    async fn a_download_that_is_given_up_leaves_nothing() {
        /// Gives one piece, and then waits for ever.
        struct Endless;
        #[async_trait]
        impl Fetch for Endless {
            async fn fetch(&self, _: &Descriptor, _: u64) -> Result<ByteStream, Error> {
                Ok(stream::iter([Ok(Bytes::from_static(b"new"))]).chain(stream::pending()).boxed())
            }
        }
        let blob = Descriptor::of(MediaType::WASM, NEW);
        let (folder, path) = folder_with_file();
        let has_piece =
            |name: &String| name != "file.wasm" && std::fs::read(folder.path().join(name)).unwrap() == b"new";
        let mut download = Box::pin(save(&Endless, &blob, &path, Existing::Replace));
        while !names(folder.path()).iter().any(has_piece) {
            assert!(futures_util::poll!(download.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
        drop(download);
        assert_eq!(names(folder.path()), ["file.wasm"]);
    }

    #[tokio::test]
    async fn a_file_that_it_is_made_of_is_never_replaced() {
        let (folder, path) = folder_with_file();
        let (link, other) = (folder.path().join("link"), folder.path().join("other"));
        std::fs::hard_link(&path, &link).unwrap();
        std::fs::write(&other, OLD).unwrap();
        for (output, is_input) in [(&path, true), (&link, true), (&other, false), (&folder.path().join("new"), false)] {
            let checked = check_inputs(output, [path.as_path()]);
            assert_eq!(checked.is_err(), is_input, "{checked:?}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_is_only_worked_with_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let store = MemoryStore::new();
        let blob = store.insert(MediaType::WASM, NEW);
        let folder = tempfile::tempdir().unwrap();
        let file = fetch_to_scratch(&store, &blob, folder.path()).await.unwrap();
        assert_eq!(file.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read(file.path()).unwrap(), NEW);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pulled_file_has_the_mode_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        let store = MemoryStore::new();
        let blob = store.insert(MediaType::WASM, NEW);
        let (folder, usual) = folder_with_file();
        let path = folder.path().join("pulled.wasm");
        save(&store, &blob, &path, Existing::Keep).await.unwrap();
        assert_eq!(mode(&path), mode(&usual));
    }
}
