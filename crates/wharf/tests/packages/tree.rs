//! `tree`.

use std::collections::BTreeSet;

use wharf::{Cause, Direction, Error, PackageOrigin, ProjectOptions, TreeOptions, TreeOutcome, tree};

use crate::setup::{APP, LOG, Project, asked, config, publish, registry_with, wasm};

const NAMES: &str = "package acme:names@1.0.0;\ninterface names { type name = string; }\n";
const GREET: &str =
    "package acme:greet@0.2.0;\ninterface greet { use acme:names/names@1.0.0.{name}; hello: func(to: name); }\n";

async fn grow(project: &Project, invert: Option<&str>) -> TreeOutcome {
    let invert = invert.map(|text| text.parse().unwrap());
    let options = TreeOptions { project: project.options().project, invert };
    tree(project.connect(), &options).await.unwrap_or_else(|error| panic!("{error:?}"))
}

async fn refuse(project: &Project, invert: Option<&str>, options: ProjectOptions) -> Cause {
    let options = TreeOptions { project: options, invert: invert.map(|text| text.parse().unwrap()) };
    let Err(Error::Tree { source, .. }) = tree(project.connect(), &options).await else { panic!("it is told") };
    source
}

/// Returns each package with what it uses.
fn edges(outcome: &TreeOutcome) -> Vec<String> {
    let line = |(name, node): (&String, &wharf::PackageNode)| {
        let used: Vec<&str> = node.uses.iter().map(String::as_str).collect();
        format!("{name}: {}", used.join(" "))
    };
    outcome.packages.iter().map(line).collect()
}

fn origin<'a>(outcome: &'a TreeOutcome, name: &str) -> &'a PackageOrigin {
    &outcome.packages.get(name).unwrap_or_else(|| panic!("{outcome:#?}")).origin
}

#[tokio::test]
async fn each_package_is_told_with_what_it_uses_and_where_it_is_from() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    publish(&registry, "acme/greet:0.2.0", &wasm(GREET, &[NAMES])).await;
    let world = "package acme:app@0.1.0;\nworld app {\n  import acme:greet/greet@0.2.0;\n  import acme:log/sink@1.0.0;\n  \
                 import acme:mine/mine;\n  import acme:other/other;\n  import acme:nested/i;\n}\n\
                 package acme:nested { interface i {} }\n";
    let project = Project::new(&config(registry.registry()), world);
    project.write("wkg.toml", "[overrides]\n\"acme:other\" = { path = \"../other/wit\" }\n");
    let other = "package acme:other;\ninterface other {}\nworld needs { import acme:log/sink@1.0.0; }\n";
    project.write("../other/wit/other.wit", other);
    project.write("wit/deps/mine/mine.wit", "package acme:mine;\ninterface mine {}\n");
    let before = project.files();
    let outcome = grow(&project, None).await;
    assert_eq!(project.files(), before, "nothing is written");
    assert_eq!(
        (outcome.roots.as_slice(), outcome.direction),
        (["acme:app@0.1.0".to_owned()].as_slice(), Direction::Uses)
    );
    let expected = [
        "acme:app@0.1.0: acme:greet@0.2.0 acme:log@1.0.0 acme:mine acme:nested acme:other",
        "acme:greet@0.2.0: acme:names@1.0.0",
        "acme:log@1.0.0: ",
        "acme:mine: ",
        "acme:names@1.0.0: ",
        "acme:nested: ",
        "acme:other: acme:log@1.0.0",
    ];
    assert_eq!(edges(&outcome), expected);
    let path = |name: &str| project.path(name).display().to_string();
    let within = |name: &str| PackageOrigin::Within { packages: BTreeSet::from([name.to_owned()]) };
    let from = |name: &str| PackageOrigin::Registry {
        registry: "acme.example".to_owned(),
        repository: Some(format!("{}/acme/{name}", registry.registry())),
    };
    for (name, expected) in [
        ("acme:app@0.1.0", PackageOrigin::Project { path: path("wit") }),
        ("acme:greet@0.2.0", from("greet")),
        ("acme:log@1.0.0", from("log")),
        ("acme:mine", PackageOrigin::ByHand { path: path("wit/deps/mine") }),
        ("acme:names@1.0.0", within("acme:greet@0.2.0")),
        ("acme:nested", within("acme:app@0.1.0")),
        ("acme:other", PackageOrigin::Override { path: path("../other/wit") }),
    ] {
        assert_eq!(origin(&outcome, name), &expected, "{name}");
    }
}

#[tokio::test]
async fn what_is_locked_and_kept_costs_no_request() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.fetch().await;
    registry.clear_log();
    let outcome = grow(&project, None).await;
    assert_eq!(edges(&outcome), ["acme:app: acme:log@1.0.0", "acme:log@1.0.0: "]);
    assert_eq!(asked(&registry), [""; 0]);
}

#[tokio::test]
async fn a_tree_can_be_told_from_the_other_end() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/log:1.1.0", &LOG.replace("1.0.0", "1.1.0"))]).await;
    let world = "package acme:app;\nworld app { import acme:log/sink@1.0.0; import acme:log/sink@1.1.0; }\n";
    let project = Project::new(&config(registry.registry()), world);
    let outcome = grow(&project, Some("acme:log")).await;
    assert_eq!(
        (outcome.roots, outcome.direction),
        (vec!["acme:log@1.0.0".into(), "acme:log@1.1.0".into()], Direction::UsedBy)
    );
    assert_eq!(grow(&project, Some("acme:log@1.1.0")).await.roots, ["acme:log@1.1.0"]);
    for (asked, message) in [
        ("acme:lob", "the project does not use `acme:lob`, but `acme:log`"),
        ("acme:log@1.2.0", "the project does not use `acme:log@1.2.0`, but `acme:log@1.0.0`, `acme:log@1.1.0`"),
        ("wasi:io", "the project does not use `wasi:io`"),
    ] {
        let cause = refuse(&project, Some(asked), project.options().project).await;
        assert_eq!(cause.to_string(), message);
    }
}

#[tokio::test]
async fn a_lock_that_would_change_is_refused_where_it_must_not() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let cause = refuse(&project, None, project.locked().project).await;
    assert!(matches!(cause, Cause::LockOutdated { .. }), "{cause:?}");
    project.fetch().await;
    let options = TreeOptions { project: project.locked().project, invert: None };
    tree(project.connect(), &options).await.unwrap();
}

#[tokio::test]
async fn the_members_of_a_workspace_are_trees_of_their_own() {
    let project = Project::new("", "package acme:unused;\n");
    project.write("wkg.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n");
    project.write("a/wit/a.wit", "package acme:a@1.0.0;\nworld w { import acme:b/i@1.0.0; }\n");
    project.write("b/wit/b.wit", "package acme:b@1.0.0;\ninterface i {}\n");
    let outcome = grow(&project, None).await;
    assert_eq!(outcome.roots, ["acme:a@1.0.0", "acme:b@1.0.0"]);
    assert_eq!(edges(&outcome), ["acme:a@1.0.0: acme:b@1.0.0", "acme:b@1.0.0: "]);
    let path = project.path("b/wit").display().to_string();
    assert_eq!(origin(&outcome, "acme:b@1.0.0"), &PackageOrigin::Project { path });
}
