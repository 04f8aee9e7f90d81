//! What is removed so that the cache does not grow without end.

use std::collections::BTreeMap;

use super::error::CacheError;
use super::folder::{Facts, Folder};
use super::{CODE, SEAL, Tally};

/// Entries at most, however small: a folder of more is slow to list.
const ENTRIES_MAX: usize = 4096;

/// How long what belongs to nothing is left: a writer may be about to finish it.
const UNFINISHED_NANOSECONDS: i64 = 3600 * 1_000_000_000;

/// What is used, and removed, together: code with its seal, or a memo.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Entry {
    names: Vec<String>,
    occupied: u64,
    size: u64,
    /// When it was last used; `None` where it is unfinished.
    used: Option<i64>,
    /// When the last of its files was written.
    written: i64,
}

/// Removes what was not used for longest until the rest occupies `bytes_max`, and what nobody finished.
pub(super) fn trim(folder: &Folder, now: i64, bytes_max: u64) -> Result<Tally, CacheError> {
    let mut removed = Tally::default();
    for entry in chosen(&folder.list()?, now, bytes_max) {
        for name in &entry.names {
            removed.files += u64::from(folder.remove(name)?);
        }
        removed.bytes += entry.size;
    }
    Ok(removed)
}

/// Chooses what is to go.
fn chosen(files: &[(String, Facts)], now: i64, bytes_max: u64) -> Vec<Entry> {
    let (mut finished, unfinished): (Vec<Entry>, Vec<Entry>) = entries(files).partition(|entry| entry.used.is_some());
    let is_stale = |entry: &Entry| now.saturating_sub(entry.written) >= UNFINISHED_NANOSECONDS;
    let mut chosen: Vec<Entry> = unfinished.into_iter().filter(is_stale).collect();
    // The one that was used last comes first.
    finished.sort_by_key(|entry| std::cmp::Reverse(entry.used));
    let mut occupied: u64 = 0;
    for (place, entry) in finished.into_iter().enumerate() {
        occupied = occupied.saturating_add(entry.occupied);
        if occupied > bytes_max || place >= ENTRIES_MAX {
            chosen.push(entry);
        }
    }
    chosen
}

fn entries(files: &[(String, Facts)]) -> impl Iterator<Item = Entry> {
    let mut entries = BTreeMap::<&str, Entry>::new();
    for (name, facts) in files {
        // Code and its seal have one stem; a memo has another even where its name looks the same.
        let (stem, is_used) = match name.rsplit_once('.') {
            Some((stem, CODE)) => (stem, false),
            Some((stem, SEAL)) => (stem, true),
            _ => (name.as_str(), name.ends_with(".memo")),
        };
        let entry = entries.entry(stem).or_default();
        entry.names.push(name.clone());
        entry.occupied = entry.occupied.saturating_add(facts.occupied);
        entry.size = entry.size.saturating_add(facts.state.size);
        entry.written = entry.written.max(facts.modified);
        if is_used {
            entry.used = Some(facts.modified);
        }
    }
    entries.into_values()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::seal::FileState;
    use super::*;

    const HOUR: i64 = UNFINISHED_NANOSECONDS;

    fn file(name: &str, occupied: u64, modified: i64) -> (String, Facts) {
        let state = FileState { size: occupied, device: 0, inode: 0, changed: 0 };
        let facts = Facts { is_file: true, is_folder: false, owner: 0, mode: 0o100_400, occupied, modified, state };
        (name.to_owned(), facts)
    }

    fn names(files: &[(String, Facts)], now: i64, bytes_max: u64) -> Vec<String> {
        let mut names: Vec<String> = chosen(files, now, bytes_max).into_iter().flat_map(|entry| entry.names).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        // The code of `b` is the newest file, and its seal says that it was used first.
        let files = [
            file("a.code", 10, 1),
            file("a.seal", 1, 5),
            file("b.code", 10, 9),
            file("b.seal", 1, 2),
            file("c.memo", 1, 3),
        ];
        assert_eq!(names(&files, 10, 23), Vec::<String>::new());
        assert_eq!(names(&files, 10, 22), ["b.code", "b.seal"]);
        assert_eq!(names(&files, 10, 11), ["b.code", "b.seal", "c.memo"]);
        assert_eq!(names(&files, 10, 0).len(), 5);
    }

    #[test]
    fn what_nobody_finished_goes_when_it_is_old() {
        let files = [file("draft-1", 1, 5), file("a.code", 1, 6), file("b.seal", 1, 0)];
        assert_eq!(names(&files, HOUR + 4, 100), Vec::<String>::new());
        assert_eq!(names(&files, HOUR + 5, 100), ["draft-1"]);
        assert_eq!(names(&files, HOUR + 6, 100), ["a.code", "draft-1"]);
        // A clock that was set back removes nothing.
        assert_eq!(names(&files, i64::MIN, 100), Vec::<String>::new());
    }

    #[test]
    fn there_are_no_more_entries_than_can_be_listed() {
        let memos = 0..i64::try_from(ENTRIES_MAX).unwrap() + 2;
        let files: Vec<_> = memos.map(|number| file(&format!("{number}.memo"), 0, number)).collect();
        assert_eq!(names(&files, 0, 100), ["0.memo", "1.memo"]);
    }

    proptest! {
        #[test]
        fn what_stays_fits(sizes in prop::collection::vec((0..1000_u64, 0..50_i64), 0..30), bytes_max in 0..10_000_u64) {
            let files: Vec<_> =
                sizes.iter().enumerate().map(|(at, (size, used))| file(&format!("{at}.seal"), *size, *used)).collect();
            let gone: Vec<Entry> = chosen(&files, 0, bytes_max);
            let total: u64 = sizes.iter().map(|(size, _)| size).sum();
            let removed: u64 = gone.iter().map(|entry| entry.occupied).sum();
            prop_assert!(total - removed <= bytes_max);
            prop_assert!(total > bytes_max || gone.is_empty());
        }
    }
}
