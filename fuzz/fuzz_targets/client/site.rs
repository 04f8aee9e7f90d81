//! All hosts that a client may reach, behind one proxy that answers by a script.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wharf_fuzz::Message;

/// Bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A proxy on a loopback port.
pub(crate) struct Site {
    address: SocketAddr,
    play: Arc<Mutex<Play>>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) url: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

#[derive(Default)]
struct Play {
    replies: VecDeque<Message>,
    played: Vec<Message>,
    requests: Vec<Received>,
}

impl Site {
    /// Opens the port; what comes is answered while the runtime runs.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port can be opened");
        let address = listener.local_addr().expect("an open port has an address");
        let play = Arc::new(Mutex::new(Play::default()));
        let stage = Arc::clone(&play);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stage = Arc::clone(&stage);
                // A client may give up in the middle.
                tokio::spawn(async move { answer(stream, &stage).await.ok() });
            }
        });
        Self { address, play }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forgets what came before, and gives these replies from now on, whoever is asked.
    pub(crate) fn play(&self, replies: Vec<Message>) {
        *lock(&self.play) = Play { replies: replies.into(), ..Play::default() };
    }

    /// Returns the requests that came, in order.
    pub(crate) fn requests(&self) -> Vec<Received> {
        lock(&self.play).requests.clone()
    }

    /// Returns the reply that was given, where it was a single one.
    pub(crate) fn only_reply(&self) -> Option<Message> {
        match lock(&self.play).played.as_slice() {
            [reply] => Some(reply.clone()),
            _ => None,
        }
    }
}

/// Answers one request, and closes the connection.
async fn answer(mut stream: TcpStream, play: &Mutex<Play>) -> io::Result<()> {
    let mut bytes = Vec::new();
    let head_bytes = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > HEAD_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_bytes]).into_owned();
    let header = |name: &str| {
        let fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
    };
    let body_bytes = header("content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
    while bytes.len() < head_bytes + body_bytes {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_tunnel = method == "CONNECT";
    let url = if is_tunnel { format!("https://{target}") } else { target.to_owned() };
    let body = String::from_utf8_lossy(&bytes[head_bytes..]).into_owned();
    let reply = {
        let mut play = lock(play);
        play.requests.push(Received { url, authorization: header("authorization"), body });
        // No host speaks TLS.
        let reply = if is_tunnel { None } else { play.replies.pop_front() };
        play.played.extend(reply.clone());
        reply
    };
    stream.write_all(&written(reply, method == "HEAD")).await?;
    stream.shutdown().await
}

/// Writes a reply as it stands; after the last there is nothing any more.
fn written(reply: Option<Message>, is_head: bool) -> Vec<u8> {
    let Some(Message { line, headers, body }) = reply else {
        return b"HTTP/1.1 404 Over\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
    };
    let mut bytes = format!("HTTP/1.1 {line} Scripted\r\nconnection: close\r\n");
    for (name, value) in headers {
        bytes += &format!("{name}: {value}\r\n");
    }
    let mut bytes = (bytes + "\r\n").into_bytes();
    if !is_head {
        bytes.extend(body);
    }
    bytes
}

fn lock(play: &Mutex<Play>) -> MutexGuard<'_, Play> {
    play.lock().expect("no change of a script panics")
}
