//! Sends the requests of a guest: `wasi:http` outwards.
//!
//! ```text
//! request ─> Target: scheme, host in its normal form, port ─> guard: may it?
//!              ─> looked up once ─> guard: at which of these addresses? ─> connected to those ─> TLS for the name ─> HTTP/1.1
//! ```
//!
//! What is checked is what is connected to: one lookup, whose addresses go through the guard. The engine's own way of
//! sending looks a name up by itself, after any check, so that a name could be somewhere else by then. Redirects are not
//! followed, and no proxy is used.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::HOST;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::guard::Guard;
use crate::net::Host;

/// Time for each step of a request, where the guest sets none.
const STEP_TIME_MAX: Duration = Duration::from_secs(600);

/// How TLS is done for guests: with the roots of the system, or with Mozilla's where it has none. They are read when
/// the first guest needs them.
static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| Arc::new(tls(roots())));

/// Drives a connection on, while the body of its response is read.
type Connection = Box<dyn Future<Output = Result<(), Error>> + Send>;

type Answer = Result<(Response<WasiBody>, Connection), Error>;

/// What the engine asks for HTTP.
pub(crate) struct Hooks {
    guard: Arc<Guard>,
}

impl Hooks {
    pub(crate) fn new(guard: Arc<Guard>) -> Self {
        Self { guard }
    }
}

impl WasiHttpHooks for Hooks {
    fn set_host_header(&mut self) -> bool {
        // It is set here, from what was checked.
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _received: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let guard = Arc::clone(&self.guard);
        Box::new(async move { send(&guard, request, options.unwrap_or_default()).await })
    }
}

async fn send(guard: &Guard, mut request: Request<WasiBody>, options: RequestOptions) -> Answer {
    let target = Target::take(&mut request)?;
    let connect_time = options.connect_timeout.unwrap_or(STEP_TIME_MAX);
    let connect = async {
        let addresses = target.addresses(guard).await?;
        let stream = TcpStream::connect(addresses.as_slice()).await.map_err(Error::Connect)?;
        stream.set_nodelay(true).map_err(Error::Connect)?;
        match target.is_secure {
            true => secure(stream, &target.host, Arc::clone(&TLS)).await.map(Either::Left),
            false => Ok(Either::Right(stream)),
        }
    };
    match timeout(connect_time, connect).await.map_err(|_| Error::ConnectionTimeout)?? {
        Either::Left(stream) => exchange(stream, request, options).await,
        Either::Right(stream) => exchange(stream, request, options).await,
    }
}

/// Where a request goes.
struct Target {
    is_secure: bool,
    host: Host,
    port: u16,
}

impl Target {
    /// Takes the target out of a request, which then has the form that goes over the wire to it.
    fn take(request: &mut Request<WasiBody>) -> Result<Self, Error> {
        // It would make a tunnel out of the connection.
        if request.method() == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let target = Self::of(request.uri())?;
        let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        // Anything else would name another host, to whom it may concern.
        if !path.as_str().starts_with('/') {
            return Err(Error::HttpRequestUriInvalid);
        }
        *request.uri_mut() = Uri::from(path);
        let host = HeaderValue::try_from(target.header()).map_err(|_| Error::HttpRequestUriInvalid)?;
        request.headers_mut().insert(HOST, host);
        Ok(target)
    }

    fn of(uri: &Uri) -> Result<Self, Error> {
        let is_secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(Error::HttpProtocolError),
        };
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        let host = Host::parse(authority.host()).ok_or(Error::HttpRequestUriInvalid)?;
        let rest = authority.as_str().strip_prefix(authority.host()).ok_or(Error::HttpRequestUriInvalid)?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(Error::HttpRequestUriInvalid)?,
            None => default_port(is_secure),
        };
        Ok(Self { is_secure, host, port })
    }

    fn header(&self) -> String {
        match self.port == default_port(self.is_secure) {
            true => self.host.to_string(),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Returns where it is, as far as the guard lets requests go there.
    async fn addresses(&self, guard: &Guard) -> Result<Vec<SocketAddr>, Error> {
        if !guard.may_request(&self.host, self.port) {
            return Err(Error::HttpRequestDenied);
        }
        let name = match &self.host {
            Host::Address(address) => return Ok(vec![(*address, self.port).into()]),
            Host::Name(name) => name.as_str(),
        };
        let unresolved = || Error::DnsError { rcode: None, info_code: None };
        let addresses: Vec<_> = tokio::net::lookup_host((name, self.port)).await.map_err(|_| unresolved())?.collect();
        if addresses.is_empty() {
            return Err(unresolved());
        }
        let addresses = guard.requestable(name, addresses);
        if addresses.is_empty() { Err(Error::DestinationIpProhibited) } else { Ok(addresses) }
    }
}

fn default_port(is_secure: bool) -> u16 {
    if is_secure { 443 } else { 80 }
}

/// Does TLS with a host, which has to prove that it is the one that was asked for.
async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &Host,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<S>, Error> {
    let name = match host {
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| Error::HttpRequestUriInvalid)?,
        Host::Address(address) => ServerName::from(*address),
    };
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        let fault = error.get_ref().and_then(|fault| fault.downcast_ref::<rustls::Error>());
        match fault {
            Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
            _ => Error::Tls(error),
        }
    })
}

fn tls(roots: RootCertStore) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // Systems carry single certificates that cannot be read; all others are still good.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// Sends a request, and waits for the head of the response.
async fn exchange<S>(stream: S, request: Request<WasiBody>, options: RequestOptions) -> Answer
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let head_time = options.first_byte_timeout.unwrap_or(STEP_TIME_MAX);
    let frame_time = options.between_bytes_timeout.unwrap_or(STEP_TIME_MAX);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let response = pin!(async {
        let response = timeout(head_time, sender.send_request(request)).await;
        response.map_err(|_| Error::ConnectionReadTimeout)?.map_err(Error::from)
    });
    let (response, connection): (Response<Incoming>, Connection) = match select(response, Box::pin(connection)).await {
        Either::Left((response, connection)) => (response?, Box::new(async { Ok(connection.await?) })),
        Either::Right((ended, response)) => {
            ended?;
            (response.await?, Box::new(std::future::ready(Ok(()))))
        }
    };
    Ok((response.map(|body| Timed::new(body, frame_time).boxed_unsync()), connection))
}

/// A body that does not let a guest that reads it wait for ever.
pub(crate) struct Timed {
    body: Incoming,
    /// How long the next frame may take.
    frame_time: Duration,
    /// Runs while the guest waits for a frame.
    wait: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    /// Gives each part of a body this long to come.
    pub(crate) fn new(body: Incoming, frame_time: Duration) -> Self {
        Self { body, frame_time, wait: None }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.wait = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        let frame_time = self.frame_time;
        let wait = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(frame_time)));
        ready!(wait.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
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
    use http_body_util::Empty;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsAcceptor;

    use super::*;

    fn request(method: &str, uri: &str) -> Request<WasiBody> {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Request::builder().method(method).uri(uri).header(HOST, "other.example").body(body).unwrap()
    }

    #[test]
    fn a_request_goes_over_the_wire_in_one_form() {
        for (uri, secure, host, port, header, path) in [
            ("http://example.org/a?b", false, "example.org", 80, "example.org", "/a?b"),
            ("https://EXAMPLE.org.", true, "example.org", 443, "example.org", "/"),
            ("https://example.org:80/", true, "example.org", 80, "example.org:80", "/"),
            ("http://example.org:80/", false, "example.org", 80, "example.org", "/"),
            ("http://2130706433:8080/", false, "127.0.0.1", 8080, "127.0.0.1:8080", "/"),
            ("http://0x7f.1/", false, "127.0.0.1", 80, "127.0.0.1", "/"),
            ("http://[::ffff:127.0.0.1]/", false, "127.0.0.1", 80, "127.0.0.1", "/"),
            ("http://[::1]:81/", false, "[::1]", 81, "[::1]:81", "/"),
            ("http://example.org//other.example/", false, "example.org", 80, "example.org", "//other.example/"),
            (
                "http://example.org/http://other.example",
                false,
                "example.org",
                80,
                "example.org",
                "/http://other.example",
            ),
        ] {
            let mut request = request("GET", uri);
            let target = Target::take(&mut request).unwrap_or_else(|error| panic!("{uri}: {error}"));
            assert_eq!(
                (target.is_secure, target.host.to_string().as_str(), target.port),
                (secure, host, port),
                "{uri}"
            );
            let hosts: Vec<_> = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap()).collect();
            assert_eq!((hosts, request.uri().to_string().as_str()), (vec![header], path), "{uri}");
        }
    }

    #[test]
    fn a_request_that_could_mean_another_host_is_refused() {
        for uri in [
            "/path",
            "ftp://example.org/",
            "http://user@example.org/",
            "http://user:pass@example.org/",
            "http://granted.example@example.org/",
            "http://example.org:/",
            "http://example.org:0/",
            "http://example.org:65536/",
            "http://a..b/",
            "http://[::1%25eth0]/",
        ] {
            let Ok(uri) = uri.parse::<Uri>() else { continue };
            assert!(Target::of(&uri).is_err(), "{uri}");
        }
        assert!(matches!(Target::take(&mut request("CONNECT", "http://a/")), Err(Error::HttpRequestMethodInvalid)));
        let absolute = Uri::builder().scheme("http").authority("a").path_and_query("*").build().unwrap();
        let mut request = request("OPTIONS", "http://a/");
        *request.uri_mut() = absolute;
        assert!(matches!(Target::take(&mut request), Err(Error::HttpRequestUriInvalid)));
    }

    /// Does TLS as `host` with a server that has a certificate for `example.org`.
    async fn handshake(host: &str, trust: bool) -> Result<(), Error> {
        let key = rcgen::generate_simple_self_signed(["example.org".to_owned()]).unwrap();
        let mut trusted = RootCertStore::empty();
        if trust {
            trusted.add(key.cert.der().clone()).unwrap();
        }
        let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
        let server = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private)
            .unwrap();
        let (near, far) = tokio::io::duplex(64 * 1024);
        let host = Host::parse(host).unwrap();
        let roots = if trust { trusted } else { roots() };
        let client = secure(near, &host, Arc::new(tls(roots)));
        let (client, server) = tokio::join!(client, TlsAcceptor::from(Arc::new(server)).accept(far));
        client?;
        let server = server.unwrap();
        assert_eq!(server.get_ref().1.server_name(), Some("example.org"));
        Ok(())
    }

    #[tokio::test]
    async fn a_host_has_to_prove_its_name() {
        handshake("example.org", true).await.unwrap();
        handshake("EXAMPLE.org.", true).await.unwrap();
        assert!(matches!(handshake("other.example", true).await, Err(Error::TlsCertificateError)));
        assert!(matches!(handshake("127.0.0.1", true).await, Err(Error::TlsCertificateError)));
        assert!(matches!(handshake("example.org", false).await, Err(Error::TlsCertificateError)));
    }

    /// Sends a request to a server that says `answer`, a little at a time, and then nothing more; returns the body.
    async fn body(answer: &str, time: Option<Duration>) -> Result<Bytes, Error> {
        let (near, mut far) = tokio::io::duplex(16);
        let answer = answer.to_owned();
        tokio::spawn(async move {
            far.read_u8().await.unwrap();
            let (mut requests, mut answers) = tokio::io::split(far);
            tokio::spawn(async move { tokio::io::copy(&mut requests, &mut tokio::io::sink()).await });
            answers.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let options = RequestOptions { connect_timeout: None, first_byte_timeout: time, between_bytes_timeout: time };
        let (response, connection) = exchange(near, request("GET", "/"), options).await?;
        let connection = tokio::spawn(Box::into_pin(connection));
        let body = response.into_body().collect().await.map(|body| body.to_bytes());
        connection.abort();
        body
    }

    #[tokio::test]
    async fn a_server_that_stops_answering_is_not_waited_for() {
        let soon = Some(Duration::from_millis(10));
        assert!(matches!(body("", soon).await, Err(Error::ConnectionReadTimeout)));
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nha";
        assert!(matches!(body(half, soon).await, Err(Error::ConnectionReadTimeout)));
    }

    #[tokio::test]
    async fn a_body_may_come_little_by_little() {
        let text = "little by little ".repeat(20);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        assert_eq!(body(&answer, None).await.unwrap(), text);
    }
}
