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
//! let surroundings = wharf::Surroundings { scratch: std::env::temp_dir(), now: 1_800_000_000 };
//! let to: wharf::Location = "localhost:5000/acme/hello:1.0.0".parse()?;
//! let options = wharf::PushOptions::new("hello.wasm", to, surroundings);
//! let pushed = wharf::push(&client, &options, &progress).await?;
//! assert!(pushed.reference.starts_with("localhost:5000/acme/hello@sha256:"));
//! # Ok(())
//! # }
//! ```

mod blocking;
mod cause;
mod convert;
mod copy;
mod delete;
mod deploy;
mod deps_folder;
mod description;
mod destination;
mod diff;
mod error;
mod extract;
mod facts;
mod fetch;
mod file_sink;
mod form;
mod homes;
pub mod hub;
mod input;
mod inspect;
mod locate;
mod location;
mod login;
mod pack;
mod package;
mod package_cache;
mod package_source;
mod packing;
mod place;
mod project_files;
mod provider;
mod pull;
mod push;
mod remains;
mod surroundings;
mod tags;
mod thing;
mod wasm_file;
mod wit_folder;

pub use cause::Cause;
pub use convert::{Conversion, Losses};
pub use copy::{Clients, CopyOptions, CopyOutcome, Depth, copy};
pub use delete::{DeleteOutcome, delete};
pub use deploy::{DeployOptions, DeployOutcome, DeployTarget, InvalidUpstream, Upstream, deploy};
pub use description::Description;
pub use diff::{DiffOptions, DiffOutcome, DiffSide, diff};
pub use error::Error;
pub use facts::{ProviderFacts, TargetFacts};
pub use fetch::{DepsForm, FetchOptions, FetchOutcome, FetchedPackage, Locking, fetch};
pub use form::Form;
pub use homes::{Connect, Network};
pub use inspect::{HostVerdict, InspectOptions, Inspection, Source, Target, Wit, inspect};
pub use locate::Choice;
pub use location::{Container, ImageName, InvalidLocation, LocalLocation, Location};
pub use login::{LoginOutcome, LogoutOutcome, login, logout};
pub use pack::{ExtraLayer, PackOptions, PackOutcome, pack};
pub use provider::{Binary, Key, PackProviderOptions, PackProviderOutcome, pack_provider};
pub use pull::{PullOptions, PullOutcome, pull};
pub use push::{PushOptions, PushOutcome, push};
pub use surroundings::Surroundings;
pub use tags::{TagOutcome, TagsOutcome, tag, tags};
pub use thing::Thing;

/// Names, versions and homes of packages.
pub use wharf_package as packages;

/// Layouts and archives.
pub use wharf_archive as archive;
/// What to do with a file that is there already.
pub use wharf_archive::Existing;
/// What a Wasm artifact is.
pub use wharf_artifact as artifact;
/// The registry client, as the verbs take it.
pub use wharf_client as client;
/// The OCI model.
pub use wharf_oci as oci;
/// WIT: parsed, merged, and compared.
pub use wharf_wit as wit;
