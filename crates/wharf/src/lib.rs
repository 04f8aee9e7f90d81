//! Wharf as a library: one function for each verb of the command line, options in, outcome out.
//!
//! ```text
//!   push   file ──examine──> artifact ──copy──> repository
//!   pull   repository ──locate──> layer ──verify──> file
//!   copy   repository ──copy──> repository
//! ```
//!
//! Nothing here prints, reads the environment, or looks for a configuration file: all of that is an argument.
//! An outcome is plain data that serializes, so that text and JSON are rendered from the same value.
//!
//! ```no_run
//! use std::sync::Arc;
//! use wharf::client::{Client, ClientOptions};
//! use wharf::oci::{NoProgress, Progress};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ClientOptions::default())?;
//! let progress: Arc<dyn Progress> = Arc::new(NoProgress);
//! let options = wharf::PushOptions::new("hello.wasm", "localhost:5000/acme/hello:1.0.0".parse()?);
//! let pushed = wharf::push(&client, &options, &progress).await?;
//! assert!(pushed.reference.starts_with("localhost:5000/acme/hello@sha256:"));
//! # Ok(())
//! # }
//! ```

mod blocking;
mod copy;
mod delete;
mod error;
mod file_sink;
mod file_source;
pub mod hub;
mod inspect;
mod locate;
mod login;
mod pull;
mod push;
mod tags;
mod transfer;

pub use copy::{Clients, CopyOptions, CopyOutcome, Depth, copy};
pub use delete::{DeleteOutcome, delete};
pub use error::{Cause, Error};
pub use file_sink::Existing;
pub use inspect::{InspectOptions, Inspection, Source, Target, Wit, inspect};
pub use login::{LoginOutcome, LogoutOutcome, login, logout};
pub use pull::{PullOptions, PullOutcome, pull};
pub use push::{PushOptions, PushOutcome, push};
pub use tags::{TagOutcome, TagsOutcome, tag, tags};

/// What a Wasm artifact is.
pub use wharf_artifact as artifact;
/// The registry client, as the verbs take it.
pub use wharf_client as client;
/// The OCI model.
pub use wharf_oci as oci;
