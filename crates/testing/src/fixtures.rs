//! Small Wasm binaries for tests.

/// A component that imports `wasi:http/types@0.2.3` and exports `wasi:http/incoming-handler@0.2.3`.
const COMPONENT: &str = r#"
(component $hello
  (import "wasi:http/types@0.2.3" (instance))
  (import "wasi:cli/environment@0.2.3" (instance))
  (instance $handler)
  (export "wasi:http/incoming-handler@0.2.3" (instance $handler))
)"#;

/// A core module for WASI preview 1.
const MODULE: &str = r#"
(module $command
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "_start"))
)"#;

/// A proxy-wasm filter that does nothing.
const FILTER: &str = r#"
(module $filter
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
)"#;

/// A WIT package `acme:greet@1.0.0` with one interface, in the encoding that WIT tools write.
const WIT_PACKAGE: &str = r#"
(component
  (type (component
    (type (component
      (type (instance
        (type (func (param "name" string) (result string)))
        (export "greet" (func (type 0)))
      ))
      (export "acme:greet/greeter@1.0.0" (instance (type 0)))
    ))
    (export "acme:greet/greeter@1.0.0" (component (type 0)))
  ))
  (export "greeter" (type 0))
)"#;

/// Returns a component; each `seed` gives other bytes with the same imports and exports.
#[must_use]
pub fn component(seed: &str) -> Vec<u8> {
    with_custom_section(assemble(COMPONENT), "seed", seed.as_bytes())
}

/// Returns a component of at least `size` bytes, most of them in a section that says nothing.
#[must_use]
pub fn component_of_size(size: usize) -> Vec<u8> {
    let filling: Vec<u8> =
        (0_u32..).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(size).collect();
    with_custom_section(assemble(COMPONENT), "filling", &filling)
}

/// Returns a core module.
#[must_use]
pub fn module() -> Vec<u8> {
    assemble(MODULE)
}

/// Returns a proxy-wasm filter, which is a core module too.
#[must_use]
pub fn filter() -> Vec<u8> {
    assemble(FILTER)
}

/// Returns a policy of Kubewarden, which is a core module and a waPC guest too.
#[must_use]
pub fn policy() -> Vec<u8> {
    let guest = assemble(r#"(module (func (export "__guest_call") (param i32 i32) (result i32) i32.const 0))"#);
    with_custom_section(guest, "io.kubewarden.metadata", br#"{"protocolVersion":"v1","mutating":false}"#)
}

/// Returns a WIT package.
#[must_use]
pub fn wit_package() -> Vec<u8> {
    assemble(WIT_PACKAGE)
}

fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text above is well-formed")
}

/// Appends a custom section: id 0, length, name, bytes.
fn with_custom_section(mut wasm: Vec<u8>, name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut section = leb128(name.len());
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(bytes);
    wasm.push(0);
    wasm.extend_from_slice(&leb128(section.len()));
    wasm.extend_from_slice(&section);
    wasm
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
