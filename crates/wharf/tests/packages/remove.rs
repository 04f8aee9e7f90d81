//! `remove`: what goes from the files of a project, and what stays.

use wharf::wit::Error as WitError;
use wharf::{AddOptions, AddOrigin, Cause, EditOutcome, Error, FileChange, InterfaceUse, RemoveOptions, add, remove};

use crate::setup::{LOG, Project, asked, config, deps, registry_with};

const CLOCK: &str = "package acme:clock@0.2.0;\ninterface now { get: func() -> u64; }\n";
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

fn options(project: &Project, packages: &[&str]) -> RemoveOptions {
    let packages = packages.iter().map(|package| package.parse().unwrap()).collect();
    RemoveOptions { fetch: project.options(), packages }
}

impl Project {
    async fn remove(&self, packages: &[&str]) -> EditOutcome {
        remove(self.connect(), &options(self, packages)).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Lets it fail, checks that the project is as it was, and returns why.
    async fn refuse_to_remove(&self, packages: &[&str]) -> Cause {
        let before = self.files();
        let error = remove(self.connect(), &options(self, packages)).await.expect_err("it was removed");
        assert_eq!(self.files(), before);
        let Error::Remove { source, .. } = error else { panic!("{error:?}") };
        source
    }
}

#[tokio::test]
async fn what_was_added_is_removed_and_the_project_is_as_before() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    for ending in ["\n", "\r\n"] {
        let project = Project::new(&config(registry.registry()), &WORLD.replace('\n', ending));
        project.write("wit/more.wit", "interface mine {}\n");
        project.fetch().await;
        let before = project.files();
        let request = AddOptions {
            fetch: project.options(),
            requests: vec!["acme:clock".parse().unwrap()],
            origin: AddOrigin::Settings,
            world: None,
            interfaces: InterfaceUse::Import,
        };
        add(project.connect(), &request).await.unwrap();
        assert_ne!(project.files(), before);
        registry.clear_log();
        let outcome = project.remove(&["acme:clock"]).await;
        assert_eq!(project.files(), before);
        assert_eq!((outcome.changes.len(), outcome.fetched.is_changed, asked(&registry).len()), (1, true, 0));
    }
}

#[tokio::test]
async fn statements_of_all_files_go_with_what_the_settings_say_of_the_package() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/clock:0.2.0", CLOCK)]).await;
    let host = registry.registry();
    let world =
        "package acme:app;\nworld app {\n  import acme:log/sink@1.0.0;\n  import acme:clock/now@0.2.0; // keep\n}\n";
    let project = Project::new(&config(host), world);
    project.write("wit/other.wit", "use acme:log/sink@1.0.0;\nworld other { export acme:log/sink@1.0.0; }\n");
    project.write(
        "wkg.toml",
        "[overrides]\n\"acme:log\" = { version = \"^1\" }\n# c\n\"acme:clock\" = { version = \"*\" }\n",
    );
    project.write("wharf.toml", "[packages]\n\"acme:log\" = \"acme.example\" # so\n\n[registries]\n");
    let outcome = project.remove(&["acme:log"]).await;
    let places: Vec<&str> = outcome
        .changes
        .iter()
        .map(|change| match change {
            FileChange::Removed { text, .. } => text.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "use acme:log/sink@1.0.0;",
        "export acme:log/sink@1.0.0;",
        "import acme:log/sink@1.0.0;",
        "\"acme:log\" = { version = \"^1\" }",
        "\"acme:log\" = \"acme.example\" # so",
    ];
    assert_eq!(places, expected);
    assert_eq!(project.read("wit/world.wit"), world.replace("  import acme:log/sink@1.0.0;\n", ""));
    assert_eq!(project.read("wkg.toml"), "[overrides]\n# c\n\"acme:clock\" = { version = \"*\" }\n");
    assert_eq!(project.read("wharf.toml"), "[packages]\n\n[registries]\n");
    assert_eq!(deps(&outcome.fetched), ["acme-clock-0.2.0"]);
    assert!(!project.read("wkg.lock").contains("acme:log") && !project.read("wharf.lock").contains("acme:log"));
    project.remove(&["acme:clock"]).await;
    assert_eq!(project.deps(), [""; 0]);
}

#[tokio::test]
async fn one_of_several_versions_goes_alone() {
    let newer = LOG.replace("1.0.0", "1.1.0");
    let registry = registry_with(&[("acme/log:1.0.0", LOG), ("acme/log:1.1.0", &newer)]).await;
    let world = "package acme:app;\nworld app {\n  import acme:log/sink@1.0.0;\n  import acme:log/sink@1.1.0;\n}\n";
    let project = Project::new(&config(registry.registry()), world);
    let home = format!(
        "{{ registry = \"acme.example\", metadata = {{ oci = {{ registry = \"{}\" }} }} }}",
        registry.registry()
    );
    let settings = format!("[packages]\n\"acme:log\" = {home}\n");
    project.write("wharf.toml", &settings);
    let cause = project.refuse_to_remove(&["acme:log@1.2.0"]).await;
    assert_eq!(cause.to_string(), "the project does not use `acme:log@1.2.0`, but `acme:log@1.0.0`, `acme:log@1.1.0`");
    let outcome = project.remove(&["acme:log@1.0.0"]).await;
    assert_eq!((outcome.changes.len(), deps(&outcome.fetched)), (1, vec!["acme-log-1.1.0".to_owned()]));
    assert_eq!(project.read("wharf.toml"), settings);
    assert_eq!(project.remove(&["acme:log@1.1.0"]).await.changes.len(), 2);
}

#[tokio::test]
async fn what_is_still_used_or_not_used_at_all_is_refused() {
    let time = "package acme:time@1.0.0;\ninterface t { type instant = u64; }\n";
    let registry = registry_with(&[("acme/time:1.0.0", time), ("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), WORLD);
    project.write(
        "wit/mine.wit",
        "interface mine {\n  use acme:time/t@1.0.0.{instant};\n}\nworld w { import acme:time/t@1.0.0; }\n",
    );
    project.fetch().await;
    let cause = project.refuse_to_remove(&["acme:log", "acme:time"]).await;
    let Cause::Wit(WitError::StillUsed { locations, .. }) = &cause else { panic!("{cause:?}") };
    assert_eq!((locations.len(), locations[0].line), (1, 2));
    assert!(cause.to_string().contains("wit/mine.wit:2"), "{cause}");
    let cause = project.refuse_to_remove(&["acme:logs"]).await;
    assert_eq!(cause.to_string(), "the project does not use `acme:logs`, but `acme:log`");
    let cause = project.refuse_to_remove(&["acme:app"]).await;
    assert!(matches!(cause, Cause::NotUsed { .. }), "{cause:?}");
}

#[tokio::test]
async fn what_another_member_needs_stays_in_the_settings_of_the_workspace() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), "");
    std::fs::remove_dir_all(project.path("wit")).unwrap();
    project.write("wkg.toml", "[workspace]\nmembers = [\"one\", \"two\"]\n");
    for name in ["one", "two"] {
        let text = format!("package acme:{name};\nworld w {{ import acme:log/sink@1.0.0; }}\n");
        project.write(&format!("{name}/wit/{name}.wit"), text);
    }
    let settings = "[packages]\n\"acme:log\" = \"acme.example\"\n";
    project.write("wharf.toml", settings);
    let mut only = options(&project, &["acme:log"]);
    for (member, expected) in [("one", settings), ("two", "[packages]\n")] {
        only.fetch.project.folder = project.path(member);
        remove(project.connect(), &only).await.unwrap();
        assert_eq!(project.read("wharf.toml"), expected);
    }
}
