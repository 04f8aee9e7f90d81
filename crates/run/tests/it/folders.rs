//! Folders and environment: what is granted works, and nothing else does.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;
use wharf_run::{Access, Ended, Folder, Wasi};

use crate::guest::{VERSIONS, component};
use crate::setup::Run;

/// A file that nobody grants, and beside it a folder that is granted.
struct Place {
    outside: TempDir,
}

impl Place {
    fn new() -> Self {
        let outside = TempDir::new().unwrap();
        let place = Self { outside };
        fs::write(place.secret(), "secret").unwrap();
        fs::create_dir_all(place.inside().join("sub")).unwrap();
        fs::write(place.inside().join("file"), "granted").unwrap();
        symlink("file", place.inside().join("near")).unwrap();
        symlink("../secret", place.inside().join("far")).unwrap();
        symlink(place.secret(), place.inside().join("absolute")).unwrap();
        symlink("..", place.inside().join("up")).unwrap();
        symlink("up", place.inside().join("twice")).unwrap();
        place
    }

    fn secret(&self) -> PathBuf {
        self.outside.path().join("secret")
    }

    fn inside(&self) -> PathBuf {
        self.outside.path().join("inside")
    }

    fn folder(&self, access: Access) -> Folder {
        Folder { host: self.inside(), guest: "/".to_owned(), access }
    }

    /// Returns the names of what is inside, and what is in the file.
    fn state(&self) -> (Vec<String>, Option<String>) {
        let entries = fs::read_dir(self.inside()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        (names, fs::read_to_string(self.inside().join("file")).ok())
    }

    /// Runs a call of `folders1.wat`, whose texts are two paths; returns the number of its error and what it printed.
    async fn module(&self, access: Access, function: &str, texts: &[&str]) -> (i32, String) {
        let lengths: Vec<String> = texts.iter().map(|text| format!("(i32.const {})", text.len())).collect();
        let module = include_str!("../guests/folders1.wat")
            .replace("FIRST", texts[0])
            .replace("SECOND", texts.get(1).unwrap_or(&""))
            .replace("RUN", &format!("(call ${function} {})", lengths.join(" ")));
        let mut run = Run::new();
        run.invocation.grants.folders = vec![self.folder(access)];
        let Ended::Exit(code) = run.command(&module).await.unwrap() else { panic!("it is stopped") };
        (code, run.stdout())
    }
}

/// Runs a call of `folders.wat`.
async fn folders(wasi: Wasi, run: &Run, path: &str, call: &str) -> (i32, Option<String>) {
    let version = match wasi {
        Wasi::V03 => "0.3.0",
        Wasi::V01 | Wasi::V02 => "0.2.3",
    };
    let module = include_str!("../guests/folders.wat");
    let module = module.replace("VERSION", version).replace("PATH", path).replace("RUN", call);
    let (code, outcome) = run.component(&component(wasi, "folders", &module)).await;
    (code, outcome.suspected.map(|denied| denied.flag))
}

fn open(path: &str, open: u32, flags: u32) -> String {
    format!("(call $open (i32.const {}) (i32.const {open}) (i32.const {flags}))", path.len())
}

/// The error of 0.1 for what is outside, and for what may not be changed.
const NOT_PERMITTED: i32 = 63;

#[tokio::test]
async fn a_granted_folder_is_read_and_written() {
    let place = Place::new();
    for access in [Access::Read, Access::ReadWrite] {
        for path in ["file", "./file", "sub/../file", "near"] {
            assert_eq!(place.module(access, "read", &[path]).await, (0, "granted".to_owned()), "{path}");
        }
    }
    assert_eq!(place.module(Access::ReadWrite, "write", &["new", "text"]).await.0, 0);
    assert_eq!(place.module(Access::ReadWrite, "below", &["sub", "new"]).await.0, 0);
    assert!(place.inside().join("sub/new").is_dir());
    assert_eq!(fs::read_to_string(place.inside().join("new")).unwrap(), "text");
}

#[tokio::test]
async fn no_path_leads_out_of_a_folder() {
    let place = Place::new();
    let (secret, root) = (place.secret(), "/etc/passwd");
    let paths = [
        "../secret",
        "./../secret",
        "sub/../../secret",
        "sub/../sub/../../secret",
        "..",
        "/",
        root,
        secret.to_str().unwrap(),
        "far",
        "absolute",
        "up/secret",
        "twice/secret",
        "up",
        "sub/../up/secret",
        "up/inside/file",
    ];
    for access in [Access::Read, Access::ReadWrite] {
        for path in paths {
            assert_eq!(place.module(access, "read", &[path]).await, (NOT_PERMITTED, String::new()), "{path}");
        }
    }
    for path in ["../new", "up/new", "far", "absolute", secret.to_str().unwrap()] {
        assert_eq!(place.module(Access::ReadWrite, "write", &[path, "overwritten"]).await.0, NOT_PERMITTED, "{path}");
        assert_eq!(place.module(Access::ReadWrite, "empty", &[path]).await.0, NOT_PERMITTED, "{path}");
    }
    assert_eq!(fs::read_to_string(secret).unwrap(), "secret");
    assert_eq!(fs::read_dir(place.outside.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn nothing_is_moved_or_linked_across_the_edge_of_a_folder() {
    let place = Place::new();
    let before = place.state();
    for (function, from, to) in [
        ("rename", "file", "../stolen"),
        ("rename", "file", "up/stolen"),
        ("rename", "../secret", "stolen"),
        ("rename", "up/secret", "stolen"),
        ("link", "../secret", "stolen"),
        ("link", "up/secret", "stolen"),
        ("link", "file", "up/stolen"),
        ("symlink", "/etc/passwd", "stolen"),
        ("symlink", "file", "../stolen"),
        ("symlink", "file", "up/stolen"),
    ] {
        assert_eq!(
            place.module(Access::ReadWrite, function, &[from, to]).await.0,
            NOT_PERMITTED,
            "{function} {from} {to}"
        );
    }
    for (function, path) in [("unlink", "../secret"), ("unlink", "up/secret"), ("mkdir", "../new"), ("mkdir", "up/new")]
    {
        assert_eq!(place.module(Access::ReadWrite, function, &[path]).await.0, NOT_PERMITTED, "{function} {path}");
    }
    assert_eq!(place.state(), before);
    // A link may lead anywhere below the root, and is then not followed out.
    assert_eq!(place.module(Access::ReadWrite, "symlink", &["../secret", "made"]).await.0, 0);
    assert_eq!(place.module(Access::ReadWrite, "read", &["made"]).await.0, NOT_PERMITTED);
    assert_eq!(fs::read_dir(place.outside.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn a_read_only_folder_stays_as_it_is() {
    let place = Place::new();
    let before = place.state();
    let modified = || fs::metadata(place.inside().join("file")).unwrap().modified().unwrap();
    let time = modified();
    for (function, texts) in [
        ("write", &["new", "text"][..]),
        ("write", &["file", "text"]),
        ("empty", &["file"]),
        ("cut", &["file"]),
        ("touch", &["file"]),
        ("mkdir", &["new"]),
        ("below", &["sub", "new"]),
        ("unlink", &["file"]),
        ("symlink", &["file", "new"]),
        ("link", &["file", "new"]),
        ("rename", &["file", "new"]),
        ("write", &["near", "text"]),
    ] {
        let (code, _) = place.module(Access::Read, function, texts).await;
        assert_eq!(code, NOT_PERMITTED, "{function} {texts:?}");
        assert_eq!((place.state(), modified()), (before.clone(), time), "{function} {texts:?}");
        assert_eq!(fs::read_dir(place.inside().join("sub")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn components_are_held_to_their_folders_too() {
    let place = Place::new();
    let secret = place.secret();
    for wasi in VERSIONS {
        // 0.3 left one error out before this one.
        let not_permitted = if wasi == Wasi::V03 { 130 } else { 131 };
        let mut run = Run::new();
        for access in [Access::Read, Access::ReadWrite] {
            run.invocation.grants.folders = vec![place.folder(access)];
            assert_eq!(folders(wasi, &run, "file", &open("file", 0, 1)).await.0, 0, "{wasi:?}");
            for path in ["../secret", "sub/../../secret", secret.to_str().unwrap(), "far", "absolute", "twice/secret"] {
                assert_eq!(folders(wasi, &run, path, &open(path, 0, 1)).await.0, not_permitted, "{wasi:?} {path}");
            }
        }
        run.invocation.grants.folders = vec![place.folder(Access::Read)];
        for (path, create, flags) in [("new", 1, 2), ("file", 8, 2), ("file", 0, 2)] {
            let (code, suspected) = folders(wasi, &run, path, &open(path, create, flags)).await;
            let flag = format!("--dir {}::/", place.inside().display());
            assert_eq!((code, suspected), (not_permitted, Some(flag)), "{wasi:?} {path} {create} {flags}");
        }
        assert!(!place.inside().join("new").exists());
    }
}

#[tokio::test]
async fn a_guest_without_a_folder_has_none_and_is_suspected_to_lack_one() {
    for wasi in VERSIONS {
        let (code, suspected) = folders(wasi, &Run::new(), "file", &open("file", 0, 1)).await;
        assert_eq!((code, suspected.as_deref()), (99, Some("--dir .")), "{wasi:?}");
    }
}

#[tokio::test]
async fn the_environment_is_what_is_granted() {
    let granted = vec![("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())];
    for environment in [Vec::new(), granted] {
        let variables = i32::try_from(environment.len()).unwrap();
        let mut run = Run::new();
        run.invocation.grants.environment = environment;
        for wasi in VERSIONS {
            assert_eq!(folders(wasi, &run, "", "(call $count)").await.0, variables, "{wasi:?}");
        }
        let module = include_str!("../guests/folders1.wat").replace("RUN", "(call $count)");
        assert_eq!(run.command(&module).await.unwrap(), Ended::Exit(variables));
    }
}
