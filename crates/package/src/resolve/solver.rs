//! The problem as PubGrub sees it: demands that need choices, and the candidates of each choice.
//!
//! A candidate is known by its number, from the least welcome to the most, so that a requirement is the set of the
//! numbers that meet it, and the highest number of a set is the one to take.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, DerivationTree, External, PackageResolutionStatistics,
    PubGrubError, Ranges, SelectedDependencies,
};
use semver::Version;

use super::conflict::{Conflict, Demanded, Supply};
use super::{Choice, Demand, Problem, Requirement, Requirer, Taken};
use crate::PackageName;

/// Chooses a version for every demand.
pub(super) fn solve(problem: &Problem) -> Result<Vec<Choice>, Conflict> {
    let solver = Solver::new(problem);
    match pubgrub::resolve(&solver, Node::Project, 0_usize) {
        Ok(selected) => Ok(solver.choices(&selected)),
        Err(PubGrubError::NoSolution(proof)) => Err(solver.conflict(&proof)),
        Err(PubGrubError::ErrorInShouldCancel(never)) => match never {},
        Err(PubGrubError::ErrorChoosingVersion { source, .. }) => match source {},
        Err(PubGrubError::ErrorRetrievingDependencies { source, .. }) => match source {},
    }
}

/// What PubGrub takes for a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Node {
    /// All that is here. It needs each demand.
    Project,
    /// A demand, by its number. It needs a choice.
    Demand(usize),
    /// The choice for one version of a package.
    Exactly(PackageName, Version),
    /// The choice for all open demands on a package.
    Open(PackageName),
}

/// What may be taken for a choice.
#[derive(Debug, Clone, Copy)]
enum Candidate<'a> {
    Here(&'a Requirer),
    Version(&'a Version),
}

struct Solver<'a> {
    problem: &'a Problem,
    demands: Vec<(&'a Requirer, &'a Demand)>,
    /// From the least welcome to the most.
    candidates: HashMap<Node, Vec<Candidate<'a>>>,
}

impl<'a> Solver<'a> {
    fn new(problem: &'a Problem) -> Self {
        let of_one = |requirer: &'a Requirer| requirer.demands.iter().map(move |demand| (requirer, demand));
        let demands: Vec<_> = problem.requirers.iter().flat_map(of_one).collect();
        let mut candidates = HashMap::new();
        for (_, demand) in &demands {
            candidates.entry(node_of(demand)).or_insert_with(|| candidates_for(problem, demand));
        }
        Self { problem, demands, candidates }
    }

    /// Returns the candidates that meet a demand.
    fn that_meet(&self, demand: &Demand) -> Ranges<usize> {
        let meets = |candidate: &Candidate<'_>| match candidate {
            Candidate::Here(requirer) => requirer.answers(&demand.requirement),
            Candidate::Version(version) => demand.requirement.is_met_by(version),
        };
        let numbered = self.candidates[&node_of(demand)].iter().enumerate();
        let numbers = numbered.filter(|(_, candidate)| meets(candidate)).map(|(number, _)| number);
        numbers.map(|number| (Bound::Included(number), Bound::Included(number))).collect()
    }

    fn choices(&self, selected: &SelectedDependencies<Self>) -> Vec<Choice> {
        let mut seen = HashSet::new();
        let demands = self.demands.iter().map(|(_, demand)| *demand);
        let demands = demands.filter(|demand| seen.insert((&demand.package, &demand.requirement)));
        let choice = |demand: &Demand| {
            let node = node_of(demand);
            let taken = match self.candidates[&node][selected[&node]] {
                Candidate::Here(requirer) => {
                    Taken::Here { label: requirer.label.clone(), version: requirer.version().cloned() }
                }
                Candidate::Version(version) => Taken::Version(version.clone()),
            };
            Choice { package: demand.package.clone(), requirement: demand.requirement.clone(), taken }
        };
        demands.map(choice).collect()
    }

    /// Puts together what the proof rests on.
    fn conflict(&self, proof: &Proof) -> Conflict {
        let demands: Vec<_> = demands_in(proof).into_iter().map(|number| self.demands[number]).collect();
        let (_, demand) = demands.first().expect("nothing but demands restricts what is taken");
        let demanded = |(requirer, demand): &(&Requirer, &Demand)| Demanded {
            label: requirer.label.clone(),
            requirement: demand.requirement.clone(),
            place: demand.place.clone(),
        };
        Conflict {
            package: demand.package.clone(),
            demands: demands.iter().map(demanded).collect(),
            supply: supply(self.problem, &demand.package),
        }
    }
}

fn node_of(demand: &Demand) -> Node {
    match &demand.requirement {
        Requirement::Exactly(version) => Node::Exactly(demand.package.clone(), version.clone()),
        Requirement::Open(_) => Node::Open(demand.package.clone()),
    }
}

/// Returns all that may be taken for a demand and those that share its choice.
fn candidates_for<'a>(problem: &'a Problem, demand: &'a Demand) -> Vec<Candidate<'a>> {
    let package = &demand.package;
    let mut here: Vec<&Requirer> = problem.here(package).collect();
    if !here.is_empty() {
        here.sort_by_key(|requirer| {
            let version = requirer.version();
            (version.is_some_and(|version| version.pre.is_empty()), version)
        });
        return here.into_iter().map(Candidate::Here).collect();
    }
    let exact: HashSet<&Version> = problem.demanded_exactly(package).collect();
    let locked: HashSet<&Version> = problem.locked_of(package).collect();
    let mut versions: Vec<&Version> = locked.iter().copied().collect();
    match problem.versions.get(package) {
        Some(listed) => versions.extend(listed),
        None => versions.extend(&exact),
    }
    let rank =
        |version: &&'a Version| (exact.contains(*version), locked.contains(*version), version.pre.is_empty(), *version);
    versions.sort_by_key(rank);
    versions.dedup();
    versions.into_iter().map(Candidate::Version).collect()
}

/// Returns what there is of a package, for people to read.
fn supply(problem: &Problem, package: &PackageName) -> Supply {
    let here: Vec<_> = problem.here(package).map(|it| (it.label.clone(), it.version().cloned())).collect();
    if !here.is_empty() {
        return Supply::Here(here);
    }
    let listed = problem.versions.get(package);
    let known = problem.locked_of(package).chain(listed.into_iter().flatten());
    let mut versions: Vec<Version> = known.cloned().collect();
    versions.sort_by(|one, other| other.cmp(one));
    versions.dedup();
    match listed {
        Some(_) => Supply::Listed(versions),
        None => Supply::Unlisted(versions),
    }
}

type Proof = DerivationTree<Node, Ranges<usize>, &'static str>;

/// Returns the numbers of the demands that a proof rests on, in order.
///
/// A proof may come to one fact by many ways, so that each of its parts is looked at once.
fn demands_in(proof: &Proof) -> Vec<usize> {
    let (mut numbers, mut seen) = (Vec::new(), HashSet::new());
    let mut open = vec![proof];
    while let Some(part) = open.pop() {
        match part {
            DerivationTree::External(External::FromDependencyOf(Node::Demand(number), ..)) => numbers.push(*number),
            DerivationTree::External(_) => {}
            DerivationTree::Derived(derived) => {
                let causes = [&derived.cause1, &derived.cause2];
                open.extend(causes.into_iter().filter(|cause| seen.insert(Arc::as_ptr(cause))).map(Arc::as_ref));
            }
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

impl DependencyProvider for Solver<'_> {
    type P = Node;
    type V = usize;
    type VS = Ranges<usize>;
    type Priority = Reverse<usize>;
    type M = &'static str;
    type Err = Infallible;

    /// Demands come first, in their order, so that the first conflict is the one that is told.
    fn prioritize(&self, node: &Node, _: &Ranges<usize>, _: &PackageResolutionStatistics) -> Reverse<usize> {
        match node {
            Node::Project => Reverse(0),
            Node::Demand(number) => Reverse(*number),
            Node::Exactly(..) | Node::Open(_) => Reverse(usize::MAX),
        }
    }

    fn choose_version(&self, node: &Node, range: &Ranges<usize>) -> Result<Option<usize>, Infallible> {
        let count = self.candidates.get(node).map_or(1, Vec::len);
        Ok((0..count).rev().find(|number| range.contains(number)))
    }

    fn get_dependencies(
        &self,
        node: &Node,
        _: &usize,
    ) -> Result<Dependencies<Node, Ranges<usize>, &'static str>, Infallible> {
        let needed: DependencyConstraints<Node, Ranges<usize>> = match node {
            Node::Project => (0..self.demands.len()).map(|number| (Node::Demand(number), Ranges::full())).collect(),
            Node::Demand(number) => {
                let (_, demand) = self.demands[*number];
                [(node_of(demand), self.that_meet(demand))].into_iter().collect()
            }
            Node::Exactly(..) | Node::Open(_) => DependencyConstraints::default(),
        };
        Ok(Dependencies::Available(needed))
    }
}

/// PubGrub wants to be able to name what it works on; people read [`Conflict`].
impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::resolve::Unresolvable;
    use crate::resolve::testing::{Case, requirement};

    #[test]
    fn the_newest_release_is_taken_that_meets_all_open_demands() {
        for (demands, expected) in [
            (&["acme:log *"][..], "1.4.0"),
            (&["acme:log <1.4"], "1.2.0"),
            (&["acme:log ^1", "acme:log <1.3"], "1.2.0"),
            (&["acme:log ^2.0.0-rc"], "2.0.0-rc.1"),
            (&["acme:log *", "acme:log >=2.0.0-rc"], "2.0.0-rc.1"),
        ] {
            let case = Case::new(demands).listed("acme:log", "1.2.0 2.0.0-rc.1 0.9.0 1.4.0");
            let expected: Vec<String> = demands.iter().map(|demand| format!("{demand} -> {expected}")).collect();
            assert_eq!(case.resolve(), Ok(expected));
        }
    }

    #[test]
    fn any_version_may_be_a_prerelease_where_there_is_no_release() {
        let case = Case::new(&["acme:log *"]).listed("acme:log", "0.1.0-a 0.1.0-b");
        assert_eq!(case.resolve(), Ok(vec!["acme:log * -> 0.1.0-b".to_owned()]));
        let case = Case::new(&["acme:log ^0.1"]).listed("acme:log", "0.1.0-a 0.1.0-b");
        assert!(case.resolve().is_err(), "by semver's rules, a range without a pre-release has none");
    }

    #[test]
    fn exact_demands_stand_side_by_side_and_leave_open_ones_alone() {
        let case = Case::new(&["acme:log @0.2.0", "acme:log @0.2.3", "acme:log >=0.3", "acme:log @0.2.0"])
            .listed("acme:log", "0.2.0 0.2.3 0.3.0");
        let expected = ["acme:log @0.2.0 -> 0.2.0", "acme:log @0.2.3 -> 0.2.3", "acme:log >=0.3 -> 0.3.0"];
        assert_eq!(case.resolve(), Ok(expected.map(String::from).to_vec()));
    }

    #[test]
    fn a_version_that_is_demanded_exactly_goes_before_one_that_is_locked_and_that_before_the_newest() {
        for (locked, demands, expected) in [
            ("1.0.0", &["acme:log @1.1.0", "acme:log *"][..], "1.1.0"),
            ("1.0.0", &["acme:log @1.0.0", "acme:log @1.1.0", "acme:log *"], "1.0.0"),
            ("1.0.0", &["acme:log @1.1.0", "acme:log <1.1"], "1.0.0"),
            ("1.0.0", &["acme:log @1.1.0", "acme:log >=1.1"], "1.1.0"),
            ("1.0.0", &["acme:log @1.1.0", "acme:log >=1.2"], "1.3.0"),
            ("", &["acme:log @1.1.0", "acme:log *"], "1.1.0"),
            ("", &["acme:log @1.1.0", "acme:log @1.2.0", "acme:log *"], "1.2.0"),
            ("1.0.0 1.2.0", &["acme:log *"], "1.2.0"),
            ("1.0.5", &["acme:log *"], "1.0.5"),
        ] {
            let case = Case::new(demands).listed("acme:log", "1.0.0 1.1.0 1.2.0 1.3.0").locked("acme:log", locked);
            let choices = case.resolve().unwrap();
            let open = demands.last().unwrap();
            assert_eq!(choices.last(), Some(&format!("{open} -> {expected}")), "{locked} {demands:?}");
        }
    }

    #[test]
    fn what_no_registry_was_asked_for_is_taken_from_the_lock_or_at_its_word() {
        let case = Case::new(&["acme:log @1.1.0", "wasi:io *", "wasi:io @0.2.3", "wasi:cli ^0.2"])
            .locked("wasi:cli", "0.2.0 0.3.0");
        let expected =
            ["acme:log @1.1.0 -> 1.1.0", "wasi:io * -> 0.2.3", "wasi:io @0.2.3 -> 0.2.3", "wasi:cli ^0.2 -> 0.2.0"];
        assert_eq!(case.resolve(), Ok(expected.map(String::from).to_vec()));
    }

    #[test]
    fn versions_with_other_build_metadata_are_others() {
        let case = Case::new(&["acme:log @1.0.0+a", "acme:log @1.0.0+b", "acme:log =1.0.0"])
            .listed("acme:log", "1.0.0+a 1.0.0+b 1.0.0+c")
            .locked("acme:log", "1.0.0+a");
        let expected = ["acme:log @1.0.0+a -> 1.0.0+a", "acme:log @1.0.0+b -> 1.0.0+b", "acme:log =1.0.0 -> 1.0.0+a"];
        assert_eq!(case.resolve(), Ok(expected.map(String::from).to_vec()));
        let case = Case::new(&["acme:log @1.0.0"]).listed("acme:log", "1.0.0+a");
        assert!(case.resolve().is_err());
    }

    #[test]
    fn what_is_here_meets_all_demands_but_those_on_another_version() {
        let case = Case::new(&["acme:log *", "acme:log ^7", "acme:log @0.2.0", "acme:free *"])
            .listed("acme:log", "9.0.0")
            .here("../log", "acme:log@0.2.0", &["wasi:io @0.2.3"])
            .here("../free", "acme:free", &[]);
        let expected = [
            "acme:log * -> 0.2.0 in ../log",
            "acme:log ^7 -> 0.2.0 in ../log",
            "acme:log @0.2.0 -> 0.2.0 in ../log",
            "acme:free * -> ../free",
            "wasi:io @0.2.3 -> 0.2.3",
        ];
        assert_eq!(case.resolve(), Ok(expected.map(String::from).to_vec()));
    }

    #[test]
    fn of_several_that_are_here_the_newest_release_meets_open_demands() {
        let case = Case::new(&["acme:log *", "acme:log @0.1.0"])
            .here("a", "acme:log@0.2.0", &[])
            .here("b", "acme:log@0.3.0-rc.1", &[])
            .here("c", "acme:log", &[])
            .here("d", "acme:log@0.1.0", &[]);
        let expected = ["acme:log * -> 0.2.0 in a", "acme:log @0.1.0 -> 0.1.0 in d"];
        assert_eq!(case.resolve(), Ok(expected.map(String::from).to_vec()));
    }

    #[test]
    fn a_registry_is_asked_only_for_what_nothing_else_tells() {
        let unlisted = |case: Case| {
            let problem = case.problem();
            problem.unlisted().into_iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        for (case, expected) in [
            (Case::new(&["acme:log @1.0.0"]), ""),
            (Case::new(&["acme:log *"]), "acme:log"),
            (Case::new(&["acme:log *", "acme:log @1.0.0"]), ""),
            (Case::new(&["acme:log ^2", "acme:log @1.0.0"]), "acme:log"),
            (Case::new(&["acme:log ^1"]).locked("acme:log", "1.0.0"), ""),
            (Case::new(&["acme:log ^1", "acme:log >=1.1"]).locked("acme:log", "1.0.0"), "acme:log"),
            (Case::new(&["acme:log ^1"]).listed("acme:log", ""), ""),
            (Case::new(&["acme:log ^1", "wasi:io *"]).here("../log", "acme:log", &[]), "wasi:io"),
        ] {
            assert_eq!(unlisted(case), expected);
        }
    }

    #[test]
    fn a_cycle_is_no_conflict() {
        let case = Case::new(&["acme:log *"]).here("../log", "acme:log@0.2.0", &["acme:app *"]);
        let expected = "packages need each other in a circle: acme:app -> acme:log -> acme:app";
        assert_eq!(case.resolve(), Err(expected.to_owned()));
    }

    #[test]
    fn many_demands_are_met_in_time() {
        let versions: Vec<String> = (0..500).map(|minor| format!("1.{minor}.0")).collect();
        let demands: Vec<String> = (0..300).map(|minor| format!("acme:log >=1.{minor}")).collect();
        let demands: Vec<&str> = demands.iter().map(String::as_str).collect();
        let case = Case::new(&demands).listed("acme:log", &versions.join(" "));
        assert_eq!(case.resolve().unwrap().last().unwrap(), "acme:log >=1.299 -> 1.499.0");
        let demands = [demands, vec!["acme:log <1.100"]].concat();
        let case = Case::new(&demands).listed("acme:log", &versions.join(" "));
        let told = case.resolve().unwrap_err();
        assert_eq!(told.matches("needs").count(), 2, "of 301 demands, the two that clash are told: {told}");
    }

    /// Chooses by trying all versions.
    fn oracle(demands: &[Requirement], versions: &[Version], locked: Option<&Version>) -> Option<Vec<Version>> {
        let is_exact = |version: &Version| demands.contains(&Requirement::Exactly(version.clone()));
        let meets_all = |version: &&Version| {
            let mut open = demands.iter().filter(|demand| matches!(demand, Requirement::Open(_)));
            open.all(|demand| demand.is_met_by(version))
        };
        let mut there = versions.to_vec();
        there.extend(locked.cloned());
        there.sort();
        let will_do: Vec<&Version> = there.iter().filter(meets_all).collect();
        let newest = |versions: Vec<&Version>| crate::newest(versions).cloned();
        let will_do_exactly: Vec<&Version> = will_do.iter().copied().filter(|version| is_exact(version)).collect();
        let of_locked = |versions: &[&Version]| locked.filter(|locked| versions.contains(locked)).cloned();
        let open = of_locked(&will_do_exactly)
            .or_else(|| newest(will_do_exactly.clone()))
            .or_else(|| of_locked(&will_do))
            .or_else(|| newest(will_do.clone()));
        let one = |demand: &Requirement| match demand {
            Requirement::Exactly(version) => there.contains(version).then(|| version.clone()),
            Requirement::Open(_) => open.clone(),
        };
        demands.iter().map(one).collect()
    }

    fn any_version() -> impl Strategy<Value = Version> {
        "[01]\\.[0-2]\\.[0-2](-[ab])?".prop_map(|text| text.parse().unwrap())
    }

    fn any_requirement() -> impl Strategy<Value = Requirement> {
        "@[01]\\.[0-2]\\.[0-2](-[ab])?|(\\^|~|=|>|>=|<|<=)[01]\\.[0-2](\\.[0-2](-[ab])?)?|\\*"
            .prop_map(|text| requirement(&text))
    }

    proptest! {
        #[test]
        fn it_chooses_what_trying_all_versions_would(
            demands in proptest::collection::vec(any_requirement(), 1..5),
            versions in proptest::collection::vec(any_version(), 0..8),
            locked in proptest::option::of(any_version()),
        ) {
            let name: PackageName = "acme:log".parse().unwrap();
            let to_demand = |requirement: &Requirement| Demand {
                package: name.clone(), requirement: requirement.clone(), place: None,
            };
            let requirer = |number: usize, requirement: &Requirement| Requirer {
                package: Some(format!("acme:app{number}").parse().unwrap()),
                label: format!("app{number}"),
                demands: vec![to_demand(requirement)],
            };
            let problem = Problem {
                requirers: demands.iter().enumerate().map(|(number, demand)| requirer(number, demand)).collect(),
                versions: BTreeMap::from([(name.clone(), versions.clone())]),
                locked: BTreeMap::from([(name.clone(), locked.iter().cloned().collect())]),
            };
            match (problem.resolve(), oracle(&demands, &versions, locked.as_ref())) {
                (Ok(choices), Some(expected)) => for (demand, version) in demands.iter().zip(expected) {
                    let choice = choices.iter().find(|choice| choice.requirement == *demand).unwrap();
                    prop_assert_eq!(&choice.taken, &Taken::Version(version));
                },
                (Err(Unresolvable::Conflict(conflict)), None) => {
                    // What is told is a conflict by itself, and no demand in it could be left out.
                    let told: Vec<Requirement> = conflict.demands.iter().map(|it| it.requirement.clone()).collect();
                    prop_assert!(oracle(&told, &versions, locked.as_ref()).is_none(), "{}", conflict);
                    for left_out in 0..told.len() {
                        let mut rest = told.clone();
                        rest.remove(left_out);
                        prop_assert!(oracle(&rest, &versions, locked.as_ref()).is_some(), "{}", conflict);
                    }
                }
                (found, expected) => prop_assert!(false, "{found:?}, expected {expected:?}"),
            }
        }
    }
}
