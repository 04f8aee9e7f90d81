//! Challenges, tokens, credentials, and where they go.

use std::fs;

use wharf_client::{
    Client, ClientOptions, Credential, CredentialSource, Credentials, Error, Secret, Security, UntrustedRealm,
};
use wharf_oci::{Fetch as _, Push as _};
use wharf_testing::script::{Reply, ScriptServer, Step};

use crate::setup::{
    BASIC, PASSWORD, PULL_TOKEN, PUSH_TOKEN, blob, challenge, challenge_to, full_text, manifest, named_repository,
    options, password, read, registry, repository, repository_with, serve, tag, token, with_password,
};

const MANIFEST: &str = "GET /v2/acme/hello/manifests/1.0.0";

/// Keeps a credential in a file, as an earlier login did.
fn with_file(server: &ScriptServer, entry: &str) -> (tempfile::TempDir, ClientOptions) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    fs::write(&path, format!(r#"{{"auths":{{"{}":{entry}}}}}"#, server.address())).unwrap();
    let credentials = Credentials::default().with_file(path);
    (directory, ClientOptions { credentials, ..options() })
}

const ENTRY: &str = r#"{"auth":"am86aHVudGVyMg=="}"#;

#[tokio::test]
async fn a_public_pull_takes_a_challenge_and_an_anonymous_token() {
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()).without("authorization"),
        Step::new(PULL_TOKEN, token("t1")).without("authorization"),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t1"),
    ])
    .await;
    repository(&server).manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn a_token_is_kept_for_its_scope_and_the_challenge_for_the_registry() {
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()).without("authorization"),
        Step::new(PULL_TOKEN, token("t1")).with("authorization", BASIC),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t1").times(2),
        // Another repository: no second challenge.
        Step::new("GET /token?service=test&scope=repository%3Aacme%2Fother%3Apull", token("t2")),
        Step::new("GET /v2/acme/other/manifests/1.0.0", serve(&manifest())).with("authorization", "Bearer t2"),
    ])
    .await;
    let client = Client::new(with_password(&server)).unwrap();
    let repository = named_repository(&client, &server, "acme/hello");
    repository.manifest(&tag("1.0.0")).await.unwrap();
    repository.manifest(&tag("1.0.0")).await.unwrap();
    named_repository(&client, &server, "acme/other").manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn requests_at_the_same_time_share_one_token() {
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()).without("authorization").times(8),
        Step::new(PULL_TOKEN, Reply::new(200).body(r#"{"access_token":"t1"}"#)),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t1").times(8),
    ])
    .await;
    let repository = repository(&server);
    let selector = tag("1.0.0");
    let pulls = (0..8).map(|_| repository.manifest(&selector));
    for outcome in futures_util::future::join_all(pulls).await {
        outcome.unwrap();
    }
    server.assert_finished();
}

#[tokio::test]
async fn a_token_that_the_registry_no_longer_takes_is_renewed_once() {
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, token("t1")),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t1"),
        Step::new(MANIFEST, challenge()).with("authorization", "Bearer t1"),
        Step::new(PULL_TOKEN, token("t2")),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t2"),
        Step::new(MANIFEST, challenge()).with("authorization", "Bearer t2"),
        Step::new(PULL_TOKEN, token("t3")),
        Step::new(MANIFEST, challenge()).with("authorization", "Bearer t3"),
    ])
    .await;
    let repository = repository(&server);
    repository.manifest(&tag("1.0.0")).await.unwrap();
    repository.manifest(&tag("1.0.0")).await.unwrap();
    let error = repository.manifest(&tag("1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { credential: CredentialSource::Anonymous, .. }), "{error}");
    server.assert_finished();
}

#[tokio::test]
async fn a_token_that_has_expired_is_renewed_before_it_is_sent() {
    let expired = Reply::new(200).body(r#"{"token":"t1","expires_in":0}"#);
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, expired),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t1"),
        Step::new(PULL_TOKEN, token("t2")),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t2"),
    ])
    .await;
    let repository = repository(&server);
    repository.manifest(&tag("1.0.0")).await.unwrap();
    repository.manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn a_basic_challenge_is_answered_and_remembered() {
    let basic = Reply::new(401).header("www-authenticate", r#"Basic realm="test""#);
    let server = ScriptServer::start([
        Step::new(MANIFEST, basic).without("authorization"),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", BASIC).times(2),
    ])
    .await;
    let repository = repository_with(&server, with_password(&server));
    repository.manifest(&tag("1.0.0")).await.unwrap();
    repository.manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn an_identity_token_is_exchanged_for_an_access_token() {
    let identity = |server: &ScriptServer| {
        let credential = Credential::IdentityToken(Secret::from(PASSWORD));
        let credentials =
            Credentials::default().with_given(registry(server), credential, CredentialSource::CommandLine);
        repository_with(server, ClientOptions { credentials, ..options() })
    };
    let granted = || Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t1");
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new("POST /token", token("t1")).with("content-type", "application/x-www-form-urlencoded"),
        granted(),
    ])
    .await;
    identity(&server).manifest(&tag("1.0.0")).await.unwrap();
    let form = "grant_type=refresh_token&client_id=wharf&service=test&scope=repository%3Aacme%2Fhello%3Apull\
                &refresh_token=hunter2";
    assert_eq!(server.requests()[1].body, form);
    server.assert_finished();

    // A server that knows no OAuth 2 gets it as a password.
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new("POST /token", Reply::new(405)),
        Step::new(PULL_TOKEN, token("t1")).with("authorization", "Basic Omh1bnRlcjI="),
        granted(),
    ])
    .await;
    identity(&server).manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn an_access_token_goes_to_the_registry_as_it_is() {
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge_to("https://auth.example/token")).without("authorization"),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer hunter2"),
    ])
    .await;
    let credential = Credential::Bearer(Secret::from(PASSWORD));
    let source = CredentialSource::Variable("WHARF_TOKEN".to_owned());
    let credentials = Credentials::default().with_given(registry(&server), credential, source);
    let repository = repository_with(&server, ClientOptions { credentials, ..options() });
    repository.manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn a_kept_credential_that_is_refused_does_not_hinder_a_public_pull() {
    let refused = Reply::new(401).body(r#"{"details":"incorrect username or password"}"#);
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, refused).with("authorization", BASIC),
        Step::new(PULL_TOKEN, token("t1")).without("authorization"),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t1"),
    ])
    .await;
    let (_directory, options) = with_file(&server, ENTRY);
    repository_with(&server, options).manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();

    // The token server gives a token, and the registry does not take it.
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, token("t1")).with("authorization", BASIC),
        Step::new(MANIFEST, challenge()).with("authorization", "Bearer t1"),
        Step::new(PULL_TOKEN, token("t2")).without("authorization"),
        Step::new(MANIFEST, serve(&manifest())).with("authorization", "Bearer t2").times(2),
    ])
    .await;
    let (_directory, options) = with_file(&server, ENTRY);
    let repository = repository_with(&server, options);
    repository.manifest(&tag("1.0.0")).await.unwrap();
    repository.manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn a_kept_password_that_a_registry_refuses_hinders_no_public_pull_from_any_of_its_repositories() {
    let other = "GET /v2/acme/other/manifests/1.0.0";
    let basic = || Reply::new(401).header("www-authenticate", "Basic realm=x");
    let server = ScriptServer::start([
        Step::new(MANIFEST, basic()).without("authorization"),
        Step::new(MANIFEST, basic()).with("authorization", BASIC),
        Step::new(MANIFEST, serve(&manifest())).without("authorization"),
        // The way is known now, and the password is sent at once.
        Step::new(other, basic()).with("authorization", BASIC),
        Step::new(other, serve(&manifest())).without("authorization"),
    ])
    .await;
    let (_directory, options) = with_file(&server, ENTRY);
    let client = Client::new(options).unwrap();
    named_repository(&client, &server, "acme/hello").manifest(&tag("1.0.0")).await.unwrap();
    named_repository(&client, &server, "acme/other").manifest(&tag("1.0.0")).await.unwrap();
    server.assert_finished();
}

#[tokio::test]
async fn the_refusal_of_a_kept_credential_is_reported_with_its_file() {
    let refused = Reply::new(401).body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}"#);
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, refused),
        Step::new(PULL_TOKEN, Reply::new(403)).without("authorization"),
    ])
    .await;
    let (directory, options) = with_file(&server, ENTRY);
    let error = repository_with(&server, options).manifest(&tag("1.0.0")).await.unwrap_err();
    let file = directory.path().join("config.json");
    let expected = format!(
        "GET http://{}/token: 401 Unauthorized: wrong password, with the credential from {}",
        server.address(),
        file.display()
    );
    assert_eq!(error.to_string(), expected);
    server.assert_finished();
}

#[tokio::test]
async fn a_given_credential_or_a_push_has_no_anonymous_second_try() {
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, Reply::new(401)).with("authorization", BASIC),
    ])
    .await;
    let error = repository_with(&server, with_password(&server)).manifest(&tag("1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { credential: CredentialSource::CommandLine, .. }), "{error}");
    server.assert_finished();

    let head = format!("HEAD /v2/acme/hello/blobs/{}", blob(b"wharf").digest);
    let server = ScriptServer::start([
        Step::new(&head, challenge()),
        Step::new(PUSH_TOKEN, Reply::new(401)).with("authorization", BASIC),
    ])
    .await;
    let (_directory, options) = with_file(&server, ENTRY);
    let error = repository_with(&server, options).contains(&blob(b"wharf")).await.unwrap_err();
    assert!(matches!(error.medium_ref(), Some(Error::Unauthorized { .. })), "{error}");
    server.assert_finished();
}

#[tokio::test]
async fn a_401_is_reported_as_the_registry_words_it() {
    let unauthorized = |header: Option<&str>| {
        let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        let reply = Reply::new(401).body(body);
        header.map_or(reply.clone(), |value| reply.header("www-authenticate", value))
    };
    for header in [None, Some("Negotiate"), Some("Basic realm=x")] {
        let server = ScriptServer::start([Step::new(MANIFEST, unauthorized(header))]).await;
        let error = repository(&server).manifest(&tag("1.0.0")).await.unwrap_err();
        let expected = format!("{MANIFEST}: 401 Unauthorized: authentication required, without a credential");
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error, Error::Unauthorized { repository: Some(_), .. }));
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_broken_challenge_or_token_breaks_the_protocol() {
    let server = ScriptServer::start([Step::new(
        MANIFEST,
        Reply::new(401).header("www-authenticate", r#"Bearer realm="http://a"#),
    )])
    .await;
    let error = repository(&server).manifest(&tag("1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");

    let many = format!("{{\"token\":\"{}\"}}", "x".repeat(64 * 1024));
    for (body, is_large) in [("{}", false), ("hunter2", false), (r#"{"token":"a\nb"}"#, false), (&many, true)] {
        let server = ScriptServer::start([
            Step::new(MANIFEST, challenge()),
            Step::new(PULL_TOKEN, Reply::new(200).body(body.to_owned())),
        ])
        .await;
        let error = repository(&server).manifest(&tag("1.0.0")).await.unwrap_err();
        assert_eq!(matches!(error, Error::TooLarge { .. }), is_large, "{error}");
        assert_eq!(matches!(error, Error::Protocol { .. }), !is_large, "{error}");
        assert!(!full_text(&error).contains(PASSWORD));
    }
}

#[tokio::test]
async fn a_credential_is_not_sent_to_a_token_server_of_another_site() {
    let thief = ScriptServer::start([]).await;
    let realm = format!("http://localhost:{}/token", thief.address().port());
    let server = ScriptServer::start([Step::new(MANIFEST, challenge_to(&realm))]).await;
    let error = repository_with(&server, with_password(&server)).manifest(&tag("1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Realm { reason: UntrustedRealm::OtherSite, .. }), "{error}");
    assert!(thief.requests().is_empty());
    server.assert_finished();
}

#[tokio::test]
async fn a_token_server_is_not_followed_elsewhere() {
    let thief = ScriptServer::start([]).await;
    let moved = Reply::new(307).header("location", format!("http://{}/token", thief.address()));
    let server = ScriptServer::start([Step::new(MANIFEST, challenge()), Step::new(PULL_TOKEN, moved)]).await;
    let error = repository_with(&server, with_password(&server)).manifest(&tag("1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert!(thief.requests().is_empty());
    server.assert_finished();
}

#[tokio::test]
async fn a_broken_credential_file_matters_only_where_it_is_needed() {
    let server = ScriptServer::start([Step::new(MANIFEST, serve(&manifest())), Step::new(MANIFEST, challenge())]).await;
    let (directory, options) = with_file(&server, "hunter2");
    let repository = repository_with(&server, options);
    repository.manifest(&tag("1.0.0")).await.unwrap();
    let error = repository.manifest(&tag("1.0.0")).await.unwrap_err();
    let text = full_text(&error);
    assert!(matches!(error, Error::CredentialFile { .. }) && text.contains(&*directory.path().to_string_lossy()));
    assert!(!text.contains(PASSWORD), "{text}");
    server.assert_finished();
}

#[tokio::test]
async fn a_login_is_checked_at_the_registry() {
    let basic = || Reply::new(401).header("www-authenticate", "Basic realm=x");
    let refused = || Reply::new(401);
    let token_line = "GET /token?service=test";
    let table = [
        (
            vec![Step::new("GET /v2/", basic()), Step::new("GET /v2/", Reply::new(200)).with("authorization", BASIC)],
            true,
        ),
        (vec![Step::new("GET /v2/", basic()), Step::new("GET /v2/", basic()).with("authorization", BASIC)], false),
        (
            vec![
                Step::new("GET /v2/", challenge()),
                Step::new(token_line, token("t1")).with("authorization", BASIC),
                Step::new("GET /v2/", Reply::new(200)).with("authorization", "Bearer t1"),
            ],
            true,
        ),
        (
            vec![Step::new("GET /v2/", challenge()), Step::new(token_line, refused()).with("authorization", BASIC)],
            false,
        ),
        // Open to anybody, but not to a wrong password.
        (
            vec![Step::new("GET /v2/", Reply::new(200)), Step::new("GET /v2/", basic()).with("authorization", BASIC)],
            false,
        ),
    ];
    for (steps, expected) in table {
        let server = ScriptServer::start(steps).await;
        let outcome = Client::new(options()).unwrap().check_credential(&registry(&server), &password()).await;
        assert_eq!(outcome.is_ok(), expected, "{outcome:?}");
        assert!(expected || matches!(outcome, Err(Error::Unauthorized { repository: None, .. })));
        server.assert_finished();
    }
}

#[tokio::test]
async fn a_login_is_found_by_later_clients_and_a_logout_forgets_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("auth.json");
    let credentials = Credentials::default().with_file(directory.path().join("absent.json")).with_file(&path);
    let ghcr = "ghcr.io".parse().unwrap();
    assert_eq!(credentials.lookup(&ghcr, None).await.unwrap(), None);
    assert_eq!(credentials.store(&ghcr, &password()).await.unwrap(), CredentialSource::File(path.clone()));
    let found = credentials.lookup(&ghcr, Some(&"acme/hello".parse().unwrap())).await.unwrap();
    assert_eq!(found, Some((password(), CredentialSource::File(path.clone()))));
    assert_eq!(credentials.erase(&ghcr).await.unwrap(), [CredentialSource::File(path)]);
    assert_eq!(credentials.lookup(&ghcr, None).await.unwrap(), None);
    assert_eq!(credentials.erase(&ghcr).await.unwrap(), []);
    let nowhere = Credentials::default().store(&ghcr, &password()).await;
    assert!(matches!(nowhere, Err(Error::NoCredentialFile { .. })));
}

#[tokio::test]
async fn what_a_project_names_comes_after_all_else_and_is_only_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let named =
        r#"{"ghcr.io":{"username":"project","password":"p"},"acme.example":{"username":"project","password":"p"}}"#;
    fs::write(path("wasmcloud.toml"), "[registry]\ncredentials = \"named.json\"").unwrap();
    fs::write(path("named.json"), named).unwrap();
    let credentials = Credentials::default().with_file(path("auth.json")).with_wash_project(path("wasmcloud.toml"));
    let ghcr = "ghcr.io".parse().unwrap();
    let acme = "acme.example".parse().unwrap();
    let source = |registry| {
        let credentials = credentials.clone();
        async move { credentials.lookup(registry, None).await.unwrap().map(|(_, source)| source) }
    };
    credentials.store(&ghcr, &password()).await.unwrap();
    assert_eq!(source(&ghcr).await, Some(CredentialSource::File(path("auth.json"))));
    assert_eq!(source(&acme).await, Some(CredentialSource::Project(path("named.json"))));
    let variable = || CredentialSource::Variable("OTHER".to_owned());
    for (registry, expected) in [(&ghcr, CredentialSource::File(path("auth.json"))), (&acme, variable())] {
        let other = credentials.clone().with_fallback(registry.clone(), password(), variable());
        assert_eq!(other.lookup(registry, None).await.unwrap().map(|(_, source)| source), Some(expected));
    }
    let given = credentials.clone().with_given(ghcr.clone(), password(), CredentialSource::CommandLine);
    assert_eq!(given.lookup(&ghcr, None).await.unwrap(), Some((password(), CredentialSource::CommandLine)));
    assert_eq!(credentials.erase(&ghcr).await.unwrap(), [CredentialSource::File(path("auth.json"))]);
    assert_eq!(fs::read_to_string(path("named.json")).unwrap(), named);
}

#[tokio::test]
async fn secrets_are_in_no_text_of_client_options_or_errors() {
    let server = ScriptServer::start([
        Step::new(MANIFEST, challenge()),
        Step::new(PULL_TOKEN, token("t0k3n")),
        Step::new(MANIFEST, Reply::new(403)).with("authorization", "Bearer t0k3n"),
    ])
    .await;
    let mut options = with_password(&server);
    options.proxies.https = Some("http://jo:hunter2@proxy.example".to_owned());
    let shown = format!("{options:?}");
    let client = Client::new(options).unwrap();
    let repository = named_repository(&client, &server, "acme/hello");
    let error = repository.manifest(&tag("1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }));
    let text = format!("{shown} {client:?} {repository:?} {}", full_text(&error));
    for secret in [PASSWORD, "aHVudGVyMg", "t0k3n", "am86"] {
        assert!(!text.contains(secret), "{text}");
    }
    server.assert_finished();
}

#[tokio::test]
async fn a_blob_is_authorized_as_its_manifest_is() {
    let line = format!("GET /v2/acme/hello/blobs/{}", blob(b"wharf").digest);
    let server = ScriptServer::start([
        Step::new(&line, challenge()),
        Step::new(PULL_TOKEN, token("t1")),
        Step::new(&line, Reply::new(200).body("wharf")).with("authorization", "Bearer t1"),
    ])
    .await;
    let options = ClientOptions { security: Security::PlainHttp, ..options() };
    let stream = repository_with(&server, options).fetch(&blob(b"wharf"), 0).await.unwrap();
    assert_eq!(read(stream).await.unwrap(), b"wharf");
    server.assert_finished();
}
