//! One layer: what its bytes are, and what stands in it.

use std::io::{self, Cursor, ErrorKind, Read, Write};

use wharf_oci::Descriptor;
use wharf_tar::{EntryKind, Limits, Links, Walk, WalkError, decompress, is_tar, walk};

use super::{Budget, InvalidLayer};
use crate::limits::SEARCHED_PATH_BYTES_MAX;

/// Bytes by which a tar is told from other things: one header.
const HEADER_BYTES: u64 = 512;

/// Bytes by which files are told apart; WebAssembly text may start with blank lines.
const HEAD_BYTES: u64 = 64;

const COPY_BYTES: usize = 64 * 1024;

/// What every Wasm binary starts with.
pub(super) const WASM_MAGIC: &[u8] = b"\0asm";

/// What a layer is when its compression is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A Wasm binary.
    Wasm,
    /// A tar.
    Tar,
    /// Something else.
    Other,
}

/// An entry of a tar.
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) kind: EntryKind,
    /// The first bytes of its content.
    pub(super) head: &'a [u8],
    /// Its number among the entries.
    pub(super) number: u64,
}

impl File<'_> {
    /// Returns the last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Whether it is a Wasm binary by its bytes, whatever it is called.
    pub(super) fn is_wasm(&self) -> bool {
        self.kind == EntryKind::File && self.head.starts_with(WASM_MAGIC)
    }

    /// Whether a layer with it is a provider archive of wasmCloud.
    pub(super) fn is_claims(&self) -> bool {
        self.kind == EntryKind::File && self.path == "claims.jwt"
    }
}

/// Names an entry that was seen before.
pub(super) struct Member<'a> {
    pub(super) path: &'a str,
    pub(super) number: u64,
}

/// Tells what a layer is, and visits each entry where it is a tar.
pub(super) fn look(
    layer: &Descriptor,
    reader: &mut dyn Read,
    left: &mut Budget,
    visit: &mut dyn FnMut(&File<'_>) -> Walk,
) -> Result<Content, InvalidLayer> {
    let (content, mut unpacked) = open(reader, left.bytes).map_err(invalid(layer))?;
    if content != Content::Tar {
        return Ok(content);
    }
    let mut number = 0;
    let walked = walk(&mut unpacked, &limits(left), &mut |entry| {
        let mut head = Vec::new();
        entry.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(invalid(layer))?;
        let walk = visit(&File { path: entry.path(), kind: entry.kind(), head: &head, number });
        number += 1;
        Ok(walk)
    });
    left.bytes = left.bytes.saturating_sub(unpacked.count);
    left.entries = left.entries.saturating_sub(number);
    walked.map_err(of_walk(layer))?;
    Ok(content)
}

/// Writes a layer as it is.
pub(super) fn copy(layer: &Descriptor, reader: &mut dyn Read, writer: &mut dyn Write) -> Result<u64, InvalidLayer> {
    transfer(layer, reader, writer)
}

/// Writes a layer with its compression undone.
pub(super) fn unpack(layer: &Descriptor, reader: &mut dyn Read, writer: &mut dyn Write) -> Result<u64, InvalidLayer> {
    let (_, mut unpacked) = open(reader, Budget::WHOLE.bytes).map_err(invalid(layer))?;
    transfer(layer, &mut unpacked, writer)
}

/// Writes one file of a layer.
pub(super) fn unpack_file(
    layer: &Descriptor,
    reader: &mut dyn Read,
    member: &Member<'_>,
    writer: &mut dyn Write,
) -> Result<u64, InvalidLayer> {
    let (_, unpacked) = open(reader, Budget::WHOLE.bytes).map_err(invalid(layer))?;
    let (mut number, mut written) = (0, None);
    let walked = walk(unpacked, &limits(&Budget::WHOLE), &mut |entry| {
        let is_member = number == member.number && entry.path() == member.path;
        number += 1;
        if !is_member {
            return Ok(Walk::Continue);
        }
        written = Some(transfer(layer, entry, writer)?);
        Ok(Walk::Stop)
    });
    walked.map_err(of_walk(layer))?;
    written.ok_or_else(|| InvalidLayer::Changed { digest: layer.digest.clone(), path: member.path.to_owned() })
}

/// Undoes the compression of a layer, and tells what it is.
fn open<'a>(reader: &'a mut dyn Read, limit: u64) -> io::Result<(Content, Counted<impl Read + 'a>)> {
    let mut unpacked = decompress(reader, limit)?;
    let mut header = Vec::new();
    unpacked.by_ref().take(HEADER_BYTES).read_to_end(&mut header)?;
    let content = match () {
        () if header.starts_with(WASM_MAGIC) => Content::Wasm,
        () if is_tar(&header) => Content::Tar,
        () => Content::Other,
    };
    Ok((content, Counted { reader: Cursor::new(header).chain(unpacked), count: 0 }))
}

fn limits(left: &Budget) -> Limits {
    Limits { entries: left.entries, bytes: left.bytes, path_bytes: SEARCHED_PATH_BYTES_MAX, links: Links::Report }
}

/// Counts the bytes that come through.
struct Counted<R> {
    reader: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}

/// Copies bytes, and tells on which side a fault was.
fn transfer<R: Read + ?Sized>(layer: &Descriptor, reader: &mut R, writer: &mut dyn Write) -> Result<u64, InvalidLayer> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut count = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok(count),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(invalid(layer)(error)),
        };
        let written = writer.write_all(&buffer[..read]);
        written.map_err(|source| InvalidLayer::Write { digest: layer.digest.clone(), source })?;
        count += read as u64;
    }
}

fn invalid(layer: &Descriptor) -> impl Fn(io::Error) -> InvalidLayer {
    |error| InvalidLayer::Tar { digest: layer.digest.clone(), source: error.into() }
}

fn of_walk(layer: &Descriptor) -> impl Fn(WalkError<InvalidLayer>) -> InvalidLayer {
    |error| match error {
        WalkError::Tar(source) => InvalidLayer::Tar { digest: layer.digest.clone(), source },
        WalkError::Visit(error) => error,
    }
}
