use wharf_oci::{Document, InvalidManifest};

use super::*;
use crate::fixtures::{component, config_text, manifest_text, module, wit_package};

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn entrypoint(wasm: &Wasm) -> Entrypoint {
    Entrypoint::new(wasm, "app.wasm").unwrap()
}

fn extra(media_type: &str, bytes: &[u8]) -> Layer {
    Layer::new(media_type.into(), Digest::sha256(bytes), bytes.len() as u64)
}

fn diff_ids(config: &[u8]) -> Vec<Digest> {
    crate::ImageConfig::parse(config).unwrap().rootfs.diff_ids
}

#[test]
fn an_image_of_one_component_has_this_config_and_this_manifest() {
    let wasm = component();
    let layers = [wasm_layer(&wasm, "app.wasm").unwrap()];
    let options = ImageOptions {
        created: 1_445_472_176,
        author: Some("Alyssa".to_owned()),
        annotations: Annotations::from([("com.example.note".to_owned(), "kept".to_owned())]),
        ..ImageOptions::default()
    };
    let built = build(&entrypoint(&wasm), &layers, &options).unwrap();
    let id = Digest::sha256(wasm.digest.hex().as_bytes());
    let config = format!(
        r#"{{"created":"2015-10-22T00:02:56Z","author":"Alyssa","architecture":"wasm","os":"wasip2","config":{{"Entrypoint":["app.wasm"],"Labels":{{"containerd.runwasi.layers":"{}"}}}},"rootfs":{{"type":"layers","diff_ids":[]}}}}"#,
        id.hex()
    );
    assert_eq!(config_text(&built), config);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.bytecodealliance.wasm.component.layer.v0+wasm","digest":"{}","size":{},"annotations":{{"org.opencontainers.image.title":"app.wasm"}}}}],"annotations":{{"com.example.note":"kept"}}}}"#,
        Digest::sha256(config.as_bytes()),
        config.len(),
        wasm.digest,
        wasm.size,
    );
    assert_eq!(manifest_text(&built), manifest);
    assert_eq!(build(&entrypoint(&wasm), &layers, &options).unwrap().manifest.digest(), built.manifest.digest());
}

#[test]
fn a_core_module_is_wasip1_and_a_component_wasip2() {
    for (wasm, os) in [(module(), "wasip1"), (component(), "wasip2")] {
        let layers = [wasm_layer(&wasm, "app.wasm").unwrap()];
        let built = build(&entrypoint(&wasm), &layers, &ImageOptions::default()).unwrap();
        assert_eq!(crate::ImageConfig::parse(&built.blobs[0].1).unwrap().os, os);
    }
}

#[test]
fn containerd_gets_a_diff_id_for_each_tar() {
    let wasm = component();
    let mut compressed = extra(TAR_GZIP, b"compressed");
    compressed.diff_id = Digest::sha256(b"tar");
    let layers = [
        wasm_layer(&wasm, "app.wasm").unwrap(),
        extra("application/vnd.wasm.policy.v1+yaml", b"policy"),
        extra(TAR, b"files"),
        compressed,
    ];
    let (entrypoint, options) = (entrypoint(&wasm), ImageOptions::default());
    let built = build(&entrypoint, &layers, &options).unwrap();
    let tars = [Digest::sha256(b"files"), Digest::sha256(b"tar")];
    assert_eq!(diff_ids(&built.blobs[0].1), tars);
    let Document::Image(image) = built.manifest.document() else { panic!("it is no image manifest") };
    let descriptors: Vec<_> = layers.iter().map(|layer| layer.descriptor.clone()).collect();
    assert_eq!(image.layers, descriptors);
}

#[test]
fn the_label_is_what_oci_tar_builder_computes() {
    // sha256sum of the hexadecimal SHA-256 of "a" and of "b", one after the other.
    let layers = [extra(TAR, b"a"), extra(TAR, b"b")];
    assert_eq!(layers_id(&layers), "62af5c3cb8da3e4f25061e829ebeea5c7513c54949115b1acc225930a90154da");
}

#[test]
fn a_wit_package_makes_no_layer() {
    let error = wasm_layer(&wit_package(), "app.wasm").unwrap_err();
    assert!(matches!(error, InvalidBuild::NothingToRun { kind: Kind::WitPackage }));
    let error = wasm_layer(&component(), "../app.wasm").unwrap_err();
    assert!(matches!(error, InvalidBuild::FileName { .. }));
}

#[test]
fn layers_that_make_no_image_are_refused() {
    let wasm = component();
    let layer = || wasm_layer(&wasm, "app.wasm").unwrap();
    let build = |layers: &[Layer], options: &ImageOptions| build(&entrypoint(&wasm), layers, options).unwrap_err();
    let options = ImageOptions::default();
    let docker = ImageOptions { format: ManifestFormat::Docker, ..ImageOptions::default() };
    assert!(matches!(build(&[layer()], &docker), InvalidBuild::RawLayersInDocker));
    for layers in [vec![], vec![extra("application/wasm", b"x")]] {
        let error = build(&layers, &options);
        assert!(matches!(error, InvalidBuild::NoWasmLayer { .. }), "{error}");
    }
    let late = ImageOptions { created: i64::MAX, ..ImageOptions::default() };
    assert!(matches!(build(&[layer()], &late), InvalidBuild::Created { .. }));
    let InvalidBuild::Manifest(InvalidManifest::TooMany { count }) = build(&vec![layer(); 10_000], &options) else {
        panic!("10,000 layers and a config were taken");
    };
    assert_eq!(count, 10_001);
}

#[test]
fn the_type_of_a_layer_has_the_form_of_a_media_type() {
    let long = format!("application/{}", "x".repeat(128));
    let table = [
        ("text/plain", true),
        ("application/vnd.a-b_c.v1+json", true),
        ("", false),
        ("text", false),
        ("/plain", false),
        ("text/", false),
        ("text/plain; charset=utf-8", false),
        ("text/a/b", false),
        ("text/.plain", false),
        ("täxt/plain", false),
        (&long, false),
    ];
    for (media_type, is_valid) in table {
        assert_eq!(is_media_type(media_type), is_valid, "{media_type:?}");
    }
    let layers = [wasm_layer(&component(), "app.wasm").unwrap(), extra("text", b"x")];
    let error = build(&entrypoint(&component()), &layers, &ImageOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), r#""text" is not a media type: that has the form `application/wasm`"#);
}
