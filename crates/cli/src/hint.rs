//! What to do about a failure: a command, a flag, or a file; and whose fault it was, as an exit code.

use std::io::ErrorKind;

use wharf::artifact::InvalidWasm;
use wharf::client::{CredentialSource, Error as ClientError, TlsFault};
use wharf::oci::{Error as ContentError, Reference, Registry};
use wharf::{Cause, Error};

use crate::exit;

/// What happened to content that is not what its digest says.
const ALTERED: &str = "the registry, or a proxy on the way to it, altered the content; tell whoever runs it";

/// Returns the exit code of a failed verb.
pub(crate) fn code(error: &Error) -> u8 {
    match error.reason() {
        _ if is_incomplete(error) => exit::ENVIRONMENT,
        Cause::Wasm(InvalidWasm::Read(_)) => exit::ENVIRONMENT,
        Cause::Wasm(_)
        | Cause::Build(_)
        | Cause::NoFile { .. }
        | Cause::NoFolder { .. }
        | Cause::Exists { .. }
        | Cause::Pinned { .. }
        | Cause::NoSelector
        | Cause::TwoSelectors
        | Cause::NoSuchTag { .. }
        | Cause::Unreadable(_)
        | Cause::TooLargeForWit { .. } => exit::USAGE,
        Cause::File { source, .. } if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::InvalidFilename) => {
            exit::USAGE
        }
        cause if is_missing(cause) => exit::USAGE,
        _ => exit::ENVIRONMENT,
    }
}

/// Returns what to do about a failed verb.
pub(crate) fn verb_hint(error: &Error) -> Option<String> {
    let cause = error.reason();
    match cause {
        _ if is_refused_login(error) => Some("check the user name and the password or token".to_owned()),
        _ if is_incomplete(error) => Some("the registry has lost a part of it; push it again".to_owned()),
        _ if is_missing(cause) => reference_of(error).map(|reference| match error {
            Error::Tags { .. } => "check the name of the repository".to_owned(),
            _ => look_around(reference),
        }),
        _ if is_tag_kept(error) => reference_of(error).map(|reference| {
            let repository = reference.bare();
            format!(
                "many registries delete by digest alone, and all its tags with it: `wharf delete {repository}@sha256:…`"
            )
        }),
        _ if cause.client().is_some() => cause.client().and_then(client_hint),
        Cause::NoFolder { path } if path.exists() => {
            Some(format!("`{}` is a file; pass --output to write elsewhere", path.display()))
        }
        Cause::NoFolder { path } => Some(format!("`mkdir -p {}` makes it", path.display())),
        Cause::File { .. } if matches!(error, Error::Pull { .. }) => {
            Some("pass --output to write elsewhere".to_owned())
        }
        Cause::Exists { .. } => Some("pass --force to replace it, or --output to write elsewhere".to_owned()),
        Cause::TwoSelectors => Some("with the tag alone, the tag goes; with the digest alone, all its tags".to_owned()),
        Cause::NoSelector => Some("name a tag (repository:tag) or a digest (repository@sha256:…)".to_owned()),
        Cause::NoSuchTag { repository, count: 0, .. } => {
            Some(format!("check whether `{repository}` is the right name"))
        }
        Cause::NoSuchTag { repository, .. } => Some(format!("`wharf tags {repository}` lists what is there")),
        Cause::Wasm(invalid) => wasm_hint(invalid),
        Cause::Content(ContentError::Digest { .. } | ContentError::Size { .. }) if is_push(error) => {
            Some("the file changed while it was sent; push it again".to_owned())
        }
        Cause::Content(ContentError::Digest { .. } | ContentError::Size { .. }) => Some(ALTERED.to_owned()),
        _ => None,
    }
}

/// Whether what was asked for is not there.
fn is_missing(cause: &Cause) -> bool {
    matches!(cause, Cause::Content(ContentError::NotFound { .. }))
        || matches!(cause.client(), Some(ClientError::NotFound { .. }))
}

/// Whether the artifact is there, but not all that its manifest names.
fn is_incomplete(error: &Error) -> bool {
    // The manifest that a reference names is missed with an error of the client.
    let is_part = matches!(error.reason(), Cause::Content(ContentError::NotFound { .. }));
    matches!(error, Error::Pull { .. } | Error::Inspect { .. }) && is_part
}

fn look_around(reference: &Reference) -> String {
    format!("check the name; `wharf tags {}` lists what is there", reference.bare())
}

/// Whether a registry did not want to delete a tag.
fn is_tag_kept(error: &Error) -> bool {
    let is_tag = matches!(error, Error::Delete { reference, .. } if reference.tag().is_some());
    is_tag && matches!(error.reason().client(), Some(ClientError::Refused { .. }))
}

/// Whether the registry was asked about a credential, and said no.
fn is_refused_login(error: &Error) -> bool {
    let is_unauthorized = matches!(error.reason().client(), Some(ClientError::Unauthorized { .. }));
    matches!(error, Error::Login { .. }) && is_unauthorized
}

fn is_push(error: &Error) -> bool {
    matches!(error, Error::Push { .. })
}

/// Returns the reference that a verb was about.
fn reference_of(error: &Error) -> Option<&Reference> {
    match error {
        Error::Pull { reference, .. }
        | Error::Tags { reference, .. }
        | Error::Tag { reference, .. }
        | Error::Delete { reference, .. }
        | Error::Push { reference, .. }
        | Error::Copy { from: reference, .. } => Some(reference),
        _ => None,
    }
}

fn wasm_hint(invalid: &InvalidWasm) -> Option<String> {
    match invalid {
        InvalidWasm::Text => Some("`wasm-tools parse FILE.wat -o FILE.wasm` makes a binary of it".to_owned()),
        InvalidWasm::Native => Some("push the .wasm file that it was compiled from".to_owned()),
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
            _ => login(registry),
        },
        ClientError::Forbidden { registry, credential: CredentialSource::Anonymous, .. } => login(registry),
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
