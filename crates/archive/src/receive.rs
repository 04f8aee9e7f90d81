//! Content on its way from a source to a thread that writes it.

use std::io::{self, Read};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::try_join;
use tokio::sync::mpsc;
use wharf_oci::{Descriptor, Fetch, Verifier};

use crate::Error;
use crate::blocking::blocking;

/// How many pieces wait between the source and the disk.
const PIECES_AHEAD: usize = 8;

/// Fetches content and lets `write` read it on a thread of its own, while the next pieces arrive.
///
/// What `write` reads ends with an error unless all of it is what `descriptor` names; [`content_error`] takes that out
/// of the [`io::Error`].
pub(crate) async fn receive<T: Send + 'static>(
    source: &dyn Fetch,
    descriptor: &Descriptor,
    write: impl FnOnce(&mut Pieces) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let mut stream = source.fetch(descriptor, 0).await?;
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let mut pieces = Pieces { receiver, verifier: Some(Verifier::new(descriptor)), current: Bytes::new() };
    let write = blocking(move || write(&mut pieces));
    let read = async move {
        while let Some(piece) = stream.next().await.transpose()? {
            // A writer that has stopped says why itself.
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    try_join(read, write).await.map(|((), written)| written)
}

/// Gives back the error of the content that [`Pieces`] put into `error`, else makes one of it.
pub(crate) fn content_error(error: io::Error, otherwise: impl FnOnce(io::Error) -> Error) -> Error {
    match error.downcast::<wharf_oci::Error>() {
        Ok(content) => Error::Content(content),
        Err(error) => otherwise(error),
    }
}

/// Reads pieces as they come, and checks them.
pub(crate) struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    /// Is gone once all was checked.
    verifier: Option<Verifier>,
    current: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            let Some(piece) = self.receiver.blocking_recv() else {
                return match self.verifier.take().map_or(Ok(()), Verifier::finish) {
                    Ok(()) => Ok(0),
                    Err(error) => Err(io::Error::other(error)),
                };
            };
            if let Some(verifier) = &mut self.verifier {
                verifier.update(&piece).map_err(io::Error::other)?;
            }
            self.current = piece;
        }
        let count = buffer.len().min(self.current.len());
        buffer[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}
