//! `delete`: deletes a tag, or a manifest with all its tags.

use serde::Serialize;
use wharf_client::Client;
use wharf_oci::Reference;

use crate::locate::{explain, repository};
use crate::{Cause, Error};

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteOutcome {
    /// The tag or the digest that is gone.
    pub reference: String,
}

/// Deletes what `reference` names: with a digest the manifest and all its tags, else the tag alone.
///
/// # Errors
/// [`Error::Delete`]; [`Cause::NoSelector`] where it names a repository alone, for which nothing is assumed;
/// [`Cause::TwoSelectors`] where it names both.
pub async fn delete(client: &Client, reference: &Reference) -> Result<DeleteOutcome, Error> {
    let failed = |source| Error::Delete { reference: reference.clone(), source };
    match (reference.tag(), reference.digest()) {
        (None, None) => return Err(failed(Cause::NoSelector)),
        (Some(_), Some(_)) => return Err(failed(Cause::TwoSelectors)),
        _ => {}
    }
    let repository = repository(client, reference);
    match repository.delete(&reference.selector()).await {
        Ok(()) => Ok(DeleteOutcome { reference: reference.to_string() }),
        Err(error) => Err(failed(explain(&repository, reference, error.into()).await)),
    }
}
