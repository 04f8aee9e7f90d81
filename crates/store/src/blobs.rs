//! The blobs of a repository.

use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use wharf_oci::{ByteStream, Descriptor, Digest, Fetch};

use crate::files::{Handle, Lock};
use crate::ingest::{Draft, READ_BYTES, Verified, hash};
use crate::paths::by_digest;
use crate::receive::{Received, receive};
use crate::store::blocking;
use crate::{Error, Repository};

impl Repository {
    /// Returns the size in bytes of a blob or manifest; `None` where this repository does not have it.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let digest = digest.clone();
        self.blocking(move |it| Ok(it.shared.files.stat(&it.blob_path(&digest))?.map(|stat| stat.size))).await
    }

    /// Reads the bytes of a blob or manifest whose positions are in `range`, which lies within its size.
    ///
    /// # Errors
    /// [`Error::BlobUnknown`] and [`Error::File`]; the stream has the latter too, also where the range reaches
    /// beyond the end.
    pub async fn read_blob(&self, digest: &Digest, range: Range<u64>) -> Result<ByteStream, Error> {
        let digest = digest.clone();
        let reader = self.blocking(move |it| {
            let handle = it.open_blob(&digest)?;
            handle.seek(range.start)?;
            Ok(Reader { handle, left: range.end.saturating_sub(range.start) })
        });
        Ok(reader.await?.stream())
    }

    /// Stores a blob, hashing it as it comes, and returns its size. It appears when all of it is there and verified.
    ///
    /// More than `limit` bytes are not taken.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Content`] where the bytes are not what `digest` names, or the stream fails;
    /// [`Error::File`].
    pub async fn put_blob(&self, digest: &Digest, limit: u64, stream: ByteStream) -> Result<u64, Error> {
        let algorithm = digest.algorithm();
        let draft = self.blocking(move |it| it.shared.ingest.temporary(algorithm)).await?;
        let Received { draft, end } = receive(&self.shared, draft, limit, stream).await?;
        end?;
        let digest = digest.clone();
        self.changing(move |it| it.admit(draft.verify(&digest)?)).await
    }

    /// Removes a blob from this repository; whether it was there. A manifest is not removed as a blob.
    ///
    /// Its bytes are freed when no repository has it any more.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn delete_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let digest = digest.clone();
        self.changing(move |it| {
            let Some(_lock) = it.lock(Lock::Exclusive)? else { return Ok(false) };
            if it.shared.files.exists(&it.paths.manifest(&digest))? {
                return Ok(false);
            }
            it.remove_blob(&digest)
        })
        .await
    }

    /// Removes a blob whose bytes are no longer those that `digest` names, as a failing disk leaves it, and what would
    /// be shared of it with other repositories; whether it was so.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn remove_damaged(&self, digest: &Digest) -> Result<bool, Error> {
        let digest = digest.clone();
        self.changing(move |it| {
            let Some(_lock) = it.lock(Lock::Exclusive)? else { return Ok(false) };
            let pooled = by_digest(&it.shared.paths.blobs(), &digest);
            let mut was_damaged = false;
            for path in [it.blob_path(&digest), pooled] {
                if it.is_damaged(&path, &digest)? {
                    was_damaged |= it.shared.files.remove(&path)?;
                    it.shared.files.sync_directory(path.parent().unwrap_or(&path))?;
                }
            }
            Ok(was_damaged)
        })
        .await
    }

    /// Adds a blob that the repository `from` has, without moving its bytes; whether that has it.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn mount_blob(&self, digest: &Digest, from: &Self) -> Result<bool, Error> {
        let digest = digest.clone();
        let source = from.blob_path(&digest);
        self.changing(move |it| {
            if !it.shared.files.exists(&source)? {
                return Ok(false);
            }
            it.create()?;
            let target = it.blob_path(&digest);
            it.make_directory_of(&target)?;
            it.shared.ingest.share(&source, &target, &digest)
        })
        .await
    }

    /// Reads a blob or manifest from `offset` to its end.
    pub(crate) async fn read_blob_from(&self, digest: &Digest, offset: u64) -> Result<ByteStream, Error> {
        let digest = digest.clone();
        let reader = self.blocking(move |it| {
            let handle = it.open_blob(&digest)?;
            handle.seek(offset)?;
            let left = handle.stat()?.size.saturating_sub(offset);
            Ok(Reader { handle, left })
        });
        Ok(reader.await?.stream())
    }

    /// Stores a blob from `source`, going on from what an interrupted push left.
    pub(crate) async fn push_blob(&self, descriptor: &Descriptor, source: &dyn Fetch) -> Result<(), Error> {
        let start = self.start_push(descriptor).await?;
        let is_resumed = start.size() > 0;
        match self.complete_push(start, descriptor, source).await {
            // The bytes that were left may be the wrong ones, from another source: this one is heard in full.
            Err(Error::Content(wharf_oci::Error::Digest { .. } | wharf_oci::Error::Size { .. })) if is_resumed => {
                let start = self.start_push(descriptor).await?;
                self.complete_push(start, descriptor, source).await
            }
            outcome => outcome,
        }
    }

    async fn start_push(&self, descriptor: &Descriptor) -> Result<Draft, Error> {
        let (digest, size) = (descriptor.digest.clone(), descriptor.size);
        self.blocking(move |it| it.shared.ingest.partial(&digest, size)).await
    }

    async fn complete_push(&self, mut draft: Draft, descriptor: &Descriptor, source: &dyn Fetch) -> Result<(), Error> {
        let Descriptor { digest, size: expected, .. } = descriptor.clone();
        let mut actual = draft.size();
        if actual < expected {
            let stream = source.fetch(descriptor, actual).await?;
            let received = receive(&self.shared, draft, expected, stream).await?;
            draft = received.draft;
            actual = match received.end {
                Err(Error::TooLarge { .. }) => expected.saturating_add(1),
                end => end.map(|()| draft.size())?,
            };
        }
        self.changing(move |it| {
            if actual != expected {
                // The source says that this is all, so there is nothing to go on from.
                draft.discard();
                return Err(wharf_oci::Error::Size { digest, expected, actual }.into());
            }
            it.admit(draft.verify(&digest)?).map(drop)
        })
        .await
    }

    /// Whether a file is there and has other bytes than its digest says.
    fn is_damaged(&self, path: &Path, digest: &Digest) -> Result<bool, Error> {
        let Some(handle) = self.shared.files.open(path)? else { return Ok(false) };
        Ok(hash(&handle, digest.algorithm())?.finish() != *digest)
    }

    /// Whether this repository has the blob.
    pub(crate) fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        self.shared.files.exists(&self.blob_path(digest))
    }

    /// Makes verified bytes a blob of this repository, which comes to be with it, and returns their size.
    pub(crate) fn admit(&self, verified: Verified) -> Result<u64, Error> {
        self.create()?;
        self.link(verified)
    }

    /// As [`Repository::admit`], where the repository is there.
    ///
    /// The draft keeps its name until the end, so that all of this can be done again after a fault.
    pub(crate) fn link(&self, mut verified: Verified) -> Result<u64, Error> {
        verified.seal()?;
        let ingest = &self.shared.ingest;
        let digest = verified.digest();
        let pooled = by_digest(&self.shared.paths.blobs(), digest);
        self.make_directory_of(&pooled)?;
        ingest.share(verified.path(), &pooled, digest)?;
        let owned = self.blob_path(digest);
        self.make_directory_of(&owned)?;
        // Who has just deleted the last other copy may have taken the one in `blobs` with it; the draft is the same.
        if !ingest.share(&pooled, &owned, digest)? && !ingest.share(verified.path(), &owned, digest)? {
            let source = std::io::ErrorKind::NotFound.into();
            return Err(Error::File { operation: "link", path: verified.path().to_owned(), source });
        }
        let size = verified.size();
        verified.admitted();
        Ok(size)
    }

    /// Removes a blob whatever it is, and its bytes if no other repository has it.
    pub(crate) fn remove_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let files = &self.shared.files;
        let owned = self.blob_path(digest);
        if !files.remove(&owned)? {
            return Ok(false);
        }
        files.sync_directory(owned.parent().unwrap_or(&owned))?;
        let pooled = by_digest(&self.shared.paths.blobs(), digest);
        // A repository that links it in this instant keeps the bytes; they are then no longer shared with later ones.
        if files.stat(&pooled)?.is_some_and(|stat| stat.links == 1) {
            files.remove(&pooled)?;
        }
        Ok(true)
    }

    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<Handle, Error> {
        let handle = self.shared.files.open(&self.blob_path(digest))?;
        handle.ok_or_else(|| Error::BlobUnknown { digest: digest.clone() })
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        by_digest(&self.paths.blobs(), digest)
    }

    fn make_directory_of(&self, path: &Path) -> Result<(), Error> {
        path.parent().map_or(Ok(()), |directory| self.shared.files.make_directory(directory))
    }
}

/// Reads a file piece by piece; no thread waits while nobody asks for the next.
struct Reader {
    handle: Handle,
    left: u64,
}

impl Reader {
    fn stream(self) -> ByteStream {
        let pieces = stream::try_unfold(self, |mut reader| async move {
            if reader.left == 0 {
                return Ok(None);
            }
            blocking(move || {
                let piece = reader.next()?;
                Ok(Some((piece, reader)))
            })
            .await
            .map_err(wharf_oci::Error::from)
        });
        pieces.boxed()
    }

    fn next(&mut self) -> Result<Bytes, Error> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(READ_BYTES);
        let piece = self.handle.read(count)?;
        if piece.len() < count {
            let path = self.handle.path().to_owned();
            return Err(Error::File { operation: "read", path, source: std::io::ErrorKind::UnexpectedEof.into() });
        }
        self.left -= piece.len() as u64;
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::sync::Arc;

    use wharf_oci::{Algorithm, MediaType, MemoryStore, Push as _};

    use super::*;
    use crate::Store;
    use crate::files::Files;
    use crate::files::faults::{Fault, Faults};
    use crate::fixtures::{Counted, Fixture, Scripted, broken, pieces, put, read, run};

    const BLOB: &[u8] = b"content that comes in more than one piece";

    fn descriptor() -> Descriptor {
        Descriptor::of(MediaType::OCTET_STREAM, BLOB)
    }

    #[test]
    fn what_a_disk_has_damaged_is_removed_and_can_be_put_again() {
        run(async {
            let fixture = Fixture::new().await;
            let (one, other) = (fixture.repository("acme/one"), fixture.repository("acme/other"));
            let digest = put(&one, BLOB).await;
            assert!(!one.remove_damaged(&digest).await.unwrap(), "it is whole");
            let path = one.blob_path(&digest);
            let mut permissions = fs::metadata(&path).unwrap().permissions();
            permissions.set_mode(0o644);
            fs::set_permissions(&path, permissions).unwrap();
            fs::write(&path, &BLOB[1..]).unwrap();
            assert!(one.remove_damaged(&digest).await.unwrap());
            assert!(!one.has_blob(&digest).unwrap());
            assert!(!other.remove_damaged(&digest).await.unwrap(), "it has none");
            assert_eq!(put(&other, BLOB).await, put(&one, BLOB).await);
            let size = BLOB.len() as u64;
            assert_eq!(read(one.read_blob(&digest, 0..size).await.unwrap()).await, BLOB);
        });
    }

    #[test]
    fn a_blob_is_read_in_any_range() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let digest = put(&repository, BLOB).await;
            assert_eq!(repository.blob_size(&digest).await.unwrap(), Some(BLOB.len() as u64));
            for range in [0..0, 0..1, 3..9, 0..BLOB.len(), BLOB.len()..BLOB.len()] {
                let bytes = range.start as u64..range.end as u64;
                assert_eq!(read(repository.read_blob(&digest, bytes).await.unwrap()).await, BLOB[range]);
            }
            let mut beyond = repository.read_blob(&digest, 0..BLOB.len() as u64 + 1).await.unwrap();
            assert!(beyond.next().await.unwrap().is_err());
        });
    }

    #[test]
    fn a_large_blob_is_read_in_pieces() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let bytes: &'static [u8] = vec![7; 2 * READ_BYTES + 1].leak();
            let digest = Digest::sha256(bytes);
            let whole = stream::iter([Ok(Bytes::from_static(bytes))]).boxed();
            repository.put_blob(&digest, u64::MAX, whole).await.unwrap();
            let stream = repository.read_blob(&digest, 0..bytes.len() as u64).await.unwrap();
            let sizes: Vec<_> = stream.map(|piece| piece.unwrap().len()).collect().await;
            assert_eq!(sizes, [READ_BYTES, READ_BYTES, 1]);
        });
    }

    #[test]
    fn a_lie_or_a_broken_stream_leaves_nothing() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let digest = Digest::sha256(BLOB);
            let wrong = repository.put_blob(&digest, 1000, pieces(b"other content")).await;
            assert!(matches!(wrong, Err(Error::Content(wharf_oci::Error::Digest { read: 13, .. }))), "{wrong:?}");
            let large = repository.put_blob(&digest, BLOB.len() as u64 - 1, pieces(BLOB)).await;
            assert!(matches!(large, Err(Error::TooLarge { limit: 40 })), "{large:?}");
            let lost = repository.put_blob(&digest, 1000, broken(&BLOB[..20])).await;
            assert!(matches!(lost, Err(Error::Content(wharf_oci::Error::NotFound { .. }))), "{lost:?}");
            assert_eq!(repository.blob_size(&digest).await.unwrap(), None);
            assert!(fixture.ingest().is_empty());
            repository.put_blob(&digest, BLOB.len() as u64, pieces(BLOB)).await.unwrap();
            assert!(fixture.ingest().is_empty());
        });
    }

    #[test]
    fn a_write_that_nobody_waits_for_any_more_leaves_nothing() {
        let fixture = run(Fixture::new());
        run(async {
            let repository = fixture.repository("acme/hello");
            let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
            let mut sender = Some(sender);
            // Tells when the draft takes bytes, and then never ends.
            let stalled = pieces(BLOB).inspect(move |_| drop(sender.take())).chain(stream::pending()).boxed();
            let digest = Digest::sha256(BLOB);
            let taken = async {
                receiver.await.unwrap_err();
                assert_eq!(fixture.ingest().len(), 1);
            };
            tokio::select! {
                _ = repository.put_blob(&digest, 1000, stalled) => unreachable!("the stream does not end"),
                () = taken => {}
            }
        });
        // The end of the runtime waits for the file work.
        assert!(fixture.ingest().is_empty());
    }

    #[test]
    fn a_blob_is_seen_only_where_it_was_put() {
        run(async {
            let fixture = Fixture::new().await;
            let (one, two) = (fixture.repository("acme/one"), fixture.repository("acme/two"));
            let digest = put(&one, BLOB).await;
            assert_eq!(two.blob_size(&digest).await.unwrap(), None);
            let unknown = two.read_blob(&digest, 0..1).await.map(drop);
            assert!(matches!(unknown, Err(Error::BlobUnknown { .. })), "{unknown:?}");
            // To name a blob is not to have it.
            assert!(two.put_blob(&digest, 1000, pieces(b"")).await.is_err());
            assert!(!one.mount_blob(&digest, &two).await.unwrap());
            assert!(two.mount_blob(&digest, &one).await.unwrap());
            assert_eq!(two.blob_size(&digest).await.unwrap(), Some(BLOB.len() as u64));
        });
    }

    #[test]
    fn content_is_on_the_disk_once_and_read_only_and_goes_with_its_last_owner() {
        run(async {
            let fixture = Fixture::new().await;
            let (one, two) = (fixture.repository("acme/one"), fixture.repository("acme/two"));
            let digest = put(&one, BLOB).await;
            put(&two, BLOB).await;
            let pooled = by_digest(&fixture.path().join("blobs"), &digest);
            let metadata = fs::metadata(&pooled).unwrap();
            assert_eq!((metadata.nlink(), metadata.mode() & 0o222), (3, 0));
            assert!(one.delete_blob(&digest).await.unwrap());
            assert!(!one.delete_blob(&digest).await.unwrap());
            assert_eq!(one.blob_size(&digest).await.unwrap(), None);
            assert!(pooled.exists() && two.has_blob(&digest).unwrap());
            assert!(two.delete_blob(&digest).await.unwrap());
            assert!(!pooled.exists());
        });
    }

    #[test]
    fn where_links_cannot_be_made_bytes_are_copied_and_verified() {
        run(async {
            let fixture = Fixture::new().await;
            let files = Files { faults: Some(Arc::new(Faults::new(Fault::NoLinks, 0))) };
            let store = Store::open_with(fixture.path().to_owned(), files).await.unwrap();
            let one = store.repository(&"acme/one".parse().unwrap());
            let two = store.repository(&"acme/two".parse().unwrap());
            let digest = put(&one, BLOB).await;
            assert!(two.mount_blob(&digest, &one).await.unwrap());
            let stream = two.read_blob(&digest, 0..BLOB.len() as u64).await.unwrap();
            assert_eq!(read(stream).await, BLOB);
            assert!(fixture.ingest().is_empty());

            let owned = two.blob_path(&digest);
            let metadata = fs::metadata(&owned).unwrap();
            assert_eq!((metadata.nlink(), metadata.mode() & 0o222), (1, 0));
            fs::remove_file(&owned).unwrap();
            fs::write(&owned, "changed by the disk").unwrap();
            let three = store.repository(&"acme/three".parse().unwrap());
            assert!(three.mount_blob(&digest, &two).await.is_err());
            assert_eq!(three.blob_size(&digest).await.unwrap(), None);
        });
    }

    #[test]
    fn a_blob_that_is_put_while_its_last_owner_deletes_it_stays() {
        run(async {
            let fixture = Fixture::new().await;
            let files = Files { faults: Some(Arc::new(Faults::new(Fault::LostLink, 0))) };
            let store = Store::open_with(fixture.path().to_owned(), files).await.unwrap();
            let repository = store.repository(&"acme/hello".parse().unwrap());
            let digest = put(&repository, BLOB).await;
            assert!(!by_digest(&fixture.path().join("blobs"), &digest).exists());
            assert!(repository.has_blob(&digest).unwrap());
        });
    }

    #[test]
    fn sha512_names_are_verified_and_kept() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let digest = Digest::of(Algorithm::Sha512, BLOB);
            assert_eq!(repository.put_blob(&digest, 1000, pieces(BLOB)).await.unwrap(), BLOB.len() as u64);
            let path = fixture.path().join("repositories/acme/hello/_layout/blobs/sha512").join(digest.hex());
            assert_eq!(fs::read(path).unwrap(), BLOB);
        });
    }

    #[test]
    fn a_push_goes_on_where_it_was_interrupted() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let lost = repository.push(&descriptor(), &Scripted::new(broken(&BLOB[..21]))).await;
            assert!(matches!(lost, Err(wharf_oci::Error::NotFound { .. })), "{lost:?}");
            assert!(!repository.contains(&descriptor()).await.unwrap());
            let source = Counted::default();
            source.memory.insert(MediaType::OCTET_STREAM, BLOB);
            repository.push(&descriptor(), &source).await.unwrap();
            assert_eq!(source.asked(), BLOB.len() as u64 - 21);
            assert!(repository.contains(&descriptor()).await.unwrap());
            assert!(fixture.ingest().is_empty());
        });
    }

    #[test]
    fn wrong_bytes_of_one_source_are_not_blamed_on_the_next() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let poisoned = Scripted::new(broken(b"not what it should be"));
            repository.push(&descriptor(), &poisoned).await.unwrap_err();
            assert_eq!(fixture.ingest().len(), 1);
            let source = MemoryStore::new();
            source.insert(MediaType::OCTET_STREAM, BLOB);
            repository.push(&descriptor(), &source).await.unwrap();
            assert!(fixture.ingest().is_empty());
        });
    }

    #[test]
    fn a_push_of_the_wrong_size_or_digest_is_refused() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let long: &'static [u8] = [BLOB, b"!"].concat().leak();
            let other: &'static [u8] = vec![b'x'; BLOB.len()].leak();
            for (bytes, is_size) in [(long, true), (&BLOB[..3], true), (other, false)] {
                match repository.push(&descriptor(), &Scripted::new(pieces(bytes))).await {
                    Err(wharf_oci::Error::Size { expected: 41, .. }) => assert!(is_size),
                    Err(wharf_oci::Error::Digest { .. }) => assert!(!is_size),
                    outcome => panic!("{outcome:?}"),
                }
                assert!(!repository.contains(&descriptor()).await.unwrap());
                assert!(fixture.ingest().is_empty());
            }
        });
    }

    #[test]
    fn two_processes_push_the_same_blob_at_the_same_time() {
        run(async {
            let fixture = Fixture::new().await;
            let one = fixture.repository("acme/hello");
            let two = fixture.other_process().await.repository(&"acme/hello".parse().unwrap());
            let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
            // The first has the partial file, and waits in the midst of it for the second to be done.
            let rest = stream::once(async move {
                receiver.await.unwrap();
                Ok(Bytes::from_static(&BLOB[14..]))
            });
            let waiting = Scripted::new(pieces(&BLOB[..14]).chain(rest).boxed());
            let source = MemoryStore::new();
            let pushed = source.insert(MediaType::OCTET_STREAM, BLOB);
            let second = async {
                while fixture.ingest().is_empty() {
                    tokio::task::yield_now().await;
                }
                two.push(&pushed, &source).await.unwrap();
                assert!(two.contains(&pushed).await.unwrap());
                sender.send(()).unwrap();
            };
            let (first, ()) = futures_util::future::join(one.push(&pushed, &waiting), second).await;
            first.unwrap();
            assert!(fixture.ingest().is_empty());
            assert_eq!(read(one.fetch(&pushed, 0).await.unwrap()).await, BLOB);
        });
    }

    #[test]
    fn a_partial_file_that_a_crash_left_as_content_is_never_written_to() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let digest = put(&repository, BLOB).await;
            let owned = repository.blob_path(&digest);
            let partial = fixture.path().join("ingest").join(format!("partial-{}", crate::paths::file_name(&digest)));
            fs::hard_link(&owned, &partial).unwrap();
            let lie = Descriptor { size: BLOB.len() as u64 + 1, ..descriptor() };
            assert!(repository.push(&lie, &Scripted::new(pieces(b"!"))).await.is_err());
            assert_eq!(fs::read(&owned).unwrap(), BLOB);
        });
    }
}
