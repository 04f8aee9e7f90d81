//! Where the packages of a project are: what settings say, and what registries say of themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use wharf_client::Client;
use wharf_oci::Registry;
use wharf_package::limits::METADATA_BYTES_MAX;
use wharf_package::{Home, Location, PackageName, RegistryMetadata, RegistryName, RegistrySettings, Settings};

use crate::Cause;
use crate::package_source::{PackagePlace, Remote};

/// The document in which a registry says where its packages are.
const METADATA: &str = "wasm-pkg/registry.json";

/// Makes clients for the registries of packages.
pub trait Connect: Send + Sync + fmt::Debug {
    /// Returns the client that speaks to `host` as the settings of a registry ask for, where there are any.
    ///
    /// # Errors
    /// Those of [`Client::new`].
    fn client(&self, host: &Registry, settings: Option<&RegistrySettings>) -> Result<Client, wharf_client::Error>;
}

/// Whether registries may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// They are, for what is not kept here.
    #[default]
    Online,
    /// They are not: what is not kept here is missing.
    Offline,
}

/// Finds the homes of packages. Each registry is asked once what it says of itself.
#[derive(Debug)]
pub(crate) struct Homes<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) connect: &'a dyn Connect,
    pub(crate) network: Network,
    pub(crate) served: Served,
}

/// What registries say of themselves; nothing of those that say nothing.
pub(crate) type Served = Mutex<BTreeMap<RegistryName, Arc<OnceCell<Option<RegistryMetadata>>>>>;

impl Homes<'_> {
    /// Returns the home of a package by the settings.
    pub(crate) fn home(&self, package: &PackageName) -> Result<Home, Cause> {
        self.settings.home(package).ok_or_else(|| Cause::NoHome { package: package.clone() })
    }

    /// Returns where the packages of a home are, where the settings tell and its registry need not be asked.
    pub(crate) fn location_by_settings(&self, home: &Home) -> Result<Option<Location>, Cause> {
        if self.settings.needs_metadata(home) {
            return Ok(None);
        }
        Ok(Some(self.settings.location(home, None)?))
    }

    /// Returns where the packages of a home are, for which its registry may have to be asked.
    pub(crate) async fn location(&self, home: &Home) -> Result<Location, Cause> {
        if let Some(location) = self.location_by_settings(home)? {
            return Ok(location);
        }
        let served = self.metadata(home).await?;
        Ok(self.settings.location(home, served.as_ref())?)
    }

    /// Returns the place of a package of a home whose packages are at `location`; where it has a mirror, that is asked.
    pub(crate) fn place(&self, package: &PackageName, home: &Home, location: Location) -> Result<PackagePlace, Cause> {
        let oci = match location {
            Location::Local(folder) => return Ok(PackagePlace::Folder(folder)),
            Location::Oci(oci) => oci,
        };
        let repository = oci.reference(package, None)?;
        let mirror = self.settings.project.mirror(&repository)?;
        let client = match &mirror {
            None => self.client(home, repository.registry())?,
            // A mirror gets no credential that is meant for the registry.
            Some(mirror) => self.connect.client(mirror.registry(), None)?,
        };
        Ok(PackagePlace::Remote(Remote { asked: mirror.unwrap_or_else(|| repository.clone()), repository, client }))
    }

    /// Makes the client for a host that keeps the packages of a home.
    pub(crate) fn client(&self, home: &Home, host: &Registry) -> Result<Client, Cause> {
        Ok(self.connect.client(host, self.settings.registry(home))?)
    }

    async fn metadata(&self, home: &Home) -> Result<Option<RegistryMetadata>, Cause> {
        let registry = &home.registry;
        let cell = {
            let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(served.entry(registry.clone()).or_default())
        };
        let ask = async || {
            if self.network == Network::Offline {
                return Err(Cause::Offline { what: format!("where `{registry}` keeps its packages") });
            }
            let client = self.client(home, registry.host())?;
            let document = client.well_known(registry.host(), METADATA, METADATA_BYTES_MAX as u64).await?;
            let parsed = document.map(|bytes| RegistryMetadata::parse(&bytes)).transpose();
            parsed.map_err(|source| Cause::Served { registry: registry.clone(), source })
        };
        cell.get_or_try_init(ask).await.cloned()
    }
}
