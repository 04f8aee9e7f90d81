//! `get`: brings one package by its name, outside of any project, into a file.
//!
//! ```text
//!   name ──home──> place ──(list of versions, where it is open)──> version ──verify──> temporary file
//!                                                                                            │ examine
//!                                          text of a WIT package <──decode, print────────────┤
//!                                          Wasm of all else      <──rename───────────────────┘
//! ```

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tempfile::NamedTempFile;
use wharf_artifact::{Kind, Wasm};
use wharf_oci::{Algorithm, Digest, Hashed, Hashing, Progress};
use wharf_package::resolve::Requirement;
use wharf_package::{Config, LocalHome, PackageName, PackageSpec, Project, RegistryName, Settings, Version, newest};

use crate::blocking::blocking;
use crate::diff::read_wasm_file;
use crate::extract::{Workspace, extract_into};
use crate::file_sink::{begin, begin_in, persist, scratch_file};
use crate::homes::{Connect, Homes, Network, Served};
use crate::locate::Choice;
use crate::output::Output;
use crate::package_source::{PackagePlace, Remote, Wanted, no_version};
use crate::wasm_file::{examine, open_file};
use crate::{Cause, Error, Existing};

/// Which package to get, and where it goes.
#[derive(Debug, Clone)]
pub struct GetOptions {
    /// The package.
    pub package: PackageName,
    /// Which versions will do; of several, the newest is taken, a release before a pre-release.
    pub requirement: Requirement,
    /// The file, or a folder to put it in as `<namespace>_<name>@<version>.wit` or `.wasm`; the current folder where none
    /// is given.
    pub output: Option<PathBuf>,
    /// What to write. Where none is given, the ending of the file decides, and else what the package is: a WIT package
    /// becomes text, all else stays Wasm.
    pub form: Option<PackageForm>,
    /// What to do with the file.
    pub action: GetAction,
    /// The registry to ask, whatever the settings say.
    pub registry: Option<RegistryName>,
    /// The settings of the user.
    pub config: Config,
    /// The folder for temporary files.
    pub scratch: PathBuf,
}

/// What a package is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageForm {
    /// The bytes that the registry has.
    Wasm,
    /// WIT text: a package, or the world of a component.
    Wit,
}

/// What to do with the file that a package goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GetAction {
    /// Write it.
    Write(Existing),
    /// Tell whether it is the package already.
    Compare,
}

/// A package that was got, or compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetOutcome {
    /// The package.
    pub package: String,
    /// The version.
    pub version: Version,
    /// Its registry, as the settings name it.
    pub registry: String,
    /// Where that keeps it; nothing where it is a folder of this machine.
    pub repository: Option<String>,
    /// The digest of its Wasm.
    pub digest: Digest,
    /// The file.
    pub path: PathBuf,
    /// What the file has, or should have.
    pub form: PackageForm,
    /// The size of that in bytes.
    pub size: u64,
    /// How the file stands to the package now.
    pub state: FileState,
}

/// How a file stands to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// It was written.
    Written,
    /// It was the package already.
    Same,
    /// It is something else.
    Differs,
    /// It is not there.
    Missing,
}

/// Gets a package by its name, outside of any project.
///
/// An exact version costs its manifest and its Wasm, any other requirement the list of tags too. A component goes to its
/// file as it comes, so that memory stays small whatever its size.
///
/// ```no_run
/// use std::sync::Arc;
/// use wharf::client::{Client, ClientOptions, Error};
/// use wharf::oci::{NoProgress, Progress, Registry};
/// use wharf::packages::{Config, RegistrySettings, resolve::Requirement};
/// use wharf::{Connect, Existing, GetAction, GetOptions, get};
///
/// #[derive(Debug)]
/// struct Direct(Client);
///
/// impl Connect for Direct {
///     fn client(&self, _: &Registry, _: Option<&RegistrySettings>) -> Result<Client, Error> {
///         Ok(self.0.clone())
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let connect = Direct(Client::new(ClientOptions::default())?);
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let options = GetOptions {
///     package: "wasi:http".parse()?,
///     requirement: Requirement::Open("^0.2".parse()?),
///     output: Some("http.wit".into()),
///     form: None,
///     action: GetAction::Write(Existing::Keep),
///     registry: None,
///     config: Config::default(),
///     scratch: std::env::temp_dir(),
/// };
/// let outcome = get(&connect, &options, &progress).await?;
/// assert_eq!(outcome.path.to_str(), Some("http.wit"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Get`]. The file is then as it was before.
pub async fn get(
    connect: &dyn Connect,
    options: &GetOptions,
    progress: &Arc<dyn Progress>,
) -> Result<GetOutcome, Error> {
    run(connect, options, progress).await.map_err(|cause| {
        let (from, source) = match cause {
            Cause::Package { repository, source, .. } => (Some(repository), *source),
            cause => (None, cause),
        };
        Error::Get { package: options.asked(), from, source }
    })
}

impl GetOptions {
    /// Returns what was asked for, as people write it.
    fn asked(&self) -> String {
        match &self.requirement {
            Requirement::Exactly(version) => format!("{}@{version}", self.package),
            Requirement::Open(any) if *any == wharf_package::VersionReq::STAR => self.package.to_string(),
            Requirement::Open(range) => format!("{}@{range}", self.package),
        }
    }

    /// Returns what to write of a package of this kind.
    fn form_of(&self, kind: Kind, output: &Output) -> PackageForm {
        let of_file = || match output {
            Output::File(path) => match path.extension()?.to_str()? {
                "wasm" => Some(PackageForm::Wasm),
                "wit" => Some(PackageForm::Wit),
                _ => None,
            },
            Output::Here | Output::Folder(_) => None,
        };
        let usual = if kind == Kind::WitPackage { PackageForm::Wit } else { PackageForm::Wasm };
        self.form.or_else(of_file).unwrap_or(usual)
    }
}

async fn run(connect: &dyn Connect, options: &GetOptions, progress: &Arc<dyn Progress>) -> Result<GetOutcome, Cause> {
    let existing = match options.action {
        GetAction::Write(existing) => existing,
        GetAction::Compare => Existing::Replace,
    };
    let path = options.output.clone();
    let output = blocking(move || Output::check(path, existing)).await?;
    let project = Project::default();
    let settings = Settings { flag: options.registry.clone(), project, config: options.config.clone() };
    let homes = Homes { settings: &settings, connect, network: Network::Online, served: Served::default() };
    let home = homes.home(&options.package)?;
    let place = homes.place(&options.package, &home, homes.location(&home).await?)?;
    let target = match options.action {
        // It is renamed where it is to stand, so that it must not come from another file system.
        GetAction::Write(_) => begin_in(output.folder()).await?,
        GetAction::Compare => scratch_file(&options.scratch).await?,
    };
    let workspace = Workspace { target, scratch: &options.scratch };
    let got = bring(&place, options, workspace, progress).await;
    let Got { version, file, wasm } = got.map_err(|cause| place.explain(cause, &options.package))?;
    let form = options.form_of(wasm.kind, &output);
    let path = output.path(|| file_name(&options.package, &version, form));
    let digest = wasm.digest.clone();
    let content = Content::new(form, file, wasm, &options.asked()).await?;
    let size = content.size();
    let state = content.put(&path, options.action).await?;
    let repository = match place {
        PackagePlace::Folder(_) => None,
        PackagePlace::Remote(remote) => Some(remote.repository.to_string()),
    };
    let (package, registry) = (options.package.to_string(), home.registry.to_string());
    Ok(GetOutcome { package, version, registry, repository, digest, path, form, size, state })
}

/// A version of a package, verified, in a file that vanishes unless it gets a name.
struct Got {
    version: Version,
    file: NamedTempFile,
    wasm: Wasm,
}

async fn bring(
    place: &PackagePlace,
    options: &GetOptions,
    workspace: Workspace<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<Got, Cause> {
    let (name, requirement) = (&options.package, &options.requirement);
    let version = match requirement {
        Requirement::Exactly(version) => version.clone(),
        Requirement::Open(_) => choose(name, requirement, place.versions(name).await?)?,
    };
    let wanted = Wanted { name: name.clone(), requirement: requirement.to_version_req(), version };
    let file = match place {
        PackagePlace::Folder(folder) => copy(place, folder, &wanted, workspace.target).await?,
        PackagePlace::Remote(remote) => download(remote, &wanted, workspace, progress).await?,
    };
    let path = file.path().to_owned();
    let wasm = blocking(move || examine(&path)).await?;
    check_name(&wanted, &wasm)?;
    Ok(Got { version: wanted.version, file, wasm })
}

/// Returns the newest version that will do.
pub(crate) fn choose(package: &PackageName, requirement: &Requirement, known: Vec<Version>) -> Result<Version, Cause> {
    match newest(known.iter().filter(|version| requirement.is_met_by(version))) {
        Some(version) => Ok(version.clone()),
        None => Err(no_version(package, &requirement.to_version_req(), known)),
    }
}

async fn download(
    remote: &Remote,
    wanted: &Wanted,
    workspace: Workspace<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<NamedTempFile, Cause> {
    let place = remote.open(&wanted.version).await?;
    let artifact = remote.locate(&place, wanted).await?;
    Ok(extract_into(&place, &artifact, &Choice::default(), workspace, progress).await?.file)
}

async fn copy(
    place: &PackagePlace,
    folder: &LocalHome,
    wanted: &Wanted,
    target: NamedTempFile,
) -> Result<NamedTempFile, Cause> {
    let path = folder.version_file(&wanted.name, &wanted.version);
    if !path.is_file() {
        return Err(no_version(&wanted.name, &wanted.requirement, place.versions(&wanted.name).await?));
    }
    blocking(move || {
        io::copy(&mut open_file(&path)?, &mut target.as_file()).map_err(Cause::file("copy", &path))?;
        Ok(target)
    })
    .await
}

/// Fails where a WIT package is another one than was asked for. What else Wasm is has no name to compare.
pub(crate) fn check_name(wanted: &Wanted, wasm: &Wasm) -> Result<(), Cause> {
    let Some(found) = &wasm.package else { return Ok(()) };
    let is_wanted = found.parse().is_ok_and(|spec: PackageSpec| {
        spec.name == wanted.name && spec.version.is_none_or(|version| version == wanted.version)
    });
    if is_wanted {
        return Ok(());
    }
    let (package, version) = (wanted.name.clone(), wanted.version.clone());
    Err(Cause::OtherPackage { package, version, found: found.clone() })
}

/// Returns what `wkg get` calls the file.
fn file_name(package: &PackageName, version: &Version, form: PackageForm) -> String {
    let end = match form {
        PackageForm::Wasm => "wasm",
        PackageForm::Wit => "wit",
    };
    format!("{}_{}@{version}.{end}", package.namespace(), package.name())
}

/// What the file is to have.
enum Content {
    Wasm { file: NamedTempFile, digest: Digest, size: u64 },
    Text(String),
}

impl Content {
    async fn new(form: PackageForm, file: NamedTempFile, wasm: Wasm, label: &str) -> Result<Self, Cause> {
        match form {
            PackageForm::Wasm => Ok(Self::Wasm { file, digest: wasm.digest, size: wasm.size }),
            PackageForm::Wit => {
                let label = label.to_owned();
                blocking(move || print(file.path(), &label).map(Self::Text)).await
            }
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Wasm { size, .. } => *size,
            Self::Text(text) => text.len() as u64,
        }
    }

    async fn put(self, path: &Path, action: GetAction) -> Result<FileState, Cause> {
        match (action, self) {
            (GetAction::Write(existing), Self::Wasm { file, .. }) => persist(file, path, existing).await?,
            (GetAction::Write(existing), Self::Text(text)) => {
                let mut file = begin(path, existing).await?;
                file.write_all(text.as_bytes()).map_err(Cause::file("write", path))?;
                persist(file, path, existing).await?;
            }
            (GetAction::Compare, Self::Wasm { digest, .. }) => return compare(path, digest).await,
            (GetAction::Compare, Self::Text(text)) => return compare(path, Digest::sha256(text.as_bytes())).await,
        }
        Ok(FileState::Written)
    }
}

/// Returns the text of a package, or of the world of a component.
fn print(path: &Path, label: &str) -> Result<String, Cause> {
    Ok(read_wasm_file(label, path)?.print()?)
}

async fn compare(path: &Path, expected: Digest) -> Result<FileState, Cause> {
    let path = path.to_owned();
    blocking(move || {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(FileState::Missing),
            Err(error) => return Err(Cause::file("open", &path)(error)),
        };
        let hashing = Hashing::new(Algorithm::Sha256, file);
        let Hashed { digest, .. } = hashing.read_rest().map_err(Cause::file("read", &path))?;
        Ok(if digest == expected { FileState::Same } else { FileState::Differs })
    })
    .await
}
