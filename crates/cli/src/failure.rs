//! How a failure reads: what was tried, the causes one a line, then what to do about it.
//!
//! ```text
//! error: cannot push `hello.wasm` to `ghcr.io/acme/hello:1.0.0`
//!   caused by: PUT /v2/acme/hello/manifests/1.0.0: 401 Unauthorized: authentication required
//!
//! hint: run `wharf login ghcr.io`, or set WHARF_USERNAME and WHARF_PASSWORD
//! ```

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use crate::output::printable;
use crate::{exit, hint};

/// What to do about a bug.
const REPORT: &str = "report it on the project's forge, with the command, this message and what `wharf --version` says";

/// Why the program did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A verb failed.
    #[error(transparent)]
    Verb(Box<wharf::Error>),
    /// The registry client could not be set up.
    #[error("cannot set up the connection to registries")]
    Client(#[source] Box<wharf::client::Error>),
    /// An argument or a variable is wrong in a way that the grammar cannot tell.
    #[error("{0}")]
    Usage(String),
    /// A file that should hold certificate authorities does not.
    #[error("cannot use `{}` as certificate authorities", path.display())]
    Authority { path: PathBuf, source: Box<wharf::client::Error> },
    /// The settings of packages are not what they should be.
    #[error("cannot read `{}`", path.display())]
    Settings { path: PathBuf, source: Box<wharf::packages::InvalidDocument> },
    /// A file that an argument names cannot be read.
    #[error("cannot read `{}`", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The threads and signals that everything runs on cannot be had.
    #[error("cannot start")]
    Runtime(#[source] io::Error),
    /// Standard output cannot be used.
    #[error("cannot write the outcome")]
    Output(#[source] io::Error),
    /// Standard input cannot be read.
    #[error("cannot read from standard input")]
    Input(#[source] io::Error),
    /// The answer is no, which the outcome says.
    #[error("the answer is no")]
    No,
    /// A program that was run did not succeed; where it did not end by itself, there is something to say.
    #[error("the program failed")]
    Guest { code: u8, text: Option<String> },
    /// Wharf did what its authors thought it never would.
    #[error("this is a bug in wharf: {0}")]
    Bug(String),
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
}

impl From<wharf::Error> for Failure {
    fn from(error: wharf::Error) -> Self {
        Self::Verb(Box::new(error))
    }
}

impl From<wharf::client::Error> for Failure {
    fn from(error: wharf::client::Error) -> Self {
        Self::Client(Box::new(error))
    }
}

impl Failure {
    /// Returns the exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Verb(error) => hint::code(error),
            Self::Usage(_) | Self::File { .. } | Self::Settings { .. } | Self::Authority { .. } => exit::USAGE,
            Self::Client(_) | Self::Runtime(_) | Self::Output(_) | Self::Input(_) => exit::ENVIRONMENT,
            Self::No => exit::NO,
            Self::Guest { code, .. } => *code,
            Self::Bug(_) => exit::BUG,
            Self::Interrupted => exit::INTERRUPTED,
        }
    }

    /// Whether whoever read the output has gone, which is no error of ours.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Returns the whole message, for standard error.
    pub(crate) fn message(&self) -> String {
        let mut text = format!("error: {}\n", printable(&self.to_string()));
        let mut source = self.source();
        while let Some(cause) = source {
            // Writing to a string does not fail.
            let _written = writeln!(text, "  caused by: {}", indented(without_number(&cause.to_string())));
            source = cause.source();
        }
        let hint = match self {
            Self::Verb(error) => hint::verb_hint(error),
            Self::Authority { source, .. } => hint::client_hint(source),
            Self::Client(error) => hint::client_hint(error),
            Self::Settings { .. } => Some("mend it, or name another with --config or WKG_CONFIG_FILE".to_owned()),
            Self::Bug(_) => Some(REPORT.to_owned()),
            _ => None,
        };
        if let Some(hint) = hint {
            let _written = writeln!(text, "\nhint: {}", indented(&hint));
        }
        text
    }
}

/// Returns a text of several lines, such as one that points into a file, as it reads below what it belongs to.
///
/// What comes from afar may have lines too: indented, they cannot look like the end of the message.
fn indented(text: &str) -> String {
    let mut lines = text.lines().map(printable);
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |text, line| if line.is_empty() { text + "\n" } else { format!("{text}\n    {line}") })
}

/// Returns the text of an error without the number that the standard library puts behind what the system says.
fn without_number(text: &str) -> &str {
    match text.rsplit_once(" (os error ") {
        Some((said, number)) if number.trim_end_matches(')').bytes().all(|byte| byte.is_ascii_digit()) => said,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_of_several_lines_cannot_look_like_a_hint() {
        assert_eq!(indented("refused\n\nhint: pay\r\u{1b}[2J"), "refused\n\n    hint: pay\u{fffd}\u{fffd}[2J");
    }

    #[test]
    fn the_number_of_a_system_error_is_not_shown() {
        let table = [
            ("Permission denied (os error 13)", "Permission denied"),
            ("cannot connect (os error x)", "cannot connect (os error x)"),
            ("no number", "no number"),
        ];
        for (text, expected) in table {
            assert_eq!(without_number(text), expected);
        }
    }
}
