//! `delete`: deletes a tag, or a manifest with all its tags.

use serde::Serialize;
use wharf_archive::Layout;
use wharf_client::Client;
use wharf_oci::Reference;

use crate::location::{Container, LocalLocation};
use crate::place::{explain, repository};
use crate::{Cause, Error, Location};

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteOutcome {
    /// The tag or the digest that is gone.
    pub reference: String,
}

/// Deletes what `location` names: with a digest the manifest and all its tags, else the tag alone.
///
/// Of a layout, names are deleted, and with the last name of something its content.
///
/// # Errors
/// [`Error::Delete`]; [`Cause::NoSelector`] where it names a repository alone, for which nothing is assumed;
/// [`Cause::TwoSelectors`] where it names both; [`Cause::Written`] for an archive.
pub async fn delete(client: &Client, location: &Location) -> Result<DeleteOutcome, Error> {
    let deleted = match location {
        _ if location.tag().is_none() && location.digest().is_none() => Err(Cause::NoSelector),
        _ if location.tag().is_some() && location.digest().is_some() => Err(Cause::TwoSelectors),
        Location::Registry(reference) => delete_in_registry(client, reference).await,
        Location::Local(local) => delete_in_layout(local).await,
    };
    match deleted {
        Ok(()) => Ok(DeleteOutcome { reference: location.to_string() }),
        Err(source) => Err(Error::Delete { location: location.clone(), source }),
    }
}

async fn delete_in_registry(client: &Client, reference: &Reference) -> Result<(), Cause> {
    let repository = repository(client, reference);
    match repository.delete(&reference.selector()).await {
        Ok(()) => Ok(()),
        Err(error) => Err(explain(&repository, reference, error.into()).await),
    }
}

async fn delete_in_layout(local: &LocalLocation) -> Result<(), Cause> {
    match (local.container, &local.name) {
        (Container::OciArchive | Container::DockerArchive, _) => Err(Cause::Written),
        (Container::OciLayout, Some(name)) => Ok(Layout::open(&local.path).await?.untag(&name.to_string()).await?),
        (Container::OciLayout, None) => Err(Cause::NamesOnly),
    }
}
