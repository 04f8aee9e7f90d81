//! Edits of text that people wrote: WIT, `wkg.toml`, `wharf.toml`; and `wit.toml`, which is turned into these.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wharf_fuzz::panics;
use wharf_package::edit::{
    remove_override, remove_package_registry, set_namespace_registry, set_override, set_package_registry,
};
use wharf_package::{Manifest, MemberPattern, Override, PackageName, Project, RegistryName, Settings, WitToml};
use wharf_wit::edit::{Added, Keyword, Statement, add, mentions, remove, set_version};
use wharf_wit::{Document, TextFile, requirements};

// The parser of WIT may panic, and `wharf_wit` catches that.
fuzz_target!(init: panics::keep_quiet(), |bytes: &[u8]| panics::run(check, bytes));

fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    check_wit(text);
    check_manifest(text);
    check_settings(text);
    drop(WitToml::parse(text));
    if let Ok(pattern) = text.parse::<MemberPattern>() {
        assert!(pattern.literal().is_none_or(|literal| pattern.matches(&literal)), "{text:?}");
    }
}

/// What is added is there, and gone again when it is removed; what is mentioned is what is required, and more.
fn check_wit(text: &str) {
    let files = vec![TextFile { name: "fuzz.wit".to_owned(), text: text.to_owned() }];
    let Ok(document) = Document::parse("fuzz", files.clone()) else { return };
    let Ok(before) = mentions(&files) else { return };
    // What a version adds ends, for the parser, before a word of WIT: `1.0.0+as x` is `1.0.0` and `as x`.
    for required in requirements(&document, &[]).into_iter().filter(|_| !text.contains(['+', '-'])) {
        assert!(before.contains_key(&required.package), "{}", required.package);
    }
    let path: wharf_wit::edit::ItemPath = "fuzzed:thing/item@1.2.3".parse().expect("it is a path");
    let package = path.package().clone();
    if before.keys().any(|name| (&name.namespace, &name.name) == (&package.namespace, &package.name)) {
        return;
    }
    let mut edited = files.clone();
    let statement = Statement { keyword: Keyword::Import, path };
    if let Ok(added) = add(&mut edited, None, &statement) {
        assert!(matches!(added, Added::New(_)));
        let mut moved = edited.clone();
        let to = "2.0.0".parse().expect("it is a version");
        assert_eq!(set_version(&mut moved, &package, &to).expect("it is there").len(), 1);
        assert_eq!(remove(&mut edited, &package).expect("it is there").len(), 1);
        assert_eq!(mentions(&edited).expect("it is WIT"), mentions(&files).expect("it is WIT"));
    }
}

fn check_manifest(text: &str) {
    let Ok(before) = Manifest::parse(text) else { return };
    let package: PackageName = "fuzzed:thing".parse().expect("it is a name");
    let path = Override::Path("../fuzzed".into());
    let Ok(edited) = set_override(text, &package, &path) else { return };
    let Ok(Manifest::Package(after)) = Manifest::parse(&edited) else { panic!("{edited}") };
    assert_eq!(after.overrides.get(&package), Some(&path));
    if let Manifest::Package(mut before) = before {
        before.overrides.insert(package.clone(), path);
        assert_eq!(after, before, "{edited}");
    }
    let removed = remove_override(&edited, &package).expect("it is there");
    assert!(Manifest::parse(&removed).is_ok(), "{removed}");
}

fn check_settings(text: &str) {
    // A line of its own for the package would go before that for the namespace.
    if Project::parse(text).is_err() || text.contains("fuzzed") {
        return;
    }
    let package: PackageName = "fuzzed:thing".parse().expect("it is a name");
    let registry: RegistryName = "fuzzed.example".parse().expect("it is a registry");
    for edited in [
        set_package_registry(text, &package, &registry),
        set_namespace_registry(text, package.namespace(), &registry),
    ] {
        let Ok(edited) = edited else { continue };
        let after = Project::parse(&edited).expect("what was edited is read");
        let settings = Settings { project: after, ..Settings::default() };
        assert_eq!(settings.home(&package).map(|home| home.registry), Some(registry.clone()), "{edited}");
        if let Ok(removed) = remove_package_registry(&edited, &package) {
            assert!(Project::parse(&removed).is_ok(), "{removed}");
        }
    }
}
