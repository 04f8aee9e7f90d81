//! A door in front of a registry that counts who passes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;

/// Bytes that are passed on at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// How the first line of an HTTP/1.1 request ends.
const REQUEST_END: &[u8] = b" HTTP/1.1\r\n";

/// Passes connections on to a registry and counts requests and bytes. It ends with the process.
pub(crate) struct Counter {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    up_bytes: AtomicU64,
    down_bytes: AtomicU64,
}

/// What passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) requests: u64,
    /// To the registry.
    pub(crate) up_bytes: u64,
    /// From the registry.
    pub(crate) down_bytes: u64,
}

impl Counter {
    /// Opens a door in front of `registry`.
    ///
    /// # Errors
    /// [`Error::Start`] where no port is free.
    pub(crate) fn start(registry: SocketAddr) -> Result<Self, Error> {
        let failed = |source| Error::Start { program: "the counter".to_owned(), source };
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let counts = Arc::clone(&counted);
                std::thread::spawn(move || connect(&client, registry, &counts));
            }
        });
        Ok(Self { address, counts })
    }

    /// Returns where it listens: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Returns what passed since the last call.
    pub(crate) fn take(&self) -> Passed {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        Passed {
            requests: take(&self.counts.requests),
            up_bytes: take(&self.counts.up_bytes),
            down_bytes: take(&self.counts.down_bytes),
        }
    }
}

/// A side that breaks ends the connection, as it would without the door.
fn connect(client: &TcpStream, registry: SocketAddr, counts: &Arc<Counts>) -> Option<()> {
    let server = TcpStream::connect(registry).ok()?;
    let (from, to) = (server.try_clone().ok()?, client.try_clone().ok()?);
    let counted = Arc::clone(counts);
    let answers = std::thread::spawn(move || {
        pass(&from, &to, |bytes| {
            counted.down_bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        })
    });
    let mut ends = LineEnds::default();
    pass(client, &server, |bytes| {
        counts.up_bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        counts.requests.fetch_add(ends.count(bytes), Ordering::SeqCst);
    });
    answers.join().ok()
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(length) = from.read(&mut chunk) {
        seen(&chunk[..length]);
        if length == 0 || to.write_all(&chunk[..length]).is_err() {
            break;
        }
    }
    // Whoever still waits on this side hears that there is no more.
    let _closed = to.shutdown(Shutdown::Write);
}

/// Counts the first lines of requests in a stream that comes in pieces.
#[derive(Default)]
struct LineEnds {
    /// How much of [`REQUEST_END`] the bytes so far end with.
    matched: usize,
}

impl LineEnds {
    fn count(&mut self, bytes: &[u8]) -> u64 {
        let mut count = 0;
        for &byte in bytes {
            // The pattern starts with its only space, so that a mismatch can at most be a new start.
            self.matched = match byte {
                _ if byte == REQUEST_END[self.matched] => self.matched + 1,
                b' ' => 1,
                _ => 0,
            };
            if self.matched == REQUEST_END.len() {
                self.matched = 0;
                count += 1;
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_in_any_pieces() {
        let stream = b"GET /a HTTP/1.1\r\nx: HTTP/1.1 y\r\n\r\nPUT /b  HTTP/1.1\r\n\r\n";
        for size in 1..stream.len() {
            let mut ends = LineEnds::default();
            let count: u64 = stream.chunks(size).map(|piece| ends.count(piece)).sum();
            assert_eq!(count, 2, "{size}");
        }
    }

    #[test]
    fn what_passes_is_counted_and_not_changed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 18];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(b"ok").unwrap();
            request
        });
        let counter = Counter::start(registry).unwrap();
        let mut client = TcpStream::connect(counter.address()).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = [0; 2];
        client.read_exact(&mut answer).unwrap();
        assert_eq!((&answer, &server.join().unwrap()), (b"ok", b"GET / HTTP/1.1\r\n\r\n"));
        assert_eq!(counter.take(), Passed { requests: 1, up_bytes: 18, down_bytes: 2 });
    }
}
