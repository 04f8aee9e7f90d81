//! Visits the entries of a tar in order.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use crate::extension::{Extensions, is_extension};
use crate::header::{BLOCK_BYTES, RawHeader};
use crate::limits::EXTENSION_BYTES_MAX;
use crate::path::normal;
use crate::{InvalidPath, InvalidTar, Limits, Links, WalkError};

/// Visits each entry of a tar, in order, reading through what the visitor leaves unread.
///
/// The end is two blocks of zeros, whatever follows them, or the end of the bytes between two entries. The folder
/// of all (`./`) is not visited. Paths are checked and limits are held before the visitor is called; whether a path
/// comes twice is the visitor's matter.
///
/// # Errors
/// [`WalkError::Tar`] with what is wrong with the tar, [`WalkError::Visit`] with what the visitor returned.
pub fn walk<R: Read, E>(
    reader: R,
    limits: &Limits,
    visit: &mut dyn FnMut(&mut Entry<'_>) -> Result<Walk, E>,
) -> Result<(), WalkError<E>> {
    Walker::new(Streamed(reader), limits).run(visit)
}

/// Visits each entry of a tar as [`walk`] does, and seeks over what the visitor leaves unread.
///
/// The tar starts where `reader` stands. An entry is checked against the end of the bytes before it is visited, so
/// that what its header says of place and size can be relied on.
///
/// # Errors
/// As for [`walk`].
pub fn walk_seek<R: Read + Seek, E>(
    reader: R,
    limits: &Limits,
    visit: &mut dyn FnMut(&mut Entry<'_>) -> Result<Walk, E>,
) -> Result<(), WalkError<E>> {
    let source = Seekable::new(reader).map_err(InvalidTar::Read)?;
    Walker::new(source, limits).run(visit)
}

/// Whether to go on to the next entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// Go on.
    Continue,
    /// End the walk here. What follows is not looked at, nor is what the visitor left unread of this entry.
    Stop,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link, which nobody follows.
    SymbolicLink,
    /// A link to a file that came before, which nobody follows.
    HardLink,
}

/// An entry that a walk visits. Reading from it gives its content.
pub struct Entry<'a> {
    path: &'a str,
    kind: EntryKind,
    size: u64,
    offset: u64,
    unread: u64,
    source: &'a mut dyn Read,
}

impl Entry<'_> {
    /// Returns the path: relative, joined by `/`, without `.` and `..`. It may hold control characters.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path
    }

    /// Returns what the entry is.
    #[must_use]
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Returns the bytes of the content; 0 for whatever is no file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns where the content starts, in bytes from the start of the tar.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl Read for Entry<'_> {
    /// Reads content. Where the tar ends within it, that is [`InvalidTar::Truncated`] in the error, not an end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.unread).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.source.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(InvalidTar::Truncated { path: self.path.to_owned(), missing: self.unread }.into());
        }
        self.unread -= read as u64;
        Ok(read)
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entry = formatter.debug_struct("Entry");
        entry.field("path", &self.path).field("kind", &self.kind).field("size", &self.size);
        entry.field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// Bytes to walk through.
trait Source: Read {
    /// Goes `count` bytes on and returns how many of them were there.
    fn skip(&mut self, count: u64) -> io::Result<u64>;

    /// Returns how many bytes there still are, where that is known.
    fn left(&self) -> Option<u64>;
}

struct Streamed<R>(R);

impl<R: Read> Read for Streamed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Source for Streamed<R> {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        io::copy(&mut (&mut self.0).take(count), &mut io::sink())
    }

    fn left(&self) -> Option<u64> {
        None
    }
}

struct Seekable<R> {
    reader: R,
    left: u64,
}

impl<R: Read + Seek> Seekable<R> {
    fn new(mut reader: R) -> io::Result<Self> {
        let start = reader.stream_position()?;
        let end = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(start))?;
        Ok(Self { reader, left: end.saturating_sub(start) })
    }
}

impl<R: Read> Read for Seekable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

impl<R: Read + Seek> Source for Seekable<R> {
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        // A file lets one seek behind its end.
        let count = count.min(self.left);
        self.reader.seek_relative(i64::try_from(count).map_err(io::Error::other)?)?;
        self.left -= count;
        Ok(count)
    }

    fn left(&self) -> Option<u64> {
        Some(self.left)
    }
}

/// An entry whose header was read and found in order.
struct Member {
    path: String,
    kind: EntryKind,
    size: u64,
}

struct Walker<'a, S> {
    source: S,
    limits: &'a Limits,
    position: u64,
    entries: u64,
    bytes: u64,
}

impl<'a, S: Source> Walker<'a, S> {
    fn new(source: S, limits: &'a Limits) -> Self {
        Self { source, limits, position: 0, entries: 0, bytes: 0 }
    }

    fn run<E>(mut self, visit: &mut dyn FnMut(&mut Entry<'_>) -> Result<Walk, E>) -> Result<(), WalkError<E>> {
        while let Some(member) = self.next_member()? {
            let Member { path, kind, size } = &member;
            let (size, offset) = (*size, self.position);
            let padded = padded(size);
            if let Some(left) = self.source.left().filter(|&left| left < padded) {
                return Err(InvalidTar::Truncated { path: path.clone(), missing: padded - left }.into());
            }
            let mut unread = size;
            // `./` and the like: the folder that everything is in.
            if !path.is_empty() {
                let mut entry = Entry { path, kind: *kind, size, offset, unread, source: &mut self.source };
                if visit(&mut entry).map_err(WalkError::Visit)? == Walk::Stop {
                    return Ok(());
                }
                unread = entry.unread;
            }
            self.skip(path, unread + (padded - size))?;
            self.position = offset + padded;
        }
        Ok(())
    }

    /// Reads headers up to that of the next file, folder or link.
    fn next_member(&mut self) -> Result<Option<Member>, InvalidTar> {
        let mut extensions = Extensions::default();
        loop {
            let Some(header) = self.next_header()? else {
                if extensions.is_pending() {
                    let reason = "the tar ends where the entry should be that it belongs to";
                    return Err(InvalidTar::Header { offset: self.position, reason });
                }
                return Ok(None);
            };
            if !is_extension(header.type_flag) {
                return self.member(&header, extensions).map(Some);
            }
            let content = self.extension_content(&header)?;
            extensions.add(&header, &content)?;
        }
    }

    /// Reads the next header; `None` at the end of the tar.
    fn next_header(&mut self) -> Result<Option<RawHeader>, InvalidTar> {
        let offset = self.position;
        let Some(block) = self.next_block()? else { return Ok(None) };
        if is_zero(&block) {
            return match self.next_block()? {
                Some(block) if !is_zero(&block) => {
                    // Some readers end here, others go on.
                    let reason = "it stands behind a single block of zeros";
                    Err(InvalidTar::Header { offset: offset + BLOCK_BYTES as u64, reason })
                }
                _ => Ok(None),
            };
        }
        let header = RawHeader::parse(&block, offset)?;
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(InvalidTar::Entries { limit: self.limits.entries });
        }
        Ok(Some(header))
    }

    fn next_block(&mut self) -> Result<Option<[u8; BLOCK_BYTES]>, InvalidTar> {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        (&mut self.source).take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(None);
        }
        let Ok(block) = block.try_into() else {
            return Err(InvalidTar::Header { offset: self.position, reason: "the tar ends within it" });
        };
        self.position += BLOCK_BYTES as u64;
        Ok(Some(block))
    }

    fn extension_content(&mut self, header: &RawHeader) -> Result<Vec<u8>, InvalidTar> {
        let size = header.size;
        if size > EXTENSION_BYTES_MAX {
            return Err(InvalidTar::ExtensionSize { offset: header.offset, size });
        }
        self.count_bytes(size)?;
        let mut content = Vec::new();
        (&mut self.source).take(size).read_to_end(&mut content)?;
        let missing = size - content.len() as u64;
        self.skip(&String::from_utf8_lossy(&header.path), missing + (padded(size) - size))?;
        self.position += padded(size);
        Ok(content)
    }

    fn member(&mut self, header: &RawHeader, extensions: Extensions) -> Result<Member, InvalidTar> {
        let path = self.path(header, extensions.path.as_deref().unwrap_or(&header.path))?;
        let type_flag = if extensions.is_sparse { b'S' } else { header.type_flag };
        let kind = match type_flag {
            // The seventh edition of Unix had no type for folders.
            b'\0' if path.ends_with('/') => EntryKind::Directory,
            b'\0' | b'0' => EntryKind::File,
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::SymbolicLink,
            b'5' => EntryKind::Directory,
            _ => return Err(InvalidTar::Special { path, type_flag }),
        };
        let is_link = matches!(kind, EntryKind::HardLink | EntryKind::SymbolicLink);
        if is_link && self.limits.links == Links::Refuse {
            return Err(InvalidTar::Link { path });
        }
        let size = extensions.size.unwrap_or(header.size);
        if kind != EntryKind::File && (size != 0 || header.size != 0) {
            // Some readers take a header for what stands there, others take it for content.
            return Err(header.invalid("it is no file, and gives a size"));
        }
        if kind != EntryKind::Directory && path.ends_with('/') {
            return Err(header.invalid("it is no folder, and its path ends with `/`"));
        }
        let path = normal(&path)?;
        if path.is_empty() && kind != EntryKind::Directory {
            return Err(InvalidPath::Empty.into());
        }
        self.count_bytes(size)?;
        Ok(Member { path, kind, size })
    }

    fn path(&self, header: &RawHeader, path: &[u8]) -> Result<String, InvalidTar> {
        let (length, limit) = (path.len(), self.limits.path_bytes);
        if length > limit {
            return Err(InvalidTar::PathLength { offset: header.offset, length, limit });
        }
        let encoding = |_| InvalidPath::Encoding { path: String::from_utf8_lossy(path).into_owned() };
        Ok(String::from_utf8(path.to_owned()).map_err(encoding)?)
    }

    fn count_bytes(&mut self, size: u64) -> Result<(), InvalidTar> {
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.bytes {
            return Err(InvalidTar::Bytes { limit: self.limits.bytes });
        }
        Ok(())
    }

    fn skip(&mut self, path: &str, count: u64) -> Result<(), InvalidTar> {
        let skipped = self.source.skip(count)?;
        if skipped < count {
            return Err(InvalidTar::Truncated { path: path.to_owned(), missing: count - skipped });
        }
        Ok(())
    }
}

fn is_zero(block: &[u8; BLOCK_BYTES]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

/// Fills `size` up to whole blocks.
///
/// It saturates: a size near the end of `u64` is over any limit of bytes that a tar can have.
fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(BLOCK_BYTES as u64).unwrap_or(size)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use tar::{EntryType, Header};

    use super::*;
    use crate::is_tar;

    const LIMITS: Limits = Limits { entries: 20, bytes: 10_000, path_bytes: 300, links: Links::Refuse };

    /// A header of `size` bytes, whose name and type are written as they are.
    fn header(name: &[u8], kind: u8, size: u64) -> Vec<u8> {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(EntryType::new(kind));
        header.set_size(size);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    fn filled(content: &[u8]) -> Vec<u8> {
        let mut content = content.to_vec();
        content.resize(content.len().next_multiple_of(BLOCK_BYTES), 0);
        content
    }

    fn entry(name: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
        [header(name, kind, content.len() as u64), filled(content)].concat()
    }

    fn end() -> Vec<u8> {
        vec![0; 2 * BLOCK_BYTES]
    }

    fn pax(records: &[(&str, &str)]) -> Vec<u8> {
        let record = |(key, value): &(&str, &str)| {
            let rest = key.len() + value.len() + 3;
            let length = (rest..).find(|length| length.to_string().len() + rest == *length).unwrap();
            format!("{length} {key}={value}\n")
        };
        entry(b"pax", b'x', records.iter().map(record).collect::<String>().as_bytes())
    }

    type Seen = Vec<(String, EntryKind, Vec<u8>)>;

    /// Walks in both ways, reads all or nothing, and expects no difference.
    fn see(tar: &[u8], limits: &Limits) -> Result<Seen, InvalidTar> {
        let mut seen = Seen::new();
        let mut read = |entry: &mut Entry<'_>| {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            assert_eq!(content.len() as u64, entry.size());
            let start = usize::try_from(entry.offset()).unwrap();
            assert_eq!(tar[start..start + content.len()], content);
            seen.push((entry.path().to_owned(), entry.kind(), content));
            Ok(Walk::Continue)
        };
        let read = outcome(walk(tar, limits, &mut read));
        let mut skip = |_: &mut Entry<'_>| Ok(Walk::Continue);
        let skipped = [outcome(walk(tar, limits, &mut skip)), outcome(walk_seek(Cursor::new(tar), limits, &mut skip))];
        for skipped in skipped {
            assert_eq!(skipped.is_ok(), read.is_ok(), "{skipped:?} {read:?}");
        }
        read.map(|()| seen)
    }

    fn outcome(result: Result<(), WalkError<InvalidTar>>) -> Result<(), InvalidTar> {
        result.map_err(|error| match error {
            WalkError::Tar(error) | WalkError::Visit(error) => error,
        })
    }

    fn names(tar: &[u8]) -> Vec<String> {
        see(tar, &LIMITS).unwrap().into_iter().map(|(name, ..)| name).collect()
    }

    #[test]
    fn entries_come_in_order_with_their_content() {
        let tar = [entry(b"./", b'5', b""), entry(b"a/", b'5', b""), entry(b"./a/b", b'0', b"one"), end()].concat();
        let expected = vec![
            ("a".to_owned(), EntryKind::Directory, Vec::new()),
            ("a/b".to_owned(), EntryKind::File, b"one".to_vec()),
        ];
        assert_eq!(see(&tar, &LIMITS).unwrap(), expected);
        assert!(is_tar(&tar));
    }

    #[test]
    fn a_tar_of_the_seventh_edition_is_read() {
        let mut old = Header::new_old();
        old.as_old_mut().name[..4].copy_from_slice(b"dir/");
        old.as_old_mut().linkflag = [0];
        old.set_size(0);
        old.set_cksum();
        let seen = see(old.as_bytes(), &LIMITS).unwrap();
        assert_eq!(seen, [("dir".to_owned(), EntryKind::Directory, Vec::new())]);
        assert!(is_tar(old.as_bytes()));
        assert!(!is_tar(&[0; 512]) && !is_tar(&[b'x'; 512]) && !is_tar(b"") && !is_tar(b"\0asm"));
    }

    #[test]
    fn the_end_may_be_missing_and_garbage_may_follow_it() {
        let one = entry(b"a", b'0', b"one");
        for end in [vec![], vec![0; 512], end(), [end(), b"garbage".to_vec()].concat(), [end(), one.clone()].concat()] {
            assert_eq!(names(&[one.clone(), end].concat()), ["a"]);
        }
    }

    #[test]
    fn long_paths_of_both_kinds_are_read() {
        let long = "x".repeat(200);
        let gnu = [entry(b"././@LongLink", b'L', format!("{long}\0").as_bytes()), entry(b"cut", b'0', b"one")];
        let posix = [pax(&[("comment", "two\nlines=1"), ("path", &long)]), entry(b"cut", b'0', b"one")];
        assert_eq!(names(&gnu.concat()), [long.as_str()]);
        assert_eq!(names(&posix.concat()), [long.as_str()]);
        let mut ustar = Header::new_ustar();
        ustar.set_path(format!("{}/{}", "p".repeat(90), "n".repeat(90))).unwrap();
        ustar.set_size(0);
        ustar.set_cksum();
        assert_eq!(names(ustar.as_bytes()), [format!("{}/{}", "p".repeat(90), "n".repeat(90))]);
    }

    #[test]
    fn a_pax_size_counts_more_than_the_headers() {
        let tar = [pax(&[("size", "3")]), header(b"a", b'0', 0), filled(b"one"), entry(b"b", b'0', b"")].concat();
        assert_eq!(names(&tar), ["a", "b"]);
    }

    #[test]
    fn global_records_that_change_nothing_here_are_passed_over() {
        let mut global = pax(&[("comment", "a commit")]);
        global[156] = b'g';
        let mut header = Header::from_byte_slice(&global[..512]).clone();
        header.set_cksum();
        global[..512].copy_from_slice(header.as_bytes());
        assert_eq!(names(&[global, entry(b"a", b'0', b"")].concat()), ["a"]);
    }

    #[test]
    fn what_is_no_file_folder_or_link_is_refused() {
        for kind in [b'3', b'4', b'6', b'7', b'S', b'D', b'V', b'Z', 0xff] {
            let error = see(&entry(b"dev/\x1b", kind, b""), &LIMITS).unwrap_err();
            assert!(matches!(&error, InvalidTar::Special { type_flag, .. } if *type_flag == kind), "{error}");
            assert!(error.to_string().starts_with(r"`dev/\u{1b}` in the tar is a device"), "{error}");
        }
        let sparse = [pax(&[("GNU.sparse.major", "1")]), entry(b"a", b'0', b"")].concat();
        assert!(matches!(see(&sparse, &LIMITS), Err(InvalidTar::Special { .. })));
    }

    #[test]
    fn links_are_refused_or_reported_as_asked() {
        let report = Limits { links: Links::Report, ..LIMITS };
        for (kind, expected) in [(b'1', EntryKind::HardLink), (b'2', EntryKind::SymbolicLink)] {
            let target = entry(b"././@LongLink", b'K', b"../../etc/passwd\0");
            let tar = [target, entry(b"link", kind, b"")].concat();
            assert!(matches!(see(&tar, &LIMITS), Err(InvalidTar::Link { .. })));
            assert_eq!(see(&tar, &report).unwrap(), [("link".to_owned(), expected, Vec::new())]);
        }
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused_wherever_they_stand() {
        for path in ["../a", "/a", "a/../b", r"..\a", r"C:\a", "a\0b"] {
            let posix = [pax(&[("path", path)]), entry(b"good", b'0', b"")].concat();
            assert!(matches!(see(&posix, &LIMITS), Err(InvalidTar::Path(_))), "{path}");
            if !path.contains('\0') {
                assert!(matches!(see(&entry(path.as_bytes(), b'0', b""), &LIMITS), Err(InvalidTar::Path(_))), "{path}");
            }
        }
        for name in [&b""[..], b".", b"./", b"\xff"] {
            assert!(see(&entry(name, b'0', b""), &LIMITS).is_err(), "{name:?}");
        }
        let report = Limits { links: Links::Report, ..LIMITS };
        assert!(see(&entry(b"./", b'2', b""), &report).is_err());
    }

    #[test]
    fn what_two_readers_could_understand_in_two_ways_is_refused() {
        let long = entry(b"l", b'L', b"long\0");
        let file = entry(b"a", b'0', b"");
        let harmless = entry(b"g", b'g', b"12 comment=\n");
        let mut global = header(b"g", b'g', 12);
        global.extend(filled(b"12 path=abc\n"));
        let table = [
            ([long.clone(), long.clone(), file.clone()].concat(), "of its kind"),
            ([long.clone(), pax(&[("path", "b")]), file.clone()].concat(), "path of the entry is given twice"),
            ([pax(&[("path", "b"), ("path", "c")]), file.clone()].concat(), "path of the entry is given twice"),
            ([entry(b"l", b'L', b"a\0b\0"), file.clone()].concat(), "goes on behind a NUL"),
            ([pax(&[("size", "0"), ("size", "1")]), file.clone()].concat(), "size of the entry is given twice"),
            ([pax(&[("size", "+0")]), file.clone()].concat(), "PAX size"),
            ([global, file.clone()].concat(), "all entries that follow"),
            ([long.clone(), harmless, file.clone()].concat(), "between an entry and what belongs to that"),
            (long, "the tar ends where"),
            ([vec![0; 512], file.clone()].concat(), "single block of zeros"),
            (entry(b"a/", b'5', b"one"), "no file, and gives a size"),
            (entry(b"a/", b'0', b""), "no folder"),
            (entry(b"a", b'x', b"9 path=a\n"), "the tar ends where"),
            ([entry(b"a", b'x', b"8 path=a\n"), file.clone()].concat(), "malformed"),
            ([entry(b"a", b'x', b"99999999999999999999 path=a\n"), file.clone()].concat(), "malformed"),
            ([entry(b"a", b'x', b"0 path=a\n"), file.clone()].concat(), "malformed"),
            ([entry(b"a", b'x', b"5 =a\n"), file.clone()].concat(), "malformed"),
            ([entry(b"a", b'x', b"path"), file].concat(), "malformed"),
        ];
        for (tar, expected) in table {
            let error = see(&tar, &LIMITS).unwrap_err();
            assert!(matches!(error, InvalidTar::Header { .. }), "{expected}: {error}");
            assert!(error.to_string().contains(expected), "{expected}: {error}");
        }
    }

    #[test]
    fn what_only_some_formats_have_is_refused_in_others() {
        let of_format = |magic: &[u8; 8], kind, prefix: &[u8]| {
            let mut block = header(b"a", kind, 0);
            block[257..265].copy_from_slice(magic);
            block[345..345 + prefix.len()].copy_from_slice(prefix);
            let mut header = Header::from_byte_slice(&block).clone();
            header.set_cksum();
            header.as_bytes().to_vec()
        };
        for (magic, can_be_extended) in [
            (b"ustar\x0000", true),
            (b"ustar  \0", true),
            (b"ustar\0\0\0", false),
            (b"ustar\x0001", false),
            (&[0; 8], false),
        ] {
            let comment = [of_format(magic, b'x', b""), of_format(magic, b'0', b"")].concat();
            for tar in [comment, of_format(magic, b'0', b"p")] {
                match see(&tar, &LIMITS) {
                    Err(error) => assert!(!can_be_extended && error.to_string().contains("is extended"), "{error}"),
                    Ok(_) => assert!(can_be_extended, "{magic:?}"),
                }
            }
            assert!(see(&of_format(magic, b'0', b""), &LIMITS).is_ok());
        }
    }

    #[test]
    fn a_header_that_is_damaged_is_refused() {
        let mut flipped = entry(b"a", b'0', b"");
        flipped[0] ^= 1;
        let mut negative = Header::from_byte_slice(&entry(b"a", b'0', b"")).clone();
        negative.as_old_mut().size = [0xff; 12];
        negative.set_cksum();
        let mut wide = negative.clone();
        wide.as_old_mut().size = [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        wide.set_cksum();
        let mut word = negative.clone();
        word.as_old_mut().size = *b"one        \0";
        word.set_cksum();
        for (tar, expected) in [
            (flipped, "checksum"),
            (negative.as_bytes().to_vec(), "size"),
            (wide.as_bytes().to_vec(), "size"),
            (word.as_bytes().to_vec(), "size"),
            (b"no tar at all".to_vec(), "ends within"),
        ] {
            let message = see(&tar, &LIMITS).unwrap_err().to_string();
            assert!(message.contains(expected), "{expected}: {message}");
        }
    }

    #[test]
    fn a_tar_that_is_cut_short_is_refused_wherever_it_is_cut() {
        let tar = [pax(&[("comment", "x")]), entry(b"a", b'0', &[7; 600]), entry(b"b", b'0', b"two")].concat();
        for cut in 1..tar.len() {
            // Between the two entries, it is a tar of one.
            let is_boundary = cut == 1024 + 512 + 1024;
            assert_eq!(see(&tar[..cut], &LIMITS).is_ok(), is_boundary, "{cut}");
        }
        let error = see(&tar[..1024 + 512 + 500], &LIMITS).unwrap_err();
        assert!(matches!(error, InvalidTar::Truncated { missing: 100, .. }), "{error:?}");
    }

    #[test]
    fn an_entry_longer_than_the_archive_is_not_even_visited_by_seeking() {
        let tar = [header(b"a", b'0', 9000), filled(b"short")].concat();
        let mut visits = 0;
        let walked = outcome(walk_seek(Cursor::new(&tar), &LIMITS, &mut |_| {
            visits += 1;
            Ok(Walk::Stop)
        }));
        assert!(matches!(walked, Err(InvalidTar::Truncated { .. })), "{walked:?}");
        assert_eq!(visits, 0);
        // Also where the visitor of a stream reads no further than what is there.
        assert!(matches!(see(&tar, &LIMITS), Err(InvalidTar::Truncated { .. })));
        let most = Limits { bytes: u64::MAX, ..LIMITS };
        for size in [u64::MAX, u64::MAX - 511, 1 << 63] {
            let error = see(&header(b"a", b'0', size), &most).unwrap_err();
            assert!(matches!(error, InvalidTar::Truncated { .. }), "{size}: {error}");
        }
    }

    #[test]
    fn entries_bytes_and_paths_are_limited() {
        let file = entry(b"a", b'0', &[0; 1000]);
        assert_eq!(names(&file.repeat(10)).len(), 10);
        assert!(matches!(see(&file.repeat(11), &LIMITS), Err(InvalidTar::Bytes { limit: 10_000 })));
        let empty = entry(b"a", b'0', b"");
        assert!(matches!(see(&empty.repeat(21), &LIMITS), Err(InvalidTar::Entries { limit: 20 })));
        let extended = [pax(&[("comment", "x")]), empty.clone()].concat();
        assert!(matches!(see(&extended.repeat(11), &LIMITS), Err(InvalidTar::Entries { limit: 20 })));
        let long = [pax(&[("path", &"x".repeat(301))]), empty].concat();
        assert!(matches!(see(&long, &LIMITS), Err(InvalidTar::PathLength { length: 301, limit: 300, .. })));
    }

    #[test]
    fn a_long_name_of_a_gibibyte_is_refused_unread() {
        struct Unread;
        impl Read for Unread {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("the name was read")
            }
        }
        let most = Limits { bytes: u64::MAX, path_bytes: usize::MAX, ..LIMITS };
        for kind in [b'L', b'K', b'x', b'g'] {
            let header = header(b"././@LongLink", kind, 1 << 30);
            let walked = outcome(walk(header.chain(Unread), &most, &mut |_| Ok(Walk::Continue)));
            assert!(matches!(walked, Err(InvalidTar::ExtensionSize { size, .. }) if size == 1 << 30), "{walked:?}");
        }
    }

    #[test]
    fn the_visitor_ends_the_walk() {
        let tar = [entry(b"a", b'0', b"one"), b"damage".to_vec()].concat();
        let stopped: Result<(), WalkError<()>> = walk(&tar[..], &LIMITS, &mut |_| Ok(Walk::Stop));
        assert!(stopped.is_ok());
        let failed = walk(&tar[..], &LIMITS, &mut |_| Err("why"));
        assert!(matches!(failed, Err(WalkError::Visit("why"))));
    }

    #[test]
    fn the_tar_starts_where_the_reader_stands() {
        let mut reader = Cursor::new([b"prefix".to_vec(), entry(b"a", b'0', b"one")].concat());
        reader.set_position(6);
        let mut offset = None;
        let walked = outcome(walk_seek(reader, &LIMITS, &mut |entry| {
            offset = Some(entry.offset());
            Ok(Walk::Continue)
        }));
        assert!(walked.is_ok(), "{walked:?}");
        assert_eq!(offset, Some(512));
    }

    #[test]
    fn a_bomb_inside_a_compressed_tar_keeps_its_type() {
        let tar = entry(b"a", b'0', &[0; 5000]);
        let limited = crate::decompress(&tar[..], 2000).unwrap();
        let walked = outcome(walk(limited, &LIMITS, &mut |_| Ok(Walk::Continue)));
        assert!(matches!(walked, Err(InvalidTar::Expansion { limit: 2000 })), "{walked:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_walk(blocks in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..600)), 0..6)) {
            let kinds = b"0125xgLKS\0";
            let tar: Vec<u8> = blocks
                .iter()
                .flat_map(|(kind, content)| entry(&content[..content.len().min(90)], kinds[usize::from(*kind) % kinds.len()], content))
                .collect();
            let _any = see(&tar, &LIMITS);
        }
    }
}
