//! Pulling blobs.

use wharf_oci::{Algorithm, Digest};

use crate::hub::{Hub, noise, refused};

#[tokio::test]
async fn a_ping_says_that_this_is_a_registry() {
    let hub = Hub::start().await;
    for line in ["GET /v2/", "GET /v2", "HEAD /v2/"] {
        let reply = hub.ask(line).await;
        assert_eq!((reply.status, reply.header("docker-distribution-api-version")), (200, "registry/2.0"), "{line}");
    }
}

#[tokio::test]
async fn a_blob_is_pulled_whole_with_its_exact_length() {
    let hub = Hub::start().await;
    // Larger than one read from the disk, a usual one, the empty JSON, and nothing at all.
    for bytes in [noise(600_000), noise(512), b"{}".to_vec(), Vec::new()] {
        for algorithm in Algorithm::ALL {
            let digest = hub.push_blob("a/b", algorithm, &bytes).await;
            for method in ["GET", "HEAD"] {
                let reply = hub.ask(&format!("{method} /v2/a/b/blobs/{digest}")).await;
                assert_eq!(reply.status, 200);
                assert_eq!(reply.header("content-length"), bytes.len().to_string());
                assert_eq!(reply.header("content-type"), "application/octet-stream");
                assert_eq!(reply.header("docker-content-digest"), digest.to_string());
                assert_eq!(reply.body, if method == "GET" { bytes.clone() } else { Vec::new() });
            }
        }
    }
}

#[tokio::test]
async fn a_blob_that_is_not_there_is_unknown() {
    let hub = Hub::start().await;
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, b"nothing");
        let reply = hub.ask(&format!("GET /v2/a/blobs/{digest}")).await;
        assert_eq!(reply.refusal(), refused(404, "BLOB_UNKNOWN"));
        assert_eq!(reply.json()["errors"][0]["detail"]["digest"], digest.to_string());
        let reply = hub.ask(&format!("HEAD /v2/a/blobs/{digest}")).await;
        assert_eq!((reply.status, reply.body.len()), (404, 0));
    }
}

#[tokio::test]
async fn a_blob_is_seen_only_in_its_own_repository() {
    let hub = Hub::start().await;
    let digest = hub.push_blob("private", Algorithm::Sha256, b"secret").await;
    for repository in ["public", "private/public", "privat"] {
        for method in ["GET", "HEAD", "DELETE"] {
            assert_eq!(hub.status(&format!("{method} /v2/{repository}/blobs/{digest}")).await, 404);
        }
    }
}

#[tokio::test]
async fn a_part_of_a_blob_is_pulled_by_its_range() {
    let hub = Hub::start().await;
    let bytes = noise(2048);
    for algorithm in Algorithm::ALL {
        let digest = hub.push_blob("a", algorithm, &bytes).await;
        for (range, part) in [
            ("bytes=500-1499", 500..1500),
            ("bytes=500-", 500..2048),
            ("bytes=-500", 1548..2048),
            ("bytes=2000-5000", 2000..2048),
            ("bytes=-5000", 0..2048),
        ] {
            let reply = hub.send(&format!("GET /v2/a/blobs/{digest}"), &[("range", range)], "").await;
            assert_eq!(reply.status, 206, "{range}");
            assert_eq!(reply.header("content-range"), format!("bytes {}-{}/2048", part.start, part.end - 1));
            assert_eq!(reply.header("content-length"), part.len().to_string());
            assert_eq!(reply.body, &bytes[part]);
        }
    }
}

#[tokio::test]
async fn a_range_outside_of_a_blob_is_refused_with_the_size() {
    let hub = Hub::start().await;
    let digest = hub.push_blob("a", Algorithm::Sha256, &noise(2048)).await;
    for range in ["bytes=500-0", "bytes=5000-10000", "bytes=2048-", "bytes=-0"] {
        let reply = hub.send(&format!("GET /v2/a/blobs/{digest}"), &[("range", range)], "").await;
        assert_eq!((reply.status, reply.header("content-range")), (416, "bytes */2048"), "{range}");
    }
}

#[tokio::test]
async fn what_is_no_single_range_gets_the_whole_blob() {
    let hub = Hub::start().await;
    let bytes = noise(2048);
    let digest = hub.push_blob("a", Algorithm::Sha256, &bytes).await;
    let line = format!("GET /v2/a/blobs/{digest}");
    for headers in [
        &[("range", "bytes=0-1,5-6")][..],
        &[("range", "lines=0-1")],
        &[("range", "bytes=0-1"), ("if-range", "\"other\"")],
    ] {
        let reply = hub.send(&line, headers, "").await;
        assert_eq!((reply.status, reply.has_header("content-range")), (200, false), "{headers:?}");
        assert_eq!(reply.body, bytes);
    }
    let reply = hub.send(&format!("HEAD /v2/a/blobs/{digest}"), &[("range", "bytes=0-1")], "").await;
    assert_eq!((reply.status, reply.header("content-length")), (200, "2048"));
}
