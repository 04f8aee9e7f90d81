//! Opens the places that artifacts are read from: a registry, a layout, an archive.

use wharf_archive::{Archive, Flavor, ImageName, Layout};
use wharf_client::{Client, Repository};
use wharf_oci::{
    Descriptor, Digest, Error, Fetch, Manifest, Reference, Referrers, Resolve, Selector, TagName, fetch_manifest,
};

use crate::Cause;
use crate::blocking::blocking;
use crate::location::{Container, LocalLocation, Location};

/// Tags to name when the one asked for is not there.
const NEAR_MAX: usize = 3;

/// A place that artifacts are read from, and which of them is meant.
pub(crate) struct Place {
    holder: Holder,
}

enum Holder {
    Registry(Repository, Reference),
    Layout(Layout, LocalLocation),
    Archive(Archive, LocalLocation),
}

impl Place {
    /// Opens a place. Of a registry nothing is asked yet; an archive is read through once for what it holds.
    pub(crate) async fn open(client: &Client, location: &Location) -> Result<Self, Cause> {
        match location {
            Location::Registry(reference) => Ok(Self::in_registry(client, reference)),
            Location::Local(local) => Self::open_local(local).await,
        }
    }

    /// Takes a place in a registry, of which nothing is asked yet.
    pub(crate) fn in_registry(client: &Client, reference: &Reference) -> Self {
        Self { holder: Holder::Registry(repository(client, reference), reference.clone()) }
    }

    /// Opens a layout, or an archive, which is read through once for what it holds.
    pub(crate) async fn open_local(local: &LocalLocation) -> Result<Self, Cause> {
        let holder = match flavor(local.container) {
            None => {
                let path = local.path.clone();
                blocking(move || path.metadata().map(drop).map_err(Cause::file("open", &path))).await?;
                Holder::Layout(Layout::open(&local.path).await?, local.clone())
            }
            Some(flavor) => Holder::Archive(Archive::open(&local.path, flavor).await?, local.clone()),
        };
        Ok(Self { holder })
    }

    /// Returns what gives the contents.
    pub(crate) fn content(&self) -> &dyn Fetch {
        match &self.holder {
            Holder::Registry(repository, _) => repository,
            Holder::Layout(layout, _) => layout,
            Holder::Archive(archive, _) => archive,
        }
    }

    /// Returns what tells which manifests refer to another.
    pub(crate) fn referrers(&self) -> &dyn Referrers {
        match &self.holder {
            Holder::Registry(repository, _) => repository,
            Holder::Layout(layout, _) => layout,
            Holder::Archive(archive, _) => archive,
        }
    }

    /// Fetches the manifest that is meant; where its tag is not there, says which are.
    pub(crate) async fn manifest(&self) -> Result<Manifest, Cause> {
        let descriptor = match &self.holder {
            Holder::Registry(repository, reference) => {
                return match repository.manifest(&reference.selector()).await {
                    Ok(manifest) => Ok(manifest),
                    Err(error) => Err(explain(repository, reference, error.into()).await),
                };
            }
            Holder::Layout(layout, local) => match (&local.digest, &local.name) {
                (Some(digest), _) => by_digest(layout, digest, local).await?,
                (None, Some(name)) => layout.named(&name.to_string()).await?,
                (None, None) => layout.only().await?,
            },
            Holder::Archive(archive, local) => match (&local.digest, &local.name) {
                (Some(digest), _) => by_digest(archive, digest, local).await?,
                (None, Some(name)) => archive.named(&name.to_string())?,
                (None, None) => archive.only().await?,
            },
        };
        Ok(fetch_manifest(self.content(), &descriptor).await?)
    }

    /// Returns the whole name that a layout or an archive has for what is meant, where the location gives none or a tag
    /// alone, and only one fits.
    pub(crate) async fn whole_name(&self) -> Result<Option<ImageName>, Cause> {
        let (local, names) = match &self.holder {
            Holder::Registry(..) => return Ok(None),
            Holder::Layout(layout, local) => (local, layout.names().await?),
            Holder::Archive(archive, local) => (local, archive.names()),
        };
        let fits = |name: &ImageName| match &local.name {
            None => true,
            Some(asked) => asked.repository().is_none() && asked.tag() == name.tag(),
        };
        // Other tools call things what is no name of an image.
        let mut names = names.iter().filter_map(|name| name.parse().ok()).filter(fits);
        match (names.next(), names.next()) {
            (Some(name), None) if local.digest.is_none() => Ok(Some(name)),
            _ => Ok(None),
        }
    }

    /// Returns the names that the place has for what is in it: tags of a registry, whole names elsewhere.
    pub(crate) async fn names(&self) -> Result<Vec<String>, Cause> {
        match &self.holder {
            Holder::Registry(repository, _) => Ok(repository.tags().await?.iter().map(ToString::to_string).collect()),
            Holder::Layout(layout, _) => Ok(layout.names().await?),
            Holder::Archive(archive, _) => Ok(archive.names()),
        }
    }
}

/// Finds a manifest by its digest.
async fn by_digest(place: &dyn Resolve, digest: &Digest, local: &LocalLocation) -> Result<Descriptor, Cause> {
    match place.resolve(&Selector::Digest(digest.clone())).await {
        Err(Error::NotFound { .. }) => Err(Cause::NoSuchManifest { digest: digest.clone(), path: local.path.clone() }),
        resolved => Ok(resolved?),
    }
}

/// Returns what an archive is read as; nothing for a layout, which is a folder.
pub(crate) fn flavor(container: Container) -> Option<Flavor> {
    match container {
        Container::OciLayout => None,
        Container::OciArchive => Some(Flavor::Oci),
        Container::DockerArchive => Some(Flavor::Docker),
    }
}

/// Returns the handle of the repository that a reference is in.
pub(crate) fn repository(client: &Client, reference: &Reference) -> Repository {
    client.repository(reference.registry(), reference.repository())
}

/// Turns "not found" into what is there instead, where the registry tells.
pub(crate) async fn explain(repository: &Repository, reference: &Reference, error: Cause) -> Cause {
    let (true, Selector::Tag(tag)) = (is_not_found(&error), reference.selector()) else { return error };
    // Only the better message is lost when the list cannot be had.
    let Ok(tags) = repository.tags().await else { return error };
    let repository = reference.bare().to_string();
    let (count, near) = (tags.len(), nearest(&tag, tags));
    Cause::NoSuchTag { tag, repository, near, count }
}

fn is_not_found(cause: &Cause) -> bool {
    matches!(cause, Cause::Content(Error::NotFound { .. }))
        || matches!(cause.client(), Some(wharf_client::Error::NotFound { .. }))
}

/// Returns the tags that are spelled most like `wanted`, the nearest first.
fn nearest(wanted: &TagName, tags: Vec<TagName>) -> Vec<TagName> {
    let mut tags: Vec<_> = tags
        .into_iter()
        .map(|tag| (strsim::damerau_levenshtein(wanted.as_str(), tag.as_str()), tag))
        .filter(|(distance, tag)| *distance <= wanted.as_str().len().max(tag.as_str().len()) / 2)
        .collect();
    tags.sort();
    tags.into_iter().take(NEAR_MAX).map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_tags_come_first_and_far_ones_not_at_all() {
        let tags = ["1.0.0", "1.0.1", "1.1.0", "2.0.0-rc.1", "latest", "nightly"].map(|tag| tag.parse().unwrap());
        let near = |wanted: &str| {
            let near = nearest(&wanted.parse().unwrap(), tags.to_vec());
            near.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(near("1.0.2"), ["1.0.0", "1.0.1", "1.1.0"]);
        assert_eq!(near("lastest"), ["latest"]);
        assert_eq!(near("zzz"), [""; 0]);
    }
}
