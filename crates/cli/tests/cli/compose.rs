//! `wharf compose`.

use wharf_testing::fixtures;
use wharf_testing::guests::guest;
use wharf_testing::registry::TestRegistry;

use crate::session::{Session, hide_digests};

const LOG: &str = "package acme:log@1.0.0 { interface sink { put: func(line: string); } }\n";
const CALC: &str = "package acme:calc@0.2.0 { interface ops { add: func(a: u32, b: u32) -> u32; } }\n";
const IO: &str = "package wasi:io@0.2.3 { interface error { resource error; } }\n";

/// Writes a component that needs two others, and one of these; the other is in a registry, in several versions.
async fn start() -> (TestRegistry, Session) {
    let registry = TestRegistry::start().await;
    let host = registry.registry();
    let mut session = Session::with_registry(&registry);
    session.take_packages_from(&registry, "packages/");
    let world = "world app { import acme:log/sink@1.0.0; import acme:calc/ops@0.2.0; import wasi:io/error@0.2.3; \
                 export run: func(); }";
    session.write("app.wasm", guest(&format!("package a:app;\n{LOG}{CALC}{IO}{world}")));
    session.write("log.wasm", guest(&format!("package a:log;\n{LOG}world log {{ export acme:log/sink@1.0.0; }}")));
    let calc = CALC.replace("0.2.0", "0.2.1");
    let calc = format!("package a:calc;\n{calc}world calc {{ export acme:calc/ops@0.2.1; }}");
    session.write("calc.wasm", guest(&calc));
    for version in ["1.0.0", "1.1.0", "2.0.0-rc.1"] {
        session.run(&format!("push --quiet {host}/packages/acme/calculator:{version} calc.wasm"));
    }
    (registry, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn compose() {
    let (registry, mut session) = start().await;
    let host = registry.registry().to_string();
    session.run("compose app.wasm --plug log.wasm --plug calc.wasm -o whole.wasm");
    session.run("compose app.wasm --plug log.wasm -o half.wasm --json");
    session.run(&format!("compose half.wasm --plug {host}/packages/acme/calculator:1.0.0 -o whole.wasm --quiet"));
    session.remark("outside of a project, nothing is locked");
    session.run("compose half.wasm --plug acme:calculator -o whole.wasm");
    session.remark("in a project");
    session.write("wharf.toml", "");
    session.run("compose half.wasm --plug acme:calculator@^1.0 -o whole.wasm --locked");
    session.run("compose half.wasm --plug acme:calculator@^1.0 -o whole.wasm");
    session.run("compose half.wasm --plug acme:calculator@^1.0 -o whole.wasm --frozen");
    let files = [
        ".cache",
        ".config",
        "app.wasm",
        "calc.wasm",
        "half.wasm",
        "log.wasm",
        "wharf.lock",
        "wharf.toml",
        "whole.wasm",
    ];
    assert_eq!(session.files(), files);
    let lock = std::fs::read_to_string(session.path("wharf.lock")).unwrap();
    session.remark(&format!("wharf.lock:\n{lock}"));
    hide_digests(&mut session);
    insta::assert_snapshot!("compose", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_composed() {
    let (_registry, mut session) = start().await;
    let text = "package a:whole;\nlet log = new a:log {};\nlet calc = new acme:calculator@1.0.0 {};\n\
                let app = new a:app { ...log, ...calc, ... };\nexport app...;\n";
    session.write("whole.wac", text);
    std::fs::create_dir_all(session.path("deps/a")).unwrap();
    std::fs::rename(session.path("log.wasm"), session.path("deps/a/log.wasm")).unwrap();
    session.run("compose whole.wac --dep a:app=app.wasm -o whole.wasm");
    std::fs::rename(session.path("whole.wac"), session.path("whole")).unwrap();
    session.run("compose whole --wac --dep a:app=app.wasm --deps-dir deps -o whole.wasm --json");
    session.remark("faults");
    session.write("bad.wac", text.replace("...log", "...logs"));
    session.run("compose bad.wac --dep a:app=app.wasm -o bad.wasm");
    session.write("bad.wac", text.replace("...log, ...calc, ...", "...log"));
    session.run("compose bad.wac --dep a:app=app.wasm -o bad.wasm");
    session.write("bad.wac", text.replace("export app", "export app as"));
    session.run("compose bad.wac --dep a:app=app.wasm -o bad.wasm");
    session.write("bad.wac", text);
    session.run("compose bad.wac -o bad.wasm");
    session.run("compose bad.wac --dep a:apple=app.wasm -o bad.wasm");
    session.run("compose bad.wac --dep a:app=missing.wasm -o bad.wasm");
    session.run("compose missing.wac -o bad.wasm");
    assert!(!session.path("bad.wasm").exists());
    hide_digests(&mut session);
    insta::assert_snapshot!("compose_document", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_is_the_component() {
    let (_registry, mut session) = start().await;
    session.run("compose app.wasm --plug log.wasm -o half.wasm");
    let before = session.files();
    let mut command = crate::session::wharf(&session.path(""), "compose app.wasm --plug log.wasm -o -");
    let output = crate::session::output(&mut command, b"");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(output.stdout, std::fs::read(session.path("half.wasm")).unwrap());
    assert_eq!(session.files(), before, "nothing else is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_composed_is_named() {
    let (_registry, mut session) = start().await;
    let log = |version: &str, kind: &str| LOG.replace("1.0.0", version).replace("line: string", kind);
    let world = |version: &str| format!("world w {{ export acme:log/sink@{version}; }}");
    session.write("old.wasm", guest(&format!("package a:b;\n{}{}", log("0.9.0", "line: string"), world("0.9.0"))));
    session.write("other.wasm", guest(&format!("package a:b;\n{}{}", log("1.0.0", "line: u32"), world("1.0.0"))));
    session.write(
        "user.wasm",
        guest(&format!(
            "package a:b;\n{CALC}{LOG}world w {{ import acme:calc/ops@0.2.0; export acme:log/sink@1.0.0; }}"
        )),
    );
    session.write("small.wasm", guest(&format!("package a:b;\n{LOG}world w {{ import acme:log/sink@1.0.0; }}")));
    session.write("module.wasm", fixtures::module());
    session.write("wit.wasm", fixtures::wit_package());
    let before = session.files();
    for line in [
        "app.wasm --plug old.wasm",
        "small.wasm --plug calc.wasm",
        "small.wasm --plug user.wasm --plug calc.wasm",
        "app.wasm --plug log.wasm --plug user.wasm",
        "app.wasm --plug other.wasm",
        "app.wasm --plug module.wasm",
        "wit.wasm --plug log.wasm",
        "app.wasm --plug missing.wasm",
        "app.wasm --plug acme:missing",
        "app.wasm --plug acme:calculator@^3",
        "app.wasm --plug other:calculator",
        "app.wasm --plug acme:calculator/ops",
        "app.wasm --plug acme:calculator --offline",
        "app.wasm",
        "app.wasm --dep a:b=log.wasm",
        "app.wac --plug log.wasm",
        "app.wac --dep log.wasm",
    ] {
        session.run(&format!("compose {line} -o whole.wasm"));
    }
    session.run("compose app.wasm --plug log.wasm -o log.wasm");
    session.run("compose app.wasm --plug log.wasm -o missing/whole.wasm");
    session.run("compose app.wasm --plug log.wasm -o - --json");
    let cache = |name: &String| name != ".cache";
    assert_eq!(session.files().into_iter().filter(cache).collect::<Vec<_>>(), before);
    hide_digests(&mut session);
    insta::assert_snapshot!("compose_refused", session.transcript());
}
