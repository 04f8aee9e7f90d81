//! Brings the components that are to be composed, wherever they are, and locks those that came by their names.

use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wharf_artifact::{Wasm, examine};
use wharf_oci::Progress;
use wharf_package::resolve::Requirement;
use wharf_package::{PackageRequest, VersionReq};
use wharf_wit::check_bounds;

use super::COMPOSED_BYTES_MAX;
use super::lock::ComponentLock;
use crate::blocking::blocking;
use crate::diff::read_text;
use crate::extract::extract;
use crate::get::{check_name, choose};
use crate::homes::Connect;
use crate::locate::{Choice, locate};
use crate::package_cache::PackageCache;
use crate::package_source::{Brought, PackageSource, Wanted};
use crate::place::Place;
use crate::project::Needed;
use crate::resolution::{PACKAGES_AT_ONCE, Sources};
use crate::wasm_file::WasmFile;
use crate::{Cause, ComposeFault, Location};

/// What is to be composed, by what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComponentSource {
    /// A file of this machine; where a document names a package, also a folder of WIT.
    File(PathBuf),
    /// A package of a registry that settings name.
    Package(PackageRequest),
    /// An artifact.
    Artifact(Location),
}

impl fmt::Display for ComponentSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Package(request) => request.fmt(formatter),
            Self::Artifact(location) => location.fmt(formatter),
        }
    }
}

/// A component that is here.
#[derive(Debug)]
pub(super) struct Component {
    /// What somebody called it.
    pub(super) label: String,
    pub(super) bytes: Bytes,
    pub(super) wasm: Wasm,
    /// The file of this machine that it is in.
    pub(super) path: Option<PathBuf>,
    /// Where it came from, where it is a package.
    pub(super) brought: Option<Brought>,
}

/// Where components come from.
pub(super) struct Supply<'a> {
    pub(super) connect: &'a dyn Connect,
    pub(super) sources: &'a Sources,
    pub(super) lock: &'a ComponentLock,
    /// The folder for temporary files.
    pub(super) scratch: &'a Path,
    pub(super) progress: &'a Arc<dyn Progress>,
}

impl Supply<'_> {
    /// Brings components, in the order in which they are named.
    pub(super) async fn bring(&self, sources: &[ComponentSource]) -> Result<Vec<Component>, Cause> {
        let mut packages = self.packages(sources).await?.into_iter();
        let mut components: Vec<Component> = Vec::new();
        let mut bytes = 0;
        for source in sources {
            let component = match source {
                ComponentSource::File(path) => from_file(path.clone(), self.scratch).await?,
                ComponentSource::Package(_) => {
                    from_package(source.to_string(), packages.next().expect("each package was brought")).await?
                }
                ComponentSource::Artifact(location) => self.take_out(location).await?,
            };
            bytes += component.wasm.size;
            if bytes > COMPOSED_BYTES_MAX {
                return Err(ComposeFault::TooLarge { bytes, limit: COMPOSED_BYTES_MAX }.into());
            }
            components.push(component);
        }
        Ok(components)
    }

    /// Brings those that are packages, all at the same time.
    async fn packages(&self, sources: &[ComponentSource]) -> Result<Vec<Brought>, Cause> {
        let requests: Vec<&PackageRequest> = sources
            .iter()
            .filter_map(|source| match source {
                ComponentSource::Package(request) => Some(request),
                ComponentSource::File(_) | ComponentSource::Artifact(_) => None,
            })
            .collect();
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let cache = PackageCache::open(&self.sources.cache).await?;
        let settings = self.sources.settings(&self.lock.settings);
        let source = self.sources.open(self.connect, &settings, &cache, &self.lock.locks);
        let each = stream::iter(requests).map(|request| bring_package(&source, request));
        each.buffered(PACKAGES_AT_ONCE).try_collect().await
    }

    /// Takes a component out of an artifact.
    async fn take_out(&self, location: &Location) -> Result<Component, Cause> {
        let place = match location {
            Location::Registry(reference) => {
                Place::in_registry(&self.connect.client(reference.registry(), None)?, reference)
            }
            Location::Local(local) => Place::open_local(local).await?,
        };
        let choice = Choice::default();
        let artifact = locate(&place, &choice).await?;
        let extracted = extract(&place, &artifact, &choice, self.scratch, self.progress).await?;
        let label = location.to_string();
        let file = WasmFile::fetched(extracted.file.into_temp_path(), label.clone(), self.scratch).await?;
        load(label, file, None).await
    }
}

/// Chooses a version of a package: the locked one where there is one.
pub(crate) async fn choose_for(source: &PackageSource<'_>, request: &PackageRequest) -> Result<Wanted, Cause> {
    let name = request.package.clone();
    let asked = request.requirement.clone().unwrap_or(Requirement::Open(VersionReq::STAR));
    let requirement = asked.to_version_req();
    let version = match &asked {
        Requirement::Exactly(version) => version.clone(),
        Requirement::Open(_) => {
            let place = request.to_string();
            let needed = Needed { name: name.clone(), requirement: requirement.clone(), exact: None, place };
            match source.locked(&needed)? {
                Some(version) => version,
                None => {
                    let known = source.versions(&name, std::slice::from_ref(&requirement)).await?;
                    choose(&name, &asked, known)?
                }
            }
        }
    };
    Ok(Wanted { name, requirement, version })
}

/// Chooses a version of a package, and brings it.
async fn bring_package(source: &PackageSource<'_>, request: &PackageRequest) -> Result<Brought, Cause> {
    bring_component(source, &choose_for(source, request).await?).await
}

/// Brings a package, which has to be what the lock of components says.
pub(crate) async fn bring_component(source: &PackageSource<'_>, wanted: &Wanted) -> Result<Brought, Cause> {
    source.bring(wanted).await.map_err(|cause| match cause {
        Cause::LockedOtherwise { package, version, locked, found } => {
            ComposeFault::LockedOtherwise { package, version, locked, found }.into()
        }
        cause => cause,
    })
}

/// Reads a component from a file, or a WIT package from a folder.
async fn from_file(path: PathBuf, scratch: &Path) -> Result<Component, Cause> {
    let label = path.display().to_string();
    if !path.is_dir() {
        let file = WasmFile::open(&path, scratch).await?;
        return load(label, file, Some(path)).await;
    }
    blocking(move || {
        let bytes = read_text(&path)?.encode()?;
        let wasm = examine(&mut Cursor::new(&bytes))?;
        Ok(Component { label, bytes: bytes.into(), wasm, path: None, brought: None })
    })
    .await
}

async fn from_package(label: String, brought: Brought) -> Result<Component, Cause> {
    blocking(move || {
        let bytes = brought.wasm.clone();
        let wasm = examine(&mut Cursor::new(&bytes))?;
        check_name(&brought.wanted, &wasm)?;
        check_bounds(&label, &bytes)?;
        Ok(Component { label, bytes, wasm, path: None, brought: Some(brought) })
    })
    .await
}

/// Reads what was examined in a file.
async fn load(label: String, file: WasmFile, path: Option<PathBuf>) -> Result<Component, Cause> {
    blocking(move || {
        let size = file.wasm.size;
        if size > COMPOSED_BYTES_MAX {
            return Err(ComposeFault::TooLarge { bytes: size, limit: COMPOSED_BYTES_MAX }.into());
        }
        let bytes = file.read()?;
        check_bounds(&label, &bytes)?;
        Ok(Component { label, bytes, wasm: file.wasm, path, brought: None })
    })
    .await
}
