//! A part of a file as a stream of bytes.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use wharf_oci::ByteStream;

use crate::Error;

/// How many bytes of a file are read at a time.
const PIECE_BYTES: u64 = 256 * 1024;
/// How many pieces wait between the disk and whoever takes them.
const PIECES_AHEAD: usize = 4;

/// Where bytes are in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Span {
    /// Returns what is left behind the first `count` bytes.
    pub(crate) fn after(self, count: u64) -> Self {
        let count = count.min(self.size);
        Self { offset: self.offset.saturating_add(count), size: self.size - count }
    }

    /// Opens the part of the file at `path` to read it; it ends early where the file does.
    pub(crate) fn open(self, path: &Path) -> io::Result<io::Take<File>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        Ok(file.take(self.size))
    }

    /// Reads the part of the file at `path`, a few pieces ahead of whoever takes them.
    pub(crate) fn stream(self, path: PathBuf) -> ByteStream {
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        spawn_blocking(move || {
            if let Err(source) = self.send_pieces(&path, &sender) {
                // A receiver that is gone needs no error.
                let _gone = sender.blocking_send(Err(Error::File { operation: "read", path, source }.into()));
            }
        });
        stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|piece| (piece, receiver)) }).boxed()
    }

    fn send_pieces(self, path: &Path, sender: &mpsc::Sender<Result<Bytes, wharf_oci::Error>>) -> io::Result<()> {
        let mut part = self.open(path)?;
        loop {
            let mut piece = Vec::new();
            (&mut part).take(PIECE_BYTES).read_to_end(&mut piece)?;
            if piece.is_empty() || sender.blocking_send(Ok(piece.into())).is_err() {
                return Ok(());
            }
        }
    }
}
