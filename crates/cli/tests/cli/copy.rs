//! `wharf copy`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn copy() {
    let (from, to) = (TestRegistry::start().await, TestRegistry::start().await);
    let (source, target) = (from.registry().to_string(), to.registry().to_string());
    let mut session = Session::with_registry(&from);
    session.hide(target.clone(), "[TARGET]");
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push {source}/acme/hello:1.0.0 hello.wasm"));
    session.run(&format!("copy {source}/acme/hello:1.0.0 {target}/mirror/hello"));
    session.run(&format!("copy {source}/acme/hello:1.0.0 {target}/mirror/hello:again --recursive"));
    session.run(&format!("copy {source}/acme/hello:1.0.0 {source}/acme/other --json"));
    session.run(&format!("copy {source}/acme/hello:2 {target}/mirror/hello"));
    session.run(&format!("tags {target}/mirror/hello"));
    insta::assert_snapshot!("copy", session.transcript());
}
