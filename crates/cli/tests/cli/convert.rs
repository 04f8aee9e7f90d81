//! `wharf copy --as`.

use std::path::Path;
use std::sync::Arc;

use wharf::archive::Layout;
use wharf::oci::{CopyOptions, NoProgress, Progress};
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;
use wharf_testing::specimens::specimens;

use crate::session::Session;

/// Puts the specimen of this name into a layout at `path`.
async fn lay(path: &Path, name: &str) {
    let specimen = specimens().into_iter().find(|specimen| specimen.name == name).unwrap();
    let layout = Layout::create(path).await.unwrap();
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let options = CopyOptions::default();
    wharf::oci::copy(&specimen.store(), &layout, &specimen.manifest, &options, &progress).await.unwrap();
    layout.add(&specimen.manifest, Some(&"acme/specimen:1.0.0".parse().unwrap())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_for_one_host_becomes_what_another_wants() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    let (component, filter) = (fixtures::component("hello"), fixtures::filter());
    session.write("hello.wasm", &component);
    session.write("filter.wasm", &filter);
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm --annotation team=web --author Jo"));
    session.run(&format!("copy {host}/acme/hello:1.0.0 {host}/acme/hello:image --as image"));
    session.run(&format!("copy {host}/acme/hello:image {host}/acme/hello:docker --as docker --json"));
    session.run(&format!("copy {host}/acme/hello:docker docker-archive:hello.tar:acme/hello:1.0.0 --as image"));
    session.run("copy docker-archive:hello.tar oci-layout:layout --as artifact --author Jane");
    session.remark("there and back again: what is said of it went along");
    session.run("inspect oci-layout:layout");
    session.run("pull oci-layout:layout --force");
    session.remark("a filter, with the root contexts that its host is told of");
    session.run(&format!("push {host}/acme/filter:1.0.0 filter.wasm --as istio --root-id auth"));
    session.run(&format!("copy {host}/acme/filter:1.0.0 {host}/acme/filter:compat --as istio-compat"));
    session.run(&format!("copy {host}/acme/filter:compat {host}/acme/filter:1.0.0-again --as istio"));
    session.run(&format!("pull {host}/acme/filter:compat --force -o filter.wasm"));
    assert_eq!(std::fs::read(session.path("hello.wasm")).unwrap(), component);
    assert_eq!(std::fs::read(session.path("filter.wasm")).unwrap(), filter);
    insta::assert_snapshot!("convert", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_has_no_place_for_is_named_and_refused_or_let_go() {
    let mut session = Session::new();
    for (folder, name) in [("image", "image that runs Wasm"), ("filter", "filter of wasme"), ("helm", "plugin of Helm")]
    {
        lay(&session.path(folder), name).await;
        session.run(&format!("copy oci-layout:{folder} oci-archive:new.tar --as artifact"));
        assert!(!session.path("new.tar").exists(), "{name}");
        session.run(&format!("copy oci-layout:{folder} oci-archive:new.tar --as artifact --lossy"));
        session.run("copy oci-archive:new.tar oci-archive:again.tar --as artifact --force");
        std::fs::remove_file(session.path("new.tar")).unwrap();
    }
    session.write("hello.wasm", fixtures::component("hello"));
    session.run("push oci-layout:told:1.0.0 hello.wasm --world wasi:http/proxy@0.2.3 --author Jo --quiet");
    session.run("copy oci-layout:told oci-archive:new.tar --as docker");
    session.run("copy oci-layout:told oci-archive:new.tar --as docker --lossy --json");
    session.write("filter.wasm", fixtures::filter());
    session.run("push oci-layout:by:1.0.0 filter.wasm --author Jo --quiet");
    session.run("copy oci-layout:by oci-archive:by.tar --as istio");
    session.run("copy oci-layout:by oci-archive:by.tar --as istio-compat");
    session.remark("what is asked for is no loss");
    session.run("copy oci-layout:told oci-archive:other.tar --as docker --world wasi:cli/command@0.2.3 --lossy");
    insta::assert_snapshot!("convert_losses", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_one_is_chosen() {
    let mut session = Session::new();
    lay(&session.path("app"), "application of Spin").await;
    session.run("inspect oci-layout:app");
    session.run("copy oci-layout:app oci-archive:front.tar --as artifact --lossy");
    session.run("copy oci-layout:app oci-archive:front.tar --as artifact --lossy --layer back");
    session.run("copy oci-layout:app oci-archive:front.tar --as artifact --lossy --layer front");
    session.run("pull oci-layout:app --layer cart -o cart.wasm");
    assert_eq!(std::fs::read(session.path("cart.wasm")).unwrap(), fixtures::component("cart"));
    lay(&session.path("index"), "index of buildx").await;
    session.run("copy oci-layout:index oci-archive:index.tar --as artifact");
    session.run("copy oci-layout:index oci-archive:index.tar --as artifact --platform wasip1/wasm");
    session.run("pull oci-archive:index.tar -o older.wasm");
    assert_eq!(std::fs::read(session.path("older.wasm")).unwrap(), fixtures::component("older"));
    session.run("copy oci-layout:index oci-archive:new.tar --as artifact --platform wasip3/wasm");
    session.run("copy oci-layout:index oci-archive:new.tar --as artifact --platform linux/amd64");
    session.run("copy oci-layout:index oci-archive:new.tar --as artifact --platform wasm");
    insta::assert_snapshot!("convert_choice", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_converted_is_refused() {
    let mut session = Session::new();
    session.write("greet.wasm", fixtures::wit_package());
    session.write("hello.wasm", fixtures::component("hello"));
    session.run("push oci-layout:greet:1.0.0 greet.wasm --quiet");
    session.run("push oci-layout:hello:1.0.0 hello.wasm --quiet");
    lay(&session.path("provider"), "provider of wasmCloud").await;
    lay(&session.path("signature"), "signature of cosign").await;
    let before = session.files();
    for line in [
        "copy oci-layout:greet oci-archive:new.tar --as image",
        "copy oci-layout:hello oci-archive:new.tar --as istio",
        "copy oci-layout:provider oci-archive:new.tar --as image --lossy",
        "copy oci-layout:signature oci-archive:new.tar --as artifact --lossy",
        "copy oci-layout:hello docker-archive:new.tar --as artifact",
        "copy oci-layout:hello oci-archive:new.tar --as helm",
        "copy oci-layout:hello oci-archive:new.tar --lossy",
        "copy oci-layout:hello oci-archive:new.tar --author Jo",
        "copy oci-layout:hello oci-archive:new.tar --layer hello.wasm",
        "copy oci-layout:hello oci-archive:new.tar --as image --recursive",
    ] {
        let output = session.run(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
    assert_eq!(session.files(), before);
    session.remark("but a provider in parts becomes one in one piece");
    lay(&session.path("parts"), "provider of wasmCloud in chunks").await;
    session.run("copy oci-layout:parts oci-archive:whole.tar --as artifact");
    session.run("copy oci-layout:parts oci-archive:whole.tar --as artifact --author Jo");
    insta::assert_snapshot!("convert_refused", session.transcript());
}
