//! The errors of other crates that a cause holds, and of the system.

use std::io;
use std::path::Path;

use super::{Cause, ComposeFault};

impl Cause {
    /// Names the operation and the file in an I/O error.
    pub(crate) fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { operation, path: path.to_owned(), source }
    }

    /// Returns the error of a layout or an archive, wherever it is wrapped.
    #[must_use]
    pub fn archive(&self) -> Option<&wharf_archive::Error> {
        match self {
            Self::Archive(error) => Some(error),
            Self::Content(error) => error.medium_ref(),
            _ => None,
        }
    }

    /// Returns the registry client's error, wherever it is wrapped.
    #[must_use]
    pub fn client(&self) -> Option<&wharf_client::Error> {
        match self {
            Self::Client(error) => Some(error),
            Self::Content(error) => error.medium_ref(),
            _ => None,
        }
    }
}

impl From<wharf_archive::Error> for Cause {
    fn from(error: wharf_archive::Error) -> Self {
        match error {
            // What holds the content says it no better than the content.
            wharf_archive::Error::Content(error) => Self::Content(error),
            error => Self::Archive(error),
        }
    }
}

impl From<ComposeFault> for Cause {
    fn from(fault: ComposeFault) -> Self {
        Self::ComposeFault(Box::new(fault))
    }
}
