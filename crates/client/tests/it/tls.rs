//! TLS: who is trusted, and what is spoken.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, Version};
use axum::response::IntoResponse as _;
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;
use wharf_client::{CaCertificate, Client, ClientOptions, Error, Security};
use wharf_testing::script::ScriptServer;

use crate::setup::{options, tag};

/// Accepts TLS connections; those whose handshake fails are passed over.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A registry that answers to HTTP/2 with a 404 and to all else with a 400, and the PEM of who vouches for it.
///
/// It has moved `acme/moved` to the path `/here` of its own host, and takes that for a plain HTTP server's.
struct TlsServer {
    address: SocketAddr,
    authority: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn tls_server() -> TlsServer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();

    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = TlsListener { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
    let router = Router::new().fallback(move |request: axum::extract::Request| async move {
        if request.uri().path().starts_with("/v2/acme/moved/") {
            return (StatusCode::TEMPORARY_REDIRECT, [("location", format!("http://{address}/here"))]).into_response();
        }
        let is_expected = request.version() == Version::HTTP_2;
        if is_expected { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST }.into_response()
    });
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    TlsServer { address, authority: authority.pem(), task }
}

async fn ask(address: SocketAddr, options: ClientOptions) -> Error {
    ask_for("acme/hello", address, options).await
}

async fn ask_for(name: &str, address: SocketAddr, options: ClientOptions) -> Error {
    let client = Client::new(options).unwrap();
    let repository = client.repository(&address.to_string().parse().unwrap(), &name.parse().unwrap());
    repository.manifest(&tag("1.0.0")).await.unwrap_err()
}

#[tokio::test]
async fn a_registry_of_a_given_authority_is_trusted_and_spoken_to_over_http_2() {
    let server = tls_server().await;
    let ca_certificates = CaCertificate::parse_pem(server.authority.as_bytes()).unwrap();
    let error = ask(server.address, ClientOptions { security: Security::Tls, ca_certificates, ..options() }).await;
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_that_does_not_know_of_its_tls_is_still_spoken_to_over_it() {
    let server = tls_server().await;
    let options = ClientOptions { security: Security::TlsUnverified, ..options() };
    let error = ask_for("acme/moved", server.address, options).await;
    assert!(matches!(error, Error::NotFound { .. }) && error.to_string().contains("/here"), "{error}");
}

#[tokio::test]
async fn a_registry_of_an_unknown_authority_is_refused() {
    let server = tls_server().await;
    let error = ask(server.address, ClientOptions { security: Security::Tls, ..options() }).await;
    assert!(matches!(error, Error::Tls { .. }) && !error.is_transient(), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("certificate"), "{cause}");
}

#[tokio::test]
async fn any_certificate_is_accepted_only_when_asked_for() {
    let server = tls_server().await;
    let error = ask(server.address, ClientOptions { security: Security::TlsUnverified, ..options() }).await;
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_plain_http_server_is_recognised_and_not_spoken_to_plainly() {
    let server = ScriptServer::start([]).await;
    let error = ask(server.address(), ClientOptions { security: Security::Tls, ..options() }).await;
    assert!(matches!(error, Error::PlainHttp { .. }), "{error:?}");
    assert!(server.requests().is_empty());
}
