//! `wharf push`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn push() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.write("module.wasm", fixtures::module());
    session.write("greet.wasm", fixtures::wit_package());
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    session.run(&format!("push {host}/acme/hello hello.wasm --quiet"));
    session.run(&format!("push {host}/acme/module:1 module.wasm --json"));
    session.run(&format!("push {host}/acme/greet:1.0.0 greet.wasm"));
    session.write("text.wat", "(module (func (export \"run\")))");
    session.run(&format!("push {host}/acme/text:1.0.0 text.wat"));
    session.run(&format!("push {host}/acme/hello:image hello.wasm --as image -a team=web"));
    let annotated = "--annotation org.opencontainers.image.licenses=MIT --author Jo --world wasi:http/proxy@0.2.3";
    session.run(&format!("push {host}/acme/hello:annotated hello.wasm {annotated}"));
    session.run_with(&format!("push {host}/acme/hello:dated hello.wasm"), &[("SOURCE_DATE_EPOCH", "1700000000")], b"");
    insta::assert_snapshot!("push", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn push_refuses_bad_input_and_sends_nothing() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    let component = fixtures::component("hello");
    let mut corrupt = component.clone();
    // The first section of the component starts after the header of 8 bytes; its content starts 2 bytes later.
    corrupt[10] = 0xff;
    session.write("empty.wasm", "");
    session.write("text.wat", "(component\n  (import 7))");
    session.write("notes.txt", "not Wasm at all");
    session.write("truncated.wasm", &component[..component.len() - 3]);
    session.write("corrupt.wasm", corrupt);
    session.write("hello.wasm", &component);
    for file in ["empty.wasm", "text.wat", "notes.txt", "truncated.wasm", "corrupt.wasm", "missing.wasm", "."] {
        session.run(&format!("push {host}/acme/hello:1.0.0 {file}"));
    }
    session.run(&format!("push {host}/acme/hello:1.0+build hello.wasm"));
    session.run(&format!("push {host}/Acme/hello:1.0.0 hello.wasm"));
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm --annotation nothing"));
    session.run_with(&format!("push {host}/acme/hello:1 hello.wasm"), &[("SOURCE_DATE_EPOCH", "yesterday")], b"");
    insta::assert_snapshot!("push_bad_input", session.transcript());
    assert!(registry.log().is_empty(), "{:?}", registry.log());
}
