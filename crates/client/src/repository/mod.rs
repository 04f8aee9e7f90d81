//! A repository of a registry: which requests make a pull, a push, a listing (distribution-spec, "Endpoints").

mod listing;
mod pull;
mod push;
mod referrers;
mod tags;
mod upload;

use std::fmt;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};
use wharf_oci::{Descriptor, Digest, MediaType, Registry, RepositoryName, Selector};

use crate::auth::{Access, Scope};
use crate::exchange::Request;
use crate::{Client, Error};

/// One repository of a registry, as a source and a sink of content.
///
/// The errors of the traits are [`wharf_oci::Error::NotFound`], and for all else [`Error`], which
/// [`wharf_oci::Error::medium_ref`] gives back.
#[derive(Debug, Clone)]
pub struct Repository {
    client: Client,
    registry: Registry,
    name: RepositoryName,
}

impl Repository {
    pub(crate) fn new(client: Client, registry: Registry, name: RepositoryName) -> Self {
        Self { client, registry, name }
    }

    /// Returns the registry.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    /// Removes a tag, or a manifest with all its tags. Blobs are the registry's to collect.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] where the registry deletes nothing; and whatever keeps it from
    /// answering.
    pub async fn delete(&self, selector: &Selector) -> Result<(), Error> {
        let request = self.manifest_request(Method::DELETE, selector, Access::Delete)?;
        self.client.call(&request).await.map(drop)
    }

    /// Makes a request to a path below the repository; `what` it asks for is named in errors.
    fn request(&self, method: Method, path: &str, access: Access, what: &dyn fmt::Display) -> Result<Request, Error> {
        let mut url = self.client.base(&self.registry)?;
        url.set_path(&format!("/v2/{}/{path}", self.name.as_str()));
        let (registry, repository) = (self.registry.clone(), Some(self.name.clone()));
        let what = format!("{what} of {}/{}", self.registry, self.name.as_str());
        let scope = Scope { registry, repository, access, mount: None };
        Ok(Request { method, url, headers: HeaderMap::new(), body: Bytes::new(), scope, what })
    }

    fn manifest_request(&self, method: Method, selector: &Selector, access: Access) -> Result<Request, Error> {
        let kind = if matches!(selector, Selector::Tag(_)) { "tag" } else { "manifest" };
        let what = format_args!("{kind} {selector}");
        let request = self.request(method, &format!("manifests/{selector}"), access, &what)?;
        Ok(request.with(ACCEPT, accepted_manifests()))
    }

    fn blob_request(&self, method: Method, digest: &Digest, access: Access) -> Result<Request, Error> {
        self.request(method, &format!("blobs/{digest}"), access, &format_args!("blob {digest}"))
    }

    /// Makes a request for content, which registries keep in two places.
    fn content_request(&self, method: Method, descriptor: &Descriptor, access: Access) -> Result<Request, Error> {
        match descriptor.media_type.is_manifest() {
            true => self.manifest_request(method, &Selector::Digest(descriptor.digest.clone()), access),
            false => self.blob_request(method, &descriptor.digest, access),
        }
    }
}

/// Returns the types of manifests that are understood; a registry may otherwise convert to one that is not.
fn accepted_manifests() -> HeaderValue {
    let types = MediaType::MANIFESTS;
    let list = types.each_ref().map(MediaType::as_str).join(", ");
    HeaderValue::from_str(&list).expect("media types have visible characters only")
}
