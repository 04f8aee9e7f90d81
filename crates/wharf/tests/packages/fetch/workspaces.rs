//! Workspaces: members that need each other, one lock for all.

use wharf::wit::Error as WitError;
use wharf::{Cause, FetchOptions, Network};

use crate::setup::{LOG, Project, asked, config, registry_with};

const CLOCK: &str = "package acme:clock@0.2.0;\ninterface now { get: func() -> u64; }\n";
/// A member that needs a package of a registry.
const TIME: &str = "package acme:time@1.0.0;\ninterface i { use acme:clock/now@0.2.0; }\n";
/// A member that needs another member, and a package of a registry.
const APP: &str = "package acme:app;\nworld app { import acme:lib/i@1.0.0; import acme:log/sink@1.0.0; }\n";
const LIB: &str =
    "package acme:lib@1.0.0;\ninterface i { f: func(); }\nworld w { import acme:clock/now@0.2.0; import i; }\n";

/// Makes a workspace of `app`, which needs `libs/lib`, whose WIT is in no folder `wit`.
fn workspace(config: &str) -> Project {
    let project = Project::new(config, "");
    std::fs::remove_dir_all(project.path("wit")).unwrap();
    project.write("wkg.toml", "[workspace]\nmembers = [\"app\", \"libs/*\"]\n");
    project.write("app/wit/app.wit", APP);
    project.write("libs/lib/lib.wit", LIB);
    project.write("libs/README.md", "no member");
    project
}

fn only(project: &Project, folder: &str) -> FetchOptions {
    let mut options = project.options();
    options.project.folder = project.path(folder);
    options
}

#[tokio::test]
async fn each_member_has_a_folder_of_deps_and_all_have_one_lock() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = workspace(&config(registry.registry()));
    let outcome = project.fetch().await;
    let names = |folder: &str| outcome.deps[folder].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names("app/wit"), ["acme-clock-0.2.0", "acme-lib-1.0.0", "acme-log-1.0.0"]);
    assert_eq!(names("libs/lib"), ["acme-clock-0.2.0"]);
    assert!(project.read("app/wit/deps/acme-lib-1.0.0/package.wit").contains("f: func()"));
    let named: Vec<_> = outcome.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(named, ["acme:clock", "acme:log"], "no registry is asked for a member");
    assert_eq!(asked(&registry).len(), 4, "each is brought once");
    registry.clear_log();
    assert!(!project.fetch_with(&project.locked()).await.is_changed);
    assert!(asked(&registry).is_empty());
}

#[tokio::test]
async fn one_member_leaves_what_is_locked_for_the_others() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = workspace(&config(registry.registry()));
    for folder in ["app", "app/wit"] {
        project.fetch().await;
        let before = project.files();
        let outcome = project.fetch_with(&only(&project, folder)).await;
        assert!(!outcome.is_changed, "{folder}");
        assert_eq!(outcome.deps.keys().collect::<Vec<_>>(), ["app/wit"]);
        assert_eq!(project.files(), before, "{folder}");
        // Of the others, nothing had been fetched.
        project.start_over_in("app/wit");
        std::fs::remove_dir_all(project.path("libs/lib/deps")).unwrap();
        project.fetch_with(&only(&project, "libs/lib")).await;
        assert!(project.read("wkg.lock").contains("acme:clock") && !project.read("wkg.lock").contains("acme:log"));
        project.fetch_with(&only(&project, folder)).await;
        assert_eq!(project.files(), before, "{folder}");
    }
}

#[tokio::test]
async fn what_no_member_needs_any_longer_is_taken_out_where_all_are_fetched() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = workspace(&config(registry.registry()));
    project.fetch().await;
    project.write("app/wit/app.wit", "package acme:app;\nworld app { import acme:lib/i@1.0.0; }\n");
    project.fetch_with(&only(&project, "app")).await;
    assert!(project.read("wkg.lock").contains("acme:log"), "another member may need it");
    project.fetch().await;
    assert!(!project.read("wkg.lock").contains("acme:log"));
    assert!(!project.path("app/wit/deps/acme-log-1.0.0").exists());
}

#[tokio::test]
async fn another_version_than_that_of_the_member_comes_from_the_registry() {
    let published = LIB.replace("1.0.0", "0.9.0").replace("world w { import acme:clock/now@0.2.0; import i; }", "");
    let registry =
        registry_with(&[("acme/lib:0.9.0", &published), ("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = workspace(&config(registry.registry()));
    project.write("app/wit/app.wit", "package acme:app;\nworld app { import acme:lib/i@0.9.0; }\n");
    let outcome = project.fetch_with(&only(&project, "app")).await;
    assert_eq!((outcome.packages[0].name.as_str(), outcome.packages[0].version.as_str()), ("acme:lib", "0.9.0"));
}

#[tokio::test]
async fn members_that_need_each_other_are_refused_as_a_cycle() {
    let registry = registry_with(&[]).await;
    let project = workspace(&config(registry.registry()));
    project
        .write("app/wit/app.wit", "package acme:app@1.0.0;\ninterface i { use acme:lib/i@1.0.0.{t}; type u = t; }\n");
    let lib = "package acme:lib@1.0.0;\ninterface i { use acme:app/i@1.0.0.{u}; type t = u8; }\n";
    project.write("libs/lib/lib.wit", lib);
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(cause, Cause::Wit(WitError::Cycle { .. })), "{cause:?}");
    assert!(cause.to_string().contains("`acme:lib@1.0.0` -> `acme:app@1.0.0` -> `acme:lib@1.0.0`"), "{cause}");
}

#[tokio::test]
async fn a_path_leads_on_to_the_paths_and_versions_of_its_own_manifest() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/log:1.2.0", &LOG.replace("1.0.0", "1.2.0"))]).await;
    let project = Project::new(&config(registry.registry()), "package acme:app;\nworld app { import acme:one/i; }\n");
    project.write("wkg.toml", "[overrides]\n\"acme:one\" = { path = \"../one/wit\" }\n");
    project.write("../one/wit/one.wit", "package acme:one@1.0.0;\ninterface i { use acme:two/i.{t}; type u = t; }\n");
    project.write("../one/wkg.toml", "[overrides]\n\"acme:two\" = { path = \"../two\" }\n");
    let two = "package acme:two@1.0.0;\ninterface i { type t = u8; }\nworld w { import acme:log/sink; }\n";
    project.write("../two/two.wit", two);
    project.write("../two/wkg.toml", "[overrides]\n\"acme:log\" = { version = \"=1.0.0\" }\n");
    let outcome = project.fetch().await;
    assert_eq!((outcome.packages[0].name.as_str(), outcome.packages[0].version.as_str()), ("acme:log", "1.0.0"));
    assert_eq!(project.deps(), ["acme-log-1.0.0", "acme-one-1.0.0", "acme-two-1.0.0"]);
}

#[tokio::test]
async fn ranges_that_no_version_meets_together_are_explained() {
    let [two, three] = ["2.0.0", "3.0.0"].map(|version| LOG.replace("1.0.0", version));
    let registry = registry_with(&[("acme/log:2.0.0", &two), ("acme/log:3.0.0", &three)]).await;
    let world = "package acme:app;\nworld app { import acme:one/i; import acme:log/sink; }\n";
    let project = Project::new(&config(registry.registry()), world);
    project.write("wkg.toml", "[overrides]\n\"acme:one\" = { path = \"../one\" }\n");
    project.write("../one/one.wit", "package acme:one@1.0.0;\ninterface i {}\nworld w { import acme:log/sink; }\n");
    project.write("../one/wkg.toml", "[overrides]\n\"acme:log\" = { version = \"^2\" }\n");
    assert_eq!(project.fetch().await.packages[0].version, "2.0.0", "one version for both");
    project.start_over();
    let overrides = "[overrides]\n\"acme:one\" = { path = \"../one\" }\n\"acme:log\" = { version = \"^3\" }\n";
    project.write("wkg.toml", overrides);
    assert_eq!(project.fetch().await.packages[0].version, "3.0.0", "the project has the last word");
    project.start_over();
    project
        .write("wkg.toml", "[overrides]\n\"acme:one\" = { path = \"../one\" }\n\"acme:two\" = { path = \"../two\" }\n");
    project.write("../two/two.wit", "package acme:two@1.0.0;\nworld w { import acme:log/sink; }\n");
    project.write("../two/wkg.toml", "[overrides]\n\"acme:log\" = { version = \"^3\" }\n");
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(cause, Cause::Unresolvable(_)), "{cause:?}");
    let text = cause.to_string();
    for part in ["`acme:one@1.0.0` needs `acme:log` ^2", "`acme:two@1.0.0` needs `acme:log` ^3", "2.0.0"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn all_members_without_a_registry_are_fetched_with_none() {
    let project = workspace("");
    project.write("app/wit/app.wit", "package acme:app;\nworld app { import acme:lib/i@1.0.0; }\n");
    project.write("libs/lib/lib.wit", TIME.replace("acme:time", "acme:lib").replace("use acme:clock/now@0.2.0;", ""));
    let mut options = project.options();
    options.project.sources.network = Network::Offline;
    assert!(project.fetch_with(&options).await.packages.is_empty());
}

#[tokio::test]
async fn a_folder_that_is_no_member_leaves_what_is_locked_for_the_workspace() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = workspace(&config(registry.registry()));
    project.fetch().await;
    project.write("other/wit/other.wit", "package acme:other;\nworld other { import acme:clock/now@0.2.0; }\n");
    project.fetch_with(&only(&project, "other")).await;
    for options in [project.locked(), only(&project, "other")] {
        assert!(!project.fetch_with(&options).await.is_changed);
    }
    std::fs::remove_dir_all(project.path("other")).unwrap();
    project.fetch().await;
    assert!(!project.read("wharf.lock").contains("other/wit"));
}

#[tokio::test]
async fn two_folders_of_wit_beside_one_manifest_leave_each_other_alone() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = Project::new(&config(registry.registry()), "package acme:one;\nworld w { import acme:log/sink; }\n");
    project.write("wkg.toml", "[metadata]\n");
    project.write("two/wit/two.wit", "package acme:two;\nworld w { import acme:clock/now; }\n");
    project.fetch().await;
    project.fetch_with(&only(&project, "two")).await;
    let lock = project.read("wkg.lock");
    assert!(lock.contains("acme:log") && lock.contains("acme:clock"), "{lock}");
    project.write("wit/world.wit", "package acme:one;\nworld w {}\n");
    project.fetch().await;
    assert_eq!(project.deps(), [""; 0], "what was generated is no more by hand than before");
}

#[tokio::test]
async fn what_is_put_where_something_was_generated_once_is_by_hand() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let project = workspace(&config(registry.registry()));
    project.fetch().await;
    project.write("app/wit/app.wit", "package acme:app;\nworld app {}\n");
    project.fetch_with(&only(&project, "app")).await;
    project.write("app/wit/deps/acme-log-1.0.0/mine.wit", LOG);
    project.write("app/wit/app.wit", "package acme:app;\nworld app { import acme:log/sink@1.0.0; }\n");
    project.fetch_with(&only(&project, "app")).await;
    assert_eq!(project.read("app/wit/deps/acme-log-1.0.0/mine.wit"), LOG);
}

#[tokio::test]
async fn paths_that_lead_back_to_the_project_are_refused_as_a_cycle() {
    let project = Project::new("", "package acme:app@1.0.0;\ninterface i { use acme:lib/i.{t}; type u = t; }\n");
    project.write("wkg.toml", "[overrides]\n\"acme:lib\" = { path = \"lib\" }\n");
    project.write("lib/lib.wit", "package acme:lib@1.0.0;\ninterface i { use acme:app/i@1.0.0.{u}; type t = u8; }\n");
    for path in ["../wit", "..//wit/../wit"] {
        project.write("lib/wkg.toml", format!("[overrides]\n\"acme:app\" = {{ path = \"{path}\" }}\n"));
        let cause = project.refuse(&project.options()).await;
        assert!(matches!(cause, Cause::Wit(WitError::Cycle { .. })), "{cause}");
        assert!(cause.to_string().contains("`acme:lib@1.0.0` -> `acme:app@1.0.0` -> `acme:lib@1.0.0`"), "{cause}");
    }
}

#[tokio::test]
async fn members_that_ask_alike_get_one_version_as_the_lock_has_room_for_one() {
    let newer = LOG.replace("1.0.0", "2.0.0");
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/log:2.0.0", &newer)]).await;
    for [one, two] in [["a", "b"], ["b", "a"]] {
        let project = Project::new(&config(registry.registry()), "");
        std::fs::remove_dir_all(project.path("wit")).unwrap();
        project.write("wkg.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n");
        project.write(&format!("{one}/wit/one.wit"), "package acme:one;\nworld w { import acme:log/sink; }\n");
        let text = "package acme:two;\nworld w { import acme:log/sink; import acme:old/i; }\n";
        project.write(&format!("{two}/wit/two.wit"), text);
        project.write(&format!("{two}/wkg.toml"), "[overrides]\n\"acme:old\" = { path = \"../old\" }\n");
        project.write("old/old.wit", "package acme:old;\ninterface i {}\nworld w { import acme:log/sink; }\n");
        project.write("old/wkg.toml", "[overrides]\n\"acme:log\" = { version = \"^1\" }\n");
        project.fetch().await;
        for member in ["a", "b"] {
            assert!(project.path(member).join("wit/deps/acme-log-1.0.0").exists(), "{one}: {member}");
        }
        assert!(!project.fetch().await.is_changed);
    }
}

#[tokio::test]
async fn a_workspace_without_members_is_refused() {
    let project = workspace("");
    for members in ["", "\"none/*\""] {
        project.write("wkg.toml", format!("[workspace]\nmembers = [{members}]\n"));
        let cause = project.refuse(&project.options()).await;
        assert!(matches!(cause, Cause::NoMembers { .. }), "{cause:?}");
    }
}
