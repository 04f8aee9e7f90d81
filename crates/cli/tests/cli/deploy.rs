//! `wharf deploy`.

use std::sync::Arc;

use wharf::client::{Client, ClientOptions};
use wharf::oci::{CopyOptions, NoProgress, Progress, Tag as _};
use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;
use wharf_testing::specimens::specimens;

use crate::session::Session;

/// Publishes the specimen of this name as `acme/REPOSITORY:1.0.0`.
pub(crate) async fn publish(registry: &TestRegistry, repository: &str, name: &str) {
    let specimen = specimens().into_iter().find(|specimen| specimen.name == name).unwrap();
    let client = Client::new(ClientOptions::default()).unwrap();
    let repository = client.repository(registry.registry(), &format!("acme/{repository}").parse().unwrap());
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let options = CopyOptions::default();
    wharf::oci::copy(&specimen.store(), &repository, &specimen.manifest, &options, &progress).await.unwrap();
    repository.tag(&specimen.manifest, &"1.0.0".parse().unwrap()).await.unwrap();
}

/// Starts a registry with an artifact for each host, and the file of a filter.
async fn shipyard() -> (TestRegistry, Session) {
    let registry = TestRegistry::start().await;
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.write("filter.wasm", fixtures::filter());
    let host = registry.registry().to_string();
    for (repository, file, form) in [
        ("hello:1.0.0", "hello.wasm", "artifact"),
        ("hello:1.0.0-image", "hello.wasm", "image"),
        ("hello:1.0.0-docker", "hello.wasm", "docker"),
        ("filter:1.0.0", "filter.wasm", "artifact"),
        ("filter:1.0.0-istio", "filter.wasm", "istio"),
    ] {
        session.run(&format!("push {host}/acme/{repository} {file} --as {form} --quiet"));
    }
    publish(&registry, "shop", "application of Spin").await;
    publish(&registry, "my_store.v2", "provider of wasmCloud").await;
    publish(&registry, "http-server", "provider of wasmCloud").await;
    publish(&registry, "index", "index of buildx").await;
    (registry, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_pinned_as_each_host_reads_it() {
    let (registry, mut session) = shipyard().await;
    let host = registry.registry().to_string();
    for line in [
        "deploy HOST/acme/hello:1.0.0 --to kubernetes",
        "deploy HOST/acme/hello:1.0.0-image --to kubernetes --name web --namespace shop --replicas 3 --port 8000",
        "deploy HOST/acme/hello:1.0.0-image --to containerd",
        "deploy HOST/acme/hello:1.0.0-image --to containerd --namespace k8s --port 8000",
        "deploy HOST/acme/hello:1.0.0 --to wasmcloud --http-server HOST/acme/http-server:1.0.0 --port 8000",
        "deploy HOST/acme/my_store.v2:1.0.0 --to wasmcloud",
        "deploy HOST/acme/hello:1.0.0 --to wasmcloud-v2 --host hello.example --namespace shop",
        "deploy HOST/acme/shop:1.0.0 --to spin --namespace web --replicas 2",
        "deploy HOST/acme/filter:1.0.0-istio --to istio",
        "deploy HOST/acme/filter:1.0.0-istio --to istio --selector app=web --selector tier=\"1\" --root-id auth --config {\"allow\":[1]}",
        "deploy HOST/acme/filter:1.0.0-istio --to envoy-gateway --gateway eg --root-id auth --config [\"é\"]",
        "deploy HOST/acme/filter:1.0.0-istio --to envoy-gateway --selector app=web --namespace shop",
        "deploy HOST/acme/hello:1.0.0-docker --to docker-compose --port 8000",
        "deploy HOST/acme/hello:1.0.0 --to kubernetes --json",
    ] {
        session.run(&line.replace("HOST", &host));
    }
    insta::assert_snapshot!("deploy_artifacts", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_index_what_holds_the_wasm_is_pinned() {
    let (registry, mut session) = shipyard().await;
    session.run(&format!("inspect {}/acme/index:1.0.0", registry.registry()));
    session.run(&format!("deploy {}/acme/index:1.0.0 --to kubernetes", registry.registry()));
    session.run(&format!("deploy {}/acme/index:1.0.0 --to docker-compose", registry.registry()));
    insta::assert_snapshot!("deploy_index", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_would_not_run_is_refused_with_what_makes_it_so() {
    let (registry, mut session) = shipyard().await;
    let host = registry.registry().to_string();
    for line in [
        "deploy HOST/acme/hello:1.0.0 --to containerd",
        "deploy HOST/acme/hello:1.0.0 --to docker-compose",
        "deploy HOST/acme/hello:1.0.0 --to spin",
        "deploy HOST/acme/hello:1.0.0 --to istio",
        "deploy HOST/acme/hello:1.0.0-docker --to wasmcloud",
        "deploy HOST/acme/filter:1.0.0 --to istio",
        "deploy HOST/acme/filter:1.0.0-istio --to kubernetes",
        "deploy HOST/acme/filter:1.0.0 --to spin",
        "deploy HOST/acme/my_store.v2:1.0.0 --to wasmcloud-v2",
    ] {
        let output = session.run(&line.replace("HOST", &host));
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(output.stdout.is_empty());
    }
    for line in [
        "deploy HOST/acme/hello:1.0.1 --to kubernetes",
        "deploy HOST/acme/missing --to kubernetes",
        "deploy HOST/acme/filter:1.0.0-istio --to envoy",
        "deploy filter.wasm --to istio",
        "deploy oci-layout:layout --to kubernetes",
        "deploy HOST/acme/hello:1.0.0 --to wasmcloud --http-server HOST/acme/missing:1",
        "deploy HOST/acme/hello:1.0.0 --to kubernetes --selector app=web",
        "deploy HOST/acme/hello:1.0.0 --to kubernetes --name Web",
        "deploy HOST/acme/my_store.v2:1.0.0 --to wasmcloud --port 8000",
        "deploy HOST/acme/filter:1.0.0-istio --to envoy-gateway",
        "deploy HOST/acme/filter:1.0.0-istio --to envoy-gateway --gateway eg --selector app=web",
        "deploy HOST/acme/filter:1.0.0-istio --to istio --config allow",
        "deploy HOST/acme/filter:1.0.0-istio --to istio --config [1]",
        "deploy filter.wasm --to envoy --replicas 2",
    ] {
        let output = session.run(&line.replace("HOST", &host));
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
    insta::assert_snapshot!("deploy_artifacts_refused", session.transcript());
}

#[test]
fn a_file_is_configured_for_envoy() {
    let mut session = Session::new();
    session.write("filter.wasm", fixtures::filter());
    session.write("auth.json", "{\"allow\": [\"/é\"]}\n");
    session.run("deploy filter.wasm --to envoy");
    session.run(
        "deploy filter.wasm --to envoy --listen [::1]:8080 --upstream localhost:3000 --root-id auth --config @auth.json",
    );
    session.run("deploy filter.wasm --to envoy --config {} --json");
    insta::assert_snapshot!("deploy", session.transcript());
}

#[test]
fn what_envoy_does_not_run_is_refused_with_what_does() {
    let mut session = Session::new();
    session.write("filter.wasm", fixtures::filter());
    session.write("component.wasm", fixtures::component("hello"));
    session.write("module.wasm", fixtures::module());
    session.write("wit.wasm", fixtures::wit_package());
    session.write("filter.wat", "(module)");
    session.write("large.json", vec![b' '; 1024 * 1024 + 1]);
    session.write("binary", b"\xff");
    for line in [
        "deploy component.wasm --to envoy",
        "deploy module.wasm --to envoy",
        "deploy wit.wasm --to envoy",
        "deploy filter.wat --to envoy",
        "deploy missing.wasm --to envoy",
        "deploy ghcr.io/acme/filter:1.0.0 --to envoy",
        "deploy . --to envoy",
        "deploy filter.wasm --to nginx",
        "deploy filter.wasm --to envoy --listen 8080",
        "deploy filter.wasm --to envoy --upstream http://localhost:3000",
        "deploy filter.wasm --to envoy --config @missing.json",
        "deploy filter.wasm --to envoy --config @large.json",
        "deploy filter.wasm --to envoy --config @binary",
    ] {
        session.run(line);
    }
    insta::assert_snapshot!("deploy_refused", session.transcript());
}
