//! What is where in the tar of an archive.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use wharf_oci::limits::MANIFEST_BYTES_MAX;
use wharf_tar::{Compression, EntryKind, Limits, Links, Walk, WalkError, walk_seek};

use crate::Error;
use crate::span::Span;

/// Entries of an archive: an image of many layers, each a few entries in the old layout, stays far below.
const ENTRIES_MAX: u64 = 100_000;
/// Bytes of the path of an entry.
const PATH_BYTES_MAX: usize = 1024;

/// The files in a tar, by path. Their content is read when somebody asks for it.
#[derive(Debug)]
pub(crate) struct Entries {
    path: PathBuf,
    files: HashMap<String, Span>,
    /// Links are never followed, and do no harm where nobody asks for them.
    links: HashSet<String>,
}

impl Entries {
    /// Goes through the tar at `path` once.
    pub(crate) fn index(path: &Path, links: Links) -> Result<Self, Error> {
        let file = open(path)?;
        let mut entries = Self { path: path.to_owned(), files: HashMap::new(), links: HashSet::new() };
        // Nothing is unpacked, and the tar crate compares each entry with the size of the file.
        let limits = Limits { entries: ENTRIES_MAX, bytes: u64::MAX, path_bytes: PATH_BYTES_MAX, links };
        let walked = walk_seek(file, &limits, &mut |entry| {
            let span = Span { offset: entry.offset(), size: entry.size() };
            entries.add(entry.path(), entry.kind(), span)?;
            Ok(Walk::Continue)
        });
        match walked {
            Ok(()) => Ok(entries),
            Err(WalkError::Visit(error)) => Err(error),
            Err(WalkError::Tar(source)) => Err(Error::Tar { path: path.to_owned(), source }),
        }
    }

    /// Returns the file that the archive is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the files.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, Span)> {
        self.files.iter().map(|(path, span)| (path.as_str(), *span))
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, entry: &str) -> bool {
        self.files.contains_key(entry)
    }

    /// Finds a file.
    pub(crate) fn find(&self, entry: &str) -> Result<Span, Error> {
        let (path, entry) = (self.path.clone(), entry.to_owned());
        match self.files.get(&entry) {
            Some(span) => Ok(*span),
            None if self.links.contains(&entry) => Err(Error::EntryLinked { path, entry }),
            None => Err(Error::EntryMissing { path, entry }),
        }
    }

    /// Reads a small file whole.
    pub(crate) fn read(&self, entry: &str) -> Result<Bytes, Error> {
        let span = self.find(entry)?;
        let (size, limit) = (span.size, MANIFEST_BYTES_MAX);
        if size > limit {
            return Err(Error::EntrySize { path: self.path.clone(), entry: entry.to_owned(), size, limit });
        }
        let mut bytes = Vec::new();
        let read = span.open(&self.path).and_then(|mut part| part.read_to_end(&mut bytes));
        read.map_err(Error::file("read", &self.path))?;
        Ok(bytes.into())
    }

    fn add(&mut self, entry: &str, kind: EntryKind, span: Span) -> Result<(), Error> {
        let is_new = !self.files.contains_key(entry) && !self.links.contains(entry);
        match kind {
            // A folder twice is the same folder.
            EntryKind::Directory => return Ok(()),
            _ if !is_new => return Err(Error::EntryTwice { path: self.path.clone(), entry: entry.to_owned() }),
            EntryKind::File => drop(self.files.insert(entry.to_owned(), span)),
            EntryKind::SymbolicLink | EntryKind::HardLink => drop(self.links.insert(entry.to_owned())),
        }
        Ok(())
    }
}

/// Opens the file, where it is one and is not compressed.
fn open(path: &Path) -> Result<File, Error> {
    // A named pipe would be waited for.
    if !path.metadata().map_err(Error::file("open", path))?.is_file() {
        return Err(Error::NoFile { path: path.to_owned() });
    }
    let mut file = File::open(path).map_err(Error::file("open", path))?;
    let mut first = Vec::new();
    let read = (&mut file).take(Compression::MAGIC_BYTES as u64).read_to_end(&mut first);
    read.and_then(|_| file.rewind()).map_err(Error::file("read", path))?;
    match Compression::of(&first) {
        Compression::None => Ok(file),
        compression => Err(Error::Compressed { path: path.to_owned(), compression }),
    }
}
