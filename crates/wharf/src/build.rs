//! `build`: encodes the packages of a project as Wasm.

use std::path::{Path, PathBuf};

use serde::Serialize;
use wharf_archive::Existing;
use wharf_oci::Digest;
use wharf_wit::PackageName;

use crate::blocking::blocking;
use crate::encoding::{Encoded, EncodedPackage};
use crate::file_sink::{check_inputs, check_output};
use crate::homes::Connect;
use crate::output::Output;
use crate::project::{WitFolder, replace};
use crate::resolution::{Locking, ProjectOptions};
use crate::{Cause, Error};

/// What to build, and where to.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// The project, and where its packages come from.
    pub project: ProjectOptions,
    /// The file to write, or the folder for it; of several packages, the folder for their files. Nothing stands for the
    /// current folder. A file without a name from here is called `namespace_name@version.wasm`.
    pub output: Option<PathBuf>,
}

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildOutcome {
    /// The packages, each after those of the project that it needs.
    pub packages: Vec<BuiltPackage>,
    /// Whether what they need was taken from `wit/deps` as it lies there: no registry could be asked for what the locks
    /// name. The lock files are then as they were.
    pub is_vendored: bool,
    /// Whether a lock file changed.
    pub is_lock_changed: bool,
}

/// A package in Wasm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuiltPackage {
    /// Its name.
    pub name: String,
    /// The version, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file.
    pub path: PathBuf,
    /// The digest of the file.
    pub digest: Digest,
    /// The size of the file in bytes.
    pub size: u64,
}

/// Encodes a package of WIT as Wasm, or all packages of a workspace, with what they need and what `wkg.toml` says of them.
///
/// What is needed is brought as [`fetch`](crate::fetch()) brings it, and locked; `wit/deps` stays as it is. The same
/// WIT gives the same bytes. A file that is there already is replaced.
///
/// # Errors
/// [`Error::Build`]. Lock files and earlier builds are then as they were, unless it was a disk that failed.
pub async fn build(connect: &dyn Connect, options: &BuildOptions) -> Result<BuildOutcome, Error> {
    let run = async { write(options.project.encode(connect).await?, options).await };
    run.await.map_err(|source| Error::Build { project: options.project.folder.clone(), source })
}

async fn write(encoded: Encoded, options: &BuildOptions) -> Result<BuildOutcome, Cause> {
    let output = options.output.clone();
    let (encoded, paths) = blocking(move || {
        let paths = outputs(&encoded.packages, output)?;
        Ok::<_, Cause>((encoded, paths))
    })
    .await?;
    let project = &encoded.ready.project;
    let is_lock_changed = match (encoded.locks(), options.project.locking) {
        (Some(locks), Locking::Update) => locks.write(&project.root, &project.locks).await?,
        (_, locking) => {
            encoded.check_lock(locking)?;
            false
        }
    };
    let mut packages = Vec::new();
    for (package, path) in encoded.packages.iter().zip(paths) {
        replace(&path, &package.wasm).await?;
        packages.push(BuiltPackage::of(package, path));
    }
    Ok(BuildOutcome { packages, is_vendored: encoded.is_vendored, is_lock_changed })
}

/// Returns the file for each of the packages, each of which can be written.
fn outputs(packages: &[EncodedPackage], output: Option<PathBuf>) -> Result<Vec<PathBuf>, Cause> {
    let output = match Output::check(output, Existing::Replace)? {
        Output::File(path) if packages.len() > 1 => return Err(Cause::NoFolder { path }),
        output => output,
    };
    let mut inputs = Vec::new();
    for package in packages {
        inputs.extend(WitFolder::read(&package.wit)?.files);
    }
    let path = |package: &EncodedPackage| {
        let path = output.path(|| file_name(package.name()));
        check_inputs(&path, inputs.iter().map(|file| Path::new(&file.name)))?;
        check_output(&path, Existing::Replace)?;
        Ok(path)
    };
    packages.iter().map(path).collect()
}

/// Returns what a package is called as a file: `namespace_name@version.wasm`, which is a name on every system.
fn file_name(package: &PackageName) -> String {
    let PackageName { namespace, name, version } = package;
    match version {
        Some(version) => format!("{namespace}_{name}@{version}.wasm"),
        None => format!("{namespace}_{name}.wasm"),
    }
}

impl BuiltPackage {
    fn of(package: &EncodedPackage, path: PathBuf) -> Self {
        let PackageName { namespace, name, version } = package.name();
        Self {
            name: format!("{namespace}:{name}"),
            version: version.as_ref().map(ToString::to_string),
            path,
            digest: package.digest.clone(),
            size: package.wasm.len() as u64,
        }
    }
}
