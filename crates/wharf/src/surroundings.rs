//! What a verb has to be told of the machine it runs on.

use std::path::PathBuf;

/// What a verb has to be told of the machine it runs on: nothing of it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The folder for temporary files.
    pub scratch: PathBuf,
    /// The time in seconds since 1970, at which the claims of a provider have to hold.
    pub now: u64,
}
