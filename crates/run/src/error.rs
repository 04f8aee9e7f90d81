//! What can go wrong before a guest runs, or beside it.

use crate::MissingImport;

/// A run that did not come about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine does not start on this machine.
    #[error("cannot start the engine")]
    Engine {
        /// Why.
        #[source]
        source: EngineError,
    },
    /// The binary is not valid, or uses what the engine does not have.
    #[error("cannot compile the Wasm")]
    Compile {
        /// Why.
        #[source]
        source: EngineError,
    },
    /// The guest does not fit the host, or its start failed.
    #[error("cannot instantiate the Wasm")]
    Instantiate {
        /// Why.
        #[source]
        source: EngineError,
    },
    /// A folder cannot be granted.
    #[error("cannot open the folder `{host}` for `--dir`")]
    Folder {
        /// The folder of this machine.
        host: String,
        /// Why.
        #[source]
        source: EngineError,
    },
    /// The program is no command.
    #[error("it is no command")]
    NotCommand,
    /// The program answers no HTTP requests.
    #[error("it is no handler of HTTP")]
    NotHandler,
    /// The guest has no such function.
    #[error("it does not export `{name}`")]
    NoExport {
        /// The function, with its interface.
        name: String,
    },
    /// The guest imports what nobody here provides.
    #[error("it imports what Wharf does not have: {}", list(missing))]
    Missing {
        /// What is missing, each with the reason.
        missing: Vec<MissingImport>,
    },
}

impl Error {
    pub(crate) fn instantiate(source: wasmtime::Error) -> Self {
        Self::Instantiate { source: source.into() }
    }
}

fn list(missing: &[MissingImport]) -> String {
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    missing.join(", ")
}

/// What the engine says, with all its causes in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EngineError(String);

impl From<wasmtime::Error> for EngineError {
    fn from(error: wasmtime::Error) -> Self {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        Self(causes.join(": "))
    }
}
