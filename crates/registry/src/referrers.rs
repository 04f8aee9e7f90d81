//! The manifests that say something of another (distribution-spec, "Listing Referrers").

use http::header::LINK;
use http::{HeaderName, HeaderValue, StatusCode};
use wharf_oci::{Descriptor, Digest, ImageIndex, MediaType};
use wharf_store::{ReferrersPage, Repository};

use crate::Limits;
use crate::page::{Page, next_link};
use crate::response::{Answer, json};

const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// Lists the referrers of a manifest, which need not be there itself.
///
/// A page is an index, and so no larger than a manifest may be. The store sorts them by digest, so that the digest of
/// the last entry marks where the next page starts.
pub(crate) async fn list(
    repository: &Repository,
    (subject, artifact_type): (&Digest, Option<&str>),
    page: &Page,
    limits: &Limits,
) -> Answer {
    let size = page.size(limits.page_max);
    let wanted = ReferrersPage {
        after: page.last.as_deref().map(str::parse).transpose()?,
        artifact_type: artifact_type.map(MediaType::from),
        // One more than is shown tells whether there is another page.
        count_max: size.saturating_add(1),
        bytes_max: limits.manifest_bytes_max,
    };
    let mut referrers = repository.referrers_page(subject, wanted).await?;
    let shown = fitting(&referrers, size, limits.manifest_bytes_max);
    let link = shown.checked_sub(1).filter(|_| shown < referrers.len()).map(|last| {
        let path = format!("/v2/{}/referrers/{subject}", repository.name());
        let kept: Vec<_> = artifact_type.into_iter().map(|wanted| ("artifactType", wanted)).collect();
        next_link(&path, size, &referrers[last].digest.to_string(), &kept)
    });
    referrers.truncate(shown);
    let mut response = json(StatusCode::OK, "application/vnd.oci.image.index.v1+json", &ImageIndex::new(referrers));
    response.headers_mut().extend(link.map(|link| (LINK, link)));
    if artifact_type.is_some() {
        response.headers_mut().insert(OCI_FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    Ok(response)
}

/// Counts how many of the referrers go into one page: no more than `size` and about `limit` bytes, but one at least,
/// lest the list never ends.
fn fitting(referrers: &[Descriptor], size: usize, limit: u64) -> usize {
    let mut bytes = 0;
    let fits = |referrer: &&Descriptor| {
        bytes += serde_json::to_vec(referrer).map_or(0, |text| text.len() as u64);
        bytes <= limit
    };
    referrers.iter().take_while(fits).count().max(1).min(size).min(referrers.len())
}
