//! Worlds: what they import and export.

use wit_parser::{IndexMap, InterfaceId, PackageId, Resolve, WorldId, WorldItem, WorldKey};

use super::interface::{Said, is_stable};
use super::shape::Shaped;
use super::text::{keyword, signature};
use super::{Comparer, Pair, Rule, Told, pairs, place};

/// The rules for what goes one way through a world.
struct DirectionRules {
    word: &'static str,
    added: Rule,
    removed: Rule,
    changed: Rule,
}

const IMPORTS: DirectionRules = DirectionRules {
    word: "import",
    added: Rule::ImportAdded,
    removed: Rule::ImportRemoved,
    changed: Rule::ImportChanged,
};

const EXPORTS: DirectionRules = DirectionRules {
    word: "export",
    added: Rule::ExportAdded,
    removed: Rule::ExportRemoved,
    changed: Rule::ExportChanged,
};

const COMPONENT_IMPORTS: DirectionRules =
    DirectionRules { added: Rule::ComponentImportAdded, removed: Rule::ComponentImportRemoved, ..IMPORTS };

const COMPONENT_EXPORTS: DirectionRules =
    DirectionRules { added: Rule::ComponentExportAdded, removed: Rule::ComponentExportRemoved, ..EXPORTS };

/// What a world imports or exports, by name; versions do not matter to it.
type Items<'a> = Vec<(String, &'a WorldItem)>;

impl<'a> Comparer<'a> {
    /// Compares the worlds of two packages.
    pub(super) fn worlds(&mut self, old: PackageId, new: PackageId) {
        let [old, new] =
            [(&self.old, old), (&self.new, new)].map(|(side, package)| stable_worlds(side.resolve, package));
        for (name, pair) in pairs(&old, &new) {
            let path = format!("world {name}");
            match pair {
                Pair::Removed(old) => {
                    let place = place(self.old.resolve, self.old.resolve.worlds[old].span);
                    self.report(Rule::WorldRemoved, path, Told { place, ..Told::default() });
                }
                Pair::Added(new) => {
                    let place = place(self.new.resolve, self.new.resolve.worlds[new].span);
                    self.report(Rule::WorldAdded, path, Told { place, ..Told::default() });
                }
                Pair::Kept(old, new) => self.world(&path, old, new),
            }
        }
    }

    fn world(&mut self, path: &str, old: WorldId, new: WorldId) {
        let (old, new) = (&self.old.resolve.worlds[old], &self.new.resolve.worlds[new]);
        self.said(path, Said::of_world(old), Said::of_world(new));
        self.items(path, &IMPORTS, stable_items(&self.old, &old.imports), stable_items(&self.new, &new.imports));
        self.items(path, &EXPORTS, stable_items(&self.old, &old.exports), stable_items(&self.new, &new.exports));
    }

    /// Compares what two components import and export.
    pub(super) fn components(&mut self, old: WorldId, new: WorldId) {
        let (old, new) = (&self.old.resolve.worlds[old], &self.new.resolve.worlds[new]);
        let (old_imports, new_imports) = (stable_items(&self.old, &old.imports), stable_items(&self.new, &new.imports));
        self.narrowed_imports(&old_imports, &new_imports);
        self.items("component", &COMPONENT_IMPORTS, old_imports, new_imports);
        let (old_exports, new_exports) = (stable_items(&self.old, &old.exports), stable_items(&self.new, &new.exports));
        self.exported_interfaces(&old_exports, &new_exports);
        self.items("component", &COMPONENT_EXPORTS, old_exports, new_exports);
    }

    fn items(&mut self, path: &str, rules: &DirectionRules, old: Items<'a>, new: Items<'a>) {
        for (name, pair) in pairs(&old, &new) {
            match pair {
                Pair::Removed(WorldItem::Type { id, .. }) => self.type_removed(path, &name, *id),
                Pair::Added(WorldItem::Type { id, .. }) => self.type_added(path, &name, *id),
                Pair::Removed(old) => {
                    let told = Told {
                        old: item_text(self.old.resolve, old),
                        place: place(self.old.resolve, old.span()),
                        new: None,
                    };
                    self.report(rules.removed, format!("{path}: {} {name}", rules.word), told);
                }
                Pair::Added(new) => {
                    let told = Told {
                        new: item_text(self.new.resolve, new),
                        place: place(self.new.resolve, new.span()),
                        old: None,
                    };
                    self.report(rules.added, format!("{path}: {} {name}", rules.word), told);
                }
                Pair::Kept(WorldItem::Type { id: old, .. }, WorldItem::Type { id: new, .. }) => {
                    self.type_kept(&format!("{path}: {} {name}", keyword(self.old.resolve, *old)), *old, *new);
                }
                Pair::Kept(old, new) => self.item(&format!("{path}: {} {name}", rules.word), rules, old, new),
            }
        }
    }

    fn item(&mut self, path: &str, rules: &DirectionRules, old: &WorldItem, new: &WorldItem) {
        match (old, new) {
            (WorldItem::Function(old), WorldItem::Function(new)) => self.function(path, old, new),
            (WorldItem::Interface { id: old, .. }, WorldItem::Interface { id: new, .. })
                if self.old.labels.interface(*old) == self.new.labels.interface(*new) =>
            {
                // An interface with a name is compared on its own, where it belongs to what is compared.
                if self.old.resolve.interfaces[*old].name.is_none() {
                    self.interface(path, *old, *new);
                }
            }
            _ => {
                let told = Told {
                    old: Some(item_kind(&self.old, old)),
                    new: Some(item_kind(&self.new, new)),
                    place: place(self.new.resolve, new.span()),
                };
                self.report(rules.changed, path, told);
            }
        }
    }

    /// Compares which functions two components import of an interface: their binaries name no others.
    fn narrowed_imports(&mut self, old: &Items<'_>, new: &Items<'_>) {
        for (name, pair) in pairs(old, new) {
            let Pair::Kept(WorldItem::Interface { id: old, .. }, WorldItem::Interface { id: new, .. }) = pair else {
                continue;
            };
            let names = |resolve: &Resolve, id: InterfaceId| -> Vec<(String, ())> {
                resolve.interfaces[id].functions.keys().map(|name| (name.clone(), ())).collect()
            };
            for (function, pair) in pairs(&names(self.old.resolve, *old), &names(self.new.resolve, *new)) {
                let item = format!("component: import {name}: {function}");
                match pair {
                    Pair::Added(()) => self.report(Rule::ComponentImportAdded, item, Told::default()),
                    Pair::Removed(()) => self.report(Rule::ComponentImportRemoved, item, Told::default()),
                    Pair::Kept((), ()) => {}
                }
            }
        }
    }

    /// Compares what is in the interfaces that two components both export.
    fn exported_interfaces(&mut self, old: &Items<'_>, new: &Items<'_>) {
        for (name, pair) in pairs(old, new) {
            let Pair::Kept(WorldItem::Interface { id: old, .. }, WorldItem::Interface { id: new, .. }) = pair else {
                continue;
            };
            if self.old.resolve.interfaces[*old].name.is_some() && self.new.resolve.interfaces[*new].name.is_some() {
                self.interface(&format!("component: export {name}"), *old, *new);
            }
        }
    }
}

/// Returns the worlds of a package that count, by name.
fn stable_worlds(resolve: &Resolve, package: PackageId) -> Vec<(String, WorldId)> {
    let worlds = resolve.packages[package].worlds.iter();
    let stable = worlds.filter(|(_, id)| is_stable(&resolve.worlds[**id].stability));
    stable.map(|(name, id)| (name.clone(), *id)).collect()
}

/// Returns the imports or the exports of a world that count, by name.
fn stable_items<'a>(side: &Shaped<'a>, items: &'a IndexMap<WorldKey, WorldItem>) -> Items<'a> {
    let is_told = |item: &WorldItem| {
        is_stable(item.stability(side.resolve))
            && match item {
                WorldItem::Interface { id, .. } => is_stable(&side.resolve.interfaces[*id].stability),
                WorldItem::Function(_) | WorldItem::Type { .. } => true,
            }
    };
    let name = |key: &WorldKey| match key {
        WorldKey::Name(name) => name.clone(),
        WorldKey::Interface(id) => side.labels.interface(*id).to_owned(),
    };
    items.iter().filter(|(_, item)| is_told(item)).map(|(key, item)| (name(key), item)).collect()
}

/// Returns what says more of an item than its name.
fn item_text(resolve: &Resolve, item: &WorldItem) -> Option<String> {
    match item {
        WorldItem::Function(function) => Some(signature(resolve, function)),
        WorldItem::Interface { .. } | WorldItem::Type { .. } => None,
    }
}

/// Returns what an item is.
fn item_kind(side: &Shaped<'_>, item: &WorldItem) -> String {
    match item {
        WorldItem::Function(function) => signature(side.resolve, function),
        WorldItem::Type { id, .. } => keyword(side.resolve, *id).to_owned(),
        WorldItem::Interface { id, .. } => match side.resolve.interfaces[*id].name {
            Some(_) => side.labels.interface(*id).to_owned(),
            None => "interface".to_owned(),
        },
    }
}
