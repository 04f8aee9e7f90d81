//! Why a task could not run, which is another thing than a task that found something wrong.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a task could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// A file is not Rust, so that none of the rules can be checked on it.
    #[error("cannot parse {path}:{line} as Rust")]
    Syntax {
        /// Where the file is in the repository.
        path: String,
        /// Where the parser stopped.
        line: usize,
        source: syn::Error,
    },
    /// Cargo does not know its own workspace.
    #[error("cannot read the workspace through `cargo metadata`")]
    Metadata(#[source] cargo_metadata::Error),
    /// A file or a directory cannot be read or written.
    #[error("cannot use {path}")]
    File { path: PathBuf, source: std::io::Error },
    /// A program is not there, or not to be run.
    #[error("cannot start {program}")]
    Start { program: String, source: std::io::Error },
    /// A program that has to succeed did not.
    #[error("{command} ended with {status}: {stderr}")]
    Exit {
        command: String,
        status: ExitStatus,
        /// The end of what it said.
        stderr: String,
    },
    /// A program did not end in time.
    #[error("{command} did not end within {limit_seconds} s")]
    Late { command: String, limit_seconds: u64 },
}

/// Renders an error and what caused it, in one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_every_cause_once() {
        let source = std::io::Error::other("no such thing");
        let error = Error::Start { program: "wharf".to_owned(), source };
        assert_eq!(chain(&error), "cannot start wharf: no such thing");
    }
}
