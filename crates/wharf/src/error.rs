//! What went wrong: which verb on which thing, and why.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use wharf_artifact::cncf::InvalidConfig;
use wharf_artifact::dialect::Unreadable;
use wharf_artifact::provider::{InvalidKey, InvalidProvider, UnwritableProvider, rfc3339};
use wharf_artifact::search::InvalidLayer;
use wharf_artifact::{InvalidBuild, InvalidDocument, InvalidText, InvalidWasm, Kind, Role};
use wharf_oci::{Digest, InvalidReference, MediaType, Registry, TagName};
use wharf_tar::{InvalidPath, InvalidTar, WriteError};

use crate::{DeployTarget, Form, Location};

/// A verb that failed, and on what.
///
/// The text names the operation and the thing; the reason is the [`source`](std::error::Error::source), a [`Cause`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `push` failed.
    #[error("cannot push `{}` to `{to}`", file.display())]
    Push {
        /// The file.
        file: PathBuf,
        /// Where it should have gone.
        to: Location,
        /// Why.
        source: Cause,
    },
    /// `pull` failed.
    #[error("cannot pull `{from}`")]
    Pull {
        /// What was asked for.
        from: Location,
        /// Why.
        source: Cause,
    },
    /// `copy` failed.
    #[error("cannot copy `{from}` to `{to}`")]
    Copy {
        /// What was asked for.
        from: Location,
        /// Where it should have gone.
        to: Location,
        /// Why.
        source: Cause,
    },
    /// `pack` failed.
    #[error("cannot pack `{}`", output.display())]
    Pack {
        /// The archive that should have been written.
        output: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `pack` failed on one of the files.
    #[error("cannot pack `{}` into `{}`", file.display(), output.display())]
    PackFile {
        /// The file.
        file: PathBuf,
        /// The archive that should have been written.
        output: PathBuf,
        /// Why.
        source: Cause,
    },
    /// `inspect` failed.
    #[error("cannot inspect `{target}`")]
    Inspect {
        /// The file or reference.
        target: String,
        /// Why.
        source: Cause,
    },
    /// `tags` failed.
    #[error("cannot list the tags of `{location}`")]
    Tags {
        /// The repository.
        location: Location,
        /// Why.
        source: Cause,
    },
    /// `tag` failed.
    #[error("cannot tag `{location}` as `{name}`")]
    Tag {
        /// The manifest.
        location: Location,
        /// The new name.
        name: TagName,
        /// Why.
        source: Cause,
    },
    /// `delete` failed.
    #[error("cannot delete `{location}`")]
    Delete {
        /// What was to be deleted.
        location: Location,
        /// Why.
        source: Cause,
    },
    /// `deploy` failed.
    #[error("cannot deploy `{}` to {target}", file.display())]
    Deploy {
        /// The file.
        file: PathBuf,
        /// What should have run it.
        target: DeployTarget,
        /// Why.
        source: Cause,
    },
    /// `login` failed.
    #[error("cannot log in to `{registry}`")]
    Login {
        /// The registry.
        registry: Registry,
        /// Why.
        source: Cause,
    },
    /// `logout` failed.
    #[error("cannot log out of `{registry}`")]
    Logout {
        /// The registry.
        registry: Registry,
        /// Why.
        source: Cause,
    },
    /// The hub could not listen.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: Cause,
    },
    /// The hub could not start.
    #[error("cannot serve `{}`", storage.display())]
    Hub {
        /// The storage folder.
        storage: PathBuf,
        /// Why.
        source: Cause,
    },
}

impl Error {
    /// Returns why the verb failed.
    #[must_use]
    pub fn reason(&self) -> &Cause {
        match self {
            Self::Push { source, .. }
            | Self::Pull { source, .. }
            | Self::Copy { source, .. }
            | Self::Pack { source, .. }
            | Self::PackFile { source, .. }
            | Self::Inspect { source, .. }
            | Self::Tags { source, .. }
            | Self::Tag { source, .. }
            | Self::Delete { source, .. }
            | Self::Deploy { source, .. }
            | Self::Login { source, .. }
            | Self::Logout { source, .. }
            | Self::Listen { source, .. }
            | Self::Hub { source, .. } => source,
        }
    }
}

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
    #[error("`{}` is what is packed, and would be replaced", path.display())]
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
    Document(#[from] InvalidDocument),
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

impl Cause {
    /// Names the operation and the file in an I/O error.
    pub(crate) fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { operation, path: path.to_owned(), source }
    }

    /// Returns the error of a layout or an archive, wherever it is wrapped.
    #[must_use]
    pub fn archive(&self) -> Option<&wharf_archive::Error> {
        match self {
            Self::Archive(error) => Some(error),
            Self::Content(error) => error.medium_ref(),
            _ => None,
        }
    }

    /// Returns the registry client's error, wherever it is wrapped.
    #[must_use]
    pub fn client(&self) -> Option<&wharf_client::Error> {
        match self {
            Self::Client(error) => Some(error),
            Self::Content(error) => error.medium_ref(),
            _ => None,
        }
    }
}

impl From<wharf_archive::Error> for Cause {
    fn from(error: wharf_archive::Error) -> Self {
        match error {
            // What holds the content says it no better than the content.
            wharf_archive::Error::Content(error) => Self::Content(error),
            error => Self::Archive(error),
        }
    }
}

/// Names what a binary is, as closely as its bytes tell.
fn name(kind: Kind, role: Option<Role>) -> String {
    role.map_or_else(|| kind.to_string(), |role| role.to_string())
}

/// Says what a repository has instead of a tag.
fn instead(near: &[TagName], count: usize) -> String {
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    match (count, names.as_slice()) {
        (0, _) => "none".to_owned(),
        (1, []) => "1 other".to_owned(),
        (_, []) => format!("{count} others"),
        (_, names) => names.join(", "),
    }
}
