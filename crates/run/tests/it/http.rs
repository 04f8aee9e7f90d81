//! Outgoing HTTP: what is granted works, and nothing else does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wharf_run::{Outcome, Wasi};

use crate::guest::{VERSIONS, component, flags};
use crate::setup::Run;

/// Exit codes of the guests: their status, or 100 and the code of the error.
const OK: i32 = 200;
const FOUND: i32 = 302 % 256;
const AUTHORITY_REFUSED: i32 = 98;
const PATH_REFUSED: i32 = 99;
const ADDRESS_PROHIBITED: i32 = 104;
const CERTIFICATE: i32 = 113;
const DENIED: i32 = 115;
const INVALID_URI: i32 = 119;

/// What a guest asks for, and what it is granted.
#[derive(Clone, Copy, Default)]
struct Ask<'a> {
    secure: bool,
    authority: &'a str,
    path: &'a str,
    rules: &'a [&'a str],
    http: &'a [&'a str],
}

impl Ask<'_> {
    async fn by(self, wasi: Wasi) -> (i32, Outcome) {
        let module = match wasi {
            Wasi::V03 => include_str!("../guests/http3.wat"),
            Wasi::V01 | Wasi::V02 => include_str!("../guests/http2.wat"),
        };
        let path = if self.path.is_empty() { "/" } else { self.path };
        let module = module
            .replace("AUTHORITY_LENGTH", &self.authority.len().to_string())
            .replace("PATH_LENGTH", &path.len().to_string())
            .replace("SCHEME", if self.secure { "1" } else { "0" })
            .replace("AUTHORITY", self.authority)
            .replace("PATH", path);
        let mut run = Run::new();
        run.grant(self.rules, self.http);
        run.component(&component(wasi, "http", &module)).await
    }
}

/// A server that keeps the heads of requests.
struct Server {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let head = read_head(&mut stream).await;
                kept.lock().unwrap().push(head);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { address, heads }
    }

    async fn ok() -> Self {
        Self::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await
    }

    fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the heads that came, and forgets them.
    fn heads(&self) -> Vec<String> {
        std::mem::take(&mut self.heads.lock().unwrap())
    }
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

#[tokio::test]
async fn a_granted_host_answers() {
    let server = Server::ok().await;
    let port = server.port();
    let (by_name, by_address) = (format!("localhost:{port}"), format!("127.0.0.1:{port}"));
    for wasi in VERSIONS {
        for authority in [&by_name, &by_address] {
            for is_net in [true, false] {
                let grants = [authority.as_str()];
                let (rules, http) = if is_net { (&grants[..], &[][..]) } else { (&[][..], &grants[..]) };
                let ask = Ask { authority, path: "/a?b", rules, http, ..Ask::default() };
                let (code, outcome) = ask.by(wasi).await;
                assert_eq!((code, outcome.denials.as_slice()), (OK, &[][..]), "{wasi:?} {authority}");
                let heads = server.heads();
                let start = "get /a?b http/1.1\r\n";
                assert!(heads.len() == 1 && heads[0].starts_with(start), "{heads:?}");
                assert_eq!(heads[0].matches("host: ").count(), 1, "{heads:?}");
                assert!(heads[0].contains(&format!("host: {authority}\r\n")), "{heads:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_refused_by_name_and_by_address() {
    let server = Server::ok().await;
    let (port, other) = (server.port(), server.port() ^ 1);
    let rules = [
        format!("localhost:{other}"),
        format!("127.0.0.1:{other}"),
        format!("127.0.0.2:{port}"),
        format!("listen:{port}"),
    ];
    for wasi in VERSIONS {
        for host in ["localhost", "127.0.0.1", "LOCALHOST.", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]"] {
            for rules in [&[][..], &rules.each_ref().map(String::as_str)] {
                let authority = format!("{host}:{port}");
                let (code, outcome) = Ask { authority: &authority, rules, ..Ask::default() }.by(wasi).await;
                let normal = match host {
                    "LOCALHOST." => "localhost",
                    "2130706433" | "0x7f.1" | "[::ffff:127.0.0.1]" => "127.0.0.1",
                    host => host,
                };
                let flag = format!("--http {normal}:{port}");
                assert_eq!((code, flags(&outcome)), (DENIED, vec![flag.as_str()]), "{wasi:?} {authority}");
            }
        }
    }
    assert_eq!(server.heads(), [""; 0]);
}

#[tokio::test]
async fn a_name_is_no_grant_for_its_address_and_an_address_none_for_its_name() {
    let server = Server::ok().await;
    let (by_name, by_address) = (format!("localhost:{}", server.port()), format!("127.0.0.1:{}", server.port()));
    for wasi in VERSIONS {
        for (granted, asked) in [(&by_name, &by_address), (&by_address, &by_name)] {
            let (code, _) =
                Ask { authority: asked, rules: &[granted], http: &[granted], ..Ask::default() }.by(wasi).await;
            assert_eq!(code, DENIED, "{wasi:?} {granted} {asked}");
        }
    }
    assert_eq!(server.heads(), [""; 0]);
}

#[tokio::test]
async fn any_public_host_is_not_this_machine() {
    let server = Server::ok().await;
    let (port, flag) = (server.port(), format!("--http 127.0.0.1:{}", server.port()));
    for wasi in VERSIONS {
        // The name is covered, and only where it is found to be is refused.
        let authority = format!("localhost:{port}");
        let (code, outcome) = Ask { authority: &authority, http: &["*"], ..Ask::default() }.by(wasi).await;
        assert_eq!((code, flags(&outcome)), (ADDRESS_PROHIBITED, vec![flag.as_str()]), "{wasi:?}");
        assert_eq!(outcome.denials[0].what, format!("send requests to {authority}, which is at 127.0.0.1"));
        for host in ["127.0.0.1", "2130706433", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"] {
            let authority = format!("{host}:{port}");
            let (code, _) = Ask { authority: &authority, http: &["*"], ..Ask::default() }.by(wasi).await;
            assert_eq!(code, DENIED, "{wasi:?} {host}");
        }
        let (code, _) = Ask { authority: "169.254.169.254", http: &["*"], ..Ask::default() }.by(wasi).await;
        assert_eq!(code, DENIED, "{wasi:?}");
        assert_eq!(server.heads(), [""; 0]);
        let grants = ["*", &format!("127.0.0.1:{port}")];
        let (code, _) = Ask { authority: &authority, http: &grants, ..Ask::default() }.by(wasi).await;
        assert_eq!((code, server.heads().len()), (OK, 1), "{wasi:?}");
    }
}

#[tokio::test]
async fn the_host_is_one_whatever_the_form() {
    let server = Server::ok().await;
    let port = server.port();
    let grants = [format!("localhost:{port}"), format!("127.0.0.1:{port}")];
    let rules = grants.each_ref().map(String::as_str);
    for wasi in VERSIONS {
        for (host, normal) in
            [("LocalHost.", "localhost"), ("2130706433", "127.0.0.1"), ("[::ffff:127.0.0.1]", "127.0.0.1")]
        {
            let authority = format!("{host}:{port}");
            let (code, _) = Ask { authority: &authority, rules: &rules, ..Ask::default() }.by(wasi).await;
            assert_eq!(code, OK, "{wasi:?} {authority}");
            let heads = server.heads();
            assert!(heads[0].contains(&format!("host: {normal}:{port}\r\n")), "{heads:?}");
        }
        for authority in [format!("user@localhost:{port}"), format!("localhost:{port}@other.example")] {
            let (code, _) = Ask { authority: &authority, rules: &["*:*"], ..Ask::default() }.by(wasi).await;
            assert!([AUTHORITY_REFUSED, INVALID_URI].contains(&code), "{wasi:?} {authority} {code}");
        }
        let authority = &grants[0];
        let (code, _) =
            Ask { authority, path: "http://other.example/", rules: &["*:*"], ..Ask::default() }.by(wasi).await;
        assert!([PATH_REFUSED, INVALID_URI].contains(&code), "{wasi:?} {code}");
        assert_eq!(server.heads(), [""; 0]);
    }
}

#[tokio::test]
async fn redirects_are_left_to_the_guest() {
    let server =
        Server::start("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
    let authority = server.address.to_string();
    for wasi in VERSIONS {
        let (code, outcome) = Ask { authority: &authority, rules: &["*:*"], ..Ask::default() }.by(wasi).await;
        assert_eq!((code, outcome.denials.as_slice(), server.heads().len()), (FOUND, &[][..], 1), "{wasi:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_refused() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], private).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = format!("localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            assert!(acceptor.accept(stream).await.is_err());
        }
    });
    for wasi in VERSIONS {
        let (code, _) =
            Ask { secure: true, authority: &authority, http: &[&authority], ..Ask::default() }.by(wasi).await;
        assert_eq!(code, CERTIFICATE, "{wasi:?}");
    }
}
