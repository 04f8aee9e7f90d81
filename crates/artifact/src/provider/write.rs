//! Writes provider archives.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};

use flate2::{Compression, GzBuilder};
use wharf_oci::{Algorithm, Digest, Hasher};
use wharf_tar::{WriteError, Writer};

use super::{BINARY_SUFFIX, CLAIMS_FILE, Claims, Description, KeyKind, KeyPair, Packaging, PublicKey, WORLD_FILE};
use crate::limits::{
    PROVIDER_BINARY_BYTES_MAX, PROVIDER_CLAIMS_BYTES_MAX, PROVIDER_FILES_MAX, PROVIDER_WORLD_BYTES_MAX,
};
use crate::{InvalidWasm, Kind, examine};

/// The permissions of claims and world.
const FILE_MODE: u32 = 0o644;
/// The permissions of binaries, which hosts run. wasmCloud's tool writes none, so that what `tar` unpacks is no use.
const BINARY_MODE: u32 = 0o755;
/// The number for "unknown" (RFC 1952, section 2.3.1), so that the bytes do not tell the machine.
const GZIP_OS_UNKNOWN: u8 = 255;

/// What a provider archive is made of, but for its binaries.
#[derive(Debug)]
pub struct ProviderOptions<'a> {
    /// What the provider says of itself.
    pub description: Description,
    /// When the claims count as signed, in seconds since 1970.
    pub issued_at: u64,
    /// From when on they are no longer valid, in seconds since 1970.
    pub expires: Option<u64>,
    /// The WIT world, as a WIT package.
    pub world: Option<&'a [u8]>,
    /// The key of the account that signs.
    pub issuer: &'a KeyPair,
    /// The key of the provider; its other half is needed by nobody.
    pub subject: PublicKey,
    /// How the archive is packed.
    pub packaging: Packaging,
}

/// A binary that goes into an archive. The claims stand before it and hold its digest, so the caller reads it twice.
pub struct TargetSource<'a> {
    /// Which platform it is for, such as `x86_64-linux`.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 digest.
    pub digest: Digest,
    /// Its bytes.
    pub content: &'a mut dyn Read,
}

/// Why a provider archive cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnwritableProvider {
    /// There are no binaries.
    #[error("a provider needs at least one binary")]
    NoBinaries,
    /// There are more binaries than an archive may have.
    #[error("a provider archive has at most {} binaries; {count} were given", binaries_max())]
    TooMany {
        /// How many were given.
        count: usize,
    },
    /// A target has another form than hosts look for.
    #[error("{name:?} is no target: that has the form `ARCHITECTURE-SYSTEM`, such as `x86_64-linux`")]
    TargetName {
        /// What was given.
        name: String,
    },
    /// Two binaries are for the same target.
    #[error("two binaries were given for `{name}`")]
    TargetTwice {
        /// The target.
        name: String,
    },
    /// The digest of a binary is not the one that claims have.
    #[error("the digest of the binary for `{name}` is {digest}; claims hold SHA-256")]
    Algorithm {
        /// The target.
        name: String,
        /// What was given.
        digest: Digest,
    },
    /// A file is larger than its limit.
    #[error("`{file}` has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A key is for something else.
    #[error("the {role} of a provider has a key for the kind `{expected}`; one for the kind `{found}` was given")]
    KeyKind {
        /// Whose key it should be.
        role: &'static str,
        /// What it is for.
        found: KeyKind,
        /// What it should be for.
        expected: KeyKind,
    },
    /// The claims would never be valid.
    #[error("the claims would expire {expires} seconds after 1970, which is not after they are signed ({issued_at})")]
    Expiry {
        /// When they would expire.
        expires: u64,
        /// When they count as signed.
        issued_at: u64,
    },
    /// The WIT world is no Wasm.
    #[error("the WIT world cannot be read")]
    World(#[source] InvalidWasm),
    /// The WIT world is something else.
    #[error("the WIT world of a provider is a WIT package or a component; a {kind} was given")]
    WorldKind {
        /// What it is.
        kind: Kind,
    },
    /// A binary has other bytes than those that were hashed for the claims.
    #[error("the binary for `{name}` changed while it was packed")]
    Changed {
        /// The target.
        name: String,
    },
    /// A file could not be read, or the archive could not be written.
    #[error("the provider archive cannot be written")]
    Tar(#[source] WriteError),
    /// The end of the archive could not be written.
    #[error("the provider archive cannot be finished")]
    Finish(#[source] io::Error),
}

/// Writes a provider archive, and returns its claims.
///
/// The same arguments give the same bytes. After an error, what was written is to be thrown away.
///
/// # Errors
/// [`UnwritableProvider`]; all but the last three before anything is written.
pub fn write<W: Write>(
    out: W,
    options: &ProviderOptions<'_>,
    mut targets: Vec<TargetSource<'_>>,
) -> Result<Claims, UnwritableProvider> {
    targets.sort_by(|one, other| one.name.cmp(&other.name));
    check(options, &targets)?;
    let (claims, token) = claims(options, &targets).sign(options.issuer);
    check_size(CLAIMS_FILE, token.len() as u64, PROVIDER_CLAIMS_BYTES_MAX)?;
    let finished = match options.packaging {
        Packaging::Plain => write_tar(out, &token, options.world, targets)?.flush(),
        Packaging::Gzip => {
            let gzip = GzBuilder::new().operating_system(GZIP_OS_UNKNOWN).write(out, Compression::default());
            write_tar(gzip, &token, options.world, targets)?.finish().and_then(|mut out| out.flush())
        }
    };
    finished.map_err(UnwritableProvider::Finish)?;
    Ok(claims)
}

fn check(options: &ProviderOptions<'_>, targets: &[TargetSource<'_>]) -> Result<(), UnwritableProvider> {
    check_key("issuer", options.issuer.public_key(), KeyKind::Account)?;
    check_key("subject", options.subject, KeyKind::Service)?;
    let issued_at = options.issued_at;
    if let Some(expires) = options.expires.filter(|&expires| expires <= issued_at) {
        return Err(UnwritableProvider::Expiry { expires, issued_at });
    }
    if targets.is_empty() {
        return Err(UnwritableProvider::NoBinaries);
    }
    if targets.len() > binaries_max() {
        return Err(UnwritableProvider::TooMany { count: targets.len() });
    }
    if let Some([twin, _]) = targets.array_windows().find(|[one, other]| one.name == other.name) {
        return Err(UnwritableProvider::TargetTwice { name: twin.name.clone() });
    }
    for target in targets {
        check_target(target)?;
    }
    options.world.map_or(Ok(()), check_world)
}

fn check_key(role: &'static str, key: PublicKey, expected: KeyKind) -> Result<(), UnwritableProvider> {
    match key.kind() {
        found if found != expected => Err(UnwritableProvider::KeyKind { role, found, expected }),
        _ => Ok(()),
    }
}

fn check_target(target: &TargetSource<'_>) -> Result<(), UnwritableProvider> {
    let TargetSource { name, size, digest, .. } = target;
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if !name.split_once('-').is_some_and(|(architecture, system)| is_part(architecture) && is_part(system)) {
        return Err(UnwritableProvider::TargetName { name: name.clone() });
    }
    if digest.algorithm() != Algorithm::Sha256 {
        return Err(UnwritableProvider::Algorithm { name: name.clone(), digest: digest.clone() });
    }
    check_size(name, *size, PROVIDER_BINARY_BYTES_MAX)
}

fn check_world(world: &[u8]) -> Result<(), UnwritableProvider> {
    check_size(WORLD_FILE, world.len() as u64, PROVIDER_WORLD_BYTES_MAX)?;
    match examine(&mut io::Cursor::new(world)).map_err(UnwritableProvider::World)?.kind {
        kind @ Kind::Module => Err(UnwritableProvider::WorldKind { kind }),
        Kind::Component | Kind::WitPackage => Ok(()),
    }
}

fn check_size(file: &str, size: u64, limit: u64) -> Result<(), UnwritableProvider> {
    match size > limit {
        true => Err(UnwritableProvider::TooLarge { file: file.to_owned(), size, limit }),
        false => Ok(()),
    }
}

/// How many binaries an archive may have, beside claims and world.
fn binaries_max() -> usize {
    PROVIDER_FILES_MAX as usize - 2
}

fn claims(options: &ProviderOptions<'_>, targets: &[TargetSource<'_>]) -> Claims {
    let world = options.world.map(|world| (WORLD_FILE.to_owned(), Digest::sha256(world)));
    let binaries = targets.iter().map(|target| (target.name.clone(), target.digest.clone()));
    Claims {
        issuer: options.issuer.public_key(),
        subject: options.subject,
        id: String::new(),
        issued_at: options.issued_at,
        expires: options.expires,
        not_before: None,
        description: options.description.clone(),
        hashes: binaries.chain(world).collect::<BTreeMap<_, _>>(),
    }
}

fn write_tar<W: Write>(
    out: W,
    token: &str,
    world: Option<&[u8]>,
    targets: Vec<TargetSource<'_>>,
) -> Result<W, UnwritableProvider> {
    let mut tar = Writer::new(out);
    let files = [(CLAIMS_FILE, Some(token.as_bytes())), (WORLD_FILE, world)];
    for (path, mut bytes) in files.into_iter().filter_map(|(path, bytes)| Some((path, bytes?))) {
        tar.file(path, FILE_MODE, bytes.len() as u64, &mut bytes).map_err(UnwritableProvider::Tar)?;
    }
    for TargetSource { name, size, digest, content } in targets {
        let mut content = Hashing { content, hasher: Hasher::new(Algorithm::Sha256) };
        let path = format!("{name}{BINARY_SUFFIX}");
        tar.file(&path, BINARY_MODE, size, &mut content).map_err(UnwritableProvider::Tar)?;
        if content.hasher.finish() != digest {
            return Err(UnwritableProvider::Changed { name });
        }
    }
    tar.finish().map_err(UnwritableProvider::Tar)
}

/// Hashes what is read.
struct Hashing<'a> {
    content: &'a mut dyn Read,
    hasher: Hasher,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

impl fmt::Debug for TargetSource<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut source = formatter.debug_struct("TargetSource");
        source.field("name", &self.name).field("size", &self.size).field("digest", &self.digest);
        source.finish_non_exhaustive()
    }
}
