//! `wharf build`.

use wharf_testing::registry::TestRegistry;

use crate::session::{Session, hide_digests};

const LOG: &str = "package acme:log@1.0.0;\n\ninterface sink {\n  put: func(line: string);\n}\n";
const APP: &str = "package acme:app@0.1.0;\n\nworld app {\n  import acme:log/sink@1.0.0;\n}\n";

#[tokio::test(flavor = "multi_thread")]
async fn build() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    for folder in ["log/wit", "app/wit", "out"] {
        std::fs::create_dir_all(session.path(folder)).unwrap();
    }
    session.take_packages_from(&registry, "");
    session.write("log/wit/log.wit", LOG);
    session.write("app/wit/app.wit", APP);
    session.run("build log");
    session.run(&format!("push --quiet {host}/acme/log:1.0.0 acme_log@1.0.0.wasm"));
    session.run("build app --locked");
    session.run("build app");
    session.run("build -d app/wit -o out --json");
    session.remark("from what was fetched before");
    session.run("fetch app --quiet");
    session.run("build app --frozen --cache empty -o app.wasm");
    assert_eq!(
        std::fs::read(session.path("app.wasm")).unwrap(),
        std::fs::read(session.path("acme_app@0.1.0.wasm")).unwrap()
    );
    std::fs::remove_dir_all(session.path("app/wit/deps")).unwrap();
    session.run("build app --frozen --cache empty");
    session.remark("what cannot be built");
    session.run("build missing");
    session.run("build app -o missing/app.wasm");
    session.run("build app -o app/wit/app.wit");
    session.write("log/wkg.toml", "[metadata]\nlicense = \"mine\"\n");
    session.run("build log");
    session.run("build log -d app");
    hide_digests(&mut session);
    insta::assert_snapshot!("build", session.transcript());
}
