//! `wharf inspect`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn inspect() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.write("module.wasm", fixtures::module());
    session.write("greet.wasm", fixtures::wit_package());
    for name in ["hello", "module", "greet"] {
        session.run(&format!("push --quiet {host}/acme/{name}:1.0.0 {name}.wasm"));
        session.run(&format!("inspect {name}.wasm"));
        session.run(&format!("inspect {host}/acme/{name}:1.0.0"));
    }
    session.run(&format!("inspect {host}/acme/hello:1.0.0 --json"));
    session.run("inspect hello.wasm --json");
    session.run("inspect greet.wasm --wit");
    session.run(&format!("inspect {host}/acme/greet:1.0.0 --wit"));
    session.run("inspect module.wasm --wit");
    session.run("inspect ./missing.wasm");
    session.run(&format!("inspect {host}/acme/hello:2.0.0"));
    insta::assert_snapshot!("inspect", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn inspect_leaves_the_layer_where_the_config_suffices() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    let before = registry.log().len();
    session.run(&format!("inspect {host}/acme/hello:1.0.0"));
    let requests = registry.log();
    // The manifest and the config.
    assert_eq!(requests.len() - before, 2, "{requests:?}");
}
