//! WIT: text, and WIT packages in Wasm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wharf_fuzz::panics;
use wharf_wit::compare::{Bump, Release, compare};
use wharf_wit::{Document, Form, Resolved, TextFile, merge, requirements};

// The parser and the decoder of WIT may panic, and `wharf_wit` catches that.
fuzz_target!(init: panics::keep_quiet(), |bytes: &[u8]| panics::run(check, bytes));

fn check(bytes: &[u8]) {
    let document = match std::str::from_utf8(bytes) {
        Ok(text) => {
            let file = TextFile { name: "fuzz.wit".to_owned(), text: text.to_owned() };
            Document::parse("fuzz", vec![file])
        }
        Err(_) => Document::decode("fuzz", bytes),
    };
    let Ok(document) = document else { return };
    assert!(document.packages().contains(&document.name()));
    let is_text = document.form() == Form::Text;
    let missing = requirements(&document, &[]);
    assert!(missing.iter().all(|missing| missing.package != *document.name()));
    let Ok(resolved) = merge(document.clone(), Vec::new()) else { return };
    // What needs nothing is whole by itself.
    assert!(!is_text || missing.is_empty(), "{missing:?}");
    check_tree(&resolved);
    check_same(&resolved, &resolved);
    if let Ok(wasm) = resolved.encode()
        && let Ok(decoded) = Document::decode("encoded", &wasm)
        && decoded.form() == Form::Package
        && document.form() != Form::Component
    {
        check_same(&resolved, &merge(decoded, Vec::new()).expect("Wasm needs nothing"));
    }
}

/// Folders are plain names, no two alike.
fn check_tree(resolved: &Resolved) {
    let Ok(folders) = resolved.tree() else { return };
    let mut names: Vec<_> = folders.iter().map(|folder| folder.name.to_lowercase()).collect();
    assert!(names.iter().all(|name| !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])), "{names:?}");
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

/// A package is no other version of itself.
fn check_same(one: &Resolved, other: &Resolved) {
    if let Ok(comparison) = compare(&Release::from(one), &Release::from(other)) {
        assert_eq!((comparison.bump, comparison.changes), (Bump::None, Vec::new()));
    }
}
