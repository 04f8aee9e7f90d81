//! Bytes on their one way past: each is hashed as it is read, and the parser sees a window of them.

use std::io::{self, ErrorKind, Read};

use wharf_oci::{Algorithm, Digest, Hasher};

use super::InvalidWasm;

/// Bytes of the window; also the most that [`Input::peek`] can give.
pub(super) const WINDOW_BYTES: usize = 64 * 1024;

/// Reads exactly `size` bytes of `reader` through a window of [`WINDOW_BYTES`].
pub(super) struct Input<'a, R> {
    reader: &'a mut R,
    hasher: Hasher,
    buffer: Box<[u8]>,
    /// What was read of `buffer` and not yet used.
    window: std::ops::Range<usize>,
    /// Where the window starts in the input.
    offset: u64,
    size: u64,
}

impl<'a, R: Read> Input<'a, R> {
    pub(super) fn new(reader: &'a mut R, size: u64) -> Self {
        let hasher = Hasher::new(Algorithm::Sha256);
        Self { reader, hasher, buffer: vec![0; WINDOW_BYTES].into(), window: 0..0, offset: 0, size }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the next `wanted` bytes, or as many as there are; more may come along.
    pub(super) fn peek(&mut self, wanted: usize) -> Result<&[u8], InvalidWasm> {
        let left = usize::try_from(self.size - self.offset).unwrap_or(usize::MAX);
        let wanted = wanted.min(left).min(WINDOW_BYTES);
        if self.window.len() < wanted {
            self.buffer.copy_within(self.window.clone(), 0);
            self.window = 0..self.window.len();
        }
        while self.window.len() < wanted {
            self.fill(left)?;
        }
        Ok(&self.buffer[self.window.clone()])
    }

    /// Passes by `count` bytes that [`Input::peek`] gave.
    pub(super) fn advance(&mut self, count: usize) {
        self.window.start += count;
        self.offset += count as u64;
        debug_assert!(self.window.start <= self.window.end, "only bytes that were peeked at are passed by");
    }

    /// Passes by the next `count` bytes; the caller knows that there are as many.
    pub(super) fn skip(&mut self, mut count: u64) -> Result<(), InvalidWasm> {
        while count > 0 {
            let taken = self.peek(1)?.len().min(usize::try_from(count).unwrap_or(usize::MAX));
            self.advance(taken);
            count -= taken as u64;
        }
        Ok(())
    }

    /// Replaces what is in `target` by the next `count` bytes; the caller knows that there are as many.
    pub(super) fn read_into(&mut self, mut count: usize, target: &mut Vec<u8>) -> Result<(), InvalidWasm> {
        target.clear();
        target.reserve(count);
        while count > 0 {
            let window = self.peek(1)?;
            let taken = window.len().min(count);
            target.extend_from_slice(&window[..taken]);
            self.advance(taken);
            count -= taken;
        }
        Ok(())
    }

    /// Returns the digest of all bytes, which were all passed by.
    pub(super) fn finish(self) -> Digest {
        debug_assert_eq!(self.offset, self.size, "the digest is of the whole input");
        self.hasher.finish()
    }

    /// Reads once, behind the window and within the announced size.
    fn fill(&mut self, left: usize) -> Result<(), InvalidWasm> {
        let end = WINDOW_BYTES.min(self.window.start.saturating_add(left));
        let target = &mut self.buffer[self.window.end..end];
        let read = match self.reader.read(target) {
            Ok(0) => return Err(InvalidWasm::Read(io::Error::from(ErrorKind::UnexpectedEof))),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(InvalidWasm::Read(error)),
        };
        self.hasher.update(&target[..read]);
        self.window.end += read;
        Ok(())
    }
}
