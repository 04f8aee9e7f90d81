//! What is left where a command is given up in the middle, as Ctrl-C does.

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use wharf::{AddOptions, AddOrigin, InterfaceUse, RemoveOptions, add, fetch, remove};

use crate::setup::{APP, LOG, Project, config, registry_with};

/// Goes on until a file says something else, and gives up there.
async fn give_up_when_changed<T: Debug>(run: impl Future<Output = T>, project: &Project, file: &str) {
    let before = project.read(file);
    let mut run = pin!(run);
    poll_fn(|context| {
        if project.read(file) != before {
            return Poll::Ready(());
        }
        run.as_mut().poll(context).map(|outcome| panic!("it was not given up: {outcome:?}"))
    })
    .await;
}

#[tokio::test]
async fn what_was_generated_before_is_still_known_as_that() {
    let newer = LOG.replace("1.0.0", "1.1.0");
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/log:1.1.0", &newer)]).await;
    for lock in ["wharf.lock", "wkg.lock"] {
        let project = Project::new(&config(registry.registry()), APP);
        project.fetch().await;
        project.write("wit/world.wit", APP.replace("1.0.0", "1.1.0"));
        give_up_when_changed(fetch(project.connect(), &project.options()), &project, lock).await;
        assert_eq!(project.deps(), ["acme-log-1.0.0"], "it was given up before");
        project.fetch().await;
        assert_eq!(project.deps(), ["acme-log-1.1.0"], "{lock}");
        assert!(!project.read("wharf.lock").contains("acme-log-1.0.0"));
    }
}

#[tokio::test]
async fn the_wit_never_names_a_package_without_what_says_where_it_comes_from() {
    let world = "package acme:app;\nworld app {\n}\n";
    let project = Project::new("", world);
    project.write("wkg.toml", "[metadata]\n");
    project.write("../log/log.wit", LOG);
    let options = AddOptions {
        fetch: project.options(),
        requests: vec!["acme:log".parse().unwrap()],
        origin: AddOrigin::Folder(project.path("../log")),
        world: None,
        interfaces: InterfaceUse::Import,
    };
    give_up_when_changed(add(project.connect(), &options), &project, "wkg.toml").await;
    assert_eq!(project.read("wit/world.wit"), world);
    add(project.connect(), &options).await.unwrap();
    let options = RemoveOptions { fetch: project.options(), packages: vec!["acme:log".parse().unwrap()] };
    give_up_when_changed(remove(project.connect(), &options), &project, "wit/world.wit").await;
    assert!(project.read("wkg.toml").contains("acme:log"));
}
