//! Handlers of HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wharf_run::{
    Allocation, Denied, Ended, EngineOptions, Error, Grants, Input, Invocation, Limits, Output, Runtime, Stdio, Stop,
    Wasi, Watcher,
};

use crate::guest::{VERSIONS, component};

/// Sections of a component: one core module, and instances of core modules.
const MODULE: u8 = 1;
const INSTANCES: u8 = 2;

const UNREACHABLE: &str = "wasm `unreachable` instruction executed";
const OK: &str = "HTTP/1.1 200 OK\r\n";
const FAILED: &str = "HTTP/1.1 500 Internal Server Error\r\n";
const TOO_LONG: &str = "HTTP/1.1 504 Gateway Timeout\r\n";

/// What a watcher was told.
#[derive(Debug, PartialEq)]
enum Told {
    Serving,
    Ended(Ended),
    Failed(String),
    Denied(Denied),
}

struct Teller(mpsc::UnboundedSender<Told>);

impl Watcher for Teller {
    fn serving(&self) {
        self.0.send(Told::Serving).unwrap();
    }

    fn ended(&self, ended: &Ended) {
        self.0.send(Told::Ended(ended.clone())).unwrap();
    }

    fn failed(&self, error: &str) {
        self.0.send(Told::Failed(error.to_owned())).unwrap();
    }

    fn denied(&self, denied: &Denied) {
        self.0.send(Told::Denied(denied.clone())).unwrap();
    }
}

/// A server that runs.
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    told: mpsc::UnboundedReceiver<Told>,
    served: JoinHandle<Result<(), Error>>,
}

impl Server {
    /// Serves a component as `wharf run` does: from a pool.
    async fn start(component: &[u8], limits: Limits) -> Self {
        let allocation = Allocation::Pool { memory: limits.memory };
        let runtime = Runtime::new(EngineOptions { fuel: limits.fuel.is_some(), allocation }).unwrap();
        let code = runtime.compile(component).unwrap();
        let output = || Output::Memory(Arc::default());
        let stdio = Stdio { stdin: Input::Empty, stdout: output(), stderr: output() };
        let invocation = Invocation { arguments: Vec::new(), grants: Grants::default(), limits, stdio };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, mut told) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            wharf_run::serve(&runtime, &code, invocation, Arc::new(Teller(sender)), listener, stopped).await
        });
        assert_eq!(told.recv().await, Some(Told::Serving));
        Self { address, stop, told, served }
    }

    /// Sends a request on a connection of its own.
    async fn ask(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    async fn answer(&self, path: &str) -> String {
        read(self.ask(path).await).await
    }

    /// Stops, and returns what was told.
    async fn stop(mut self) -> Vec<Told> {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
        self.told.close();
        let mut told = Vec::new();
        while let Some(next) = self.told.recv().await {
            told.push(next);
        }
        told
    }
}

async fn read(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn handler(wasi: Wasi) -> Vec<u8> {
    component(wasi, "handler", module(wasi))
}

fn module(wasi: Wasi) -> &'static str {
    match wasi {
        Wasi::V03 => include_str!("../guests/handler3.wat"),
        Wasi::V01 | Wasi::V02 => include_str!("../guests/handler2.wat"),
    }
}

fn within(milliseconds: u64) -> Limits {
    Limits { time: Some(Duration::from_millis(milliseconds)), ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_answers_one_request_after_the_other_and_several_at_once() {
    for wasi in VERSIONS {
        let server = Server::start(&handler(wasi), Limits::default()).await;
        let waiting = [server.ask("/wait").await, server.ask("/wait").await];
        for _ in 0..3 {
            let answers = tokio::join!(server.answer("/answer"), server.answer("/answer"));
            assert!(answers.0.starts_with(OK) && answers.1.starts_with(OK), "{wasi:?} {answers:?}");
        }
        drop(waiting);
        assert_eq!(server.stop().await, [], "{wasi:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_is_told_here_and_not_to_the_client() {
    for wasi in VERSIONS {
        let server = Server::start(&handler(wasi), Limits::default()).await;
        let answer = server.answer("/trap").await;
        assert!(answer.starts_with(FAILED) && answer.ends_with("\r\n\r\nthe component failed\n"), "{wasi:?} {answer}");
        assert!(server.answer("/answer").await.starts_with(OK), "{wasi:?}");
        let told = server.stop().await;
        let [Told::Ended(Ended::Trap(trap))] = told.as_slice() else { panic!("{wasi:?} {told:?}") };
        assert_eq!((trap.message.as_str(), trap.frames[0].function.as_str()), (UNREACHABLE, "secret"), "{wasi:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_fails_to_start_is_told_too() {
    for wasi in VERSIONS {
        let module = module(wasi).replace("(func $secret unreachable)", "(func $secret unreachable) (start $secret)");
        let server = Server::start(&component(wasi, "handler", &module), Limits::default()).await;
        assert!(server.answer("/answer").await.starts_with(FAILED), "{wasi:?}");
        let told = server.stop().await;
        assert!(
            matches!(&told[..], [Told::Ended(Ended::Trap(trap))] if trap.message == UNREACHABLE),
            "{wasi:?} {told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_for_an_answer_is_told() {
    for wasi in VERSIONS {
        let server = Server::start(&handler(wasi), Limits::default()).await;
        assert!(server.answer("/fail").await.starts_with(FAILED), "{wasi:?}");
        assert_eq!(server.stop().await, [Told::Failed("ErrorCode::InternalError(None)".to_owned())], "{wasi:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_in_time_whether_it_computes_or_waits_or_does_not_start() {
    for wasi in VERSIONS {
        let endless = "(func $secret (loop (br 0))) (start $secret)";
        let endless = component(wasi, "handler", &module(wasi).replace("(func $secret unreachable)", endless));
        for (component, path) in [(&handler(wasi), "/loop"), (&handler(wasi), "/wait"), (&endless, "/answer")] {
            let server = Server::start(component, within(50)).await;
            let answer = server.answer(path).await;
            assert!(answer.starts_with(TOO_LONG), "{wasi:?} {path} {answer}");
            let stopped = Ended::Stopped(Stop::Time(Duration::from_millis(50)));
            assert_eq!(server.stop().await, [Told::Ended(stopped)], "{wasi:?} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_handler_is_refused_is_told_once() {
    for wasi in VERSIONS {
        let server = Server::start(&handler(wasi), Limits::default()).await;
        for _ in 0..2 {
            assert!(server.answer("/denied").await.starts_with(OK), "{wasi:?}");
        }
        let denied =
            Denied { what: "send requests to other.example:443".to_owned(), flag: "--http other.example".to_owned() };
        assert_eq!(server.stop().await, [Told::Denied(denied)], "{wasi:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_lets_open_requests_end_and_takes_no_more() {
    for wasi in VERSIONS {
        let mut server = Server::start(&handler(wasi), within(200)).await;
        let waiting = server.ask("/wait").await;
        // What was sent before has come when this is answered.
        assert!(server.answer("/answer").await.starts_with(OK), "{wasi:?}");
        server.stop.send(()).unwrap();
        server.served.await.unwrap().unwrap();
        assert!(read(waiting).await.starts_with(TOO_LONG), "{wasi:?}");
        assert!(TcpStream::connect(server.address).await.is_err(), "{wasi:?}");
        server.told.recv().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_many_instances_has_fewer_places_and_answers() {
    let component = with_instances(handler(Wasi::V02), 25, 10);
    let server = Server::start(&component, Limits::default()).await;
    // More at once than there is place for.
    let asked: Vec<_> = futures_util::future::join_all((0..60).map(|_| server.ask("/answer"))).await;
    for asked in asked {
        assert!(read(asked).await.starts_with(OK));
    }
    assert_eq!(server.stop().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_beyond_the_limit_are_refused() {
    let component = with_instances(handler(Wasi::V02), 25, 0);
    let server = Server::start(&component, Limits { instances: 20, ..Limits::default() }).await;
    assert!(server.answer("/answer").await.starts_with(FAILED));
    let told = server.stop().await;
    let [Told::Ended(Ended::Trap(trap))] = told.as_slice() else { panic!("{told:?}") };
    assert!(trap.message.contains("instance count too high"), "{trap:?}");
}

#[test]
fn a_pool_has_places_by_what_a_component_takes_of_it() {
    let pooled = EngineOptions { allocation: Allocation::Pool { memory: 1 << 16 }, ..EngineOptions::default() };
    for (instances, places) in [(0, 1_000), (9, 10), (99, 1), (100, 0)] {
        let component = with_instances(handler(Wasi::V02), instances, 10);
        for (options, places) in [(pooled, places), (EngineOptions::default(), usize::MAX)] {
            let runtime = Runtime::new(options).unwrap();
            let code = runtime.compile(&component).unwrap();
            assert_eq!(runtime.places_for(&code), places, "{instances}");
        }
    }
}

/// Adds instances of a core module to a component, each with some memories.
fn with_instances(component: Vec<u8>, count: u32, memories: usize) -> Vec<u8> {
    let modules = sections(&component).iter().filter(|id| **id == MODULE).count();
    let module = wat::parse_str(format!("(module {})", "(memory 1)".repeat(memories))).unwrap();
    // Each is an instantiation of a module by number, with nothing given to it.
    let mut instances = number(count);
    for _ in 0..count {
        instances.push(0);
        instances.extend(number(modules.try_into().unwrap()));
        instances.push(0);
    }
    let mut more = component;
    for (id, content) in [(MODULE, module), (INSTANCES, instances)] {
        more.push(id);
        more.extend(number(content.len().try_into().unwrap()));
        more.extend(content);
    }
    more
}

/// Returns the numbers of the sections of a binary.
fn sections(binary: &[u8]) -> Vec<u8> {
    let mut rest = &binary[8..];
    let mut sections = Vec::new();
    while let [id, after @ ..] = rest {
        let end = after.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let length = after[..end].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        sections.push(*id);
        rest = &after[end + length..];
    }
    sections
}

/// Writes a number as Wasm does.
fn number(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}
