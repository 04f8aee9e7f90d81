//! The OCI model, four small traits over content, and the one engine that moves it.
//!
//! An artifact is a rooted graph of content-addressed blobs: a [`Manifest`] names its children by
//! [`Descriptor`] (media type, digest, size), down to blobs that name nothing.
//!
//! ```text
//!   tag ──> index ──> manifest ──> config
//!                        │    └──> layer …
//!                        └──> manifest …
//! ```
//!
//! Whatever holds such graphs (memory, a disk, a registry, an archive) implements [`Fetch`], [`Push`],
//! [`Resolve`] and [`Tag`], and [`copy`] moves a graph from any of them to any other. That is what push, pull,
//! mirror, save and load are.
//!
//! This crate opens no file and no socket, and knows nothing of Wasm.
//!
//! ```
//! use std::sync::Arc;
//! use wharf_oci::{
//!     CopyOptions, Digest, ImageManifest, Manifest, MediaType, MemoryStore, NoProgress, Progress, copy,
//! };
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let source = MemoryStore::new();
//! let config = source.insert(MediaType::from("application/json"), "{}");
//! let layer = source.insert(MediaType::from("text/plain"), "hello");
//! let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer])).unwrap();
//!
//! let sink = MemoryStore::new();
//! let progress: Arc<dyn Progress> = Arc::new(NoProgress);
//! copy(&source, &sink, &manifest, &CopyOptions::default(), &progress).await.unwrap();
//! assert!(sink.read(&Digest::sha256(b"hello")).is_some());
//! # });
//! ```

mod content;
mod copy;
mod descriptor;
mod digest;
mod error;
mod hashing;
pub mod json;
pub mod limits;
mod manifest;
mod media_type;
mod memory;
mod reference;
mod verify;

pub use content::{ByteStream, Fetch, Origin, Push, Referrers, Resolve, Tag, Transfer, fetch_manifest, fetch_verified};
pub use copy::{CopyOptions, CopySummary, NoProgress, Progress, Watched, copy};
pub use descriptor::{Annotations, Descriptor, Platform};
pub use digest::{Algorithm, Digest, Hasher, InvalidDigest};
pub use error::{Error, Medium};
pub use hashing::{Hashed, Hashing};
pub use manifest::{ArtifactManifest, Document, ImageIndex, ImageManifest, InvalidManifest, Manifest};
pub use media_type::MediaType;
pub use memory::MemoryStore;
pub use reference::{InvalidReference, Reference, Registry, RepositoryName, Selector, TagName};
pub use verify::{Verifier, verified};
