//! What tests stand on: a registry in this process, a server that plays a script of faults, and small binaries.
//!
//! - [`registry::TestRegistry`] is the real registry on a loopback port, with a log of what passed.
//! - [`script`] plays prepared answers, right and wrong, down to a connection that breaks at a certain byte.
//! - [`fixtures`] makes components, modules and WIT packages.
//! - [`guests`] makes components of the WIT of their world.
//! - [`packing`] makes tar, gzip and zstd.
//! - [`specimens`](specimens::specimens) makes an artifact of every dialect of Wasm in OCI.
//!
//! Only development dependencies name this crate.

pub mod fixtures;
pub mod guests;
pub mod packing;
pub mod registry;
pub mod script;
pub mod specimens;
