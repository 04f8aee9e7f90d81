//! `update`.

use wharf::{Cause, DepsForm, Error, Network, UpdateMode, UpdateOptions, UpdateOutcome, update};
use wharf_testing::registry::TestRegistry;

use crate::setup::{APP, LOG, Project, asked, config, publish, wasm};

const CLOCK: &str = "package acme:clock@0.2.0;\ninterface now { get: func() -> u64; }\n";
/// A world that leaves open in which versions it takes both packages.
const OPEN: &str = "package acme:app;\nworld app {\n  import acme:log/sink;\n  import acme:clock/now;\n}\n";

async fn publish_log(registry: &TestRegistry, version: &str) {
    publish(registry, &format!("acme/log:{version}"), &wasm(&LOG.replace("1.0.0", version), &[])).await;
}

async fn publish_clock(registry: &TestRegistry, version: &str) {
    publish(registry, &format!("acme/clock:{version}"), &wasm(&CLOCK.replace("0.2.0", version), &[])).await;
}

/// Starts a registry with the first versions, fetches them for a project, and publishes newer ones.
async fn fetched(world: &str, wkg_toml: &str) -> (TestRegistry, Project) {
    let registry = TestRegistry::start().await;
    publish_log(&registry, "1.0.0").await;
    publish_clock(&registry, "0.2.0").await;
    let project = Project::new(&config(registry.registry()), world);
    project.write("wkg.toml", wkg_toml);
    project.fetch().await;
    for version in ["1.1.0", "2.0.0", "3.0.0-rc.1"] {
        publish_log(&registry, version).await;
    }
    publish_clock(&registry, "0.2.1").await;
    registry.clear_log();
    (registry, project)
}

fn options(project: &Project, packages: &[&str]) -> UpdateOptions {
    UpdateOptions {
        project: project.options().project,
        packages: packages.iter().map(|name| name.parse().unwrap()).collect(),
        form: DepsForm::Wit,
        mode: UpdateMode::Write,
    }
}

async fn run(project: &Project, options: &UpdateOptions) -> UpdateOutcome {
    update(project.connect(), options).await.unwrap_or_else(|error| panic!("{error:?}"))
}

async fn refuse(project: &Project, options: &UpdateOptions) -> Cause {
    let before = project.files();
    let error = update(project.connect(), options).await.expect_err("it was updated");
    assert_eq!(project.files(), before);
    let Error::Update { source, .. } = error else { panic!("{error:?}") };
    source
}

fn rows(outcome: &UpdateOutcome) -> Vec<String> {
    let old = |old: &Option<wharf::packages::Version>| old.as_ref().map_or("-".to_owned(), ToString::to_string);
    outcome.packages.iter().map(|it| format!("{} {} {} {}", it.name, it.requirement, old(&it.old), it.new)).collect()
}

#[tokio::test]
async fn what_is_open_is_chosen_anew_and_fetched() {
    let (registry, project) = fetched(OPEN, "").await;
    let outcome = run(&project, &options(&project, &[])).await;
    assert_eq!(rows(&outcome), ["acme:log * 1.0.0 2.0.0", "acme:clock * 0.2.0 0.2.1"]);
    assert!(outcome.is_changed && outcome.pinned.is_empty());
    assert_eq!(project.deps(), ["acme-clock-0.2.1", "acme-log-2.0.0"]);
    assert!(project.read("wkg.lock").contains("requirement = \"*\"\nversion = \"2.0.0\""));
    assert_eq!(registry.log().len(), 6, "a list, a manifest and a blob for each: {:#?}", asked(&registry));
    assert!(!project.fetch_with(&project.locked()).await.is_changed, "it is locked");
    let again = run(&project, &options(&project, &[])).await;
    assert_eq!(rows(&again), ["acme:log * 2.0.0 2.0.0", "acme:clock * 0.2.1 0.2.1"]);
    assert!(!again.is_changed);
}

#[tokio::test]
async fn only_the_packages_that_are_named_are_chosen_anew() {
    let (registry, project) = fetched(OPEN, "").await;
    let outcome = run(&project, &options(&project, &["acme:clock"])).await;
    assert_eq!(rows(&outcome), ["acme:clock * 0.2.0 0.2.1"]);
    assert_eq!(project.deps(), ["acme-clock-0.2.1", "acme-log-1.0.0"]);
    assert!(!asked(&registry).iter().any(|request| request.contains("acme/log")));
}

#[tokio::test]
async fn an_override_keeps_the_choice_in_its_range() {
    let overrides = "[overrides]\n\"acme:log\" = { version = \"^1.0\" }\n";
    let (_registry, project) = fetched(&APP.replace("@1.0.0", ""), overrides).await;
    assert_eq!(rows(&run(&project, &options(&project, &[])).await), ["acme:log ^1.0 1.0.0 1.1.0"]);
}

#[tokio::test]
async fn a_dry_run_tells_and_writes_nothing() {
    let (_registry, project) = fetched(OPEN, "").await;
    let before = project.files();
    let dry = UpdateOptions { mode: UpdateMode::DryRun, ..options(&project, &["acme:log"]) };
    let outcome = run(&project, &dry).await;
    assert_eq!(rows(&outcome), ["acme:log * 1.0.0 2.0.0"]);
    assert!(!outcome.is_changed);
    assert_eq!(project.files(), before);
}

#[tokio::test]
async fn of_what_the_wit_pins_it_is_told_what_is_newer() {
    let world = "package acme:app;\nworld app {\n  import acme:log/sink@1.0.0;\n  import acme:clock/now@0.2.0;\n}\n";
    let (registry, project) = fetched(world, "").await;
    let outcome = run(&project, &options(&project, &["acme:log"])).await;
    assert!(!outcome.is_changed && outcome.packages.is_empty());
    let [pinned] = outcome.pinned.as_slice() else { panic!("{outcome:?}") };
    assert_eq!(pinned.name, "acme:log");
    assert_eq!((pinned.version.to_string(), pinned.compatible.to_string()), ("1.0.0".into(), "1.1.0".into()));
    assert!(pinned.place.ends_with("wit/world.wit:3:19"), "{}", pinned.place);
    assert_eq!(pinned.folder, project.path(""));
    assert_eq!(asked(&registry), ["GET /v2/acme/log/tags/list"], "what is locked and kept is not asked for");
    registry.clear_log();
    let mut offline = options(&project, &[]);
    offline.project.sources.network = Network::Offline;
    assert_eq!(run(&project, &offline).await.pinned, []);
    assert_eq!(asked(&registry), [""; 0]);
}

#[tokio::test]
async fn of_each_member_of_a_workspace_it_is_told_what_is_newer() {
    let (_registry, project) = fetched(OPEN, "").await;
    project.write("wkg.toml", "[workspace]\nmembers = [\"one\", \"two\"]\n");
    for name in ["one", "two"] {
        let text = format!("package acme:{name};\nworld {name} {{\n  import acme:log/sink@1.0.0;\n}}\n");
        project.write(&format!("{name}/wit/{name}.wit"), &text);
    }
    let outcome = run(&project, &options(&project, &[])).await;
    let folders: Vec<_> = outcome.pinned.iter().map(|pinned| pinned.folder.clone()).collect();
    assert_eq!(folders, [project.path("one/wit"), project.path("two/wit")]);
}

#[tokio::test]
async fn a_locked_version_with_other_content_is_refused() {
    let registry = TestRegistry::start().await;
    publish_log(&registry, "1.0.0").await;
    let project = Project::new(&config(registry.registry()), &APP.replace("@1.0.0", ""));
    project.fetch().await;
    publish(&registry, "acme/log:1.0.0", &wasm(&LOG.replace("line", "other"), &[])).await;
    project.clear_cache();
    let cause = refuse(&project, &options(&project, &[])).await;
    assert!(matches!(cause, Cause::LockedOtherwise { .. }), "{cause:?}");
}

#[tokio::test]
async fn a_package_that_is_not_used_is_told_with_those_that_are_spelled_alike() {
    let (registry, project) = fetched(OPEN, "").await;
    for (name, message) in [
        ("acme:lgo", "the project does not use `acme:lgo`, but `acme:log`"),
        ("other:thing", "the project does not use `other:thing`"),
    ] {
        let cause = refuse(&project, &options(&project, &["acme:log", name])).await;
        assert_eq!(cause.to_string(), message);
    }
    assert_eq!(asked(&registry), [""; 0]);
}

#[tokio::test]
async fn what_is_here_stays_as_it_is() {
    let project = Project::new("", &APP.replace("@1.0.0", ""));
    project.write("wit/deps/log/log.wit", LOG);
    let outcome = run(&project, &options(&project, &["acme:log"])).await;
    assert_eq!((rows(&outcome), outcome.is_changed), (vec![], true), "the first lock files are written");
}
