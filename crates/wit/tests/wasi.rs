//! Releases of WASI, as they were published one after the other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use wharf_wit::compare::{Bump, Comparison, Release, compare};
use wit_parser::{Function, PackageId, Resolve, Stability};

/// The releases of one series, the oldest first.
const RELEASES: [(&str, &str); 4] = [
    ("0.2.0", include_str!("wasi/0.2.0.wit")),
    ("0.2.1", include_str!("wasi/0.2.1.wit")),
    ("0.2.2", include_str!("wasi/0.2.2.wit")),
    ("0.2.12", include_str!("wasi/0.2.12.wit")),
];

const PACKAGES: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];

#[test]
fn point_releases_of_wasi_break_nothing() {
    let releases = RELEASES.map(|(version, text)| (version.parse().unwrap(), parse(text)));
    for pair in releases.windows(2) {
        let [(old_version, old), (new_version, new)] = pair else { unreachable!() };
        for package in PACKAGES {
            let comparison = compare_package(old, new, package);
            let told = format!("{package} {old_version} {new_version}: {comparison:#?}");
            assert!(comparison.bump.is_said_by(old_version, new_version), "{told}");
        }
    }
}

#[test]
fn what_point_releases_of_wasi_add_is_seen() {
    let [old, .., new] = RELEASES.map(|(_, text)| parse(text));
    for (package, item) in [
        // `@unstable` until 0.2.12.
        ("cli", "interface exit: function exit-with-code"),
        // The old name is an alias of the new one.
        ("http", "interface types: type field-name"),
        ("http", "world imports"),
    ] {
        let comparison = compare_package(&old, &new, package);
        assert_eq!(comparison.bump, Bump::Minor);
        let is_seen = comparison.changes.iter().any(|change| change.item == item && change.bump == Bump::Minor);
        assert!(is_seen, "{item}: {comparison:#?}");
    }
}

#[test]
fn wasi_0_3_would_break_as_a_point_release() {
    let [.., (_, old)] = RELEASES;
    let (old, new) = (parse(old), parse(include_str!("wasi/0.3.2.wit")));
    for package in ["cli", "clocks", "filesystem", "http", "sockets"] {
        let comparison = compare_package(&old, &new, package);
        assert_eq!(comparison.bump, Bump::Major, "{package}");
        let [old, next, point] = ["0.2.12", "0.3.2", "0.2.13"].map(|version| version.parse().unwrap());
        assert!(comparison.bump.is_said_by(&old, &next));
        assert!(!comparison.bump.is_said_by(&old, &point));
    }
}

#[test]
fn a_function_that_is_taken_out_of_wasi_is_missed() {
    let [.., (_, text)] = RELEASES;
    let old = parse(text);
    for package in PACKAGES {
        let id = find(&old, package);
        let stable = |function: &Function| !matches!(function.stability, Stability::Unstable { .. });
        for interface in old.packages[id].interfaces.values() {
            let functions = old.interfaces[*interface].functions.values();
            let Some(function) = functions.rev().find(|function| stable(function)) else { continue };
            let mut new = old.clone();
            new.interfaces[*interface].functions.shift_remove(&function.name);
            let comparison = compare_package(&old, &new, package);
            assert_eq!(comparison.bump, Bump::Major, "{package}: {}", function.name);
            assert_eq!(comparison.changes.len(), 1, "{package}: {}: {comparison:#?}", function.name);
        }
    }
}

fn compare_package(old: &Resolve, new: &Resolve, package: &str) -> Comparison {
    compare(&Release::package(old, find(old, package)), &Release::package(new, find(new, package))).unwrap()
}

fn parse(text: &str) -> Resolve {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    resolve.push_str("wasi.wit", text).unwrap_or_else(|error| panic!("{}", resolve.render_error(&error)));
    resolve
}

fn find(resolve: &Resolve, package: &str) -> PackageId {
    let named = |(id, it): (PackageId, &wit_parser::Package)| (it.name.name == package).then_some(id);
    resolve.packages.iter().find_map(named).unwrap()
}
