//! `wharf diff`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

const OLD: &str = "\
package acme:greet@0.2.0;

interface greet {
  use acme:names/names@1.0.0.{name};
  enum tone { kind, curt }
  hello: func(to: name, tone: tone) -> string;
  goodbye: func(to: name);
}

world greeter {
  export greet;
}
";

/// A dependency in `deps`.
const NAMES: &str = "package acme:names@1.0.0;\n\ninterface names {\n  type name = string;\n}\n";

/// Writes a package with its dependency.
fn write(session: &Session, folder: &str, text: &str) {
    std::fs::create_dir_all(session.path(&format!("{folder}/deps/names"))).unwrap();
    session.write(&format!("{folder}/greet.wit"), text);
    session.write(&format!("{folder}/deps/names/names.wit"), NAMES);
}

#[test]
fn diff() {
    let mut session = Session::new();
    write(&session, "old", OLD);
    let added = OLD.replace("0.2.0;", "0.2.1;").replace("  goodbye", "  /// For good.\n  farewell: func();\n  goodbye");
    write(&session, "added", &added);
    let broken = added
        .replace("kind, curt", "kind, warm, curt")
        .replace("  goodbye: func(to: name);\n", "")
        .replace("tone: tone)", "tone: tone, times: u8)");
    write(&session, "broken", &broken);
    write(&session, "honest", &broken.replace("0.2.1;", "0.3.0;"));
    write(&session, "unversioned", &broken.replace("@0.2.1;", ";"));
    session.run("diff old old");
    session.run("diff old added");
    session.run("diff old broken");
    session.run("diff old broken --json");
    session.run("diff old honest");
    session.run("diff old unversioned");
    session.run("diff added old");
    insta::assert_snapshot!("diff", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_of_wasm_and_artifacts() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("package.wasm", fixtures::wit_package());
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push --quiet {host}/acme/greet:0.1.0 package.wasm"));
    session.run(&format!("diff {host}/acme/greet:0.1.0 package.wasm"));
    session.run("diff hello.wasm hello.wasm");
    session.run("diff hello.wasm package.wasm");
    session.run(&format!("diff {host}/acme/greet:0.1.0 {host}/acme/greet:0.2.0"));
    insta::assert_snapshot!("diff_of_wasm_and_artifacts", session.transcript());
}

#[test]
fn what_cannot_be_compared_is_named() {
    let mut session = Session::new();
    write(&session, "old", OLD);
    session.write("other.wit", "package acme:other@0.2.0;\n");
    session.write("wrong.wit", "package acme:greet@0.2.0;\n\ninterface greet {\n  hello: func(to: nobody);\n}\n");
    session.write("module.wasm", fixtures::module());
    session.run("diff old other.wit");
    session.run("diff old wrong.wit");
    session.remark("a file alone has no dependencies");
    session.run("diff old old/greet.wit");
    session.run("diff old module.wasm");
    session.run("diff old missing.wit");
    session.run("diff old");
    insta::assert_snapshot!("what_cannot_be_compared_is_named", session.transcript());
}
