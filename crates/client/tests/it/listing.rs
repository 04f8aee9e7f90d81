//! Tags, referrers, deletion.

use wharf_client::{Detour, Error};
use wharf_oci::{Descriptor, Digest, ImageIndex, Manifest, Referrers as _, TagName};
use wharf_testing::script::{Reply, ScriptServer, Step};

use crate::setup::{PULL_TOKEN, blob, challenge, full_text, manifest, repository, serve, tag, token};

const TAGS: &str = "GET /v2/acme/hello/tags/list";

fn page(tags: &str) -> Reply {
    Reply::new(200).body(format!(r#"{{"name":"acme/hello","tags":{tags}}}"#))
}

fn names(tags: &[TagName]) -> Vec<&str> {
    tags.iter().map(TagName::as_str).collect()
}

#[tokio::test]
async fn all_pages_of_tags_are_read_and_what_is_no_tag_is_left_out() {
    let next = r#"</v2/acme/hello/tags/list?last=b&n=2>; rel="next""#;
    let server = ScriptServer::start([
        Step::new(TAGS, page(r#"["a","b"]"#).header("link", next)),
        Step::new("GET /v2/acme/hello/tags/list?last=b&n=2", page(r#"["c",".d","e f","\u001b[2J"]"#)),
    ])
    .await;
    assert_eq!(names(&repository(&server).tags().await.unwrap()), ["a", "b", "c"]);
    server.assert_finished();
}

#[tokio::test]
async fn a_repository_may_have_no_tags() {
    for body in [r#"{"tags":null}"#, r#"{"tags":[]}"#, "{}"] {
        let server = ScriptServer::start([Step::new(TAGS, Reply::new(200).body(body))]).await;
        assert!(repository(&server).tags().await.unwrap().is_empty());
    }
    let server = ScriptServer::start([Step::new(TAGS, Reply::new(404))]).await;
    assert!(matches!(repository(&server).tags().await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn the_next_page_is_not_sought_at_another_host() {
    let thief = ScriptServer::start([]).await;
    let next = format!(r#"<http://{}/v2/acme/hello/tags/list?last=a>; rel="next""#, thief.address());
    let server = ScriptServer::start([
        Step::new(TAGS, challenge()),
        Step::new(PULL_TOKEN, token("t1")),
        Step::new(TAGS, page(r#"["a"]"#).header("link", next)),
    ])
    .await;
    let error = repository(&server).tags().await.unwrap_err();
    assert!(matches!(error, Error::Redirect { reason: Detour::OtherOrigin, .. }), "{error}");
    assert!(thief.requests().is_empty());
    server.assert_finished();
}

#[tokio::test]
async fn a_next_page_that_is_no_url_is_refused_without_showing_it() {
    let next = "<http://jo:hunter2@[>; rel=next";
    let server = ScriptServer::start([Step::new(TAGS, page("[]").header("link", next))]).await;
    let text = full_text(&repository(&server).tags().await.unwrap_err());
    assert!(text.contains("`link` holds no URL") && !text.contains("hunter2"), "{text}");
    server.assert_finished();
}

#[tokio::test]
async fn a_listing_that_does_not_end_is_given_up() {
    let around = page(r#"["a"]"#).header("link", format!("<{}>; rel=next", &TAGS[4..]));
    let server = ScriptServer::start([Step::new(TAGS, around)]).await;
    let text = full_text(&repository(&server).tags().await.unwrap_err());
    assert!(text.contains("round in circles"), "{text}");
    server.assert_finished();

    let (one, two) = ("/v2/acme/hello/tags/list?last=1", "/v2/acme/hello/tags/list?last=2");
    let to = |next: &str| page("[]").header("link", format!("<{next}>; rel=next"));
    let server = ScriptServer::start([
        Step::new(TAGS, to(one)),
        Step::new(&format!("GET {one}"), to(two)).times(500),
        Step::new(&format!("GET {two}"), to(one)).times(499),
    ])
    .await;
    let error = repository(&server).tags().await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1000, unit: "pages", .. }), "{error}");
    server.assert_finished();
}

#[tokio::test]
async fn tags_of_another_form_and_too_large_pages_are_refused() {
    let server = ScriptServer::start([Step::new(TAGS, Reply::new(200).body("<html>"))]).await;
    assert!(matches!(repository(&server).tags().await, Err(Error::Protocol { .. })));
    let server = ScriptServer::start([Step::new(TAGS, Reply::new(200).body(vec![b' '; (4 << 20) + 1]))]).await;
    assert!(matches!(repository(&server).tags().await, Err(Error::TooLarge { limit: 4_194_304, .. })));
    let many = format!("[{}]", vec![r#""a""#; 100_001].join(","));
    let server = ScriptServer::start([Step::new(TAGS, page(&many))]).await;
    assert!(matches!(repository(&server).tags().await, Err(Error::TooLarge { limit: 100_000, unit: "tags", .. })));
}

fn index(descriptors: &[Descriptor]) -> Manifest {
    Manifest::from_index(&ImageIndex::new(descriptors.to_vec())).unwrap()
}

#[tokio::test]
async fn all_pages_of_referrers_are_read() {
    let (one, two) = (blob(b"one"), blob(b"two"));
    let subject = Digest::sha256(b"subject");
    let line = format!("GET /v2/acme/hello/referrers/{subject}");
    let next = format!(r#"</v2/acme/hello/referrers/{subject}?page=2>; rel="next""#);
    let server = ScriptServer::start([
        Step::new(&line, serve(&index(std::slice::from_ref(&one))).header("link", next)),
        Step::new(&format!("{line}?page=2"), serve(&index(std::slice::from_ref(&two)))),
    ])
    .await;
    assert_eq!(repository(&server).referrers(&subject).await.unwrap(), [one, two]);
    server.assert_finished();
}

#[tokio::test]
async fn a_registry_without_referrers_is_asked_for_their_tag() {
    let subject = Digest::of(wharf_oci::Algorithm::Sha512, b"subject");
    let list = format!("GET /v2/acme/hello/referrers/{subject}");
    let tag = format!("GET /v2/acme/hello/manifests/sha512-{}", &subject.hex()[..64]);
    let one = blob(b"one");
    let table = [(serve(&index(std::slice::from_ref(&one))), vec![one.clone()]), (Reply::new(404), Vec::new())];
    for (reply, expected) in table {
        for status in [404, 400, 406] {
            let steps = [Step::new(&list, Reply::new(status)), Step::new(&tag, reply.clone())];
            let server = ScriptServer::start(steps).await;
            assert_eq!(repository(&server).referrers(&subject).await.unwrap(), expected);
            server.assert_finished();
        }
    }
}

#[tokio::test]
async fn a_registry_that_takes_the_tag_for_the_digest_has_no_referrers() {
    let child = manifest().descriptor();
    for subject in [manifest(), index(std::slice::from_ref(&child))] {
        let digest = subject.digest();
        let server = ScriptServer::start([
            Step::new(&format!("GET /v2/acme/hello/referrers/{digest}"), Reply::new(404)),
            Step::new(&format!("GET /v2/acme/hello/manifests/sha256-{}", digest.hex()), serve(&subject)),
        ])
        .await;
        assert!(repository(&server).referrers(digest).await.unwrap().is_empty());
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_failure_is_never_taken_for_no_referrers() {
    let subject = Digest::sha256(b"subject");
    let list = format!("GET /v2/acme/hello/referrers/{subject}");
    let tag = format!("GET /v2/acme/hello/manifests/sha256-{}", subject.hex());
    let failures = [401, 403, 405, 409, 451].map(Reply::new);
    for reply in failures.into_iter().chain([Reply::new(200).body("{}"), serve(&manifest())]) {
        let server = ScriptServer::start([Step::new(&list, reply.clone())]).await;
        assert!(repository(&server).referrers(&subject).await.is_err(), "{reply:?}");
        server.assert_finished();
        let server = ScriptServer::start([Step::new(&list, Reply::new(404)), Step::new(&tag, reply.clone())]).await;
        assert!(repository(&server).referrers(&subject).await.is_err(), "{reply:?} under the tag");
        server.assert_finished();
    }
    // The list breaks off.
    let next = format!(r#"</v2/acme/hello/referrers/{subject}?page=2>; rel="next""#);
    let server = ScriptServer::start([
        Step::new(&list, serve(&index(&[blob(b"one")])).header("link", next)),
        Step::new(&format!("{list}?page=2"), Reply::new(404)),
    ])
    .await;
    assert!(repository(&server).referrers(&subject).await.is_err());
    server.assert_finished();
}

#[tokio::test]
async fn a_manifest_is_deleted_with_the_right_to() {
    let line = "DELETE /v2/acme/hello/manifests/1.0.0";
    let server = ScriptServer::start([
        Step::new(line, challenge()),
        Step::new("GET /token?service=test&scope=repository%3Aacme%2Fhello%3Adelete", token("t1")),
        Step::new(line, Reply::new(202)).with("authorization", "Bearer t1"),
        Step::new(line, Reply::new(405)).with("authorization", "Bearer t1"),
    ])
    .await;
    let repository = repository(&server);
    repository.delete(&tag("1.0.0")).await.unwrap();
    let error = repository.delete(&tag("1.0.0")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{line}: 405 Method Not Allowed"));
    server.assert_finished();
}
