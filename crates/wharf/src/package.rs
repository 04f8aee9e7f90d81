//! A manifest with all that it names, in memory and in files: what packing gives, and what is copied from there.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tempfile::TempPath;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use wharf_artifact::Built;
use wharf_oci::{ByteStream, Descriptor, Digest, Error, Fetch, Manifest};

use crate::Cause;

/// How many bytes of a file are read at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// How many chunks wait between the disk and the network.
const CHUNKS_AHEAD: usize = 4;

/// A manifest and the contents of its blobs.
pub(crate) struct Package {
    pub(crate) manifest: Manifest,
    contents: HashMap<Digest, Vec<Piece>>,
    /// Files that vanish with the package.
    temporaries: Vec<TempPath>,
}

/// A part of a blob: what a tar layer puts around a file is in memory, the file is where it was.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Bytes(Bytes),
    File { path: PathBuf, size: u64 },
}

impl Package {
    /// Takes what was built; the layers, of which a builder knows no bytes, come with [`Self::with_content`].
    pub(crate) fn new(built: Built) -> Self {
        let blobs = built.blobs.into_iter();
        let contents = blobs.map(|(descriptor, bytes)| (descriptor.digest, vec![Piece::Bytes(bytes)])).collect();
        Self { manifest: built.manifest, contents, temporaries: Vec::new() }
    }

    /// Says what a blob consists of.
    pub(crate) fn with_content(mut self, digest: Digest, pieces: Vec<Piece>) -> Self {
        self.contents.insert(digest, pieces);
        self
    }

    /// Keeps a file for as long as the package is used.
    pub(crate) fn with_temporary(mut self, temporary: TempPath) -> Self {
        self.temporaries.push(temporary);
        self
    }
}

impl Piece {
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }
}

#[async_trait]
impl Fetch for Package {
    async fn fetch(&self, descriptor: &Descriptor, offset: u64) -> Result<ByteStream, Error> {
        let what = || format!("blob {}", descriptor.digest);
        let pieces = self.contents.get(&descriptor.digest).ok_or_else(|| Error::NotFound { what: what() })?;
        Ok(read(pieces.clone(), offset))
    }
}

/// Reads pieces from `offset`, a few chunks ahead of whoever takes them.
fn read(pieces: Vec<Piece>, offset: u64) -> ByteStream {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    spawn_blocking(move || {
        if let Err(cause) = send(pieces, offset, &sender) {
            // A receiver that is gone needs no error.
            let _gone = sender.blocking_send(Err(Error::medium(cause)));
        }
    });
    stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|chunk| (chunk, receiver)) }).boxed()
}

type Sender = mpsc::Sender<Result<Bytes, Error>>;

fn send(pieces: Vec<Piece>, offset: u64, sender: &Sender) -> Result<(), Cause> {
    let mut skipped = offset;
    for piece in pieces {
        let size = piece.size();
        if skipped >= size {
            skipped -= size;
            continue;
        }
        match piece {
            Piece::Bytes(bytes) => {
                let start = usize::try_from(skipped).unwrap_or(usize::MAX);
                if sender.blocking_send(Ok(bytes.slice(start..))).is_err() {
                    return Ok(());
                }
            }
            Piece::File { path, .. } => {
                send_file(&path, skipped, sender).map_err(Cause::file("read", &path))?;
            }
        }
        skipped = 0;
    }
    Ok(())
}

/// Sends a file to its end; one that has grown or shrunk since it was examined is noticed by whoever verifies.
fn send_file(path: &std::path::Path, offset: u64, sender: &Sender) -> io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
        if chunk.is_empty() || sender.blocking_send(Ok(chunk.into())).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use wharf_oci::{ImageManifest, MediaType, fetch_verified};

    use super::*;

    #[tokio::test]
    async fn a_blob_in_pieces_is_read_from_any_offset() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("middle");
        std::fs::write(&path, "middle").unwrap();
        let whole = b"before-middle-after";
        let blob = Descriptor::of(MediaType::OCTET_STREAM, whole);
        let manifest = Manifest::from_image(&ImageManifest::new(blob.clone(), vec![])).unwrap();
        let pieces = vec![Piece::Bytes("before-".into()), Piece::File { path, size: 6 }, Piece::Bytes("-after".into())];
        let package = Package::new(Built { manifest, blobs: vec![] }).with_content(blob.digest.clone(), pieces);
        assert_eq!(fetch_verified(&package, &blob, 100).await.unwrap(), &whole[..]);
        for offset in 0..=whole.len() {
            let mut stream = package.fetch(&blob, offset as u64).await.unwrap();
            let mut read = Vec::new();
            while let Some(chunk) = stream.next().await {
                read.extend_from_slice(&chunk.unwrap());
            }
            assert_eq!(read, &whole[offset..], "{offset}");
        }
        let missing = Descriptor::of(MediaType::OCTET_STREAM, b"missing");
        assert!(matches!(package.fetch(&missing, 0).await, Err(Error::NotFound { .. })));
    }
}
