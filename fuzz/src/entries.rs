//! Tars written as text: a seed can be read, and what a fuzzer changes is a field and not a checksum.
//!
//! ```text
//! 0 blobs/sha256/$d0      the type of an entry, and its path
//! size: 00000000003       fields of the header, instead of what belongs there
//!
//! abc                     an empty line, and the content up to the next separator
//! ====
//! x pax                   in PAX records, a line that does not start with a digit gets its length
//!
//! path=a/b
//! ```
//!
//! A field is called by its name or by where it starts; `0x` stands before bytes in hexadecimal. The types are those of
//! tar, and besides `.` for the byte 0, `z` for a block of zeros, and `-` for content that stands there as it is.
//! In paths and contents, `$d0` stands for the SHA-256 digest of what the first message holds, and `$n0` for its size.

use wharf_oci::Digest;

use crate::{Message, messages};

const BLOCK_BYTES: usize = 512;
const CHECKSUM_OFFSET: usize = 148;

/// Where the fields start that have a name here.
const FIELDS: [(&str, usize); 6] =
    [("mode", 100), ("size", 124), ("checksum", CHECKSUM_OFFSET), ("link", 157), ("magic", 257), ("prefix", 345)];

/// An entry of a tar, or something that stands in place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its type.
    pub kind: u8,
    /// Its path, or what else follows the type.
    pub path: String,
    /// Its content.
    pub content: Vec<u8>,
    /// What is written over its header, and from which byte on.
    pub fields: Vec<(usize, Vec<u8>)>,
}

/// Reads the entries that a text describes; all is an entry of some kind.
#[must_use]
pub fn entries(input: &[u8]) -> Vec<Entry> {
    let mut contents = Vec::new();
    messages(input).iter().map(|message| entry(message, &mut contents)).collect()
}

/// Makes the tar of `entries`, which ends with the last of them.
#[must_use]
pub fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        match entry.kind {
            b'z' => tar.extend([0; BLOCK_BYTES]),
            b'-' => tar.extend_from_slice(&entry.content),
            _ => {
                tar.extend(header(entry));
                tar.extend_from_slice(&entry.content);
                let over = entry.content.len() % BLOCK_BYTES;
                tar.extend(vec![0; (BLOCK_BYTES - over) % BLOCK_BYTES]);
            }
        }
    }
    tar
}

/// Puts digests and sizes of what stood before in place of `$d0` and `$n0`.
#[must_use]
pub fn resolve(text: &[u8], contents: &[Vec<u8>]) -> Vec<u8> {
    let mut resolved = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let referred = match rest {
            [b'$', what @ (b'd' | b'n'), digit @ b'0'..=b'9', ..] => {
                contents.get(usize::from(digit - b'0')).map(|content| (*what, content))
            }
            _ => None,
        };
        let Some((what, content)) = referred else {
            resolved.push(*first);
            rest = after;
            continue;
        };
        match what {
            b'd' => resolved.extend_from_slice(Digest::sha256(content).hex().as_bytes()),
            _ => resolved.extend_from_slice(content.len().to_string().as_bytes()),
        }
        rest = &rest[3..];
    }
    resolved
}

fn entry(message: &Message, contents: &mut Vec<Vec<u8>>) -> Entry {
    let (kind, path) = message.line.split_once(' ').unwrap_or((&message.line, ""));
    let kind = kind.bytes().next().unwrap_or(b'0');
    let path = String::from_utf8_lossy(&resolve(path.as_bytes(), contents)).into_owned();
    let content = resolve(&message.body, contents);
    contents.push(content.clone());
    let content = if matches!(kind, b'x' | b'g') { records(&content) } else { content };
    let fields = message.headers.iter().filter_map(|(name, value)| Some((offset(name)?, bytes(value))));
    Entry { kind: if kind == b'.' { 0 } else { kind }, path, content, fields: fields.collect() }
}

fn offset(name: &str) -> Option<usize> {
    let known = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, offset)| *offset);
    known.or_else(|| name.parse().ok().filter(|offset| *offset < BLOCK_BYTES))
}

fn bytes(value: &str) -> Vec<u8> {
    let digits = value.strip_prefix("0x").map(|hex| hex.as_bytes().chunks(2));
    let hex = digits.map(|digits| digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()));
    hex.and_then(Iterator::collect).unwrap_or_else(|| value.as_bytes().to_vec())
}

/// Puts its length before each record that has none.
fn records(lines: &[u8]) -> Vec<u8> {
    let record = |line: &[u8]| {
        if line.first().is_none_or(u8::is_ascii_digit) {
            return line.to_vec();
        }
        // The length counts its own digits.
        let rest = line.len() + 1;
        let length = (rest..).find(|length| length.to_string().len() + rest == *length).unwrap_or(rest);
        [format!("{length} ").as_bytes(), line].concat()
    };
    lines.split_inclusive(|byte| *byte == b'\n').flat_map(record).collect()
}

fn header(entry: &Entry) -> [u8; BLOCK_BYTES] {
    let mut header = [0; BLOCK_BYTES];
    put(&mut header, 0, &entry.path.as_bytes()[..entry.path.len().min(100)]);
    put(&mut header, 100, b"0000644\0");
    put(&mut header, 124, format!("{:011o}\0", entry.content.len()).as_bytes());
    put(&mut header, 156, &[entry.kind]);
    put(&mut header, 257, b"ustar\x0000");
    let (checksums, others): (Vec<_>, Vec<_>) = entry.fields.iter().partition(|(at, _)| *at == CHECKSUM_OFFSET);
    for (at, value) in others {
        put(&mut header, *at, value);
    }
    put(&mut header, CHECKSUM_OFFSET, b"        ");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    put(&mut header, CHECKSUM_OFFSET, format!("{sum:06o}\0 ").as_bytes());
    for (at, value) in checksums {
        put(&mut header, *at, value);
    }
    header
}

fn put(header: &mut [u8; BLOCK_BYTES], at: usize, value: &[u8]) {
    let count = value.len().min(BLOCK_BYTES - at);
    header[at..at + count].copy_from_slice(&value[..count]);
}
