//! Pushing: manifests, tags, and whether something is there.

use async_trait::async_trait;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method};
use wharf_oci::{Descriptor, Digest, Fetch, Manifest, Push, Selector, Tag, TagName, Transfer, fetch_manifest};

use super::Repository;
use super::pull::stated_digest;
use crate::Error;
use crate::auth::Access;
use crate::error::Violation;
use crate::exchange::{Head, Request};
use crate::limits::ANSWER_BYTES_MAX;

/// The header by which a registry tells that it lists a manifest as a referrer of this subject.
const SUBJECT_HEADER: &str = "oci-subject";

#[async_trait]
impl Push for Repository {
    async fn contains(&self, descriptor: &Descriptor) -> Result<bool, wharf_oci::Error> {
        let request = self.content_request(Method::HEAD, descriptor, Access::Push)?;
        match self.client.call(&request).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn push(&self, descriptor: &Descriptor, source: &dyn Fetch) -> Result<Transfer, wharf_oci::Error> {
        if !descriptor.media_type.is_manifest() {
            return self.push_blob(descriptor, source).await;
        }
        let manifest = fetch_manifest(source, descriptor).await?;
        self.store_manifest(&manifest, &Selector::Digest(descriptor.digest.clone())).await?;
        Ok(Transfer::Sent)
    }
}

#[async_trait]
impl Tag for Repository {
    async fn tag(&self, manifest: &Manifest, name: &TagName) -> Result<(), wharf_oci::Error> {
        Ok(self.store_manifest(manifest, &Selector::Tag(name.clone())).await?)
    }
}

impl Repository {
    /// Stores a manifest, and sees to it that it is found by its subject.
    async fn store_manifest(&self, manifest: &Manifest, selector: &Selector) -> Result<(), Error> {
        let request = self.manifest_request(Method::PUT, selector, Access::Push)?;
        let head = self.put_manifest(request, manifest).await?;
        match manifest.subject() {
            Some(subject) if head.header(SUBJECT_HEADER).is_none() => self.add_tagged_referrer(manifest, subject).await,
            _ => Ok(()),
        }
    }

    /// Sends the exact bytes of a manifest, and checks that the registry took them for what they are.
    pub(super) async fn put_manifest(&self, request: Request, manifest: &Manifest) -> Result<Head, Error> {
        let media_type = HeaderValue::from_str(manifest.media_type().as_str());
        let mut request = request;
        request.headers.remove(ACCEPT);
        let media_type = media_type.map_err(|_| {
            let value = crate::answer::shown(manifest.media_type().as_str());
            Error::Protocol { request: request.line(), source: Violation::Header { name: "content-type", value } }
        })?;
        let mut request = request.with(CONTENT_TYPE, media_type);
        request.body = manifest.bytes().clone();
        let (head, _) = self.client.read(&request, ANSWER_BYTES_MAX).await?;
        if let Some(actual) = stated_digest(&head)? {
            let expected = Digest::of(actual.algorithm(), manifest.bytes());
            if actual != expected {
                return Err(Error::DigestLie { request: head.line, expected, actual });
            }
        }
        Ok(head)
    }
}
