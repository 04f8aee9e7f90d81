//! What to do about a failure: a command, a flag, or a file; and whose fault it was, as an exit code.

use std::io::ErrorKind;

use wharf::archive::Error as ArchiveError;
use wharf::artifact::dialect::Unreadable;
use wharf::artifact::provider::UnwritableProvider;
use wharf::artifact::search::InvalidLayer;
use wharf::artifact::{InvalidBuild, InvalidWasm, Kind, Packing, Role};
use wharf::client::{CredentialSource, Error as ClientError, TlsFault};
use wharf::oci::{Error as ContentError, Registry};
use wharf::wit::Error as WitError;
use wharf::{Cause, Error, Location};

use crate::{exit, wash};

mod composing;
mod deploying;
mod editing;
mod packages;
mod publishing;
mod running;

/// What happened to content that is not what its digest says.
const ALTERED: &str = "the registry, or a proxy on the way to it, altered the content; tell whoever runs it";

/// How to say what is to be deleted from a layout.
const DAMAGED: &str = "it was damaged or altered since it was made; get it again";
const SELECT: &str = "name what is to go: oci-layout:FOLDER:NAME";

/// Returns the exit code of a failed verb.
pub(crate) fn code(error: &Error) -> u8 {
    match error.reason() {
        _ if is_local(error) && is_broken(error) => exit::USAGE,
        _ if is_incomplete(error) => exit::ENVIRONMENT,
        Cause::Wasm(InvalidWasm::Read(_)) | Cause::Search(InvalidLayer::Write { .. }) => exit::ENVIRONMENT,
        // A provider that cannot be written for what was given is refused before anything is written.
        Cause::UnwritableProvider(UnwritableProvider::Tar(_) | UnwritableProvider::Finish(_)) => exit::ENVIRONMENT,
        Cause::ComposeFault(fault) => composing::code(fault),
        Cause::DeployFault(fault) => deploying::code(fault),
        Cause::PinFault(fault) => deploying::pin_code(fault),
        Cause::RunFault(fault) => running::code(fault),
        Cause::Wasm(_)
        | Cause::Build(_)
        | Cause::NoFilter { .. }
        | Cause::PathNotUtf8 { .. }
        | Cause::NoFile { .. }
        | Cause::Changed { .. }
        | Cause::NoTar { .. }
        | Cause::OutputIsInput { .. }
        | Cause::Expired { .. }
        | Cause::NoFolder { .. }
        | Cause::Exists { .. }
        | Cause::Pinned { .. }
        | Cause::NoSelector
        | Cause::TwoSelectors
        | Cause::NoSuchTag { .. }
        | Cause::NoSuchManifest { .. }
        | Cause::Unreadable(_)
        | Cause::Text(_)
        | Cause::Wit(_)
        | Cause::Incomparable(_)
        | Cause::Reference(_)
        | Cause::Provider(_)
        | Cause::UnwritableProvider(_)
        | Cause::Seed { .. }
        | Cause::KeyFile { .. }
        | Cause::NoKey { .. }
        | Cause::TargetTwice { .. }
        | Cause::NothingToPack
        | Cause::EmptyFolder { .. }
        | Cause::SeveralLayers { .. }
        | Cause::NoPlaceFor { .. }
        | Cause::ProviderDescription
        | Cause::OneForm { .. }
        | Cause::NoPlatforms { .. }
        | Cause::Losses { .. }
        | Cause::ImageName { .. }
        | Cause::TarPath(_)
        | Cause::Written
        | Cause::NamesOnly
        | Cause::NoWorld
        | Cause::Search(_)
        | Cause::Layer { .. }
        | Cause::Document(_)
        | Cause::TooMuchToFetch { .. }
        | Cause::TooLargeForWit { .. } => exit::USAGE,
        cause if cause.archive().is_some() => cause.archive().map_or(exit::ENVIRONMENT, archive_code),
        Cause::File { source, .. } if is_misnamed(source.kind()) => exit::USAGE,
        cause if is_missing(cause) || packages::is_mistake(cause) => exit::USAGE,
        cause => publishing::code(cause),
    }
}

/// Returns what to do about a failed verb.
pub(crate) fn verb_hint(error: &Error) -> Option<String> {
    let cause = error.reason();
    of_packages(error).or_else(|| match cause {
        _ if is_refused_login(error) => Some("check the user name and the password or token".to_owned()),
        _ if is_incomplete(error) && is_local(error) => Some("a part of it is missing; make it again".to_owned()),
        _ if is_incomplete(error) => Some("the registry has lost a part of it; push it again".to_owned()),
        _ if is_missing(cause) => location_of(error).map(|location| match error {
            Error::Tags { .. } => "check the name of the repository".to_owned(),
            _ => format!("check the name; `wharf tags {}` lists what is there", location.bare()),
        }),
        _ if is_tag_kept(error) => location_of(error).map(|location| {
            let repository = location.bare();
            format!(
                "many registries delete by digest alone, and all its tags with it: `wharf delete {repository}@sha256:…`"
            )
        }),
        _ if cause.client().is_some() => cause.client().and_then(client_hint),
        _ if cause.archive().is_some() => cause.archive().and_then(|source| archive_hint(error, source)),
        Cause::NoFolder { path } if path.exists() => {
            Some(format!("`{}` is a file; name another folder", path.display()))
        }
        Cause::NoFolder { path } => Some(format!("`mkdir -p {}` makes it", path.display())),
        Cause::File { operation, .. }
            if matches!(error, Error::Pull { .. } | Error::Get { .. }) && !operation.starts_with("open") =>
        {
            Some("pass --output to write elsewhere".to_owned())
        }
        Cause::Changed { .. } => Some("pack it again".to_owned()),
        Cause::NoTar { .. } => Some("name the type that it has, or pack it with `tar -cf`".to_owned()),
        Cause::OutputIsInput { .. } => Some("--output takes another name".to_owned()),
        Cause::Expired { .. } => Some("--expires-in counts from SOURCE_DATE_EPOCH, where that is set".to_owned()),
        Cause::Wit(invalid) => wit_hint(error, invalid),
        Cause::Exists { .. } => Some("pass --force to replace it, or --output to write elsewhere".to_owned()),
        Cause::TwoSelectors => Some("with the tag alone, the tag goes; with the digest alone, all its tags".to_owned()),
        Cause::NoSelector if is_local(error) => Some(SELECT.to_owned()),
        Cause::NoSelector => Some("name a tag (repository:tag) or a digest (repository@sha256:…)".to_owned()),
        Cause::NoSuchTag { repository, count: 0, .. } => {
            Some(format!("check whether `{repository}` is the right name"))
        }
        Cause::NoSuchTag { repository, .. } => Some(format!("`wharf tags {repository}` lists what is there")),
        Cause::NoFilter { kind, role } => Some(host_hint(*kind, *role).to_owned()),
        Cause::Seed { .. } => Some(
            "a key is a file that holds a seed, or the seed itself: SA… of an account, SV… of a provider".to_owned(),
        ),
        Cause::NoKey { .. } => {
            Some("without --disable-keygen it is made; --issuer and --subject take another".to_owned())
        }
        Cause::Wasm(InvalidWasm::Packed { packing: Packing::Tar }) => Some(tar_hint(error)),
        Cause::Wasm(invalid) => wasm_hint(invalid),
        Cause::Build(invalid) => build_hint(invalid),
        Cause::Unreadable(unreadable) => unreadable_hint(unreadable),
        Cause::Losses { .. } => Some("--lossy packs it without them".to_owned()),
        Cause::SeveralLayers { .. } => Some("--as image packs several layers into one image".to_owned()),
        Cause::Written => Some("`wharf copy` it to an oci-layout: folder, where names can be changed".to_owned()),
        Cause::NamesOnly => Some(SELECT.to_owned()),
        Cause::ImageName { .. } => Some("--name takes lower case: [registry/]path/name".to_owned()),
        Cause::Content(ContentError::Digest { .. } | ContentError::Size { .. }) if is_push(error) => {
            Some("the file changed while it was read; try it again".to_owned())
        }
        Cause::Content(ContentError::Digest { .. } | ContentError::Size { .. }) if is_local(error) => {
            Some(DAMAGED.to_owned())
        }
        Cause::Content(ContentError::Digest { .. } | ContentError::Size { .. }) => Some(ALTERED.to_owned()),
        _ => packages::package_hint(cause),
    })
}

/// Returns what to do about a failed verb of packages, where that is about packages.
fn of_packages(error: &Error) -> Option<String> {
    let cause = error.reason();
    if let Some(near) = packages::near_hint(error) {
        return Some(near);
    }
    match error {
        Error::Fetch { .. } | Error::Tree { .. } => packages::fetch_hint(cause),
        Error::Update { .. } | Error::Outdated { .. } => packages::update_hint(cause),
        Error::Init { .. } | Error::Add { .. } | Error::Remove { .. } => editing::edit_hint(error),
        Error::Get { .. } => packages::get_hint(cause),
        Error::Compose { .. } => composing::compose_hint(cause),
        Error::Run { program, .. } => running::run_hint(program, cause),
        Error::Deploy { .. } => deploying::deploy_hint(error),
        Error::Pin { .. } => deploying::pin_hint(cause),
        Error::Build { .. } | Error::Check { .. } | Error::Publish { .. } => publishing::publish_hint(error),
        _ => None,
    }
}

/// Whether the system says that a path leads nowhere, which is up to whoever gave it.
fn is_misnamed(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename)
}

/// Returns the exit code for what is wrong with a layout or an archive.
fn archive_code(error: &ArchiveError) -> u8 {
    match error {
        ArchiveError::File { source, .. } if is_misnamed(source.kind()) => exit::USAGE,
        ArchiveError::File { .. } | ArchiveError::Busy { .. } | ArchiveError::Content(_) => exit::ENVIRONMENT,
        _ => exit::USAGE,
    }
}

/// Returns what to do about a layout or an archive.
fn archive_hint(error: &Error, source: &ArchiveError) -> Option<String> {
    let hint = match source {
        ArchiveError::Exists { .. } => "pass --force to replace it".to_owned(),
        ArchiveError::Layer { .. } => DAMAGED.to_owned(),
        ArchiveError::NameAmbiguous { known, .. } | ArchiveError::NameMissing { known, .. } if !known.is_empty() => {
            format!("put one of these names behind the path: {}:NAME", location_of(error)?.bare())
        }
        ArchiveError::Compressed { path, .. } => {
            format!("`gunzip {0}` or `unzstd {0}` unpacks it", path.display())
        }
        ArchiveError::NoImage { .. } => {
            "--as image or --as docker packs Wasm as one; an oci-archive: takes all else".to_owned()
        }
        ArchiveError::EntryMissing { path, entry } if entry == "manifest.json" => {
            format!("if it is an OCI archive, name it `oci-archive:{}`", path.display())
        }
        ArchiveError::EntryMissing { path, entry }
            if path.is_file() && ["oci-layout", "index.json"].contains(&&**entry) =>
        {
            format!("if `docker save` wrote it, name it `docker-archive:{}`", path.display())
        }
        ArchiveError::NoLayout { path } if path.is_file() => {
            format!("it is a file: `oci-archive:{}` or `docker-archive:…`", path.display())
        }
        _ => return None,
    };
    Some(hint)
}

/// Returns what to do about an artifact of which the Wasm cannot be told.
fn unreadable_hint(unreadable: &Unreadable) -> Option<String> {
    let hint = match unreadable {
        Unreadable::Several { .. } | Unreadable::NoSuchName { .. } | Unreadable::AmbiguousName { .. } => {
            "--layer NAME takes one of them"
        }
        Unreadable::Platforms { .. } | Unreadable::NoSuchPlatform { .. } => "--platform OS/ARCH takes one of them",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns what to do about what cannot be packed as it was asked for.
fn build_hint(invalid: &InvalidBuild) -> Option<String> {
    let hint = match invalid {
        InvalidBuild::FilterKind { kind } => host_hint(*kind, None),
        InvalidBuild::NoAbi => host_hint(Kind::Module, None),
        InvalidBuild::NothingToRun { .. } => "--as artifact packs it",
        InvalidBuild::Created { .. } => "check SOURCE_DATE_EPOCH",
        InvalidBuild::RawLayersInDocker => "--as docker packs an image with a tar layer",
        InvalidBuild::Entrypoint { .. } => "--name takes a plain name, of which the last part is run with .wasm",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Whether what was asked for is not there.
fn is_missing(cause: &Cause) -> bool {
    matches!(cause, Cause::Content(ContentError::NotFound { .. }))
        || matches!(cause.client(), Some(ClientError::NotFound { .. }))
}

/// Whether content that was read is not what it should be; a file that changed while it was pushed is no such thing.
fn is_broken(error: &Error) -> bool {
    matches!(error.reason(), Cause::Content(source) if !matches!(source, ContentError::Medium(_))) && !is_push(error)
}

/// Whether the artifact is there, but not all that its manifest names.
fn is_incomplete(error: &Error) -> bool {
    // The manifest that a reference names is missed with an error of the client.
    let is_part = matches!(error.reason(), Cause::Content(ContentError::NotFound { .. }));
    let is_of_packages = matches!(
        error,
        Error::Fetch { .. }
            | Error::Get { .. }
            | Error::Compose { .. }
            | Error::Update { .. }
            | Error::Tree { .. }
            | Error::Add { .. }
            | Error::Remove { .. }
    );
    is_part && (is_of_packages || matches!(error, Error::Pull { .. } | Error::Inspect { .. } | Error::ReadWit { .. }))
}

/// Whether a registry did not want to delete a tag.
fn is_tag_kept(error: &Error) -> bool {
    let is_tag = matches!(error, Error::Delete { location, .. } if location.tag().is_some());
    is_tag && matches!(error.reason().client(), Some(ClientError::Refused { .. }))
}

/// Whether the registry was asked about a credential, and said no.
fn is_refused_login(error: &Error) -> bool {
    let is_unauthorized = matches!(error.reason().client(), Some(ClientError::Unauthorized { .. }));
    matches!(error, Error::Login { .. }) && is_unauthorized
}

/// Whether what was sent or packed is a file of this machine.
fn is_push(error: &Error) -> bool {
    matches!(error, Error::Push { .. } | Error::Pack { .. } | Error::PackFile { .. })
}

/// Returns the place that a verb was about; of two, the one that it read.
fn location_of(error: &Error) -> Option<Location> {
    match error {
        Error::Pull { from: location, .. }
        | Error::Tags { location, .. }
        | Error::Tag { location, .. }
        | Error::Delete { location, .. }
        | Error::Push { to: location, .. }
        | Error::Copy { from: location, .. } => Some(location.clone()),
        Error::Inspect { target, .. } | Error::ReadWit { target, .. } | Error::Deploy { input: target, .. } => {
            target.parse().ok()
        }
        _ => None,
    }
}

/// Whether a verb was about a place on this machine.
fn is_local(error: &Error) -> bool {
    matches!(location_of(error), Some(Location::Local(_)))
}

/// Returns where the WIT is found that another one uses.
fn wit_hint(error: &Error, invalid: &WitError) -> Option<String> {
    let is_read = matches!((error, invalid), (Error::ReadWit { .. }, WitError::MissingPackage { .. }));
    is_read.then(|| "name the folder: what it uses is taken from its `deps`".to_owned())
}

/// Returns what runs a binary that is no proxy-wasm filter.
fn host_hint(kind: Kind, role: Option<Role>) -> &'static str {
    match (role, kind) {
        (Some(Role::KubewardenPolicy), _) => "Kubewarden runs it",
        (Some(Role::WasmcloudActor), _) => "wasmCloud runs it",
        (Some(Role::WapcGuest), _) => "a waPC host runs it",
        (_, Kind::Component) => "a host of components runs it, such as wasmtime or wasmCloud",
        (_, Kind::WitPackage) => "nothing runs it: it says what components import and export",
        (_, Kind::Module) => "`wasmtime run` may run it; a filter is built with one of the proxy-wasm SDKs",
    }
}

/// Returns how to name a tar, which may be an archive of images.
fn tar_hint(error: &Error) -> String {
    match error {
        Error::Inspect { target, .. } => {
            format!("an archive of an image is named `oci-archive:{target}` or `docker-archive:{target}`")
        }
        Error::Push { file, to, .. } => {
            format!("if it is an archive of an image: `wharf copy oci-archive:{} {to}`", file.display())
        }
        Error::PackFile { file, output, .. } => {
            format!("if it is a provider archive: `wharf push oci-archive:{} {}`", output.display(), file.display())
        }
        _ => "`tar -xf` unpacks it".to_owned(),
    }
}

fn wasm_hint(invalid: &InvalidWasm) -> Option<String> {
    match invalid {
        InvalidWasm::Text => Some("`wasm-tools parse FILE.wat -o FILE.wasm` makes a binary of it".to_owned()),
        InvalidWasm::Native { .. } => Some("take the .wasm file that it was compiled from".to_owned()),
        InvalidWasm::Truncated { .. } => Some("build or download the file again".to_owned()),
        _ => None,
    }
}

/// Returns what to do about a failure between this machine and a registry.
pub(crate) fn client_hint(error: &ClientError) -> Option<String> {
    let hint = match error {
        ClientError::Unauthorized { registry, credential, .. } => match credential {
            // These go before what `wharf login` keeps.
            CredentialSource::CommandLine => "check --username and --password, or --token".to_owned(),
            CredentialSource::Variable(name) => format!("check {name}, or unset it to use what `wharf login` keeps"),
            CredentialSource::Project(path) => format!("check {}, which `{}` names", path.display(), wash::PROJECT),
            _ => login(registry),
        },
        ClientError::Forbidden { registry, credential: CredentialSource::Anonymous, .. } => login(registry),
        ClientError::Forbidden { credential: CredentialSource::Project(path), .. } => {
            format!("the account in {} may lack the right", path.display())
        }
        ClientError::Forbidden { registry, .. } => {
            format!("the account may lack the right; `wharf login {registry}` takes another one")
        }
        ClientError::DigestLie { .. } => ALTERED.to_owned(),
        ClientError::TooManyRequests { answer, .. } => match answer.retry_after {
            Some(wait) => {
                format!("the registry asks to wait {} s; many allow more to who is logged in", wait.as_secs())
            }
            None => "wait a while; many registries allow more to who is logged in".to_owned(),
        },
        ClientError::Connect { .. } => "check the host and the port, and that the registry runs".to_owned(),
        ClientError::TimedOut { .. } => "check the network and the proxy (HTTPS_PROXY, NO_PROXY)".to_owned(),
        ClientError::Tls { source, .. } => tls_hint(source).to_owned(),
        ClientError::PlainHttp { .. } => {
            "pass --plain-http instead of --tls if that is meant: nothing is then encrypted".to_owned()
        }
        ClientError::Interrupted { .. } => "check the network; pass --tls if the registry speaks TLS".to_owned(),
        ClientError::NotHttp { .. } => "pass --tls if the registry speaks TLS".to_owned(),
        ClientError::Server { .. } => {
            "the registry failed, also when asked again; try later, or tell whoever runs it".to_owned()
        }
        ClientError::Realm { .. } => {
            "set WHARF_TOKEN to a token that you got from that server yourself, if you trust it".to_owned()
        }
        ClientError::CaCertificate(_) => "give --ca-file a PEM file with CERTIFICATE blocks".to_owned(),
        ClientError::Proxy { kind, .. } => {
            format!("check {}_PROXY: it has the form http://host:port", kind.to_uppercase())
        }
        ClientError::CredentialFile { path, .. } => {
            format!("mend or move away {}, or name another with --auth-file", path.display())
        }
        ClientError::CredentialHelper { program, .. } => {
            format!("install `{program}`, or take it out of the `credsStore` and `credHelpers` of Docker's config.json")
        }
        _ => return None,
    };
    Some(hint)
}

fn login(registry: &Registry) -> String {
    format!("run `wharf login {registry}`, or set WHARF_USERNAME and WHARF_PASSWORD, or WHARF_TOKEN")
}

fn tls_hint(fault: &TlsFault) -> &'static str {
    match fault {
        TlsFault::OtherName => "use the name that the certificate is for; --insecure accepts any certificate",
        TlsFault::Expired => "check this machine's clock, or have the certificate renewed; --insecure accepts any",
        TlsFault::Authority => "issue a certificate for the host from it, and pass --ca-file with the authority's",
        _ => "pass --ca-file with the registry's certificate authority; --insecure accepts any certificate",
    }
}
