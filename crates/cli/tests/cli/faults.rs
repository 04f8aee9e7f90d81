//! Registries that refuse, fail, and lie.

use axum::body::Body;
use axum::response::Response;
use http::Method;
use wharf::oci::{Digest, MediaType, Resolve as _, Selector};
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;
use wharf_testing::script::{Fault, Reply, ScriptServer, Step};

use crate::scene::{MANIFEST, PULL, Scene};
use crate::session::Session;

/// How often a request is tried.
const TRIES: usize = 4;

/// The header in which a registry states a digest.
const DIGEST: &str = "docker-content-digest";

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::new(status).body(format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_was_refused_and_what_to_do() {
    let mut scene = Scene::new();
    let basic =
        || error(401, "UNAUTHORIZED", "authentication required").header("www-authenticate", "Basic realm=\"x\"");
    scene.fail("401, and no credential", vec![Step::new(MANIFEST, basic())]).await;
    let server = ScriptServer::start([Step::new(MANIFEST, basic()).times(2)]).await;
    let variables = [("WHARF_USERNAME", "jo"), ("WHARF_PASSWORD", "hunter2")];
    let output = scene.run_at(&server, "401 to the credential", PULL, &variables);
    scene.assert_failed(&output);
    scene.fail("401 from a proxy that sends a page", vec![Step::new(MANIFEST, Reply::new(401).body("<html>"))]).await;
    let denied = error(403, "DENIED", "requested access to the resource is denied");
    scene.fail("403", vec![Step::new(MANIFEST, denied)]).await;
    let unknown = || error(404, "NAME_UNKNOWN", "repository name not known to registry");
    let tags = Step::new("GET /v2/acme/hello/tags/list", unknown());
    scene.fail("404 for the repository", vec![Step::new(MANIFEST, unknown()), tags]).await;
    let missing = error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    scene.fail("404 for the blob", scene.blob([missing])).await;
    insta::assert_snapshot!("faults_refusals", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_fails_for_ever_is_given_up_after_four_tries() {
    let mut scene = Scene::new();
    let busy = error(429, "TOOMANYREQUESTS", "rate limit exceeded");
    scene.fail("429 for ever", vec![Step::new(MANIFEST, busy).times(TRIES)]).await;
    let broken = Reply::new(500).body("<html>");
    scene.fail("500 for ever", vec![Step::new(MANIFEST, broken.clone()).times(TRIES)]).await;
    scene.fail("500 for the blob", scene.blob(vec![broken; TRIES])).await;
    scene.fail("503 for ever", vec![Step::new(MANIFEST, Reply::new(503)).times(TRIES)]).await;
    scene.fail("501", vec![Step::new(MANIFEST, Reply::new(501))]).await;
    let server = ScriptServer::start([]).await;
    let variables = [("WHARF_RETRY_DELAY_MS", "soon")];
    let output = scene.run_at(&server, "a wait that is no number", PULL, &variables);
    scene.assert_failed(&output);
    insta::assert_snapshot!("faults_failures", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_about_a_digest_is_found_and_nothing_is_written() {
    let mut scene = Scene::new();
    let (digest, other) = (scene.manifest.digest().clone(), Digest::sha256(b"other"));
    let by_digest = format!("GET /v2/acme/hello/manifests/{other}");
    let line = format!("pull HOST/acme/hello@{other} --force --output kept.wasm");
    let output = scene.run("other bytes than the digest asked for", &line, vec![Step::new(&by_digest, plain(&scene))]);
    let output = output.await;
    scene.assert_failed(&output);
    let stating = plain(&scene).header(DIGEST, other.to_string());
    scene.fail("the header states another digest", vec![Step::new(MANIFEST, stating)]).await;
    let stating = plain(&scene).header(DIGEST, "sha256:none");
    scene.fail("the header states no digest", vec![Step::new(MANIFEST, stating)]).await;
    let mut flipped = scene.component.clone();
    flipped[20] ^= 1;
    scene.fail("a bit of the blob is flipped", scene.blob([Reply::new(200).body(flipped.clone())])).await;
    let line = "pull HOST/acme/hello:1.0.0 --output new.wasm";
    let blob = || scene.blob([Reply::new(200).body(flipped.clone())]);
    let (to_file, to_read) = (blob(), blob());
    let output = scene.run("the same, to a new file", line, to_file).await;
    scene.assert_failed(&output);
    let output = scene.run("the same, to be read", "inspect HOST/acme/hello:1.0.0 --wit", to_read).await;
    scene.assert_failed(&output);
    assert_ne!(digest, other);
    insta::assert_snapshot!("faults_lies", scene.session.transcript());
}

/// The manifest without the header that states its digest.
fn plain(scene: &Scene) -> Reply {
    Reply::new(200).header("content-type", MediaType::OCI_MANIFEST.as_str()).body(scene.manifest.bytes().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_length_is_refused() {
    let mut scene = Scene::new();
    let half = scene.component.len() / 2;
    let short = Reply::new(200).body(scene.component[..half].to_vec());
    let end = Reply::new(416);
    scene.fail("the blob is shorter than announced", scene.blob([short, end])).await;
    let long = [scene.component.as_slice(), b"more"].concat();
    scene.fail("the blob is longer than announced", scene.blob([Reply::new(200).body(long)])).await;
    let cut = plain(&scene).fault(Fault::Close(half));
    scene.fail("the manifest is cut off", vec![Step::new(MANIFEST, cut).times(TRIES)]).await;
    let long = [scene.manifest.bytes(), b" {}".as_slice()].concat();
    scene.fail("the manifest goes on after its end", vec![Step::new(MANIFEST, plain(&scene).body(long))]).await;
    insta::assert_snapshot!("faults_lengths", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_taken_up_where_it_broke() {
    let mut scene = Scene::new();
    let (half, size) = (scene.component.len() / 2, scene.component.len());
    let whole = || Reply::new(200).body(scene.component.clone()).fault(Fault::Reset(half));
    let range = format!("bytes {half}-{}/{size}", size - 1);
    let rest = Reply::new(206).header("content-range", range).body(scene.component[half..].to_vec());
    let first = scene.blob([whole()]);
    let resumed = Step::new(&scene.blob_line(), rest.clone()).with("range", &format!("bytes={half}-"));
    let line = "pull HOST/acme/hello:1.0.0 --output new.wasm";
    let steps = first.iter().cloned().chain([resumed]).collect();
    assert!(scene.run("once", line, steps).await.status.success());
    assert_eq!(std::fs::read(scene.session.path("new.wasm")).unwrap(), scene.component);
    std::fs::remove_file(scene.session.path("new.wasm")).unwrap();
    let broken = Step::new(&scene.blob_line(), rest.fault(Fault::Reset(0))).times(TRIES - 1);
    scene.fail("for ever", first.into_iter().chain([broken]).collect()).await;
    insta::assert_snapshot!("faults_resets", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_manifest_is_refused() {
    let mut scene = Scene::new();
    let image = String::from_utf8(scene.manifest.bytes().to_vec()).unwrap();
    let twice = image.replacen('{', r#"{"layers":[],"#, 1);
    let both = image.replacen('{', r#"{"manifests":[],"#, 1);
    let large = format!("{image}{}", " ".repeat(5 << 20));
    let old = image.replace(r#""schemaVersion":2"#, r#""schemaVersion":1"#);
    let signature = image.replace("application/wasm", "application/vnd.dev.cosign.simplesigning.v1+json");
    let bodies = [
        ("a manifest of 5 MiB", large),
        ("a manifest that is an index too", both),
        ("a manifest with a key twice", twice),
        ("a page", "<html>".to_owned()),
        ("nothing", String::new()),
        ("an empty object", "{}".to_owned()),
        ("Docker's schema 1", old),
        ("a signature", signature),
    ];
    for (remark, body) in bodies {
        scene.fail(remark, vec![Step::new(MANIFEST, plain(&scene).body(body))]).await;
    }
    let as_index = Reply::new(200).header("content-type", MediaType::OCI_INDEX.as_str()).body(image);
    scene.fail("a manifest that is served as an index", vec![Step::new(MANIFEST, as_index)]).await;
    insta::assert_snapshot!("faults_manifests", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_refused_leaves_no_tag() {
    let faults = [
        ("507 for a blob", Method::POST, "/blobs/uploads/", 507),
        ("403 for the manifest", Method::PUT, "/manifests/", 403),
        ("500 for the manifest", Method::PUT, "/manifests/", 500),
        ("another digest for the manifest", Method::PUT, "/manifests/", 201),
    ];
    let mut session = Session::new();
    session.write("hello.wasm", fixtures::component("hello"));
    for (remark, method, path, status) in faults {
        let registry = TestRegistry::with(move |request| {
            let is_refused = request.method == method && request.uri.path().contains(path);
            let response = Response::builder().status(status).header(DIGEST, Digest::sha256(b"other").to_string());
            is_refused.then(|| response.body(Body::empty()).unwrap())
        });
        let registry = registry.await;
        session.hide(registry.registry().to_string(), "[REGISTRY]");
        session.remark(remark);
        let output = session.run(&format!("push {}/acme/hello:1.0.0 hello.wasm", registry.registry()));
        assert!(!output.status.success() && output.stdout.is_empty(), "{remark}");
        let repository = registry.store().repository(&"acme/hello".parse().unwrap());
        let tag = Selector::Tag("1.0.0".parse().unwrap());
        assert!(repository.resolve(&tag).await.is_err(), "{remark}");
    }
    assert_eq!(session.files(), ["hello.wasm"]);
    insta::assert_snapshot!("faults_push", session.transcript());
}
