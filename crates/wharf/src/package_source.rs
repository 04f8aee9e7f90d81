//! Brings one package to this machine: from what is kept here, from a folder, or from its registry.
//!
//! ```text
//!   locked? ──yes──> kept here? ──yes──────────────────────────────> Wasm        no request
//!      │no              │no
//!      v                v
//!   home ──> location ──┬─ folder ──────────────────────────────────> Wasm
//!                       └─ OCI ──(tags, for a range)──> manifest ───> Wasm       compared with the lock
//! ```

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use bytes::Bytes;
use wharf_client::Client;
use wharf_oci::{Descriptor, Digest, Reference, fetch_verified};
use wharf_package::{
    Content, Home, LocalHome, Location, Lock, Locked, Origin, PackageName, RegistryName, Version, VersionReq, tag_of,
    version_of_tag,
};
use wharf_wit::limits::WASM_BYTES_MAX;

use crate::blocking::blocking;
use crate::homes::{Homes, Network};
use crate::locate::{Choice, locate};
use crate::package_cache::PackageCache;
use crate::place::Place;
use crate::project_files::Locks;
use crate::{Cause, Location as Somewhere};

/// A package that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: PackageName,
    /// Which versions will do.
    pub(crate) requirement: VersionReq,
    /// The only one that will, where that is so.
    pub(crate) exact: Option<Version>,
}

/// A package that is here.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    pub(crate) wanted: Wanted,
    pub(crate) version: Version,
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
}

/// What is known of a package before anybody is asked for it.
struct Known<'a> {
    home: Home,
    locked: Option<&'a Locked>,
    origin: Option<&'a Origin>,
}

/// Where a package is in OCI.
struct Remote {
    repository: Reference,
    /// The same, or its mirror.
    asked: Reference,
}

impl PackageSource<'_> {
    /// Brings a package.
    pub(crate) async fn bring(&self, wanted: &Wanted) -> Result<Brought, Cause> {
        let known = self.known(wanted)?;
        // What the registry says of itself does not matter for what is kept; what the settings say does.
        if let Some(location) = self.homes.location_by_settings(&known.home)? {
            self.check_place(wanted, &known, &location)?;
        }
        if let Some(kept) = self.kept(wanted, &known).await? {
            return Ok(kept);
        }
        let location = self.homes.location(&known.home).await?;
        self.check_place(wanted, &known, &location)?;
        match location {
            Location::Local(folder) => from_folder(wanted, &known, folder).await,
            Location::Oci(oci) => {
                let repository = oci.reference(&wanted.name, None)?;
                // What is asked may be a mirror.
                let asked = self.homes.settings.project.mirror(&repository)?.unwrap_or_else(|| repository.clone());
                let brought = self.bring_remote(wanted, &known, &Remote { repository, asked: asked.clone() }).await;
                brought.map_err(|cause| in_package(cause, wanted, &asked))
            }
        }
    }

    /// Finds what settings and lock files say, which have to agree on where the package comes from.
    fn known(&self, wanted: &Wanted) -> Result<Known<'_>, Cause> {
        let home = self.homes.home(&wanted.name)?;
        let may_move = self.may_move.contains(&wanted.name);
        let origin = self.locks.origins.packages.get(&wanted.name).filter(|_| !may_move);
        let locked = self.locks.chosen.as_ref().filter(|_| !may_move);
        let recorded = locked.and_then(|lock| other_registry(lock, &wanted.name, &home.registry));
        let before = origin.map(|origin| &origin.registry).or(recorded);
        if let Some(before) = before.filter(|before| **before != home.registry) {
            let (package, now, rule) = (wanted.name.clone(), home.registry.to_string(), Some(home.rule));
            return Err(Cause::PackageMoved { package, before: before.to_string(), now, rule });
        }
        let locked = locked.and_then(|lock| {
            let find = |registry| lock.find(&wanted.name, registry, &wanted.requirement);
            find(Some(&home.registry)).or_else(|| find(None))
        });
        // Requirements do not see build metadata, so that one stands for several versions.
        let locked = locked.filter(|locked| wanted.exact.as_ref().is_none_or(|exact| *exact == locked.version));
        Ok(Known { home, locked, origin })
    }

    /// Fails where a package would come from another repository or folder than before.
    fn check_place(&self, wanted: &Wanted, known: &Known<'_>, location: &Location) -> Result<(), Cause> {
        let Some(origin) = known.origin else { return Ok(()) };
        let (repository, now) = match location {
            Location::Oci(oci) => {
                let repository = oci.reference(&wanted.name, None)?;
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
        Err(Cause::PackageMoved { package: wanted.name.clone(), before, now, rule })
    }

    /// Returns a package that was chosen before, and whose bytes are kept here.
    async fn kept(&self, wanted: &Wanted, known: &Known<'_>) -> Result<Option<Brought>, Cause> {
        let Known { home, locked: Some(locked), origin: Some(origin) } = known else { return Ok(None) };
        let Some(repository) = &origin.repository else { return Ok(None) };
        let cached = self.cache.repository(repository.registry(), repository.repository());
        let Some(wasm) = cached.wasm_of(&locked.digest, WASM_BYTES_MAX as u64).await? else { return Ok(None) };
        let recorded = origin.versions.get(&locked.version).filter(|content| content.wasm == locked.digest);
        Ok(recorded.map(|content| Brought {
            wanted: wanted.clone(),
            version: locked.version.clone(),
            registry: home.registry.clone(),
            repository: Some(repository.clone()),
            content: content.clone(),
            wasm,
            is_fetched: false,
        }))
    }

    async fn bring_remote(&self, wanted: &Wanted, known: &Known<'_>, remote: &Remote) -> Result<Brought, Cause> {
        let Remote { repository, asked } = remote;
        // A mirror gets no credential that is meant for the registry.
        let client = match asked == repository {
            true => self.homes.client(&known.home, asked.registry())?,
            false => self.homes.connect.client(asked.registry(), None)?,
        };
        let version = match (known.locked, &wanted.exact) {
            (Some(locked), _) => locked.version.clone(),
            (None, Some(version)) => version.clone(),
            (None, None) => {
                self.require_network(|| format!("the versions of `{}`", wanted.name))?;
                newest(wanted, versions(&client, asked).await?)?
            }
        };
        let tag = tag_of(&version)?;
        let cached = self.cache.repository(repository.registry(), repository.repository());
        let place = Place::open(&client, &Somewhere::Registry(asked.clone().with_tag(tag.clone()))).await?;
        let (manifest, layer) = match self.homes.network {
            Network::Offline => {
                let missing = || Cause::Offline { what: format!("`{}@{version}`", wanted.name) };
                let manifest = cached.manifest(&tag).await?.ok_or_else(missing)?;
                let layer = wit_layer(wanted, &version, manifest.children().skip(1))?;
                (manifest, layer)
            }
            Network::Online => {
                let artifact = match locate(&place, &Choice::default()).await {
                    // The versions say more than the tags that are spelled alike.
                    Err(Cause::NoSuchTag { .. }) => return Err(no_version(wanted, versions(&client, asked).await?)),
                    located => located?,
                };
                let layers = artifact.located.place.whole_layers().iter();
                (artifact.manifest.clone(), wit_layer(wanted, &version, layers)?)
            }
        };
        check_lock(wanted, known, &version, &layer.digest)?;
        let limit = WASM_BYTES_MAX as u64;
        let (wasm, is_fetched) = match cached.wasm(&layer, limit).await? {
            Some(wasm) => (wasm, self.homes.network == Network::Online),
            None => {
                self.require_network(|| format!("`{}@{version}`", wanted.name))?;
                (fetch_verified(place.content(), &layer, limit).await?, true)
            }
        };
        if is_fetched {
            cached.keep(&tag, &manifest, (&layer.digest, wasm.clone())).await?;
        }
        let content = Content { manifest: Some(manifest.digest().clone()), wasm: layer.digest };
        let (wanted, registry) = (wanted.clone(), known.home.registry.clone());
        let repository = Some(repository.clone());
        Ok(Brought { wanted, version, registry, repository, content, wasm, is_fetched })
    }

    fn require_network(&self, what: impl FnOnce() -> String) -> Result<(), Cause> {
        match self.homes.network {
            Network::Online => Ok(()),
            Network::Offline => Err(Cause::Offline { what: what() }),
        }
    }
}

/// Says where a package was looked for that could not be had there.
fn in_package(cause: Cause, wanted: &Wanted, asked: &Reference) -> Cause {
    use Cause::{Client, Content, NoVersion, NoWitPackage, Package, Unreadable};
    match cause {
        Client(_) | Content(_) | Unreadable(_) | NoVersion { .. } | NoWitPackage { .. } => {
            let (package, repository) = (wanted.name.clone(), asked.to_string());
            Package { package, repository, source: Box::new(cause) }
        }
        cause => cause,
    }
}

/// Returns the only layer of a package.
fn wit_layer<'a>(
    wanted: &Wanted,
    version: &Version,
    mut layers: impl Iterator<Item = &'a Descriptor>,
) -> Result<Descriptor, Cause> {
    match (layers.next(), layers.next()) {
        (Some(layer), None) => Ok(layer.clone()),
        _ => Err(Cause::NoWitPackage { package: wanted.name.clone(), version: version.clone() }),
    }
}

/// Returns the registry of a package by a lock that has it of other registries than `home` alone.
fn other_registry<'a>(lock: &'a Lock, package: &PackageName, home: &RegistryName) -> Option<&'a RegistryName> {
    let registries = || lock.entries().filter(|(name, ..)| *name == package).filter_map(|(_, registry, _)| registry);
    if registries().any(|registry| registry == home) { None } else { registries().next() }
}

/// Lists the versions in a repository.
async fn versions(client: &Client, repository: &Reference) -> Result<Vec<Version>, Cause> {
    let tags = client.repository(repository.registry(), repository.repository()).tags().await?;
    Ok(tags.iter().filter_map(version_of_tag).collect())
}

/// Reads a package from a folder of them.
async fn from_folder(wanted: &Wanted, known: &Known<'_>, folder: LocalHome) -> Result<Brought, Cause> {
    let path = folder.package_folder(&wanted.name);
    let versions = blocking(move || versions_in(&path)).await?;
    let version = match known.locked.map(|locked| &locked.version).or(wanted.exact.as_ref()) {
        Some(version) if versions.contains(version) => version.clone(),
        Some(_) => return Err(no_version(wanted, versions)),
        None => newest(wanted, versions)?,
    };
    let path = folder.version_file(&wanted.name, &version);
    let (wasm, digest) = blocking(move || read_limited(&path)).await?;
    check_lock(wanted, known, &version, &digest)?;
    Ok(Brought {
        wanted: wanted.clone(),
        version,
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

/// Returns the newest version that will do. Where all will, that is a pre-release if there is no release.
fn newest(wanted: &Wanted, known: Vec<Version>) -> Result<Version, Cause> {
    let requirement = &wanted.requirement;
    let will_do = known.iter().filter(|version| *requirement == VersionReq::STAR || requirement.matches(version));
    match wharf_package::newest(will_do) {
        Some(version) => Ok(version.clone()),
        None => Err(no_version(wanted, known)),
    }
}

fn no_version(wanted: &Wanted, mut known: Vec<Version>) -> Cause {
    known.sort();
    Cause::NoVersion { package: wanted.name.clone(), requirement: wanted.requirement.clone(), known }
}

/// Fails where a version has other bytes than those that were locked.
fn check_lock(wanted: &Wanted, known: &Known<'_>, version: &Version, found: &Digest) -> Result<(), Cause> {
    match known.locked {
        Some(locked) if locked.digest != *found => {
            let (package, version) = (wanted.name.clone(), version.clone());
            Err(Cause::LockedOtherwise { package, version, locked: locked.digest.clone(), found: found.clone() })
        }
        _ => Ok(()),
    }
}
