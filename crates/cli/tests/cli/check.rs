//! `wharf check`.

use wharf_testing::registry::TestRegistry;

use crate::session::{Session, hide_digests};

const LOG: &str = "package acme:log@1.0.0;\n\ninterface sink {\n  put: func(line: string);\n}\n";

#[tokio::test(flavor = "multi_thread")]
async fn check() {
    let registry = TestRegistry::start().await;
    let mut session = Session::with_registry(&registry);
    std::fs::create_dir(session.path("wit")).unwrap();
    session.take_packages_from(&registry, "");
    session.write("wit/log.wit", LOG);
    session.run("check");
    session.run("publish --quiet");
    session.run("check");
    session.write("wit/log.wit", LOG.replace("  put", "  flush: func();\n  put"));
    session.run("check");
    session.write("wit/log.wit", LOG.replace("1.0.0", "1.0.1").replace("string", "list<u8>"));
    session.run("check");
    session.run("check --json");
    session.write("wit/log.wit", LOG.replace("1.0.0", "2.0.0").replace("string", "list<u8>"));
    session.run("check");
    session.run("check --offline");
    session.write("wit/log.wit", LOG.replace("@1.0.0", ""));
    session.run("check");
    session.write("wit/log.wit", "package acme:app;\n\nworld app {\n  import acme:log/sink@1.0.0;\n}\n");
    session.write("wkg.lock", "version = 1\npackages = []\n");
    session.run("check");
    session.write("wit/log.wit", "package other:log@1.0.0\n");
    session.run("check");
    hide_digests(&mut session);
    insta::assert_snapshot!("check", session.transcript());
}
