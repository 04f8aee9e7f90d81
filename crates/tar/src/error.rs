//! What can go wrong with a tar.

use std::io;

use crate::InvalidPath;
use crate::limits::{EXPANSION_RATIO_MAX, EXTENSION_BYTES_MAX, ZSTD_WINDOW_BYTES_MAX};

/// Why a tar, or what it is compressed with, was not read to its end.
///
/// Texts show paths with their control characters escaped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTar {
    /// A path is absolute, leaves its folder, or is no text.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// A path is longer than [`Limits::path_bytes`](crate::Limits::path_bytes).
    #[error("the header at byte {offset} of the tar gives a path of {length} bytes; the limit is {limit}")]
    PathLength {
        /// Where the header is.
        offset: u64,
        /// How long the path is.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// It holds a link, where links are refused.
    #[error("`{}` in the tar is a link", .path.escape_debug())]
    Link {
        /// The path.
        path: String,
    },
    /// It holds something that is no file, folder or link.
    #[error(
        "`{}` in the tar is a device, a pipe, a sparse file or something unknown (type `{}`)",
        .path.escape_debug(), .type_flag.escape_ascii()
    )]
    Special {
        /// The path.
        path: String,
        /// The type byte of its header.
        type_flag: u8,
    },
    /// It ends within the content of an entry.
    #[error("the tar ends {missing} bytes before the end of `{}`", .path.escape_debug())]
    Truncated {
        /// The path.
        path: String,
        /// How many bytes are not there, padding included.
        missing: u64,
    },
    /// A header breaks the format, or two readers could understand it in two ways.
    #[error("the header at byte {offset} of the tar is invalid: {reason}")]
    Header {
        /// Where the header is.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// An extended header is larger than [`EXTENSION_BYTES_MAX`].
    #[error("the extended header at byte {offset} of the tar has {size} bytes; the limit is {EXTENSION_BYTES_MAX}")]
    ExtensionSize {
        /// Where the header is.
        offset: u64,
        /// The size that it gives.
        size: u64,
    },
    /// It has more entries than [`Limits::entries`](crate::Limits::entries).
    #[error("the tar has more than {limit} entries")]
    Entries {
        /// The limit.
        limit: u64,
    },
    /// Its entries have more bytes than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the entries of the tar have more than {limit} bytes")]
    Bytes {
        /// The limit.
        limit: u64,
    },
    /// More came out of a decompressor than it was given leave for.
    #[error("the compressed data has more than {limit} bytes when it is unpacked")]
    Expansion {
        /// The limit.
        limit: u64,
    },
    /// Far more came out of a decompressor than what went in can mean, but for a bomb: more than
    /// [`EXPANSION_BYTES_FREE`](crate::EXPANSION_BYTES_FREE) and [`EXPANSION_RATIO_MAX`] bytes for each one read.
    #[error(
        "{read} bytes of compressed data have more than {unpacked} bytes when they are unpacked; the limit is about \
         {EXPANSION_RATIO_MAX} for one"
    )]
    Bomb {
        /// How many bytes were read.
        read: u64,
        /// How many bytes had come out of them.
        unpacked: u64,
    },
    /// A zstd frame wants more memory than [`ZSTD_WINDOW_BYTES_MAX`].
    #[error("the zstd data needs a window of {size} bytes; the limit is {ZSTD_WINDOW_BYTES_MAX}")]
    Window {
        /// The size that the frame asks for.
        size: u64,
    },
    /// A zstd frame is of a later form, in which it could mean something else.
    #[error("the zstd data has a frame with a reserved bit")]
    ReservedBit,
    /// A zstd frame has another size than it gives.
    #[error("the zstd data has a frame of {actual} bytes that gives its size as {expected}")]
    FrameSize {
        /// The size that the frame gives.
        expected: u64,
        /// The size it has.
        actual: u64,
    },
    /// The checksum at the end of a zstd frame is that of other bytes.
    #[error("the zstd data does not match its checksum")]
    Checksum,
    /// The bytes could not be read, or what they are compressed with is corrupt.
    #[error("cannot read the tar")]
    Read(#[source] io::Error),
}

impl From<io::Error> for InvalidTar {
    /// Gives back the typed error that a reader of this crate put into `error`, else wraps it.
    fn from(error: io::Error) -> Self {
        match error.downcast() {
            Ok(invalid) => invalid,
            Err(error) => Self::Read(error),
        }
    }
}

impl From<InvalidTar> for io::Error {
    /// Wraps the error for whoever reads through [`Read`](io::Read); [`InvalidTar::from`] gives it back.
    fn from(error: InvalidTar) -> Self {
        let kind = match &error {
            InvalidTar::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            InvalidTar::Read(error) => error.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// Why a walk ended before the end of the tar.
#[derive(Debug, thiserror::Error)]
pub enum WalkError<E> {
    /// The tar is at fault.
    #[error(transparent)]
    Tar(#[from] InvalidTar),
    /// The visitor returned this error.
    #[error(transparent)]
    Visit(E),
}

/// Why a tar could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The path of a file is none to write.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// The content of a file has another size than was announced.
    #[error("`{}` was announced with {expected} bytes and has {}{actual}", .path.escape_debug(), more_than(*.expected, *.actual))]
    Size {
        /// The path.
        path: String,
        /// The size that was announced.
        expected: u64,
        /// The size it has; where it is longer than announced, what had come when that was noticed.
        actual: u64,
    },
    /// The content of a file could not be read.
    #[error("cannot read the content of `{}`", .path.escape_debug())]
    Content {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The tar could not be written to where it goes.
    #[error("cannot write the tar")]
    Write(#[source] io::Error),
}

fn more_than(expected: u64, actual: u64) -> &'static str {
    if actual > expected { "at least " } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_error_survives_the_way_through_a_reader() {
        let error = io::Error::from(InvalidTar::Expansion { limit: 3 });
        assert!(matches!(InvalidTar::from(error), InvalidTar::Expansion { limit: 3 }));
        let plain = InvalidTar::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(plain, InvalidTar::Read(error) if error.kind() == io::ErrorKind::BrokenPipe));
    }
}
