use std::io;

use proptest::prelude::*;
use wasm_encoder::{
    Component, ComponentSectionId, CustomSection, Module, ProducersField, ProducersSection, RawSection,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use super::*;
use crate::limits::{METADATA_BYTES_MAX, NESTING_DEPTH_MAX, SECTION_BYTES_MAX};

/// A package with a world that has interfaces, a resource, and what WASI 0.3 needs.
const WIT: &str = "
    package acme:greeter@1.2.0;
    interface types {
        resource session { constructor(name: string); greet: func() -> result<string>; }
        read: async func(body: stream<u8>) -> future<u32>;
    }
    interface handler { use types.{session}; handle: async func(visitor: borrow<session>) -> list<u8>; }
    world service { import types; import log: func(line: string); export handler; export run: async func(); }
";

fn check(bytes: &[u8]) -> Result<Wasm, InvalidWasm> {
    examine(&mut Cursor::new(bytes))
}

/// Returns the message of a refusal with those of its causes.
fn refusal(bytes: &[u8]) -> String {
    let error = check(bytes).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn wit_package(text: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", text).unwrap();
    wit_component::encode(&resolve, package, false).unwrap()
}

fn wit_component(text: &str) -> Vec<u8> {
    encoder(text).encode().unwrap()
}

fn encoder(text: &str) -> ComponentEncoder {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", text).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::AsyncCallback));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).unwrap().validate(true);
    encoder
}

fn module() -> Vec<u8> {
    wat(r#"(module $filter
        (import "env" "proxy_log" (func (param i32)))
        (import "env" "proxy_abort" (func))
        (memory (export "memory") 1)
        (table 1 funcref)
        (global (mut i32) (i32.const 7))
        (tag)
        (func $run (export "run") (result i32) (local i64) i32.const 1)
        (func (export "_start"))
        (start 3)
        (elem (i32.const 0) func $run)
        (data (i32.const 16) "x-wharf")
        (data "passive"))"#)
}

#[test]
fn bytes_tell_the_three_kinds_apart_and_names_are_sorted() {
    let wasm = check(&module()).unwrap();
    assert_eq!(wasm.kind, Kind::Module);
    assert_eq!(wasm.imports, ["env.proxy_abort", "env.proxy_log"]);
    assert_eq!(wasm.exports, ["_start", "memory", "run"]);

    let wasm = check(&wit_component(WIT)).unwrap();
    assert_eq!(wasm.kind, Kind::Component);
    assert_eq!(wasm.imports, ["acme:greeter/types@1.2.0", "log"]);
    assert_eq!(wasm.exports, ["acme:greeter/handler@1.2.0", "run"]);
    assert_eq!(wasm.package, None);

    let wasm = check(&wit_package(WIT)).unwrap();
    assert_eq!(wasm.kind, Kind::WitPackage);
    assert_eq!(wasm.package.as_deref(), Some("acme:greeter@1.2.0"));
    assert!(wasm.imports.is_empty());
    let ids = ["acme:greeter/handler@1.2.0", "acme:greeter/service@1.2.0", "acme:greeter/types@1.2.0", "run"];
    assert_eq!(wasm.exports, ids);
}

#[test]
fn names_with_a_shortened_version_are_given_in_full() {
    let bytes = encoder(WIT).emit_canonical_names(true).encode().unwrap();
    assert!(bytes.windows(10).any(|window| window == b"handler@1\x01"), "the encoder shortens versions");
    assert_eq!(check(&bytes).unwrap().imports, ["acme:greeter/types@1.2.0", "log"]);
}

#[test]
fn a_component_that_exports_other_types_is_no_package() {
    for text in [
        "(component)",
        r#"(component (type u32) (export "t" (type 0)))"#,
        r#"(component (type (component)) (type u8) (export "t" (type 1)))"#,
        r#"(component (type (component)) (export "a" (type 0)) (import "b" (func)))"#,
    ] {
        assert_eq!(check(&wat(text)).unwrap().kind, Kind::Component, "{text}");
    }
}

#[test]
fn size_and_digest_are_of_all_bytes_wherever_the_reader_stood() {
    let bytes = module();
    let mut cursor = Cursor::new(&bytes);
    cursor.set_position(9);
    let wasm = examine(&mut cursor).unwrap();
    assert_eq!((wasm.size, wasm.digest), (bytes.len() as u64, Digest::sha256(&bytes)));
}

#[test]
fn metadata_is_that_of_the_outermost_level() {
    let mut inner = Module::new();
    inner.section(&CustomSection { name: "description".into(), data: b"inner"[..].into() });
    let mut component = Component::new();
    component.section(&wasm_encoder::ModuleSection(&inner));
    let long = "x".repeat(METADATA_BYTES_MAX + 1);
    for (name, data) in [
        ("version", "1.2.0"),
        ("authors", "  Alyssa\n"),
        ("licenses", "Apache-2.0"),
        ("source", "https://example.com/src"),
        ("homepage", "   "),
        ("revision", "abc\x1b[31m"),
        ("description", &long),
        ("unrelated", "data"),
    ] {
        component.section(&CustomSection { name: name.into(), data: data.as_bytes().into() });
    }
    component.section(&CustomSection { name: "component-name".into(), data: b"\0\x06\x05hello"[..].into() });
    component.section(
        ProducersSection::new()
            .field("language", ProducersField::new().value("Rust", ""))
            .field("processed-by", ProducersField::new().value("clang", "19.1").value("wit-component", "0.263.0")),
    );
    let metadata = check(&component.finish()).unwrap().metadata;
    let tool = |name: &str, version: &str| Producer { name: name.to_owned(), version: version.to_owned() };
    let expected = Metadata {
        name: Some("hello".to_owned()),
        version: Some("1.2.0".to_owned()),
        authors: Some("Alyssa".to_owned()),
        licenses: Some("Apache-2.0".to_owned()),
        source: Some("https://example.com/src".to_owned()),
        languages: vec![tool("Rust", "")],
        processed_by: vec![tool("clang", "19.1"), tool("wit-component", "0.263.0")],
        ..Metadata::default()
    };
    assert_eq!(metadata, expected);
}

#[test]
fn malformed_metadata_is_as_good_as_absent() {
    for name in ["name", "producers", "version"] {
        let mut module = Module::new();
        module.section(&CustomSection { name: name.into(), data: b"\xff\xff\xff"[..].into() });
        assert_eq!(check(&module.finish()).unwrap().metadata, Metadata::default(), "{name}");
    }
}

#[test]
fn the_name_of_a_module_is_found_before_many_names_of_functions() {
    let mut names = wasm_encoder::NameSection::new();
    names.module("engine");
    let mut functions = wasm_encoder::NameMap::new();
    (0..20_000).for_each(|index| functions.append(index, "a_function"));
    names.functions(&functions);
    let mut module = Module::new();
    module.section(&names);
    assert_eq!(check(&module.finish()).unwrap().metadata.name.as_deref(), Some("engine"));
}

#[test]
fn what_is_no_wasm_is_refused_by_name() {
    let mut tar = vec![0_u8; 512];
    tar[0] = b'a';
    tar[257..262].copy_from_slice(b"ustar");
    let table: [(&[u8], &str); 18] = [
        (b"", "is empty"),
        (b"(module)", "`.wat`"),
        (b"\n  ;; a filter\n(module)", "`.wat`"),
        (b"\x7fELF\x02\x01\x01", "native code (ELF), such as a precompiled"),
        (b"\xcf\xfa\xed\xfe\x0c", "native code (Mach-O)"),
        (b"MZ\x90\0", "native code (PE"),
        (b"#!/bin/sh\n", "a script"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\x28\xb5\x2f\xfd\0", "zstd"),
        (b"PK\x03\x04", "zip archive"),
        (&tar, "tar archive"),
        (b"{}", "not a Wasm binary: it does not start"),
        (b"package acme:greeter;", "not a Wasm binary: it does not start"),
        (b"\0as", "5 bytes or more are missing in the header"),
        (b"\0asm\x01\0", "2 bytes or more are missing in the header"),
        (b"\0asm\x0c\0\x01\0", "version 0xc, layer 1"),
        (b"\0asm\x0a\0\x01\0", "version 0xa, layer 1"),
        (b"\0asm\x02\0\0\0", "version 0x2, layer 0"),
    ];
    for (bytes, expected) in table {
        let message = refusal(bytes);
        assert!(message.contains(expected), "{bytes:?}: {message}");
    }
}

#[test]
fn a_broken_section_is_refused_with_its_name_and_place() {
    let table: [(&[u8], &str); 19] = [
        (b"\x01\x05\x00", "4 bytes or more are missing in the type section at offset 8"),
        (b"\x01\xff", "1 bytes or more are missing in the type section at offset 8"),
        (b"\x01", "1 bytes or more are missing in the type section at offset 8"),
        (b"\x01\xff\xff\xff\xff\xff\x01", "type section at offset 8 is corrupt: "),
        (b"\x01\x02\x01\x33", "type section at offset 8 is corrupt: "),
        (b"\x01\x02\x00\x00", "type section at offset 8 is corrupt: section size mismatch"),
        (b"\x00\x02\x09\x61", "custom section at offset 8 is corrupt: "),
        (b"\x01\x01\x00\x01\x01\x00", "type section at offset 11 is corrupt: it stands twice"),
        (b"\x03\x01\x00\x01\x01\x00", "type section at offset 11 is corrupt: it stands twice, or after"),
        (b"\x0a\x01\x00\x0c\x01\x00", "data count section at offset 11 is corrupt: it stands twice, or after"),
        (b"\x03\x02\x01\x00", "function section at offset 8 is corrupt: there are 0 function bodies where 1 are"),
        (b"\x0a\x04\x01\x02\x00\x0b", "code section at offset 8 is corrupt: there are 1 function bodies where 0 are"),
        (b"\x0a\x04\x01\x05\x00\x0b", "function body at offset 11 ends 3 bytes beyond"),
        (b"\x0a\x02\x00\x0b", "code section at offset 8 is corrupt: 1 bytes follow the last item"),
        (b"\x0b\x04\x01\x01\x07x", "data segment at offset 11 ends 6 bytes beyond"),
        (b"\x0b\x02\x01\x09", "the data segment at offset 11 has the unknown flags 9"),
        (b"\x0c\x01\x02", "data count section at offset 8 is corrupt: there are 0 data segments where 2 are"),
        (b"\x08\x02\x00\x00", "start section at offset 8 is corrupt: 1 bytes follow the last item"),
        (b"\x0c\x01\x01\x0b\x01\x00", "data section at offset 11 is corrupt: there are 0 data segments where 1 are"),
    ];
    for (sections, expected) in table {
        let message = refusal(&[b"\0asm\x01\0\0\0", sections].concat());
        assert!(message.contains(expected), "{sections:?}: {message}");
    }
}

#[test]
fn a_broken_section_of_a_component_is_refused_also_below_the_surface() {
    let table: [(&[u8], &str); 7] = [
        (
            b"\x01\x08\0asm\x0d\0\x01\0",
            "core module at offset 8 is corrupt: it does not start with the header of a core",
        ),
        (b"\x04\x04\0asm", "nested component at offset 8 is corrupt: it does not start with the header of a component"),
        (
            b"\x01\x0b\0asm\x01\0\0\0\x01\x05\0",
            "type section at offset 18 is corrupt: the type section at offset 18 ends 4",
        ),
        (b"\x04\x0c\0asm\x0d\0\x01\0\x0b\x02\x01\x09", "export section at offset 18 is corrupt: "),
        (b"\x07\x02\x01\x3e", "type section at offset 8 is corrupt: "),
        (b"\x0a\x02\x01\x09", "import section at offset 8 is corrupt: "),
        (b"\x09\x04\x00\x00\x00\x00", "start section at offset 8 is corrupt: 1 bytes follow the last item"),
    ];
    for (sections, expected) in table {
        let message = refusal(&[b"\0asm\x0d\0\x01\0", sections].concat());
        assert!(message.contains(expected), "{sections:?}: {message}");
    }
}

#[test]
fn what_follows_the_end_is_refused() {
    for (bytes, end) in [(module(), module().len()), (wit_component(WIT), wit_component(WIT).len())] {
        for garbage in [&b"\0\0\0\0"[..], b"\x7f", b"\0asm\x01\0\0\0"] {
            let message = refusal(&[&bytes[..], garbage].concat());
            assert!(message.contains(&format!("the bytes at offset {end} are no section")), "{garbage:?}: {message}");
        }
    }
}

#[test]
fn limits_hold() {
    let size = u32::try_from(SECTION_BYTES_MAX + 1).unwrap();
    let mut large = Module::new();
    large.section(&RawSection { id: 1, data: &vec![0; size as usize] });
    let message = refusal(&large.finish());
    assert!(message.contains("type section at offset 8 has 16777217 bytes; the limit is 16777216"), "{message}");

    let mut nested = Component::new();
    for _ in 0..=NESTING_DEPTH_MAX {
        let mut outer = Component::new();
        outer.section(&wasm_encoder::NestedComponentSection(&nested));
        nested = outer;
    }
    assert!(matches!(check(&nested.finish()), Err(InvalidWasm::TooDeep { .. })));

    let mut names = Component::new();
    let mut imports = wasm_encoder::ComponentImportSection::new();
    let name = "n".repeat(100_000);
    (0..90).for_each(|_| {
        imports.import(name.as_str(), wasm_encoder::ComponentTypeRef::Func(0));
    });
    names.section(&imports).section(&imports);
    assert!(matches!(check(&names.finish()), Err(InvalidWasm::TooManyNames)));

    let mut package = wit_package(WIT);
    let padding = vec![0; usize::try_from(PACKAGE_BYTES_MAX).unwrap()];
    let section = CustomSection { name: "padding".into(), data: padding.into() };
    package.push(ComponentSectionId::CoreCustom as u8);
    wasm_encoder::Encode::encode(&section, &mut package);
    assert!(matches!(check(&package), Err(InvalidWasm::PackageTooLarge { .. })));
}

/// Returns where the sections of the outermost level end, and the header.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let mut depth = 0;
    let mut boundaries = vec![8];
    for payload in Parser::new(0).parse_all(bytes).map(Result::unwrap) {
        if depth == 0
            && let Some((_, range)) = payload.as_section()
        {
            boundaries.push(usize::try_from(range.end).unwrap());
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    boundaries
}

#[test]
fn what_is_cut_short_anywhere_within_a_section_is_refused() {
    for bytes in [module(), wit_component(WIT), wit_package(WIT)] {
        let boundaries = boundaries(&bytes);
        for cut in 1..bytes.len() {
            let result = check(&bytes[..cut]);
            match result {
                Err(InvalidWasm::Truncated { missing, .. }) => assert!(missing > 0, "at {cut}"),
                // Without its last sections it can be whole, or lack what an earlier one announces.
                Ok(_) | Err(InvalidWasm::Corrupt { source: Defect::Count { .. }, .. } | InvalidWasm::Wit(_)) => {
                    assert!(boundaries.contains(&cut), "at {cut}: {result:?}");
                }
                Err(error) => panic!("at {cut}: {error:?}"),
            }
        }
    }
}

/// Gives one byte at a time, with interruptions.
struct Trickle<R>(R, bool);

impl<R: Read> Read for Trickle<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        match self.1 {
            true => Err(io::ErrorKind::Interrupted.into()),
            false => {
                let end = buffer.len().min(1);
                self.0.read(&mut buffer[..end])
            }
        }
    }
}

impl<R: Seek> Seek for Trickle<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

#[test]
fn how_the_bytes_come_does_not_matter() {
    for bytes in [module(), wit_component(WIT), wit_package(WIT)] {
        let slow = examine(&mut Trickle(Cursor::new(&bytes), false)).unwrap();
        assert_eq!(slow, check(&bytes).unwrap());
    }
}

/// Gives other bytes each time it is read from the start.
struct Changing(Vec<Vec<u8>>, Cursor<Vec<u8>>);

impl Read for Changing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.read(buffer)
    }
}

impl Seek for Changing {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        if let SeekFrom::Start(0) = position
            && let Some(next) = self.0.pop()
        {
            self.1 = Cursor::new(next);
        }
        self.1.seek(position)
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let (one, other) = (wit_package(WIT), wit_package("package a:b; interface c {}"));
    let cursor = || Cursor::new(one.clone());
    let changed = examine(&mut Changing(vec![other, one.clone()], cursor()));
    assert!(matches!(changed, Err(InvalidWasm::Changed)), "{changed:?}");
    let shorter = examine(&mut Changing(vec![one[..one.len() / 2].to_vec()], cursor()));
    assert!(matches!(shorter, Err(InvalidWasm::Read(error)) if error.kind() == io::ErrorKind::UnexpectedEof));
}

#[test]
fn the_wasi_version_is_the_highest_that_is_named() {
    type Row<'a> = (Kind, &'a [&'a str], &'a [&'a str], Option<&'a str>);
    let table: [Row<'_>; 9] = [
        (Kind::Component, &["wasi:cli/exit@0.2.3", "wasi:io/poll@0.2.10"], &[], Some("0.2.10")),
        (Kind::Component, &["wasi:cli/exit@0.2.3"], &["wasi:http/handler@0.3.0"], Some("0.3.0")),
        (
            Kind::Component,
            &["wasi:cli/exit@0.3.0-rc-2026-01-06", "wasi:cli/exit@0.2.9"],
            &[],
            Some("0.3.0-rc-2026-01-06"),
        ),
        (Kind::Component, &["acme:wasi/exit@9.0.0", "wasi", "wasi:cli/exit"], &[], None),
        (Kind::WitPackage, &[], &["wasi:http/proxy@0.2.3"], Some("0.2.3")),
        (Kind::Module, &["wasi_snapshot_preview1.fd_write", "wasi_unstable.fd_write"], &[], Some("0.1")),
        (Kind::Module, &["wasi_unstable.fd_write"], &[], Some("0.0")),
        (Kind::Module, &["env.wasi_unstable"], &["wasi_unstable.x"], None),
        (Kind::Module, &["wasi:cli/exit@0.2.3.x"], &[], None),
    ];
    let template = check(&module()).unwrap();
    for (kind, imports, exports, expected) in table {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let wasm = Wasm { kind, imports: names(imports), exports: names(exports), ..template.clone() };
        assert_eq!(wasm.wasi_version().map(|version| version.to_string()).as_deref(), expected, "{imports:?}");
    }
}

#[test]
fn the_wit_of_a_component_stands_for_itself() {
    let text = world_wit(&wit_component(WIT)).unwrap();
    assert!(text.starts_with("package root:component;"), "{text}");
    assert!(text.contains("package acme:greeter@1.2.0 {"), "{text}");
    let mut resolve = Resolve::default();
    let package = resolve.push_str("again.wit", &text).unwrap();
    let world = resolve.select_world(&[package], Some("root")).unwrap();
    assert_eq!((resolve.worlds[world].imports.len(), resolve.worlds[world].exports.len()), (2, 2));
}

#[test]
fn the_wit_of_a_package_is_the_package() {
    let text = "package acme:docs@1.0.0;\n\n/// Greets.\ninterface greet {\n  hello: func() -> string;\n}\n\n";
    assert_eq!(world_wit(&wit_package(text)).unwrap(), text);
}

#[test]
fn a_core_module_has_no_wit() {
    assert!(matches!(world_wit(&module()), Err(InvalidWasm::NoWit)));
}

#[test]
fn a_package_that_the_decoder_does_not_expect_is_an_error_and_no_panic() {
    for text in [
        r#"(component (type (component (type (func)) (export "a:b/c" (func (type 0))))) (export "x" (type 0)))"#,
        r#"(component (type (component)) (export "x" (type 0)))"#,
    ] {
        let message = refusal(&wat(text));
        assert!(message.starts_with("the WIT in the file cannot be decoded: "), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_byte_never_panics(which in 0_usize..3, at: prop::sample::Index, value: u8) {
        let mut bytes = vec![module(), wit_component(WIT), wit_package(WIT)].swap_remove(which);
        let at = at.index(bytes.len());
        bytes[at] = value;
        let _ = check(&bytes);
        let _ = world_wit(&bytes);
    }
}
