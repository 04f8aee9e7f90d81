//! Binaries that the tests of several builders pack.

use std::io::Cursor;

use serde_json::Value;
use wharf_oci::Document;

use crate::{Built, Wasm, examine};

pub(crate) fn component() -> Wasm {
    wasm(r#"(component (import "wasi:io/poll@0.2.3" (instance)))"#)
}

pub(crate) fn module() -> Wasm {
    wasm(r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#)
}

pub(crate) fn filter() -> Wasm {
    wasm(r#"(module (func (export "proxy_abi_version_0_2_1")) (func (export "proxy_abi_version_0_1_0")))"#)
}

pub(crate) fn wit_package() -> Wasm {
    wasm(r#"(component (type (component (export "acme:greet/greeter@1.0.0" (instance)))) (export "greeter" (type 0)))"#)
}

pub(crate) fn wasm(text: &str) -> Wasm {
    examine(&mut Cursor::new(wat::parse_str(text).unwrap())).unwrap()
}

/// Returns the exact text of the manifest, with which its digest is fixed too.
pub(crate) fn manifest_text(built: &Built) -> &str {
    str::from_utf8(built.manifest.bytes()).unwrap()
}

/// Returns the exact text of the config, after checking that the manifest names it first.
pub(crate) fn config_text(built: &Built) -> &str {
    let (descriptor, bytes) = &built.blobs[0];
    let Document::Image(image) = built.manifest.document() else { panic!("it is no image manifest") };
    assert_eq!(image.config, *descriptor);
    assert_eq!(descriptor.size, bytes.len() as u64);
    serde_json::from_slice::<Value>(bytes).unwrap();
    str::from_utf8(bytes).unwrap()
}
