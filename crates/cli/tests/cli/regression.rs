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

#[test]
fn an_override_by_the_path_of_a_folder_in_the_project_was_refused() {
    for path in ["dep", "./dep", "dep/"] {
        let mut session = Session::new();
        for folder in ["wit", "dep"] {
            std::fs::create_dir(session.path(folder)).unwrap();
        }
        session.write("dep/dep.wit", "package acme:dep@0.1.0; interface i { f: func(); }");
        session.write("wit/app.wit", "package acme:app@0.1.0; world app { import acme:dep/i@0.1.0; }");
        session.write("wkg.toml", format!("[overrides]\n\"acme:dep\" = {{ path = \"{path}\" }}\n"));
        let output = session.run("fetch");
        assert_eq!(output.status.code(), Some(0), "{}", session.transcript());
        assert!(session.path("wit/deps/acme-dep-0.1.0/package.wit").is_file());
    }
}

#[test]
fn a_folder_that_is_nothing_but_wit_had_its_locks_beside_it() {
    let mut session = Session::new();
    for name in ["flat", "flat/deps", "flat/deps/dep", "other", "other/wit"] {
        std::fs::create_dir(session.path(name)).unwrap();
    }
    session.write("flat/deps/dep/dep.wit", "package acme:dep; interface i {}");
    session.write("flat/app.wit", "package acme:flat; world app { import acme:dep/i; }");
    session.write("other/wit/app.wit", "package acme:other;");
    for (folder, lock) in [("flat", "flat/wkg.lock"), ("other", "other/wkg.lock"), ("other/wit", "other/wkg.lock")] {
        session.run(&format!("fetch {folder}"));
        assert!(session.path(lock).is_file(), "{}", session.transcript());
        assert!(!session.path("wkg.lock").exists(), "{folder}");
        std::fs::remove_file(session.path(lock)).unwrap();
    }
}
