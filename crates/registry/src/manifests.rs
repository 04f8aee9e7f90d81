//! Manifests: pushed, pulled and deleted, by tag and by digest.

use std::collections::BTreeSet;

use axum::body::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use wharf_oci::limits::MANIFEST_BYTES_MAX;
use wharf_oci::{Algorithm, Descriptor, Digest, Document, Manifest, MediaType, Selector, TagName};
use wharf_store::Repository;

use crate::response::{Answer, DOCKER_CONTENT_DIGEST, empty, header};
use crate::{Error, Limits, body};

const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");

/// Tells the type, the size and the digest of a manifest.
pub(crate) async fn inspect(repository: &Repository, selector: &Selector) -> Answer {
    let descriptor = repository.manifest_descriptor(selector).await?;
    Ok(content(Body::empty(), &descriptor.ok_or_else(|| Error::manifest_unknown(selector))?))
}

/// Gives a manifest, byte for byte as it was pushed.
pub(crate) async fn read(repository: &Repository, selector: &Selector) -> Answer {
    let found = repository.manifest_bytes(selector).await?;
    let (descriptor, bytes) = found.ok_or_else(|| Error::manifest_unknown(selector))?;
    Ok(content(Body::from(bytes), &descriptor))
}

fn content(body: Body, descriptor: &Descriptor) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().extend([
        (CONTENT_TYPE, content_type(&descriptor.media_type)),
        (CONTENT_LENGTH, HeaderValue::from(descriptor.size)),
        (DOCKER_CONTENT_DIGEST, header(&descriptor.digest)),
    ]);
    response
}

/// Names the type of a manifest; a stranger who wrote it must not be free to choose what browsers make of it.
fn content_type(media_type: &MediaType) -> HeaderValue {
    if media_type.is_manifest() { header(media_type) } else { HeaderValue::from_static("application/octet-stream") }
}

/// Stores a manifest, and points the tags at it.
pub(crate) async fn put(
    repository: &Repository,
    (selector, tags): (&Selector, &[TagName]),
    request: http::Request<Body>,
    limits: &Limits,
) -> Answer {
    let tags = tags_to_put(selector, tags, limits)?;
    let (parts, body) = request.into_parts();
    let manifest = parse(selector, &parts.headers, body, limits).await?;
    check_blobs(repository, &manifest).await?;
    repository.put_manifest(&manifest).await?;
    if !tags.is_empty() {
        repository.put_tags(tags, manifest.digest()).await?;
    }
    Ok(created(repository, &manifest, if matches!(selector, Selector::Tag(_)) { &[] } else { tags }))
}

/// Deletes a tag, or a manifest with all tags that point at it.
pub(crate) async fn delete(repository: &Repository, selector: &Selector) -> Answer {
    let is_deleted = match selector {
        Selector::Tag(tag) => repository.delete_tag(tag).await?,
        Selector::Digest(digest) => repository.delete_manifest(digest).await?,
    };
    if is_deleted { Ok(empty(StatusCode::ACCEPTED, [])) } else { Err(Error::manifest_unknown(selector)) }
}

/// Says which tags a push is to set: the one in its path, else those in its parameters.
fn tags_to_put<'a>(selector: &'a Selector, tags: &'a [TagName], limits: &Limits) -> Result<&'a [TagName], Error> {
    match selector {
        Selector::Tag(_) if !tags.is_empty() => Err(Error::TagWithTag),
        Selector::Tag(tag) => Ok(std::slice::from_ref(tag)),
        Selector::Digest(_) if tags.len() > limits.tags_max => Err(Error::TooManyTags { limit: limits.tags_max }),
        Selector::Digest(_) => Ok(tags),
    }
}

/// Reads the manifest that a request holds, and compares it with what the request says of it.
async fn parse(selector: &Selector, headers: &HeaderMap, body: Body, limits: &Limits) -> Result<Manifest, Error> {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(MediaType::from_content_type);
    let algorithm = match selector {
        Selector::Tag(_) => Algorithm::Sha256,
        Selector::Digest(digest) => digest.algorithm(),
    };
    let bytes = body::read(body, limits.manifest_bytes_max.min(MANIFEST_BYTES_MAX)).await?;
    let manifest = Manifest::parse_as(bytes, declared.as_ref(), algorithm).map_err(Error::Manifest)?;
    if let Selector::Digest(expected) = selector
        && expected != manifest.digest()
    {
        return Err(Error::DigestMismatch { expected: expected.clone(), actual: manifest.digest().clone() });
    }
    if !manifest.media_type().is_manifest() {
        return Err(Error::MediaType { media_type: manifest.media_type().clone() });
    }
    Ok(manifest)
}

/// Refuses the manifest of an artifact that could not be pulled whole.
///
/// An index may name manifests that are not there: one that was copied for some of its platforms only is of use.
/// So may any manifest as its subject (distribution-spec, "Push").
async fn check_blobs(repository: &Repository, manifest: &Manifest) -> Result<(), Error> {
    if matches!(manifest.document(), Document::Index(_)) {
        return Ok(());
    }
    let kept = manifest.children().filter(|child| child.media_type.is_distributable());
    // The same layer may stand in a manifest many times.
    let named: BTreeSet<(&Digest, u64)> = kept.map(|child| (&child.digest, child.size)).collect();
    for (digest, announced) in named {
        match repository.blob_size(digest).await? {
            None => return Err(Error::ManifestBlobUnknown { digest: digest.clone() }),
            Some(actual) if actual != announced => {
                return Err(Error::ManifestBlobSize { digest: digest.clone(), announced, actual });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn created(repository: &Repository, manifest: &Manifest, tags: &[TagName]) -> Response<Body> {
    let digest = manifest.digest();
    let place = header(format_args!("/v2/{}/manifests/{digest}", repository.name()));
    let mut response = empty(StatusCode::CREATED, [(LOCATION, place), (DOCKER_CONTENT_DIGEST, header(digest))]);
    if let Some(subject) = manifest.subject() {
        response.headers_mut().insert(OCI_SUBJECT, header(&subject.digest));
    }
    if !tags.is_empty() {
        // One header for all: many clients read no more than 100.
        let tags: Vec<&str> = tags.iter().map(TagName::as_str).collect();
        response.headers_mut().insert(OCI_TAG, header(tags.join(", ")));
    }
    response
}
