//! `wharf delete`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn delete() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    let pushed = session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    let pinned = String::from_utf8(pushed.stdout).unwrap();
    session.run(&format!("tag {host}/acme/hello:1.0.0 stable"));
    session.run(&format!("delete {host}/acme/hello:stable"));
    session.run(&format!("tags {host}/acme/hello"));
    session.run(&format!("delete {host}/acme/hello"));
    session.run(&format!("delete {host}/acme/hello:stable"));
    session.run(&format!("delete --json {}", pinned.trim()));
    session.run(&format!("tags {host}/acme/hello"));
    insta::assert_snapshot!("delete", session.transcript());
}
