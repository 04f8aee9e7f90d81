//! One request to a registry and its answer: authorization, redirects, errors.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;
use wharf_oci::{ByteStream, Registry};

use crate::answer;
use crate::auth::{self, Access, Grant, Order, Scheme, Scope};
use crate::error::{RequestLine, Violation, origin};
use crate::limits::{ANSWER_BYTES_MAX, REDIRECTS_MAX};
use crate::retry::Tries;
use crate::route::{self, is_same_origin};
use crate::transport::{Message, Reply, SendFault};
use crate::{Client, Credential, CredentialSource, Detour, Error};

/// A request to a registry, which can be sent again.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What it must be allowed to do.
    pub(crate) scope: Scope,
    /// What it asks for, in words.
    pub(crate) what: String,
}

impl Request {
    /// Asks for nothing but an answer.
    pub(crate) fn probe(registry: &Registry, url: Url) -> Self {
        let scope = Scope { registry: registry.clone(), repository: None, access: Access::Pull, mount: None };
        let what = format!("the registry API at {registry}");
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new(), scope, what }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Names a request to the registry itself.
    pub(crate) fn line(&self) -> RequestLine {
        RequestLine::at_registry(&self.method, &self.url)
    }

    fn message(&self, base: &Url) -> Message {
        let Self { method, url, headers, body, .. } = self.clone();
        let line = line(base, &method, &url);
        Message { method, url, headers, body, line }
    }
}

impl Client {
    /// Sends a request, again where it fails in passing, and returns the answer of success.
    pub(crate) async fn call(&self, request: &Request) -> Result<Reply, Error> {
        let mut tries = Tries::new(self.shared.retries);
        loop {
            match self.exchange(request).await {
                Ok(reply) => return Ok(reply),
                Err(error) => tries.next(error).await?,
            }
        }
    }

    /// Sends a request as [`Client::call`] does, and reads the whole body as part of each try.
    pub(crate) async fn read(&self, request: &Request, limit: u64) -> Result<(Head, Bytes), Error> {
        let mut tries = Tries::new(self.shared.retries);
        loop {
            match self.read_once(request, limit).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => tries.next(error).await?,
            }
        }
    }

    async fn read_once(&self, request: &Request, limit: u64) -> Result<(Head, Bytes), Error> {
        let reply = self.exchange(request).await?;
        let head = Head { line: reply.line.clone(), url: reply.url.clone(), headers: reply.headers().clone() };
        Ok((head, reply.bytes(limit).await?))
    }

    /// Sends a request once, or as often as it takes to be authorized, and returns the answer of success.
    pub(crate) async fn exchange(&self, request: &Request) -> Result<Reply, Error> {
        let base = self.base(&request.scope.registry)?;
        let (transport, authorizer, scope) = (&self.shared.transport, &self.shared.authorizer, &request.scope);
        let mut grant = authorizer.known(transport, &base, scope).await?;
        let reply = self.follow(request, &base, grant.as_ref()).await?;
        let mut is_refused = is_challenge(&base, &reply);
        let scheme = if is_refused { Scheme::of(&reply)? } else { None };
        let mut outcome = succeed(reply, request, grant.as_ref()).await;
        if let Some(scheme) = scheme
            && let Some(renewed) = authorizer.renew(transport, &base, scope, (scheme, grant.as_ref())).await?
        {
            let reply = self.follow(request, &base, Some(&renewed)).await?;
            is_refused = is_challenge(&base, &reply);
            outcome = succeed(reply, request, Some(&renewed)).await;
            grant = Some(renewed);
        }
        let Some(grant) = grant.filter(|_| is_refused) else { return outcome };
        // Whatever keeps an anonymous try from success, the refusal of the credential is what is reported.
        let Ok(Some(grant)) = authorizer.anonymous(transport, &base, scope, &grant).await else { return outcome };
        let Ok(reply) = self.follow(request, &base, Some(&grant)).await else { return outcome };
        succeed(reply, request, Some(&grant)).await.or(outcome)
    }

    /// Sends a request whose body is a stream, once.
    ///
    /// Where the registry asks for an authorization only now, it is made for the next try, and the error is
    /// [`Error::Unauthorized`].
    pub(crate) async fn send_stream(&self, request: &Request, body: ByteStream) -> Result<Reply, SendFault> {
        let base = self.base(&request.scope.registry)?;
        let (transport, authorizer, scope) = (&self.shared.transport, &self.shared.authorizer, &request.scope);
        let grant = authorizer.known(transport, &base, scope).await?;
        let message = request.message(&base);
        let authorization = authorization(&base, &message.url, grant.as_ref());
        let reply = transport.send_stream(&message, authorization, body).await?;
        if is_challenge(&base, &reply)
            && let Some(scheme) = Scheme::of(&reply)?
        {
            authorizer.renew(transport, &base, scope, (scheme, grant.as_ref())).await?;
        }
        Ok(succeed(reply, request, grant.as_ref()).await?)
    }

    /// Asks whether the registry accepts a credential.
    pub(crate) async fn check(&self, probe: &Request, credential: &Credential) -> Result<(), Error> {
        let mut tries = Tries::new(self.shared.retries);
        loop {
            match self.check_once(probe, credential).await {
                Ok(()) => return Ok(()),
                Err(error) => tries.next(error).await?,
            }
        }
    }

    async fn check_once(&self, probe: &Request, credential: &Credential) -> Result<(), Error> {
        let reply = self.follow(probe, &probe.url, None).await?;
        let scheme = if is_challenge(&probe.url, &reply) {
            match Scheme::of(&reply)? {
                Some(scheme) => scheme,
                None => return succeed(reply, probe, None).await.map(drop),
            }
        } else {
            // A registry that lets anybody in may still know a wrong password when it sees one.
            succeed(reply, probe, None).await?;
            Scheme::Basic
        };
        let order = Order::new(&probe.url, &probe.scope).with(credential, &CredentialSource::CommandLine);
        let grant = auth::grant(&self.shared.transport, &scheme, &order).await?;
        let reply = self.follow(probe, &probe.url, Some(&grant)).await?;
        succeed(reply, probe, Some(&grant)).await.map(drop)
    }

    /// Sends a message, and again to wherever the answers point; the authorization stays with the registry.
    pub(crate) async fn follow(&self, request: &Request, base: &Url, grant: Option<&Grant>) -> Result<Reply, Error> {
        let mut message = request.message(base);
        let mut authorization = authorization(base, &message.url, grant);
        for _ in 0..=REDIRECTS_MAX {
            let reply = self.shared.transport.send(&message, authorization).await?;
            let is_followed = matches!(message.method, Method::GET | Method::HEAD);
            if !is_followed || !matches!(reply.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(reply);
            }
            let to = reply.location()?;
            check_route(&reply, &to)?;
            if !is_same_origin(&message.url, &to) {
                authorization = None;
            }
            message.line = line(base, &message.method, &to);
            message.url = to;
        }
        Err(Error::Redirect { request: message.line, to: origin(&message.url), reason: Detour::TooMany })
    }
}

/// The head of an answer whose body was read.
pub(crate) struct Head {
    /// The request that was answered.
    pub(crate) line: RequestLine,
    /// The URL that answered.
    pub(crate) url: Url,
    /// The headers.
    pub(crate) headers: HeaderMap,
}

impl Head {
    /// Returns a header; nothing where it is absent, or has other than visible characters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Makes an error of how the answer breaks the protocol.
    pub(crate) fn violation(&self, source: Violation) -> Error {
        Error::Protocol { request: self.line.clone(), source }
    }
}

/// Checks that a request may go on to where its answer points.
pub(crate) fn check_route(reply: &Reply, to: &Url) -> Result<(), Error> {
    let refused = |reason| Error::Redirect { request: reply.line.clone(), to: origin(to), reason };
    route::check(&reply.url, to).map_err(refused)
}

/// Makes an error of an answer that is none of success.
pub(crate) async fn refusal(reply: Reply, scope: &Scope, what: &str, credential: CredentialSource) -> Error {
    let (status, headers, request) = (reply.status(), reply.headers().clone(), reply.line.clone());
    if status.is_success() || status.is_informational() || status.is_redirection() {
        return Error::Protocol { request, source: Violation::Status { status } };
    }
    // The status says enough where the body cannot be read.
    let body = reply.bytes(ANSWER_BYTES_MAX).await.unwrap_or_default();
    let answer = Box::new(answer::read(status, &headers, &body));
    let (registry, repository) = (scope.registry.clone(), scope.repository.clone());
    match status.as_u16() {
        401 => Error::Unauthorized { request, registry, repository, credential, answer },
        403 => Error::Forbidden { request, registry, repository, credential, answer },
        404 => Error::NotFound { request, what: what.to_owned(), answer },
        429 => Error::TooManyRequests { request, answer },
        500.. => Error::Server { request, answer },
        _ => Error::Refused { request, answer },
    }
}

/// Returns an answer of success, and makes an error of any other.
async fn succeed(reply: Reply, request: &Request, grant: Option<&Grant>) -> Result<Reply, Error> {
    if reply.status().is_success() {
        return Ok(reply);
    }
    let source = grant.map_or(CredentialSource::Anonymous, |grant| grant.source.clone());
    Err(refusal(reply, &request.scope, &request.what, source).await)
}

/// Whether the registry itself, and not a host that it points to, wants an authorization.
fn is_challenge(base: &Url, reply: &Reply) -> bool {
    reply.status() == StatusCode::UNAUTHORIZED && is_same_origin(base, &reply.url)
}

/// Returns the authorization that goes to a URL: that of the registry to the registry, and none elsewhere.
fn authorization<'a>(base: &Url, url: &Url, grant: Option<&'a Grant>) -> Option<&'a HeaderValue> {
    grant.filter(|_| is_same_origin(base, url))?.authorization.as_ref()
}

fn line(base: &Url, method: &Method, url: &Url) -> RequestLine {
    match is_same_origin(base, url) {
        true => RequestLine::at_registry(method, url),
        false => RequestLine::elsewhere(method, url),
    }
}
