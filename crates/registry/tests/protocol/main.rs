//! The registry, asked as clients and as the conformance suite of the distribution specification ask it.
//!
//! Each test is one rule. What holds for content holds for content of every digest algorithm.

mod deletion;
mod discovery;
mod failures;
mod hub;
mod manifests;
mod pull;
mod push;
