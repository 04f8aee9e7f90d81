//! `wharf tags`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn tags() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    for tag in ["1.0.0", "1.1.0", "latest"] {
        session.run(&format!("push --quiet {host}/acme/hello:{tag} hello.wasm"));
    }
    session.run(&format!("tags {host}/acme/hello"));
    session.run(&format!("tags {host}/acme/hello --json"));
    session.run(&format!("tags {host}/acme/nothing"));
    insta::assert_snapshot!("tags", session.transcript());
}
