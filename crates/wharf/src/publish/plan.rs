//! Whether a package may be published, and where.

use wharf_client::Client;
use wharf_oci::{Digest, Reference};
use wharf_package::{LocalHome, PackageName, PackageSpec, Version};
use wharf_wit::compare::Bump;

use super::offer::Offer;
use super::{BreakPolicy, Duplicates, PublishOptions};
use crate::diff::DiffOutcome;
use crate::package::Package;
use crate::package_source::{PackagePlace, PackageSource, Remote};
use crate::packing::Packing;
use crate::published::{Offered, neighbours};
use crate::wasm_file::WasmFile;
use crate::{Cause, Description, Form, PackageFault};

/// The annotation with the version, which a tag cannot always hold.
const VERSION: &str = "org.opencontainers.image.version";

/// A package that may be published.
pub(super) struct Plan {
    pub(super) name: PackageName,
    pub(super) version: Version,
    pub(super) digest: Digest,
    pub(super) step: Step,
}

/// What is to be done with a package.
pub(super) enum Step {
    /// It goes to a repository.
    Push { repository: Reference, client: Client, package: Box<Package> },
    /// It goes to a folder.
    Write { folder: LocalHome, file: Box<WasmFile> },
    /// It is there already.
    Skip { reference: String, is_other: bool },
}

impl Plan {
    /// Looks for the version in the registry, and compares it with its neighbours there.
    pub(super) async fn new(source: &PackageSource<'_>, options: &PublishOptions, offer: Offer) -> Result<Self, Cause> {
        let published = source.published(&offer.name).await?;
        let place = source.place(&offer.name).await?;
        let digest = offer.file.wasm.digest.clone();
        let (name, version) = (offer.name.clone(), offer.version.clone());
        let step = if published.contains(&version) {
            skip(source, &place, &offer, options.duplicates).await?
        } else {
            if options.breaks == BreakPolicy::Refuse {
                check_breaks(source, &offer, &published).await?;
            }
            match place {
                PackagePlace::Folder(folder) => Step::Write { folder, file: Box::new(offer.file) },
                PackagePlace::Remote(Remote { repository, client, .. }) => {
                    let package = Box::new(pack(offer, options).await?);
                    Step::Push { repository, client, package }
                }
            }
        };
        Ok(Self { name, version, digest, step })
    }

    /// Returns where the package goes, or is.
    pub(super) fn place(&self) -> String {
        match &self.step {
            Step::Push { repository, .. } => repository.to_string(),
            Step::Write { folder, .. } => folder.package_folder(&self.name).display().to_string(),
            Step::Skip { reference, .. } => reference.clone(),
        }
    }

    /// Returns the package with its version.
    pub(super) fn spec(&self) -> PackageSpec {
        PackageSpec { name: self.name.clone(), version: Some(self.version.clone()) }
    }
}

/// Says what of a version is there already, where that is no error.
async fn skip(
    source: &PackageSource<'_>,
    place: &PackagePlace,
    offer: &Offer,
    duplicates: Duplicates,
) -> Result<Step, Cause> {
    let Offer { path, name, version, file, resolved, .. } = offer;
    let content = source.bring_published(name, version).await?.content;
    let is_same = match resolved {
        _ if content.wasm == file.wasm.digest => true,
        // What another tool, or another version of this one, has built of the same WIT is the same package.
        Some(resolved) if resolved.world().is_none() => {
            let target = path.display().to_string();
            let compared = source.compare(Offered { name, version, target: &target, resolved }, version).await?;
            compared.changes.is_empty()
        }
        _ => false,
    };
    match duplicates {
        Duplicates::Refuse => {
            let (package, version, place) = (name.clone(), version.clone(), place.shown(name));
            Err(PackageFault::Published { package, version, place, is_same }.into())
        }
        Duplicates::Skip => {
            let reference = match (place, content.manifest) {
                (PackagePlace::Remote(remote), Some(manifest)) => remote.repository.with_digest(manifest).to_string(),
                (PackagePlace::Remote(remote), None) => remote.repository.to_string(),
                (PackagePlace::Folder(folder), _) => folder.version_file(name, version).display().to_string(),
            };
            Ok(Step::Skip { reference, is_other: !is_same })
        }
    }
}

/// Fails where a version breaks who uses an older one that it counts as compatible with, or is broken so by a newer one.
async fn check_breaks(source: &PackageSource<'_>, offer: &Offer, published: &[Version]) -> Result<(), Cause> {
    let Offer { path, name, version, resolved, .. } = offer;
    let Some(resolved) = resolved else { return Ok(()) };
    let target = path.display().to_string();
    let offered = Offered { name, version, target: &target, resolved };
    for published in neighbours(version, published) {
        let DiffOutcome { old, new, changes, bump, least_version, compatible } =
            source.compare(offered, published).await?;
        let (Some(older), Some(newer), Some(least_version)) = (old.version, new.version, least_version) else {
            continue;
        };
        if bump == Bump::Major && !compatible {
            let changes = changes.into_iter().filter(|change| change.bump == Bump::Major).collect();
            let (package, published) = (name.clone(), published.clone());
            return Err(PackageFault::Breaking { package, older, newer, published, least_version, changes }.into());
        }
    }
    Ok(())
}

/// Packs a package as the artifact that is published.
async fn pack(offer: Offer, options: &PublishOptions) -> Result<Package, Cause> {
    let Offer { version, file, .. } = offer;
    let annotations = [(VERSION.to_owned(), version.to_string())].into();
    let description = &Description { annotations, created: options.created, ..Description::default() };
    let (entrypoint, scratch) = (file.name.clone(), options.scratch.as_path());
    let (form, files, extra) = (Form::Artifact, vec![file], Vec::new());
    Packing { form, files, extra, entrypoint, description, scratch }.pack().await
}

impl PackagePlace {
    /// Returns what has the versions of a package.
    pub(super) fn shown(&self, package: &PackageName) -> String {
        match self {
            Self::Folder(folder) => folder.package_folder(package).display().to_string(),
            Self::Remote(remote) => remote.repository.to_string(),
        }
    }
}
