//! `add`: what changes in the files of a project, and what is fetched for it.

use wharf::{AddOptions, AddOrigin, Cause, EditFault, EditOutcome, Error, FileChange, InterfaceUse, KeptVersion, add};
use wharf_testing::registry::TestRegistry;

use crate::setup::{LOG, Project, asked, config, deps, publish, registry_with, wasm};

/// A package with several interfaces, and a world of all that is to be imported.
const CLI: &str = "\
package acme:cli@1.0.0;
interface stdin { read: func() -> u8; }
interface stdout { write: func(byte: u8); }
world imports { import stdin; import stdout; }
";
/// A world with comments at all places where somebody may have put some.
const WORLD: &str = "\
// mine
package acme:app@0.1.0; // it

/// What the world is for.
world app {
  // first
  import acme:log/sink@1.0.0; // for errors

  /* last */
}
// the end
";

async fn registry() -> TestRegistry {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/cli:1.0.0", CLI)]).await;
    for version in ["1.0.1", "1.1.0", "2.0.0", "3.0.0-rc.1"] {
        publish(&registry, &format!("acme/log:{version}"), &wasm(&LOG.replace("1.0.0", version), &[])).await;
    }
    registry
}

fn options(project: &Project, requests: &[&str]) -> AddOptions {
    AddOptions {
        fetch: project.options(),
        requests: requests.iter().map(|request| request.parse().unwrap()).collect(),
        origin: AddOrigin::Settings,
        world: None,
        interfaces: InterfaceUse::Import,
    }
}

impl Project {
    async fn add(&self, requests: &[&str]) -> EditOutcome {
        self.add_with(&options(self, requests)).await
    }

    async fn add_with(&self, options: &AddOptions) -> EditOutcome {
        add(self.connect(), options).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Lets it fail, checks that the project is as it was, and returns why.
    async fn refuse_to_add(&self, options: &AddOptions) -> Cause {
        let before = self.files();
        let error = add(self.connect(), options).await.expect_err("it was added");
        assert_eq!(self.files(), before);
        let Error::Add { source, .. } = error else { panic!("{error:?}") };
        source
    }
}

/// Returns what changed, with paths as seen from the project.
fn changes(project: &Project, outcome: &EditOutcome) -> Vec<String> {
    let folder = format!("{}/", project.path("").display().to_string().trim_end_matches('/'));
    let short = |place: &String| place.replace(&folder, "");
    let line = |change: &FileChange| match change {
        FileChange::Added { place, text } => format!("{} + {text}", short(place)),
        FileChange::Removed { place, text } => format!("{} - {text}", short(place)),
        FileChange::Version { package, old, new, places } => {
            let old = old.as_ref().map_or("none".to_owned(), ToString::to_string);
            format!("{package} {old} -> {new}: {}", places.iter().map(short).collect::<Vec<_>>().join(" "))
        }
    };
    outcome.changes.iter().map(line).collect()
}

#[tokio::test]
async fn a_statement_is_added_and_all_else_stays_byte_for_byte() {
    let registry = registry().await;
    for (text, ending) in [(WORLD.to_owned(), "\n"), (WORLD.replace('\n', "\r\n"), "\r\n")] {
        let project = Project::new(&config(registry.registry()), &text);
        let outcome = project.add(&["acme:cli/stdout@1.0.0"]).await;
        assert_eq!(changes(&project, &outcome), ["wit/world.wit:8 + import acme:cli/stdout@1.0.0;"]);
        let line = "  import acme:log/sink@1.0.0; // for errors";
        let expected = text.replace(line, &format!("{line}{ending}  import acme:cli/stdout@1.0.0;"));
        assert_eq!(project.read("wit/world.wit"), expected);
        assert_eq!(deps(&outcome.fetched), ["acme-cli-1.0.0", "acme-log-1.0.0"]);
        assert!(!project.fetch().await.is_changed, "locks and deps are those of the new WIT");
    }
}

#[tokio::test]
async fn the_newest_version_that_will_do_is_written_exactly() {
    let registry = registry().await;
    for (request, version) in [
        ("acme:log/sink", "2.0.0"),
        ("acme:log", "2.0.0"),
        ("acme:log@^1.0", "1.1.0"),
        ("acme:log/sink@~1.0.0", "1.0.1"),
        ("acme:log@3.0.0-rc.1", "3.0.0-rc.1"),
    ] {
        let project = Project::new(&config(registry.registry()), "package acme:app;\nworld app {\n}\n");
        project.add(&[request]).await;
        let expected = format!("package acme:app;\nworld app {{\n  import acme:log/sink@{version};\n}}\n");
        assert_eq!(project.read("wit/world.wit"), expected, "{request}");
    }
}

#[tokio::test]
async fn what_a_package_is_made_for_is_taken_where_nothing_of_it_is_named() {
    let registry = registry().await;
    let several = CLI.replace("acme:cli", "acme:several").replace("world imports", "world all");
    publish(&registry, "acme/several:1.0.0", &wasm(&several, &[])).await;
    let project = Project::new(&config(registry.registry()), "package acme:app;\nworld app {}\n");
    let cause = project.refuse_to_add(&options(&project, &["acme:several@1.0.0"])).await;
    let has = "`acme:several@1.0.0` has the interfaces `stdin`, `stdout`, and the world `all`";
    assert_eq!(cause.to_string(), has);
    let exported = AddOptions { interfaces: InterfaceUse::Export, ..options(&project, &["acme:cli@1.0.0"]) };
    let cause = project.refuse_to_add(&exported).await;
    assert!(matches!(cause, Cause::EditFault(EditFault::WhichItem { .. })), "{cause:?}");
    project.add(&["acme:cli@1.0.0", "acme:log@1.0.0", "acme:several/all@1.0.0"]).await;
    let export = AddOptions { interfaces: InterfaceUse::Export, ..options(&project, &["acme:log/sink@1.0.1"]) };
    project.add_with(&export).await;
    let expected = "package acme:app;\nworld app {\n  include acme:cli/imports@1.0.0;\n  include \
                    acme:several/all@1.0.0;\n  import acme:log/sink@1.0.1;\n  export acme:log/sink@1.0.1;\n}\n";
    assert_eq!(
        project.read("wit/world.wit").split_whitespace().collect::<Vec<_>>(),
        expected.split_whitespace().collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn what_is_not_in_a_package_is_told_with_what_is() {
    let registry = registry().await;
    let project = Project::new(&config(registry.registry()), "package acme:app;\nworld app {}\n");
    let cause = project.refuse_to_add(&options(&project, &["acme:cli/stdinn@1.0.0"])).await;
    let expected = "`acme:cli@1.0.0` has no interface or world `stdinn`; it has the interfaces `stdin`, `stdout`, and \
                    the world `imports`";
    assert_eq!(cause.to_string(), expected);
    assert!(matches!(cause, Cause::EditFault(EditFault::NoSuchItem { near, .. }) if near == ["stdin"]));
    let exported = AddOptions { interfaces: InterfaceUse::Export, ..options(&project, &["acme:cli/imports@1.0.0"]) };
    let cause = project.refuse_to_add(&exported).await;
    assert!(matches!(cause, Cause::EditFault(EditFault::ExportedWorld { .. })), "{cause:?}");
    let cause = project.refuse_to_add(&options(&project, &["acme:log@^7"])).await;
    let Cause::Package { source, .. } = cause else { panic!("{cause:?}") };
    assert!(matches!(&*source, Cause::NoVersion { known, .. } if known.len() == 5), "{source:?}");
}

#[tokio::test]
async fn a_package_in_another_version_is_set_to_the_new_one_everywhere() {
    let registry = registry().await;
    let world = "package acme:app;\nuse acme:log/sink@1.0.0 as logs;\nworld one { import acme:log/sink@1.0.0; }\n";
    for request in ["acme:log@1.0.1", "acme:log/sink@1.0.1"] {
        let project = Project::new(&config(registry.registry()), world);
        project.write("wit/two.wit", "world two { /* here */ import acme:log/sink; }\n");
        let options = options(&project, &[request]);
        let outcome = project.add_with(&options).await;
        let expected =
            ["acme:log none -> 1.0.1: wit/two.wit:1", "acme:log 1.0.0 -> 1.0.1: wit/world.wit:2 wit/world.wit:3"];
        assert_eq!(changes(&project, &outcome), expected, "{request}");
        assert_eq!(project.read("wit/world.wit"), world.replace("1.0.0", "1.0.1"));
        assert_eq!(project.read("wit/two.wit"), "world two { /* here */ import acme:log/sink@1.0.1; }\n");
        assert_eq!(deps(&outcome.fetched), ["acme-log-1.0.1"]);
        let again = project.add_with(&options).await;
        assert_eq!((again.changes.len(), again.fetched.is_changed), (0, false));
    }
}

#[tokio::test]
async fn what_is_imported_can_be_exported_too_and_both_have_the_new_version() {
    let registry = registry().await;
    let world = "package acme:app;\nworld one {\n  import acme:log/sink@1.0.0;\n}\nworld two {\n}\n";
    let project = Project::new(&config(registry.registry()), world);
    let mut options = options(&project, &["acme:log/sink@1.0.1"]);
    options.interfaces = InterfaceUse::Export;
    let cause = project.refuse_to_add(&options).await;
    assert!(cause.to_string().contains("several worlds"), "{cause}");
    options.world = Some("one".to_owned());
    let outcome = project.add_with(&options).await;
    let expected = ["acme:log 1.0.0 -> 1.0.1: wit/world.wit:3", "wit/world.wit:4 + export acme:log/sink@1.0.1;"];
    assert_eq!(changes(&project, &outcome), expected);
    options.world = Some("two".to_owned());
    let outcome = project.add_with(&options).await;
    assert_eq!(changes(&project, &outcome), ["wit/world.wit:7 + export acme:log/sink@1.0.1;"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_keeps_its_mode_and_the_links_to_it() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let registry = registry().await;
    let project = Project::new(&config(registry.registry()), "");
    project.write("shared/app.wit", "package acme:app;\nworld app {\n}\n");
    let (file, link) = (project.path("shared/app.wit"), project.path("wit/world.wit"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::remove_file(&link).unwrap();
    symlink("../shared/app.wit", &link).unwrap();
    project.add(&["acme:log/sink@1.0.0"]).await;
    assert!(link.is_symlink() && project.read("shared/app.wit").contains("import acme:log/sink@1.0.0;"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

#[tokio::test]
async fn more_of_a_package_that_is_there_has_its_version_unless_another_is_asked_for() {
    let registry = registry().await;
    let newer = CLI.replace("1.0.0", "1.1.0");
    publish(&registry, "acme/cli:1.1.0", &wasm(&newer, &[])).await;
    for (there, request, expected) in [
        (&["1.0.0"][..], "acme:cli/stdout", &["stdin@1.0.0", "stdout@1.0.0"][..]),
        (&["1.0.0"], "acme:cli/stdout@1.1.0", &["stdin@1.1.0", "stdout@1.1.0"]),
        (&["1.0.0", "1.1.0"], "acme:cli/stdout", &["stdin@1.0.0", "stdin@1.1.0", "stdout@1.1.0"]),
        (&["1.0.0"], "acme:cli/stdin", &["stdin@1.0.0"]),
        (&["1.0.0"], "acme:cli/stdout@^1", &["stdin@1.1.0", "stdout@1.1.0"]),
        (&["1.1.0"], "acme:cli/stdout@1.0.0", &["stdin@1.0.0", "stdout@1.0.0"]),
    ] {
        let world = |items: Vec<String>| {
            let lines: String = items.iter().map(|item| format!("  import acme:cli/{item};\n")).collect();
            format!("package acme:app;\nworld app {{\n{lines}}}\n")
        };
        let before = world(there.iter().map(|version| format!("stdin@{version}")).collect());
        let project = Project::new(&config(registry.registry()), &before);
        project.add(&[request]).await;
        let expected = world(expected.iter().map(|&item| item.to_owned()).collect());
        assert_eq!(project.read("wit/world.wit"), expected, "{request}");
    }
}

/// Returns the versions that stay, each with the one beside it and its places.
fn kept(project: &Project, outcome: &EditOutcome) -> Vec<String> {
    let folder = format!("{}/", project.path("").display().to_string().trim_end_matches('/'));
    let line = |kept: &KeptVersion| {
        let version = kept.version.as_ref().map_or("none".to_owned(), ToString::to_string);
        let places = kept.places.join(" ").replace(&folder, "");
        format!("{} {version} beside {}: {places}", kept.package, kept.beside)
    };
    outcome.kept.iter().map(line).collect()
}

#[tokio::test]
async fn an_item_in_an_incompatible_version_stands_beside_the_others() {
    let registry = registry().await;
    let world = "package acme:app;\nworld one {\n  import acme:log/sink@1.0.0;\n}\nworld two {\n  import \
                 acme:log/sink@1.0.1;\n}\n";
    let project = Project::new(&config(registry.registry()), world);
    let mut options = options(&project, &["acme:log/sink@2.0.0"]);
    options.world = Some("one".to_owned());
    let outcome = project.add_with(&options).await;
    assert_eq!(changes(&project, &outcome), ["wit/world.wit:4 + import acme:log/sink@2.0.0;"]);
    let expected = ["acme:log 1.0.0 beside 2.0.0: wit/world.wit:3", "acme:log 1.0.1 beside 2.0.0: wit/world.wit:6"];
    assert_eq!(kept(&project, &outcome), expected);
    options.requests = vec!["acme:log/sink@1.1.0".parse().unwrap()];
    let outcome = project.add_with(&options).await;
    let expected = ["acme:log 1.0.0 -> 1.1.0: wit/world.wit:3", "acme:log 1.0.1 -> 1.1.0: wit/world.wit:7"];
    assert_eq!(changes(&project, &outcome), expected);
    assert_eq!(kept(&project, &outcome), ["acme:log 2.0.0 beside 1.1.0: wit/world.wit:4"]);
}

#[tokio::test]
async fn a_place_without_a_version_gets_the_new_one_unless_incompatible_ones_stay() {
    let registry = registry().await;
    publish(&registry, "acme/cli:2.0.0", &wasm(&CLI.replace("1.0.0", "2.0.0"), &[])).await;
    let world = |there: &str| {
        format!(
            "package acme:app;\nworld one {{\n  import acme:cli/stdin;\n}}\nworld two {{\n  import \
             acme:cli/stdout@{there};\n}}\n"
        )
    };
    let project = Project::new(&config(registry.registry()), &world("2.0.0"));
    let outcome = project.add(&["acme:cli/stdout@2.0.0"]).await;
    assert_eq!(changes(&project, &outcome), ["acme:cli none -> 2.0.0: wit/world.wit:3"]);
    // Which of two versions a place without one means, only its author knows.
    let project = Project::new(&config(registry.registry()), &world("1.0.0"));
    let two = Some("two".to_owned());
    let beside = AddOptions { world: two, ..options(&project, &["acme:cli/stdout@2.0.0"]) };
    let cause = project.refuse_to_add(&beside).await;
    let Cause::Wit(wharf::wit::Error::AmbiguousVersion { candidates, .. }) = cause else { panic!("{cause:?}") };
    assert_eq!(candidates.len(), 2);
}

#[tokio::test]
async fn without_a_version_the_newest_that_the_wit_names_is_taken_and_nothing_is_raised() {
    let registry = registry().await;
    for (first, second, version) in
        [("@1.0.0", "@1.0.0", "@1.0.0"), ("@1.0.0", "@1.0.1", "@1.0.1"), ("@2.0.0", "@1.1.0", "@2.0.0"), ("", "", "")]
    {
        let world = format!(
            "package acme:app;\nworld a {{\n  import acme:log/sink{first};\n}}\nworld b {{\n}}\nworld c {{\n  import \
             acme:log/sink{second};\n}}\n"
        );
        for request in ["acme:log", "acme:log/sink"] {
            let project = Project::new(&config(registry.registry()), &world);
            let mut options = options(&project, &[request]);
            options.world = Some("b".to_owned());
            let outcome = project.add_with(&options).await;
            let expected = format!("wit/world.wit:6 + import acme:log/sink{version};");
            assert_eq!(changes(&project, &outcome), [expected], "{request} {first} {second}");
            let again = project.add_with(&options).await;
            assert_eq!((again.changes.len(), again.fetched.is_changed), (0, false));
            options.world = None;
            let again = project.add_with(&options).await;
            assert_eq!((again.changes.len(), again.fetched.is_changed), (0, false), "a world has it");
        }
    }
}

#[tokio::test]
async fn without_a_version_the_one_is_taken_that_another_item_is_added_with() {
    let registry = registry().await;
    publish(&registry, "acme/cli:1.1.0", &wasm(&CLI.replace("1.0.0", "1.1.0"), &[])).await;
    let world = "package acme:app;\nworld app {\n  import acme:cli/stdin@1.0.0;\n}\n";
    let project = Project::new(&config(registry.registry()), world);
    let outcome = project.add(&["acme:cli/stdin", "acme:cli/imports", "acme:cli/stdout@1.1.0"]).await;
    let expected = [
        "acme:cli 1.0.0 -> 1.1.0: wit/world.wit:3",
        "wit/world.wit:3 + include acme:cli/imports@1.1.0;",
        "wit/world.wit:5 + import acme:cli/stdout@1.1.0;",
    ];
    assert_eq!(changes(&project, &outcome), expected);
    assert!(!project.read("wit/world.wit").contains("1.0.0"));
}

#[tokio::test]
async fn without_a_version_a_place_without_one_keeps_what_is_locked() {
    let registry = registry_with(&[("acme/cli:1.0.0", CLI)]).await;
    let world = "package acme:app;\nworld app {\n  import acme:cli/stdin;\n}\n";
    let project = Project::new(&config(registry.registry()), world);
    project.fetch().await;
    let newer = CLI.replace("1.0.0", "2.0.0").replace("stdout", "output");
    publish(&registry, "acme/cli:2.0.0", &wasm(&newer, &[])).await;
    let outcome = project.add(&["acme:cli/stdout"]).await;
    assert_eq!(changes(&project, &outcome), ["wit/world.wit:4 + import acme:cli/stdout;"]);
    assert_eq!(deps(&outcome.fetched), ["acme-cli-1.0.0"]);
}

#[tokio::test]
async fn a_package_by_itself_with_a_version_only_gets_the_version() {
    let registry = registry().await;
    publish(&registry, "acme/cli:1.1.0", &wasm(&CLI.replace("1.0.0", "1.1.0"), &[])).await;
    let world = "package acme:app;\nworld one {\n  import acme:cli/stdin@1.0.0;\n}\nworld two {\n}\n";
    let project = Project::new(&config(registry.registry()), world);
    let mut options = options(&project, &["acme:cli@1.1.0"]);
    let outcome = project.add_with(&options).await;
    assert_eq!(changes(&project, &outcome), ["acme:cli 1.0.0 -> 1.1.0: wit/world.wit:3"]);
    options.world = Some("two".to_owned());
    let outcome = project.add_with(&options).await;
    assert_eq!(changes(&project, &outcome), ["wit/world.wit:6 + include acme:cli/imports@1.1.0;"]);
    let log = "package acme:app;\nworld one {\n  import acme:log/sink@1.0.0;\n}\n";
    for (world, interfaces, keyword) in
        [(None, InterfaceUse::Export, "export"), (Some("one"), InterfaceUse::Import, "import")]
    {
        let project = Project::new(&config(registry.registry()), log);
        let world = world.map(str::to_owned);
        let options = AddOptions { world, interfaces, ..self::options(&project, &["acme:log@2.0.0"]) };
        let outcome = project.add_with(&options).await;
        assert_eq!(changes(&project, &outcome), [format!("wit/world.wit:4 + {keyword} acme:log/sink@2.0.0;")]);
        assert_eq!(kept(&project, &outcome), ["acme:log 1.0.0 beside 2.0.0: wit/world.wit:3"]);
    }
}

#[tokio::test]
async fn a_package_by_itself_is_set_to_an_incompatible_version_where_one_range_is_there() {
    let registry = registry().await;
    let world = |first: &str, second: &str| {
        format!(
            "package acme:app;\nworld one {{ import acme:log/sink@{first}; }}\nworld two {{ import \
             acme:log/sink@{second}; }}\n"
        )
    };
    for (first, second, request, after) in [
        ("1.0.0", "1.0.0", "acme:log@2.0.0", ("2.0.0", "2.0.0")),
        ("1.0.0", "1.0.1", "acme:log@^2", ("2.0.0", "2.0.0")),
        ("1.0.0", "2.0.0", "acme:log@1.1.0", ("1.1.0", "2.0.0")),
    ] {
        let project = Project::new(&config(registry.registry()), &world(first, second));
        let outcome = project.add(&[request]).await;
        assert_eq!(project.read("wit/world.wit"), world(after.0, after.1), "{request}");
        assert_eq!(outcome.kept.len(), usize::from(after.0 != after.1));
    }
    let project = Project::new(&config(registry.registry()), &world("1.0.0", "2.0.0"));
    let cause = project.refuse_to_add(&options(&project, &["acme:log@3.0.0-rc.1"])).await;
    let expected = "`acme:log` is there in versions that break with each other: `1.0.0`, `2.0.0`";
    assert_eq!(cause.to_string(), expected);
}

#[tokio::test]
async fn a_package_of_a_folder_becomes_an_override_and_costs_no_request() {
    let registry = registry().await;
    let project = Project::new(&config(registry.registry()), "package acme:app;\nworld app {\n}\n");
    project.write("../greet/wit/greet.wit", "package acme:greet@0.2.0;\ninterface greet { hi: func(); }\n");
    project.write("wkg.toml", "[metadata] # of mine\n");
    let from = |folder: &str, request: &str| AddOptions {
        origin: AddOrigin::Folder(project.path(folder)),
        ..options(&project, &[request])
    };
    let outcome = project.add_with(&from("../greet", "acme:greet")).await;
    let expected = [
        "wkg.toml:3 + [overrides]",
        "wkg.toml:4 + \"acme:greet\" = { path = \"../greet/wit\" }",
        "wit/world.wit:3 + import acme:greet/greet@0.2.0;",
    ];
    assert_eq!(changes(&project, &outcome), expected);
    assert_eq!((asked(&registry).len(), deps(&outcome.fetched)), (0, vec!["acme-greet-0.2.0".to_owned()]));
    let text = "[metadata] # of mine\n\n[overrides]\n\"acme:greet\" = { path = \"../greet/wit\" }\n";
    assert_eq!(project.read("wkg.toml"), text);
    let cause = project.refuse_to_add(&from("../greet/wit", "acme:greet@^0.3")).await;
    assert!(matches!(&cause, Cause::NoVersion { known, .. } if known.len() == 1), "{cause:?}");
    let cause = project.refuse_to_add(&from("../greet/wit", "acme:log")).await;
    assert!(matches!(&cause, Cause::OverrideOther { .. }), "{cause:?}");
    let cause = project.refuse_to_add(&from("../missing", "acme:log")).await;
    assert!(matches!(&cause, Cause::NoFolder { .. }), "{cause:?}");
    assert_eq!(asked(&registry).len(), 0);
}

#[tokio::test]
async fn a_registry_is_named_in_wharf_toml_and_counts_at_once() {
    let registry = registry().await;
    let nobody = "[namespace_registries]\nacme = \"nobody.example\"\n";
    let project = Project::new(nobody, "package acme:app;\nworld app {\n}\n");
    let mut options = options(&project, &["acme:log/sink@1.0.0"]);
    options.origin = AddOrigin::Registry(registry.registry().as_str().parse().unwrap());
    let outcome = project.add_with(&options).await;
    let host = registry.registry().to_string();
    let expected = [
        "wharf.toml:1 + [packages]".to_owned(),
        format!("wharf.toml:2 + \"acme:log\" = \"{host}\""),
        "wit/world.wit:3 + import acme:log/sink@1.0.0;".to_owned(),
    ];
    assert_eq!(changes(&project, &outcome), expected);
    assert_eq!(project.read("wharf.toml"), format!("[packages]\n\"acme:log\" = \"{host}\"\n"));
    assert!(!project.fetch().await.is_changed);
}

#[tokio::test]
async fn a_world_has_to_be_there_and_to_be_meant() {
    let registry = registry().await;
    let project = Project::new(&config(registry.registry()), "package acme:app;\n");
    let add = |world: Option<&str>| {
        let world = world.map(str::to_owned);
        AddOptions { world, ..options(&project, &["acme:log/sink@1.0.0"]) }
    };
    assert_eq!(project.refuse_to_add(&add(None)).await.to_string(), "the package has no world");
    project.write("wit/worlds.wit", "world one {}\nworld two {\n}\n");
    let several = "the package has several worlds: `one`, `two`";
    assert_eq!(project.refuse_to_add(&add(None)).await.to_string(), several);
    let unknown = "the package has no world `three`; it has `one`, `two`";
    assert_eq!(project.refuse_to_add(&add(Some("three"))).await.to_string(), unknown);
    let outcome = project.add_with(&add(Some("two"))).await;
    assert_eq!(changes(&project, &outcome), ["wit/worlds.wit:3 + import acme:log/sink@1.0.0;"]);
    assert_eq!(project.read("wit/world.wit"), "package acme:app;\n");
}

#[tokio::test]
async fn a_registry_that_fails_leaves_all_as_it_was() {
    let registry = registry().await;
    let project = Project::new(&config(registry.registry()), WORLD);
    project.fetch().await;
    for requests in [
        &["acme:log@1.0.1", "acme:missing@1.0.0"][..],
        &["acme:cli/stdin@1.0.0", "acme:cli/stdin@7.0.0"],
        &["acme:cli/stdin@1.0.0", "nobody:log@1.0.0"],
    ] {
        project.refuse_to_add(&options(&project, requests)).await;
    }
    // The package itself is there, and what it is to stand beside has changed since.
    publish(&registry, "acme/log:1.0.0", &wasm(&LOG.replace("put", "take"), &[])).await;
    project.clear_cache();
    let cause = project.refuse_to_add(&options(&project, &["acme:cli/stdin@1.0.0"])).await;
    assert!(matches!(cause, Cause::LockedOtherwise { .. }), "{cause:?}");
    let offline = AddOptions { fetch: project.offline(), ..options(&project, &["acme:cli@1.0.0"]) };
    assert!(matches!(project.refuse_to_add(&offline).await, Cause::Offline { .. }));
}

#[tokio::test]
async fn a_member_of_a_workspace_is_changed_alone() {
    let registry = registry().await;
    let project = Project::new(&config(registry.registry()), "package acme:app;\nworld app {\n}\n");
    project.write("wkg.toml", "[workspace]\nmembers = [\"one\", \"two\"]\n");
    project.write("one/wit/one.wit", "package acme:one@0.1.0;\nworld one {\n}\n");
    project.write("two/wit/two.wit", "package acme:two@0.3.0;\ninterface two { f: func(); }\n");
    project.write("greet/greet.wit", "package acme:greet;\ninterface greet { hi: func(); }\n");
    let cause = project.refuse_to_add(&options(&project, &["acme:two"])).await;
    assert!(matches!(&cause, Cause::EditFault(EditFault::SeveralPackages { packages, .. }) if packages.len() == 2));
    let mut member = options(&project, &["acme:two", "acme:log@1.0.0"]);
    member.fetch.project.folder = project.path("one");
    let outcome = project.add_with(&member).await;
    let expected =
        ["one/wit/one.wit:3 + import acme:two/two@0.3.0;", "one/wit/one.wit:4 + import acme:log/sink@1.0.0;"];
    assert_eq!(changes(&project, &outcome), expected);
    member.requests = vec!["acme:greet".parse().unwrap()];
    member.origin = AddOrigin::Folder(project.path("greet"));
    let outcome = project.add_with(&member).await;
    let expected = [
        "one/wkg.toml:1 + [overrides]",
        "one/wkg.toml:2 + \"acme:greet\" = { path = \"../greet\" }",
        "one/wit/one.wit:5 + import acme:greet/greet;",
    ];
    assert_eq!(changes(&project, &outcome), expected);
    assert!(project.path("wkg.lock").exists() && !project.path("one/wkg.lock").exists());
}

#[tokio::test]
async fn what_was_put_into_deps_by_hand_goes_before_a_registry() {
    let registry = registry().await;
    let project = Project::new(&config(registry.registry()), "package acme:app;\nworld app {\n}\n");
    project.write("wit/deps/log.wit", LOG.replace("put", "by-hand"));
    project.add(&["acme:log"]).await;
    assert!(project.read("wit/world.wit").contains("import acme:log/sink@1.0.0;"));
    assert_eq!(asked(&registry).len(), 0);
    let outcome = project.add(&["acme:log@1.1.0"]).await;
    assert_eq!(deps(&outcome.fetched), ["acme-log-1.1.0"], "which version was asked for counts more");
    assert_eq!(project.read("wit/deps/log.wit"), LOG.replace("put", "by-hand"));
}

#[tokio::test]
async fn a_new_package_is_asked_for_once() {
    let registry = registry().await;
    let project = Project::new(&config(registry.registry()), "package acme:app;\nworld app {\n}\n");
    project.add(&["acme:cli"]).await;
    let asked = asked(&registry);
    assert_eq!(asked.len(), 3, "the list, the manifest, the Wasm: {asked:#?}");
}
