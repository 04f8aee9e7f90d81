//! `wharf tag`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn tag() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    session.run(&format!("tag {host}/acme/hello:1.0.0 stable"));
    session.run(&format!("tag {host}/acme/hello:stable newest --json"));
    session.run(&format!("tag {host}/acme/hello:1.0.0 no+tag"));
    session.run(&format!("tag {host}/acme/hello:1.0.1 stable"));
    session.run(&format!("tags {host}/acme/hello"));
    insta::assert_snapshot!("tag", session.transcript());
}
