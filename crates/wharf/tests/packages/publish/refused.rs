//! What is not published, and why.

use axum::body::Body;
use axum::response::Response;
use wharf::client::Error as ClientError;
use wharf::oci::Digest;
use wharf::{BreakPolicy, Cause, Duplicates, Locking, PackageFault, PublishOptions, PublishStatus, Selection};
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use super::{fault, log, options, published, refused, tagged, writes};
use crate::setup::{APP, LOG, Project, config, publish, registry_with, wasm};

#[tokio::test]
async fn a_version_is_published_once() {
    for version in ["1.0.0", "1.0.0-rc.1", "1.0.0+build", "0.0.1"] {
        let registry = TestRegistry::start().await;
        let project = Project::new(&config(registry.registry()), &LOG.replace("1.0.0", version));
        published(&project, &options(&project)).await;
        let place = format!("acme/log:{}", version.replace('+', "_"));
        let before = tagged(&registry, &place).await.unwrap();
        for (text, expected) in [("string", "the same content"), ("u8", "other content")] {
            project.write("wit/world.wit", LOG.replace("1.0.0", version).replace("string", text));
            for breaks in [BreakPolicy::Refuse, BreakPolicy::Allow] {
                registry.clear_log();
                let fault = fault(&project, &PublishOptions { breaks, ..options(&project) }).await;
                let host = registry.registry();
                let expected = format!("`acme:log@{version}` is in `{host}/acme/log` already, with {expected}");
                assert_eq!(fault.to_string(), expected);
                assert_eq!(writes(&registry), [""; 0]);
            }
        }
        assert_eq!(tagged(&registry, &place).await, Some(before));
    }
}

#[tokio::test]
async fn a_version_is_found_on_the_last_page_of_the_list() {
    let registry = TestRegistry::with(|request| {
        let is_list = request.uri.path() == "/v2/acme/log/tags/list";
        let response = Response::builder().header("content-type", "application/json");
        is_list.then(|| match request.uri.query().is_some_and(|query| query.contains("last=0.9.0")) {
            true => response.body(Body::from(r#"{"name":"acme/log","tags":["1.0.0"]}"#)).unwrap(),
            false => response
                .header("link", "</v2/acme/log/tags/list?last=0.9.0&n=1>; rel=\"next\"")
                .body(Body::from(r#"{"name":"acme/log","tags":["0.9.0"]}"#))
                .unwrap(),
        })
    });
    let registry = registry.await;
    publish(&registry, "acme/log:1.0.0", &wasm(LOG, &[])).await;
    let project = Project::new(&config(registry.registry()), LOG);
    let fault = fault(&project, &options(&project)).await;
    assert!(matches!(fault, PackageFault::Published { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_version_that_somebody_else_publishes_meanwhile_stays() {
    // Nothing is there when it is looked for.
    let registry = TestRegistry::with(|request| {
        let is_list = request.uri.path() == "/v2/acme/log/tags/list";
        is_list.then(|| Response::new(Body::from(r#"{"name":"acme/log","tags":[]}"#)))
    });
    let registry = registry.await;
    publish(&registry, "acme/log:1.0.0", &wasm(&LOG.replace("string", "u8"), &[])).await;
    let before = tagged(&registry, "acme/log:1.0.0").await;
    let project = Project::new(&config(registry.registry()), LOG);
    let fault = fault(&project, &options(&project)).await;
    assert!(matches!(fault, PackageFault::Published { is_same: false, .. }), "{fault:?}");
    assert_eq!(tagged(&registry, "acme/log:1.0.0").await, before);
    assert!(writes(&registry).iter().all(|request| !request.contains("manifests")));
}

#[tokio::test]
async fn what_is_there_is_left_out_where_that_is_asked_for() {
    let registry = TestRegistry::start().await;
    let project = Project::new(&config(registry.registry()), LOG);
    let skip = PublishOptions { duplicates: Duplicates::Skip, ..options(&project) };
    let first = published(&project, &skip).await.packages.remove(0);
    registry.clear_log();
    for (text, is_other) in [("string", false), ("u8", true)] {
        project.write("wit/world.wit", LOG.replace("string", text));
        let package = published(&project, &skip).await.packages.remove(0);
        assert_eq!((package.status, package.is_other), (PublishStatus::Skipped, is_other));
        assert_eq!(package.reference, first.reference);
    }
    assert_eq!(writes(&registry), [""; 0]);
}

#[tokio::test]
async fn what_another_tool_has_built_of_the_same_wit_is_the_same() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), LOG);
    for (text, is_other) in [("string", false), ("u8", true)] {
        project.write("wit/world.wit", LOG.replace("string", text));
        let skip = PublishOptions { duplicates: Duplicates::Skip, ..options(&project) };
        let package = published(&project, &skip).await.packages.remove(0);
        assert_eq!((package.status, package.is_other), (PublishStatus::Skipped, is_other));
        assert_ne!(package.digest, Digest::sha256(&wasm(LOG, &[])));
    }
}

#[tokio::test]
async fn a_break_is_refused_with_item_and_line_unless_it_is_allowed() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/log:0.9.0", &log("0.9.0", "old: func();"))]).await;
    let project = Project::new(&config(registry.registry()), &log("1.1.0", "flush: func();\n  put: func(line: u8);"));
    registry.clear_log();
    let fault = fault(&project, &options(&project)).await;
    let PackageFault::Breaking { older, newer, published: there, least_version, changes, .. } = &fault else {
        panic!("{fault:?}")
    };
    let versions = [older, newer, there, least_version].map(ToString::to_string);
    assert_eq!(versions, ["1.0.0", "1.1.0", "1.0.0", "2.0.0"]);
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.item.as_str(), change.place.as_ref().unwrap().line), ("interface sink: function put", 3));
    let place = project.path("wit/world.wit");
    let expected = format!(
        "`acme:log@1.1.0` breaks who uses 1.0.0, and would have to be 2.0.0\n~ interface sink: function put: parameters changed: was \
         `func(line: string)`, is `func(line: u8)`; breaks callers and implementers ({}:3)",
        place.display()
    );
    assert_eq!(fault.to_string(), expected);
    assert_eq!(writes(&registry), [""; 0]);
    published(&project, &PublishOptions { breaks: BreakPolicy::Allow, ..options(&project) }).await;
    assert!(tagged(&registry, "acme/log:1.1.0").await.is_some());
}

#[tokio::test]
async fn a_version_between_others_must_not_have_what_the_next_one_lacks() {
    let (older, newer) = (LOG, log("1.2.0", "put: func(line: string);"));
    let registry = registry_with(&[("acme/log:1.0.0", older), ("acme/log:1.2.0", &newer)]).await;
    let project = Project::new(&config(registry.registry()), &log("1.1.0", "put: func(line: string); flush: func();"));
    let fault = fault(&project, &options(&project)).await;
    let PackageFault::Breaking { older, newer, published, .. } = &fault else { panic!("{fault:?}") };
    assert_eq!([older, newer, published].map(ToString::to_string), ["1.1.0", "1.2.0", "1.2.0"]);
    assert!(
        fault.to_string().starts_with("`acme:log@1.1.0` would be broken by 1.2.0, which is published\n- interface")
    );
}

#[tokio::test]
async fn a_component_is_compared_too() {
    let registry = TestRegistry::start().await;
    let project = Project::new(&config(registry.registry()), "");
    // `fixtures::component` has an import and an export; a component without them lacks both.
    project.write("one.wasm", fixtures::component("one"));
    project.write("none.wasm", b"\0asm\x0d\0\x01\0");
    let as_version = |file: &str, version: &str| PublishOptions {
        paths: vec![project.path(file)],
        package: Some(format!("acme:app@{version}").parse().unwrap()),
        ..options(&project)
    };
    published(&project, &as_version("one.wasm", "1.0.0")).await;
    let fault = fault(&project, &as_version("none.wasm", "1.0.1")).await;
    assert!(matches!(fault, PackageFault::Breaking { .. }), "{fault:?}");
    published(&project, &as_version("none.wasm", "2.0.0")).await;
}

#[tokio::test]
async fn who_a_package_is_has_to_be_clear() {
    let registry = TestRegistry::start().await;
    let project = Project::new(&config(registry.registry()), "package acme:log;\n");
    project.write("versioned/log.wit", LOG);
    project.write("app.wasm", fixtures::component("app"));
    project.write("log.wasm", wasm(LOG, &[]));
    project.write("app.wit", "package acme:text;\n");
    for (paths, package, expected) in [
        (vec![""], None, "has no version"),
        (vec!["versioned"], Some("acme:log@2.0.0"), "is the package `acme:log@1.0.0`, and cannot be"),
        (vec!["versioned"], Some("acme:lag"), "cannot be published as `acme:lag`"),
        (vec!["log.wasm"], Some("acme:log@2.0.0"), "cannot be published as `acme:log@2.0.0`"),
        (vec!["app.wasm"], None, "does not say which package it is"),
        (vec!["app.wasm"], Some("acme:app"), "has no version"),
        (vec!["log.wasm", "app.wasm"], Some("acme:log@1.0.0"), "`acme:log@1.0.0` is one package, and 2 are"),
        (vec!["app.wit"], None, "`acme:text` in "),
        (vec!["log.wasm", "versioned"], None, "`acme:log@1.0.0` is in "),
    ] {
        let (paths, package) =
            (paths.iter().map(|path| project.path(path)).collect(), package.map(|it| it.parse().unwrap()));
        let fault = fault(&project, &PublishOptions { paths, package, ..options(&project) }).await;
        assert!(fault.to_string().contains(expected), "{fault}");
    }
    let given = Some("acme:log@0.1.0".parse().unwrap());
    let outcome = published(&project, &PublishOptions { package: given, ..options(&project) }).await;
    assert_eq!(outcome.packages[0].version, "0.1.0");
}

#[tokio::test]
async fn a_workspace_is_published_where_that_is_asked_for() {
    let project = Project::new("", LOG);
    let whole = PublishOptions { selection: Selection::Workspace, ..options(&project) };
    assert!(matches!(fault(&project, &whole).await, PackageFault::NoWorkspace { .. }));
    project.write("wkg.toml", "[workspace]\nmembers = [\"*\"]\n");
    assert!(matches!(fault(&project, &options(&project)).await, PackageFault::Workspace { .. }));
}

#[tokio::test]
async fn a_lock_has_to_be_that_of_the_wit_and_none_is_written() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), &APP.replace("acme:app", "acme:app@0.1.0"));
    let locked = PublishOptions { locking: Locking::Locked, ..options(&project) };
    let cause = refused(&project, &locked).await;
    assert!(matches!(cause, Cause::LockOutdated { .. }), "{cause:?}");
    published(&project, &options(&project)).await;
    project.write("wkg.lock", "version = 1\npackages = []\n");
    project.write("wit/world.wit", APP.replace("acme:app", "acme:app@0.2.0"));
    let cause = refused(&project, &options(&project)).await;
    assert!(matches!(cause, Cause::LockOutdated { .. }), "{cause:?}");
}

#[tokio::test]
async fn a_registry_that_cannot_be_reached_is_named() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().clone();
    registry.stop().await;
    let project = Project::impatient(&config(&host), LOG);
    let cause = refused(&project, &options(&project)).await;
    assert_eq!(cause.to_string(), format!("cannot get `acme:log` from `{host}/acme/log`"));
    let Cause::Package { source, .. } = &cause else { panic!("{cause:?}") };
    assert!(matches!(source.client(), Some(ClientError::Connect { .. })), "{source:?}");
}
