//! As much of HTTP as it takes to see that a server answers, and what it says of its answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may take for a part of its answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Bytes of an answer that are read.
const HEAD_BYTES_MAX: u64 = 64 * 1024;

/// Asks for `path` and returns the head of the answer: the status line and the headers.
///
/// # Errors
/// Where nobody listens or answers in time, and where the answer is no text.
pub(crate) fn head(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    // In one piece: a server may look at the first one only.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(stream.take(HEAD_BYTES_MAX));
    let mut head = String::new();
    // An empty line has the two bytes of its end, and the end of the stream has none.
    while reader.read_line(&mut head)? > 2 {}
    Ok(head)
}

/// Whether a head says 200.
pub(crate) fn is_ok(head: &str) -> bool {
    head.split_whitespace().nth(1) == Some("200")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers one request with `answer`, and returns what it got.
    fn serve(answer: &'static str) -> (SocketAddr, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !request.ends_with(b"\r\n\r\n") {
                assert!(reader.read_until(b'\n', &mut request).unwrap() > 0, "the request ends early");
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (address, server)
    }

    #[test]
    fn the_head_ends_before_the_body() {
        let (address, server) = serve("HTTP/1.1 200 OK\r\nx-wharf: filtered\r\n\r\nok\n");
        assert_eq!(head(address, "/v2/").unwrap(), "HTTP/1.1 200 OK\r\nx-wharf: filtered\r\n\r\n");
        assert!(server.join().unwrap().starts_with("GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1:"));
    }

    #[test]
    fn only_200_is_ok() {
        for (head, expected) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 No\r\n\r\n", false), ("", false)] {
            assert_eq!(is_ok(head), expected, "{head}");
        }
    }
}
