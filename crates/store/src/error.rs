//! What can go wrong with the store.

use std::io;
use std::path::PathBuf;

use wharf_oci::Digest;

use crate::UploadId;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such blob in this repository.
    #[error("blob {digest} not found")]
    BlobUnknown {
        /// The blob.
        digest: Digest,
    },
    /// There is no such manifest in this repository.
    #[error("manifest {digest} not found")]
    ManifestUnknown {
        /// The manifest.
        digest: Digest,
    },
    /// There is no such upload in this repository; it was finished, cancelled, or never started.
    #[error("upload {id} not found")]
    UploadUnknown {
        /// The upload.
        id: UploadId,
    },
    /// The bytes do not start where the upload ends.
    #[error("upload {id} goes on at byte {expected}, not at {actual}")]
    UploadOffset {
        /// The upload.
        id: UploadId,
        /// How many bytes the upload has.
        expected: u64,
        /// The offset that was given.
        actual: u64,
    },
    /// The upload is being written, or has all its bytes and waits to be finished.
    #[error("upload {id} is in use by another request")]
    UploadBusy {
        /// The upload.
        id: UploadId,
    },
    /// There came more bytes than the caller allowed.
    #[error("content is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The content is not what its name says, or its source failed.
    #[error(transparent)]
    Content(#[from] wharf_oci::Error),
    /// The store was written by a program that this one does not know.
    #[error("store at {path} has format version {version}, which this program does not know")]
    Format {
        /// The root of the store.
        path: PathBuf,
        /// The version that it says it has.
        version: u64,
    },
    /// The operating system refused a file operation.
    #[error("cannot {operation} {path}")]
    File {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the store is not the JSON it should be.
    #[error("cannot read {path} as JSON")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The runtime was shut down before the work was done.
    #[error("store operation was cut off by the end of the runtime")]
    Stopped,
}

impl From<Error> for wharf_oci::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Content(error) => error,
            Error::BlobUnknown { digest } => Self::NotFound { what: format!("blob {digest}") },
            Error::ManifestUnknown { digest } => Self::NotFound { what: format!("manifest {digest}") },
            error => Self::medium(error),
        }
    }
}
