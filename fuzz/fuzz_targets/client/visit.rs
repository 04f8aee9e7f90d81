//! A registry that the client has not met before, without the cost of a new client for each.
//!
//! A client remembers registries, and what one input taught it must not change what the next one does. But to make a
//! client takes as long as a hundred requests, as it reads all certificates of the system.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use wharf_client::{
    Client, ClientOptions, Credential, CredentialSource, Credentials, Proxies, Retries, Secret, Security, Timeouts,
};
use wharf_oci::Registry;

/// What no host but those of the registry's site may see.
pub(crate) const SECRET: &str = "hunter2";
/// `jo:hunter2` in base64.
pub(crate) const SECRET_PAIR: &str = "am86aHVudGVyMg";

/// Registries that one client meets.
const VISITS_MAX: usize = 256;

/// One input's registry, and what the client has for it.
pub(crate) struct Visit {
    pub(crate) client: Client,
    pub(crate) registry: Registry,
    pub(crate) credential: Option<Credential>,
}

/// The client, and how many registries it has met.
static CLIENT: Mutex<Option<(Client, usize)>> = Mutex::new(None);

impl Visit {
    /// Picks the next registry, for which the client has a credential of this kind.
    pub(crate) fn next(kind: &str, proxy: SocketAddr) -> Self {
        let mut kept = CLIENT.lock().expect("to make a client does not panic");
        let (client, number) = match kept.take() {
            Some((client, number)) if number < VISITS_MAX => (client, number),
            _ => (client(proxy), 0),
        };
        *kept = Some((client.clone(), number + 1));
        let credential = kinds().into_iter().find(|(known, _)| *known == kind);
        let (kind, credential) = credential.map_or(("none", None), |(kind, credential)| (kind, Some(credential)));
        Self { client, registry: registry(kind, number), credential }
    }
}

fn registry(kind: &str, number: usize) -> Registry {
    format!("{kind}-{number}.acme.example").parse().expect("it is a registry")
}

fn kinds() -> [(&'static str, Credential); 3] {
    let secret = Secret::from(SECRET);
    [
        ("basic", Credential::Basic { username: "jo".to_owned(), password: secret.clone() }),
        ("identity", Credential::IdentityToken(secret.clone())),
        ("bearer", Credential::Bearer(secret)),
    ]
}

/// Makes a client that reaches all hosts by way of a proxy.
fn client(proxy: SocketAddr) -> Client {
    let mut credentials = Credentials::default();
    for (kind, credential) in kinds() {
        for number in 0..VISITS_MAX {
            // One that was kept is given up for an anonymous try.
            let source = CredentialSource::File("auth.json".into());
            credentials = credentials.with_given(registry(kind, number), credential.clone(), source);
        }
    }
    let limit = Duration::from_secs(5);
    Client::new(ClientOptions {
        security: Security::PlainHttp,
        credentials,
        proxies: Proxies { all: Some(format!("http://{proxy}")), ..Proxies::default() },
        timeouts: Timeouts { connect: limit, read: limit, request: limit },
        retries: Retries { tries: 1, base_delay: Duration::ZERO, max_delay: Duration::ZERO },
        ..ClientOptions::default()
    })
    .expect("the options are valid")
}
