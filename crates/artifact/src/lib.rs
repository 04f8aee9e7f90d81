//! What a Wasm artifact is: bytes, and the manifests that carry them.
//!
//! ```text
//!   bytes ──examine──> Wasm ──cncf::build──> manifest ─┬─ config   application/vnd.wasm.config.v0+json
//!                                                      └─ layer    application/wasm
//!   index ──dialect::select──> descriptor of a manifest
//!   manifest ──dialect::classify──> where the Wasm bytes are
//! ```
//!
//! Media types say where to look; bytes decide what a thing is. [`examine`] tells a core module, a component and a
//! WIT package apart, finds what is cut short or corrupt, and names what is imported and exported; it reads its input
//! once and keeps little of it. [`cncf`] writes and reads the CNCF's "Wasm OCI Artifact layout". [`dialect`] finds
//! the Wasm bytes below a manifest, whoever wrote it.
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
//! let artifact = cncf::build(&wasm, &cncf::BuildOptions::default()).unwrap();
//! assert_eq!(artifact.layer.digest, wasm.digest);
//! ```

pub mod cncf;
pub mod dialect;
pub mod limits;
mod wasm;

pub use wasm::{
    Defect, InvalidWasm, Kind, Metadata, Packing, Producer, UndecodableWit, Wasi, Wasm, examine, wasi_of_interfaces,
    world_wit,
};
