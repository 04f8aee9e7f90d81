//! What targets have in common: messages written as text, so that seeds can be read. [`entries`] makes tars of them.
//!
//! ```text
//! PUT /v2/a/blobs/uploads/?digest=$D      the first line: a request's method and target, or a reply's status
//! content-type: text/plain                headers
//!                                         an empty line, and the body up to the next separator
//! hello
//! ====                                    the separator
//! GET /v2/a/blobs/$D
//! ```
//!
//! `$D` stands for the SHA-256 digest of the last body that was not empty, which no fuzzer could guess.

pub mod entries;
pub mod panics;
mod trickle;

use std::ops::Range;

pub use trickle::Trickle;
use wharf_oci::Digest;

/// Messages in one input.
const MESSAGES_MAX: usize = 12;

/// One message of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub line: String,
    /// The headers, as they stand.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// Returns the first header of a name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Splits an input into its messages; all is a message of some kind.
#[must_use]
pub fn messages(input: &[u8]) -> Vec<Message> {
    let mut digest = Digest::sha256(b"").to_string();
    let mut messages = Vec::new();
    let mut rest = input;
    while !rest.is_empty() && messages.len() < MESSAGES_MAX {
        let message;
        (message, rest) = split(rest, b"\n====\n");
        let (head, body) = split(message, b"\n\n");
        if !body.is_empty() {
            digest = Digest::sha256(body).to_string();
        }
        let head = String::from_utf8_lossy(head).replace("$D", &digest);
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
        messages.push(Message { line, headers, body: body.to_owned() });
    }
    messages
}

/// Splits a text at the first separator; what follows is empty where there is none.
fn split<'a>(text: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    let at = text.windows(separator.len()).position(|window| window == separator);
    let Range { start, end } = at.map_or(text.len()..text.len(), |at| at..at + separator.len());
    (&text[..start], &text[end..])
}
