//! A test for each row of `docs/compatibility.md`.

use std::collections::BTreeSet;

use wit_parser::{PackageId, Resolve};

use super::*;

mod generated;
mod rows;

const TABLE: &str = include_str!("../../../../docs/compatibility.md");

/// Parses a package, with what is `@unstable` too.
fn parse(text: &str) -> (Resolve, PackageId) {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let package =
        resolve.push_str("greet.wit", text).unwrap_or_else(|error| panic!("{}", resolve.render_error(&error)));
    (resolve, package)
}

/// Compares two texts.
fn compare_texts(old: &str, new: &str) -> Comparison {
    let ((old, old_package), (new, new_package)) = (parse(old), parse(new));
    compare(&Release::package(&old, old_package), &Release::package(&new, new_package)).unwrap()
}

/// Returns what is told of two texts.
fn told(old: &str, new: &str) -> Vec<(Rule, String)> {
    items(compare_texts(old, new))
}

fn items(comparison: Comparison) -> Vec<(Rule, String)> {
    comparison.changes.into_iter().map(|change| (change.rule, change.item)).collect()
}

/// Returns the cells of the rows of the table below a heading.
fn cells(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = TABLE.split_once(heading).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()).collect()
}

#[test]
fn the_paper_says_what_the_rules_say() {
    let told: Vec<_> = cells("## What changes\n").iter().map(|row| (row[0], row[1], row[3], row[4])).collect();
    let kind = |rule: Rule| match rule.kind() {
        Kind::Added => "added",
        Kind::Removed => "removed",
        Kind::Changed => "changed",
    };
    let rows: Vec<_> =
        Rule::ALL.iter().map(|rule| (rule.id(), kind(*rule), rule.breaks().to_string(), rule.bump().name())).collect();
    let rows: Vec<_> = rows.iter().map(|(id, kind, breaks, bump)| (*id, *kind, breaks.as_str(), *bump)).collect();
    assert_eq!(told, rows);
}

#[test]
fn every_row_of_the_paper_has_a_test() {
    let told: BTreeSet<_> =
        ["## What changes\n", "## What is no change\n"].into_iter().flat_map(cells).map(|row| row[0]).collect();
    let tested: Vec<_> = rows::TESTED.iter().map(|row| row.replace('_', "-")).collect();
    assert_eq!(tested.iter().map(String::as_str).collect::<BTreeSet<_>>(), told);
}

#[test]
fn a_change_says_where_it_is() {
    let old = "package a:b@0.1.0;\ninterface i {\n  gone: func();\n}\n";
    let new = "package a:b@0.1.0;\n\ninterface i {\n\n  come: func();\n}\n";
    let places: Vec<_> = compare_texts(old, new).changes.into_iter().map(|it| (it.kind, it.place)).collect();
    let place = |line| Some(Place { file: "greet.wit".to_owned(), line });
    assert_eq!(places, [(Kind::Removed, place(3)), (Kind::Added, place(5))]);
}

#[test]
fn a_change_shows_signatures_as_they_are_written() {
    let signature =
        "(a: option<list<u8>>, b: borrow<r>, c: result<_, string>, d: tuple<s8, r>, e: result<u8>) -> stream<u8>";
    let wit = |items: &str| format!("package a:b; interface i {{ resource r {{ {items} }} }}");
    let comparison = compare_texts(&wit(""), &wit(&format!("f: async func{signature}; g: static func() -> result;")));
    let new: Vec<_> = comparison.changes.iter().map(|it| (it.item.as_str(), it.new.clone().unwrap())).collect();
    assert_eq!(
        new,
        [
            ("interface i: resource r: method f", format!("async func{signature}")),
            ("interface i: resource r: static g", "func() -> result".to_owned()),
        ]
    );
}

#[test]
fn what_are_no_versions_of_each_other_is_refused() {
    let ((old, old_package), (new, new_package)) =
        (parse("package a:b@0.1.0; world w { }"), parse("package a:c@0.1.0; world w { }"));
    let (one, other) = (Release::package(&old, old_package), Release::package(&new, new_package));
    let names = Incomparable::OtherName { old: "a:b".to_owned(), new: "a:c".to_owned() };
    assert_eq!(compare(&one, &other), Err(names));
    let component = Release::component(&new, new.packages[new_package].worlds["w"]);
    assert_eq!(compare(&one, &component), Err(Incomparable::OtherKind));
    assert_eq!(compare(&component, &one), Err(Incomparable::OtherKind));
}

#[test]
fn what_becomes_stable_is_added_and_what_becomes_unstable_is_removed() {
    let [stable, unstable] = ["@since(version = 0.1.0)", "@unstable(feature = x)"].map(|gate| {
        let items = format!("{gate} f: func(); {gate} type t = u8; resource r {{ {gate} m: func(); }}");
        format!("package a:b@0.1.0; interface s {{ {items} }} {gate} interface i {{ }} {gate} world w {{ }}\n")
            + &format!("world v {{ import i; {gate} import g: func(); }}")
    });
    let rows = |rules: [Rule; 7]| -> Vec<_> {
        let items = [
            "interface i",
            "interface s: type t",
            "interface s: function f",
            "interface s: resource r: method m",
            "world w",
            "world v: import a:b/i",
            "world v: import g",
        ];
        rules.into_iter().zip(items.map(str::to_owned)).collect()
    };
    let added = rows([
        Rule::InterfaceAdded,
        Rule::TypeAdded,
        Rule::FunctionAdded,
        Rule::FunctionAdded,
        Rule::WorldAdded,
        Rule::ImportAdded,
        Rule::ImportAdded,
    ]);
    let removed = rows([
        Rule::InterfaceRemoved,
        Rule::TypeRemoved,
        Rule::FunctionRemoved,
        Rule::FunctionRemoved,
        Rule::WorldRemoved,
        Rule::ImportRemoved,
        Rule::ImportRemoved,
    ]);
    for (old, new, mut expected) in [(&unstable, &stable, added), (&stable, &unstable, removed)] {
        let mut found = told(old, new);
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_component_is_compared_down_to_the_functions_that_it_exports() {
    let wit = |exported: &str, imported: &str| {
        "package root:component; world root { import acme:b/i; export acme:a/i; }".to_owned()
            + &format!(
                "package acme:a {{ interface i {{ {exported} }} }} package acme:b {{ interface i {{ {imported} }} }}"
            )
    };
    let (old, new) = (wit("f: func(); g: func();", "f: func();"), wit("f: func(a: u8); h: func();", "f: func(a: u8);"));
    assert_eq!(
        items(rows::compare_components(&old, &new)),
        [
            (Rule::ParametersChanged, "component: export acme:a/i: function f".to_owned()),
            (Rule::FunctionRemoved, "component: export acme:a/i: function g".to_owned()),
            (Rule::ComponentExportAdded, "component: export acme:a/i: function h".to_owned()),
        ]
    );
}

#[test]
fn a_type_that_changes_in_an_exported_interface_is_told_of_once() {
    let wit = |items: &str| {
        format!(
            "package root:component; world root {{ export acme:a/i; }} package acme:a {{ interface i {{ {items} }} }}"
        )
    };
    let old = wit("record r { a: u8 } record s { a: u8 } f: func(a: r, b: s);");
    let new = wit("record t { a: u8 } type r = t; record s { a: u8, b: u8 } f: func(a: r, b: s);");
    assert_eq!(
        items(rows::compare_components(&old, &new)),
        [
            (Rule::FieldAdded, "component: export acme:a/i: record s: field b".to_owned()),
            (Rule::TypeAdded, "component: export acme:a/i: record t".to_owned()),
        ]
    );
}

#[test]
fn a_type_that_changes_is_told_of_where_it_is_defined_and_not_where_it_is_used() {
    let wit = |fields: &str| {
        format!("package a:b; interface i {{ record r {{ {fields} }} type s = r; f: func(a: r); }}")
            + "interface j { use i.{r}; g: func() -> list<r>; } world w { use j.{r}; export h: func(a: r); }"
    };
    assert_eq!(
        told(&wit("a: u8"), &wit("a: u8, b: u8")),
        [(Rule::FieldAdded, "interface i: record r: field b".to_owned())]
    );
}

#[test]
fn what_is_inside_a_type_of_another_package_is_for_that_package_to_say() {
    let wit = |version: &str, fields: &str| {
        format!("package a:b@0.1.0; interface i {{ use acme:dep/d@{version}.{{t}}; f: func(a: t); }}")
            + &format!("package acme:dep@{version} {{ interface d {{ record t {{ {fields} }} }} }}")
    };
    let old = wit("0.2.0", "a: u8");
    assert_eq!(told(&old, &wit("0.2.3", "b: u8")), [(Rule::DependencyRaised, "dependency acme:dep".to_owned())]);
    let comparison = compare_texts(&old, &wit("0.3.0", "a: u8"));
    let change = &comparison.changes[0];
    let texts = [&change.old, &change.new].map(|text| text.as_deref().unwrap());
    assert_eq!(texts, ["acme:dep/d@0.2.{t}", "acme:dep/d@0.3.{t}"]);
    assert_eq!(
        items(comparison),
        [
            (Rule::TypeChanged, "interface i: type t".to_owned()),
            (Rule::ParametersChanged, "interface i: function f".to_owned()),
        ]
    );
}

#[test]
fn an_interface_without_a_name_is_compared_where_it_stands() {
    let wit = |items: &str| format!("package a:b; world w {{ import x: interface {{ {items} }} }}");
    assert_eq!(
        told(&wit("f: func();"), &wit("f: func(a: u8);")),
        [(Rule::ParametersChanged, "world w: import x: function f".to_owned())]
    );
}

#[test]
fn an_import_of_one_name_can_become_another_interface() {
    let wit = |name: &str| format!("package a:b; interface i {{ }} interface j {{ }} world w {{ import x: {name}; }}");
    assert_eq!(told(&wit("i"), &wit("j")), [(Rule::ImportChanged, "world w: import x".to_owned())]);
}

#[test]
fn what_a_package_says_of_itself_is_compared() {
    let changes = told("/// Greets.\npackage a:b;", "/// Greets well.\npackage a:b;");
    assert_eq!(changes, [(Rule::DocumentationChanged, "package".to_owned())]);
}

#[test]
fn changes_that_break_come_first() {
    let wit = |items: &str| format!("package a:b; interface i {{ {items} }}");
    let comparison = compare_texts(&wit("z: func();"), &wit("/// Docs.\nz: func(a: u8);\nb: func();"));
    let bumps: Vec<_> = comparison.changes.iter().map(|change| change.bump).collect();
    assert_eq!(bumps, [Bump::Major, Bump::Minor, Bump::Patch]);
}

#[test]
fn types_that_are_deep_or_shared_take_no_longer() {
    // Written out, the last type would have 2^64 leaves.
    let levels = |prefix: &str| -> String {
        let level = |n: usize| format!("record {prefix}{n} {{ x: {prefix}{0}, y: {prefix}{0} }}\n", n - 1);
        format!("record {prefix}0 {{ x: u8 }}\n") + &(1..64).map(level).collect::<String>()
    };
    let wit = |prefix: &str| {
        format!("package a:b; interface i {{ {} type last = {prefix}63; f: func(a: last); }}", levels(prefix))
    };
    let comparison = compare_texts(&wit("a"), &wit("b"));
    assert!(comparison.changes.iter().all(|change| matches!(change.rule, Rule::TypeAdded | Rule::TypeRemoved)));
    assert_eq!(comparison.changes.len(), 128);
}
