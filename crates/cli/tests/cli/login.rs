//! `wharf login` and `wharf logout`.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

/// `jo:open` in base64.
const GOOD: &str = "Basic am86b3Blbg==";

/// Lets nobody in but Jo.
pub(crate) fn guard(request: &Parts) -> Option<Response> {
    let is_jo = request.headers.get(AUTHORIZATION).is_some_and(|value| value == GOOD);
    let refusal = || {
        let response = Response::builder().status(StatusCode::UNAUTHORIZED);
        let response = response.header(WWW_AUTHENTICATE, r#"Basic realm="test""#);
        let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        response.body(Body::from(body)).unwrap()
    };
    (!is_jo).then(refusal)
}

#[tokio::test(flavor = "multi_thread")]
async fn login() {
    let registry = TestRegistry::with(guard).await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    session.run_with(&format!("login {host} --username jo --password-stdin"), &[], b"wrong\n");
    session.run(&format!("login {host} --username jo"));
    assert_eq!(session.files(), ["hello.wasm"], "a login that failed left something behind");
    session.run_with(&format!("login {host} --username jo --password-stdin"), &[], b"open\n");
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    session.run(&format!("logout {host} --json"));
    session.run(&format!("logout {host}"));
    session.run(&format!("tags {host}/acme/hello"));
    let variables = [("WHARF_USERNAME", "jo"), ("WHARF_PASSWORD", "open")];
    session.run_with(&format!("tags {host}/acme/hello"), &variables, b"");
    session.run(&format!("tags {host}/acme/hello --username jo --password wrong-secret"));
    insta::assert_snapshot!("login", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_output() {
    let registry = TestRegistry::with(guard).await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    let variables = [("WHARF_USERNAME", "jo"), ("WHARF_PASSWORD", "hunter2"), ("WHARF_TOKEN", "hunter2")];
    for line in ["push HOST/a:1 hello.wasm", "pull HOST/a:1", "inspect HOST/a:1", "tags HOST/a", "delete HOST/a:1"] {
        let output = session.run_with(&line.replace("HOST", &host), &variables, b"");
        let said = [output.stdout, output.stderr].concat();
        assert!(!output.status.success());
        assert!(!String::from_utf8(said).unwrap().contains("hunter2"), "{line}");
    }
}

/// The file of a login is for its owner alone.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_credential_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let registry = TestRegistry::with(guard).await;
    let mut session = Session::with_registry(&registry);
    let line = format!("login {} --username jo --password-stdin", registry.registry());
    session.run_with(&line, &[], b"open");
    let mode = std::fs::metadata(session.path(".docker/config.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
