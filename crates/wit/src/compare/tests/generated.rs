//! Generated packages: what is added, removed and renamed in them is known, and has to be what is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::{Bump, Rule, compare_texts};

/// A package: its interfaces.
type Package = BTreeMap<String, Interface>;

/// What is in an interface.
#[derive(Debug, Clone, PartialEq)]
struct Interface {
    /// The type of the one parameter, by the name of the function.
    functions: BTreeMap<String, usize>,
    /// The types of the fields, which come in the order of their names. Each record has a function that takes it.
    records: BTreeMap<String, BTreeMap<String, usize>>,
}

/// The types of parameters and fields, which are meant by their place here.
const TYPES: [&str; 5] = ["u8", "list<string>", "option<tuple<bool, f32>>", "result<_, char>", "stream<u64>"];

/// How the same package is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// The types as they are, the items in order.
    Plain,
    /// Aliases of the types, the items from the last to the first.
    Turned,
}

/// What is done to an item of a package.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Add,
    Remove,
    Rename,
    Retype,
}

/// What it is done to.
#[derive(Debug, Clone, Copy)]
enum Target {
    Interface,
    Function,
    Record,
    Field,
}

fn package() -> impl Strategy<Value = Package> {
    let functions = btree_map("f[0-9]", 0..TYPES.len(), 0..4);
    let records = btree_map("r[0-9]", btree_map("m[0-9]", 0..TYPES.len(), 2..5), 0..3);
    let interface = (functions, records).prop_map(|(functions, records)| Interface { functions, records });
    btree_map("i[0-9]", interface, 1..4)
}

fn edits() -> impl Strategy<Value = Vec<(Edit, Target, [usize; 3])>> {
    let edit = select(vec![Edit::Add, Edit::Remove, Edit::Rename, Edit::Retype]);
    let target = select(vec![Target::Interface, Target::Function, Target::Record, Target::Field]);
    vec((edit, target, any::<[usize; 3]>()), 0..5)
}

/// Does something to one of the items, which a number picks; what is new has a name that no other has.
fn edit<T: Clone>(items: &mut BTreeMap<String, T>, edit: Edit, number: usize, fresh: &str, retype: impl Fn(&mut T)) {
    let Some(name) = items.keys().nth(number.checked_rem(items.len()).unwrap_or(0)).cloned() else { return };
    match edit {
        Edit::Add => {
            let copy = items[&name].clone();
            items.insert(fresh.to_owned(), copy);
        }
        // Neither packages nor records are empty.
        Edit::Remove if items.len() > 1 => drop(items.remove(&name)),
        Edit::Remove => {}
        Edit::Rename => {
            let item = items.remove(&name).unwrap();
            items.insert(fresh.to_owned(), item);
        }
        Edit::Retype => retype(items.get_mut(&name).unwrap()),
    }
}

fn edited(mut package: Package, edits: &[(Edit, Target, [usize; 3])]) -> Package {
    for (number, (what, target, [first, second, third])) in edits.iter().enumerate() {
        let fresh = format!("n{number}");
        let retype = |of: &mut usize| *of = (*of + 1) % TYPES.len();
        let interface = package.keys().nth(first % package.len()).cloned().unwrap();
        let interface = package.get_mut(&interface).unwrap();
        let record = interface.records.keys().nth(second.checked_rem(interface.records.len()).unwrap_or(0)).cloned();
        match (target, record) {
            (Target::Interface, _) => edit(&mut package, *what, *first, &fresh, |_| {}),
            (Target::Function, _) => edit(&mut interface.functions, *what, *second, &fresh, retype),
            (Target::Record, _) => edit(&mut interface.records, *what, *second, &fresh, |_| {}),
            (Target::Field, Some(record)) => {
                edit(interface.records.get_mut(&record).unwrap(), *what, *third, &fresh, retype);
            }
            (Target::Field, None) => {}
        }
    }
    package
}

fn text(package: &Package, style: Style) -> String {
    let mut text = "package acme:generated@1.0.0;\n".to_owned();
    for (name, interface) in package {
        let of = |of: &usize| if style == Style::Plain { TYPES[*of].to_owned() } else { format!("alias{of}") };
        let mut items: Vec<_> =
            TYPES.iter().enumerate().map(|(of, text)| format!("type alias{of} = {text};")).collect();
        items.extend(interface.functions.iter().map(|(name, it)| format!("{name}: func(a: {});", of(it))));
        for (name, fields) in &interface.records {
            let fields: Vec<_> = fields.iter().map(|(name, it)| format!("{name}: {}", of(it))).collect();
            items.push(format!("record {name} {{ {} }}", fields.join(", ")));
            items.push(format!("take-{name}: func(a: list<{name}>);"));
        }
        if style == Style::Turned {
            items.reverse();
        }
        let _written = writeln!(text, "interface {name} {{ {} }}", items.join("\n"));
    }
    text
}

/// What is told of a change.
type Told = BTreeSet<(Rule, String)>;

/// Says of two versions which names went, which came, and what is different under those that stayed.
fn differences<T: PartialEq>(
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    mut tell: impl FnMut(&str, Option<&T>, Option<&T>),
) {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (old, new) = (old.get(name), new.get(name));
        if old != new {
            tell(name, old, new);
        }
    }
}

/// Returns what has to be told.
fn truth(old: &Package, new: &Package) -> Told {
    let mut told = Told::new();
    differences(old, new, |name, old, new| {
        let path = format!("interface {name}");
        match (old, new) {
            (Some(old), Some(new)) => told.extend(truth_of_interface(&path, old, new)),
            (None, _) => drop(told.insert((Rule::InterfaceAdded, path))),
            (_, None) => drop(told.insert((Rule::InterfaceRemoved, path))),
        }
    });
    told
}

fn truth_of_interface(path: &str, old: &Interface, new: &Interface) -> Told {
    let mut told = Told::new();
    differences(&old.functions, &new.functions, |name, old, new| {
        let rule = match (old, new) {
            (None, _) => Rule::FunctionAdded,
            (_, None) => Rule::FunctionRemoved,
            _ => Rule::ParametersChanged,
        };
        told.insert((rule, format!("{path}: function {name}")));
    });
    differences(&old.records, &new.records, |name, old, new| {
        let (record, function) = (format!("{path}: record {name}"), format!("{path}: function take-{name}"));
        match (old, new) {
            (Some(old), Some(new)) => differences(old, new, |name, old, new| {
                let rule = match (old, new) {
                    (None, _) => Rule::FieldAdded,
                    (_, None) => Rule::FieldRemoved,
                    _ => Rule::FieldChanged,
                };
                told.insert((rule, format!("{record}: field {name}")));
            }),
            (None, _) => told.extend([(Rule::TypeAdded, record), (Rule::FunctionAdded, function)]),
            (_, None) => told.extend([(Rule::TypeRemoved, record), (Rule::FunctionRemoved, function)]),
        }
    });
    told
}

proptest! {
    #[test]
    fn what_is_told_of_a_generated_package_is_what_was_done_to_it(
        old in package(),
        edits in edits(),
        style in select(vec![Style::Plain, Style::Turned]),
    ) {
        let new = edited(old.clone(), &edits);
        let comparison = compare_texts(&text(&old, Style::Plain), &text(&new, style));
        let told: Told = comparison.changes.iter().map(|change| (change.rule, change.item.clone())).collect();
        let truth = truth(&old, &new);
        let is_addition =
            |rule: &Rule| matches!(rule, Rule::InterfaceAdded | Rule::FunctionAdded | Rule::TypeAdded);
        let bump = match truth.iter().all(|(rule, _)| is_addition(rule)) {
            _ if truth.is_empty() => Bump::None,
            true => Bump::Minor,
            false => Bump::Major,
        };
        prop_assert_eq!(told.len(), comparison.changes.len(), "something is told twice");
        prop_assert_eq!(told, truth);
        prop_assert_eq!(comparison.bump, bump);
    }
}
