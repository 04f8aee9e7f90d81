//! `wharf run`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::{Session, output, wharf};

/// A command of WASI 0.1; `start` is what it does.
fn command(start: &str) -> Vec<u8> {
    let text = format!(
        r#"(module $guest
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\40\00\00\00\06\00\00\00")
            (data (i32.const 64) "hello\n")
            (func $print (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))
            (func $start (export "_start") {start}))"#
    );
    text.into_bytes()
}

/// Copies standard input to standard output.
const ECHO: &str = "
    (i32.store (i32.const 4) (i32.const 100))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))";

#[test]
fn run() {
    let mut session = Session::new();
    session.write("hello.wat", command("(call $print)"));
    session.write("seven.wat", command("(call $exit (i32.const 7))"));
    session.write("echo.wat", command(ECHO));
    session.write("trap.wat", command("unreachable"));
    session.write("loop.wat", command("(loop (br 0))"));
    session.write("flood.wat", command("(loop (call $print) (br 0))"));
    session.run("run hello.wat");
    session.remark("a second time, from what is kept");
    session.run("run hello.wat");
    session.run("run hello.wat --json");
    session.run("run --json hello.wat");
    session.run("run seven.wat");
    session.run_with("run echo.wat", &[], b"from a pipe\n");
    session.run("run trap.wat");
    session.run("run --timeout 50ms loop.wat");
    session.run("run --fuel 100000 loop.wat");
    session.run("run --output-max 12 flood.wat");
    insta::assert_snapshot!("run", session.transcript());
}

#[test]
fn what_is_no_program_is_told_with_what_runs_it() {
    let mut session = Session::new();
    session.write("filter.wasm", fixtures::filter());
    session.write("types.wasm", fixtures::wit_package());
    session.write("text.wasm", "no Wasm at all");
    session.write("env.wat", r#"(module (import "env" "emscripten_run" (func)) (func (export "_start")))"#);
    session.write("hello.wat", command("(call $print)"));
    session.write("broken.wat", r#"(module (func (export "_start") (result i32) (i64.const 1)))"#);
    session.run("run filter.wasm");
    session.run("run types.wasm");
    session.run("run text.wasm");
    session.run("run env.wat");
    session.run("run broken.wat");
    session.run("run --serve env.wat");
    session.run("run absent.wasm");
    session.run("run --dir absent hello.wat");
    session.run("run --env ABSENT env.wat");
    session.run("run --net example.org env.wat");
    session.run("run --memory lots env.wat");
    session.run("run --timeout never env.wat");
    session.run("run --bogus hello.wat");
    session.run("run --dir .::/x --dir absent::/x hello.wat");
    session.run("run --env =x hello.wat");
    insta::assert_snapshot!("what_is_no_program_is_told_with_what_runs_it", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_run_before_runs_without_its_registry() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wat", command("(call $print)"));
    let pushed = session.run(&format!("push --quiet {host}/acme/hello:1.0.0 hello.wat"));
    let pushed = String::from_utf8(pushed.stdout).unwrap();
    let digest = pushed.trim().rsplit('@').next().unwrap();
    session.run(&format!("run {host}/acme/hello:1.0.0"));
    let before = registry.log().len();
    session.run(&format!("run {host}/acme/hello@{digest}"));
    session.run(&format!("run --offline {host}/acme/hello@{digest}"));
    assert_eq!(registry.log().len(), before, "what is here is asked for");
    session.run(&format!("run --offline {host}/acme/hello:1.0.0"));
    session.run(&format!("run {host}/acme/other:1.0.0"));
    insta::assert_snapshot!("what_has_run_before_runs_without_its_registry", session.transcript());
}

/// A library of functions.
const MATH: &str = r#"(module $math
    (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func $divide (export "divide") (param i64 i64) (result i64) (i64.div_s (local.get 0) (local.get 1)))
    (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2))))"#;

/// Prints its arguments, one after the other.
const ARGUMENTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 8) (i32.const 4)))
        (drop (call $get (i32.const 64) (i32.const 1024)))
        (i32.store (i32.const 0) (i32.const 1024))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))"#;

#[test]
fn what_follows_the_program_is_the_programs_and_grants_nothing() {
    let session = Session::new();
    session.write("arguments.wat", ARGUMENTS);
    for words in ["--allow-all", "--dir .", "--env A=1 x", "--help", "--json", "-q -- --net *:*"] {
        let line = format!("run arguments.wat {words}");
        let output = output(&mut wharf(&session.path(""), &line), b"");
        let expected = format!("arguments.wat {words} ").replace(' ', "\0");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{line}");
    }
}

#[test]
fn functions_are_called() {
    let mut session = Session::new();
    session.write("math.wat", MATH);
    session.write("empty.wat", "(module)");
    session.run("run math.wat");
    session.run("run math.wat add --help");
    session.run("run math.wat add 1 2");
    session.run("run --json math.wat add 1 -2");
    session.run("run math.wat half nan");
    session.run("run math.wat divide 1 0");
    session.run("run math.wat add 1");
    session.run("run math.wat add 1 two");
    session.run("run math.wat add 1 99999999999");
    session.run("run math.wat ad 1 2");
    session.run("run empty.wat");
    insta::assert_snapshot!("functions_are_called", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_runs_by_its_name() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.take_packages_from(&registry, "packages/");
    session.write("hello.wat", command("(call $print)"));
    for version in ["1.0.0", "1.1.0"] {
        session.run(&format!("push --quiet {host}/packages/acme/hello:{version} hello.wat"));
    }
    session.run("run acme:hello");
    registry.clear_log();
    session.run("run acme:hello@1.0.0");
    let asked: Vec<String> = registry.log().into_iter().map(|exchange| exchange.target).collect();
    assert_eq!(asked.len(), 1, "the manifest tells what is here: {asked:?}");
    session.run("run acme:hello@2.0.0");
    session.run("run acme:absent@1.0.0");
    session.run("run other:hello");
    insta::assert_snapshot!("a_package_runs_by_its_name", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_package_runs_without_a_request_and_is_no_other_one() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.take_packages_from(&registry, "packages/");
    session.write("hello.wat", command("(call $print)"));
    session.write("other.wat", command("(call $print) (call $print)"));
    session.run(&format!("push --quiet {host}/packages/acme/hello:1.0.0 hello.wat"));
    let ran = session.run("run --json acme:hello@1.0.0");
    let printed = String::from_utf8(ran.stdout).unwrap();
    let outcome: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let digest = outcome["wasmDigest"].as_str().unwrap();
    session.write(
        "wharf.lock",
        format!(
            "version = 1\n\n[[components]]\nname = \"acme:hello\"\nregistry = \"acme.example\"\n\
             repository = \"{host}/packages/acme/hello\"\n\n[[components.versions]]\nrequirement = \"=1.0.0\"\n\
             version = \"1.0.0\"\nmanifest = \"{digest}\"\ndigest = \"{digest}\"\n"
        ),
    );
    session.run(&format!("push --quiet {host}/packages/acme/hello:1.0.0 other.wat"));
    registry.clear_log();
    session.run("run acme:hello@1.0.0");
    assert!(registry.log().is_empty(), "it is locked, and here");
    session.remark("nothing is here any more, and the registry has something else under that version");
    std::fs::remove_dir_all(session.path(".cache/wharf")).unwrap();
    session.run("run acme:hello@1.0.0");
    insta::assert_snapshot!("a_locked_package_runs_without_a_request_and_is_no_other_one", session.transcript());
}
