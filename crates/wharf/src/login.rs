//! `login` and `logout`: keeps and forgets the credential for a registry.

use serde::Serialize;
use wharf_client::{Client, Credential, CredentialSource, Credentials};
use wharf_oci::Registry;

use crate::Error;

/// A login that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginOutcome {
    /// The registry.
    pub registry: String,
    /// Where the credential is kept: a file, or a credential helper.
    pub kept_in: String,
}

/// A login that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogoutOutcome {
    /// The registry.
    pub registry: String,
    /// Where there was one.
    pub removed_from: Vec<String>,
}

/// Checks a credential with its registry and, if it is good, keeps it where podman and Docker find it too.
///
/// # Errors
/// [`Error::Login`]; nothing is kept then.
pub async fn login(
    client: &Client,
    credentials: &Credentials,
    registry: &Registry,
    credential: &Credential,
) -> Result<LoginOutcome, Error> {
    let kept = async {
        client.check_credential(registry, credential).await?;
        credentials.store(registry, credential).await
    };
    let failed = |error: wharf_client::Error| Error::Login { registry: registry.clone(), source: error.into() };
    let kept_in = place(&kept.await.map_err(failed)?);
    Ok(LoginOutcome { registry: registry.to_string(), kept_in })
}

/// Forgets the credential for a registry.
///
/// # Errors
/// [`Error::Logout`].
pub async fn logout(credentials: &Credentials, registry: &Registry) -> Result<LogoutOutcome, Error> {
    let removed = credentials.erase(registry).await;
    let failed = |error: wharf_client::Error| Error::Logout { registry: registry.clone(), source: error.into() };
    let removed_from = removed.map_err(failed)?.iter().map(place).collect();
    Ok(LogoutOutcome { registry: registry.to_string(), removed_from })
}

/// Names a place where credentials are kept.
fn place(source: &CredentialSource) -> String {
    match source {
        CredentialSource::File(path) => path.display().to_string(),
        CredentialSource::Helper(program) => program.clone(),
        other => other.to_string(),
    }
}
