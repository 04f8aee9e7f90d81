//! Compiled code that is kept, and what becomes of files that are not what was kept.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Barrier;

use rustix::fs::{CWD, Mode, mkfifoat};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wharf_run::{
    CacheError, CacheFolders, Code, CodeCache, Discarded, Ended, EngineOptions, Flaw, Kept, Lookup, MemoKey, Runtime,
    Tally, WasmDigest,
};

use crate::setup::Run;

const HELLO: &str = include_str!("../guests/hello.wat");

/// How often a file is looked at until it is known; a tick of the clock passes long before.
const LOOKS_MAX: usize = 2_000;

/// A cache in a folder of its own.
struct Fixture {
    directory: TempDir,
    cache: CodeCache,
    run: Run,
}

/// A change to the files of one entry.
type Poison = fn(&Fixture, &Entry);

/// The files of one entry.
struct Entry {
    code: PathBuf,
    seal: PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        let cache = CodeCache::new(CacheFolders { code: path("code"), state: path("state") });
        Self { directory, cache, run: Run::new() }
    }

    fn folder(&self) -> PathBuf {
        self.directory.path().join("code/v1")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("state/code.key")
    }

    /// Keeps the code of a guest, and returns the files that it has now.
    fn keep(&self, guest: &str) -> Entry {
        let before = files(&self.folder());
        self.keep_again(guest);
        let new = |ending: &str| {
            let mut files = files(&self.folder()).into_iter();
            files.find(|file| !before.contains(file) && file.extension().unwrap() == ending).unwrap()
        };
        Entry { code: new("code"), seal: new("seal") }
    }

    fn keep_again(&self, guest: &str) {
        self.cache.keep(&self.run.runtime, &digest(guest), &self.run.compile(guest)).unwrap();
    }

    fn find(&self, guest: &str) -> Lookup {
        self.cache.find(&self.run.runtime, &digest(guest))
    }

    fn find_kept(&self, guest: &str) -> Kept {
        match self.find(guest) {
            Lookup::Kept(kept) => kept,
            other => panic!("{other:?}"),
        }
    }

    fn find_discarded(&self, guest: &str) -> Discarded {
        match self.find(guest) {
            Lookup::Discarded(discarded) => discarded,
            other => panic!("{other:?}"),
        }
    }

    /// Looks for code until its file is known, so that it is not hashed any more.
    fn settle(&self, guest: &str) {
        assert!((0..LOOKS_MAX).any(|_| self.find_kept(guest).hashed == 0), "it is hashed each time");
    }

    /// Keeps code, lets a change loose on its files, and looks for it: it is discarded with this flaw, nothing of it is
    /// left, and it can be kept again.
    fn check(&self, name: &str, poison: Poison, flaw: Flaw) {
        let entry = self.keep(HELLO);
        self.settle(HELLO);
        poison(self, &entry);
        assert_eq!(self.find_discarded(HELLO).flaw, flaw, "{name}");
        assert!(!is_there(&entry.code) && !is_there(&entry.seal), "{name}");
        assert!(matches!(self.find(HELLO), Lookup::Absent), "{name}");
        let again = self.keep(HELLO);
        assert_eq!((again.code, again.seal), (entry.code, entry.seal), "{name}");
        self.find_kept(HELLO);
        self.cache.clear().unwrap();
    }

    async fn prints_hello(&self, code: &Code) {
        let run = Run::new();
        assert_eq!(wharf_run::command(&self.run.runtime, code, &run.invocation).await.unwrap().ended, Ended::Exit(0));
        assert_eq!(run.stdout(), "hello\n");
    }
}

fn digest(guest: &str) -> WasmDigest {
    WasmDigest(Sha256::digest(guest).into())
}

/// A module of more than 1 MiB that is compiled at once.
fn large() -> String {
    format!("(module (memory 64) (data (i32.const 0) \"{}\"))", "wharf go".repeat(256 * 1024))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// Writes into a file as it stands, and puts its mode and its time back.
fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let (before, mut bytes) = (path.metadata().unwrap(), fs::read(path).unwrap());
    change(&mut bytes);
    set_mode(path, 0o600);
    fs::write(path, bytes).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(before.modified().unwrap()).unwrap();
    fs::set_permissions(path, before.permissions()).unwrap();
    assert_eq!(path.metadata().unwrap().modified().unwrap(), before.modified().unwrap());
}

fn flip(path: &Path, at: impl FnOnce(usize) -> usize) {
    rewrite(path, |bytes| {
        let at = at(bytes.len());
        bytes[at] ^= 1;
    });
}

fn replace_by_link(path: &Path) {
    let target = path.with_extension("target");
    fs::rename(path, &target).unwrap();
    symlink(target, path).unwrap();
}

fn replace_by_pipe(path: &Path) {
    fs::remove_file(path).unwrap();
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
}

/// Bytes that this thread has asked the system for so far, where the system counts them.
fn bytes_read() -> Option<u64> {
    let counters = fs::read_to_string("/proc/thread-self/io").ok()?;
    counters.lines().find_map(|line| line.strip_prefix("rchar: ")).map(|count| count.parse().unwrap())
}

#[tokio::test]
async fn what_was_kept_is_found_and_runs() {
    let fixture = Fixture::new();
    assert!(matches!(fixture.find(HELLO), Lookup::Absent));
    let compiled = fixture.run.compile(HELLO);
    let kept = fixture.cache.keep(&fixture.run.runtime, &digest(HELLO), &compiled).unwrap();
    fixture.prints_hello(&kept).await;
    fixture.prints_hello(&fixture.find_kept(HELLO).code).await;
    assert!(matches!(fixture.find("other"), Lookup::Absent));
}

#[test]
fn a_component_is_kept_as_a_component() {
    let fixture = Fixture::new();
    let guest = "(component (core module $m (func (export \"f\"))) (core instance (instantiate $m)))";
    for (guest, is_component) in [(guest, true), (HELLO, false)] {
        fixture.keep(guest);
        assert_eq!(fixture.find_kept(guest).code.is_component(), is_component);
    }
}

#[test]
fn files_are_the_users_alone() {
    let fixture = Fixture::new();
    let entry = fixture.keep(HELLO);
    assert_eq!((mode(&entry.code), mode(&entry.seal), mode(&fixture.folder())), (0o400, 0o400, 0o700));
    assert_eq!((mode(&fixture.key()), mode(fixture.key().parent().unwrap())), (0o600, 0o700));
    assert_eq!(fixture.key().metadata().unwrap().len(), 32);
    assert_eq!(files(&fixture.folder()).len(), 2, "no draft is left");
}

#[test]
fn nothing_is_made_before_it_is_needed() {
    let fixture = Fixture::new();
    let Fixture { cache, .. } = &fixture;
    assert!(matches!(fixture.find(HELLO), Lookup::Absent));
    assert_eq!(cache.recall(&MemoKey::new("sha256:00", "")), None);
    assert_eq!((cache.clear().unwrap(), cache.verify().unwrap().sound), (Tally::default(), Tally::default()));
    assert_eq!(files(fixture.directory.path()), Vec::<PathBuf>::new());
}

#[test]
fn the_very_next_run_does_not_read_large_code() {
    let fixture = Fixture::new();
    let guest = large();
    let entry = fixture.keep(&guest);
    let size = entry.code.metadata().unwrap().len();
    assert!(size > 1024 * 1024, "{size}");
    let before = bytes_read();
    assert_eq!(fixture.find_kept(&guest).hashed, 0);
    if let Some((before, after)) = before.zip(bytes_read()) {
        assert!(after - before < size / 8, "{} bytes were read", after - before);
    }
    // What is counted is what is read: the file is hashed once it is another one.
    fs::copy(&entry.code, entry.code.with_extension("copy")).unwrap();
    fs::rename(entry.code.with_extension("copy"), &entry.code).unwrap();
    let before = bytes_read();
    assert_eq!(fixture.find_kept(&guest).hashed, size);
    if let Some((before, after)) = before.zip(bytes_read()) {
        assert!(after - before >= size, "{} bytes were read", after - before);
    }
}

#[test]
fn a_copy_is_hashed_and_known_from_then_on() {
    let fixture = Fixture::new();
    let entry = fixture.keep(HELLO);
    fixture.settle(HELLO);
    let seal = fs::read(&entry.seal).unwrap();
    let copy = entry.code.with_extension("copy");
    fs::copy(&entry.code, &copy).unwrap();
    fs::rename(&copy, &entry.code).unwrap();
    assert_eq!(fixture.find_kept(HELLO).hashed, entry.code.metadata().unwrap().len());
    assert_ne!(fs::read(&entry.seal).unwrap(), seal, "it is sealed again");
    fixture.settle(HELLO);
}

#[test]
fn files_with_other_bytes_are_discarded() {
    let fixture = Fixture::new();
    let table: [(&str, Poison, Flaw); 11] = [
        ("code: first byte", |_, entry| flip(&entry.code, |_| 0), Flaw::Content),
        ("code: a byte", |_, entry| flip(&entry.code, |length| length / 2), Flaw::Content),
        ("code: last byte", |_, entry| flip(&entry.code, |length| length - 1), Flaw::Content),
        ("code: torn", |_, entry| rewrite(&entry.code, |bytes| bytes.truncate(bytes.len() / 2)), Flaw::Content),
        ("code: longer", |_, entry| rewrite(&entry.code, |bytes| bytes.push(0)), Flaw::Content),
        ("code: empty", |_, entry| rewrite(&entry.code, Vec::clear), Flaw::Content),
        ("seal: first byte", |_, entry| flip(&entry.seal, |_| 0), Flaw::Seal),
        ("seal: last byte", |_, entry| flip(&entry.seal, |length| length - 1), Flaw::Seal),
        ("seal: torn", |_, entry| rewrite(&entry.seal, |bytes| bytes.truncate(bytes.len() - 1)), Flaw::Seal),
        ("seal: longer", |_, entry| rewrite(&entry.seal, |bytes| bytes.push(0)), Flaw::Seal),
        ("seal: empty", |_, entry| rewrite(&entry.seal, Vec::clear), Flaw::Seal),
    ];
    for (name, poison, flaw) in table {
        fixture.check(name, poison, flaw);
    }
}

#[test]
fn files_that_are_not_the_users_own_are_discarded() {
    let fixture = Fixture::new();
    let table: [(&str, Poison, Flaw); 9] = [
        ("code: group", |_, entry| set_mode(&entry.code, 0o420), Flaw::Writable),
        ("code: others", |_, entry| set_mode(&entry.code, 0o402), Flaw::Writable),
        ("seal: group", |_, entry| set_mode(&entry.seal, 0o460), Flaw::Writable),
        ("code: link", |_, entry| replace_by_link(&entry.code), Flaw::NotFile),
        ("seal: link", |_, entry| replace_by_link(&entry.seal), Flaw::NotFile),
        ("code: link to nothing", |_, entry| replace_by_link_to_nothing(&entry.code), Flaw::NotFile),
        ("code: pipe", |_, entry| replace_by_pipe(&entry.code), Flaw::NotFile),
        ("seal: pipe", |_, entry| replace_by_pipe(&entry.seal), Flaw::NotFile),
        ("seal: socket", |_, entry| replace_by_socket(&entry.seal), Flaw::NotFile),
    ];
    for (name, poison, flaw) in table {
        fixture.check(name, poison, flaw);
    }
}

fn replace_by_link_to_nothing(path: &Path) {
    fs::remove_file(path).unwrap();
    symlink("nothing", path).unwrap();
}

fn replace_by_socket(path: &Path) {
    fs::remove_file(path).unwrap();
    drop(std::os::unix::net::UnixListener::bind(path).unwrap());
}

/// Only root gives files away; what is made of the owner is tested beside the code as well.
#[test]
fn files_of_another_user_are_discarded() {
    let fixture = Fixture::new();
    let probe = fixture.directory.path().join("probe");
    fs::write(&probe, "").unwrap();
    if chown(&probe, Some(12_345), None).is_err() {
        return;
    }
    let table: [(&str, Poison, Flaw); 3] = [
        ("code", |_, entry| chown(&entry.code, Some(12_345), None).unwrap(), Flaw::Owner),
        ("seal", |_, entry| chown(&entry.seal, Some(12_345), None).unwrap(), Flaw::Owner),
        ("key", |fixture, _| chown(fixture.key(), Some(12_345), None).unwrap(), Flaw::Seal),
    ];
    for (name, poison, flaw) in table {
        fixture.check(name, poison, flaw);
    }
    fixture.keep(HELLO);
    chown(fixture.folder(), Some(12_345), None).unwrap();
    let Lookup::Unusable(error) = fixture.find(HELLO) else { panic!("it is used") };
    assert!(matches!(error, CacheError::Folder { flaw: Flaw::Owner, .. }), "{error:?}");
    let kept = fixture.cache.keep(&fixture.run.runtime, &digest(HELLO), &fixture.run.compile(HELLO));
    assert!(matches!(kept, Err(CacheError::Folder { flaw: Flaw::Owner, .. })), "{kept:?}");
}

#[test]
fn a_key_that_is_not_the_one_or_no_secret_opens_nothing() {
    let fixture = Fixture::new();
    let table: [(&str, Poison, Flaw); 8] = [
        ("gone", |fixture, _| fs::remove_file(fixture.key()).unwrap(), Flaw::Seal),
        ("other", |fixture, _| flip(&fixture.key(), |_| 0), Flaw::Seal),
        ("torn", |fixture, _| rewrite(&fixture.key(), |bytes| bytes.truncate(31)), Flaw::Seal),
        ("empty", |fixture, _| rewrite(&fixture.key(), Vec::clear), Flaw::Seal),
        ("readable by all", |fixture, _| set_mode(&fixture.key(), 0o604), Flaw::Seal),
        ("link", |fixture, _| replace_by_link(&fixture.key()), Flaw::Seal),
        ("pipe", |fixture, _| replace_by_pipe(&fixture.key()), Flaw::Seal),
        ("folder", |fixture, _| set_mode(fixture.key().parent().unwrap(), 0o770), Flaw::Seal),
    ];
    for (name, poison, flaw) in table {
        fixture.check(name, poison, flaw);
        assert_eq!((mode(&fixture.key()), mode(fixture.key().parent().unwrap())), (0o600, 0o700), "{name}");
        assert!(fixture.key().symlink_metadata().unwrap().is_file(), "{name}");
    }
}

#[test]
fn what_is_sealed_for_other_wasm_is_discarded() {
    let fixture = Fixture::new();
    let other = fixture.keep("(module)");
    let entry = fixture.keep(HELLO);
    // Both are what was kept, under a name that is not theirs.
    fs::copy(&other.code, entry.code.with_extension("copy")).unwrap();
    fs::rename(entry.code.with_extension("copy"), &entry.code).unwrap();
    fs::remove_file(&entry.seal).unwrap();
    fs::copy(&other.seal, &entry.seal).unwrap();
    let discarded = fixture.find_discarded(HELLO);
    assert_eq!(discarded, Discarded { path: entry.seal.clone(), flaw: Flaw::Other });
    assert!(!is_there(&entry.code) && !is_there(&entry.seal));
    fixture.find_kept("(module)");
}

#[test]
fn code_of_another_engine_is_not_found_and_not_taken_under_a_false_name() {
    let fixture = Fixture::new();
    let fuel = Runtime::new(EngineOptions { fuel: true, ..EngineOptions::default() }).unwrap();
    let plain = fixture.keep(HELLO);
    assert!(matches!(fixture.cache.find(&fuel, &digest(HELLO)), Lookup::Absent));
    let compiled = fuel.compile(&wat::parse_str(HELLO).unwrap()).unwrap();
    fixture.cache.keep(&fuel, &digest(HELLO), &compiled).unwrap();
    assert!(matches!(fixture.cache.find(&fuel, &digest(HELLO)), Lookup::Kept(_)));
    fixture.find_kept(HELLO);
    // The code of the one engine gets the name of the other's.
    for file in files(&fixture.folder()) {
        for (ending, from) in [("code", &plain.code), ("seal", &plain.seal)] {
            if file.extension().unwrap() == ending && file != *from {
                fs::remove_file(&file).unwrap();
                fs::copy(from, &file).unwrap();
            }
        }
    }
    let Lookup::Discarded(discarded) = fixture.cache.find(&fuel, &digest(HELLO)) else { panic!("it is taken") };
    assert_eq!(discarded.flaw, Flaw::Other);
    assert_eq!(files(&fixture.folder()), [plain.code, plain.seal]);
}

#[test]
fn code_of_other_wasm_does_not_pass_for_what_was_sealed() {
    let fixture = Fixture::new();
    let other = fixture.keep("(module)");
    let entry = fixture.keep(HELLO);
    fs::remove_file(&entry.code).unwrap();
    fs::copy(&other.code, &entry.code).unwrap();
    assert_eq!(fixture.find_discarded(HELLO), Discarded { path: entry.code, flaw: Flaw::Content });
}

#[test]
fn a_folder_that_others_write_in_is_emptied_and_taken_back() {
    let fixture = Fixture::new();
    fixture.keep(HELLO);
    fixture.settle(HELLO);
    set_mode(&fixture.folder(), 0o770);
    assert_eq!(fixture.cache.recall(&MemoKey::new("sha256:00", "")), None);
    let discarded = fixture.find_discarded(HELLO);
    assert_eq!(discarded, Discarded { path: fixture.folder(), flaw: Flaw::Writable });
    assert_eq!((mode(&fixture.folder()), files(&fixture.folder()).len()), (0o700, 0));
    fixture.keep(HELLO);
    set_mode(&fixture.folder(), 0o702);
    fixture.keep("(module)");
    assert_eq!(mode(&fixture.folder()), 0o700);
    assert!(matches!(fixture.find(HELLO), Lookup::Absent));
    fixture.find_kept("(module)");
}

#[test]
fn a_folder_that_is_a_link_is_refused() {
    let fixture = Fixture::new();
    fixture.keep(HELLO);
    let elsewhere = fixture.directory.path().join("elsewhere");
    fs::rename(fixture.folder(), &elsewhere).unwrap();
    symlink(&elsewhere, fixture.folder()).unwrap();
    let Lookup::Unusable(error) = fixture.find(HELLO) else { panic!("it is used") };
    assert!(matches!(error, CacheError::Folder { flaw: Flaw::NotFolder, .. }), "{error:?}");
    assert_eq!(files(&elsewhere).len(), 2);
}

#[test]
fn what_a_writer_left_unfinished_is_not_found() {
    let fixture = Fixture::new();
    let entry = fixture.keep(HELLO);
    // The seal comes last.
    fs::rename(&entry.seal, fixture.folder().join("draft-00")).unwrap();
    assert!(matches!(fixture.find(HELLO), Lookup::Absent));
    fixture.keep_again(HELLO);
    fs::remove_file(&entry.code).unwrap();
    assert!(matches!(fixture.find(HELLO), Lookup::Absent));
    fixture.keep_again(HELLO);
    fixture.find_kept(HELLO);
}

#[test]
fn many_writers_and_readers_do_not_disturb_each_other() {
    let fixture = Fixture::new();
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // As in another process: the cache keeps nothing in memory.
                let (cache, run) = (fixture.cache.clone(), Run::new());
                let code = run.compile(HELLO);
                barrier.wait();
                for _ in 0..20 {
                    cache.keep(&run.runtime, &digest(HELLO), &code).unwrap();
                    let found = cache.find(&run.runtime, &digest(HELLO));
                    assert!(matches!(found, Lookup::Kept(_)), "{found:?}");
                }
            });
        }
    });
    fixture.settle(HELLO);
    assert_eq!(files(&fixture.folder()).len(), 2);
}

#[tokio::test]
async fn code_that_is_replaced_or_removed_runs_on_where_it_is_mapped() {
    let fixture = Fixture::new();
    let entry = fixture.keep(HELLO);
    let mapped = fixture.find_kept(HELLO).code;
    fixture.keep_again(HELLO);
    fixture.cache.clear().unwrap();
    assert!(!is_there(&entry.code));
    fixture.prints_hello(&mapped).await;
}

#[test]
fn a_memo_is_recalled_only_as_it_was_noted() {
    let fixture = Fixture::new();
    let (key, other) = (MemoKey::new("sha256:00", "app"), MemoKey::new("sha256:00", "other"));
    let remember = |key, guest| {
        let before = files(&fixture.folder());
        fixture.cache.remember(key, &digest(guest)).unwrap();
        files(&fixture.folder()).into_iter().find(|file| !before.contains(file))
    };
    let memo = remember(&key, HELLO).unwrap();
    assert_eq!((mode(&memo), fixture.cache.recall(&key)), (0o400, Some(digest(HELLO))));
    assert_eq!(fixture.cache.recall(&other), None);
    remember(&key, "newer");
    assert_eq!(fixture.cache.recall(&key), Some(digest("newer")));
    let other_memo = remember(&other, "other").unwrap();
    let check = |name: &str, poison: &dyn Fn()| {
        poison();
        assert_eq!(fixture.cache.recall(&key), None, "{name}");
        assert!(!is_there(&memo), "{name}");
        fixture.cache.remember(&key, &digest(HELLO)).unwrap();
        assert_eq!(fixture.cache.recall(&key), Some(digest(HELLO)), "{name}");
    };
    check("first byte", &|| flip(&memo, |_| 0));
    check("the Wasm", &|| flip(&memo, |_| 60));
    check("last byte", &|| flip(&memo, |length| length - 1));
    check("torn", &|| rewrite(&memo, |bytes| bytes.truncate(50)));
    check("empty", &|| rewrite(&memo, Vec::clear));
    check("group", &|| set_mode(&memo, 0o460));
    check("link", &|| replace_by_link(&memo));
    check("pipe", &|| replace_by_pipe(&memo));
    check("of another manifest", &|| fs::rename(&other_memo, &memo).unwrap());
    check("other key", &|| flip(&fixture.key(), |_| 0));
}

#[test]
fn a_check_of_all_finds_what_is_flawed_and_removes_it() {
    let fixture = Fixture::new();
    let (first, second, third) = (fixture.keep("(module)"), fixture.keep(HELLO), fixture.keep("(module (memory 1))"));
    fixture.cache.remember(&MemoKey::new("sha256:00", ""), &digest(HELLO)).unwrap();
    let size = |entry: &Entry| entry.code.metadata().unwrap().len();
    let all = Tally { files: 3, bytes: size(&first) + size(&second) + size(&third) };
    let verified = fixture.cache.verify().unwrap();
    assert_eq!((verified.sound, verified.discarded), (all, vec![]));
    flip(&first.code, |length| length / 2);
    flip(&second.seal, |_| 20);
    let memo = files(&fixture.folder()).into_iter().find(|file| file.extension().unwrap() == "memo").unwrap();
    flip(&memo, |_| 50);
    let mut verified = fixture.cache.verify().unwrap();
    assert_eq!(verified.sound, Tally { files: 1, bytes: size(&third) });
    let flaws = [(first.code, Flaw::Content), (second.seal, Flaw::Seal), (memo, Flaw::Seal)];
    let mut expected = flaws.map(|(path, flaw)| Discarded { path, flaw });
    expected.sort_by(|one, other| one.path.cmp(&other.path));
    verified.discarded.sort_by(|one, other| one.path.cmp(&other.path));
    assert_eq!(verified.discarded, expected);
    assert_eq!(files(&fixture.folder()), [third.code, third.seal]);
}

#[test]
fn a_check_of_all_finds_what_has_the_name_of_something_else() {
    let fixture = Fixture::new();
    let (entry, other) = (fixture.keep(HELLO), fixture.keep("(module)"));
    let [memo, other_memo] = ["sha256:00", "sha256:01"].map(|manifest| {
        let before = files(&fixture.folder());
        fixture.cache.remember(&MemoKey::new(manifest, ""), &digest(HELLO)).unwrap();
        files(&fixture.folder()).into_iter().find(|file| !before.contains(file)).unwrap()
    });
    for (from, to) in [(&other.code, &entry.code), (&other.seal, &entry.seal), (&other_memo, &memo)] {
        fs::rename(from, to).unwrap();
    }
    let mut verified = fixture.cache.verify().unwrap();
    let mut expected = [entry.seal, memo].map(|path| Discarded { path, flaw: Flaw::Other });
    expected.sort_by(|one, other| one.path.cmp(&other.path));
    verified.discarded.sort_by(|one, other| one.path.cmp(&other.path));
    assert_eq!((verified.sound, verified.discarded), (Tally::default(), expected.to_vec()));
    assert_eq!(files(&fixture.folder()), Vec::<PathBuf>::new());
}

#[test]
fn all_is_cleared_and_counted() {
    let fixture = Fixture::new();
    fixture.keep(HELLO);
    fixture.cache.remember(&MemoKey::new("sha256:00", ""), &digest(HELLO)).unwrap();
    fs::write(fixture.folder().join("draft-00"), "wharf").unwrap();
    let bytes = files(&fixture.folder()).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert_eq!(fixture.cache.clear().unwrap(), Tally { files: 4, bytes });
    assert_eq!(files(&fixture.folder()), Vec::<PathBuf>::new());
    assert!(matches!(fixture.find(HELLO), Lookup::Absent));
    assert!(is_there(&fixture.key()));
}

#[test]
fn what_was_not_used_for_longest_goes_when_there_is_no_room() {
    let fixture = Fixture::new();
    let entries = ["(module)", HELLO].map(|guest| fixture.keep(guest));
    // The first was used after the second.
    for (entry, day) in entries.iter().zip([2, 1]) {
        let used = std::time::UNIX_EPOCH + std::time::Duration::from_hours(24 * day);
        File::open(&entry.seal).unwrap().set_modified(used).unwrap();
    }
    let occupied = |path: &Path| std::os::unix::fs::MetadataExt::blocks(&path.metadata().unwrap()) * 512;
    let room = entries.iter().map(|entry| occupied(&entry.code) + occupied(&entry.seal)).max().unwrap() * 2;
    let cache = fixture.cache.clone().with_bytes_max(room);
    let guest = "(module (memory 1))";
    cache.keep(&fixture.run.runtime, &digest(guest), &fixture.run.compile(guest)).unwrap();
    assert!(!is_there(&entries[1].code) && !is_there(&entries[1].seal));
    fixture.find_kept("(module)");
    fixture.find_kept(guest);
}

#[test]
fn a_use_is_noted() {
    let fixture = Fixture::new();
    let entry = fixture.keep(HELLO);
    fixture.settle(HELLO);
    let long_ago = std::time::UNIX_EPOCH;
    File::open(&entry.seal).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(fixture.find_kept(HELLO).hashed, 0);
    assert!(entry.seal.metadata().unwrap().modified().unwrap() > long_ago);
}

#[test]
fn a_cache_that_cannot_be_written_says_so_and_is_not_found() {
    let fixture = Fixture::new();
    fs::write(fixture.directory.path().join("code"), "a file in the way").unwrap();
    let code = fixture.run.compile(HELLO);
    let error = fixture.cache.keep(&fixture.run.runtime, &digest(HELLO), &code).unwrap_err();
    assert!(error.to_string().contains("code/v1"), "{error}");
    assert!(matches!(fixture.find(HELLO), Lookup::Unusable(CacheError::Folder { flaw: Flaw::NotFolder, .. })));
}
