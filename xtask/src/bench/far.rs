//! A registry that is far away: each request takes a while on its way there, and how the requests followed one another
//! is written down.

use std::io::{BufRead, BufReader, Error as IoError, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Error;
use crate::http::{header, read_head};

/// Bytes of the body of a message.
const BODY_BYTES_MAX: u64 = 1024 * 1024;
/// How long either side may say nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// Stands in front of a registry. It ends with the process.
///
/// It knows messages whose length their head tells, which is all that fetching takes.
pub(crate) struct Far {
    address: SocketAddr,
    road: Arc<Road>,
}

/// What came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traffic {
    /// Requests, and connections that were turned away.
    pub(crate) requests: u64,
    /// The most requests that were on their way at once.
    pub(crate) most_at_once: u64,
    /// The longest chain of requests of which each was made after the one before it was answered.
    ///
    /// It is never shorter than the chain of those that waited for one another. It can be longer, where the machine
    /// has other things to do: a request that was only late looks like one that had to wait.
    pub(crate) rounds: u64,
    /// To the registry.
    pub(crate) up_bytes: u64,
    /// From the registry.
    pub(crate) down_bytes: u64,
}

struct Road {
    registry: SocketAddr,
    delay: Duration,
    is_open: AtomicBool,
    journal: Mutex<Journal>,
}

impl Far {
    /// Puts `registry` at a distance that each request takes `delay` for.
    ///
    /// # Errors
    /// [`Error::Start`] where no port is free.
    pub(crate) fn start(registry: SocketAddr, delay: Duration) -> Result<Self, Error> {
        let failed = |source| Error::Start { program: "the registry that is far".to_owned(), source };
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let road = Road { registry, delay, is_open: AtomicBool::new(true), journal: Mutex::default() };
        let road = Arc::new(road);
        let travelled = Arc::clone(&road);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let road = Arc::clone(&travelled);
                // A side that breaks ends the connection, as it would without the distance.
                std::thread::spawn(move || road.travel(&client));
            }
        });
        Ok(Self { address, road })
    }

    /// Returns where it listens: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Turns away whoever comes from now on.
    pub(crate) fn close(&self) {
        self.road.is_open.store(false, Ordering::SeqCst);
    }

    /// Lets pass whoever comes from now on.
    pub(crate) fn open(&self) {
        self.road.is_open.store(true, Ordering::SeqCst);
    }

    /// Returns what came by since the last call.
    pub(crate) fn take(&self) -> Traffic {
        std::mem::take(&mut self.road.journal().traffic)
    }
}

impl Road {
    fn travel(&self, client: &TcpStream) -> std::io::Result<()> {
        if !self.is_open.load(Ordering::SeqCst) {
            self.journal().turn_away();
            return Ok(());
        }
        let server = TcpStream::connect(self.registry)?;
        for stream in [client, &server] {
            stream.set_read_timeout(Some(SILENCE))?;
        }
        let (mut requests, mut answers) = (BufReader::new(client), BufReader::new(&server));
        while let Some(request) = Message::read(&mut requests, Body::AsSaid)? {
            let round = self.journal().leave(request.length());
            std::thread::sleep(self.delay);
            let answer = exchange(&request, &server, &mut answers);
            // Before the client has it, so that what it asks next is sure to come after.
            self.journal().arrive(round, answer.as_ref().map_or(0, Message::length));
            answer?.write(client)?;
        }
        Ok(())
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn exchange(request: &Message, server: &TcpStream, answers: &mut impl BufRead) -> std::io::Result<Message> {
    request.write(server)?;
    let body = if request.head.starts_with("HEAD ") { Body::Missing } else { Body::AsSaid };
    Message::read(answers, body)?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

/// Writes down how requests follow one another.
#[derive(Default)]
struct Journal {
    traffic: Traffic,
    on_their_way: u64,
}

/// The length of the longest chain that ends with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Round(u64);

impl Journal {
    fn leave(&mut self, bytes: u64) -> Round {
        self.on_their_way += 1;
        self.traffic.requests += 1;
        self.traffic.up_bytes += bytes;
        self.traffic.most_at_once = self.traffic.most_at_once.max(self.on_their_way);
        Round(self.traffic.rounds + 1)
    }

    fn arrive(&mut self, Round(round): Round, bytes: u64) {
        self.on_their_way -= 1;
        self.traffic.down_bytes += bytes;
        self.traffic.rounds = self.traffic.rounds.max(round);
    }

    fn turn_away(&mut self) {
        self.traffic.requests += 1;
    }
}

/// A request or an answer.
struct Message {
    head: String,
    body: Vec<u8>,
}

/// Whether a message has the body that its head speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    AsSaid,
    /// What answers `HEAD` has the head alone.
    Missing,
}

impl Message {
    /// Reads the next message; nothing where the stream ends.
    fn read(reader: &mut impl BufRead, body: Body) -> std::io::Result<Option<Self>> {
        let head = read_head(reader)?;
        if head.is_empty() {
            return Ok(None);
        }
        if !head.ends_with("\r\n\r\n") {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let length = match body {
            Body::AsSaid => body_length(&head)?,
            Body::Missing => 0,
        };
        let mut bytes = Vec::new();
        reader.take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(Self { head, body: bytes }))
    }

    fn length(&self) -> u64 {
        (self.head.len() + self.body.len()) as u64
    }

    /// Writes it in one piece.
    fn write(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        stream.write_all(&[self.head.as_bytes(), &self.body].concat())
    }
}

fn body_length(head: &str) -> std::io::Result<u64> {
    let Some(said) = header(head, "content-length") else {
        return match header(head, "transfer-encoding") {
            Some(encoding) => Err(IoError::new(ErrorKind::Unsupported, format!("a body that is {encoding}"))),
            None => Ok(0),
        };
    };
    let length = said.parse().ok().filter(|length| *length <= BODY_BYTES_MAX);
    length.ok_or_else(|| IoError::new(ErrorKind::InvalidData, format!("a body of {said} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, body: Body) -> std::io::Result<Option<Vec<u8>>> {
        let message = Message::read(&mut text.as_bytes(), body)?;
        Ok(message.map(|message| message.body))
    }

    #[test]
    fn requests_that_are_made_together_are_one_round() {
        let mut journal = Journal::default();
        let rounds = [10, 20, 30].map(|bytes| journal.leave(bytes));
        for round in rounds {
            journal.arrive(round, 5);
        }
        let expected = Traffic { requests: 3, most_at_once: 3, rounds: 1, up_bytes: 60, down_bytes: 15 };
        assert_eq!(journal.traffic, expected);
    }

    #[test]
    fn a_request_after_an_answer_is_one_round_more() {
        let mut journal = Journal::default();
        for _ in 0..3 {
            let round = journal.leave(0);
            journal.arrive(round, 0);
        }
        assert_eq!((journal.traffic.rounds, journal.traffic.most_at_once), (3, 1));
    }

    #[test]
    fn a_request_that_others_overtake_does_not_make_the_chain_longer() {
        let mut journal = Journal::default();
        let slow = journal.leave(0);
        for expected in 1..=4 {
            let round = journal.leave(0);
            assert_eq!(round, Round(expected));
            journal.arrive(round, 0);
        }
        journal.arrive(slow, 0);
        assert_eq!((journal.traffic.rounds, journal.traffic.most_at_once), (4, 2));
    }

    #[test]
    fn a_body_has_the_length_that_its_head_says() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcrest";
        assert_eq!(read(answer, Body::AsSaid).unwrap().unwrap(), b"abc");
        assert_eq!(read(answer, Body::Missing).unwrap().unwrap(), b"");
        assert_eq!(read("GET / HTTP/1.1\r\nHost: x\r\n\r\nrest", Body::AsSaid).unwrap().unwrap(), b"");
        assert_eq!(read("", Body::AsSaid).unwrap(), None);
    }

    #[test]
    fn a_message_whose_end_is_not_known_is_an_error() {
        let too_long = BODY_BYTES_MAX + 1;
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\n", ErrorKind::UnexpectedEof),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", ErrorKind::UnexpectedEof),
            ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", ErrorKind::InvalidData),
            (&format!("HTTP/1.1 200 OK\r\nContent-Length: {too_long}\r\n\r\n"), ErrorKind::InvalidData),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrorKind::Unsupported),
        ] {
            assert_eq!(read(text, Body::AsSaid).unwrap_err().kind(), expected, "{text}");
        }
    }

    #[test]
    fn messages_pass_unchanged_and_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let far = Far::start(listener.local_addr().unwrap(), Duration::ZERO).unwrap();
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let answers =
                ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"];
            answers.map(|answer| {
                let head = read_head(&mut reader).unwrap();
                (&stream).write_all(answer.as_bytes()).unwrap();
                head
            })
        });
        let client = TcpStream::connect(far.address()).unwrap();
        let mut reader = BufReader::new(&client);
        let requests = ["HEAD /a HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\r\n\r\n"];
        let bodies = [(requests[0], Body::Missing), (requests[1], Body::AsSaid)].map(|(request, body)| {
            (&client).write_all(request.as_bytes()).unwrap();
            Message::read(&mut reader, body).unwrap().unwrap().body
        });
        assert_eq!((bodies, server.join().unwrap()), ([b"".to_vec(), b"ok".to_vec()], requests.map(str::to_owned)));
        let expected = Traffic { requests: 2, most_at_once: 1, rounds: 2, up_bytes: 39, down_bytes: 78 };
        assert_eq!(far.take(), expected);
        assert_eq!(far.take(), Traffic::default());
    }

    #[test]
    fn whoever_is_turned_away_hears_nothing_and_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let far = Far::start(listener.local_addr().unwrap(), Duration::ZERO).unwrap();
        far.close();
        let mut client = TcpStream::connect(far.address()).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        assert_eq!(far.take(), Traffic { requests: 1, ..Traffic::default() });
    }
}
