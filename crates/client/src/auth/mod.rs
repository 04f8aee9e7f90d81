//! Who asks: which `Authorization` goes with which request.
//!
//! A registry is asked without one until it answers with a challenge. The challenge is remembered for the registry,
//! and what was made of it for the scope, so that later requests carry their authorization from the start.

mod challenge;
mod realm;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use tokio::time::Instant;
use url::Url;
use wharf_oci::{Registry, RepositoryName};

use crate::answer::shown;
use crate::error::Violation;
use crate::limits::CHALLENGE_BYTES_MAX;
use crate::transport::{Reply, Transport};
use crate::{Credential, CredentialSource, Credentials, Error, Secret};
pub(crate) use token::Order;

/// What a request is allowed to do, once it is authorized.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    pub(crate) registry: Registry,
    /// Absent for the registry as a whole.
    pub(crate) repository: Option<RepositoryName>,
    pub(crate) access: Access,
    /// Another repository to mount a blob from.
    pub(crate) mount: Option<RepositoryName>,
}

/// What is done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    Pull,
    Push,
    Delete,
}

impl Scope {
    /// Returns the scopes as token servers know them (distribution, "Token Scope Documentation").
    fn texts(&self) -> Vec<String> {
        let actions = match self.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
            Access::Delete => "delete",
        };
        let own = self.repository.iter().map(|name| format!("repository:{}:{actions}", name.as_str()));
        let mount = self.mount.iter().map(|name| format!("repository:{}:pull", name.as_str()));
        own.chain(mount).collect()
    }
}

/// How a registry wants to be convinced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// With a name and a password in each request.
    Basic,
    /// With a token that a token server gives for them.
    Bearer(TokenServer),
}

/// Who gives tokens for a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenServer {
    realm: Url,
    /// What the registry is called there.
    service: Option<String>,
}

impl Scheme {
    /// Reads the challenge of an answer; `None` where there is none that can be met.
    ///
    /// # Errors
    /// [`Error::Protocol`] where the header is broken.
    pub(crate) fn of(reply: &Reply) -> Result<Option<Self>, Error> {
        let name = "www-authenticate";
        let broken = |value: &str| reply.violation(Violation::Header { name, value: shown(value) });
        let mut length = 0;
        let mut basic = None;
        for value in reply.headers().get_all(name) {
            let text = value.to_str().map_err(|_| broken(&String::from_utf8_lossy(value.as_bytes())))?;
            length += text.len();
            let challenges = challenge::parse(text).filter(|_| length <= CHALLENGE_BYTES_MAX);
            for challenge in challenges.ok_or_else(|| broken(text))? {
                match (challenge.scheme.as_str(), challenge.parameter("realm")) {
                    ("bearer", Some(realm)) => {
                        let realm = reply.url.join(realm).map_err(|_| broken(text))?;
                        let service = challenge.parameter("service").map(str::to_owned);
                        return Ok(Some(Self::Bearer(TokenServer { realm, service })));
                    }
                    ("basic", _) => basic = Some(Self::Basic),
                    _ => {}
                }
            }
        }
        Ok(basic)
    }
}

/// An authorization, or the knowledge that there is none to be had.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Marked as sensitive, so that `Debug` does not show it.
    pub(crate) authorization: Option<HeaderValue>,
    /// Where the credential behind it comes from.
    pub(crate) source: CredentialSource,
    /// When it ends; absent where it does not.
    expires: Option<Instant>,
}

impl Grant {
    /// Lets a request go without authorization.
    const NONE: Self = Self { authorization: None, source: CredentialSource::Anonymous, expires: None };

    /// Makes a grant of a credential that goes to the registry itself.
    fn at_registry(credential: &Credential, source: &CredentialSource) -> Self {
        let authorization = match credential {
            Credential::Basic { username, password } => Some(basic(username, password)),
            Credential::Bearer(token) => bearer(token),
            // Only a token server takes it.
            Credential::IdentityToken(_) => None,
        };
        Self { authorization, source: source.clone(), expires: None }
    }

    fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

/// Keeps what is known of registries and their grants.
pub(crate) struct Authorizer {
    credentials: Credentials,
    schemes: Mutex<HashMap<Registry, Scheme>>,
    grants: Mutex<HashMap<Scope, Cell>>,
}

/// The grant of one scope. Held while it is made, so that requests at the same time share one.
type Cell = Arc<tokio::sync::Mutex<Option<Grant>>>;

impl Authorizer {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, schemes: Mutex::default(), grants: Mutex::default() }
    }

    /// Returns the grant for a scope; `None` where the registry has not asked for any yet.
    pub(crate) async fn known(&self, transport: &Transport, base: &Url, scope: &Scope) -> Result<Option<Grant>, Error> {
        let Some(scheme) = lock(&self.schemes).get(&scope.registry).cloned() else { return Ok(None) };
        let cell = self.cell(scope);
        let mut kept = cell.lock().await;
        if let Some(grant) = kept.as_ref().filter(|grant| grant.is_fresh()) {
            return Ok(Some(grant.clone()));
        }
        let grant = self.make(transport, base, scope, &scheme).await?;
        *kept = Some(grant.clone());
        Ok(Some(grant))
    }

    /// Makes a grant after a challenge; `None` where there is none other than the `refused` one.
    pub(crate) async fn renew(
        &self,
        transport: &Transport,
        base: &Url,
        scope: &Scope,
        answer: (Scheme, Option<&Grant>),
    ) -> Result<Option<Grant>, Error> {
        let (scheme, refused) = answer;
        let refused = refused.and_then(|grant| grant.authorization.as_ref());
        lock(&self.schemes).insert(scope.registry.clone(), scheme.clone());
        let cell = self.cell(scope);
        let mut kept = cell.lock().await;
        let is_other = |grant: &&Grant| grant.authorization.as_ref() != refused;
        if let Some(grant) = kept.as_ref().filter(|grant| grant.is_fresh()).filter(is_other) {
            return Ok(Some(grant.clone()));
        }
        let grant = self.make(transport, base, scope, &scheme).await?;
        *kept = Some(grant.clone());
        Ok(Some(grant).filter(|grant| is_other(&grant)))
    }

    /// Makes a grant without a credential, in place of one whose kept credential was refused.
    ///
    /// Only for what anybody may do; pulling may be that. `None` where it is not.
    pub(crate) async fn anonymous(
        &self,
        transport: &Transport,
        base: &Url,
        scope: &Scope,
        refused: &Grant,
    ) -> Result<Option<Grant>, Error> {
        if scope.access != Access::Pull || !refused.source.is_kept() {
            return Ok(None);
        }
        let Some(scheme) = lock(&self.schemes).get(&scope.registry).cloned() else { return Ok(None) };
        let grant = grant(transport, &scheme, &Order::new(base, scope)).await?;
        *self.cell(scope).lock().await = Some(grant.clone());
        Ok(Some(grant))
    }

    fn cell(&self, scope: &Scope) -> Cell {
        Arc::clone(lock(&self.grants).entry(scope.clone()).or_default())
    }

    async fn make(&self, transport: &Transport, base: &Url, scope: &Scope, scheme: &Scheme) -> Result<Grant, Error> {
        let order = Order::new(base, scope);
        let found = self.credentials.lookup(&scope.registry, scope.repository.as_ref()).await?;
        let Some((credential, source)) = &found else { return grant(transport, scheme, &order).await };
        match grant(transport, scheme, &order.with(credential, source)).await {
            Err(error @ (Error::Unauthorized { .. } | Error::Forbidden { .. }))
                if source.is_kept() && scope.access == Access::Pull =>
            {
                // What was wrong first is what the credential's owner has to mend.
                grant(transport, scheme, &order).await.map_err(|_| error)
            }
            outcome => outcome,
        }
    }
}

/// Makes the grant that is ordered, whatever else is known.
pub(crate) async fn grant(transport: &Transport, scheme: &Scheme, order: &Order<'_>) -> Result<Grant, Error> {
    match scheme {
        Scheme::Basic => Ok(order.grant_at_registry()),
        Scheme::Bearer(server) => token::ask(transport, server, order).await,
    }
}

/// Makes the header of a name and a password (RFC 7617).
fn basic(username: &str, password: &Secret) -> HeaderValue {
    let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
    sensitive(&format!("Basic {pair}")).expect("base64 has visible characters only")
}

/// Makes the header of a token (RFC 6750); `None` where it has characters that no header may have.
fn bearer(token: &Secret) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {}", token.expose()))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one insertion, so a panic elsewhere leaves the map whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn scopes_are_written_as_token_servers_know_them() {
        let scope = |access, mount: Option<&str>| Scope {
            registry: "ghcr.io".parse().unwrap(),
            repository: Some("acme/hello".parse().unwrap()),
            access,
            mount: mount.map(|name| name.parse().unwrap()),
        };
        assert_eq!(scope(Access::Pull, None).texts(), ["repository:acme/hello:pull"]);
        assert_eq!(scope(Access::Delete, None).texts(), ["repository:acme/hello:delete"]);
        assert_eq!(
            scope(Access::Push, Some("acme/base")).texts(),
            ["repository:acme/hello:pull,push", "repository:acme/base:pull"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_grant_ends_when_its_time_is_over() {
        let grant = Grant { expires: Some(Instant::now() + Duration::from_secs(10)), ..Grant::NONE };
        assert!(grant.is_fresh() && Grant::NONE.is_fresh());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(!grant.is_fresh() && Grant::NONE.is_fresh());
    }

    #[test]
    fn an_authorization_is_not_shown() {
        let grant = Grant { authorization: Some(basic("jo", &Secret::from("hunter2"))), ..Grant::NONE };
        assert_eq!(grant.authorization.as_ref().unwrap(), "Basic am86aHVudGVyMg==");
        assert!(!format!("{grant:?}").contains("am86aHVudGVyMg"), "{grant:?}");
        assert_eq!(bearer(&Secret::from("a\r\nX-Evil: 1")), None);
    }
}
