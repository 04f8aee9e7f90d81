//! `wharf hub`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::session::{Session, wharf};

/// Starts a hub and returns it with the address that it prints.
fn start(session: &Session) -> (Child, String) {
    let mut command = wharf(&session.path(""), "hub --quiet --listen 127.0.0.1:0 --storage storage");
    let mut hub = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(hub.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (hub, address.trim().to_owned())
}

#[test]
fn a_hub_serves_until_it_is_asked_to_stop_and_keeps_what_it_got() {
    let mut session = Session::new();
    session.write("hello.wasm", wharf_testing::fixtures::component("hello"));
    let (mut hub, address) = start(&session);
    let pushed = session.run(&format!("push {address}/acme/hello:1.0.0 hello.wasm"));
    kill_process(Pid::from_child(&hub), Signal::TERM).unwrap();
    assert!(hub.wait().unwrap().success());

    let (mut hub, address) = start(&session);
    let pulled = session.run(&format!("pull {address}/acme/hello:1.0.0 --output copy.wasm"));
    kill_process(Pid::from_child(&hub), Signal::INT).unwrap();
    assert!(hub.wait().unwrap().success());
    assert!(pushed.status.success() && pulled.status.success(), "{}", session.transcript());
}

#[test]
fn a_hub_answers_the_version_check() {
    let session = Session::new();
    let (mut hub, address) = start(&session);
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    kill_process(Pid::from_child(&hub), Signal::TERM).unwrap();
    assert!(hub.wait().unwrap().success());
}

#[test]
fn a_hub_that_cannot_start_says_why() {
    let mut session = Session::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    session.hide(address.clone(), "[TAKEN]");
    session.write("file", "");
    std::fs::create_dir(session.path("newer")).unwrap();
    session.write("newer/store.json", r#"{"version":99}"#);
    session.run(&format!("hub --listen {address} --storage storage"));
    session.run("hub --listen 127.0.0.1:0 --storage file");
    session.run("hub --listen 127.0.0.1:0 --storage newer");
    session.run("hub --listen somewhere");
    insta::assert_snapshot!("hub", session.transcript());
}
