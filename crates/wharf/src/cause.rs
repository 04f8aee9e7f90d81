//! Why a verb failed.

mod compose_fault;
mod deploy_fault;
mod edit_fault;
mod package_fault;
mod pin_fault;
#[cfg(feature = "run")]
mod run_fault;
mod sources;
mod words;

use std::io;
use std::path::PathBuf;

use wharf_artifact::cncf::InvalidConfig;
use wharf_artifact::dialect::Unreadable;
use wharf_artifact::provider::{InvalidKey, InvalidProvider, UnwritableProvider, rfc3339};
use wharf_artifact::search::InvalidLayer;
use wharf_artifact::{InvalidBuild, InvalidText, InvalidWasm, Kind, Role};
use wharf_oci::{Digest, InvalidReference, MediaType, TagName};
use wharf_package::resolve::Unresolvable;
use wharf_package::{
    HomeRule, InvalidDocument, InvalidName, PackageName, PackageSpec, RegistryName, UnusableRegistry, Version,
    VersionReq,
};
use wharf_tar::{InvalidPath, InvalidTar, WriteError};

pub use self::compose_fault::{ComposeFault, Reason, Unfit};
pub use self::deploy_fault::DeployFault;
pub use self::edit_fault::EditFault;
pub use self::package_fault::PackageFault;
pub use self::pin_fault::PinFault;
#[cfg(feature = "run")]
pub use self::run_fault::RunFault;
use self::words::{but, instead, instead_of, name};
use crate::Form;

/// Why a verb failed; sorted by whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The file is no Wasm that can be packed.
    #[error(transparent)]
    Wasm(#[from] InvalidWasm),
    /// The artifact cannot be built as asked.
    #[error(transparent)]
    Build(#[from] InvalidBuild),
    /// The file is text, and no WebAssembly text.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// The file is a provider archive that is not to be trusted, or a broken one.
    #[error(transparent)]
    Provider(#[from] InvalidProvider),
    /// The program does not run.
    #[cfg(feature = "run")]
    #[error(transparent)]
    RunFault(#[from] RunFault),
    /// A provider archive cannot be made of what was given.
    #[error(transparent)]
    UnwritableProvider(#[from] UnwritableProvider),
    /// A seed that was given is none.
    #[error("a key was given that is no seed")]
    Seed {
        /// Why.
        source: InvalidKey,
    },
    /// A file that should hold the seed of a key does not.
    #[error("`{}` holds no seed of a key", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: InvalidKey,
    },
    /// A key is not there, and none was to be made.
    #[error("there is no key `{}`", path.display())]
    NoKey {
        /// The file that should hold its seed.
        path: PathBuf,
    },
    /// Two binaries are for one target.
    #[error("there are two binaries for `{target}`")]
    TargetTwice {
        /// The target.
        target: String,
    },
    /// There is no Wasm to pack.
    #[error("there is no Wasm file to pack")]
    NothingToPack,
    /// A folder whose Wasm is to be packed has none.
    #[error("there is no `.wasm` file in `{}`", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A form takes one file, and there are several, or other layers.
    #[error("`{form}` has one Wasm file and no other layers; `image` takes several")]
    SeveralLayers {
        /// The form.
        form: Form,
    },
    /// Something was given that a form cannot say.
    #[error("`{form}` has no place for {what}")]
    NoPlaceFor {
        /// The form.
        form: Form,
        /// What was given.
        what: &'static str,
    },
    /// A provider archive says itself what can be said of it.
    #[error("a provider archive has no place for an author, a world or root contexts; its claims tell who made it")]
    ProviderDescription,
    /// What was asked for exists in one form only.
    #[error("{what} has one form, `artifact`, and keeps it")]
    OneForm {
        /// What it is.
        what: &'static str,
    },
    /// A platform was asked for, and there is nothing to choose from.
    #[error("the artifact is no index, so that `{wanted}` cannot be taken from it")]
    NoPlatforms {
        /// What was asked for.
        wanted: String,
    },
    /// The new form has no place for all that is in the artifact.
    #[error("`{form}` has no place for {}", lost.join("; "))]
    Losses {
        /// The form.
        form: Form,
        /// What would be left behind.
        lost: Vec<String>,
    },
    /// What an image is to be called is no name.
    #[error("`{name}` cannot be the name of an image")]
    ImageName {
        /// What was given.
        name: String,
        /// Why.
        source: InvalidReference,
    },
    /// The name of a file cannot stand in a tar.
    #[error("the file cannot stand in a tar")]
    TarPath(#[source] InvalidPath),
    /// An archive is not changed once it is written.
    #[error("an archive is written once, and not changed")]
    Written,
    /// Of a layout, names are deleted.
    #[error("of a layout, a name is deleted, and its content with its last name")]
    NamesOnly,
    /// A provider has no WIT world.
    #[error("the provider archive has no WIT world")]
    NoWorld,
    /// The file is no filter, which is what the host runs.
    #[error(
        "the file is a {}, and no proxy-wasm filter: it does not export `proxy_abi_version_0_2_1` or another version",
        name(*kind, *role)
    )]
    NoFilter {
        /// The kind of Wasm that it is.
        kind: Kind,
        /// What it is written to be, where its bytes tell.
        role: Option<Role>,
    },
    /// The path cannot stand in a configuration.
    #[error("the path `{}` is not UTF-8, and a configuration is", path.display())]
    PathNotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// The WIT is not valid, or does not fit together.
    #[error(transparent)]
    Wit(#[from] wharf_wit::Error),
    /// Two things are no versions of each other.
    #[error(transparent)]
    Incomparable(#[from] wharf_wit::compare::Incomparable),
    /// A file of the project is not what its name says.
    #[error("cannot read `{}`", path.display())]
    ProjectFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: InvalidDocument,
    },
    /// No versions of packages meet all that is asked of them.
    #[error(transparent)]
    Unresolvable(#[from] Unresolvable),
    /// A path in `wkg.toml` leads to another package than the one it is given for.
    #[error("`{}` is the package `{found}`, where wkg.toml has it for `{package}`", path.display())]
    OverrideOther {
        /// The package that `wkg.toml` names.
        package: PackageName,
        /// The folder.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A package cannot be built, or not be published.
    #[error(transparent)]
    PackageFault(Box<PackageFault>),
    /// A project cannot be made, or not be changed as it was asked for.
    #[error(transparent)]
    EditFault(#[from] EditFault),
    /// Components cannot be composed.
    #[error(transparent)]
    ComposeFault(Box<ComposeFault>),
    /// Something cannot be deployed as it was asked for.
    #[error(transparent)]
    DeployFault(Box<DeployFault>),
    /// The images of a file cannot be pinned.
    #[error(transparent)]
    PinFault(#[from] PinFault),
    /// The WIT names a package by a name that no registry can have.
    #[error("a package is named at {location} that no registry can have")]
    PackageName {
        /// Where the WIT names it.
        location: String,
        /// Why.
        source: InvalidName,
    },
    /// No setting says which registry has a package.
    #[error("no registry is known for `{package}`")]
    NoHome {
        /// The package.
        package: PackageName,
    },
    /// A package would come from elsewhere than before.
    #[error(
        "`{package}` came from `{before}`, and would now come from `{now}`{}",
        rule.map_or_else(|| ", as its registry says".to_owned(), |rule| format!(", as {rule} say"))
    )]
    PackageMoved {
        /// The package.
        package: PackageName,
        /// Where it came from.
        before: String,
        /// Where it would come from.
        now: String,
        /// The setting that says so; nothing where it is the registry.
        rule: Option<HomeRule>,
    },
    /// A package was named that the project does not use.
    #[error("the project does not use `{package}`{}", but(near))]
    NotUsed {
        /// The package, and its version where one was named.
        package: PackageSpec,
        /// What it uses instead: other versions, or packages that are spelled alike, the nearest first.
        near: Vec<PackageSpec>,
    },
    /// The registry of a package cannot be used as the settings want it.
    #[error(transparent)]
    UnusableRegistry(#[from] UnusableRegistry),
    /// What a registry says of itself cannot be read.
    #[error("cannot read what `{registry}` says of itself")]
    Served {
        /// The registry.
        registry: RegistryName,
        /// Why.
        source: InvalidDocument,
    },
    /// A package has a name or a version that is too long for a registry.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// Nobody may be asked for what is not kept here.
    #[error("{what} is not kept here, and no registry may be asked")]
    Offline {
        /// What is missing.
        what: String,
    },
    /// A package cannot be had where it should be: the registry or the way to it failed, or it has something else.
    #[error("cannot get `{package}` from `{repository}`")]
    Package {
        /// The package.
        package: PackageName,
        /// What was asked: where its registry keeps it, or the mirror of that.
        repository: String,
        /// Why.
        source: Box<Self>,
    },
    /// No version of a package will do.
    #[error("`{package}` has no version{}", instead_of(requirement, known))]
    NoVersion {
        /// The package.
        package: PackageName,
        /// Which versions would do.
        requirement: VersionReq,
        /// Those that it has.
        known: Vec<Version>,
    },
    /// A version has other content than was locked.
    #[error("`{package}@{version}` is {found}, where `wkg.lock` has {locked}")]
    LockedOtherwise {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// What was locked.
        locked: Digest,
        /// What its registry has.
        found: Digest,
    },
    /// The lock file would have to change, and must not.
    #[error("`wkg.lock` is not that of the WIT: {}", changes.join(", "))]
    LockOutdated {
        /// What would be added and taken out.
        changes: Vec<String>,
    },
    /// A registry has another package in the place of one.
    #[error("what is kept as `{package}@{version}` is the package `{found}`")]
    OtherPackage {
        /// The package that was asked for.
        package: PackageName,
        /// The version that was asked for.
        version: Version,
        /// What it calls itself.
        found: String,
    },
    /// What a registry has for a package is none.
    #[error("what is kept as `{package}@{version}` is no WIT package in one layer")]
    NoWitPackage {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// A file that should be text is none.
    #[error("`{}` is not UTF-8 text", path.display())]
    TextNotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A folder of WIT has more than any project does.
    #[error("`{}` has more than {bytes} bytes of WIT, or more than {entries} files", path.display())]
    WitTooLarge {
        /// The folder.
        path: PathBuf,
        /// The limit in bytes.
        bytes: u64,
        /// The limit in files and folders.
        entries: usize,
    },
    /// A workspace has no member.
    #[error("`members` in `{}` names no folder with WIT", path.display())]
    NoMembers {
        /// The `wkg.toml`.
        path: PathBuf,
    },
    /// A workspace has more folders than any does, and a pattern looks into all of them.
    #[error("`{}` has more than {folders} folders that may be members", path.display())]
    WorkspaceTooLarge {
        /// The folder of the workspace.
        path: PathBuf,
        /// The limit.
        folders: usize,
    },
    /// What should be a file is a folder or a device.
    #[error("`{}` is not a file", path.display())]
    NoFile {
        /// What was given.
        path: PathBuf,
    },
    /// What should be a folder is none, or is not there.
    #[error("there is no folder `{}`", path.display())]
    NoFolder {
        /// What was given.
        path: PathBuf,
    },
    /// A file has other bytes than those that were examined.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file is to be a layer of a type that its bytes are not.
    #[error("`{}` is no tar, as a layer of type {media_type} is", path.display())]
    NoTar {
        /// The file.
        path: PathBuf,
        /// The type that was asked for.
        media_type: MediaType,
    },
    /// What is to be packed would be replaced by what is made of it.
    #[error("`{}` is one of the files to read, and would be replaced", path.display())]
    OutputIsInput {
        /// The file.
        path: PathBuf,
    },
    /// The claims of a provider would be of no use to anybody.
    #[error("the claims would have expired at {}", rfc3339(*expires))]
    Expired {
        /// When they would expire, in seconds since 1970.
        expires: u64,
    },
    /// A file would be overwritten.
    #[error("`{}` exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The reference pins another digest than what was built.
    #[error("the reference asks for {expected}, but the artifact is {actual}")]
    Pinned {
        /// What the reference says.
        expected: Digest,
        /// The manifest's digest.
        actual: Digest,
    },
    /// The binary is too large to read its WIT.
    #[error("the binary has {size} bytes; WIT is read from no more than {limit}")]
    TooLargeForWit {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A command that deletes was given a repository alone.
    #[error("the reference names neither a tag nor a digest")]
    NoSelector,
    /// A command that deletes was given a tag and a digest.
    #[error("the reference names both a tag and a digest, and only one of them can be meant")]
    TwoSelectors,
    /// The repository has no such tag.
    #[error("no tag `{tag}` in `{repository}`, which has {}", instead(near, *count))]
    NoSuchTag {
        /// The tag.
        tag: TagName,
        /// The repository, with its registry.
        repository: String,
        /// Tags that it has and that are spelled alike, the nearest first.
        near: Vec<TagName>,
        /// How many tags it has.
        count: usize,
    },
    /// The layout or archive has no manifest with this digest.
    #[error("`{}` has no manifest {digest}", path.display())]
    NoSuchManifest {
        /// What was asked for.
        digest: Digest,
        /// The layout or archive.
        path: PathBuf,
    },
    /// The artifact is none that Wharf reads, or holds no Wasm.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A layer cannot be looked into.
    #[error(transparent)]
    Search(#[from] InvalidLayer),
    /// A layer is a broken tar.
    #[error("a layer is no tar that can be read")]
    Layer {
        /// Why.
        source: InvalidTar,
    },
    /// A JSON document of the artifact is none.
    #[error(transparent)]
    Document(#[from] wharf_artifact::InvalidDocument),
    /// The layers that would have to be fetched are too large.
    #[error("{bytes} bytes of layers would have to be fetched; the limit is {limit}")]
    TooMuchToFetch {
        /// How many bytes those seen so far have.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The config of the artifact is none.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// The content, or what holds it, failed.
    #[error(transparent)]
    Content(#[from] wharf_oci::Error),
    /// The registry, or the way to it, failed.
    #[error(transparent)]
    Client(#[from] wharf_client::Error),
    /// A layout or an archive of this machine is broken, or cannot be used.
    #[error(transparent)]
    Archive(wharf_archive::Error),
    /// A tar could not be written.
    #[error("cannot write the layer")]
    Tar(#[source] WriteError),
    /// The system gives no randomness for a key.
    #[error("the system gives no randomness to make a key of")]
    Randomness(#[source] io::Error),
    /// The hub's storage failed.
    #[error(transparent)]
    Store(#[from] wharf_store::Error),
    /// The address cannot be listened on.
    #[error(transparent)]
    Listener(io::Error),
    /// A file of this machine could not be used.
    #[error("cannot {operation} `{}`", path.display())]
    File {
        /// What was tried, such as `open`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
