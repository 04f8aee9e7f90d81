//! `wharf pull`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn pull() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    let component = fixtures::component("hello");
    session.write("hello.wasm", &component);
    let pushed = session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    let pinned = String::from_utf8(pushed.stdout).unwrap();
    std::fs::create_dir(session.path("folder")).unwrap();
    session.run(&format!("pull {host}/acme/hello:1.0.0 -o copy.wasm"));
    session.run(&format!("pull {} -o folder", pinned.trim()));
    session.run(&format!("pull {host}/acme/hello:1.0.0"));
    session.run(&format!("pull {host}/acme/hello:1.0.0 --force --json"));
    session.run(&format!("pull {host}/acme/hello:1.0.1 -o none.wasm"));
    session.run(&format!("pull {host}/acme/nothing:1.0.0 -o none.wasm"));
    session.run(&format!("pull {host}/acme/hello:1.0.0 -o missing-folder/x.wasm"));
    insta::assert_snapshot!("pull", session.transcript());
    assert_eq!(session.files(), ["copy.wasm", "folder", "hello.wasm"]);
    for file in ["copy.wasm", "folder/hello.wasm", "hello.wasm"] {
        assert_eq!(std::fs::read(session.path(file)).unwrap(), component, "{file}");
    }
}
