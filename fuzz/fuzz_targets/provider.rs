//! Provider archives of wasmCloud, in the form that [`wharf_fuzz::entries`] draws.
//!
//! The first message has the vendor in its first line, and claims as its body; `now: 2000` in it is the time, and
//! `header: {…}` the header of a token. All others are entries of an archive, in whose content `$claims` stands for a
//! token that is signed with those claims, and `$token` for one that is true of the files.

#![no_main]

use std::error::Error as StdError;
use std::io::{Cursor, Read as _};
use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use wharf_artifact::provider::{
    Claims, Description, InvalidClaims, KeyKind, KeyPair, Packaging, Provider, ProviderOptions, TargetSource, extract,
    read, write,
};
use wharf_fuzz::entries::{Entry, entries, tar};
use wharf_fuzz::{Message, messages};
use wharf_oci::Digest;
use wharf_tar::{InvalidTar, Limits, Links, Walk, WalkError, walk};

/// When tokens are signed, and when they are looked at where nothing else is said.
const NOW: u64 = 2000;

static ISSUER: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::from_random(KeyKind::Account, [1; 32].into()));
static SUBJECT: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::from_random(KeyKind::Service, [2; 32].into()));

fuzz_target!(|input: &[u8]| {
    let messages = messages(input);
    let Some(first) = messages.first() else { return };
    let now = first.header("now").and_then(|text| text.parse().ok()).unwrap_or(NOW);
    let mut entries = entries(input).split_off(1);
    let written = written(&first.line, &entries);
    let claimed = signed(first);
    check_claims(&claimed, first, now);
    for entry in &mut entries {
        let token = written.as_ref().map(|(_, token)| token.as_str()).unwrap_or_default();
        entry.content = replace(&replace(&entry.content, "$token", token), "$claims", &claimed);
    }
    let archive = tar(&entries);
    match read(&archive[..], now) {
        Ok(provider) => {
            let claimed = Claims::verify(&claimed, now).ok();
            let is_written = written.is_some_and(|(claims, _)| claims == provider.claims);
            assert!(is_written || claimed.as_ref() == Some(&provider.claims), "these were not signed: {provider:?}");
            check_provider(&archive, &provider, &entries, now);
        }
        Err(error) => check_text(&error),
    }
});

/// Writes an archive with the binaries and the WIT world among `entries`, where one can be, and reads it again; returns
/// its claims, and the token.
fn written(vendor: &str, entries: &[Entry]) -> Option<(Claims, String)> {
    let binaries: Vec<_> = entries.iter().filter_map(|it| Some((it.path.strip_suffix(".bin")?, &it.content))).collect();
    let world = entries.iter().find(|entry| entry.path == "world.wasm").map(|entry| entry.content.as_slice());
    let archived = |packaging| {
        let description = Description { vendor: vendor.to_owned(), ..Description::default() };
        let (issuer, subject) = (&*ISSUER, SUBJECT.public_key());
        let options = ProviderOptions { description, issued_at: NOW, expires: None, world, issuer, subject, packaging };
        let mut contents: Vec<_> = binaries.iter().map(|(_, content)| Cursor::new(content)).collect();
        let sources = binaries.iter().zip(&mut contents).map(|((name, bytes), content)| {
            let (size, digest) = (bytes.len() as u64, Digest::sha256(bytes));
            TargetSource { name: (*name).to_owned(), size, digest, content }
        });
        let mut archive = Vec::new();
        let claims = write(&mut archive, &options, sources.collect()).ok()?;
        let provider = read(&archive[..], NOW).expect("what was written is read");
        assert_eq!((&provider.claims, provider.packaging, provider.world.as_deref()), (&claims, packaging, world));
        check_provider(&archive, &provider, entries, NOW);
        Some((claims, archive))
    };
    let (claims, archive) = archived(Packaging::Plain)?;
    assert_eq!(archived(Packaging::Gzip).map(|(claims, _)| claims).as_ref(), Some(&claims));
    Some((claims, first_file(&archive)))
}

/// Returns the content of the first file of a tar.
fn first_file(tar: &[u8]) -> String {
    let limits = Limits { entries: 100, bytes: u64::MAX, path_bytes: 100, links: Links::Refuse };
    let mut first = String::new();
    let walked: Result<(), WalkError<InvalidTar>> = walk(tar, &limits, &mut |entry| {
        entry.read_to_string(&mut first)?;
        Ok(Walk::Stop)
    });
    walked.expect("what was written is a tar");
    first
}

/// Signs the claims of a message, whatever they are.
fn signed(message: &Message) -> String {
    let header = message.header("header").unwrap_or(r#"{"typ":"jwt","alg":"Ed25519"}"#);
    let signed = [header.as_bytes(), &message.body].map(|part| BASE64URL_NOPAD.encode(part)).join(".");
    let signature = BASE64URL_NOPAD.encode(&ISSUER.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// What is verified says what is in the token, and no other token is verified.
fn check_claims(token: &str, message: &Message, now: u64) {
    let claims = match Claims::verify(token, now) {
        Ok(claims) => claims,
        Err(error) => {
            let is_refused = matches!(&error, InvalidClaims::Signature { issuer } if *issuer == ISSUER.public_key());
            assert!(!is_refused, "it was signed: {error}");
            return check_text(&error);
        }
    };
    let value: Value = serde_json::from_slice(&message.body).expect("claims are JSON");
    let hash = |digest: &Digest| digest.hex().to_ascii_uppercase();
    let hashes: Value = claims.hashes.iter().map(|(file, digest)| (file.clone(), hash(digest))).collect();
    let provider = json!({ "vendor": claims.description.vendor, "target_hashes": hashes });
    let expected = json!({ "vendor": value["wascap"]["vendor"], "target_hashes": value["wascap"]["target_hashes"] });
    assert_eq!(provider, expected);
    assert_eq!(json!([claims.issuer.to_string(), claims.subject.to_string()]), json!([value["iss"], value["sub"]]));
    assert_eq!(json!([claims.expires, claims.not_before]), json!([value["exp"], value["nbf"]]));
    assert_eq!(claims.issuer, ISSUER.public_key());
    check_time(&claims, now);
    let at = message.body.len() * 7 % token.len();
    let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
    let altered = [&token[..at], other, &token[at + 1..]].concat();
    assert!(Claims::verify(&altered, now).is_err(), "{altered} counts as signed");
}

/// All that is read is signed, and all that is signed is there.
fn check_provider(archive: &[u8], provider: &Provider, entries: &[Entry], now: u64) {
    let Provider { claims, targets, world, .. } = provider;
    assert!(!targets.is_empty());
    assert_eq!(claims.issuer, ISSUER.public_key());
    assert_eq!(claims.hashes.len(), targets.len() + usize::from(world.is_some()));
    check_time(claims, now);
    for target in targets {
        assert_eq!(claims.hashes.get(&target.name), Some(&target.digest));
        let mut binary = Vec::new();
        extract(archive, target, &mut binary).expect("it was read before");
        assert_eq!((Digest::sha256(&binary), binary.len() as u64), (target.digest.clone(), target.size));
        assert!(entries.iter().any(|entry| entry.content == binary));
    }
    if let Some(world) = world {
        assert_eq!(claims.hashes.get("world.wasm"), Some(&Digest::sha256(world)));
    }
}

fn check_time(claims: &Claims, now: u64) {
    assert!(claims.expires.is_none_or(|expires| now < expires));
    assert!(claims.not_before.is_none_or(|not_before| not_before <= now));
}

fn replace(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    at.map_or_else(|| bytes.to_vec(), |at| [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat())
}

/// The text of an error can be shown.
fn check_text(error: &(impl StdError + 'static)) {
    let mut cause: Option<&dyn StdError> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
        cause = error.source();
    }
}
