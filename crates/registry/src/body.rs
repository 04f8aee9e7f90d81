//! The body of a request: bytes of a stranger, never more of them than allowed.

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _};
use wharf_oci::ByteStream;

use crate::Error;

/// Hands a body on to the store, which counts its bytes.
pub(crate) fn stream(body: Body) -> ByteStream {
    body.into_data_stream().map_err(wharf_oci::Error::medium).boxed()
}

/// Refuses a body that says of itself that it is too large, before any of it is read.
pub(crate) fn check_size(body: &Body, limit: u64) -> Result<(), Error> {
    if body.size_hint().lower() > limit { Err(Error::TooLarge { limit }) } else { Ok(()) }
}

/// Reads a small body whole.
pub(crate) async fn read(body: Body, limit: u64) -> Result<Bytes, Error> {
    check_size(&body, limit)?;
    let mut stream = stream(body);
    let mut bytes = BytesMut::new();
    while let Some(piece) = stream.try_next().await.map_err(Error::Body)? {
        if (bytes.len() + piece.len()) as u64 > limit {
            return Err(Error::TooLarge { limit });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

/// Tells whose fault it is that the store did not take a body: the client's, where its bytes are too many, others
/// than it said, or never came.
pub(crate) fn not_taken(error: wharf_store::Error) -> Error {
    use wharf_store::Error::{Content, TooLarge};
    match error {
        TooLarge { limit } => Error::TooLarge { limit },
        Content(wharf_oci::Error::Digest { expected, actual, .. }) => Error::DigestMismatch { expected, actual },
        Content(error) if error.medium_ref::<axum::Error>().is_some() => Error::Body(error),
        error => error.into(),
    }
}
