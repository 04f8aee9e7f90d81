//! What `wash` reads credentials from: its variables, and the file that a project's `wasmcloud.toml` names.

use wharf::client::{Credential, CredentialSource, Secret};
use wharf::oci::Registry;

use crate::environment::Environment;
use crate::failure::Failure;

/// The configuration of a project, in the current folder.
pub(crate) const PROJECT: &str = "wasmcloud.toml";

/// Returns the credential that the variables of `wash` give, and the registry that it is for: the one that
/// `WASH_REG_URL` names, else that of the command.
///
/// Half of a credential is none, as for `wash`: the other half may stand on its command lines.
pub(crate) fn given(
    environment: &Environment,
    owner: Option<&Registry>,
) -> Result<Option<(Registry, Credential, CredentialSource)>, Failure> {
    let (Some(username), Some(password)) = (&environment.wash_username, &environment.wash_password) else {
        return Ok(None);
    };
    let registry = match &environment.wash_url {
        Some(url) => Some(host(url)?),
        None => owner.cloned(),
    };
    let credential = Credential::Basic { username: username.clone(), password: Secret::from(password.clone()) };
    let source = CredentialSource::Variable("WASH_REG_PASSWORD".to_owned());
    Ok(registry.map(|registry| (registry, credential, source)))
}

/// Returns the host in what `wash` puts before the name of an artifact: with or without a scheme, with or without a
/// path.
fn host(url: &str) -> Result<Registry, Failure> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
    // The text is not quoted: a password may stand in it.
    host.parse().map_err(|_| Failure::Usage("WASH_REG_URL names no registry: it has the form host[:port]".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what registry gets the credential, `none` where there is none to give.
    fn registry(variables: [Option<&str>; 3], owner: Option<&str>) -> Result<String, Failure> {
        let [wash_username, wash_password, wash_url] = variables.map(|value| value.map(str::to_owned));
        let environment = Environment { wash_username, wash_password, wash_url, ..Environment::default() };
        let owner = owner.map(|owner| owner.parse().unwrap());
        Ok(given(&environment, owner.as_ref())?.map_or("none".to_owned(), |(registry, ..)| registry.to_string()))
    }

    #[test]
    fn a_credential_has_two_halves_and_goes_to_the_registry_that_is_named() {
        let pair = |url| [Some("jo"), Some("pw"), url];
        let table = [
            (pair(None), Some("ghcr.io"), "ghcr.io"),
            (pair(None), None, "none"),
            (pair(Some("localhost:5001")), Some("ghcr.io"), "localhost:5001"),
            (pair(Some("localhost:5001")), None, "localhost:5001"),
            (pair(Some("https://Acme.example/team/")), Some("ghcr.io"), "acme.example"),
            ([Some("jo"), None, None], Some("ghcr.io"), "none"),
            ([None, Some("pw"), None], Some("ghcr.io"), "none"),
            ([None, None, Some("://")], Some("ghcr.io"), "none"),
        ];
        for (variables, owner, expected) in table {
            assert_eq!(registry(variables, owner).unwrap(), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_url_without_a_registry_is_refused_and_not_quoted() {
        for url in ["https://", "/team", "https://jo:hunter2@acme.example", "a b", "localhost:port"] {
            let failure = registry([Some("jo"), Some("pw"), Some(url)], Some("ghcr.io")).expect_err(url);
            assert!(matches!(failure, Failure::Usage(_)), "{url}");
            assert!(!failure.message().contains("hunter2"), "{}", failure.message());
        }
    }
}
