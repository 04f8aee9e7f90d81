//! The real registry on a loopback port, which counts what passes and can be told to fail.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body::{Frame, SizeHint};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wharf_oci::Registry;
use wharf_registry::Limits;
use wharf_store::Store;

/// A registry over a store of its own, on a free port of the loopback interface.
///
/// It stops when it is dropped, and its store goes with it. What the setting up of a test cannot do ends the test.
pub struct TestRegistry {
    registry: Registry,
    store: Store,
    log: Log,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
    directory: TempDir,
}

/// What passed between a client and the registry, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The method.
    pub method: Method,
    /// The path and the query, as they came.
    pub target: String,
    /// The status of the answer; `None` while there is none.
    pub status: Option<StatusCode>,
    /// How many bytes of the request's body were read so far.
    pub request_bytes: u64,
    /// How many bytes of the answer's body were sent so far.
    pub response_bytes: u64,
}

impl Exchange {
    /// Returns the path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }
}

impl TestRegistry {
    /// Starts a registry.
    pub async fn start() -> Self {
        Self::with(|_| None).await
    }

    /// Starts a registry before which `answer` stands: where it gives a response, the registry does not see the
    /// request.
    pub async fn with(answer: impl Fn(&Parts) -> Option<Response> + Send + Sync + 'static) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let store = Store::open(directory.path()).await.expect("a store can be made in an empty directory");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let service = Service {
            registry: wharf_registry::Registry::new(store.clone(), Limits::default()),
            answer: Arc::new(answer),
            log: Log::default(),
        };
        let log = service.log.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(move |request: Request| service.clone().respond(request));
        let server = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let served = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
            served.expect("a server on a bound listener does not fail");
        });
        let registry = address.to_string().parse().expect("an address with a port names a registry");
        Self { registry, store, log, stop, server, directory }
    }

    /// Returns its host and port.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns what it keeps its content in, to look at or to fill past the protocol.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns what passed so far, in the order in which the requests came.
    #[must_use]
    pub fn log(&self) -> Vec<Exchange> {
        self.log.lock().iter().map(Entry::exchange).collect()
    }

    /// Forgets what passed so far.
    pub fn clear_log(&self) {
        self.log.lock().clear();
    }

    /// Stops it, and returns when its port is closed. Its store is gone as well.
    pub async fn stop(self) {
        let Self { stop, server, directory, .. } = self;
        drop(stop);
        server.await.expect("the server does not panic");
        drop(directory);
    }
}

impl fmt::Debug for TestRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TestRegistry").field("registry", &self.registry).finish_non_exhaustive()
    }
}

/// What stands before a registry; where it gives nothing, the registry answers.
type Answer = dyn Fn(&Parts) -> Option<Response> + Send + Sync;

#[derive(Clone)]
struct Service {
    registry: wharf_registry::Registry,
    answer: Arc<Answer>,
    log: Log,
}

impl Service {
    async fn respond(self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let entry = self.log.add(&parts);
        let response = match (self.answer)(&parts) {
            Some(response) => {
                drain(body).await;
                response
            }
            None => {
                let body = Counted::body(body, &entry.request_bytes);
                self.registry.respond(Request::from_parts(parts, body)).await
            }
        };
        *entry.status.lock().unwrap_or_else(PoisonError::into_inner) = Some(response.status());
        response.map(|body| Counted::body(body, &entry.response_bytes))
    }
}

/// Reads a body to its end: a server that leaves it unread breaks the connection, perhaps before the client has read
/// the answer.
async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    while let Some(Ok(_)) = pieces.next().await {}
}

/// All that passed; a clone is the same log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Entry>>>);

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, parts: &Parts) -> Entry {
        let entry = Entry {
            method: parts.method.clone(),
            target: parts.uri.to_string(),
            status: Arc::default(),
            request_bytes: Arc::default(),
            response_bytes: Arc::default(),
        };
        self.lock().push(entry.clone());
        entry
    }
}

/// An exchange that goes on; a clone is the same one.
#[derive(Clone)]
struct Entry {
    method: Method,
    target: String,
    status: Arc<Mutex<Option<StatusCode>>>,
    request_bytes: Arc<AtomicU64>,
    response_bytes: Arc<AtomicU64>,
}

impl Entry {
    fn exchange(&self) -> Exchange {
        Exchange {
            method: self.method.clone(),
            target: self.target.clone(),
            status: *self.status.lock().unwrap_or_else(PoisonError::into_inner),
            request_bytes: self.request_bytes.load(Ordering::Relaxed),
            response_bytes: self.response_bytes.load(Ordering::Relaxed),
        }
    }
}

/// A body whose bytes are counted as they pass.
struct Counted {
    body: Body,
    bytes: Arc<AtomicU64>,
}

impl Counted {
    fn body(body: Body, bytes: &Arc<AtomicU64>) -> Body {
        Body::new(Self { body, bytes: Arc::clone(bytes) })
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use wharf_oci::Digest;

    use super::*;

    /// Sends one request over a connection of its own, and returns all of the answer.
    async fn send(registry: &Registry, head: &str, body: &str) -> String {
        let mut connection = TcpStream::connect(registry.as_str()).await.unwrap();
        let length = body.len();
        let request =
            format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn exchange(method: Method, target: &str, status: u16, bytes: (u64, u64)) -> Exchange {
        let (request_bytes, response_bytes) = bytes;
        let status = StatusCode::from_u16(status).ok();
        Exchange { method, target: target.to_owned(), status, request_bytes, response_bytes }
    }

    #[tokio::test]
    async fn what_passes_is_counted() {
        let registry = TestRegistry::start().await;
        let digest = Digest::sha256(b"wharf");
        let post = format!("/v2/a/blobs/uploads/?digest={digest}");
        let get = format!("/v2/a/blobs/{digest}");
        assert!(send(registry.registry(), &format!("POST {post}"), "wharf").await.starts_with("HTTP/1.1 201"));
        assert!(send(registry.registry(), &format!("GET {get}"), "").await.ends_with("\r\n\r\nwharf"));
        let head = send(registry.registry(), &format!("HEAD {get}"), "").await;
        assert!(head.contains("content-length: 5\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        let expected = [
            exchange(Method::POST, &post, 201, (5, 0)),
            exchange(Method::GET, &get, 200, (0, 5)),
            exchange(Method::HEAD, &get, 200, (0, 0)),
        ];
        assert_eq!(registry.log(), expected);
        assert_eq!(registry.log()[0].path(), "/v2/a/blobs/uploads/");
        registry.clear_log();
        assert_eq!(registry.log(), []);
    }

    #[tokio::test]
    async fn an_answer_in_its_place_keeps_a_request_from_the_registry() {
        let registry = TestRegistry::with(|request| {
            let fails = request.method == Method::POST;
            fails.then(|| Response::builder().status(503).body(Body::from("later")).unwrap())
        });
        let registry = registry.await;
        let target = format!("/v2/a/blobs/uploads/?digest={}", Digest::sha256(b"wharf"));
        assert!(send(registry.registry(), &format!("POST {target}"), "wharf").await.starts_with("HTTP/1.1 503"));
        assert!(send(registry.registry(), "GET /v2/", "").await.starts_with("HTTP/1.1 200"));
        assert_eq!(registry.log()[0], exchange(Method::POST, &target, 503, (0, 5)));
        assert!(registry.store().repositories().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_stopped_registry_takes_no_connection() {
        let registry = TestRegistry::start().await;
        let address = registry.registry().clone();
        assert!(TcpStream::connect(address.as_str()).await.is_ok());
        registry.stop().await;
        assert!(TcpStream::connect(address.as_str()).await.is_err());
    }
}
