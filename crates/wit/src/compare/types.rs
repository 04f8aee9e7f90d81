//! Types, and what is in them.

use wit_parser::{Docs, Span, Type, TypeDefKind, TypeId};

use super::interface::Said;
use super::shape::Shaped;
use super::text::{definition_text, type_text};
use super::{Bump, Comparer, Pair, Rule, Told, pairs, place};

/// A member of a type.
#[derive(Clone, Copy)]
struct Member<'a> {
    /// Its own type; cases may have none, flags never do.
    of: Option<Type>,
    docs: &'a Docs,
    span: Span,
}

/// The members of a type, by name.
type Members<'a> = Vec<(String, Member<'a>)>;

/// The rules for the members of one kind of type.
struct MemberRules {
    word: &'static str,
    added: Rule,
    removed: Rule,
    changed: Rule,
    reordered: Rule,
}

const FIELDS: MemberRules = MemberRules {
    word: "field",
    added: Rule::FieldAdded,
    removed: Rule::FieldRemoved,
    changed: Rule::FieldChanged,
    reordered: Rule::FieldsReordered,
};

const CASES: MemberRules = MemberRules {
    word: "case",
    added: Rule::CaseAdded,
    removed: Rule::CaseRemoved,
    changed: Rule::CaseChanged,
    reordered: Rule::CasesReordered,
};

const FLAGS: MemberRules = MemberRules {
    word: "flag",
    added: Rule::FlagAdded,
    removed: Rule::FlagRemoved,
    // A flag has no type that could be another.
    changed: Rule::TypeChanged,
    reordered: Rule::FlagsReordered,
};

impl Comparer<'_> {
    /// Compares two versions of a type.
    pub(super) fn type_kept(&mut self, path: &str, old: TypeId, new: TypeId) {
        let (old_types, new_types) = (&self.old.resolve.types, &self.new.resolve.types);
        self.said(path, Said::of_type(&old_types[old]), Said::of_type(&new_types[new]));
        let (old_definition, new_definition) = (self.old.definition(old), self.new.definition(new));
        let is_same = self.old.shape(Type::Id(old)) == self.new.shape(Type::Id(new));
        // What is in the type that an alias stands for is told of where that is defined.
        if is_same && (old_definition != old || new_definition != new) {
            return;
        }
        let (old_kind, new_kind) = (&old_types[old_definition].kind, &new_types[new_definition].kind);
        let told_before = self.changes.len();
        if let Some((rules, old_members, new_members)) = members(old_kind, new_kind) {
            self.members(path, rules, &old_members, &new_members, new_types[new].span);
        }
        // With the same members, it is one of another package, or of an incompatible version of it.
        if !is_same && self.changes[told_before..].iter().all(|change| change.bump < Bump::Major) {
            let told = Told {
                old: Some(target_text(&self.old, old)),
                new: Some(target_text(&self.new, new)),
                place: place(self.new.resolve, new_types[new].span),
            };
            self.report(Rule::TypeChanged, path, told);
        }
    }

    fn members(&mut self, path: &str, rules: &MemberRules, old: &Members<'_>, new: &Members<'_>, span: Span) {
        let (old_resolve, new_resolve) = (self.old.resolve, self.new.resolve);
        for (name, pair) in pairs(old, new) {
            let item = format!("{path}: {} {name}", rules.word);
            match pair {
                Pair::Removed(old) => {
                    let old_text = old.of.map(|of| type_text(old_resolve, of));
                    let told = Told { old: old_text, new: None, place: place(old_resolve, old.span) };
                    self.report(rules.removed, item, told);
                }
                Pair::Added(new) => {
                    let new_text = new.of.map(|of| type_text(new_resolve, of));
                    let told = Told { old: None, new: new_text, place: place(new_resolve, new.span) };
                    self.report(rules.added, item, told);
                }
                Pair::Kept(old, new) => self.member(item, rules, old, new),
            }
        }
        let (old_names, new_names) = (names_in_both(old, new), names_in_both(new, old));
        if old_names != new_names {
            let told = Told {
                old: Some(old_names.join(", ")),
                new: Some(new_names.join(", ")),
                place: place(new_resolve, span),
            };
            self.report(rules.reordered, path, told);
        }
    }

    fn member(&mut self, item: String, rules: &MemberRules, old: Member<'_>, new: Member<'_>) {
        let place = place(self.new.resolve, new.span);
        if old.docs != new.docs {
            let told = Told { place: place.clone(), ..Told::default() };
            self.report(Rule::DocumentationChanged, item.clone(), told);
        }
        if old.of.map(|of| self.old.shape(of)) != new.of.map(|of| self.new.shape(of)) {
            let old = old.of.map(|of| type_text(self.old.resolve, of));
            let new = new.of.map(|of| type_text(self.new.resolve, of));
            self.report(rules.changed, item, Told { old, new, place });
        }
    }
}

/// Returns what a type stands for: by its whole name where it is defined elsewhere.
fn target_text(side: &Shaped<'_>, id: TypeId) -> String {
    let definition = side.definition(id);
    let name = side.labels.nominal(&side.resolve.types[definition]).filter(|_| definition != id);
    name.unwrap_or_else(|| definition_text(side.resolve, id))
}

/// Returns the members of two types that are of one kind, which has members.
fn members<'a>(old: &'a TypeDefKind, new: &'a TypeDefKind) -> Option<(&'static MemberRules, Members<'a>, Members<'a>)> {
    use TypeDefKind::{Enum, Flags, Record, Variant};
    let rules = match (old, new) {
        (Record(_), Record(_)) => &FIELDS,
        (Variant(_), Variant(_)) | (Enum(_), Enum(_)) => &CASES,
        (Flags(_), Flags(_)) => &FLAGS,
        _ => return None,
    };
    Some((rules, members_of(old), members_of(new)))
}

fn members_of(kind: &TypeDefKind) -> Members<'_> {
    let member = |name: &String, of, docs, span| -> (String, Member<'_>) { (name.clone(), Member { of, docs, span }) };
    match kind {
        TypeDefKind::Record(record) => {
            record.fields.iter().map(|it| member(&it.name, Some(it.ty), &it.docs, it.span)).collect()
        }
        TypeDefKind::Variant(variant) => {
            variant.cases.iter().map(|it| member(&it.name, it.ty, &it.docs, it.span)).collect()
        }
        TypeDefKind::Enum(of) => of.cases.iter().map(|it| member(&it.name, None, &it.docs, it.span)).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|it| member(&it.name, None, &it.docs, it.span)).collect(),
        _ => Vec::new(),
    }
}

/// Returns the names of the members of one version that the other has too, in their order.
fn names_in_both<'a>(of: &'a Members<'_>, other: &Members<'_>) -> Vec<&'a str> {
    let other: std::collections::HashSet<&str> = other.iter().map(|(name, _)| name.as_str()).collect();
    of.iter().map(|(name, _)| name.as_str()).filter(|name| other.contains(name)).collect()
}
