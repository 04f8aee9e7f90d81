//! Writes tar: paths, modes and contents, and nothing of the machine.

use std::io::{self, Read, Write};

use tar::{EntryType, Header};

use crate::header::BLOCK_BYTES;
use crate::path::writable;
use crate::{InvalidPath, WriteError};

/// How many bytes of content are held in memory.
const COPY_BYTES: usize = 64 * 1024;
/// How long a path may be to fit into a header.
const NAME_BYTES: usize = 100;
/// The path of the header that announces a long path, as all writers call it.
const LONG_PATH_NAME: &[u8] = b"././@LongLink";

/// Writes files into a tar, whose bytes depend on nothing but them.
///
/// See the [crate page](crate) for the layout.
#[derive(Debug)]
pub struct Writer<W: Write> {
    inner: W,
}

impl<W: Write> Writer<W> {
    /// Starts a tar where `inner` stands.
    pub fn new(inner: W) -> Self {
        Self { inner }
    }

    /// Adds a file, whose content has exactly `size` bytes and is read to its end.
    ///
    /// After an error the file is there in part, so that the tar is of no use unless the caller takes it back.
    ///
    /// # Errors
    /// [`WriteError::Path`] before anything was written; the others, whenever they come up.
    pub fn file(&mut self, path: &str, mode: u32, size: u64, content: &mut dyn Read) -> Result<(), WriteError> {
        let Frame { before, .. } = frame(path, mode, size)?;
        self.inner.write_all(&before).map_err(WriteError::Write)?;
        self.copy(path, size, content)?;
        self.inner.write_all(&padding(size)).map_err(WriteError::Write)
    }

    /// Writes the end of the tar, and returns what it was written to.
    ///
    /// # Errors
    /// [`WriteError::Write`].
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.inner.write_all(&[0; 2 * BLOCK_BYTES]).map_err(WriteError::Write)?;
        self.inner.flush().map_err(WriteError::Write)?;
        Ok(self.inner)
    }

    fn copy(&mut self, path: &str, size: u64, content: &mut dyn Read) -> Result<(), WriteError> {
        let mut buffer = vec![0; COPY_BYTES];
        let mut actual = 0;
        loop {
            let read = match content.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(WriteError::Content { path: path.to_owned(), source }),
            };
            actual += read as u64;
            if actual > size || (read == 0 && actual < size) {
                return Err(WriteError::Size { path: path.to_owned(), expected: size, actual });
            }
            if read == 0 {
                return Ok(());
            }
            self.inner.write_all(&buffer[..read]).map_err(WriteError::Write)?;
        }
    }
}

/// A tar of exactly one file, but for its content, which stands between the two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What stands before the content.
    pub before: Vec<u8>,
    /// What stands after it: zeros up to the next block, and the end of the tar.
    pub after: Vec<u8>,
}

/// Makes a tar around a file of `size` bytes that is somewhere else, for whoever hashes or streams it on its own.
///
/// # Errors
/// [`InvalidPath`] where `path` is none to write.
pub fn frame(path: &str, mode: u32, size: u64) -> Result<Frame, InvalidPath> {
    writable(path)?;
    let mut before = Vec::new();
    if path.len() > NAME_BYTES {
        // Its content is the path with a NUL.
        let length = path.len() as u64 + 1;
        before.extend_from_slice(header(LONG_PATH_NAME, EntryType::GNULongName, 0o644, length).as_bytes());
        before.extend_from_slice(path.as_bytes());
        before.push(0);
        before.extend_from_slice(&padding(length));
    }
    before.extend_from_slice(header(path.as_bytes(), EntryType::Regular, mode, size).as_bytes());
    let mut after = padding(size);
    after.extend_from_slice(&[0; 2 * BLOCK_BYTES]);
    Ok(Frame { before, after })
}

fn header(path: &[u8], kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    // What does not fit is there for readers that do not know long paths.
    let name = &mut header.as_old_mut().name;
    let length = path.len().min(NAME_BYTES);
    name[..length].copy_from_slice(&path[..length]);
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    header
}

fn padding(size: u64) -> Vec<u8> {
    let over = (size % BLOCK_BYTES as u64) as usize;
    vec![0; (BLOCK_BYTES - over) % BLOCK_BYTES]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{InvalidTar, Limits, Links, Walk, WalkError, walk};

    const LIMITS: Limits = Limits { entries: 100, bytes: 1 << 20, path_bytes: 4096, links: Links::Refuse };

    type Files = Vec<(String, Vec<u8>)>;

    fn written(files: &Files) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (path, content) in files {
            writer.file(path, 0o444, content.len() as u64, &mut &content[..]).unwrap();
        }
        writer.finish().unwrap()
    }

    fn walked(tar: &[u8]) -> Files {
        let mut files = Vec::new();
        let result: Result<(), WalkError<InvalidTar>> = walk(tar, &LIMITS, &mut |entry| {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.push((entry.path().to_owned(), content));
            Ok(Walk::Continue)
        });
        result.unwrap();
        files
    }

    /// What another reader sees.
    fn peers_view(tar: &[u8]) -> Files {
        let mut archive = tar::Archive::new(tar);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let header = entry.header();
            let numbers = (header.mode(), header.uid(), header.gid(), header.mtime());
            assert!(matches!(numbers, (Ok(0o444), Ok(0), Ok(0), Ok(0))), "{numbers:?}");
            assert_eq!(header.entry_type(), EntryType::Regular);
            assert_eq!(header.username_bytes(), Some(&b""[..]));
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (path, content)
        });
        entries.collect()
    }

    #[test]
    fn a_path_longer_than_a_header_holds_is_written_whole() {
        for length in [99, 100, 101, 511, 512, 4096] {
            let files = vec![("x".repeat(length), b"content".to_vec()), ("y".to_owned(), Vec::new())];
            assert_eq!(walked(&written(&files)), files);
            assert_eq!(peers_view(&written(&files)), files);
        }
    }

    #[test]
    fn the_layout_is_the_one_that_is_drawn() {
        let tar = written(&vec![("plugin.wasm".to_owned(), b"\0asm".to_vec())]);
        assert_eq!(tar.len(), 4 * BLOCK_BYTES);
        assert!(tar.starts_with(b"plugin.wasm\0"));
        assert_eq!(&tar[100..108], b"0000444\0");
        assert_eq!(&tar[124..136], b"00000000004\0");
        assert_eq!(&tar[512..517], b"\0asm\0");
        assert!(tar[516..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn content_of_another_size_than_announced_is_refused() {
        for (size, actual) in [(3, 4), (5, 4)] {
            let error = Writer::new(Vec::new()).file("a", 0o644, size, &mut &b"four"[..]).unwrap_err();
            assert!(
                matches!(error, WriteError::Size { expected, actual: seen, .. } if (expected, seen) == (size, actual))
            );
        }
    }

    #[test]
    fn a_path_that_no_reader_should_take_is_not_written() {
        for path in ["", "/a", "../a", "a/..", "./a", "a//b", "a/", "a\0", r"C:\a"] {
            let mut writer = Writer::new(Vec::new());
            assert!(matches!(writer.file(path, 0o644, 0, &mut io::empty()), Err(WriteError::Path(_))), "{path}");
            assert_eq!(writer.finish().unwrap(), [0; 1024], "{path}");
        }
    }

    #[test]
    fn a_reader_that_fails_is_told_from_a_full_disk() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let error = Writer::new(Vec::new()).file("a", 0o644, 1, &mut Broken).unwrap_err();
        assert!(matches!(error, WriteError::Content { .. }), "{error}");
        let mut full = [0; 100];
        let error = Writer::new(&mut full[..]).file("a", 0o644, 1, &mut &b"x"[..]).unwrap_err();
        assert!(matches!(error, WriteError::Write(_)), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            files in prop::collection::vec(("[a-z]{1,60}(/[a-zä.]{1,60}[a-z]){0,3}", prop::collection::vec(any::<u8>(), 0..1500)), 0..5)
        ) {
            let tar = written(&files);
            prop_assert_eq!(walked(&tar), files.clone());
            prop_assert_eq!(peers_view(&tar), files);
        }

        #[test]
        fn a_frame_around_content_is_what_the_writer_writes(path in "[a-z]{1,200}", content: Vec<u8>) {
            let Frame { before, after } = frame(&path, 0o444, content.len() as u64).unwrap();
            prop_assert_eq!([before, content.clone(), after].concat(), written(&vec![(path, content)]));
        }
    }
}
