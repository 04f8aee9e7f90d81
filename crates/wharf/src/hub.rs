//! The hub: the registry of this machine, over a folder.
//!
//! | what | limit | why |
//! |---|---|---|
//! | connections | 1,024 | below the usual 4,096 open files, with a file for each |
//! | wait for a request's head | 30 s | a client that connects and says nothing holds a place |
//! | wait for the next bytes of a request's body | 60 s | as long as clients wait |
//! | wait for a client to take bytes | 60 s | as long as clients wait |
//! | wait for open requests at the end | 30 s | what supervisors allow before they kill |

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower_http::timeout::RequestBodyTimeoutLayer;
use wharf_registry::{Limits, Registry};
use wharf_store::Store;

use crate::{Cause, Error};

const CONNECTIONS_MAX: usize = 1024;
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait where no connection can be accepted, as when all files that the process may open are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on `address`, and returns that with the port that was taken where it names port 0.
///
/// # Errors
/// [`Error::Listen`].
pub async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    bind(address).await.map_err(|source| Error::Listen { address, source: Cause::Listener(source) })
}

/// Listens on `address`, as [`listen`] does, for whatever serves there.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// What the hub serves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HubOptions {
    /// The folder that holds everything.
    pub storage: PathBuf,
    /// How much a client may send and ask for at once.
    pub limits: Limits,
}

impl HubOptions {
    /// Serves the folder `storage`, which is made if it does not exist.
    #[must_use]
    pub fn new(storage: impl Into<PathBuf>) -> Self {
        Self { storage: storage.into(), limits: Limits::default() }
    }
}

/// A hub whose storage is open, ready to serve.
#[derive(Clone)]
pub struct Hub {
    router: Router,
}

impl Hub {
    /// Opens the storage of a hub.
    ///
    /// # Errors
    /// [`Error::Hub`] where the folder cannot be used, or was written by a program that this one does not know.
    pub async fn open(options: &HubOptions) -> Result<Self, Error> {
        let failed = |error: wharf_store::Error| Error::Hub { storage: options.storage.clone(), source: error.into() };
        let store = Store::open(&options.storage).await.map_err(failed)?;
        let registry = Registry::new(store, options.limits);
        let respond = move |request: Request| {
            let registry = registry.clone();
            async move { registry.respond(request).await }
        };
        let router = Router::new().fallback(respond).layer(RequestBodyTimeoutLayer::new(READ_TIMEOUT));
        Ok(Self { router })
    }

    /// Serves on `listener` until `stop` ends, and then the requests that are under way.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let graceful = GracefulShutdown::new();
        let server = server();
        let mut stop = pin!(stop);
        while let Some((stream, place)) = next(&listener, &connections, stop.as_mut()).await {
            let connection = server.serve_connection(stream, TowerToHyperService::new(self.router.clone()));
            let connection = graceful.watch(connection.into_owned());
            tokio::spawn(async move {
                // A connection that breaks is its client's affair.
                let _ended = connection.await;
                drop(place);
            });
        }
        drop(listener);
        // Who has not finished by then is cut off, as it would be by whoever waits for this process to end.
        let _in_time = tokio::time::timeout(END_TIMEOUT, graceful.shutdown()).await;
    }
}

type Connection = TokioIo<Pin<Box<TimeoutStream<TcpStream>>>>;

/// Waits for the next connection and a place for it; `None` when it is time to stop.
async fn next(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Option<(Connection, OwnedSemaphorePermit)> {
    let place = tokio::select! {
        place = Arc::clone(connections).acquire_owned() => place.expect("the semaphore is never closed"),
        () = stop.as_mut() => return None,
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.as_mut() => return None,
        };
        match accepted {
            Ok((stream, _)) => return Some((connection(stream), place)),
            Err(error) if is_the_peers(&error) => {}
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Whether a connection broke before it was accepted.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn connection(stream: TcpStream) -> Connection {
    // Answers are small or streamed in large pieces: waiting to fill a packet only adds time. It is no loss if unset.
    let _set = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    TokioIo::new(Box::pin(stream))
}

fn server() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_TIMEOUT);
    server
}
