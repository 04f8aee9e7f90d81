//! What can go wrong with credential files and helpers.

use std::io;
use std::time::Duration;

/// Why a file with credentials cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialFileFault {
    /// It cannot be read or written.
    #[error("it cannot be read or written")]
    Io(#[source] io::Error),
    /// It is larger than [`CREDENTIAL_FILE_BYTES_MAX`](crate::limits::CREDENTIAL_FILE_BYTES_MAX).
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// It is not the JSON of such a file. The place is given, not the text, which holds secrets.
    #[error("it is not the JSON expected, at line {line}, column {column}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is not TOML. The place is given, not the text, which may hold secrets.
    #[error("it is not TOML, at line {line}")]
    Toml {
        /// The line, from 1.
        line: usize,
    },
    /// It is a folder or a device.
    #[error("it is not a file")]
    NoFile,
    /// Its `auths`, `credHelpers` or `credsStore` have another form than Docker gives them.
    #[error("its `auths`, `credHelpers` or `credsStore` do not have the form that Docker gives them")]
    Form,
    /// The `auth` of an entry is not `user:password` in base64.
    #[error("the `auth` of `{key}` is not `user:password` in base64")]
    Auth {
        /// The key of the entry.
        key: String,
    },
    /// The `credentials` in the `[registry]` of a `wasmcloud.toml` are not the path of a file.
    #[error("the `credentials` in its `[registry]` are not the path of a file")]
    WashPath,
    /// An entry of a file that a `wasmcloud.toml` names is none that `wash` reads.
    #[error("the entry of `{key}` does not have a `username` with a `password`, or a `token`")]
    WashEntry {
        /// The key of the entry.
        key: String,
    },
}

/// Why a credential helper cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelperFault {
    /// The name would make a path.
    #[error("its name has other characters than letters, digits, `-`, `_` and `.`")]
    Name,
    /// The program is in none of the directories.
    #[error("it is not installed")]
    NotInstalled,
    /// It cannot be run.
    #[error("it cannot be run")]
    Io(#[source] io::Error),
    /// It took too long.
    #[error("it did not end within {} seconds", .limit.as_secs())]
    TimedOut {
        /// How long was waited.
        limit: Duration,
    },
    /// It answered more than [`HELPER_BYTES_MAX`](crate::limits::HELPER_BYTES_MAX).
    #[error("it answered more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// It ended with an error.
    #[error("it failed: {message}")]
    Failed {
        /// The first line of what it says.
        message: String,
    },
    /// Its answer is not the JSON expected.
    #[error("its answer is not the JSON expected")]
    Answer,
    /// It keeps names and passwords, and no access tokens.
    #[error("it cannot keep an access token")]
    AccessToken,
}
