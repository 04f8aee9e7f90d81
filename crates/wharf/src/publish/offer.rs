//! What is to be published: under which name, and as which file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use wharf_package::{PackageName, PackageSpec, Version};
use wharf_wit::Resolved;

use super::{PublishOptions, Selection};
use crate::blocking::blocking;
use crate::diff::read_wasm_file;
use crate::encoding::{Encoded, EncodedPackage};
use crate::file_sink::scratch_file;
use crate::homes::Connect;
use crate::project::{is_of, is_workspace, registry_name, settings_around};
use crate::resolution::{ProjectOptions, in_order};
use crate::wasm_file::WasmFile;
use crate::{Cause, PackageFault};

/// A package that is to be published.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The file or the folder that it is from.
    pub(crate) path: PathBuf,
    pub(crate) name: PackageName,
    pub(crate) version: Version,
    /// The Wasm, by the name that it is published under.
    pub(crate) file: WasmFile,
    /// What it imports and exports; nothing of a core module.
    pub(crate) resolved: Option<Resolved>,
    /// Where its project says that packages are. Mirrors are left out: what is published goes to the registry, and not to
    /// what copies it from there.
    pub(crate) settings: wharf_package::Project,
}

impl Offer {
    /// Builds or reads all that is to be published, and puts each package after those that it needs.
    pub(crate) async fn all(connect: &dyn Connect, options: &PublishOptions) -> Result<Vec<Self>, Cause> {
        options.check_count(options.paths.len())?;
        let mut offers: Vec<Self> = Vec::new();
        for path in &options.paths {
            let is_text = path.extension().is_some_and(|end| end == "wit");
            match path.is_dir() || is_text {
                true => offers.extend(Self::built(connect, path, options).await?),
                false => offers.push(Self::read(path, options).await?),
            }
        }
        for (index, offer) in offers.iter().enumerate() {
            let is_twin = |other: &&Self| (&other.name, &other.version) == (&offer.name, &offer.version);
            if let Some(twin) = offers[..index].iter().find(is_twin) {
                let (first, second) = (twin.path.clone(), offer.path.clone());
                return Err(PackageFault::Twice { package: offer.spec().to_string(), first, second }.into());
            }
        }
        Ok(in_order(offers, Self::needs))
    }

    /// Returns the package with its version.
    pub(crate) fn spec(&self) -> PackageSpec {
        PackageSpec { name: self.name.clone(), version: Some(self.version.clone()) }
    }

    /// Builds a package, or the members of a workspace.
    async fn built(connect: &dyn Connect, folder: &Path, options: &PublishOptions) -> Result<Vec<Self>, Cause> {
        let path = folder.to_owned();
        match (is_workspace(folder)?, options.selection) {
            (true, Selection::Paths) => return Err(PackageFault::Workspace { path }.into()),
            (false, Selection::Workspace) => return Err(PackageFault::NoWorkspace { path }.into()),
            (true, Selection::Workspace) | (false, Selection::Paths) => {}
        }
        let (sources, locking) = (options.sources.clone(), options.locking);
        let encoded = ProjectOptions { folder: path, sources, locking }.encode(connect).await?;
        encoded.check_lock(locking)?;
        let Encoded { ready, packages, .. } = encoded;
        options.check_count(packages.len())?;
        let mut offers = Vec::new();
        for EncodedPackage { wit, resolved, wasm, .. } in packages {
            let (name, version) = identity(&wit, Some(resolved.name()), options.package.as_ref())?;
            let scratch = &options.scratch;
            let mut temporary = scratch_file(scratch).await?;
            temporary.write_all(&wasm).map_err(Cause::file("write a package to", scratch))?;
            let file = WasmFile::fetched(temporary.into_temp_path(), file_name(&name), scratch).await?;
            let settings = ready.project.settings.clone().without_mirrors();
            offers.push(Self { path: wit, name, version, file, resolved: Some(resolved), settings });
        }
        Ok(offers)
    }

    /// Reads a file of Wasm.
    async fn read(path: &Path, options: &PublishOptions) -> Result<Self, Cause> {
        let mut file = WasmFile::open(path, &options.scratch).await?;
        let (label, path) = (path.display().to_string(), path.to_owned());
        let is_module = file.wasm.kind == wharf_artifact::Kind::Module;
        let binary = file.path.clone();
        let around = path.clone();
        let (resolved, settings) = blocking(move || {
            let resolved = if is_module { None } else { Some(read_wasm_file(&label, &binary)?) };
            Ok::<_, Cause>((resolved, settings_around(&around)?.without_mirrors()))
        })
        .await?;
        let package = resolved.as_ref().filter(|resolved| resolved.world().is_none());
        let (name, version) = identity(&path, package.map(Resolved::name), options.package.as_ref())?;
        file.name = file_name(&name);
        Ok(Self { path, name, version, file, resolved, settings })
    }

    /// Whether this package holds something of another one.
    fn needs(&self, other: &Self) -> bool {
        let is_other = |name: &wharf_wit::PackageName| {
            is_of(name, &other.name) && name.version.as_ref().is_none_or(|version| *version == other.version)
        };
        self.resolved.iter().any(|resolved| resolved.resolve().package_names.keys().any(is_other))
    }
}

impl PublishOptions {
    /// Fails where one name is given for several packages.
    fn check_count(&self, count: usize) -> Result<(), Cause> {
        match &self.package {
            Some(given) if count > 1 => Err(PackageFault::OneName { given: given.clone(), count }.into()),
            _ => Ok(()),
        }
    }
}

/// Returns the name of the only file of a published package.
fn file_name(package: &PackageName) -> String {
    format!("{}.wasm", package.name())
}

/// Returns what something is published as, by what it says itself and what was given, which have to agree.
fn identity(
    path: &Path,
    own: Option<&wharf_wit::PackageName>,
    given: Option<&PackageSpec>,
) -> Result<(PackageName, Version), Cause> {
    let (name, own_version) = match (own, given) {
        (None, None) => return Err(PackageFault::NoName { path: path.to_owned() }.into()),
        (None, Some(given)) => (given.name.clone(), None),
        (Some(own), given) => {
            let name = registry_name(own, path.display())?;
            let is_other = |given: &&PackageSpec| {
                let is_version = |version: &Version| own.version.as_ref().is_none_or(|own| own == version);
                given.name != name || !given.version.iter().all(is_version)
            };
            if let Some(given) = given.filter(is_other) {
                let (path, found) = (path.to_owned(), own.to_string());
                return Err(PackageFault::OtherName { path, found, given: given.clone() }.into());
            }
            (name, own.version.clone())
        }
    };
    match own_version.or_else(|| given?.version.clone()) {
        Some(version) => Ok((name, version)),
        None => Err(PackageFault::NoVersion { package: name, path: path.to_owned() }.into()),
    }
}
