//! Deleting, which is seen at once.

use serde_json::json;
use wharf_oci::{Algorithm, Digest};

use crate::hub::{Hub, OCI_MANIFEST, refused};

#[tokio::test]
async fn a_deleted_tag_is_gone_and_its_manifest_stays() {
    let hub = Hub::start().await;
    let digest = hub.push_artifact("a", "1.0", "wharf").await;
    hub.push_artifact("a", "2.0", "wharf").await;
    assert_eq!(hub.status("GET /v2/a/manifests/1.0").await, 200);
    let reply = hub.ask("DELETE /v2/a/manifests/1.0").await;
    assert_eq!((reply.status, reply.header("content-length")), (202, "0"));
    for method in ["GET", "HEAD", "DELETE"] {
        assert_eq!(hub.status(&format!("{method} /v2/a/manifests/1.0")).await, 404, "{method}");
    }
    assert_eq!(hub.status(&format!("GET /v2/a/manifests/{digest}")).await, 200);
    assert_eq!(hub.ask("GET /v2/a/tags/list").await.json()["tags"], json!(["2.0"]));
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags_with_it() {
    let hub = Hub::start().await;
    let digest = hub.push_artifact("a", "1.0", "wharf").await;
    hub.push_artifact("a", "latest", "wharf").await;
    hub.push_artifact("a", "other", "other").await;
    hub.push_artifact("b", "1.0", "wharf").await;
    assert_eq!(hub.status("GET /v2/a/manifests/1.0").await, 200);
    assert_eq!(hub.status(&format!("DELETE /v2/a/manifests/{digest}")).await, 202);
    for reference in ["1.0", "latest", &digest.to_string()] {
        for method in ["GET", "HEAD", "DELETE"] {
            assert_eq!(hub.status(&format!("{method} /v2/a/manifests/{reference}")).await, 404, "{method} {reference}");
        }
    }
    assert_eq!(hub.ask("GET /v2/a/tags/list").await.json()["tags"], json!(["other"]));
    assert_eq!(hub.status("GET /v2/b/manifests/1.0").await, 200, "another repository keeps its own");
}

#[tokio::test]
async fn a_deleted_manifest_refers_to_nothing_any_more() {
    let hub = Hub::start().await;
    let subject = hub.push_artifact("a", "1.0", "wharf").await;
    let mut document = hub.artifact("a", "about").await;
    document["subject"] = json!({ "mediaType": OCI_MANIFEST, "digest": subject, "size": 123 });
    let digest = hub.put_manifest("a", "about", &document).await.header("docker-content-digest").to_owned();
    let referrers = format!("GET /v2/a/referrers/{subject}");
    assert_eq!(hub.ask(&referrers).await.json()["manifests"][0]["digest"], digest);
    assert_eq!(hub.status(&format!("DELETE /v2/a/manifests/{subject}")).await, 202);
    assert_eq!(hub.ask(&referrers).await.json()["manifests"][0]["digest"], digest, "also of what is gone");
    assert_eq!(hub.status(&format!("DELETE /v2/a/manifests/{digest}")).await, 202);
    assert_eq!(hub.ask(&referrers).await.json()["manifests"], json!([]));
}

#[tokio::test]
async fn a_deleted_blob_is_gone_from_its_repository_only() {
    let hub = Hub::start().await;
    for algorithm in Algorithm::ALL {
        let digest = hub.push_blob("a", algorithm, b"wharf").await;
        hub.push_blob("b", algorithm, b"wharf").await;
        assert_eq!(hub.status(&format!("DELETE /v2/a/blobs/{digest}")).await, 202);
        for method in ["GET", "HEAD", "DELETE"] {
            assert_eq!(hub.status(&format!("{method} /v2/a/blobs/{digest}")).await, 404, "{method}");
        }
        assert_eq!(hub.status(&format!("GET /v2/b/blobs/{digest}")).await, 200);
    }
}

#[tokio::test]
async fn what_was_deleted_can_be_pushed_again() {
    let hub = Hub::start().await;
    for _ in 0..2 {
        let digest = hub.push_artifact("a", "1.0", "wharf").await;
        assert_eq!(hub.status("GET /v2/a/manifests/1.0").await, 200);
        assert_eq!(hub.status(&format!("DELETE /v2/a/manifests/{digest}")).await, 202);
        for blob in ["{}", "wharf"] {
            let digest = Digest::sha256(blob.as_bytes());
            assert_eq!(hub.status(&format!("DELETE /v2/a/blobs/{digest}")).await, 202);
        }
    }
}

#[tokio::test]
async fn a_tag_never_points_at_a_manifest_that_is_deleted_beneath_it() {
    let hub = Hub::start().await;
    let document = hub.artifact("a", "wharf").await;
    let digest = Digest::sha256(document.to_string().as_bytes());
    for _ in 0..10 {
        let delete = format!("DELETE /v2/a/manifests/{digest}");
        let (pushed, _) = tokio::join!(hub.put_manifest("a", "1.0", &document), hub.ask(&delete));
        assert!(matches!(pushed.status, 201 | 404), "{}", pushed.text());
        let tags = hub.ask("GET /v2/a/tags/list").await.json()["tags"].clone();
        let expected = if tags == json!(["1.0"]) { 200 } else { 404 };
        assert_eq!(hub.status("GET /v2/a/manifests/1.0").await, expected, "{tags}");
    }
}

#[tokio::test]
async fn what_is_not_there_cannot_be_deleted() {
    let hub = Hub::start().await;
    let digest = Digest::sha256(b"nothing");
    for (target, code) in [
        (format!("blobs/{digest}"), "BLOB_UNKNOWN"),
        (format!("manifests/{digest}"), "MANIFEST_UNKNOWN"),
        ("manifests/1.0".to_owned(), "MANIFEST_UNKNOWN"),
    ] {
        assert_eq!(hub.ask(&format!("DELETE /v2/never/seen/{target}")).await.refusal(), refused(404, code));
    }
}

#[tokio::test]
async fn a_manifest_is_not_deleted_as_a_blob() {
    let hub = Hub::start().await;
    let digest = hub.push_artifact("a", "1.0", "wharf").await;
    assert_eq!(hub.status(&format!("DELETE /v2/a/blobs/{digest}")).await, 404);
    assert_eq!(hub.status("GET /v2/a/manifests/1.0").await, 200);
}
