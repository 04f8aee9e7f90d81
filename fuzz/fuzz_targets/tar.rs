//! Tars, in the form that [`wharf_fuzz::entries`] draws.

#![no_main]

use std::io::{Cursor, Read};
use std::mem::discriminant;

use libfuzzer_sys::fuzz_target;
use wharf_fuzz::Trickle;
use wharf_fuzz::entries::{entries, tar};
use wharf_tar::{Entry, EntryKind, InvalidTar, Limits, Links, Walk, WalkError, Writer, decompress, is_tar};
use wharf_tar::{walk, walk_seek};
use wharf_testing::packing;

/// Small enough to be met.
const LIMITS: Limits = Limits { entries: 8, bytes: 4096, path_bytes: 300, links: Links::Report };

fuzz_target!(|input: &[u8]| {
    let tar = tar(&entries(input));
    let reported = check_walks(&tar, &LIMITS);
    let refused = check_walks(&tar, &Limits { links: Links::Refuse, ..LIMITS });
    assert!(refused.seen.iter().all(|seen| !is_link(seen.kind)));
    check_entries(&tar, &reported.seen);
    check_packed(&tar, &reported);
    if reported.error.is_none() {
        check_peer(&tar, &reported.seen);
        check_written(&reported.seen);
    }
});

/// What a walk came across.
#[derive(Debug, Default)]
struct Walked {
    seen: Vec<Seen>,
    error: Option<InvalidTar>,
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    path: String,
    kind: EntryKind,
    size: u64,
    offset: u64,
    /// As much of the content as was read.
    content: Vec<u8>,
}

impl Walked {
    /// Walks with a visitor that reads up to `wanted` bytes of each entry.
    fn by(
        wanted: u64,
        walk: impl FnOnce(&mut dyn FnMut(&mut Entry<'_>) -> Result<Walk, InvalidTar>) -> Result<(), WalkError<InvalidTar>>,
    ) -> Self {
        let mut seen = Vec::new();
        let walked = walk(&mut |entry| {
            let (path, kind) = (entry.path().to_owned(), entry.kind());
            let (size, offset) = (entry.size(), entry.offset());
            let mut content = Vec::new();
            let read = entry.take(wanted).read_to_end(&mut content);
            seen.push(Seen { path, kind, size, offset, content });
            read.map(|_| Walk::Continue).map_err(InvalidTar::from)
        });
        let error = walked.err().map(|error| match error {
            WalkError::Tar(error) | WalkError::Visit(error) => error,
        });
        Self { seen, error }
    }

    fn same_error(&self, other: &Self) -> bool {
        self.error.as_ref().map(discriminant) == other.error.as_ref().map(discriminant)
    }
}

/// Streaming and seeking, reading all, some or nothing, see the same.
fn check_walks(tar: &[u8], limits: &Limits) -> Walked {
    let whole = Walked::by(u64::MAX, |visit| walk(tar, limits, visit));
    for wanted in [0, 3, u64::MAX] {
        let others = [
            (Walked::by(wanted, |visit| walk(Trickle::new(tar), limits, visit)), false),
            (Walked::by(wanted, |visit| walk_seek(Cursor::new(tar), limits, visit)), true),
        ];
        for (other, seeks) in others {
            assert!(whole.same_error(&other), "{whole:?} {other:?}");
            // What seeks sees that an entry is cut short before it is visited.
            let is_cut = seeks && matches!(whole.error, Some(InvalidTar::Truncated { .. }));
            let missing = whole.seen.len() - other.seen.len();
            assert!(missing <= usize::from(is_cut), "{whole:?} {other:?}");
            for (one, other) in whole.seen.iter().zip(&other.seen) {
                assert_eq!((&one.path, one.kind, one.size, one.offset), (&other.path, other.kind, other.size, other.offset));
                assert!(one.content.starts_with(&other.content));
            }
        }
    }
    whole
}

/// What was seen is within the limits, and stands where it says.
fn check_entries(tar: &[u8], seen: &[Seen]) {
    assert!(seen.len() as u64 <= LIMITS.entries);
    assert!(seen.iter().map(|seen| seen.size).sum::<u64>() <= LIMITS.bytes);
    assert!(seen.is_empty() || is_tar(&tar[..512]));
    for Seen { path, kind, size, offset, content } in seen {
        assert!(path.len() <= LIMITS.path_bytes && !path.contains('\0'), "{path:?}");
        assert!(path.split('/').all(|part| !matches!(part, "" | ".")), "{path:?}");
        assert!(path.split(['/', '\\']).all(|part| part != ".."), "{path:?}");
        let has_drive = matches!(path.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z', b':', ..]);
        assert!(!path.starts_with('\\') && !has_drive, "{path:?}");
        assert!(*kind == EntryKind::File || *size == 0);
        let start = usize::try_from(*offset).expect("it is within the bytes");
        assert_eq!(tar[start..start + content.len()], *content);
    }
}

/// Compression around a tar makes no difference.
fn check_packed(tar: &[u8], walked: &Walked) {
    if tar.is_empty() {
        return;
    }
    let packed = packing::gzip(tar);
    let unpacked = decompress(&packed[..], tar.len() as u64).expect("it was just packed");
    let other = Walked::by(u64::MAX, |visit| walk(unpacked, &LIMITS, visit));
    assert!(walked.same_error(&other), "{walked:?} {other:?}");
    assert_eq!(walked.seen, other.seen);
}

/// Another reader sees the same.
fn check_peer(tar: &[u8], seen: &[Seen]) {
    let mut archive = ::tar::Archive::new(tar);
    let mut others = Vec::new();
    for entry in archive.entries().expect("it was not read yet") {
        let mut entry = entry.expect("what was walked is a tar");
        // The records that are for all entries.
        if entry.header().entry_type() == ::tar::EntryType::XGlobalHeader {
            continue;
        }
        let path = String::from_utf8(entry.path_bytes().into_owned()).expect("what was walked has paths in UTF-8");
        // The other reader takes off but one.
        let path = path.trim_end_matches('\0');
        let kind = match entry.header().entry_type() {
            ::tar::EntryType::Regular if path.ends_with('/') => EntryKind::Directory,
            ::tar::EntryType::Regular => EntryKind::File,
            ::tar::EntryType::Directory => EntryKind::Directory,
            ::tar::EntryType::Symlink => EntryKind::SymbolicLink,
            ::tar::EntryType::Link => EntryKind::HardLink,
            other => panic!("{other:?} was walked over"),
        };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("what was walked is not cut short");
        let parts: Vec<_> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if !parts.is_empty() {
            others.push((parts.join("/"), kind, content));
        }
    }
    let seen: Vec<_> = seen.iter().map(|seen| (seen.path.clone(), seen.kind, seen.content.clone())).collect();
    assert_eq!(seen, others);
}

/// Files that are written anew are read as the same, by another reader too.
fn check_written(seen: &[Seen]) {
    let mut writer = Writer::new(Vec::new());
    let files: Vec<_> = seen.iter().filter(|seen| seen.kind == EntryKind::File).collect();
    for Seen { path, size, content, .. } in &files {
        writer.file(path, 0o644, *size, &mut &content[..]).expect("what was walked can be written");
    }
    let tar = writer.finish().expect("memory can be written to");
    // Long paths take entries of their own.
    let limits = Limits { entries: 2 * LIMITS.entries, bytes: 2 * LIMITS.bytes, ..LIMITS };
    let walked = Walked::by(u64::MAX, |visit| walk(&tar[..], &limits, visit));
    assert!(walked.error.is_none(), "{walked:?}");
    let same = |one: &Seen, other: &Seen| (&one.path, one.kind, &one.content) == (&other.path, other.kind, &other.content);
    assert!(walked.seen.len() == files.len() && walked.seen.iter().zip(files).all(|(one, other)| same(one, other)));
    check_peer(&tar, &walked.seen);
}

fn is_link(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::SymbolicLink | EntryKind::HardLink)
}
