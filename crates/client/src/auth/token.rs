//! Asks a token server (distribution, "Token Authentication Specification" and "OAuth2 Token Authentication").

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use super::{Grant, Scope, TokenServer, basic, bearer, realm};
use crate::error::{RequestLine, Violation, origin};
use crate::exchange::refusal;
use crate::limits::ANSWER_BYTES_MAX;
use crate::transport::{Message, Reply, Transport};
use crate::{Credential, CredentialSource, Error, Secret};

/// How long a token is valid that says nothing of it.
const LIFETIME_SECS: u64 = 60;
/// How long before its end a token is given up, for the request to arrive in time.
const MARGIN: Duration = Duration::from_secs(5);
/// What the client calls itself to token servers.
const CLIENT_ID: &str = "wharf";

/// What is asked for, and in whose name.
#[derive(Clone, Copy)]
pub(crate) struct Order<'a> {
    base: &'a Url,
    scope: &'a Scope,
    credential: Option<(&'a Credential, &'a CredentialSource)>,
}

impl<'a> Order<'a> {
    /// Asks in nobody's name, on behalf of the registry at `base`.
    pub(crate) fn new(base: &'a Url, scope: &'a Scope) -> Self {
        Self { base, scope, credential: None }
    }

    /// Asks in the name of a credential's owner.
    pub(crate) fn with(self, credential: &'a Credential, source: &'a CredentialSource) -> Self {
        Self { credential: Some((credential, source)), ..self }
    }

    /// Makes the grant of a registry that takes the credential itself.
    pub(super) fn grant_at_registry(&self) -> Grant {
        self.credential.map_or(Grant::NONE, |(credential, source)| Grant::at_registry(credential, source))
    }

    fn source(&self) -> CredentialSource {
        self.credential.map_or(CredentialSource::Anonymous, |(_, source)| source.clone())
    }
}

/// Asks a token server for a grant, once. An access token is one already, and goes to the registry as it is.
pub(super) async fn ask(transport: &Transport, server: &TokenServer, order: &Order<'_>) -> Result<Grant, Error> {
    if matches!(order.credential, Some((Credential::Bearer(_), _))) {
        return Ok(order.grant_at_registry());
    }
    let with = if order.credential.is_some() { realm::With::Credential } else { realm::With::Nothing };
    let realm = &server.realm;
    realm::check(order.base, realm, with).map_err(|reason| Error::Realm {
        registry: order.scope.registry.clone(),
        realm: origin(realm),
        reason,
    })?;
    let asked = Instant::now();
    let login = login(server, order.scope);
    let reply = match order.credential {
        Some((Credential::IdentityToken(identity), _)) => {
            let reply = transport.send(&exchange(server, order.scope, identity), None).await?;
            // As containerd does: servers without OAuth 2 take the token as a password.
            match reply.status() {
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                    transport.send(&login, Some(&basic("", identity))).await?
                }
                _ => reply,
            }
        }
        Some((Credential::Basic { username, password }, _)) => {
            transport.send(&login, Some(&basic(username, password))).await?
        }
        _ => transport.send(&login, None).await?,
    };
    read(reply, order, asked).await
}

/// Makes the request for a token in the first way: `GET`, with a name and password where there are some.
fn login(server: &TokenServer, scope: &Scope) -> Message {
    let mut url = server.realm.clone();
    url.set_fragment(None);
    let texts = scope.texts();
    if server.service.is_some() || !texts.is_empty() {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(server.service.iter().map(|service| ("service", service)));
        query.extend_pairs(texts.iter().map(|text| ("scope", text)));
    }
    message(Method::GET, url, Bytes::new())
}

/// Makes the request for a token in the second way: `POST`, which exchanges an identity token.
fn exchange(server: &TokenServer, scope: &Scope, identity: &Secret) -> Message {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token");
    form.append_pair("client_id", CLIENT_ID);
    form.extend_pairs(server.service.iter().map(|service| ("service", service)));
    let texts = scope.texts();
    form.extend_pairs((!texts.is_empty()).then(|| ("scope", texts.join(" "))));
    form.append_pair("refresh_token", identity.expose());
    let mut message = message(Method::POST, server.realm.clone(), form.finish().into());
    message.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    message
}

fn message(method: Method, url: Url, body: Bytes) -> Message {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    let line = RequestLine::elsewhere(&method, &url);
    Message { method, url, headers, body, line }
}

async fn read(reply: Reply, order: &Order<'_>, asked: Instant) -> Result<Grant, Error> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
        expires_in: Option<u64>,
    }
    if reply.status() != StatusCode::OK {
        return Err(refusal(reply, order.scope, "the token server", order.source()).await);
    }
    let broken = |line: RequestLine, source| Error::Protocol { request: line, source };
    let line = reply.line.clone();
    let body = reply.bytes(ANSWER_BYTES_MAX).await?;
    // The error of the parser is left out, as it may quote the token.
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| broken(line.clone(), Violation::Token))?;
    let token = answer.token.filter(|token| !token.is_empty()).or(answer.access_token).unwrap_or_default();
    let authorization = Some(token).filter(|token| !token.is_empty()).and_then(|token| bearer(&Secret::from(token)));
    let authorization = authorization.ok_or_else(|| broken(line, Violation::Token))?;
    let expires = asked + lifetime(answer.expires_in);
    Ok(Grant { authorization: Some(authorization), source: order.source(), expires: Some(expires) })
}

/// Returns how long a token is used, of what the server says it is valid for.
fn lifetime(expires_in: Option<u64>) -> Duration {
    // A year is as good as for ever, and can be added to any time.
    let stated = Duration::from_secs(expires_in.unwrap_or(LIFETIME_SECS).min(365 * 24 * 60 * 60));
    stated.saturating_sub(MARGIN.min(stated / 2))
}

#[cfg(test)]
mod tests {
    use super::super::Access;
    use super::*;

    #[test]
    fn a_token_is_given_up_a_little_before_its_end() {
        let table = [(None, 55), (Some(0), 0), (Some(2), 1), (Some(300), 295), (Some(u64::MAX), 31_535_995)];
        for (stated, expected) in table {
            assert_eq!(lifetime(stated).as_secs(), expected, "{stated:?}");
        }
    }

    #[test]
    fn a_token_for_the_registry_as_a_whole_is_asked_for_without_a_scope() {
        let registry = "ghcr.io".parse().unwrap();
        let scope = Scope { registry, repository: None, access: Access::Pull, mount: None };
        let server = TokenServer { realm: "https://a.example/token".parse().unwrap(), service: None };
        assert_eq!(login(&server, &scope).url.as_str(), "https://a.example/token");
        let form = exchange(&server, &scope, &Secret::from("t")).body;
        assert_eq!(form, "grant_type=refresh_token&client_id=wharf&refresh_token=t");
    }

    #[test]
    fn the_query_of_the_realm_stays() {
        let scope = Scope {
            registry: "ghcr.io".parse().unwrap(),
            repository: Some("acme/hello".parse().unwrap()),
            access: Access::Pull,
            mount: None,
        };
        let realm = "https://a.example/token?x=1#f".parse().unwrap();
        let message = login(&TokenServer { realm, service: Some("a b".to_owned()) }, &scope);
        let expected = "https://a.example/token?x=1&service=a+b&scope=repository%3Aacme%2Fhello%3Apull";
        assert_eq!(message.url.as_str(), expected);
    }
}
