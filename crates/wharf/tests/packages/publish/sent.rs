//! What is published, in which order, and how often anybody is asked.

use std::fs;

use axum::body::Body;
use axum::response::Response;
use serde_json::{Value, json};
use wharf::oci::{Digest, MediaType};
use wharf::{BreakPolicy, Error, PublishMode, PublishOptions, PublishStatus, Selection};
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use super::{log, options, published, run, tagged, writes};
use crate::setup::{APP, LOG, Project, asked, config, config_asking, registry_with};

#[tokio::test]
async fn a_package_is_an_artifact_that_its_version_names() {
    let registries = [TestRegistry::start().await, TestRegistry::start().await];
    let mut digests = Vec::new();
    for registry in &registries {
        let project = Project::new(&config(registry.registry()), LOG);
        project.write("wkg.toml", "[metadata]\ndescription = \"Logs.\"\nsource = \"https://acme.example/log\"\n");
        let outcome = published(&project, &options(&project)).await;
        let package = &outcome.packages[0];
        assert_eq!((package.name.as_str(), package.version.as_str()), ("acme:log", "1.0.0"));
        assert_eq!((package.status, package.is_other), (PublishStatus::Published, false));
        let digest = tagged(registry, "acme/log:1.0.0").await.unwrap();
        assert_eq!(package.reference, format!("{}/acme/log@{digest}", registry.registry()));
        let manifest = registry.store().repository(&"acme/log".parse().unwrap()).manifest(&digest).await.unwrap();
        let image: Value = serde_json::from_slice(manifest.unwrap().bytes()).unwrap();
        assert_eq!(image["config"]["mediaType"], MediaType::WASM_CONFIG.as_str());
        assert_eq!(image["layers"].as_array().unwrap().len(), 1);
        let layer = &image["layers"][0];
        assert_eq!((&layer["mediaType"], &layer["digest"]), (&json!("application/wasm"), &json!(package.digest)));
        assert_eq!(layer["annotations"]["org.opencontainers.image.title"], "log.wasm");
        for (key, expected) in [("version", "1.0.0"), ("description", "Logs."), ("source", "https://acme.example/log")]
        {
            assert_eq!(image["annotations"][&format!("org.opencontainers.image.{key}")], expected);
        }
        digests.push(digest);
        let user = Project::new(&config(registry.registry()), APP);
        assert_eq!(user.fetch().await.packages[0].digest, package.digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test]
async fn a_new_package_costs_the_list_and_what_is_sent() {
    let registry = TestRegistry::start().await;
    let project = Project::new(&config(registry.registry()), LOG);
    published(&project, &options(&project)).await;
    let requests = asked(&registry);
    let count = |start: &str| requests.iter().filter(|request| request.starts_with(start)).count();
    assert_eq!(count("GET /v2/acme/log/tags/list"), 1);
    assert_eq!((count("HEAD /v2/acme/log/manifests/1.0.0"), count("PUT /v2/acme/log/manifests/1.0.0")), (1, 1));
    // The manifest is looked for, and each of the two blobs looked for, begun and sent.
    assert_eq!(requests.len(), 3 + 1 + 2 * 3, "{requests:#?}");
}

#[tokio::test]
async fn build_metadata_stands_in_the_tag() {
    let registry = TestRegistry::start().await;
    let project = Project::new(&config(registry.registry()), &LOG.replace("1.0.0", "1.0.0+build.5"));
    published(&project, &options(&project)).await;
    assert!(tagged(&registry, "acme/log:1.0.0_build.5").await.is_some());
}

#[tokio::test]
async fn a_dry_run_asks_and_writes_nothing() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), &log("1.1.0", "put: func(line: string); flush: func();"));
    let dry = PublishOptions { mode: PublishMode::DryRun, ..options(&project) };
    registry.clear_log();
    let outcome = published(&project, &dry).await;
    assert_eq!(outcome.packages[0].status, PublishStatus::WouldPublish);
    assert_eq!(writes(&registry), [""; 0]);
    assert!(asked(&registry).iter().any(|request| request == "GET /v2/acme/log/manifests/1.0.0"), "it is compared");
    assert_eq!(tagged(&registry, "acme/log:1.1.0").await, None);
    let reference = published(&project, &options(&project)).await.packages[0].reference.clone();
    assert_eq!(outcome.packages[0].reference, reference);
}

/// Releases as WASI has them: additions in point releases, what becomes stable, what is said otherwise.
const POINT_RELEASES: [&str; 4] = [
    "package acme:cli@0.2.0;\ninterface exit { exit: func(status: result);\n@unstable(feature = code) code: func(c: u8); }\n\
     world imports { import exit; }\nworld command { import exit; export run; }\ninterface run { run: func() -> result; }\n",
    "package acme:cli@0.2.1;\n@since(version = 0.2.0)\ninterface exit { @since(version = 0.2.0)\nexit: func(status: result);\n\
     @unstable(feature = code) code: func(c: u16); }\nworld imports { import exit; }\nworld command { include imports; \
     export run; }\ninterface run { run: func() -> result; }\n",
    "package acme:cli@0.2.2;\n/// Ends it.\ninterface exit { exit: func(status: result);\n@since(version = 0.2.2) code: \
     func(c: u8); }\ninterface run { run: func() -> result; }\nworld imports { import exit; }\nworld command { include \
     imports; export run; }\n",
    "package acme:cli@0.3.0-rc.1;\ninterface exit { exit: async func(status: result); }\ninterface run { run: async func() \
     -> result; }\nworld imports { import exit; }\nworld command { include imports; export run; }\n",
];

#[tokio::test]
async fn point_releases_as_wasi_has_them_are_accepted() {
    let registry = TestRegistry::start().await;
    let project = Project::new(&config(registry.registry()), "");
    for text in POINT_RELEASES {
        project.write("wit/world.wit", text);
        published(&project, &options(&project)).await;
    }
    assert!(tagged(&registry, "acme/cli:0.3.0-rc.1").await.is_some());
}

/// A workspace of a package, and one that needs it; `second` is what goes behind the second one's interface.
fn workspace(registry: &TestRegistry, second: &str) -> Project {
    let project = Project::new(&config(registry.registry()), "");
    fs::remove_dir_all(project.path("wit")).unwrap();
    project.write("wkg.toml", "[workspace]\nmembers = [\"*\"]\n");
    let text = format!("package acme:app@0.1.0;\ninterface i {{ use acme:log/sink@1.0.0.{{level}}; {second} }}\n");
    project.write("app/wit/app.wit", text);
    project.write("log/wit/log.wit", "package acme:log@1.0.0;\ninterface sink { type level = u8; }\n");
    project
}

fn whole(project: &Project) -> PublishOptions {
    PublishOptions { selection: Selection::Workspace, ..options(project) }
}

#[tokio::test]
async fn a_workspace_is_published_in_the_order_of_its_needs() {
    let registry = TestRegistry::start().await;
    let project = workspace(&registry, "");
    let outcome = published(&project, &whole(&project)).await;
    let names: Vec<_> = outcome.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["acme:log", "acme:app"]);
    let tags = writes(&registry).into_iter().filter(|request| request.contains("manifests"));
    assert_eq!(tags.collect::<Vec<_>>(), ["PUT /v2/acme/log/manifests/1.0.0", "PUT /v2/acme/app/manifests/0.1.0"]);
    // Paths are put in order too.
    let other = TestRegistry::start().await;
    let project = workspace(&other, "");
    let paths = ["app", "log"].map(|member| project.path(member)).to_vec();
    let outcome = published(&project, &PublishOptions { paths, ..options(&project) }).await;
    assert_eq!(outcome.packages[0].name, "acme:log");
}

#[tokio::test]
async fn a_registry_is_asked_once_where_the_packages_of_a_workspace_go() {
    let registry = TestRegistry::start().await;
    let mut project = workspace(&registry, "");
    project.configure(&config_asking(&registry));
    published(&project, &whole(&project)).await;
    let asked = asked(&registry);
    let count = asked.iter().filter(|request| request.ends_with("registry.json")).count();
    assert_eq!(count, 1, "{asked:#?}");
}

#[tokio::test]
async fn nothing_is_sent_where_one_of_several_cannot_be_published() {
    let older = "package acme:app@0.1.0;\ninterface i { f: func(); }\n";
    let registry = registry_with(&[("acme/app:0.1.0", older)]).await;
    let project = workspace(&registry, "");
    let error = run(&project, &whole(&project)).await.unwrap_err();
    let Error::Publish { what, published, .. } = &error else { panic!("{error:?}") };
    assert_eq!((what.as_str(), published.len()), ("`acme:app@0.1.0`", 0));
    assert_eq!(writes(&registry), [""; 0]);
}

#[tokio::test]
async fn what_was_published_before_a_failure_is_told() {
    let registry = TestRegistry::with(|request| {
        let fails = request.method == "POST" && request.uri.path().starts_with("/v2/acme/app/");
        fails.then(|| Response::builder().status(403).body(Body::empty()).unwrap())
    });
    let registry = registry.await;
    let project = workspace(&registry, "");
    let error = run(&project, &whole(&project)).await.unwrap_err();
    let place = format!("{}/acme/app", registry.registry());
    let expected = format!("cannot publish `acme:app@0.1.0` to `{place}`, after `acme:log@1.0.0`, which is published");
    assert_eq!(error.to_string(), expected);
    assert!(tagged(&registry, "acme/log:1.0.0").await.is_some());
}

#[tokio::test]
async fn a_file_is_published_as_it_is_under_the_name_that_it_is_given() {
    let registry = TestRegistry::start().await;
    let project = Project::new(&config(registry.registry()), "");
    for (file, name, bytes) in
        [("app.wasm", "app", fixtures::component("app")), ("filter.wasm", "filter", fixtures::module())]
    {
        project.write(file, &bytes);
        let package = Some(format!("acme:{name}@1.2.0").parse().unwrap());
        let paths = vec![project.path(file)];
        let outcome = published(&project, &PublishOptions { paths, package, ..options(&project) }).await;
        assert_eq!(outcome.packages[0].digest, Digest::sha256(&bytes));
        assert!(tagged(&registry, &format!("acme/{name}:1.2.0")).await.is_some());
    }
    // A WIT package says itself what it is.
    project.write("log.wasm", crate::setup::wasm(LOG, &[]));
    let paths = vec![project.path("log.wasm")];
    let outcome = published(&project, &PublishOptions { paths, ..options(&project) }).await;
    assert_eq!(outcome.packages[0].name, "acme:log");
}

#[tokio::test]
async fn a_folder_holds_packages_as_a_registry_does() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("packages");
    let config = format!(
        "[namespace_registries]\nacme = \"here\"\n[registry.here.local]\nroot = {:?}\n",
        root.to_str().unwrap()
    );
    let project = Project::new(&config, LOG);
    let dry = PublishOptions { mode: PublishMode::DryRun, ..options(&project) };
    published(&project, &dry).await;
    assert!(!root.exists());
    let outcome = published(&project, &options(&project)).await;
    let file = root.join("acme/log/1.0.0.wasm");
    let bytes = fs::read(&file).unwrap();
    assert_eq!(outcome.packages[0].reference, file.to_str().unwrap());
    assert_eq!(outcome.packages[0].digest, Digest::sha256(&bytes));
    let fault = super::fault(&project, &options(&project)).await;
    assert!(fault.to_string().ends_with("already, with the same content"), "{fault}");
    project.write("wit/world.wit", log("1.0.1", "put: func(line: u8);"));
    let fault = super::fault(&project, &options(&project)).await;
    assert!(matches!(fault, wharf::PackageFault::Breaking { .. }), "{fault:?}");
    let allowed = PublishOptions { breaks: BreakPolicy::Allow, ..options(&project) };
    published(&project, &allowed).await;
    assert_eq!(fs::read_dir(root.join("acme/log")).unwrap().count(), 2);
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn a_registry_that_is_named_gets_the_package_and_is_asked_for_nothing_else() {
    let (of_settings, named) = (registry_with(&[("acme/log:1.0.0", LOG)]).await, TestRegistry::start().await);
    let world = APP.replace("acme:app", "acme:app@0.1.0");
    let project = Project::new(&config(of_settings.registry()), &world);
    let registry = Some(named.registry().as_str().parse().unwrap());
    published(&project, &PublishOptions { registry, ..options(&project) }).await;
    assert!(tagged(&named, "acme/app:0.1.0").await.is_some());
    assert!(asked(&named).iter().all(|request| !request.contains("acme/log")));
    assert_eq!(writes(&of_settings), [""; 0]);
    assert_eq!(asked(&of_settings).len(), 2);
}

#[tokio::test]
async fn a_mirror_is_not_published_to() {
    let (registry, mirror) = (TestRegistry::start().await, TestRegistry::start().await);
    let project = Project::new(&config(registry.registry()), LOG);
    project.write("wharf.toml", format!("[mirrors]\n\"{}\" = \"{}\"\n", registry.registry(), mirror.registry()));
    published(&project, &options(&project)).await;
    assert!(tagged(&registry, "acme/log:1.0.0").await.is_some());
    assert_eq!(asked(&mirror), [""; 0]);
}
