//! Sockets: what is granted works, and nothing else does.

use std::net::SocketAddr;

use futures_util::FutureExt as _;
use tokio::net::{TcpListener, UdpSocket};
use wharf_run::{Outcome, Wasi};

use crate::guest::{VERSIONS, component, flags};
use crate::setup::Run;

/// Runs calls of the guest `sockets2.wat` or `sockets3.wat`, and returns its exit code.
async fn sockets(wasi: Wasi, rules: &[&str], text: &str, calls: &str) -> (i32, Outcome) {
    let module = match wasi {
        Wasi::V03 => include_str!("../guests/sockets3.wat"),
        Wasi::V01 | Wasi::V02 => include_str!("../guests/sockets2.wat"),
    };
    let module = module.replace("TEXT", text).replace("RUN", calls);
    let mut run = Run::new();
    run.grant(rules, &[]);
    run.component(&component(wasi, "sockets", &module)).await
}

/// The exit code of a guest that was denied access.
fn denied(wasi: Wasi) -> i32 {
    match wasi {
        Wasi::V03 => 100,
        Wasi::V01 | Wasi::V02 => 101,
    }
}

/// Writes a call with an address, as the ABI flattens it.
fn call(function: &str, address: SocketAddr) -> String {
    let mut flat = match address {
        SocketAddr::V4(address) => {
            let octets = address.ip().octets().map(u32::from);
            [&[0, u32::from(address.port())], octets.as_slice()].concat()
        }
        SocketAddr::V6(address) => {
            let segments = address.ip().segments().map(u32::from);
            [&[1, u32::from(address.port()), 0], segments.as_slice()].concat()
        }
    };
    flat.resize(12, 0);
    let arguments: Vec<String> = flat.iter().map(|number| format!("(i32.const {number})")).collect();
    format!("(call ${function} {})", arguments.join(" "))
}

fn lookup(text: &str) -> String {
    format!("(call $lookup (i32.const {}))", text.len())
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn is_untouched(listener: &TcpListener) -> bool {
    listener.accept().now_or_never().is_none()
}

#[tokio::test]
async fn a_granted_address_is_connected_to() {
    for wasi in VERSIONS {
        let (listener, address) = listener().await;
        let rules = [address.to_string(), "127.0.0.0/8:*".to_owned(), "*:*".to_owned()];
        for rule in rules {
            let (code, outcome) = sockets(wasi, &[&rule], "", &call("connect", address)).await;
            assert_eq!((code, outcome.denials.as_slice()), (0, &[][..]), "{wasi:?} {rule}");
            listener.accept().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_granted_is_refused() {
    for wasi in VERSIONS {
        let (listener, address) = listener().await;
        let (port, other) = (address.port(), address.port() ^ 1);
        let rules = [
            format!("127.0.0.1:{other}"),
            format!("127.0.0.2:{port}"),
            format!("localhost:{port}"),
            format!("listen:{port}"),
            "10.0.0.0/8:*".to_owned(),
        ];
        for rules in [&[][..], &rules.each_ref().map(String::as_str)] {
            let (code, outcome) = sockets(wasi, rules, "", &call("connect", address)).await;
            assert_eq!(code, denied(wasi), "{wasi:?} {rules:?}");
            assert_eq!(flags(&outcome), [format!("--net {address}")]);
            assert!(is_untouched(&listener));
        }
        let metadata = "169.254.169.254:80".parse().unwrap();
        assert_eq!(sockets(wasi, &["example.org:80"], "", &call("connect", metadata)).await.0, denied(wasi));
        let (code, outcome) = sockets(wasi, &[], "", &call("connect", "[::1]:80".parse().unwrap())).await;
        assert_eq!((code, flags(&outcome)), (denied(wasi), vec!["--net [::1]:80"]));
    }
}

#[tokio::test]
async fn an_address_of_v4_in_v6_is_no_way_around() {
    for wasi in VERSIONS {
        let (listener, address) = listener().await;
        let mapped = SocketAddr::new("::ffff:127.0.0.1".parse().unwrap(), address.port());
        let (code, _) = sockets(wasi, &["*.example:*"], "", &call("connect", mapped)).await;
        assert!(code >= 100, "{wasi:?} {code}");
        assert!(is_untouched(&listener));
    }
}

#[tokio::test]
async fn http_grants_are_none_of_sockets() {
    for wasi in VERSIONS {
        let (listener, address) = listener().await;
        let mut run = Run::new();
        run.grant(&[], &["*", &address.to_string()]);
        let module = include_str!("../guests/sockets2.wat").replace("RUN", &call("connect", address));
        let (code, _) = run.component(&component(Wasi::V02, "sockets", &module)).await;
        assert_eq!(code, denied(Wasi::V02), "{wasi:?}");
        assert!(is_untouched(&listener));
    }
}

#[tokio::test]
async fn a_granted_name_is_looked_up_and_then_connected_to() {
    for wasi in VERSIONS {
        let (listener, address) = listener().await;
        let rule = format!("localhost:{}", address.port());
        for name in ["localhost", "LocalHost."] {
            let calls = lookup(name) + &call("connect", address);
            let (code, outcome) = sockets(wasi, &[&rule], name, &calls).await;
            assert_eq!((code, outcome.denials.as_slice()), (0, &[][..]), "{wasi:?} {name}");
            listener.accept().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_granted_name_opens_no_other_port_and_no_other_address() {
    for wasi in VERSIONS {
        let (listener, address) = listener().await;
        let other = address.port() ^ 1;
        let calls = lookup("localhost") + &call("connect", address);
        let (code, outcome) = sockets(wasi, &[&format!("localhost:{other}")], "localhost", &calls).await;
        assert_eq!(
            (code, flags(&outcome)),
            (denied(wasi), vec![format!("--net localhost:{}", address.port()).as_str()])
        );
        let elsewhere = SocketAddr::new("127.0.0.2".parse().unwrap(), address.port());
        let calls = lookup("localhost") + &call("connect", elsewhere);
        let (code, outcome) = sockets(wasi, &[&format!("localhost:{}", address.port())], "localhost", &calls).await;
        assert_eq!((code, flags(&outcome)), (denied(wasi), vec![format!("--net {elsewhere}").as_str()]));
        assert!(is_untouched(&listener));
    }
}

#[tokio::test]
async fn a_name_that_is_not_granted_is_not_looked_up() {
    for wasi in VERSIONS {
        for rules in [&[][..], &["127.0.0.1:*", "other.localhost:*", "*.localhost:*", "listen:*"]] {
            let (code, outcome) = sockets(wasi, rules, "localhost", &lookup("localhost")).await;
            assert_eq!((code, flags(&outcome)), (denied(wasi), vec!["--net localhost:PORT"]), "{wasi:?} {rules:?}");
        }
        let (code, outcome) = sockets(wasi, &["*:*"], "a b", &lookup("a b")).await;
        let invalid = denied(wasi) + if wasi == Wasi::V03 { 1 } else { 2 };
        assert_eq!((code, outcome.denials.as_slice()), (invalid, &[][..]));
    }
}

#[tokio::test]
async fn an_address_is_no_name_to_look_up() {
    for wasi in VERSIONS {
        let (listener, address) = listener().await;
        // Also where nothing is granted at all, it is the connection that is refused, with the flag for it.
        for (text, rules) in [
            ("127.0.0.1", &["localhost:*"][..]),
            ("2130706433", &["localhost:*"]),
            ("::ffff:127.0.0.1", &["localhost:*"]),
            ("127.0.0.1", &[]),
        ] {
            let calls = lookup(text) + &call("connect", address);
            let (code, outcome) = sockets(wasi, rules, text, &calls).await;
            let flag = format!("--net {address}");
            assert_eq!((code, flags(&outcome)), (denied(wasi), vec![flag.as_str()]), "{wasi:?} {text} {rules:?}");
        }
        assert!(is_untouched(&listener));
    }
}

#[tokio::test]
async fn datagrams_go_where_it_is_granted() {
    for wasi in VERSIONS {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (code, outcome) = sockets(wasi, &["127.0.0.1:9"], "lost", &call("datagram", address)).await;
        let flag = format!("--net {address}");
        assert_eq!((code, flags(&outcome)), (denied(wasi), vec![flag.as_str()]), "{wasi:?}");
        let (code, outcome) = sockets(wasi, &[&address.to_string()], "text", &call("datagram", address)).await;
        assert_eq!((code, outcome.denials.as_slice()), (0, &[][..]), "{wasi:?}");
        let mut datagram = [0; 16];
        let (length, _) = socket.recv_from(&mut datagram).await.unwrap();
        assert_eq!(&datagram[..length], b"text");
    }
}

#[tokio::test]
async fn listening_is_granted_apart() {
    let any_port: SocketAddr = "127.0.0.1:0".parse().unwrap();
    for wasi in VERSIONS {
        let (code, outcome) = sockets(wasi, &["*:*"], "", &call("listen", any_port)).await;
        assert_eq!((code, flags(&outcome)), (denied(wasi), vec!["--net listen:127.0.0.1:*"]), "{wasi:?}");
        let (code, outcome) = sockets(wasi, &["listen:127.0.0.2:*"], "", &call("listen", any_port)).await;
        assert_eq!((code, flags(&outcome)), (denied(wasi), vec!["--net listen:127.0.0.1:*"]), "{wasi:?}");
        let everywhere = "0.0.0.0:0".parse().unwrap();
        let (code, _) = sockets(wasi, &["listen:127.0.0.1:*"], "", &call("listen", everywhere)).await;
        assert_eq!(code, denied(wasi), "{wasi:?}");
        for rule in ["listen:*", "listen:127.0.0.1:*"] {
            let (code, outcome) = sockets(wasi, &[rule], "", &call("listen", any_port)).await;
            assert_eq!((code, outcome.denials.as_slice()), (0, &[][..]), "{wasi:?} {rule}");
        }
    }
}
