//! `wharf fetch`.

use std::path::Path;

use wharf_testing::fixtures;
use wharf_testing::registry::TestRegistry;
use wharf_testing::script::{Reply, ScriptServer, Step};

use crate::session::{Session, encode};

/// A package, and one that uses it and is published with it inside.
pub(crate) const NAMES: &str = "package acme:names@1.0.0;\n\ninterface names {\n  type name = string;\n}\n";
pub(crate) const GREET: &str = "\
package acme:greet@0.2.0;

interface greet {
  use acme:names/names@1.0.0.{name};
  hello: func(to: name) -> string;
}
";
/// What the project says where it needs the second one.
const APP: &str = "package acme:app;\n\nworld app {\n  import acme:greet/greet@0.2.0;\n}\n";

/// A project, and the registry that its packages come from.
struct Project {
    registry: TestRegistry,
    session: Session,
}

impl Project {
    /// Publishes the packages, and makes a project that needs one of them.
    async fn new() -> Self {
        let registry = TestRegistry::start().await;
        let mut session = Session::with_registry(&registry);
        // The digests of what is published do not change; where it is published does.
        std::fs::create_dir_all(session.path(".config/wasm-pkg")).unwrap();
        session.write(".config/wasm-pkg/config.toml", config(&registry, "packages/"));
        std::fs::create_dir(session.path("wit")).unwrap();
        session.write("wit/app.wit", APP);
        session.write("names.wasm", encode(NAMES, &[]));
        session.write("greet.wasm", encode(GREET, &[NAMES]));
        let host = registry.registry();
        session.run(&format!("push --quiet {host}/packages/acme/names:1.0.0 names.wasm"));
        session.run(&format!("push --quiet {host}/packages/acme/greet:0.2.0 greet.wasm"));
        Self { registry, session }
    }

    fn run(&mut self, line: &str) {
        self.session.run(line);
    }

    fn host(&self) -> String {
        self.registry.registry().to_string()
    }

    /// Publishes a file as a package of another name and version.
    fn publish(&mut self, repository: &str, file: &str) {
        let line = format!("push --quiet {}/packages/acme/{repository} {file}", self.host());
        self.run(&line);
    }

    /// Writes the only file of the WIT, of which the world has these lines.
    fn require(&self, items: &str) {
        self.session.write("wit/app.wit", format!("package acme:app;\n\nworld app {{\n  {items}\n}}\n"));
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.session.path(name)).unwrap()
    }
}

/// Returns settings with this registry as the home of `acme`.
fn config(registry: &TestRegistry, prefix: &str) -> String {
    let host = registry.registry();
    let metadata = format!(r#"{{ oci = {{ registry = "{host}", namespacePrefix = "{prefix}" }} }}"#);
    format!("[namespace_registries]\nacme = {{ registry = \"{host}\", metadata = {metadata} }}\n")
}

/// Returns the files below a folder, sorted.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.is_dir() {
            true => found.extend(files(&path).into_iter().map(|below| format!("{name}/{below}"))),
            false => found.push(name),
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn fetch() {
    let mut project = Project::new().await;
    project.run("fetch");
    let deps = project.session.path("wit/deps");
    assert_eq!(files(&deps), ["acme-greet-0.2.0/package.wit", "acme-names-1.0.0/package.wit"]);
    assert_eq!(project.read("wit/deps/acme-names-1.0.0/package.wit").trim_end(), NAMES.trim_end());
    let lock = project.read("wkg.lock");
    let before = project.registry.log().len();
    project.run("fetch");
    project.run("fetch --locked --json");
    project.run("fetch --frozen --quiet");
    assert_eq!(project.registry.log().len(), before, "what is locked and kept costs no request");
    project.session.remark("what was put there by hand stays, and goes before what the registry has");
    std::fs::create_dir(deps.join("mine")).unwrap();
    project.session.write("wit/deps/mine/other.wit", "package acme:other;\n\ninterface other {}\n");
    project.require("import acme:greet/greet@0.2.0;\n  import acme:other/other;");
    project.run("fetch");
    project.run("fetch -t wasm");
    assert_eq!(files(&deps), ["acme-greet-0.2.0.wasm", "mine/other.wit"]);
    assert_eq!(project.read("wkg.lock"), lock);
    project.session.remark("without a version, the newest is taken");
    project.require("import acme:names/names;");
    project.run("fetch");
    project.session.remark("from another folder, and with other settings");
    let settings = config(&project.registry, "packages/");
    project.session.write("other.toml", settings);
    std::fs::create_dir_all(project.session.path("sub/wit")).unwrap();
    project.session.write("sub/wkg.toml", "");
    project.session.write("sub/wit/app.wit", APP);
    project.run("fetch sub/wit --config other.toml --cache kept");
    assert_eq!(files(&project.session.path("sub")).last().unwrap(), "wkg.toml");
    assert!(project.session.path("kept/blobs").is_dir());
    project.session.remark("all of it was put there by hand");
    std::fs::create_dir_all(project.session.path("vendored/wit/deps")).unwrap();
    project.session.write("vendored/wit/app.wit", APP);
    project.session.write("vendored/wit/deps/greet.wasm", encode(GREET, &[NAMES]));
    let before = project.registry.log().len();
    project.run("fetch vendored/wit");
    assert_eq!(project.registry.log().len(), before, "nobody is asked for it");
    insta::assert_snapshot!("fetch", project.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_moved_is_refused_until_that_is_allowed() {
    let mut project = Project::new().await;
    project.run("fetch");
    let host = project.host();
    let before = (project.read("wkg.lock"), project.read("wharf.lock"));
    project.session.remark("the project names another registry");
    project.session.write("wharf.toml", "[registries]\nacme = \"other.example\"\n");
    project.run("fetch");
    project.session.remark("the registry keeps it elsewhere");
    project.session.write("wharf.toml", "");
    project.run(&format!("push --quiet {host}/elsewhere/acme/greet:0.2.0 greet.wasm"));
    project.session.write(".config/wasm-pkg/config.toml", config(&project.registry, "elsewhere/"));
    project.run("fetch --cache new");
    assert_eq!((project.read("wkg.lock"), project.read("wharf.lock")), before);
    project.run("fetch --cache new --allow-move acme:greet");
    assert!(project.read("wharf.lock").contains("/elsewhere/acme/greet"));
    project.run("fetch");
    insta::assert_snapshot!("fetch_moved", project.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_kept_to() {
    let mut project = Project::new().await;
    project.session.remark("nothing is locked");
    project.run("fetch --locked");
    assert_eq!(files(&project.session.path("wit")), ["app.wit"], "nothing is written");
    project.run("fetch");
    project.session.remark("other content has the version now");
    project.session.write("greet.wasm", encode(GREET, &[&NAMES.replace("string", "u8")]));
    project.publish("greet:0.2.0", "greet.wasm");
    let before = (files(&project.session.path("wit")), project.read("wkg.lock"));
    project.run("fetch");
    project.run("fetch --cache new");
    assert_eq!((files(&project.session.path("wit")), project.read("wkg.lock")), before);
    project.session.remark("without its entry");
    project.session.write("wkg.lock", "version = 1\npackages = []\n");
    project.run("fetch --cache new");
    project.session.remark("the WIT needs another package");
    project.require("import acme:names/names@1.0.0;");
    project.run("fetch --locked");
    project.session.remark("and one that is not kept");
    project.run("fetch --offline --cache empty");
    insta::assert_snapshot!("fetch_locked", project.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_fetched_is_named() {
    let mut project = Project::new().await;
    project.run("fetch missing");
    for (remark, items) in [
        ("no WIT", "import acme:greet/greet@0.2.0"),
        ("no such version", "import acme:greet/greet@0.9.0;"),
        ("no such package", "import acme:great/greet@0.2.0;"),
        ("no such interface", "import acme:greet/hello@0.2.0;"),
        ("nobody's", "import nobody:greet/greet@0.2.0;"),
        ("a name that no registry can have", "import acme:GREET/greet@0.2.0;"),
    ] {
        project.session.remark(remark);
        project.require(items);
        project.run("fetch");
    }
    project.session.write("module.wasm", fixtures::module());
    project.session.write("hello.wasm", fixtures::component("hello"));
    for (remark, file) in
        [("a module", "module.wasm"), ("a component", "hello.wasm"), ("another package", "names.wasm")]
    {
        project.session.remark(remark);
        project.publish("wrong:1.0.0", file);
        project.require("import acme:wrong/wrong@1.0.0;");
        project.run("fetch");
    }
    assert_eq!(files(&project.session.path("wit")), ["app.wit"], "nothing is written");
    insta::assert_snapshot!("fetch_refused", project.session.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_used_is_named() {
    let mut project = Project::new().await;
    let config = project.read(".config/wasm-pkg/config.toml");
    project.session.write("older.wasm", encode(&GREET.replace("0.2.0", "0.1.5"), &[NAMES]));
    project.publish("greet:0.1.5", "older.wasm");
    for (file, text) in [
        ("wkg.toml", "[overrides]\n\"acme:greet\" = \"../greet\"\n"),
        ("wkg.toml", "[overrides]\n\"acme:greet\" = { path = \"../greet/wit\" }\n"),
        ("wkg.toml", "[overrides]\n\"acme:greet\" = { version = \"^0.3\" }\n"),
        ("wkg.toml", "[overrides]\n\"acme:greet\" = { version = \"^0.1\" }\n"),
        ("wkg.toml", "[workspace]\nmembers = [\"greet\"]\n"),
        ("wharf.toml", "registry = \"acme.example\"\n"),
        ("wkg.lock", "version = 2\n"),
        (".config/wasm-pkg/config.toml", "default_registry = \"https://acme.example\"\n"),
        ("wharf.toml", "[registries]\nacme = { registry = \"acme\", metadata = {} }\n"),
        (
            ".config/wasm-pkg/config.toml",
            "[namespace_registries]\nacme = { registry = \"a.example\", metadata = {} }\n\
             [registry.\"a.example\"]\ntype = \"warg\"\n",
        ),
        (
            ".config/wasm-pkg/config.toml",
            "default_registry = \"a.example\"\n[registry.\"a.example\"]\ntype = \"local\"\n",
        ),
    ] {
        project.session.remark(&format!("{file}: {}", text.replace('\n', " ").trim_end()));
        project.session.write(file, text);
        project.run("fetch");
        let removed = [file, "wkg.lock", "wharf.lock"].map(|name| std::fs::remove_file(project.session.path(name)));
        assert!(removed[0].is_ok(), "the file is still there");
        // What was fetched before the file was found wrong.
        let _absent = std::fs::remove_dir_all(project.session.path("wit/deps"));
        project.session.write(".config/wasm-pkg/config.toml", &config);
    }
    project.run("fetch --config missing.toml");
    for text in [b"// \xe9\n".as_slice(), b"interface i {\n\tf:\tfunk();\n}\n", b"interface i {\n  f: fu\x01nc();\n}\n"]
    {
        project.session.write("wit/other.wit", text);
        project.run("fetch");
    }
    std::fs::remove_file(project.session.path("wit/other.wit")).unwrap();
    for folder in ["wit/deps", "wit/deps/empty", "wit/deps/notes"] {
        std::fs::create_dir_all(project.session.path(folder)).unwrap();
    }
    project.session.write("wit/deps/notes/README.md", "no WIT\n");
    project.run("fetch");
    insta::assert_snapshot!("fetch_unusable_files", project.session.transcript());
}

/// Fetches from a registry that plays a script, of which config.toml says this beside its name.
async fn fetch_from(session: &mut Session, remark: &str, steps: Vec<Step>, settings: &str, token: Option<&str>) {
    let server = ScriptServer::start(steps).await;
    let host = server.address().to_string();
    let variable = format!("WKG_REGISTRY_{}_AUTH_BEARER", host.replace(['.', ':'], "_"));
    session.hide(host.clone(), "[REGISTRY]");
    session.hide(variable.clone(), "WKG_REGISTRY_[REGISTRY]_AUTH_BEARER");
    session.write("config.toml", format!("default_registry = \"{host}\"\n{}", settings.replace("HOST", &host)));
    session.remark(remark);
    let variables: Vec<_> = token.map(|token| (variable.as_str(), token)).into_iter().collect();
    session.run_with("fetch --config config.toml", &variables, b"");
    server.assert_finished();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_refuses_or_talks_nonsense_is_told() {
    let mut session = Session::new();
    std::fs::create_dir(session.path("wit")).unwrap();
    session.write("wit/app.wit", APP);
    let says = |json: &'static str| Step::new("GET /.well-known/wasm-pkg/registry.json", Reply::new(200).body(json));
    fetch_from(&mut session, "no JSON", vec![says("<html>")], "", None).await;
    fetch_from(&mut session, "a folder of ours", vec![says(r#"{"local":{"root":"/"}}"#)], "", None).await;
    fetch_from(&mut session, "a host alone", vec![says(r#"{"oci":{"registry":"acme"}}"#)], "", None).await;
    fetch_from(&mut session, "an unknown protocol", vec![says(r#"{"preferredProtocol":"warg"}"#)], "", None).await;
    let refused = || {
        let reply = Reply::new(401).header("www-authenticate", "Basic realm=\"x\"");
        Step::new("GET /v2/acme/greet/manifests/0.2.0", reply)
    };
    fetch_from(&mut session, "401", vec![says("{}"), refused()], "", None).await;
    let with_token = refused().with("authorization", "Bearer secret-token");
    let steps = vec![says("{}"), refused(), with_token];
    fetch_from(&mut session, "401 to a token", steps, "", Some("secret-token")).await;
    let auth = "[registry.\"HOST\".oci]\nauth = \"b3BlbjpzZXNhbWU=\"\n";
    let with_password = refused().with("authorization", "Basic b3BlbjpzZXNhbWU=");
    // What is kept is left out once, as packages may be for everybody.
    let steps = vec![says("{}"), refused(), with_password, refused().without("authorization")];
    fetch_from(&mut session, "401 to a password", steps, auth, None).await;
    let transcript = session.transcript();
    // The transcript has the variable itself.
    assert!(!transcript.contains("sesame") && transcript.matches("secret-token").count() == 1, "{transcript}");
    insta::assert_snapshot!("fetch_registry_refuses", transcript);
}
