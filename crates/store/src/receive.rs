//! Takes a stream to the disk: the network and the disk at the same time, in little memory.
//!
//! ```text
//!   stream ──> task ──> queue of at most 1 MiB ──> one blocking thread: hash and write
//! ```

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use wharf_oci::ByteStream;

use crate::Error;
use crate::ingest::Draft;
use crate::store::{Shared, finished};

/// Streams that are received at the same time. Each holds a blocking thread while it lasts, and of those tokio has
/// 512 unless told otherwise: the rest is for work that does not wait for the network.
pub(crate) const RECEIVERS_MAX: usize = 256;
/// Bytes of one piece in the queue.
const PIECE_BYTES_MAX: usize = 64 * 1024;
/// Pieces in the queue.
const QUEUE_PIECES_MAX: usize = 16;

/// A draft, and how the stream that it was to take ended.
pub(crate) struct Received {
    /// Has the bytes that came.
    pub(crate) draft: Draft,
    /// The error of the stream, or [`Error::TooLarge`]; bytes are missing then.
    pub(crate) end: Result<(), Error>,
}

/// Adds the bytes of `stream` to `draft`, which then has at most `size_max` bytes.
///
/// Where the disk fails, or this is dropped on the way, the draft is dropped with the bytes that came before.
pub(crate) async fn receive(
    shared: &Shared,
    mut draft: Draft,
    size_max: u64,
    stream: ByteStream,
) -> Result<Received, Error> {
    let _permit = shared.receivers.acquire().await.map_err(|_| Error::Stopped)?;
    let (sender, mut receiver) = mpsc::channel::<Bytes>(QUEUE_PIECES_MAX);
    let start = draft.size();
    let writing = tokio::task::spawn_blocking(move || {
        while let Some(piece) = receiver.blocking_recv() {
            draft.write(&piece)?;
        }
        Ok(draft)
    });
    let end = send(stream, sender, start, size_max).await;
    Ok(Received { draft: finished(writing).await?, end })
}

/// Sends the stream in pieces. It stops without an error where nobody takes them any more; the taker has it.
async fn send(mut stream: ByteStream, sender: mpsc::Sender<Bytes>, start: u64, size_max: u64) -> Result<(), Error> {
    let mut size = start;
    while let Some(mut bytes) = stream.next().await.transpose()? {
        size += bytes.len() as u64;
        if size > size_max {
            return Err(Error::TooLarge { limit: size_max });
        }
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE_BYTES_MAX));
            if sender.send(piece).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{FutureExt as _, stream};

    use super::*;
    use crate::fixtures::run;

    #[test]
    fn a_slow_disk_holds_the_stream_back() {
        run(async {
            for chunk in [1024 * 1024, PIECE_BYTES_MAX, 3] {
                let asked = Arc::new(AtomicUsize::new(0));
                let counter = Arc::clone(&asked);
                let endless = stream::repeat_with(move || {
                    counter.fetch_add(chunk, Ordering::SeqCst);
                    Ok(Bytes::from(vec![0; chunk]))
                });
                let (sender, mut receiver) = mpsc::channel(QUEUE_PIECES_MAX);
                // Nobody receives, so this gets as far as the queue goes.
                assert!(send(endless.boxed(), sender, 0, u64::MAX).now_or_never().is_none());
                assert!(asked.load(Ordering::SeqCst) <= PIECE_BYTES_MAX * QUEUE_PIECES_MAX + chunk);
                let piece = receiver.recv().await.unwrap();
                assert_eq!(piece.len(), chunk.min(PIECE_BYTES_MAX));
            }
        });
    }
}
