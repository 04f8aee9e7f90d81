//! `wharf publish`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::{Session, hide_digests};

const LOG: &str = "package acme:log@1.0.0;\n\ninterface sink {\n  put: func(line: string);\n}\n";
const APP: &str = "package acme:app@0.1.0;\n\nworld app {\n  import acme:log/sink@1.0.0;\n}\n";

/// Makes a home whose user publishes to a registry.
fn session(registry: &TestRegistry) -> Session {
    let session = Session::with_registry(registry);
    session.take_packages_from(registry, "");
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn publish() {
    let registry = TestRegistry::start().await;
    let mut session = session(&registry);
    std::fs::create_dir(session.path("wit")).unwrap();
    session.write("wit/log.wit", LOG);
    session.run("publish --dry-run");
    session.run("publish");
    session.run("publish");
    session.run("publish --skip-dupes");
    session.write("wit/log.wit", LOG.replace("string", "list<u8>"));
    session.run("publish");
    session.run("publish --skip-dupes --json");
    session.remark("a break");
    session.write("wit/log.wit", LOG.replace("1.0.0", "1.1.0").replace("string", "list<u8>"));
    session.run("publish");
    session.run("publish --allow-breaking");
    session.remark("a version between the two");
    session.write("wit/log.wit", LOG.replace("1.0.0", "1.0.5"));
    session.run("publish");
    session.run("tags HOST/acme/log".replace("HOST", registry.registry().as_str()).as_str());
    hide_digests(&mut session);
    insta::assert_snapshot!("publish", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn publish_of_several() {
    let registry = TestRegistry::start().await;
    let mut session = session(&registry);
    for folder in ["log", "app"] {
        std::fs::create_dir_all(session.path(folder)).unwrap();
    }
    session.write("wkg.toml", "[workspace]\nmembers = [\"app\", \"log\"]\n");
    session.write("log/log.wit", LOG);
    session.write("app/app.wit", APP);
    session.run("publish");
    session.run("publish --workspace");
    session.run("publish log app --skip-dupes");
    session.write("hello.wasm", fixtures::component("hello"));
    session.run("publish hello.wasm");
    session.run("publish hello.wasm log --package acme:hello@1.0.0");
    session.run_with("publish hello.wasm", &[("WKG_PACKAGE", "acme:hello@1.0.0")], b"");
    session.run("publish hello.wasm --package acme:hello");
    session.run_with("publish hello.wasm", &[("WKG_PACKAGE", "hello")], b"");
    session.run("publish log --workspace");
    session.run("publish missing.wasm");
    session.remark("nobody says where");
    session.write("log/log.wit", LOG.replace("acme", "other"));
    session.run("publish log");
    hide_digests(&mut session);
    insta::assert_snapshot!("publish_of_several", session.transcript());
}
