//! Bytes that come a few at a time.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// Gives a few bytes at a time, which must make no difference.
pub struct Trickle<'a> {
    inner: Cursor<&'a [u8]>,
    size: usize,
}

impl<'a> Trickle<'a> {
    /// Gives `bytes` in pieces whose size is somehow taken from them.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let size = bytes.last().map_or(1, |&byte| 1 + usize::from(byte));
        Self { inner: Cursor::new(bytes), size }
    }
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.size.min(buffer.len());
        self.inner.read(&mut buffer[..size])
    }
}

impl Seek for Trickle<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}
