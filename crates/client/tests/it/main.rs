//! The client against scripted servers: what it sends, and what it makes of every answer and fault.

// Each module is marked as a test for the lints that allow more in tests.
#[cfg(test)]
mod authentication;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod pull;
#[cfg(test)]
mod push;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod well_known;
