//! What refers to a manifest (distribution-spec, "Listing Referrers" and "Unavailable Referrers API").
//!
//! A registry that knows of referrers lists them at `referrers/<digest>`. For one that does not, clients keep an
//! index of them under a tag made of the digest:
//!
//! ```text
//! sha256:9f86…  ->  tag sha256-9f86…      sha512:…  ->  tag sha512-<the first 64 characters>
//! ```

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use wharf_oci::{Descriptor, Digest, Document, ImageIndex, Manifest, MediaType, Referrers, Selector, TagName};

use super::Repository;
use crate::Error;
use crate::auth::Access;
use crate::error::Violation;
use crate::exchange::Head;
use crate::limits::REFERRERS_MAX;

/// Characters of a digest that its tag keeps.
const TAG_HEX_MAX: usize = 64;

#[async_trait]
impl Referrers for Repository {
    async fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, wharf_oci::Error> {
        match self.listed_referrers(digest).await? {
            Some(referrers) => Ok(referrers),
            None => Ok(self.tagged_referrers(digest).await?),
        }
    }
}

impl Repository {
    /// Asks the registry for referrers; `None` where it does not know of such a thing.
    async fn listed_referrers(&self, digest: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let what = format!("the list of referrers of {digest}");
        let request = self.request(Method::GET, &format!("referrers/{digest}"), Access::Pull, &what)?;
        let mut referrers: Vec<Descriptor> = Vec::new();
        let mut is_first = true;
        let add = |head: &Head, bytes: Bytes| {
            is_first = false;
            referrers.extend(read_index(head, bytes)?);
            if referrers.len() > REFERRERS_MAX {
                let request = head.line.clone();
                return Err(Error::TooLarge { request, limit: REFERRERS_MAX as u64, unit: "referrers" });
            }
            Ok(())
        };
        match self.pages(request, add).await {
            // Only the first page tells whether there is a list; one that ends in the middle is an error.
            Err(error) if is_first && is_unknown(&error) => Ok(None),
            outcome => outcome.map(|()| Some(referrers)),
        }
    }

    /// Reads the index under the tag of a digest; nothing where there is no such tag.
    async fn tagged_referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let selector = Selector::Tag(referrers_tag(digest));
        let manifest = match self.manifest(&selector).await {
            Err(Error::NotFound { .. }) => return Ok(Vec::new()),
            outcome => outcome?,
        };
        match manifest.document() {
            // GitLab takes the tag for the digest that it is made of, and answers with the subject itself.
            _ if manifest.digest() == digest => Ok(Vec::new()),
            Document::Index(index) => Ok(index.manifests.clone()),
            Document::Image(_) | Document::Artifact(_) => {
                let request = self.manifest_request(Method::GET, &selector, Access::Pull)?.line();
                Err(Error::Protocol { request, source: Violation::NotAnIndex })
            }
        }
    }

    /// Adds a manifest to the index under the tag of its subject, for registries that do not list referrers.
    ///
    /// The specification has no way to do so safely against others who do the same at the same time; against other
    /// tasks of the same client it is.
    pub(super) async fn add_tagged_referrer(&self, manifest: &Manifest, subject: &Descriptor) -> Result<(), Error> {
        let _guard = self.client.shared.referrers_tag.lock().await;
        let mut referrers = self.tagged_referrers(&subject.digest).await?;
        if referrers.iter().any(|referrer| referrer.digest == *manifest.digest()) {
            return Ok(());
        }
        let mut descriptor = manifest.descriptor();
        descriptor.artifact_type = manifest.artifact_type().cloned();
        descriptor.annotations = manifest.annotations().clone();
        referrers.push(descriptor);
        let selector = Selector::Tag(referrers_tag(&subject.digest));
        let request = self.manifest_request(Method::PUT, &selector, Access::Push)?;
        let index = Manifest::from_index(&ImageIndex::new(referrers))
            .map_err(|source| Error::Manifest { request: request.line(), source })?;
        self.put_manifest(request, &index).await.map(drop)
    }
}

/// Whether a registry says that it does not know of lists of referrers: by the specification with 404; Artifactory,
/// and others whose paths are made otherwise, with 400 or 406.
fn is_unknown(error: &Error) -> bool {
    match error {
        Error::NotFound { .. } => true,
        Error::Refused { answer, .. } => matches!(answer.status.as_u16(), 400 | 406),
        _ => false,
    }
}

/// Returns the tag under which the referrers of a digest are kept.
fn referrers_tag(digest: &Digest) -> TagName {
    let hex = &digest.hex()[..TAG_HEX_MAX.min(digest.hex().len())];
    format!("{}-{hex}", digest.algorithm()).parse().expect("letters, digits and `-` make a tag")
}

fn read_index(head: &Head, bytes: Bytes) -> Result<Vec<Descriptor>, Error> {
    let manifest = Manifest::parse(bytes, Some(&MediaType::OCI_INDEX))
        .map_err(|source| Error::Manifest { request: head.line.clone(), source })?;
    match manifest.document() {
        Document::Index(index) => Ok(index.manifests.clone()),
        Document::Image(_) | Document::Artifact(_) => Err(head.violation(Violation::NotAnIndex)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_a_long_digest_is_cut() {
        let sha256 = Digest::sha256(b"wharf");
        assert_eq!(referrers_tag(&sha256).as_str(), format!("sha256-{}", sha256.hex()));
        let sha512 = Digest::of(wharf_oci::Algorithm::Sha512, b"wharf");
        assert_eq!(referrers_tag(&sha512).as_str(), format!("sha512-{}", &sha512.hex()[..64]));
    }
}
