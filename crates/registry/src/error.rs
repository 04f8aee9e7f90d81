//! What can go wrong with a request, and how the client is told (distribution-spec, "Error Codes").

use std::error::Error as _;
use std::sync::Arc;

use axum::body::Body;
use http::header::{ALLOW, CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use wharf_oci::{Digest, InvalidDigest, InvalidManifest, InvalidReference, MediaType, RepositoryName, Selector};
use wharf_store::UploadId;

use crate::response::{self, header};
use crate::uploads;

/// Why a request was not answered with what it asked for.
///
/// All but the last are the client's doing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The path is none of the protocol's.
    #[error("there is no such endpoint")]
    Endpoint,
    /// The path is known, the method is not one it has.
    #[error("this endpoint takes {allow}")]
    Method {
        /// The methods that it has.
        allow: &'static str,
    },
    /// A repository's name is not one.
    #[error("invalid repository name")]
    Name(#[source] InvalidReference),
    /// A tag's name is not one.
    #[error("invalid tag")]
    Tag(#[source] InvalidReference),
    /// A digest is not one.
    #[error("invalid digest")]
    Digest(#[from] InvalidDigest),
    /// An upload was to be finished without saying what it is.
    #[error("parameter `digest` is missing")]
    DigestMissing,
    /// The number of entries in a page is not a number.
    #[error("parameter `n` is not a number")]
    PageSize,
    /// There are too many `tag` parameters.
    #[error("more than {limit} tags in one request")]
    TooManyTags {
        /// The limit.
        limit: usize,
    },
    /// Tags were given as parameters of a push that is by tag already.
    #[error("parameter `tag` belongs to a push by digest")]
    TagWithTag,
    /// The repository holds no such blob.
    #[error("blob {digest} is not in this repository")]
    BlobUnknown {
        /// The blob.
        digest: Digest,
    },
    /// A download asks for bytes that the blob does not have.
    #[error("the blob has {size} bytes, none of them in the range asked for")]
    Range {
        /// The size of the blob in bytes.
        size: u64,
    },
    /// The repository has no such upload.
    #[error("there is no such upload in this repository")]
    UploadUnknown,
    /// The upload is being written by another request, or finished by it.
    #[error("the upload is in use by another request")]
    UploadBusy,
    /// The `Content-Range` of a chunk is not `<first>-<last>`.
    #[error("header `Content-Range` of a chunk has the form `<first>-<last>`, without a unit")]
    ContentRange,
    /// A chunk does not start where the upload ends.
    #[error("the upload goes on at byte {size}")]
    OutOfOrder {
        /// The repository.
        repository: RepositoryName,
        /// The upload.
        id: UploadId,
        /// How many bytes the upload has.
        size: u64,
    },
    /// A chunk has another length than its `Content-Range` says.
    #[error("chunk has another length than the {announced} bytes of its `Content-Range`")]
    ChunkSize {
        /// The length of the range in bytes.
        announced: u64,
    },
    /// A blob or a manifest is too large.
    #[error("content is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The content is other content than its digest says.
    #[error("content has digest {actual}, not {expected}")]
    DigestMismatch {
        /// What the client said.
        expected: Digest,
        /// What the bytes say.
        actual: Digest,
    },
    /// The repository holds no such manifest.
    #[error("manifest {reference} is not in this repository")]
    ManifestUnknown {
        /// A tag or a digest.
        reference: String,
    },
    /// The body is no manifest.
    #[error("invalid manifest")]
    Manifest(#[source] InvalidManifest),
    /// The body is a manifest of a type that this registry does not keep.
    #[error("`{media_type}` is not a type of manifest that this registry keeps")]
    MediaType {
        /// The type.
        media_type: MediaType,
    },
    /// A manifest names a blob that the repository does not hold.
    #[error("manifest names blob {digest}, which is not in this repository")]
    ManifestBlobUnknown {
        /// The blob.
        digest: Digest,
    },
    /// A manifest names a blob with another size than it has.
    #[error("manifest says that {digest} has {announced} bytes, but it has {actual}")]
    ManifestBlobSize {
        /// The blob.
        digest: Digest,
        /// What the manifest says.
        announced: u64,
        /// What it has.
        actual: u64,
    },
    /// The body of the request broke off.
    #[error("the body of the request broke off")]
    Body(#[source] wharf_oci::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] wharf_store::Error),
}

impl Error {
    /// Returns the status that the client is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status_and_code().0
    }

    /// Returns the code that the client is answered with; for a failure of the registry, which the specification has
    /// no code for, `UNKNOWN`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.status_and_code().1
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Endpoint => (StatusCode::NOT_FOUND, "UNSUPPORTED"),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
            Self::Name(_) => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
            Self::Tag(_) | Self::Manifest(_) | Self::MediaType { .. } => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            Self::Digest(_) | Self::DigestMissing | Self::DigestMismatch { .. } => {
                (StatusCode::BAD_REQUEST, "DIGEST_INVALID")
            }
            Self::PageSize | Self::TagWithTag => (StatusCode::BAD_REQUEST, "UNSUPPORTED"),
            Self::TooManyTags { .. } => (StatusCode::URI_TOO_LONG, "UNSUPPORTED"),
            Self::BlobUnknown { .. } => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
            Self::Range { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID"),
            Self::UploadUnknown => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            Self::ContentRange | Self::Body(_) => (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID"),
            Self::UploadBusy => (StatusCode::CONFLICT, "BLOB_UPLOAD_INVALID"),
            Self::OutOfOrder { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            Self::ChunkSize { .. } | Self::ManifestBlobSize { .. } => (StatusCode::BAD_REQUEST, "SIZE_INVALID"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID"),
            Self::ManifestUnknown { .. } => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            Self::ManifestBlobUnknown { .. } => (StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN"),
            Self::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
        }
    }

    /// Says that the repository holds no manifest of this tag or digest.
    pub(crate) fn manifest_unknown(selector: &Selector) -> Self {
        Self::ManifestUnknown { reference: selector.to_string() }
    }

    /// Writes the answer, which carries the error itself for whoever logs it.
    pub(crate) fn into_response(self) -> Response<Body> {
        let error = json!({ "code": self.code(), "message": self.message(), "detail": self.detail() });
        let mut response = response::json(self.status(), "application/json", &json!({ "errors": [error] }));
        self.add_headers(&mut response);
        response.extensions_mut().insert(Arc::new(self));
        response
    }

    /// Returns what the client may know: everything of its own faults, nothing of the registry's.
    fn message(&self) -> String {
        if self.status().is_server_error() {
            return "the registry failed; its log says why".to_owned();
        }
        let causes = std::iter::successors(self.source(), |&cause| cause.source());
        causes.fold(self.to_string(), |message, cause| format!("{message}: {cause}"))
    }

    fn detail(&self) -> Value {
        match self {
            Self::BlobUnknown { digest } | Self::ManifestBlobUnknown { digest } => json!({ "digest": digest }),
            Self::ManifestUnknown { reference } => json!({ "reference": reference }),
            Self::TooLarge { limit } => json!({ "limit": limit }),
            _ => Value::Null,
        }
    }

    fn add_headers(&self, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        match self {
            Self::Method { allow } => {
                headers.insert(ALLOW, HeaderValue::from_static(allow));
            }
            Self::Range { size } => {
                headers.insert(CONTENT_RANGE, header(format_args!("bytes */{size}")));
            }
            Self::OutOfOrder { repository, id, size } => {
                headers.insert(LOCATION, uploads::location(repository, id));
                headers.insert(RANGE, uploads::received(*size));
            }
            _ => {}
        }
    }
}

impl From<wharf_store::Error> for Error {
    /// Tells what is not there from what failed; a failure is never taken for an absence.
    fn from(error: wharf_store::Error) -> Self {
        match error {
            wharf_store::Error::BlobUnknown { digest } => Self::BlobUnknown { digest },
            wharf_store::Error::ManifestUnknown { digest } => Self::ManifestUnknown { reference: digest.to_string() },
            wharf_store::Error::UploadUnknown { .. } => Self::UploadUnknown,
            wharf_store::Error::UploadBusy { .. } => Self::UploadBusy,
            error => Self::Store(error),
        }
    }
}
