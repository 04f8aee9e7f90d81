//! Credential helpers: the programs `docker-credential-NAME`, which keep credentials in a key chain.
//!
//! ```text
//! get    <-  server address     ->  { "ServerURL": "…", "Username": "…", "Secret": "…" }
//! store  <-  { "ServerURL": "…", "Username": "…", "Secret": "…" }
//! erase  <-  server address
//! ```

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use futures_util::future;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use wharf_oci::Registry;

use super::fault::HelperFault;
use super::file::{TOKEN_USER, basic, registry_key};
use crate::answer::shown;
use crate::limits::{HELPER_BYTES_MAX, HELPER_TIMEOUT};
use crate::{Credential, Error};

/// What every helper says where it has no credential, and so the one failure that is none.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The helpers that are installed, and what they answered.
///
/// A key chain may ask a person each time, so every helper is asked once for each registry.
#[derive(Debug, Clone, Default)]
pub(super) struct Helpers {
    directories: Vec<PathBuf>,
    answers: Arc<tokio::sync::Mutex<Answers>>,
}

/// What was answered, by the name of the helper and the registry.
type Answers = HashMap<(String, Registry), Option<Credential>>;

/// Returns the name of the program.
pub(super) fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

impl Helpers {
    pub(super) fn add_directory(&mut self, directory: PathBuf) {
        self.directories.push(directory);
    }

    /// Asks a helper for the credential of a registry.
    pub(super) async fn fetch(&self, name: &str, registry: &Registry) -> Result<Option<Credential>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            username: String,
            secret: String,
        }
        let key = (name.to_owned(), registry.clone());
        // Held while the helper runs: whoever asks for the same waits for the one answer.
        let mut answers = self.answers.lock().await;
        if let Some(answer) = answers.get(&key) {
            return Ok(answer.clone());
        }
        let output = match self.run(name, "get", registry_key(registry)).await {
            Err(HelperFault::Failed { message }) if message.contains(NOT_FOUND) => None,
            outcome => Some(outcome.map_err(|source| fault(name, source))?),
        };
        let credential = match output {
            Some(output) => {
                let answer: Answer = serde_json::from_slice(&output).map_err(|_| fault(name, HelperFault::Answer))?;
                (!answer.secret.is_empty()).then(|| basic(answer.username, answer.secret))
            }
            None => None,
        };
        answers.insert(key, credential.clone());
        Ok(credential)
    }

    /// Gives a helper the credential of a registry to keep.
    pub(super) async fn store(&self, name: &str, registry: &Registry, credential: &Credential) -> Result<(), Error> {
        let (username, secret) = match credential {
            Credential::Basic { username, password } => (username.as_str(), password),
            Credential::IdentityToken(token) => (TOKEN_USER, token),
            Credential::Bearer(_) => return Err(fault(name, HelperFault::AccessToken)),
        };
        let server = registry_key(registry);
        let entry = serde_json::json!({ "ServerURL": server, "Username": username, "Secret": secret.expose() });
        self.run(name, "store", &entry.to_string()).await.map_err(|source| fault(name, source))?;
        self.forget(name, registry).await;
        Ok(())
    }

    /// Makes a helper forget the credential of a registry.
    pub(super) async fn erase(&self, name: &str, registry: &Registry) -> Result<(), Error> {
        self.run(name, "erase", registry_key(registry)).await.map_err(|source| fault(name, source))?;
        self.forget(name, registry).await;
        Ok(())
    }

    async fn forget(&self, name: &str, registry: &Registry) {
        self.answers.lock().await.remove(&(name.to_owned(), registry.clone()));
    }

    async fn run(&self, name: &str, verb: &str, input: &str) -> Result<Vec<u8>, HelperFault> {
        let child = Command::new(self.find(name)?)
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(HelperFault::Io)?;
        let outcome = tokio::time::timeout(HELPER_TIMEOUT, converse(child, input)).await;
        outcome.unwrap_or(Err(HelperFault::TimedOut { limit: HELPER_TIMEOUT }))
    }

    fn find(&self, name: &str) -> Result<PathBuf, HelperFault> {
        // The name stands in a file, and could otherwise lead to any program.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(HelperFault::Name);
        }
        let file = format!("{}{}", program(name), std::env::consts::EXE_SUFFIX);
        let mut paths = self.directories.iter().map(|directory| directory.join(&file));
        paths.find(|path| path.is_file()).ok_or(HelperFault::NotInstalled)
    }
}

fn fault(name: &str, source: HelperFault) -> Error {
    Error::CredentialHelper { program: shown(&program(name)), source }
}

/// Writes the input, reads the output and waits for the end.
async fn converse(mut child: Child, input: &str) -> Result<Vec<u8>, HelperFault> {
    let mut stdin = child.stdin.take().expect("stdin was asked for as a pipe");
    let stdout = child.stdout.take().expect("stdout was asked for as a pipe");
    let write = async {
        // A helper that does not read all of its input is judged by how it ends.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
    };
    let (output, ()) = future::join(read_bounded(stdout), write).await;
    let output = output?;
    let status = child.wait().await.map_err(HelperFault::Io)?;
    if status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output);
    Err(HelperFault::Failed { message: shown(text.lines().next().unwrap_or_default()) })
}

async fn read_bounded(stdout: impl AsyncRead + Unpin) -> Result<Vec<u8>, HelperFault> {
    let mut output = Vec::new();
    stdout.take(HELPER_BYTES_MAX + 1).read_to_end(&mut output).await.map_err(HelperFault::Io)?;
    if output.len() as u64 > HELPER_BYTES_MAX {
        return Err(HelperFault::TooLarge { limit: HELPER_BYTES_MAX });
    }
    Ok(output)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::LazyLock;

    use super::*;
    use crate::Secret;

    /// All helpers are written before the first is started: a program that a child of another thread still has open
    /// for writing cannot be run.
    static DIRECTORY: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let directory = tempfile::tempdir().unwrap();
        let scripts = [
            (
                "good",
                r#"read server; echo "{\"ServerURL\":\"$server\",\"Username\":\"jo\",\"Secret\":\"for $server\"}""#,
            ),
            ("token", r#"echo '{"Username":"<token>","Secret":"t"}'"#),
            ("none", "echo credentials not found in native keychain; exit 1"),
            ("broken", r#"printf 'no key\033 chain\nhunter2'; exit 1"#),
            ("nonsense", "echo hunter2"),
            ("endless", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"),
            ("counting", r#"echo x >>"$0.count"; echo '{"Username":"jo","Secret":"s"}'"#),
            (
                "keeping",
                r#"case $1 in store) cat >"$0.kept";; erase) rm "$0.kept";;
                get) test -f "$0.kept" && cat "$0.kept" || { echo credentials not found in native keychain; exit 1; };; esac"#,
            ),
        ];
        for (name, script) in scripts {
            let path = directory.path().join(program(name));
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        directory
    });

    fn helpers() -> Helpers {
        let mut helpers = Helpers::default();
        helpers.add_directory(DIRECTORY.path().join("missing"));
        helpers.add_directory(DIRECTORY.path().to_owned());
        helpers
    }

    fn registry(text: &str) -> Registry {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_helper_is_asked_by_the_key_of_the_registry() {
        for (name, server) in [("ghcr.io", "ghcr.io"), ("docker.io", "https://index.docker.io/v1/")] {
            let found = helpers().fetch("good", &registry(name)).await.unwrap();
            let password = Secret::from(format!("for {server}"));
            assert_eq!(found, Some(Credential::Basic { username: "jo".to_owned(), password }));
        }
        let found = helpers().fetch("token", &registry("ghcr.io")).await.unwrap();
        assert_eq!(found, Some(Credential::IdentityToken(Secret::from("t"))));
        assert_eq!(helpers().fetch("none", &registry("ghcr.io")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_helper_that_fails_is_an_error_that_names_it() {
        let table = [
            ("broken", "no key chain"),
            ("nonsense", "not the JSON"),
            ("endless", "more than 65536 bytes"),
            ("absent", "not installed"),
            ("../good", "other characters"),
            ("a/b", "other characters"),
            ("", "other characters"),
        ];
        for (name, expected) in table {
            let error = helpers().fetch(name, &registry("ghcr.io")).await.unwrap_err();
            let message = format!("{error}: {}", std::error::Error::source(&error).unwrap());
            assert!(message.contains(&program(name)) && message.contains(expected), "{name}: {message}");
            assert!(!format!("{message} {error:?}").contains("hunter2"), "{message}");
        }
    }

    #[tokio::test]
    async fn a_helper_is_asked_once_for_a_registry() {
        let helpers = helpers();
        let ghcr = registry("ghcr.io");
        let (one, other) = tokio::join!(helpers.fetch("counting", &ghcr), helpers.fetch("counting", &ghcr));
        assert_eq!(one.unwrap(), other.unwrap());
        let count = fs::read_to_string(DIRECTORY.path().join("docker-credential-counting.count")).unwrap();
        assert_eq!(count, "x\n");
    }

    #[tokio::test]
    async fn what_a_helper_keeps_it_gives_back_until_it_is_erased() {
        let helpers = helpers();
        let ghcr = registry("ghcr.io");
        let credential = Credential::Basic { username: "jo".to_owned(), password: Secret::from("\"pw\"") };
        assert_eq!(helpers.fetch("keeping", &ghcr).await.unwrap(), None);
        helpers.store("keeping", &ghcr, &credential).await.unwrap();
        assert_eq!(helpers.fetch("keeping", &ghcr).await.unwrap(), Some(credential));
        helpers.erase("keeping", &ghcr).await.unwrap();
        assert_eq!(helpers.fetch("keeping", &ghcr).await.unwrap(), None);
        let token = Credential::Bearer(Secret::from("t"));
        assert!(helpers.store("keeping", &ghcr, &token).await.is_err());
    }
}
