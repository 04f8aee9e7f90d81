//! Where packages come from, and that they come from nowhere else unless somebody says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::response::Response;
use wharf::Cause;
use wharf::oci::Digest;
use wharf_testing::registry::TestRegistry;

use crate::setup::{APP, LOG, Project, config, config_asking, config_of, publish, registry_with, wasm};

/// Checks that a package would have come from elsewhere than before.
fn assert_moved(cause: &Cause, before: &str, now: &str) {
    let Cause::PackageMoved { before: found_before, now: found_now, .. } = cause else { panic!("{cause:?}") };
    assert_eq!((found_before.as_str(), found_now.as_str()), (before, now));
    let expected = format!("`acme:log` came from `{before}`, and would now come from `{now}`");
    assert!(cause.to_string().starts_with(&expected), "{cause}");
}

#[tokio::test]
async fn what_is_kept_of_one_registry_does_not_answer_for_another() {
    let other_log = LOG.replace("put", "other");
    let (one, other) = (registry_with(&[("acme/log:1.0.0", LOG)]).await, TestRegistry::start().await);
    let mut project = Project::new(&config(one.registry()), APP);
    project.fetch().await;
    project.start_over();
    // The registry has the same name in the settings, and is another one.
    project.configure(&config(other.registry()));
    let cause = project.refuse_from(&format!("{}/acme/log", other.registry()), &project.options()).await;
    assert!(matches!(&cause, Cause::NoVersion { known, .. } if known.is_empty()), "{cause:?}");
    let cause = project.refuse(&project.offline()).await;
    assert!(matches!(cause, Cause::Offline { .. }), "{cause:?}");
    let digest = publish(&other, "acme/log:1.0.0", &wasm(&other_log, &[])).await;
    assert_eq!(project.fetch().await.packages[0].digest, digest);
    assert!(project.read("wit/deps/acme-log-1.0.0/package.wit").contains("other: func"));
}

#[tokio::test]
async fn settings_that_name_another_registry_are_refused_until_the_package_may_move() {
    let (one, other) =
        (registry_with(&[("acme/log:1.0.0", LOG)]).await, registry_with(&[("acme/log:1.0.0", LOG)]).await);
    let mut project = Project::new(&config_of("one.example", one.registry()), APP);
    project.fetch().await;
    project.configure(&config_of("other.example", other.registry()));
    for options in [project.options(), project.offline(), project.may_move("acme:clock")] {
        let cause = project.refuse(&options).await;
        assert_moved(&cause, "one.example", "other.example");
        assert!(cause.to_string().ends_with("as `namespace_registries` of config.toml say"), "{cause}");
    }
    // What wkg recorded counts as well.
    std::fs::remove_file(project.path("wharf.lock")).unwrap();
    assert_moved(&project.refuse(&project.options()).await, "one.example", "other.example");
    let outcome = project.fetch_with(&project.may_move("acme:log")).await;
    assert_eq!(outcome.packages[0].registry, "other.example");
    assert!(project.read("wkg.lock").contains("registry = \"other.example\""));
    assert!(!project.fetch().await.is_changed, "it is accepted for good");
}

#[tokio::test]
async fn settings_that_lead_a_registry_elsewhere_are_refused_until_the_package_may_move() {
    let (one, other) =
        (registry_with(&[("acme/log:1.0.0", LOG)]).await, registry_with(&[("acme/log:1.0.0", LOG)]).await);
    let mut project = Project::new(&config(one.registry()), APP);
    project.fetch().await;
    project.configure(&config(other.registry()));
    let [before, now] = [&one, &other].map(|registry| format!("{}/acme/log", registry.registry()));
    assert_moved(&project.refuse(&project.options()).await, &before, &now);
    project.clear_cache();
    assert_moved(&project.refuse(&project.options()).await, &before, &now);
    let outcome = project.fetch_with(&project.may_move("acme:log")).await;
    assert_eq!(outcome.packages[0].repository.as_ref(), Some(&now));
}

#[tokio::test]
async fn a_registry_that_moves_its_packages_is_refused_until_the_package_may_move() {
    let is_moved = Arc::new(AtomicBool::new(false));
    let says_moved = Arc::clone(&is_moved);
    let registry = TestRegistry::with(move |request| {
        let is_asked = request.uri.path() == "/.well-known/wasm-pkg/registry.json";
        let prefix = if says_moved.load(Ordering::Relaxed) { "attic" } else { "shelf" };
        is_asked.then(|| Response::new(Body::from(format!(r#"{{"oci":{{"namespacePrefix":"{prefix}/"}}}}"#))))
    })
    .await;
    for prefix in ["shelf", "attic"] {
        publish(&registry, &format!("{prefix}/acme/log:1.0.0"), &wasm(LOG, &[])).await;
    }
    let project = Project::new(&config_asking(&registry), APP);
    project.fetch().await;
    is_moved.store(true, Ordering::Relaxed);
    assert!(!project.fetch().await.is_changed, "what is locked and kept comes from nowhere");
    project.clear_cache();
    let [before, now] = ["shelf", "attic"].map(|prefix| format!("{}/{prefix}/acme/log", registry.registry()));
    let cause = project.refuse(&project.options()).await;
    assert_moved(&cause, &before, &now);
    assert!(cause.to_string().ends_with(", as its registry says"), "{cause}");
    let outcome = project.fetch_with(&project.may_move("acme:log")).await;
    assert_eq!(outcome.packages[0].repository.as_ref(), Some(&now));
}

#[tokio::test]
async fn a_folder_is_a_registry() {
    let project = Project::new("", APP);
    let config = format!(
        "default_registry = \"acme.example\"\n[registry.\"acme.example\".local]\nroot = {:?}\n",
        project.path("../packages")
    );
    let mut project = project;
    project.configure(&config);
    let missing = project.refuse(&project.options()).await;
    assert!(matches!(&missing, Cause::NoVersion { known, .. } if known.is_empty()), "{missing:?}");
    let put = |version: &str, text: &str| {
        project.write(&format!("../packages/acme/log/{version}.wasm"), wasm(&text.replace("1.0.0", version), &[]));
    };
    put("1.1.0", LOG);
    let missing = project.refuse(&project.options()).await;
    assert_eq!(missing.to_string(), "`acme:log` has no version `=1.0.0`; it has 1.1.0");
    put("1.0.0", LOG);
    let outcome = project.fetch().await;
    assert_eq!(outcome.packages[0].digest, Digest::sha256(&wasm(LOG, &[])));
    assert_eq!((outcome.packages[0].repository.as_ref(), outcome.packages[0].is_fetched), (None, false));
    assert!(!project.fetch_with(&project.offline()).await.is_changed);
    put("1.0.0", &LOG.replace("put", "other"));
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(cause, Cause::LockedOtherwise { .. }), "{cause:?}");
    // Without a version, the newest.
    project.write("wit/world.wit", APP.replace("@1.0.0", ""));
    assert_eq!(project.fetch().await.packages[0].version, "1.1.0");
}

#[tokio::test]
async fn a_package_of_a_folder_comes_from_no_other_place_and_the_reverse() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let remote = config_asking(&registry);
    let mut project = Project::new(&remote, APP);
    project.write("../packages/acme/log/1.0.0.wasm", wasm(LOG, &[]));
    let root = project.path("../packages").display().to_string();
    let local = format!("{remote}[registry.\"{}\".local]\nroot = {root:?}\n", registry.registry());
    let repository = format!("{}/acme/log", registry.registry());
    for (first, second, before, now) in [(&remote, &local, &repository, &root), (&local, &remote, &root, &repository)] {
        project.configure(first);
        project.fetch_with(&project.may_move("acme:log")).await;
        project.configure(second);
        let cause = project.refuse(&project.options()).await;
        let Cause::PackageMoved { before: found_before, now: found_now, .. } = &cause else { panic!("{cause:?}") };
        // Which folder it was is not recorded: it is that of one machine.
        let before = if before == &root { "a folder" } else { before };
        assert_eq!((found_before.as_str(), found_now.as_str()), (before, now.as_str()));
    }
}

#[tokio::test]
async fn a_package_of_no_registry_is_told() {
    let project = Project::new("", APP);
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(&cause, Cause::NoHome { package } if package.to_string() == "acme:log"), "{cause:?}");
}
