//! What `pack` writes: each form, the same each time, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use wharf::artifact::ManifestFormat;
use wharf::artifact::runwasi::WASM_LAYER;
use wharf::client::{Client, ClientOptions};
use wharf::oci::{Digest, NoProgress, Progress};
use wharf::{
    Cause, Choice, Error, Existing, ExtraLayer, Form, Location, PackOptions, PackOutcome, PullOptions, Surroundings,
};
use wharf_tar::{Entry, InvalidTar, Limits, Links, Walk, walk};
use wharf_testing::{fixtures, packing};

/// A folder with Wasm of each kind, to pack from and into.
struct Bench {
    folder: tempfile::TempDir,
    progress: Arc<dyn Progress>,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap(), progress: Arc::new(NoProgress) };
        bench.write("hello.wasm", fixtures::component("hello"));
        bench.write("module.wasm", fixtures::module());
        bench.write("filter.wasm", fixtures::filter());
        bench.write("greet.wasm", fixtures::wit_package());
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Returns what packs a file as `form` into `out.tar`.
    fn options(&self, file: &str, form: Form) -> PackOptions {
        PackOptions { form, ..PackOptions::new(self.path(file), self.path("out.tar"), self.surroundings()) }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { scratch: self.folder.path().to_owned(), now: 0 }
    }

    async fn pack(&self, options: &PackOptions) -> Result<PackOutcome, Error> {
        wharf::pack(options, &self.progress).await
    }

    /// Lets packing fail, checks that nothing was written, and returns why.
    async fn refuse(&self, options: &PackOptions) -> Error {
        let before = self.names();
        let error = self.pack(options).await.expect_err("it was packed");
        assert_eq!(self.names(), before);
        error
    }

    fn names(&self) -> Vec<PathBuf> {
        let mut names: Vec<_> =
            std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    }
}

/// A file that is packed in each form.
fn file_for(form: Form) -> &'static str {
    match form {
        Form::Istio | Form::IstioCompat => "filter.wasm",
        _ => "hello.wasm",
    }
}

/// The files of an archive, by path.
struct Files(Vec<(String, Vec<u8>)>);

impl Files {
    fn read(path: &Path) -> Self {
        let limits = Limits { entries: 100, bytes: 1 << 20, path_bytes: 255, links: Links::Refuse };
        let mut files = Vec::new();
        let file = std::fs::File::open(path).unwrap();
        let visit = &mut |entry: &mut Entry<'_>| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(entry, &mut bytes).unwrap();
            files.push((entry.path().to_owned(), bytes));
            Ok::<_, InvalidTar>(Walk::Continue)
        };
        walk(file, &limits, visit).unwrap();
        Self(files)
    }

    fn json(&self, path: &str) -> Value {
        let (_, bytes) = self.0.iter().find(|(it, _)| it == path).unwrap();
        serde_json::from_slice(bytes).unwrap()
    }

    fn blob(&self, digest: &Value) -> Value {
        self.json(&format!("blobs/{}", digest.as_str().unwrap().replace(':', "/")))
    }

    fn manifest(&self) -> Value {
        self.blob(&self.json("index.json")["manifests"][0]["digest"])
    }
}

#[tokio::test]
async fn the_same_input_gives_the_same_bytes_in_every_form() {
    let bench = Bench::new();
    // A change of these digests is a change of what everybody's builds give: it wants a line in the changelog.
    let expected = [
        (Form::Artifact, "sha256:53707febe3f9b2133ce77b99f2460c03ddce3aa66808c0f1fd1181759bb7eb3d"),
        (Form::Image, "sha256:e489397b42ec019bcd5a488f6ecffcffacc3a72b18d82e54b5367d97b20662b5"),
        (Form::Docker, "sha256:4389d68986da255a0899b3b5147f1a1e0dc87338eada621db5adfa6313f76b06"),
        (Form::Istio, "sha256:7c4f7f1e5e47b75afcaf0ed02e840ea83a7c972920bd21c29003edccaf9b1c5f"),
        (Form::IstioCompat, "sha256:1f1c56c1d0534db0e77a58ddb8328405a8dd5c7f108b5176036c34a232479960"),
    ];
    for (form, digest) in expected {
        let options = bench.options(file_for(form), form);
        let first = bench.pack(&options).await.unwrap();
        let archive = std::fs::read(&first.path).unwrap();
        assert_eq!((first.size, first.digest.to_string().as_str()), (archive.len() as u64, digest), "{form}");
        assert_eq!(bench.pack(&options).await.unwrap(), first, "{form}");
        assert!(std::fs::read(&first.path).unwrap() == archive, "{form}");
        let elsewhere = PackOptions { output: bench.path("other.tar"), ..options };
        bench.pack(&elsewhere).await.unwrap();
        assert!(std::fs::read(bench.path("other.tar")).unwrap() == archive, "{form}");
    }
}

#[tokio::test]
async fn raw_layers_have_a_diff_id_for_docker_archives_alone_and_tars_have_one_everywhere() {
    let bench = Bench::new();
    bench.write("extra.tar", packing::tar(&[("notes.txt", b"beside the Wasm")]));
    let extra = |media_type: &str| ExtraLayer { media_type: media_type.into(), path: bench.path("extra.tar") };
    let table = [
        (Form::Image, vec![], 0, 1),
        (Form::Image, vec![extra("text/plain")], 0, 2),
        (Form::Image, vec![extra("application/vnd.oci.image.layer.v1.tar")], 1, 2),
        (Form::Docker, vec![], 1, 1),
        (Form::IstioCompat, vec![], 1, 1),
    ];
    for (form, layers, in_manifest, in_docker) in table {
        let options = PackOptions { layers, ..bench.options(file_for(form), form) };
        let packed = bench.pack(&options).await.unwrap();
        let files = Files::read(&packed.path);
        let diff_ids = |config: &Value| config["rootfs"]["diff_ids"].as_array().unwrap().len();
        assert_eq!(diff_ids(&files.blob(&files.manifest()["config"]["digest"])), in_manifest, "{form}");
        let docker = &files.json("manifest.json")[0];
        assert_eq!(diff_ids(&files.json(docker["Config"].as_str().unwrap())), in_docker, "{form}");
        assert_eq!(docker["Layers"].as_array().unwrap().len(), in_docker, "{form}");
        assert_eq!(docker["RepoTags"][0], packed.name.as_str(), "{form}");
    }
    for form in [Form::Artifact, Form::Istio] {
        let packed = bench.pack(&bench.options(file_for(form), form)).await.unwrap();
        let files = Files::read(&packed.path);
        assert!(!files.0.iter().any(|(path, _)| path == "manifest.json"), "{form} is no container image");
    }
}

#[tokio::test]
async fn an_image_is_called_as_asked_or_as_its_file_and_runs_the_last_part_of_its_name() {
    let bench = Bench::new();
    bench.write("Proxy-2.0.wat", "(module)");
    let table = [
        ("hello.wasm", None, None, "latest", "docker.io/library/hello:latest", "hello.wasm"),
        ("Proxy-2.0.wat", None, None, "v1", "docker.io/library/proxy-2.0:v1", "proxy-2.0.wasm"),
        ("hello.wasm", Some("acme/app"), None, "1.0.0", "docker.io/acme/app:1.0.0", "app.wasm"),
        ("hello.wasm", Some("app.wasm"), None, "1", "docker.io/library/app.wasm:1", "app.wasm"),
        ("hello.wasm", Some("app"), Some("localhost:5000/acme/"), "1", "localhost:5000/acme/app:1", "app.wasm"),
        ("hello.wasm", None, Some("ghcr.io/acme"), "1", "ghcr.io/acme/hello:1", "hello.wasm"),
    ];
    for (file, name, prefix, tag, expected, entrypoint) in table {
        let (name, prefix, tag) = (name.map(str::to_owned), prefix.map(str::to_owned), tag.parse().unwrap());
        let options = PackOptions { name, prefix, tag, ..bench.options(file, Form::Image) };
        let packed = bench.pack(&options).await.unwrap();
        let files = Files::read(&packed.path);
        let config = files.blob(&files.manifest()["config"]["digest"]);
        assert_eq!((packed.name.as_str(), &config["config"]["Entrypoint"][0]), (expected, &entrypoint.into()));
        let annotations = &files.json("index.json")["manifests"][0]["annotations"];
        assert_eq!(annotations["org.opencontainers.image.ref.name"], options.tag.as_str());
    }
    for name in ["Hello", "a b", "", "https://h.io/a", "a:1"] {
        let options = PackOptions { name: Some(name.to_owned()), ..bench.options("hello.wasm", Form::Image) };
        let refused = bench.refuse(&options).await;
        assert!(matches!(refused.reason(), Cause::ImageName { .. }), "{name}: {refused:?}");
    }
}

#[tokio::test]
async fn a_folder_is_packed_in_the_order_of_its_names_after_the_files_that_are_named() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("parts")).unwrap();
    bench.write("parts/b.wasm", fixtures::component("b"));
    bench.write("parts/a.wasm", fixtures::component("a"));
    bench.write("parts/c.txt", "no Wasm");
    std::fs::create_dir(bench.path("parts/d.wasm")).unwrap();
    let options = PackOptions { folder: Some(bench.path("parts")), ..bench.options("hello.wasm", Form::Image) };
    let packed = bench.pack(&options).await.unwrap();
    let manifest = Files::read(&packed.path).manifest();
    let layers = manifest["layers"].as_array().unwrap();
    let expected = ["hello", "a", "b"].map(|seed| Digest::sha256(&fixtures::component(seed)).to_string());
    assert_eq!(layers.iter().map(|layer| layer["digest"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    assert!(layers.iter().all(|layer| layer["mediaType"] == WASM_LAYER));

    let client = Client::new(ClientOptions::default()).unwrap();
    for (name, expected) in [("b.wasm", 2), ("hello.wasm", 0), (expected[1].as_str(), 1)] {
        let from = format!("oci-archive:{}", packed.path.display()).parse::<Location>().unwrap();
        let choice = Choice { layer: Some(name.to_owned()), platform: None };
        let (output, surroundings) = (Some(bench.path("pulled")), bench.surroundings());
        let options = PullOptions { from, output, existing: Existing::Replace, choice, surroundings };
        let pulled = wharf::pull(&client, &options, &bench.progress).await.unwrap();
        assert_eq!(pulled.wasm_digest, layers[expected]["digest"].as_str().unwrap().parse().unwrap(), "{name}");
    }
}

#[tokio::test]
async fn what_a_form_has_no_place_for_is_refused() {
    let bench = Bench::new();
    let change = |form: Form, change: &dyn Fn(&mut PackOptions)| {
        let mut options = bench.options(file_for(form), form);
        change(&mut options);
        options
    };
    let world = |options: &mut PackOptions| options.description.world = Some("wasi:http/proxy@0.2.3".to_owned());
    let root_ids = |options: &mut PackOptions| options.description.root_ids = vec!["auth".to_owned()];
    let author = |options: &mut PackOptions| options.description.author = Some("Jo".to_owned());
    let docker = |options: &mut PackOptions| options.description.manifest_format = ManifestFormat::Docker;
    for form in [Form::Image, Form::Docker, Form::Istio, Form::IstioCompat] {
        let refused = bench.refuse(&change(form, &world)).await;
        assert!(matches!(refused.reason(), Cause::NoPlaceFor { .. }), "{form}: {refused:?}");
    }
    for form in [Form::Artifact, Form::Image, Form::Docker] {
        let refused = bench.refuse(&change(form, &root_ids)).await;
        assert!(matches!(refused.reason(), Cause::NoPlaceFor { .. }), "{form}: {refused:?}");
    }
    let refused = bench.refuse(&change(Form::Istio, &author)).await;
    assert!(matches!(refused.reason(), Cause::NoPlaceFor { .. }), "{refused:?}");
    for form in [Form::Artifact, Form::Istio] {
        let refused = bench.refuse(&change(form, &docker)).await;
        assert!(matches!(refused.reason(), Cause::NoPlaceFor { .. }), "{form}: {refused:?}");
    }
    for form in [Form::Artifact, Form::Docker, Form::Istio, Form::IstioCompat] {
        let second = |options: &mut PackOptions| options.files.push(bench.path(file_for(form)));
        let extra = ExtraLayer { media_type: "text/plain".into(), path: bench.path("hello.wasm") };
        let layer = |options: &mut PackOptions| options.layers.push(extra.clone());
        for options in [change(form, &second), change(form, &layer)] {
            let refused = bench.refuse(&options).await;
            assert!(matches!(refused.reason(), Cause::SeveralLayers { .. }), "{form}: {refused:?}");
        }
    }
    let nothing = |options: &mut PackOptions| options.files.clear();
    assert!(matches!(bench.refuse(&change(Form::Image, &nothing)).await.reason(), Cause::NothingToPack));
    // What has a place is taken.
    for (form, file) in [(Form::Docker, "hello.wasm"), (Form::IstioCompat, "filter.wasm")] {
        let mut options = bench.options(file, form);
        author(&mut options);
        docker(&mut options);
        bench.pack(&options).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_a_form_cannot_be_made_of_is_refused() {
    let bench = Bench::new();
    let table = [
        ("greet.wasm", Form::Image),
        ("greet.wasm", Form::Docker),
        ("greet.wasm", Form::Istio),
        ("hello.wasm", Form::Istio),
        ("module.wasm", Form::Istio),
        ("hello.wasm", Form::IstioCompat),
        ("module.wasm", Form::IstioCompat),
    ];
    for (file, form) in table {
        let refused = bench.refuse(&bench.options(file, form)).await;
        assert!(matches!(refused.reason(), Cause::Build(_)), "{file} as {form}: {refused:?}");
    }
    let missing = bench.refuse(&bench.options("missing.wasm", Form::Artifact)).await;
    let Error::PackFile { file, .. } = missing else { panic!("{missing:?}") };
    assert_eq!(file, bench.path("missing.wasm"));
}
