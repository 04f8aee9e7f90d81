//! Manifests and blobs.

use futures_util::StreamExt as _;
use wharf_client::Error;
use wharf_oci::{Digest, Fetch as _, Manifest, MediaType, Resolve as _, Selector, verified};

use crate::setup::{blob, full_text, impatient, manifest, read, repository, repository_with, serve, tag};
use wharf_testing::script::{Fault, Reply, ScriptServer, Step};

const MANIFEST: &str = "GET /v2/acme/hello/manifests/1.0.0";

fn blob_line(digest: &Digest) -> String {
    format!("GET /v2/acme/hello/blobs/{digest}")
}

#[tokio::test]
async fn a_manifest_takes_one_request() {
    let manifest = manifest();
    let accept = MediaType::MANIFESTS.map(String::from).join(", ");
    let step = Step::new(MANIFEST, serve(&manifest)).with("accept", &accept).without("authorization");
    let server = ScriptServer::start([step]).await;
    let found = repository(&server).manifest(&tag("1.0.0")).await.unwrap();
    assert_eq!((found.digest(), found.bytes()), (manifest.digest(), manifest.bytes()));
    server.assert_finished();
}

#[tokio::test]
async fn a_manifest_of_other_bytes_than_named_is_refused() {
    let (manifest, other) = (manifest(), Digest::sha256(b"other"));
    let sha512 = Digest::of(wharf_oci::Algorithm::Sha512, b"other");
    let plain = || Reply::new(200).body(manifest.bytes().clone());
    let table = [
        (Selector::Digest(other.clone()), plain()),
        (tag("1.0.0"), plain().header("docker-content-digest", other.to_string())),
        (tag("1.0.0"), plain().header("docker-content-digest", sha512.to_string())),
        (Selector::Digest(manifest.digest().clone()), plain().header("docker-content-digest", other.to_string())),
    ];
    for (selector, reply) in table {
        let server = ScriptServer::start([Step::new(&format!("GET /v2/acme/hello/manifests/{selector}"), reply)]).await;
        let error = repository(&server).manifest(&selector).await.unwrap_err();
        assert!(matches!(error, Error::DigestLie { .. }), "{selector}: {error}");
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_tag_has_the_digest_that_the_registry_prefers() {
    let manifest = manifest();
    let sha512 = Digest::of(wharf_oci::Algorithm::Sha512, manifest.bytes());
    let reply = Reply::new(200).header("docker-content-digest", sha512.to_string()).body(manifest.bytes().clone());
    let server = ScriptServer::start([Step::new(MANIFEST, reply)]).await;
    assert_eq!(*repository(&server).manifest(&tag("1.0.0")).await.unwrap().digest(), sha512);
}

#[tokio::test]
async fn what_is_no_manifest_or_too_large_is_refused() {
    let large = Reply::new(200).body(vec![b' '; (4 << 20) + 1]);
    for (reply, expected) in [
        (Reply::new(200).body("<html>"), "no valid manifest"),
        (large, "over the limit of 4194304 bytes"),
        (
            Reply::new(200).header("content-type", MediaType::OCI_INDEX.to_string()).body(manifest().bytes().clone()),
            "served as",
        ),
        (Reply::new(404).body(r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#), "404 Not Found: MANIFEST_UNKNOWN"),
        (Reply::new(200).header("docker-content-digest", "sha256:1").body("{}"), "`sha256:1`"),
    ] {
        let server = ScriptServer::start([Step::new(MANIFEST, reply)]).await;
        let error = repository(&server).manifest(&tag("1.0.0")).await.unwrap_err();
        let text = full_text(&error);
        assert!(text.contains(expected) && text.contains(MANIFEST), "{text}");
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_missing_thing_is_not_found_by_name() {
    let server = ScriptServer::start([
        Step::new("HEAD /v2/acme/hello/manifests/1.0.0", Reply::new(404)),
        Step::new(&blob_line(&Digest::sha256(b"x")), Reply::new(404)),
    ])
    .await;
    let repository = repository(&server);
    let error = repository.resolve(&tag("1.0.0")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("tag 1.0.0 of {}/acme/hello not found", server.address()));
    let error = repository.fetch(&blob(b"x"), 0).await.err().unwrap();
    assert!(matches!(error, wharf_oci::Error::NotFound { .. }), "{error}");
    server.assert_finished();
}

#[tokio::test]
async fn a_tag_is_resolved_by_its_head_alone_where_that_says_enough() {
    let manifest = manifest();
    let server = ScriptServer::start([Step::new("HEAD /v2/acme/hello/manifests/1.0.0", serve(&manifest))]).await;
    assert_eq!(repository(&server).resolve(&tag("1.0.0")).await.unwrap(), manifest.descriptor());
    server.assert_finished();

    let silent = Reply::new(200).body(manifest.bytes().clone());
    for head in [silent, Reply::new(405)] {
        let server = ScriptServer::start([
            Step::new("HEAD /v2/acme/hello/manifests/1.0.0", head),
            Step::new(MANIFEST, serve(&manifest)),
        ])
        .await;
        assert_eq!(repository(&server).resolve(&tag("1.0.0")).await.unwrap(), manifest.descriptor());
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_head_that_states_another_digest_is_a_lie() {
    let selector = Selector::Digest(Digest::sha256(b"other"));
    let line = format!("HEAD /v2/acme/hello/manifests/{selector}");
    let server = ScriptServer::start([Step::new(&line, serve(&manifest()))]).await;
    let error = repository(&server).resolve(&selector).await.unwrap_err();
    assert!(matches!(error.medium_ref(), Some(Error::DigestLie { .. })), "{error}");
}

#[tokio::test]
async fn a_manifest_as_content_comes_from_its_own_place() {
    let manifest: Manifest = manifest();
    let line = format!("GET /v2/acme/hello/manifests/{}", manifest.digest());
    let server = ScriptServer::start([Step::new(&line, serve(&manifest))]).await;
    let stream = repository(&server).fetch(&manifest.descriptor(), 0).await.unwrap();
    assert_eq!(read(stream).await.unwrap(), *manifest.bytes());
    server.assert_finished();
}

#[tokio::test]
async fn a_blob_is_read_from_an_offset() {
    let content = b"0123456789";
    let line = blob_line(&blob(content).digest);
    let partial = Reply::new(206).header("content-range", "bytes 4-9/10").body(&content[4..]);
    // The second registry knows no ranges, and sends all.
    for reply in [partial, Reply::new(200).body(&content[..])] {
        let server = ScriptServer::start([Step::new(&line, reply).with("range", "bytes=4-")]).await;
        let stream = repository(&server).fetch(&blob(content), 4).await.unwrap();
        assert_eq!(read(stream).await.unwrap(), b"456789");
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_blob_that_is_there_already_takes_no_request() {
    let server = ScriptServer::start([]).await;
    for offset in [5, 6] {
        let stream = repository(&server).fetch(&blob(b"wharf"), offset).await.unwrap();
        assert!(read(stream).await.unwrap().is_empty());
    }
    server.assert_finished();
}

#[tokio::test]
async fn a_range_other_than_asked_for_is_refused() {
    let line = blob_line(&blob(b"0123456789").digest);
    let wrong = Reply::new(206).header("content-range", "bytes 3-9/10").body("3456789");
    for reply in [wrong, Reply::new(206).body("456789"), Reply::new(204)] {
        let server = ScriptServer::start([Step::new(&line, reply)]).await;
        let error = repository(&server).fetch(&blob(b"0123456789"), 4).await.err().unwrap();
        assert!(matches!(error.medium_ref(), Some(Error::Protocol { .. })), "{error}");
        server.assert_finished();
    }
}

#[tokio::test]
async fn an_interrupted_blob_goes_on_where_it_stopped() {
    let content = b"0123456789";
    let line = blob_line(&blob(content).digest);
    let whole = || Reply::new(200).body(&content[..]);
    let rest = |from: usize| {
        let range = format!("bytes {from}-9/10");
        Reply::new(206).header("content-range", range).body(content[from..].to_vec())
    };
    let server = ScriptServer::start([
        Step::new(&line, whole().fault(Fault::Reset(3))).without("range"),
        Step::new(&line, rest(3).fault(Fault::Close(2))).with("range", "bytes=3-"),
        Step::new(&line, Reply::new(503)).with("range", "bytes=5-"),
        Step::new(&line, rest(5)).with("range", "bytes=5-"),
    ])
    .await;
    let stream = repository(&server).fetch(&blob(content), 0).await.unwrap();
    assert_eq!(read(verified(stream, &blob(content))).await.unwrap(), content);
    server.assert_finished();
}

#[tokio::test]
async fn a_stalled_blob_goes_on_after_the_time_out() {
    let content = b"0123456789";
    let line = blob_line(&blob(content).digest);
    let server = ScriptServer::start([
        Step::new(&line, Reply::new(200).body(&content[..]).fault(Fault::Stall(7))),
        Step::new(&line, Reply::new(206).header("content-range", "bytes 7-9/10").body("789")).with("range", "bytes=7-"),
    ])
    .await;
    let stream = repository_with(&server, impatient()).fetch(&blob(content), 0).await.unwrap();
    assert_eq!(read(stream).await.unwrap(), content);
    server.assert_finished();
}

#[tokio::test]
async fn a_blob_that_is_interrupted_again_and_again_is_given_up() {
    let line = blob_line(&blob(b"0123456789").digest);
    let reply = Reply::new(200).body("0123456789").fault(Fault::Reset(0));
    let server = ScriptServer::start([Step::new(&line, reply).times(4)]).await;
    let mut stream = repository(&server).fetch(&blob(b"0123456789"), 0).await.unwrap();
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.medium_ref().is_some_and(Error::is_transient), "{error}");
    server.assert_finished();
}

#[tokio::test]
async fn progress_earns_an_interrupted_blob_its_tries_again() {
    let content = vec![7_u8; 6 << 20];
    let line = blob_line(&blob(&content).digest);
    let server = ScriptServer::start([]).await;
    // Five interruptions, where four tries in a row are the limit, but each after a mebibyte.
    for start in 0..6_usize {
        let from = start << 20;
        let reply = match from {
            0 => Reply::new(200),
            _ => {
                Reply::new(206).header("content-range", format!("bytes {from}-{}/{}", content.len() - 1, content.len()))
            }
        };
        let reply = reply.body(content[from..].to_vec());
        server.add(Step::new(&line, if start < 5 { reply.fault(Fault::Close(1 << 20)) } else { reply }));
    }
    let stream = repository(&server).fetch(&blob(&content), 0).await.unwrap();
    assert_eq!(read(stream).await.unwrap().len(), content.len());
    server.assert_finished();
}

#[tokio::test]
async fn a_blob_that_is_longer_or_other_than_announced_is_noticed_by_its_reader() {
    let long = Reply::new(200).body(vec![b'x'; 10 << 20]);
    for (reply, is_size) in [(long, true), (Reply::new(200).body("fraud"), false)] {
        let server = ScriptServer::start([Step::new(&blob_line(&blob(b"wharf").digest), reply)]).await;
        let stream = repository(&server).fetch(&blob(b"wharf"), 0).await.unwrap();
        let error = read(verified(stream, &blob(b"wharf"))).await.unwrap_err();
        match is_size {
            // One byte is enough to see it.
            true => assert!(matches!(error, wharf_oci::Error::Size { actual: 6, .. }), "{error}"),
            false => assert!(matches!(error, wharf_oci::Error::Digest { .. }), "{error}"),
        }
        server.assert_finished();
    }
}
