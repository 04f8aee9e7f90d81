//! One HTTP message: sent once, with time-outs, its body read up to a limit.

use std::error::Error as StdError;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;
use wharf_oci::ByteStream;

use crate::answer::shown;
use crate::client::{ClientOptions, Proxies, Timeouts};
use crate::error::{HttpFault, RequestLine, Violation, origin};
use crate::limits::UPLOAD_BYTES_PER_SECOND_MIN;
use crate::{Error, route, tls};

/// Hosts that no proxy is asked for.
const DIRECT: &str = "localhost,127.0.0.0/8,::1";
/// Bytes of a stream that are handed to a connection at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Sends HTTP messages.
pub(crate) struct Transport {
    http: reqwest::Client,
    timeouts: Timeouts,
}

/// One message to send.
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How errors name it.
    pub(crate) line: RequestLine,
}

impl Transport {
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, Error> {
        let tls = tls::configuration(options.security, &options.ca_certificates)?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(&options.user_agent)
            .connect_timeout(options.timeouts.connect)
            .http2_adaptive_window(true)
            // Turns off reqwest's own look at the environment.
            .no_proxy();
        for proxy in proxies(&options.proxies)? {
            builder = builder.proxy(proxy);
        }
        let http = builder.build().map_err(|error| Error::Setup(HttpFault::new(error)))?;
        Ok(Self { http, timeouts: options.timeouts })
    }

    /// Sends a message, and waits for the head of the answer.
    pub(crate) async fn send(&self, message: &Message, authorization: Option<&HeaderValue>) -> Result<Reply, Error> {
        let mut request = self.request(message, authorization).body(message.body.clone());
        if message.body.is_empty() && matches!(message.method, Method::POST | Method::PUT) {
            // Not sent for an empty body, and some servers wait for one where it is absent.
            request = request.header(http::header::CONTENT_LENGTH, 0);
        }
        let limit = self.timeouts.request + upload_time(message.body.len());
        match tokio::time::timeout(limit, request.send()).await {
            Ok(outcome) => self.reply(message, outcome),
            Err(_) => Err(Error::TimedOut { request: message.line.clone(), limit }),
        }
    }

    /// Sends a message whose body is a stream, and waits for the head of the answer for as long as bytes move.
    ///
    /// The length of the body stands in the message's headers.
    pub(crate) async fn send_stream(
        &self,
        message: &Message,
        authorization: Option<&HeaderValue>,
        stream: ByteStream,
    ) -> Result<Reply, SendFault> {
        let outgoing = Arc::new(Outgoing::default());
        let request = self.request(message, authorization);
        let request = request.body(reqwest::Body::wrap_stream(outgoing.pieces(stream)));
        let mut sending = std::pin::pin!(request.send());
        let limit = self.timeouts.read;
        let mut before = 0;
        let outcome = loop {
            if let Ok(outcome) = tokio::time::timeout(limit, &mut sending).await {
                break outcome;
            }
            let moved = outgoing.moved.load(Ordering::Relaxed);
            if moved == before {
                return Err(Error::TimedOut { request: message.line.clone(), limit }.into());
            }
            before = moved;
        };
        match outgoing.take_error() {
            Some(error) => Err(SendFault::Source(error)),
            None => Ok(self.reply(message, outcome)?),
        }
    }

    fn request(&self, message: &Message, authorization: Option<&HeaderValue>) -> reqwest::RequestBuilder {
        let request = self.http.request(message.method.clone(), message.url.clone()).headers(message.headers.clone());
        match authorization {
            Some(value) => request.header(http::header::AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    fn reply(&self, message: &Message, outcome: Result<reqwest::Response, reqwest::Error>) -> Result<Reply, Error> {
        let response = outcome.map_err(|error| fault(message, &self.timeouts, error))?;
        Ok(Reply {
            line: message.line.clone(),
            url: message.url.clone(),
            response,
            rest: None,
            timeouts: self.timeouts,
        })
    }
}

/// Why a body did not arrive.
pub(crate) enum SendFault {
    /// What it comes from failed.
    Source(wharf_oci::Error),
    /// Who it goes to failed.
    Sink(Error),
}

impl From<Error> for SendFault {
    fn from(error: Error) -> Self {
        Self::Sink(error)
    }
}

/// The answer to a message, its body not yet read.
pub(crate) struct Reply {
    /// The request that it answers.
    pub(crate) line: RequestLine,
    /// The URL of that request.
    pub(crate) url: Url,
    response: reqwest::Response,
    /// The start of the rest of the body, where more of it was read than was wanted.
    rest: Option<Bytes>,
    timeouts: Timeouts,
}

impl Reply {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns a header; nothing where it is absent.
    ///
    /// # Errors
    /// [`Error::Protocol`] where it has other than visible characters.
    pub(crate) fn header(&self, name: &'static str) -> Result<Option<&str>, Error> {
        let Some(value) = self.response.headers().get(HeaderName::from_static(name)) else { return Ok(None) };
        value.to_str().map(Some).map_err(|_| {
            let value = shown(&String::from_utf8_lossy(value.as_bytes()));
            self.violation(Violation::Header { name, value })
        })
    }

    /// Returns the URL that `Location` points to.
    pub(crate) fn location(&self) -> Result<Url, Error> {
        let name = "location";
        let value = self.headers().get(name).ok_or_else(|| self.violation(Violation::MissingHeader { name }))?;
        let url = value.to_str().ok().and_then(|text| route::resolve(&self.url, text).ok());
        url.ok_or_else(|| self.violation(Violation::Url { name }))
    }

    /// Returns the next bytes of the body.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        let limit = self.timeouts.read;
        match tokio::time::timeout(limit, self.response.chunk()).await {
            Ok(outcome) => outcome.map_err(|error| self.interrupted(error)),
            Err(_) => Err(Error::TimedOut { request: self.line.clone(), limit }),
        }
    }

    /// Makes bytes the next that [`Reply::chunk`] returns.
    pub(crate) fn put_back(&mut self, bytes: Bytes) {
        self.rest = Some(bytes);
    }

    /// Reads the whole body, of at most `limit` bytes.
    pub(crate) async fn bytes(mut self, limit: u64) -> Result<Bytes, Error> {
        let request = self.line.clone();
        let wait = self.timeouts.request;
        let read = async {
            let mut bytes = BytesMut::new();
            while let Some(chunk) = self.response.chunk().await.map_err(|error| self.interrupted(error))? {
                if (bytes.len() + chunk.len()) as u64 > limit {
                    return Err(Error::TooLarge { request: self.line.clone(), limit, unit: "bytes" });
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes.freeze())
        };
        let outcome = tokio::time::timeout(wait, read).await;
        outcome.unwrap_or(Err(Error::TimedOut { request, limit: wait }))
    }

    /// Makes an error of how the answer breaks the protocol.
    pub(crate) fn violation(&self, source: Violation) -> Error {
        Error::Protocol { request: self.line.clone(), source }
    }

    fn interrupted(&self, error: reqwest::Error) -> Error {
        Error::Interrupted { request: self.line.clone(), source: HttpFault::new(error) }
    }
}

/// A body on its way out.
#[derive(Default)]
struct Outgoing {
    moved: AtomicU64,
    error: Mutex<Option<wharf_oci::Error>>,
}

impl Outgoing {
    /// Makes a body of a stream, whose bytes are counted and whose error is kept: the connection only breaks.
    ///
    /// Small pieces are taken as fast as they are sent. A large one would be counted at once, and the time that it
    /// takes then be mistaken for a standstill.
    fn pieces(self: &Arc<Self>, stream: ByteStream) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let outgoing = Arc::clone(self);
        let small = stream.flat_map(|piece| match piece {
            Ok(bytes) => stream::iter(split(bytes)).map(Ok).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        });
        small.map(move |piece| match piece {
            Ok(bytes) => {
                outgoing.moved.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                Ok(bytes)
            }
            Err(error) => {
                *outgoing.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(io::Error::other("the source of the content failed"))
            }
        })
    }

    fn take_error(&self) -> Option<wharf_oci::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Returns the bytes in pieces of limited size, without copying them.
fn split(mut bytes: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| bytes.split_to(PIECE_BYTES.min(bytes.len()))))
}

/// Returns how much longer a message may take than one without a body.
fn upload_time(length: usize) -> Duration {
    Duration::from_secs(length as u64 / UPLOAD_BYTES_PER_SECOND_MIN)
}

fn proxies(proxies: &Proxies) -> Result<Vec<reqwest::Proxy>, Error> {
    type Make = fn(&str) -> Result<reqwest::Proxy, reqwest::Error>;
    let kinds: [(&'static str, &Option<String>, Make); 3] = [
        ("http", &proxies.http, |url| reqwest::Proxy::http(url)),
        ("https", &proxies.https, |url| reqwest::Proxy::https(url)),
        ("all", &proxies.all, |url| reqwest::Proxy::all(url)),
    ];
    let direct = format!("{DIRECT},{}", proxies.no_proxy.as_deref().unwrap_or_default());
    let mut list = Vec::new();
    for (kind, url, make) in kinds {
        if let Some(url) = url.as_deref().filter(|url| !url.is_empty()) {
            let proxy = make(url).map_err(|error| Error::Proxy { kind, source: HttpFault::new(error) })?;
            list.push(proxy.no_proxy(reqwest::NoProxy::from_string(&direct)));
        }
    }
    Ok(list)
}

/// Tells what went wrong before there was an answer.
fn fault(message: &Message, timeouts: &Timeouts, error: reqwest::Error) -> Error {
    let request = message.line.clone();
    let host = origin(&message.url);
    if error.is_timeout() {
        return Error::TimedOut { request, limit: timeouts.connect };
    }
    match cause_in(&error) {
        Some(rustls::Error::InvalidMessage(_)) => Error::PlainHttp { request, host },
        Some(fault) => Error::Tls { request, host, source: fault.clone().into() },
        None if cause_in::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse) => {
            Error::NotHttp { request, host }
        }
        None if error.is_connect() => Error::Connect { request, host, source: HttpFault::new(error) },
        None => Error::Interrupted { request, source: HttpFault::new(error) },
    }
}

/// Finds an error of one kind among the causes; `io::Error` hides what it wraps from the chain.
fn cause_in<E: StdError + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(found) = cause {
        if let Some(wanted) = found.downcast_ref() {
            return Some(wanted);
        }
        let wrapped = found.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => found.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_large_piece_leaves_in_small_ones_that_are_counted_one_by_one() {
        let content = Bytes::from(vec![7; 2 * PIECE_BYTES + 1]);
        let outgoing = Arc::new(Outgoing::default());
        let mut pieces = Box::pin(outgoing.pieces(stream::iter([Ok(content.clone())]).boxed()));
        let mut all = BytesMut::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.unwrap();
            assert!(piece.len() <= PIECE_BYTES);
            all.extend_from_slice(&piece);
            assert_eq!(outgoing.moved.load(Ordering::Relaxed), all.len() as u64);
        }
        assert_eq!(all, content);
    }

    #[test]
    fn a_large_body_is_given_more_time() {
        for (length, expected) in [(0, 0), (4 << 20, 64), (64 << 20, 1024)] {
            assert_eq!(upload_time(length).as_secs(), expected);
        }
    }
}
