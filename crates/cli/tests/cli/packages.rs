//! A project with packages of several kinds, for `wharf tree`, `wharf outdated` and `wharf update`.

use wharf_testing::registry::TestRegistry;

use crate::fetch::{GREET, NAMES};
use crate::session::{Session, encode};

const CLOCK: &str = "package acme:clock@0.1.0;\n\ninterface now {\n  get: func() -> u64;\n}\n";
const APP: &str = "\
package acme:app@0.1.0;

world app {
  import acme:greet/greet@0.2.0;
  import acme:clock/now;
  import acme:mine/mine;
}
";

/// A project, and the registry that its packages come from.
struct Project {
    registry: TestRegistry,
    session: Session,
}

impl Project {
    async fn new() -> Self {
        let registry = TestRegistry::start().await;
        let session = Session::with_registry(&registry);
        session.take_packages_from(&registry, "");
        std::fs::create_dir_all(session.path("wit/deps/mine")).unwrap();
        session.write("wit/app.wit", APP);
        session.write("wit/deps/mine/mine.wit", "package acme:mine;\n\ninterface mine {}\n");
        let project = Self { registry, session };
        project.publish("names:1.0.0", NAMES, &[]);
        project.publish("greet:0.2.0", GREET, &[NAMES]);
        project.publish("clock:0.1.0", CLOCK, &[]);
        project
    }

    /// Publishes a package with those that it uses inside.
    fn publish(&self, place: &str, text: &str, used: &[&str]) {
        let wasm = encode(text, used);
        self.session.write("package.wasm", wasm);
        let line = format!("push --quiet {}/acme/{place} package.wasm", self.registry.registry());
        let output = crate::session::output(&mut crate::session::wharf(&self.session.path(""), &line), b"");
        assert!(output.status.success(), "{output:?}");
        std::fs::remove_file(self.session.path("package.wasm")).unwrap();
    }

    /// Publishes newer versions.
    fn publish_newer(&self) {
        self.publish("greet:0.2.4", &GREET.replace("0.2.0", "0.2.4"), &[NAMES]);
        self.publish("greet:1.0.0", &GREET.replace("0.2.0", "1.0.0"), &[NAMES]);
        self.publish("clock:0.1.1", &CLOCK.replace("0.1.0", "0.1.1"), &[]);
    }

    fn run(&mut self, line: &str) {
        self.session.run(line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tree() {
    let mut project = Project::new().await;
    project.run("fetch --quiet");
    let before = project.registry.log().len();
    project.run("tree");
    project.run("tree --invert acme:names");
    project.run("tree wit --frozen --json");
    project.run("tree --invert acme:name");
    project.run("tree --invert acme:names@2.0.0");
    assert_eq!(project.registry.log().len(), before, "what is locked and kept costs no request");
    project.session.remark("what was told before is not told again");
    let more = "world other {\n  import acme:other/other;\n}\n";
    project.session.write("wit/app.wit", format!("{APP}{more}"));
    std::fs::create_dir_all(project.session.path("other/wit")).unwrap();
    let other = "package acme:other;\n\ninterface other {}\n\nworld w {\n  import acme:greet/greet@0.2.0;\n}\n";
    project.session.write("other/wit/other.wit", other);
    project.session.write("wkg.toml", "[overrides]\n\"acme:other\" = { path = \"other/wit\" }\n");
    project.run("tree --locked");
    insta::assert_snapshot!("tree", project.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn outdated() {
    let mut project = Project::new().await;
    project.run("outdated");
    project.run("fetch --quiet");
    project.run("outdated");
    project.publish_newer();
    project.run("outdated");
    project.run("outdated wit --json");
    project.run("outdated --offline");
    project.session.write("wit/app.wit", "package acme:app;\n");
    project.run("outdated");
    insta::assert_snapshot!("outdated", project.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn update() {
    let mut project = Project::new().await;
    project.run("fetch --quiet");
    project.publish_newer();
    let lock = std::fs::read(project.session.path("wkg.lock")).unwrap();
    project.run("update --dry-run");
    assert_eq!(std::fs::read(project.session.path("wkg.lock")).unwrap(), lock);
    project.run("update");
    assert_ne!(std::fs::read(project.session.path("wkg.lock")).unwrap(), lock);
    project.run("update acme:clock -d wit --json");
    project.run("update acme:greet");
    project.run("update acme:clok");
    project.run("update --offline");
    project.session.remark("without a lock");
    std::fs::remove_file(project.session.path("wkg.lock")).unwrap();
    project.run("update acme:clock -t wasm --quiet");
    insta::assert_snapshot!("update", project.session.transcript());
}
