use std::io::Cursor;

use serde_json::{Value, json};

use super::*;
use crate::examine;

fn wasm(text: &str) -> Wasm {
    examine(&mut Cursor::new(wat::parse_str(text).unwrap())).unwrap()
}

fn component() -> Wasm {
    wasm(
        r#"(component (import "wasi:io/poll@0.2.3" (instance)) (import "a" (func)) (import "wasi:cli/exit@0.2.3" (instance)))"#,
    )
}

fn module() -> Wasm {
    wasm(r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#)
}

fn config(built: &Built) -> Value {
    serde_json::from_slice(&built.blobs[0].1).unwrap()
}

fn layer(built: &Built) -> &Descriptor {
    built.manifest.children().nth(1).unwrap()
}

#[test]
fn a_component_is_wasip2_with_sorted_names() {
    let wasm = component();
    let options = BuildOptions {
        created: 1_445_472_176,
        file_name: Some("app.wasm".to_owned()),
        author: Some("Alyssa".to_owned()),
        target_world: Some("wasi:http/proxy@0.2.3".to_owned()),
        ..BuildOptions::default()
    };
    let built = build(&wasm, &options).unwrap();
    let expected = json!({
        "created": "2015-10-22T00:02:56Z", "author": "Alyssa", "architecture": "wasm", "os": "wasip2",
        "layerDigests": [wasm.digest.to_string()],
        "component": {
            "exports": [], "imports": ["a", "wasi:cli/exit@0.2.3", "wasi:io/poll@0.2.3"],
            "target": "wasi:http/proxy@0.2.3",
        },
    });
    assert_eq!(config(&built), expected);
    assert_eq!(built.blobs[0].0, Descriptor::of(MediaType::WASM_CONFIG, &built.blobs[0].1));
    let expected = Descriptor::new(MediaType::WASM, wasm.digest.clone(), wasm.size).with_annotation(TITLE, "app.wasm");
    let children: Vec<_> = built.manifest.children().collect();
    assert_eq!(children, [&built.blobs[0].0, &expected]);
}

#[test]
fn a_core_module_is_wasip1_without_component() {
    let built = build(&module(), &BuildOptions::default()).unwrap();
    let expected = json!({
        "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip1",
        "layerDigests": [layer(&built).digest.to_string()],
    });
    assert_eq!(config(&built), expected);
    assert!(layer(&built).annotations.is_empty());
}

#[test]
fn the_same_input_gives_the_digest_it_always_gave() {
    let mut wasm = examine(&mut Cursor::new(b"\0asm\x0d\0\x01\0")).unwrap();
    wasm.imports = vec!["wasi:cli/exit@0.2.3".to_owned()];
    wasm.exports = vec!["wasi:cli/run@0.2.3".to_owned()];
    let options = BuildOptions { file_name: Some("app.wasm".to_owned()), ..BuildOptions::default() };
    let built = build(&wasm, &options).unwrap();
    assert_eq!(
        built.manifest.digest().to_string(),
        "sha256:577bff496baa906ba85105ec66c4f02f6b26a9fa8b1106db63b8f4219a8d29de"
    );
}

#[test]
fn metadata_becomes_annotations_and_those_given_win() {
    let mut wasm = module();
    let text = |text: &str| Some(text.to_owned());
    wasm.metadata = Metadata {
        name: text("filter"),
        version: text("1.0.0"),
        description: text("Adds\n  a header."),
        authors: text(&"x".repeat(ANNOTATION_BYTES_MAX + 1)),
        source: text("https://example.com/src"),
        homepage: text("javascript:alert(1)"),
        revision: text("abc"),
        ..Metadata::default()
    };
    let given = Annotations::from([
        ("org.opencontainers.image.version".to_owned(), "2.0.0".to_owned()),
        ("com.example.note".to_owned(), "kept".to_owned()),
    ]);
    let options = BuildOptions { annotations: given, ..BuildOptions::default() };
    let built = build(&wasm, &options).unwrap();
    let annotations: Vec<_> =
        built.manifest.annotations().iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let expected = [
        ("com.example.note", "kept"),
        ("org.opencontainers.image.description", "Adds a header."),
        ("org.opencontainers.image.revision", "abc"),
        ("org.opencontainers.image.source", "https://example.com/src"),
        ("org.opencontainers.image.title", "filter"),
        ("org.opencontainers.image.version", "2.0.0"),
    ];
    assert_eq!(annotations, expected);
}

#[test]
fn options_that_do_not_hold_are_refused() {
    for name in ["", ".", "..", "../app.wasm", "a\\b.wasm", "a\nb.wasm"] {
        let options = BuildOptions { file_name: Some(name.to_owned()), ..BuildOptions::default() };
        assert!(matches!(build(&module(), &options), Err(InvalidBuild::FileName { .. })), "{name:?}");
    }
    let targets = [
        ("proxy", true),
        ("wasi:http/proxy", true),
        ("wasi:http/proxy@0.2.3", true),
        ("", false),
        ("Wasi:Http/proxy", false),
        ("wasi:http", false),
        ("wasi:http/proxy@0.2", false),
        ("wasi:http/proxy@0.2.3 ", false),
        ("[method]a.b", false),
    ];
    for (target, is_valid) in targets {
        let options = BuildOptions { target_world: Some(target.to_owned()), ..BuildOptions::default() };
        assert_eq!(build(&component(), &options).is_ok(), is_valid, "{target:?}");
        assert!(matches!(build(&module(), &options), Err(InvalidBuild::TargetOf { kind: Kind::Module })));
    }
    let options = BuildOptions { created: i64::MAX, ..BuildOptions::default() };
    assert!(matches!(build(&module(), &options), Err(InvalidBuild::Created { seconds: i64::MAX, .. })));
    let mut wasm = component();
    wasm.exports = vec!["x".repeat(CONFIG_BYTES_MAX)];
    assert!(matches!(build(&wasm, &BuildOptions::default()), Err(InvalidBuild::ConfigTooLarge { .. })));
}

#[test]
fn a_config_is_read_as_it_was_written() {
    let built = build(&component(), &BuildOptions::default()).unwrap();
    let config = WasmConfig::parse(&built.blobs[0].1).unwrap();
    assert_eq!(serde_json::to_vec(&config).unwrap(), built.blobs[0].1);
    assert_eq!(config.layer_digests, [layer(&built).digest.clone()]);
}

#[test]
fn configs_of_other_writers_are_read_with_what_they_claim() {
    let digest = Digest::sha256(b"").to_string();
    let table = [
        // wkg
        (
            r#"{"created":"2026-11-21T05:34:14.438815655Z","author":null,"architecture":"wasm","os":"wasip2",
                "layerDigests":["DIGEST"],"component":{"exports":["acme:p1/i@0.1.0"],"imports":[],"target":null}}"#,
            DeclaredKind::ComponentOrWitPackage,
        ),
        // wkg oci push of a core module
        (r#"{"os":"wasip2","component":{"exports":[],"imports":[],"target":null}}"#, DeclaredKind::Unclear),
        (r#"{"os":"wasip2","component":{"exports":null,"imports":["a:b/c"]}}"#, DeclaredKind::Component),
        (r#"{"os":"wasip9","component":{"imports":["a:b/c"],"optional_imports":[]}}"#, DeclaredKind::Component),
        // oci-tar-builder
        (r#"{"os":"wasip1","layerDigests":["DIGEST"],"component":null}"#, DeclaredKind::Module),
        (r#"{"os":"wasip2","component":null}"#, DeclaredKind::Unclear),
        (r#"{"os":null,"layerDigests":null}"#, DeclaredKind::Unclear),
        ("{}", DeclaredKind::Unclear),
    ];
    for (text, expected) in table {
        let config = WasmConfig::parse(text.replace("DIGEST", &digest).as_bytes()).unwrap();
        assert_eq!(config.declared_kind(), expected, "{text}");
    }
}

#[test]
fn what_is_no_config_is_refused() {
    for text in ["", "[]", r#"{"os":1}"#, r#"{"layerDigests":["md5:1"]}"#, r#"{"os":"wasip1","os":"wasip2"}"#, "{} {}"]
    {
        assert!(matches!(WasmConfig::parse(text.as_bytes()), Err(InvalidConfig::Json(_))), "{text}");
    }
    let large = " ".repeat(CONFIG_BYTES_MAX + 1);
    assert!(matches!(WasmConfig::parse(large.as_bytes()), Err(InvalidConfig::TooLarge { .. })));
}
