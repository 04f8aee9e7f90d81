//! `compose`.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use wharf::artifact::Kind;
use wharf::client::{Client, ClientOptions};
use wharf::oci::{Digest, NoProgress, Progress};
use wharf::{
    Cause, ComponentSource, ComposeFault, ComposeOptions, ComposeOutcome, Composition, Connection, Error, Location,
    Locking, Network, PushOptions, Surroundings, WacDocument, compose, push,
};
use wharf_testing::guests::guest;
use wharf_testing::registry::TestRegistry;
use wharf_testing::{fixtures, packing};

use crate::setup::{Project, asked, config, publish};

const LOG: &str = "package acme:log@1.0.0 { interface sink { put: func(line: string); } }\n";
const CALC: &str = "package acme:calc@0.2.1 { interface ops { add: func(a: u32, b: u32) -> u32; } }\n";
const IO: &str =
    "package wasi:io@0.2.3 { interface error { resource error { to-debug-string: func() -> string; } } }\n";

/// Components in a folder, and whoever composes them.
struct Bench {
    project: Project,
}

impl Bench {
    fn new() -> Self {
        Self::with_config("")
    }

    fn with_config(config: &str) -> Self {
        let bench = Self { project: Project::new(config, "package acme:app;\n") };
        bench.write("app.wasm", app());
        bench.write("log.wasm", log());
        bench.write("calc.wasm", calc());
        bench
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.project.write(name, content);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.project.path(name)
    }

    /// Returns what one of these names means: an artifact, a package, or a file.
    fn source(&self, name: &str) -> ComponentSource {
        match (name.contains('/'), name.contains(':')) {
            (true, _) => ComponentSource::Artifact(name.parse().unwrap()),
            (false, true) => ComponentSource::Package(name.parse().unwrap()),
            (false, false) => ComponentSource::File(self.path(name)),
        }
    }

    /// Returns what plugs components into the first of them.
    fn plugs(&self, names: &[&str]) -> ComposeOptions {
        let mut sources = names.iter().map(|name| self.source(name));
        let socket = sources.next().unwrap();
        self.options(Composition::Plugs { socket, plugs: sources.collect() })
    }

    /// Returns what composes a document of which packages are taken from these files.
    fn document(&self, text: &str, given: &[(&str, &str)]) -> ComposeOptions {
        self.write("app.wac", text);
        let given = given.iter().map(|(package, name)| (package.parse().unwrap(), self.path(name))).collect();
        let document = WacDocument { path: self.path("app.wac"), given, deps: self.path("deps") };
        self.options(Composition::Document(document))
    }

    fn options(&self, composition: Composition) -> ComposeOptions {
        let sources = self.project.options().project.sources;
        let scratch = self.path("wit");
        let (output, folder) = (self.path("whole.wasm"), self.path(""));
        ComposeOptions { composition, output, folder, sources, locking: Locking::Update, scratch }
    }

    async fn try_compose(&self, options: &ComposeOptions) -> Result<ComposeOutcome, Error> {
        let progress: Arc<dyn Progress> = Arc::new(NoProgress);
        compose(self.project.connect(), options, &progress).await
    }

    /// Composes, and checks that the file is what is told of it.
    async fn compose(&self, options: &ComposeOptions) -> ComposeOutcome {
        let outcome = self.try_compose(options).await.unwrap_or_else(|error| panic!("{error:?}"));
        let bytes = fs::read(&outcome.path).unwrap();
        assert_eq!((Digest::sha256(&bytes), bytes.len() as u64), (outcome.digest.clone(), outcome.size));
        outcome
    }

    /// Lets it fail, checks that no file changed, and returns why.
    async fn refuse(&self, options: &ComposeOptions) -> Cause {
        let before = self.project.files();
        let error = self.try_compose(options).await.expect_err("it was composed");
        assert_eq!(self.project.files(), before);
        let Error::Compose { source, .. } = error else { panic!("{error:?}") };
        source
    }

    async fn fault(&self, options: &ComposeOptions) -> ComposeFault {
        let cause = self.refuse(options).await;
        let Cause::ComposeFault(fault) = cause else { panic!("{cause:?}") };
        *fault
    }
}

/// A component that needs a log, a calculator and a host.
fn app() -> Vec<u8> {
    let world = "world app { import acme:log/sink@1.0.0; import acme:calc/ops@0.2.0; import wasi:io/error@0.2.3; \
                 export run: func(); }";
    guest(&format!("package acme:app;\n{LOG}{}{IO}{world}", CALC.replace("0.2.1", "0.2.0")))
}

fn log() -> Vec<u8> {
    guest(&format!(
        "package acme:logger;\n{LOG}{IO}world logger {{ import wasi:io/error@0.2.3; export acme:log/sink@1.0.0; }}"
    ))
}

fn calc() -> Vec<u8> {
    guest(&format!("package acme:calculator;\n{CALC}world calculator {{ export acme:calc/ops@0.2.1; }}"))
}

/// Returns what is behind a name, without the folder of the test.
fn name(source: &str) -> &str {
    source.rsplit('/').next().unwrap()
}

fn connections(outcome: &ComposeOutcome) -> Vec<String> {
    let line = |Connection { to, import, from, export }: &Connection| {
        format!("{} {import} {} {}", name(to), name(from), export.as_deref().unwrap_or("-"))
    };
    outcome.connections.iter().map(line).collect()
}

#[tokio::test]
async fn each_import_is_given_by_the_plug_that_exports_it_in_a_compatible_version() {
    let bench = Bench::new();
    let outcome = bench.compose(&bench.plugs(&["app.wasm", "calc.wasm", "log.wasm"])).await;
    let expected = [
        "app.wasm acme:calc/ops@0.2.0 calc.wasm acme:calc/ops@0.2.1",
        "app.wasm acme:log/sink@1.0.0 log.wasm acme:log/sink@1.0.0",
    ];
    assert_eq!(connections(&outcome), expected);
    assert_eq!(outcome.imports, ["wasi:io/error@0.2.3"], "what two components import is imported once");
    assert_eq!(outcome.exports, ["run"]);
    let wasm = wharf::artifact::examine(&mut fs::File::open(&outcome.path).unwrap()).unwrap();
    assert_eq!(wasm.kind, Kind::Component);
    let made = |it: &ComposeOutcome| it.components.iter().map(|it| name(&it.source).to_owned()).collect::<Vec<_>>();
    assert_eq!(made(&outcome), ["app.wasm", "calc.wasm", "log.wasm"]);
    assert_eq!(outcome.components[2].digest, Digest::sha256(&log()));
    assert!(!outcome.is_lock_changed && !bench.path("wharf.lock").exists());
}

#[tokio::test]
async fn of_several_versions_the_very_one_is_given_else_the_newest() {
    let bench = Bench::new();
    let several = |use_: &str, versions: &[&str]| {
        let packages: String = versions.iter().map(|version| CALC.replace("0.2.1", version)).collect();
        let uses: String = versions.iter().map(|version| format!("{use_} acme:calc/ops@{version}; ")).collect();
        guest(&format!("package a:b;\n{packages}world w {{ {uses} }}"))
    };
    bench.write("socket.wasm", several("import", &["0.2.2", "0.2.3", "0.3.0"]));
    bench.write("plug.wasm", several("export", &["0.2.1", "0.2.3", "0.2.10"]));
    let outcome = bench.compose(&bench.plugs(&["socket.wasm", "plug.wasm"])).await;
    let expected = [
        "socket.wasm acme:calc/ops@0.2.2 plug.wasm acme:calc/ops@0.2.10",
        "socket.wasm acme:calc/ops@0.2.3 plug.wasm acme:calc/ops@0.2.3",
    ];
    assert_eq!(connections(&outcome), expected);
    assert_eq!(outcome.imports, ["acme:calc/ops@0.3.0"]);
}

#[tokio::test]
async fn the_same_components_give_the_same_bytes() {
    let bench = Bench::new();
    let plugs = bench.plugs(&["app.wasm", "calc.wasm", "log.wasm"]);
    let document = "package acme:whole;\nlet log = new acme:log { ... };\nlet calc = new acme:calc {};\n\
                    let app = new acme:app { ...log, ...calc, ... };\nexport app...;\n";
    let given = [("acme:log", "log.wasm"), ("acme:calc", "calc.wasm"), ("acme:app", "app.wasm")];
    for options in [plugs, bench.document(document, &given)] {
        let first = bench.compose(&options).await;
        for _ in 0..10 {
            assert_eq!(bench.compose(&options).await.digest, first.digest);
        }
    }
}

#[tokio::test]
async fn a_composed_component_is_one_to_compose_with() {
    let bench = Bench::new();
    bench.compose(&bench.plugs(&["app.wasm", "calc.wasm"])).await;
    fs::rename(bench.path("whole.wasm"), bench.path("half.wasm")).unwrap();
    let outcome = bench.compose(&bench.plugs(&["half.wasm", "log.wasm"])).await;
    assert_eq!(outcome.imports, ["wasi:io/error@0.2.3"]);
}

#[tokio::test]
async fn text_is_a_component_too() {
    let bench = Bench::new();
    bench.write("f.wat", "(component (import \"f\" (func)) (export \"g\" (func 0)))");
    bench.write("plug.wat", "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) (func $f (canon lift (core func $i \"f\"))) (export \"f\" (func $f)))");
    let outcome = bench.compose(&bench.plugs(&["f.wat", "plug.wat"])).await;
    assert_eq!((outcome.imports.len(), outcome.exports.as_slice()), (0, &["g".to_owned()][..]));
}

#[tokio::test]
async fn a_plug_that_fits_nothing_is_told_with_what_would() {
    let bench = Bench::new();
    bench.write(
        "old.wasm",
        guest(&format!("package a:b;\n{}world w {{ export acme:log/sink@2.0.0; }}", LOG.replace("1.0.0", "2.0.0"))),
    );
    let fault = bench.fault(&bench.plugs(&["app.wasm", "calc.wasm", "old.wasm"])).await;
    let ComposeFault::FitsNothing(unfit) = fault else { panic!("{fault:?}") };
    assert_eq!(unfit.near, Some(("acme:log/sink@2.0.0".to_owned(), "acme:log/sink@1.0.0".to_owned())));
    assert_eq!(unfit.exports, ["acme:log/sink@2.0.0"]);
    assert_eq!(unfit.imports, ["acme:calc/ops@0.2.0", "acme:log/sink@1.0.0", "wasi:io/error@0.2.3"]);
    assert_eq!(unfit.user, None);
    let error = guest(&format!("package a:b;\n{IO}world w {{ export wasi:io/error@0.2.3; }}"));
    bench.write("error.wasm", error);
    bench.write("small.wasm", guest(&format!("package a:c;\n{LOG}world w {{ import acme:log/sink@1.0.0; }}")));
    let fault = bench.fault(&bench.plugs(&["small.wasm", "log.wasm", "error.wasm"])).await;
    let ComposeFault::FitsNothing(unfit) = fault else { panic!("{fault:?}") };
    assert_eq!(unfit.user.as_deref().map(name), Some("log.wasm"));
}

#[tokio::test]
async fn nothing_is_plugged_twice() {
    let bench = Bench::new();
    let fault = bench.fault(&bench.plugs(&["app.wasm", "log.wasm", "calc.wasm", "log.wasm"])).await;
    assert!(matches!(fault, ComposeFault::Contested { import, .. } if import == "acme:log/sink@1.0.0"));
}

#[tokio::test]
async fn an_export_of_another_type_is_told_with_the_difference() {
    let bench = Bench::new();
    let other = LOG.replace("line: string", "line: u32");
    bench.write("other.wasm", guest(&format!("package a:b;\n{other}world w {{ export acme:log/sink@1.0.0; }}")));
    let fault = bench.fault(&bench.plugs(&["app.wasm", "other.wasm"])).await;
    let ComposeFault::Mismatch { export, import, source, .. } = fault else { panic!("{fault:?}") };
    assert_eq!((export.as_str(), import.as_str()), ("acme:log/sink@1.0.0", "acme:log/sink@1.0.0"));
    assert!(source.to_string().contains("put"), "{source:?}");
}

#[tokio::test]
async fn imports_of_one_name_that_mean_different_things_are_told() {
    let bench = Bench::new();
    let other = IO.replace("to-debug-string: func() -> string", "to-debug-string: func() -> u32");
    let world =
        format!("package a:b;\n{LOG}{other}world w {{ import wasi:io/error@0.2.3; export acme:log/sink@1.0.0; }}");
    bench.write("other.wasm", guest(&world));
    let fault = bench.fault(&bench.plugs(&["app.wasm", "other.wasm"])).await;
    assert!(
        matches!(&fault, ComposeFault::ImportConflict { import, .. } if import == "wasi:io/error@0.2.3"),
        "{fault:?}"
    );
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let bench = Bench::new();
    bench.write("module.wasm", fixtures::module());
    bench.write("wit.wasm", fixtures::wit_package());
    for (file, kind) in [("module.wasm", Kind::Module), ("wit.wasm", Kind::WitPackage)] {
        let fault = bench.fault(&bench.plugs(&["app.wasm", file])).await;
        assert!(matches!(&fault, ComposeFault::NotComponent { kind: it, .. } if *it == kind), "{fault:?}");
    }
    bench.write("packed.wasm", packing::gzip(&app()));
    assert!(matches!(bench.refuse(&bench.plugs(&["packed.wasm", "log.wasm"])).await, Cause::Wasm(_)));
    let mut broken = app();
    broken.truncate(broken.len() / 2);
    bench.write("broken.wasm", broken);
    bench.refuse(&bench.plugs(&["broken.wasm", "log.wasm"])).await;
}

#[tokio::test]
async fn bytes_of_any_kind_give_a_component_or_an_error() {
    let bench = Bench::new();
    let app = app();
    for place in (0..app.len()).step_by(37) {
        let mut bytes = app.clone();
        bytes[place] ^= 1 << (place % 8);
        bench.write("other.wasm", bytes);
        // Whether it is an error does not matter, but it must not be a panic.
        let _tried = bench.try_compose(&bench.plugs(&["other.wasm", "log.wasm"])).await;
        let _tried = bench.try_compose(&bench.plugs(&["app.wasm", "other.wasm"])).await;
    }
}

#[tokio::test]
async fn what_it_is_made_of_is_never_replaced() {
    let bench = Bench::new();
    let options = ComposeOptions { output: bench.path("log.wasm"), ..bench.plugs(&["app.wasm", "log.wasm"]) };
    assert!(matches!(bench.refuse(&options).await, Cause::OutputIsInput { .. }));
    let document = bench.document("package a:b;\n", &[]);
    let options = ComposeOptions { output: bench.path("app.wac"), ..document };
    assert!(matches!(bench.refuse(&options).await, Cause::OutputIsInput { .. }));
}

#[tokio::test]
async fn wasi_0_3_is_composed() {
    let bench = Bench::new();
    let pipe = "package acme:pipe@0.3.0 { interface pipe { read: async func(bytes: stream<u8>) -> future<u32>; } }\n";
    bench.write(
        "user.wasm",
        guest(&format!("package a:b;\n{pipe}world w {{ import acme:pipe/pipe@0.3.0; export run: async func(); }}")),
    );
    bench.write("pipe.wasm", guest(&format!("package a:c;\n{pipe}world w {{ export acme:pipe/pipe@0.3.0; }}")));
    let outcome = bench.compose(&bench.plugs(&["user.wasm", "pipe.wasm"])).await;
    assert_eq!((outcome.imports.len(), outcome.exports.as_slice()), (0, &["run".to_owned()][..]));
}

/// Publishes the components of a bench, for whom settings lead to them.
async fn published() -> (TestRegistry, Bench) {
    let registry = TestRegistry::start().await;
    publish(&registry, "acme/app:1.0.0", &app()).await;
    publish(&registry, "acme/logger:1.0.0", &log()).await;
    publish(&registry, "acme/calculator:0.1.0", &calc()).await;
    let bench = Bench::with_config(&config(registry.registry()));
    (registry, bench)
}

#[tokio::test]
async fn packages_are_locked_in_a_project_and_then_kept() {
    let (registry, bench) = published().await;
    bench.write("wkg.toml", "");
    let options = bench.plugs(&["acme:app", "acme:logger@1.0.0", "acme:calculator@^0.1"]);
    let refused = bench.fault(&ComposeOptions { locking: Locking::Locked, ..options.clone() }).await;
    assert!(matches!(refused, ComposeFault::NotLocked { packages } if packages.len() == 3));
    let first = bench.compose(&options).await;
    assert!(first.is_lock_changed);
    assert_eq!(first.components[2].version.as_deref(), Some("0.1.0"));
    let lock = bench.project.read("wharf.lock");
    assert!(
        lock.contains("[[components]]\nname = \"acme:calculator\"") && lock.contains("requirement = \"^0.1\""),
        "{lock}"
    );
    assert!(!bench.path("wkg.lock").exists(), "that is for the WIT");
    registry.clear_log();
    publish(&registry, "acme/app:1.1.0", &log()).await;
    let locked = ComposeOptions { locking: Locking::Locked, ..options.clone() };
    let again = bench.compose(&locked).await;
    assert_eq!((&again.digest, again.is_lock_changed), (&first.digest, false));
    assert_eq!(asked(&registry), [""; 0], "what is locked and kept costs no request");
    bench.project.fetch().await;
    assert!(bench.path("wkg.lock").exists());
    assert_eq!(bench.compose(&locked).await.digest, first.digest, "a fetch for the WIT leaves components locked");
}

#[tokio::test]
async fn outside_of_a_project_nothing_is_locked() {
    let (_registry, bench) = published().await;
    let options = bench.plugs(&["app.wasm", "acme:calculator"]);
    assert!(!bench.compose(&options).await.is_lock_changed);
    assert!(!bench.path("wharf.lock").exists());
    bench.fault(&ComposeOptions { locking: Locking::Locked, ..options }).await;
    bench.compose(&ComposeOptions { locking: Locking::Locked, ..bench.plugs(&["app.wasm", "calc.wasm"]) }).await;
}

#[tokio::test]
async fn a_lock_holds_what_all_compositions_of_a_project_need() {
    let (registry, bench) = published().await;
    bench.write("wkg.toml", "");
    bench.compose(&bench.plugs(&["acme:app", "calc.wasm"])).await;
    bench.compose(&bench.plugs(&["app.wasm", "acme:calculator"])).await;
    publish(&registry, "acme/app:1.1.0", &log()).await;
    let locked = |names: &[&str]| ComposeOptions { locking: Locking::Locked, ..bench.plugs(names) };
    let outcome = bench.compose(&locked(&["acme:app", "acme:calculator"])).await;
    assert_eq!(outcome.components[0].version.as_deref(), Some("1.0.0"), "the newer one is not taken");
    let fault = bench.fault(&locked(&["acme:app", "acme:logger"])).await;
    assert!(matches!(fault, ComposeFault::NotLocked { packages } if packages == ["acme:logger@1.0.0"]));
}

#[tokio::test]
async fn a_version_that_changed_is_refused() {
    let (registry, bench) = published().await;
    bench.write("wkg.toml", "");
    let options = bench.plugs(&["app.wasm", "acme:calculator"]);
    bench.compose(&options).await;
    publish(&registry, "acme/calculator:0.1.0", &log()).await;
    bench.project.clear_cache();
    let fault = bench.fault(&options).await;
    let (before, now) = (Digest::sha256(&calc()), Digest::sha256(&log()));
    assert!(
        matches!(&fault, ComposeFault::LockedOtherwise { locked, found, .. } if (locked, found) == (&before, &now)),
        "{fault:?}"
    );
}

#[tokio::test]
async fn a_component_comes_from_where_it_came_from() {
    let (_registry, mut bench) = published().await;
    bench.write("wkg.toml", "");
    let options = bench.plugs(&["app.wasm", "acme:calculator"]);
    bench.compose(&options).await;
    let (other, _) = published().await;
    bench.project.configure(&config(other.registry()));
    let options = bench.plugs(&["app.wasm", "acme:calculator"]);
    assert!(matches!(bench.refuse(&options).await, Cause::PackageMoved { .. }));
    let mut moved = options.clone();
    moved.sources.may_move = vec!["acme:calculator".parse().unwrap()];
    assert!(bench.compose(&moved).await.is_lock_changed);
    assert!(bench.project.read("wharf.lock").contains(&other.registry().to_string()));
    assert!(!bench.compose(&options).await.is_lock_changed);
}

#[tokio::test]
async fn offline_what_is_kept_will_do() {
    let (registry, bench) = published().await;
    let offline = |names: &[&str]| {
        let mut options = bench.plugs(names);
        options.sources.network = Network::Offline;
        options
    };
    let names = ["app.wasm", "acme:calculator@0.1.0"];
    assert!(matches!(bench.refuse(&offline(&names)).await, Cause::Offline { .. }));
    bench.compose(&bench.plugs(&names)).await;
    registry.clear_log();
    bench.compose(&offline(&names)).await;
    assert_eq!(asked(&registry), [""; 0]);
}

#[tokio::test]
async fn artifacts_of_registries_and_layouts_are_composed() {
    let (registry, bench) = published().await;
    let client = Client::new(ClientOptions::default()).unwrap();
    let surroundings = Surroundings { scratch: bench.path("wit"), now: 0 };
    let layout = format!("oci-layout:{}:log", bench.path("layout").display());
    let options = PushOptions::new(bench.path("log.wasm"), layout.parse::<Location>().unwrap(), surroundings);
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    push(&client, &options, &progress).await.unwrap();
    let reference = format!("{}/acme/calculator:0.1.0", registry.registry());
    let outcome = bench.compose(&bench.plugs(&["app.wasm", &reference, &layout])).await;
    assert_eq!(outcome.imports, ["wasi:io/error@0.2.3"]);
    assert_eq!(outcome.connections[0].from, reference);
}

/// A document that does what plugging does.
const WHOLE: &str = "package acme:whole;\n\nlet log = new acme:logger@1.0.0 { ... };\n\
                     let calc = new acme:calculator {};\nlet app = new acme:app { ...log, ...calc, ... };\n\
                     export app...;\n";

#[tokio::test]
async fn a_document_takes_packages_from_files_then_from_its_folder_then_from_registries() {
    let (registry, bench) = published().await;
    bench.write("wharf.toml", "");
    fs::create_dir_all(bench.path("deps/acme/logger")).unwrap();
    fs::rename(bench.path("log.wasm"), bench.path("deps/acme/logger/1.0.0.wasm")).unwrap();
    let outcome = bench.compose(&bench.document(WHOLE, &[("acme:app", "app.wasm")])).await;
    let calc = format!("GET /v2/acme/calculator/blobs/{}", Digest::sha256(&calc()));
    let expected = [calc.as_str(), "GET /v2/acme/calculator/manifests/0.1.0", "GET /v2/acme/calculator/tags/list"];
    assert_eq!(asked(&registry), expected, "no other package is asked for");
    let sources: Vec<_> = outcome.components.iter().map(|it| name(&it.source)).collect();
    assert_eq!(sources, ["app.wasm", "acme:calculator", "1.0.0.wasm"]);
    let expected = [
        "acme:app acme:calc/ops@0.2.0 acme:calculator acme:calc/ops@0.2.1",
        "acme:app acme:log/sink@1.0.0 acme:logger@1.0.0 acme:log/sink@1.0.0",
    ];
    assert_eq!(connections(&outcome), expected);
    assert_eq!((outcome.imports, outcome.exports), (vec!["wasi:io/error@0.2.3".to_owned()], vec!["run".to_owned()]));
    assert!(bench.project.read("wharf.lock").contains("[[components]]\nname = \"acme:calculator\""));
}

#[tokio::test]
async fn a_document_names_wit_in_its_folder() {
    let bench = Bench::new();
    bench.write("deps/acme/log/1.0.0/log.wit", LOG.replacen(" {", ";\n", 1).trim_end().strip_suffix('}').unwrap());
    let text = "package a:b;\nimport log: acme:log/sink@1.0.0;\nlet app = new acme:app { log, ... };\nexport app...;\n";
    let outcome = bench.compose(&bench.document(text, &[("acme:app", "app.wasm")])).await;
    assert_eq!(outcome.imports, ["acme:calc/ops@0.2.0", "acme:log/sink@1.0.0", "wasi:io/error@0.2.3"]);
}

#[tokio::test]
async fn a_fault_of_a_document_is_shown_where_it_is() {
    let bench = Bench::new();
    let place = |line_and_column: &str| format!("{}:{line_and_column}", bench.path("app.wac").display());
    let given = [("acme:app", "app.wasm")];
    for (text, line_and_column, message) in [
        ("package a:b;\nlet x = ;", "2:9", "expected"),
        ("package a:b;\nlet app = new acme:app { ... };\nexport other;", "3:8", "undefined name `other`"),
        ("package a:b;\nexport (new acme:app {})...;", "2:13", "missing instantiation argument"),
        ("package a:b;\nlet app = new acme:app { nope: x };", "2:32", "undefined name `x`"),
        ("package a:b;\nlet app = new acme:app { \"run\": x };", "2:33", "undefined name `x`"),
        ("package a:b;\n// \u{fc}\nlet \u{fc} = 1;", "3:5", "unexpected token"),
    ] {
        let given = if text.contains("acme:app") { &given[..] } else { &[] };
        let fault = bench.fault(&bench.document(text, given)).await;
        let ComposeFault::Document { diagnostic, .. } = fault else { panic!("{fault:?}") };
        assert!(diagnostic.message.contains(message), "{diagnostic}");
        assert_eq!(diagnostic.location.unwrap().to_string(), place(line_and_column), "{text}");
    }
    let other = LOG.replace("line: string", "line: u32");
    bench.write("other.wasm", guest(&format!("package a:b;\n{other}world w {{ export acme:log/sink@1.0.0; }}")));
    let text = "package a:b;\nlet log = new acme:log {};\nlet app = new acme:app { ...log, ... };\nexport app...;";
    let fault = bench.fault(&bench.document(text, &[("acme:app", "app.wasm"), ("acme:log", "other.wasm")])).await;
    let ComposeFault::Document { diagnostic, .. } = &fault else { panic!("{fault:?}") };
    assert_eq!(diagnostic.location.as_ref().map(|it| it.line), Some(3), "{fault:?}");
}

#[tokio::test]
async fn a_document_has_limits() {
    let bench = Bench::new();
    let deep = format!("package a:b;\nexport {}x{};", "(".repeat(200_000), ")".repeat(200_000));
    assert!(matches!(bench.fault(&bench.document(&deep, &[])).await, ComposeFault::TooDeep { limit: 100, .. }));
    let long = format!("package a:b;\n//{}", " ".repeat(1024 * 1024));
    assert!(matches!(bench.fault(&bench.document(&long, &[])).await, ComposeFault::DocumentTooLarge { .. }));
    bench.write("latin.wac", b"package a:b; // \xfc");
    let options = bench.document("", &[]);
    let Composition::Document(mut document) = options.composition.clone() else { panic!() };
    document.path = bench.path("latin.wac");
    let options = ComposeOptions { composition: Composition::Document(document), ..options };
    assert!(matches!(bench.refuse(&options).await, Cause::TextNotUtf8 { .. }));
}

#[tokio::test]
async fn a_file_for_a_package_that_a_document_does_not_name_is_refused() {
    let bench = Bench::new();
    let given = [("acme:app", "app.wasm"), ("acme:log@2.0.0", "log.wasm")];
    let text = "package a:b;\nlet log = new acme:log@1.0.0 { ... };\nlet app = new acme:app { ... };\nexport app...;";
    let fault = bench.fault(&bench.document(text, &given)).await;
    let ComposeFault::NotNamed { package, names, .. } = fault else { panic!("{fault:?}") };
    assert_eq!(
        (package.to_string().as_str(), names),
        ("acme:log@2.0.0", vec!["acme:app".to_owned(), "acme:log@1.0.0".to_owned()])
    );
}
