//! What the tests share: a project on the disk, and packages in registries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tempfile::TempDir;
use wharf::client::{Client, ClientOptions, Error as ClientError, Retries, Timeouts};
use wharf::oci::{Descriptor, Digest, ImageManifest, Manifest, MediaType, Registry};
use wharf::packages::{Config, RegistrySettings};
use wharf::wit::{Document, TextFile, merge};
use wharf::{
    Cause, Connect, DepsForm, Error, FetchOptions, FetchOutcome, Locking, Network, ProjectOptions, Sources, fetch,
};
use wharf_testing::registry::TestRegistry;

/// A package with one function to take from it.
pub(crate) const LOG: &str = "package acme:log@1.0.0;\ninterface sink { put: func(line: string); }\n";
/// A world that takes [`LOG`].
pub(crate) const APP: &str = "package acme:app;\nworld app { import acme:log/sink@1.0.0; }\n";

/// A project in a folder of its own, and the cache of its user.
pub(crate) struct Project {
    folder: TempDir,
    config: Config,
    connect: Direct,
}

impl Project {
    /// Makes a project with a `wit/world.wit`, for a user with these settings.
    pub(crate) fn new(config: &str, world: &str) -> Self {
        Self::waiting(Duration::from_secs(5), config, world)
    }

    /// Makes a project whose user waits for no registry.
    pub(crate) fn impatient(config: &str, world: &str) -> Self {
        Self::waiting(Duration::from_millis(100), config, world)
    }

    fn waiting(timeout: Duration, config: &str, world: &str) -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
            config: Config::parse(config).unwrap(),
            connect: Direct(Client::new(client_options(timeout)).unwrap()),
        };
        project.write("wit/world.wit", world);
        project
    }

    /// Changes the settings of the user.
    pub(crate) fn configure(&mut self, config: &str) {
        self.config = Config::parse(config).unwrap();
    }

    /// Returns what reaches the registries.
    pub(crate) fn connect(&self) -> &dyn Connect {
        &self.connect
    }

    /// Returns the path of a file of the project.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("project").join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Returns all files of the project, by their path in it.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files_in(&self.path(""))
    }

    /// Returns the names in `wit/deps`.
    pub(crate) fn deps(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("wit/deps")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn options(&self) -> FetchOptions {
        let sources = Sources {
            config: self.config.clone(),
            cache: self.folder.path().join("cache"),
            network: Network::Online,
            may_move: Vec::new(),
        };
        let project = ProjectOptions { folder: self.path(""), sources, locking: Locking::Update };
        FetchOptions { project, form: DepsForm::Wit }
    }

    pub(crate) fn locked(&self) -> FetchOptions {
        let mut options = self.options();
        options.project.locking = Locking::Locked;
        options
    }

    pub(crate) fn offline(&self) -> FetchOptions {
        let mut options = self.options();
        options.project.sources.network = Network::Offline;
        options
    }

    /// Returns what lets a package come from elsewhere than before.
    pub(crate) fn may_move(&self, package: &str) -> FetchOptions {
        let mut options = self.options();
        options.project.sources.may_move = vec![package.parse().unwrap()];
        options
    }

    pub(crate) async fn fetch(&self) -> FetchOutcome {
        self.fetch_with(&self.options()).await
    }

    pub(crate) async fn fetch_with(&self, options: &FetchOptions) -> FetchOutcome {
        fetch(&self.connect, options).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Lets it fail, checks that the project is as it was, and returns why.
    pub(crate) async fn refuse(&self, options: &FetchOptions) -> Cause {
        let before = self.files();
        let error = fetch(&self.connect, options).await.expect_err("it was fetched");
        assert_eq!(texts(&self.files()), texts(&before));
        let Error::Fetch { source, .. } = error else { panic!("{error:?}") };
        source
    }

    /// Lets it fail for what a registry does, and returns that; all that is told names `place`.
    pub(crate) async fn refuse_from(&self, place: &str, options: &FetchOptions) -> Cause {
        let cause = self.refuse(options).await;
        assert_eq!(cause.to_string(), format!("cannot get `acme:log` from `{place}`"));
        let Cause::Package { source, .. } = cause else { panic!("{cause:?}") };
        *source
    }

    /// Forgets what was chosen and written, as before the first time.
    pub(crate) fn start_over(&self) {
        self.start_over_in("wit");
    }

    /// Forgets the locks, and what was written in the `deps` of this folder.
    pub(crate) fn start_over_in(&self, wit: &str) {
        for lock in ["wkg.lock", "wharf.lock"] {
            fs::remove_file(self.path(lock)).unwrap();
        }
        fs::remove_dir_all(self.path(wit).join("deps")).unwrap();
    }

    /// Forgets what was fetched, as on another machine.
    pub(crate) fn clear_cache(&self) {
        fs::remove_dir_all(self.folder.path().join("cache")).unwrap();
    }

    /// Damages what is kept with this digest.
    pub(crate) fn damage_cached(&self, digest: &Digest) {
        let cache = self.folder.path().join("cache");
        let kept: Vec<_> = files_in(&cache).into_iter().filter(|(_, bytes)| Digest::sha256(bytes) == *digest).collect();
        assert!(!kept.is_empty());
        for (path, mut bytes) in kept {
            *bytes.last_mut().unwrap() ^= 1;
            // What is kept is not writable, and may be replaced all the same.
            fs::remove_file(cache.join(&path)).unwrap();
            fs::write(cache.join(&path), bytes).unwrap();
        }
    }
}

fn files_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn texts(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, String> {
    files.iter().map(|(name, bytes)| (name.as_str(), String::from_utf8_lossy(bytes).into_owned())).collect()
}

/// Reaches every registry in the same way.
#[derive(Debug)]
struct Direct(Client);

impl Connect for Direct {
    fn client(&self, _: &Registry, _: Option<&RegistrySettings>) -> Result<Client, ClientError> {
        Ok(self.0.clone())
    }
}

/// Tries twice, with no pause.
fn client_options(timeout: Duration) -> ClientOptions {
    let delay = Duration::from_millis(1);
    ClientOptions {
        retries: Retries { tries: 2, base_delay: delay, max_delay: delay },
        timeouts: Timeouts { connect: timeout, read: timeout, request: timeout },
        ..ClientOptions::default()
    }
}

/// Returns settings by which the packages of `acme` come from `acme.example`, which keeps them at `host`.
pub(crate) fn config(host: impl ToString) -> String {
    config_of("acme.example", host)
}

/// Returns settings by which the packages of `acme` come from `registry`, which keeps them at `host`.
pub(crate) fn config_of(registry: &str, host: impl ToString) -> String {
    let host = host.to_string();
    format!(
        "[namespace_registries]\nacme = {{ registry = \"{registry}\", metadata = {{ oci = {{ registry = \"{host}\" }} }} }}\n"
    )
}

/// Returns settings by which all packages come from `registry`, which says itself where it keeps them.
pub(crate) fn config_asking(registry: &TestRegistry) -> String {
    format!("default_registry = \"{}\"\n", registry.registry())
}

/// Returns what was generated in the only folder `deps`.
pub(crate) fn deps(outcome: &FetchOutcome) -> Vec<String> {
    assert!(outcome.deps.keys().all(|folder| folder == "wit"), "{outcome:?}");
    outcome.deps.values().flatten().cloned().collect()
}

/// Encodes a package, which may take something from others.
pub(crate) fn wasm(text: &str, needed: &[&str]) -> Vec<u8> {
    let parse = |text: &str| {
        let file = TextFile { name: "package.wit".to_owned(), text: text.to_owned() };
        Document::parse("test", vec![file]).unwrap_or_else(|error| panic!("{error}"))
    };
    let resolved = merge(parse(text), needed.iter().map(|text| parse(text)).collect());
    resolved.unwrap_or_else(|error| panic!("{error}")).encode().unwrap()
}

/// Returns the manifest of a package, with the config and the layer of it.
pub(crate) fn artifact(wasm: &[u8]) -> (Manifest, [(Descriptor, Vec<u8>); 2]) {
    let config = (Descriptor::of(MediaType::WASM_CONFIG, b"{}"), b"{}".to_vec());
    let layer = (Descriptor::of(MediaType::WASM, wasm), wasm.to_vec());
    let manifest = Manifest::from_image(&ImageManifest::new(config.0.clone(), vec![layer.0.clone()])).unwrap();
    (manifest, [config, layer])
}

/// Puts a package into a registry, past the protocol. `place` is repository and tag: `acme/log:1.0.0`.
pub(crate) async fn publish(registry: &TestRegistry, place: &str, wasm: &[u8]) -> Digest {
    let (repository, tag) = place.split_once(':').unwrap();
    let repository = registry.store().repository(&repository.parse().unwrap());
    let (manifest, blobs) = artifact(wasm);
    for (descriptor, bytes) in blobs {
        let stream = stream::iter([Ok(bytes.into())]).boxed();
        repository.put_blob(&descriptor.digest, descriptor.size, stream).await.unwrap();
    }
    repository.put_manifest(&manifest).await.unwrap();
    repository.put_tag(&tag.parse().unwrap(), manifest.digest()).await.unwrap();
    Digest::sha256(wasm)
}

/// Starts a registry with packages, each with its place.
pub(crate) async fn registry_with(packages: &[(&str, &str)]) -> TestRegistry {
    let registry = TestRegistry::start().await;
    for (place, text) in packages {
        publish(&registry, place, &wasm(text, &[])).await;
    }
    registry
}

/// Returns what was asked of a registry: the paths, sorted.
pub(crate) fn asked(registry: &TestRegistry) -> Vec<String> {
    let mut asked: Vec<String> = registry.log().iter().map(|it| format!("{} {}", it.method, it.path())).collect();
    asked.sort();
    asked
}
