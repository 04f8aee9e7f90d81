//! YAML that names images, which are pinned.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wharf::oci::Digest;
use wharf::pin_text;

fuzz_target!(|bytes: &[u8]| check(bytes));

/// Digests are all that is put in, and nothing is left to be pinned.
fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let digest = Digest::sha256(b"fuzz");
    let suffix = format!("@{digest}");
    // What stands there before could not be told from what is put in.
    if text.contains(&suffix) {
        return;
    }
    let Ok(once) = pin_text(text, |_| Some(digest.clone())) else { return };
    assert_eq!(once.replace(&suffix, ""), text);
    assert_eq!(pin_text(text, |_| None).as_deref().ok(), Some(text));
    let again = pin_text(&once, |reference| panic!("{reference} is pinned")).expect("it is YAML still");
    assert_eq!(again, once);
}
