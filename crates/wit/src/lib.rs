//! Parses, merges, prints and compares WIT, as text or in Wasm.
//!
//! ```text
//!   text files ──edit───> text files
//!              ──parse──┐
//!                       ├─> Document ──merge──> Resolved ──┬─tree───> wit/deps
//!   Wasm ──────decode───┘      │                           ├─print──> text
//!                              └─requirements              ├─encode─> Wasm
//!                                                          └─compare
//! ```
//!
//! A [`Document`] is one WIT package as it was read. Text only names the packages that it takes something from:
//! [`requirements`] lists them, and where they come from is for the caller to find out. [`merge`] puts the package and
//! the documents of what it needs together, and the [`Resolved`] package can be printed, encoded, compared, and laid
//! out as the folders that other tools expect below `wit/deps`.
//!
//! Text of a package can be [edited](edit) in place: statements are added and removed, versions changed, and all else
//! stays as somebody wrote it.
//!
//! This crate opens no file and no socket; it takes [limits] for what it is given, and what the parser
//! or the decoder cannot cope with is an error, not a panic. What is `@unstable` is read, merged and printed like all
//! else.
//!
//! ```
//! use wharf_wit::{Document, TextFile, merge, requirements};
//!
//! let parse = |label: &str, text: &str| {
//!     let file = TextFile { name: format!("{label}/world.wit"), text: text.to_owned() };
//!     Document::parse(label, vec![file])
//! };
//! let root = parse("wit", "package acme:app; world app { import acme:log/sink@0.1.0; }")?;
//! assert_eq!(requirements(&root, &[])[0].package.to_string(), "acme:log@0.1.0");
//!
//! let log = parse("log", "package acme:log@0.1.0; interface sink { put: func(line: string); }")?;
//! let resolved = merge(root, vec![log])?;
//! assert_eq!(resolved.tree()?[0].name, "acme-log-0.1.0");
//! assert_eq!(Document::decode("app.wasm", &resolved.encode()?)?.name().to_string(), "acme:app");
//! # Ok::<(), wharf_wit::Error>(())
//! ```

mod agreement;
mod bounds;
pub mod compare;
mod dependencies;
mod docs;
mod document;
pub mod edit;
mod encode;
mod error;
#[cfg(test)]
mod fixtures;
mod guard;
pub mod limits;
mod merge;
mod plan;
mod requirements;
mod tree;

pub use bounds::check as check_bounds;
pub use document::{Document, Form, TextFile};
pub use encode::Metadata;
pub use error::{Diagnostic, Error, Location, Refusal};
pub use merge::{Resolved, merge};
pub use requirements::{Requirement, requirements};
pub use tree::{Folder, folder_names};
pub use wit_parser::{PackageId, PackageName, Resolve, WorldId};
