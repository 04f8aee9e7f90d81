//! Calls into the parser, the decoder and the printer, which assert what they expect.

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Refusal;

/// Runs `work` of `wit-parser` or `wit-component`, on a value that is dropped where it fails.
///
/// They assert what holds for the text and the encodings that they know; with others, though they are valid, such an
/// assertion can fail. That is a property of the input, and must not take down who asked.
///
/// # Errors
/// What `work` refuses, or that it did not return.
pub(crate) fn guard<T, E: Into<Box<dyn StdError + Send + Sync>>>(
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, Refusal> {
    returned(work)?.map_err(Refusal::new)
}

/// Runs `work` as [`guard`] does, and leaves what it returns as it is.
///
/// # Errors
/// That it did not return.
pub(crate) fn returned<T>(work: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Refusal::new(Unexpected))
}

#[derive(Debug, thiserror::Error)]
#[error("it is built in a way that the parser does not expect")]
struct Unexpected;
