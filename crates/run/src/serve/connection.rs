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
use tokio_io_timeout::TimeoutStream;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use super::worker::{Ticket, Workers};
use crate::http_out::Timed;

/// Time that a client has to send the head of a request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// Time that it has for each part of a body, and to take each part of an answer.
const PART_TIME_MAX: Duration = Duration::from_secs(60);

/// Serves the requests of a connection, one after the other, until the client or `stopping` ends it.
pub(super) async fn serve(
    stream: TcpStream,
    handler: ProxyHandler<Workers>,
    requests: Arc<Semaphore>,
    mut stopping: watch::Receiver<()>,
) {
    // Guests write small pieces, which are not to wait for each other; without it, they only wait.
    let _set = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(PART_TIME_MAX));
    let respond = |request| respond(&handler, &requests, request);
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    let connection = server.serve_connection(TokioIo::new(Box::pin(stream)), service_fn(respond));
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
    requests: &Arc<Semaphore>,
    request: Request<Incoming>,
) -> Result<Response<WasiBody>, Infallible> {
    let place = Arc::clone(requests).acquire_owned().await.expect("nobody closes it");
    let request = request.map(|body| Timed::new(body, PART_TIME_MAX).boxed_unsync());
    let ticket = Arc::new(Ticket::new(place));
    // What went wrong in the guest is told on this side, never to the client.
    Ok(handler.handle(Arc::clone(&ticket), request).await.unwrap_or_else(|error| {
        handler.state().tell_error_code(&error);
        match ticket.is_late(&error) {
            true => plain(StatusCode::GATEWAY_TIMEOUT, "the component took too long\n"),
            false => plain(StatusCode::INTERNAL_SERVER_ERROR, "the component failed\n"),
        }
    }))
}

fn plain(status: StatusCode, text: &'static str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
