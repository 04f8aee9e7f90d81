//! Manifests and indexes, and the Wasm artifacts in them. The first byte says as what the rest was served.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wharf_artifact::dialect::{Place, Platforms, Unreadable, classify, needs_config, select};
use wharf_oci::limits::DESCRIPTORS_MAX;
use wharf_oci::{Descriptor, Digest, Document, ImageManifest, Manifest, MediaType, Platform};

fuzz_target!(|data: &[u8]| {
    let Some((served_as, bytes)) = data.split_first() else { return };
    let types = MediaType::MANIFESTS;
    let declared = types.get(usize::from(served_as % 8));
    let Ok(manifest) = Manifest::parse(Bytes::copy_from_slice(bytes), declared) else { return };
    assert_eq!(manifest.bytes(), bytes);
    assert_eq!(*manifest.digest(), Digest::sha256(bytes));
    assert!(manifest.children().count() <= DESCRIPTORS_MAX);
    check_type(&manifest, declared);
    check_other_reader(&manifest);
    check_round_trip(&manifest);
    check_artifact(&manifest);
});

/// The type that was settled on is the one it was served as, and what it is read as the next time.
fn check_type(manifest: &Manifest, declared: Option<&MediaType>) {
    let media_type = manifest.media_type();
    assert!(declared.is_none_or(|declared| declared == media_type));
    assert!(!media_type.is_manifest() || media_type.is_index() == matches!(manifest.document(), Document::Index(_)));
    let again = Manifest::parse(manifest.bytes().clone(), Some(media_type)).expect("it was read before");
    assert_eq!((again.media_type(), again.document()), (media_type, manifest.document()));
}

/// A reader that knows nothing of Wharf's types sees the same content.
fn check_other_reader(manifest: &Manifest) {
    let value: Value = serde_json::from_slice(manifest.bytes()).expect("a manifest is JSON");
    let list = |key| value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match manifest.document() {
        Document::Image(image) => {
            assert!(value.get("manifests").is_none_or(Value::is_null));
            check_descriptor(&image.config, &value["config"]);
            check_descriptors(&image.layers, list("layers"));
        }
        Document::Index(index) => {
            assert!(["config", "layers"].iter().all(|key| value.get(key).is_none_or(Value::is_null)));
            check_descriptors(&index.manifests, list("manifests"));
        }
        Document::Artifact(artifact) => {
            assert!(["config", "layers", "manifests"].iter().all(|key| value.get(key).is_none_or(Value::is_null)));
            check_descriptors(&artifact.blobs, list("blobs"));
        }
    }
    let subject = value.get("subject").filter(|subject| !subject.is_null());
    assert_eq!(manifest.subject().is_some(), subject.is_some());
    if let (Some(found), Some(expected)) = (manifest.subject(), subject) {
        check_descriptor(found, expected);
    }
}

fn check_descriptors(found: &[Descriptor], expected: &[Value]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        check_descriptor(found, expected);
    }
}

fn check_descriptor(found: &Descriptor, expected: &Value) {
    assert_eq!(Some(found.media_type.as_str()), expected["mediaType"].as_str());
    assert_eq!(Some(found.digest.to_string().as_str()), expected["digest"].as_str());
    assert_eq!(Some(found.size), expected["size"].as_u64());
}

/// What is written anew says the same.
fn check_round_trip(manifest: &Manifest) {
    let written = match manifest.document() {
        Document::Image(image) => Manifest::from_image(image),
        Document::Index(index) => Manifest::from_index(index),
        // Wharf writes none.
        Document::Artifact(_) => return,
    };
    let written = written.expect("what was read can be written");
    assert_eq!(written.document(), manifest.document());
    let descriptor = written.descriptor();
    assert_eq!((descriptor.digest, descriptor.size), (written.digest().clone(), written.bytes().len() as u64));
}

/// What is found in a manifest stands in it, and why nothing is found is told in a text that can be shown.
fn check_artifact(manifest: &Manifest) {
    let refused = match manifest.document() {
        Document::Image(image) => check_image(image),
        Document::Artifact(artifact) => check_image(&artifact.to_image()),
        Document::Index(index) => {
            let host = Platform { os: "linux".to_owned(), architecture: "arm64".to_owned(), ..Platform::default() };
            let picked = select(index, &Platforms { wanted: None, host });
            picked.map(|picked| assert!(index.manifests.contains(picked))).err()
        }
    };
    let Some(refused) = refused else { return };
    assert!(!matches!(refused, Unreadable::EmptyIndex) || matches!(manifest.document(), Document::Index(_)));
    check_text(&refused.to_string());
}

/// All that is located stands in the manifest, and nothing stands in it twice.
fn check_image(image: &ImageManifest) -> Option<Unreadable> {
    let _any = needs_config(image);
    let located = match classify(image, None) {
        Ok(located) => located,
        Err(error) => return Some(error),
    };
    let places = match &located.place {
        Place::Layer(layer) => std::slice::from_ref(layer),
        Place::Choice(layers) | Place::Chunks(layers) => layers,
        Place::Search(search) => search.layers(),
    };
    assert!(!places.is_empty() && places.len() + located.others.len() <= image.layers.len());
    assert!(places.iter().chain(&located.others).all(|layer| image.layers.contains(layer)));
    located.departures.iter().for_each(|departure| check_text(&departure.to_string()));
    None
}

fn check_text(text: &str) {
    assert!(text.len() < 8 * 1024, "a text of {} bytes", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
}
