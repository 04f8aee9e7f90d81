use std::collections::BTreeMap;
use std::io::{self, Cursor, Read as _, Write};

use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::json;
use wharf_oci::{Annotations, Digest};
use wharf_tar::{InvalidTar, WriteError, Writer};
use zeroize::Zeroizing;

use super::*;
use crate::fixtures::{config_text, manifest_text};
use crate::limits::{PROVIDER_BINARY_BYTES_MAX, PROVIDER_CLAIMS_BYTES_MAX, PROVIDER_WORLD_BYTES_MAX};
use crate::{InvalidBuild, Kind};

/// Written by the crate `provider-archive` 0.16.2, which `wash par create` uses, with the keys of [`issuer`] and
/// [`subject`].
const WASH: &[u8] = include_bytes!("wash.par.gz");

/// A component of nothing but its header.
const WORLD: &[u8] = b"\0asm\x0d\0\x01\0";

const NOW: u64 = 1_700_000_000;

fn issuer() -> KeyPair {
    KeyPair::from_random(KeyKind::Account, Zeroizing::new([7; 32]))
}

fn subject() -> PublicKey {
    KeyPair::from_random(KeyKind::Service, Zeroizing::new([8; 32])).public_key()
}

fn description() -> Description {
    Description {
        name: Some("Testing".to_owned()),
        vendor: "wasmCloud".to_owned(),
        revision: Some(1),
        version: Some("0.0.1".to_owned()),
        config_schema: Some(json!({ "type": "object" })),
    }
}

fn options(issuer: &KeyPair) -> ProviderOptions<'_> {
    ProviderOptions {
        description: description(),
        issued_at: NOW,
        expires: None,
        world: Some(WORLD),
        issuer,
        subject: subject(),
        packaging: Packaging::Plain,
    }
}

/// Writes an archive with these binaries.
fn try_write(options: &ProviderOptions<'_>, binaries: &[File<'_>]) -> Result<(Vec<u8>, Claims), UnwritableProvider> {
    let mut contents: Vec<&[u8]> = binaries.iter().map(|(_, bytes)| *bytes).collect();
    let sources = binaries.iter().zip(&mut contents).map(|((name, bytes), content)| TargetSource {
        name: (*name).to_owned(),
        size: bytes.len() as u64,
        digest: Digest::sha256(bytes),
        content,
    });
    let mut archive = Vec::new();
    let claims = write(&mut archive, options, sources.collect())?;
    Ok((archive, claims))
}

const BINARIES: [File<'_>; 2] = [("x86_64-linux", b"bloobloo"), ("aarch64-linux", b"blahblah")];

fn written() -> (Vec<u8>, Claims) {
    try_write(&options(&issuer()), &BINARIES).unwrap()
}

/// Returns the token of an archive of two binaries and a world.
fn token() -> Vec<u8> {
    written().1.sign(&issuer()).1.into_bytes()
}

/// The path of a file, and its bytes.
type File<'a> = (&'a str, &'a [u8]);

/// Makes an archive of any files.
fn tar(files: &[File<'_>]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for &(path, mut bytes) in files {
        writer.file(path, 0o644, bytes.len() as u64, &mut bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn targets() -> Vec<Target> {
    let target = |name: &str, bytes: &[u8]| Target { name: name.to_owned(), size: 8, digest: Digest::sha256(bytes) };
    vec![target("aarch64-linux", b"blahblah"), target("x86_64-linux", b"bloobloo")]
}

#[test]
fn an_archive_of_wash_is_read() {
    let provider = read(WASH, NOW).unwrap();
    assert_eq!(provider.claims.description, description());
    assert_eq!((provider.claims.issuer, provider.claims.subject), (issuer().public_key(), subject()));
    assert_eq!(provider.targets, targets());
    assert_eq!(provider.world.as_deref(), Some(WORLD));
    assert_eq!(provider.packaging, Packaging::Gzip);
    let mut plain = Vec::new();
    GzDecoder::new(WASH).read_to_end(&mut plain).unwrap();
    assert_eq!(read(&plain[..], NOW).unwrap(), Provider { packaging: Packaging::Plain, ..provider });
}

#[test]
fn what_is_written_is_read_again() {
    let issuer = issuer();
    for packaging in [Packaging::Plain, Packaging::Gzip] {
        for world in [None, Some(WORLD)] {
            let options = ProviderOptions { packaging, world, expires: Some(NOW + 1), ..options(&issuer) };
            let (archive, claims) = try_write(&options, &BINARIES).unwrap();
            let world = world.map(<[u8]>::to_vec);
            assert_eq!(read(&archive[..], NOW).unwrap(), Provider { claims, targets: targets(), world, packaging });
        }
    }
}

#[test]
fn the_same_provider_gives_the_bytes_it_always_gave() {
    let issuer = issuer();
    let options = |packaging| ProviderOptions { packaging, ..options(&issuer) };
    let (plain, _) = try_write(&options(Packaging::Plain), &BINARIES).unwrap();
    assert_eq!(
        Digest::sha256(&plain).to_string(),
        "sha256:7ae9122fbdd77825f8d97b6e5f40e8691c6a168e05118f9d8335b679c282fdbd"
    );
    let (mut other, _) = try_write(&options(Packaging::Gzip), &BINARIES).unwrap();
    assert_eq!(other[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let mut unpacked = Vec::new();
    GzDecoder::new(&other[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    let [x86, arm] = BINARIES;
    other = try_write(&options(Packaging::Plain), &[arm, x86]).unwrap().0;
    assert_eq!(other, plain);
}

#[test]
fn claims_come_first_and_binaries_may_be_run() {
    let (archive, _) = written();
    // Name and mode are the first two fields of a header.
    let headers: Vec<_> = archive
        .chunks(512)
        .filter(|block| block[257..].starts_with(b"ustar"))
        .map(|block| {
            let text = |field: &[u8]| String::from_utf8_lossy(field).trim_end_matches('\0').to_owned();
            (text(&block[..100]), text(&block[100..108]))
        })
        .collect();
    let expected = [
        ("claims.jwt", "0000644"),
        ("world.wasm", "0000644"),
        ("aarch64-linux.bin", "0000755"),
        ("x86_64-linux.bin", "0000755"),
    ];
    assert_eq!(headers, expected.map(|(name, mode)| (name.to_owned(), mode.to_owned())));
}

#[test]
fn files_that_the_claims_do_not_bear_out_are_refused_by_name() {
    let token = token();
    let claims = ("claims.jwt", token.as_slice());
    let world = ("world.wasm", WORLD);
    let (arm, x86) = (("aarch64-linux.bin", &b"blahblah"[..]), ("x86_64-linux.bin", &b"bloobloo"[..]));
    let digest = Digest::sha256;
    let table: [(&[File<'_>], String); 12] = [
        (
            &[claims, world, ("aarch64-linux.bin", b"blahblaH"), x86],
            format!("`aarch64-linux` has digest {} where the claims say {}", digest(b"blahblaH"), digest(b"blahblah")),
        ),
        (
            &[claims, ("world.wasm", b""), arm, x86],
            format!("`world.wasm` has digest {} where the claims say {}", digest(b""), digest(WORLD)),
        ),
        (
            &[claims, world, arm],
            "`x86_64-linux` is named in the claims, and the provider archive has no such file".to_owned(),
        ),
        (
            &[claims, arm, x86],
            "`world.wasm` is named in the claims, and the provider archive has no such file".to_owned(),
        ),
        (
            &[claims, world, arm, x86, ("x86_64-macos.bin", b"")],
            "`x86_64-macos` is in the provider archive, and the claims have no hash for it".to_owned(),
        ),
        (&[world, arm, x86], "the provider archive has no `claims.jwt`".to_owned()),
        (&[], "the provider archive has no `claims.jwt`".to_owned()),
        (&[claims, world, arm, x86, arm], "`aarch64-linux.bin` is in the provider archive twice".to_owned()),
        (&[claims, claims], "`claims.jwt` is in the provider archive twice".to_owned()),
        (&[world, world], "`world.wasm` is in the provider archive twice".to_owned()),
        (&[claims, ("claims.bin", b"")], unexpected("claims.bin")),
        (&[claims, ("bin/x86_64-linux.bin", b"")], unexpected("bin/x86_64-linux.bin")),
    ];
    for (files, expected) in table {
        assert_eq!(read(&tar(files)[..], NOW).unwrap_err().to_string(), expected);
    }
    for path in ["README", "x86_64-linux", "x86_64-linux.exe", ".bin", "world.bin", "a\u{1b}.bin", "claims.jwt.bin.gz"]
    {
        let error = read(&tar(&[claims, (path, b"")])[..], NOW).unwrap_err();
        assert!(matches!(error, InvalidProvider::Unexpected { .. }), "{path:?}: {error}");
    }
}

fn unexpected(path: &str) -> String {
    format!("`{path}` does not belong into a provider archive, which has `claims.jwt`, `world.wasm` and `TARGET.bin`")
}

#[test]
fn a_world_without_a_hash_and_claims_without_binaries_are_refused() {
    let (_, claims) = written();
    let mut bare = claims.clone();
    bare.hashes.remove("world.wasm");
    let token = bare.sign(&issuer()).1;
    let files: [File<'_>; 4] = [
        ("claims.jwt", token.as_bytes()),
        ("world.wasm", WORLD),
        ("aarch64-linux.bin", b"blahblah"),
        ("x86_64-linux.bin", b"bloobloo"),
    ];
    let error = read(&tar(&files)[..], NOW).unwrap_err();
    assert!(matches!(error, InvalidProvider::Unclaimed { file } if file == "world.wasm"));
    let empty = Claims { hashes: BTreeMap::new(), ..claims };
    let token = empty.sign(&issuer()).1;
    let error = read(&tar(&[("claims.jwt", token.as_bytes())])[..], NOW).unwrap_err();
    assert!(matches!(error, InvalidProvider::NoBinaries));
}

#[test]
fn claims_that_do_not_hold_are_refused_before_hashes_are_compared() {
    let issuer = issuer();
    let (archive, _) = try_write(&ProviderOptions { expires: Some(NOW + 60), ..options(&issuer) }, &BINARIES).unwrap();
    assert!(read(&archive[..], NOW + 59).is_ok());
    let error = read(&archive[..], NOW + 60).unwrap_err();
    assert!(matches!(error, InvalidProvider::Claims(InvalidClaims::Expired { expired }) if expired == NOW + 60));
    let (_, claims) = written();
    let forged = claims.sign(&KeyPair::from_random(KeyKind::Account, Zeroizing::new([9; 32]))).1;
    let error = read(&tar(&[("claims.jwt", forged.as_bytes())])[..], NOW).unwrap_err();
    assert!(matches!(error, InvalidProvider::Claims(InvalidClaims::Signature { .. })));
    let error = read(&tar(&[("claims.jwt", b"\xff")])[..], NOW).unwrap_err();
    assert!(matches!(error, InvalidProvider::Claims(InvalidClaims::Encoding { .. })));
}

/// Changes the type in the header at the start of a tar, and the checksum with it.
fn with_type(mut tar: Vec<u8>, type_flag: u8) -> Vec<u8> {
    tar[156] = type_flag;
    tar[148..156].fill(b' ');
    let sum: u32 = tar[..512].iter().map(|&byte| u32::from(byte)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar
}

#[test]
fn what_is_no_tar_of_files_is_refused() {
    let error = |archive: &[u8]| read(archive, NOW).unwrap_err();
    for archive in [&b"{}"[..], b"\0asm\x01\0\0\0", b"\x1f\x8b", &written().0[..1000], &WASH[..500]] {
        assert!(matches!(error(archive), InvalidProvider::Tar(_) | InvalidProvider::NoClaims), "{archive:?}");
    }
    assert!(matches!(error(b"\x28\xb5\x2f\xfd"), InvalidProvider::Zstd));
    let empty = tar(&[("x86_64-linux.bin", b"")]);
    for type_flag in [b'1', b'2'] {
        let error = error(&with_type(empty.clone(), type_flag));
        assert!(matches!(error, InvalidProvider::Tar(InvalidTar::Link { .. })), "{error}");
    }
    assert!(matches!(error(&with_type(empty.clone(), b'3')), InvalidProvider::Tar(InvalidTar::Special { .. })));
    assert!(matches!(error(&with_type(empty, b'5')), InvalidProvider::Unexpected { .. }));
    let names: Vec<String> = (0..65).map(|number| format!("target-{number}.bin")).collect();
    let files: Vec<File<'_>> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert!(matches!(error(&tar(&files)), InvalidProvider::Tar(InvalidTar::Entries { .. })));
}

#[test]
fn files_over_their_limit_are_refused_before_they_are_read() {
    let claims_size = PROVIDER_CLAIMS_BYTES_MAX + 1;
    let table = [("claims.jwt", claims_size), ("x86_64-linux.bin", PROVIDER_BINARY_BYTES_MAX + 1)];
    for (name, bytes) in table {
        // The content is not there; to ask for it would be another error.
        let header = wharf_tar::frame(name, 0o644, bytes).unwrap().before;
        let error = read(&header[..], NOW).unwrap_err();
        assert!(matches!(error, InvalidProvider::TooLarge { size, .. } if size == bytes), "{error}");
    }
}

#[test]
fn a_binary_is_extracted_and_checked_again() {
    for archive in [WASH, &written().0] {
        let provider = read(archive, NOW).unwrap();
        let mut out = Vec::new();
        extract(archive, &provider.targets[1], &mut out).unwrap();
        assert_eq!(out, b"bloobloo");
    }
    let [target, _] = &targets()[..] else { panic!("there are two") };
    let changed = tar(&[("aarch64-linux.bin", b"blahblaH")]);
    let error = extract(&changed[..], target, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, InvalidProvider::Hash { file, .. } if file == "aarch64-linux"));
    let error = extract(&tar(&[])[..], target, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "the provider archive has no binary for `aarch64-linux`");
    let error = extract(&changed[..], target, &mut Cursor::new([0; 2].as_mut_slice())).unwrap_err();
    assert!(matches!(error, InvalidProvider::Write { target, .. } if target == "aarch64-linux"));
}

#[test]
fn providers_that_cannot_be_are_not_written() {
    let issuer = issuer();
    let refusal =
        |options: &ProviderOptions<'_>, binaries: &[File<'_>]| try_write(options, binaries).unwrap_err().to_string();
    assert_eq!(refusal(&options(&issuer), &[]), "a provider needs at least one binary");
    let [first, _] = BINARIES;
    assert_eq!(refusal(&options(&issuer), &[first, first]), "two binaries were given for `x86_64-linux`");
    for name in ["", "linux", "-linux", "x86_64-", "../x-linux", "X86-Linux", "x86_64-unknown-linux", "a-b/c", "x-l\n"]
    {
        let error = try_write(&options(&issuer), &[(name, b"")]).unwrap_err();
        assert!(matches!(error, UnwritableProvider::TargetName { .. }), "{name:?}: {error}");
    }
    let names: Vec<String> = (0..63).map(|number| format!("target-{number}")).collect();
    let many: Vec<File<'_>> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(refusal(&options(&issuer), &many), "a provider archive has at most 62 binaries; 63 were given");
    assert!(try_write(&options(&issuer), &many[..62]).is_ok_and(|(archive, _)| read(&archive[..], NOW).is_ok()));
    let expired = ProviderOptions { expires: Some(NOW), ..options(&issuer) };
    assert!(matches!(try_write(&expired, &BINARIES), Err(UnwritableProvider::Expiry { .. })));
    let swapped = ProviderOptions { subject: issuer.public_key(), ..options(&issuer) };
    assert_eq!(
        refusal(&swapped, &BINARIES),
        "the subject of a provider has a key for the kind `service`; one for the kind `account` was given"
    );
    let service = KeyPair::from_random(KeyKind::Service, Zeroizing::new([8; 32]));
    assert!(matches!(
        try_write(&options(&service), &BINARIES),
        Err(UnwritableProvider::KeyKind { role: "issuer", .. })
    ));
    let module = ProviderOptions { world: Some(b"\0asm\x01\0\0\0"), ..options(&issuer) };
    assert!(matches!(try_write(&module, &BINARIES), Err(UnwritableProvider::WorldKind { kind: Kind::Module })));
    let text = ProviderOptions { world: Some(b"package a:b;"), ..options(&issuer) };
    assert!(matches!(try_write(&text, &BINARIES), Err(UnwritableProvider::World(_))));
}

#[test]
fn what_no_reader_would_take_is_not_written() {
    let issuer = issuer();
    let large = vec![0; usize::try_from(PROVIDER_WORLD_BYTES_MAX).unwrap() + 1];
    let world = ProviderOptions { world: Some(&large), ..options(&issuer) };
    let schema = "x".repeat(usize::try_from(PROVIDER_CLAIMS_BYTES_MAX).unwrap());
    let description = Description { config_schema: Some(json!(schema)), ..description() };
    let claims = ProviderOptions { description, ..options(&issuer) };
    for (options, expected) in [(world, "world.wasm"), (claims, "claims.jwt")] {
        let error = try_write(&options, &BINARIES).unwrap_err();
        assert!(matches!(&error, UnwritableProvider::TooLarge { file, .. } if file == expected), "{error}");
    }
}

#[test]
fn a_binary_that_changes_between_hashing_and_packing_is_noticed() {
    let issuer = issuer();
    let pack = |digest: Digest, size: u64| {
        let mut content: &[u8] = b"bloobloo";
        let source = TargetSource { name: "x86_64-linux".to_owned(), size, digest, content: &mut content };
        write(io::sink(), &options(&issuer), vec![source])
    };
    let actual = Digest::sha256(b"bloobloo");
    assert!(pack(actual.clone(), 8).is_ok());
    assert!(matches!(pack(Digest::sha256(b""), 8), Err(UnwritableProvider::Changed { .. })));
    for size in [7, 9] {
        let result = pack(actual.clone(), size);
        assert!(matches!(result, Err(UnwritableProvider::Tar(WriteError::Size { .. }))), "{result:?}");
    }
    let large = pack(actual, PROVIDER_BINARY_BYTES_MAX + 1);
    assert!(matches!(large, Err(UnwritableProvider::TooLarge { .. })));
    let sha512 = Digest::of(wharf_oci::Algorithm::Sha512, b"bloobloo");
    assert!(matches!(pack(sha512, 8), Err(UnwritableProvider::Algorithm { .. })));
}

/// A disk that is full from the start, or when the end comes.
struct Full {
    free: usize,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.free = self.free.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn an_archive_that_does_not_fit_is_an_error() {
    let issuer = issuer();
    for packaging in [Packaging::Plain, Packaging::Gzip] {
        for free in [0, 1 << 20] {
            let mut content: &[u8] = b"bloobloo";
            let digest = Digest::sha256(content);
            let source = TargetSource { name: "x86_64-linux".to_owned(), size: 8, digest, content: &mut content };
            let options = ProviderOptions { packaging, ..options(&issuer) };
            let result = write(Full { free }, &options, vec![source]);
            assert!(matches!(result, Err(UnwritableProvider::Tar(_) | UnwritableProvider::Finish(_))), "{result:?}");
        }
    }
}

#[test]
fn an_artifact_has_the_types_of_wash() {
    let (archive, claims) = written();
    let options = ArchiveOptions {
        digest: Digest::sha256(&archive),
        size: archive.len() as u64,
        file_name: Some("testing.par".to_owned()),
        annotations: Annotations::from([("org.opencontainers.image.version".to_owned(), "1.0.0".to_owned())]),
    };
    let built = build(&claims, &options).unwrap();
    assert_eq!(config_text(&built), "{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.wasmcloud.provider.archive.config","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}},"layers":[{{"mediaType":"application/vnd.wasmcloud.provider.archive.layer.v1+par","digest":"{}","size":{},"annotations":{{"org.opencontainers.image.title":"testing.par"}}}}],"annotations":{{"org.opencontainers.image.title":"Testing","org.opencontainers.image.vendor":"wasmCloud","org.opencontainers.image.version":"1.0.0"}}}}"#,
        options.digest, options.size,
    );
    assert_eq!(manifest_text(&built), manifest);
    let nameless = Claims { description: Description::default(), ..claims };
    let options = ArchiveOptions { file_name: None, annotations: Annotations::new(), ..options };
    assert!(build(&nameless, &options).unwrap().manifest.annotations().is_empty());
    let options = ArchiveOptions { file_name: Some("../x.par".to_owned()), ..options };
    assert!(matches!(build(&nameless, &options), Err(InvalidBuild::FileName { .. })));
}

proptest! {
    #[test]
    fn one_changed_bit_is_refused_or_says_the_same(index: prop::sample::Index, bit in 0..8) {
        let (mut archive, _) = written();
        let original = read(&archive[..], NOW).unwrap();
        let index = index.index(archive.len());
        archive[index] ^= 1_u8 << bit;
        if let Ok(provider) = read(&archive[..], NOW) {
            prop_assert_eq!(provider, original);
        }
    }
}
