//! Why demands on a package cannot be met, in words.

use std::fmt;

use semver::{Version, VersionReq};

use super::Requirement;
use crate::PackageName;

/// How many versions are told of what there is.
const VERSIONS_TOLD_MAX: usize = 10;

/// Demands on a package that no version meets: one, or several that none meets together.
///
/// Of all demands, it has those that the proof rests on. Displayed, it is one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Conflict {
    /// The package.
    pub package: PackageName,
    /// The demands, in their order.
    pub demands: Vec<Demanded>,
    /// What there is of it.
    pub supply: Supply,
}

/// A demand, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demanded {
    /// What people know the one by who demands.
    pub label: String,
    /// What is demanded.
    pub requirement: Requirement,
    /// Where that is written.
    pub place: Option<String>,
}

/// What there is of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supply {
    /// It is here: what people know it by, and its version, where it says one.
    Here(Vec<(String, Option<Version>)>),
    /// These versions, the newest first; it is not here.
    Listed(Vec<Version>),
    /// These versions, as far as is known without asking its registry.
    Unlisted(Vec<Version>),
}

impl Conflict {
    /// Tells it in lines: who demands what, and what there is.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let demands: Vec<String> = self.demands.iter().map(|demanded| self.needs(demanded)).collect();
        let mut lines = vec![listed(&demands)];
        lines.push(match &self.supply {
            Supply::Here(here) => {
                listed(&here.iter().map(|(label, version)| self.is(label, version)).collect::<Vec<_>>())
            }
            Supply::Listed(versions) if versions.is_empty() => format!("`{}` has no versions", self.package),
            Supply::Listed(versions) => format!("{}{}", self.none(), few(versions)),
            Supply::Unlisted(versions) if versions.is_empty() => {
                format!("no version of `{}` is known, and its registry was not asked", self.package)
            }
            Supply::Unlisted(versions) => {
                format!("`{}` has {}, as far as is known; its registry was not asked", self.package, few(versions))
            }
        });
        lines
    }

    fn needs(&self, Demanded { label, requirement, place }: &Demanded) -> String {
        let place = place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
        match requirement {
            Requirement::Open(requirement) if *requirement == VersionReq::STAR => {
                format!("`{label}` needs `{}`{place}", self.package)
            }
            requirement => format!("`{label}` needs `{}` {requirement}{place}", self.package),
        }
    }

    fn is(&self, label: &str, version: &Option<Version>) -> String {
        match version {
            Some(version) => format!("`{label}` is `{}` {version}", self.package),
            None => format!("`{label}` is `{}` without a version", self.package),
        }
    }

    /// Says that there is no such version, and begins to say which there are.
    fn none(&self) -> String {
        let package = &self.package;
        match &self.demands[..] {
            [Demanded { requirement: Requirement::Exactly(version), .. }] => {
                format!("there is no version {version} of `{package}`: it has ")
            }
            [Demanded { requirement, .. }] => format!("no version of `{package}` meets `{requirement}`: it has "),
            _ => format!("`{package}` has "),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.lines().join("; "))
    }
}

/// Joins phrases: `one`, `one, and two`, `one, two, and three`.
fn listed(phrases: &[String]) -> String {
    match phrases {
        [first @ .., last] if !first.is_empty() => format!("{}, and {last}", first.join(", ")),
        _ => phrases.concat(),
    }
}

/// Tells the first few of many versions.
fn few(versions: &[Version]) -> String {
    let told: Vec<String> = versions.iter().take(VERSIONS_TOLD_MAX).map(ToString::to_string).collect();
    match versions.len().saturating_sub(VERSIONS_TOLD_MAX) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::resolve::testing::Case;

    const VERSIONS: &str = "0.9.0 1.0.0 1.2.0";

    fn told(case: Case) -> String {
        match case.problem().resolve() {
            Err(crate::resolve::Unresolvable::Conflict(conflict)) => conflict.lines().join("\n"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn demands_that_clash_are_told_with_what_there_is() {
        let case = Case::new(&["acme:log ^2 wkg.toml", "acme:log * wit/world.wit:4:10"])
            .here("../lib", "acme:lib", &["acme:log <2 ../lib/wkg.toml"])
            .listed("acme:log", "0.9.0 1.0.0 2.2.0");
        assert_eq!(
            told(case),
            "`acme:app` needs `acme:log` ^2 (wkg.toml), and `../lib` needs `acme:log` <2 (../lib/wkg.toml)\n\
             `acme:log` has 2.2.0, 1.0.0, 0.9.0"
        );
    }

    #[test]
    fn three_demands_may_clash_where_no_two_do() {
        let case = Case::new(&["acme:log >=1"])
            .here("a", "acme:a", &["acme:log >=1.1.0-rc"])
            .here("b", "acme:b", &["acme:log <=1.1.0-rc"])
            .listed("acme:log", "1.0.0 1.1.0-rc 1.2.0");
        assert_eq!(
            told(case),
            "`acme:app` needs `acme:log` >=1, `a` needs `acme:log` >=1.1.0-rc, and `b` needs `acme:log` <=1.1.0-rc\n\
             `acme:log` has 1.2.0, 1.1.0-rc, 1.0.0"
        );
    }

    #[test]
    fn a_demand_that_no_version_meets_is_told_with_those_there_are() {
        let case = Case::new(&["acme:log ^3 wkg.toml"]).listed("acme:log", VERSIONS);
        assert_eq!(
            told(case),
            "`acme:app` needs `acme:log` ^3 (wkg.toml)\n\
             no version of `acme:log` meets `^3`: it has 1.2.0, 1.0.0, 0.9.0"
        );
    }

    #[test]
    fn a_version_that_is_not_there_is_told_with_those_that_are() {
        let case = Case::new(&["acme:log @3.0.0 wit/world.wit:4:10"]).listed("acme:log", VERSIONS);
        assert_eq!(
            told(case),
            "`acme:app` needs `acme:log` 3.0.0 (wit/world.wit:4:10)\n\
             there is no version 3.0.0 of `acme:log`: it has 1.2.0, 1.0.0, 0.9.0"
        );
    }

    #[test]
    fn of_many_versions_the_newest_are_told() {
        let versions: Vec<String> = (0..15).map(|minor| format!("0.{minor}.0")).collect();
        let case = Case::new(&["acme:log ^3"]).listed("acme:log", &versions.join(" "));
        assert_eq!(
            told(case).lines().last().unwrap(),
            "no version of `acme:log` meets `^3`: it has 0.14.0, 0.13.0, 0.12.0, 0.11.0, 0.10.0, 0.9.0, 0.8.0, 0.7.0, \
             0.6.0, 0.5.0 and 5 more"
        );
        let case = Case::new(&["acme:log ^3"]).listed("acme:log", &versions[..10].join(" "));
        assert!(told(case).ends_with("0.1.0, 0.0.0"));
    }

    #[test]
    fn a_package_without_versions_is_told_as_such() {
        let case = Case::new(&["acme:log * wit/world.wit:4:10"]).listed("acme:log", "");
        assert_eq!(told(case), "`acme:app` needs `acme:log` (wit/world.wit:4:10)\n`acme:log` has no versions");
    }

    #[test]
    fn a_package_that_nobody_was_asked_for_is_told_as_such() {
        assert_eq!(
            told(Case::new(&["acme:log *"])),
            "`acme:app` needs `acme:log`\nno version of `acme:log` is known, and its registry was not asked"
        );
        let case = Case::new(&["acme:log ^1 wkg.toml"]).locked("acme:log", "0.9.0");
        assert_eq!(
            told(case),
            "`acme:app` needs `acme:log` ^1 (wkg.toml)\n\
             `acme:log` has 0.9.0, as far as is known; its registry was not asked"
        );
    }

    #[test]
    fn what_is_here_in_another_version_is_told_with_its_place() {
        let case = Case::new(&["acme:log @0.2.0 wit/world.wit:4:10"]).here("../log", "acme:log@0.1.0", &[]);
        assert_eq!(told(case), "`acme:app` needs `acme:log` 0.2.0 (wit/world.wit:4:10)\n`../log` is `acme:log` 0.1.0");
        let case =
            Case::new(&["acme:log @0.2.0"]).here("../log", "acme:log", &[]).here("wit/deps/log", "acme:log@0.1.0", &[]);
        assert_eq!(
            told(case),
            "`acme:app` needs `acme:log` 0.2.0\n\
             `../log` is `acme:log` without a version, and `wit/deps/log` is `acme:log` 0.1.0"
        );
    }

    #[test]
    fn displayed_it_is_one_line() {
        let case = Case::new(&["acme:log ^3"]).listed("acme:log", "1.0.0");
        let line = "`acme:app` needs `acme:log` ^3; no version of `acme:log` meets `^3`: it has 1.0.0";
        assert_eq!(case.resolve(), Err(line.to_owned()));
    }
}
