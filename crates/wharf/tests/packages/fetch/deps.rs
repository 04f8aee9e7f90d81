//! What is in `wit/deps` and in the lock files afterwards.

use wharf::{Cause, DepsForm, FetchOptions};

use crate::setup::{APP, LOG, Project, asked, config, deps, publish, registry_with, wasm};

const CLOCK: &str = "package acme:clock@0.2.0;\ninterface now { get: func() -> u64; }\n";
const BOTH: &str = "package acme:app;\nworld app { import acme:log/sink@1.0.0; import acme:clock/now@0.2.0; }\n";

#[tokio::test]
async fn what_was_put_there_by_hand_stays_and_counts_before_the_registry() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let by_hand = LOG.replace("put", "by-hand");
    for (path, content) in [
        ("wit/deps/logging/log.wit", by_hand.clone().into_bytes()),
        ("wit/deps/log.wit", by_hand.clone().into_bytes()),
        ("wit/deps/log.wasm", wasm(&by_hand, &[])),
        ("wit/deps/acme-log-1.0.0/package.wit", by_hand.clone().into_bytes()),
        ("wit/deps/acme-log-1.0.0.wasm", wasm(&by_hand, &[])),
    ] {
        let project = Project::new(&config(registry.registry()), APP);
        project.write("wit/deps/LICENSE", "free");
        project.write(path, &content);
        registry.clear_log();
        let outcome = project.fetch().await;
        assert_eq!((asked(&registry).len(), outcome.deps.len()), (0, 0), "{path}");
        // A second package, beside it, and gone again.
        project.write("wit/world.wit", BOTH);
        assert_eq!(deps(&project.fetch().await), ["acme-clock-0.2.0"], "{path}");
        project.write("wit/world.wit", APP);
        assert_eq!(project.fetch().await.packages, [], "{path}");
        let files = project.files();
        assert_eq!(files.get(path), Some(&content), "{path}");
        assert_eq!(files.get("wit/deps/LICENSE").unwrap(), b"free");
        assert!(!project.path("wit/deps/acme-clock-0.2.0").exists());
    }
}

#[tokio::test]
async fn a_part_of_a_package_in_wasm_by_hand_is_not_the_package() {
    let user = "package acme:user@1.0.0;\ninterface i { use acme:time/one@1.0.0.{t}; f: func() -> t; }\n";
    let time = "package acme:time@1.0.0;\ninterface one { type t = u8; }\ninterface two { type t = u16; }\n";
    let registry = registry_with(&[("acme/time:1.0.0", time)]).await;
    let user_alone = "package acme:app;\nworld app { import acme:user/i@1.0.0; }\n";
    let project = Project::new(&config(registry.registry()), user_alone);
    let vendored = wasm(user, &[time]);
    project.write("wit/deps/user.wasm", &vendored);
    let is_readable = || wharf::wit::Resolve::default().push_dir(project.path("wit")).is_ok();
    // What it takes from the other package stands in it.
    assert!(project.fetch().await.deps.is_empty() && is_readable());
    project.write("wit/world.wit", user_alone.replace("{", "{ import acme:time/two@1.0.0; "));
    // Other tools cannot read a package as text that stands in Wasm too.
    assert_eq!(deps(&project.fetch().await), ["acme-time-1.0.0.wasm"]);
    assert!(is_readable());
    assert_eq!(project.deps(), ["acme-time-1.0.0.wasm", "user.wasm"]);
}

#[tokio::test]
async fn what_somebody_calls_as_tools_would_is_not_replaced() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.write("wit/deps/acme-log-1.0.0/other.wit", CLOCK);
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(&cause, Cause::Exists { path } if path.ends_with("wit/deps/acme-log-1.0.0")), "{cause:?}");
}

#[tokio::test]
async fn what_is_no_longer_named_goes_from_deps_and_from_the_locks() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = Project::new(&config(registry.registry()), BOTH);
    project.fetch().await;
    assert_eq!(project.deps(), ["acme-clock-0.2.0", "acme-log-1.0.0"]);
    project.write("wit/world.wit", APP);
    assert!(project.fetch().await.is_changed);
    assert_eq!(project.deps(), ["acme-log-1.0.0"]);
    for lock in ["wkg.lock", "wharf.lock"] {
        let text = project.read(lock);
        assert!(text.contains("acme:log") && !text.contains("clock"), "{lock}: {text}");
    }
    project.write("wit/world.wit", "package acme:app;\n");
    project.fetch().await;
    assert_eq!(project.deps(), [""; 0]);
    assert!(project.read("wkg.lock").ends_with("version = 1\npackages = []\n"));
}

#[tokio::test]
async fn what_wkg_wrote_is_replaced() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = Project::new(&config(registry.registry()), BOTH);
    project.fetch().await;
    // wkg knows of no lock but its own, and leaves in it what is no longer named.
    std::fs::remove_file(project.path("wharf.lock")).unwrap();
    project.write("wit/world.wit", APP);
    assert_eq!(deps(&project.fetch().await), ["acme-log-1.0.0"]);
    assert_eq!(project.deps(), ["acme-log-1.0.0"]);
}

#[tokio::test]
async fn damage_to_what_was_generated_is_mended() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.fetch().await;
    let files = project.files();
    project.write("wit/deps/acme-log-1.0.0/package.wit", "package acme:log@1.0.0;\ninterface {\n");
    project.write("wit/deps/acme-log-1.0.0/more.wit", "interface more {}\n");
    assert!(project.fetch_with(&project.locked()).await.is_changed);
    assert_eq!(project.files(), files);
}

#[tokio::test]
async fn a_lock_that_has_to_stay_says_what_differs() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let added = "+ acme:log =1.0.0 from acme.example";
    let told = async |expected: &str| {
        let cause = project.refuse(&project.locked()).await;
        assert!(matches!(cause, Cause::LockOutdated { .. }), "{cause:?}");
        assert_eq!(cause.to_string(), format!("`wkg.lock` is not that of the WIT: {expected}"));
    };
    told(added).await;
    project.fetch().await;
    project.write("wit/world.wit", "package acme:app;\nworld app { import acme:clock/now@0.2.0; }\n");
    told("+ acme:clock =0.2.0 from acme.example, - acme:log =1.0.0 from acme.example").await;
    // A lock of wkg that does not say which registry it was.
    project.write("wit/world.wit", APP);
    project.write("wkg.lock", project.read("wkg.lock").replace("registry = \"acme.example\"\n", ""));
    told("+ acme:log =1.0.0 from acme.example, - acme:log =1.0.0").await;
}

#[tokio::test]
async fn a_project_without_packages_needs_no_lock() {
    let project = Project::new("", "package acme:app;\n");
    let files = project.files();
    assert!(!project.fetch_with(&project.locked()).await.is_changed);
    assert_eq!(project.files(), files);
}

#[tokio::test]
async fn as_wasm_the_bytes_of_the_registry_are_written() {
    let clock_user = format!("{LOG}interface timed {{ use acme:clock/now@0.2.0.{{instant}}; }}\n");
    let clock = "package acme:clock@0.2.0;\ninterface now { type instant = u64; }\n";
    let registry = registry_with(&[]).await;
    let bytes = wasm(&clock_user, &[clock]);
    publish(&registry, "acme/log:1.0.0", &bytes).await;
    let project = Project::new(&config(registry.registry()), APP);
    assert_eq!(deps(&project.fetch().await), ["acme-clock-0.2.0", "acme-log-1.0.0"]);
    let as_wasm = FetchOptions { form: DepsForm::Wasm, ..project.options() };
    assert_eq!(deps(&project.fetch_with(&as_wasm).await), ["acme-log-1.0.0.wasm"]);
    assert_eq!(project.deps(), ["acme-log-1.0.0.wasm"]);
    assert!(std::fs::read(project.path("wit/deps/acme-log-1.0.0.wasm")).unwrap() == bytes);
    assert!(!project.fetch_with(&as_wasm).await.is_changed);
    // What a path gives has no bytes of a registry, and is written as text, so that `wit/deps` is whole.
    project.write("wkg.toml", "[overrides]\n\"acme:log\" = { path = \"../log\" }\n");
    project.write("../log/log.wit", LOG);
    assert_eq!(deps(&project.fetch_with(&as_wasm).await), ["acme-log-1.0.0"]);
    assert_eq!(project.read("wit/deps/acme-log-1.0.0/package.wit").matches("interface sink").count(), 1);
}

#[tokio::test]
async fn a_fetch_that_fails_late_leaves_all_as_it_was() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.fetch().await;
    // All is fetched, and then the world asks for an interface that is not there.
    project.write("wit/world.wit", BOTH.replace("clock/now", "clock/then"));
    let cause = project.refuse(&project.options()).await;
    let Cause::Wit(error) = &cause else { panic!("{cause:?}") };
    assert!(error.to_string().contains("wit/world.wit:2:"), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_leaves_all_as_it_was() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.write("wit/deps", "a file");
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(&cause, Cause::File { path, .. } if path.ends_with("wit/deps")), "{cause:?}");
}
