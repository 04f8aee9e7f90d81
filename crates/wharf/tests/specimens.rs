//! Every dialect, all the way: told, pulled, packed as the CNCF's artifact, and packed back where Wharf writes it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use wharf::artifact::cncf::TITLE;
use wharf::client::{Client, ClientOptions};
use wharf::oci::{Digest, ImageManifest, Manifest, MediaType, MemoryStore, NoProgress, Progress};
use wharf::{
    Cause, Choice, Clients, Conversion, CopyOptions, CopyOutcome, Depth, Description, Existing, Form, InspectOptions,
    Inspection, Location, Losses, PullOptions, Surroundings, Target, Wit,
};
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;
use wharf_testing::specimens::{Specimen, specimens};

/// When the claims of providers have to hold.
const NOW: u64 = 1_700_000_000;
/// How many specimens are looked at at a time: most of it is waiting for the disk.
const TOGETHER: usize = 16;

/// A registry with specimens in it, and a folder to pull into.
struct Bench {
    registry: TestRegistry,
    client: Client,
    folder: tempfile::TempDir,
    progress: Arc<dyn Progress>,
}

impl Bench {
    async fn new() -> Self {
        Self {
            registry: TestRegistry::start().await,
            client: Client::new(ClientOptions::default()).unwrap(),
            folder: tempfile::tempdir().unwrap(),
            progress: Arc::new(NoProgress),
        }
    }

    /// Puts a specimen into a repository of its own.
    async fn put(&self, specimen: &Specimen) -> Location {
        self.put_graph(&specimen.store(), &specimen.manifest).await
    }

    async fn put_graph(&self, store: &MemoryStore, manifest: &Manifest) -> Location {
        let text = format!("{}/acme/{}", self.registry.registry(), manifest.digest().hex());
        let location: Location = text.parse().unwrap();
        let reference = location.reference().unwrap();
        let repository = self.client.repository(reference.registry(), reference.repository());
        wharf::oci::copy(store, &repository, manifest, &Default::default(), &self.progress).await.unwrap();
        location.with_digest(manifest.digest().clone())
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { scratch: self.folder.path().to_owned(), now: NOW }
    }

    async fn inspect(&self, location: &Location, choice: &Choice) -> Result<Inspection, wharf::Error> {
        let options = InspectOptions {
            target: Target::Artifact(location.clone()),
            wit: Wit::Omit,
            choice: choice.clone(),
            surroundings: self.surroundings(),
        };
        wharf::inspect(&self.client, &options, &self.progress).await
    }

    /// Pulls what is meant, and returns its bytes.
    async fn pull(&self, location: &Location, choice: &Choice) -> Result<Vec<u8>, wharf::Error> {
        let output = Some(self.folder.path().join(format!("{}.pulled", location.to_string().replace(['/', ':'], "-"))));
        let options = PullOptions {
            from: location.clone(),
            output,
            existing: Existing::Replace,
            choice: choice.clone(),
            surroundings: self.surroundings(),
        };
        let outcome = wharf::pull(&self.client, &options, &self.progress).await?;
        let bytes = std::fs::read(&outcome.path).unwrap();
        assert_eq!((Digest::sha256(&bytes), bytes.len() as u64), (outcome.wasm_digest, outcome.size));
        Ok(bytes)
    }

    async fn convert(
        &self,
        from: &Location,
        to: &Location,
        form: Form,
        losses: Losses,
        choice: &Choice,
    ) -> Result<CopyOutcome, wharf::Error> {
        let conversion = Conversion {
            form,
            losses,
            choice: choice.clone(),
            description: Description::default(),
            surroundings: self.surroundings(),
        };
        let options = CopyOptions {
            from: from.clone(),
            to: to.clone(),
            depth: Depth::Artifact,
            conversion: Some(conversion),
            existing: Existing::Keep,
        };
        wharf::copy(Clients { from: &self.client, to: &self.client }, &options, &self.progress).await
    }

    /// Returns the names of what is left in the folder.
    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(Path::new(self.folder.path())).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn choice(specimen: &Specimen) -> Choice {
    Choice { layer: specimen.choice.map(str::to_owned), platform: None }
}

/// Returns the digest of the Wasm that bytes are, or of the binary that a text stands for.
fn wasm_digest(bytes: &[u8]) -> Digest {
    match wharf::artifact::is_text(bytes) {
        true => Digest::sha256(&wharf::artifact::from_text(bytes).unwrap()),
        false => Digest::sha256(bytes),
    }
}

/// What is left behind when a specimen is packed as the CNCF's artifact, by its name.
const LOSSES: [(&str, &[&str]); 16] = [
    (
        "application of Spin",
        &[
            "a layer of type application/vnd.wasm.content.layer.v1+wasm (173 bytes)",
            "a layer of type application/vnd.wasm.content.layer.v1+data (6 bytes)",
            "a layer of type application/vnd.fermyon.spin.application.v1+config (415 bytes)",
        ],
    ),
    (
        "application of an early Spin",
        &["the config of type application/vnd.fermyon.spin.application.v1+config (415 bytes)"],
    ),
    ("component of Wassette", &["a layer of type application/vnd.wasm.policy.v1+yaml (15 bytes)"]),
    ("gadget", &["a layer of type application/vnd.gadget.ebpf.program.v1+binary (4 bytes)"]),
    ("filter of wasme", &["the root contexts my_root of the runtime config"]),
    ("filter in an image", &["the runtime config, which is not valid"]),
    ("filter in a Docker image", &["the runtime config, which is not valid"]),
    (
        "plugin of Higress",
        &[
            "a layer of type application/vnd.module.wasm.spec.v1+yaml (17 bytes)",
            "a layer of type application/vnd.module.wasm.doc.v1.en+markdown (8 bytes)",
        ],
    ),
    (
        "image of oci-tar-builder",
        &["a layer of type application/vnd.oci.image.layer.v1.tar (1024 bytes)", "the working directory /srv"],
    ),
    (
        "image that runs Wasm",
        &["the file etc/motd", "the function run, which the image starts", "the working directory /srv"],
    ),
    ("image with one Wasm file left", &["the file etc/motd", "the working directory /srv"]),
    ("image that runs text", &["the working directory /srv"]),
    ("image whose layer is Wasm", &["the working directory /srv"]),
    (
        "plugin of Helm",
        &["2 files: hello/plugin.yaml, hello/other.wasm", "a layer of type application/octet-stream (29 bytes)"],
    ),
    ("folder of ORAS", &["the file dist/README.md", "a layer of type text/markdown (5 bytes)"]),
    ("index of buildx", &["what the index has for other platforms: linux/amd64, wasip1/wasm"]),
];

fn losses(name: &str) -> &'static [&'static str] {
    LOSSES.iter().find(|(it, _)| *it == name).map_or(&[], |(_, losses)| losses)
}

#[tokio::test]
async fn every_specimen_is_told_and_pulled() {
    let bench = Bench::new().await;
    let readable = specimens().into_iter().filter(|specimen| specimen.dialect.is_some());
    stream::iter(readable).for_each_concurrent(TOGETHER, |specimen| tell_and_pull(&bench, specimen)).await;
    assert!(bench.left().iter().all(|name| name.ends_with(".pulled")), "{:?}", bench.left());
}

async fn tell_and_pull(bench: &Bench, specimen: Specimen) {
    let (name, location, choice) = (specimen.name, bench.put(&specimen).await, choice(&specimen));
    let told = bench.inspect(&location, &choice).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let pulled = bench.pull(&location, &choice).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(told.dialect.as_deref(), specimen.dialect, "{name}");
    match &specimen.wasm {
        Some(wasm) => {
            let expected = (specimen.kind, Some(wasm));
            assert_eq!((told.kind.to_string().as_str(), told.wasm_digest.as_ref()), expected, "{name}");
            assert_eq!(wasm_digest(&pulled), *wasm, "{name}");
        }
        None => {
            assert_eq!(told.provider.unwrap().targets[0].name, "x86_64-linux", "{name}");
            assert_eq!(told.wasm_digest, Some(Digest::sha256(&pulled)), "{name}");
        }
    }
}

#[tokio::test]
async fn every_specimen_of_wasm_becomes_an_artifact_and_what_it_was_with_the_same_wasm() {
    let bench = Bench::new().await;
    let with_wasm = specimens().into_iter().filter(|specimen| specimen.wasm.is_some());
    let forms: Vec<_> =
        stream::iter(with_wasm).map(|it| there_and_back(&bench, it)).buffer_unordered(TOGETHER).collect().await;
    for form in Form::ALL {
        assert!(forms.contains(&Some(form)), "no specimen became {form} again");
    }
    let names: Vec<_> = specimens().into_iter().map(|specimen| specimen.name).collect();
    for (name, _) in LOSSES {
        assert!(names.contains(&name), "no specimen is called {name}");
    }
}

/// Converts a specimen to an artifact, and that to the form that the specimen had, where there is one.
async fn there_and_back(bench: &Bench, specimen: Specimen) -> Option<Form> {
    let (name, location, choice) = (specimen.name, bench.put(&specimen).await, choice(&specimen));
    let (artifact, back) = (location.with_tag("artifact".parse().unwrap()), location.with_tag("back".parse().unwrap()));
    let (expected, anything) = (losses(name), Choice::default());
    if !expected.is_empty() {
        let refused = bench.convert(&location, &artifact, Form::Artifact, Losses::Refuse, &choice).await;
        let refused = refused.expect_err(name);
        assert!(matches!(refused.reason(), Cause::Losses { lost, .. } if lost == expected), "{name}: {refused:?}");
    }
    let copied = bench.convert(&location, &artifact, Form::Artifact, Losses::Accept, &choice).await;
    assert_eq!(copied.unwrap_or_else(|error| panic!("{name}: {error:?}")).lost, expected, "{name}");
    let told = bench.inspect(&artifact, &anything).await.unwrap();
    assert_eq!((told.dialect.as_deref(), told.wasm_digest), (Some("cncf-wasm"), specimen.wasm.clone()), "{name}");

    let is_same = |form: &Form| Some(form.dialect().to_string().as_str()) == specimen.dialect;
    let form = Form::ALL.into_iter().find(is_same)?;
    let copied = bench.convert(&artifact, &back, form, Losses::Refuse, &anything).await;
    assert!(copied.is_ok(), "{name}: {copied:?}");
    let told = bench.inspect(&back, &anything).await.unwrap();
    assert_eq!((told.dialect.as_deref(), told.wasm_digest), (specimen.dialect, specimen.wasm), "{name}");
    Some(form)
}

#[tokio::test]
async fn what_holds_no_wasm_is_refused_with_what_it_is() {
    let bench = Bench::new().await;
    let choice = Choice::default();
    let mut count = 0;
    for specimen in specimens().into_iter().filter(|specimen| specimen.dialect.is_none()) {
        let (name, location) = (specimen.name, bench.put(&specimen).await);
        let to = location.with_tag("artifact".parse().unwrap());
        let errors = [
            bench.inspect(&location, &choice).await.expect_err(name),
            bench.pull(&location, &choice).await.expect_err(name),
            bench.convert(&location, &to, Form::Artifact, Losses::Accept, &choice).await.expect_err(name),
        ];
        for error in errors {
            assert!(matches!(error.reason(), Cause::Unreadable(_)), "{name}: {error:?}");
            let said = error.reason().to_string();
            assert!(said.contains(specimen.kind), "{name}: {said}");
        }
        count += 1;
    }
    assert!(count >= 4, "there are signatures, attestations and texts among the specimens");
    assert_eq!(bench.left(), [""; 0]);
}

#[tokio::test]
async fn a_provider_has_one_form_however_it_was_pushed() {
    let bench = Bench::new().await;
    let choice = Choice::default();
    let providers = specimens().into_iter().filter(|specimen| specimen.dialect == Some("wasmcloud-provider"));
    for specimen in providers {
        let (name, location) = (specimen.name, bench.put(&specimen).await);
        let to = location.with_tag("artifact".parse().unwrap());
        for form in [Form::Image, Form::Docker, Form::Istio, Form::IstioCompat] {
            let refused = bench.convert(&location, &to, form, Losses::Accept, &choice).await.expect_err(name);
            assert!(matches!(refused.reason(), Cause::OneForm { .. }), "{name}: {refused:?}");
        }
        let copied = bench.convert(&location, &to, Form::Artifact, Losses::Refuse, &choice).await;
        assert_eq!(copied.unwrap_or_else(|error| panic!("{name}: {error:?}")).lost, [""; 0], "{name}");
        let told = bench.inspect(&to, &choice).await.unwrap();
        assert_eq!((told.dialect.as_deref(), told.layers.len()), (Some("wasmcloud-provider"), 1), "{name}");
        assert_eq!(bench.pull(&to, &choice).await.unwrap(), bench.pull(&location, &choice).await.unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_title_with_folders_names_the_file_alone() {
    let bench = Bench::new().await;
    let (store, wasm) = (MemoryStore::new(), fixtures::component("titled"));
    let config = store.insert(MediaType::OCI_EMPTY, "{}");
    // As `oras push dist/app.wasm:application/wasm` writes it.
    let layer = store.insert(MediaType::WASM, wasm).with_annotation(TITLE, "dist/app.wasm");
    let manifest = Manifest::from_image(&ImageManifest::new(config, vec![layer])).unwrap();
    let location = bench.put_graph(&store, &manifest).await;
    let (to, choice) = (location.with_tag("image".parse().unwrap()), Choice::default());
    bench.convert(&location, &to, Form::Image, Losses::Refuse, &choice).await.unwrap();
    let told = bench.inspect(&to, &choice).await.unwrap();
    assert_eq!(told.layers[0].annotations[TITLE], "app.wasm");
}
