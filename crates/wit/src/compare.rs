//! Compares two versions of a WIT package: what changed, whom that breaks, and what the new version has to be called.
//!
//! ```text
//!   old, new ──> shapes ──> worlds, interfaces, types, functions ──> changes ──> bump
//! ```
//!
//! Types count by what they consist of, see [`Rule`] for what can change and `docs/compatibility.md` for why each change
//! is what it is. What is `@unstable` does not count, in neither version. Aliases, the order of functions, and how a
//! world comes by its imports and exports (`include`) are no change.
//!
//! Of a component, which has no version of its own WIT, the imports and exports are compared instead, and what is in
//! the interfaces that it exports.
//!
//! Nothing here says whether a version may be published: that is what [`Bump::is_said_by`] tells of two versions.
//!
//! ```
//! use wharf_wit::compare::{Bump, Release, Rule, compare};
//! use wit_parser::Resolve;
//!
//! let [mut old, mut new] = [Resolve::default(), Resolve::default()];
//! let old_package = old.push_str("old.wit", "package acme:a@0.1.0; interface i { f: func(); }").unwrap();
//! let new_package = new.push_str("new.wit", "package acme:a@0.1.1; interface i { f: func(a: u8); }").unwrap();
//! let comparison = compare(&Release::package(&old, old_package), &Release::package(&new, new_package)).unwrap();
//! assert_eq!(comparison.changes[0].item, "interface i: function f");
//! assert_eq!(comparison.changes[0].rule, Rule::ParametersChanged);
//! assert_eq!(comparison.bump, Bump::Major);
//! ```

mod bump;
mod dependencies;
mod interface;
mod rule;
mod shape;
mod text;
mod types;
mod world;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use wit_parser::{PackageId, PackageName, Resolve, Span, WorldId};

use crate::Resolved;

pub use bump::Bump;
pub use rule::{Breaks, Kind, Rule};
use shape::Shaped;

/// One of the two versions.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// What holds it, with all that it uses.
    pub resolve: &'a Resolve,
    /// What in there is compared.
    pub subject: Subject,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A package: its interfaces and worlds.
    Package(PackageId),
    /// A component: what it imports and exports.
    Component(WorldId),
}

impl<'a> Release<'a> {
    /// Takes a package.
    #[must_use]
    pub fn package(resolve: &'a Resolve, package: PackageId) -> Self {
        Self { resolve, subject: Subject::Package(package) }
    }

    /// Takes the world of a component.
    #[must_use]
    pub fn component(resolve: &'a Resolve, world: WorldId) -> Self {
        Self { resolve, subject: Subject::Component(world) }
    }

    /// Returns the name of a package, without its version.
    fn name(&self, package: PackageId) -> String {
        let PackageName { namespace, name, .. } = &self.resolve.packages[package].name;
        format!("{namespace}:{name}")
    }
}

impl<'a> From<&'a Resolved> for Release<'a> {
    fn from(resolved: &'a Resolved) -> Self {
        match resolved.world() {
            Some(world) => Self::component(resolved.resolve(), world),
            None => Self::package(resolved.resolve(), resolved.package()),
        }
    }
}

/// What is different between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The changes, those that break first, then those that add; among these, in the order of the WIT.
    pub changes: Vec<Change>,
    /// What they ask of the version, all together.
    pub bump: Bump,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The path of the item, such as `interface streams: resource output-stream: method flush`.
    pub item: String,
    /// What became of it.
    pub kind: Kind,
    /// The kind of change.
    pub rule: Rule,
    /// Whom it breaks.
    pub breaks: Breaks,
    /// What it asks of the version.
    pub bump: Bump,
    /// What was there, in one line, where that says more than the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What is there, in one line, where that says more than the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Where it is in the new version; of what is gone, where it was in the old one. WIT in Wasm has no places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What else there is to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// As it reads in one line, such as
/// `~ interface greet: function hello: result changed: was …, is …; breaks callers and implementers (wit/greet.wit:4)`.
impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, kind, rule, breaks, old, new, place, note, .. } = self;
        match kind {
            Kind::Added => write!(formatter, "+ {item}")?,
            Kind::Removed => write!(formatter, "- {item}")?,
            Kind::Changed => write!(formatter, "~ {item}: {}", rule.id().replace('-', " "))?,
        }
        match (old, new) {
            (Some(old), Some(new)) => write!(formatter, ": was `{old}`, is `{new}`")?,
            (Some(text), None) if *kind == Kind::Changed => write!(formatter, ": was `{text}`")?,
            (Some(text), None) | (None, Some(text)) => write!(formatter, ": `{text}`")?,
            (None, None) => {}
        }
        match breaks {
            Breaks::Nobody => {}
            Breaks::Callers => formatter.write_str("; breaks callers")?,
            Breaks::Implementers => formatter.write_str("; breaks implementers")?,
            Breaks::Both => formatter.write_str("; breaks callers and implementers")?,
        }
        if let Some(note) = note {
            write!(formatter, "; {note}")?;
        }
        match place {
            Some(Place { file, line }) => write!(formatter, " ({file}:{line})"),
            None => Ok(()),
        }
    }
}

/// A place in a WIT text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as it was named when it was read.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// Why two things are no versions of each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incomparable {
    /// One is a package, the other a component.
    #[error("one is a WIT package, the other a component")]
    OtherKind,
    /// They have other names.
    #[error("one is the package `{old}`, the other `{new}`")]
    OtherName {
        /// The name of the one, without its version.
        old: String,
        /// The name of the other, without its version.
        new: String,
    },
}

/// Compares two versions of a package, or of a component.
///
/// # Errors
/// [`Incomparable`] where they are no versions of one thing.
pub fn compare(old: &Release<'_>, new: &Release<'_>) -> Result<Comparison, Incomparable> {
    let (old_shaped, new_shaped) = shape::shapes(old, new);
    let function_added = match new.subject {
        Subject::Package(_) => Rule::FunctionAdded,
        Subject::Component(_) => Rule::ComponentExportAdded,
    };
    let mut comparer = Comparer { old: old_shaped, new: new_shaped, function_added, changes: Vec::new() };
    match (old.subject, new.subject) {
        (Subject::Package(old_package), Subject::Package(new_package)) => {
            let [old_name, new_name] = [old.name(old_package), new.name(new_package)];
            if old_name != new_name {
                return Err(Incomparable::OtherName { old: old_name, new: new_name });
            }
            comparer.documentation(old_package, new_package);
            comparer.interfaces(old_package, new_package);
            comparer.worlds(old_package, new_package);
            comparer.dependencies(old_package, new_package);
        }
        (Subject::Component(old), Subject::Component(new)) => comparer.components(old, new),
        (Subject::Package(_), Subject::Component(_)) | (Subject::Component(_), Subject::Package(_)) => {
            return Err(Incomparable::OtherKind);
        }
    }
    let mut changes = comparer.changes;
    changes.sort_by_key(|change| Reverse(change.bump));
    let bump = changes.first().map_or(Bump::None, |change| change.bump);
    Ok(Comparison { changes, bump })
}

/// Two versions, and what was found so far.
struct Comparer<'a> {
    old: Shaped<'a>,
    new: Shaped<'a>,
    /// What a function is that an interface has more: a component has it, where a package asks for it.
    function_added: Rule,
    changes: Vec<Change>,
}

/// What is told of a change, beside the item.
#[derive(Debug, Default)]
struct Told {
    old: Option<String>,
    new: Option<String>,
    place: Option<Place>,
}

impl Comparer<'_> {
    fn report(&mut self, rule: Rule, item: impl Into<String>, told: Told) {
        let Told { old, new, place } = told;
        self.changes.push(Change {
            item: item.into(),
            kind: rule.kind(),
            rule,
            breaks: rule.breaks(),
            bump: rule.bump(),
            old,
            new,
            place,
            note: rule.note(),
        });
    }
}

/// Returns where something is, where its text is known.
fn place(resolve: &Resolve, span: Span) -> Option<Place> {
    resolve.source_map.resolve_span(span)?;
    let location = resolve.render_location(span);
    let mut parts = location.rsplitn(3, ':').skip(1);
    let line = parts.next()?.parse().ok()?;
    Some(Place { file: parts.next()?.to_owned(), line })
}

/// What became of the item of a name.
enum Pair<T> {
    Removed(T),
    Added(T),
    Kept(T, T),
}

/// Brings together what has the same name, in the order of the old version; what is new comes last.
fn pairs<T: Copy>(old: &[(String, T)], new: &[(String, T)]) -> Vec<(String, Pair<T>)> {
    let find = |items: &[(String, T)]| -> HashMap<String, T> { items.iter().cloned().collect() };
    let (old_by_name, new_by_name) = (find(old), find(new));
    let kept = old.iter().map(|(name, item)| match new_by_name.get(name) {
        Some(kept) => (name.clone(), Pair::Kept(*item, *kept)),
        None => (name.clone(), Pair::Removed(*item)),
    });
    let added = new.iter().filter(|(name, _)| !old_by_name.contains_key(name));
    kept.chain(added.map(|(name, item)| (name.clone(), Pair::Added(*item)))).collect()
}

#[cfg(test)]
mod tests;
