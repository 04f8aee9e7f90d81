//! The command line as a person sees it: one file and one snapshot for each command, and one for each thing that goes
//! wrong under it: registries (`faults`), the way to them (`connections`), `disk`, `signals`, `streams`, `terminal`.
//!
//! A snapshot holds the exit code, standard output and standard error of a few commands, run in a home of their own.
//! `INSTA_UPDATE=always cargo test -p wharf-cli` writes them anew; read the difference before you commit it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod archives;
mod build;
mod cache;
mod check;
mod completions;
mod compose;
mod connections;
mod convert;
mod copy;
mod delete;
mod deploy;
mod diff;
mod disk;
mod editing;
mod faults;
mod fetch;
mod get;
mod hostile;
mod hub;
mod inspect;
mod login;
mod pack;
mod packages;
mod pin;
mod provider;
mod publish;
mod pull;
mod push;
mod regression;
mod run;
mod scene;
mod session;
mod signals;
mod streams;
mod tag;
mod tags;
mod terminal;
mod tls;
mod wash;
