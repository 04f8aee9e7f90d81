//! `pack provider`: the keys that sign, and the same bytes for the same input.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::path::PathBuf;

use tempfile::TempDir;
use wharf::artifact::provider::{Description, KeyKind, KeyPair};
use wharf::{Binary, Cause, Key, PackProviderOptions, pack_provider};
use zeroize::Zeroizing;

/// Makes a folder with two programs.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x86"), "\x7fELF for x86").unwrap();
    std::fs::write(folder.path().join("arm"), "\x7fELF for ARM").unwrap();
    folder
}

/// Returns what packs both programs into `store.par`, with keys in `keys`.
fn options(folder: &TempDir) -> PackProviderOptions {
    let path = |name: &str| folder.path().join(name);
    PackProviderOptions {
        description: Description { vendor: "acme".to_owned(), ..Description::default() },
        binaries: vec![
            Binary { target: "x86_64-linux".to_owned(), path: path("x86") },
            Binary { target: "aarch64-linux".to_owned(), path: path("arm") },
        ],
        world: None,
        issuer: Key::Kept(path("keys/account.nk")),
        subject: Key::Kept(path("keys/service.nk")),
        issued_at: 1_700_000_000,
        expires: None,
        now: 1_700_000_000,
        output: path("store.par"),
    }
}

fn seed(kind: KeyKind, byte: u8) -> Zeroizing<String> {
    KeyPair::from_random(kind, Zeroizing::new([byte; 32])).seed()
}

#[tokio::test]
async fn a_key_is_made_once_for_its_owner_alone_and_signs_from_then_on() {
    let folder = folder();
    let options = options(&folder);
    let keys = ["account", "service"].map(|name| folder.path().join(format!("keys/{name}.nk")));
    let first = pack_provider(&options).await.unwrap();
    assert_eq!(first.made_keys, keys);
    assert_eq!(first.targets, ["aarch64-linux", "x86_64-linux"]);
    let archive = std::fs::read(&first.path).unwrap();
    let again = pack_provider(&options).await.unwrap();
    assert_eq!(again.made_keys, [""; 0].map(PathBuf::from));
    assert_eq!((&again.issuer, &again.subject, &again.digest), (&first.issuer, &first.subject, &first.digest));
    assert!(std::fs::read(&again.path).unwrap() == archive);
    for (path, public) in keys.iter().zip([&first.issuer, &first.subject]) {
        let seed = std::fs::read_to_string(path).unwrap();
        assert_eq!(KeyPair::from_seed(seed.trim()).unwrap().public_key().to_string(), *public);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_key_that_is_missing_where_none_is_to_be_made_is_refused_by_name() {
    let folder = folder();
    let expected = folder.path().join("keys/account.nk");
    let options = PackProviderOptions { issuer: Key::File(expected.clone()), ..options(&folder) };
    let refused = pack_provider(&options).await.unwrap_err();
    assert!(matches!(refused.reason(), Cause::NoKey { path } if *path == expected), "{refused:?}");
    assert!(!folder.path().join("keys").exists() && !options.output.exists());
}

#[tokio::test]
async fn fixed_keys_give_the_same_bytes_in_the_order_of_the_targets() {
    let folder = folder();
    let keyed = |output: &str| PackProviderOptions {
        issuer: Key::Seed(seed(KeyKind::Account, 1)),
        subject: Key::Seed(seed(KeyKind::Service, 2)),
        output: folder.path().join(output),
        ..options(&folder)
    };
    for (one, other) in [("one.par", "other.par"), ("one.par.gz", "other.par.gz")] {
        let mut reversed = keyed(other);
        reversed.binaries.reverse();
        let (one, other) = (pack_provider(&keyed(one)).await.unwrap(), pack_provider(&reversed).await.unwrap());
        assert_eq!(one.digest, other.digest);
        let bytes = std::fs::read(&one.path).unwrap();
        assert!(bytes == std::fs::read(&other.path).unwrap());
        assert_eq!(bytes.starts_with(b"\x1f\x8b"), one.path.extension().unwrap() == "gz");
    }
}

#[tokio::test]
async fn what_cannot_be_packed_leaves_the_old_archive() {
    let folder = folder();
    std::fs::write(folder.path().join("store.par"), "what was there before").unwrap();
    std::fs::write(folder.path().join("notes"), "no seed").unwrap();
    let change = |change: &dyn Fn(&mut PackProviderOptions)| {
        let mut options = options(&folder);
        change(&mut options);
        options
    };
    type Expected = fn(&Cause) -> bool;
    let table: [(PackProviderOptions, Expected); 7] = [
        (
            change(&|it| it.binaries[1].target = "x86_64-linux".to_owned()),
            |cause| matches!(cause, Cause::TargetTwice { target } if target == "x86_64-linux"),
        ),
        (change(&|it| it.binaries[1].path = folder.path().join("missing")), |cause| {
            matches!(cause, Cause::File { operation: "open", .. })
        }),
        (change(&|it| it.binaries[1].path = folder.path().to_owned()), |cause| matches!(cause, Cause::NoFile { .. })),
        (change(&|it| it.binaries.clear()), |cause| matches!(cause, Cause::UnwritableProvider(_))),
        (change(&|it| it.issuer = Key::Seed(seed(KeyKind::User, 1))), |cause| {
            matches!(cause, Cause::UnwritableProvider(_))
        }),
        (change(&|it| it.issuer = Key::Seed(Zeroizing::new("SA".to_owned()))), |cause| {
            matches!(cause, Cause::Seed { .. })
        }),
        (change(&|it| it.subject = Key::File(folder.path().join("notes"))), |cause| {
            matches!(cause, Cause::KeyFile { .. })
        }),
    ];
    for (index, (options, is_expected)) in table.into_iter().enumerate() {
        let refused = pack_provider(&options).await.expect_err("it was packed");
        assert!(is_expected(refused.reason()), "{index}: {refused:?}");
    }
    assert_eq!(std::fs::read(folder.path().join("store.par")).unwrap(), b"what was there before");
}

#[tokio::test]
async fn a_command_that_fails_makes_no_key() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("folder")).unwrap();
    let (module, x86) = (path("module.wasm"), path("x86"));
    std::fs::write(&module, wharf_testing::fixtures::module()).unwrap();
    let change = |change: &dyn Fn(&mut PackProviderOptions)| {
        let mut options = options(&folder);
        change(&mut options);
        options
    };
    type Expected = fn(&Cause) -> bool;
    let table: [(PackProviderOptions, Expected); 6] = [
        (change(&|it| it.binaries[0].target = "linux".to_owned()), |cause| {
            matches!(cause, Cause::UnwritableProvider(_))
        }),
        (change(&|it| it.world = Some(module.clone())), |cause| matches!(cause, Cause::UnwritableProvider(_))),
        (change(&|it| it.output = path("missing/store.par")), |cause| matches!(cause, Cause::NoFolder { .. })),
        (change(&|it| it.output = path("folder")), |cause| matches!(cause, Cause::NoFile { .. })),
        (change(&|it| it.output = x86.clone()), |cause| matches!(cause, Cause::OutputIsInput { .. })),
        (change(&|it| it.expires = Some(it.now)), |cause| matches!(cause, Cause::Expired { .. })),
    ];
    for (index, (options, is_expected)) in table.into_iter().enumerate() {
        let refused = pack_provider(&options).await.expect_err("it was packed");
        assert!(is_expected(refused.reason()), "{index}: {refused:?}");
        assert!(!path("keys").exists(), "{index}");
    }
    assert_eq!(std::fs::read(x86).unwrap(), b"\x7fELF for x86");
}

#[test]
fn a_seed_is_not_shown() {
    let seed = seed(KeyKind::Account, 1);
    let shown = format!(
        "{:?} {:?}",
        Key::Seed(seed.clone()),
        PackProviderOptions { issuer: Key::Seed(seed.clone()), ..options(&folder()) }
    );
    assert!(!shown.contains(seed.as_str()), "{shown}");
}
