//! What can go wrong between Wharf and a registry.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::{Method, StatusCode};
use url::Url;
use wharf_oci::{Digest, InvalidManifest, Registry, RepositoryName};

use crate::{Answer, CredentialFileFault, CredentialSource, HelperFault};

/// Why a registry could not be used.
///
/// No text of an error holds a secret: requests are named without their query, and proxies by their host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The caller's.
    /// The given PEM text holds no certificate, or a broken one.
    #[error("the given CA certificates are not valid PEM certificates")]
    CaCertificate(#[source] InvalidCertificate),
    /// The address of a proxy is none.
    #[error("the address of the {kind} proxy is not valid")]
    Proxy {
        /// Which one: `http`, `https` or `all`.
        kind: &'static str,
        /// Why.
        source: HttpFault,
    },
    /// The HTTP client cannot be set up with the given options.
    #[error("cannot set up the HTTP client")]
    Setup(#[source] HttpFault),
    /// The registry's name makes no URL.
    #[error("`{registry}` is not a host that can be connected to")]
    Host {
        /// The registry.
        registry: Registry,
        /// Why.
        source: url::ParseError,
    },
    /// No file was named to keep a credential in.
    #[error("no file was named to keep the credential for {registry} in")]
    NoCredentialFile {
        /// The registry.
        registry: Registry,
    },

    // The remote's.
    /// The registry wants to know who asks, or does not accept the credential.
    #[error("{request}: {answer}, {credential}")]
    Unauthorized {
        /// What was asked for.
        request: RequestLine,
        /// Where to log in.
        registry: Registry,
        /// The repository; absent where the registry as a whole was asked.
        repository: Option<RepositoryName>,
        /// Where the refused credential comes from.
        credential: CredentialSource,
        /// What the registry says.
        answer: Box<Answer>,
    },
    /// The registry knows who asks, and does not allow it.
    #[error("{request}: {answer}, {credential}")]
    Forbidden {
        /// What was asked for.
        request: RequestLine,
        /// The registry.
        registry: Registry,
        /// The repository; absent where the registry as a whole was asked.
        repository: Option<RepositoryName>,
        /// Where the credential comes from.
        credential: CredentialSource,
        /// What the registry says.
        answer: Box<Answer>,
    },
    /// There is no such thing.
    #[error("{request}: {answer}")]
    NotFound {
        /// What was asked for.
        request: RequestLine,
        /// The same in words, with the place.
        what: String,
        /// What the registry says.
        answer: Box<Answer>,
    },
    /// The registry asks to be left alone for a while, and that time after time.
    #[error("{request}: {answer}")]
    TooManyRequests {
        /// What was asked for.
        request: RequestLine,
        /// What the registry says.
        answer: Box<Answer>,
    },
    /// The registry failed.
    #[error("{request}: {answer}")]
    Server {
        /// What was asked for.
        request: RequestLine,
        /// What the registry says.
        answer: Box<Answer>,
    },
    /// The registry does not do what was asked.
    #[error("{request}: {answer}")]
    Refused {
        /// What was asked for.
        request: RequestLine,
        /// What the registry says.
        answer: Box<Answer>,
    },
    /// The host cannot be reached.
    #[error("{request}: cannot connect to {host}")]
    Connect {
        /// What was asked for.
        request: RequestLine,
        /// The host, with the port where one was given.
        host: String,
        /// Why.
        source: HttpFault,
    },
    /// The connection broke.
    #[error("{request}: the connection broke")]
    Interrupted {
        /// What was asked for.
        request: RequestLine,
        /// Why.
        source: HttpFault,
    },
    /// The body ended early.
    #[error("{request}: the body ended after {read} of {expected} bytes")]
    Short {
        /// What was asked for.
        request: RequestLine,
        /// How many bytes came, counted from the start of the content.
        read: u64,
        /// How many there should be.
        expected: u64,
    },
    /// The host did not answer in time.
    #[error("{request}: no answer within {} seconds", .limit.as_secs_f32())]
    TimedOut {
        /// What was asked for.
        request: RequestLine,
        /// How long was waited.
        limit: Duration,
    },
    /// The host's certificate is not trusted, or TLS failed otherwise.
    #[error("{request}: cannot make a TLS connection to {host}")]
    Tls {
        /// What was asked for.
        request: RequestLine,
        /// The host, with the port where one was given.
        host: String,
        /// Why.
        source: TlsFault,
    },
    /// The host speaks plain HTTP where HTTPS is expected.
    #[error("{request}: {host} does not speak TLS; it may be a plain HTTP server")]
    PlainHttp {
        /// What was asked for.
        request: RequestLine,
        /// The host, with the port where one was given.
        host: String,
    },
    /// The host answers in something other than HTTP, such as TLS where plain HTTP is spoken.
    #[error("{request}: {host} does not answer in HTTP; it may speak TLS")]
    NotHttp {
        /// What was asked for.
        request: RequestLine,
        /// The host, with the port where one was given.
        host: String,
    },
    /// The registry points elsewhere, to a place that is not followed.
    #[error("{request}: refused to go on to {to}: {reason}")]
    Redirect {
        /// What was asked for.
        request: RequestLine,
        /// The scheme and host pointed to.
        to: String,
        /// Why it is not followed.
        reason: Detour,
    },
    /// The registry names a token server that is not trusted.
    #[error("refused to use the token server {realm} that {registry} names: {reason}")]
    Realm {
        /// The registry.
        registry: Registry,
        /// The scheme and host of the token server.
        realm: String,
        /// Why it is not trusted.
        reason: UntrustedRealm,
    },
    /// An answer is over its limit.
    #[error("{request}: the answer is over the limit of {limit} {unit}")]
    TooLarge {
        /// What was asked for.
        request: RequestLine,
        /// The limit.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// The registry gives other bytes, or another digest, than those named.
    #[error("{request}: digest mismatch: expected {expected}, got {actual}")]
    DigestLie {
        /// What was asked for.
        request: RequestLine,
        /// The digest asked for, or that of the bytes sent.
        expected: Digest,
        /// The digest of the bytes received, or the one that the registry states.
        actual: Digest,
    },
    /// The registry serves something that is no manifest.
    #[error("{request}: the answer is no valid manifest")]
    Manifest {
        /// What was asked for.
        request: RequestLine,
        /// Why.
        source: InvalidManifest,
    },
    /// The answer is not one that the specification allows.
    #[error("{request}: the registry breaks the protocol")]
    Protocol {
        /// What was asked for.
        request: RequestLine,
        /// How.
        source: Violation,
    },

    // The local machine's.
    /// A file with credentials cannot be read or written.
    #[error("cannot use the credential file {}", .path.display())]
    CredentialFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CredentialFileFault,
    },
    /// A program that keeps credentials failed.
    #[error("cannot use the credential helper `{program}`")]
    CredentialHelper {
        /// The name of the program.
        program: String,
        /// Why.
        source: HelperFault,
    },
}

impl Error {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TooManyRequests { .. }
            | Self::Connect { .. }
            | Self::Interrupted { .. }
            | Self::Short { .. }
            | Self::TimedOut { .. } => true,
            Self::Server { answer, .. } => matches!(answer.status.as_u16(), 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Returns how long the registry asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { answer, .. } | Self::Server { answer, .. } => answer.retry_after,
            _ => None,
        }
    }
}

impl From<Error> for wharf_oci::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { what, .. } => Self::NotFound { what },
            error => Self::medium(error),
        }
    }
}

/// A request as errors name it: the method, and the path at the registry or the address elsewhere.
///
/// The query is left out, as registries and storage put secrets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine(Box<str>);

impl RequestLine {
    /// Names a request to the registry.
    pub(crate) fn at_registry(method: &Method, url: &Url) -> Self {
        Self(format!("{method} {}", url.path()).into())
    }

    /// Names a request to another host.
    pub(crate) fn elsewhere(method: &Method, url: &Url) -> Self {
        Self(format!("{method} {}{}", origin(url), url.path()).into())
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Returns scheme, host and port as text.
pub(crate) fn origin(url: &Url) -> String {
    let origin = url.origin();
    if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", url.scheme()) }
}

/// A failure below HTTP; its text is that of the innermost cause.
pub struct HttpFault(reqwest::Error);

impl HttpFault {
    /// Keeps the error without its URL, whose query may hold a secret.
    pub(crate) fn new(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }
}

impl fmt::Debug for HttpFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HttpFault({self})")
    }
}

impl fmt::Display for HttpFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut innermost: &dyn StdError = &self.0;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        fmt::Display::fmt(innermost, formatter)
    }
}

impl StdError for HttpFault {}

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// Nobody who is trusted vouches for the host.
    #[error("its certificate is from an authority that is not trusted")]
    UnknownAuthority,
    /// The certificate is that of an authority, which is no certificate of a host.
    #[error("its certificate is that of an authority, and none of a host")]
    Authority,
    /// The certificate is out of date.
    #[error("its certificate has expired, or is not valid yet")]
    Expired,
    /// The certificate is for another host.
    #[error("its certificate is for another name")]
    OtherName,
    /// Something else.
    #[error(transparent)]
    Other(rustls::Error),
}

impl From<rustls::Error> for TlsFault {
    fn from(error: rustls::Error) -> Self {
        use rustls::CertificateError as Fault;
        let rustls::Error::InvalidCertificate(fault) = &error else { return Self::Other(error) };
        match fault {
            Fault::UnknownIssuer => Self::UnknownAuthority,
            Fault::Expired | Fault::ExpiredContext { .. } | Fault::NotValidYet | Fault::NotValidYetContext { .. } => {
                Self::Expired
            }
            Fault::NotValidForName | Fault::NotValidForNameContext { .. } => Self::OtherName,
            // The verifier's own error is not among rustls's types, and has but its name.
            Fault::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => Self::Authority,
            _ => Self::Other(error),
        }
    }
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCertificate {
    /// The text is not PEM.
    #[error("not PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// The text holds no certificate.
    #[error("there is no certificate in it")]
    Empty,
    /// A certificate cannot be a root of trust.
    #[error("a certificate in it is broken")]
    Root(#[source] rustls::Error),
}

/// Why a place that a registry points to is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Detour {
    /// Too many redirects in a row.
    #[error("too many redirects")]
    TooMany,
    /// From HTTPS to plain HTTP.
    #[error("it would leave HTTPS")]
    Downgrade,
    /// An address of this machine or of a private network, named from further away.
    #[error("it is an address of this machine or of a private network")]
    Private,
    /// Neither HTTP nor HTTPS.
    #[error("it is not HTTP")]
    Scheme,
    /// The URL holds a user name.
    #[error("its URL holds a user name")]
    UserName,
    /// Another host, where the next page of a listing should be.
    #[error("it is another host")]
    OtherOrigin,
}

/// Why a token server is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UntrustedRealm {
    /// The registry is asked over HTTPS, the token server would be asked over plain HTTP.
    #[error("it would be asked over plain HTTP")]
    Downgrade,
    /// Neither HTTP nor HTTPS.
    #[error("it is not HTTP")]
    Scheme,
    /// An address of this machine or of a private network, named from further away.
    #[error("it is an address of this machine or of a private network")]
    Private,
    /// There is a credential to send, and the token server belongs to another site.
    #[error("a credential for the registry would go to another site")]
    OtherSite,
    /// The URL holds a user name.
    #[error("its URL holds a user name")]
    UserName,
}

/// How an answer breaks the protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A header that must be there is not.
    #[error("the header `{name}` is missing")]
    MissingHeader {
        /// The name of the header.
        name: &'static str,
    },
    /// A header cannot be read, or says something impossible.
    #[error("the header `{name}` has the value `{value}`")]
    Header {
        /// The name of the header.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// A header that should point somewhere does not. Its value is left out, as it may hold a secret.
    #[error("the header `{name}` holds no URL")]
    Url {
        /// The name of the header.
        name: &'static str,
    },
    /// The status is not one of those expected.
    #[error("the status is {status}")]
    Status {
        /// The status.
        status: StatusCode,
    },
    /// The body is not the JSON expected.
    #[error("the body is not the JSON expected")]
    Json(#[source] serde_json::Error),
    /// The token server answers without a token, or with one that fits into no header.
    #[error("the answer holds no usable token")]
    Token,
    /// A page of a listing names itself as the next.
    #[error("the listing goes round in circles")]
    PageLoop,
    /// The list of referrers is not an index.
    #[error("the list of referrers is not an index")]
    NotAnIndex,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Box<Answer> {
        let status = StatusCode::from_u16(status).unwrap();
        Box::new(Answer { status, errors: Vec::new(), retry_after: None })
    }

    #[test]
    fn a_request_is_named_without_its_query() {
        let url: Url = "https://user:hunter2@storage.example/a/b?signature=hunter2#x".parse().unwrap();
        assert_eq!(RequestLine::at_registry(&Method::GET, &url).to_string(), "GET /a/b");
        assert_eq!(RequestLine::elsewhere(&Method::GET, &url).to_string(), "GET https://storage.example/a/b");
    }

    #[test]
    fn only_what_may_pass_is_transient() {
        let url: Url = "https://registry.example/v2/".parse().unwrap();
        let request = RequestLine::at_registry(&Method::GET, &url);
        for (status, expected) in [(500, true), (501, false), (502, true), (503, true), (504, true), (505, false)] {
            let error = Error::Server { request: request.clone(), answer: answer(status) };
            assert_eq!(error.is_transient(), expected, "{status}");
        }
        assert!(Error::TimedOut { request: request.clone(), limit: Duration::from_secs(1) }.is_transient());
        assert!(!Error::Refused { request, answer: answer(400) }.is_transient());
    }
}
