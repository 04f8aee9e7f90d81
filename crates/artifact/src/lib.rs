//! What a Wasm artifact is: bytes, and the manifests that carry them.
//!
//! ```text
//!   bytes ──examine──> Wasm ──cncf::build──> manifest ─┬─ config   application/vnd.wasm.config.v0+json
//!                        │                             └─ layer    application/wasm
//!                        └──{runwasi,container,istio}::build──> manifests of images and filters
//!   index ──dialect::select──> descriptor of a manifest
//!   manifest ──dialect::classify──> where the Wasm bytes are ──search::Search──> a file in a layer
//!   what was read ──hosts::verdicts──> which hosts take it
//! ```
//!
//! Media types say where to look; bytes decide what a thing is. [`examine`] tells a core module, a component and a
//! WIT package apart, finds what is cut short or corrupt, and names what is imported and exported; it reads its input
//! once and keeps little of it. [`cncf`] writes and reads the CNCF's "Wasm OCI Artifact layout"; [`runwasi`],
//! [`container`] and [`istio`] write what other hosts want, and [`provider`] wasmCloud's archives. [`dialect`] finds
//! the Wasm bytes below a manifest, whoever wrote it; [`search`] looks for them in the layers of images and archives,
//! and [`hosts`] tells who takes the artifact as it is.
//!
//! All of it is pure functions on bytes and on [`std::io::Read`]: this crate opens no file and no socket. It does
//! not validate instructions or types (an engine does that before it runs anything), and it never runs or compiles
//! what it reads.
//!
//! ```
//! use std::io::Cursor;
//! use wharf_artifact::{Kind, cncf, examine};
//!
//! let wasm = examine(&mut Cursor::new(b"\0asm\x01\0\0\0")).unwrap();
//! assert_eq!(wasm.kind, Kind::Module);
//! let built = cncf::build(&wasm, &cncf::BuildOptions::default()).unwrap();
//! assert!(built.manifest.children().any(|child| child.digest == wasm.digest));
//! ```

mod built;
pub mod cncf;
pub mod container;
pub mod dialect;
mod document;
#[cfg(test)]
mod fixtures;
pub mod hosts;
mod image;
mod image_config;
pub mod istio;
pub mod limits;
pub mod provider;
mod role;
pub mod runwasi;
pub mod search;
mod text;
mod wasm;

pub use built::{Built, InvalidBuild, Layer, created_seconds};
pub use document::InvalidDocument;
pub use image::{Content, Entrypoint, ImageOptions, LayerFile, ManifestFormat};
pub use image_config::{ExecutionConfig, ImageConfig, RootFs};
pub use role::{Abi, Role};
pub use text::{InvalidText, from_text, is_text};
pub use wasm::{
    Defect, InvalidWasm, Kind, Marker, Metadata, NativeFormat, Packing, Producer, UndecodableWit, Wasi, Wasm, examine,
    wasi_of_interfaces, world_wit,
};
