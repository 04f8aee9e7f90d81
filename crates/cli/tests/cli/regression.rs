//! One test for each bug that was found, named after what went wrong.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::login::guard;
use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn a_name_from_a_flag_did_not_go_with_a_password_from_a_variable() {
    let registry = TestRegistry::with(guard).await;
    let mut session = Session::with_registry(&registry);
    let line = format!("tags {}/acme/hello --username jo", registry.registry());
    let output = session.run_with(&line, &[("WHARF_PASSWORD", "open")], b"");
    assert!(output.status.success(), "{}", session.transcript());
    let output = session.run(&line);
    assert_eq!(output.status.code(), Some(2), "{}", session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_by_tag_and_digest_took_the_digest_and_with_it_every_tag() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    let pushed = session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    let pinned = String::from_utf8(pushed.stdout).unwrap();
    let digest = pinned.trim().split_once('@').unwrap().1;
    let output = session.run(&format!("delete {host}/acme/hello:other@{digest}"));
    assert_eq!(output.status.code(), Some(2), "{}", session.transcript());
    let output = session.run(&format!("tags {host}/acme/hello"));
    assert_eq!(output.stdout, b"1.0.0\n");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_pull_with_force_replaced_a_socket_by_a_file() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push {host}/acme/hello:1.0.0 hello.wasm"));
    let _socket = std::os::unix::net::UnixListener::bind(session.path("socket")).unwrap();
    let output = session.run(&format!("pull {host}/acme/hello:1.0.0 --force --output socket"));
    assert_eq!(output.status.code(), Some(2), "{}", session.transcript());
    assert!(!session.path("socket").is_file());
}

#[test]
fn a_file_in_a_folder_that_is_not_there_was_looked_for_at_docker() {
    let mut session = Session::new();
    let output = session.run("inspect build/hello.wasm");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("No such file"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_could_not_reach_its_two_sides_in_different_ways() {
    let (from, to) = (TestRegistry::start().await, TestRegistry::start().await);
    let mut session = Session::with_registry(&from);
    session.write("hello.wasm", fixtures::component("hello"));
    session.run(&format!("push {}/acme/hello:1.0.0 hello.wasm", from.registry()));
    let line = format!("copy {}/acme/hello:1.0.0 {}/mirror/hello", from.registry(), to.registry());
    for (flag, side) in [("--tls", &to), ("--from-tls", &from)] {
        let output = session.run(&format!("{line} {flag}"));
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = format!("https://{} does not speak TLS", side.registry());
        assert!(said.contains(&expected), "{flag}: {said}");
    }
}
