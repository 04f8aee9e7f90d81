//! Every maximum that reading an artifact holds to.
//!
//! | what | limit | why this number |
//! |---|---|---|
//! | bytes of a section that is read | 16 MiB | the types, imports and tables of the largest engines take a tenth of it |
//! | bytes of all import and export names | 16 MiB | they are kept; C++ main modules export some 5 MB of names |
//! | components nested in components | 64 | each composition adds one level |
//! | bytes of a WIT package | 16 MiB | all of WASI takes 0.2 MB |
//! | bytes of a metadata section | 64 KiB | it holds one line of text, or a list of tools |
//! | bytes of a config | 4 MiB | as of the manifest that names it |
//! | bytes of WebAssembly text | 64 MiB | it is assembled in memory; people write some KB of it by hand |
//! | layers that are searched for Wasm | 512 | overlay file systems stop at 500 |
//! | entries in them | 1,000,000 | the largest images have some 300,000 files |
//! | bytes in them, unpacked | 8 GiB | the largest images; some seconds of work |
//! | bytes of Wasm that is taken out of a layer | 1 GiB | it goes to a disk; the largest binaries have some 100 MB |
//! | bytes of the names of their files | 64 MiB | they are kept while lower layers are looked into |
//! | bytes of the path of a file | 4 KiB | Linux takes no longer one |
//! | bytes of an annotation taken from metadata | 4 KiB | registries and hubs show it in one line |
//! | bytes of a provider's claims | 1 MiB | they hold names, hashes and a JSON schema |
//! | bytes of a provider's WIT world | 16 MiB | as of a WIT package |
//! | bytes of a provider's binary | 1 GiB | they have 10 to 100 MB; they stream past |
//! | bytes of all files of a provider archive | 8 GiB | it bounds the time that a compressed one takes |
//! | files of a provider archive | 64 | one for each platform |
//!
//! Code, data, debug information and nested modules have no limit: they stream past.

/// Bytes of a section that is read into memory to parse its items.
pub const SECTION_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Bytes of all names that a component or a module imports and exports.
pub const NAMES_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How deep components nest in components.
pub const NESTING_DEPTH_MAX: usize = 64;

/// Bytes of a WIT package, which is decoded in memory.
pub const PACKAGE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Bytes of a custom section that metadata is taken from; what is longer is taken for something else.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;

/// Bytes of the config of an artifact.
pub const CONFIG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of WebAssembly text that is turned into a binary.
pub const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Layers of one artifact that are searched for Wasm.
pub const SEARCHED_LAYERS_MAX: usize = 512;

/// Entries of tars that are looked at in one search.
pub const SEARCHED_ENTRIES_MAX: u64 = 1_000_000;

/// Bytes, unpacked, that are looked through in one search.
pub const SEARCHED_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

/// Bytes of a Wasm binary, or of WebAssembly text, that is taken out of a layer.
pub const WASM_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Bytes of the names of all files that a search has to keep.
pub const SEARCHED_NAMES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of the path of a file in a layer.
pub const SEARCHED_PATH_BYTES_MAX: usize = 4 * 1024;

/// Bytes of an annotation that is taken from metadata.
pub const ANNOTATION_BYTES_MAX: usize = 4 * 1024;

/// Bytes of the claims of a provider archive.
pub const PROVIDER_CLAIMS_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of the WIT world of a provider archive.
pub const PROVIDER_WORLD_BYTES_MAX: u64 = PACKAGE_BYTES_MAX;

/// Bytes of one binary of a provider archive.
pub const PROVIDER_BINARY_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Bytes of a provider archive without its compression.
pub const PROVIDER_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

/// Files of a provider archive.
pub const PROVIDER_FILES_MAX: u64 = 64;
