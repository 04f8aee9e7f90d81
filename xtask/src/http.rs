//! As much of HTTP as it takes to see that a server answers, what it says of its answer, and where that ends.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may take for a part of its answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Bytes of a head that are read.
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
    read_head(&mut BufReader::new(stream))
}

/// Reads the head of a message, up to and with the empty line; less where the stream ends before that.
///
/// # Errors
/// Where the stream cannot be read, or not in time, and where the head is no text.
pub(crate) fn read_head(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut reader = reader.take(HEAD_BYTES_MAX);
    let mut head = String::new();
    // An empty line has the two bytes of its end, and the end of the stream has none.
    while reader.read_line(&mut head)? > 2 {}
    Ok(head)
}

/// Returns the value of a header in a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
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
    fn a_head_without_an_end_is_what_there_was() {
        for text in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x"] {
            assert_eq!(read_head(&mut text.as_bytes()).unwrap(), text);
        }
    }

    #[test]
    fn a_header_is_found_by_its_name_in_any_case() {
        let head = "GET /a:b HTTP/1.1\r\nHost: 127.0.0.1:5000\r\nCONTENT-length:  12\r\n\r\n";
        assert_eq!(header(head, "content-length"), Some("12"));
        assert_eq!(header(head, "host"), Some("127.0.0.1:5000"));
        assert_eq!(header(head, "get /a"), None);
    }

    #[test]
    fn only_200_is_ok() {
        for (head, expected) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 No\r\n\r\n", false), ("", false)] {
            assert_eq!(is_ok(head), expected, "{head}");
        }
    }
}
