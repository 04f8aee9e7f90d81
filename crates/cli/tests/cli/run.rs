//! `wharf run`.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

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
