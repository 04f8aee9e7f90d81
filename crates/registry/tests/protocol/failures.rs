//! What is not of the protocol, and what goes wrong behind it.

use std::fs;
use std::path::{Path, PathBuf};

use wharf_oci::Algorithm;
use wharf_registry::Error;

use crate::hub::{Hub, refused};

/// Finds the files of this name, in the part of the store that belongs to repositories.
fn files(directory: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, name));
        } else if path.ends_with(name) {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn what_is_not_of_the_protocol_is_refused_in_its_form() {
    let hub = Hub::start().await;
    for line in ["GET /", "GET /v1/", "POST /v2/a", "HEAD /favicon.ico"] {
        let reply = hub.ask(line).await;
        assert_eq!((reply.status, reply.body.is_empty()), (404, line.starts_with("HEAD")), "{line}");
    }
    assert_eq!(hub.ask("GET /v2/a/unknown/b").await.refusal(), refused(404, "UNSUPPORTED"));
    assert_eq!(hub.ask("GET /v2/A/tags/list").await.refusal(), refused(400, "NAME_INVALID"));
    let reply = hub.ask("POST /v2/a/manifests/latest").await;
    assert_eq!(reply.refusal(), refused(405, "UNSUPPORTED"));
    assert_eq!(reply.header("allow"), "GET, HEAD, PUT, DELETE");
}

#[tokio::test]
async fn a_refusal_carries_its_error() {
    let hub = Hub::start().await;
    let reply = hub.ask("GET /v2/a/manifests/latest").await;
    assert!(matches!(reply.error.as_deref(), Some(Error::ManifestUnknown { reference }) if reference == "latest"));
    assert!(hub.ask("GET /v2/").await.error.is_none());
}

#[tokio::test]
async fn a_failure_of_the_store_is_not_an_absence_and_keeps_its_secrets() {
    let hub = Hub::start().await;
    let manifest = hub.push_artifact("a", "latest", "wharf").await;
    let blob = hub.push_blob("a", Algorithm::Sha512, b"wharf").await;
    for name in ["latest", manifest.hex()] {
        for file in files(&hub.directory.path().join("repositories"), name) {
            fs::remove_file(&file).unwrap();
            fs::write(file, "no JSON").unwrap();
        }
    }
    // A directory is what no read of a blob gets past.
    for file in files(&hub.directory.path().join("repositories"), blob.hex()) {
        fs::remove_file(&file).unwrap();
        fs::create_dir(file).unwrap();
    }
    for target in [format!("blobs/{blob}"), "manifests/latest".to_owned(), format!("manifests/{manifest}")] {
        let reply = hub.ask(&format!("GET /v2/a/{target}")).await;
        assert_eq!(reply.refusal(), refused(500, "UNKNOWN"), "{target}");
        assert!(!reply.text().contains(hub.directory.path().to_str().unwrap()), "{}", reply.text());
        assert!(matches!(reply.error.as_deref(), Some(Error::Store(_))), "{target}");
        assert_eq!(hub.status(&format!("HEAD /v2/a/{target}")).await, 500, "{target}");
    }
}

#[tokio::test]
async fn a_refusal_repeats_what_it_was_sent_only_as_json() {
    let hub = Hub::start().await;
    let reply = hub.ask("GET /v2/a/manifests/%22%3E%3Cscript%3E%0D%0ASet-Cookie:x").await;
    assert_eq!(reply.refusal(), refused(400, "DIGEST_INVALID"));
    assert_eq!(reply.headers.len(), 4, "{:?}", reply.headers);
}
