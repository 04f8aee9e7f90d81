use wharf_oci::{ImageIndex, Platform};

use super::*;

fn descriptor(media_type: &str, bytes: &str) -> Descriptor {
    Descriptor::of(media_type.into(), bytes.as_bytes())
}

fn manifest(config: &str, layers: &[&str]) -> ImageManifest {
    let layers = layers.iter().map(|layer| descriptor(layer, layer)).collect();
    ImageManifest::new(descriptor(config, "{}"), layers)
}

const CNCF: &str = "application/vnd.wasm.config.v0+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const WASM: &str = "application/wasm";

#[test]
fn the_cncf_layout_is_known_by_its_config() {
    let image = manifest(CNCF, &[WASM]);
    let located = classify(&image).unwrap();
    assert_eq!(located.dialect.to_string(), "cncf-wasm");
    assert_eq!((&located.wasm, located.departures.len()), (&image.layers[0], 0));
}

#[test]
fn a_cncf_layer_of_another_type_is_read_and_noted() {
    let located = classify(&manifest(CNCF, &["application/octet-stream"])).unwrap();
    let departures: Vec<_> = located.departures.iter().map(ToString::to_string).collect();
    assert_eq!(departures, ["the layer has type application/octet-stream, where application/wasm is expected"]);
}

#[test]
fn a_single_wasm_layer_is_enough_with_any_config() {
    for config in [EMPTY, "application/vnd.unknown.config.v1+json", "application/vnd.oci.image.config.v1+json"] {
        let located = classify(&manifest(config, &[WASM])).unwrap();
        assert_eq!(located.dialect.to_string(), "plain-wasm");
        assert_eq!(located.wasm.media_type, MediaType::WASM);
    }
}

#[test]
fn refusals_name_what_there_is_and_what_is_accepted() {
    let table = [
        (
            manifest(CNCF, &[]),
            "cncf-wasm artifact must have exactly one layer: it has config application/vnd.wasm.config.v0+json and no layers",
        ),
        (
            manifest(CNCF, &[WASM, WASM]),
            "exactly one layer: it has config application/vnd.wasm.config.v0+json and layers application/wasm (16 bytes), application/wasm (16 bytes)",
        ),
        (
            manifest(EMPTY, &[WASM, "text/plain"]),
            "of no known kind of Wasm artifact: it has config application/vnd.oci.empty.v1+json and layers application/wasm (16 bytes), text/plain (10 bytes); accepted are config application/vnd.wasm.config.v0+json",
        ),
        (manifest(EMPTY, &["text/plain"]), "and layer text/plain (10 bytes); accepted are"),
        (manifest(EMPTY, &[]), "and no layers; accepted are"),
        (manifest("a\x1b[31m", &["text/plain"; 20]), "config a\\u{1b}[31m and layers "),
        (manifest(EMPTY, &["text/plain"; 20]), "text/plain (10 bytes) and 12 more;"),
    ];
    for (image, expected) in table {
        let message = classify(&image).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let mut typed = manifest(EMPTY, &[]);
    typed.artifact_type = Some("application/spdx+json".into());
    let message = classify(&typed).unwrap_err().to_string();
    assert!(message.contains("it has artifact type application/spdx+json, config"), "{message}");
}

/// Makes an index with a manifest for each platform, `os/architecture`, or none for ``.
fn index(platforms: &[&str]) -> ImageIndex {
    let manifests = platforms.iter().enumerate().map(|(number, platform)| {
        let mut manifest = Descriptor::of(MediaType::OCI_MANIFEST, &[u8::try_from(number).unwrap()]);
        manifest.platform = platform.split_once('/').map(|(os, architecture)| Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            ..Platform::default()
        });
        manifest
    });
    ImageIndex::new(manifests.collect())
}

#[test]
fn the_best_wasm_platform_of_an_index_is_taken() {
    let table: [(&[&str], usize); 9] = [
        (&["linux/amd64", "linux/wasm", "wasi/wasm", "wasip1/wasm", "wasip3/wasm", "wasip2/wasm"], 5),
        (&["linux/amd64", "wasip1/wasm", "wasip3/wasm"], 2),
        (&["wasi/wasm32", "wasip1/wasm"], 1),
        (&["plan9/wasm", "linux/wasm"], 1),
        (&["linux/amd64", "wasi/wasm32"], 1),
        (&["linux/amd64", "plan9/wasm"], 1),
        (&["wasip2/wasm", "wasip2/wasm"], 0),
        (&["linux/amd64"], 0),
        (&[""], 0),
    ];
    for (platforms, expected) in table {
        let index = index(platforms);
        assert_eq!(select(&index), Ok(&index.manifests[expected]), "{platforms:?}");
    }
}

#[test]
fn attestations_and_signatures_are_left_aside() {
    let mut index = index(&["unknown/unknown", "", "", "linux/amd64"]);
    index.manifests[1] =
        index.manifests[1].clone().with_annotation("vnd.docker.reference.type", "attestation-manifest");
    index.manifests[2].artifact_type = Some("application/vnd.dev.sigstore.bundle.v0.3+json".into());
    assert_eq!(select(&index), Ok(&index.manifests[3]));
    index.manifests.pop();
    assert_eq!(select(&index), Err(Unreadable::EmptyIndex));
}

#[test]
fn an_index_without_wasm_is_refused_with_its_platforms() {
    let message = select(&index(&["linux/amd64", "linux/arm64", ""])).unwrap_err().to_string();
    assert_eq!(
        message,
        "index names 3 artifacts, none of them for a Wasm platform: linux/amd64, linux/arm64, no platform"
    );
}
