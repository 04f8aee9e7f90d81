//! One layer: what its bytes are, and what stands in it.

use std::io::{self, Cursor, ErrorKind, Read, Write};

use wharf_oci::Descriptor;
use wharf_tar::{EntryKind, Limits, Links, Walk, WalkError, decompress, is_tar, walk};

use super::{Budget, InvalidLayer};
use crate::limits::{SEARCHED_PATH_BYTES_MAX, WASM_BYTES_MAX};
use crate::provider::CLAIMS_FILE;

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
    /// A tar, with or without files.
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
        self.kind == EntryKind::File && self.path == CLAIMS_FILE
    }
}

/// Names an entry that was seen before.
pub(super) struct Member<'a> {
    pub(super) path: &'a str,
    pub(super) number: u64,
}

/// What is told of an entry, and the rest of its content; errors are those of reading that.
pub(super) type Visit<'a> = dyn FnMut(&File<'_>, &mut dyn Read) -> io::Result<Walk> + 'a;

/// Tells what a layer is, and visits each entry where it is a tar.
pub(super) fn look(
    layer: &Descriptor,
    reader: &mut dyn Read,
    left: &mut Budget,
    visit: &mut Visit<'_>,
) -> Result<Content, InvalidLayer> {
    let mut opened = open(reader, left.bytes).map_err(invalid(layer))?;
    let mut number = 0;
    let walked = match opened.content {
        Content::Tar => walk(&mut opened, &limits(left), &mut |entry| {
            let mut head = Vec::new();
            entry.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(invalid(layer))?;
            let path = entry.path().to_owned();
            let file = File { path: &path, kind: entry.kind(), head: &head, number };
            number += 1;
            visit(&file, entry).map_err(invalid(layer))
        }),
        Content::Wasm | Content::Other => Ok(()),
    };
    left.bytes = left.bytes.saturating_sub(opened.unpacked.count);
    left.entries = left.entries.saturating_sub(number);
    walked.map_err(of_walk(layer))?;
    Ok(opened.content)
}

/// Writes a layer as it is, which its descriptor limits.
pub(super) fn copy(layer: &Descriptor, reader: &mut dyn Read, writer: &mut dyn Write) -> Result<u64, InvalidLayer> {
    transfer(layer, reader, writer, u64::MAX)
}

/// Writes a layer with its compression undone.
pub(super) fn unpack(layer: &Descriptor, reader: &mut dyn Read, writer: &mut dyn Write) -> Result<u64, InvalidLayer> {
    let mut opened = open(reader, Budget::WHOLE.bytes).map_err(invalid(layer))?;
    transfer(layer, &mut opened, writer, WASM_BYTES_MAX)
}

/// Writes one file of a layer.
pub(super) fn unpack_file(
    layer: &Descriptor,
    reader: &mut dyn Read,
    member: &Member<'_>,
    writer: &mut dyn Write,
) -> Result<u64, InvalidLayer> {
    let opened = open(reader, Budget::WHOLE.bytes).map_err(invalid(layer))?;
    let (mut number, mut written) = (0, None);
    let walked = walk(opened, &limits(&Budget::WHOLE), &mut |entry| {
        let is_member = number == member.number && entry.path() == member.path;
        number += 1;
        if !is_member {
            return Ok(Walk::Continue);
        }
        if entry.size() > WASM_BYTES_MAX {
            return Err(InvalidLayer::TooLarge { digest: layer.digest.clone() });
        }
        written = Some(transfer(layer, entry, writer, WASM_BYTES_MAX)?);
        Ok(Walk::Stop)
    });
    walked.map_err(of_walk(layer))?;
    written.ok_or_else(|| InvalidLayer::Changed { digest: layer.digest.clone(), path: member.path.to_owned() })
}

/// A layer without its compression. Reading gives all of it, its first bytes included.
struct Opened<R> {
    content: Content,
    header: Cursor<Vec<u8>>,
    unpacked: Counted<R>,
}

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.header.read(buffer)? {
            0 => self.unpacked.read(buffer),
            read => Ok(read),
        }
    }
}

/// Undoes the compression of a layer, and tells what it is.
fn open(reader: &mut dyn Read, limit: u64) -> io::Result<Opened<impl Read>> {
    let mut unpacked = Counted { reader: decompress(reader, limit)?, count: 0 };
    let mut header = Vec::new();
    unpacked.by_ref().take(HEADER_BYTES).read_to_end(&mut header)?;
    let content = match () {
        () if header.starts_with(WASM_MAGIC) => Content::Wasm,
        () if is_tar(&header) || is_empty_tar(&header, &mut unpacked)? => Content::Tar,
        () => Content::Other,
    };
    Ok(Opened { content, header: Cursor::new(header), unpacked })
}

/// Whether a layer is a tar without files: zeros to its end, as builders write it for a step that changes nothing.
///
/// Other things start with zeros too, so that all of it is read where it does.
fn is_empty_tar(header: &[u8], rest: &mut dyn Read) -> io::Result<bool> {
    let is_zero = |bytes: &[u8]| bytes.iter().all(|&byte| byte == 0);
    if (header.len() as u64) < HEADER_BYTES || !is_zero(header) {
        return Ok(false);
    }
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(read) if is_zero(&buffer[..read]) => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
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

/// Copies up to `limit` bytes, and tells on which side a fault was.
fn transfer(
    layer: &Descriptor,
    reader: &mut dyn Read,
    writer: &mut dyn Write,
    limit: u64,
) -> Result<u64, InvalidLayer> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut count = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok(count),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(invalid(layer)(error)),
        };
        count += read as u64;
        if count > limit {
            return Err(InvalidLayer::TooLarge { digest: layer.digest.clone() });
        }
        let written = writer.write_all(&buffer[..read]);
        written.map_err(|source| InvalidLayer::Write { digest: layer.digest.clone(), source })?;
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
