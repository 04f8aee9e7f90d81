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
//! | bytes of an annotation taken from metadata | 4 KiB | registries and hubs show it in one line |
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

/// Bytes of an annotation that is taken from metadata.
pub const ANNOTATION_BYTES_MAX: usize = 4 * 1024;
