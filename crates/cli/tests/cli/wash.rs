//! The credentials of `wash`: its variables, and the file that a project's `wasmcloud.toml` names.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::login::guard;
use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn wash() {
    let registry = TestRegistry::with(guard).await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    let tags = format!("tags {host}/acme/hello");
    let pair = [("WASH_REG_USER", "jo"), ("WASH_REG_PASSWORD", "open")];
    session.run_with(&format!("push {host}/acme/hello:1.0.0 hello.wasm"), &pair, b"");
    session.run_with(&tags, &[pair[0], pair[1], ("WASH_REG_URL", &format!("http://{host}"))], b"");
    session.remark("a credential for another registry stays at home");
    session.run_with(&tags, &[pair[0], pair[1], ("WASH_REG_URL", "acme.example")], b"");
    session.remark("half of a credential is none");
    session.run_with(&tags, &pair[..1], b"");
    session.run_with(&tags, &[pair[0], pair[1], ("WASH_REG_URL", "https://")], b"");

    session.remark("a project that names a file which is not there");
    session.write(
        "wasmcloud.toml",
        "name = \"hello\"\n\n[registry]\nurl = \"acme.example\"\ncredentials = \"creds.json\"\n",
    );
    session.run(&tags);
    session.remark("a file that knows another registry");
    session.write("creds.json", r#"{"acme.example": {"username": "jo", "password": "open"}}"#);
    session.run(&tags);
    session.remark("a file that knows this one");
    session.write(
        "creds.json",
        format!(r#"{{"{host}": {{"username": "jo", "password": "open", "registryType": "oci"}}}}"#),
    );
    session.run(&tags);
    session.remark("flags and variables go before it, those of wash too; a file that is named is the only one");
    session.run(&format!("{tags} --username jo --password hunter2"));
    session.run_with(&tags, &[("WHARF_TOKEN", "hunter2")], b"");
    session.run_with(&tags, &[pair[0], ("WASH_REG_PASSWORD", "hunter2")], b"");
    session.run(&format!("{tags} --auth-file absent.json"));
    session.remark("a wrong password in it");
    session.write("creds.json", format!(r#"{{"{host}": {{"username": "jo", "token": "hunter2"}}}}"#));
    session.run(&tags);
    session.remark("broken files");
    session.write("creds.json", format!(r#"{{"{host}": {{"password": "hunter2"}}}}"#));
    session.run(&tags);
    session.write("wasmcloud.toml", "[registry]\ncredentials = 7\n");
    session.run(&tags);
    session.write("wasmcloud.toml", "[registry]\ncredentials = hunter2\n");
    session.run(&tags);
    insta::assert_snapshot!("wash", session.transcript());
}

/// Only what needs a credential reads where they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_project_stops_nobody_who_needs_no_credential() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.write("wasmcloud.toml", "[registry\n");
    for line in ["push HOST/acme/hello:1.0.0 hello.wasm", "tags HOST/acme/hello", "inspect hello.wasm"] {
        let output = session.run(&line.replace("HOST", &host));
        assert!(output.status.success(), "{}", session.transcript());
    }
}
