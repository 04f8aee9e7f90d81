//! `wharf deploy`.

use wharf_testing::fixtures;

use crate::session::Session;

#[test]
fn deploy() {
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
