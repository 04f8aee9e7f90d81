//! `wharf pin`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::deploy::publish;
use crate::session::Session;

const MANIFESTS: &str = "\
# The shop.   Trailing spaces stay:   \r
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      initContainers: [ { name: a, image: 'HOST/acme/hello:1.0.0' }, { name: b, image: \"HOST/acme/hello\" } ]
      containers:
        - image: HOST/acme/hello:1.0.0   # the newest
        - image: &again HOST/acme/other:1.0.0
        - image: *again
        - image: HOST/acme/hello:1.0.0@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        - image: ${IMAGE}
        - image: >-
            HOST/acme/hello:1.0.0
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
spec: { url: oci://HOST/acme/filter:1.0.0 }
";

const COMPOSE: &str = "\
services:
  hello:
    image: HOST/acme/hello:1.0.0
  built:
    build: .
    image: HOST/acme/built
";

async fn harbour() -> (TestRegistry, Session) {
    let registry = TestRegistry::start().await;
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.write("other.wasm", fixtures::component("other"));
    session.write("filter.wasm", fixtures::filter());
    let host = registry.registry().to_string();
    for (reference, file) in [
        ("hello:1.0.0", "hello.wasm"),
        ("hello:latest", "other.wasm"),
        ("other:1.0.0", "other.wasm"),
        ("filter:1.0.0", "filter.wasm --as istio"),
    ] {
        session.run(&format!("push {host}/acme/{reference} {file} --quiet"));
    }
    session.write("shop.yaml", MANIFESTS.replace("HOST", &host));
    session.write("compose.yaml", COMPOSE.replace("HOST", &host));
    (registry, session)
}

impl Session {
    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_pinned_and_nothing_else_changes() {
    let (registry, mut session) = harbour().await;
    let (shop, files) = (session.text("shop.yaml"), session.files());
    session.run("pin shop.yaml compose.yaml --check");
    session.run("pin shop.yaml --check --json --quiet");
    session.run("pin shop.yaml --dry-run");
    assert_eq!(session.text("shop.yaml"), shop);
    registry.clear_log();
    session.run("pin shop.yaml compose.yaml");
    let asked: Vec<_> = registry.log().iter().map(|exchange| exchange.target.clone()).collect();
    assert_eq!(asked.len(), 4, "{asked:?}");
    let pinned = session.text("shop.yaml");
    let without: String =
        pinned.split("@sha256:").enumerate().map(|(at, part)| &part[if at == 0 { 0 } else { 64 }..]).collect();
    let before: String =
        shop.split("@sha256:").enumerate().map(|(at, part)| &part[if at == 0 { 0 } else { 64 }..]).collect();
    assert_eq!(without, before);
    session.remark("what is pinned is left alone, and nobody is asked");
    registry.clear_log();
    session.run("pin shop.yaml compose.yaml --quiet");
    session.run("pin shop.yaml --check --quiet");
    assert!(registry.log().is_empty());
    assert_eq!(session.text("shop.yaml"), pinned);
    assert_eq!(session.files(), files);
    let content = [pinned, session.text("compose.yaml")].join("====\n");
    insta::assert_snapshot!("pin", session.transcript());
    let hidden = content.replace(&registry.registry().to_string(), "[REGISTRY]").replace('\r', "<CR>");
    insta::assert_snapshot!("pin_files", hidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_goes_to_standard_output() {
    let (_registry, mut session) = harbour().await;
    let compose = session.text("compose.yaml");
    let output = session.run_with("pin -", &[], compose.as_bytes());
    let again = session.run_with("pin - --quiet", &[], &output.stdout);
    assert_eq!(again.stdout, output.stdout);
    session.run_with("pin - --check", &[], compose.as_bytes());
    session.run_with("pin - --dry-run", &[], compose.as_bytes());
    session.run_with("pin - --json --quiet", &[], compose.as_bytes());
    assert_eq!(session.text("compose.yaml"), compose);
    insta::assert_snapshot!("pin_input", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_tag_is_missing_no_file_changes() {
    let (registry, mut session) = harbour().await;
    let host = registry.registry().to_string();
    session.write("missing.yaml", format!("services:\n  a:\n    image: {host}/acme/hello:1.0.1\n"));
    session.write("template.yaml", "services:\n{{- if .Values.shop }}\n  shop: {}\n{{- end }}\n");
    session.write("large.yaml", vec![b' '; 1024 * 1024 + 1]);
    session.write("binary.yaml", b"\xff");
    session.write("other.yaml", "kind: Deployment\n");
    let before = (session.text("shop.yaml"), session.files());
    for line in [
        "pin shop.yaml missing.yaml",
        "pin shop.yaml template.yaml",
        "pin shop.yaml large.yaml",
        "pin shop.yaml binary.yaml",
        "pin shop.yaml absent.yaml",
        "pin shop.yaml .",
        "pin shop.yaml -",
        "pin",
        "pin shop.yaml --check --dry-run",
    ] {
        let output = session.run(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
    session.run("pin other.yaml");
    assert_eq!((session.text("shop.yaml"), session.files()), before);
    insta::assert_snapshot!("pin_refused", session.transcript());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn mode_and_links_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_registry, mut session) = harbour().await;
    let (file, link) = (session.path("compose.yaml"), session.path("link.yaml"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("compose.yaml", &link).unwrap();
    let output = session.run("pin link.yaml");
    assert_eq!(output.status.code(), Some(0));
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(session.text("compose.yaml").contains("@sha256:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_cannot_be_pinned_is_a_tag_to_a_check() {
    let (_registry, mut session) = harbour().await;
    session.write("block.yaml", "services:\n  a:\n    image: >-\n      acme/hello:1\n");
    let output = session.run("pin block.yaml --check");
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b"block.yaml:3: acme/hello:1\n"[..]));
    let output = session.run("pin block.yaml");
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b""[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_index_filters_are_pinned_to_what_their_host_compares() {
    let (registry, mut session) = harbour().await;
    publish(&registry, "index", "index of buildx").await;
    let image = format!("{}/acme/index:1.0.0", registry.registry());
    let told = session.run(&format!("inspect {image} --json"));
    let told = String::from_utf8(told.stdout).unwrap();
    let digest = |key: &str| {
        let (_, rest) = told.split_once(&format!("\"{key}\": \"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let plugin = format!("apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec:\n  url: oci://{image}");
    let service = format!("services:\n  a:\n    image: {image}");
    for (text, digest) in [(plugin, digest("taken")), (service, digest("digest"))] {
        let output = session.run_with("pin -", &[], text.as_bytes());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{text}@{digest}"));
    }
}
