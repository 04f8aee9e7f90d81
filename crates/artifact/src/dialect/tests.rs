use std::collections::HashMap;
use std::io::{Cursor, Read as _};

use bytes::Bytes;
use wharf_oci::{Digest, Document, ImageIndex, Manifest, Platform};
use wharf_testing::specimens::{Specimen, specimens};

use super::*;
use crate::search::{Found, What};
use crate::{Wasm, examine, from_text};

fn descriptor(media_type: &str, bytes: &str) -> Descriptor {
    Descriptor::of(media_type.into(), bytes.as_bytes())
}

fn manifest(config: &str, layers: &[&str]) -> ImageManifest {
    let layers = layers.iter().map(|layer| descriptor(layer, layer)).collect();
    ImageManifest::new(descriptor(config, "{}"), layers)
}

const CNCF: &str = "application/vnd.wasm.config.v0+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const OCI_IMAGE: &str = "application/vnd.oci.image.config.v1+json";
const WASM: &str = "application/wasm";
const PAR: &str = "application/vnd.wasmcloud.provider.archive.layer.v1+par";
const MODULE: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const RUNWASI: &str = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";

/// Reads a specimen as a program with a registry at hand does.
struct Reader {
    content: HashMap<Digest, Bytes>,
    choice: Option<&'static str>,
}

/// What came out.
struct Outcome {
    dialect: Dialect,
    found: Option<Found>,
    /// The bytes of the Wasm, or of the archive.
    bytes: Vec<u8>,
}

impl Reader {
    fn of(specimen: &Specimen) -> Self {
        let content = specimen.content.iter().map(|(descriptor, bytes)| (descriptor.digest.clone(), bytes.clone()));
        Self { content: content.collect(), choice: specimen.choice }
    }

    fn blob(&self, descriptor: &Descriptor) -> &[u8] {
        &self.content[&descriptor.digest]
    }

    fn read(&self, manifest: &Manifest) -> Result<Outcome, Unreadable> {
        let image = match manifest.document() {
            Document::Image(image) => ImageManifest::clone(image),
            Document::Artifact(artifact) => artifact.to_image(),
            Document::Index(index) => {
                let child = select(index, &platforms())?;
                let bytes = Bytes::copy_from_slice(self.blob(child));
                return self.read(&Manifest::parse(bytes, Some(&child.media_type)).unwrap());
            }
        };
        let config = needs_config(&image).then(|| ImageConfig::parse(self.blob(&image.config)).unwrap());
        let located = classify(&image, config.as_ref())?;
        let (dialect, locked_app) = (located.dialect, located.locked_app);
        let whole = |bytes| Ok(Outcome { dialect, found: None, bytes });
        match located.place {
            Place::Layer(layer) => whole(self.blob(&layer).to_vec()),
            Place::Chunks(layers) => whole(layers.iter().flat_map(|layer| self.blob(layer).to_vec()).collect()),
            Place::Choice(layers) => {
                let components = locked_app.map(|app| spin::components(self.blob(&app)).unwrap()).unwrap_or_default();
                let Some(name) = self.choice else { return Err(several(&layers, &components)) };
                whole(self.blob(choose(&layers, &components, name)?).to_vec())
            }
            Place::Search(search) => self.search(search),
        }
    }

    fn search(&self, mut search: Search) -> Result<Outcome, Unreadable> {
        while let Some(index) = search.wants() {
            let layer = search.layers()[index].clone();
            search.look(index, &mut self.blob(&layer)).unwrap();
        }
        let found = search.finish()?;
        let mut bytes = Vec::new();
        let count = found.extract(&mut self.blob(&found.layer), &mut bytes).unwrap();
        assert_eq!(count, bytes.len() as u64);
        if found.what == What::Text {
            bytes = from_text(&bytes).unwrap();
        }
        Ok(Outcome { dialect: found.dialect, found: Some(found), bytes })
    }
}

fn platforms() -> Platforms {
    Platforms { wanted: None, host: platform("linux/arm64") }
}

fn platform(text: &str) -> Platform {
    let mut parts = text.split('/').map(str::to_owned);
    let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
    Platform { os, architecture, variant: parts.next(), ..Platform::default() }
}

fn wasm(bytes: &[u8]) -> Wasm {
    examine(&mut Cursor::new(bytes)).unwrap()
}

#[test]
fn every_dialect_is_read_to_its_wasm() {
    for specimen in specimens() {
        let name = specimen.name;
        let outcome = Reader::of(&specimen).read(&specimen.manifest);
        let Some(dialect) = specimen.dialect else {
            let message = outcome.err().unwrap_or_else(|| panic!("{name} is refused")).to_string();
            assert!(message.contains(specimen.kind), "{name}: {message}");
            continue;
        };
        let outcome = outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
        let Some(digest) = specimen.wasm else {
            assert_eq!((outcome.dialect.to_string().as_str(), specimen.kind), (dialect, "provider archive"), "{name}");
            let provider = crate::provider::read(&outcome.bytes[..], 0).unwrap();
            assert_eq!(provider.targets.len(), 1, "{name}");
            continue;
        };
        let wasm = wasm(&outcome.bytes);
        assert_eq!(outcome.dialect.with_role(wasm.role()).to_string(), dialect, "{name}");
        assert_eq!((wasm.kind.to_string().as_str(), &wasm.digest), (specimen.kind, &digest), "{name}");
    }
}

#[test]
fn there_is_a_specimen_of_every_dialect() {
    let names: Vec<_> = specimens().into_iter().filter_map(|specimen| specimen.dialect).collect();
    for dialect in [
        Dialect::SpinApp,
        Dialect::WasmcloudProvider,
        Dialect::CncfWasm,
        Dialect::Istio,
        Dialect::WasmcloudActor,
        Dialect::ModuleLayer,
        Dialect::Higress,
        Dialect::KubewardenPolicy,
        Dialect::WasmToOci,
        Dialect::RunwasiImage,
        Dialect::TypedWasm,
        Dialect::Gadget,
        Dialect::HelmPlugin,
        Dialect::PlainWasm,
        Dialect::IstioCompat,
        Dialect::ContainerImage,
        Dialect::Untyped,
    ] {
        let name = dialect.to_string();
        assert!(names.contains(&name.as_str()), "{name}");
        assert_eq!(serde_json::to_value(dialect).unwrap(), name);
    }
}

#[test]
fn the_config_is_asked_for_only_where_it_decides() {
    let table = [
        (manifest(OCI_IMAGE, &["text/plain"]), true),
        (manifest("application/vnd.docker.container.image.v1+json", &["text/plain"]), true),
        (manifest(OCI_IMAGE, &[WASM]), false),
        (manifest(OCI_IMAGE, &[RUNWASI]), false),
        (manifest(OCI_IMAGE, &["application/vnd.fermyon.spin.application.v1+config"]), false),
        (manifest(OCI_IMAGE, &["application/vnd.in-toto+json"]), false),
        (manifest(EMPTY, &["text/plain"]), false),
        (manifest(CNCF, &[WASM]), false),
    ];
    let mut config = ImageConfig::default();
    config.config.entrypoint = vec!["/app.wasm".to_owned()];
    for (image, expected) in table {
        let decides = classify(&image, Some(&config)) != classify(&image, None);
        assert_eq!((needs_config(&image), decides), (expected, expected), "{}", Contents::of(&image));
    }
}

#[test]
fn the_more_specific_dialect_wins() {
    let runtime = "application/vnd.module.wasm.config.v1+json";
    let table = [
        (manifest(OCI_IMAGE, &[RUNWASI, "text/plain"]), Dialect::RunwasiImage),
        (manifest(OCI_IMAGE, &[WASM]), Dialect::PlainWasm),
        (manifest(EMPTY, &[runtime, MODULE]), Dialect::Istio),
        (manifest("application/vnd.io.wasm.module.config.v1+json", &[MODULE]), Dialect::Istio),
        (manifest("application/vnd.wasmcloud.actor.archive.config", &[MODULE]), Dialect::WasmcloudActor),
        (manifest(EMPTY, &[PAR, WASM]), Dialect::WasmcloudProvider),
        (manifest(CNCF, &[MODULE]), Dialect::CncfWasm),
        (manifest(EMPTY, &["application/vnd.w3c.wasm.module.v1+wasm"]), Dialect::TypedWasm),
        (manifest(EMPTY, &["application/vnd.module.wasm.doc.v1+markdown", "a/b"]), Dialect::Higress),
        (manifest("application/vnd.unknown.config.v1+json", &["a/b", TAR_GZIP]), Dialect::Higress),
        (manifest("application/vnd.unknown.config.v1+json", &[TAR_GZIP, "a/b"]), Dialect::Untyped),
        // Wasm may come with a bill of its materials.
        (manifest(EMPTY, &[WASM, "application/spdx+json"]), Dialect::PlainWasm),
    ];
    for (image, expected) in table {
        assert_eq!(classify(&image, None).map(|located| located.dialect), Ok(expected), "{}", Contents::of(&image));
    }
}

#[test]
fn annotations_of_a_runtime_count_beside_a_filter_only() {
    for (layer, expected) in [(MODULE, Dialect::Istio), ("a/b", Dialect::Untyped)] {
        let mut image = manifest(EMPTY, &[layer]);
        image.annotations.insert("module.wasm.runtime/type".to_owned(), "envoy_proxy".to_owned());
        assert_eq!(classify(&image, None).unwrap().dialect, expected);
    }
}

#[test]
fn layers_that_are_not_the_wasm_are_named() {
    let image = manifest(EMPTY, &["text/plain", WASM, "text/html"]);
    let located = classify(&image, None).unwrap();
    assert_eq!(located.place, Place::Layer(image.layers[1].clone()));
    assert_eq!(located.others, [image.layers[0].clone(), image.layers[2].clone()]);
    let image = manifest(OCI_IMAGE, &[RUNWASI, "text/plain", WASM]);
    let located = classify(&image, None).unwrap();
    assert_eq!(located.place, Place::Choice(vec![image.layers[0].clone(), image.layers[2].clone()]));
    let image = manifest(EMPTY, &["text/yaml", "application/vnd.wasm.component.v1+wasm"]);
    assert_eq!(classify(&image, None).unwrap().others, image.layers[..1]);
}

#[test]
fn the_same_layer_twice_is_no_choice() {
    for (config, layers, expected) in [(EMPTY, [WASM, WASM], WASM), (OCI_IMAGE, [RUNWASI, RUNWASI], RUNWASI)] {
        let image = manifest(config, &layers);
        let located = classify(&image, None).unwrap();
        assert_eq!(located.place, Place::Layer(descriptor(expected, expected)));
        assert_eq!(located.others, []);
    }
}

#[test]
fn a_cncf_layer_of_another_type_is_read_and_noted() {
    let located = classify(&manifest(CNCF, &["application/octet-stream"]), None).unwrap();
    let departures: Vec<_> = located.departures.iter().map(ToString::to_string).collect();
    assert_eq!(departures, ["the layer has type application/octet-stream, where application/wasm is expected"]);
}

#[test]
fn refusals_name_what_there_is_and_what_is_accepted() {
    let signature = "application/vnd.dev.cosign.simplesigning.v1+json";
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
            manifest(EMPTY, &[]),
            "of no known kind of Wasm artifact: it has config application/vnd.oci.empty.v1+json and no layers; accepted are layer",
        ),
        (manifest("a\x1b[31m", &[]), "config a\\u{1b}[31m and no layers"),
        (manifest(OCI_IMAGE, &[]), "container-image artifact holds no Wasm: it has config"),
        (manifest("application/vnd.gadget.config.v1+yaml", &["a/b"; 20]), "gadget artifact holds no Wasm"),
        (manifest("application/vnd.gadget.config.v1+yaml", &["a/b"; 20]), "a/b (3 bytes) and 12 more"),
        (manifest(OCI_IMAGE, &[signature, signature]), "holds no Wasm: it is a cosign signature"),
        (manifest(EMPTY, &["a/b"; 10_000]), "10000 layers would have to be searched for Wasm; the limit is 512"),
    ];
    for (image, expected) in table {
        let message = classify(&image, None).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(message.len() < 8 * 1024, "{message}");
    }
}

#[test]
fn what_says_something_of_an_artifact_is_named_with_that() {
    let subject = descriptor("application/vnd.oci.image.manifest.v1+json", "{}");
    for (artifact_type, expected) in [
        ("application/spdx+json", "an SPDX bill of materials"),
        ("application/vnd.cyclonedx+json", "a CycloneDX bill of materials"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", "a Sigstore bundle"),
        ("application/vnd.in-toto+json", "an in-toto attestation"),
        ("application/vnd.cncf.notary.signature", "a Notary signature"),
    ] {
        let mut image = manifest(EMPTY, &[WASM]);
        image.artifact_type = Some(artifact_type.into());
        image.subject = Some(subject.clone());
        let message = classify(&image, None).unwrap_err().to_string();
        assert_eq!(message, format!("artifact holds no Wasm: it is {expected} of {}", subject.digest));
    }
}

/// Makes an index with a manifest for each platform, `os/architecture`, or none for ``.
fn index(platforms: &[&str]) -> ImageIndex {
    let manifests = platforms.iter().enumerate().map(|(number, text)| {
        let mut manifest = Descriptor::of(MediaType::OCI_MANIFEST, &[u8::try_from(number).unwrap()]);
        manifest.platform = (!text.is_empty()).then(|| platform(text));
        manifest
    });
    ImageIndex::new(manifests.collect())
}

#[test]
fn the_best_wasm_platform_of_an_index_is_taken() {
    let table: [(&[&str], usize); 13] = [
        (&["linux/amd64", "linux/wasm", "wasi/wasm", "wasip1/wasm", "wasip3/wasm", "wasip2/wasm"], 5),
        (&["linux/amd64", "wasip1/wasm", "wasip3/wasm"], 2),
        (&["wasi/wasm32", "wasip1/wasm"], 1),
        (&["plan9/wasm", "linux/wasm"], 1),
        (&["linux/amd64", "wasi/wasm32"], 1),
        (&["linux/arm64", "plan9/wasm"], 1),
        (&["wasip2/wasm", "wasip2/wasm"], 0),
        (&["windows/amd64"], 0),
        (&[""], 0),
        (&["linux/amd64", "linux/arm64"], 1),
        (&["windows/arm64", "linux/arm64/v8"], 1),
        (&["windows/amd64", "linux/amd64", "linux/s390x"], 1),
        (&["", "linux/amd64"], 1),
    ];
    for (list, expected) in table {
        let index = index(list);
        assert_eq!(select(&index, &platforms()), Ok(&index.manifests[expected]), "{list:?}");
    }
}

#[test]
fn only_the_platform_that_was_asked_for_is_taken() {
    let index = index(&["wasip2/wasm", "linux/amd64", "linux/arm/v6", "linux/arm/v7"]);
    for (wanted, expected) in [("linux/amd64", 1), ("linux/arm", 2), ("linux/arm/v7", 3), ("wasip2/wasm", 0)] {
        let platforms = Platforms { wanted: Some(platform(wanted)), ..platforms() };
        assert_eq!(select(&index, &platforms), Ok(&index.manifests[expected]), "{wanted}");
    }
    let platforms = Platforms { wanted: Some(platform("linux/arm/v8")), ..platforms() };
    assert_eq!(
        select(&index, &platforms).unwrap_err().to_string(),
        "index names no artifact for platform linux/arm/v8; it has wasip2/wasm, linux/amd64, linux/arm/v6, linux/arm/v7"
    );
}

#[test]
fn attestations_and_signatures_are_left_aside() {
    let mut index = index(&["unknown/unknown", "", "", "linux/amd64"]);
    index.manifests[1] =
        index.manifests[1].clone().with_annotation("vnd.docker.reference.type", "attestation-manifest");
    index.manifests[2].artifact_type = Some("application/vnd.dev.sigstore.bundle.v0.3+json".into());
    assert_eq!(select(&index, &platforms()), Ok(&index.manifests[3]));
    index.manifests.pop();
    assert_eq!(select(&index, &platforms()), Err(Unreadable::EmptyIndex));
}

#[test]
fn an_index_without_wasm_is_refused_with_its_platforms() {
    let message = select(&index(&["windows/amd64", "linux/s390x", ""]), &platforms()).unwrap_err().to_string();
    assert_eq!(
        message,
        "index names 3 artifacts, none of them for a Wasm platform: windows/amd64, linux/s390x, no platform"
    );
}

/// The specimens tell which of several rules found a file; hosts go by that.
#[test]
fn every_host_says_what_it_takes() {
    use crate::hosts::{Subject, verdicts};
    let accepted = |specimen: &Specimen| {
        let reader = Reader::of(specimen);
        let Document::Image(image) = specimen.manifest.document() else { return None };
        let outcome = reader.read(&specimen.manifest).ok()?;
        let wasm = specimen.wasm.as_ref().map(|_| wasm(&outcome.bytes));
        let role = wasm.as_ref().and_then(Wasm::role);
        let subject = Subject {
            manifest: image,
            media_type: specimen.manifest.media_type(),
            dialect: outcome.dialect.with_role(role),
            found: outcome.found.as_ref(),
            kind: wasm.map(|wasm| wasm.kind),
            role,
        };
        let verdicts = verdicts(&subject);
        // What a host takes, it is not told to convert.
        assert!(verdicts.iter().all(|verdict| !(verdict.accepts && verdict.convert_to.is_some())));
        let texts = verdicts.iter().map(|verdict| match (verdict.accepts, verdict.convert_to) {
            (true, _) => format!("{}: yes", verdict.host),
            (false, Some(dialect)) => format!("{}: {dialect}", verdict.host),
            (false, None) => format!("{}: no", verdict.host),
        });
        Some(texts.collect::<Vec<_>>().join(", "))
    };
    let table: HashMap<_, _> =
        specimens().iter().filter_map(|specimen| Some((specimen.name, accepted(specimen)?))).collect();
    let expected = [
        ("component of wkg", "yes yes container-image yes no no yes"),
        ("module in the CNCF's layout", "yes yes container-image no no no yes"),
        ("WIT package of wkg", "yes no no no no no no"),
        ("module of ORAS", "cncf-wasm runwasi-image container-image no no no yes"),
        ("image of oci-tar-builder", "cncf-wasm yes container-image cncf-wasm no no cncf-wasm"),
        ("filter of wasme", "cncf-wasm no no no yes yes no"),
        ("filter in an image", "cncf-wasm no no no yes yes no"),
        ("filter in a Docker image", "cncf-wasm no no no yes yes no"),
        ("plugin of Higress", "cncf-wasm no no no istio istio no"),
        ("module of Trivy", "cncf-wasm runwasi-image container-image no no no cncf-wasm"),
        ("filter without its runtime config", "cncf-wasm no no no istio istio no"),
        ("policy of kwctl", "cncf-wasm no no no no no no"),
        ("provider of wasmCloud", "no no no yes no no no"),
        ("application of Spin", "cncf-wasm runwasi-image container-image cncf-wasm no no yes"),
        ("image that runs Wasm", "cncf-wasm yes yes cncf-wasm no no cncf-wasm"),
        ("image with one Wasm file left", "cncf-wasm runwasi-image container-image cncf-wasm no no cncf-wasm"),
        ("file of ORAS that is called a tar", "cncf-wasm runwasi-image container-image yes no no cncf-wasm"),
        ("component of Wassette", "cncf-wasm runwasi-image container-image cncf-wasm no no cncf-wasm"),
    ];
    for (name, expected) in expected {
        let hosts = ["wasmtime/wkg", "containerd-runwasi", "Docker", "wasmCloud", "Istio", "Envoy Gateway", "Spin"];
        let expected: Vec<_> =
            hosts.iter().zip(expected.split(' ')).map(|(host, answer)| format!("{host}: {answer}")).collect();
        assert_eq!(table[name], expected.join(", "), "{name}");
    }
}

#[test]
fn bytes_of_a_specimen_are_read_through_any_reader() {
    // What is compressed in the specimens is understood by other tools too: nothing of it is ours.
    let specimen = specimens().into_iter().find(|it| it.name == "filter in an image").unwrap();
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(&specimen.content[1].1[..]).read_to_end(&mut tar).unwrap();
    assert!(wharf_tar::is_tar(&tar));
}
