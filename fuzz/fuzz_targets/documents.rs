//! Small documents and texts: configs of images and filters, locked apps of Spin, nkeys, locations, WebAssembly text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wharf::{ImageName, Location};
use wharf_artifact::dialect::spin;
use wharf_artifact::istio::RuntimeConfig;
use wharf_artifact::provider::{KeyKind, KeyPair, PublicKey};
use wharf_artifact::{ImageConfig, from_text, is_text};
use wharf_oci::Digest;

const KINDS: [KeyKind; 7] = [
    KeyKind::Account,
    KeyKind::Cluster,
    KeyKind::Module,
    KeyKind::Server,
    KeyKind::Operator,
    KeyKind::User,
    KeyKind::Service,
];

fuzz_target!(|bytes: &[u8]| {
    check_image_config(bytes);
    check_runtime_config(bytes);
    check_locked_app(bytes);
    check_random_key(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    check_keys(text);
    check_location(text);
    check_name(text);
    check_wat(text);
});

/// What is written is read again, and the program is a path below the root.
fn check_image_config(bytes: &[u8]) {
    let Ok(config) = ImageConfig::parse(bytes) else { return };
    let written = serde_json::to_vec(&config).expect("a config is JSON");
    assert_eq!(ImageConfig::parse(&written).expect("a written config is read"), config);
    let value: Value = serde_json::from_slice(bytes).expect("a config is JSON");
    assert_eq!(config.os, value["os"].as_str().unwrap_or_default());
    assert_eq!(config.architecture, value["architecture"].as_str().unwrap_or_default());
    let first = value["config"]["Entrypoint"].as_array().and_then(|list| list.first()).map(|text| text.as_str());
    assert_eq!(config.config.entrypoint.first().map(|text| Some(text.as_str())), first);
    if let Some(path) = config.executable() {
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path:?}");
    }
}

/// What is written is read again.
fn check_runtime_config(bytes: &[u8]) {
    let Ok(config) = RuntimeConfig::parse(bytes) else { return };
    let written = serde_json::to_vec(&config).expect("a config is JSON");
    assert_eq!(RuntimeConfig::parse(&written).expect("a written config is read"), config);
}

/// Components come in the order of the app, and have the digests that it gives.
fn check_locked_app(bytes: &[u8]) {
    let Ok(components) = spin::components(bytes) else { return };
    let value: Value = serde_json::from_slice(bytes).expect("a locked app is JSON");
    let all = value["components"].as_array().map(Vec::as_slice).unwrap_or_default();
    let expected = all.iter().filter_map(|it| Some((it["id"].as_str()?, it["source"]["digest"].as_str()?)));
    let digests: Vec<_> = components.iter().map(|it| it.digest.to_string()).collect();
    let found = components.iter().zip(&digests).map(|(it, digest)| (it.id.as_str(), digest.as_str()));
    assert!(found.eq(expected));
}

/// A key is read as it was written, and is not where one character is another.
fn check_random_key(bytes: &[u8]) {
    let Some((random, [choice, rest @ ..])) = bytes.split_first_chunk::<32>() else { return };
    let kind = KINDS[usize::from(*choice) % KINDS.len()];
    let pair = KeyPair::from_random(kind, (*random).into());
    let (seed, public) = (pair.seed(), pair.public_key());
    assert_eq!(KeyPair::from_seed(&seed).expect("it was just written").public_key(), public);
    assert_eq!(public.to_string().parse(), Ok(public));
    assert!(public.verifies(rest, &pair.sign(rest)) && public.kind() == kind);
    let at = rest.len() % seed.len();
    let altered = |text: &str| {
        let at = at % text.len();
        [&text[..at], if &text[at..=at] == "A" { "B" } else { "A" }, &text[at + 1..]].concat()
    };
    assert!(KeyPair::from_seed(&altered(&seed)).is_err());
    assert!(altered(&public.to_string()).parse::<PublicKey>().is_err());
    assert!(!format!("{pair:?}").contains(&seed[2..20]));
}

/// There is one way to write a key, and an error does not tell what it was.
fn check_keys(text: &str) {
    match KeyPair::from_seed(text) {
        Ok(pair) => assert_eq!(*pair.seed(), text),
        // The message has words that could stand in the input.
        Err(error) => assert!(text.len() < 20 || text.contains([' ', '\'']) || !error.to_string().contains(text)),
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text);
    }
}

/// What is shown is read as the same, with other names too.
fn check_location(text: &str) {
    let Ok(location) = text.parse::<Location>() else { return };
    let tag = "v1".parse().expect("it is a tag");
    let digest = Digest::sha256(b"any");
    let others = [location.bare(), location.with_tag(tag), location.with_digest(digest.clone())];
    assert_eq!(others[2].digest(), Some(&digest));
    for location in others.iter().chain([&location]) {
        let shown = location.to_string();
        assert_eq!(shown.parse().as_ref(), Ok(location), "{shown:?}");
    }
    if let Some(name) = location.image_name() {
        assert_eq!(name.to_string().parse().as_ref(), Ok(&name));
        assert_eq!(Some(name.tag()), location.tag());
    }
}

fn check_name(text: &str) {
    if let Ok(name) = text.parse::<ImageName>() {
        assert_eq!(name.to_string(), text);
    }
}

/// Text becomes a binary, of about its size.
fn check_wat(text: &str) {
    if !is_text(text.as_bytes()) {
        return;
    }
    if let Ok(binary) = from_text(text.as_bytes()) {
        assert!(binary.starts_with(b"\0asm"));
        assert!(binary.len() <= 64 * text.len() + 1024, "{} bytes of {}", binary.len(), text.len());
    }
}
