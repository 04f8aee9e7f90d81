//! The client and its options.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;
use wharf_oci::{Registry, RepositoryName};

use crate::auth::Authorizer;
use crate::transport::Transport;
use crate::{CaCertificate, Credential, Credentials, Error, Repository, Retries};

/// Speaks to registries. Clones share connections and tokens.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

/// What the clones of a client share.
pub(crate) struct Shared {
    pub(crate) transport: Transport,
    pub(crate) authorizer: Authorizer,
    pub(crate) retries: Retries,
    security: Security,
    /// Held while a list of referrers under a tag is read, changed and written back.
    pub(crate) referrers_tag: tokio::sync::Mutex<()>,
}

impl Client {
    /// Makes a client, without connecting to anything.
    ///
    /// # Errors
    /// [`Error::CaCertificate`], [`Error::Proxy`] and [`Error::Setup`].
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        let transport = Transport::new(&options)?;
        let ClientOptions { security, credentials, retries, .. } = options;
        let authorizer = Authorizer::new(credentials);
        let referrers_tag = tokio::sync::Mutex::default();
        Ok(Self { shared: Arc::new(Shared { transport, authorizer, retries, security, referrers_tag }) })
    }

    /// Names a repository of a registry.
    #[must_use]
    pub fn repository(&self, registry: &Registry, name: &RepositoryName) -> Repository {
        Repository::new(self.clone(), registry.clone(), name.clone())
    }

    /// Asks the registry whether it accepts a credential, without regard to any other and without keeping it.
    ///
    /// A registry that asks nobody who they are accepts every credential.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] or [`Error::Forbidden`] where it does not, and whatever keeps it from answering.
    pub async fn check_credential(&self, registry: &Registry, credential: &Credential) -> Result<(), Error> {
        let probe = crate::exchange::Request::probe(registry, self.base(registry)?);
        self.check(&probe, credential).await
    }

    /// Returns the URL of `/v2/` at the registry.
    pub(crate) fn base(&self, registry: &Registry) -> Result<Url, Error> {
        let scheme = match self.shared.security {
            Security::Auto if registry.is_loopback() => "http",
            Security::PlainHttp => "http",
            Security::Auto | Security::Tls | Security::TlsUnverified => "https",
        };
        let url = Url::parse(&format!("{scheme}://{}/v2/", registry.api_host()));
        url.map_err(|source| Error::Host { registry: registry.clone(), source })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("security", &self.shared.security).finish_non_exhaustive()
    }
}

/// How a client works.
///
/// ```
/// use wharf_client::{ClientOptions, Security};
///
/// let options = ClientOptions { security: Security::PlainHttp, ..ClientOptions::default() };
/// ```
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Which registries are spoken to over TLS, and how far it is trusted.
    pub security: Security,
    /// Authorities that are trusted besides the system's.
    pub ca_certificates: Vec<CaCertificate>,
    /// The proxies to go through.
    pub proxies: Proxies,
    /// Where credentials come from.
    pub credentials: Credentials,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to try again.
    pub retries: Retries,
    /// What the client calls itself.
    pub user_agent: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            security: Security::default(),
            ca_certificates: Vec::new(),
            proxies: Proxies::default(),
            credentials: Credentials::default(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            user_agent: concat!("wharf/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Which registries are spoken to over TLS, and how far it is trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Security {
    /// Plain HTTP to registries on this machine, TLS to all others.
    #[default]
    Auto,
    /// Plain HTTP, to whatever registry: everybody on the way can read and change everything.
    PlainHttp,
    /// TLS, also on this machine.
    Tls,
    /// TLS with any certificate: whoever sits in between can read and change everything.
    TlsUnverified,
}

/// The proxies to go through. Registries on this machine are always spoken to directly.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The URL of the proxy for plain HTTP, with a user name and password where it wants them.
    pub http: Option<String>,
    /// The URL of the proxy for HTTPS.
    pub https: Option<String>,
    /// The URL of the proxy for what has none of its own.
    pub all: Option<String>,
    /// Hosts to speak to directly, in the form of the variable `NO_PROXY`: names, addresses and networks, with
    /// commas between.
    pub no_proxy: Option<String>,
}

/// Shows which proxies are set, not their URLs, which may hold passwords.
impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Proxies")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("all", &self.all.is_some())
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes of a blob, in either direction.
    pub read: Duration,
    /// For the whole of a small request: once until the head of the answer is there, once until its body is. What has
    /// a large body gets more, see [`limits::UPLOAD_BYTES_PER_SECOND_MIN`](crate::limits::UPLOAD_BYTES_PER_SECOND_MIN).
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), read: Duration::from_secs(60), request: Duration::from_secs(60) }
    }
}
