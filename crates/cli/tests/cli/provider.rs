//! `wharf pack provider`, and what becomes of provider archives.

use std::sync::Arc;

use wharf::artifact::provider::{
    ARCHIVE_CONFIG, ARCHIVE_LAYER, Description, KeyKind, KeyPair, Packaging, ProviderOptions, TargetSource, write,
};
use wharf::client::{Client, ClientOptions};
use wharf::oci::{CopyOptions, Digest, ImageManifest, Manifest, MemoryStore, NoProgress, Progress, Tag as _};
use wharf_testing::fixtures;
use wharf_testing::packing::{gzip, tar};
use wharf_testing::registry::TestRegistry;
use zeroize::Zeroizing;

use crate::session::Session;

/// The two programs of the provider, one for each target.
const PROGRAMS: [(&str, &[u8]); 2] = [("store.arm", b"\x7fELF for ARM"), ("store.x86", b"\x7fELF for x86")];
/// A moment in 2023, at which the claims count as signed.
const SIGNED: (&str, &str) = ("SOURCE_DATE_EPOCH", "1700000000");

/// Returns a key of which every byte is the same.
fn key(kind: KeyKind, byte: u8) -> KeyPair {
    KeyPair::from_random(kind, Zeroizing::new([byte; 32]))
}

/// Returns the line that packs both programs with fixed keys.
fn line(rest: &str) -> String {
    let (issuer, subject) = (key(KeyKind::Account, 1), key(KeyKind::Service, 2));
    let keys = format!("--issuer {} --subject {}", *issuer.seed(), *subject.seed());
    let binaries = "--binary x86_64-linux=store.x86 --binary aarch64-linux=store.arm";
    format!("pack provider --vendor acme --name store {binaries} {keys} {rest}")
}

/// Makes a home with the programs, whose transcript hides the seeds: where one is printed, it shows.
fn prepare(session: &mut Session) {
    for (name, bytes) in PROGRAMS {
        session.write(name, bytes);
    }
    session.hide(key(KeyKind::Account, 1).seed().to_string(), "[ISSUER SEED]");
    session.hide(key(KeyKind::Service, 2).seed().to_string(), "[SUBJECT SEED]");
}

#[tokio::test(flavor = "multi_thread")]
async fn provider() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    prepare(&mut session);
    session.write("world.wasm", fixtures::wit_package());
    session.write("schema.json", r#"{"type": "object"}"#);
    let told = "--version 1.0.0 --revision 3 --schema schema.json --wit world.wasm --expires-in 36500";
    session.run_with(&line(&format!("{told} -o store.par.gz")), &[SIGNED], b"");
    session.run_with(&line("-o store.par --json"), &[SIGNED], b"");
    session.run("inspect store.par.gz");
    session.run(&format!("push {host}/acme/store:1.0.0 store.par.gz"));
    let plain = std::fs::read(session.path("store.par")).unwrap();
    put_untitled(&registry, plain).await;
    session.run(&format!("inspect {host}/acme/store:1.0.0"));
    session.run(&format!("inspect {host}/acme/store:1.0.0 --wit"));
    session.run("inspect store.par --json");
    session.run("inspect store.par --wit");
    session.run("diff world.wasm store.par.gz");
    session.run("diff world.wasm store.par");
    session.run(&format!("pull {host}/acme/store:1.0.0 -o pulled.par.gz"));
    session.run(&format!("copy {host}/acme/store:1.0.0 oci-archive:store.tar"));
    std::fs::create_dir(session.path("folder")).unwrap();
    session.run("pull oci-archive:store.tar -o folder");
    session.remark("the bytes tell how it is compressed, where the artifact gives it no name");
    session.run(&format!("pull {host}/acme/untitled:1.0.0"));
    session.remark("it has but one form, and says itself who made it");
    session.run(&format!("push {host}/acme/store:2 store.par --as image"));
    session.run(&format!("push {host}/acme/store:2 store.par --author Jo"));
    session.run("pack store.par -o packed.tar");
    let packed = std::fs::read(session.path("store.par.gz")).unwrap();
    for copy in ["pulled.par.gz", "folder/store.par.gz"] {
        assert_eq!(std::fs::read(session.path(copy)).unwrap(), packed, "{copy}");
    }
    insta::assert_snapshot!("provider", session.transcript());
}

/// Puts an archive into `acme/untitled:1.0.0`, as tools do that give their layers no titles.
async fn put_untitled(registry: &TestRegistry, archive: Vec<u8>) {
    let store = MemoryStore::new();
    let config = store.insert(ARCHIVE_CONFIG.into(), "{}");
    let layer = store.insert(ARCHIVE_LAYER.into(), archive);
    let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer])).unwrap();
    let client = Client::new(ClientOptions::default()).unwrap();
    let repository = client.repository(registry.registry(), &"acme/untitled".parse().unwrap());
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    wharf::oci::copy(&store, &repository, &manifest, &CopyOptions::default(), &progress).await.unwrap();
    repository.tag(&manifest, &"1.0.0".parse().unwrap()).await.unwrap();
}

#[cfg(unix)]
#[test]
fn keys_that_are_missing_are_made_once_and_kept_from_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut session = Session::new();
    prepare(&mut session);
    let made = [".wash/keys/jo_account.nk", ".wash/keys/store_service.nk"].map(|name| session.path(name));
    let line = "pack provider --vendor acme --name store -b x86_64-linux=store.x86 -o store.par";
    let variables = [SIGNED, ("USER", "jo")];
    session.run_with(&format!("{line} --disable-keygen"), &variables, b"");
    assert!(made.iter().all(|path| !path.exists()));
    session.run_with(line, &variables, b"");
    let first = std::fs::read(session.path("store.par")).unwrap();
    session.run_with(line, &variables, b"");
    assert_eq!(std::fs::read(session.path("store.par")).unwrap(), first, "the same keys sign");
    for path in &made {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let seeds = made.each_ref().map(|path| std::fs::read_to_string(path).unwrap());
    for (seed, name) in seeds.iter().zip(["[ISSUER]", "[SUBJECT]"]) {
        session.hide(KeyPair::from_seed(seed).unwrap().public_key().to_string(), name);
    }
    session.remark("a folder of keys, and keys by variable");
    session.run_with(&format!("{line} --directory keys --disable-keygen"), &variables, b"");
    let keys = made.each_ref().map(|path| path.to_str().unwrap());
    let by_variable = [SIGNED, ("WASH_ISSUER_KEY", keys[0]), ("WASH_SUBJECT_KEY", keys[1])];
    session.run_with(line, &by_variable, b"");
    assert_eq!(std::fs::read(session.path("store.par")).unwrap(), first, "the same keys sign");
    let transcript = session.transcript();
    assert!(!seeds.iter().any(|seed| transcript.contains(seed)), "a seed is in an output");
    insta::assert_snapshot!("provider_keys", transcript);
}

#[test]
fn what_cannot_be_a_provider_is_refused_and_nothing_is_written() {
    let mut session = Session::new();
    prepare(&mut session);
    session.write("notes.txt", "no seed at all");
    session.write("module.wasm", fixtures::module());
    let before = session.files();
    let other = key(KeyKind::User, 3).seed().to_string();
    session.hide(other.clone(), "[USER SEED]");
    let start = "pack provider --vendor acme --name store";
    let keys = line("").split_once(" --issuer").map(|(_, keys)| format!("--issuer{keys}")).unwrap();
    for rest in [
        "--binary x86_64-linux=missing --issuer-and-subject",
        "--binary x86_64-linux=. --issuer-and-subject",
        "--binary linux=store.x86 --issuer-and-subject",
        "--binary x86_64-linux=store.x86 --binary x86_64-linux=store.arm --issuer-and-subject",
        "--binary x86_64-linux=store.x86 --issuer-and-subject --wit missing.wasm",
        "--binary x86_64-linux=store.x86 --issuer-and-subject --wit module.wasm",
        "--binary x86_64-linux=store.x86 --issuer-and-subject --schema notes.txt",
        "--binary x86_64-linux=store.x86 --issuer-and-subject --expires-in 0",
        "--binary x86_64-linux=store.x86 --issuer notes.txt --subject notes.txt",
        "--binary x86_64-linux=store.x86 --issuer SAAAA --subject SVAAA",
        "--binary x86_64-linux=store.x86 --issuer USER --subject USER",
        "--binary store.x86",
        "",
    ] {
        let rest = rest.replace("--issuer-and-subject", keys.trim()).replace("USER", &other);
        session.run(&format!("{start} -o store.par {rest}"));
    }
    session.run(&format!("{start} --binary x86_64-linux=store.x86 {} -o store.x86", keys.trim()));
    session.run(&format!("{start} -o store.par/x.par --binary x86_64-linux=store.x86 {}", keys.trim()));
    assert_eq!(session.files(), before);
    insta::assert_snapshot!("provider_refused", session.transcript());
}

/// Returns an archive whose claims were valid for a day in 2023.
fn expired() -> Vec<u8> {
    let (issuer, subject) = (key(KeyKind::Account, 1), key(KeyKind::Service, 2));
    let options = ProviderOptions {
        description: Description { vendor: "acme".to_owned(), ..Description::default() },
        issued_at: 1_700_000_000,
        expires: Some(1_700_086_400),
        world: None,
        issuer: &issuer,
        subject: subject.public_key(),
        packaging: Packaging::Plain,
    };
    let (name, digest) = ("x86_64-linux".to_owned(), Digest::sha256(PROGRAMS[1].1));
    let content = &mut &*PROGRAMS[1].1;
    let mut archive = Vec::new();
    let target = TargetSource { name, size: PROGRAMS[1].1.len() as u64, digest, content };
    write(&mut archive, &options, vec![target]).unwrap();
    archive
}

/// Returns the files of a tar.
fn files(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut rest = tar;
    while let Some((header, content)) = rest.split_first_chunk::<512>().filter(|(header, _)| header[0] != 0) {
        let text =
            |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).trim_matches('\0').to_owned();
        let size = usize::from_str_radix(&text(124..135), 8).unwrap();
        files.push((text(0..100), content[..size].to_vec()));
        rest = &content[size.next_multiple_of(512)..];
    }
    files
}

fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    tar(&files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_not_what_its_claims_say_is_refused_by_name() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    prepare(&mut session);
    session.run_with(&line("-o good.par --quiet"), &[SIGNED], b"");
    session.remark("what has expired already is of no use to anybody");
    session.run_with(&line("-o expired.par --expires-in 1"), &[SIGNED], b"");
    session.write("expired.par", expired());
    let good = files(&std::fs::read(session.path("good.par")).unwrap());
    assert_eq!(good.len(), 3, "claims and two programs");
    let changed = |index: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let mut files = good.clone();
        change(&mut files[index].1);
        pack(&files)
    };
    let without = |index: usize| pack(&[&good[..index], &good[index + 1..]].concat());
    let with = |path: &str, bytes: &[u8]| pack(&[&good[..], &[(path.to_owned(), bytes.to_vec())]].concat());
    session.write("flipped.par", changed(2, &|program| program[5] ^= 1));
    // The second last: the last one has bits that say nothing.
    session.write(
        "signature.par",
        changed(0, &|claims| {
            let at = claims.len() - 2;
            claims[at] = if claims[at] == b'A' { b'B' } else { b'A' };
        }),
    );
    session.write(
        "unsigned.par",
        changed(0, &|claims| {
            claims.truncate(claims.iter().rposition(|&byte| byte == b'.').unwrap());
        }),
    );
    session.write("missing.par", without(1));
    session.write("unclaimed.par", with("aarch64-macos.bin", b"not claimed"));
    session.write("twice.par", with("x86_64-linux.bin", PROGRAMS[1].1));
    session.write("strange.par", with("../evil.sh", b"rm"));
    session.write("link.par", with("riscv64-linux.bin", b"-> /etc/passwd"));
    session.write("other.par", without(0));
    session.write("cut.par.gz", &gzip(&pack(&good))[..700]);
    for name in
        ["flipped", "signature", "expired", "missing", "unsigned", "unclaimed", "twice", "strange", "link", "other"]
    {
        session.run(&format!("inspect {name}.par"));
    }
    session.run("inspect cut.par.gz");
    for name in ["flipped", "signature", "expired", "missing"] {
        let output = session.run(&format!("push {host}/acme/store:1.0.0 {name}.par"));
        assert_eq!(output.status.code(), Some(2), "{name}");
    }
    assert!(registry.log().is_empty(), "{:?}", registry.log());
    insta::assert_snapshot!("provider_broken", session.transcript());
}
