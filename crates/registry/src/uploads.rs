//! Blobs on their way in: in one request, in a session of chunks, or mounted from another repository.

use axum::body::{Body, HttpBody as _};
use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use wharf_oci::{Digest, RepositoryName};
use wharf_store::{Repository, UploadId};

use crate::response::{Answer, DOCKER_CONTENT_DIGEST, empty, header};
use crate::{Error, Limits, body, range};

const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Starts a session.
pub(crate) async fn start(repository: &Repository) -> Answer {
    let id = repository.start_upload().await?;
    Ok(session(StatusCode::ACCEPTED, repository, &id, 0))
}

/// Takes a blob in one request.
pub(crate) async fn put(repository: &Repository, digest: &Digest, body: Body, limits: &Limits) -> Answer {
    body::check_size(&body, limits.blob_bytes_max)?;
    let stream = body::stream(body);
    repository.put_blob(digest, limits.blob_bytes_max, stream).await.map_err(body::not_taken)?;
    Ok(created(repository, digest))
}

/// Takes over a blob of another repository, or starts a session where there is none to take over.
///
/// Who does not say from where gets only what the repository has already: to find a blob anywhere would let
/// whoever knows a digest read what he may not (the class of CVE-2024-39897).
pub(crate) async fn mount(repository: &Repository, digest: &Digest, from: Option<&Repository>) -> Answer {
    let is_there = match from {
        Some(from) => repository.mount_blob(digest, from).await?,
        None => repository.blob_size(digest).await?.is_some(),
    };
    if is_there { Ok(created(repository, digest)) } else { start(repository).await }
}

/// Tells how much of an upload is there.
pub(crate) async fn inspect(repository: &Repository, id: &UploadId) -> Answer {
    let size = size(repository, id).await?;
    Ok(session(StatusCode::NO_CONTENT, repository, id, size))
}

/// Takes a chunk, or with no `Content-Range` whatever comes.
pub(crate) async fn append(
    repository: &Repository,
    id: &UploadId,
    chunk: http::Request<Body>,
    limits: &Limits,
) -> Answer {
    let size = take(repository, id, chunk, limits).await?;
    Ok(session(StatusCode::ACCEPTED, repository, id, size))
}

/// Ends an upload, after taking the last chunk where there is one; the blob appears if its digest is right.
pub(crate) async fn finish(
    repository: &Repository,
    (id, digest): (&UploadId, &Digest),
    chunk: http::Request<Body>,
    limits: &Limits,
) -> Answer {
    if !chunk.body().is_end_stream() || chunk.headers().contains_key(CONTENT_RANGE) {
        take(repository, id, chunk, limits).await?;
    }
    repository.finish_upload(id, digest).await.map_err(body::not_taken)?;
    Ok(created(repository, digest))
}

/// Gives up an upload.
pub(crate) async fn cancel(repository: &Repository, id: &UploadId) -> Answer {
    if repository.cancel_upload(id).await? { Ok(empty(StatusCode::NO_CONTENT, [])) } else { Err(Error::UploadUnknown) }
}

/// Writes where an upload goes on.
pub(crate) fn location(repository: &RepositoryName, id: &UploadId) -> HeaderValue {
    header(format_args!("/v2/{repository}/blobs/uploads/{id}"))
}

/// Writes how much of an upload is there, as the position of its last byte. Of nothing there is no last byte;
/// clients take `0-0` for it.
pub(crate) fn received(size: u64) -> HeaderValue {
    header(format_args!("0-{}", size.saturating_sub(1)))
}

/// Adds a chunk to an upload, and returns its size then.
async fn take(
    repository: &Repository,
    id: &UploadId,
    chunk: http::Request<Body>,
    limits: &Limits,
) -> Result<u64, Error> {
    let (parts, body) = chunk.into_parts();
    let Some(range) = announced_range(&parts.headers)? else {
        let offset = size(repository, id).await?;
        body::check_size(&body, limits.blob_bytes_max.saturating_sub(offset))?;
        let stream = body::stream(body);
        let taken = repository.append_upload(id, offset, limits.blob_bytes_max, stream).await;
        return taken.map_err(|error| not_appended(error, repository));
    };
    if range.end > limits.blob_bytes_max {
        return Err(Error::TooLarge { limit: limits.blob_bytes_max });
    }
    let wrong_size = || Error::ChunkSize { announced: range.end - range.start };
    if body.size_hint().exact().is_some_and(|length| length != range.end - range.start) {
        return Err(wrong_size());
    }
    let size = match repository.append_upload(id, range.start, range.end, body::stream(body)).await {
        Err(wharf_store::Error::TooLarge { .. }) => return Err(wrong_size()),
        taken => taken.map_err(|error| not_appended(error, repository))?,
    };
    if size == range.end { Ok(size) } else { Err(wrong_size()) }
}

fn announced_range(headers: &HeaderMap) -> Result<Option<std::ops::Range<u64>>, Error> {
    let Some(value) = headers.get(CONTENT_RANGE) else { return Ok(None) };
    let range = value.to_str().ok().and_then(range::chunk).ok_or(Error::ContentRange)?;
    Ok(Some(range))
}

async fn size(repository: &Repository, id: &UploadId) -> Result<u64, Error> {
    repository.upload_size(id).await?.ok_or(Error::UploadUnknown)
}

fn not_appended(error: wharf_store::Error, repository: &Repository) -> Error {
    match error {
        wharf_store::Error::UploadOffset { id, expected, .. } => {
            Error::OutOfOrder { repository: repository.name().clone(), id, size: expected }
        }
        error => body::not_taken(error),
    }
}

fn session(status: StatusCode, repository: &Repository, id: &UploadId, size: u64) -> Response<Body> {
    let place = location(repository.name(), id);
    empty(status, [(LOCATION, place), (RANGE, received(size)), (DOCKER_UPLOAD_UUID, header(id))])
}

fn created(repository: &Repository, digest: &Digest) -> Response<Body> {
    let place = header(format_args!("/v2/{}/blobs/{digest}", repository.name()));
    empty(StatusCode::CREATED, [(LOCATION, place), (DOCKER_CONTENT_DIGEST, header(digest))])
}
