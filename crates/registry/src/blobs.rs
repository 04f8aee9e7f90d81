//! Blobs: pulled whole or in part, and deleted.

use axum::body::Body;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use wharf_oci::Digest;
use wharf_store::Repository;

use crate::Error;
use crate::range::{Wanted, wanted};
use crate::response::{Answer, DOCKER_CONTENT_DIGEST, empty, header};

/// Tells the size of a blob.
pub(crate) async fn inspect(repository: &Repository, digest: &Digest) -> Answer {
    let size = size(repository, digest).await?;
    Ok(content(Body::empty(), digest, size))
}

/// Gives a blob, or the part of it that is asked for.
pub(crate) async fn read(repository: &Repository, digest: &Digest, headers: &HeaderMap) -> Answer {
    let size = size(repository, digest).await?;
    // There is no validator that a client could have got from here, so `If-Range` never holds.
    let asked = headers.get(RANGE).filter(|_| !headers.contains_key(IF_RANGE));
    let wanted = asked.and_then(|range| range.to_str().ok()).map_or(Wanted::Whole, |range| wanted(range, size));
    let part = match wanted {
        Wanted::Whole => {
            let stream = repository.read_blob(digest, 0..size).await?;
            return Ok(content(Body::from_stream(stream), digest, size));
        }
        Wanted::Nothing => return Err(Error::Range { size }),
        Wanted::Part(part) => part,
    };
    let stream = repository.read_blob(digest, part.clone()).await?;
    let mut response = content(Body::from_stream(stream), digest, part.end - part.start);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let range = header(format_args!("bytes {}-{}/{size}", part.start, part.end - 1));
    response.headers_mut().insert(CONTENT_RANGE, range);
    Ok(response)
}

/// Deletes a blob from the repository; others keep theirs.
pub(crate) async fn delete(repository: &Repository, digest: &Digest) -> Answer {
    if repository.delete_blob(digest).await? {
        Ok(empty(StatusCode::ACCEPTED, []))
    } else {
        Err(Error::BlobUnknown { digest: digest.clone() })
    }
}

async fn size(repository: &Repository, digest: &Digest) -> Result<u64, Error> {
    repository.blob_size(digest).await?.ok_or_else(|| Error::BlobUnknown { digest: digest.clone() })
}

fn content(body: Body, digest: &Digest, length: u64) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().extend([
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (CONTENT_LENGTH, HeaderValue::from(length)),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (DOCKER_CONTENT_DIGEST, header(digest)),
    ]);
    response
}
