//! OCI archives, docker archives and OCI layouts, from tars in the form that [`wharf_fuzz::entries`] draws.

#![no_main]

use std::collections::HashSet;
use std::error::Error as StdError;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use futures_util::StreamExt as _;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use wharf_archive::{Archive, ArchiveWriter, Error, Existing, Flavor, ImageName, Layout, WriteOptions};
use wharf_fuzz::entries::{entries, tar};
use wharf_oci::{CopyOptions, Descriptor, Digest, Fetch as _, Manifest, NoProgress, Progress, Referrers as _};
use wharf_oci::{Resolve as _, Selector, copy, fetch_manifest, fetch_verified};
use wharf_tar::{EntryKind, InvalidTar, Limits, Links, Walk, WalkError, walk};

/// More than an input has.
const BYTES_MAX: u64 = 1024 * 1024;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory can be made"));
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime can be made"));

fuzz_target!(|input: &[u8]| RUNTIME.block_on(run(&tar(&entries(input)))));

async fn run(tar: &[u8]) {
    let path = DIRECTORY.path().join("archive.tar");
    fs::write(&path, tar).expect("the file can be written");
    let files = files(tar);
    for flavor in [Flavor::Oci, Flavor::Docker] {
        let opened = Archive::open(&path, flavor).await;
        if flavor == Flavor::Oci {
            check_layout(&files, &opened).await;
        }
        match opened {
            Ok(archive) => {
                let is_whole = flavor == Flavor::Docker && files.iter().flatten().all(|(path, _)| path != "index.json");
                check(&archive, is_whole).await;
            }
            Err(error) => check_text(&error),
        }
    }
}

/// Returns the files of a tar, in which nothing else is but folders.
fn files(tar: &[u8]) -> Result<Vec<(String, Vec<u8>)>, InvalidTar> {
    let limits = Limits { entries: 100, bytes: u64::MAX, path_bytes: 1024, links: Links::Refuse };
    let mut files = Vec::new();
    let walked = walk(tar, &limits, &mut |entry| {
        let (path, mut content) = (entry.path().to_owned(), Vec::new());
        std::io::copy(entry, &mut content)?;
        if entry.kind() == EntryKind::File {
            files.push((path, content));
        }
        Ok(Walk::Continue)
    });
    match walked {
        Ok(()) => Ok(files),
        Err(WalkError::Tar(error) | WalkError::Visit(error)) => Err(error),
    }
}

/// A folder with the same files is read as the archive is.
async fn check_layout(files: &Result<Vec<(String, Vec<u8>)>, InvalidTar>, archive: &Result<Archive, Error>) {
    let Ok(files) = files else { return assert!(archive.is_err()) };
    let paths: HashSet<_> = files.iter().map(|(path, _)| path).collect();
    if paths.len() < files.len() {
        return assert!(archive.is_err());
    }
    let folder = tempfile::tempdir_in(DIRECTORY.path()).expect("a directory can be made");
    for (path, content) in files {
        let path = folder.path().join(path);
        let made = fs::create_dir_all(path.parent().expect("it is in the folder"));
        // A file cannot be a folder too, and a name cannot have any length.
        if made.and_then(|()| fs::write(path, content)).is_err() {
            return;
        }
    }
    let layout = Layout::open(folder.path()).await;
    assert_eq!(layout.is_ok(), archive.is_ok(), "{layout:?} {archive:?}");
    let (Ok(layout), Ok(archive)) = (layout, archive) else { return };
    assert_eq!(layout.names().await.expect("it was read before"), archive.names());
    let only = (layout.only().await, archive.only().await);
    assert_eq!(only.0.as_ref().ok(), only.1.as_ref().ok(), "{only:?}");
    for name in archive.names() {
        let named = (layout.named(&name).await, archive.named(&name));
        assert_eq!(named.0.as_ref().ok(), named.1.as_ref().ok(), "{named:?}");
    }
}

/// Whatever has a name is found under it, and has the digest that it goes by; `is_whole` where nothing may be missing.
async fn check(archive: &Archive, is_whole: bool) {
    let names = archive.names();
    assert!(names.is_sorted());
    let mut roots = Vec::from_iter(archive.only().await.inspect_err(check_text).ok());
    for name in names {
        match archive.named(&name) {
            Err(error) => assert!(matches!(error, Error::NameAmbiguous { .. }), "{name}: {error}"),
            found => roots.extend(found),
        }
    }
    for root in roots {
        let Some(manifest) = check_manifest(archive, &root, is_whole).await else { continue };
        check_copy(archive, &manifest, Flavor::Oci).await;
        check_copy(archive, &manifest, Flavor::Docker).await;
    }
}

async fn check_manifest(archive: &Archive, root: &Descriptor, is_whole: bool) -> Option<Manifest> {
    let manifest = fetch_manifest(archive, root).await;
    assert!(manifest.is_ok() || !is_whole, "{manifest:?}");
    let manifest = manifest.inspect_err(check_text).ok()?;
    assert_eq!(Digest::of(root.digest.algorithm(), manifest.bytes()), root.digest);
    let resolved = archive.resolve(&Selector::Digest(root.digest.clone())).await;
    assert_eq!(resolved.map(|found| found.digest).ok().as_ref(), Some(&root.digest));
    for child in manifest.children() {
        let content = fetch_verified(archive, child, BYTES_MAX).await;
        assert!(content.is_ok() || !is_whole, "{content:?}");
        let Ok(content) = content.inspect_err(check_text) else { continue };
        assert_eq!((Digest::of(child.digest.algorithm(), &content), content.len() as u64), (child.digest.clone(), child.size));
        check_offset(archive, child, &content).await;
    }
    if let Ok(referrers) = archive.referrers(&root.digest).await {
        for referrer in referrers {
            let referrer = fetch_manifest(archive, &referrer).await.expect("it was read before");
            assert_eq!(referrer.subject().map(|subject| &subject.digest), Some(&root.digest));
        }
    }
    Some(manifest)
}

/// Content from some byte on is the end of the content.
async fn check_offset(archive: &Archive, descriptor: &Descriptor, content: &[u8]) {
    let offset = descriptor.size / 3;
    let mut pieces = archive.fetch(descriptor, offset).await.expect("it was fetched before");
    let mut rest = Vec::new();
    while let Some(piece) = pieces.next().await {
        rest.extend_from_slice(&piece.expect("it was fetched before"));
    }
    assert_eq!(rest, content[usize::try_from(offset).expect("it is within the content")..]);
}

/// What is written to another archive is found there as the same.
async fn check_copy(archive: &Archive, manifest: &Manifest, flavor: Flavor) {
    let path = DIRECTORY.path().join("copy.tar");
    let options = WriteOptions { flavor, existing: Existing::Replace };
    let writer = ArchiveWriter::create(&path, options).await.expect("a file can be written");
    if writer.accept(manifest).is_err() {
        return;
    }
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let name: ImageName = "acme/hello:fuzz".parse().expect("it is a name");
    if copy(archive, &writer, manifest, &CopyOptions::default(), &progress).await.is_err() {
        return;
    }
    writer.add(manifest, Some(&name)).await.expect("its content is there");
    writer.finish().await.expect("a file can be written");
    check_copied(&path, flavor, manifest).await;
}

async fn check_copied(path: &Path, flavor: Flavor, manifest: &Manifest) {
    let copied = Archive::open(path, flavor).await.expect("what was written is read");
    let found = copied.named("acme/hello:fuzz").expect("it was given this name");
    assert_eq!(found.digest, *manifest.digest());
    let again = fetch_manifest(&copied, &found).await.expect("it was copied");
    assert_eq!(again.bytes(), manifest.bytes());
}

/// The text of an error can be shown.
fn check_text(error: &(impl StdError + 'static)) {
    let mut cause: Option<&dyn StdError> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
        assert!(text.len() < 16 * 1024, "a text of {} bytes", text.len());
        cause = error.source();
    }
}
