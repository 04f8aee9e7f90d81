use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use proptest::prelude::*;
use wharf_oci::{Algorithm, ByteStream, MemoryStore, Resolve as _, Selector};
use wharf_tar::{EntryKind, InvalidTar, Limits, Links, Walk, WalkError, walk};

use super::*;
use crate::fixtures::{
    CONFIG, FLAVORS, Liar, archived, artifact, copied, copied_with_referrers, file, files, image, index, name,
    signature, stored,
};
use crate::{Archive, Layout};

const OCI: WriteOptions = WriteOptions { flavor: Flavor::Oci, existing: Existing::Keep };
const DOCKER: WriteOptions = WriteOptions { flavor: Flavor::Docker, existing: Existing::Keep };

fn contents(path: &Path) -> Vec<(String, String)> {
    let limits = Limits { entries: 100, bytes: 1 << 20, path_bytes: 255, links: Links::Refuse };
    let mut contents = Vec::new();
    let walked: Result<(), WalkError<InvalidTar>> = walk(File::open(path).unwrap(), &limits, &mut |entry| {
        assert_eq!(entry.kind(), EntryKind::File);
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        contents.push((entry.path().to_owned(), String::from_utf8(content).unwrap()));
        Ok(Walk::Continue)
    });
    walked.unwrap();
    contents
}

fn content(path: &Path, entry: &str) -> Option<String> {
    contents(path).into_iter().find_map(|(path, content)| (path == entry).then_some(content))
}

#[tokio::test]
async fn an_archive_of_an_image_is_both_an_oci_and_a_docker_archive() {
    let store = MemoryStore::new();
    let manifest = image(&store, &["one", "two"]);
    let (_folder, path) = archived(&store, &manifest, &["localhost:5000/acme/hello:1.0.0"], Flavor::Oci).await;
    let blob = |content: &str| blob_path(&Digest::sha256(content.as_bytes()));
    let text = std::str::from_utf8(manifest.bytes()).unwrap();
    let (digest, size) = (manifest.digest(), manifest.bytes().len());
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{size},"annotations":{{"io.containerd.image.name":"localhost:5000/acme/hello:1.0.0","org.opencontainers.image.ref.name":"1.0.0"}}}}]}}"#
    );
    let docker = format!(
        r#"[{{"Config":"{}","RepoTags":["localhost:5000/acme/hello:1.0.0"],"Layers":["{}","{}"]}}]"#,
        blob(CONFIG),
        blob("one"),
        blob("two")
    );
    let expected = [
        (blob(CONFIG), CONFIG.to_owned()),
        (blob("one"), "one".to_owned()),
        (blob("two"), "two".to_owned()),
        (blob(text), text.to_owned()),
        (INDEX_FILE.to_owned(), index),
        (LAYOUT_FILE.to_owned(), r#"{"imageLayoutVersion":"1.0.0"}"#.to_owned()),
        (MANIFEST_FILE.to_owned(), docker),
    ];
    assert_eq!(contents(&path), expected);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(&bytes[100..108], b"0000444\0");
    let at = bytes.windows(10).position(|it| it == b"index.json").unwrap();
    assert_eq!(&bytes[at + 100..at + 108], b"0000644\0");
}

#[tokio::test]
async fn what_goes_through_archive_and_layout_comes_out_the_same() {
    let store = MemoryStore::new();
    let one = image(&store, &["one", "two", "one"]);
    let wasm = artifact(&store, "\0asm");
    let both = index(&store, &[&one, &wasm]);
    for (root, flavors) in [(&one, &FLAVORS[..]), (&wasm, &FLAVORS[..1]), (&both, &FLAVORS[..1])] {
        for written in flavors {
            let (folder, path) = archived(&store, root, &["acme/hello:v1"], *written).await;
            for read in flavors {
                let archive = Archive::open(&path, *read).await.unwrap();
                assert_eq!(archive.named("v1").unwrap().digest, *root.digest());
                assert_eq!(archive.only().await.unwrap().digest, *root.digest());
                assert_eq!(
                    archive.resolve(&Selector::Digest(wasm.digest().clone())).await.is_ok(),
                    *root.digest() != *one.digest()
                );
                let layout = Layout::create(&folder.path().join(format!("{read:?}"))).await.unwrap();
                copied(&archive, &layout, root).await.unwrap();
                layout.add(root, Some(&name("v1"))).await.unwrap();
                let found = layout.named("v1").await.unwrap();
                assert_eq!(found.digest, *root.digest());
                let back = MemoryStore::new();
                copied(&layout, &back, root).await.unwrap();
                for child in root.children() {
                    assert_eq!(back.read(&child.digest), store.read(&child.digest));
                }
            }
        }
    }
}

#[tokio::test]
async fn the_same_content_gives_the_same_bytes() {
    let store = MemoryStore::new();
    let manifests = [image(&store, &["one", "two"]), image(&store, &["three"]), artifact(&store, "\0asm")];
    let root = index(&store, &manifests.each_ref());
    let mut archives = Vec::new();
    for _ in 0..5 {
        let (_folder, path) = archived(&store, &root, &["acme/hello:v1", "v2"], Flavor::Oci).await;
        archives.push(std::fs::read(path).unwrap());
    }
    assert!(archives.iter().all(|it| *it == archives[0]));
}

#[tokio::test]
async fn a_push_that_fails_leaves_no_trace() {
    let store = MemoryStore::new();
    let manifest = image(&store, &["one"]);
    let blobs: Vec<_> = manifest.children().collect();
    let folder = tempfile::tempdir().unwrap();
    let mut archives = Vec::new();
    for lies in [&[][..], &[&b""[..], b"on", b"two", b"one more"]] {
        let path = folder.path().join(format!("{}.tar", lies.len()));
        let archive = ArchiveWriter::create(&path, OCI).await.unwrap();
        archive.push(blobs[0], &store).await.unwrap();
        for lie in lies {
            let error = archive.push(blobs[1], &Liar(lie)).await.unwrap_err();
            let is_told = matches!(error, wharf_oci::Error::Size { .. } | wharf_oci::Error::Digest { .. });
            assert!(is_told, "{error:?}");
            assert!(!archive.contains(blobs[1]).await.unwrap());
        }
        let missing = Descriptor::of(MediaType::WASM, &[7; 5000]);
        assert!(archive.push(&missing, &store).await.is_err());
        archive.push(blobs[1], &store).await.unwrap();
        archive.tag(&manifest, &TagName::latest()).await.unwrap();
        archive.finish().await.unwrap();
        archives.push(std::fs::read(path).unwrap());
    }
    assert!(archives[0] == archives[1]);
    // The longest lie comes last, and nothing of it is left behind the end.
    let path = folder.path().join("last.tar");
    let archive = ArchiveWriter::create(&path, OCI).await.unwrap();
    copied(&store, &archive, &manifest).await.unwrap();
    archive.tag(&manifest, &TagName::latest()).await.unwrap();
    let large = Descriptor::of(MediaType::WASM, &[7; 100_000]);
    archive.push(&large, &Liar(&[8; 100_000])).await.unwrap_err();
    archive.finish().await.unwrap();
    assert!(archives[0] == std::fs::read(path).unwrap());
}

#[tokio::test]
async fn a_push_that_is_given_up_leaves_the_archive_to_the_next() {
    /// Gives a byte, and then nothing more.
    struct Stalled;
    #[async_trait]
    impl Fetch for Stalled {
        async fn fetch(&self, _: &Descriptor, _: u64) -> Result<ByteStream, wharf_oci::Error> {
            Ok(stream::iter([Ok("o".into())]).chain(stream::pending()).boxed())
        }
    }
    let store = MemoryStore::new();
    let manifest = image(&store, &["one"]);
    let (_folder, path) = file(b"");
    let archive = ArchiveWriter::create(&path, WriteOptions { existing: Existing::Replace, ..OCI }).await.unwrap();
    let layer = manifest.children().last().unwrap();
    let mut push = archive.push(layer, &Stalled);
    assert!(futures_util::poll!(push.as_mut()).is_pending());
    drop(push);
    copied(&store, &archive, &manifest).await.unwrap();
    archive.add(&manifest, None).await.unwrap();
    archive.finish().await.unwrap();
    let archive = Archive::open(&path, Flavor::Docker).await.unwrap();
    copied(&archive, &MemoryStore::new(), &manifest).await.unwrap();
}

#[tokio::test]
async fn what_is_pushed_at_the_same_time_is_written_one_after_the_other() {
    let store = MemoryStore::new();
    let texts = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    let manifest = image(&store, &texts);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    let archive = ArchiveWriter::create(&path, OCI).await.unwrap();
    // Twice each, and all at once.
    let pushes = manifest.children().chain(manifest.children()).map(|child| archive.push(child, &store));
    for pushed in futures_util::future::join_all(pushes).await {
        pushed.unwrap();
    }
    archive.add(&manifest, None).await.unwrap();
    archive.finish().await.unwrap();
    assert_eq!(contents(&path).len(), texts.len() + 5);
    copied(&Archive::open(&path, Flavor::Oci).await.unwrap(), &MemoryStore::new(), &manifest).await.unwrap();
}

#[tokio::test]
async fn an_archive_that_is_not_finished_leaves_nothing() {
    let store = MemoryStore::new();
    let manifest = image(&store, &["one"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    let archive = ArchiveWriter::create(&path, OCI).await.unwrap();
    copied(&store, &archive, &manifest).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1);
    drop(archive);
    assert!(files(folder.path()).is_empty());
    let empty = ArchiveWriter::create(&path, OCI).await.unwrap();
    assert!(matches!(empty.finish().await, Err(Error::Empty { .. })));
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_file_that_exists_is_kept_or_replaced_as_asked() {
    let store = MemoryStore::new();
    let manifest = artifact(&store, "\0asm");
    let (folder, path) = file(b"old");
    assert!(matches!(ArchiveWriter::create(&path, OCI).await, Err(Error::Exists { .. })));
    let replace = WriteOptions { existing: Existing::Replace, ..OCI };
    assert!(matches!(ArchiveWriter::create(folder.path(), replace).await, Err(Error::NoFile { .. })));
    let archive = ArchiveWriter::create(&path, replace).await.unwrap();
    copied(&store, &archive, &manifest).await.unwrap();
    archive.add(&manifest, None).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    archive.finish().await.unwrap();
    assert!(Archive::open(&path, Flavor::Oci).await.is_ok());
    // A name that is taken while the archive is written is not taken away.
    let path = folder.path().join("new.tar");
    let archive = ArchiveWriter::create(&path, OCI).await.unwrap();
    copied(&store, &archive, &manifest).await.unwrap();
    archive.add(&manifest, None).await.unwrap();
    std::fs::write(&path, "meanwhile").unwrap();
    assert!(matches!(archive.finish().await, Err(Error::Exists { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"meanwhile");
    assert_eq!(files(folder.path()), ["archive.tar", "new.tar"]);
}

#[cfg(unix)]
#[tokio::test]
async fn an_archive_has_the_mode_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    let store = MemoryStore::new();
    let manifest = artifact(&store, "\0asm");
    let (_folder, path) = archived(&store, &manifest, &[], Flavor::Oci).await;
    let (_other, usual) = file(b"");
    assert_eq!(mode(&path), mode(&usual));
}

#[tokio::test]
async fn a_docker_archive_takes_one_image_with_a_config() {
    let store = MemoryStore::new();
    let (one, other, wasm) = (image(&store, &["one"]), image(&store, &["other"]), artifact(&store, "\0asm"));
    let both = index(&store, &[&one, &other]);
    let folder = tempfile::tempdir().unwrap();
    let archive = ArchiveWriter::create(&folder.path().join("a.tar"), DOCKER).await.unwrap();
    for manifest in [&one, &other, &wasm, &both] {
        copied(&store, &archive, manifest).await.unwrap();
    }
    for manifest in [&wasm, &both] {
        assert!(matches!(archive.accept(manifest), Err(Error::NoImage { .. })));
        let error = archive.tag(manifest, &TagName::latest()).await.unwrap_err();
        assert!(matches!(error.medium_ref(), Some(Error::NoImage { .. })), "{error:?}");
    }
    archive.add(&one, Some(&name("a/b:1"))).await.unwrap();
    archive.add(&one, Some(&name("a/b:2"))).await.unwrap();
    assert!(matches!(archive.add(&other, None).await, Err(Error::SeveralImages { .. })));
}

#[tokio::test]
async fn what_docker_cannot_load_has_no_manifest_json() {
    let store = MemoryStore::new();
    let (one, wasm) = (image(&store, &["one"]), artifact(&store, "\0asm"));
    let both = index(&store, &[&one, &wasm]);
    for manifest in [&wasm, &both] {
        let (_folder, path) = archived(&store, manifest, &["a/b:v1"], Flavor::Oci).await;
        assert_eq!(content(&path, MANIFEST_FILE), None);
        assert!(matches!(Archive::open(&path, Flavor::Docker).await, Err(Error::EntryMissing { .. })));
    }
    let (_folder, path) = archived(&store, &one, &["v1"], Flavor::Docker).await;
    assert!(content(&path, MANIFEST_FILE).unwrap().contains(r#""RepoTags":[]"#));
}

#[tokio::test]
async fn a_manifest_whose_content_was_not_pushed_is_not_listed() {
    let store = MemoryStore::new();
    let manifest = image(&store, &["one"]);
    let folder = tempfile::tempdir().unwrap();
    let archive = ArchiveWriter::create(&folder.path().join("a.tar"), OCI).await.unwrap();
    archive.push(manifest.children().next().unwrap(), &store).await.unwrap();
    let error = archive.add(&manifest, None).await.unwrap_err();
    assert!(matches!(error, Error::ChildMissing { digest, .. } if digest == Digest::sha256(b"one")));
}

#[tokio::test]
async fn what_refers_to_the_manifest_can_be_found_again() {
    let store = MemoryStore::new();
    let manifest = image(&store, &["one"]);
    let signature = signature(&store, &manifest);
    let folder = tempfile::tempdir().unwrap();
    for (flavor, name) in [(Flavor::Oci, None), (Flavor::Docker, Some(name("a/b:v1")))] {
        let path = folder.path().join(format!("{flavor:?}.tar"));
        let archive = ArchiveWriter::create(&path, WriteOptions { flavor, ..OCI }).await.unwrap();
        copied_with_referrers(&store, &archive, &manifest).await;
        archive.add(&manifest, name.as_ref()).await.unwrap();
        archive.finish().await.unwrap();
        for flavor in FLAVORS {
            let archive = Archive::open(&path, flavor).await.unwrap();
            assert_eq!(archive.only().await.unwrap().digest, *manifest.digest());
            let referrers = wharf_oci::Referrers::referrers(&archive, manifest.digest()).await.unwrap();
            assert_eq!(referrers.len(), 1);
            assert_eq!(referrers[0].digest, *signature.digest());
            assert_eq!(referrers[0].artifact_type, Some(MediaType::OCI_EMPTY));
        }
    }
}

#[tokio::test]
async fn a_manifest_is_listed_once_for_each_of_its_names() {
    let store = MemoryStore::new();
    let subject = image(&store, &["one"]);
    let signature = signature(&store, &subject);
    let (_folder, path) = file(b"");
    let archive = ArchiveWriter::create(&path, WriteOptions { existing: Existing::Replace, ..OCI }).await.unwrap();
    // As content, twice, without a name, and with two.
    for child in signature.children() {
        archive.push(child, &store).await.unwrap();
    }
    for _ in 0..2 {
        archive.push(&signature.descriptor(), &store).await.unwrap();
        archive.add(&signature, None).await.unwrap();
    }
    for name in ["v1", "v2", "v1"].map(name) {
        archive.add(&signature, Some(&name)).await.unwrap();
    }
    archive.finish().await.unwrap();
    assert_eq!(content(&path, INDEX_FILE).unwrap().matches("digest").count(), 2);
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    assert_eq!(archive.names(), ["v1", "v2"]);
}

#[tokio::test]
async fn a_signature_that_is_sent_twice_is_listed_once() {
    let store = MemoryStore::new();
    let subject = image(&store, &["one"]);
    let (_folder, path) = file(b"");
    let archive = ArchiveWriter::create(&path, WriteOptions { existing: Existing::Replace, ..OCI }).await.unwrap();
    for _ in 0..2 {
        archive.push(&signature(&store, &subject).descriptor(), &store).await.unwrap();
    }
    copied(&store, &archive, &subject).await.unwrap();
    archive.add(&subject, None).await.unwrap();
    archive.finish().await.unwrap();
    assert_eq!(content(&path, INDEX_FILE).unwrap().matches("digest").count(), 2);
}

#[tokio::test]
async fn an_archive_of_two_images_is_none_for_docker() {
    let store = MemoryStore::new();
    let (_folder, path) = file(b"");
    let archive = ArchiveWriter::create(&path, WriteOptions { existing: Existing::Replace, ..OCI }).await.unwrap();
    for (manifest, text) in [(image(&store, &["one"]), "a:v1"), (image(&store, &["two"]), "b:v1")] {
        copied(&store, &archive, &manifest).await.unwrap();
        archive.add(&manifest, Some(&name(text))).await.unwrap();
    }
    archive.finish().await.unwrap();
    assert_eq!(content(&path, MANIFEST_FILE), None);
    assert!(Archive::open(&path, Flavor::Oci).await.unwrap().named("b:v1").is_ok());
}

#[tokio::test]
async fn an_image_of_raw_wasm_is_the_same_whatever_its_config_for_docker() {
    let store = MemoryStore::new();
    let layer = store.insert(MediaType::WASM, "\0asm");
    let manifest = stored(&store, &ImageManifest::new(store.insert(MediaType::OCI_CONFIG, "{}"), vec![layer.clone()]));
    let (_folder, path) = archived(&store, &manifest, &["a/b:v1"], Flavor::Docker).await;
    let config = format!(r#"{{"rootfs":{{"diff_ids":["{}"],"type":"layers"}}}}"#, layer.digest);
    let config = blob_path(&Digest::sha256(config.as_bytes()));
    assert!(content(&path, &config).is_some());
    assert!(content(&path, MANIFEST_FILE).unwrap().contains(&format!(r#""Config":"{config}""#)));
    for flavor in FLAVORS {
        let archive = Archive::open(&path, flavor).await.unwrap();
        assert_eq!(archive.named("v1").unwrap().digest, *manifest.digest());
    }
}

#[tokio::test]
async fn content_goes_by_the_algorithm_of_its_digest() {
    let store = MemoryStore::new();
    let (_folder, path) = file(b"");
    let archive = ArchiveWriter::create(&path, WriteOptions { existing: Existing::Replace, ..OCI }).await.unwrap();
    let layer = Descriptor::new(MediaType::WASM, Digest::of(Algorithm::Sha512, b"one"), 3);
    archive.push(&layer, &Liar(b"one")).await.unwrap();
    let manifest =
        Manifest::from_image(&ImageManifest::new(store.insert(MediaType::OCI_EMPTY, "{}"), vec![layer.clone()]));
    let manifest = manifest.unwrap();
    archive.push(manifest.children().next().unwrap(), &store).await.unwrap();
    archive.add(&manifest, None).await.unwrap();
    archive.finish().await.unwrap();
    assert_eq!(content(&path, &format!("blobs/sha512/{}", layer.digest.hex())).as_deref(), Some("one"));
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    assert_eq!(wharf_oci::fetch_verified(&archive, &layer, 3).await.unwrap(), "one");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn any_content_comes_out_of_an_archive_as_it_went_in(
        layers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..6)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = MemoryStore::new();
            let config = store.insert(MediaType::OCI_CONFIG, CONFIG);
            let layers = layers.into_iter().map(|layer| store.insert(MediaType::OCI_LAYER, layer)).collect();
            let manifest = stored(&store, &ImageManifest::new(config, layers));
            let (_folder, path) = archived(&store, &manifest, &["a/b:v1"], Flavor::Docker).await;
            for flavor in FLAVORS {
                let archive = Archive::open(&path, flavor).await.unwrap();
                let back = MemoryStore::new();
                copied(&archive, &back, &manifest).await.unwrap();
                for child in manifest.children() {
                    assert_eq!(back.read(&child.digest), store.read(&child.digest));
                }
            }
        });
    }
}
