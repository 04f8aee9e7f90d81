//! Reads provider archives.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use wharf_oci::{Algorithm, Digest, Hasher};
use wharf_tar::{Compression, Entry, EntryKind, InvalidTar, Limits, Links, Walk, WalkError, decompress, walk};

use super::{BINARY_SUFFIX, CLAIMS_FILE, Claims, InvalidClaims, WORLD_FILE};
use crate::limits::{
    PROVIDER_BINARY_BYTES_MAX, PROVIDER_BYTES_MAX, PROVIDER_CLAIMS_BYTES_MAX, PROVIDER_FILES_MAX,
    PROVIDER_WORLD_BYTES_MAX,
};

/// How many bytes of a binary are in memory.
const COPY_BYTES: usize = 64 * 1024;
/// Bytes of a file name; real ones have some twenty.
const NAME_BYTES_MAX: usize = 255;

/// A provider whose claims hold: signed by their issuer, valid, and true of every file.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// What its claims say.
    pub claims: Claims,
    /// Its binaries, sorted by target.
    pub targets: Vec<Target>,
    /// Its WIT world, as a WIT package.
    pub world: Option<Vec<u8>>,
    /// How the archive is packed.
    pub packaging: Packaging,
}

/// A binary of a provider, whose digest is the one that the claims give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which platform it is for, such as `x86_64-linux`.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 digest.
    pub digest: Digest,
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packaging {
    /// As a tar, `.par`.
    Plain,
    /// As a tar with gzip around it, `.par.gz`.
    Gzip,
}

/// Why bytes are no provider archive, or none to trust.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProvider {
    /// The binary that was asked for is not in it.
    #[error("the provider archive has no binary for `{}`", .target.escape_debug())]
    NoTarget {
        /// What was asked for.
        target: String,
    },
    /// It has no claims.
    #[error("the provider archive has no `{CLAIMS_FILE}`")]
    NoClaims,
    /// It has no binaries.
    #[error("the provider archive has no binaries")]
    NoBinaries,
    /// Its claims are not to be believed.
    #[error("the claims of the provider archive do not hold")]
    Claims(#[source] InvalidClaims),
    /// A file has other bytes than the claims say.
    #[error("`{}` has digest {actual} where the claims say {expected}", .file.escape_debug())]
    Hash {
        /// The file: a target, or `world.wasm`.
        file: String,
        /// What the claims say.
        expected: Digest,
        /// What it has.
        actual: Digest,
    },
    /// A file that the claims name is not there.
    #[error("`{}` is named in the claims, and the provider archive has no such file", .file.escape_debug())]
    Missing {
        /// The file: a target, or `world.wasm`.
        file: String,
    },
    /// A file is there that the claims do not name.
    #[error("`{}` is in the provider archive, and the claims have no hash for it", .file.escape_debug())]
    Unclaimed {
        /// The file: a target, or `world.wasm`.
        file: String,
    },
    /// A file is there twice.
    #[error("`{}` is in the provider archive twice", .path.escape_debug())]
    Twice {
        /// Its path.
        path: String,
    },
    /// Something is there that provider archives do not have. Hosts would take it for a binary.
    #[error("`{}` does not belong into a provider archive, which has `{CLAIMS_FILE}`, `{WORLD_FILE}` and `TARGET.bin`", .path.escape_debug())]
    Unexpected {
        /// Its path.
        path: String,
    },
    /// A file is larger than its limit.
    #[error("`{}` has {size} bytes; the limit is {limit}", .path.escape_debug())]
    TooLarge {
        /// Its path.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// It is compressed in a way that no host reads.
    #[error("the provider archive is compressed with zstd; hosts read it with gzip or without compression")]
    Zstd,
    /// It is no tar, or a broken one.
    #[error("the bytes are no provider archive")]
    Tar(#[source] InvalidTar),
    /// A binary could not be written to where it goes.
    #[error("the binary for `{}` cannot be written", .target.escape_debug())]
    Write {
        /// Which binary.
        target: String,
        /// Why.
        source: io::Error,
    },
}

/// Reads a provider archive and checks all of it; `now` is in seconds since 1970.
///
/// The binaries stream past; what is kept are claims and WIT world.
///
/// # Errors
/// [`InvalidProvider`], for each way in which the archive falls short; see there.
pub fn read<R: Read>(archive: R, now: u64) -> Result<Provider, InvalidProvider> {
    let mut files = Files::default();
    let packaging = walk_files(archive, &mut |entry| files.take(entry).map(|()| Walk::Continue))?;
    let claims = files.claims.as_deref().ok_or(InvalidProvider::NoClaims)?;
    let claims = Claims::verify(claims, now).map_err(InvalidProvider::Claims)?;
    let world = files.world.as_ref().map(|bytes| (WORLD_FILE.to_owned(), Digest::sha256(bytes)));
    let binaries = files.targets.values().map(|target| (target.name.clone(), target.digest.clone()));
    check_hashes(&claims, &binaries.chain(world).collect())?;
    if files.targets.is_empty() {
        return Err(InvalidProvider::NoBinaries);
    }
    Ok(Provider { claims, targets: files.targets.into_values().collect(), world: files.world, packaging })
}

/// Writes the binary of a target that [`read`] has checked.
///
/// The bytes are checked again on their way: after an error, what was written is to be thrown away.
///
/// # Errors
/// [`InvalidProvider::NoTarget`], [`InvalidProvider::Hash`], [`InvalidProvider::Write`], and those of [`read`] for
/// what stands before the binary.
pub fn extract<R: Read>(archive: R, target: &Target, out: &mut dyn Write) -> Result<(), InvalidProvider> {
    let path = format!("{}{BINARY_SUFFIX}", target.name);
    let mut actual = None;
    walk_files(archive, &mut |entry| {
        if entry.path() != path {
            return Ok(Walk::Continue);
        }
        actual = Some(copy(entry, &target.name, out)?);
        Ok(Walk::Stop)
    })?;
    match actual {
        None => Err(InvalidProvider::NoTarget { target: target.name.clone() }),
        Some(actual) if actual != target.digest => {
            Err(InvalidProvider::Hash { file: target.name.clone(), expected: target.digest.clone(), actual })
        }
        Some(_) => Ok(()),
    }
}

/// Visits the files of an archive, and tells how it is packed.
fn walk_files<R: Read>(
    archive: R,
    visit: &mut dyn FnMut(&mut Entry<'_>) -> Result<Walk, InvalidProvider>,
) -> Result<Packaging, InvalidProvider> {
    let archive = decompress(archive, PROVIDER_BYTES_MAX).map_err(|error| InvalidProvider::Tar(error.into()))?;
    let packaging = match archive.compression() {
        Compression::None => Packaging::Plain,
        Compression::Gzip => Packaging::Gzip,
        Compression::Zstd => return Err(InvalidProvider::Zstd),
    };
    let limits = Limits {
        entries: PROVIDER_FILES_MAX,
        bytes: PROVIDER_BYTES_MAX,
        path_bytes: NAME_BYTES_MAX,
        links: Links::Refuse,
    };
    match walk(archive, &limits, visit) {
        Ok(()) => Ok(packaging),
        Err(WalkError::Tar(source)) => Err(InvalidProvider::Tar(source)),
        Err(WalkError::Visit(error)) => Err(error),
    }
}

/// What was found in an archive, before anything of it is believed.
#[derive(Default)]
struct Files {
    claims: Option<String>,
    world: Option<Vec<u8>>,
    targets: BTreeMap<String, Target>,
}

impl Files {
    fn take(&mut self, entry: &mut Entry<'_>) -> Result<(), InvalidProvider> {
        let path = entry.path().to_owned();
        if entry.kind() != EntryKind::File {
            return Err(InvalidProvider::Unexpected { path });
        }
        let is_new = match path.as_str() {
            CLAIMS_FILE => {
                let bytes = read_whole(entry, PROVIDER_CLAIMS_BYTES_MAX)?;
                let encoding = |_| InvalidProvider::Claims(InvalidClaims::Encoding { part: "text" });
                self.claims.replace(String::from_utf8(bytes).map_err(encoding)?).is_none()
            }
            WORLD_FILE => self.world.replace(read_whole(entry, PROVIDER_WORLD_BYTES_MAX)?).is_none(),
            _ => {
                let name = target_name(&path).ok_or_else(|| InvalidProvider::Unexpected { path: path.clone() })?;
                check_size(entry, PROVIDER_BINARY_BYTES_MAX)?;
                let digest = copy(entry, name, &mut io::sink())?;
                let target = Target { name: name.to_owned(), size: entry.size(), digest };
                self.targets.insert(name.to_owned(), target).is_none()
            }
        };
        if is_new { Ok(()) } else { Err(InvalidProvider::Twice { path }) }
    }
}

/// Returns the target of a binary by its path. Claims and world are told from binaries by what stands before the last
/// dot, so that a binary of their names would be taken for them by hosts.
fn target_name(path: &str) -> Option<&str> {
    let name = path.strip_suffix(BINARY_SUFFIX)?;
    let is_plain = !name.is_empty() && !name.contains('/') && !name.contains(char::is_control);
    let is_taken =
        [CLAIMS_FILE, WORLD_FILE].iter().any(|file| file.split_once('.').is_some_and(|(stem, _)| stem == name));
    (is_plain && !is_taken).then_some(name)
}

/// Compares the claims with what was found, both ways.
fn check_hashes(claims: &Claims, found: &BTreeMap<String, Digest>) -> Result<(), InvalidProvider> {
    for (file, actual) in found {
        let file = file.clone();
        match claims.hashes.get(&file) {
            None => return Err(InvalidProvider::Unclaimed { file }),
            Some(expected) if expected != actual => {
                return Err(InvalidProvider::Hash { file, expected: expected.clone(), actual: actual.clone() });
            }
            Some(_) => {}
        }
    }
    match claims.hashes.keys().find(|file| !found.contains_key(*file)) {
        Some(file) => Err(InvalidProvider::Missing { file: file.clone() }),
        None => Ok(()),
    }
}

fn check_size(entry: &Entry<'_>, limit: u64) -> Result<(), InvalidProvider> {
    match entry.size() {
        size if size > limit => Err(InvalidProvider::TooLarge { path: entry.path().to_owned(), size, limit }),
        _ => Ok(()),
    }
}

fn read_whole(entry: &mut Entry<'_>, limit: u64) -> Result<Vec<u8>, InvalidProvider> {
    check_size(entry, limit)?;
    let mut bytes = Vec::new();
    entry.take(limit).read_to_end(&mut bytes).map_err(|error| InvalidProvider::Tar(error.into()))?;
    Ok(bytes)
}

/// Copies a binary and returns its digest.
fn copy(entry: &mut Entry<'_>, target: &str, out: &mut dyn Write) -> Result<Digest, InvalidProvider> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        match entry.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                let failed = |source| InvalidProvider::Write { target: target.to_owned(), source };
                out.write_all(&buffer[..read]).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(InvalidProvider::Tar(error.into())),
        }
    }
}
