//! Manifests in dialects of Wasm, their configs, the locked apps of Spin, and indexes.
//!
//! ```text
//! application/vnd.oci.image.config.v1+json      the type of the config
//! artifact: application/wasm                    the type of the artifact
//! annotation: KEY=VALUE
//! subject: any
//! layer: application/wasm app.wasm              the type of a layer, and its title, of which it has its digest too
//!
//! {"architecture":"wasm"}                       the config
//! ====
//! locked app
//!
//! {"components":[{"id":"app","source":{"digest":"sha256:$d0"}}]}         with the digest of the first layer
//! ====
//! wasip1/wasm                                   the platform that is asked for
//! manifest: linux/amd64 application/wasm        the platform of a manifest, and the type of the artifact
//! ```

#![no_main]

use libfuzzer_sys::fuzz_target;
use wharf_artifact::ImageConfig;
use wharf_artifact::dialect::{Located, Place, Platforms, Unreadable, choose, classify, needs_config, select, several, spin};
use wharf_fuzz::entries::resolve;
use wharf_fuzz::{Message, messages};
use wharf_oci::{Descriptor, ImageIndex, ImageManifest, MediaType, Platform};

const TITLE: &str = "org.opencontainers.image.title";

fuzz_target!(|input: &[u8]| {
    let messages = messages(input);
    let Some(first) = messages.first() else { return };
    let image = image(first);
    let config = ImageConfig::parse(&first.body).ok();
    let alone = classify(&image, None);
    let located = classify(&image, config.as_ref());
    assert!(needs_config(&image) || located == alone, "the config decides, but is not asked for: {alone:?} {located:?}");
    let app = messages.get(1).map(|message| resolve(&message.body, &titles(first)));
    let components = spin::components(&app.unwrap_or_default()).unwrap_or_default();
    match &located {
        Ok(located) => check_located(&image, located, &components),
        Err(error) => check_text(&error.to_string()),
    }
    messages.get(2).into_iter().for_each(check_index);
});

fn image(message: &Message) -> ImageManifest {
    let config = Descriptor::of(message.line.as_str().into(), &message.body);
    let layers = all(message, "layer").map(|layer| {
        let (media_type, title) = split(layer);
        let layer = Descriptor::of(media_type.into(), title.as_bytes());
        if title.is_empty() { layer } else { layer.with_annotation(TITLE, title) }
    });
    let mut image = ImageManifest::new(config, layers.collect());
    image.artifact_type = message.header("artifact").map(MediaType::from);
    image.subject = message.header("subject").map(|text| Descriptor::of(MediaType::OCI_MANIFEST, text.as_bytes()));
    let annotations = all(message, "annotation").filter_map(|annotation| annotation.split_once('='));
    image.annotations = annotations.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    image
}

fn titles(message: &Message) -> Vec<Vec<u8>> {
    all(message, "layer").map(|layer| split(layer).1.as_bytes().to_vec()).collect()
}

/// What is found stands in the manifest once, and each of several can be named.
fn check_located(image: &ImageManifest, located: &Located, components: &[spin::Component]) {
    let places = match &located.place {
        Place::Layer(layer) => std::slice::from_ref(layer),
        Place::Choice(layers) | Place::Chunks(layers) => layers,
        Place::Search(search) => search.layers(),
    };
    let count = |layers: &[Descriptor], layer| layers.iter().filter(|other| *other == layer).count();
    for layer in places.iter().chain(&located.others) {
        assert!(count(places, layer) + count(&located.others, layer) <= count(&image.layers, layer), "{located:?}");
    }
    assert!(!places.is_empty());
    located.departures.iter().for_each(|departure| check_text(&departure.to_string()));
    if let Place::Choice(layers) = &located.place {
        assert!(layers.len() > 1);
        check_choice(layers, components);
    }
}

fn check_choice(layers: &[Descriptor], components: &[spin::Component]) {
    check_text(&several(layers, components).to_string());
    for layer in layers {
        let name = layer.digest.to_string();
        let is_other = |text: &str| text == name;
        let is_taken = layers.iter().any(|layer| layer.annotations.get(TITLE).is_some_and(|title| is_other(title)));
        let chosen = choose(layers, components, &name);
        assert!(is_taken || components.iter().any(|it| is_other(&it.id)) || chosen.is_ok_and(|it| it.digest == layer.digest));
    }
    let titles = layers.iter().filter_map(|layer| layer.annotations.get(TITLE));
    for name in titles.chain(components.iter().map(|component| &component.id)) {
        match choose(layers, components, name) {
            Ok(chosen) => assert!(layers.contains(chosen)),
            Err(error) => {
                let is_absent = components.iter().any(|it| it.id == *name && layers.iter().all(|layer| layer.digest != it.digest));
                assert!(matches!(error, Unreadable::AmbiguousName { .. }) || is_absent, "{name:?}: {error}");
                check_text(&error.to_string());
            }
        }
    }
}

/// What is picked stands in the index, and is for the platform that was asked for.
fn check_index(message: &Message) {
    let manifests = all(message, "manifest").enumerate().map(|(number, manifest)| {
        let (platform, artifact_type) = split(manifest);
        let descriptor = Descriptor::of(MediaType::OCI_MANIFEST, &number.to_be_bytes());
        Descriptor { platform: platform_of(platform), artifact_type: Some(artifact_type.into()), ..descriptor }
    });
    let index = ImageIndex::new(manifests.collect());
    let host = Platform { os: "linux".to_owned(), architecture: "arm64".to_owned(), ..Platform::default() };
    for wanted in [platform_of(&message.line), None] {
        match select(&index, &Platforms { wanted: wanted.clone(), host: host.clone() }) {
            Ok(picked) => {
                assert!(index.manifests.contains(picked));
                let at = picked.platform.clone().unwrap_or_default();
                assert!(wanted.is_none_or(|wanted| (wanted.os, wanted.architecture) == (at.os, at.architecture)));
            }
            Err(error) => check_text(&error.to_string()),
        }
    }
}

fn platform_of(text: &str) -> Option<Platform> {
    let mut parts = text.split('/').map(str::to_owned);
    let (os, architecture) = (parts.next()?, parts.next()?);
    Some(Platform { os, architecture, variant: parts.next(), ..Platform::default() })
}

/// Returns all headers of a name.
fn all<'a>(message: &'a Message, name: &'static str) -> impl Iterator<Item = &'a str> {
    message.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn split(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

fn check_text(text: &str) {
    assert!(text.len() < 8 * 1024, "a text of {} bytes", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
}
