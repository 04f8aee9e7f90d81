//! A registry over a temporary store, and how to ask it.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tempfile::TempDir;
use wharf_oci::{Algorithm, Digest};
use wharf_registry::{Error, Limits, Registry};
use wharf_store::Store;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) struct Hub {
    pub(crate) registry: Registry,
    pub(crate) directory: TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) error: Option<Arc<Error>>,
}

impl Hub {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let store = Store::open(directory.path()).await.expect("a new store");
        Self { registry: Registry::new(store, limits), directory }
    }

    /// Sends a request line such as `GET /v2/`, with headers and a body.
    pub(crate) async fn send(&self, line: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let (method, target) = line.split_once(' ').expect("a method and a target");
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.registry.respond(request.body(body.into()).expect("a valid request")).await;
        let (parts, body) = response.into_parts();
        let error = parts.extensions.get::<Arc<Error>>().cloned();
        let body = to_bytes(body, usize::MAX).await.expect("a whole body");
        assert_eq!(parts.headers["x-content-type-options"], "nosniff", "{line}");
        Reply { status: parts.status.as_u16(), headers: parts.headers, body, error }
    }

    pub(crate) async fn ask(&self, line: &str) -> Reply {
        self.send(line, &[], Body::empty()).await
    }

    pub(crate) async fn status(&self, line: &str) -> u16 {
        self.ask(line).await.status
    }

    /// Pushes a blob in one request.
    pub(crate) async fn push_blob(&self, repository: &str, algorithm: Algorithm, bytes: &[u8]) -> Digest {
        let digest = Digest::of(algorithm, bytes);
        let line = format!("POST /v2/{repository}/blobs/uploads/?digest={digest}");
        let reply = self.send(&line, &[], bytes.to_vec()).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        digest
    }

    /// Starts an upload, and returns where it goes on.
    pub(crate) async fn start_upload(&self, repository: &str) -> String {
        let reply = self.ask(&format!("POST /v2/{repository}/blobs/uploads/")).await;
        assert_eq!((reply.status, reply.header("range")), (202, "0-0"));
        reply.header("location").to_owned()
    }

    /// Pushes a document as a manifest.
    pub(crate) async fn put_manifest(&self, repository: &str, reference: &str, document: &Value) -> Reply {
        let media_type = document["mediaType"].as_str().unwrap_or(OCI_MANIFEST).to_owned();
        let line = format!("PUT /v2/{repository}/manifests/{reference}");
        self.send(&line, &[("content-type", &media_type)], document.to_string()).await
    }

    /// Pushes an artifact with one layer under a tag, and returns the digest of its manifest.
    pub(crate) async fn push_artifact(&self, repository: &str, tag: &str, seed: &str) -> Digest {
        let document = self.artifact(repository, seed).await;
        let reply = self.put_manifest(repository, tag, &document).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.header("docker-content-digest").parse().expect("a digest")
    }

    /// Pushes the blobs of an artifact, and returns its manifest.
    pub(crate) async fn artifact(&self, repository: &str, seed: &str) -> Value {
        let config = self.push_blob(repository, Algorithm::Sha256, b"{}").await;
        let layer = self.push_blob(repository, Algorithm::Sha256, seed.as_bytes()).await;
        json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": { "mediaType": "application/vnd.example.config", "digest": config, "size": 2 },
            "layers": [{ "mediaType": "application/wasm", "digest": layer, "size": seed.len() }],
        })
    }
}

impl Reply {
    /// Returns a header, which must be there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header `{name}` in {:?}", self.headers));
        value.to_str().expect("a header of ASCII")
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("a body of text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }

    /// Returns the status and the code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("content-length"), self.body.len().to_string());
        let body = self.json();
        let [error] = body["errors"].as_array().expect("a list of errors").as_slice() else {
            panic!("not one error: {body}")
        };
        assert!(!error["message"].as_str().expect("a message").is_empty());
        (self.status, error["code"].as_str().expect("a code").to_owned())
    }
}

/// Writes the expected refusal.
pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Returns bytes of which no two pieces are alike.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|position| (position.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}
