//! One connection of a client.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{ExpirationError, ProxyHandler};

use super::worker::Workers;

/// Time that a client has to send the head of a request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// Serves the requests of a connection, one after the other, until the client or `stopping` ends it.
pub(super) async fn serve(
    stream: TcpStream,
    handler: ProxyHandler<Workers>,
    requests: Arc<Semaphore>,
    mut stopping: watch::Receiver<()>,
) {
    // Guests write small pieces, which are not to wait for each other; without it, they only wait.
    let _set = stream.set_nodelay(true);
    let respond = |request| respond(&handler, &requests, request);
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    let connection = server.serve_connection(TokioIo::new(stream), service_fn(respond));
    let mut connection = std::pin::pin!(connection);
    // A client that goes away, or sends what is no HTTP, is nobody's fault here.
    tokio::select! {
        _ended = connection.as_mut() => return,
        _closed = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

async fn respond(
    handler: &ProxyHandler<Workers>,
    requests: &Semaphore,
    request: Request<Incoming>,
) -> Result<Response<WasiBody>, Infallible> {
    let Ok(_permit) = requests.acquire().await else {
        return Ok(plain(StatusCode::SERVICE_UNAVAILABLE, "the server stops\n"));
    };
    let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
    // What went wrong in the guest is told on this side, never to the client.
    Ok(handler.handle((), request).await.unwrap_or_else(|error| match error.is::<ExpirationError>() {
        true => plain(StatusCode::GATEWAY_TIMEOUT, "the component took too long\n"),
        false => plain(StatusCode::INTERNAL_SERVER_ERROR, "the component failed\n"),
    }))
}

fn plain(status: StatusCode, text: &'static str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
