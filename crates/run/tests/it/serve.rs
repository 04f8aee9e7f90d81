//! Handlers of HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wharf_run::{
    Allocation, Denied, Ended, EngineOptions, Error, Grants, Input, Invocation, Limits, Output, Runtime, Stdio, Stop, Wasi,
    Watcher,
};

use crate::guest::{VERSIONS, component};

const OK: &str = "HTTP/1.1 200 OK\r\n";
const FAILED: &str = "HTTP/1.1 500 Internal Server Error\r\n";
const TOO_LONG: &str = "HTTP/1.1 504 Gateway Timeout\r\n";

/// What a watcher was told.
#[derive(Debug, PartialEq)]
enum Told {
    Serving,
    Ended(Ended),
    Denied(Denied),
}

struct Teller(mpsc::UnboundedSender<Told>);

impl Watcher for Teller {
    fn serving(&self, _: SocketAddr) {
        self.0.send(Told::Serving).unwrap();
    }

    fn ended(&self, ended: &Ended) {
        self.0.send(Told::Ended(ended.clone())).unwrap();
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
async fn experiment() {
    for wasi in VERSIONS {
        for path in ["/answer", "/fail", "/trap", "/never"] {
            let server = Server::start(&handler(wasi), Limits::default()).await;
            println!("{wasi:?} {path} {:?}", server.answer(path).await);
            println!("   {:?}", server.stop().await);
        }
        for path in ["/loop", "/wait"] {
            let server = Server::start(&handler(wasi), within(100)).await;
            println!("{wasi:?} {path} {:?}", server.answer(path).await);
            println!("   {:?}", server.stop().await);
        }
    }
}
