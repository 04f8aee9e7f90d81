//! `build`.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use wharf::artifact::{Metadata, examine};
use wharf::wit::Document;
use wharf::{BuildOptions, BuildOutcome, Cause, Error, FetchOptions, build};

use crate::setup::{APP, LOG, Project, asked, config, registry_with};

const METADATA: &str = "[metadata]\nauthors = \"Jo\"\ndescription = \"An app.\"\nlicenses = \"MIT\"\n";

/// Returns how to build a project into a folder beside it.
fn into(project: &Project, folder: &str, options: FetchOptions) -> BuildOptions {
    let output = project.path("..").join(folder);
    fs::create_dir_all(&output).unwrap();
    BuildOptions { project: options.project, output: Some(output) }
}

async fn built(project: &Project, options: &BuildOptions) -> (BuildOutcome, Vec<u8>) {
    let outcome = build(project.connect(), options).await.unwrap_or_else(|error| panic!("{error:?}"));
    let bytes = fs::read(&outcome.packages[0].path).unwrap();
    (outcome, bytes)
}

/// Lets it fail, checks that the project is as it was and that nothing was written, and returns why.
async fn refused(project: &Project, options: &BuildOptions) -> Cause {
    let before = project.files();
    let error = build(project.connect(), options).await.expect_err("it was built");
    assert_eq!(project.files(), before);
    let Error::Build { source, .. } = error else { panic!("{error:?}") };
    source
}

fn metadata(wasm: &[u8]) -> Metadata {
    examine(&mut Cursor::new(wasm)).unwrap().metadata
}

#[tokio::test]
async fn the_same_wit_gives_the_same_bytes_with_what_it_needs_inside() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.write("wkg.toml", METADATA);
    let (outcome, bytes) = built(&project, &into(&project, "one", project.options())).await;
    assert!(outcome.is_lock_changed && !outcome.is_vendored);
    let package = &outcome.packages[0];
    assert_eq!((package.name.as_str(), package.version.as_deref()), ("acme:app", None));
    assert!(package.path.ends_with("one/acme_app.wasm"), "{}", package.path.display());
    assert_eq!((package.digest.clone(), package.size), (wharf::oci::Digest::sha256(&bytes), bytes.len() as u64));
    let document = Document::decode("built", &bytes).unwrap();
    let held: Vec<_> = document.packages().iter().map(ToString::to_string).collect();
    assert_eq!(held, ["acme:app", "acme:log@1.0.0"]);
    assert!(!project.path("wit/deps").exists());
    registry.clear_log();
    let (again, same) = built(&project, &into(&project, "two", project.locked())).await;
    assert_eq!((same, again.is_lock_changed), (bytes.clone(), false));
    assert_eq!(asked(&registry), [""; 0], "it is locked and kept");
    let locks = (project.read("wkg.lock"), project.read("wharf.lock"));
    project.fetch().await;
    assert_eq!(project.read("wkg.lock"), locks.0);
    let (_, same) = built(&project, &into(&project, "two", project.options())).await;
    assert_eq!(same, bytes, "with `wit/deps` in place");
}

#[tokio::test]
async fn what_the_manifest_says_goes_into_the_wasm() {
    let project = Project::new("", "package acme:app@0.2.0;\n");
    project.write("wkg.toml", METADATA);
    let (outcome, bytes) = built(&project, &into(&project, "out", project.options())).await;
    assert!(outcome.packages[0].path.ends_with("acme_app@0.2.0.wasm"));
    let Metadata { name, version, description, authors, licenses, source, .. } = metadata(&bytes);
    let found = [name, version, description, authors, licenses, source];
    assert_eq!(
        found.each_ref().map(Option::as_deref),
        [Some("acme:app"), Some("0.2.0"), Some("An app."), Some("Jo"), Some("MIT"), None]
    );
    project.write("wkg.toml", METADATA.replace("MIT", "mine"));
    let cause = refused(&project, &into(&project, "out", project.options())).await;
    assert_eq!(cause.to_string(), "`mine` cannot be the `licenses` of a package");
}

#[tokio::test]
async fn a_lock_that_would_change_is_refused_where_it_must_not() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let options = into(&project, "out", project.locked());
    let cause = refused(&project, &options).await;
    assert!(matches!(cause, Cause::LockOutdated { .. }), "{cause:?}");
    assert_eq!(fs::read_dir(options.output.unwrap()).unwrap().count(), 0);
}

#[tokio::test]
async fn offline_what_lies_in_deps_is_taken_as_it_is() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.fetch().await;
    let (_, bytes) = built(&project, &into(&project, "out", project.options())).await;
    project.clear_cache();
    let before = project.files();
    let (outcome, same) = built(&project, &into(&project, "out", project.offline())).await;
    assert!(outcome.is_vendored && !outcome.is_lock_changed);
    assert_eq!((same, project.files()), (bytes, before));
    fs::remove_dir_all(project.path("wit/deps")).unwrap();
    let cause = refused(&project, &into(&project, "out", project.offline())).await;
    assert!(matches!(cause, Cause::Offline { .. }), "{cause:?}");
}

#[tokio::test]
async fn what_another_tool_fetched_is_still_known_as_fetched() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    project.fetch().await;
    let lock = project.read("wharf.lock");
    // As `wkg` leaves a project.
    fs::remove_file(project.path("wharf.lock")).unwrap();
    built(&project, &into(&project, "out", project.options())).await;
    assert_eq!(project.read("wharf.lock"), lock);
    project.write("wit/world.wit", "package acme:app;\nworld app {}\n");
    project.fetch().await;
    assert_eq!(project.deps(), [""; 0], "what is no longer needed goes");
}

#[tokio::test]
async fn what_another_tool_fetches_after_a_build_is_not_taken_for_put_there_by_hand() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    built(&project, &into(&project, "out", project.options())).await;
    let lock = project.read("wkg.lock");
    project.write("wit/deps/acme-log-1.0.0/package.wit", LOG);
    built(&project, &into(&project, "out", project.options())).await;
    assert_eq!(project.read("wkg.lock"), lock);
    // Under another name, it is.
    fs::rename(project.path("wit/deps/acme-log-1.0.0"), project.path("wit/deps/log")).unwrap();
    built(&project, &into(&project, "out", project.options())).await;
    assert!(!project.read("wkg.lock").contains("acme:log"));
}

#[tokio::test]
async fn each_member_of_a_workspace_is_built_after_those_that_it_needs() {
    let project = Project::new("", "");
    fs::remove_dir_all(project.path("wit")).unwrap();
    project.write(
        "wkg.toml",
        "[workspace]\nmembers = [\"*\"]\n[workspace.metadata]\nlicenses = \"MIT\"\nauthors = \"We\"\n",
    );
    project.write("app/wit/app.wit", "package acme:app@2.0.0;\nworld app { import acme:lib/i@1.0.0; }\n");
    project.write("app/wkg.toml", "[metadata]\nauthors = \"Jo\"\n");
    project.write("lib/lib.wit", "package acme:lib@1.0.0;\ninterface i { f: func(); }\n");
    let options = into(&project, "out", project.options());
    let (outcome, _) = built(&project, &options).await;
    let names: Vec<_> = outcome.packages.iter().map(|package| package.path.file_name().unwrap()).collect();
    assert_eq!(names, ["acme_lib@1.0.0.wasm", "acme_app@2.0.0.wasm"]);
    let Metadata { authors, licenses, .. } = metadata(&fs::read(&outcome.packages[1].path).unwrap());
    assert_eq!((authors.as_deref(), licenses.as_deref()), (Some("Jo"), Some("MIT")));
    let file = BuildOptions { output: Some(project.path("one.wasm")), ..options.clone() };
    assert!(matches!(refused(&project, &file).await, Cause::NoFolder { .. }), "two packages are no file");
    project.write("twin/lib.wit", "package acme:lib@1.0.0;\n");
    let cause = refused(&project, &options).await;
    assert!(cause.to_string().starts_with("`acme:lib@1.0.0` is in "), "{cause}");
}

#[tokio::test]
async fn a_file_is_replaced_but_never_the_wit() {
    let project = Project::new("", "package acme:app;\n");
    project.write("app.wasm", "what was there before");
    let to = |path: PathBuf| BuildOptions { output: Some(path), project: project.options().project };
    let (outcome, bytes) = built(&project, &to(project.path("app.wasm"))).await;
    assert_eq!(outcome.packages[0].path, project.path("app.wasm"));
    assert!(bytes.starts_with(b"\0asm"));
    let cause = refused(&project, &to(project.path("wit/world.wit"))).await;
    assert!(matches!(cause, Cause::OutputIsInput { .. }), "{cause:?}");
}

#[tokio::test]
async fn a_member_comes_after_those_that_it_takes_by_their_path() {
    let project = Project::new("", "");
    fs::remove_dir_all(project.path("wit")).unwrap();
    project.write("wkg.toml", "[workspace]\nmembers = [\"app\", \"log\"]\n");
    project.write("app/wit/app.wit", APP);
    project.write("app/wkg.toml", "[overrides]\n\"acme:log\" = { path = \"../log/wit\" }\n");
    project.write("log/wit/log.wit", LOG);
    let (outcome, _) = built(&project, &into(&project, "out", project.options())).await;
    let names: Vec<_> = outcome.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["acme:log", "acme:app"]);
}
