//! The versions of the packages that another package uses.

use std::collections::BTreeMap;

use semver::Version;
use wit_parser::{PackageId, PackageName, Resolve};

use super::{Comparer, Pair, Rule, Told, pairs};

impl Comparer<'_> {
    /// Compares the versions of what two packages use, where they are compatible; where they are not, the types and the
    /// imports are others.
    pub(super) fn dependencies(&mut self, old: PackageId, new: PackageId) {
        let (old, new) = (used(self.old.resolve, old), used(self.new.resolve, new));
        for (track, pair) in pairs(&by_track(&old), &by_track(&new)) {
            let Pair::Kept(old, new) = pair else { continue };
            let rule = match new.cmp_precedence(old) {
                std::cmp::Ordering::Greater => Rule::DependencyRaised,
                std::cmp::Ordering::Less => Rule::DependencyLowered,
                std::cmp::Ordering::Equal => continue,
            };
            let name = track.rsplit_once('@').map_or(track.as_str(), |(name, _)| name);
            let told = Told { old: Some(old.to_string()), new: Some(new.to_string()), place: None };
            self.report(rule, format!("dependency {name}"), told);
        }
    }
}

/// Returns the packages that a package uses: the highest version of each series of compatible ones.
fn used(resolve: &Resolve, package: PackageId) -> BTreeMap<String, Version> {
    let mut used = BTreeMap::new();
    for id in resolve.package_direct_deps(package) {
        let PackageName { namespace, name, version } = &resolve.packages[id].name;
        let Some(version) = version else { continue };
        let (track, _) = PackageName::version_compat_track_string(version);
        let highest = used.entry(format!("{namespace}:{name}@{track}")).or_insert_with(|| version.clone());
        if version > highest {
            *highest = version.clone();
        }
    }
    used
}

fn by_track(used: &BTreeMap<String, Version>) -> Vec<(String, &Version)> {
    used.iter().map(|(track, version)| (track.clone(), version)).collect()
}
