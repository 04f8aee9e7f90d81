//! `get`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf::oci::{Digest, NoProgress, Progress};
use wharf::packages::VersionReq;
use wharf::packages::resolve::Requirement;
use wharf::{Cause, Error, Existing, FileState, GetAction, GetOptions, GetOutcome, PackageForm, get};
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::setup::{LOG, Project, asked, config, publish, registry_with, wasm};

/// A folder to get packages into, for a user with settings.
struct Place {
    project: Project,
}

impl Place {
    fn new(config: &str) -> Self {
        Self { project: Project::new(config, "package acme:app;\n") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.project.path(name)
    }

    /// Returns what gets `acme:log` in a version that meets a requirement, into `got/`.
    fn options(&self, requirement: &str) -> GetOptions {
        fs::create_dir_all(self.path("got")).unwrap();
        let requirement = match requirement.parse() {
            Ok(version) => Requirement::Exactly(version),
            Err(_) => Requirement::Open(requirement.parse().unwrap()),
        };
        GetOptions {
            package: "acme:log".parse().unwrap(),
            requirement,
            output: Some(self.path("got")),
            form: None,
            action: GetAction::Write(Existing::Keep),
            registry: None,
            config: self.project.options().project.sources.config,
            scratch: self.path("wit"),
        }
    }

    async fn try_get(&self, options: &GetOptions) -> Result<GetOutcome, Error> {
        let progress: Arc<dyn Progress> = Arc::new(NoProgress);
        get(self.project.connect(), options, &progress).await
    }

    async fn get(&self, options: &GetOptions) -> GetOutcome {
        self.try_get(options).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Lets it fail, checks that no file changed, and returns where it was looked for, and why it failed.
    async fn refuse(&self, options: &GetOptions) -> (Option<String>, Cause) {
        let before = self.project.files();
        let error = self.try_get(options).await.expect_err("it was got");
        assert_eq!(self.project.files(), before);
        let Error::Get { from, source, .. } = error else { panic!("{error:?}") };
        (from, source)
    }
}

fn log(version: &str) -> String {
    LOG.replace("1.0.0", version)
}

async fn registry_of(versions: &[&str]) -> TestRegistry {
    let registry = TestRegistry::start().await;
    for version in versions {
        publish(&registry, &format!("acme/log:{version}"), &wasm(&log(version), &[])).await;
    }
    registry
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[tokio::test]
async fn an_exact_version_costs_a_manifest_and_a_blob() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let place = Place::new(&config(registry.registry()));
    let outcome = place.get(&place.options("1.0.0")).await;
    let digest = Digest::sha256(&wasm(LOG, &[]));
    let expected = [format!("GET /v2/acme/log/blobs/{digest}"), "GET /v2/acme/log/manifests/1.0.0".to_owned()];
    assert_eq!(asked(&registry), expected);
    assert_eq!((outcome.digest, outcome.form, outcome.state), (digest, PackageForm::Wit, FileState::Written));
    assert_eq!(outcome.path, place.path("got/acme_log@1.0.0.wit"));
    assert_eq!((outcome.package.as_str(), outcome.version.to_string().as_str()), ("acme:log", "1.0.0"));
    assert_eq!(outcome.registry, "acme.example");
    assert_eq!(outcome.repository.unwrap(), format!("{}/acme/log", registry.registry()));
    let text = fs::read_to_string(&outcome.path).unwrap();
    assert_eq!(outcome.size, text.len() as u64);
    assert!(text.starts_with("package acme:log@1.0.0;\n"), "{text}");
    let kept: Vec<_> = place.project.files().into_keys().filter(|path| path.starts_with("got/")).collect();
    assert_eq!(kept, ["got/acme_log@1.0.0.wit"], "nothing else is left");
}

#[tokio::test]
async fn of_several_versions_the_newest_release_is_taken() {
    let registry = registry_of(&["0.2.9", "0.2.10", "1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]).await;
    let place = Place::new(&config(registry.registry()));
    for (requirement, expected) in
        [("*", "1.10.0"), ("^0.2", "0.2.10"), ("0.2.*", "0.2.10"), (">=1, <1.10", "1.9.0"), ("^2.0.0-rc", "2.0.0-rc.1")]
    {
        registry.clear_log();
        let action = GetAction::Write(Existing::Replace);
        let outcome = place.get(&GetOptions { action, ..place.options(requirement) }).await;
        assert_eq!(outcome.version.to_string(), expected, "{requirement}");
        assert_eq!(registry.log().len(), 3, "{:?}", asked(&registry));
    }
    let early = registry_of(&["0.1.0-rc.1", "0.1.0-rc.2"]).await;
    let place = Place::new(&config(early.registry()));
    assert_eq!(place.get(&place.options("*")).await.version.to_string(), "0.1.0-rc.2");
}

#[tokio::test]
async fn a_component_stays_wasm_and_a_package_becomes_text_unless_asked_otherwise() {
    let registry = TestRegistry::start().await;
    let (component, package) = (fixtures::component("log"), wasm(LOG, &[]));
    publish(&registry, "acme/log:1.0.0", &component).await;
    publish(&registry, "acme/log:2.0.0", &wasm(&log("2.0.0"), &[])).await;
    let place = Place::new(&config(registry.registry()));
    for (version, form, output, expected, end) in [
        ("1.0.0", None, "got", PackageForm::Wasm, "acme_log@1.0.0.wasm"),
        ("2.0.0", None, "got", PackageForm::Wit, "acme_log@2.0.0.wit"),
        ("1.0.0", Some(PackageForm::Wit), "got", PackageForm::Wit, "acme_log@1.0.0.wit"),
        ("2.0.0", Some(PackageForm::Wasm), "got", PackageForm::Wasm, "acme_log@2.0.0.wasm"),
        ("1.0.0", None, "got/world.wit", PackageForm::Wit, "world.wit"),
        ("2.0.0", None, "got/package.wasm", PackageForm::Wasm, "package.wasm"),
        ("2.0.0", Some(PackageForm::Wit), "got/text.wasm", PackageForm::Wit, "text.wasm"),
        ("2.0.0", None, "got/plain", PackageForm::Wit, "plain"),
    ] {
        let options = GetOptions { form, output: Some(place.path(output)), ..place.options(version) };
        let outcome = place.get(&options).await;
        assert_eq!((outcome.form, name(&outcome.path)), (expected, end), "{version} {form:?} {output}");
        let is_wasm = fs::read(&outcome.path).unwrap().starts_with(b"\0asm");
        assert_eq!(is_wasm, expected == PackageForm::Wasm, "{version} {form:?} {output}");
    }
    assert_eq!(fs::read(place.path("got/acme_log@1.0.0.wasm")).unwrap(), component);
    assert!(fs::read_to_string(place.path("got/world.wit")).unwrap().contains("world "));
    assert_ne!(fs::read(place.path("got/package.wasm")).unwrap(), package);
}

#[tokio::test]
async fn a_file_that_is_there_is_replaced_only_where_that_is_asked_for() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let place = Place::new(&config(registry.registry()));
    for output in ["got", "got/own.wit"] {
        let keep = GetOptions { output: Some(place.path(output)), ..place.options("1.0.0") };
        let path = place.get(&keep).await.path;
        fs::write(&path, "mine").unwrap();
        let (_, cause) = place.refuse(&keep).await;
        assert!(matches!(&cause, Cause::Exists { path: it } if *it == path), "{cause:?}");
        let replace = GetOptions { action: GetAction::Write(Existing::Replace), ..keep };
        place.get(&replace).await;
        assert!(fs::read_to_string(&path).unwrap().starts_with("package acme:log@1.0.0;"));
    }
}

#[tokio::test]
async fn a_comparison_writes_nothing() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let place = Place::new(&config(registry.registry()));
    for form in [PackageForm::Wit, PackageForm::Wasm] {
        let write = GetOptions { form: Some(form), ..place.options("1.0.0") };
        let compare = GetOptions { action: GetAction::Compare, ..write.clone() };
        assert_eq!(place.get(&compare).await.state, FileState::Missing, "{form:?}");
        let path = place.get(&write).await.path;
        let before = place.project.files();
        assert_eq!(place.get(&compare).await.state, FileState::Same, "{form:?}");
        assert_eq!(place.project.files(), before);
        let mut changed = fs::read(&path).unwrap();
        changed.push(b'\n');
        fs::write(&path, &changed).unwrap();
        assert_eq!(place.get(&compare).await.state, FileState::Differs, "{form:?}");
        assert_eq!(fs::read(&path).unwrap(), changed);
    }
}

#[tokio::test]
async fn a_version_that_is_not_there_lists_those_that_are() {
    let registry = registry_of(&["1.0.0", "0.9.0"]).await;
    let place = Place::new(&config(registry.registry()));
    for (requirement, shown) in [("1.0.1", "=1.0.1"), ("^2", "^2")] {
        let (from, cause) = place.refuse(&place.options(requirement)).await;
        assert_eq!(from.unwrap(), format!("{}/acme/log", registry.registry()));
        assert_eq!(cause.to_string(), format!("`acme:log` has no version `{shown}`; it has 1.0.0, 0.9.0"));
    }
}

#[tokio::test]
async fn a_package_that_nobody_has_is_told_with_where_it_was_looked_for() {
    let registry = TestRegistry::start().await;
    let place = Place::new(&config(registry.registry()));
    for requirement in ["1.0.0", "*"] {
        let (from, _) = place.refuse(&place.options(requirement)).await;
        assert_eq!(from.unwrap(), format!("{}/acme/log", registry.registry()), "{requirement}");
    }
    let (from, cause) = Place::new("").refuse(&Place::new("").options("1.0.0")).await;
    assert!(from.is_none() && matches!(cause, Cause::NoHome { .. }), "{cause:?}");
}

#[tokio::test]
async fn the_registry_that_is_asked_for_goes_before_one_whose_metadata_the_settings_have() {
    let settings = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let flag = registry_with(&[("acme/log:1.0.0", &LOG.replace("line", "other"))]).await;
    let place = Place::new(&config(settings.registry()));
    let registry = Some(flag.registry().to_string().parse().unwrap());
    let outcome = place.get(&GetOptions { registry, ..place.options("1.0.0") }).await;
    assert_eq!(asked(&settings), [""; 0]);
    assert_eq!(asked(&flag)[0], "GET /.well-known/wasm-pkg/registry.json");
    assert_eq!(outcome.registry, flag.registry().to_string());
    assert!(fs::read_to_string(outcome.path).unwrap().contains("put: func(other: string)"));
}

#[tokio::test]
async fn another_package_under_the_name_is_refused() {
    let registry = registry_with(&[
        ("acme/log:1.0.0", &LOG.replace("acme:log", "acme:other")),
        ("acme/log:2.0.0", LOG),
        ("acme/log:3.0.0", &LOG.replace("@1.0.0", "")),
    ])
    .await;
    let place = Place::new(&config(registry.registry()));
    for (version, name) in [("1.0.0", "acme:other@1.0.0"), ("2.0.0", "acme:log@1.0.0")] {
        let (_, cause) = place.refuse(&place.options(version)).await;
        assert!(matches!(&cause, Cause::OtherPackage { found, .. } if found == name), "{cause:?}");
    }
    // One that does not say its version may have any.
    place.get(&place.options("3.0.0")).await;
}

#[tokio::test]
async fn a_folder_may_stand_for_a_registry() {
    let place = Place::new("");
    let folder = place.path("packages");
    place.project.write("packages/acme/log/1.0.0.wasm", wasm(LOG, &[]));
    let local = format!("default_registry = \"here\"\n[registry.here.local]\nroot = \"{}\"\n", folder.display());
    let config = wharf::packages::Config::parse(&local).unwrap();
    let got = place.get(&GetOptions { config: config.clone(), ..place.options("^1") }).await;
    assert_eq!((name(&got.path), got.repository), ("acme_log@1.0.0.wit", None));
    let (from, cause) = place.refuse(&GetOptions { config, ..place.options("1.0.1") }).await;
    assert_eq!((from, cause.to_string()), (None, "`acme:log` has no version `=1.0.1`; it has 1.0.0".to_owned()));
    let requirement = Requirement::Open(VersionReq::STAR);
    let (_, cause) = place.refuse(&GetOptions { requirement, ..place.options("1.0.0") }).await;
    assert!(matches!(cause, Cause::NoHome { .. }), "{cause:?}");
}
