//! The checks that compiled code passes before it is mapped. Nothing else makes a [`Checked`].

use std::io::Read as _;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::error::{Fault, Flaw};
use super::folder::{Folder, Private};
use super::seal::{FileState, Kind, Seal};

/// Bytes that are read in one go.
const READ_BYTES: usize = 256 * 1024;

/// A file of code that is not checked yet: of the user, not writable by others, of the size that was sealed.
#[derive(Debug)]
pub(super) struct Found<'a> {
    folder: &'a Folder,
    name: &'a str,
    private: Private,
    seal: &'a Seal,
}

/// An open file of code that holds what was kept.
#[derive(Debug)]
pub(super) struct Checked {
    private: Private,
    path: PathBuf,
    kind: Kind,
    hashed: u64,
}

impl<'a> Found<'a> {
    /// Opens what a seal is for; `None` where it is missing. The seal itself is verified.
    pub(super) fn open(folder: &'a Folder, name: &'a str, seal: &'a Seal) -> Result<Option<Self>, Fault> {
        let Some(private) = folder.open_private(name)? else { return Ok(None) };
        match private.facts.state.size == seal.file.size {
            true => Ok(Some(Self { folder, name, private, seal })),
            false => Err(Fault::Flawed(folder.discarded(name, Flaw::Content))),
        }
    }

    pub(super) fn seal(&self) -> &'a Seal {
        self.seal
    }

    /// Checks the file without reading it. Where it is not as it was when it was hashed, it comes back unchecked.
    pub(super) fn vouched(self) -> Result<Checked, Self> {
        match self.seal.vouches_for(&self.private.facts.state) {
            true => Ok(self.checked(0)),
            false => Err(self),
        }
    }

    /// Checks the file by reading all of it.
    pub(super) fn hash(self) -> Result<Checked, Fault> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; READ_BYTES];
        // A file that grows meanwhile is read no further; it has changed in any case.
        let mut rest = (&self.private.file).take(self.seal.file.size);
        let mut hashed = 0;
        loop {
            let read = rest.read(&mut buffer).map_err(|error| self.folder.failed("read", self.name, error))?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            hashed += read as u64;
        }
        // That the file changes meanwhile proves nothing: it does when another process takes its name away.
        match hasher.finalize().as_slice() == self.seal.code {
            true => Ok(self.checked(hashed)),
            false => Err(Fault::Flawed(self.folder.discarded(self.name, Flaw::Content))),
        }
    }

    fn checked(self, hashed: u64) -> Checked {
        let path = self.folder.path().join(self.name);
        Checked { private: self.private, path, kind: self.seal.kind, hashed }
    }
}

impl Checked {
    pub(super) fn file(&self) -> &std::fs::File {
        &self.private.file
    }

    pub(super) fn path(&self) -> &std::path::Path {
        &self.path
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns what the file was like before it was read.
    pub(super) fn state(&self) -> FileState {
        self.private.facts.state
    }

    /// Returns how many bytes were read for it.
    pub(super) fn hashed(&self) -> u64 {
        self.hashed
    }
}
