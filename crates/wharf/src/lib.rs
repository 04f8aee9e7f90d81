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

mod add;
mod blocking;
mod build;
#[cfg(feature = "run")]
mod cache;
mod cause;
mod check;
mod compose;
mod convert;
mod copy;
mod delete;
mod deploy;
mod description;
mod destination;
mod diff;
mod encoding;
mod error;
mod extract;
mod facts;
mod fetch;
mod file_sink;
mod form;
mod get;
mod homes;
pub mod hub;
mod init;
mod input;
mod inspect;
mod locate;
mod location;
mod login;
mod newer;
mod outdated;
mod output;
mod pack;
mod package;
mod package_cache;
mod package_source;
mod packing;
mod pin;
mod place;
mod project;
mod provider;
mod publish;
mod published;
mod pull;
mod push;
mod remains;
mod remove;
mod resolution;
#[cfg(feature = "run")]
mod run;
mod surroundings;
mod tags;
mod thing;
mod tree;
mod update;
mod wasm_file;

pub use add::{AddOptions, AddOrigin, EditOutcome, InterfaceUse, KeptVersion, add};
pub use build::{BuildOptions, BuildOutcome, BuiltPackage, build};
#[cfg(feature = "run")]
pub use cache::{CacheOutcome, clear_cache, verify_cache};
#[cfg(feature = "run")]
pub use cause::RunFault;
pub use cause::{Cause, ComposeFault, DeployFault, EditFault, PackageFault, PinFault, Reason, Unfit};
pub use check::{CheckOptions, CheckOutcome, CheckedPackage, Standing, check};
pub use compose::{
    ComponentSource, ComposeOptions, ComposeOutcome, ComposedComponent, Composition, Connection, WacDocument, compose,
};
pub use convert::{Conversion, Losses};
pub use copy::{Clients, CopyOptions, CopyOutcome, Depth, copy};
pub use delete::{DeleteOutcome, delete};
pub use deploy::{
    DeployOptions, DeployOutcome, DeploySettings, DeployTarget, DnsLabel, InvalidDnsLabel, InvalidUpstream, Upstream,
    deploy,
};
pub use description::Description;
pub use diff::{DiffOptions, DiffOutcome, DiffSide, diff};
pub use error::Error;
pub use facts::{ProviderFacts, TargetFacts};
pub use fetch::{DepsForm, FetchOptions, FetchOutcome, FetchedPackage, fetch};
pub use form::Form;
pub use get::{FileState, GetAction, GetOptions, GetOutcome, PackageForm, get};
pub use homes::{Connect, Network};
pub use init::{InitOptions, InitOutcome, LeftOut, NewContent, NewPackage, init};
pub use inspect::{HostVerdict, InspectOptions, Inspection, Source, Target, Wit, inspect};
pub use locate::Choice;
pub use location::{Container, ImageName, InvalidLocation, LocalLocation, Location};
pub use login::{LoginOutcome, LogoutOutcome, login, logout};
pub use outdated::{OutdatedOutcome, PackageInUse, outdated};
pub use pack::{ExtraLayer, PackOptions, PackOutcome, pack};
pub use pin::{
    PinInput, PinMode, PinOptions, PinOutcome, PinnedFile, PinnedImage, SkipReason, SkippedImage, pin, pin_text,
};
pub use project::FileChange;
pub use provider::{Binary, Key, PackProviderOptions, PackProviderOutcome, pack_provider};
pub use publish::{
    BreakPolicy, Duplicates, PublishMode, PublishOptions, PublishOutcome, PublishStatus, PublishedPackage, Selection,
    publish,
};
pub use pull::{PullOptions, PullOutcome, pull};
pub use push::{PushOptions, PushOutcome, push};
pub use remove::{RemoveOptions, remove};
pub use resolution::{Locking, ProjectOptions, Sources};
#[cfg(feature = "run")]
pub use run::{Introduction, InvalidCall, Mode, Need, OpenInput, RunOptions, RunOutcome, RunWatcher, run};
pub use surroundings::Surroundings;
pub use tags::{TagOutcome, TagsOutcome, tag, tags};
pub use thing::Thing;
pub use tree::{Direction, PackageNode, PackageOrigin, TreeOptions, TreeOutcome, tree};
pub use update::{PinnedPackage, UpdateMode, UpdateOptions, UpdateOutcome, UpdatedPackage, update};

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
/// What a program is granted, how far it goes, and how it ended.
#[cfg(feature = "run")]
pub use wharf_run as running;
/// WIT: parsed, merged, and compared.
pub use wharf_wit as wit;
