//! `outdated`.

use wharf::{Error, OutdatedOutcome, PackageInUse, outdated};
use wharf_testing::registry::TestRegistry;

use crate::setup::{APP, LOG, Project, asked, config, publish, wasm};

const CLOCK: &str = "package acme:clock@0.2.0;\ninterface now { get: func() -> u64; }\n";

async fn registry_of(packages: &[(&str, &[&str])]) -> TestRegistry {
    let registry = TestRegistry::start().await;
    for (name, versions) in packages {
        for version in *versions {
            let text = if *name == "log" { LOG.replace("1.0.0", version) } else { CLOCK.replace("0.2.0", version) };
            publish(&registry, &format!("acme/{name}:{version}"), &wasm(&text, &[])).await;
        }
    }
    registry
}

async fn compare(project: &Project) -> OutdatedOutcome {
    outdated(project.connect(), &project.options().project).await.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Returns name, version in use, newest compatible and newest version of each package.
fn rows(outcome: &OutdatedOutcome) -> Vec<String> {
    let shown =
        |version: &Option<wharf::packages::Version>| version.as_ref().map_or("-".to_owned(), ToString::to_string);
    let row = |it: &PackageInUse| {
        let mark = if it.is_outdated { " !" } else { "" };
        format!("{} {} {} {}{mark}", it.name, shown(&it.version), shown(&it.compatible), shown(&it.newest))
    };
    outcome.packages.iter().map(row).collect()
}

#[tokio::test]
async fn each_package_costs_one_list_of_tags() {
    let registry =
        registry_of(&[("log", &["1.0.0", "1.1.0", "1.10.0", "2.0.0", "3.0.0-rc.1"]), ("clock", &["0.2.0", "0.2.1"])])
            .await;
    let world = "package acme:app;\nworld app {\n  import acme:log/sink@1.0.0;\n  import acme:log/sink@2.0.0;\n  \
                 export acme:clock/now@0.2.1;\n}\n";
    let project = Project::new(&config(registry.registry()), world);
    let before = project.files();
    let outcome = compare(&project).await;
    assert_eq!(asked(&registry), ["GET /v2/acme/clock/tags/list", "GET /v2/acme/log/tags/list"]);
    let expected = ["acme:clock 0.2.1 0.2.1 0.2.1", "acme:log 1.0.0 1.10.0 2.0.0 !", "acme:log 2.0.0 2.0.0 2.0.0"];
    assert_eq!(rows(&outcome), expected);
    assert_eq!(outcome.packages[1].registry, "acme.example");
    let [place] = outcome.packages[1].places.as_slice() else { panic!("{outcome:?}") };
    assert!(place.ends_with("wit/world.wit:3:19"), "{place}");
    assert_eq!(project.files(), before);
}

#[tokio::test]
async fn what_the_wit_leaves_open_is_in_use_as_it_is_locked() {
    let registry = registry_of(&[("log", &["1.0.0"])]).await;
    let project = Project::new(&config(registry.registry()), &APP.replace("@1.0.0", ""));
    assert_eq!(rows(&compare(&project).await), ["acme:log - - 1.0.0"]);
    project.fetch().await;
    publish(&registry, "acme/log:1.1.0", &wasm(&LOG.replace("1.0.0", "1.1.0"), &[])).await;
    assert_eq!(rows(&compare(&project).await), ["acme:log 1.0.0 1.1.0 1.1.0 !"]);
}

#[tokio::test]
async fn a_package_that_cannot_be_asked_for_is_an_error() {
    let registry = registry_of(&[("log", &["1.0.0"])]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let error = outdated(project.connect(), &project.offline().project).await.unwrap_err();
    assert!(matches!(&error, Error::Outdated { source: wharf::Cause::Offline { .. }, .. }), "{error:?}");
    registry.stop().await;
    let error = outdated(project.connect(), &project.options().project).await.unwrap_err();
    assert!(error.reason().client().is_some(), "{error:?}");
}

#[tokio::test]
async fn what_is_here_is_not_asked_for() {
    let project = Project::new("", APP);
    project.write("wit/deps/log/log.wit", LOG);
    assert_eq!(compare(&project).await.packages, []);
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_told_as_that() {
    let registry = registry_of(&[("log", &["1.0.0"])]).await;
    let project = Project::new(&config(registry.registry()), &APP.replace("1.0.0", "1.0.9"));
    let outcome = outdated(project.connect(), &project.options().project).await.unwrap();
    let package = &outcome.packages[0];
    let newest = package.newest.as_ref().map(ToString::to_string);
    assert_eq!((package.is_published, newest.as_deref()), (false, Some("1.0.0")));
    let project = Project::new(&config(registry.registry()), &APP.replace("acme:log", "acme:lag"));
    let error = outdated(project.connect(), &project.options().project).await.unwrap_err();
    assert!(error.unknown_package().is_some(), "{error:?}");
}
