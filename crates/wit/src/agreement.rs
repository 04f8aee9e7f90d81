//! Whether two views of a package can be views of one thing.
//!
//! A WIT package in Wasm holds as much of other packages as it uses. Where two hold the same one, each may have
//! interfaces, types and functions that the other has not; what both have has to be the same. `wit-parser` merges
//! types by their names alone.

use wit_parser::{PackageName, Resolve};

use crate::Refusal;
use crate::compare::{Bump, Change, Release, Rule, compare};
use crate::guard::guard;

/// Returns a package that both hold and that they do not agree on, with what is different.
pub(crate) fn disagreement(one: &Resolve, other: &Resolve) -> Option<(PackageName, Refusal)> {
    let shared = one.package_names.iter().filter_map(|(name, id)| Some((name, *id, *other.package_names.get(name)?)));
    shared.into_iter().find_map(|(name, one_id, other_id)| {
        let compared = guard(|| compare(&Release::package(one, one_id), &Release::package(other, other_id)));
        let reason = match compared {
            Ok(comparison) => Refusal::new(describe(comparison.changes.iter().find(|change| contradicts(change))?)),
            Err(refusal) => refusal,
        };
        Some((name.clone(), reason))
    })
}

/// Tells whether a change is more than that one side holds less.
fn contradicts(change: &Change) -> bool {
    use Rule::{DependencyLowered, FunctionRemoved, InterfaceRemoved, TypeRemoved, WorldRemoved};
    let is_less =
        matches!(change.rule, DependencyLowered | FunctionRemoved | InterfaceRemoved | TypeRemoved | WorldRemoved);
    change.bump == Bump::Major && !is_less
}

fn describe(change: &Change) -> String {
    match (&change.old, &change.new) {
        (Some(one), Some(other)) => format!("{}: `{one}` in the one, `{other}` in the other", change.item),
        _ => format!("{} ({})", change.item, change.rule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::text;
    use crate::merge;

    fn disagreement_of(one: &str, other: &str) -> Option<String> {
        let resolve =
            |body: &str| merge(text("wit", &format!("package a:b@1.0.0;\n{body}")), vec![]).unwrap().resolve().clone();
        let found = disagreement(&resolve(one), &resolve(other));
        found.map(|(package, reason)| format!("{package} {reason}"))
    }

    #[test]
    fn views_agree_where_each_holds_another_part() {
        let cases = [
            ("interface i {}", "interface j {}\nworld w {}"),
            ("interface i { type t = u8; }", "interface i { type u = u8; f: func(); }"),
            ("interface i { resource r; }", "interface i { resource r { m: func(); } g: func(r: own<r>); }"),
            ("interface i { type t = list<u8>; f: func(a: t); }", "interface i { f: func(a: list<u8>); }"),
            ("/// One.\n@since(version = 1.0.0)\ninterface i {}", "/// Other.\ninterface i {}"),
        ];
        for (one, other) in cases {
            assert_eq!(disagreement_of(one, other), None, "{one} and {other}");
            assert_eq!(disagreement_of(other, one), None, "{other} and {one}");
        }
    }

    #[test]
    fn views_disagree_where_what_both_hold_is_not_the_same() {
        let cases = [
            ("type t = u8;", "type t = u16;", "type t: `u8` in the one, `u16` in the other"),
            ("record t { a: u8 }", "record t { a: u8, b: u8 }", "record t: field b (field-added)"),
            ("enum t { a, b }", "enum t { a }", "enum t: case b (case-removed)"),
            ("resource t;", "type t = u8;", "resource t: `resource` in the one, `u8` in the other"),
            ("f: func();", "f: func() -> u8;", "function f: `func()` in the one, `func() -> u8` in the other"),
            ("f: func();", "f: async func();", "function f: `func()` in the one, `async func()` in the other"),
        ];
        for (one, other, expected) in cases {
            let [one, other] = [one, other].map(|body| format!("interface i {{ {body} }}"));
            let found = disagreement_of(&one, &other).unwrap();
            assert_eq!(found, format!("a:b@1.0.0 interface i: {expected}"));
        }
    }
}
