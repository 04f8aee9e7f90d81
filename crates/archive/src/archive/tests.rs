use futures_util::TryStreamExt as _;
use wharf_oci::{
    Document, ImageIndex, ImageManifest, InvalidManifest, MediaType, MemoryStore, fetch_manifest, fetch_verified,
};
use wharf_tar::{Compression, InvalidTar};

use super::*;
use crate::docker::MANIFEST_FILE;
use crate::fixtures::{CONFIG, FLAVORS, archived, copied, file, image, index, stored, tar};
use crate::index::blob_path;

const LAYOUT: (&str, &[u8]) = (LAYOUT_FILE, br#"{"imageLayoutVersion":"1.0.0"}"#);
const EMPTY_INDEX: (&str, &[u8]) = (INDEX_FILE, br#"{"schemaVersion":2,"manifests":[]}"#);
const NO_IMAGES: (&str, &[u8]) = (MANIFEST_FILE, b"[]");
const GZIP: &[u8] = &[0x1f, 0x8b, 8, 0];

async fn open(bytes: &[u8], flavor: Flavor) -> Result<Archive, Error> {
    let (_folder, path) = file(bytes);
    Archive::open(&path, flavor).await
}

/// An entry of some kind, as a header alone tells of it.
fn special(path: &str, kind: tar::EntryType, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// An OCI archive with these manifests in its index, and these blobs.
fn oci(manifests: Vec<Descriptor>, blobs: &[&[u8]]) -> Vec<u8> {
    let index = Manifest::from_index(&ImageIndex::new(manifests)).unwrap();
    let paths: Vec<_> = blobs.iter().map(|blob| blob_path(&Digest::sha256(blob))).collect();
    let mut files = vec![LAYOUT, (INDEX_FILE, &index.bytes()[..])];
    files.extend(paths.iter().map(String::as_str).zip(blobs.iter().copied()));
    tar(&files)
}

#[tokio::test]
async fn content_is_read_from_where_it_is() {
    let store = MemoryStore::new();
    let manifests = [image(&store, &["one"]), image(&store, &["two"])];
    let root = index(&store, &manifests.each_ref());
    let (_folder, path) = archived(&store, &root, &["docker.io/acme/hello:v1"], Flavor::Oci).await;
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    assert_eq!(archive.names(), ["docker.io/acme/hello:v1"]);
    let tag = Selector::Tag("v1".parse().unwrap());
    assert_eq!(archive.resolve(&tag).await.unwrap().digest, *root.digest());
    for manifest in &manifests {
        let selector = Selector::Digest(manifest.digest().clone());
        assert_eq!(archive.resolve(&selector).await.unwrap(), manifest.descriptor());
    }
    let layer = Descriptor::of(MediaType::OCI_LAYER, b"two");
    for (offset, expected) in [(0, "two"), (1, "wo"), (3, ""), (9, "")] {
        let pieces: Vec<_> = archive.fetch(&layer, offset).await.unwrap().try_collect().await.unwrap();
        assert_eq!(pieces.concat(), expected.as_bytes());
    }
    for selector in [Selector::Digest(layer.digest), Selector::Tag("v2".parse().unwrap())] {
        assert!(archive.resolve(&selector).await.is_err(), "{selector}");
    }
}

#[tokio::test]
async fn hostile_entries_are_refused() {
    use tar::EntryType;
    let good = tar(&[LAYOUT, EMPTY_INDEX, NO_IMAGES]);
    let table = [
        special("../index.json", EntryType::Regular, 0),
        special("blobs/../../x", EntryType::Regular, 0),
        special("/index.json", EntryType::Regular, 0),
        special(r"C:\x", EntryType::Regular, 0),
        special("device", EntryType::Char, 0),
        special("device", EntryType::Block, 0),
        special("pipe", EntryType::Fifo, 0),
        special("sparse", EntryType::GNUSparse, 0),
        special("long", EntryType::GNULongName, 1 << 30),
        special("long", EntryType::XHeader, 1 << 30),
        // Longer than the archive.
        special("blobs/sha256/x", EntryType::Regular, 1 << 40),
    ];
    for flavor in FLAVORS {
        assert!(open(&good, flavor).await.is_ok());
        for entry in &table {
            let error = open(&[entry, &good[..]].concat(), flavor).await.unwrap_err();
            assert!(matches!(error, Error::Tar { .. }), "{error:?}");
        }
        // Cut within the last entry.
        for end in (good.len() - 2047..good.len() - 1024).step_by(93) {
            let error = open(&good[..end], flavor).await.unwrap_err();
            assert!(matches!(error, Error::Tar { .. }), "{end}: {error:?}");
        }
        let garbage = open(b"no tar at all", flavor).await;
        assert!(matches!(garbage, Err(Error::Tar { .. })), "{garbage:?}");
    }
}

#[tokio::test]
async fn links_are_never_followed() {
    use tar::EntryType;
    let good = tar(&[LAYOUT, EMPTY_INDEX, NO_IMAGES]);
    for kind in [EntryType::Symlink, EntryType::Link] {
        let with_link = [special("a/layer.tar", kind, 0), good.clone()].concat();
        let refused = open(&with_link, Flavor::Oci).await;
        assert!(matches!(refused, Err(Error::Tar { source: InvalidTar::Link { .. }, .. })), "{refused:?}");
        // Podman and skopeo write them, and nobody needs them.
        assert!(open(&with_link, Flavor::Docker).await.is_ok());
        let images = (MANIFEST_FILE, &br#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["a/layer.tar"]}]"#[..]);
        let needed = [special("a/layer.tar", kind, 0), tar(&[("c.json", b"{}"), images])].concat();
        let error = open(&needed, Flavor::Docker).await.unwrap_err();
        assert!(matches!(&error, Error::EntryLinked { entry, .. } if entry == "a/layer.tar"), "{error:?}");
        let hidden = [special(INDEX_FILE, kind, 0), good.clone()].concat();
        assert!(matches!(open(&hidden, Flavor::Docker).await, Err(Error::EntryTwice { .. })));
    }
}

#[tokio::test]
async fn a_path_that_stands_twice_is_refused() {
    for path in ["index.json", "./index.json", "blobs/sha256/x"] {
        let twice = [special(path, tar::EntryType::Regular, 0), tar(&[("blobs/sha256/x", b""), LAYOUT, EMPTY_INDEX])];
        let refused = open(&twice.concat(), Flavor::Oci).await;
        assert!(matches!(&refused, Err(Error::EntryTwice { .. })), "{path}: {refused:?}");
    }
    let folders = [special("blobs/", tar::EntryType::Directory, 0), special("blobs/", tar::EntryType::Directory, 0)];
    assert!(open(&[folders.concat(), tar(&[LAYOUT, EMPTY_INDEX])].concat(), Flavor::Oci).await.is_ok());
}

#[tokio::test]
async fn a_compressed_archive_is_refused_before_anything_is_unpacked() {
    for (first, expected) in [(GZIP, Compression::Gzip), (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd)] {
        for flavor in FLAVORS {
            let error = open(first, flavor).await.unwrap_err();
            assert!(matches!(error, Error::Compressed { compression, .. } if compression == expected), "{error:?}");
        }
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    for (flavor, files, expected) in [
        (Flavor::Oci, vec![], "oci-layout"),
        (Flavor::Oci, vec![LAYOUT], "index.json"),
        (Flavor::Oci, vec![EMPTY_INDEX], "oci-layout"),
        (Flavor::Docker, vec![LAYOUT, EMPTY_INDEX], "manifest.json"),
        (Flavor::Docker, vec![(MANIFEST_FILE, &br#"[{"Config":"c.json"}]"#[..])], "c.json"),
        (
            Flavor::Docker,
            vec![("c.json", b"{}"), (MANIFEST_FILE, br#"[{"Config":"c.json","Layers":["l.tar"]}]"#)],
            "l.tar",
        ),
    ] {
        let error = open(&tar(&files), flavor).await.unwrap_err();
        assert!(matches!(&error, Error::EntryMissing { entry, .. } if entry == expected), "{expected}: {error:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Archive::open(folder.path(), Flavor::Oci).await, Err(Error::NoFile { .. })));
    assert!(matches!(Archive::open(&folder.path().join("x"), Flavor::Oci).await, Err(Error::File { .. })));
}

#[tokio::test]
async fn json_that_two_readers_could_understand_in_two_ways_is_refused() {
    let descriptor =
        r#"{"mediaType":"a/b","digest":"DIGEST","size":0}"#.replace("DIGEST", &Digest::sha256(b"").to_string());
    let indexes = [
        r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#.to_owned(),
        format!(r#"{{"schemaVersion":2,"manifests":[],"config":{descriptor},"layers":[]}}"#),
        format!(r#"{{"schemaVersion":2,"config":{descriptor},"layers":[]}}"#),
        r#"{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:../..","size":0}]}"#.to_owned(),
        "[]".to_owned(),
        String::new(),
    ];
    for index in &indexes {
        for flavor in FLAVORS {
            let error = open(&tar(&[LAYOUT, NO_IMAGES, (INDEX_FILE, index.as_bytes())]), flavor).await.unwrap_err();
            assert!(matches!(error, Error::Index { .. }), "{index}: {error:?}");
        }
    }
    let images = [
        r#"[{"Config":"c","Config":"c","Layers":[]}]"#,
        r#"[["c",[],[]]]"#,
        r#"{"Config":"c","Layers":[]}"#,
        r#"[{"Layers":[]}]"#,
        "[] []",
        "",
    ];
    for images in images {
        let error = open(&tar(&[("c", b"{}"), (MANIFEST_FILE, images.as_bytes())]), Flavor::Docker).await.unwrap_err();
        assert!(matches!(&error, Error::Json { entry, .. } if entry == MANIFEST_FILE), "{images}: {error:?}");
    }
}

#[tokio::test]
async fn content_that_is_not_what_its_name_says_goes_nowhere() {
    let store = MemoryStore::new();
    let manifest = image(&store, &["one"]);
    let (_folder, path) = archived(&store, &manifest, &["v1"], Flavor::Oci).await;
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|it| it == b"one\0").unwrap();
    bytes[at] = b'0';
    let archive_of = async |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Archive::open(&path, Flavor::Oci).await.unwrap()
    };
    let sink = MemoryStore::new();
    let error = copied(&archive_of(&bytes).await, &sink, &manifest).await.unwrap_err();
    assert!(matches!(error, wharf_oci::Error::Digest { .. }), "{error:?}");
    assert!(sink.read(&Digest::sha256(b"one")).is_none() && sink.read(manifest.digest()).is_none());
}

#[tokio::test]
async fn content_of_another_size_or_none_is_told() {
    let config = Descriptor::of(MediaType::OCI_EMPTY, b"{}");
    let layer = Descriptor::new(MediaType::WASM, Digest::sha256(b"layer"), 1 << 30);
    let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer.clone()])).unwrap();
    let shorter = oci(vec![manifest.descriptor()], &[b"{}", b"layer", manifest.bytes()]);
    let absent = oci(vec![manifest.descriptor()], &[b"{}", manifest.bytes()]);
    let (_folder, path) = file(&shorter);
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    let error = archive.fetch(&layer, 0).await.err().unwrap();
    assert!(matches!(error, wharf_oci::Error::Size { actual: 5, .. }), "{error:?}");
    std::fs::write(&path, &absent).unwrap();
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    let error = copied(&archive, &MemoryStore::new(), &manifest).await.unwrap_err();
    assert!(matches!(error, wharf_oci::Error::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn a_manifest_of_a_gibibyte_is_refused_unread() {
    let (one, gibibyte) = (Digest::sha256(b"one"), 1 << 30);
    let claimed = Descriptor::new(MediaType::OCI_MANIFEST, one.clone(), gibibyte);
    let (_folder, path) = file(&oci(vec![claimed.clone()], &[b"one"]));
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    let error = fetch_manifest(&archive, &archive.only().await.unwrap()).await.unwrap_err();
    assert!(matches!(error, wharf_oci::Error::TooLarge { size: 0x4000_0000, .. }), "{error:?}");
    // Its file says so, in a hole that nobody reads.
    let sparse = async |entry: &str, flavor| {
        let index = Manifest::from_index(&ImageIndex::new(vec![Descriptor { size: 3, ..claimed.clone() }])).unwrap();
        let mut bytes = tar(&[LAYOUT, (INDEX_FILE, index.bytes()), NO_IMAGES]);
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(special(entry, tar::EntryType::Regular, gibibyte));
        std::fs::write(&path, &bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(bytes.len() as u64 + gibibyte).unwrap();
        Archive::open(&path, flavor).await
    };
    let archive = sparse(&blob_path(&one)[.."blobs/sha256/".len() + 64], Flavor::Oci).await.unwrap();
    let error = fetch_manifest(&archive, &archive.only().await.unwrap()).await.unwrap_err();
    assert!(matches!(error, wharf_oci::Error::Size { expected: 3, .. }), "{error:?}");
    let images = (MANIFEST_FILE, &br#"[{"Config":"c.json"}]"#[..]);
    for (files, entry, flavor) in [
        (vec![LAYOUT], INDEX_FILE, Flavor::Oci),
        (vec![], MANIFEST_FILE, Flavor::Docker),
        (vec![images], "c.json", Flavor::Docker),
    ] {
        let mut bytes = tar(&files);
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(special(entry, tar::EntryType::Regular, gibibyte));
        std::fs::write(&path, &bytes).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(bytes.len() as u64 + gibibyte).unwrap();
        let error = Archive::open(&path, flavor).await.unwrap_err();
        assert!(matches!(&error, Error::EntrySize { entry: it, .. } if it == entry), "{error:?}");
    }
}

#[tokio::test]
async fn more_layers_than_any_image_has_are_refused() {
    let image = |layers: usize| format!(r#"{{"Config":"c","Layers":[{}]}}"#, vec![r#""l""#; layers].join(","));
    for images in [format!("[{}]", image(10_000)), format!("[{},{}]", image(4_999), image(5_000))] {
        let bytes = tar(&[("c", b"{}"), ("l", b"layer"), (MANIFEST_FILE, images.as_bytes())]);
        let error = open(&bytes, Flavor::Docker).await.unwrap_err();
        assert!(matches!(&error, Error::Images { count: 10_001, .. }), "{error:?}");
    }
    let layer = serde_json::to_string(&Descriptor::of(MediaType::WASM, b"layer")).unwrap();
    let text =
        format!(r#"{{"schemaVersion":2,"config":{layer},"layers":[{}]}}"#, vec![layer.clone(); 10_000].join(","));
    let descriptor = Descriptor::of(MediaType::OCI_MANIFEST, text.as_bytes());
    let (_folder, path) = file(&oci(vec![descriptor.clone()], &[text.as_bytes()]));
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    let error = fetch_manifest(&archive, &descriptor).await.unwrap_err();
    let is_counted = matches!(&error, wharf_oci::Error::Manifest { source: InvalidManifest::TooMany { .. }, .. });
    assert!(is_counted, "{error:?}");
}

#[tokio::test]
async fn an_image_without_a_manifest_gets_one() {
    let images = br#"[{"Config":"c.json","RepoTags":["localhost:5000/a/x:v1","a/x:v2"],"Layers":["1/layer.tar","2.tar","1/layer.tar"]},
        {"Config":"other.json","RepoTags":null,"Layers":null}]"#;
    let images = images.as_slice();
    let text = std::str::from_utf8(images).unwrap().replace(r#""Layers":null"#, r#""Layers":[]"#);
    let gzip = [GZIP, b"layer"].concat();
    let config = CONFIG.as_bytes();
    let files: [(&str, &[u8]); 5] = [
        ("c.json", config),
        ("1/layer.tar", b"layer"),
        ("2.tar", &gzip),
        ("other.json", b"{}"),
        (MANIFEST_FILE, text.as_bytes()),
    ];
    let (_folder, path) = file(&tar(&files));
    let archive = Archive::open(&path, Flavor::Docker).await.unwrap();
    let layer = Descriptor::of(MediaType::DOCKER_LAYER, b"layer");
    let expected = ImageManifest {
        media_type: Some(MediaType::DOCKER_MANIFEST),
        ..ImageManifest::new(
            Descriptor::of(MediaType::DOCKER_CONFIG, config),
            vec![layer.clone(), Descriptor::of(MediaType::DOCKER_LAYER_GZIP, &gzip), layer.clone()],
        )
    };
    for name in ["v1", "v2", "localhost:5000/a/x:v1", "a/x:v2"] {
        let found = archive.named(name).unwrap();
        assert_eq!(found.media_type, MediaType::DOCKER_MANIFEST);
        let manifest = fetch_manifest(&archive, &found).await.unwrap();
        assert_eq!(*manifest.document(), Document::Image(Box::new(expected.clone())), "{name}");
        let back = MemoryStore::new();
        copied(&archive, &back, &manifest).await.unwrap();
        assert_eq!(back.read(&layer.digest).unwrap(), "layer");
    }
    // The one that has names is not the only one, but the one that is meant.
    assert_eq!(archive.only().await.unwrap(), archive.named("v1").unwrap());
    assert_eq!(archive.names(), ["a/x:v2", "localhost:5000/a/x:v1"]);
    let by_digest = Selector::Digest(archive.named("v1").unwrap().digest);
    assert!(archive.resolve(&by_digest).await.is_ok());
}

#[tokio::test]
async fn a_layer_that_the_config_tells_otherwise_of_is_refused() {
    let (plain, gzip) = (Digest::sha256(b"layer"), [GZIP, b"layer"].concat());
    let images = br#"[{"Config":"c.json","Layers":["plain.tar","gzip.tar"]}]"#;
    let other = Digest::sha256(b"other");
    for (ids, is_read) in [
        (vec![&plain, &other], true),
        // The second is that of what is unpacked, which nobody has done.
        (vec![&other, &other], false),
        // It says nothing of each layer.
        (vec![&other], true),
    ] {
        let ids: Vec<_> = ids.into_iter().map(ToString::to_string).collect();
        let config = serde_json::json!({ "rootfs": { "type": "layers", "diff_ids": ids } }).to_string();
        let files = [("c.json", config.as_bytes()), ("plain.tar", b"layer"), ("gzip.tar", &gzip)];
        let bytes = tar(&[&files[..], &[(MANIFEST_FILE, images)]].concat());
        let opened = open(&bytes, Flavor::Docker).await;
        assert_eq!(opened.is_ok(), is_read, "{ids:?}: {opened:?}");
        assert!(is_read || matches!(opened, Err(Error::Layer { entry, .. }) if entry == "plain.tar"));
    }
}

#[tokio::test]
async fn docker_archives_that_are_layouts_too_keep_their_manifests() {
    let store = MemoryStore::new();
    let mut manifest = ImageManifest::new(
        store.insert(MediaType::OCI_CONFIG, CONFIG),
        vec![store.insert(MediaType::OCI_LAYER, "one")],
    );
    manifest.annotations.insert("kept".to_owned(), "exactly".to_owned());
    let manifest = stored(&store, &manifest);
    // As Docker writes it for an image of several platforms.
    let nested = index(&store, &[&manifest]);
    let images = |layers: &str| {
        let config = blob_path(&Digest::sha256(CONFIG.as_bytes()));
        format!(r#"[{{"Config":"{config}","RepoTags":["a/x:v1"],"Layers":[{layers}]}}]"#)
    };
    let archive_of = |images: &str| {
        let blobs: [&[u8]; 4] = [CONFIG.as_bytes(), b"one", manifest.bytes(), nested.bytes()];
        let mut bytes = oci(vec![nested.descriptor()], &blobs);
        bytes.truncate(bytes.len() - 1024);
        [bytes, tar(&[(MANIFEST_FILE, images.as_bytes())])].concat()
    };
    let one = format!(r#""{}""#, blob_path(&Digest::sha256(b"one")));
    for (layers, is_own) in [(one.clone(), true), (format!("{one},{one}"), false), (String::new(), false)] {
        let archive = open(&archive_of(&images(&layers)), Flavor::Docker).await.unwrap();
        let found = archive.named("v1").unwrap();
        assert_eq!(found.digest == *manifest.digest(), is_own, "{layers}");
        assert_eq!(found.media_type == MediaType::OCI_MANIFEST, is_own);
    }
}

#[tokio::test]
async fn a_layer_is_read_by_its_digest_whatever_its_path_claims() {
    // The path of the layer is the digest of other content.
    let claimed = blob_path(&Digest::sha256(b"claimed"));
    let images = format!(r#"[{{"Config":"c.json","Layers":["{claimed}"]}}]"#);
    let files: [(&str, &[u8]); 3] = [("c.json", b"{}"), (&claimed, b"actual!"), (MANIFEST_FILE, images.as_bytes())];
    let (_folder, path) = file(&tar(&files));
    let archive = Archive::open(&path, Flavor::Docker).await.unwrap();
    let manifest = fetch_manifest(&archive, &archive.only().await.unwrap()).await.unwrap();
    assert!(manifest.children().any(|child| child.digest == Digest::sha256(b"actual!")));
    let lie = Descriptor::of(MediaType::DOCKER_LAYER, b"claimed");
    assert!(matches!(fetch_verified(&archive, &lie, 100).await, Err(wharf_oci::Error::Digest { .. })));
}

#[tokio::test]
async fn the_graph_of_an_archive_is_limited() {
    let mut blobs: Vec<Vec<u8>> = Vec::new();
    let mut below = Descriptor::of(MediaType::WASM, b"");
    for _ in 0..20 {
        let index = Manifest::from_index(&ImageIndex::new(vec![below])).unwrap();
        below = index.descriptor();
        blobs.push(index.bytes().to_vec());
    }
    let blobs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
    let (_folder, path) = file(&oci(vec![below], &blobs));
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    let error = archive.referrers(&Digest::sha256(b"x")).await.unwrap_err();
    assert!(matches!(error, wharf_oci::Error::Graph { unit: "levels", .. }), "{error:?}");
}

#[tokio::test]
async fn what_an_index_names_and_the_archive_lacks_hides_nothing_else() {
    let store = MemoryStore::new();
    let (here, absent) = (image(&store, &["one"]), image(&store, &["two"]));
    let root = index(&store, &[&absent, &here]);
    let blob = Descriptor::of(MediaType::WASM, b"blob");
    let bytes = oci(vec![root.descriptor(), blob.clone()], &[root.bytes(), here.bytes(), b"blob"]);
    let (_folder, path) = file(&bytes);
    let archive = Archive::open(&path, Flavor::Oci).await.unwrap();
    assert!(archive.referrers(root.digest()).await.unwrap().is_empty());
    assert_eq!(archive.resolve(&Selector::Digest(here.digest().clone())).await.unwrap(), here.descriptor());
    // Neither what is missing nor what is no manifest is found.
    for digest in [absent.digest(), &blob.digest] {
        let error = archive.resolve(&Selector::Digest(digest.clone())).await.unwrap_err();
        assert!(matches!(error, wharf_oci::Error::NotFound { .. }), "{error:?}");
    }
}
