//! What the tests share: a client that does not wait, and short ways to name things.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use wharf_client::{
    Client, ClientOptions, Credential, CredentialSource, Credentials, Repository, Retries, Secret, Timeouts,
};
use wharf_oci::{ByteStream, Descriptor, ImageManifest, Manifest, MediaType, Registry, Selector};

use wharf_testing::script::{Reply, ScriptServer};

/// The password of all tests, which no text may show.
pub(crate) const PASSWORD: &str = "hunter2";
/// `jo:hunter2` in base64.
pub(crate) const BASIC: &str = "Basic am86aHVudGVyMg==";

/// Tries as often as users do, without their wait.
pub(crate) fn options() -> ClientOptions {
    let delay = Duration::from_millis(1);
    ClientOptions {
        retries: Retries { tries: 4, base_delay: delay, max_delay: delay },
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(5),
            request: Duration::from_secs(5),
        },
        ..ClientOptions::default()
    }
}

/// Gives up on silence soon.
pub(crate) fn impatient() -> ClientOptions {
    let soon = Duration::from_millis(100);
    ClientOptions { timeouts: Timeouts { connect: soon, read: soon, request: soon }, ..options() }
}

/// Knows a name and a password from the command line.
pub(crate) fn with_password(server: &ScriptServer) -> ClientOptions {
    let credentials = Credentials::default().with_given(registry(server), password(), CredentialSource::CommandLine);
    ClientOptions { credentials, ..options() }
}

pub(crate) fn password() -> Credential {
    Credential::Basic { username: "jo".to_owned(), password: Secret::from(PASSWORD) }
}

pub(crate) fn registry(server: &ScriptServer) -> Registry {
    server.address().to_string().parse().unwrap()
}

pub(crate) fn repository_with(server: &ScriptServer, options: ClientOptions) -> Repository {
    named_repository(&Client::new(options).unwrap(), server, "acme/hello")
}

pub(crate) fn named_repository(client: &Client, server: &ScriptServer, name: &str) -> Repository {
    client.repository(&registry(server), &name.parse().unwrap())
}

pub(crate) fn repository(server: &ScriptServer) -> Repository {
    repository_with(server, options())
}

pub(crate) fn tag(name: &str) -> Selector {
    Selector::Tag(name.parse().unwrap())
}

pub(crate) fn blob(bytes: &[u8]) -> Descriptor {
    Descriptor::of(MediaType::OCTET_STREAM, bytes)
}

/// A small manifest.
pub(crate) fn manifest() -> Manifest {
    let config = Descriptor::of(MediaType::OCI_EMPTY, b"{}");
    Manifest::from_image(&ImageManifest::new(config, Vec::new())).unwrap()
}

/// A registry's reply with a manifest.
pub(crate) fn serve(manifest: &Manifest) -> Reply {
    Reply::new(200)
        .header("content-type", manifest.media_type().as_str())
        .header("docker-content-digest", manifest.digest().to_string())
        .body(manifest.bytes().clone())
}

/// A challenge that names the token server on the same host.
pub(crate) fn challenge() -> Reply {
    challenge_to("http://{authority}/token")
}

pub(crate) fn challenge_to(realm: &str) -> Reply {
    Reply::new(401).header("www-authenticate", format!(r#"Bearer realm="{realm}",service="test""#))
}

/// The request for a token to pull from `acme/hello`.
pub(crate) const PULL_TOKEN: &str = "GET /token?service=test&scope=repository%3Aacme%2Fhello%3Apull";
/// The request for a token to push to `acme/hello`.
pub(crate) const PUSH_TOKEN: &str = "GET /token?service=test&scope=repository%3Aacme%2Fhello%3Apull%2Cpush";

pub(crate) fn token(token: &str) -> Reply {
    Reply::new(200).body(format!(r#"{{"token":"{token}","expires_in":300}}"#))
}

pub(crate) async fn read(stream: ByteStream) -> Result<Vec<u8>, wharf_oci::Error> {
    stream
        .try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await
}

/// Writes an error with its causes, as text and for debugging.
pub(crate) fn full_text(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error:?}; {error}");
    let mut cause = error.source();
    while let Some(found) = cause {
        text.push_str(&format!(": {found}"));
        cause = found.source();
    }
    text
}
