//! `tags` and `tag`: lists what a place has names for, and gives one more.

use serde::Serialize;
use wharf_archive::{ImageName, Layout};
use wharf_client::Client;
use wharf_oci::{Digest, Tag as _, TagName};

use crate::location::{Container, LocalLocation};
use crate::place::{Place, repository};
use crate::{Cause, Error, Location};

/// The names in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagsOutcome {
    /// The place: `host/repository`, or a layout or archive.
    pub repository: String,
    /// Its tags, in the registry's order; of a layout or archive, the whole names that it has for images.
    pub tags: Vec<String>,
}

/// A tag that was added or moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagOutcome {
    /// The artifact under its new tag: `host/repository:tag`.
    pub reference: String,
    /// The digest that the tag points at.
    pub digest: Digest,
}

/// Lists all tags of the repository that `location` is in, or all names in a layout or an archive.
///
/// # Errors
/// [`Error::Tags`].
pub async fn tags(client: &Client, location: &Location) -> Result<TagsOutcome, Error> {
    let listed = async { Place::open(client, location).await?.names().await };
    let tags = listed.await.map_err(|source| Error::Tags { location: location.clone(), source })?;
    Ok(TagsOutcome { repository: location.bare().to_string(), tags })
}

/// Points the tag `name` at what `location` names, in the same repository or layout.
///
/// # Errors
/// [`Error::Tag`]; [`Cause::Written`] for an archive.
pub async fn tag(client: &Client, location: &Location, name: &TagName) -> Result<TagOutcome, Error> {
    let tagged = async {
        let place = Place::open(client, location).await?;
        let manifest = place.manifest().await?;
        match location {
            Location::Registry(reference) => repository(client, reference).tag(&manifest, name).await?,
            Location::Local(LocalLocation { container: Container::OciLayout, path, .. }) => {
                let renamed = location.with_tag(name.clone()).image_name();
                let name = renamed.unwrap_or_else(|| ImageName::from(name.clone()));
                Layout::open(path).await?.add(&manifest, Some(&name)).await?;
            }
            Location::Local(_) => return Err(Cause::Written),
        }
        Ok(manifest.digest().clone())
    };
    let failed = |source| Error::Tag { location: location.clone(), name: name.clone(), source };
    let digest = tagged.await.map_err(failed)?;
    Ok(TagOutcome { reference: location.with_tag(name.clone()).to_string(), digest })
}
