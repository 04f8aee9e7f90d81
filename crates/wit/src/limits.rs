//! Every maximum that reading WIT holds to.
//!
//! | what | limit | why this number |
//! |---|---|---|
//! | bytes of the text of one package | 4 MiB | all of WASI takes 0.3 MB |
//! | files of one package | 1024 | the largest packages of WASI have some 10 |
//! | bytes of a WIT package in Wasm | 16 MiB | all of WASI takes 0.2 MB |
//! | bytes of a component | 1 GiB | as of any Wasm that Wharf takes; only types, imports and exports are kept |
//! | modules and components in a component | 1000 | as `wasmparser` takes them; composed ones have some dozens |
//! | bytes of types, imports, exports and docs in Wasm | 8 MiB | all of WASI takes 0.2 MB; in memory it is up to 100 times that |
//! | bytes of a name in Wasm | 256 | files and repositories end at 255; a million names may come of one |
//! | worlds of text, times all that worlds may have | 1,000,000 | each may come to have all; in WASI it is 1,300 |
//! | packages in one text or Wasm, or merged | 512 | the time grows with the square; places in all the text take 32 bits |

/// Bytes of the text of one package, all its files together.
pub const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Files of one package.
pub const FILES_MAX: usize = 1024;

/// Bytes of a WIT package in Wasm.
pub const PACKAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a component that WIT is decoded from.
pub const WASM_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Modules and components in a component, itself among them.
pub const MODULES_MAX: usize = 1000;

/// Bytes of all that is decoded of a component or a WIT package in Wasm: types, imports, exports and documentation.
pub const TYPES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of the name of an import, an export or a parameter in Wasm.
pub const NAME_BYTES_MAX: usize = 256;

/// Worlds in text, times all interfaces and all imports and exports of worlds, that are merged.
pub const WORLD_ITEMS_MAX: usize = 1_000_000;

/// Packages that one document holds, and packages that are merged.
pub const PACKAGES_MAX: usize = 512;
