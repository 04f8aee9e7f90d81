//! Every maximum that reading WIT holds to.
//!
//! | what | limit | why this number |
//! |---|---|---|
//! | bytes of the text of one package | 4 MiB | all of WASI takes 0.3 MB |
//! | files of one package | 1024 | the largest packages of WASI have some 10 |
//! | bytes of a WIT package in Wasm | 16 MiB | all of WASI takes 0.2 MB |
//! | bytes of a component | 1 GiB | as of any Wasm that Wharf takes; only types, imports and exports are kept |
//! | packages in one text or Wasm, or merged | 512 | the time grows with the square; places in all the text take 32 bits |

/// Bytes of the text of one package, all its files together.
pub const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Files of one package.
pub const FILES_MAX: usize = 1024;

/// Bytes of a WIT package in Wasm.
pub const PACKAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a component that WIT is decoded from.
pub const WASM_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Packages that one document holds, and packages that are merged.
pub const PACKAGES_MAX: usize = 512;
