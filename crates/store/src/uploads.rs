//! Uploads: content that comes in pieces, and whose digest is known only at the end.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use wharf_oci::{Algorithm, ByteStream, Digest, Hasher};

use crate::files::{Handle, Stat};
use crate::ingest::Draft;
use crate::receive::{Received, receive};
use crate::{Error, Repository};

/// Characters of an upload's name.
const ID_LEN: usize = 32;

/// Names an upload: 32 random hexadecimal characters, so that nobody guesses another's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId(String);

/// The text is no upload's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the name of an upload: it has 32 characters of 0-9 and a-f")]
pub struct InvalidUploadId {
    /// What was given.
    pub text: String,
}

impl FromStr for UploadId {
    type Err = InvalidUploadId;

    fn from_str(text: &str) -> Result<Self, InvalidUploadId> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != ID_LEN || !is_hex {
            return Err(InvalidUploadId { text: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Repository {
    /// Starts an upload. It is dropped when nothing was added to it for a day.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn start_upload(&self) -> Result<UploadId, Error> {
        self.blocking(|it| {
            let id = UploadId(it.shared.ingest.random()?);
            let upload = it.shared.ingest.create(&it.upload_path(&id))?;
            // Clients that never come back do so where uploads are started, so this is where theirs are looked for.
            it.shared.ingest.remove_stale(upload.stat()?.modified)?;
            Ok(id)
        })
        .await
    }

    /// Returns how many bytes an upload has; `None` where this repository has no such upload.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn upload_size(&self, id: &UploadId) -> Result<Option<u64>, Error> {
        let path = self.upload_path(id);
        self.blocking(move |it| Ok(it.shared.files.stat(&path)?.map(|stat| stat.size))).await
    }

    /// Adds bytes to an upload, which has `offset` bytes so far, and returns how many it has then.
    ///
    /// It never gets more than `limit` bytes in all. Where the stream fails or is dropped, what came before stays.
    ///
    /// # Errors
    /// [`Error::UploadUnknown`], [`Error::UploadOffset`], [`Error::UploadBusy`], [`Error::TooLarge`];
    /// [`Error::Content`] where the stream fails; [`Error::File`].
    pub async fn append_upload(
        &self,
        id: &UploadId,
        offset: u64,
        limit: u64,
        stream: ByteStream,
    ) -> Result<u64, Error> {
        let upload = id.clone();
        let draft = self.blocking(move |it| it.open_upload(&upload, offset)).await?;
        let Received { draft, end } = receive(&self.shared, draft, limit, stream).await?;
        if let Some(hasher) = draft.hasher() {
            self.shared.running.put(id, draft.size(), hasher.clone());
        }
        end.map(|()| draft.size())
    }

    /// Makes an upload a blob of this repository, and returns its size.
    ///
    /// An upload with other bytes than `digest` names is dropped.
    ///
    /// # Errors
    /// [`Error::UploadUnknown`], [`Error::UploadBusy`]; [`Error::Content`] for other bytes; [`Error::File`], after
    /// which it can be tried again unless the disk could not keep the bytes.
    pub async fn finish_upload(&self, id: &UploadId, digest: &Digest) -> Result<u64, Error> {
        let (id, digest) = (id.clone(), digest.clone());
        self.changing(move |it| {
            let handle = it.shared.files.open(&it.upload_path(&id))?;
            let handle = handle.ok_or_else(|| Error::UploadUnknown { id: id.clone() })?;
            let size = lock(&id, &handle)?.size;
            let draft = Draft::resume(handle, it.shared.running.take(&id, size), size);
            it.admit(draft.verify(&digest)?)
        })
        .await
    }

    /// Drops an upload; whether it was there.
    ///
    /// # Errors
    /// [`Error::File`].
    pub async fn cancel_upload(&self, id: &UploadId) -> Result<bool, Error> {
        let id = id.clone();
        self.blocking(move |it| {
            it.shared.running.forget(&id);
            it.shared.files.remove(&it.upload_path(&id))
        })
        .await
    }

    /// Opens an upload to add bytes to it.
    fn open_upload(&self, id: &UploadId, offset: u64) -> Result<Draft, Error> {
        let files = &self.shared.files;
        let unknown = || Error::UploadUnknown { id: id.clone() };
        let path = self.upload_path(id);
        // To open such a file fails in a way that does not say why, but not for root.
        if files.stat(&path)?.ok_or_else(unknown)?.is_read_only {
            return Err(Error::UploadBusy { id: id.clone() });
        }
        let handle = files.open_to_append(&path)?.ok_or_else(unknown)?;
        let stat = lock(id, &handle)?;
        if stat.is_read_only || stat.links > 1 {
            // Its bytes are about to be content, or are.
            return Err(Error::UploadBusy { id: id.clone() });
        }
        let size = stat.size;
        if size != offset {
            return Err(Error::UploadOffset { id: id.clone(), expected: size, actual: offset });
        }
        let running = self.shared.running.take(id, size);
        let hasher = running.or_else(|| (size == 0).then(|| Hasher::new(Algorithm::Sha256)));
        Ok(Draft::resume(handle, hasher, size))
    }

    /// The name ties an upload to its repository: another does not find it.
    fn upload_path(&self, id: &UploadId) -> PathBuf {
        let repository = Digest::sha256(self.name().as_str().as_bytes());
        self.shared.ingest.upload_path(&format!("{id}-{}", repository.hex()))
    }
}

/// Locks an upload against all others, and tells of its file.
fn lock(id: &UploadId, handle: &Handle) -> Result<Stat, Error> {
    if !handle.try_lock()? {
        return Err(Error::UploadBusy { id: id.clone() });
    }
    let stat = handle.stat()?;
    // Who had the lock before may have finished or dropped it.
    if stat.links == 0 { Err(Error::UploadUnknown { id: id.clone() }) } else { Ok(stat) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::{StreamExt as _, stream};

    use super::*;
    use crate::Store;
    use crate::files::Files;
    use crate::files::faults::{Fault, Faults};
    use crate::fixtures::{Fixture, broken, pieces, read, run};

    const BLOB: &[u8] = b"content that comes in more than one piece";

    #[test]
    fn what_is_no_upload_is_refused() {
        let good = "0123456789abcdef0123456789abcdef";
        assert_eq!(good.parse::<UploadId>().unwrap().to_string(), good);
        for text in ["", "0123", "../../../../../../../etc/passwd0", "0123456789ABCDEF0123456789ABCDEF"] {
            assert_eq!(text.parse::<UploadId>(), Err(InvalidUploadId { text: text.to_owned() }));
        }
    }

    #[test]
    fn an_upload_in_pieces_becomes_a_blob_under_either_algorithm() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            for algorithm in Algorithm::ALL {
                let id = repository.start_upload().await.unwrap();
                assert_eq!(repository.upload_size(&id).await.unwrap(), Some(0));
                assert_eq!(repository.append_upload(&id, 0, 1000, pieces(&BLOB[..10])).await.unwrap(), 10);
                assert_eq!(repository.append_upload(&id, 10, 1000, pieces(&BLOB[10..])).await.unwrap(), 41);
                let digest = Digest::of(algorithm, BLOB);
                assert_eq!(repository.finish_upload(&id, &digest).await.unwrap(), 41);
                assert_eq!(read(repository.read_blob(&digest, 0..41).await.unwrap()).await, BLOB);
                let again = repository.finish_upload(&id, &digest).await;
                assert!(matches!(again, Err(Error::UploadUnknown { .. })), "{again:?}");
            }
            assert!(fixture.ingest().is_empty());
        });
    }

    #[test]
    fn another_process_goes_on_with_an_upload() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let id = repository.start_upload().await.unwrap();
            repository.append_upload(&id, 0, 1000, pieces(&BLOB[..10])).await.unwrap();
            let other = fixture.other_process().await.repository(repository.name());
            other.append_upload(&id, 10, 1000, pieces(&BLOB[10..])).await.unwrap();
            // The first process knows the hash of 10 bytes only, and must not use it for all.
            assert_eq!(repository.finish_upload(&id, &Digest::sha256(BLOB)).await.unwrap(), 41);
        });
    }

    #[test]
    fn bytes_go_only_where_the_upload_ends() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let id = repository.start_upload().await.unwrap();
            repository.append_upload(&id, 0, 1000, pieces(&BLOB[..10])).await.unwrap();
            for offset in [0, 9, 11] {
                let refused = repository.append_upload(&id, offset, 1000, pieces(BLOB)).await;
                assert!(
                    matches!(refused, Err(Error::UploadOffset { expected: 10, actual, .. }) if actual == offset),
                    "{refused:?}"
                );
            }
            assert_eq!(repository.upload_size(&id).await.unwrap(), Some(10));
        });
    }

    #[test]
    fn what_came_before_a_lost_connection_stays_and_the_limit_holds_for_all() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let id = repository.start_upload().await.unwrap();
            repository.append_upload(&id, 0, 1000, broken(&BLOB[..10])).await.unwrap_err();
            assert_eq!(repository.upload_size(&id).await.unwrap(), Some(10));
            let large = repository.append_upload(&id, 10, 40, pieces(&BLOB[10..])).await;
            assert!(matches!(large, Err(Error::TooLarge { limit: 40 })), "{large:?}");
            let size = repository.upload_size(&id).await.unwrap().unwrap();
            assert!((10..=40).contains(&size), "{size}");
            let rest = usize::try_from(size).unwrap();
            repository.append_upload(&id, size, 41, pieces(&BLOB[rest..])).await.unwrap();
            repository.finish_upload(&id, &Digest::sha256(BLOB)).await.unwrap();
        });
    }

    #[test]
    fn an_upload_with_other_bytes_than_its_digest_is_dropped() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let id = repository.start_upload().await.unwrap();
            repository.append_upload(&id, 0, 1000, pieces(b"other")).await.unwrap();
            let wrong = repository.finish_upload(&id, &Digest::sha256(BLOB)).await;
            assert!(matches!(wrong, Err(Error::Content(wharf_oci::Error::Digest { read: 5, .. }))), "{wrong:?}");
            assert_eq!(repository.upload_size(&id).await.unwrap(), None);
            assert_eq!(repository.blob_size(&Digest::sha256(BLOB)).await.unwrap(), None);
        });
    }

    #[test]
    fn an_upload_that_the_disk_could_not_keep_is_dropped() {
        run(async {
            let fixture = Fixture::new().await;
            let name = "acme/hello".parse().unwrap();
            fixture.store.repository(&name).create().unwrap();
            let operations = ["create", "write", "protect", "sync"];
            let faults = Arc::new(Faults::new(Fault::DiskFull, operations.len()));
            let files = Files { faults: Some(Arc::clone(&faults)) };
            let store = Store::open_with(fixture.path().to_owned(), files).await.unwrap();
            let repository = store.repository(&name);
            let id = repository.start_upload().await.unwrap();
            repository.append_upload(&id, 0, 1000, pieces(b"wharf")).await.unwrap();
            let digest = Digest::sha256(b"wharf");
            let failed = repository.finish_upload(&id, &digest).await;
            assert!(matches!(failed, Err(Error::File { operation: "sync", .. })), "{failed:?}");
            assert_eq!(faults.changes()[..operations.len()], operations);
            assert_eq!(repository.upload_size(&id).await.unwrap(), None);
            assert_eq!(repository.blob_size(&digest).await.unwrap(), None);
        });
    }

    #[test]
    fn an_upload_belongs_to_its_repository() {
        run(async {
            let fixture = Fixture::new().await;
            let (repository, other) = (fixture.repository("acme/hello"), fixture.repository("acme/other"));
            let id = repository.start_upload().await.unwrap();
            assert_eq!(other.upload_size(&id).await.unwrap(), None);
            let stolen = other.append_upload(&id, 0, 1000, pieces(BLOB)).await;
            assert!(matches!(stolen, Err(Error::UploadUnknown { .. })), "{stolen:?}");
            assert!(!other.cancel_upload(&id).await.unwrap());
            assert!(repository.cancel_upload(&id).await.unwrap());
            assert!(!repository.cancel_upload(&id).await.unwrap());
        });
    }

    #[test]
    fn an_upload_takes_bytes_from_one_request_at_a_time() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let other = fixture.other_process().await.repository(repository.name());
            let id = repository.start_upload().await.unwrap();
            let (started, starts) = tokio::sync::oneshot::channel::<()>();
            // Tells that it is asked for bytes, and then never gives any.
            let stalled = stream::once(async move { drop(started) }).flat_map(|()| stream::pending()).boxed();
            let others = async {
                starts.await.unwrap_err();
                for repository in [&repository, &other] {
                    let second = repository.append_upload(&id, 0, 1000, pieces(BLOB)).await;
                    assert!(matches!(second, Err(Error::UploadBusy { .. })), "{second:?}");
                    let finish = repository.finish_upload(&id, &Digest::sha256(b"")).await;
                    assert!(matches!(finish, Err(Error::UploadBusy { .. })), "{finish:?}");
                }
            };
            tokio::select! {
                _ = repository.append_upload(&id, 0, 1000, stalled) => unreachable!("the stream does not end"),
                () = others => {}
            }
        });
    }

    #[test]
    fn bytes_that_are_content_or_about_to_be_are_not_added_to() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let leave: [fn(&std::path::Path, PathBuf); 2] = [
                |upload, blob| std::fs::hard_link(upload, blob).unwrap(),
                |upload, _| {
                    let mut permissions = std::fs::metadata(upload).unwrap().permissions();
                    permissions.set_readonly(true);
                    std::fs::set_permissions(upload, permissions).unwrap();
                },
            ];
            for left_by_a_crash in leave {
                let id = repository.start_upload().await.unwrap();
                repository.append_upload(&id, 0, 1000, pieces(BLOB)).await.unwrap();
                let path = repository.upload_path(&id);
                left_by_a_crash(&path, fixture.path().join("blobs/linked"));
                let refused = repository.append_upload(&id, 41, 1000, pieces(b"!")).await;
                assert!(matches!(refused, Err(Error::UploadBusy { .. })), "{refused:?}");
                assert_eq!(std::fs::read(path).unwrap(), BLOB);
                assert_eq!(repository.finish_upload(&id, &Digest::sha256(BLOB)).await.unwrap(), 41);
            }
        });
    }

    #[test]
    fn an_upload_that_is_dropped_while_another_waits_for_it_is_unknown() {
        run(async {
            let fixture = Fixture::new().await;
            let repository = fixture.repository("acme/hello");
            let id = repository.start_upload().await.unwrap();
            let handle = repository.shared.files.open(&repository.upload_path(&id)).unwrap().unwrap();
            repository.cancel_upload(&id).await.unwrap();
            assert!(matches!(lock(&id, &handle), Err(Error::UploadUnknown { .. })));
        });
    }
}
