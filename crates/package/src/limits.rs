//! Every maximum that the documents and names hold to.
//!
//! | what | limit | why this number |
//! |---|---|---|
//! | bytes of `registry.json` | 64 KiB | it names two things; a server sends it unasked-for sizes at will |
//! | bytes of `config.toml`, `wharf.toml`, `wkg.toml`, `wit.toml` | 1 MiB | people write them; root certificates are the largest part |
//! | bytes of `wkg.lock` | 8 MiB | an entry has some 200 bytes, so 40,000 fit |
//! | characters of a package name | 200 | repositories and folders are named after it, and end at 255 |

/// Bytes of a registry's `registry.json`.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a `config.toml`, `wharf.toml`, `wkg.toml` or `wit.toml`.
pub const SETTINGS_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a `wkg.lock`.
pub const LOCK_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Characters of a package name, with its `:`.
pub const NAME_LEN_MAX: usize = 200;
