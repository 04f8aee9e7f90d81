//! WIT packages: each verb on projects in folders of their own, and packages in registries on this machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod add;
mod build;
mod check;
mod compose;
mod fetch;
mod get;
mod init;
mod outdated;
mod publish;
mod remove;
mod setup;
mod tree;
mod update;
