//! Standard output and standard error where they are closed, full, a pipe or a terminal.

use std::process::{Output, Stdio};

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;
use wharf_testing::script::{Reply, Step};

use crate::scene::{MANIFEST, Scene};
use crate::session::{Session, wharf};

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_on_standard_error_also_with_json() {
    let mut scene = Scene::new();
    let steps = vec![Step::new(MANIFEST, Reply::new(403))];
    let output = scene.run("JSON", "pull HOST/acme/hello:1.0.0 --json --quiet", steps).await;
    scene.assert_failed(&output);
    insta::assert_snapshot!("streams_json", scene.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_has_enough_is_no_error() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    let lines = [
        "tags HOST/acme/hello",
        "tags HOST/acme/hello --json",
        "inspect hello.wasm",
        "completions bash",
        "--help",
        "--version",
    ];
    for line in lines {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = run_into(&session, &line.replace("HOST", &host), writer);
        assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
    }
}

/// What cannot be told is a failure, although the work was done.
#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_takes_nothing_is_an_error() {
    let mut session = Session::new();
    session.write("hello.wasm", fixtures::component("hello"));
    for line in ["inspect hello.wasm", "inspect hello.wasm --json", "completions bash"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = run_into(&session, line, full);
        session.record(&format!("wharf {line}"), &output);
    }
    insta::assert_snapshot!("streams_full", session.transcript());
}

/// Runs `wharf` with the words of `line`, and with its standard output at `target`.
fn run_into(session: &Session, line: &str, target: impl Into<Stdio>) -> Output {
    let mut command = wharf(&session.path(""), line);
    command.stdin(Stdio::null()).stdout(target).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_sees_no_progress() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("large.wasm", fixtures::component_of_size(2_000_000));
    let pushed = session.run(&format!("push {host}/acme/large:1.0.0 large.wasm"));
    let pulled = session.run(&format!("pull {host}/acme/large:1.0.0 --output copy.wasm"));
    for output in [pushed, pulled] {
        assert!(output.status.success());
        assert!(!output.stderr.iter().any(|byte| matches!(byte, 0x1b | b'\r' | 0x08)), "{output:?}");
    }
}
