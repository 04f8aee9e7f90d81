use wharf_oci::{ImageManifest, MediaType, MemoryStore};

use super::*;
use crate::fixtures::{Liar, artifact, copied, copied_with_referrers, files, image, index, name, signature};

async fn empty() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(&folder.path().join("a/b")).await.unwrap();
    (folder, layout)
}

async fn put(store: &MemoryStore, layout: &Layout, manifest: &Manifest, tag: &str) {
    copied(store, layout, manifest).await.unwrap();
    layout.add(manifest, Some(&name(tag))).await.unwrap();
}

fn blobs(layout: &Layout) -> Vec<String> {
    files(&layout.folder.join("blobs"))
}

#[tokio::test]
async fn a_layout_is_made_once_and_added_to() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    assert_eq!(files(&layout.folder), ["index.json", "oci-layout"]);
    put(&store, &layout, &artifact(&store, "one"), "v1").await;
    let again = Layout::create(&layout.folder).await.unwrap();
    put(&store, &again, &artifact(&store, "two"), "v2").await;
    assert_eq!(again.names().await.unwrap(), ["v1", "v2"]);
    assert_eq!(Layout::open(&layout.folder).await.unwrap().names().await.unwrap(), ["v1", "v2"]);
    // What a crash left half made is completed.
    fs::remove_file(layout.folder.join(INDEX_FILE)).unwrap();
    assert!(matches!(Layout::open(&layout.folder).await, Err(Error::EntryMissing { .. })));
    assert!(Layout::create(&layout.folder).await.unwrap().names().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_folder_that_is_no_layout_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Layout::open(folder.path()).await, Err(Error::NoLayout { .. })));
    assert!(matches!(Layout::open(&folder.path().join("none")).await, Err(Error::NoLayout { .. })));
    fs::write(folder.path().join("other"), "").unwrap();
    assert!(matches!(Layout::create(folder.path()).await, Err(Error::NoLayout { .. })));
    assert_eq!(files(folder.path()), ["other"]);
    fs::write(folder.path().join(LAYOUT_FILE), r#"{"imageLayoutVersion":"2.0"}"#).unwrap();
    for opened in [Layout::open(folder.path()).await, Layout::create(folder.path()).await] {
        assert!(matches!(opened, Err(Error::Version { .. })), "{opened:?}");
    }
    assert!(matches!(Layout::create(&folder.path().join("other")).await, Err(Error::File { .. })));
}

#[tokio::test]
async fn a_name_moves_and_all_else_in_the_index_stays() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let (one, two) = (artifact(&store, "one"), artifact(&store, "two"));
    put(&store, &layout, &one, "v1").await;
    let path = layout.folder.join(INDEX_FILE);
    let mut document: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    document["x-custom"] = serde_json::json!([1, { "a": null }]);
    let unknown = serde_json::json!({
        "mediaType": "application/x", "digest": one.digest().to_string(), "size": 1, "x-more": { "z": 1.5, "a": [] },
        "annotations": { "other": "kept" },
    });
    document["manifests"].as_array_mut().unwrap().insert(0, unknown.clone());
    fs::write(&path, document.to_string()).unwrap();
    put(&store, &layout, &two, "v1").await;
    put(&store, &layout, &one, "v2").await;
    let document: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(document["x-custom"], serde_json::json!([1, { "a": null }]));
    assert_eq!(document["manifests"][0], unknown);
    assert_eq!(document["manifests"].as_array().unwrap().len(), 3);
    assert_eq!(layout.named("v1").await.unwrap().digest, *two.digest());
    assert_eq!(layout.named("v2").await.unwrap().digest, *one.digest());
}

#[tokio::test]
async fn a_tag_in_another_repository_is_another_name() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let manifests = [artifact(&store, "one"), artifact(&store, "two"), artifact(&store, "three")];
    put(&store, &layout, &manifests[0], "localhost:5000/a:v1").await;
    put(&store, &layout, &manifests[1], "b:v1").await;
    assert_eq!(layout.named("localhost:5000/a:v1").await.unwrap().digest, *manifests[0].digest());
    assert!(matches!(layout.named("v1").await, Err(Error::NameAmbiguous { .. })));
    assert!(matches!(layout.untag("v1").await, Err(Error::NameAmbiguous { .. })));
    // A tag alone means the tag, wherever it is.
    layout.push(&manifests[2].descriptor(), &store).await.unwrap();
    copied(&store, &layout, &manifests[2]).await.unwrap();
    for child in manifests[2].children() {
        layout.push(child, &store).await.unwrap();
    }
    layout.tag(&manifests[2], &"v1".parse().unwrap()).await.unwrap();
    let selector = Selector::Tag("v1".parse().unwrap());
    assert_eq!(layout.resolve(&selector).await.unwrap().digest, *manifests[2].digest());
    assert_eq!(layout.index().await.unwrap().manifests.len(), 1);
}

#[tokio::test]
async fn what_has_no_name_is_listed_once_and_can_get_one() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let one = artifact(&store, "one");
    copied(&store, &layout, &one).await.unwrap();
    for _ in 0..2 {
        layout.add(&one, None).await.unwrap();
    }
    assert_eq!(layout.index().await.unwrap().manifests, [one.descriptor()]);
    assert_eq!(layout.only().await.unwrap().digest, *one.digest());
    layout.add(&one, Some(&name("v1"))).await.unwrap();
    layout.add(&one, None).await.unwrap();
    assert_eq!(layout.index().await.unwrap().manifests.len(), 1);
    assert_eq!(layout.names().await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn names_given_at_the_same_time_are_all_there() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let one = artifact(&store, "one");
    copied(&store, &layout, &one).await.unwrap();
    let names: Vec<_> = (0..8).map(|number| name(&format!("v{number}"))).collect();
    for added in futures_util::future::join_all(names.iter().map(|name| layout.add(&one, Some(name)))).await {
        added.unwrap();
    }
    assert_eq!(layout.names().await.unwrap().len(), names.len());
}

#[tokio::test]
async fn a_lie_is_not_stored() {
    let (_folder, layout) = empty().await;
    let blob = Descriptor::of(MediaType::WASM, b"blob");
    for lie in [&b""[..], b"blo", b"blab", b"blob!"] {
        let error = layout.push(&blob, &Liar(lie)).await.unwrap_err();
        let is_told = matches!(error, wharf_oci::Error::Size { .. } | wharf_oci::Error::Digest { .. });
        assert!(is_told, "{error:?}");
        assert_eq!(files(&layout.folder), ["index.json", "oci-layout"]);
    }
    assert!(!layout.contains(&blob).await.unwrap());
    layout.push(&blob, &Liar(b"blob")).await.unwrap();
    assert!(layout.contains(&blob).await.unwrap());
    let longer = Descriptor { size: 5, ..blob.clone() };
    assert!(!layout.contains(&longer).await.unwrap());
    let fetched = layout.fetch(&longer, 0).await.err().unwrap();
    assert!(matches!(fetched, wharf_oci::Error::Size { actual: 4, .. }), "{fetched:?}");
    let missing = layout.fetch(&Descriptor::of(MediaType::WASM, b"x"), 0).await.err().unwrap();
    assert!(matches!(missing, wharf_oci::Error::NotFound { .. }), "{missing:?}");
}

#[tokio::test]
async fn what_is_no_file_is_not_read() {
    let (_folder, layout) = empty().await;
    let blob = Descriptor::of(MediaType::WASM, b"blob");
    fs::create_dir(layout.blob(&blob.digest)).unwrap();
    let error = layout.fetch(&blob, 0).await.err().unwrap();
    assert!(matches!(error.medium_ref(), Some(Error::NoFile { .. })), "{error:?}");
}

#[tokio::test]
async fn a_manifest_whose_content_is_missing_is_not_listed() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let one = artifact(&store, "one");
    let error = layout.tag(&one, &TagName::latest()).await.unwrap_err();
    assert!(matches!(error.medium_ref(), Some(Error::ChildMissing { .. })), "{error:?}");
    assert!(layout.names().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_taken_away_takes_what_nothing_else_needs() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let (one, two) = (image(&store, &["one", "shared"]), image(&store, &["two", "shared"]));
    let both = index(&store, &[&one, &two]);
    put(&store, &layout, &one, "a/x:v1").await;
    let alone = blobs(&layout);
    put(&store, &layout, &both, "v2").await;
    put(&store, &layout, &two, "v3").await;
    layout.untag("v3").await.unwrap();
    assert_eq!(blobs(&layout).len(), 7);
    layout.untag("v2").await.unwrap();
    assert_eq!(blobs(&layout), alone);
    copied(&layout, &MemoryStore::new(), &one).await.unwrap();
    assert!(matches!(layout.untag("v2").await, Err(Error::NameUnknown { .. })));
    layout.untag("v1").await.unwrap();
    assert!(blobs(&layout).is_empty());
    assert_eq!(files(&layout.folder), ["index.json", "oci-layout"]);
}

#[tokio::test]
async fn one_name_of_two_takes_nothing() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let one = artifact(&store, "one");
    put(&store, &layout, &one, "v1").await;
    put(&store, &layout, &one, "v2").await;
    layout.untag("v1").await.unwrap();
    assert_eq!(layout.names().await.unwrap(), ["v2"]);
    copied(&layout, &MemoryStore::new(), &one).await.unwrap();
}

#[tokio::test]
async fn a_whole_name_taken_away_leaves_the_tag_of_the_same_name() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    put(&store, &layout, &artifact(&store, "one"), "v1").await;
    put(&store, &layout, &artifact(&store, "two"), "v2").await;
    // As Podman names what it saves.
    let path = layout.folder.join(INDEX_FILE);
    let index = fs::read_to_string(&path).unwrap().replace(r#""v2""#, r#""localhost/hello:v1""#);
    fs::write(&path, index).unwrap();
    layout.untag("v1").await.unwrap();
    assert_eq!(layout.names().await.unwrap(), ["localhost/hello:v1"]);
    copied(&layout, &MemoryStore::new(), &artifact(&store, "two")).await.unwrap();
}

#[tokio::test]
async fn nothing_is_deleted_where_it_is_not_known_what_is_needed() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let (one, two) = (artifact(&store, "one"), artifact(&store, "two"));
    put(&store, &layout, &one, "v1").await;
    put(&store, &layout, &two, "v2").await;
    let damaged = vec![b'x'; two.bytes().len()];
    fs::write(layout.blob(two.digest()), damaged).unwrap();
    let before = (blobs(&layout), layout.names().await.unwrap());
    assert!(matches!(layout.untag("v1").await, Err(Error::Content(_))));
    assert_eq!((blobs(&layout), layout.names().await.unwrap()), before);
}

#[tokio::test]
async fn what_refers_to_a_manifest_can_be_found_again() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let one = artifact(&store, "one");
    copied(&store, &layout, &one).await.unwrap();
    layout.add(&one, None).await.unwrap();
    assert!(layout.referrers(one.digest()).await.unwrap().is_empty());
    let signature = signature(&store, &one);
    copied_with_referrers(&store, &layout, &one).await;
    let referrers = layout.referrers(one.digest()).await.unwrap();
    assert_eq!(referrers.len(), 1);
    assert_eq!(referrers[0].digest, *signature.digest());
    // Neither has a name, and yet it is clear which is meant.
    assert_eq!(layout.only().await.unwrap().digest, *one.digest());
    let back = MemoryStore::new();
    let selector = Selector::Digest(signature.digest().clone());
    let found = layout.resolve(&selector).await.unwrap();
    copied(&layout, &back, &fetch_manifest(&layout, &found).await.unwrap()).await.unwrap();
    assert!(back.read(&Digest::sha256(b"signature")).is_some());
}

#[tokio::test]
async fn a_layer_that_only_its_maker_may_give_away_need_not_be_there() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let kind = MediaType::from("application/vnd.oci.image.layer.nondistributable.v1.tar");
    let layer = Descriptor::of(kind, b"elsewhere");
    let config = store.insert(MediaType::OCI_CONFIG, "{}");
    let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer])).unwrap();
    put(&store, &layout, &manifest, "v1").await;
    assert_eq!(layout.names().await.unwrap(), ["v1"]);
}

#[tokio::test]
async fn an_index_that_is_full_takes_no_more() {
    let store = MemoryStore::new();
    let (_folder, layout) = empty().await;
    let one = artifact(&store, "one");
    copied(&store, &layout, &one).await.unwrap();
    let many = ImageIndex::new(vec![Descriptor::of(MediaType::WASM, b""); 10_000]);
    fs::write(layout.folder.join(INDEX_FILE), Manifest::from_index(&many).unwrap().bytes()).unwrap();
    assert!(matches!(layout.add(&one, None).await, Err(Error::Index { .. })));
    assert_eq!(layout.index().await.unwrap().manifests.len(), 10_000);
}
