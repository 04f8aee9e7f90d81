//! `wharf pack`.

use wharf_testing::fixtures;

use crate::session::Session;

/// Makes a home with one file of each kind of Wasm.
fn session() -> Session {
    let session = Session::new();
    session.write("hello.wasm", fixtures::component("hello"));
    session.write("module.wasm", fixtures::module());
    session.write("filter.wasm", fixtures::filter());
    session.write("greet.wasm", fixtures::wit_package());
    session
}

#[test]
fn pack() {
    let mut session = session();
    for form in ["artifact", "image", "docker"] {
        session.run(&format!("pack hello.wasm -o {form}.tar --as {form} --name acme/hello --tag 1.0.0"));
        session.run(&format!("inspect oci-archive:{form}.tar"));
    }
    for form in ["istio", "istio-compat"] {
        session.run(&format!("pack filter.wasm -o {form}.tar --as {form} --name acme/filter --root-id auth"));
        session.run(&format!("inspect oci-archive:{form}.tar"));
    }
    session.remark("the file names the image, a text is as good as a binary");
    session.write("Store.wat", "(module (func (export \"_start\")))");
    session.run("pack Store.wat -o store.tar --json");
    session.remark("what is said of it");
    session.run_with(
        "pack hello.wasm -o told.tar --as docker --docker-manifest --author Jo --annotation team=web --quiet",
        &[("SOURCE_DATE_EPOCH", "1700000000")],
        b"",
    );
    session.run("inspect docker-archive:told.tar");
    insta::assert_snapshot!("pack", session.transcript());
}

#[test]
fn the_same_files_give_the_same_archive_which_replaces_the_old_one() {
    let mut session = session();
    for (file, form) in [
        ("hello", "artifact"),
        ("hello", "image"),
        ("hello", "docker"),
        ("filter", "istio"),
        ("filter", "istio-compat"),
    ] {
        let read = |session: &Session| std::fs::read(session.path("out.tar")).unwrap();
        let line = format!("pack {file}.wasm -o out.tar --as {form}");
        session.run(&line);
        let first = read(&session);
        session.write("out.tar", "what was there before");
        session.run(&line);
        assert!(first == read(&session), "{form}");
    }
    assert_eq!(session.files(), ["filter.wasm", "greet.wasm", "hello.wasm", "module.wasm", "out.tar"]);
}

/// The lines of build scripts, with the name of the program changed.
#[test]
fn the_flags_of_oci_tar_builder_are_understood() {
    let mut session = session();
    std::fs::create_dir(session.path("parts")).unwrap();
    session.write("parts/b.wasm", fixtures::module());
    session.write("parts/a.wasm", fixtures::component("a"));
    session.write("parts/README.md", "no Wasm");
    session.write("notes=1.txt", "a layer of any type");
    let table = [
        "pack -n hello -r ghcr.io/acme -t 1.0.0 -m hello.wasm -o module.tar",
        "pack -n hello -r ghcr.io/acme -t 1.0.0 -m hello.wasm -m module.wasm -o modules.tar",
        "pack --name hello --repo localhost:5000 --tag 1.0.0 --module hello.wasm --as-artifact --out-path artifact.tar",
        "pack -n app -r ghcr.io/acme -t 1.0.0 -c parts -o components.tar",
        "pack -n hello -r ghcr.io/acme/ -t 1 -m hello.wasm -l application/vnd.acme.data=notes=1.txt -o layer.tar",
    ];
    for line in table {
        session.run(line);
        let archive = line.rsplit(' ').next().unwrap();
        session.run(&format!("tags docker-archive:{archive}"));
        session.run(&format!("tags oci-archive:{archive}"));
    }
    session.remark("of several, one has to be named");
    session.run("pull oci-archive:components.tar -o b.wasm");
    session.run("pull oci-archive:components.tar -o b.wasm --layer b.wasm");
    assert_eq!(std::fs::read(session.path("b.wasm")).unwrap(), fixtures::module());
    insta::assert_snapshot!("pack_builder", session.transcript());
}

#[test]
fn what_cannot_be_packed_is_refused_and_the_old_archive_stays() {
    let mut session = session();
    std::fs::create_dir(session.path("empty")).unwrap();
    session.write("notes.txt", "not Wasm at all");
    session.write("old.tar", "what was there before");
    let before = session.files();
    for line in [
        "missing.wasm",
        "notes.txt",
        "empty",
        "greet.wasm",
        "greet.wasm --as docker",
        "hello.wasm --as istio",
        "module.wasm --as istio-compat",
        "hello.wasm module.wasm --as docker",
        "hello.wasm --layer text/plain=notes.txt --as artifact",
        "hello.wasm --layer text/plain=missing.txt",
        "hello.wasm --layer text/plain=empty",
        "hello.wasm --layer plain/=notes.txt",
        "hello.wasm --layer application/vnd.oci.image.layer.v1.tar=notes.txt",
        "hello.wasm --world wasi:http/proxy@0.2.3",
        "module.wasm --as artifact --world wasi:http/proxy@0.2.3",
        "hello.wasm --root-id auth",
        "filter.wasm --as istio --author Jo",
        "hello.wasm --docker-manifest",
        "hello.wasm --as artifact --docker-manifest",
        "hello.wasm --name Hello",
        "hello.wasm --name .hello",
        "hello.wasm --repo ghcr.io/Acme",
        "-c empty",
        "-c missing",
        "-c notes.txt",
    ] {
        session.run(&format!("pack {line} -o old.tar"));
    }
    session.run_with("pack hello.wasm -o old.tar", &[("SOURCE_DATE_EPOCH", "999999999999999")], b"");
    session.run("pack hello.wasm -o missing/new.tar");
    session.run("pack hello.wasm -o empty");
    session.run("pack module.wasm hello.wasm -o hello.wasm");
    assert_eq!(std::fs::read(session.path("hello.wasm")).unwrap(), fixtures::component("hello"));
    assert_eq!(session.files(), before);
    assert_eq!(std::fs::read(session.path("old.tar")).unwrap(), b"what was there before");
    insta::assert_snapshot!("pack_refused", session.transcript());
}

#[test]
fn a_line_that_says_two_things_at_once_is_refused() {
    let mut session = session();
    for line in [
        "pack -o new.tar",
        "pack hello.wasm",
        "pack hello.wasm -o new.tar --as helm",
        "pack hello.wasm -o new.tar -a --as docker",
        "pack -m hello.wasm -c parts -o new.tar",
        "pack hello.wasm -c parts -o new.tar",
        "pack hello.wasm -l notes.txt -o new.tar",
        "pack hello.wasm -t 1+2 -o new.tar",
    ] {
        session.run(line);
    }
    insta::assert_snapshot!("pack_usage", session.transcript());
}
