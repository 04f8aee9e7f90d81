//! Where the client follows, and what it takes along.

use wharf_client::{Detour, Error};
use wharf_oci::{Fetch as _, MediaType, MemoryStore, Push as _};
use wharf_testing::script::{Reply, ScriptServer, Step};

use crate::setup::{
    PULL_TOKEN, PUSH_TOKEN, blob, challenge, full_text, manifest, read, repository, repository_with, serve, tag, token,
    with_password,
};

const MANIFEST: &str = "GET /v2/acme/hello/manifests/1.0.0";

#[tokio::test]
async fn storage_elsewhere_gets_the_range_and_no_authorization() {
    let content = b"0123456789";
    let line = format!("GET /v2/acme/hello/blobs/{}", blob(content).digest);
    let partial = Reply::new(206).header("content-range", "bytes 4-9/10").body("456789");
    let storage = ScriptServer::start([Step::new("GET /x?signature=s", partial)
        .without("authorization")
        .with("range", "bytes=4-")])
    .await;
    let away = Reply::new(307).header("location", format!("http://{}/x?signature=s", storage.address()));
    let server = ScriptServer::start([
        Step::new(&line, challenge()),
        Step::new(PULL_TOKEN, token("t1")),
        Step::new(&line, away).with("authorization", "Bearer t1"),
    ])
    .await;
    let stream = repository_with(&server, with_password(&server)).fetch(&blob(content), 4).await.unwrap();
    assert_eq!(read(stream).await.unwrap(), b"456789");
    server.assert_finished();
    storage.assert_finished();
}

#[tokio::test]
async fn the_authorization_stays_on_the_same_host_and_does_not_come_back_from_another() {
    let other = ScriptServer::start([]).await;
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, token("t1")),
        Step::new(MANIFEST, Reply::new(301).header("location", "/one")).with("authorization", "Bearer t1"),
        Step::new("GET /one", Reply::new(302).header("location", format!("http://{}/two", other.address())))
            .with("authorization", "Bearer t1"),
        Step::new("GET /three", serve(&manifest())).without("authorization"),
    ])
    .await;
    let back = Reply::new(308).header("location", format!("http://{}/three", server.address()));
    other.add(Step::new("GET /two", back).without("authorization"));
    repository(&server).manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
    other.assert_finished();
}

#[tokio::test]
async fn the_challenge_of_another_host_is_not_answered() {
    let thief = ScriptServer::start([Step::new("GET /x", challenge()).without("authorization")]).await;
    let away = Reply::new(307).header("location", format!("http://{}/x", thief.address()));
    let server = ScriptServer::start([Step::new(MANIFEST, away)]).await;
    let error = repository_with(&server, with_password(&server)).manifest(&tag("1.0.0")).await.unwrap_err();
    let expected = format!("GET http://{}/x: 401 Unauthorized", thief.address());
    assert!(error.to_string().starts_with(&expected), "{error}");
    server.assert_finished();
    thief.assert_finished();
}

#[tokio::test]
async fn redirects_end_after_five() {
    let around = Reply::new(302).header("location", "/v2/acme/hello/manifests/1.0.0");
    let server = ScriptServer::start([Step::new(MANIFEST, around).times(6)]).await;
    let error = repository(&server).manifest(&tag("1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { reason: Detour::TooMany, .. }), "{error}");
    server.assert_finished();
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_refused() {
    let table = [
        (Reply::new(302), "`location` is missing"),
        (Reply::new(302).header("location", "http://["), "`location` holds no URL"),
        (Reply::new(302).header("location", "http://jo:hunter2@["), "`location` holds no URL"),
        (Reply::new(302).header("location", "ftp://a.example/x"), "it is not HTTP"),
        (Reply::new(302).header("location", "http://jo:hunter2@a.example/x"), "holds a user name"),
        (Reply::new(304), "304"),
    ];
    for (reply, expected) in table {
        let server = ScriptServer::start([Step::new(MANIFEST, reply)]).await;
        let text = full_text(&repository(&server).manifest(&tag("1.0.0")).await.unwrap_err());
        assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
        server.assert_finished();
    }
}

#[tokio::test]
async fn an_upload_to_another_host_carries_no_authorization() {
    let digest = blob(b"wharf").digest;
    let put = format!("PUT /s?id=1&digest={}", digest.to_string().replace(':', "%3A"));
    let storage = ScriptServer::start([Step::new(&put, Reply::new(201)).without("authorization")]).await;
    let post = "POST /v2/acme/hello/blobs/uploads/";
    let session = Reply::new(202).header("location", format!("http://{}/s?id=1", storage.address()));
    let server = ScriptServer::start([
        Step::new(post, challenge()),
        Step::new(PUSH_TOKEN, token("t1")),
        Step::new(post, session).with("authorization", "Bearer t1"),
    ])
    .await;
    let source = MemoryStore::new();
    let descriptor = source.insert(MediaType::OCTET_STREAM, "wharf");
    repository(&server).push(&descriptor, &source).await.unwrap();
    assert_eq!(storage.requests()[0].body, "wharf");
    server.assert_finished();
    storage.assert_finished();
}

#[tokio::test]
async fn an_upload_is_not_redirected() {
    let thief = ScriptServer::start([]).await;
    let away = Reply::new(307).header("location", format!("http://{}/x", thief.address()));
    let server = ScriptServer::start([Step::new("POST /v2/acme/hello/blobs/uploads/", away)]).await;
    let source = MemoryStore::new();
    let descriptor = source.insert(MediaType::OCTET_STREAM, "wharf");
    let error = repository(&server).push(&descriptor, &source).await.unwrap_err();
    assert!(matches!(error.medium_ref(), Some(Error::Protocol { .. })), "{error}");
    assert!(thief.requests().is_empty());
    server.assert_finished();
}
