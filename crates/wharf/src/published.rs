//! What is published of a package, and what a version of it has to fit in with.
//!
//! ```text
//!   1.0.0   1.1.0   1.1.1-rc.1   [1.1.1]   1.2.0   2.0.0
//!             └── compared ──────────┴───────┘
//! ```
//!
//! A version promises to the newest release below it, and the oldest release above it to that version, as far as they
//! are compatible by their numbers. A pre-release promises nothing, and counts where there is no release below.

use wharf_client::Error as ClientError;
use wharf_package::{PackageName, Version, exactly};
use wharf_wit::{Document, Resolved, merge};

use crate::Cause;
use crate::blocking::blocking;
use crate::diff::{DiffOutcome, DiffSide};
use crate::package_source::{Brought, PackageSource, Wanted};

/// A version of a package that is not published, or not known to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offered<'a> {
    pub(crate) name: &'a PackageName,
    pub(crate) version: &'a Version,
    /// The file or the folder that it is in.
    pub(crate) target: &'a str,
    pub(crate) resolved: &'a Resolved,
}

impl PackageSource<'_> {
    /// Lists the versions that are published of a package, of which there may be none yet.
    pub(crate) async fn published(&self, package: &PackageName) -> Result<Vec<Version>, Cause> {
        match self.versions(package, &[]).await {
            Err(Cause::Package { source, .. }) if matches!(source.client(), Some(ClientError::NotFound { .. })) => {
                Ok(Vec::new())
            }
            versions => versions,
        }
    }

    /// Brings a version that is published.
    pub(crate) async fn bring_published(&self, package: &PackageName, version: &Version) -> Result<Brought, Cause> {
        let (name, requirement, version) = (package.clone(), exactly(version), version.clone());
        self.bring(&Wanted { name, requirement, version }).await
    }

    /// Compares a version with one that is published: the older one with the newer one.
    pub(crate) async fn compare(&self, offered: Offered<'_>, published: &Version) -> Result<DiffOutcome, Cause> {
        let Offered { name, version, target, resolved } = offered;
        let wasm = self.bring_published(name, published).await?.wasm;
        let label = format!("{name}@{published}");
        let there = blocking({
            let label = label.clone();
            move || Ok::<_, Cause>(merge(Document::decode(&label, &wasm)?, Vec::new())?)
        })
        .await?;
        let side = |target: &str, version: &Version| DiffSide {
            target: target.to_owned(),
            package: name.to_string(),
            version: Some(version.clone()),
        };
        let (there_side, here_side) = (side(&label, published), side(target, version));
        let compared = match published <= version {
            true => DiffOutcome::of([there_side, here_side], (&there, resolved)),
            false => DiffOutcome::of([here_side, there_side], (resolved, &there)),
        };
        Ok(compared?)
    }
}

/// Returns the published versions that `version` has to fit in with: itself, if it is there, else its neighbours.
pub(crate) fn neighbours<'a>(version: &Version, published: &'a [Version]) -> Vec<&'a Version> {
    if let Some(same) = published.iter().find(|it| *it == version) {
        return vec![same];
    }
    let in_range = || published.iter().filter(|it| range(it) == range(version));
    let releases = || in_range().filter(|it| it.pre.is_empty());
    let below = releases().filter(|it| *it < version).max().or_else(|| in_range().filter(|it| *it < version).max());
    let above = releases().filter(|it| *it > version).min();
    below.into_iter().chain(above).collect()
}

/// Returns what versions have in common that are compatible by their numbers.
fn range(version: &Version) -> (u64, u64, u64) {
    match (version.major, version.minor, version.patch) {
        (0, 0, patch) => (0, 0, patch),
        (0, minor, _) => (0, minor, 0),
        (major, _, _) => (major, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_with_its_neighbours_in_the_range() {
        let published = "0.0.1 0.0.2 0.2.0 0.2.2 0.3.0-rc.1 1.0.0 1.1.0 1.2.0-rc.1 1.3.0 2.0.0-rc.1 2.0.0-rc.2 4.0.0+a";
        let published: Vec<Version> = published.split(' ').rev().map(|text| text.parse().unwrap()).collect();
        for (version, expected) in [
            ("0.0.2", "0.0.2"),
            ("0.0.3", ""),
            ("0.1.0", ""),
            ("0.2.1", "0.2.0 0.2.2"),
            ("0.2.3", "0.2.2"),
            ("0.3.0", "0.3.0-rc.1"),
            ("1.0.0-rc.1", "1.0.0"),
            ("1.0.0+build", "1.0.0 1.1.0"),
            ("1.2.0-rc.1", "1.2.0-rc.1"),
            ("1.2.0-rc.2", "1.1.0 1.3.0"),
            ("1.2.0", "1.1.0 1.3.0"),
            ("1.9.0", "1.3.0"),
            ("2.0.0", "2.0.0-rc.2"),
            ("3.0.0", ""),
            ("4.0.0", "4.0.0+a"),
        ] {
            let found: Vec<_> =
                neighbours(&version.parse().unwrap(), &published).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), expected, "{version}");
        }
    }
}
