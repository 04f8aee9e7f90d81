use wharf_oci::{Descriptor, Digest};
use wharf_tar::frame;

use super::*;
use crate::fixtures::{component, config_text, filter, manifest_text};
use crate::{ManifestFormat, Wasm};

fn layer(wasm: &Wasm, format: ManifestFormat) -> Layer {
    let file = file(&Entrypoint::new(wasm, "app.wasm").unwrap());
    assert_eq!((file.path.as_str(), file.mode, &file.content), ("app.wasm", 0o755, &Content::Wasm));
    let around = frame(&file.path, file.mode, wasm.size).unwrap();
    let size = wasm.size + (around.before.len() + around.after.len()) as u64;
    Layer::new(format.tar_layer(), Digest::sha256(b"tar"), size)
}

fn built(wasm: &Wasm, options: &ImageOptions) -> Built {
    build(&Entrypoint::new(wasm, "app.wasm").unwrap(), &layer(wasm, options.format), options).unwrap()
}

#[test]
fn an_image_has_this_config_and_this_manifest() {
    let wasm = component();
    let built = built(&wasm, &ImageOptions::default());
    let tar = Digest::sha256(b"tar");
    let config = format!(
        r#"{{"created":"1970-01-01T00:00:00Z","architecture":"wasm","os":"wasi","config":{{"Entrypoint":["/app.wasm"]}},"rootfs":{{"type":"layers","diff_ids":["{tar}"]}}}}"#
    );
    assert_eq!(config_text(&built), config);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{tar}","size":2048}}],"annotations":{{"module.wasm.image/variant":"compat-smart"}}}}"#,
        Digest::sha256(config.as_bytes()),
        config.len(),
    );
    assert_eq!(manifest_text(&built), manifest);
}

#[test]
fn docker_gets_its_own_types_and_labels_for_annotations() {
    let mut wasm = component();
    wasm.metadata.version = Some("1.0.0".to_owned());
    let options = ImageOptions {
        format: ManifestFormat::Docker,
        author: Some("Alyssa".to_owned()),
        annotations: Annotations::from([("com.example.note".to_owned(), "kept".to_owned())]),
        ..ImageOptions::default()
    };
    let built = built(&wasm, &options);
    let tar = Digest::sha256(b"tar");
    let config = format!(
        r#"{{"created":"1970-01-01T00:00:00Z","author":"Alyssa","architecture":"wasm","os":"wasi","config":{{"Entrypoint":["/app.wasm"],"Labels":{{"com.example.note":"kept","org.opencontainers.image.version":"1.0.0"}}}},"rootfs":{{"type":"layers","diff_ids":["{tar}"]}}}}"#
    );
    assert_eq!(config_text(&built), config);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","digest":"{tar}","size":2048}}]}}"#,
        Digest::sha256(config.as_bytes()),
        config.len(),
    );
    assert_eq!(manifest_text(&built), manifest);
}

#[test]
fn annotations_given_win_over_those_of_the_form_and_of_the_binary() {
    let mut wasm = filter();
    wasm.metadata.version = Some("1.0.0".to_owned());
    let given = [(VARIANT, "compat"), ("org.opencontainers.image.version", "2.0.0")];
    let annotations: Annotations = given.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let built = built(&wasm, &ImageOptions { annotations: annotations.clone(), ..ImageOptions::default() });
    assert_eq!(*built.manifest.annotations(), annotations);
}

#[test]
fn a_layer_of_another_type_is_refused() {
    let wasm = component();
    let entrypoint = Entrypoint::new(&wasm, "app.wasm").unwrap();
    let mut wrong = layer(&wasm, ManifestFormat::Docker);
    let error = build(&entrypoint, &wrong, &ImageOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the layer has type application/vnd.docker.image.rootfs.diff.tar, where hosts expect application/vnd.oci.image.layer.v1.tar"
    );
    wrong.descriptor = Descriptor::new(ManifestFormat::Oci.tar_gzip_layer(), Digest::sha256(b""), 0);
    assert!(matches!(build(&entrypoint, &wrong, &ImageOptions::default()), Err(InvalidBuild::LayerType { .. })));
}
