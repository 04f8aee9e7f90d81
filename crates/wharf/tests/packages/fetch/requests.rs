//! How many requests a fetch makes, and which.

use axum::body::Body;
use axum::response::Response;
use wharf::oci::Digest;
use wharf_testing::registry::TestRegistry;

use crate::setup::{APP, LOG, Project, asked, config, config_asking, deps, publish, registry_with, wasm};

const CLOCK: &str = "package acme:clock@0.2.0;\ninterface now { get: func() -> u64; }\n";
const BOTH: &str = "package acme:app;\nworld app { import acme:log/sink@1.0.0; export acme:clock/now@0.2.0; }\n";

/// Starts a registry that says of itself which prefix its packages have.
async fn registry_with_prefix() -> TestRegistry {
    TestRegistry::with(|request| {
        let is_asked = request.uri.path() == "/.well-known/wasm-pkg/registry.json";
        is_asked.then(|| Response::new(Body::from(r#"{"oci":{"namespacePrefix":"shelf/"}}"#)))
    })
    .await
}

#[tokio::test]
async fn a_new_package_costs_a_manifest_and_a_blob() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = Project::new(&config(registry.registry()), BOTH);
    let outcome = project.fetch().await;
    let digests = [CLOCK, LOG].map(|text| Digest::sha256(&wasm(text, &[])));
    let expected = [
        format!("GET /v2/acme/clock/blobs/{}", digests[0]),
        "GET /v2/acme/clock/manifests/0.2.0".to_owned(),
        format!("GET /v2/acme/log/blobs/{}", digests[1]),
        "GET /v2/acme/log/manifests/1.0.0".to_owned(),
    ];
    assert_eq!(asked(&registry), expected);
    let mut found: Vec<_> = outcome.packages.iter().map(|it| (it.name.as_str(), &it.digest, it.is_fetched)).collect();
    found.sort();
    assert_eq!(found, [("acme:clock", &digests[0], true), ("acme:log", &digests[1], true)]);
    assert_eq!(deps(&outcome), ["acme-clock-0.2.0", "acme-log-1.0.0"]);
    assert_eq!(project.deps(), deps(&outcome));
    assert!(outcome.is_changed);
}

#[tokio::test]
async fn a_registry_is_asked_once_where_its_packages_are() {
    let registry = registry_with_prefix().await;
    publish(&registry, "shelf/acme/log:1.0.0", &wasm(LOG, &[])).await;
    publish(&registry, "shelf/acme/clock:0.2.0", &wasm(CLOCK, &[])).await;
    let project = Project::new(&config_asking(&registry), BOTH);
    project.fetch().await;
    let asked = asked(&registry);
    assert_eq!(asked.len(), 5, "{asked:#?}");
    assert_eq!(asked[0], "GET /.well-known/wasm-pkg/registry.json");
}

#[tokio::test]
async fn twenty_packages_cost_forty_one_requests() {
    let registry = registry_with_prefix().await;
    let mut world = "package acme:app;\nworld app {\n".to_owned();
    for number in 0..20 {
        let text = format!("package acme:p{number}@1.0.0;\ninterface i {{ f: func(); }}\n");
        publish(&registry, &format!("shelf/acme/p{number}:1.0.0"), &wasm(&text, &[])).await;
        world += &format!("import acme:p{number}/i@1.0.0;\n");
    }
    let project = Project::new(&config_asking(&registry), &(world + "}\n"));
    assert_eq!(project.fetch().await.packages.len(), 20);
    assert_eq!(registry.log().len(), 41, "{:#?}", asked(&registry));
}

#[tokio::test]
async fn what_is_locked_and_kept_costs_no_request_and_no_registry() {
    let registry = registry_with_prefix().await;
    publish(&registry, "shelf/acme/log:1.0.0", &wasm(LOG, &[])).await;
    let project = Project::new(&config_asking(&registry), APP);
    project.fetch().await;
    let files = project.files();
    registry.clear_log();
    assert!(!project.fetch_with(&project.locked()).await.is_changed);
    assert_eq!(asked(&registry), [""; 0]);
    registry.stop().await;
    std::fs::remove_dir_all(project.path("wit/deps")).unwrap();
    let outcome = project.fetch_with(&project.offline()).await;
    assert!(outcome.is_changed, "wit/deps was gone");
    assert!(!outcome.packages[0].is_fetched);
    assert!(!project.fetch().await.is_changed);
    assert_eq!(project.files(), files);
}

#[tokio::test]
async fn what_another_project_fetched_costs_the_manifest_alone() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.fetch().await;
    registry.clear_log();
    project.start_over();
    project.fetch_with(&project.offline()).await;
    assert_eq!(asked(&registry), [""; 0]);
    project.start_over();
    project.fetch().await;
    assert_eq!(asked(&registry), ["GET /v2/acme/log/manifests/1.0.0"]);
}
