//! WIT that is wrong, and WIT that means harm.

use std::fs;

use wharf::Cause;
use wharf::wit;

use crate::setup::{APP, LOG, Project, config, deps, publish, registry_with, wasm};

#[tokio::test]
async fn a_fault_in_the_text_is_shown_with_file_line_and_caret() {
    let project = Project::new("", "package acme:app;\nworld app {\n  import acme:log/sink@1.0.0\n}\n");
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(cause, Cause::Wit(wit::Error::Syntax(_))), "{cause:?}");
    let shown = cause.to_string();
    assert!(shown.contains("wit/world.wit:4:1\n") && shown.ends_with("| ^"), "{shown}");
    // The same in what was put there by hand.
    project.write("wit/world.wit", "package acme:app;\n");
    project.write("wit/deps/log/log.wit", LOG.replace("func", "fun"));
    let shown = project.refuse(&project.options()).await.to_string();
    assert!(shown.contains("wit/deps/log/log.wit:2:23\n") && shown.contains("| "), "{shown}");
}

#[tokio::test]
async fn packages_that_need_each_other_are_shown_as_a_cycle() {
    let project = Project::new("", "package acme:app;\nworld app { import acme:one/i@1.0.0; }\n");
    let package = |name: &str, other: &str| {
        format!("package acme:{name}@1.0.0;\ninterface i {{ use acme:{other}/i@1.0.0.{{t}}; }}\n")
    };
    project.write("wit/deps/one/one.wit", package("one", "two"));
    project.write("wit/deps/two/two.wit", package("two", "one"));
    let cause = project.refuse(&project.options()).await;
    let shown = cause.to_string();
    assert!(matches!(cause, Cause::Wit(wit::Error::Cycle { .. })), "{cause:?}");
    assert_eq!(shown, "packages need each other: `acme:one@1.0.0` -> `acme:two@1.0.0` -> `acme:one@1.0.0`");
}

/// Puts another name of the same length into the Wasm of a package.
fn renamed(wasm: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut renamed = wasm.to_vec();
    let mut count = 0;
    for at in 0..wasm.len() - from.len() {
        if wasm[at..].starts_with(from.as_bytes()) {
            renamed[at..at + to.len()].copy_from_slice(to.as_bytes());
            count += 1;
        }
    }
    assert!(count > 0, "`{from}` is not there");
    renamed
}

#[tokio::test]
async fn a_name_in_wasm_leads_nowhere_but_into_deps() {
    let user = "package acme:log@1.0.0;\ninterface sink { use other:types/every@1.0.0.{t}; f: func() -> t; }\n";
    let needed = "package other:types@1.0.0;\ninterface every { type t = u8; }\n";
    let good = wasm(user, &[needed]);
    for hostile in
        ["../..:types", "a/../:types", "/etc/:types", "other:../..", "other:..\\..", "o\0her:types", "OTHER:types"]
    {
        let registry = registry_with(&[]).await;
        publish(&registry, "acme/log:1.0.0", &renamed(&good, "other:types", hostile)).await;
        let project = Project::new(&config(registry.registry()), APP);
        let around = project.path("..");
        let names = || -> Vec<_> { fs::read_dir(&around).unwrap().map(|entry| entry.unwrap().file_name()).collect() };
        let cause = project.refuse(&project.options()).await;
        assert!(matches!(cause, Cause::Wit(_)), "{hostile}: {cause:?}");
        assert_eq!(names().len(), 2, "the project and the cache: {:?}", names());
    }
    let registry = registry_with(&[]).await;
    publish(&registry, "acme/log:1.0.0", &renamed(&good, "other:types", "other:con-x")).await;
    let project = Project::new(&config(registry.registry()), APP);
    assert_eq!(deps(&project.fetch().await), ["acme-log-1.0.0", "other-con-x-1.0.0"], "it was the name alone");
}

#[tokio::test]
async fn a_name_that_no_registry_can_have_is_told_with_its_place() {
    let project = Project::new("", "package acme:app;\nworld app { import acme:LOG/sink@1.0.0; }\n");
    let cause = project.refuse(&project.options()).await;
    let Cause::PackageName { location, .. } = &cause else { panic!("{cause:?}") };
    assert!(location.ends_with("wit/world.wit:2:29"), "{location}");
}
