//! `tags` and `tag`: lists the tags of a repository, and adds one.

use serde::Serialize;
use wharf_client::Client;
use wharf_oci::{Digest, Reference, Tag as _, TagName};

use crate::Error;
use crate::locate::{manifest, repository};

/// The tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagsOutcome {
    /// The repository: `host/repository`.
    pub repository: String,
    /// Its tags, in the registry's order.
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

/// Lists all tags of the repository that `reference` is in.
///
/// # Errors
/// [`Error::Tags`].
pub async fn tags(client: &Client, reference: &Reference) -> Result<TagsOutcome, Error> {
    let tags = repository(client, reference).tags().await;
    let tags = tags.map_err(|error| Error::Tags { reference: reference.clone(), source: error.into() })?;
    Ok(TagsOutcome { repository: reference.bare().to_string(), tags: tags.iter().map(ToString::to_string).collect() })
}

/// Points the tag `name` at what `reference` names, in the same repository.
///
/// # Errors
/// [`Error::Tag`].
pub async fn tag(client: &Client, reference: &Reference, name: &TagName) -> Result<TagOutcome, Error> {
    let repository = repository(client, reference);
    let tagged = async {
        let manifest = manifest(&repository, reference).await?;
        repository.tag(&manifest, name).await?;
        Ok(manifest.digest().clone())
    };
    let failed = |source| Error::Tag { reference: reference.clone(), name: name.clone(), source };
    let digest = tagged.await.map_err(failed)?;
    Ok(TagOutcome { reference: reference.with_tag(name.clone()).to_string(), digest })
}
