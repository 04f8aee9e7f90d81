use wharf_oci::Digest;

use super::*;
use crate::ManifestFormat;
use crate::fixtures::{component, config_text, filter, manifest_text, module, wasm, wit_package};

const CONFIG: &str = r#"{"type":"envoy_proxy","abiVersions":["v0.1.0","v0.2.1"],"config":{"rootIds":["add_header"]}}"#;

fn root_ids() -> Vec<String> {
    vec!["add_header".to_owned()]
}

#[test]
fn the_form_oci_is_that_of_wasme() {
    let wasm = filter();
    let options = FilterOptions { root_ids: root_ids(), ..FilterOptions::default() };
    let built = build(Filter::new(&wasm).unwrap(), &options).unwrap();
    assert_eq!(config_text(&built), CONFIG);
    let config = format!(
        r#"{{"mediaType":"application/vnd.module.wasm.config.v1+json","digest":"{}","size":{},"annotations":{{"org.opencontainers.image.title":"runtime-config.json"}}}}"#,
        Digest::sha256(CONFIG.as_bytes()),
        CONFIG.len(),
    );
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[{config},{{"mediaType":"application/vnd.module.wasm.content.layer.v1+wasm","digest":"{}","size":{},"annotations":{{"org.opencontainers.image.title":"filter.wasm"}}}}],"annotations":{{"module.wasm.runtime/abi_version":"v0.1.0,v0.2.1","module.wasm.runtime/type":"envoy_proxy"}}}}"#,
        wasm.digest, wasm.size,
    );
    assert_eq!(manifest_text(&built), manifest);
    assert_eq!(built.blobs.len(), 1);
}

#[test]
fn the_form_compat_is_an_image_that_runs_the_filter() {
    let wasm = filter();
    let filter = Filter::new(&wasm).unwrap();
    let files = compat_files(filter, &root_ids()).unwrap();
    let expected = [
        LayerFile { path: "plugin.wasm".to_owned(), mode: 0o755, content: Content::Wasm },
        LayerFile {
            path: "runtime-config.json".to_owned(),
            mode: 0o644,
            content: Content::Bytes(Bytes::from_static(CONFIG.as_bytes())),
        },
    ];
    assert_eq!(files, expected);
    let table = [
        (
            ManifestFormat::Oci,
            [
                "application/vnd.oci.image.manifest.v1+json",
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ],
            r#","annotations":{"module.wasm.image/variant":"compat"}"#,
        ),
        (
            ManifestFormat::Docker,
            [
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            ],
            "",
        ),
    ];
    let (gzip, tar) = (Digest::sha256(b"gzip"), Digest::sha256(b"tar"));
    let config = format!(
        r#"{{"created":"1970-01-01T00:00:00Z","architecture":"wasm","os":"wasi","config":{{"Entrypoint":["/plugin.wasm"]}},"rootfs":{{"type":"layers","diff_ids":["{tar}"]}}}}"#
    );
    for (format, [manifest_type, config_type, layer_type], annotations) in table {
        let layer =
            Layer { descriptor: Descriptor::new(format.tar_gzip_layer(), gzip.clone(), 4), diff_id: tar.clone() };
        let built = build_compat(filter, &layer, &ImageOptions { format, ..ImageOptions::default() }).unwrap();
        assert_eq!(config_text(&built), config);
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{manifest_type}","config":{{"mediaType":"{config_type}","digest":"{}","size":{}}},"layers":[{{"mediaType":"{layer_type}","digest":"{gzip}","size":4}}]{annotations}}}"#,
            Digest::sha256(config.as_bytes()),
            config.len(),
        );
        assert_eq!(manifest_text(&built), manifest);
    }
    let plain = Layer::new(ManifestFormat::Oci.tar_layer(), tar, 4);
    let error = build_compat(filter, &plain, &ImageOptions::default()).unwrap_err();
    assert!(matches!(error, InvalidBuild::LayerType { .. }));
}

#[test]
fn what_is_no_filter_is_refused_with_the_reason() {
    let core = "is no proxy-wasm filter, which is a core module that exports `proxy_abi_version_…`";
    let none =
        "the core module is no proxy-wasm filter: it does not export `proxy_abi_version_0_2_1` or another version";
    let table = [
        (component(), format!("a component {core}")),
        (wit_package(), format!("a WIT package {core}")),
        (module(), none.to_owned()),
        (wasm(r#"(module (func (export "proxy_on_vm_start")))"#), none.to_owned()),
    ];
    for (wasm, expected) in table {
        assert_eq!(Filter::new(&wasm).unwrap_err().to_string(), expected);
    }
}

#[test]
fn annotations_given_win_over_those_of_the_form_and_of_the_binary() {
    let mut wasm = filter();
    wasm.metadata.version = Some("1.0.0".to_owned());
    let given = [("org.opencontainers.image.version", "2.0.0"), (RUNTIME_TYPE, "envoy"), (ABI_VERSION, "v0.2.1")];
    let annotations: Annotations = given.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let options = FilterOptions { annotations: annotations.clone(), ..FilterOptions::default() };
    let built = build(Filter::new(&wasm).unwrap(), &options).unwrap();
    assert_eq!(*built.manifest.annotations(), annotations);
}

#[test]
fn runtime_configs_are_read_in_all_spellings() {
    let commit = "v0-541b2c1155fffb15ccde92b8324f3e38f7339ba6";
    let expected = |roots: &[&str]| RuntimeConfig {
        runtime: "envoy_proxy".to_owned(),
        abi_versions: vec![commit.to_owned()],
        config: FilterConfig { root_ids: roots.iter().map(|root| (*root).to_owned()).collect() },
    };
    let table = [
        // The tool.
        (r#"{"type":"envoy_proxy","abiVersions":["COMMIT"],"config":{"rootIds":["a","b"]}}"#, expected(&["a", "b"])),
        // The text of the specification, and its example.
        (r#"{"type":"envoy_proxy","abi_versions":["COMMIT"],"config":{"root_ids":["a"]}}"#, expected(&["a"])),
        (r#"{"type":"envoy_proxy","abi_version":"COMMIT","config":{"root_ids":["a"]}}"#, expected(&["a"])),
        (r#"{"type":"envoy_proxy","abiVersion":"COMMIT","config":{}}"#, expected(&[])),
        (r#"{"type":"envoy_proxy","abiVersions":["COMMIT"],"config":null,"x":1}"#, expected(&[])),
    ];
    for (text, expected) in table {
        let config = RuntimeConfig::parse(text.replace("COMMIT", commit).as_bytes()).unwrap();
        assert_eq!(config, expected, "{text}");
    }
    let bare = RuntimeConfig::parse(br#"{"type":"other","abiVersions":null}"#).unwrap();
    assert_eq!((bare.runtime.as_str(), bare.abi_versions.len()), ("other", 0));
    assert_eq!(RuntimeConfig::parse(CONFIG.as_bytes()).unwrap().to_bytes().unwrap(), CONFIG);
}

#[test]
fn what_is_no_runtime_config_is_refused() {
    let twice = r#"{"type":"envoy_proxy","abiVersions":[],"abi_version":"v0.2.1"}"#;
    for text in ["", "[]", "{}", r#"{"type":1}"#, r#"{"type":"a","abiVersions":[1]}"#, twice, "{} {}"] {
        assert!(matches!(RuntimeConfig::parse(text.as_bytes()), Err(InvalidDocument::Json { .. })), "{text}");
    }
}
