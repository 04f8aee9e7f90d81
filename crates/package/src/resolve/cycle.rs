//! The order among packages that are here, and the cycles that leave none.

use std::fmt;

use super::Requirer;
use crate::PackageName;

/// Packages that are here and need each other in a circle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Cycle {
    /// The packages, each of which needs the next; the last is the first again.
    pub packages: Vec<PackageName>,
}

impl fmt::Display for Cycle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.packages.iter().map(ToString::to_string).collect();
        write!(formatter, "packages need each other in a circle: {}", names.join(" -> "))
    }
}

/// Returns `requirers`, each behind all that it demands, and otherwise in their order.
pub(super) fn in_order(requirers: &[Requirer]) -> Result<Vec<&Requirer>, Cycle> {
    let needs: Vec<Vec<usize>> = requirers.iter().map(|requirer| needs(requirer, requirers)).collect();
    let mut is_placed = vec![false; requirers.len()];
    let mut order = Vec::with_capacity(requirers.len());
    loop {
        let is_next = |&index: &usize| !is_placed[index] && needs[index].iter().all(|&needed| is_placed[needed]);
        match (0..requirers.len()).find(is_next) {
            Some(next) => {
                is_placed[next] = true;
                order.push(&requirers[next]);
            }
            None => break,
        }
    }
    match is_placed.iter().position(|is_placed| !is_placed) {
        None => Ok(order),
        Some(start) => Err(cycle(start, requirers, &needs, &is_placed)),
    }
}

/// Returns which of `requirers` meet the demands of one.
fn needs(requirer: &Requirer, requirers: &[Requirer]) -> Vec<usize> {
    let is_needed = |other: &Requirer| {
        let mut demands = requirer.demands.iter().filter(|demand| Some(&demand.package) == other.name());
        demands.any(|demand| other.answers(&demand.requirement))
    };
    (0..requirers.len()).filter(|&index| is_needed(&requirers[index])).collect()
}

/// Walks from one that has no place, which needs another that has none, until one comes up again.
fn cycle(start: usize, requirers: &[Requirer], needs: &[Vec<usize>], is_placed: &[bool]) -> Cycle {
    let mut walked = vec![start];
    loop {
        let last = walked[walked.len() - 1];
        let next = needs[last].iter().copied().find(|&needed| !is_placed[needed]);
        let next = next.expect("what needs only what has a place has one itself");
        let seen = walked.iter().position(|&index| index == next);
        walked.push(next);
        if let Some(first) = seen {
            let packages = walked[first..].iter().filter_map(|&index| requirers[index].name().cloned());
            return Cycle { packages: packages.collect() };
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::resolve::testing::requirer;

    use super::*;

    fn order(requirers: &[Requirer]) -> Result<Vec<String>, String> {
        match in_order(requirers) {
            Ok(order) => Ok(order.into_iter().map(|requirer| requirer.label.clone()).collect()),
            Err(cycle) => Err(cycle.to_string()),
        }
    }

    #[test]
    fn what_is_needed_comes_first() {
        let app = requirer("acme:app@1.0.0", &["acme:web *", "acme:log @0.2.0"]);
        let web = requirer("acme:web@1.0.0", &["acme:log ^9", "wasi:io @0.2.3"]);
        let log = requirer("acme:log@0.2.0", &[]);
        let other = requirer("acme:other", &[]);
        assert_eq!(
            order(&[app, other, web, log]),
            Ok(["acme:other", "acme:log@0.2.0", "acme:web@1.0.0", "acme:app@1.0.0"].map(String::from).to_vec())
        );
    }

    #[test]
    fn a_cycle_is_shown_as_one() {
        let start = requirer("a:start@1.0.0", &["a:a *"]);
        let a = requirer("a:a@1.0.0", &["a:b @1.0.0"]);
        let b = requirer("a:b@1.0.0", &["a:c *"]);
        let c = requirer("a:c", &["a:a ^1"]);
        let found = order(&[start, a, b, c]).unwrap_err();
        assert_eq!(found, "packages need each other in a circle: a:a -> a:b -> a:c -> a:a");
        let alone = requirer("a:a@1.0.0", &["a:a *"]);
        assert_eq!(order(&[alone]).unwrap_err(), "packages need each other in a circle: a:a -> a:a");
    }

    #[test]
    fn two_versions_of_a_package_may_need_each_other_one_way() {
        let new = requirer("a:a@2.0.0", &["a:a @1.0.0"]);
        let old = requirer("a:a@1.0.0", &[]);
        assert_eq!(order(&[new, old]), Ok(["a:a@1.0.0", "a:a@2.0.0"].map(String::from).to_vec()));
    }
}
