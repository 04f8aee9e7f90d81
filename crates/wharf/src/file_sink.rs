//! Saves one blob as a file that appears under its name only when all of it is there and verified.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use wharf_archive::Existing;
use wharf_oci::{Descriptor, Digest, Fetch, Verifier};

use crate::Cause;
use crate::blocking::blocking;
use crate::input::digest_of_file;

/// How many pieces wait between the network and the disk.
const PIECES_AHEAD: usize = 8;

/// Fetches `blob` from `source` into the file `path`.
///
/// The bytes go to a temporary file beside it, which vanishes when this fails or is given up.
pub(crate) async fn save(source: &dyn Fetch, blob: &Descriptor, path: &Path, existing: Existing) -> Result<(), Cause> {
    refuse_existing(path, existing)?;
    let temporary = temporary_in(folder_of(path), ".wharf-")?;
    fill(&temporary, source, blob, path).await?;
    persist(temporary, path, existing)
}

/// Fails where `path` is taken, before anything is fetched for it; a device or a pipe is never replaced.
pub(crate) fn refuse_existing(path: &Path, existing: Existing) -> Result<(), Cause> {
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Cause::NoFile { path: path.to_owned() });
    }
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(Cause::Exists { path: path.to_owned() });
    }
    Ok(())
}

/// Fails where a file at `path` would have no folder to be in.
pub(crate) fn require_folder(path: &Path) -> Result<(), Cause> {
    match folder_of(path) {
        folder if folder.is_dir() => Ok(()),
        folder => Err(Cause::NoFolder { path: folder.to_owned() }),
    }
}

/// Makes a file that vanishes with the value returned, unless it is given a name.
pub(crate) fn temporary_in(folder: &Path, prefix: &str) -> Result<NamedTempFile, Cause> {
    if !folder.is_dir() {
        return Err(Cause::NoFolder { path: folder.to_owned() });
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    // The final file has the mode that any new file of this user has, not that of a secret.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The error names the random path that was tried; its kind is all that there is to know.
    builder.tempfile_in(folder).map_err(|error| Cause::file("create a file in", folder)(error.kind().into()))
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Fetches `blob` into a file that errors call `path`: one thread hashes and writes while the next pieces arrive.
async fn fill(temporary: &NamedTempFile, source: &dyn Fetch, blob: &Descriptor, path: &Path) -> Result<(), Cause> {
    let file = temporary.as_file().try_clone().map_err(Cause::file("write", path))?;
    let mut stream = source.fetch(blob, 0).await?;
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let (verifier, target) = (Verifier::new(blob), path.to_owned());
    let write = blocking(move || write_verified(receiver, file, verifier, &target));
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
    path: &Path,
) -> Result<(), Cause> {
    while let Some(piece) = pieces.blocking_recv() {
        verifier.update(&piece)?;
        file.write_all(&piece).map_err(Cause::file("write", path))?;
    }
    verifier.finish()?;
    file.sync_all().map_err(Cause::file("write", path))
}

/// Gives the finished file its name, and makes that last.
pub(crate) fn persist(temporary: NamedTempFile, path: &Path, existing: Existing) -> Result<(), Cause> {
    let persisted = match existing {
        Existing::Replace => temporary.persist(path),
        Existing::Keep => temporary.persist_noclobber(path),
    };
    match persisted {
        Ok(_) => {}
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Cause::Exists { path: path.to_owned() });
        }
        Err(failed) => return Err(Cause::file("rename the finished file to", path)(failed.error)),
    }
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Cause::file("make the name last in", folder))
}

/// Returns the digest and the size of a file that is finished, and makes its content last.
pub(crate) async fn measure(file: &NamedTempFile) -> Result<(Digest, u64), Cause> {
    let path = file.path().to_owned();
    let mut content = file.reopen().map_err(Cause::file("read", &path))?;
    blocking(move || {
        content.sync_all().map_err(Cause::file("write", &path))?;
        digest_of_file(&mut content).map_err(Cause::file("read", &path))
    })
    .await
}

/// Fetches `blob` from `source`, verified, into a file in `folder` that vanishes with the value returned.
pub(crate) async fn fetch_to_temporary(
    source: &dyn Fetch,
    blob: &Descriptor,
    folder: &Path,
) -> Result<NamedTempFile, Cause> {
    let temporary = temporary_in(folder, "wharf-")?;
    fill(&temporary, source, blob, temporary.path()).await?;
    Ok(temporary)
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
        let mut download = Box::pin(save(&Endless, &blob, &path, Existing::Replace));
        assert!(futures_util::poll!(download.as_mut()).is_pending());
        assert_eq!(names(folder.path()).len(), 2);
        drop(download);
        assert_eq!(names(folder.path()), ["file.wasm"]);
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
