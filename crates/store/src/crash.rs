//! Stops each operation at each of its file operations, and looks at what is left.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use wharf_oci::{Descriptor, Digest, Manifest, MediaType, MemoryStore, Push as _};

use crate::files::Files;
use crate::files::faults::{Fault, Faults};
use crate::fixtures::{manifest, pieces, read, referrer, run};
use crate::{Error, Repository, Store};

const BLOB: &[u8] = b"content that comes in more than one piece";

type Work = fn(Repository) -> BoxFuture<'static, Result<(), Error>>;

/// An operation, with what has to be there before it.
struct Case {
    before: Work,
    operation: Work,
    /// Checks what the operation was for, when it succeeded.
    after: Work,
}

fn nothing(_: Repository) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(async { Ok(()) })
}

fn put_signed(repository: Repository) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(async move { repository.put_manifest(&signed()).await })
}

fn put_tagged(repository: Repository) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(async move {
        put_signed(repository.clone()).await?;
        repository.put_tag(&"other".parse().unwrap(), signed().digest()).await?;
        repository.put_tag(&"tag".parse().unwrap(), signed().digest()).await
    })
}

fn has_blob(repository: Repository) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(async move {
        let stream = repository.read_blob(&Digest::sha256(BLOB), 0..BLOB.len() as u64).await?;
        assert_eq!(read(stream).await, BLOB);
        Ok(())
    })
}

fn signed() -> Manifest {
    referrer("signature", &manifest("subject"))
}

fn stopped_everywhere(case: &Case) {
    for fault in [Fault::Crash, Fault::DiskFull] {
        let mut at = 1;
        while run(stopped_once(case, fault, at)) {
            at += 1;
        }
        assert!(at > 3, "an operation with {at} changes of files is none, so they are not counted");
    }
}

/// Runs the operation with a fault; whether the fault was reached.
async fn stopped_once(case: &Case, fault: Fault, at: usize) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let name = "acme/hello".parse().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    (case.before)(store.repository(&name)).await.unwrap();

    let faults = Arc::new(Faults::new(fault, at));
    let files = Files { faults: Some(Arc::clone(&faults)) };
    if let Ok(store) = Store::open_with(directory.path().to_owned(), files).await {
        let outcome = (case.operation)(store.repository(&name)).await;
        assert!(outcome.is_ok() || faults.struck(), "{outcome:?}");
    }

    let store = Store::open(directory.path()).await.unwrap();
    let context = format!("{fault:?} at file operation {at}");
    assert_sound(directory.path(), &store, &context).await;
    let repeated = (case.operation)(store.repository(&name)).await;
    assert!(repeated.is_ok(), "{context}: {repeated:?}");
    (case.after)(store.repository(&name)).await.expect(&context);
    assert_sound(directory.path(), &store, &context).await;
    faults.struck()
}

async fn assert_sound(root: &Path, store: &Store, context: &str) {
    for directory in [root.join("blobs"), root.join("repositories/acme/hello/_layout/blobs")] {
        assert_named_by_content(&directory, context);
    }
    for name in store.repositories().await.unwrap() {
        let repository = store.repository(&name);
        for tag in repository.tags(None, usize::MAX).await.unwrap() {
            let descriptor = repository.resolve_tag(&tag).await.unwrap().expect(context);
            assert!(repository.manifest(&descriptor.digest).await.unwrap().is_some(), "{context}: {tag}");
        }
        let referrers = repository.referrers(manifest("subject").digest()).await.unwrap();
        for descriptor in referrers {
            assert!(repository.manifest(&descriptor.digest).await.unwrap().is_some(), "{context}: {descriptor:?}");
        }
    }
}

fn assert_named_by_content(directory: &Path, context: &str) {
    let Ok(algorithms) = std::fs::read_dir(directory) else { return };
    for algorithm in algorithms {
        for blob in std::fs::read_dir(algorithm.unwrap().path()).unwrap() {
            let path = blob.unwrap().path();
            let digest = Digest::sha256(&std::fs::read(&path).unwrap());
            assert_eq!(path.file_name().unwrap().to_str(), Some(digest.hex()), "{context}");
        }
    }
}

#[test]
fn a_store_can_be_opened_after_a_fault_anywhere() {
    for fault in [Fault::Crash, Fault::DiskFull] {
        for at in 1.. {
            let root = tempfile::tempdir().unwrap();
            let faults = Arc::new(Faults::new(fault, at));
            let files = Files { faults: Some(Arc::clone(&faults)) };
            let opened = run(Store::open_with(root.path().join("new/store"), files));
            assert_eq!(opened.is_ok(), !faults.struck(), "{fault:?} at file operation {at}");
            run(Store::open(root.path().join("new/store"))).unwrap();
            if opened.is_ok() {
                break;
            }
        }
    }
}

#[test]
fn a_blob_can_be_put_after_a_fault_anywhere() {
    let operation: Work = |repository| {
        Box::pin(async move { repository.put_blob(&Digest::sha256(BLOB), 1000, pieces(BLOB)).await.map(drop) })
    };
    stopped_everywhere(&Case { before: nothing, operation, after: has_blob });
}

#[test]
fn a_blob_can_be_pushed_after_a_fault_anywhere() {
    let operation: Work = |repository| {
        Box::pin(async move {
            let source = MemoryStore::new();
            let descriptor = source.insert(MediaType::OCTET_STREAM, BLOB);
            Ok(repository.push(&descriptor, &source).await.map(drop)?)
        })
    };
    stopped_everywhere(&Case { before: nothing, operation, after: has_blob });
}

#[test]
fn a_blob_can_be_uploaded_after_a_fault_anywhere() {
    let operation: Work = |repository| {
        Box::pin(async move {
            let id = repository.start_upload().await?;
            let size = repository.append_upload(&id, 0, 1000, pieces(&BLOB[..9])).await?;
            repository.append_upload(&id, size, 1000, pieces(&BLOB[9..])).await?;
            repository.finish_upload(&id, &Digest::sha256(BLOB)).await.map(drop)
        })
    };
    stopped_everywhere(&Case { before: nothing, operation, after: has_blob });
}

#[test]
fn a_blob_can_be_mounted_after_a_fault_anywhere() {
    let before: Work = |repository| {
        Box::pin(async move {
            let other = repository.sibling("acme/other");
            other.put_blob(&Digest::sha256(BLOB), 1000, pieces(BLOB)).await.map(drop)
        })
    };
    let operation: Work = |repository| {
        Box::pin(async move {
            let other = repository.sibling("acme/other");
            assert!(repository.mount_blob(&Digest::sha256(BLOB), &other).await?);
            Ok(())
        })
    };
    stopped_everywhere(&Case { before, operation, after: has_blob });
}

#[test]
fn a_blob_can_be_deleted_after_a_fault_anywhere() {
    let before: Work = |repository| {
        Box::pin(async move { repository.put_blob(&Digest::sha256(BLOB), 1000, pieces(BLOB)).await.map(drop) })
    };
    let operation: Work =
        |repository| Box::pin(async move { repository.delete_blob(&Digest::sha256(BLOB)).await.map(drop) });
    let after: Work = |repository| {
        Box::pin(async move {
            assert_eq!(repository.blob_size(&Digest::sha256(BLOB)).await?, None);
            Ok(())
        })
    };
    stopped_everywhere(&Case { before, operation, after });
}

#[test]
fn a_manifest_can_be_put_after_a_fault_anywhere() {
    let after: Work = |repository| {
        Box::pin(async move {
            let found = repository.manifest(signed().digest()).await?.expect("it was put");
            assert_eq!(found.bytes(), signed().bytes());
            let referrers = repository.referrers(manifest("subject").digest()).await?;
            assert_eq!(referrers.len(), 1);
            Ok(())
        })
    };
    stopped_everywhere(&Case { before: nothing, operation: put_signed, after });
}

#[test]
fn a_manifest_can_be_deleted_after_a_fault_anywhere() {
    let operation: Work =
        |repository| Box::pin(async move { repository.delete_manifest(signed().digest()).await.map(drop) });
    let after: Work = |repository| {
        Box::pin(async move {
            assert!(repository.manifest(signed().digest()).await?.is_none());
            assert_eq!(repository.blob_size(signed().digest()).await?, None);
            assert!(repository.tags(None, 9).await?.is_empty());
            assert_eq!(crate::view::tests::entries(&repository), Vec::new());
            assert!(repository.referrers(manifest("subject").digest()).await?.is_empty());
            Ok(())
        })
    };
    stopped_everywhere(&Case { before: put_tagged, operation, after });
}

#[test]
fn a_tag_can_be_put_after_a_fault_anywhere() {
    let operation: Work =
        |repository| Box::pin(async move { repository.put_tag(&"tag".parse().unwrap(), signed().digest()).await });
    let after: Work = |repository| {
        Box::pin(async move {
            let found: Option<Descriptor> = repository.resolve_tag(&"tag".parse().unwrap()).await?;
            assert_eq!(found, Some(signed().descriptor()));
            assert_eq!(crate::view::tests::entries(&repository), [("tag".to_owned(), signed().digest().clone())]);
            Ok(())
        })
    };
    stopped_everywhere(&Case { before: put_signed, operation, after });
}

#[test]
fn a_tag_can_be_deleted_after_a_fault_anywhere() {
    let operation: Work =
        |repository| Box::pin(async move { repository.delete_tag(&"tag".parse().unwrap()).await.map(drop) });
    let after: Work = |repository| {
        Box::pin(async move {
            assert_eq!(repository.resolve_tag(&"tag".parse().unwrap()).await?, None);
            assert_eq!(crate::view::tests::entries(&repository), [("other".to_owned(), signed().digest().clone())]);
            Ok(())
        })
    };
    stopped_everywhere(&Case { before: put_tagged, operation, after });
}

#[test]
fn content_is_on_the_disk_before_it_has_a_name() {
    let faults = Arc::new(Faults::none());
    let directory = tempfile::tempdir().unwrap();
    run(async {
        let files = Files { faults: Some(Arc::clone(&faults)) };
        let store = Store::open_with(directory.path().to_owned(), files).await.unwrap();
        let repository = store.repository(&"acme/hello".parse().unwrap());
        repository.put_blob(&Digest::sha256(b"first"), 9, pieces(b"first")).await.unwrap();
        put_signed(repository.clone()).await.unwrap();

        let before = faults.changes().len();
        repository.put_blob(&Digest::sha256(b"second"), 9, pieces(b"second")).await.unwrap();
        let content = ["create", "write", "protect", "sync", "link", "sync directory", "link", "sync directory"];
        assert_eq!(faults.changes()[before..], [&content[..], &["remove"]].concat());

        let before = faults.changes().len();
        put_signed(repository.clone()).await.unwrap();
        assert_eq!(faults.changes().len(), before, "what is there is not written again");

        repository.put_tag(&"first".parse().unwrap(), signed().digest()).await.unwrap();
        let before = before + "create directory, sync directory".split(',').count();
        let file = ["create", "write", "sync", "rename a file to", "sync directory"];
        assert_eq!(faults.changes()[before..], [&["create"], &file[..], &file[..], &["remove"]].concat());
    });
}

impl Repository {
    /// Returns another repository of the same store.
    fn sibling(&self, name: &str) -> Self {
        Self::new(Arc::clone(&self.shared), name.parse().unwrap())
    }
}
