//! `wharf init`, `wharf add` and `wharf remove`.

use wharf_testing::registry::TestRegistry;

use crate::session::{Session, encode, hide_digests, output, wharf};

const LOG: &str = "package acme:log@1.0.0;\n\ninterface sink {\n  put: func(line: string);\n}\n";
const HTTP: &str = "\
package acme:http@0.2.3;

interface types {
  type status = u16;
}

interface incoming-handler {
  use types.{status};
  handle: func() -> status;
}

interface outgoing-handler {
  use types.{status};
  handle: func() -> status;
}

world proxy {
  import outgoing-handler;
  export incoming-handler;
}
";

/// A home with a registry that has packages in several versions.
struct Home {
    registry: TestRegistry,
    session: Session,
}

impl Home {
    async fn new() -> Self {
        let registry = TestRegistry::start().await;
        let host = registry.registry().to_string();
        let session = Session::with_registry(&registry);
        session.take_packages_from(&registry, "");
        for (place, text) in [
            ("log:1.0.0", LOG.to_owned()),
            ("log:1.2.0", LOG.replace("1.0.0", "1.2.0")),
            ("clock:1.0.0", LOG.replace("log@", "clock@")),
            ("clock:2.0.0", LOG.replace("log@1", "clock@2")),
            ("clock:3.0.0", LOG.replace("log@1", "clock@3")),
            ("http:0.2.3", HTTP.to_owned()),
            ("http:0.2.12", HTTP.replace("0.2.3", "0.2.12")),
        ] {
            session.write("package.wasm", encode(&text, &[]));
            let line = format!("push --quiet {host}/acme/{place} package.wasm");
            assert!(output(&mut wharf(&session.path(""), &line), b"").status.success());
        }
        std::fs::remove_file(session.path("package.wasm")).unwrap();
        Self { registry, session }
    }

    fn run(&mut self, line: &str) {
        self.session.run(line);
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.session.path(name).parent().unwrap()).unwrap();
        self.session.write(name, text);
    }

    /// Writes down what a file has.
    fn show(&mut self, name: &str) {
        let text = std::fs::read_to_string(self.session.path(name)).unwrap();
        let lines: String = text.lines().map(|line| format!("\n  | {line}").trim_end().to_owned()).collect();
        self.session.remark(&format!("{name}:{lines}"));
    }

    fn transcript(&mut self) -> String {
        hide_digests(&mut self.session);
        self.session.transcript()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn init() {
    let mut home = Home::new().await;
    home.run("init hello");
    home.show("hello/wit/world.wit");
    home.run("build hello");
    home.run("init greet --name acme:greet --version 0.2.0 --interface greet --registry registry.example");
    home.show("greet/wit/world.wit");
    home.show("greet/wharf.toml");
    home.run("build greet");
    home.session.remark("names that are words of WIT");
    home.run("init words --name acme:import --world export --json");
    home.run("build words");
    home.session.remark("what is there already is not touched");
    home.run("init hello");
    home.write("wit/hello.wit", "package acme:mine;\n");
    home.run("init --name acme:mine");
    home.write("settings/wharf.toml", "");
    home.run("init settings --registry registry.example");
    home.session.remark("names that cannot be");
    home.run("init My_Project");
    home.run("init more --world 1st");
    home.run("init more --world one --interface two");
    assert!(!home.session.path("settings/wit").exists() && !home.session.path("more").exists());
    insta::assert_snapshot!("init", home.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn init_from_wit_toml() {
    let mut home = Home::new().await;
    home.write(
        "old/greet.wit",
        "package acme:greet;\n\ninterface greet {\n  use acme:near/near.{t};\n  f: func() -> t;\n}\n",
    );
    home.write("near/near.wit", "package acme:near;\n\ninterface near {\n  type t = u8;\n}\n");
    home.write(
        "old/wit.toml",
        "version = \"0.2.0\"\nauthors = [\"Jo\"]\nlicense = \"MIT\"\ncategories = [\"greetings\"]\n\
         documentation = \"https://docs.example\"\n\n[dependencies]\n\"acme:near\" = { path = \"../near\" }\n\
         \"acme:log\" = \"1.0\"\n\"acme:web\" = { package = \"other:web\", version = \"1\", registry = \"acme\" }\n\
         \"acme:http\" = { version = \"0.2.3\", registry = \"acme\" }\n\n[registries]\n\
         default = \"https://registry.example/\"\nacme = \"https://acme.example/\"\n",
    );
    home.run("init --from old/wit.toml");
    home.show("old/wkg.toml");
    home.show("old/wharf.toml");
    home.run("fetch old");
    home.run("build old");
    home.session.remark("once is enough");
    home.run("init --from old/wit.toml");
    home.session.remark("a project that says nothing but its version");
    home.write("bare/bare.wit", "package acme:bare@1.0.0;\n");
    home.write("bare/wit.toml", "version = \"1.0.0\"\n");
    home.run("init --from bare/wit.toml");
    home.show("bare/wkg.toml");
    home.session.remark("what cannot be used");
    home.run("init --from missing/wit.toml");
    home.run("init other --from bare/wit.toml");
    home.write("broken/wit.toml", "version = 1\n");
    home.run("init --from broken/wit.toml");
    insta::assert_snapshot!("init_from_wit_toml", home.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn add() {
    let mut home = Home::new().await;
    home.run("init app --name acme:app");
    home.run("add -d app acme:log@^1.0 acme:http/proxy@0.2.3");
    home.run("add -d app acme:http/types");
    home.run("add -d app acme:http/incoming-handler@0.2.3 --export");
    home.show("app/wit/world.wit");
    home.run("build app");
    home.session.remark("a newer version, everywhere");
    home.run("add -d app acme:http@0.2.12");
    home.run("add -d app acme:http@0.2.12");
    home.session.remark("what is there already, and an incompatible version beside it");
    home.run("add -d app acme:http/types");
    home.write("two/wit/two.wit", "package acme:two;\nworld two {\n  import acme:clock/sink@1.0.0;\n}\n");
    home.run("add -d two acme:clock/sink@2.0.0");
    home.run("add -d two acme:clock@3.0.0");
    home.session.remark("a package in a folder, and one of another registry");
    home.run("init near --name acme:near --interface near");
    home.run("add -d app acme:near --path near --json");
    home.show("app/wkg.toml");
    home.run("init other --name acme:other");
    let host = home.registry.registry().to_string();
    home.run(&format!("add -d other acme:log@1.0.0 --registry {host}"));
    home.show("other/wharf.toml");
    home.session.remark("what is newer, in a project elsewhere and in a workspace");
    home.run("update -d other");
    for member in ["three", "four"] {
        let text = format!("package acme:{member};\nworld {member} {{\n  import acme:http/types@0.2.3;\n}}\n");
        home.write(&format!("{member}/wit/{member}.wit"), &text);
    }
    home.write("wkg.toml", "[workspace]\nmembers = [\"three\", \"four\"]\n");
    home.run("update");
    home.run("add -d four/wit acme:http@0.2.12");
    insta::assert_snapshot!("add", home.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_added_is_named() {
    let mut home = Home::new().await;
    home.run("init app --name acme:app");
    for line in [
        "add acme:log",
        "add -d app acme:http",
        "add -d app acme:http/incomming-handler@0.2.3",
        "add -d app acme:http/nothing@0.2.3",
        "add -d app acme:http/proxy --export",
        "add -d app acme:log@^3",
        "add -d app acme:log@7.0.0",
        "add -d app acme:missing",
        "add -d app nobody:log",
        "add -d app acme:log --world other",
        "add -d app acme:log --path missing",
        "add -d app acme:log --path app",
        "add -d app acme:log acme:http --path app",
        "add -d app acme:log --offline",
        "add -d app log",
        "add -d app acme:log@latest",
        "add -d app",
    ] {
        home.run(line);
    }
    home.session.remark("several worlds, and none");
    home.write("several/wit/worlds.wit", "package acme:several;\nworld one {}\nworld two {}\n");
    home.run("add -d several acme:log");
    home.write("none/wit/none.wit", "package acme:none;\n");
    home.run("add -d none acme:log");
    home.session.remark("a workspace");
    home.write("wkg.toml", "[workspace]\nmembers = [\"several\", \"none\"]\n");
    home.run("add acme:log");
    insta::assert_snapshot!("add_refused", home.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn remove() {
    let mut home = Home::new().await;
    let world = "package acme:app@0.1.0;\n\nworld app {\n  // for errors\n  import acme:log/sink@1.0.0;\n  \
                 import acme:http/types@0.2.3;\n  import acme:http/types@0.2.12; // newer\n}\n";
    home.write("wit/app.wit", world);
    home.write("wit/mine.wit", "interface mine {\n  use acme:http/types@0.2.12.{status};\n}\n");
    home.run("fetch");
    home.run("remove acme:log");
    home.run("remove acme:http@0.2.3 --json");
    home.show("wit/app.wit");
    home.session.remark("what is still used, or is not used at all");
    home.run("remove acme:http");
    home.run("remove acme:log");
    home.run("remove acme:htpp");
    home.run("remove acme:http@0.2.3");
    home.run("remove acme:http/types");
    home.run("remove");
    insta::assert_snapshot!("remove", home.transcript());
}
