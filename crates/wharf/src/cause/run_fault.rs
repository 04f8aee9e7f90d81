//! Why a program does not run.

use std::io;
use std::net::SocketAddr;

use wharf_artifact::{Kind, Role};

use crate::run::InvalidCall;

/// Why a program does not run; sorted by whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunFault {
    /// It is no program for Wharf.
    #[error("{}", not_runnable(*kind, *role))]
    NotRunnable {
        /// What it is.
        kind: Kind,
        /// What it is written to be.
        role: Option<Role>,
    },
    /// A provider was to be run.
    #[error("it is a provider archive of wasmCloud: native programs, which wasmCloud runs")]
    Provider,
    /// A handler was given arguments.
    #[error("it is a handler of HTTP, which takes no arguments")]
    HandlerArguments,
    /// It has no function that can be called.
    #[error("there is nothing to run in it: it exports no command, no handler and no function")]
    NothingToRun,
    /// A function was to be called, and the arguments are not what it takes.
    #[error(transparent)]
    Call(InvalidCall),
    /// It was to serve, and is no handler.
    #[error("it is no handler of HTTP: it exports neither `wasi:http/incoming-handler` nor `wasi:http/handler`")]
    NoHandler,
    /// It was stopped before it came to its end.
    #[error("it was interrupted")]
    Interrupted,
    /// The compiled code that is kept is out of reach.
    #[error(transparent)]
    Cache(wharf_run::CacheError),
    /// The engine does not take it.
    #[error(transparent)]
    Engine(#[from] wharf_run::Error),
    /// Nobody can be listened to there.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

fn not_runnable(kind: Kind, role: Option<Role>) -> String {
    match role {
        Some(role) => format!("it is a {role}, which {} run", role.hosts()),
        None => format!("it is a {kind}, in which there is nothing to run"),
    }
}
