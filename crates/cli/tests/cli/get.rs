//! `wharf get`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::{Session, encode};

const GREET: &str = "package acme:greet@0.2.0;\n\ninterface greet {\n  hello: func() -> string;\n}\n";

/// Publishes packages, for a user whose settings lead to them.
async fn start() -> (TestRegistry, Session) {
    let registry = TestRegistry::start().await;
    let host = registry.registry();
    let mut session = Session::with_registry(&registry);
    session.take_packages_from(&registry, "packages/");
    for version in ["0.2.0", "0.2.1", "1.0.0", "1.1.0-rc.1"] {
        session.write("greet.wasm", encode(&GREET.replace("0.2.0", version), &[]));
        session.run(&format!("push --quiet {host}/packages/acme/greet:{version} greet.wasm"));
    }
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push --quiet {host}/packages/acme/hello:1.0.0 hello.wasm"));
    std::fs::remove_file(session.path("greet.wasm")).unwrap();
    (registry, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn get() {
    let (_registry, mut session) = start().await;
    let component = std::fs::read(session.path("hello.wasm")).unwrap();
    session.run("get acme:greet");
    session.run("get acme:greet@^0.2 -o greet.wit");
    session.run("get acme:greet@0.2.0 -o greet.wit");
    session.run("get acme:greet@0.2.0 -o greet.wit --overwrite --quiet");
    session.run("get acme:greet@0.2.0 -o -");
    std::fs::create_dir(session.path("out")).unwrap();
    session.run("get acme:greet@0.2.0 --format wasm -o out/");
    session.run("get acme:hello -o out --json");
    assert_eq!(std::fs::read(session.path("out/acme_hello@1.0.0.wasm")).unwrap(), component);
    session.remark("a comparison");
    session.run("get acme:greet@0.2.0 -o greet.wit --check");
    session.run("get acme:greet@1 -o greet.wit --check");
    session.run("get acme:greet@1 --check -o other.wit --quiet");
    let files = [".cache", ".config", "acme_greet@1.0.0.wit", "greet.wit", "hello.wasm", "out"];
    assert!(session.files().iter().all(|name| files.contains(&name.as_str())), "{:?}", session.files());
    insta::assert_snapshot!("get", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_on_standard_output_is_whole() {
    let (_registry, mut session) = start().await;
    let component = std::fs::read(session.path("hello.wasm")).unwrap();
    let mut command = crate::session::wharf(&session.path(""), "get acme:hello -o - --quiet");
    let output = crate::session::output(&mut command, b"");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(output.stdout, component);
    let before = session.files();
    session.run("get acme:hello@2.0.0 -o -");
    assert_eq!(session.files(), before, "nothing is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_got_is_named() {
    let (registry, mut session) = start().await;
    let before = session.files();
    session.run("get acme:great");
    session.run("get acme:great@1.0.0");
    session.run("get acme:greet@0.9.0");
    session.run("get acme:greet@^2");
    session.run("get other:greet");
    session.run("get acme:greet -o missing/greet.wit");
    session.run("get greet");
    session.run("get acme:greet@latest");
    session.run("get acme:greet/greet@0.2.0");
    session.run("get acme:greet -o - --json");
    session.run("get acme:greet --check --overwrite");
    session.remark("the registry of the variable has it under no prefix");
    let host = registry.registry().to_string();
    session.run_with("get acme:greet@0.2.0", &[("WKG_REGISTRY", &host)], b"");
    session.run_with("get acme:greet@0.2.0", &[("WKG_REGISTRY", "https://acme.example")], b"");
    assert_eq!(session.files(), before);
    insta::assert_snapshot!("get_refused", session.transcript());
}
