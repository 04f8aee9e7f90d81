//! What `fetch` brings, from where, with how many requests, and what it refuses.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod content;
mod deps;
mod homes;
mod requests;
mod setup;
mod versions;
mod wit;
