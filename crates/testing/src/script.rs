//! An HTTP server that plays a script: which requests come, and what becomes of each, faults included.
//!
//! ```text
//! Step:   "GET /v2/acme/hello/manifests/1.0.0"   may come once (or `times`), with and without certain headers
//! Reply:  status, headers, body                  `{authority}` in a header stands for the server's host and port
//! Fault:  where the connection breaks or stalls
//! ```
//!
//! A request is answered by the first step left that has its line, so that requests at the same time need no order;
//! [`ScriptServer::lines`] tells the order in which they came. A request that no step expects is answered with 599.
//! [`ScriptServer::assert_finished`] panics unless all went by the script.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A request that may come, and its reply.
#[derive(Debug, Clone)]
pub struct Step {
    line: String,
    required: Vec<(HeaderName, String)>,
    forbidden: Vec<HeaderName>,
    times: usize,
    reply: Reply,
}

impl Step {
    /// Expects a request once, by its method and its path with the query: `GET /v2/`.
    #[must_use]
    pub fn new(line: &str, reply: Reply) -> Self {
        Self { line: line.to_owned(), required: Vec::new(), forbidden: Vec::new(), times: 1, reply }
    }

    /// Expects the request this number of times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Requires a header with this value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.required.push((HeaderName::from_static(name), value.to_owned()));
        self
    }

    /// Requires that a header is absent.
    #[must_use]
    pub fn without(mut self, name: &'static str) -> Self {
        self.forbidden.push(HeaderName::from_static(name));
        self
    }

    /// Returns what is wrong with the headers of a request.
    fn complaint(&self, headers: &HeaderMap) -> Option<String> {
        let found = |name: &HeaderName| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        for (name, value) in &self.required {
            if found(name).as_deref() != Some(value) {
                return Some(format!("{}: `{name}` is {:?} instead of `{value}`", self.line, found(name)));
            }
        }
        let forbidden = self.forbidden.iter().find(|name| headers.contains_key(*name))?;
        Some(format!("{}: `{forbidden}` should be absent", self.line))
    }
}

/// What a request is answered with.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
    fault: Option<Fault>,
}

/// Where a connection fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is reset when this many bytes of the request's body have come.
    ResetRequest(usize),
    /// It is reset after this many bytes of the reply's body.
    Reset(usize),
    /// It is closed, as after the end, after this many bytes of the reply's body.
    Close(usize),
    /// Nothing more comes after this many bytes of the reply's body.
    Stall(usize),
    /// Nothing comes, not even the head of the reply.
    Silence,
}

impl Reply {
    /// Answers with a status and nothing else.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), fault: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), value.into()));
        self
    }

    /// Sets the body; `Content-Length` is its length unless given as a header.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Lets the connection fail.
    #[must_use]
    pub fn fault(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    fn head(&self, authority: &str) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        if !self.headers.iter().any(|(name, _)| name == http::header::CONTENT_LENGTH) {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {}\r\n", value.replace("{authority}", authority)));
        }
        head + "\r\n"
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Method and path with the query.
    pub line: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it came.
    pub body: Bytes,
    /// Whether the body came to its end.
    pub is_complete: bool,
}

/// Plays a script on a port of the loopback interface, until it is dropped.
#[derive(Debug)]
pub struct ScriptServer {
    address: SocketAddr,
    stage: Arc<Stage>,
    task: JoinHandle<()>,
}

impl ScriptServer {
    /// Starts the server.
    ///
    /// # Panics
    /// Where no port can be opened.
    pub async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port can be opened");
        let address = listener.local_addr().expect("an open port has an address");
        let stage = Arc::new(Stage { authority: address.to_string(), play: Mutex::default() });
        stage.lock().steps.extend(steps);
        let task = tokio::spawn(serve(listener, Arc::clone(&stage)));
        Self { address, stage, task }
    }

    /// Adds a step, such as one that needs to know where the server is.
    pub fn add(&self, step: Step) {
        self.stage.lock().steps.push(step);
    }

    /// Returns the address that the server listens at.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests that came, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.stage.lock().requests.clone()
    }

    /// Returns the first lines of the requests that came, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.stage.lock().requests.iter().map(|request| request.line.clone()).collect()
    }

    /// Checks that everything came that the script expects, and nothing else.
    ///
    /// # Panics
    /// Where it did not.
    pub fn assert_finished(&self) {
        let play = self.stage.lock();
        let left: Vec<&str> = play.steps.iter().filter(|step| step.times > 0).map(|step| step.line.as_str()).collect();
        assert!(
            left.is_empty() && play.complaints.is_empty(),
            "not asked for: {left:#?}\ncomplaints: {:#?}\ncame: {:#?}",
            play.complaints,
            play.requests.iter().map(|request| &request.line).collect::<Vec<_>>()
        );
    }
}

impl Drop for ScriptServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug)]
struct Stage {
    authority: String,
    play: Mutex<Play>,
}

#[derive(Debug, Default)]
struct Play {
    steps: Vec<Step>,
    requests: Vec<Received>,
    complaints: Vec<String>,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, Play> {
        self.play.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the reply to a request out of the script.
    fn take(&self, line: &str, headers: &HeaderMap) -> Reply {
        let mut play = self.lock();
        let unexpected = || Reply::new(599).header("connection", "close");
        let Some(step) = play.steps.iter_mut().find(|step| step.times > 0 && step.line == line) else {
            play.complaints.push(format!("{line}: not in the script"));
            return unexpected();
        };
        step.times -= 1;
        match step.complaint(headers) {
            Some(complaint) => {
                play.complaints.push(complaint);
                unexpected()
            }
            None => step.reply.clone(),
        }
    }
}

async fn serve(listener: TcpListener, stage: Arc<Stage>) {
    // The connections end with the set, which ends with this task.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let stage = Arc::clone(&stage);
        connections.spawn(async move {
            let mut connection = Connection { stream, buffer: BytesMut::new() };
            // A connection that breaks is part of many scripts; what did not come is missed at the end.
            while matches!(connection.play(&stage).await, Ok(true)) {}
        });
    }
}

struct Connection {
    stream: TcpStream,
    /// What was read of the stream and not yet used.
    buffer: BytesMut,
}

impl Connection {
    /// Answers one request, and tells whether another may follow.
    async fn play(&mut self, stage: &Stage) -> io::Result<bool> {
        self.stream.set_nodelay(true)?;
        let Some((line, headers)) = self.read_head().await? else { return Ok(false) };
        let reply = stage.take(&line, &headers);
        let stop = match reply.fault {
            Some(Fault::ResetRequest(count)) => count,
            _ => usize::MAX,
        };
        let mut body = BytesMut::new();
        let read = self.read_body(&headers, &mut body, stop).await;
        let is_complete = matches!(read, Ok(true));
        let is_head = line.starts_with("HEAD ");
        stage.lock().requests.push(Received { line, headers, body: body.freeze(), is_complete });
        if !read? {
            return self.reset();
        }
        if reply.fault == Some(Fault::Silence) {
            return std::future::pending().await;
        }
        self.stream.write_all(reply.head(&stage.authority).as_bytes()).await?;
        if is_head {
            return Ok(true);
        }
        let (Some(Fault::Reset(count)) | Some(Fault::Close(count)) | Some(Fault::Stall(count))) = reply.fault else {
            self.stream.write_all(&reply.body).await?;
            return Ok(true);
        };
        self.stream.write_all(&reply.body[..count]).await?;
        self.stream.flush().await?;
        match reply.fault {
            Some(Fault::Reset(_)) => self.reset(),
            Some(Fault::Stall(_)) => std::future::pending().await,
            _ => Ok(false),
        }
    }

    /// Lets the connection end with a reset instead of an orderly end.
    fn reset(&self) -> io::Result<bool> {
        self.stream.set_zero_linger()?;
        Ok(false)
    }

    async fn read_head(&mut self) -> io::Result<Option<(String, HeaderMap)>> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            // What speaks TLS is told that this is HTTP, as servers do.
            if self.buffer.first().is_some_and(|byte| !byte.is_ascii_uppercase()) {
                self.stream.write_all(b"HTTP/1.1 400 Scripted\r\nconnection: close\r\n\r\n").await?;
                return Ok(None);
            }
            if self.buffer.len() > HEAD_BYTES_MAX || self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        };
        let head = self.buffer.split_to(end + 4);
        let text = String::from_utf8_lossy(&head);
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let line = format!("{} {}", words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers = lines.filter_map(|header| {
            let (name, value) = header.split_once(':')?;
            Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?))
        });
        Ok(Some((line, headers.collect())))
    }

    /// Reads a body, and tells whether it came to its end before `stop` bytes.
    async fn read_body(&mut self, headers: &HeaderMap, body: &mut BytesMut, stop: usize) -> io::Result<bool> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if text(http::header::TRANSFER_ENCODING).is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked")) {
            return self.read_chunked(body, stop).await;
        }
        let length = text(http::header::CONTENT_LENGTH).and_then(|length| length.parse().ok()).unwrap_or_default();
        self.read_exact(body, length, stop).await
    }

    async fn read_chunked(&mut self, body: &mut BytesMut, stop: usize) -> io::Result<bool> {
        loop {
            let end = loop {
                if let Some(at) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                    break at;
                }
                self.read_more().await?;
            };
            let size = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
            let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
            self.buffer.advance(end + 2);
            if !self.read_exact(body, size, stop).await? {
                return Ok(false);
            }
            let mut end_of_chunk = BytesMut::new();
            self.read_exact(&mut end_of_chunk, 2, usize::MAX).await?;
            if size == 0 {
                return Ok(true);
            }
        }
    }

    /// Moves `count` bytes to `body`, unless it has `stop` bytes before.
    async fn read_exact(&mut self, body: &mut BytesMut, count: usize, stop: usize) -> io::Result<bool> {
        let mut left = count;
        loop {
            let piece = self.buffer.split_to(left.min(self.buffer.len()));
            left -= piece.len();
            body.extend_from_slice(&piece);
            if body.len() >= stop {
                return Ok(false);
            }
            if left == 0 {
                return Ok(true);
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn send(server: &ScriptServer, text: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut reply = String::new();
        // A reset shows as what had come before it.
        let _ = stream.read_to_string(&mut reply).await;
        reply
    }

    #[tokio::test]
    async fn a_script_is_played_and_what_came_is_kept() {
        let moved = Reply::new(202).header("location", "http://{authority}/next");
        let server = ScriptServer::start([
            Step::new("POST /a?b=c", moved).with("x-one", "1").without("authorization"),
            Step::new("PUT /next", Reply::new(201).body("done")),
        ])
        .await;
        let reply = send(&server, "POST /a?b=c HTTP/1.1\r\nX-One: 1\r\nContent-Length: 5\r\n\r\nwharf").await;
        assert!(reply.contains(&format!("location: http://{}/next\r\n", server.address())), "{reply}");
        let chunked = "PUT /next HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nwh\r\n3\r\narf\r\n0\r\n\r\n";
        assert!(send(&server, chunked).await.ends_with("content-length: 4\r\n\r\ndone"));
        assert!(server.requests().iter().all(|request| request.body == "wharf" && request.is_complete));
        assert_eq!(server.lines(), ["POST /a?b=c", "PUT /next"]);
        server.assert_finished();
    }

    #[tokio::test]
    #[should_panic(expected = "`authorization` should be absent")]
    async fn a_header_that_should_be_absent_is_found() {
        let server = ScriptServer::start([Step::new("GET /", Reply::new(200)).without("authorization")]).await;
        assert!(send(&server, "GET / HTTP/1.1\r\nAuthorization: x\r\n\r\n").await.starts_with("HTTP/1.1 599 "));
        server.assert_finished();
    }

    #[tokio::test]
    #[should_panic(expected = "not in the script")]
    async fn a_request_too_many_is_found() {
        let server = ScriptServer::start([Step::new("GET /", Reply::new(200))]).await;
        for _ in 0..2 {
            send(&server, "GET / HTTP/1.1\r\n\r\n").await;
        }
        server.assert_finished();
    }

    #[tokio::test]
    #[should_panic(expected = "not asked for")]
    async fn a_request_too_few_is_found() {
        ScriptServer::start([Step::new("GET /", Reply::new(200)).times(2)]).await.assert_finished();
    }

    #[tokio::test]
    async fn faults_cut_the_body_where_they_say() {
        let reply = |fault| Reply::new(200).body("wharf").fault(fault);
        let server = ScriptServer::start([
            Step::new("GET /close", reply(Fault::Close(2))),
            Step::new("PUT /reset", reply(Fault::ResetRequest(3))),
        ])
        .await;
        assert!(send(&server, "GET /close HTTP/1.1\r\n\r\n").await.ends_with("\r\n\r\nwh"));
        assert_eq!(send(&server, "PUT /reset HTTP/1.1\r\ncontent-length: 5\r\n\r\nwharf").await, "");
        assert!(!server.requests()[1].is_complete);
        server.assert_finished();
    }
}
