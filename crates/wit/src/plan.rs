//! The order in which packages are merged: each after those that it needs.

use std::collections::HashMap;

use wit_parser::{PackageName, UnresolvedPackage, UnresolvedPackageGroup};

use crate::document::Content;
use crate::requirements::place;
use crate::{Document, Error};

/// What is to be merged, in order.
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
}

/// One package of a document.
pub(crate) struct Step {
    pub(crate) document: usize,
    /// 0 for the package of the document, and from 1 for those that nest in its text.
    pub(crate) part: usize,
    pub(crate) aliases: Vec<Alias>,
}

/// What a name without a version means in one package.
pub(crate) struct Alias {
    pub(crate) name: PackageName,
    pub(crate) meant: PackageName,
}

impl Plan {
    /// Plans the merge of `documents`, of which the last is the root and comes last.
    pub(crate) fn new(documents: &[Document]) -> Result<Self, Error> {
        let units: Vec<Unit<'_>> =
            documents.iter().enumerate().flat_map(|(index, document)| units(index, document)).collect();
        let definitions = Definitions::new(documents, &units)?;
        let root = units.iter().position(|unit| unit.document == documents.len() - 1);
        let mut aliases = Vec::new();
        let mut needs = Vec::new();
        for (index, unit) in units.iter().enumerate() {
            let found = definitions.aliases(unit)?;
            let mut needed = definitions.needed(unit, &found);
            if Some(index) == root {
                // It comes last, so that nothing can be added to it by what holds another state of it.
                needed.extend((0..units.len()).filter(|&other| other != index));
            }
            needs.push(needed);
            aliases.push(found);
        }
        let order = sort(&needs).map_err(|cycle| Error::Cycle {
            packages: cycle.into_iter().map(|index| units[index].name().clone()).collect(),
        })?;
        let step = |index: usize| {
            let Unit { document, part, .. } = units[index];
            Step { document, part, aliases: std::mem::take(&mut aliases[index]) }
        };
        Ok(Self { steps: order.into_iter().map(step).collect() })
    }
}

/// A package that a document defines.
struct Unit<'a> {
    document: usize,
    part: usize,
    content: UnitContent<'a>,
}

enum UnitContent<'a> {
    Text(&'a UnresolvedPackage, &'a UnresolvedPackageGroup),
    /// Its name, and those of the packages that it holds beside itself.
    Wasm(&'a PackageName, Vec<&'a PackageName>),
}

impl Unit<'_> {
    fn name(&self) -> &PackageName {
        match &self.content {
            UnitContent::Text(package, _) => &package.name,
            UnitContent::Wasm(name, _) => name,
        }
    }
}

fn units(index: usize, document: &Document) -> Vec<Unit<'_>> {
    match &document.content {
        Content::Text(group) => {
            let packages = [&group.main].into_iter().chain(&group.nested).enumerate();
            packages
                .map(|(part, package)| Unit { document: index, part, content: UnitContent::Text(package, group) })
                .collect()
        }
        Content::Wasm(_) => {
            let held = document.packages().into_iter().skip(1).collect();
            vec![Unit { document: index, part: 0, content: UnitContent::Wasm(document.name(), held) }]
        }
    }
}

/// Which unit defines a package.
struct Definitions<'a> {
    units: HashMap<&'a PackageName, usize>,
    /// The versions of a package, by its namespace and name.
    versions: HashMap<(&'a str, &'a str), Vec<&'a PackageName>>,
}

impl<'a> Definitions<'a> {
    fn new(documents: &[Document], units: &'a [Unit<'a>]) -> Result<Self, Error> {
        let mut definitions = Self { units: HashMap::new(), versions: HashMap::new() };
        for (index, unit) in units.iter().enumerate() {
            let name = unit.name();
            let Some(&earlier) = definitions.units.get(name) else {
                definitions.units.insert(name, index);
                definitions.versions.entry((&name.namespace, &name.name)).or_default().push(name);
                continue;
            };
            let earlier = &units[earlier];
            if [earlier, unit].iter().any(|unit| matches!(unit.content, UnitContent::Text(..))) {
                let label = |unit: &Unit<'_>| documents[unit.document].label.clone();
                return Err(Error::Duplicate {
                    package: Box::new(name.clone()),
                    first: label(earlier),
                    second: label(unit),
                });
            }
        }
        Ok(definitions)
    }

    /// Finds out what the names without a version mean that a package uses.
    fn aliases(&self, unit: &Unit<'_>) -> Result<Vec<Alias>, Error> {
        let UnitContent::Text(package, group) = &unit.content else { return Ok(Vec::new()) };
        let mut aliases = Vec::new();
        for (name, items) in &package.foreign_deps {
            let open = name.version.is_none() && !self.units.contains_key(name);
            let versions = self.versions.get(&(name.namespace.as_str(), name.name.as_str()));
            let Some(versions) = versions.filter(|_| open) else { continue };
            let location = || place(package, name, &group.source_map);
            let &[meant] = versions.as_slice() else {
                let candidates = versions.iter().map(|&name| name.clone()).collect();
                return Err(Error::AmbiguousVersion {
                    package: Box::new(name.clone()),
                    candidates,
                    location: location(),
                });
            };
            let twice =
                package.foreign_deps.get(meant).and_then(|others| items.keys().find(|item| others.contains_key(*item)));
            if let Some(item) = twice {
                return Err(Error::NamedTwice {
                    item: item.clone(),
                    package: Box::new(meant.clone()),
                    location: location(),
                });
            }
            aliases.push(Alias { name: name.clone(), meant: meant.clone() });
        }
        Ok(aliases)
    }

    /// Finds the units that have to come before a unit.
    fn needed(&self, unit: &Unit<'_>, aliases: &[Alias]) -> Vec<usize> {
        match &unit.content {
            UnitContent::Text(package, _) => {
                let meant = aliases.iter().map(|alias| &alias.meant);
                package.foreign_deps.keys().chain(meant).filter_map(|name| self.units.get(name)).copied().collect()
            }
            UnitContent::Wasm(_, held) => held.iter().filter_map(|name| self.units.get(name)).copied().collect(),
        }
    }
}

/// Sorts so that each comes after what it needs, and otherwise in the order of the numbers.
///
/// # Errors
/// A cycle: each needs the next, and the last is the first again.
fn sort(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; needs.len()];
    let mut order = Vec::new();
    for start in 0..needs.len() {
        // What is open, each with how many of its needs have been looked at. No recursion: the input may be deep.
        let mut path = vec![(start, 0)];
        while let Some((current, looked_at)) = path.last_mut() {
            let (current, next) = (*current, needs[*current].get(*looked_at).copied());
            *looked_at += 1;
            if states[current] == State::Done {
                path.pop();
                continue;
            }
            states[current] = State::Open;
            match next.map(|next| (next, states[next])) {
                None => {
                    states[current] = State::Done;
                    order.push(current);
                    path.pop();
                }
                Some((next, State::New)) => path.push((next, 0)),
                Some((_, State::Done)) => {}
                Some((next, State::Open)) => {
                    let cycle = path.iter().map(|&(open, _)| open).skip_while(|&open| open != next);
                    return Err(cycle.chain([next]).collect());
                }
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_needs_nothing_keeps_its_place() {
        let cases: [(&[&[usize]], &[usize]); 4] = [
            (&[], &[]),
            (&[&[], &[], &[]], &[0, 1, 2]),
            (&[&[2], &[], &[]], &[2, 0, 1]),
            (&[&[2, 1], &[2], &[], &[0, 2]], &[2, 1, 0, 3]),
        ];
        for (needs, expected) in cases {
            let needs: Vec<_> = needs.iter().map(|needs| needs.to_vec()).collect();
            assert_eq!(sort(&needs).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_long_chain_is_sorted() {
        let needs: Vec<_> = (0..100_000).map(|index| if index == 99_999 { vec![] } else { vec![index + 1] }).collect();
        assert!(sort(&needs).unwrap().iter().rev().copied().eq(0..100_000));
    }

    proptest! {
        #[test]
        fn each_comes_after_what_it_needs_or_there_is_a_cycle(
            needs in prop::collection::vec(prop::collection::vec(0_usize..8, 0..3), 8),
        ) {
            match sort(&needs) {
                Ok(order) => {
                    let place = |unit: usize| order.iter().position(|&other| other == unit).unwrap();
                    prop_assert_eq!(order.len(), needs.len());
                    for (unit, needed) in needs.iter().enumerate() {
                        prop_assert!(needed.iter().all(|&needed| place(needed) < place(unit)));
                    }
                }
                Err(cycle) => {
                    prop_assert!(cycle.len() > 1);
                    prop_assert_eq!(cycle.first(), cycle.last());
                    prop_assert!(cycle.windows(2).all(|pair| needs[pair[0]].contains(&pair[1])));
                }
            }
        }
    }
}
