//! Configs of Wasm artifacts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wharf_artifact::cncf::{DeclaredKind, WasmConfig};

fuzz_target!(|bytes: &[u8]| {
    let Ok(config) = WasmConfig::parse(bytes) else { return };
    let written = serde_json::to_vec(&config).expect("a config is JSON");
    assert_eq!(WasmConfig::parse(&written).expect("a written config is read"), config);
    check_other_reader(&config, bytes);
    let is_component = config.component.as_ref().is_some_and(|component| !component.imports.is_empty());
    assert_eq!(config.declared_kind() == DeclaredKind::Component, is_component);
});

/// A reader that knows nothing of Wharf's types sees the same content.
fn check_other_reader(config: &WasmConfig, bytes: &[u8]) {
    let value: Value = serde_json::from_slice(bytes).expect("a config is JSON");
    assert!(value.is_object());
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|text| text.as_str().expect("lists hold texts").to_owned()).collect()
    };
    assert_eq!(config.os, value["os"].as_str().unwrap_or_default());
    assert_eq!(config.architecture, value["architecture"].as_str().unwrap_or_default());
    assert_eq!(config.author.as_deref(), value["author"].as_str());
    let digests: Vec<String> = config.layer_digests.iter().map(ToString::to_string).collect();
    assert_eq!(digests, texts(&value["layerDigests"]));
    assert_eq!(config.component.is_some(), value["component"].is_object() || value["component"].is_array());
    if let Some(component) = &config.component {
        assert_eq!(component.imports, texts(&value["component"]["imports"]));
        assert_eq!(component.exports, texts(&value["component"]["exports"]));
    }
}
