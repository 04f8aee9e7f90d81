//! Digests of what streams through a [`Read`] or a [`Write`].

use std::io::{self, Read, Write};

use crate::{Algorithm, Digest, Hasher};

/// How many bytes are read at a time where nobody but the hash wants them.
const READ_BYTES: usize = 256 * 1024;

/// Hashes and counts what is read or written through it.
#[derive(Debug)]
pub struct Hashing<T> {
    inner: T,
    hasher: Hasher,
    size: u64,
}

/// What went through a [`Hashing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// The digest of the bytes.
    pub digest: Digest,
    /// How many there were.
    pub size: u64,
}

impl<T> Hashing<T> {
    /// Starts a digest.
    #[must_use]
    pub fn new(algorithm: Algorithm, inner: T) -> Self {
        Self { inner, hasher: Hasher::new(algorithm), size: 0 }
    }

    /// Returns the digest of all that went through, and what it went to or came from.
    #[must_use]
    pub fn finish(self) -> (Hashed, T) {
        (Hashed { digest: self.hasher.finish(), size: self.size }, self.inner)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }
}

impl<R: Read> Hashing<R> {
    /// Reads what is left, and returns the digest of all that was read.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn read_rest(mut self) -> io::Result<Hashed> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(self.finish().0),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.add(&buffer[..read]);
        Ok(read)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.add(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"wharf";

    fn expected() -> Hashed {
        Hashed { digest: Digest::sha256(BYTES), size: 5 }
    }

    #[test]
    fn what_was_read_before_counts_too() {
        let mut reader = Hashing::new(Algorithm::Sha256, BYTES);
        reader.read_exact(&mut [0; 2]).unwrap();
        assert_eq!(reader.read_rest().unwrap(), expected());
    }

    #[test]
    fn only_what_was_taken_counts_as_written() {
        /// Takes two bytes at a time.
        struct Narrow(Vec<u8>);
        impl Write for Narrow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.write(&bytes[..bytes.len().min(2)])
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = Hashing::new(Algorithm::Sha256, Narrow(Vec::new()));
        writer.write_all(BYTES).unwrap();
        let (hashed, Narrow(written)) = writer.finish();
        assert_eq!((hashed, written.as_slice()), (expected(), BYTES));
    }
}
