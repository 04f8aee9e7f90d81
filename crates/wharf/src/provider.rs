//! `pack provider`: makes a provider archive of wasmCloud from binaries, and the keys that sign it.

use std::collections::HashSet;
use std::fs::{File, create_dir_all};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use wharf_artifact::provider::{Description, KeyKind, KeyPair, Packaging, ProviderOptions, TargetSource, write};
use wharf_oci::{Algorithm, Digest, Hashed, Hashing};
use zeroize::Zeroizing;

use crate::blocking::blocking;
use crate::file_sink::{begin, check_inputs, check_output, folder_of, persist, scratch_file};
use crate::wasm_file::open_file;
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
    /// When the claims count as signed, in seconds since 1970.
    pub issued_at: u64,
    /// From when on they are no longer valid, in seconds since 1970.
    pub expires: Option<u64>,
    /// The time in seconds since 1970, which has to be before that.
    pub now: u64,
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
    /// The file that keeps the seed of whoever signs here. Where it is not there yet, a key is made and kept in it, for
    /// this user alone.
    Kept(PathBuf),
    /// The seed itself.
    Seed(Zeroizing<String>),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Kept(path) => formatter.debug_tuple("Kept").field(path).finish(),
            Self::Seed(_) => formatter.write_str("Seed(…)"),
        }
    }
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
/// [`Error::Pack`]. The archive is then as it was before. Keys are made when all but the name of the archive is there.
pub async fn pack_provider(options: &PackProviderOptions) -> Result<PackProviderOutcome, Error> {
    pack(options).await.map_err(|source| Error::Pack { output: options.output.clone(), source })
}

async fn pack(options: &PackProviderOptions) -> Result<PackProviderOutcome, Cause> {
    let asked = options.clone();
    let parts = blocking(move || Parts::open(asked)).await?;
    let output = options.output.as_path();
    let temporary = begin(output, Existing::Replace).await?;
    let out = temporary.as_file().try_clone().map_err(Cause::file("write", output))?;
    let (Parts { issuer, subject, binaries, .. }, Hashed { digest, size }) = blocking(move || parts.write(out)).await?;
    let mut made_keys = Vec::new();
    for signer in [&issuer, &subject] {
        if let Some(path) = &signer.missing {
            keep(&signer.pair, path).await?;
            made_keys.push(path.clone());
        }
    }
    persist(temporary, output, Existing::Replace).await?;
    let mut targets: Vec<_> = binaries.into_iter().map(|binary| binary.target).collect();
    targets.sort();
    let (issuer, subject) = (issuer.pair.public_key().to_string(), subject.pair.public_key().to_string());
    Ok(PackProviderOutcome { path: output.to_owned(), digest, size, issuer, subject, targets, made_keys })
}

/// All that goes into an archive, open and checked as far as that can be done without writing it.
struct Parts {
    options: PackProviderOptions,
    binaries: Vec<Opened>,
    world: Option<Vec<u8>>,
    issuer: Signer,
    subject: Signer,
}

/// A binary that was opened and measured.
struct Opened {
    target: String,
    file: File,
    digest: Digest,
    size: u64,
}

/// A key, and the file that is to keep it, where that is not there yet.
struct Signer {
    pair: KeyPair,
    missing: Option<PathBuf>,
}

impl Parts {
    fn open(options: PackProviderOptions) -> Result<Self, Cause> {
        let PackProviderOptions { output, now, .. } = &options;
        if let Some(expires) = options.expires.filter(|expires| expires <= now) {
            return Err(Cause::Expired { expires });
        }
        check_output(output, Existing::Replace)?;
        let keys = [&options.issuer, &options.subject].into_iter().filter_map(Key::path);
        let binaries = options.binaries.iter().map(|binary| binary.path.as_path());
        check_inputs(output, binaries.chain(options.world.as_deref()).chain(keys))?;
        Ok(Self {
            binaries: open_binaries(&options.binaries)?,
            world: options.world.as_deref().map(read_world).transpose()?,
            issuer: Signer::open(&options.issuer, KeyKind::Account)?,
            subject: Signer::open(&options.subject, KeyKind::Service)?,
            options,
        })
    }

    /// Writes the archive, and says what was written.
    fn write(mut self, out: File) -> Result<(Self, Hashed), Cause> {
        let options = &self.options;
        let is_gzip = options.output.extension().is_some_and(|end| end == "gz");
        let written = ProviderOptions {
            description: options.description.clone(),
            issued_at: options.issued_at,
            expires: options.expires,
            world: self.world.as_deref(),
            issuer: &self.issuer.pair,
            subject: self.subject.pair.public_key(),
            packaging: if is_gzip { Packaging::Gzip } else { Packaging::Plain },
        };
        let targets = self.binaries.iter_mut().map(|binary| TargetSource {
            name: binary.target.clone(),
            size: binary.size,
            digest: binary.digest.clone(),
            content: &mut binary.file,
        });
        let mut out = Hashing::new(Algorithm::Sha256, out);
        write(BufWriter::new(&mut out), &written, targets.collect())?;
        Ok((self, out.finish().0))
    }
}

fn open_binaries(binaries: &[Binary]) -> Result<Vec<Opened>, Cause> {
    let mut targets = HashSet::new();
    let open = |Binary { target, path }: &Binary| {
        if !targets.insert(target.clone()) {
            return Err(Cause::TargetTwice { target: target.clone() });
        }
        let mut file = open_file(path)?;
        let hashed = Hashing::new(Algorithm::Sha256, &mut file).read_rest();
        let Hashed { digest, size } = hashed.map_err(Cause::file("read", path))?;
        file.rewind().map_err(Cause::file("read", path))?;
        Ok(Opened { target: target.clone(), file, digest, size })
    };
    binaries.iter().map(open).collect()
}

fn read_world(path: &Path) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    let limit = wharf_artifact::limits::PROVIDER_WORLD_BYTES_MAX;
    open_file(path)?.take(limit + 1).read_to_end(&mut bytes).map_err(Cause::file("read", path))?;
    Ok(bytes)
}

impl Key {
    /// Returns the file that holds it.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Kept(path) => Some(path),
            Self::Seed(_) => None,
        }
    }
}

impl Signer {
    /// Reads a key, or makes one where it is kept here and not there yet. Nothing is written.
    fn open(key: &Key, kind: KeyKind) -> Result<Self, Cause> {
        let path = match key {
            Key::Seed(seed) => {
                let pair = KeyPair::from_seed(seed.trim()).map_err(|source| Cause::Seed { source })?;
                return Ok(Self { pair, missing: None });
            }
            Key::File(path) | Key::Kept(path) => path,
        };
        match File::open(path) {
            Ok(file) => {
                let mut seed = Zeroizing::new(String::new());
                let mut reader = BufReader::new(file.take(SEED_BYTES_MAX));
                reader.read_to_string(&mut seed).map_err(Cause::file("read", path))?;
                let pair = KeyPair::from_seed(seed.trim());
                let pair = pair.map_err(|source| Cause::KeyFile { path: path.clone(), source })?;
                Ok(Self { pair, missing: None })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && matches!(key, Key::Kept(_)) => {
                Ok(Self { pair: make_key(kind)?, missing: Some(path.clone()) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Cause::NoKey { path: path.clone() }),
            Err(error) => Err(Cause::file("open", path)(error)),
        }
    }
}

fn make_key(kind: KeyKind) -> Result<KeyPair, Cause> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).map_err(|error| Cause::Randomness(error.into()))?;
    Ok(KeyPair::from_random(kind, random))
}

/// Keeps a key in a file that nobody else may read, and that is there as a whole or not at all.
async fn keep(pair: &KeyPair, path: &Path) -> Result<(), Cause> {
    let folder = folder_of(path).to_owned();
    blocking(move || create_dir_all(&folder).map_err(Cause::file("make the folder", &folder))).await?;
    let temporary = scratch_file(folder_of(path)).await?;
    let mut file = temporary.as_file().try_clone().map_err(Cause::file("write", path))?;
    let (seed, written) = (pair.seed(), path.to_owned());
    blocking(move || file.write_all(seed.as_bytes()).map_err(Cause::file("write", &written))).await?;
    persist(temporary, path, Existing::Keep).await
}
