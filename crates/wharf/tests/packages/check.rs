//! `check`.

use wharf::wit::compare::Bump;
use wharf::{CheckOptions, CheckOutcome, FetchOptions, Standing, check};

use crate::setup::{APP, LOG, Project, asked, config, registry_with};

async fn checked(project: &Project, options: FetchOptions) -> CheckOutcome {
    let before = project.files();
    let outcome = check(project.connect(), &CheckOptions { project: options.project }).await;
    assert_eq!(project.files(), before, "a check writes nothing");
    outcome.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Returns [`LOG`] as another version, with these functions.
fn log(version: &str, functions: &str) -> String {
    LOG.replace("1.0.0", version).replace("put: func(line: string);", functions)
}

const PUT: &str = "put: func(line: string);";
const MORE: &str = "put: func(line: string); flush: func();";
const OTHER: &str = "put: func(line: u8);";

#[tokio::test]
async fn a_version_has_to_say_what_changed() {
    for (published, new, good, compared) in [
        (vec![], ("1.0.0", PUT), true, ""),
        (vec![("0.9.0", OTHER)], ("1.0.0", PUT), true, ""),
        (vec![("1.0.0", PUT)], ("1.0.0", PUT), true, "1.0.0 to 1.0.0: none, 1.0.0"),
        (vec![("1.0.0", PUT)], ("1.0.0", MORE), false, "1.0.0 to 1.0.0: minor, 1.1.0"),
        (vec![("1.0.0", PUT)], ("1.0.1", PUT), true, "1.0.0 to 1.0.1: none, 1.0.0"),
        (vec![("1.0.0", PUT)], ("1.0.1", MORE), false, "1.0.0 to 1.0.1: minor, 1.1.0"),
        (vec![("1.0.0", PUT)], ("1.1.0", MORE), true, "1.0.0 to 1.1.0: minor, 1.1.0"),
        (vec![("1.0.0", PUT)], ("1.1.0", OTHER), false, "1.0.0 to 1.1.0: major, 2.0.0"),
        (vec![("1.0.0", PUT)], ("2.0.0", OTHER), true, ""),
        (vec![("0.2.0", PUT)], ("0.2.1", MORE), true, "0.2.0 to 0.2.1: minor, 0.2.1"),
        (vec![("0.2.0", PUT)], ("0.2.1", OTHER), false, "0.2.0 to 0.2.1: major, 0.3.0"),
        (vec![("0.2.0", PUT)], ("0.3.0", OTHER), true, ""),
        (vec![("0.0.1", PUT)], ("0.0.2", OTHER), true, ""),
        (vec![("1.0.0-rc.1", PUT)], ("1.0.0-rc.2", OTHER), true, "1.0.0-rc.1 to 1.0.0-rc.2: major, 1.0.0"),
        (vec![("1.0.0", PUT)], ("1.1.0-rc.1", OTHER), false, "1.0.0 to 1.1.0-rc.1: major, 2.0.0"),
        (
            vec![("1.0.0", PUT), ("1.2.0", MORE)],
            ("1.1.0", MORE),
            true,
            "1.0.0 to 1.1.0: minor, 1.1.0; 1.1.0 to 1.2.0: none, 1.1.0",
        ),
        (
            vec![("1.0.0", PUT), ("1.2.0", PUT)],
            ("1.1.0", MORE),
            false,
            "1.0.0 to 1.1.0: minor, 1.1.0; 1.1.0 to 1.2.0: major, 2.0.0",
        ),
    ] {
        let packages = published.iter().map(|(version, text)| (format!("acme/log:{version}"), log(version, text)));
        let packages: Vec<_> = packages.collect();
        let packages: Vec<_> = packages.iter().map(|(place, text)| (place.as_str(), text.as_str())).collect();
        let registry = registry_with(&packages).await;
        let project = Project::new(&config(registry.registry()), &log(new.0, new.1));
        let outcome = checked(&project, project.options()).await;
        let comparisons = outcome.packages[0].comparisons.iter().map(|it| {
            let [old, new] = [&it.old, &it.new].map(|side| side.version.as_ref().unwrap());
            format!("{old} to {new}: {}, {}", it.bump, it.least_version.as_ref().unwrap())
        });
        let found = comparisons.collect::<Vec<_>>().join("; ");
        assert_eq!((found.as_str(), outcome.is_good), (compared, good), "{published:?} {new:?}");
        let expected = if compared.is_empty() { Standing::Unpublished } else { Standing::Published };
        assert_eq!(outcome.packages[0].standing, expected);
    }
}

#[tokio::test]
async fn what_breaks_comes_first_with_its_line() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), &log("1.0.1", "flush: func();\n  put: func(line: u8);"));
    let outcome = checked(&project, project.options()).await;
    let changes = &outcome.packages[0].comparisons[0].changes;
    let found: Vec<_> = changes.iter().map(|change| (change.item.as_str(), change.bump)).collect();
    let [put, flush] = ["put", "flush"].map(|name| format!("interface sink: function {name}"));
    assert_eq!(found, [(put.as_str(), Bump::Major), (flush.as_str(), Bump::Minor)]);
    let place = changes[0].place.as_ref().unwrap();
    assert!(place.file.ends_with("wit/world.wit") && place.line == 3, "{place:?}");
}

#[tokio::test]
async fn what_cannot_be_compared_is_no_fault() {
    let registry = registry_with(&[]).await;
    let cases = [
        (Project::new("", "package acme:log;\n"), Standing::Unversioned),
        (Project::new("", LOG), Standing::NoRegistry),
        (Project::new(&config(registry.registry()), LOG), Standing::Unpublished),
    ];
    for (project, expected) in cases {
        let outcome = checked(&project, project.options()).await;
        assert_eq!((outcome.packages[0].standing, outcome.is_good), (expected, true));
    }
    registry.clear_log();
    let project = Project::new(&config(registry.registry()), LOG);
    let outcome = checked(&project, project.offline()).await;
    assert_eq!((outcome.packages[0].standing, outcome.is_good), (Standing::Offline, true));
    assert_eq!(asked(&registry), [""; 0]);
}

#[tokio::test]
async fn a_lock_that_is_there_has_to_be_that_of_the_wit() {
    let registry = registry_with(&[("acme/log:1.0.0", LOG)]).await;
    let project = Project::new(&config(registry.registry()), APP);
    let expected = ["+ acme:log =1.0.0 from acme.example"];
    assert!(checked(&project, project.options()).await.is_good, "there is none");
    let outcome = checked(&project, project.locked()).await;
    assert_eq!((outcome.lock_changes.as_slice(), outcome.is_good), (&expected.map(str::to_owned)[..], false));
    project.write("wkg.lock", "version = 1\npackages = []\n");
    assert_eq!(checked(&project, project.options()).await.lock_changes, expected);
    project.fetch().await;
    assert!(checked(&project, project.locked()).await.is_good);
}
