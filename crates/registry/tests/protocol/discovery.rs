//! Lists: of tags, of repositories, of referrers.

use serde_json::{Value, json};
use wharf_oci::{Algorithm, Digest};
use wharf_registry::Limits;

use crate::hub::{Hub, OCI_INDEX, OCI_MANIFEST, refused};

/// Follows the links from page to page, and returns what `entries` finds in each.
async fn pages(hub: &Hub, target: &str, entries: impl Fn(&Value) -> Vec<String>) -> Vec<Vec<String>> {
    let mut target = target.to_owned();
    let mut pages = Vec::new();
    loop {
        let reply = hub.ask(&format!("GET {target}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        pages.push(entries(&reply.json()));
        assert!(pages.len() < 10, "the pages do not end");
        let Some(link) = reply.headers.get("link") else { return pages };
        let link = link.to_str().ok().and_then(|link| link.strip_prefix('<')?.strip_suffix(">; rel=\"next\""));
        target = link.expect("a link to the next page").to_owned();
    }
}

fn texts(list: &Value) -> Vec<String> {
    let entries = list.as_array().expect("a list").iter();
    entries.map(|entry| entry.as_str().expect("a list of texts").to_owned()).collect()
}

async fn tagged(tags: &[&str], limits: Limits) -> Hub {
    let hub = Hub::with(limits).await;
    for tag in tags {
        hub.push_artifact("a/b", tag, "wharf").await;
    }
    hub
}

#[tokio::test]
async fn tags_are_listed_in_the_order_of_their_bytes() {
    let hub = tagged(&["b", "_", "B", "1.10.0", "1.9.0", "a", "a-b", "a.b"], Limits::default()).await;
    let reply = hub.ask("GET /v2/a/b/tags/list").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    let tags = ["1.10.0", "1.9.0", "B", "_", "a", "a-b", "a.b", "b"];
    assert_eq!(reply.json(), json!({ "name": "a/b", "tags": tags }));
    assert!(!reply.has_header("link"));
    assert_eq!(hub.ask("HEAD /v2/a/b/tags/list").await.header("content-length"), reply.body.len().to_string());
}

#[tokio::test]
async fn a_repository_without_tags_has_an_empty_list() {
    let hub = Hub::start().await;
    assert_eq!(hub.ask("GET /v2/never/seen/tags/list").await.json(), json!({ "name": "never/seen", "tags": [] }));
}

#[tokio::test]
async fn tags_come_in_pages_that_lead_on() {
    let hub = tagged(&["a", "b", "c", "d", "e"], Limits { page_max: 3, ..Limits::default() }).await;
    for (query, expected) in [
        ("?n=2", vec![vec!["a", "b"], vec!["c", "d"], vec!["e"]]),
        ("?n=2&last=a", vec![vec!["b", "c"], vec!["d", "e"]]),
        ("?last=bb", vec![vec!["c", "d", "e"]]),
        ("?last=e", vec![vec![]]),
        ("?last=", vec![vec!["a", "b", "c"], vec!["d", "e"]]),
        ("?n=5", vec![vec!["a", "b", "c"], vec!["d", "e"]]),
        ("?n=18446744073709551616", vec![vec!["a", "b", "c"], vec!["d", "e"]]),
        ("", vec![vec!["a", "b", "c"], vec!["d", "e"]]),
        ("?n=0", vec![vec![]]),
        ("?n=0&last=a", vec![vec![]]),
    ] {
        let found = pages(&hub, &format!("/v2/a/b/tags/list{query}"), |page| texts(&page["tags"])).await;
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn a_page_size_that_is_no_number_is_refused() {
    let hub = Hub::start().await;
    for target in ["/v2/a/tags/list?n=abc", "/v2/a/tags/list?n=", "/v2/_catalog?n=-1", "/v2/_catalog?n=1.5"] {
        assert_eq!(hub.ask(&format!("GET {target}")).await.refusal(), refused(400, "UNSUPPORTED"), "{target}");
    }
}

#[tokio::test]
async fn repositories_come_in_pages_that_lead_on() {
    let hub = Hub::start().await;
    assert_eq!(hub.ask("GET /v2/_catalog").await.json(), json!({ "repositories": [] }));
    for repository in ["b", "a/b", "a", "a-b"] {
        hub.push_blob(repository, Algorithm::Sha256, b"wharf").await;
    }
    for (query, expected) in [
        ("", vec![vec!["a", "a-b", "a/b", "b"]]),
        ("?n=3", vec![vec!["a", "a-b", "a/b"], vec!["b"]]),
        ("?n=1&last=a-b", vec![vec!["a/b"], vec!["b"]]),
        ("?last=z", vec![vec![]]),
        ("?n=0", vec![vec![]]),
    ] {
        let found = pages(&hub, &format!("/v2/_catalog{query}"), |page| texts(&page["repositories"])).await;
        assert_eq!(found, expected, "{query}");
    }
}

/// Pushes a manifest about `subject`, and returns its entry in the list of referrers.
async fn refer(hub: &Hub, subject: &Digest, artifact_type: Option<&str>, seed: &str) -> Value {
    let mut document = hub.artifact("a", seed).await;
    document["subject"] = json!({ "mediaType": OCI_MANIFEST, "digest": subject, "size": 123 });
    document["annotations"] = json!({ "seed": seed });
    if let Some(artifact_type) = artifact_type {
        document["artifactType"] = json!(artifact_type);
    }
    let digest = Digest::sha256(document.to_string().as_bytes());
    let reply = hub.put_manifest("a", &digest.to_string(), &document).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    json!({
        "mediaType": OCI_MANIFEST,
        "digest": digest,
        "size": document.to_string().len(),
        "annotations": { "seed": seed },
        "artifactType": artifact_type.unwrap_or("application/vnd.example.config"),
    })
}

fn sorted(mut entries: Vec<Value>) -> Value {
    entries.sort_by_key(|entry| entry["digest"].to_string());
    Value::Array(entries)
}

#[tokio::test]
async fn what_was_never_seen_has_no_referrers() {
    let hub = Hub::start().await;
    for algorithm in Algorithm::ALL {
        let digest = Digest::of(algorithm, b"never seen");
        let reply = hub.ask(&format!("GET /v2/never/seen/referrers/{digest}")).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, OCI_INDEX));
        assert_eq!(reply.json(), json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] }));
        assert!(!reply.has_header("oci-filters-applied"));
    }
}

#[tokio::test]
async fn the_referrers_of_what_is_no_digest_are_not_asked_for() {
    let hub = Hub::start().await;
    for reference in ["latest", "sha256:baddigeststring", "md5:d41d8cd98f00b204e9800998ecf8427e"] {
        let reply = hub.ask(&format!("GET /v2/a/referrers/{reference}")).await;
        assert_eq!(reply.refusal(), refused(400, "DIGEST_INVALID"), "{reference}");
    }
    let page = format!("GET /v2/a/referrers/{}?last=latest", Digest::sha256(b"subject"));
    assert_eq!(hub.ask(&page).await.refusal(), refused(400, "DIGEST_INVALID"));
}

#[tokio::test]
async fn referrers_are_listed_with_their_type_and_annotations() {
    let hub = Hub::start().await;
    for algorithm in Algorithm::ALL {
        let subject = Digest::of(algorithm, b"subject");
        let mut entries = vec![
            refer(&hub, &subject, None, &format!("{algorithm}, by its config")).await,
            refer(&hub, &subject, Some(""), &format!("{algorithm}, empty")).await,
            refer(&hub, &subject, Some("application/vnd.example.sbom"), &format!("{algorithm}, by itself")).await,
        ];
        entries[1]["artifactType"] = json!("application/vnd.example.config");
        let reply = hub.ask(&format!("GET /v2/a/referrers/{subject}")).await;
        assert_eq!(reply.json()["manifests"], sorted(entries));
        assert_eq!(hub.ask(&format!("GET /v2/b/referrers/{subject}")).await.json()["manifests"], json!([]));
    }
}

#[tokio::test]
async fn an_index_refers_without_a_type_of_its_own() {
    let hub = Hub::start().await;
    let subject = Digest::sha256(b"subject");
    let descriptor = json!({ "mediaType": OCI_MANIFEST, "digest": subject, "size": 123 });
    let document = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": descriptor });
    assert_eq!(hub.put_manifest("a", "index", &document).await.status, 201);
    let digest = Digest::sha256(document.to_string().as_bytes());
    let entry = json!({ "mediaType": OCI_INDEX, "digest": digest, "size": document.to_string().len() });
    assert_eq!(hub.ask(&format!("GET /v2/a/referrers/{subject}")).await.json()["manifests"], json!([entry]));
}

#[tokio::test]
async fn referrers_are_filtered_by_their_type() {
    let hub = Hub::start().await;
    let subject = Digest::sha256(b"subject");
    let wanted = [
        refer(&hub, &subject, Some("application/a+json"), "one").await,
        refer(&hub, &subject, Some("application/a+json"), "two").await,
    ];
    refer(&hub, &subject, Some("application/b+json"), "three").await;
    refer(&hub, &subject, None, "four").await;
    for (artifact_type, expected) in
        [("application/a%2Bjson", wanted.to_vec()), ("application/c", vec![]), ("", vec![])]
    {
        let reply = hub.ask(&format!("GET /v2/a/referrers/{subject}?artifactType={artifact_type}")).await;
        assert_eq!(reply.header("oci-filters-applied"), "artifactType");
        assert_eq!(reply.json()["manifests"], sorted(expected), "{artifact_type}");
    }
}

#[tokio::test]
async fn referrers_come_in_pages_that_lead_on() {
    let hub = Hub::with(Limits { page_max: 3, ..Limits::default() }).await;
    let subject = Digest::sha256(b"subject");
    let mut entries = Vec::new();
    for number in 0..5 {
        entries.push(refer(&hub, &subject, Some("application/a+json"), &number.to_string()).await);
    }
    refer(&hub, &subject, Some("application/b"), "other").await;
    let digests: Vec<String> = texts(&Value::Array(entries.iter().map(|entry| entry["digest"].clone()).collect()));
    for (query, sizes) in [("", vec![3, 2]), ("&n=2", vec![2, 2, 1]), ("&n=0", vec![0])] {
        let target = format!("/v2/a/referrers/{subject}?artifactType=application/a%2Bjson{query}");
        let found = pages(&hub, &target, |page| {
            page["manifests"].as_array().unwrap().iter().map(|entry| entry["digest"].as_str().unwrap().into()).collect()
        });
        let found = found.await;
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{query}");
        let mut found = found.concat();
        found.dedup();
        assert!(found.is_sorted() && found.iter().all(|digest| digests.contains(digest)), "{query}");
        assert_eq!(found.len(), sizes.iter().sum::<usize>());
    }
}

#[tokio::test]
async fn a_page_of_referrers_is_no_larger_than_a_manifest() {
    let hub = Hub::with(Limits { manifest_bytes_max: 3000, ..Limits::default() }).await;
    let subject = Digest::sha256(b"subject");
    for number in 0..4 {
        refer(&hub, &subject, None, &format!("{number}{}", "x".repeat(1000))).await;
    }
    let target = format!("/v2/a/referrers/{subject}");
    let found = pages(&hub, &target, |page| {
        assert!(page.to_string().len() <= 3000);
        page["manifests"].as_array().unwrap().iter().map(|entry| entry["digest"].to_string()).collect()
    });
    assert_eq!(found.await.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
}
