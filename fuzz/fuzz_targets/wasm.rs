//! Wasm binaries: core modules, components and WIT packages.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use wasmparser::Validator;
use wharf_artifact::cncf::{BuildOptions, WasmConfig, build};
use wharf_artifact::dialect::{Dialect, Place, classify};
use wharf_artifact::{InvalidWasm, Kind, Wasm, examine, world_wit};
use wharf_fuzz::{Trickle, panics};
use wharf_oci::{Digest, Document};
use wit_parser::UnresolvedPackageGroup;

// The decoder of WIT may panic, and `world_wit` catches that.
fuzz_target!(init: panics::keep_quiet(), |bytes: &[u8]| panics::run(check, bytes));

fn check(bytes: &[u8]) {
    let outcome = examine(&mut Cursor::new(bytes));
    check_pieces(bytes, &outcome);
    check_validator(bytes, &outcome);
    let Ok(wasm) = outcome else { return };
    assert_eq!((wasm.size, &wasm.digest), (bytes.len() as u64, &Digest::sha256(bytes)));
    for names in [&wasm.imports, &wasm.exports] {
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    }
    check_artifact(&wasm);
    check_wit(bytes, &wasm);
}

/// How many bytes come at a time makes no difference.
fn check_pieces(bytes: &[u8], expected: &Result<Wasm, InvalidWasm>) {
    let found = examine(&mut Trickle::new(bytes));
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
}

/// What is valid is examined, but for what is over a limit, or what the decoder of WIT cannot take.
fn check_validator(bytes: &[u8], outcome: &Result<Wasm, InvalidWasm>) {
    let Err(error) = outcome else { return };
    if !matches!(error, InvalidWasm::TooDeep { .. } | InvalidWasm::Wit(_)) {
        assert!(Validator::new().validate_all(bytes).is_err(), "valid, but refused: {error:?}");
    }
}

/// The artifact of a binary is found to hold that binary.
fn check_artifact(wasm: &Wasm) {
    let artifact = build(wasm, &BuildOptions::default()).expect("what was examined can be packed");
    let Document::Image(image) = artifact.manifest.document() else { panic!("an artifact is no index") };
    let located = classify(image, None).expect("its own dialect is known");
    let Place::Layer(layer) = located.place else { panic!("it is a layer") };
    assert_eq!((located.dialect, &layer.digest), (Dialect::CncfWasm, &wasm.digest));
    let config = WasmConfig::parse(&artifact.blobs[0].1).expect("a written config is read");
    let component = config.component.unwrap_or_default();
    if wasm.kind != Kind::Module {
        assert_eq!((component.imports, component.exports), (wasm.imports.clone(), wasm.exports.clone()));
    }
    for text in image.annotations.values() {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}

/// The text of the WIT in a binary is WIT, and names the package.
fn check_wit(bytes: &[u8], wasm: &Wasm) {
    let Ok(text) = world_wit(bytes) else { return };
    assert_ne!(wasm.kind, Kind::Module);
    if Validator::new().validate_all(bytes).is_ok() {
        let parsed = UnresolvedPackageGroup::parse("fuzz.wit", &text);
        let group = parsed.unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        assert!(wasm.package.as_ref().is_none_or(|name| *name == group.main.name.to_string()), "{text}");
    }
}
