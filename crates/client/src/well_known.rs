//! What a host tells of itself to everybody, below `/.well-known/` (RFC 8615).

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use wharf_oci::Registry;

use crate::auth::Scope;
use crate::exchange::{Request, refusal};
use crate::retry::Tries;
use crate::{Client, CredentialSource, Error};

impl Client {
    /// Fetches `https://REGISTRY/.well-known/PATH`, or over plain HTTP where the registry is spoken to in that way, of
    /// at most `limit` bytes. No credential is sent, and where the host has no such document it is nothing.
    ///
    /// A host that answers unknown paths with a web page, as those with a user interface do, has no such document.
    ///
    /// # Errors
    /// [`Error::Host`], [`Error::TooLarge`], [`Error::Server`], and whatever keeps the host from answering.
    pub async fn well_known(&self, registry: &Registry, path: &str, limit: u64) -> Result<Option<Bytes>, Error> {
        let mut url = self.base(registry)?;
        url.set_path(&format!("/.well-known/{path}"));
        let request = Request { what: format!("`{url}`"), ..Request::probe(registry, url) };
        let mut tries = Tries::new(self.shared.retries);
        loop {
            match self.well_known_once(&request, limit).await {
                Ok(document) => return Ok(document),
                Err(error) => tries.next(error).await?,
            }
        }
    }

    async fn well_known_once(&self, request: &Request, limit: u64) -> Result<Option<Bytes>, Error> {
        let reply = self.follow(request, &request.url, None).await?;
        let is_page = reply.headers().get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
        match reply.status().as_u16() {
            200 if is_page => Ok(None),
            200 => reply.bytes(limit).await.map(Some),
            // Storage that lists nothing says "forbidden" of what is not there, registries that want a login "unauthorized".
            401 | 403 | 404 | 405 | 410 => Ok(None),
            _ => {
                let scope: &Scope = &request.scope;
                Err(refusal(reply, scope, &request.what, CredentialSource::Anonymous).await)
            }
        }
    }
}
