//! Every maximum that the client holds to.
//!
//! | what | limit | why this number |
//! |---|---|---|
//! | bytes of a manifest | [`wharf_oci::limits::MANIFEST_BYTES_MAX`] | the model's |
//! | bytes of a token or an error | 64 KiB | the largest tokens seen have 16 KiB |
//! | bytes of a page of tags or referrers | 4 MiB | what a manifest may have |
//! | pages of one listing | 1,000 | with the least page size seen (100), as many tags as are kept |
//! | tags of one listing | 100,000 | ten times the largest repository seen |
//! | referrers of one manifest | 10,000 | what an index may hold |
//! | redirects of one request | 5 | a registry, its mirror and its storage need 2 |
//! | bytes in one part of an upload | 4 MiB, 64 MiB where the registry asks for more | they are held in memory |
//! | time for a part of an upload or a manifest | 1 s more for each 64 KiB | a slow line from home |
//! | wait that a registry may ask for | 60 s | a person is waiting |
//! | bytes of a credential file | 1 MiB | a token has at most some KiB |
//! | answer of a credential helper | 64 KiB, 30 s | a person may have to unlock a key chain |

use std::time::Duration;

/// Bytes of a token answer, and of the body of an error.
pub const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Bytes of one page of tags or referrers.
pub const PAGE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Pages of one listing.
pub const PAGES_MAX: usize = 1_000;

/// Tags of one listing.
pub const TAGS_MAX: usize = 100_000;

/// Referrers of one manifest.
pub const REFERRERS_MAX: usize = 10_000;

/// Redirects that one request follows.
pub const REDIRECTS_MAX: usize = 5;

/// How long a registry may ask to be left alone (`Retry-After`); who asks for longer is not asked again.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// Bytes in one part of an upload, where the registry does not take the whole at once.
pub const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// The largest part of an upload that a registry may ask for (`OCI-Chunk-Min-Length`); it is held in memory.
pub const CHUNK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How many bytes of a body that is held in memory are to leave in a second at least.
pub const UPLOAD_BYTES_PER_SECOND_MIN: u64 = 64 * 1024;

/// Bytes after which an interrupted download gets its full number of tries again.
pub const PROGRESS_BYTES: u64 = 1024 * 1024;

/// Bytes of all `WWW-Authenticate` headers of one answer.
pub const CHALLENGE_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a credential file.
pub const CREDENTIAL_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes that a credential helper may answer.
pub const HELPER_BYTES_MAX: u64 = 64 * 1024;

/// How long a credential helper may take.
pub const HELPER_TIMEOUT: Duration = Duration::from_secs(30);

/// Characters of a text from a registry that are shown.
pub const TEXT_CHARACTERS_MAX: usize = 300;

/// Entries of a registry's error answer that are kept.
pub const REGISTRY_ERRORS_MAX: usize = 5;
