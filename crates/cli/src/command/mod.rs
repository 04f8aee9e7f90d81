//! One file for each command: its arguments, the one library call, and how the outcome reads as text.

pub(crate) mod add;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod deploy;
pub(crate) mod diff;
pub(crate) mod fetch;
pub(crate) mod get;
pub(crate) mod hub;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod outdated;
pub(crate) mod pack;
pub(crate) mod provider;
pub(crate) mod publish;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod remove;
pub(crate) mod tag;
pub(crate) mod tags;
pub(crate) mod tree;
pub(crate) mod update;
