//! Credential files: Podman's `auth.json` and Docker's `config.json`; the `wasmcloud.toml` of a project, and the file
//! that it names.

#![no_main]

use std::error::Error as StdError;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use wharf_client::{Credential, CredentialSource, Credentials, Error, Secret};
use wharf_oci::Reference;

/// Stands for all secrets of the seeds.
const SECRET: &str = "hunter2";

const REFERENCES: [&str; 3] = ["ghcr.io/acme/hello", "localhost:5000/hello", "hello"];

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory can be made"));
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime can be made"));

fuzz_target!(|bytes: &[u8]| {
    for text in REFERENCES {
        let reference: Reference = text.parse().expect("it is a reference");
        RUNTIME.block_on(check(bytes, &reference));
        RUNTIME.block_on(check_project(bytes, &reference));
    }
});

async fn check(bytes: &[u8], reference: &Reference) {
    let path = DIRECTORY.path().join("auth.json");
    fs::write(&path, bytes).expect("the file can be written");
    // No helper is in a directory that does not exist.
    let credentials = || Credentials::default().with_file(&path).with_helper_directory(DIRECTORY.path().join("none"));
    let (registry, repository) = (reference.registry(), reference.repository());
    match credentials().lookup(registry, Some(repository)).await {
        Ok(found) => {
            let found = found.map(|(credential, source)| (format!("{credential:?}"), source));
            assert!(found.is_none_or(|(_, source)| source == CredentialSource::File(path.clone())));
        }
        Err(error) => check_error(&error),
    }
    let credential = Credential::Basic { username: "jo".to_owned(), password: Secret::from("a:b") };
    match credentials().store(registry, &credential).await {
        Ok(source) => assert_eq!(source, CredentialSource::File(path.clone())),
        Err(error) => {
            assert_eq!(fs::read(&path).expect("the file is there"), bytes, "a failure changed the file");
            return check_error(&error);
        }
    }
    let found = credentials().lookup(registry, None).await.expect("a written file is read");
    assert_eq!(found.map(|(credential, _)| credential), Some(credential));
    check_rest(&path, bytes);
    let erased = credentials().erase(registry).await.expect("a written file is read");
    assert_eq!(erased, [CredentialSource::File(path.clone())]);
    assert_eq!(credentials().lookup(registry, None).await.expect("a written file is read"), None);
    check_rest(&path, bytes);
}

/// What a project says is read or refused, and whatever is found comes from the file that it names.
async fn check_project(bytes: &[u8], reference: &Reference) {
    const NAMED: &str = "credentials.json";
    let (project, named) = (DIRECTORY.path().join("wasmcloud.toml"), DIRECTORY.path().join(NAMED));
    let naming = format!("registry.credentials = '{NAMED}'");
    for (toml, json) in [(bytes, &b"{}"[..]), (naming.as_bytes(), bytes)] {
        fs::write(&project, toml).expect("the file can be written");
        fs::write(&named, json).expect("the file can be written");
        let credentials = Credentials::default().with_wash_project(&project);
        match credentials.lookup(reference.registry(), Some(reference.repository())).await {
            Ok(found) => assert!(found.is_none_or(|(_, source)| source == CredentialSource::Project(named.clone()))),
            Err(error) => check_error(&error),
        }
    }
}

/// A failure quotes nothing of the file.
fn check_error(error: &Error) {
    assert!(matches!(error, Error::CredentialFile { .. } | Error::CredentialHelper { .. }));
    let mut text = format!("{error:?}");
    let mut cause: Option<&dyn StdError> = Some(error);
    while let Some(error) = cause {
        text += &error.to_string();
        cause = error.source();
    }
    let is_helper = matches!(error, Error::CredentialHelper { .. });
    assert!(is_helper || !text.contains(SECRET), "{text}");
    assert!(text.len() < 8 * 1024, "{text}");
}

/// Whatever is not about credentials stays as it was.
fn check_rest(path: &Path, before: &[u8]) {
    let rest = |bytes: &[u8]| {
        let mut document: Map<String, Value> = serde_json::from_slice(bytes).unwrap_or_default();
        document.remove("auths");
        document
    };
    assert_eq!(rest(&fs::read(path).expect("the file is there")), rest(before));
}
