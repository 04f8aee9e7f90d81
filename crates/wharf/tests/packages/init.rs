//! `init`: which files a project starts with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use wharf::wit::{Document, TextFile};
use wharf::{Cause, EditFault, Error, InitOptions, InitOutcome, LeftOut, NewContent, NewPackage, init};

/// What the retired tool had beside WIT.
const WIT_TOML: &str = "\
version = \"0.2.0\"
authors = [\"Jo\"]
categories = [\"logging\"]

[dependencies]
\"acme:near\" = { path = \"../near\" }
\"acme:log\" = { version = \"1.0\", registry = \"acme\" }
\"acme:any\" = \"*\"
\"acme:web\" = { package = \"other:web\", version = \"1\" }

[registries]
default = \"https://registry.example/\"
acme = \"https://acme.example/\"
";

fn new(folder: &Path) -> NewPackage {
    let version = "0.1.0".parse().unwrap();
    NewPackage { folder: folder.to_owned(), name: None, version, content: NewContent::World(None), registry: None }
}

async fn make(package: NewPackage) -> InitOutcome {
    init(&InitOptions::New(package)).await.unwrap_or_else(|error| panic!("{error:?}"))
}

async fn refuse(options: &InitOptions) -> Cause {
    match init(options).await {
        Err(Error::Init { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

/// Returns the files of a folder and of `wit` in it, by their path.
fn files(folder: &TempDir) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (name, folder) in [("", folder.path().to_owned()), ("wit/", folder.path().join("wit"))] {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                let text = fs::read_to_string(entry.path()).unwrap();
                files.insert(format!("{name}{}", entry.file_name().to_str().unwrap()), text);
            }
        }
    }
    files
}

fn document(files: &BTreeMap<String, String>) -> Document {
    let text = files["wit/world.wit"].clone();
    Document::parse("wit", vec![TextFile { name: "world.wit".to_owned(), text }]).unwrap()
}

#[tokio::test]
async fn a_package_is_called_as_its_folder_unless_it_has_a_name() {
    for (folder, name, content, package, interfaces, worlds) in [
        ("my-app", None, NewContent::World(None), "local:my-app@0.1.0", vec![], vec!["my-app"]),
        ("a", Some("acme:app"), NewContent::World(Some("other".to_owned())), "acme:app@0.1.0", vec![], vec!["other"]),
        ("a/b", Some("acme:b"), NewContent::Interface("log".to_owned()), "acme:b@0.1.0", vec!["log"], vec![]),
        ("a", Some("acme:world"), NewContent::World(None), "acme:world@0.1.0", vec![], vec!["world"]),
        (
            "a",
            Some("use:import"),
            NewContent::Interface("export".to_owned()),
            "use:import@0.1.0",
            vec!["export"],
            vec![],
        ),
    ] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(folder);
        let outcome = make(NewPackage { name: name.map(|name| name.parse().unwrap()), content, ..new(&folder) }).await;
        assert_eq!((outcome.package.as_str(), &outcome.files), (package, &vec![folder.join("wit/world.wit")]));
        let text = fs::read_to_string(folder.join("wit/world.wit")).unwrap();
        let document = document(&BTreeMap::from([("wit/world.wit".to_owned(), text)]));
        assert_eq!(document.name().to_string(), package);
        assert_eq!((document.interfaces(), document.worlds()), (interfaces, worlds), "{package}");
    }
}

#[tokio::test]
async fn a_registry_is_that_of_the_namespace() {
    let home = tempfile::tempdir().unwrap();
    let registry = Some("registry.example".parse().unwrap());
    let outcome = make(NewPackage { name: Some("acme:app".parse().unwrap()), registry, ..new(home.path()) }).await;
    assert_eq!(outcome.files.len(), 2);
    assert_eq!(files(&home)["wharf.toml"], "[registries]\nacme = \"registry.example\"\n");
}

#[tokio::test]
async fn what_is_there_is_not_touched() {
    for there in ["wit/world.wit", "wit/other.wit", "here.wit", "wharf.toml"] {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(there);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let registry = Some("registry.example".parse().unwrap());
        let package = NewPackage { name: Some("acme:app".parse().unwrap()), registry, ..new(home.path()) };
        let cause = refuse(&InitOptions::New(package)).await;
        assert!(matches!(&cause, Cause::Exists { path: found } if *found == path), "{there}: {cause:?}");
        assert_eq!(files(&home), BTreeMap::from([(there.to_owned(), "mine".to_owned())]));
        assert_eq!(home.path().join("wit").exists(), there.starts_with("wit/"), "no folder is made either");
    }
}

#[tokio::test]
async fn a_folder_with_a_name_that_no_package_can_have_needs_one() {
    let home = tempfile::tempdir().unwrap();
    for name in ["My-App", "my_app", "1st", ".hidden", "a--b"] {
        let folder = home.path().join(name);
        let cause = refuse(&InitOptions::New(new(&folder))).await;
        assert!(matches!(cause, Cause::EditFault(EditFault::FolderName { .. })), "{name}: {cause:?}");
        assert!(!folder.exists(), "{name}");
    }
    let world = NewPackage { content: NewContent::World(Some("a b".to_owned())), ..new(&home.path().join("app")) };
    assert!(matches!(refuse(&InitOptions::New(world)).await, Cause::Wit(_)));
}

#[tokio::test]
async fn what_a_wit_toml_says_is_said_in_the_new_files_or_told() {
    let home = tempfile::tempdir().unwrap();
    let wit = "package acme:greet@0.1.0;\n";
    for (name, text) in [("greet.wit", wit), ("wit.toml", WIT_TOML)] {
        fs::write(home.path().join(name), text).unwrap();
    }
    let from = InitOptions::WitToml(home.path().join("wit.toml"));
    let outcome = init(&from).await.unwrap();
    let expected = [
        ("greet.wit", wit),
        ("wit.toml", WIT_TOML),
        (
            "wkg.toml",
            "[metadata]\nauthors = \"Jo\"\n\n[overrides]\n\"acme:log\" = { version = \"^1.0\" }\n\
             \"acme:near\" = { path = \"../near\" }\n",
        ),
        ("wharf.toml", "default = \"registry.example\"\n\n[packages]\n\"acme:log\" = \"acme.example\"\n"),
    ];
    assert_eq!(files(&home), expected.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    let left_out = [
        LeftOut::Renamed { package: "acme:web".to_owned(), named: "other:web@^1".to_owned() },
        LeftOut::Version { version: "0.2.0".parse().unwrap() },
        LeftOut::Categories { categories: vec!["logging".to_owned()] },
    ];
    assert_eq!((outcome.package.as_str(), outcome.left_out.as_slice()), ("acme:greet@0.1.0", &left_out[..]));
    assert!(matches!(refuse(&from).await, Cause::Exists { .. }));
    assert_eq!(files(&home).len(), 4);
}

#[tokio::test]
async fn a_project_starts_where_its_wit_toml_is() {
    let home = tempfile::tempdir().unwrap();
    for (wit, expected) in [("flat/a.wit", vec!["wkg.toml"]), ("nested/wit/a.wit", vec![])] {
        let path = home.path().join(wit);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "package a:a@1.0.0;\n").unwrap();
        let folder = home.path().join(Path::new(wit).components().next().unwrap());
        fs::write(folder.join("wit.toml"), "version = \"1.0.0\"\n").unwrap();
        let outcome = init(&InitOptions::WitToml(folder.join("wit.toml"))).await.unwrap();
        assert_eq!(outcome.files, expected.iter().map(|name| folder.join(name)).collect::<Vec<_>>(), "{wit}");
    }
    let missing = refuse(&InitOptions::WitToml(home.path().join("wit.toml"))).await;
    assert!(matches!(missing, Cause::NoFile { .. }), "{missing:?}");
}
