//! Compiled code that is kept, so that a second run compiles nothing.
//!
//! ```text
//! CODE/v1/               the user's, 0700
//!   NAME.code            what the engine made, as it is; it is mapped, and read only where it runs
//!   NAME.seal            what NAME.code was when it was kept: `cache/seal.rs` draws it; its time is that of the last use
//!   KEY.memo             which Wasm a manifest led to: `cache/memo.rs` draws it
//!   draft-RANDOM         a file that is being written
//! STATE/code.key         32 random bytes, 0600: the key of the HMACs in seals and memos
//!
//! NAME   SHA-256 of "wharf code v1", SHA-256 of the Wasm, SHA-256 of the engine's version, settings and processor
//! KEY    SHA-256 of the digest of a manifest, and of what was chosen in it
//! ```
//!
//! The engine runs what a file of compiled code says, so a file is mapped only if it is what this cache wrote:
//!
//! * Folders and files are the user's, and nobody else may write to them; no link is followed but to STATE.
//! * The seal carries an HMAC. Its key is not beside it, so a cache that was restored, unpacked, or copied from another
//!   machine has no valid seals.
//! * The code has the SHA-256 that is sealed. Where the file system says that it is the same file, unchanged since it was
//!   hashed (any write moves `ctime`, which cannot be set), it is not hashed again: a warm start does not read the code.
//!
//! Whatever fails is removed, told, and compiled again. What this does not guard against is another program of the same
//! user, and a disk that returns other bytes than were written; [`CodeCache::verify`] finds the latter.
//!
//! Any number of processes may use a cache at the same time, without locks. A file gets its name when it is whole, and is
//! never written to after that; a process that comes upon the code of one writer and the seal of another hashes the code.
//! Code is on the disk before its seal is written, so that a power cut leaves no seal of a file that it tore.

mod check;
mod engine;
mod error;
mod folder;
mod key;
mod map;
mod memo;
mod seal;
mod trim;

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use error::{CacheError, Discarded, Flaw};
pub use memo::MemoKey;

use crate::{Code, Runtime};
use check::Found;
use error::Fault;
use folder::{Draft, Folder, Links, Private};
use seal::{FileState, Kind, SEAL_BYTES, Seal, SealKey, Subject};

/// The folder of this format.
const FORMAT: &str = "v1";

/// What the names of code are hashed with.
const NAME_DOMAIN: &[u8] = b"wharf code v1";

/// The ending of compiled code.
const CODE: &str = "code";

/// The ending of seals.
const SEAL: &str = "seal";

/// The mode of files that are never written to again.
const READ_ONLY: u32 = 0o400;

/// Bytes that code and memos occupy together.
const BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// How long a new file of code waits to be hashed, so that its last change is past: see `Seal::vouches_for`.
const SETTLE: Duration = Duration::from_millis(30);

/// The size from which code is worth that wait; smaller code is hashed again by the next run, in a millisecond.
const SETTLE_FROM_BYTES: u64 = 1024 * 1024;

/// Where a cache keeps its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheFolders {
    /// Compiled code. It may be removed at any time.
    pub code: PathBuf,
    /// The key. It should not be in a folder that is restored or shared with other caches.
    pub state: PathBuf,
}

/// Compiled code on the disk; the module page draws its files. All calls block.
#[derive(Debug, Clone)]
pub struct CodeCache {
    folder: PathBuf,
    state: PathBuf,
    bytes_max: u64,
}

/// The SHA-256 of a binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WasmDigest(pub [u8; 32]);

/// What a cache has of a binary.
#[derive(Debug)]
pub enum Lookup {
    /// Its code.
    Kept(Kept),
    /// Nothing.
    Absent,
    /// Something that is not to be trusted: it was removed, and the binary is to be compiled.
    Discarded(Discarded),
    /// Nobody knows: the binary is to be compiled.
    Unusable(CacheError),
}

/// Code that was kept.
#[derive(Debug)]
pub struct Kept {
    /// The code, mapped.
    pub code: Code,
    /// Bytes of code that were read to check it: none where the file is known to be unchanged.
    pub hashed: u64,
}

/// Files, and how much is in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many.
    pub files: u64,
    /// The bytes of all together.
    pub bytes: u64,
}

/// What a check of the whole cache came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The files of code that are what was kept.
    pub sound: Tally,
    /// The files that are not, each removed together with what belongs to it.
    pub discarded: Vec<Discarded>,
}

/// The names of one entry.
struct Names {
    code: String,
    seal: String,
}

/// Code that was hashed, and what became of its new seal.
struct Admitted {
    kept: Kept,
    /// When the file was looked at, where that is sealed now.
    sealed: Result<i64, CacheError>,
}

impl CodeCache {
    /// Names a cache. No file is touched before it is needed.
    #[must_use]
    pub fn new(folders: CacheFolders) -> Self {
        Self { folder: folders.code.join(FORMAT), state: folders.state, bytes_max: BYTES_MAX }
    }

    /// Sets how many bytes code and memos may occupy; 2 GiB otherwise. What was not used for longest goes first.
    #[must_use]
    pub fn with_bytes_max(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// Looks for the code of a binary, as this engine compiles it.
    #[must_use]
    pub fn find(&self, runtime: &Runtime, wasm: &WasmDigest) -> Lookup {
        match self.look(runtime, wasm) {
            Ok(Some(kept)) => Lookup::Kept(kept),
            Ok(None) => Lookup::Absent,
            Err(Fault::Flawed(discarded)) => Lookup::Discarded(discarded),
            Err(Fault::Failed(error)) => Lookup::Unusable(error),
        }
    }

    /// Keeps the code of a binary, and returns it as it is mapped from now on; the memory of `code` may then go.
    ///
    /// # Errors
    /// [`CacheError`]; `code` is as good as it was.
    pub fn keep(&self, runtime: &Runtime, wasm: &WasmDigest, code: &Code) -> Result<Code, CacheError> {
        let (kind, bytes) = match code {
            Code::Module(module) => (Kind::Module, module.0.serialize()),
            Code::Component(component) => (Kind::Component, component.0.serialize()),
        };
        let bytes = bytes.map_err(|source| CacheError::Serialize { source: source.into() })?;
        let key = SealKey::make(&self.state)?;
        let folder = self.make_folder()?;
        let subject = Subject { wasm: wasm.0, engine: engine::digest(runtime) };
        let names = Names::of(&subject);
        let draft = folder.draft()?;
        draft.write(&bytes, READ_ONLY)?;
        draft.publish(&names.code)?;
        // Nothing is known of the file yet, so that it is looked at as one that anybody could have put there.
        let file = FileState { size: bytes.len() as u64, device: 0, inode: 0, changed: 0 };
        let seal = Seal { subject, kind, code: Sha256::digest(&bytes).into(), file, looked: 0 };
        drop(bytes);
        if file.size >= SETTLE_FROM_BYTES {
            settle();
        }
        let found = Found::open(&folder, &names.code, &seal)?;
        let missing = || folder.failed("open", &names.code, std::io::ErrorKind::NotFound);
        let admitted = admit(runtime, &folder, &key, &names, found.ok_or_else(missing)?).inspect_err(|_| {
            // It is of no use, and what belongs to nothing is removed when it is old.
            let _removed = folder.remove(&names.code);
        })?;
        // A cache that cannot be trimmed still has the code.
        let _trimmed = trim::trim(&folder, admitted.sealed?, self.bytes_max);
        Ok(admitted.kept.code)
    }

    /// Looks for the binary that a manifest led to. A memo that is not to be trusted is removed.
    #[must_use]
    pub fn recall(&self, memo: &MemoKey) -> Option<WasmDigest> {
        let folder = Folder::open(&self.folder, Links::Refuse).ok()??;
        if folder.is_writable() {
            // `find` puts it right, and tells.
            return None;
        }
        let name = memo.file_name();
        match self.read_memo(&folder, &name) {
            Ok(Some((private, read, wasm))) if read == *memo => {
                private.touch();
                Some(wasm)
            }
            Ok(None) | Err(Fault::Failed(_)) => None,
            Ok(Some(_)) | Err(Fault::Flawed(_)) => {
                // What cannot be removed is not used either.
                let _removed = folder.remove(&name);
                None
            }
        }
    }

    /// Notes the binary that a manifest led to.
    ///
    /// # Errors
    /// [`CacheError`].
    pub fn remember(&self, memo: &MemoKey, wasm: &WasmDigest) -> Result<(), CacheError> {
        let key = SealKey::make(&self.state)?;
        let folder = self.make_folder()?;
        let draft = folder.draft()?;
        draft.write(&memo::close(&key, memo, wasm), READ_ONLY)?;
        draft.publish(&memo.file_name())
    }

    /// Hashes all code that is kept, of all engines, and removes what is not what was kept.
    ///
    /// # Errors
    /// [`CacheError`] where the folder is not the user's, or cannot be read.
    pub fn verify(&self) -> Result<Verified, CacheError> {
        let mut verified = Verified::default();
        let Some(mut folder) = Folder::open(&self.folder, Links::Refuse)? else { return Ok(verified) };
        if folder.is_writable() {
            verified.discarded.push(take_back(&mut folder)?);
        }
        let mut names: Vec<String> = folder.list()?.into_iter().map(|(name, _)| name).collect();
        names.sort();
        for name in names {
            let checked = match name.rsplit_once('.') {
                Some((stem, SEAL)) => self.verify_code(&folder, &Names::with_stem(stem)),
                Some((_, "memo")) => self.verify_memo(&folder, &name),
                _ => continue,
            };
            match checked {
                Ok(size) => {
                    verified.sound.files += u64::from(size.is_some());
                    verified.sound.bytes += size.unwrap_or_default();
                }
                Err(Fault::Flawed(discarded)) => verified.discarded.push(discarded),
                Err(Fault::Failed(error)) => return Err(error),
            }
        }
        Ok(verified)
    }

    /// Removes all files of the cache, but for its key.
    ///
    /// # Errors
    /// [`CacheError`] where the folder is not the user's, or a file cannot be removed.
    pub fn clear(&self) -> Result<Tally, CacheError> {
        match Folder::open(&self.folder, Links::Refuse)? {
            Some(folder) => empty(&folder),
            None => Ok(Tally::default()),
        }
    }

    fn look(&self, runtime: &Runtime, wasm: &WasmDigest) -> Result<Option<Kept>, Fault> {
        let Some(mut folder) = Folder::open(&self.folder, Links::Refuse)? else { return Ok(None) };
        if folder.is_writable() {
            return Err(Fault::Flawed(take_back(&mut folder)?));
        }
        let subject = Subject { wasm: wasm.0, engine: engine::digest(runtime) };
        let names = Names::of(&subject);
        self.look_in(&folder, runtime, &subject, &names).inspect_err(|fault| names.discard(&folder, fault))
    }

    fn look_in(
        &self,
        folder: &Folder,
        runtime: &Runtime,
        subject: &Subject,
        names: &Names,
    ) -> Result<Option<Kept>, Fault> {
        let Some((private, key, seal)) = self.read_seal(folder, names)? else { return Ok(None) };
        if seal.subject != *subject {
            return Err(Fault::Flawed(folder.discarded(&names.seal, Flaw::Other)));
        }
        let Some(found) = Found::open(folder, &names.code, &seal)? else { return Ok(None) };
        match found.vouched() {
            Ok(checked) => {
                let code = map::map(&runtime.engine, &checked)?;
                private.touch();
                Ok(Some(Kept { code, hashed: checked.hashed() }))
            }
            // Where no new seal can be written, the next run hashes as well.
            Err(found) => Ok(Some(admit(runtime, folder, &key, names, found)?.kept)),
        }
    }

    /// Reads a seal that is valid, of whatever; `None` where there is none.
    fn read_seal(&self, folder: &Folder, names: &Names) -> Result<Option<(Private, SealKey, Seal)>, Fault> {
        let Some((private, bytes)) = folder.read_sealed(&names.seal, SEAL_BYTES)? else { return Ok(None) };
        let opened = SealKey::find(&self.state)?.and_then(|key| {
            let seal = key.open(&bytes).and_then(Seal::parse)?;
            Some((private, key, seal))
        });
        match opened {
            Some(opened) => Ok(Some(opened)),
            None => Err(Fault::Flawed(folder.discarded(&names.seal, Flaw::Seal))),
        }
    }

    /// Reads a memo that is valid, of whatever; `None` where there is none.
    fn read_memo(&self, folder: &Folder, name: &str) -> Result<Option<(Private, MemoKey, WasmDigest)>, Fault> {
        let Some((private, bytes)) = folder.read_sealed(name, memo::MEMO_BYTES)? else { return Ok(None) };
        match SealKey::find(&self.state)?.and_then(|key| memo::open(&key, &bytes)) {
            Some((memo, wasm)) => Ok(Some((private, memo, wasm))),
            None => Err(Fault::Flawed(folder.discarded(name, Flaw::Seal))),
        }
    }

    /// Hashes code, and returns its size; `None` where its seal is alone.
    fn verify_code(&self, folder: &Folder, names: &Names) -> Result<Option<u64>, Fault> {
        let verify = || {
            let Some((_, _, seal)) = self.read_seal(folder, names)? else { return Ok(None) };
            if Names::of(&seal.subject).seal != names.seal {
                return Err(Fault::Flawed(folder.discarded(&names.seal, Flaw::Other)));
            }
            let found = Found::open(folder, &names.code, &seal)?;
            found.map(|found| found.hash().map(|checked| checked.hashed())).transpose()
        };
        verify().inspect_err(|fault| names.discard(folder, fault))
    }

    fn verify_memo(&self, folder: &Folder, name: &str) -> Result<Option<u64>, Fault> {
        let flaw = match self.read_memo(folder, name) {
            Ok(Some((_, memo, _))) if memo.file_name() != name => folder.discarded(name, Flaw::Other),
            Ok(_) => return Ok(None),
            Err(Fault::Flawed(discarded)) => discarded,
            Err(failed) => return Err(failed),
        };
        folder.remove(name)?;
        Err(Fault::Flawed(flaw))
    }

    fn make_folder(&self) -> Result<Folder, CacheError> {
        let mut folder = Folder::make(&self.folder, Links::Refuse)?;
        if folder.is_writable() {
            take_back(&mut folder)?;
        }
        Ok(folder)
    }
}

impl Names {
    fn of(subject: &Subject) -> Self {
        let hasher = Sha256::new().chain_update(NAME_DOMAIN).chain_update(subject.wasm).chain_update(subject.engine);
        Self::with_stem(&hex(&hasher.finalize()))
    }

    fn with_stem(stem: &str) -> Self {
        Self { code: format!("{stem}.{CODE}"), seal: format!("{stem}.{SEAL}") }
    }

    /// Removes the entry where it is flawed.
    fn discard(&self, folder: &Folder, fault: &Fault) {
        if let Fault::Flawed(_) = fault {
            // What cannot be removed is not used either.
            let _removed = (folder.remove(&self.seal), folder.remove(&self.code));
        }
    }
}

impl fmt::Display for WasmDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", hex(&self.0))
    }
}

/// Hashes code, maps it, and seals it as the file that it is now.
fn admit(
    runtime: &Runtime,
    folder: &Folder,
    key: &SealKey,
    names: &Names,
    found: Found<'_>,
) -> Result<Admitted, Fault> {
    let old = found.seal();
    // It is started before the file is read: a write that comes while it is read has a later time.
    let draft = folder.draft();
    let checked = found.hash()?;
    let code = map::map(&runtime.engine, &checked)?;
    let seal = Seal { file: checked.state(), ..*old };
    // A seal that outlasts a power cut must not vouch for bytes that did not.
    let synced = checked.file().sync_all().map_err(|error| folder.failed("sync", &names.code, error));
    let sealed = synced.and(draft).and_then(|draft| reseal(draft, key, names, seal));
    Ok(Admitted { kept: Kept { code, hashed: checked.hashed() }, sealed })
}

/// Seals a file that was hashed after the draft of its seal was started.
fn reseal(draft: Draft<'_>, key: &SealKey, names: &Names, seal: Seal) -> Result<i64, CacheError> {
    let looked = draft.started();
    let seal = Seal { looked, ..seal };
    draft.write(&key.close(&seal.body()), READ_ONLY)?;
    draft.publish(&names.seal)?;
    Ok(looked)
}

/// Takes a folder back from others who could write in it, with nothing that they may have left.
fn take_back(folder: &mut Folder) -> Result<Discarded, CacheError> {
    folder.take_back()?;
    empty(folder)?;
    Ok(Discarded { path: folder.path().to_owned(), flaw: Flaw::Writable })
}

fn empty(folder: &Folder) -> Result<Tally, CacheError> {
    let mut removed = Tally::default();
    for (name, facts) in folder.list()? {
        if folder.remove(&name)? {
            removed.files += 1;
            removed.bytes += facts.state.size;
        }
    }
    Ok(removed)
}

#[expect(clippy::disallowed_methods, reason = "nothing tells that the clock of a file system has moved on")]
fn settle() {
    std::thread::sleep(SETTLE);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // A string takes all that is written to it.
        let _written = write!(text, "{byte:02x}");
        text
    })
}
