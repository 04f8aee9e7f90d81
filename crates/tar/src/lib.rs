//! Reads tar, gzip and zstd of others within limits, and writes tar that is the same each time.
//!
//! [`walk`] and [`walk_seek`] visit the entries of a tar, [`decompress`] undoes gzip and zstd, [`Writer`] and
//! [`frame()`] write. What is read is foreign: the number of entries, their bytes, the length of their names, the
//! window of zstd and the output of a decompressor, in bytes and for each byte read, are limited; a path that leaves the folder it is unpacked in, a
//! device, and whatever two readers could understand in two ways are refused.
//!
//! It unpacks nothing to a disk, opens no file, and knows nothing of OCI or of Wasm.
//!
//! What [`Writer`] writes, in blocks of 512 bytes:
//!
//! ```text
//!   each file:  [ header `././@LongLink`, type L ]   only where the path is longer than 100 bytes
//!               [ path, NUL, zeros               ]
//!               header: path, mode, size, type 0; uid, gid and mtime 0; no names of users
//!               content, zeros up to the next block
//!   end:        two blocks of zeros
//! ```
//!
//! Paths, modes and contents are all that goes in, so the same input gives the same bytes, on any machine.
//!
//! ```
//! use wharf_tar::{InvalidTar, Limits, Links, Walk, WalkError, Writer, walk};
//!
//! let mut writer = Writer::new(Vec::new());
//! writer.file("plugin.wasm", 0o644, 4, &mut &b"\0asm"[..]).unwrap();
//! let tar = writer.finish().unwrap();
//!
//! let limits = Limits { entries: 100, bytes: 1 << 20, path_bytes: 255, links: Links::Refuse };
//! let mut names = Vec::new();
//! let walked: Result<(), WalkError<InvalidTar>> = walk(&tar[..], &limits, &mut |entry| {
//!     names.push(entry.path().to_owned());
//!     Ok(Walk::Continue)
//! });
//! walked.unwrap();
//! assert_eq!(names, ["plugin.wasm"]);
//! ```

mod compression;
mod error;
mod extension;
mod header;
mod limits;
mod path;
mod walk;
mod write;
mod zstd;

pub use compression::{Compression, Decompressed, decompress};
pub use error::{InvalidTar, WalkError, WriteError};
pub use header::is_tar;
pub use limits::{
    EXPANSION_BYTES_FREE, EXPANSION_RATIO_MAX, EXTENSION_BYTES_MAX, Limits, Links, ZSTD_WINDOW_BYTES_MAX,
};
pub use path::InvalidPath;
pub use walk::{Entry, EntryKind, Walk, walk, walk_seek};
pub use write::{Frame, Writer, frame};
