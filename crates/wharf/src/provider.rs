//! `pack provider`: makes a provider archive of wasmCloud from binaries, and the keys that sign it.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use wharf_artifact::provider::{Description, KeyKind, KeyPair, Packaging, ProviderOptions, TargetSource, write};
use wharf_oci::Digest;
use zeroize::Zeroizing;

use crate::blocking::blocking;
use crate::file_sink::{folder_of, measure, persist, temporary_in};
use crate::input::digest_of_file;
use crate::{Cause, Error, Existing};

/// Bytes of a file that holds a seed.
const SEED_BYTES_MAX: u64 = 1024;

/// What a provider archive is made of.
#[derive(Debug, Clone)]
pub struct PackProviderOptions {
    /// What the provider says of itself.
    pub description: Description,
    /// The binaries, one for each target.
    pub binaries: Vec<Binary>,
    /// The WIT world, as a WIT package in Wasm.
    pub world: Option<PathBuf>,
    /// The key of the account that signs.
    pub issuer: Key,
    /// The key of the provider.
    pub subject: Key,
    /// What to do where a key is not there.
    pub missing_keys: MissingKeys,
    /// When the claims count as signed, in seconds since 1970.
    pub issued_at: u64,
    /// From when on they are no longer valid, in seconds since 1970.
    pub expires: Option<u64>,
    /// The archive; with gzip where the name ends with `.gz`. One that is there already is replaced.
    pub output: PathBuf,
}

/// A native program for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The platform, such as `x86_64-linux`.
    pub target: String,
    /// The program.
    pub path: PathBuf,
}

/// Where a key comes from.
#[derive(Clone)]
pub enum Key {
    /// A file that holds its seed.
    File(PathBuf),
    /// The seed itself.
    Seed(Zeroizing<String>),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Seed(_) => formatter.write_str("Seed(…)"),
        }
    }
}

/// What to do where the file of a key is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKeys {
    /// Make the key, and keep its seed in that file, for this user alone.
    #[default]
    Make,
    /// Fail.
    Refuse,
}

/// The provider archive that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackProviderOutcome {
    /// The archive.
    pub path: PathBuf,
    /// The digest of the archive.
    pub digest: Digest,
    /// The size of the archive in bytes.
    pub size: u64,
    /// The account that signed it.
    pub issuer: String,
    /// The provider.
    pub subject: String,
    /// The platforms, sorted.
    pub targets: Vec<String>,
    /// The files with keys that were made.
    pub made_keys: Vec<PathBuf>,
}

/// Makes a provider archive.
///
/// The same files, options and keys give the same bytes.
///
/// # Errors
/// [`Error::Pack`]. The archive is then as it was before; a key that was made stays.
pub async fn pack_provider(options: &PackProviderOptions) -> Result<PackProviderOutcome, Error> {
    pack(options).await.map_err(|source| Error::Pack { output: options.output.clone(), source })
}

async fn pack(options: &PackProviderOptions) -> Result<PackProviderOutcome, Cause> {
    let binaries = open_binaries(options.binaries.clone()).await?;
    let world = options.world.as_deref().map(read_world).transpose()?;
    let mut made_keys = Vec::new();
    let issuer = key(&options.issuer, KeyKind::Account, options.missing_keys, &mut made_keys)?;
    let subject = key(&options.subject, KeyKind::Service, options.missing_keys, &mut made_keys)?;
    let (issuer_key, subject_key) = (issuer.public_key().to_string(), subject.public_key().to_string());
    let mut targets: Vec<_> = options.binaries.iter().map(|binary| binary.target.clone()).collect();
    targets.sort();
    let (options, output) = (options.clone(), options.output.clone());
    let temporary = temporary_in(folder_of(&output), ".wharf-")?;
    let temporary = blocking(move || {
        write_archive(&options, binaries, world.as_deref(), &issuer, &subject, temporary.as_file())?;
        Ok::<_, Cause>(temporary)
    })
    .await?;
    let (digest, size) = measure(&temporary).await?;
    persist(temporary, &output, Existing::Replace)?;
    Ok(PackProviderOutcome { path: output, digest, size, issuer: issuer_key, subject: subject_key, targets, made_keys })
}

/// A binary that was opened and measured.
struct Opened {
    target: String,
    file: File,
    digest: Digest,
    size: u64,
}

async fn open_binaries(binaries: Vec<Binary>) -> Result<Vec<Opened>, Cause> {
    blocking(move || {
        let mut targets = HashSet::new();
        binaries
            .into_iter()
            .map(|Binary { target, path }| {
                if !targets.insert(target.clone()) {
                    return Err(Cause::TargetTwice { target });
                }
                let mut file = File::open(&path).map_err(Cause::file("open", &path))?;
                if !file.metadata().map_err(Cause::file("open", &path))?.is_file() {
                    return Err(Cause::NoFile { path });
                }
                let (digest, size) = digest_of_file(&mut file).map_err(Cause::file("read", &path))?;
                file.rewind().map_err(Cause::file("read", &path))?;
                Ok(Opened { target, file, digest, size })
            })
            .collect()
    })
    .await
}

fn read_world(path: &Path) -> Result<Vec<u8>, Cause> {
    let file = File::open(path).map_err(Cause::file("open", path))?;
    let mut bytes = Vec::new();
    let limit = wharf_artifact::limits::PROVIDER_WORLD_BYTES_MAX;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Cause::file("read", path))?;
    Ok(bytes)
}

fn write_archive(
    options: &PackProviderOptions,
    mut binaries: Vec<Opened>,
    world: Option<&[u8]>,
    issuer: &KeyPair,
    subject: &KeyPair,
    out: &File,
) -> Result<(), Cause> {
    let is_gzip = options.output.extension().is_some_and(|end| end == "gz");
    let written = ProviderOptions {
        description: options.description.clone(),
        issued_at: options.issued_at,
        expires: options.expires,
        world,
        issuer,
        subject: subject.public_key(),
        packaging: if is_gzip { Packaging::Gzip } else { Packaging::Plain },
    };
    let targets = binaries
        .iter_mut()
        .map(|binary| TargetSource {
            name: binary.target.clone(),
            size: binary.size,
            digest: binary.digest.clone(),
            content: &mut binary.file,
        })
        .collect();
    write(BufWriter::new(out), &written, targets)?;
    Ok(())
}

/// Reads a key, or makes it where that is allowed.
fn key(key: &Key, kind: KeyKind, missing: MissingKeys, made: &mut Vec<PathBuf>) -> Result<KeyPair, Cause> {
    let path = match key {
        Key::Seed(seed) => return KeyPair::from_seed(seed.trim()).map_err(|source| Cause::Seed { source }),
        Key::File(path) => path,
    };
    match File::open(path) {
        Ok(file) => {
            let mut seed = Zeroizing::new(String::new());
            BufReader::new(file.take(SEED_BYTES_MAX)).read_to_string(&mut seed).map_err(Cause::file("read", path))?;
            KeyPair::from_seed(seed.trim()).map_err(|source| Cause::KeyFile { path: path.clone(), source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && missing == MissingKeys::Make => {
            let pair = make_key(path, kind)?;
            made.push(path.clone());
            Ok(pair)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Cause::NoKey { path: path.clone() }),
        Err(error) => Err(Cause::file("open", path)(error)),
    }
}

/// Makes a key and keeps it in a file that nobody else may read.
fn make_key(path: &Path, kind: KeyKind) -> Result<KeyPair, Cause> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).map_err(|error| Cause::Randomness(error.into()))?;
    let pair = KeyPair::from_random(kind, random);
    let folder = folder_of(path);
    create_dir_all(folder).map_err(Cause::file("make the folder", folder))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(Cause::file("make", path))?;
    let kept = file.write_all(pair.seed().as_bytes()).and_then(|()| file.sync_all());
    kept.map_err(Cause::file("write", path))?;
    Ok(pair)
}
