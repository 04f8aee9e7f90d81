//! The registry: any requests, one after another, in the form that the crate page of `wharf_fuzz` draws.
//!
//! `$L` in a request stands for the last `Location`, such as that of an upload.

#![no_main]

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, LINK, LOCATION, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use wharf_fuzz::{Message, messages};
use wharf_oci::Digest;
use wharf_registry::{Limits, Registry};
use wharf_store::Store;

/// Small enough to be met.
const LIMITS: Limits = Limits { blob_bytes_max: 1024, manifest_bytes_max: 2048, page_max: 2, tags_max: 3 };

/// Pages that a listing of what one input pushes can take.
const PAGES_MAX: usize = 64;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime can be made"));

fuzz_target!(|input: &[u8]| RUNTIME.block_on(run(input)));

async fn run(input: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let store = Store::open(directory.path()).await.expect("a store can be made");
    let registry = Registry::new(store, LIMITS);
    let mut place = "/v2/".to_owned();
    for message in messages(input) {
        let Some(asked) = Asked::read(&message, &place) else { continue };
        let answer = ask(&registry, &asked).await;
        check_answer(&asked, &answer);
        if let Some(location) = answer.text(&LOCATION) {
            assert!(location.starts_with("/v2/"), "{location}");
            place = location.to_owned();
        }
        match (&asked.method, answer.status) {
            (&Method::GET, StatusCode::PARTIAL_CONTENT) => check_part(&registry, &asked, &answer).await,
            (&Method::GET, _) => check_head(&registry, &asked).await,
            (&Method::PUT, StatusCode::CREATED) if place.contains("/manifests/") => {
                assert_eq!(read(&registry, &place).await.body, asked.body, "another manifest is at {place}");
            }
            _ => {}
        }
        if answer.status == StatusCode::CREATED {
            assert_eq!(read(&registry, &place).await.status, StatusCode::OK, "nothing is at {place}");
        }
        check_pages(&registry, &answer).await;
    }
}

/// A request that can be sent again.
#[derive(Clone)]
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    /// Reads a request; nothing where a server would not hand it on.
    fn read(message: &Message, place: &str) -> Option<Self> {
        let (method, target) = message.line.split_once(' ')?;
        let method = method.parse().ok()?;
        let uri = target.replace("$L", place).parse().ok()?;
        let headers = message
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?)));
        Some(Self { method, uri, headers: headers.collect(), body: message.body.clone().into() })
    }

    /// Makes the request; one with `Transfer-Encoding` does not tell how long its body is.
    fn request(&self) -> Request<Body> {
        let body = match self.headers.contains_key("transfer-encoding") {
            false => Body::from(self.body.clone()),
            true => {
                let pieces: Vec<_> = self.body.chunks(7).map(Bytes::copy_from_slice).collect();
                Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
            }
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// An answer with its whole body.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    refusal: Option<Arc<wharf_registry::Error>>,
}

impl Answer {
    fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("all headers are visible ASCII"))
    }
}

async fn ask(registry: &Registry, asked: &Asked) -> Answer {
    let (parts, body) = registry.respond(asked.request()).await.into_parts();
    let body = body.collect().await.expect("a body comes to its end").to_bytes();
    let parts = Response::from_parts(parts, ());
    let refusal = parts.extensions().get().cloned();
    Answer { status: parts.status(), headers: parts.headers().clone(), body, refusal }
}

async fn read(registry: &Registry, path: &str) -> Answer {
    let uri = path.parse().expect("a place is a path");
    ask(registry, &Asked { method: Method::GET, uri, headers: HeaderMap::new(), body: Bytes::new() }).await
}

/// What holds for every answer.
fn check_answer(asked: &Asked, answer: &Answer) {
    let Answer { status, headers, body, refusal } = answer;
    let what = format!("{} {}: {status} {refusal:?}", asked.method, asked.uri);
    assert!(!status.is_server_error(), "{what}");
    assert_eq!(refusal.is_some(), status.is_client_error(), "{what}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    if asked.method == Method::HEAD {
        return assert!(body.is_empty(), "{what}");
    }
    if *status != StatusCode::NO_CONTENT {
        assert_eq!(answer.text(&CONTENT_LENGTH), Some(body.len().to_string().as_str()), "{what}");
    }
    if status.is_client_error() {
        let document: Value = serde_json::from_slice(body).expect("a refusal is JSON");
        let code = document["errors"][0]["code"].as_str().expect("a refusal has a code");
        assert!(code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{what}");
    }
    if let (&Method::GET, StatusCode::OK, Some(digest)) = (&asked.method, *status, headers.get("docker-content-digest"))
    {
        let digest: Digest = digest.to_str().expect("a digest is ASCII").parse().expect("a digest is one");
        assert_eq!(Digest::of(digest.algorithm(), body), digest, "{what}");
    }
}

/// `HEAD` answers as `GET` does.
async fn check_head(registry: &Registry, asked: &Asked) {
    let mut asked = asked.clone();
    asked.headers.remove(RANGE);
    let whole = ask(registry, &asked).await;
    asked.method = Method::HEAD;
    let head = ask(registry, &asked).await;
    if whole.status != StatusCode::METHOD_NOT_ALLOWED {
        assert_eq!((head.status, head.headers), (whole.status, whole.headers), "{}", asked.uri);
    }
}

/// A part is the part of the whole that the answer says it is, and the one asked for.
async fn check_part(registry: &Registry, asked: &Asked, answer: &Answer) {
    let whole = read(registry, &asked.uri.to_string()).await.body;
    let range = answer.text(&CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes ")).expect("it says which");
    let (range, size) = range.split_once('/').expect("it says of how much");
    let (first, last) = ends(range).expect("it has two ends");
    assert_eq!(size, whole.len().to_string());
    assert_eq!(answer.body, whole[first..=last]);
    let range = asked.headers[RANGE].to_str().expect("it was read");
    if let Some((first_asked, last_asked)) = range.strip_prefix("bytes=").and_then(ends) {
        assert_eq!((first, last), (first_asked, last_asked.min(whole.len() - 1)), "{range}");
    }
}

fn ends(range: &str) -> Option<(usize, usize)> {
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// The pages that follow an answer come to an end, and each is one.
async fn check_pages(registry: &Registry, answer: &Answer) {
    let mut link = answer.text(&LINK).map(str::to_owned);
    for _ in 0..PAGES_MAX {
        let Some(text) = link else { return };
        let path = text.strip_prefix('<').and_then(|text| text.strip_suffix(r#">; rel="next""#)).expect("it is a link");
        let page = read(registry, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        link = page.text(&LINK).map(str::to_owned);
    }
    panic!("a listing does not end");
}
