//! Blobs, manifests and tags on their way to a registry.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use wharf_client::{Client, Error};
use wharf_oci::{
    ByteStream, Descriptor, Digest, Document, Fetch, ImageIndex, ImageManifest, Manifest, MediaType, MemoryStore,
    Origin, Push as _, Tag as _, Transfer,
};
use wharf_testing::script::{Fault, Reply, ScriptServer, Step};

use crate::setup::{
    PUSH_TOKEN, blob, challenge, full_text, impatient, manifest, named_repository, options, registry, repository,
    repository_with, serve, token,
};

const UPLOADS: &str = "POST /v2/acme/hello/blobs/uploads/";

/// Gives the same pieces for whatever it is asked for.
struct Source {
    pieces: Vec<Bytes>,
    origin: Option<Origin>,
}

impl Source {
    fn new(pieces: &[&[u8]]) -> Self {
        Self { pieces: pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect(), origin: None }
    }
}

#[async_trait]
impl Fetch for Source {
    async fn fetch(&self, _: &Descriptor, _: u64) -> Result<ByteStream, wharf_oci::Error> {
        Ok(stream::iter(self.pieces.clone().into_iter().map(Ok)).boxed())
    }

    fn origin(&self) -> Option<Origin> {
        self.origin.clone()
    }
}

fn session(id: u32) -> Reply {
    Reply::new(202).header("location", format!("/v2/acme/hello/blobs/uploads/{id}?state=s"))
}

fn put(id: u32, digest: &Digest) -> String {
    let digest = digest.to_string().replace(':', "%3A");
    format!("PUT /v2/acme/hello/blobs/uploads/{id}?state=s&digest={digest}")
}

fn patch(id: u32) -> String {
    format!("PATCH /v2/acme/hello/blobs/uploads/{id}?state=s")
}

#[tokio::test]
async fn a_blob_is_sent_whole_with_its_length() {
    let content = blob(b"wharf");
    let put_step = Step::new(&put(1, &content.digest), Reply::new(201))
        .with("content-length", "5")
        .with("content-type", "application/octet-stream")
        .without("transfer-encoding");
    let post_step = Step::new(UPLOADS, session(1)).with("content-length", "0");
    let server = ScriptServer::start([post_step, put_step]).await;
    let sent = repository(&server).push(&content, &Source::new(&[b"wh", b"arf"])).await.unwrap();
    assert_eq!(sent, Transfer::Sent);
    assert_eq!(server.requests()[1].body, "wharf");
    server.assert_finished();
}

#[tokio::test]
async fn an_empty_blob_is_sent_too() {
    let content = blob(b"");
    let server = ScriptServer::start([
        Step::new(UPLOADS, session(1)),
        Step::new(&put(1, &content.digest), Reply::new(201)).with("content-length", "0"),
    ])
    .await;
    repository(&server).push(&content, &Source::new(&[])).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn a_source_that_lies_never_completes_an_upload() {
    let content = blob(b"wharf");
    let table: [&[&[u8]]; 4] = [&[b"wh", b"orf"], &[b"wh", b"ar"], &[b"wh", b"arf", b"!"], &[b"fraud"]];
    for pieces in table {
        let server =
            ScriptServer::start([Step::new(UPLOADS, session(1)), Step::new(&put(1, &content.digest), Reply::new(201))])
                .await;
        let error = repository(&server).push(&content, &Source::new(pieces)).await.unwrap_err();
        assert!(matches!(error, wharf_oci::Error::Digest { .. } | wharf_oci::Error::Size { .. }), "{error}");
        assert!(server.requests().iter().skip(1).all(|put| !put.is_complete && put.body.len() < 5));
    }
}

#[tokio::test]
async fn what_is_there_is_found_and_what_is_not_is_missing() {
    let (content, manifest) = (blob(b"wharf"), manifest());
    let blob_line = format!("HEAD /v2/acme/hello/blobs/{}", content.digest);
    let manifest_line = format!("HEAD /v2/acme/hello/manifests/{}", manifest.digest());
    let server = ScriptServer::start([
        Step::new(&blob_line, Reply::new(404)),
        Step::new(&blob_line, Reply::new(200).body("wharf")),
        Step::new(&manifest_line, serve(&manifest)),
        Step::new(&manifest_line, Reply::new(403)),
    ])
    .await;
    let repository = repository(&server);
    assert!(!repository.contains(&content).await.unwrap());
    assert!(repository.contains(&content).await.unwrap());
    assert!(repository.contains(&manifest.descriptor()).await.unwrap());
    assert!(repository.contains(&manifest.descriptor()).await.is_err());
    server.assert_finished();
}

fn mount(digest: &Digest) -> String {
    let digest = digest.to_string().replace(':', "%3A");
    format!("{UPLOADS}?mount={digest}&from=acme%2Fbase")
}

fn mountable(server: &ScriptServer, repository: &str) -> Source {
    let origin = Origin { registry: registry(server), repository: repository.parse().unwrap() };
    Source { origin: Some(origin), ..Source::new(&[b"wharf"]) }
}

#[tokio::test]
async fn a_blob_of_another_repository_is_mounted_with_the_right_to_read_there() {
    let content = blob(b"wharf");
    let scope = format!("{PUSH_TOKEN}&scope=repository%3Aacme%2Fbase%3Apull");
    let server = ScriptServer::start([
        Step::new(&mount(&content.digest), challenge()),
        Step::new(&scope, token("t1")),
        Step::new(&mount(&content.digest), Reply::new(201)).with("authorization", "Bearer t1"),
    ])
    .await;
    let sent = repository(&server).push(&content, &mountable(&server, "acme/base")).await.unwrap();
    assert_eq!(sent, Transfer::Mounted);
    server.assert_finished();
}

#[tokio::test]
async fn a_blob_that_cannot_be_mounted_is_sent() {
    let content = blob(b"wharf");
    let mount = mount(&content.digest);
    let put = Step::new(&put(1, &content.digest), Reply::new(201));
    let table = [
        ("acme/base", vec![Step::new(&mount, session(1)), put.clone()]),
        ("acme/base", vec![Step::new(&mount, Reply::new(403)), Step::new(UPLOADS, session(1)), put.clone()]),
        ("acme/base", vec![Step::new(&mount, Reply::new(501)), Step::new(UPLOADS, session(1)), put.clone()]),
        ("acme/hello", vec![Step::new(UPLOADS, session(1)), put]),
    ];
    for (name, steps) in table {
        let server = ScriptServer::start(steps).await;
        let sent = repository(&server).push(&content, &mountable(&server, name)).await.unwrap();
        assert_eq!(sent, Transfer::Sent);
        server.assert_finished();
    }
}

#[tokio::test]
async fn an_upload_that_breaks_begins_again() {
    let content = blob(b"wharf");
    let faults =
        [Reply::new(503), Reply::new(201).fault(Fault::ResetRequest(2)), Reply::new(201).fault(Fault::Silence)];
    for fault in faults {
        let server = ScriptServer::start([
            Step::new(UPLOADS, session(1)),
            Step::new(&put(1, &content.digest), fault),
            Step::new(UPLOADS, session(2)),
            Step::new(&put(2, &content.digest), Reply::new(201)),
        ])
        .await;
        let repository = repository_with(&server, impatient());
        repository.push(&content, &Source::new(&[b"wha", b"rf"])).await.unwrap();
        server.assert_finished();
    }
}

#[tokio::test]
async fn an_upload_that_is_asked_for_a_token_at_its_end_begins_again_with_one() {
    let content = blob(b"wharf");
    let server = ScriptServer::start([
        Step::new(UPLOADS, session(1)).without("authorization"),
        Step::new(&put(1, &content.digest), challenge()).without("authorization"),
        Step::new(PUSH_TOKEN, token("t1")),
        Step::new(UPLOADS, session(2)).with("authorization", "Bearer t1"),
        Step::new(&put(2, &content.digest), Reply::new(201)).with("authorization", "Bearer t1"),
    ])
    .await;
    repository(&server).push(&content, &Source::new(&[b"wharf"])).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn a_registry_that_takes_no_whole_blob_gets_it_in_parts() {
    let content = blob(b"wharf");
    let unsupported = Reply::new(400).body(r#"{"errors":[{"code":"UNSUPPORTED"}]}"#);
    let size = Reply::new(400).body(r#"{"errors":[{"code":"SIZE_INVALID"}]}"#);
    let refusals = [404, 405, 413, 416, 501].map(Reply::new).into_iter().chain([unsupported, size]);
    for refusal in refusals {
        let server = ScriptServer::start([
            Step::new(UPLOADS, session(1)),
            Step::new(&put(1, &content.digest), refusal),
            Step::new(UPLOADS, session(2)),
            Step::new(&patch(2), session(3)).with("content-range", "0-4"),
            Step::new(&put(3, &content.digest), Reply::new(201)).with("content-length", "0"),
        ])
        .await;
        let sent = repository(&server).push(&content, &Source::new(&[b"wh", b"arf"])).await;
        server.assert_finished();
        assert!(sent.is_ok(), "{sent:?}");
    }
}

#[tokio::test]
async fn each_part_goes_where_the_one_before_says() {
    let content = vec![7_u8; (5 << 20) + 3];
    let descriptor = blob(&content);
    let server = ScriptServer::start([
        Step::new(UPLOADS, session(1)),
        Step::new(&put(1, &descriptor.digest), Reply::new(405)),
        Step::new(UPLOADS, session(10)),
        Step::new(&patch(10), session(11).header("range", "0-4194303"))
            .with("content-range", "0-4194303")
            .with("content-length", "4194304"),
        Step::new(&patch(11), session(12).header("range", "bytes=0-5242882")).with("content-range", "4194304-5242882"),
        Step::new(&put(12, &descriptor.digest), Reply::new(201)),
    ])
    .await;
    let source = Source::new(&[&content[..3 << 20], &content[3 << 20..]]);
    repository(&server).push(&descriptor, &source).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn parts_are_as_large_as_the_registry_wants_them() {
    let content = vec![7_u8; 5 << 20];
    let descriptor = blob(&content);
    let least = 5 << 20;
    let server = ScriptServer::start([
        Step::new(UPLOADS, session(1)),
        Step::new(&put(1, &descriptor.digest), Reply::new(405)),
        Step::new(UPLOADS, session(2).header("oci-chunk-min-length", least.to_string())),
        Step::new(&patch(2), session(3)).with("content-range", "0-5242879"),
        Step::new(&put(3, &descriptor.digest), Reply::new(201)),
    ])
    .await;
    repository(&server).push(&descriptor, &Source::new(&[&content])).await.unwrap();
    server.assert_finished();

    for (header, expected) in [("67108865", "limit of 67108864"), ("many", "`many`")] {
        let opened = session(1).header("oci-chunk-min-length", header);
        let server = ScriptServer::start([Step::new(UPLOADS, opened)]).await;
        let text = full_text(&repository(&server).push(&descriptor, &Source::new(&[&content])).await.unwrap_err());
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn a_part_that_the_registry_counts_otherwise_is_refused() {
    let content = blob(b"wharf");
    let server = ScriptServer::start([
        Step::new(UPLOADS, session(1)),
        Step::new(&put(1, &content.digest), Reply::new(405)),
        Step::new(UPLOADS, session(2)),
        Step::new(&patch(2), session(3).header("range", "0-2")),
    ])
    .await;
    let error = repository(&server).push(&content, &Source::new(&[b"wharf"])).await.unwrap_err();
    assert!(matches!(error.medium_ref(), Some(Error::Protocol { .. })), "{error}");
    server.assert_finished();
}

#[tokio::test]
async fn a_refused_blob_is_not_sent_in_parts() {
    let content = blob(b"wharf");
    let refused = Reply::new(400).body(r#"{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}"#);
    let server =
        ScriptServer::start([Step::new(UPLOADS, session(1)), Step::new(&put(1, &content.digest), refused)]).await;
    let error = repository(&server).push(&content, &Source::new(&[b"wharf"])).await.unwrap_err();
    let expected = "PUT /v2/acme/hello/blobs/uploads/1: 400 Bad Request: DIGEST_INVALID: no";
    assert_eq!(error.to_string(), expected);
    server.assert_finished();
}

#[tokio::test]
async fn a_manifest_is_pushed_by_digest_and_tagged_by_name_with_its_exact_bytes() {
    let bytes = String::from_utf8(manifest().bytes().to_vec()).unwrap().replace(",\"layers\"", ", \"layers\"");
    let manifest = Manifest::parse(bytes.into(), None).unwrap();
    let created = Reply::new(201).header("docker-content-digest", manifest.digest().to_string());
    let by_digest = format!("PUT /v2/acme/hello/manifests/{}", manifest.digest());
    let typed = |line: &str| Step::new(line, created.clone()).with("content-type", MediaType::OCI_MANIFEST.as_str());
    let server = ScriptServer::start([typed(&by_digest), typed("PUT /v2/acme/hello/manifests/1.0.0")]).await;
    let source = MemoryStore::new();
    source.insert_manifest(&manifest);
    let repository = repository(&server);
    repository.push(&manifest.descriptor(), &source).await.unwrap();
    repository.tag(&manifest, &"1.0.0".parse().unwrap()).await.unwrap();
    assert!(server.requests().iter().all(|request| request.body == *manifest.bytes()));
    server.assert_finished();
}

#[tokio::test]
async fn a_registry_that_stores_another_manifest_is_caught() {
    let other = Reply::new(201).header("docker-content-digest", Digest::sha256(b"other").to_string());
    let server = ScriptServer::start([Step::new("PUT /v2/acme/hello/manifests/1.0.0", other)]).await;
    let error = repository(&server).tag(&manifest(), &"1.0.0".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.medium_ref(), Some(Error::DigestLie { .. })), "{error}");
    server.assert_finished();
}

/// A manifest that says something of another.
fn signature(name: &str) -> Manifest {
    let mut image = ImageManifest::new(Descriptor::of(MediaType::OCI_EMPTY, b"{}"), Vec::new());
    image.artifact_type = Some(MediaType::from("application/vnd.example.signature"));
    image.subject = Some(manifest().descriptor());
    image.annotations.insert("name".to_owned(), name.to_owned());
    Manifest::from_image(&image).unwrap()
}

fn referrers_path() -> String {
    format!("/v2/acme/hello/manifests/sha256-{}", manifest().digest().hex())
}

#[tokio::test]
async fn a_registry_that_knows_the_subject_needs_no_tag_for_it() {
    let signature = signature("one");
    let known = Reply::new(201).header("oci-subject", manifest().digest().to_string());
    let server = ScriptServer::start([Step::new("PUT /v2/acme/hello/manifests/1.0.0", known)]).await;
    repository(&server).tag(&signature, &"1.0.0".parse().unwrap()).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn a_referrer_is_added_to_the_tag_where_the_registry_does_not_know_the_subject() {
    let (one, two) = (signature("one"), signature("two"));
    let mut listed = one.descriptor();
    listed.artifact_type = one.artifact_type().cloned();
    listed.annotations = one.annotations().clone();
    let before = Manifest::from_index(&ImageIndex::new(vec![listed.clone()])).unwrap();
    let path = referrers_path();
    let (get, put) = (format!("GET {path}"), format!("PUT {path}"));
    let server = ScriptServer::start([
        Step::new("PUT /v2/acme/hello/manifests/1", Reply::new(201)),
        Step::new(&get, Reply::new(404)),
        Step::new(&put, Reply::new(201)).with("content-type", MediaType::OCI_INDEX.as_str()),
        Step::new("PUT /v2/acme/hello/manifests/2", Reply::new(201)),
        Step::new(&get, serve(&before)),
        Step::new(&put, Reply::new(201)),
        // Once more: it is there already.
        Step::new("PUT /v2/acme/hello/manifests/1", Reply::new(201)),
        Step::new(&get, serve(&before)),
    ])
    .await;
    let repository = repository(&server);
    repository.tag(&one, &"1".parse().unwrap()).await.unwrap();
    repository.tag(&two, &"2".parse().unwrap()).await.unwrap();
    repository.tag(&one, &"1".parse().unwrap()).await.unwrap();
    server.assert_finished();
    let written: Vec<Vec<Descriptor>> = server
        .requests()
        .into_iter()
        .filter(|request| request.line == put)
        .map(|request| match Manifest::parse(request.body, None).unwrap().document() {
            Document::Index(index) => index.manifests.clone(),
            Document::Image(_) | Document::Artifact(_) => Vec::new(),
        })
        .collect();
    assert_eq!(written[0], [listed.clone()]);
    assert_eq!(written[1][0], listed);
    assert_eq!(written[1][1].digest, *two.digest());
}

#[tokio::test]
async fn a_list_of_referrers_that_cannot_be_read_is_not_overwritten() {
    let server = ScriptServer::start([
        Step::new("PUT /v2/acme/hello/manifests/1", Reply::new(201)),
        Step::new(&format!("GET {}", referrers_path()), Reply::new(403)),
    ])
    .await;
    let error = repository(&server).tag(&signature("one"), &"1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.medium_ref(), Some(Error::Forbidden { .. })), "{error}");
    server.assert_finished();
}

#[tokio::test]
async fn a_blob_goes_from_registry_to_registry() {
    let content = blob(b"0123456789");
    let get = format!("GET /v2/acme/base/blobs/{}", content.digest);
    let from = ScriptServer::start([
        Step::new(&get, Reply::new(200).body("0123456789").fault(Fault::Reset(4))),
        Step::new(&get, Reply::new(206).header("content-range", "bytes 4-9/10").body("456789"))
            .with("range", "bytes=4-"),
    ])
    .await;
    let to =
        ScriptServer::start([Step::new(UPLOADS, session(1)), Step::new(&put(1, &content.digest), Reply::new(201))])
            .await;
    let client = Client::new(options()).unwrap();
    let source = named_repository(&client, &from, "acme/base");
    named_repository(&client, &to, "acme/hello").push(&content, &source).await.unwrap();
    assert_eq!(to.requests()[1].body, "0123456789");
    from.assert_finished();
    to.assert_finished();
}
