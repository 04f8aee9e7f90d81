//! Finds a package and brings it to this machine: from what is kept here, from a folder, or from its registry.
//!
//! ```text
//!   locked? ──yes──> kept here? ──yes────────────────────────────────> Wasm        no request
//!      │no              │no
//!      v                v
//!   home ──> location ──┬─ folder ────────────────────────────────────> Wasm
//!                       └─ OCI ──(tags, where it is open)──> manifest ─> Wasm       compared with the lock
//! ```

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use bytes::Bytes;
use wharf_client::Client;
use wharf_oci::{Descriptor, Digest, Reference, fetch_verified};
use wharf_package::resolve::Requirement;
use wharf_package::{
    Content, Home, LocalHome, Location, Lock, Locked, Origin, PackageName, RegistryName, Version, VersionReq, tag_of,
    version_of_tag,
};
use wharf_wit::limits::WASM_BYTES_MAX;

use crate::blocking::blocking;
use crate::homes::{Homes, Network};
use crate::locate::{Artifact, Choice, locate};
use crate::package_cache::PackageCache;
use crate::place::Place;
use crate::project::{Locks, Needed};
use crate::{Cause, Location as Somewhere};

/// A version of a package that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: PackageName,
    /// What it was chosen for.
    pub(crate) requirement: VersionReq,
    pub(crate) version: Version,
}

/// A package that is here.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    pub(crate) wanted: Wanted,
    pub(crate) registry: RegistryName,
    /// Where its registry keeps it; nothing where that is a folder of this machine.
    pub(crate) repository: Option<Reference>,
    pub(crate) content: Content,
    pub(crate) wasm: Bytes,
    /// Whether a registry was asked for it.
    pub(crate) is_fetched: bool,
}

/// Where packages come from.
#[derive(Debug)]
pub(crate) struct PackageSource<'a> {
    pub(crate) homes: Homes<'a>,
    pub(crate) cache: &'a PackageCache,
    pub(crate) locks: &'a Locks,
    /// The packages that may come from elsewhere than before.
    pub(crate) may_move: &'a [PackageName],
    /// What was brought from here already.
    pub(crate) brought: &'a [Brought],
}

/// Where a package is.
#[derive(Debug)]
pub(crate) enum PackagePlace {
    /// In a folder of this machine.
    Folder(LocalHome),
    /// In a registry.
    Remote(Remote),
}

/// Where a package is in OCI.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) repository: Reference,
    /// The same, or its mirror.
    pub(crate) asked: Reference,
    /// What reaches that.
    pub(crate) client: Client,
}

impl PackagePlace {
    /// Lists the versions of the package.
    pub(crate) async fn versions(&self, package: &PackageName) -> Result<Vec<Version>, Cause> {
        match self {
            Self::Folder(folder) => {
                let path = folder.package_folder(package);
                blocking(move || versions_in(&path)).await
            }
            Self::Remote(remote) => remote.versions().await,
        }
    }

    /// Says where a package was looked for that could not be had there.
    pub(crate) fn explain(&self, cause: Cause, package: &PackageName) -> Cause {
        match self {
            Self::Folder(_) => cause,
            Self::Remote(remote) => in_package(cause, package, &remote.asked),
        }
    }
}

impl Remote {
    /// Opens a version of the package, of which nothing is asked yet.
    pub(crate) async fn open(&self, version: &Version) -> Result<Place, Cause> {
        let tagged = self.asked.clone().with_tag(tag_of(version)?);
        Place::open(&self.client, &Somewhere::Registry(tagged)).await
    }

    /// Finds what is wanted at its place; where it is not there, tells which versions are.
    pub(crate) async fn locate(&self, place: &Place, wanted: &Wanted) -> Result<Artifact, Cause> {
        match locate(place, &Choice::default()).await {
            // The versions say more than the tags that are spelled alike.
            Err(Cause::NoSuchTag { .. }) => Err(no_version(&wanted.name, &wanted.requirement, self.versions().await?)),
            located => located,
        }
    }

    async fn versions(&self) -> Result<Vec<Version>, Cause> {
        let repository = self.client.repository(self.asked.registry(), self.asked.repository());
        Ok(repository.tags().await?.iter().filter_map(version_of_tag).collect())
    }
}

/// What is known of a package before anybody is asked for it.
struct Known<'a> {
    home: Home,
    origin: Option<&'a Origin>,
    /// The lock, if what it has of the package may be taken.
    lock: Option<&'a Lock>,
}

impl Known<'_> {
    /// Returns what was locked for a requirement.
    fn locked(&self, package: &PackageName, requirement: &VersionReq) -> Option<&Locked> {
        let find = |registry| self.lock?.find(package, registry, requirement);
        find(Some(&self.home.registry)).or_else(|| find(None))
    }

    /// Returns what was locked for a version that was chosen, be it for another requirement.
    fn locked_for(&self, wanted: &Wanted) -> Option<&Locked> {
        let is_home = |registry: Option<&RegistryName>| registry.is_none_or(|registry| *registry == self.home.registry);
        let entries = || self.lock.into_iter().flat_map(Lock::entries);
        let of_package = || entries().filter(|(name, registry, _)| **name == wanted.name && is_home(*registry));
        let of_version = of_package().map(|(.., locked)| locked).find(|locked| locked.version == wanted.version);
        // Requirements do not see build metadata, so that one stands for several versions.
        let of_requirement = self.locked(&wanted.name, &wanted.requirement);
        of_requirement.filter(|locked| locked.version == wanted.version).or(of_version)
    }
}

impl PackageSource<'_> {
    /// Returns the version that was locked for what is needed.
    pub(crate) fn locked(&self, needed: &Needed) -> Result<Option<Version>, Cause> {
        let known = self.known(&needed.name)?;
        let locked = known.locked(&needed.name, &needed.requirement);
        Ok(locked.map(|locked| locked.version.clone()))
    }

    /// Lists the versions that a package has, of which some have to meet each of the requirements.
    pub(crate) async fn versions(
        &self,
        package: &PackageName,
        requirements: &[VersionReq],
    ) -> Result<Vec<Version>, Cause> {
        let check = |known: Vec<Version>| {
            let is_met = |requirement: &&VersionReq| {
                let open = Requirement::Open((*requirement).clone());
                known.iter().any(|version| open.is_met_by(version))
            };
            match requirements.iter().find(|requirement| !is_met(requirement)) {
                None => Ok(known),
                Some(requirement) => Err(no_version(package, requirement, known)),
            }
        };
        if self.homes.network == Network::Offline && !self.is_in_folder(package)? {
            return Err(Cause::Offline { what: format!("the list of the versions of `{package}`") });
        }
        let place = self.place(package).await?;
        place.versions(package).await.and_then(check).map_err(|cause| place.explain(cause, package))
    }

    /// Brings a package.
    pub(crate) async fn bring(&self, wanted: &Wanted) -> Result<Brought, Cause> {
        let is_it =
            |brought: &&Brought| (&brought.wanted.name, &brought.wanted.version) == (&wanted.name, &wanted.version);
        if let Some(brought) = self.brought.iter().find(is_it) {
            return Ok(Brought { wanted: wanted.clone(), ..brought.clone() });
        }
        let known = self.known(&wanted.name)?;
        // What the registry says of itself does not matter for what is kept; what the settings say does.
        if let Some(location) = self.homes.location_by_settings(&known.home)? {
            self.check_place(&wanted.name, &known, &location)?;
        }
        if let Some(kept) = self.kept(wanted, &known).await? {
            return Ok(kept);
        }
        match self.place_of(&wanted.name, &known).await? {
            PackagePlace::Folder(folder) => from_folder(wanted, &known, folder).await,
            PackagePlace::Remote(remote) => {
                let brought = self.bring_remote(wanted, &known, &remote).await;
                brought.map_err(|cause| in_package(cause, &wanted.name, &remote.asked))
            }
        }
    }

    /// Finds where a package is, for which its registry may have to be asked.
    pub(crate) async fn place(&self, package: &PackageName) -> Result<PackagePlace, Cause> {
        self.place_of(package, &self.known(package)?).await
    }

    /// Returns the registry that has a package, as the settings name it.
    pub(crate) fn registry(&self, package: &PackageName) -> Result<RegistryName, Cause> {
        Ok(self.known(package)?.home.registry)
    }

    fn is_in_folder(&self, package: &PackageName) -> Result<bool, Cause> {
        let location = self.homes.location_by_settings(&self.known(package)?.home)?;
        Ok(matches!(location, Some(Location::Local(_))))
    }

    async fn place_of(&self, package: &PackageName, known: &Known<'_>) -> Result<PackagePlace, Cause> {
        let location = self.homes.location(&known.home).await?;
        self.check_place(package, known, &location)?;
        self.homes.place(package, &known.home, location)
    }

    /// Finds what settings and lock files say, which have to agree on where the package comes from.
    fn known(&self, package: &PackageName) -> Result<Known<'_>, Cause> {
        let home = self.homes.home(package)?;
        let may_move = self.may_move.contains(package);
        let origin = self.locks.origins.packages.get(package).filter(|_| !may_move);
        let lock = self.locks.chosen.as_ref().filter(|_| !may_move);
        let recorded = lock.and_then(|lock| other_registry(lock, package, &home.registry));
        let before = origin.map(|origin| &origin.registry).or(recorded);
        if let Some(before) = before.filter(|before| **before != home.registry) {
            let (package, now, rule) = (package.clone(), home.registry.to_string(), Some(home.rule));
            return Err(Cause::PackageMoved { package, before: before.to_string(), now, rule });
        }
        Ok(Known { home, origin, lock })
    }

    /// Fails where a package would come from another repository or folder than before.
    fn check_place(&self, package: &PackageName, known: &Known<'_>, location: &Location) -> Result<(), Cause> {
        let Some(origin) = known.origin else { return Ok(()) };
        let (repository, now) = match location {
            Location::Oci(oci) => {
                let repository = oci.reference(package, None)?;
                (Some(repository.clone()), repository.to_string())
            }
            Location::Local(folder) => (None, folder.root().display().to_string()),
        };
        if origin.repository == repository {
            return Ok(());
        }
        let before = origin.repository.as_ref().map_or_else(|| "a folder".to_owned(), ToString::to_string);
        let is_asked = self.homes.settings.needs_metadata(&known.home);
        let rule = if is_asked { None } else { Some(known.home.rule) };
        Err(Cause::PackageMoved { package: package.clone(), before, now, rule })
    }

    /// Returns a package that was locked before, and whose bytes are kept here.
    async fn kept(&self, wanted: &Wanted, known: &Known<'_>) -> Result<Option<Brought>, Cause> {
        let (Some(locked), Some(origin)) = (known.locked_for(wanted), known.origin) else { return Ok(None) };
        let Some(repository) = &origin.repository else { return Ok(None) };
        let cached = self.cache.repository(repository.registry(), repository.repository());
        let Some(wasm) = cached.wasm_of(&locked.digest, WASM_BYTES_MAX as u64).await? else { return Ok(None) };
        let recorded = origin.versions.get(&locked.version).filter(|content| content.wasm == locked.digest);
        Ok(recorded.map(|content| Brought {
            wanted: wanted.clone(),
            registry: known.home.registry.clone(),
            repository: Some(repository.clone()),
            content: content.clone(),
            wasm,
            is_fetched: false,
        }))
    }

    async fn bring_remote(&self, wanted: &Wanted, known: &Known<'_>, remote: &Remote) -> Result<Brought, Cause> {
        let repository = &remote.repository;
        let tag = tag_of(&wanted.version)?;
        let cached = self.cache.repository(repository.registry(), repository.repository());
        let place = remote.open(&wanted.version).await?;
        let (manifest, layer) = match self.homes.network {
            Network::Offline => {
                let manifest = cached.manifest(&tag).await?.ok_or_else(|| missing(wanted))?;
                let layer = wit_layer(wanted, manifest.children().skip(1))?;
                (manifest, layer)
            }
            Network::Online => {
                let artifact = remote.locate(&place, wanted).await?;
                let layers = artifact.located.place.whole_layers().iter();
                (artifact.manifest.clone(), wit_layer(wanted, layers)?)
            }
        };
        check_lock(wanted, known, &layer.digest)?;
        let limit = WASM_BYTES_MAX as u64;
        let (wasm, is_fetched) = match (cached.wasm(&layer, limit).await?, self.homes.network) {
            (Some(wasm), network) => (wasm, network == Network::Online),
            (None, Network::Offline) => return Err(missing(wanted)),
            (None, Network::Online) => (fetch_verified(place.content(), &layer, limit).await?, true),
        };
        if is_fetched {
            cached.keep(&tag, &manifest, (&layer.digest, wasm.clone())).await?;
        }
        let content = Content { manifest: Some(manifest.digest().clone()), wasm: layer.digest };
        let (wanted, registry) = (wanted.clone(), known.home.registry.clone());
        Ok(Brought { wanted, registry, repository: Some(repository.clone()), content, wasm, is_fetched })
    }
}

fn missing(wanted: &Wanted) -> Cause {
    Cause::Offline { what: format!("`{}@{}`", wanted.name, wanted.version) }
}

/// Says where a package was looked for that could not be had there.
pub(crate) fn in_package(cause: Cause, package: &PackageName, asked: &Reference) -> Cause {
    use Cause::{Client, Content, NoVersion, NoWitPackage, Package, Unreadable};
    match cause {
        Client(_) | Content(_) | Unreadable(_) | NoVersion { .. } | NoWitPackage { .. } => {
            let (package, repository) = (package.clone(), asked.to_string());
            Package { package, repository, source: Box::new(cause) }
        }
        cause => cause,
    }
}

/// Returns the only layer of a package.
fn wit_layer<'a>(wanted: &Wanted, mut layers: impl Iterator<Item = &'a Descriptor>) -> Result<Descriptor, Cause> {
    match (layers.next(), layers.next()) {
        (Some(layer), None) => Ok(layer.clone()),
        _ => Err(Cause::NoWitPackage { package: wanted.name.clone(), version: wanted.version.clone() }),
    }
}

/// Returns the registry of a package by a lock that has it of other registries than `home` alone.
fn other_registry<'a>(lock: &'a Lock, package: &PackageName, home: &RegistryName) -> Option<&'a RegistryName> {
    let registries = || lock.entries().filter(|(name, ..)| *name == package).filter_map(|(_, registry, _)| registry);
    if registries().any(|registry| registry == home) { None } else { registries().next() }
}

/// Reads a package from a folder of them.
async fn from_folder(wanted: &Wanted, known: &Known<'_>, folder: LocalHome) -> Result<Brought, Cause> {
    let path = folder.version_file(&wanted.name, &wanted.version);
    if !path.is_file() {
        let path = folder.package_folder(&wanted.name);
        let known = blocking(move || versions_in(&path)).await?;
        return Err(no_version(&wanted.name, &wanted.requirement, known));
    }
    let (wasm, digest) = blocking(move || read_limited(&path)).await?;
    check_lock(wanted, known, &digest)?;
    Ok(Brought {
        wanted: wanted.clone(),
        registry: known.home.registry.clone(),
        repository: None,
        content: Content { manifest: None, wasm: digest },
        wasm: wasm.into(),
        is_fetched: false,
    })
}

/// Lists the versions in the folder of a package; none where it is not there.
fn versions_in(folder: &Path) -> Result<Vec<Version>, Cause> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Cause::file("read the folder", folder)(error)),
    };
    let mut versions = Vec::new();
    for entry in entries {
        let name = entry.map_err(Cause::file("read the folder", folder))?.file_name();
        versions.extend(name.to_str().and_then(LocalHome::version_of_file));
    }
    Ok(versions)
}

fn read_limited(path: &Path) -> Result<(Vec<u8>, Digest), Cause> {
    let file = File::open(path).map_err(Cause::file("open", path))?;
    let mut bytes = Vec::new();
    file.take(WASM_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(Cause::file("read", path))?;
    let digest = Digest::sha256(&bytes);
    Ok((bytes, digest))
}

/// Says that no version of a package will do, and which there are.
pub(crate) fn no_version(package: &PackageName, requirement: &VersionReq, mut known: Vec<Version>) -> Cause {
    known.sort();
    Cause::NoVersion { package: package.clone(), requirement: requirement.clone(), known }
}

/// Fails where a version has other bytes than those that were locked.
fn check_lock(wanted: &Wanted, known: &Known<'_>, found: &Digest) -> Result<(), Cause> {
    match known.locked_for(wanted) {
        Some(locked) if locked.digest != *found => {
            let (package, version) = (wanted.name.clone(), wanted.version.clone());
            Err(Cause::LockedOtherwise { package, version, locked: locked.digest.clone(), found: found.clone() })
        }
        _ => Ok(()),
    }
}
