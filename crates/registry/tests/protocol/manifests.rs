//! Pushing and pulling manifests.

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::{Value, json};
use wharf_oci::{Algorithm, Digest};
use wharf_registry::Limits;

use crate::hub::{Hub, OCI_INDEX, OCI_MANIFEST, Reply, noise, refused};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

async fn put(hub: &Hub, reference: &str, media_type: &str, body: impl Into<Body>) -> Reply {
    hub.send(&format!("PUT /v2/a/manifests/{reference}"), &[("content-type", media_type)], body).await
}

async fn assert_pulled(hub: &Hub, reference: &str, media_type: &str, digest: &Digest, bytes: &str) {
    for method in ["GET", "HEAD"] {
        let reply = hub.ask(&format!("{method} /v2/a/manifests/{reference}")).await;
        assert_eq!(reply.status, 200, "{method} {reference}");
        assert_eq!(reply.header("content-type"), media_type);
        assert_eq!(reply.header("content-length"), bytes.len().to_string());
        assert_eq!(reply.header("docker-content-digest"), digest.to_string());
        assert!(reply.body == if method == "GET" { bytes } else { "" });
    }
}

fn index(manifests: &[Value]) -> Value {
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests })
}

#[tokio::test]
async fn a_manifest_is_kept_byte_for_byte() {
    let hub = Hub::start().await;
    let mut document = hub.artifact("a", "wharf").await;
    document["x-custom"] = json!({ "of": ["no", "specification"] });
    let bytes = format!(" {}\n", serde_json::to_string_pretty(&document).unwrap());
    let digest = Digest::sha256(bytes.as_bytes());
    let reply = put(&hub, "1.0", OCI_MANIFEST, bytes.clone()).await;
    assert_eq!((reply.status, reply.header("docker-content-digest")), (201, digest.to_string().as_str()));
    assert_eq!(reply.header("location"), format!("/v2/a/manifests/{digest}"));
    assert!(!reply.has_header("oci-subject") && !reply.has_header("oci-tag"));
    for reference in ["1.0", &digest.to_string()] {
        assert_pulled(&hub, reference, OCI_MANIFEST, &digest, &bytes).await;
    }
}

#[tokio::test]
async fn a_manifest_is_pushed_by_any_digest_it_has() {
    let hub = Hub::start().await;
    let document = hub.artifact("a", "wharf").await.to_string();
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, document.as_bytes());
        let reply = put(&hub, &digest.to_string(), OCI_MANIFEST, document.clone()).await;
        assert_eq!((reply.status, reply.header("docker-content-digest")), (201, digest.to_string().as_str()));
        assert_pulled(&hub, &digest.to_string(), OCI_MANIFEST, &digest, &document).await;
        assert_eq!(hub.ask("GET /v2/a/tags/list").await.json()["tags"], json!([]));
    }
}

#[tokio::test]
async fn a_push_by_digest_sets_the_tags_of_its_parameters() {
    let hub = Hub::start().await;
    let document = hub.artifact("a", "wharf").await.to_string();
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, document.as_bytes());
        let tags: Vec<String> = (0..12).map(|number| format!("{algorithm}-{number}")).collect();
        let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
        let reply = put(&hub, &format!("{digest}?{}", query.join("&")), OCI_MANIFEST, document.clone()).await;
        assert_eq!(reply.status, 201);
        assert_eq!(reply.headers.get_all("oci-tag").iter().count(), 1);
        assert_eq!(reply.header("oci-tag"), tags.join(", "));
        for tag in &tags {
            assert_pulled(&hub, tag, OCI_MANIFEST, &digest, &document).await;
        }
    }
}

#[tokio::test]
async fn tags_as_parameters_are_limited_and_only_for_a_push_by_digest() {
    let hub = Hub::with(Limits { tags_max: 2, ..Limits::default() }).await;
    let document = hub.artifact("a", "wharf").await.to_string();
    let digest = Digest::sha256(document.as_bytes());
    for (reference, expected) in [
        (format!("{digest}?tag=a&tag=b&tag=c"), refused(414, "UNSUPPORTED")),
        (format!("{digest}?tag=a&tag=.b"), refused(400, "MANIFEST_INVALID")),
        ("a?tag=b".to_owned(), refused(400, "UNSUPPORTED")),
    ] {
        assert_eq!(put(&hub, &reference, OCI_MANIFEST, document.clone()).await.refusal(), expected, "{reference}");
    }
    assert_eq!(hub.status(&format!("HEAD /v2/a/manifests/{digest}")).await, 404, "nothing was stored");
}

#[tokio::test]
async fn a_digest_that_the_manifest_does_not_have_is_refused() {
    let hub = Hub::start().await;
    let document = hub.artifact("a", "wharf").await.to_string();
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, b"other");
        let reply = put(&hub, &digest.to_string(), OCI_MANIFEST, document.clone()).await;
        assert_eq!(reply.refusal(), refused(400, "DIGEST_INVALID"));
    }
    let reply = put(&hub, "sha256:baddigeststring", OCI_MANIFEST, document.clone()).await;
    assert_eq!(reply.refusal(), refused(400, "DIGEST_INVALID"));
    assert_eq!(hub.status("GET /v2/a/manifests/sha256:baddigeststring").await, 400);
}

#[tokio::test]
async fn a_tag_moves_and_the_old_manifest_stays() {
    let hub = Hub::start().await;
    let first = hub.push_artifact("a", "latest", "one").await;
    let second = hub.push_artifact("a", "latest", "two").await;
    assert_ne!(first, second);
    let reply = hub.ask("GET /v2/a/manifests/latest").await;
    assert_eq!(reply.header("docker-content-digest"), second.to_string());
    assert_eq!(hub.status(&format!("GET /v2/a/manifests/{first}")).await, 200);
}

#[tokio::test]
async fn a_manifest_that_is_not_there_is_unknown() {
    let hub = Hub::start().await;
    let digest = hub.push_artifact("private", "1.0", "wharf").await;
    for reference in ["1.0", ".not-a-tag", &digest.to_string()] {
        let reply = hub.ask(&format!("GET /v2/public/manifests/{reference}")).await;
        assert_eq!(reply.refusal(), refused(404, "MANIFEST_UNKNOWN"));
        assert_eq!(reply.json()["errors"][0]["detail"]["reference"], reference);
        let reply = hub.ask(&format!("HEAD /v2/public/manifests/{reference}")).await;
        assert_eq!((reply.status, reply.body.len()), (404, 0));
    }
}

#[tokio::test]
async fn a_blob_is_no_manifest() {
    let hub = Hub::start().await;
    let bytes = index(&[]).to_string();
    let digest = hub.push_blob("a", Algorithm::Sha256, bytes.as_bytes()).await;
    assert_eq!(hub.status(&format!("GET /v2/a/manifests/{digest}")).await, 404);
}

#[tokio::test]
async fn the_content_type_agrees_with_the_body() {
    let hub = Hub::start().await;
    let image = hub.artifact("a", "wharf").await;
    let mut docker = image.clone();
    docker["mediaType"] = json!(DOCKER_MANIFEST);
    let mut untyped = image.clone();
    untyped.as_object_mut().unwrap().remove("mediaType");
    let mut page = image.clone();
    page["mediaType"] = json!("text/html");
    let list = json!({ "schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [] });
    let artifact = json!({ "mediaType": OCI_ARTIFACT, "artifactType": "text/plain", "blobs": image["layers"] });
    let parameters = format!("{OCI_MANIFEST}; charset=utf-8");
    for (document, declared, expected) in [
        (&image, OCI_MANIFEST, Ok(OCI_MANIFEST)),
        (&image, &parameters, Ok(OCI_MANIFEST)),
        (&image, "application/json", Ok(OCI_MANIFEST)),
        (&image, "text/html", Ok(OCI_MANIFEST)),
        (&docker, DOCKER_MANIFEST, Ok(DOCKER_MANIFEST)),
        (&untyped, DOCKER_MANIFEST, Ok(DOCKER_MANIFEST)),
        (&untyped, "application/json", Ok(OCI_MANIFEST)),
        (&list, DOCKER_LIST, Ok(DOCKER_LIST)),
        (&artifact, OCI_ARTIFACT, Ok(OCI_ARTIFACT)),
        (&artifact, OCI_MANIFEST, Err("MANIFEST_INVALID")),
        (&image, OCI_INDEX, Err("MANIFEST_INVALID")),
        (&image, DOCKER_MANIFEST, Err("MANIFEST_INVALID")),
        (&untyped, OCI_INDEX, Err("MANIFEST_INVALID")),
        (&list, OCI_INDEX, Err("MANIFEST_INVALID")),
        (&page, "text/html", Err("MANIFEST_INVALID")),
    ] {
        let reply = put(&hub, "tag", declared, document.to_string()).await;
        match expected {
            Ok(served) => {
                assert_eq!(reply.status, 201, "{declared}: {}", reply.text());
                assert_eq!(hub.ask("GET /v2/a/manifests/tag").await.header("content-type"), served, "{declared}");
            }
            Err(code) => assert_eq!(reply.refusal(), refused(400, code), "{declared}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_manifest_is_refused_with_the_reason() {
    let hub = Hub::start().await;
    for (body, reason) in [
        ("", "not valid JSON"),
        ("{}", "none of `config`, `manifests` and `blobs`"),
        (r#"{"schemaVersion":1,"config":{}}"#, "schemaVersion 1"),
        (r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "more than one of"),
        (r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#, "stands twice"),
    ] {
        let reply = put(&hub, "tag", "application/json", body).await;
        assert_eq!(reply.refusal(), refused(400, "MANIFEST_INVALID"), "{body}");
        let message = reply.json()["errors"][0]["message"].to_string();
        assert!(message.contains(reason), "{body}: {message}");
    }
}

#[tokio::test]
async fn a_large_manifest_is_taken_and_a_larger_one_refused() {
    let hub = Hub::start().await;
    let mut document = hub.artifact("a", "wharf").await;
    let annotations = (0..390).map(|number| (format!("large-annotation-{number}"), json!("A".repeat(10_000))));
    document["annotations"] = Value::Object(annotations.collect());
    let bytes = document.to_string();
    assert_eq!(put(&hub, "large", OCI_MANIFEST, bytes.clone()).await.status, 201);
    assert_pulled(&hub, "large", OCI_MANIFEST, &Digest::sha256(bytes.as_bytes()), &bytes).await;

    document["annotations"]["more"] = json!("A".repeat(400_000));
    let bytes = Bytes::from(document.to_string());
    assert_eq!(put(&hub, "larger", OCI_MANIFEST, bytes.clone()).await.refusal(), refused(413, "SIZE_INVALID"));
    let pieces = [Ok::<_, std::io::Error>(bytes.slice(..100)), Ok(bytes.slice(100..))];
    let reply = put(&hub, "larger", OCI_MANIFEST, Body::from_stream(stream::iter(pieces))).await;
    assert_eq!(reply.refusal(), refused(413, "SIZE_INVALID"));
}

#[tokio::test]
async fn the_limit_of_manifests_is_never_above_what_can_be_read() {
    let hub = Hub::with(Limits { manifest_bytes_max: u64::MAX, ..Limits::default() }).await;
    let large = " ".repeat(4 * 1024 * 1024 + 1);
    assert_eq!(put(&hub, "large", OCI_MANIFEST, large).await.refusal(), refused(413, "SIZE_INVALID"));
}

#[tokio::test]
async fn an_artifact_names_only_blobs_of_its_repository() {
    let hub = Hub::start().await;
    let good = hub.artifact("a", "wharf").await;
    let elsewhere = hub.push_blob("b", Algorithm::Sha256, b"elsewhere").await;
    for (place, digest) in [
        ("/config/digest", Digest::sha256(b"not there")),
        ("/layers/0/digest", Digest::of(Algorithm::Sha512, b"not there")),
        ("/layers/0/digest", elsewhere),
    ] {
        let mut document = good.clone();
        *document.pointer_mut(place).unwrap() = json!(digest);
        let reply = put(&hub, "tag", OCI_MANIFEST, document.to_string()).await;
        assert_eq!(reply.refusal(), refused(404, "MANIFEST_BLOB_UNKNOWN"), "{place}");
        assert_eq!(reply.json()["errors"][0]["detail"]["digest"], digest.to_string());
    }
    assert_eq!(hub.status("GET /v2/a/manifests/tag").await, 404);
}

#[tokio::test]
async fn an_artifact_gives_its_blobs_the_sizes_they_have() {
    let hub = Hub::start().await;
    let mut document = hub.artifact("a", "wharf").await;
    let layer = document["layers"][0].clone();
    document["layers"] = json!([layer, layer]);
    document["layers"][0]["size"] = json!(4);
    let reply = put(&hub, "tag", OCI_MANIFEST, document.to_string()).await;
    assert_eq!(reply.refusal(), refused(400, "SIZE_INVALID"));
}

#[tokio::test]
async fn an_artifact_may_have_no_layers_and_the_same_one_twice() {
    let hub = Hub::start().await;
    let mut document = hub.artifact("a", "wharf").await;
    let layer = document["layers"][0].clone();
    for layers in [json!([layer, layer]), json!([])] {
        document["layers"] = layers;
        assert_eq!(put(&hub, "tag", OCI_MANIFEST, document.to_string()).await.status, 201);
    }
}

#[tokio::test]
async fn a_layer_that_only_its_maker_distributes_is_not_asked_for() {
    let hub = Hub::start().await;
    let mut document = hub.artifact("a", "wharf").await;
    for kind in ["tar", "tar+gzip"] {
        document["layers"].as_array_mut().unwrap().push(json!({
            "mediaType": format!("application/vnd.oci.image.layer.nondistributable.v1.{kind}"),
            "digest": Digest::sha256(kind.as_bytes()),
            "size": 123_456,
            "urls": ["https://store.example.com/layer"],
        }));
    }
    assert_eq!(put(&hub, "tag", OCI_MANIFEST, document.to_string()).await.status, 201);
}

#[tokio::test]
async fn an_index_may_be_empty_nested_and_sparse() {
    let hub = Hub::start().await;
    let there = hub.push_artifact("a", "image", "wharf").await;
    let entry = |digest: &Digest, media_type| json!({ "mediaType": media_type, "digest": digest, "size": 1024 });
    let missing = Digest::of(Algorithm::Sha512, b"missing");
    let empty = index(&[]);
    let sparse = index(&[entry(&there, OCI_MANIFEST), entry(&missing, OCI_MANIFEST)]);
    let nested = index(&[entry(&Digest::sha256(sparse.to_string().as_bytes()), OCI_INDEX)]);
    for document in [empty, sparse, nested] {
        for algorithm in Algorithm::ALL {
            let digest = Digest::of(algorithm, document.to_string().as_bytes());
            assert_eq!(put(&hub, &digest.to_string(), OCI_INDEX, document.to_string()).await.status, 201);
            assert_pulled(&hub, &digest.to_string(), OCI_INDEX, &digest, &document.to_string()).await;
        }
    }
}

#[tokio::test]
async fn a_subject_is_acknowledged_whether_it_is_there_or_not() {
    let hub = Hub::start().await;
    let there = hub.push_artifact("a", "image", "wharf").await;
    let missing = Digest::of(Algorithm::Sha512, b"missing");
    for subject in [there, missing] {
        for mut document in [hub.artifact("a", "about").await, index(&[])] {
            document["subject"] = json!({ "mediaType": OCI_MANIFEST, "digest": subject, "size": 123 });
            let reply = hub.put_manifest("a", "about", &document).await;
            assert_eq!((reply.status, reply.header("oci-subject")), (201, subject.to_string().as_str()));
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_manifest() {
    let hub = Hub::start().await;
    let pieces = [Ok(Bytes::from(noise(10))), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
    let reply = put(&hub, "tag", OCI_MANIFEST, Body::from_stream(stream::iter(pieces))).await;
    assert_eq!(reply.status, 400);
}
