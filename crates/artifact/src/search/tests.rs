use std::collections::BTreeMap;

use proptest::prelude::*;
use wharf_oci::MediaType;
use wharf_testing::packing::{gzip, tar, zstd};

use super::*;
use crate::istio::RUNTIME_CONFIG_FILE;
use crate::limits::CONFIG_BYTES_MAX;

const WASM: &[u8] = b"\0asm\x01\0\0\0";
const ELF: &[u8] = b"\x7fELF";
/// The paths and contents of a tar.
type Files<'a> = &'a [(&'a str, &'a [u8])];

const TYPE: MediaType = MediaType::OCTET_STREAM;

fn manifest(layers: &[Vec<u8>]) -> ImageManifest {
    let layers = layers.iter().map(|bytes| Descriptor::of(TYPE, bytes)).collect();
    ImageManifest::new(Descriptor::of(TYPE, b"{}"), layers)
}

/// What a search found, as `path@layer`, and how many layers it saw.
fn run(mut search: Search, layers: &[Vec<u8>]) -> Result<(String, usize), Unreadable> {
    let mut seen = 0;
    while let Some(index) = search.wants() {
        search.look(index, &mut &layers[index][..]).unwrap();
        seen += 1;
    }
    let found = search.finish()?;
    assert_eq!(found.layer, Descriptor::of(TYPE, &layers[found.index]));
    Ok((format!("{}@{}", found.path.unwrap_or_default(), found.index), seen))
}

fn in_image(executable: &str, layers: &[Vec<u8>]) -> Result<(String, usize), Unreadable> {
    let executable = (!executable.is_empty()).then(|| executable.to_owned());
    run(Search::of_image(&manifest(layers), executable).unwrap(), layers)
}

fn in_each(layers: &[Vec<u8>]) -> Result<(String, usize), Unreadable> {
    run(
        Search::of_each(
            Dialect::Untyped,
            &manifest(layers),
            layers.to_vec().iter().map(|it| Descriptor::of(TYPE, it)).collect(),
        )
        .unwrap(),
        layers,
    )
}

/// Looks into a single layer with little leave.
fn look(bytes: &[u8], left: Budget) -> Result<(), InvalidLayer> {
    let mut search = Search::of_image(&manifest(&[bytes.to_vec()]), None).unwrap();
    search.queue.left = Budget { bytes: u64::MAX, ..left };
    assert_eq!(search.wants(), Some(0));
    search.queue.left = left;
    search.queue.pending = vec![0];
    search.queue.layers[0].size = 0;
    search.look(0, &mut &bytes[..])
}

#[test]
fn the_highest_layer_with_the_executable_is_the_last_one_seen() {
    let app = tar(&[("bin/app.wasm", WASM)]);
    let other = tar(&[("etc/motd", b"hello"), ("b.wasm", WASM)]);
    let table: [(_, &[Vec<u8>], _); 6] = [
        ("bin/app.wasm", &[other.clone(), app.clone()], ("bin/app.wasm@1", 1)),
        ("bin/app.wasm", &[app.clone(), other.clone()], ("bin/app.wasm@0", 2)),
        ("bin/app.wasm", &[app.clone(), app.clone()], ("bin/app.wasm@1", 1)),
        // The name is no condition: bytes are.
        ("app", &[tar(&[("app", WASM), ("b.wasm", WASM)])], ("app@0", 1)),
        // The last of two with one path counts.
        ("a", &[tar(&[("a", ELF), ("a", WASM), ("b.wasm", WASM)])], ("a@0", 1)),
        ("app.wat", &[tar(&[("app.wat", b" ;; none\n(module)"), ("b.wasm", WASM)])], ("app.wat@0", 1)),
    ];
    for (executable, layers, (found, seen)) in table {
        assert_eq!(in_image(executable, layers), Ok((found.to_owned(), seen)), "{executable}");
    }
}

#[test]
fn layers_are_merged_with_whiteouts() {
    let lower = || tar(&[("a/x.wasm", WASM), ("b.wasm", WASM)]);
    let table: [(Files<'_>, &str); 10] = [
        (&[("a/.wh.x.wasm", b"")], "b.wasm@0"),
        (&[(".wh.a", b"")], "b.wasm@0"),
        (&[("a/.wh..wh..opq", b"")], "b.wasm@0"),
        (&[(".wh..wh..opq", b""), ("c.wasm", WASM)], "c.wasm@1"),
        // A file, or a link, in place of a folder.
        (&[("a", b"file")], "b.wasm@0"),
        (&[("a", b"-> c")], "b.wasm@0"),
        // A folder, or a file that is no Wasm, in place of a file.
        (&[("b.wasm/", b"")], "a/x.wasm@0"),
        (&[("b.wasm", b"text")], "a/x.wasm@0"),
        // A whiteout hides nothing of its own layer.
        (&[("b.wasm", WASM), (".wh.b.wasm", b""), ("a/.wh..wh..opq", b"")], "b.wasm@1"),
        (&[("a/x.wasm", WASM), (".wh.a", b""), (".wh.b.wasm", b"")], "a/x.wasm@1"),
    ];
    for (upper, expected) in table {
        let layers = [lower(), tar(upper)];
        assert_eq!(in_image("", &layers).map(|(found, _)| found), Ok(expected.to_owned()), "{upper:?}");
    }
    // What was hidden stays hidden further down.
    let layers = [lower(), tar(&[("c.wasm", WASM)]), tar(&[("a/.wh.x.wasm", b""), (".wh.b.wasm", b"")])];
    assert_eq!(in_image("", &layers), Ok(("c.wasm@1".to_owned(), 3)));
}

#[test]
fn an_executable_that_was_taken_away_is_not_found_below() {
    let lower = || tar(&[("bin/app.wasm", WASM)]);
    for upper in ["bin/.wh.app.wasm", ".wh.bin", "bin", ".wh..wh..opq", "bin/.wh..wh..opq"] {
        let layers = [lower(), tar(&[("bin/app.wasm", WASM)]), tar(&[(upper, b"")])];
        let error = in_image("bin/app.wasm", &layers).unwrap_err();
        assert!(matches!(error, Unreadable::NoWasm { dialect: Dialect::ContainerImage, .. }), "{upper}: {error}");
    }
}

#[test]
fn an_executable_that_is_no_wasm_is_named_where_nothing_else_is_wasm() {
    let table: [(&[u8], &str); 5] = [
        (ELF, "entrypoint `bin/app` of the image is a native program, not Wasm: native code (ELF)"),
        (b"#!/bin/sh", "is a native program, not Wasm: a script"),
        (b"-> app.wasm", "entrypoint `bin/app` of the image is a link, which is not followed"),
        (b"text", "container-image artifact holds no Wasm"),
        (b"(module)", "container-image artifact holds no Wasm"),
    ];
    for (content, expected) in table {
        let message = in_image("bin/app", &[tar(&[("bin/app", content)])]).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        let with_other = [tar(&[("b.wasm", WASM)]), tar(&[("bin/app", content)])];
        assert_eq!(in_image("bin/app", &with_other), Ok(("b.wasm@0".to_owned(), 2)));
    }
}

#[test]
fn a_plugin_is_taken_from_the_highest_layer_only() {
    let plugin = tar(&[("opt/plugin.wasm", WASM), ("plugin.wasm", WASM), ("other.wasm", WASM)]);
    let other = tar(&[("x.wasm", WASM)]);
    // Without an executable there is no need for the layers below.
    assert_eq!(in_image("", &[other.clone(), plugin.clone()]), Ok(("opt/plugin.wasm@1".to_owned(), 1)));
    let native = tar(&[("plugin.wasm", WASM), ("envoy", ELF)]);
    assert_eq!(in_image("envoy", &[other.clone(), native]), Ok(("plugin.wasm@1".to_owned(), 1)));
    let several = in_image("", &[plugin, other]).unwrap_err();
    let message = "artifact holds 4 Wasm binaries: x.wasm, opt/plugin.wasm, other.wasm, plugin.wasm";
    assert_eq!(several.to_string(), message);
    // Of several files with one path, the last counts.
    let twice = in_image("", &[tar(&[("a.wasm", WASM), ("a.wasm", b"text")])]).unwrap_err();
    assert!(matches!(twice, Unreadable::NoWasm { .. }), "{twice}");
    // What is called so and is none does not count.
    let empty = tar(&[("plugin.wasm", b"text"), ("a.wasm", WASM)]);
    assert_eq!(in_image("", &[empty]), Ok(("a.wasm@0".to_owned(), 1)));
}

#[test]
fn what_is_found_names_its_dialect_and_how_it_was_told() {
    let table: [(&str, Files<'_>, Dialect, Clue, What); 6] = [
        ("plugin.wasm", &[("plugin.wasm", WASM)], Dialect::IstioCompat, Clue::Entrypoint, What::Wasm),
        ("", &[("plugin.wasm", WASM)], Dialect::IstioCompat, Clue::Plugin, What::Wasm),
        ("", &[("a.wasm", WASM)], Dialect::ContainerImage, Clue::Only, What::Wasm),
        ("a", &[("a", WASM)], Dialect::ContainerImage, Clue::Entrypoint, What::Wasm),
        ("a.wat", &[("a.wat", b"(module)")], Dialect::ContainerImage, Clue::Entrypoint, What::Text),
        ("", &[("claims.jwt", b"x"), ("world.wasm", WASM)], Dialect::WasmcloudProvider, Clue::Only, What::Provider),
    ];
    for (executable, files, dialect, clue, what) in table {
        let layer = tar(files);
        let executable = (!executable.is_empty()).then(|| executable.to_owned());
        let mut search = Search::of_image(&manifest(std::slice::from_ref(&layer)), executable).unwrap();
        search.look(0, &mut &layer[..]).unwrap();
        let found = search.finish().unwrap();
        assert_eq!((found.dialect, found.clue, found.what), (dialect, clue, what), "{files:?}");
    }
}

#[test]
fn bytes_tell_how_a_layer_is_packed() {
    let packed = tar(&[("a/b.wasm", WASM)]);
    for (layer, path) in [
        (packed.clone(), Some("a/b.wasm")),
        (gzip(&packed), Some("a/b.wasm")),
        (zstd(&packed), Some("a/b.wasm")),
        (WASM.to_vec(), None),
        (gzip(WASM), None),
        (zstd(WASM), None),
    ] {
        let expected = format!("{}@0", path.unwrap_or_default());
        assert_eq!(in_image("", std::slice::from_ref(&layer)), Ok((expected.clone(), 1)));
        assert_eq!(in_each(std::slice::from_ref(&layer)), Ok((expected, 1)));
        let mut search = Search::of_image(&manifest(std::slice::from_ref(&layer)), None).unwrap();
        search.look(0, &mut &layer[..]).unwrap();
        let mut bytes = Vec::new();
        assert_eq!(search.finish().unwrap().extract(&mut &layer[..], &mut bytes).unwrap(), WASM.len() as u64);
        assert_eq!(bytes, WASM);
    }
}

#[test]
fn layers_that_stand_for_themselves_hold_one_thing_in_all() {
    let text = || b"some text".to_vec();
    let bundle = tar(&[("a.wasm", WASM), ("dist/plugin.wasm", WASM)]);
    assert_eq!(in_each(&[text(), bundle.clone()]), Ok(("dist/plugin.wasm@1".to_owned(), 2)));
    let archive = gzip(&tar(&[("claims.jwt", b"x"), ("world.wasm", WASM)]));
    assert_eq!(in_each(&[archive.clone(), text()]), Ok(("@0".to_owned(), 2)));
    let several = in_each(&[bundle, WASM.to_vec(), archive]).unwrap_err().to_string();
    assert!(several.starts_with("artifact holds 3 Wasm binaries: dist/plugin.wasm, sha256:"), "{several}");
    let pair = in_each(&[tar(&[("a.wasm", WASM), ("b.wasm", WASM)])]).unwrap_err().to_string();
    assert_eq!(pair, "artifact holds 2 Wasm binaries: a.wasm, b.wasm");
    let none = in_each(&[text(), tar(&[("a.wasm", b"text"), ("b.txt", WASM)])]).unwrap_err();
    assert!(matches!(none, Unreadable::Unknown { .. }), "{none}");
}

/// Returns a search that `name` chooses in, and shows it all that it wants.
fn choose(search: Search, name: &str, layers: &[Vec<u8>]) -> Result<Found, Unreadable> {
    let mut search = search.choosing(name);
    while let Some(index) = search.wants() {
        search.look(index, &mut &layers[index][..]).unwrap();
    }
    search.finish()
}

#[test]
fn of_several_the_one_is_taken_that_is_named() {
    let layers = [
        tar(&[("bin/old.wasm", WASM), ("a/app.wasm", WASM), ("etc/motd", b"x")]),
        tar(&[("app.wasm", WASM), ("plugin.wasm", WASM), ("bin/app.wasm", WASM)]),
    ];
    let digests: Vec<_> = layers.iter().map(|layer| Descriptor::of(TYPE, layer).digest.to_string()).collect();
    let mut titled = manifest(&layers);
    titled.layers[0] = titled.layers[0].clone().with_annotation(crate::cncf::TITLE, "lower.tar");
    let image = || Search::of_image(&titled, Some("bin/app.wasm".to_owned())).unwrap();
    let each = || Search::of_each(Dialect::Untyped, &titled, titled.layers.clone()).unwrap();
    for (name, path, in_image, in_each) in [
        // What the image runs does not end the search for what is asked for.
        ("bin/old.wasm", "bin/old.wasm", Clue::Chosen, Clue::Chosen),
        ("old.wasm", "bin/old.wasm", Clue::Chosen, Clue::Chosen),
        (&format!("{}/a/app.wasm", digests[0]), "a/app.wasm", Clue::Chosen, Clue::Chosen),
        // The whole path goes before the last part of another one.
        ("app.wasm", "app.wasm", Clue::Chosen, Clue::Chosen),
        ("bin/app.wasm", "bin/app.wasm", Clue::Entrypoint, Clue::Chosen),
        ("plugin.wasm", "plugin.wasm", Clue::Plugin, Clue::Plugin),
    ] {
        for (search, clue) in [(image(), in_image), (each(), in_each)] {
            let found = choose(search, name, &layers).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((found.path.as_deref(), found.clue), (Some(path), clue), "{name}");
            assert_eq!(found.extract(&mut &layers[found.index][..], &mut Vec::new()).unwrap(), WASM.len() as u64);
        }
    }
    for search in [image(), each()] {
        for name in ["lower.tar", &digests[0]] {
            let message = choose(search.clone(), name, &layers).unwrap_err().to_string();
            assert!(message.contains(&format!("more than one Wasm of the artifact is named `{name}`")), "{message}");
            assert!(message.contains(&format!("{}/bin/old.wasm", digests[0])), "{message}");
            assert!(!message.contains("plugin.wasm"), "{message}");
        }
        let message = choose(search.clone(), "nonsense", &layers).unwrap_err().to_string();
        assert!(message.starts_with("no Wasm of the artifact is named `nonsense`; there are "), "{message}");
        assert!(message.contains("a/app.wasm") && message.contains("plugin.wasm"), "{message}");
    }
}

#[test]
fn a_name_that_nothing_has_is_refused_where_there_is_but_one() {
    let layers = [tar(&[("app.wasm", WASM)])];
    for search in [
        Search::of_image(&manifest(&layers), Some("app.wasm".to_owned())).unwrap(),
        Search::of_each(Dialect::Untyped, &manifest(&layers), manifest(&layers).layers).unwrap(),
    ] {
        let message = choose(search.clone(), "nonsense", &layers).unwrap_err().to_string();
        assert_eq!(message, "no Wasm of the artifact is named `nonsense`; there are app.wasm");
        assert_ne!(choose(search, "app.wasm", &layers).unwrap().clue, Clue::Chosen, "it is the only one");
    }
    let none = [tar(&[("motd", b"x")])];
    let search = Search::of_image(&manifest(&none), None).unwrap();
    assert!(matches!(choose(search, "motd", &none), Err(Unreadable::NoWasm { .. })));
}

#[test]
fn candidates_are_told_apart_by_path_title_and_digest() {
    let plugin = |end: &[u8]| tar(&[("plugin.wasm", &[WASM, end].concat())]);
    let layers = [plugin(b"1"), plugin(b"2"), WASM.to_vec(), gzip(WASM), plugin(b"1")];
    let mut titled = manifest(&layers);
    titled.layers[2] = titled.layers[2].clone().with_annotation(crate::cncf::TITLE, "a.wasm");
    let search = || Search::of_each(Dialect::Untyped, &titled, titled.layers.clone()).unwrap();
    let digest = |index: usize| titled.layers[index].digest.to_string();
    // The same layer twice is no choice.
    let names =
        [format!("{}/plugin.wasm", digest(0)), format!("{}/plugin.wasm", digest(1)), "a.wasm".into(), digest(3)];
    assert_eq!(run_names(search(), &layers), names);
    for (index, name) in names.iter().enumerate() {
        assert_eq!(choose(search(), name, &layers).unwrap().index, index);
        assert_eq!(choose(search(), &digest(index), &layers).unwrap().index, index);
    }
    assert!(matches!(choose(search(), "plugin.wasm", &layers), Err(Unreadable::AmbiguousName { .. })));
}

#[test]
fn a_name_of_several_is_none_that_another_one_goes_by() {
    let layers = [
        // Beside a plugin, it is not meant, but can be chosen.
        tar(&[("plugin.wasm", WASM), ("a.wasm", WASM)]),
        tar(&[("a.wasm", WASM), ("b.wasm", WASM)]),
        tar(&[("c.wasm", WASM), ("d.wasm", WASM)]),
    ];
    let mut titled = manifest(&layers);
    titled.layers[2] = titled.layers[2].clone().with_annotation(crate::cncf::TITLE, "b.wasm");
    let search = || Search::of_each(Dialect::Untyped, &titled, titled.layers.clone()).unwrap();
    let full = |name: &str| format!("{}/{name}", titled.layers[1].digest);
    let names = run_names(search(), &layers);
    assert_eq!(names, ["plugin.wasm".into(), full("a.wasm"), full("b.wasm"), "c.wasm".into(), "d.wasm".into()]);
    for name in names {
        let found = choose(search(), &name, &layers).unwrap();
        assert!(name.ends_with(&found.path.unwrap()), "{name}");
    }
}

/// Returns the names of the several that a search finds.
fn run_names(mut search: Search, layers: &[Vec<u8>]) -> Vec<String> {
    while let Some(index) = search.wants() {
        search.look(index, &mut &layers[index][..]).unwrap();
    }
    match search.finish() {
        Err(Unreadable::Several { names }) => names,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_image_with_a_file_of_claims_is_no_provider() {
    let claims: (&str, &[u8]) = ("claims.jwt", b"x");
    let archive = || tar(&[claims, ("world.wasm", WASM), ("x86_64-linux.bin", ELF)]);
    let table: [(&str, &[Vec<u8>], &str); 5] = [
        ("app", &[tar(&[claims, ("app", WASM)])], "app@0"),
        ("app", &[tar(&[("app", WASM)]), tar(&[claims])], "app@0"),
        ("", &[tar(&[("app.wasm", WASM)]), tar(&[claims])], "app.wasm@0"),
        ("", &[archive()], "@0"),
        ("", &[archive(), tar(&[("etc/motd", b"x")])], "@0"),
    ];
    for (executable, layers, found) in table {
        assert_eq!(in_image(executable, layers).map(|(found, _)| found), Ok(found.to_owned()), "{executable}");
    }
    let native = in_image("app", &[tar(&[claims, ("app", ELF)])]).unwrap_err();
    assert!(matches!(native, Unreadable::NativeEntrypoint { .. }), "{native}");
    let hidden = in_image("", &[tar(&[claims]), tar(&[(".wh.claims.jwt", b"")])]).unwrap_err();
    assert!(matches!(hidden, Unreadable::NoWasm { .. }), "{hidden}");
}

#[test]
fn a_layer_of_zeros_is_a_tar_without_files() {
    let app = tar(&[("app.wasm", WASM)]);
    for count in [512, 1024, 10_240, 100_000] {
        let layers = [app.clone(), gzip(&vec![0; count])];
        assert_eq!(list(&layers, Scope::Stack(Box::default())), (0, String::new(), 0), "{count}");
    }
    for other in [vec![0; 511], [vec![0; 1024], b"x".to_vec()].concat(), [vec![0; 512], vec![1; 512]].concat()] {
        let layers = [app.clone(), other];
        assert_eq!(list(&layers, Scope::Stack(Box::default())), (0, String::new(), 1));
    }
}

/// Lists what is beside `app.wasm` in layers: how many files, the first ones, and how many layers are no tars.
fn list(layers: &[Vec<u8>], scope: Scope) -> (u64, String, usize) {
    let rest = rest_of(layers, scope).unwrap();
    (rest.count, rest.names.join(" "), rest.layers.len())
}

fn rest_of(layers: &[Vec<u8>], scope: Scope) -> Result<Rest, InvalidLayer> {
    let search = match scope {
        Scope::Stack(_) => Search::of_image(&manifest(layers), None),
        Scope::Apart(_) => Search::of_each(Dialect::Untyped, &manifest(layers), manifest(layers).layers),
    };
    let search = search.unwrap();
    let found = choose(search.clone(), "app.wasm", layers).unwrap();
    let mut others = search.others(&found);
    while let Some(index) = others.wants() {
        others.look(index, &mut &layers[index][..])?;
    }
    Ok(others.finish().unwrap())
}

#[test]
fn what_stands_beside_the_wasm_is_listed_as_far_as_it_is_in_sight() {
    let layers = [
        tar(&[("lib/libc.so", b"4"), ("usr/", b""), ("usr/link", b"-> /etc"), ("gone2", b"old"), ("opt", b"file")]),
        gzip(&tar(&[
            ("app.wasm", b"old"),
            ("gone/a", b"1"),
            ("etc/passwd", b"2"),
            ("etc/motd", b"old"),
            ("gone2", b"3"),
        ])),
        tar(&[
            ("app.wasm", WASM),
            (".wh.gone", b""),
            ("etc/.wh..wh..opq", b""),
            ("etc/motd", b"new"),
            ("lib", b"x"),
            // A folder stands in the place of the file below.
            ("opt/", b""),
        ]),
    ];
    assert_eq!(list(&layers, Scope::Stack(Box::default())), (4, "etc/motd lib gone2 usr/link".to_owned(), 0));
    let (count, first, _) = list(&layers, Scope::Apart(Vec::new()));
    assert_eq!((count, first.as_str()), (13, "lib/libc.so usr/link gone2 opt app.wasm"));
    let hidden = [tar(&[("etc/motd", b"old")]), tar(&[("app.wasm", WASM), (".wh..wh..opq", b"")])];
    assert_eq!(list(&hidden, Scope::Stack(Box::default())).0, 0);
}

#[test]
fn what_was_found_whole_is_not_beside_itself() {
    let layers = [WASM.to_vec(), b"text".to_vec()];
    let search = Search::of_each(Dialect::Untyped, &manifest(&layers), manifest(&layers).layers).unwrap();
    let found = choose(search.clone(), &Descriptor::of(TYPE, WASM).digest.to_string(), &layers).unwrap();
    let mut others = search.others(&found);
    assert_eq!(others.wants(), Some(1));
    others.look(1, &mut &layers[1][..]).unwrap();
    assert_eq!(others.wants(), None);
    assert_eq!(others.finish().unwrap().layers, [Descriptor::of(TYPE, b"text")]);
}

#[test]
fn a_runtime_config_is_kept_unless_it_is_none() {
    let large = vec![b' '; CONFIG_BYTES_MAX + 1];
    let rest = |content: &[u8]| {
        rest_of(&[tar(&[("app.wasm", WASM), (RUNTIME_CONFIG_FILE, content)])], Scope::Apart(Vec::new())).unwrap()
    };
    for content in [&b"{}"[..], &b"x".repeat(1000), &large[1..]] {
        assert_eq!((rest(content).count, rest(content).runtime_config.as_deref()), (0, Some(content)));
    }
    for content in [&large[..], b"-> elsewhere"] {
        assert_eq!((rest(content).count, rest(content).runtime_config), (1, None));
    }
}

#[test]
fn one_budget_is_for_all_that_is_beside() {
    let layers = vec![gzip(&tar(&[("app.wasm", WASM), ("a", b"x")])), gzip(&tar(&[("b", b"x"), ("c", b"x")]))];
    let search = Search::of_image(&manifest(&layers), None).unwrap();
    let found = choose(search.clone(), "app.wasm", &layers).unwrap();
    let others = |entries, bytes| {
        let mut others = search.others(&found);
        others.queue.left = Budget { entries, bytes };
        others.look(1, &mut &layers[1][..]).map(|()| others)
    };
    let mut fine = others(4, 100_000).unwrap();
    assert!(fine.look(0, &mut &layers[0][..]).is_ok());
    let mut few = others(3, 100_000).unwrap();
    assert!(matches!(few.look(0, &mut &layers[0][..]), Err(InvalidLayer::Tar { .. })));
    let bytes = others(4, 4000).unwrap();
    assert_eq!(bytes.wants(), None);
    assert_eq!(bytes.finish(), Err(Unreadable::TooLarge));
}

#[test]
fn no_more_is_taken_out_than_wasm_has() {
    let layer = Descriptor::of(TYPE, b"");
    let found = |path: Option<&str>| Found {
        layer: layer.clone(),
        index: 0,
        path: path.map(str::to_owned),
        what: What::Wasm,
        clue: Clue::Only,
        dialect: Dialect::Untyped,
        entry: 0,
    };
    let header = wharf_tar::frame("a.wasm", 0o644, WASM_BYTES_MAX + 1).unwrap().before;
    let mut written = Vec::new();
    let mut packed = header.chain(io::repeat(0));
    let error = found(Some("a.wasm")).extract(&mut packed, &mut written).unwrap_err();
    assert!(matches!(error, InvalidLayer::TooLarge { .. }) && written.is_empty(), "{error}");
    let mut whole = WASM.chain(io::repeat(0));
    let error = found(None).extract(&mut whole, &mut io::sink()).unwrap_err();
    assert!(matches!(error, InvalidLayer::TooLarge { .. }), "{error}");
}

#[test]
fn what_is_corrupt_is_refused() {
    let packed = tar(&[("a.wasm", &WASM.repeat(100))]);
    let mut zipped = gzip(&packed);
    zipped.truncate(600);
    for bytes in [&packed[..700], &zipped, b"\x1f\x8b\x08garbage", &tar(&[("../a.wasm", WASM)])] {
        let error = look(bytes, Budget::WHOLE).unwrap_err();
        assert!(matches!(error, InvalidLayer::Tar { .. }), "{error}");
    }
}

#[test]
fn entries_and_unpacked_bytes_are_limited() {
    let packed = gzip(&tar(&[("a", b"x"), ("b", b"x"), ("c.wasm", WASM)]));
    assert!(look(&packed, Budget { entries: 3, bytes: 8192 }).is_ok());
    for left in [Budget { entries: 2, bytes: 8192 }, Budget { entries: 3, bytes: 1024 }] {
        assert!(matches!(look(&packed, left.clone()), Err(InvalidLayer::Tar { .. })), "{left:?}");
    }
    // Each layer is taken off what is left for the next.
    let layers = [packed.clone(), packed];
    let mut search = Search::of_image(&manifest(&layers), Some("app".to_owned())).unwrap();
    search.look(1, &mut &layers[1][..]).unwrap();
    assert_eq!(search.queue.left.entries, Budget::WHOLE.entries - 3);
    assert!(search.queue.left.bytes <= Budget::WHOLE.bytes - 3 * 1024);
    search.queue.left.bytes = 10;
    assert_eq!(search.wants(), None);
    assert_eq!(search.finish(), Err(Unreadable::TooLarge));
}

#[test]
fn what_changed_since_it_was_found_is_not_given() {
    let (before, after) = (tar(&[("a", b""), ("b.wasm", WASM)]), tar(&[("b.wasm", WASM)]));
    let mut search = Search::of_image(&manifest(std::slice::from_ref(&before)), None).unwrap();
    search.look(0, &mut &before[..]).unwrap();
    let found = search.finish().unwrap();
    for other in [after, tar(&[("a", b""), ("c.wasm", WASM)])] {
        let error = found.extract(&mut &other[..], &mut Vec::new()).unwrap_err();
        assert!(matches!(error, InvalidLayer::Changed { .. }), "{error}");
    }
    let error = found.extract(&mut &before[..], &mut &mut [0_u8; 3][..]).unwrap_err();
    assert!(matches!(error, InvalidLayer::Write { .. }), "{error}");
}

#[test]
fn names_of_others_are_shown_escaped() {
    let layer = tar(&[("a\x1b[2J.wasm", WASM), ("b.wasm", WASM)]);
    let message = in_image("", &[layer]).unwrap_err().to_string();
    assert_eq!(message, r"artifact holds 2 Wasm binaries: a\u{1b}[2J.wasm, b.wasm");
}

/// The places of a small file system.
const PLACES: [&str; 7] = ["a", "a/b", "a/b/c.wasm", "a/x.wasm", "d.wasm", "d.wasm/e.wasm", ".hidden/f.wasm"];

/// What a layer has at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    Wasm,
    Text,
    Link,
    Folder,
    Whiteout,
    Opaque,
}

fn change() -> impl Strategy<Value = Change> {
    use Change::{Folder, Link, Opaque, Text, Wasm, Whiteout};
    prop_oneof![4 => Just(Wasm), 1 => Just(Text), 1 => Just(Link), 1 => Just(Folder), 1 => Just(Whiteout), 1 => Just(Opaque)]
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Leaves out what could not be in one layer: something below what is no folder.
fn possible(layer: BTreeMap<usize, Change>) -> Vec<(&'static str, Change)> {
    let named: Vec<_> = layer.into_iter().map(|(place, change)| (PLACES[place], change)).collect();
    let is_leaf = |change: Change| matches!(change, Change::Wasm | Change::Text | Change::Link);
    let fits = |path: &str| !named.iter().any(|(folder, change)| is_below(path, folder) && is_leaf(*change));
    named.iter().filter(|(path, _)| fits(path)).copied().collect()
}

fn packed(layer: &[(&'static str, Change)]) -> Vec<u8> {
    let names: Vec<_> = layer
        .iter()
        .map(|(path, change)| match change {
            Change::Folder => format!("{path}/"),
            Change::Opaque => format!("{path}/.wh..wh..opq"),
            Change::Whiteout => {
                let (folder, name) =
                    path.rsplit_once('/').map_or((String::new(), *path), |(folder, name)| (format!("{folder}/"), name));
                format!("{folder}.wh.{name}")
            }
            Change::Wasm | Change::Text | Change::Link => (*path).to_owned(),
        })
        .collect();
    let content = |change: Change| match change {
        Change::Wasm => WASM,
        Change::Link => b"-> elsewhere",
        _ => b"text",
    };
    let files = names.iter().zip(layer).map(|(name, (_, change))| (name.as_str(), content(*change)));
    tar(&files.collect::<Vec<_>>())
}

/// Merges layers as a runtime does: from the lowest up, each one's whiteouts first.
fn merged(layers: &[Vec<(&'static str, Change)>]) -> BTreeMap<&'static str, Change> {
    let mut files = BTreeMap::new();
    for layer in layers {
        for (path, change) in layer {
            files.retain(|file: &&str, _| match change {
                Change::Whiteout => file != path && !is_below(file, path),
                Change::Opaque => !is_below(file, path),
                _ => true,
            });
        }
        for (path, change) in layer {
            // Whatever is below something, or is opaque, makes that a folder.
            let makes_folder = |file: &str| is_below(path, file) || (*change == Change::Opaque && file == *path);
            files.retain(|file, kept| !makes_folder(file) || *kept == Change::Folder);
            match change {
                Change::Whiteout | Change::Opaque => {}
                Change::Folder => drop(files.insert(path, Change::Folder)),
                Change::Wasm | Change::Text | Change::Link => {
                    files.retain(|file, _| !is_below(file, path));
                    files.insert(path, *change);
                }
            }
        }
    }
    files.retain(|_, change| *change == Change::Wasm);
    files
}

proptest! {
    #[test]
    fn any_layers_are_merged_as_a_runtime_merges_them(
        layers in prop::collection::vec(prop::collection::btree_map(0..PLACES.len(), change(), 0..6), 1..5),
    ) {
        let layers: Vec<_> = layers.into_iter().map(possible).collect();
        let merged = merged(&layers);
        let expected: Vec<_> = merged.keys().copied().filter(|path| path.ends_with(".wasm")).collect();
        let blobs: Vec<_> = layers.iter().map(|layer| packed(layer)).collect();
        let found = match in_image("", &blobs) {
            Ok((found, _)) => vec![found.split('@').next().unwrap().to_owned()],
            Err(Unreadable::Several { mut names }) => {
                names.sort();
                names
            }
            Err(error) => {
                prop_assert!(matches!(error, Unreadable::NoWasm { .. }), "{error}");
                Vec::new()
            }
        };
        prop_assert_eq!(found, expected);
        for place in PLACES {
            let run = in_image(place, &blobs).map(|(found, _)| found);
            let is_run = run.is_ok_and(|found| found.split('@').next() == Some(place));
            prop_assert_eq!(is_run, merged.contains_key(place), "{}", place);
        }
    }

    #[test]
    fn no_bytes_break_a_search(bytes in prop::collection::vec(any::<u8>(), 0..2000), damage in 0..2000_usize) {
        let mut damaged = gzip(&tar(&[("a.wasm", WASM), ("b/", b""), ("b/.wh.c", b""), ("d", b"-> a.wasm")]));
        let end = damaged.len().min(damage + bytes.len());
        let start = damage.min(end);
        damaged[start..end].copy_from_slice(&bytes[..end - start]);
        for bytes in [bytes, damaged] {
            let mut search = Search::of_image(&manifest(std::slice::from_ref(&bytes)), Some("d".to_owned())).unwrap();
            if search.look(0, &mut &bytes[..]).is_ok() {
                let _any = search.finish();
            }
        }
    }
}
