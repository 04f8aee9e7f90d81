//! Runs WebAssembly: commands, HTTP handlers, and single functions, of core modules and of components.
//!
//! ```text
//! bytes ─compile─> Code ─keep─> CodeCache: NAME.code, NAME.seal        a second run maps the file, and compiles nothing
//!                    │
//!                    ├─ Program::Command    WASI 0.1, 0.2, 0.3         command(…) ─> Outcome
//!                    ├─ Program::Handler    wasi:http 0.2, 0.3         serve(…)
//!                    └─ Program::Functions  any export                 call(…) ─> values
//!
//! Grants   what the guest may reach: folders, environment, network; nothing of it by default
//! Limits   how far it may go: memory, time, fuel, tables, instances, output
//! ```
//!
//! The engine is Wasmtime, and nothing of its types shows. This crate knows nothing of files that hold Wasm, of registries
//! or packages: it is given bytes and their digest.

mod attempt;
mod cache;
pub mod call;
mod code;
mod command;
mod denied;
mod engine;
mod error;
mod grants;
mod guard;
mod host;
mod http_out;
mod limits;
mod linker;
mod missing;
mod names;
mod net;
mod outcome;
mod program;
mod serve;
mod stdio;
mod timezone;

pub use cache::{
    CacheError, CacheFolders, CodeCache, Discarded, Flaw, Kept, Lookup, MemoKey, Tally, Verified, WasmDigest,
};
pub use call::call;
pub use code::Code;
pub use command::command;
pub use denied::Denied;
pub use engine::{Allocation, EngineOptions, Runtime};
pub use error::Error;
pub use grants::{Access, Folder, Grants, InvalidGrant};
pub use limits::Limits;
pub use missing::MissingImport;
pub use net::{HttpRule, Network, Rule};
pub use outcome::{Ended, Frame, Outcome, Stop, Trap};
pub use program::{Program, Wasi};
pub use serve::{Watcher, serve};
pub use stdio::{Input, Output, Stdio};

/// One run of a guest.
#[derive(Debug)]
pub struct Invocation {
    /// Its arguments, the name of the program first.
    pub arguments: Vec<String>,
    /// What it may reach.
    pub grants: Grants,
    /// How far it may go.
    pub limits: Limits,
    /// Where it reads and writes.
    pub stdio: Stdio,
}
