//! Layouts and archives in the place of a registry, in every command that takes one.

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;

use crate::session::Session;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_does_a_layout_and_an_archive_do() {
    let registry = TestRegistry::start().await;
    let host = registry.registry().to_string();
    let mut session = Session::with_registry(&registry);
    let component = fixtures::component("hello");
    session.write("hello.wasm", &component);
    let places = [
        ("oci-layout:layout:acme/hello:1.0.0", "artifact"),
        ("oci-archive:image.tar:acme/hello:1.0.0", "image"),
        ("oci-archive:tag.tar:1.0.0", "artifact"),
        ("docker-archive:docker.tar:acme/hello:1.0.0", "docker"),
    ];
    for (place, form) in places {
        session.run(&format!("push {place} hello.wasm --as {form}"));
    }
    session.remark("a name may be a tag, or left out where there is but one");
    session.run("tags oci-layout:layout");
    session.run("tags docker-archive:docker.tar --json");
    session.run("inspect docker-archive:docker.tar:1.0.0 --json");
    session.run("pull oci-layout:layout:1.0.0 -o pulled.wasm");
    session.run("pull docker-archive:image.tar:acme/hello:1.0.0 -o pulled.wasm --force");
    session.run("pull oci-archive:docker.tar --force");
    session.remark("from one place to the next and back, byte for byte");
    session.run(&format!("copy oci-layout:layout {host}/acme/hello"));
    session.run(&format!("copy {host}/acme/hello:1.0.0 oci-archive:back.tar"));
    session.run("copy docker-archive:docker.tar oci-layout:layout:acme/image:2.0.0");
    session.run("copy oci-layout:layout:2.0.0 docker-archive:again.tar");
    session.run("tags docker-archive:again.tar");
    session.run("tags oci-layout:layout");
    for name in ["pulled.wasm", "hello.wasm"] {
        assert_eq!(std::fs::read(session.path(name)).unwrap(), component, "{name}");
    }
    let read = |name: &str| std::fs::read(session.path(name)).unwrap();
    assert!(read("again.tar").starts_with(&read("docker.tar")[..1024]), "the first blob is the same");
    insta::assert_snapshot!("archives", session.transcript());
}

#[test]
fn names_in_a_layout_are_given_and_taken_and_an_archive_is_written_once() {
    let mut session = Session::new();
    session.write("hello.wasm", fixtures::component("hello"));
    let pushed = session.run("push oci-layout:layout:acme/hello:1.0.0 hello.wasm --quiet");
    let pinned = String::from_utf8(pushed.stdout).unwrap();
    session.run("tag oci-layout:layout:acme/hello:1.0.0 stable");
    session.run(&format!("tag {} nightly", pinned.trim()));
    session.run("tags oci-layout:layout");
    session.run("delete oci-layout:layout:stable");
    session.run("delete oci-layout:layout:stable");
    session.run("delete oci-layout:layout");
    session.run(&format!("delete {}", pinned.trim()));
    session.run("tags oci-layout:layout");
    session.run("push oci-archive:hello.tar:1.0.0 hello.wasm --quiet");
    session.run("tag oci-archive:hello.tar:1.0.0 stable");
    session.run("delete oci-archive:hello.tar:1.0.0");
    insta::assert_snapshot!("archives_names", session.transcript());
}

#[test]
fn a_name_that_is_unknown_ambiguous_or_missing_is_answered_with_what_is_there() {
    let mut session = Session::new();
    session.write("hello.wasm", fixtures::component("hello"));
    session.write("other.wasm", fixtures::component("other"));
    session.run("push oci-layout:layout:acme/hello:1.0.0 hello.wasm --quiet");
    session.run("push oci-layout:layout:acme/other:1.0.0 other.wasm --quiet");
    session.run("pull oci-layout:layout:2.0.0 -o new.wasm");
    session.run("pull oci-layout:layout:1.0.0 -o new.wasm");
    session.run("pull oci-layout:layout -o new.wasm");
    session.run("inspect oci-layout:layout@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    session.run("inspect oci-layout:layout:a+b");
    session.run("inspect oci-layout:");
    session.run("tags oci-layout:layout");
    session.run("pull oci-layout:layout:acme/other:1.0.0 -o new.wasm");
    assert_eq!(std::fs::read(session.path("new.wasm")).unwrap(), fixtures::component("other"));
    insta::assert_snapshot!("archives_unknown", session.transcript());
}

#[test]
fn what_is_there_is_not_replaced_and_what_is_none_is_not_read() {
    let mut session = Session::new();
    session.write("hello.wasm", fixtures::component("hello"));
    session.write("old.tar", "what was there before");
    session.write("package.tar.gz", b"\x1f\x8b\x08\0 and so on");
    std::fs::create_dir(session.path("folder")).unwrap();
    session.write("folder/notes.txt", "no layout");
    session.run("pack hello.wasm -o hello.tar --as artifact --quiet");
    let before = session.files();
    for line in [
        "push oci-archive:old.tar:1.0.0 hello.wasm",
        "copy oci-archive:hello.tar oci-archive:old.tar:1.0.0",
        "push oci-layout:folder:1.0.0 hello.wasm",
        "push oci-layout:old.tar:1.0.0 hello.wasm",
        "push oci-archive:folder:1.0.0 hello.wasm --force",
        "push oci-archive:missing/new.tar:1.0.0 hello.wasm",
        "push docker-archive:new.tar:1.0.0 hello.wasm",
        "copy oci-archive:hello.tar docker-archive:new.tar",
        "inspect hello.tar",
        "push oci-archive:new.tar:1.0.0 hello.tar",
        "inspect oci-archive:missing.tar",
        "inspect oci-archive:hello.wasm",
        "inspect oci-archive:folder",
        "inspect oci-archive:package.tar.gz",
        "inspect docker-archive:hello.tar",
        "inspect oci-layout:missing",
        "inspect oci-layout:folder",
        "inspect oci-layout:hello.tar",
    ] {
        let output = session.run(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
    assert_eq!(session.files(), before);
    assert_eq!(std::fs::read(session.path("old.tar")).unwrap(), b"what was there before");
    session.remark("unless that is asked for");
    session.run("push oci-archive:old.tar:1.0.0 hello.wasm --force --quiet");
    session.run("copy oci-archive:hello.tar oci-archive:old.tar:2.0.0 --force --quiet");
    session.run("tags oci-archive:old.tar");
    insta::assert_snapshot!("archives_refused", session.transcript());
}
