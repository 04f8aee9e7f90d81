//! A file on disk as the one layer of an artifact, as a source of content.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use wharf_oci::{ByteStream, Descriptor, Digest, Error, Fetch, MemoryStore};

use crate::Cause;

/// How many bytes of the file are read at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// How many pieces wait between the disk and the network.
const CHUNKS_AHEAD: usize = 4;

/// The config and the manifest in memory, the layer in a file.
pub(crate) struct FileSource {
    path: PathBuf,
    layer: Digest,
    rest: MemoryStore,
}

impl FileSource {
    pub(crate) fn new(path: &Path, layer: Digest, rest: MemoryStore) -> Self {
        Self { path: path.to_owned(), layer, rest }
    }
}

#[async_trait]
impl Fetch for FileSource {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, Error> {
        if descriptor.digest != self.layer {
            return self.rest.fetch(descriptor, offset).await;
        }
        Ok(read_file(self.path.clone(), offset))
    }
}

/// Reads a file from `offset`, a few pieces ahead of whoever takes them.
fn read_file(path: PathBuf, offset: u64) -> ByteStream {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    spawn_blocking(move || {
        if let Err(source) = send_pieces(&path, offset, &sender) {
            let error = Error::medium(Cause::File { operation: "read", path, source });
            // A receiver that is gone needs no error.
            let _gone = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|piece| (piece, receiver)) }).boxed()
}

fn send_pieces(path: &Path, offset: u64, sender: &mpsc::Sender<Result<Bytes, Error>>) -> io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    loop {
        let mut piece = Vec::with_capacity(CHUNK_BYTES);
        (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut piece)?;
        if piece.is_empty() || sender.blocking_send(Ok(piece.into())).is_err() {
            return Ok(());
        }
    }
}
