//! The errors of other crates that a cause holds.

use super::Cause;

impl Cause {
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
