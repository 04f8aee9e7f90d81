//! `cargo xtask peers`: checks Wharf against the registries, clients and hosts of others.
//!
//! It starts Debian's `docker-registry` and `containerd`, and `wharf hub`, on free ports and folders of this machine,
//! lets `wharf`, `wkg` and `skopeo` push, copy and read the same small component there, and `wharf` and `wkg` fetch the
//! same WIT packages, has `containerd` and `podman` take the archives that `wharf` packs, and Envoy run a filter out of a
//! registry, and compares what it deploys with the schemas of hosts. It prints a line for each check. A foreign part
//! that is missing is installed where that can be done; else the checks that need it are skipped, and with `CI=true`
//! that is a failure.

mod checks;
mod containerd;
mod envoy;
pub(crate) mod part;
mod schemas;
mod world;

use std::path::Path;

use crate::Verdict;
use crate::binary::{Profile, build};
use crate::error::{Error, chain};
use checks::Failure;
use world::World;

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// A part that it needs is missing.
    Skipped,
}

/// What to make of a missing part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Skips,
    Fails,
}

pub(crate) fn run(root: &Path) -> Result<Verdict, Error> {
    let wharf = build(root, Profile::Debug)?;
    let world = World::start(wharf, part::Parts::obtain(root))?;
    let outcomes: Vec<_> = checks::all().map(|check| report(check.name, &(check.run)(&world))).collect();
    println!("{}", summary(&outcomes));
    let missing = if std::env::var_os("CI").is_some_and(|ci| ci == "true") { Missing::Fails } else { Missing::Skips };
    Ok(verdict(&outcomes, missing))
}

fn report(name: &str, result: &Result<(), Failure>) -> Outcome {
    match result {
        Ok(()) => {
            println!("ok {name}");
            Outcome::Passed
        }
        Err(failure @ Failure::Missing { .. }) => {
            println!("skipped {name}: {failure}");
            Outcome::Skipped
        }
        Err(failure) => {
            println!("FAILED {name}: {}", chain(failure));
            Outcome::Failed
        }
    }
}

fn summary(outcomes: &[Outcome]) -> String {
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    let skipped = match count(Outcome::Skipped) {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    format!("{} passed, {} failed{skipped}", count(Outcome::Passed), count(Outcome::Failed))
}

fn verdict(outcomes: &[Outcome], missing: Missing) -> Verdict {
    let is_bad = |outcome: &Outcome| match outcome {
        Outcome::Passed => false,
        Outcome::Failed => true,
        Outcome::Skipped => missing == Missing::Fails,
    };
    if outcomes.iter().any(is_bad) { Verdict::Bad } else { Verdict::Good }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_part_fails_where_that_was_asked_for() {
        let skipped = [Outcome::Passed, Outcome::Skipped];
        assert_eq!(verdict(&skipped, Missing::Skips), Verdict::Good);
        assert_eq!(verdict(&skipped, Missing::Fails), Verdict::Bad);
        assert_eq!(verdict(&[Outcome::Passed, Outcome::Failed], Missing::Skips), Verdict::Bad);
        assert_eq!(verdict(&[Outcome::Passed], Missing::Fails), Verdict::Good);
    }

    #[test]
    fn the_summary_counts() {
        assert_eq!(summary(&[Outcome::Passed, Outcome::Failed, Outcome::Passed]), "2 passed, 1 failed");
        assert_eq!(summary(&[Outcome::Skipped]), "0 passed, 0 failed, 1 skipped");
    }
}
