//! Pushing blobs.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use http_body::{Frame, SizeHint};
use wharf_oci::{Algorithm, Digest};
use wharf_registry::Limits;

use crate::hub::{Hub, Reply, noise, refused};

/// A body whose length is not known before its end.
fn streamed(pieces: &[&[u8]]) -> Body {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
    Body::from_stream(stream::iter(pieces))
}

/// A body that says how long it is, and must not be read.
struct Announced(u64);

impl http_body::Body for Announced {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        panic!("the body was read")
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

/// A body that breaks off.
fn broken(start: &'static [u8]) -> Body {
    let pieces = [Ok(Bytes::from_static(start)), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
    Body::from_stream(stream::iter(pieces))
}

async fn patch(hub: &Hub, location: &str, range: &str, body: impl Into<Body>) -> Reply {
    hub.send(&format!("PATCH {location}"), &[("content-range", range)], body).await
}

/// The blob was taken: it is where the answer says, and it is whole.
async fn assert_created(hub: &Hub, reply: &Reply, digest: &Digest, bytes: &[u8]) {
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.header("docker-content-digest"), digest.to_string());
    let pulled = hub.ask(&format!("GET {}", reply.header("location"))).await;
    assert_eq!(pulled.status, 200);
    assert!(pulled.body == bytes);
}

#[tokio::test]
async fn a_blob_is_pushed_with_a_single_post() {
    let hub = Hub::start().await;
    for algorithm in Algorithm::ALL {
        for bytes in [noise(512), Vec::new()] {
            let digest = Digest::of(algorithm, &bytes);
            let line = format!("POST /v2/a/blobs/uploads/?digest={digest}");
            let reply = hub.send(&line, &[], bytes.clone()).await;
            assert_created(&hub, &reply, &digest, &bytes).await;
        }
    }
}

#[tokio::test]
async fn a_blob_is_pushed_with_post_and_put() {
    let hub = Hub::start().await;
    for algorithm in Algorithm::ALL {
        for bytes in [noise(300_000), Vec::new()] {
            let digest = Digest::of(algorithm, &bytes);
            let location = hub.start_upload("a").await;
            let reply = hub.send(&format!("PUT {location}?digest={digest}"), &[], bytes.clone()).await;
            assert_created(&hub, &reply, &digest, &bytes).await;
            assert_eq!(hub.status(&format!("GET {location}")).await, 404, "the session is over");
        }
    }
}

#[tokio::test]
async fn a_blob_is_pushed_in_a_stream_without_a_range() {
    let hub = Hub::start().await;
    let bytes = noise(5000);
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, &bytes);
        let location = hub.start_upload("a").await;
        let body = streamed(&[&bytes[..1000], &bytes[1000..1001], &bytes[1001..]]);
        let reply = hub.send(&format!("PATCH {location}"), &[], body).await;
        assert_eq!((reply.status, reply.header("range")), (202, "0-4999"));
        let reply = hub.ask(&format!("PUT {}?digest={digest}", reply.header("location"))).await;
        assert_created(&hub, &reply, &digest, &bytes).await;
    }
}

#[tokio::test]
async fn a_blob_is_pushed_in_chunks_in_order_only() {
    let hub = Hub::start().await;
    let bytes = noise(1024 * 3 - 5);
    let chunks = [0..1024, 1024..2048, 2048..bytes.len()];
    for algorithm in Algorithm::ALL {
        for puts_last in [false, true] {
            let digest = Digest::of(algorithm, &bytes);
            let mut location = hub.start_upload("a").await;
            for (number, chunk) in chunks.iter().enumerate() {
                // Back to the start, or one too far; neither changes anything.
                let wrong = chunks[(number + 1) % 3].clone();
                let range = format!("{}-{}", wrong.start, wrong.end - 1);
                let lines = [format!("PATCH {location}"), format!("PUT {location}?digest={digest}")];
                for line in lines {
                    let reply = hub.send(&line, &[("content-range", &range)], bytes[wrong.clone()].to_vec()).await;
                    assert_eq!(reply.refusal(), refused(416, "BLOB_UPLOAD_INVALID"));
                    assert_eq!(reply.header("location"), location);
                }
                let status = hub.ask(&format!("GET {location}")).await;
                let expected = format!("0-{}", chunk.start.saturating_sub(1));
                assert_eq!((status.status, status.header("range")), (204, expected.as_str()));
                location = status.header("location").to_owned();

                let range = format!("{}-{}", chunk.start, chunk.end - 1);
                let body = bytes[chunk.clone()].to_vec();
                if puts_last && number == 2 {
                    let line = format!("PUT {location}?digest={digest}");
                    let reply = hub.send(&line, &[("content-range", &range)], body).await;
                    assert_created(&hub, &reply, &digest, &bytes).await;
                } else {
                    let reply = patch(&hub, &location, &range, body).await;
                    let received = format!("0-{}", chunk.end - 1);
                    assert_eq!((reply.status, reply.header("range")), (202, received.as_str()));
                    location = reply.header("location").to_owned();
                }
            }
            if !puts_last {
                let reply = hub.ask(&format!("PUT {location}?digest={digest}")).await;
                assert_created(&hub, &reply, &digest, &bytes).await;
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_are_not_what_the_digest_says_are_refused() {
    let hub = Hub::start().await;
    let bytes = noise(3000);
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, b"oh no");
        let single = hub.send(&format!("POST /v2/a/blobs/uploads/?digest={digest}"), &[], bytes.clone()).await;
        let location = hub.start_upload("a").await;
        let put = hub.send(&format!("PUT {location}?digest={digest}"), &[], bytes.clone()).await;
        let location = hub.start_upload("a").await;
        assert_eq!(patch(&hub, &location, "0-2999", bytes.clone()).await.status, 202);
        let chunked = hub.ask(&format!("PUT {location}?digest={digest}")).await;
        for reply in [single, put, chunked] {
            assert_eq!(reply.refusal(), refused(400, "DIGEST_INVALID"));
        }
        for digest in [digest, Digest::of(algorithm, &bytes)] {
            assert_eq!(hub.status(&format!("HEAD /v2/a/blobs/{digest}")).await, 404);
        }
    }
}

#[tokio::test]
async fn a_session_is_not_finished_without_a_digest() {
    let hub = Hub::start().await;
    let location = hub.start_upload("a").await;
    for query in ["", "?digest=", "?digest=sha256:abc", "?digest=md5:d41d8cd98f00b204e9800998ecf8427e"] {
        let reply = hub.ask(&format!("PUT {location}{query}")).await;
        assert_eq!(reply.refusal(), refused(400, "DIGEST_INVALID"), "{query}");
    }
    assert_eq!(hub.status(&format!("GET {location}")).await, 204);
}

#[tokio::test]
async fn an_algorithm_that_is_known_may_be_hinted_at() {
    let hub = Hub::start().await;
    for (algorithm, status) in [("sha256", 202), ("sha512", 202), ("md5", 400)] {
        let line = format!("POST /v2/a/blobs/uploads/?digest-algorithm={algorithm}");
        assert_eq!(hub.status(&line).await, status, "{algorithm}");
    }
}

#[tokio::test]
async fn an_upload_is_cancelled_once() {
    let hub = Hub::start().await;
    let location = hub.start_upload("a").await;
    assert_eq!(patch(&hub, &location, "0-4", "wharf").await.status, 202);
    let reply = hub.ask(&format!("DELETE {location}")).await;
    assert_eq!((reply.status, reply.has_header("content-length")), (204, false));
    let digest = Digest::sha256(b"wharf");
    let lines =
        ["GET $", "PATCH $", "DELETE $", &format!("PUT $?digest={digest}")].map(|line| line.replace('$', &location));
    for line in lines {
        assert_eq!(hub.ask(&line).await.refusal(), refused(404, "BLOB_UPLOAD_UNKNOWN"), "{line}");
    }
}

#[tokio::test]
async fn an_upload_belongs_to_its_repository() {
    let hub = Hub::start().await;
    let location = hub.start_upload("private").await;
    assert_eq!(patch(&hub, &location, "0-4", "wharf").await.status, 202);
    let digest = Digest::sha256(b"wharf");
    let elsewhere = location.replace("private", "public");
    for line in ["GET $", "PATCH $", "DELETE $", &format!("PUT $?digest={digest}")] {
        let reply = hub.ask(&line.replace('$', &elsewhere)).await;
        assert_eq!(reply.refusal(), refused(404, "BLOB_UPLOAD_UNKNOWN"), "{line}");
    }
    assert_eq!(hub.status(&format!("PUT {location}?digest={digest}")).await, 201);
}

#[tokio::test]
async fn a_content_range_has_two_numbers_and_no_unit() {
    let hub = Hub::start().await;
    let location = hub.start_upload("a").await;
    for range in ["bytes=0-4", "bytes 0-4/5", "0-", "-4", "4-0", "a-b", "0--1", ""] {
        let reply = patch(&hub, &location, range, "wharf").await;
        assert_eq!(reply.refusal(), refused(400, "BLOB_UPLOAD_INVALID"), "{range}");
    }
    assert_eq!(hub.ask(&format!("GET {location}")).await.header("range"), "0-0");
    assert_eq!(patch(&hub, &location, "0-4", "wharf").await.status, 202, "nothing was taken of the others");
}

#[tokio::test]
async fn a_chunk_has_the_length_that_its_range_says() {
    let hub = Hub::start().await;
    for range in ["0-3", "0-5", "0-0", "0-18446744073709551614"] {
        let location = hub.start_upload("a").await;
        let reply = patch(&hub, &location, range, "wharf").await;
        assert!(matches!(reply.status, 400 | 413), "{range}: {}", reply.status);
        let reply = patch(&hub, &location, "0-4", "wharf").await;
        assert_eq!(reply.status, 202, "{range}: nothing was taken of a chunk that was refused at once");
    }
    let location = hub.start_upload("a").await;
    let line = format!("PUT {location}?digest={}", Digest::sha256(b""));
    let reply = hub.send(&line, &[("content-range", "0-4")], "").await;
    assert_eq!(reply.refusal(), refused(400, "SIZE_INVALID"), "a last chunk without bytes");
    for range in ["0-3", "0-5"] {
        let location = hub.start_upload("a").await;
        let reply = patch(&hub, &location, range, streamed(&[b"wha", b"rf"])).await;
        assert_eq!(reply.refusal(), refused(400, "SIZE_INVALID"), "{range}, streamed");
    }
}

#[tokio::test]
async fn what_came_before_a_break_is_kept_and_goes_on() {
    let hub = Hub::start().await;
    let location = hub.start_upload("a").await;
    let reply = hub.send(&format!("PATCH {location}"), &[], broken(b"wh")).await;
    assert_eq!(reply.refusal(), refused(400, "BLOB_UPLOAD_INVALID"));
    let status = hub.ask(&format!("GET {location}")).await;
    assert_eq!((status.status, status.header("range")), (204, "0-1"));
    assert_eq!(patch(&hub, &location, "2-4", "arf").await.status, 202);
    let digest = Digest::sha256(b"wharf");
    let reply = hub.ask(&format!("PUT {location}?digest={digest}")).await;
    assert_created(&hub, &reply, &digest, b"wharf").await;
}

#[tokio::test]
async fn a_single_post_that_breaks_off_leaves_no_blob() {
    let hub = Hub::start().await;
    let digest = Digest::sha256(b"wh");
    let reply = hub.send(&format!("POST /v2/a/blobs/uploads/?digest={digest}"), &[], broken(b"wh")).await;
    assert_eq!(reply.refusal(), refused(400, "BLOB_UPLOAD_INVALID"));
    assert_eq!(hub.status(&format!("HEAD /v2/a/blobs/{digest}")).await, 404);
}

#[tokio::test]
async fn an_upload_takes_one_request_at_a_time() {
    let hub = Hub::start().await;
    let location = hub.start_upload("a").await;
    let (reached, is_reached) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = tokio::sync::oneshot::channel::<()>();
    // The body is asked for only when the upload was opened for it.
    let first = stream::once(async move {
        reached.send(()).unwrap();
        may_go_on.await.unwrap();
        Ok::<_, std::io::Error>(Bytes::from_static(b"wh"))
    });
    let line = format!("PATCH {location}");
    let slow = hub.send(&line, &[], Body::from_stream(first.boxed()));
    let fast = async {
        is_reached.await.unwrap();
        let reply = hub.send(&line, &[], "arf").await;
        go_on.send(()).unwrap();
        reply
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!((slow.status, slow.header("range")), (202, "0-1"));
    assert_eq!(fast.refusal(), refused(409, "BLOB_UPLOAD_INVALID"));
}

#[tokio::test]
async fn a_blob_over_the_limit_is_refused_however_it_comes() {
    let hub = Hub::with(Limits { blob_bytes_max: 8, ..Limits::default() }).await;
    let (good, bad) = (noise(8), noise(9));
    for (bytes, statuses) in [(&good, [201, 202, 202, 202, 201]), (&bad, [413; 5])] {
        let digest = Digest::sha256(bytes);
        let post = format!("POST /v2/a/blobs/uploads/?digest={digest}");
        let mut found = vec![hub.send(&post, &[], bytes.clone()).await];
        let location = hub.start_upload("a").await;
        found.push(hub.send(&format!("PATCH {location}"), &[], bytes.clone()).await);
        let location = hub.start_upload("a").await;
        found.push(hub.send(&format!("PATCH {location}"), &[], streamed(&[bytes])).await);
        let location = hub.start_upload("a").await;
        found.push(patch(&hub, &location, &format!("0-{}", bytes.len() - 1), bytes.clone()).await);
        let location = hub.start_upload("a").await;
        assert_eq!(patch(&hub, &location, "0-3", bytes[..4].to_vec()).await.status, 202);
        found.push(hub.send(&format!("PUT {location}?digest={digest}"), &[], bytes[4..].to_vec()).await);
        let found: Vec<u16> = found.iter().map(|reply| reply.status).collect();
        assert_eq!(found, statuses);
    }
    let post = format!("POST /v2/a/blobs/uploads/?digest={}", Digest::sha256(&bad));
    assert_eq!(hub.send(&post, &[], streamed(&[&bad])).await.refusal(), refused(413, "SIZE_INVALID"));
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_not_read() {
    let hub = Hub::with(Limits { blob_bytes_max: 8, ..Limits::default() }).await;
    let digest = Digest::sha256(b"wharf");
    let location = hub.start_upload("a").await;
    for (line, length) in [
        (format!("POST /v2/a/blobs/uploads/?digest={digest}"), 9),
        (format!("PATCH {location}"), 9),
        (format!("PUT {location}?digest={digest}"), 9),
        ("PUT /v2/a/manifests/1.0".to_owned(), 4 * 1024 * 1024 + 1),
    ] {
        let reply = hub.send(&line, &[], Body::new(Announced(length))).await;
        assert_eq!(reply.refusal(), refused(413, "SIZE_INVALID"), "{line}");
    }
}

#[tokio::test]
async fn a_blob_is_mounted_from_a_repository_that_has_it() {
    let hub = Hub::start().await;
    for algorithm in Algorithm::ALL {
        let digest = hub.push_blob("from/here", algorithm, b"wharf").await;
        let reply = hub.ask(&format!("POST /v2/a/blobs/uploads/?mount={digest}&from=from%2Fhere")).await;
        assert_created(&hub, &reply, &digest, b"wharf").await;
        assert_eq!(hub.status(&format!("DELETE /v2/from/here/blobs/{digest}")).await, 202);
        assert_eq!(hub.status(&format!("GET /v2/a/blobs/{digest}")).await, 200, "the mounted blob is its own");
    }
}

#[tokio::test]
async fn a_mount_that_cannot_be_is_an_upload_that_can_be_used() {
    let hub = Hub::start().await;
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, b"wharf");
        let reply = hub.ask(&format!("POST /v2/a/blobs/uploads/?mount={digest}&from=b")).await;
        assert_eq!(reply.status, 202);
        let line = format!("PUT {}?digest={digest}", reply.header("location"));
        let reply = hub.send(&line, &[], "wharf").await;
        assert_created(&hub, &reply, &digest, b"wharf").await;
    }
}

#[tokio::test]
async fn a_mount_from_nowhere_finds_only_what_the_repository_has() {
    let hub = Hub::start().await;
    let digest = hub.push_blob("private", Algorithm::Sha256, b"secret").await;
    let line = |repository| format!("POST /v2/{repository}/blobs/uploads/?mount={digest}");
    assert_eq!(hub.status(&line("public")).await, 202);
    assert_eq!(hub.status(&format!("HEAD /v2/public/blobs/{digest}")).await, 404);
    let reply = hub.ask(&line("private")).await;
    assert_created(&hub, &reply, &digest, b"secret").await;
}
