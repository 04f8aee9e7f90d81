//! Guests that run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cache;
mod call;
mod command;
mod folders;
mod guest;
mod guests;
mod http;
mod net;
mod serve;
mod setup;
mod timezone;
