//! The rows: each has its name, what was, what is, and the items that are told of.

use super::{Comparison, Release, Rule, compare, compare_texts, parse};

macro_rules! rows {
    ($($row:ident: $old:expr, $new:expr => [$($item:literal),*];)*) => {
        /// The rows that have a test.
        pub(super) const TESTED: &[&str] = &[$(stringify!($row)),*];

        $(#[test]
        fn $row() {
            check(stringify!($row), &$old, &$new, &[$($item),*]);
        })*
    };
}

rows! {
    interface_added: interface("i", ""), both(interface("i", ""), interface("j", "")) => ["interface j"];
    interface_removed: both(interface("i", ""), interface("j", "")), interface("i", "") => ["interface j"];
    world_added: world("w", ""), both(world("w", ""), world("v", "")) => ["world v"];
    world_removed: both(world("w", ""), world("v", "")), world("w", "") => ["world v"];

    function_added: items("f: func();"), items("f: func(); g: func();") => ["interface i: function g"];
    function_removed: items("resource r { f: func(); }"), items("resource r;")
        => ["interface i: resource r: method f"];
    parameters_changed: items("f: func(a: u8);"), items("f: func(b: u8);") => ["interface i: function f"];
    result_changed: items("resource r { constructor(); }"), items("resource r { constructor() -> result<r>; }")
        => ["interface i: resource r: constructor"];
    async_changed: items("f: func();"), items("f: async func();") => ["interface i: function f"];

    type_added: items(""), items("resource r { constructor(); f: func(); }") => ["interface i: resource r"];
    type_removed: items("resource r { constructor(); f: func(); }"), items("") => ["interface i: resource r"];
    type_changed: items("type t = list<u8>;"), items("type t = list<u16>;") => ["interface i: type t"];
    field_added: items("record r { a: u8 }"), items("record r { b: u8, a: u8 }")
        => ["interface i: record r: field b"];
    field_removed: items("record r { a: u8, b: u8 }"), items("record r { a: u8 }")
        => ["interface i: record r: field b"];
    field_changed: items("record r { a: u8 }"), items("record r { a: option<u8> }")
        => ["interface i: record r: field a"];
    fields_reordered: items("record r { a: u8, b: u8 }"), items("record r { b: u8, a: u8 }")
        => ["interface i: record r"];
    case_added: items("enum e { a }"), items("enum e { a, b }") => ["interface i: enum e: case b"];
    case_removed: items("variant v { a, b(u8) }"), items("variant v { a }") => ["interface i: variant v: case b"];
    case_changed: items("variant v { a(u8) }"), items("variant v { a }") => ["interface i: variant v: case a"];
    cases_reordered: items("enum e { a, b }"), items("enum e { b, a }") => ["interface i: enum e"];
    flag_added: items("flags f { a }"), items("flags f { a, b }") => ["interface i: flags f: flag b"];
    flag_removed: items("flags f { a, b }"), items("flags f { a }") => ["interface i: flags f: flag b"];
    flags_reordered: items("flags f { a, b }"), items("flags f { b, a }") => ["interface i: flags f"];

    import_added: world("w", ""), world("w", "import f: func();") => ["world w: import f"];
    import_removed: used("0.2.0", "world w { import acme:dep/d@0.2.0; }"), used("0.2.0", "world w { }")
        => ["world w: import acme:dep/d@0.2"];
    import_changed: world("w", "import f: func();"), world("w", "import f: interface { }")
        => ["world w: import f"];
    export_added: world("w", ""), world("w", "export f: func();") => ["world w: export f"];
    export_removed: world("w", "export f: interface { }"), world("w", "") => ["world w: export f"];
    export_changed: world("w", "export f: interface { }"), world("w", "export f: func();")
        => ["world w: export f"];

    component_import_added: component("import acme:dep/d;", "f: func();"),
        component("import acme:dep/d;", "f: func(); g: func();") => ["component: import acme:dep/d: g"];
    component_import_removed: component("import acme:dep/d;", ""), component("", "")
        => ["component: import acme:dep/d"];
    component_export_added: component("", ""), component("export acme:dep/d;", "")
        => ["component: export acme:dep/d"];
    component_export_removed: component("export f: func();", ""), component("", "") => ["component: export f"];

    dependency_raised: used("0.2.0", "interface i { use acme:dep/d@0.2.0.{t}; }"),
        used("0.2.3", "interface i { use acme:dep/d@0.2.3.{t}; }") => ["dependency acme:dep"];
    dependency_lowered: used("0.2.3", "world w { import acme:dep/d@0.2.3; }"),
        used("0.2.0", "world w { import acme:dep/d@0.2.0; }") => ["dependency acme:dep"];
    since_changed: items("f: func();"), items("@since(version = 0.1.0) f: func();")
        => ["interface i: function f"];
    deprecated_changed: items("@since(version = 0.1.0) type t = u8;"),
        items("@since(version = 0.1.0) @deprecated(version = 0.1.0) type t = u8;") => ["interface i: type t"];
    documentation_changed: items("record r { a: u8 }"), items("record r { /// Of what it is.\n a: u8 }")
        => ["interface i: record r: field a"];

    alias_introduced: items("f: func(a: list<u8>);"), items("type t = list<u8>; f: func(a: t);")
        => ["interface i: type t"];
    alias_followed: items("record r { a: u8 } f: func(a: r) -> list<r>;"),
        items("record s { a: u8 } type r = s; f: func(a: r) -> list<s>;") => ["interface i: record s"];
    alias_of_primitive: items("type t = u8; f: func(a: t) -> option<u8>;"),
        items("type t = u8; f: func(a: u8) -> option<t>;") => [];
    type_moved: both(interface("i", "record r { a: u8 } f: func(a: r);"), interface("j", "record r { a: u8 }")),
        both(interface("i", "use j.{r}; f: func(a: r);"), interface("j", "record r { a: u8 }")) => [];
    include_refactored:
        both(interface("i", ""), both(world("v", "import i;"), world("w", "import i; export f: func();"))),
        both(interface("i", ""), both(world("v", "import i;"), world("w", "include v; export f: func();"))) => [];
    functions_reordered: items("f: func(); g: func(); type t = u8;"), items("type t = u8; g: func(); f: func();")
        => [];
    interfaces_reordered: both(interface("i", "f: func();"), interface("j", "")),
        both(interface("j", ""), interface("i", "f: func();")) => [];
    unstable_added: items(""), items("@unstable(feature = x) f: func(); @unstable(feature = x) resource r { }")
        => [];
    unstable_removed: items("@unstable(feature = x) type t = u8;"), items("") => [];
    unstable_changed: items("@unstable(feature = x) f: func();"), items("@unstable(feature = x) f: func(a: u8);")
        => [];
    own_version_changed: interface("i", "resource r; f: func(a: r);"),
        interface("i", "resource r; f: func(a: r);").replace("@0.1.0", "@3.0.0") => [];
}

/// Checks that the items are told of, by the rule of the row and nothing else. A row of what is no change has no rule:
/// there, names that are new are told of.
fn check(row: &str, old: &str, new: &str, items: &[&str]) {
    let id = row.replace('_', "-");
    let rule = Rule::ALL.iter().copied().find(|rule| rule.id() == id).unwrap_or(Rule::TypeAdded);
    let comparison = if row.starts_with("component") { compare_components(old, new) } else { compare_texts(old, new) };
    let told: Vec<_> = comparison.changes.iter().map(|change| (change.rule, change.item.as_str())).collect();
    assert_eq!(told, items.iter().map(|item| (rule, *item)).collect::<Vec<_>>(), "{comparison:#?}");
}

pub(super) fn compare_components(old: &str, new: &str) -> Comparison {
    let ((old, old_package), (new, new_package)) = (parse(old), parse(new));
    let [old_world, new_world] =
        [(&old, old_package), (&new, new_package)].map(|(resolve, package)| resolve.packages[package].worlds["root"]);
    compare(&Release::component(&old, old_world), &Release::component(&new, new_world)).unwrap()
}

fn interface(name: &str, items: &str) -> String {
    format!("package acme:greet@0.1.0;\ninterface {name} {{ {items} }}\n")
}

fn items(items: &str) -> String {
    interface("i", items)
}

fn world(name: &str, items: &str) -> String {
    format!("package acme:greet@0.1.0;\nworld {name} {{ {items} }}\n")
}

/// Puts the content of two packages into one.
fn both(one: String, other: String) -> String {
    let (_, content) = other.split_once('\n').unwrap();
    one + content
}

/// A package with this content, and the version of another that it uses.
fn used(version: &str, content: &str) -> String {
    format!("package acme:greet@0.1.0;\n{content}\npackage acme:dep@{version} {{ interface d {{ type t = u8; }} }}\n")
}

/// A component with this world, and what is in the interface that it imports or exports.
fn component(world: &str, items: &str) -> String {
    format!("package root:component;\nworld root {{ {world} }}\npackage acme:dep {{ interface d {{ {items} }} }}\n")
}
