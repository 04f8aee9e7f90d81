//! The checks. Each pushes what it needs to repositories of its own, so that they do not depend on one another.

mod archives;
mod deployments;
mod hosts;
mod packages;
mod registries;
mod running;

use std::fmt::Debug;
use std::path::Path;

use serde_json::Value;

use super::world::{Registry, World};
use crate::error::Error;

/// A claim about Wharf and a peer.
pub(crate) struct Check {
    /// What is claimed.
    pub(crate) name: &'static str,
    pub(crate) run: fn(&World) -> Result<(), Failure>,
}

/// Why a claim does not hold, or cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Failure {
    /// A part that the check needs is not there.
    #[error("{part} is missing")]
    Missing { part: &'static str },
    /// Something is another than it should be.
    #[error("{what} is {actual}, and should be {expected}")]
    Differs { what: String, expected: String, actual: String },
    /// A program printed something else than JSON.
    #[error("{what} is not JSON")]
    Json { what: &'static str, source: serde_json::Error },
    /// A program could not be run, or failed.
    #[error(transparent)]
    Task(#[from] Error),
}

/// Returns all checks, by topic.
pub(crate) fn all() -> impl Iterator<Item = &'static Check> {
    [registries::CHECKS, archives::CHECKS, packages::CHECKS, hosts::CHECKS, deployments::CHECKS, running::CHECKS]
        .into_iter()
        .flatten()
}

fn pulled_is_the_component(world: &World, reference: &str) -> Result<(), Failure> {
    let file = world.file("pulled.wasm");
    world.wharf(&["pull", reference, "-o", &file.to_string_lossy(), "--force"])?;
    is_the_component(world, &file)
}

fn is_the_component(world: &World, file: &Path) -> Result<(), Failure> {
    let bytes = read(file)?;
    same(&format!("whether {} holds the component", file.display()), &true, &(bytes == world.component()))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    Ok(std::fs::read(file).map_err(|source| Error::File { path: file.to_owned(), source })?)
}

fn inspect(world: &World, reference: &str) -> Result<Value, Failure> {
    json("what wharf inspect prints", &world.wharf(&["inspect", reference, "--json"])?)
}

fn reference(world: &World, registry: Registry, name: &str) -> Result<String, Failure> {
    Ok(format!("{}/{name}", world.registry(registry)?.address()))
}

/// Returns what stands behind the `@` of a reference.
fn digest_in(reference: &str) -> &str {
    reference.rsplit_once('@').map_or("", |(_, digest)| digest)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn json(what: &'static str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|source| Failure::Json { what, source })
}

fn same<T: PartialEq + Debug + ?Sized>(what: &str, expected: &T, actual: &T) -> Result<(), Failure> {
    if expected == actual {
        return Ok(());
    }
    let (expected, actual) = (format!("{expected:?}"), format!("{actual:?}"));
    Err(Failure::Differs { what: what.to_owned(), expected, actual })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_check_has_its_own_name() {
        let names: HashSet<_> = all().map(|check| check.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn a_difference_says_what_was_expected() {
        assert!(same("the digest", "a", "a").is_ok());
        let failure = same("the digest", "sha256:a", "sha256:b").unwrap_err();
        assert_eq!(failure.to_string(), r#"the digest is "sha256:b", and should be "sha256:a""#);
    }

    #[test]
    fn the_digest_of_a_reference_stands_behind_its_at() {
        assert_eq!(digest_in("127.0.0.1:5000/acme/hello@sha256:12"), "sha256:12");
        assert_eq!(digest_in("127.0.0.1:5000/acme/hello:1"), "");
    }

    #[test]
    fn text_that_is_no_json_is_a_failure() {
        assert_eq!(text(&json("it", r#"{"digest":"sha256:1"}"#).unwrap(), "digest"), "sha256:1");
        assert_eq!(json("it", "no").unwrap_err().to_string(), "it is not JSON");
    }
}
