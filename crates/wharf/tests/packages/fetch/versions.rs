//! Which version of a package is taken.

use wharf::Cause;
use wharf::client::Error as ClientError;
use wharf::packages::Version;
use wharf_testing::registry::TestRegistry;
use wharf_testing::script::{Reply, ScriptServer, Step};

use crate::setup::{APP, LOG, Project, artifact, asked, config, deps, publish, registry_with, wasm};

/// The world that names [`LOG`] without its version.
const UNVERSIONED: &str = "package acme:app;\nworld app { import acme:log/sink; }\n";

fn log(version: &str) -> String {
    LOG.replace("1.0.0", version)
}

/// Starts a registry with these versions of [`LOG`], each under its own tag.
async fn registry_of(versions: &[&str]) -> TestRegistry {
    let registry = TestRegistry::start().await;
    for version in versions {
        let tag = version.replace('+', "_");
        publish(&registry, &format!("acme/log:{tag}"), &wasm(&log(version), &[])).await;
    }
    registry
}

#[tokio::test]
async fn two_versions_stand_side_by_side() {
    let registry = registry_of(&["1.0.0", "1.1.0"]).await;
    let world = "package acme:app;\nworld app { import acme:log/sink@1.0.0; import acme:log/sink@1.1.0; }\n";
    let project = Project::new(&config(registry.registry()), world);
    let outcome = project.fetch().await;
    assert_eq!(deps(&outcome), ["acme-log-1.0.0", "acme-log-1.1.0"]);
    assert_eq!(project.deps(), deps(&outcome));
    let versions: Vec<&str> = outcome.packages.iter().map(|package| package.version.as_str()).collect();
    assert_eq!(versions, ["1.0.0", "1.1.0"]);
    for version in versions {
        assert!(project.read("wkg.lock").contains(&format!("requirement = \"={version}\"\nversion = \"{version}\"")));
    }
    registry.stop().await;
    assert!(!project.fetch_with(&project.locked()).await.is_changed);
}

#[tokio::test]
async fn without_a_version_the_newest_release_is_taken_and_stays() {
    let registry = registry_of(&["1.10.0", "1.0.0", "2.0.0-rc.1"]).await;
    let project = Project::new(&config(registry.registry()), UNVERSIONED);
    let outcome = project.fetch().await;
    assert_eq!((outcome.packages[0].version.as_str(), deps(&outcome)), ("1.10.0", vec!["acme-log-1.10.0".to_owned()]));
    publish(&registry, "acme/log:3.0.0", &wasm(&log("3.0.0"), &[])).await;
    project.clear_cache();
    registry.clear_log();
    assert_eq!(project.fetch().await.packages[0].version, "1.10.0");
    assert!(!asked(&registry).iter().any(|request| request.ends_with("/tags/list")), "it is locked");
}

#[tokio::test]
async fn without_a_version_the_newest_prerelease_is_taken_where_there_is_no_release() {
    let registry = registry_of(&["0.1.0-rc.1", "0.1.0-rc.2"]).await;
    let project = Project::new(&config(registry.registry()), UNVERSIONED);
    assert_eq!(project.fetch().await.packages[0].version, "0.1.0-rc.2");
    registry.stop().await;
    assert!(!project.fetch_with(&project.locked()).await.is_changed);
    project.write("wkg.toml", "[overrides]\n\"acme:log\" = { version = \"^0.1.0\" }\n");
    let cause = project.refuse(&project.offline()).await;
    assert!(matches!(cause, Cause::Offline { .. }), "another requirement is not locked: {cause:?}");
}

#[tokio::test]
async fn a_range_takes_no_prerelease() {
    let registry = registry_of(&["0.1.0-rc.1"]).await;
    let project = Project::new(&config(registry.registry()), UNVERSIONED);
    project.write("wkg.toml", "[overrides]\n\"acme:log\" = { version = \"^0.1.0\" }\n");
    let cause = project.refuse_from(&format!("{}/acme/log", registry.registry()), &project.options()).await;
    assert_eq!(cause.to_string(), "`acme:log` has no version `^0.1.0`; it has 0.1.0-rc.1");
}

#[tokio::test]
async fn a_list_of_tags_is_read_to_its_end() {
    let wasm = wasm(&log("1.2.0"), &[]);
    let (manifest, [_, (layer, _)]) = artifact(&wasm);
    let page = |tags: &str| Reply::new(200).body(format!(r#"{{"name":"acme/log","tags":[{tags}]}}"#));
    let serve = Reply::new(200).header("content-type", manifest.media_type().as_str()).body(manifest.bytes().clone());
    let next = "</v2/acme/log/tags/list?last=1.1.0>; rel=\"next\"";
    let server = ScriptServer::start([
        Step::new("GET /v2/acme/log/tags/list", page(r#""1.0.0","1.1.0""#).header("link", next)),
        Step::new("GET /v2/acme/log/tags/list?last=1.1.0", page(r#""1.2.0","latest","v9.0.0""#)),
        Step::new("GET /v2/acme/log/manifests/1.2.0", serve),
        Step::new(&format!("GET /v2/acme/log/blobs/{}", layer.digest), Reply::new(200).body(wasm.clone())),
    ])
    .await;
    let project = Project::new(&config(server.address()), UNVERSIONED);
    assert_eq!(project.fetch().await.packages[0].version, "1.2.0");
    server.assert_finished();
}

#[tokio::test]
async fn an_override_says_which_versions_will_do() {
    let registry = registry_of(&["1.0.0", "1.9.0", "1.10.0", "2.0.0"]).await;
    let project = Project::new(&config(registry.registry()), UNVERSIONED);
    project.write("wkg.toml", "[overrides]\n\"acme:log\" = { version = \"^1.2\" }\n");
    assert_eq!(project.fetch().await.packages[0].version, "1.10.0");
    assert!(project.read("wkg.lock").contains("requirement = \"^1.2\"\nversion = \"1.10.0\""));
    registry.stop().await;
    assert!(!project.fetch_with(&project.locked()).await.is_changed);
}

#[tokio::test]
async fn an_override_by_path_comes_with_what_it_needs() {
    let clock = "package acme:clock@0.2.0;\ninterface now { get: func() -> u64; }\n";
    let registry = registry_with(&[("acme/clock:0.2.0", clock)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.write("wkg.toml", "[overrides]\n\"acme:log\" = { path = \"../log/wit\" }\n");
    let local = format!("{LOG}world needs {{ import acme:clock/now@0.2.0; }}\n");
    project.write("../log/wit/log.wit", &local);
    let outcome = project.fetch().await;
    assert_eq!(deps(&outcome), ["acme-clock-0.2.0", "acme-log-1.0.0"]);
    let names: Vec<&str> = outcome.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["acme:clock"], "the other is here");
    assert!(!project.read("wkg.lock").contains("acme:log"));
    registry.stop().await;
    assert!(!project.fetch_with(&project.locked()).await.is_changed);
    // What is there of another package is no override of this one.
    project.write("../log/wit/log.wit", local.replace("acme:log", "acme:other"));
    let cause = project.refuse(&project.options()).await;
    assert!(matches!(&cause, Cause::OverrideOther { found, .. } if found == "acme:other@1.0.0"), "{cause:?}");
}

#[tokio::test]
async fn overrides_by_path_may_have_fetched_the_same_package_each_for_itself() {
    let clock = "package acme:clock@0.2.0;\ninterface now { get: func() -> u64; }\n";
    let registry = registry_with(&[("acme/clock:0.2.0", clock)]).await;
    let world = "package acme:app;\nworld app { import acme:one/i@1.0.0; import acme:two/i@1.0.0; }\n";
    let project = Project::new(&config(registry.registry()), world);
    let overrides = "\"acme:one\" = { path = \"../one/wit\" }\n\"acme:two\" = { path = \"../two/wit\" }\n";
    project.write("wkg.toml", format!("[overrides]\n{overrides}"));
    for name in ["one", "two"] {
        let text =
            format!("package acme:{name}@1.0.0;\ninterface i {{}}\nworld w {{ import acme:clock/now@0.2.0; }}\n");
        project.write(&format!("../{name}/wit/{name}.wit"), text);
        // As it was fetched there; in the second by wkg, which has no other lock.
        project.write(&format!("../{name}/wit/deps/acme-clock-0.2.0/package.wit"), clock);
    }
    project.write("../one/wharf.lock", "version = 1\n[generated]\nwit = [\"acme-clock-0.2.0\"]\n");
    let digest = wharf::oci::Digest::sha256(&wasm(clock, &[]));
    project.write(
        "../two/wkg.lock",
        format!(
            "version = 1\n[[packages]]\nname = \"acme:clock\"\n[[packages.versions]]\nrequirement = \"=0.2.0\"\n\
             version = \"0.2.0\"\ndigest = \"{digest}\"\n"
        ),
    );
    let outcome = project.fetch().await;
    assert_eq!(deps(&outcome), ["acme-clock-0.2.0", "acme-one-1.0.0", "acme-two-1.0.0"]);
    assert_eq!(outcome.packages.len(), 1, "it comes from the registry, as in those projects");
}

#[tokio::test]
async fn overrides_by_path_may_hold_the_same_package_by_hand() {
    let world = "package acme:app;\nworld app { import acme:one/i@1.0.0; import acme:two/i@1.0.0; }\n";
    let project = Project::new("", world);
    let overrides = "\"acme:one\" = { path = \"../one\" }\n\"acme:two\" = { path = \"../two\" }\n";
    project.write("wkg.toml", format!("[overrides]\n{overrides}"));
    for name in ["one", "two"] {
        let text = format!("package acme:{name}@1.0.0;\ninterface i {{}}\nworld w {{ import acme:log/sink@1.0.0; }}\n");
        project.write(&format!("../{name}/{name}.wit"), text);
        project.write(&format!("../{name}/deps/log/log.wit"), LOG);
    }
    assert_eq!(deps(&project.fetch().await), ["acme-log-1.0.0", "acme-one-1.0.0", "acme-two-1.0.0"]);
}

#[tokio::test]
async fn a_version_that_is_not_there_lists_those_that_are() {
    let registry = registry_of(&["0.9.0", "2.0.0", "1.1.0"]).await;
    publish(&registry, "acme/log:latest", &wasm(LOG, &[])).await;
    let project = Project::new(&config(registry.registry()), APP);
    let cause = project.refuse_from(&format!("{}/acme/log", registry.registry()), &project.options()).await;
    let Cause::NoVersion { known, .. } = &cause else { panic!("{cause:?}") };
    assert_eq!(*known, ["0.9.0", "1.1.0", "2.0.0"].map(|version| version.parse::<Version>().unwrap()));
    assert_eq!(cause.to_string(), "`acme:log` has no version `=1.0.0`; it has 2.0.0, 1.1.0, 0.9.0");
    // A registry that does not list its tags.
    let server = ScriptServer::start([
        Step::new("GET /v2/acme/log/manifests/1.0.0", Reply::new(404)),
        Step::new("GET /v2/acme/log/tags/list", Reply::new(404)),
    ])
    .await;
    let project = Project::new(&config(server.address()), APP);
    let place = format!("{}/acme/log", server.address());
    let cause = project.refuse_from(&place, &project.options()).await;
    assert!(matches!(cause.client(), Some(ClientError::NotFound { .. })), "{cause:?}");
    server.assert_finished();
}

#[tokio::test]
async fn build_metadata_stands_behind_an_underscore_in_the_tag() {
    let registry = registry_of(&["1.0.0+build.1", "1.0.0+build.2"]).await;
    let world = |build: u8| APP.replace("1.0.0", &format!("1.0.0+build.{build}"));
    let project = Project::new(&config(registry.registry()), &world(1));
    let outcome = project.fetch().await;
    assert_eq!(
        (outcome.packages[0].version.as_str(), deps(&outcome)[0].as_str()),
        ("1.0.0+build.1", "acme-log-1.0.0+build.1")
    );
    assert!(asked(&registry).contains(&"GET /v2/acme/log/manifests/1.0.0_build.1".to_owned()));
    // Both meet the requirement `=1.0.0`, under which the first is locked.
    project.write("wit/world.wit", world(2));
    assert_eq!(project.fetch().await.packages[0].version, "1.0.0+build.2");
    assert_eq!(project.deps(), ["acme-log-1.0.0+build.2"]);
}
