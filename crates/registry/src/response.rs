//! The parts that answers have in common.

use std::fmt::Display;

use axum::body::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::Error;

/// What an endpoint comes to.
pub(crate) type Answer = Result<Response<Body>, Error>;

/// The digest of the content that an answer holds or speaks of.
pub(crate) const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// Makes a header of what was parsed before: names, digests, numbers, and paths made of them.
pub(crate) fn header(text: impl Display) -> HeaderValue {
    HeaderValue::try_from(text.to_string()).expect("names, digests and numbers are visible ASCII")
}

/// Answers without a body.
pub(crate) fn empty<const N: usize>(status: StatusCode, headers: [(HeaderName, HeaderValue); N]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    // 204 has no body by definition, and must not have this header (RFC 9110, section 8.6).
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    }
    response.headers_mut().extend(headers);
    response
}

/// Answers with JSON of the given type.
pub(crate) fn json(status: StatusCode, media_type: &'static str, document: &impl Serialize) -> Response<Body> {
    let bytes = serde_json::to_vec(document).expect("the document has no maps with other keys than strings");
    let length = HeaderValue::from(bytes.len());
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}
