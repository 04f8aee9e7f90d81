//! Exit codes, the same for every command.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done, or the answer is yes |
//! | 1 | the answer is no |
//! | 2 | the caller's mistake: arguments, input, a file in the way |
//! | 3 | a registry, the network, or this machine failed |
//! | 70 | a bug in Wharf |
//! | 130 | interrupted |
//!
//! `wharf run` ends with the code of the program; where that did not end by itself:
//!
//! | code | meaning |
//! |---|---|
//! | 124 | it ran out of time |
//! | 134 | it trapped, or reached another limit |

/// The answer is yes, or the work is done.
pub(crate) const SUCCESS: u8 = 0;
/// The answer is no.
pub(crate) const NO: u8 = 1;
/// The caller's mistake.
pub(crate) const USAGE: u8 = 2;
/// The registry, the network or this machine failed.
pub(crate) const ENVIRONMENT: u8 = 3;
/// A bug in Wharf.
pub(crate) const BUG: u8 = 70;
/// Interrupted by a signal, as shells count it.
pub(crate) const INTERRUPTED: u8 = 130;
/// A program ran out of time, as `timeout` says it.
pub(crate) const GUEST_TIMEOUT: u8 = 124;
/// A program trapped or reached a limit, as shells count an abort.
pub(crate) const GUEST_FAILED: u8 = 134;
