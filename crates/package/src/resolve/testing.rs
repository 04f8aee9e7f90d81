//! Problems in short, for tests: `acme:log ^1 wkg.toml` is a demand, with the place it is written at.

use super::{Choice, Demand, Problem, Requirement, Requirer, Taken};

/// A problem in the making: the package `acme:app`, which demands, and what there is.
pub(super) struct Case(Problem);

impl Case {
    pub(super) fn new(demands: &[&str]) -> Self {
        let app = requirer("acme:app", demands);
        Self(Problem { requirers: vec![app], ..Problem::default() })
    }

    pub(super) fn here(mut self, label: &str, package: &str, demands: &[&str]) -> Self {
        self.0.requirers.push(Requirer { label: label.to_owned(), ..requirer(package, demands) });
        self
    }

    pub(super) fn listed(mut self, package: &str, versions: &str) -> Self {
        let versions = versions.split_whitespace().map(|version| version.parse().unwrap()).collect();
        self.0.versions.insert(package.parse().unwrap(), versions);
        self
    }

    pub(super) fn locked(mut self, package: &str, versions: &str) -> Self {
        let versions = versions.split_whitespace().map(|version| version.parse().unwrap()).collect();
        self.0.locked.insert(package.parse().unwrap(), versions);
        self
    }

    pub(super) fn problem(self) -> Problem {
        self.0
    }

    /// Returns the choices, each as `acme:log ^1 -> 1.2.0`.
    pub(super) fn resolve(&self) -> Result<Vec<String>, String> {
        let choices = self.0.resolve().map_err(|error| error.to_string())?;
        Ok(choices.into_iter().map(shown).collect())
    }
}

fn shown(Choice { package, requirement, taken }: Choice) -> String {
    let at = if matches!(requirement, Requirement::Exactly(_)) { "@" } else { "" };
    let taken = match taken {
        Taken::Version(version) => version.to_string(),
        Taken::Here { label, version: Some(version) } => format!("{version} in {label}"),
        Taken::Here { label, version: None } => label,
    };
    format!("{package} {at}{requirement} -> {taken}")
}

/// Makes a package that is here, which is labelled as itself.
pub(super) fn requirer(package: &str, demands: &[&str]) -> Requirer {
    let demands = demands.iter().map(|demand| self::demand(demand)).collect();
    Requirer { package: Some(package.parse().unwrap()), label: package.to_owned(), demands }
}

fn demand(text: &str) -> Demand {
    let (package, rest) = text.split_once(' ').unwrap();
    let (written, place) = match rest.rsplit_once(' ') {
        Some((written, place)) if place.contains(".toml") || place.contains(".wit") => (written, Some(place)),
        _ => (rest, None),
    };
    Demand { package: package.parse().unwrap(), requirement: requirement(written), place: place.map(ToOwned::to_owned) }
}

/// Reads `@1.0.0` as a version, all else as a range.
pub(super) fn requirement(text: &str) -> Requirement {
    match text.strip_prefix('@') {
        Some(version) => Requirement::Exactly(version.parse().unwrap()),
        None => Requirement::Open(text.parse().unwrap()),
    }
}
