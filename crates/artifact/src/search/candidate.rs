//! What may be what is searched for, and what it is called.

use std::collections::{BTreeMap, BTreeSet};

use wharf_oci::Descriptor;

use super::{Clue, Found, What};
use crate::cncf::TITLE;
use crate::dialect::{Dialect, Unreadable, clean};

/// What may be what is searched for. There may be many in one layer, so that none has the layer's descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) index: usize,
    pub(super) path: Option<String>,
    pub(super) what: What,
    pub(super) clue: Clue,
    pub(super) dialect: Dialect,
    /// Its number among the entries of the tar.
    pub(super) entry: u64,
}

impl Candidate {
    /// Takes a whole layer for Wasm.
    pub(super) fn whole(index: usize, dialect: Dialect) -> Self {
        Self { index, path: None, what: What::Wasm, clue: Clue::Only, dialect, entry: 0 }
    }

    /// Returns the same layer as a provider archive.
    pub(super) fn provider(&self) -> Self {
        Self { what: What::Provider, dialect: Dialect::WasmcloudProvider, ..self.clone() }
    }

    /// Returns a file of the same layer.
    pub(super) fn file(&self, path: String, entry: u64, clue: Clue) -> Self {
        Self { path: Some(path), entry, clue, ..self.clone() }
    }

    pub(super) fn into_found(self, layers: &[Descriptor]) -> Found {
        let Self { index, path, what, clue, dialect, entry } = self;
        Found { layer: layers[index].clone(), index, path, what, clue, dialect, entry }
    }

    /// Whether it goes by a name that is its own: its path, its layer's title or digest, or digest and path.
    fn is_named(&self, layers: &[Descriptor], name: &str) -> bool {
        let layer = &layers[self.index];
        let digest = layer.digest.to_string();
        let rest = name.strip_prefix(&digest);
        let is_in_layer = || rest.and_then(|rest| rest.strip_prefix('/')).is_some_and(|path| self.is_at(path));
        rest == Some("")
            || is_in_layer()
            || self.is_at(name)
            || layer.annotations.get(TITLE).is_some_and(|it| it == name)
    }

    fn is_at(&self, path: &str) -> bool {
        self.path.as_deref() == Some(path)
    }

    fn has_file_name(&self, name: &str) -> bool {
        self.path.as_deref().and_then(|path| path.rsplit('/').next()) == Some(name)
    }

    /// Returns all names that it goes by, but for the one that no other has.
    fn own_names(&self, layers: &[Descriptor]) -> BTreeSet<String> {
        let layer = &layers[self.index];
        let named = [self.path.as_ref(), layer.annotations.get(TITLE)].into_iter().flatten();
        named.map(|name| clean(name)).chain([layer.digest.to_string()]).collect()
    }

    /// Returns the shortest of its names, which others may have too.
    fn short_name(&self, layers: &[Descriptor]) -> String {
        let layer = &layers[self.index];
        let name = self.path.as_ref().or_else(|| layer.annotations.get(TITLE));
        name.map_or_else(|| layer.digest.to_string(), |name| clean(name))
    }

    /// Returns the name that no other has.
    fn full_name(&self, layers: &[Descriptor]) -> String {
        let digest = &layers[self.index].digest;
        self.path.as_ref().map_or_else(|| digest.to_string(), |path| format!("{digest}/{}", clean(path)))
    }
}

/// Takes the only one of all candidates; `beside` are others that can be chosen, but are not meant.
pub(super) fn only(
    candidates: Vec<Candidate>,
    beside: Vec<Candidate>,
    layers: &[Descriptor],
    none: impl FnOnce() -> Unreadable,
) -> Result<Candidate, Unreadable> {
    let mut candidates = distinct(candidates, layers);
    match candidates.len() {
        0 | 1 => candidates.pop().ok_or_else(none),
        _ => Err(Unreadable::Several { names: names(&candidates, &distinct(beside, layers), layers) }),
    }
}

/// Takes the candidate that `name` names. A name that is one's own goes before the last part of another one's path.
pub(super) fn chosen(
    candidates: Vec<Candidate>,
    layers: &[Descriptor],
    name: &str,
    none: impl FnOnce() -> Unreadable,
) -> Result<Candidate, Unreadable> {
    let candidates = distinct(candidates, layers);
    let all = || candidates.iter();
    let own: Vec<_> = all().filter(|candidate| candidate.is_named(layers, name)).collect();
    let named = match own.is_empty() {
        true => all().filter(|candidate| candidate.has_file_name(name)).collect(),
        false => own,
    };
    match named.as_slice() {
        [] if candidates.is_empty() => Err(none()),
        [] => Err(Unreadable::NoSuchName { name: name.to_owned(), names: names(&candidates, &[], layers) }),
        [one] if one.clue == Clue::Only && candidates.len() > 1 => {
            Ok(Candidate { clue: Clue::Chosen, ..(*one).clone() })
        }
        [one] => Ok((*one).clone()),
        several => {
            let names = several.iter().map(|candidate| candidate.full_name(layers)).collect();
            Err(Unreadable::AmbiguousName { name: name.to_owned(), names })
        }
    }
}

/// Leaves out what comes again: the same file of the same bytes is no choice. The first one counts.
fn distinct(mut candidates: Vec<Candidate>, layers: &[Descriptor]) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    candidates.retain(|it| seen.insert((layers[it.index].digest.clone(), it.path.clone())));
    candidates
}

/// Returns for each the shortest name that no other of them goes by, and none of those `beside` them.
fn names(candidates: &[Candidate], beside: &[Candidate], layers: &[Descriptor]) -> Vec<String> {
    let mut counts = BTreeMap::new();
    for name in candidates.iter().chain(beside).flat_map(|candidate| candidate.own_names(layers)) {
        *counts.entry(name).or_insert(0) += 1;
    }
    let named = candidates.iter().map(|candidate| (candidate, candidate.short_name(layers)));
    named.map(|(it, name)| if counts[&name] == 1 { name } else { it.full_name(layers) }).collect()
}
