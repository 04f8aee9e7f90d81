//! What `wash` keeps: a file of credentials that the `wasmcloud.toml` of a project names.
//!
//! ```text
//! wasmcloud.toml         [registry]
//!                        credentials = "registry_creds.json"      from the folder of wasmcloud.toml on
//!
//! registry_creds.json    { "ghcr.io":        { "username": "jo", "password": "…" },
//!                          "localhost:5000": { "username": "jo", "token": "…" },       sent as the password
//!                          "acme.example":   { "token": "…" } }                        sent as it is
//! ```
//!
//! A file that is not there is passed over, as `wash` does: whoever checks out a project gets its `wasmcloud.toml`, but
//! not the credentials.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use wharf_oci::Registry;

use super::fault::CredentialFileFault;
use super::file::{basic, find, json_fault, read};
use crate::{Credential, Error};

/// Looks for the credential of a registry in the file that a `wasmcloud.toml` names, and returns it with that file.
pub(super) fn lookup(project: &Path, registry: &Registry) -> Result<Option<(Credential, PathBuf)>, Error> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        |source| Error::CredentialFile { path, source }
    };
    let Some(named) = named_file(project).map_err(fault(project))? else { return Ok(None) };
    let path = project.parent().unwrap_or(Path::new("")).join(named);
    let credential = credential(&path, registry).map_err(fault(&path))?;
    Ok(credential.map(|credential| (credential, path)))
}

/// Returns the path that a `wasmcloud.toml` has for its file of credentials.
fn named_file(project: &Path) -> Result<Option<PathBuf>, CredentialFileFault> {
    let Some(bytes) = read_regular(project)? else { return Ok(None) };
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| CredentialFileFault::Toml { line: line(&bytes, error.valid_up_to()) })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        CredentialFileFault::Toml { line: line(&bytes, start) }
    })?;
    match table.get("registry").and_then(|registry| registry.get("credentials")) {
        None => Ok(None),
        Some(toml::Value::String(path)) if !path.is_empty() => Ok(Some(path.into())),
        Some(_) => Err(CredentialFileFault::WashPath),
    }
}

#[derive(Deserialize)]
struct Entry {
    username: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

/// Looks for the credential of a registry in a file of credentials.
fn credential(path: &Path, registry: &Registry) -> Result<Option<Credential>, CredentialFileFault> {
    let Some(bytes) = read_regular(path)? else { return Ok(None) };
    let entries: BTreeMap<String, Value> = serde_json::from_slice(&bytes).map_err(|error| json_fault(&error))?;
    let Some((key, entry)) = find(&entries, registry.as_str()) else { return Ok(None) };
    let fault = || CredentialFileFault::WashEntry { key: key.clone() };
    // The error of serde would quote the entry.
    let entry = Entry::deserialize(entry).map_err(|_| fault())?;
    match entry {
        Entry { username: Some(username), password: Some(password), .. }
        | Entry { username: Some(username), token: Some(password), .. } => Ok(Some(basic(username, password))),
        Entry { token: Some(token), .. } => Ok(Some(Credential::Bearer(token.into()))),
        Entry { .. } => Err(fault()),
    }
}

/// Reads what must be a file: a path that somebody else's project gives may lead to a pipe, which would be waited on.
fn read_regular(path: &Path) -> Result<Option<Vec<u8>>, CredentialFileFault> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(CredentialFileFault::NoFile),
        // Reading tells what is wrong otherwise.
        _ => read(path),
    }
}

/// Returns the line, from 1, that a byte is in.
fn line(bytes: &[u8], position: usize) -> usize {
    1 + bytes.iter().take(position).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROJECT: &str = "[registry]\ncredentials = \"creds.json\"\n";

    /// Makes a project, and looks up a registry in it; what is found is written as text with the secrets.
    fn find_in(project: impl AsRef<[u8]>, file: impl AsRef<[u8]>, registry: &str) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wasmcloud.toml");
        fs::write(&path, project).unwrap();
        fs::write(directory.path().join("creds.json"), file).unwrap();
        let found = lookup(&path, &registry.parse().unwrap());
        let found = found.map(|found| match found {
            Some((Credential::Basic { username, password }, _)) => format!("{username}:{}", password.expose()),
            Some((Credential::IdentityToken(token), _)) => format!("identity {}", token.expose()),
            Some((Credential::Bearer(token), _)) => format!("bearer {}", token.expose()),
            None => String::new(),
        });
        found.map_err(|error| {
            let cause = std::error::Error::source(&error).unwrap().to_string();
            let path = error.to_string().replace(&*directory.path().to_string_lossy(), "");
            format!("{path}: {cause}; {error:?}")
        })
    }

    #[test]
    fn entries_are_read_as_wash_reads_them() {
        let table = [
            (r#"{"ghcr.io":{"username":"jo","password":"pw"}}"#, "ghcr.io", "jo:pw"),
            (r#"{"ghcr.io":{"username":"jo","password":"pw","token":"t","registryType":"oci"}}"#, "ghcr.io", "jo:pw"),
            (r#"{"ghcr.io":{"username":"jo","token":"t"}}"#, "ghcr.io", "jo:t"),
            (r#"{"ghcr.io":{"token":"t"}}"#, "ghcr.io", "bearer t"),
            (r#"{"localhost:5000":{"token":"t"}}"#, "localhost:5000", "bearer t"),
            (r#"{"docker.io":{"token":"t"}}"#, "docker.io", "bearer t"),
            // What another host has is nobody else's, broken or not.
            (r#"{"localhost:5000":{"token":"t"}}"#, "localhost:5001", ""),
            (r#"{"ghcr.io":{"token":"t"},"quay.io":7}"#, "evil.ghcr.io", ""),
            ("{}", "ghcr.io", ""),
        ];
        for (file, registry, expected) in table {
            assert_eq!(find_in(PROJECT, file, registry).as_deref(), Ok(expected), "{registry} in {file}");
        }
    }

    #[test]
    fn a_project_without_such_a_file_has_no_credentials() {
        let file = r#"{"ghcr.io":{"token":"t"}}"#;
        for project in [
            "",
            "registry = 7",
            "name = \"hello\"\n[registry]\nurl = \"ghcr.io\"\npush_insecure = true\n",
            "[registry]\ncredentials = \"absent.json\"",
        ] {
            assert_eq!(find_in(project, file, "ghcr.io").as_deref(), Ok(""), "{project}");
        }
        assert!(lookup(Path::new("/nonexistent/wasmcloud.toml"), &"ghcr.io".parse().unwrap()).unwrap().is_none());
    }

    #[test]
    fn the_path_starts_at_the_folder_of_the_project() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("creds.json");
        fs::write(&file, r#"{"ghcr.io":{"token":"t"}}"#).unwrap();
        fs::create_dir(directory.path().join("project")).unwrap();
        let project = directory.path().join("project/wasmcloud.toml");
        for named in ["../creds.json", &file.to_string_lossy()] {
            fs::write(&project, format!("[registry]\ncredentials = '{named}'")).unwrap();
            let (_, path) = lookup(&project, &"ghcr.io".parse().unwrap()).unwrap().unwrap();
            assert_eq!(path, directory.path().join("project").join(named));
        }
    }

    #[test]
    fn what_is_broken_is_told_with_its_place_and_quotes_nothing() {
        let large = format!("# hunter2 {}", "x".repeat(1 << 20));
        let table = [
            ("name = \"a\"\n[registry\nhunter2", "{}", "wasmcloud.toml", "not TOML, at line 2"),
            (
                "[registry]\ncredentials = { a = \"hunter2\" }",
                "{}",
                "wasmcloud.toml",
                "`credentials` in its `[registry]`",
            ),
            ("[registry]\ncredentials = \"\"", "{}", "wasmcloud.toml", "`credentials` in its `[registry]`"),
            ("[registry]\ncredentials = \".\"", "{}", "/.:", "not a file"),
            (&large, "{}", "wasmcloud.toml", "larger than 1048576 bytes"),
            (PROJECT, "[\"hunter2\"]", "creds.json", "line 1, column 0"),
            (PROJECT, "{\"ghcr.io\": hunter2", "creds.json", "line 1, column 13"),
            (PROJECT, r#"{"ghcr.io":"hunter2"}"#, "creds.json", "the entry of `ghcr.io`"),
            (
                PROJECT,
                r#"{"ghcr.io":{"username":"jo","password":["hunter2"]}}"#,
                "creds.json",
                "the entry of `ghcr.io`",
            ),
            (PROJECT, r#"{"ghcr.io":{"password":"hunter2"}}"#, "creds.json", "the entry of `ghcr.io`"),
            (PROJECT, r#"{"ghcr.io":{"username":"hunter2"}}"#, "creds.json", "the entry of `ghcr.io`"),
            (PROJECT, &large, "creds.json", "larger than 1048576 bytes"),
        ];
        for (project, file, path, cause) in table {
            let text = find_in(project, file, "ghcr.io").expect_err(file);
            assert!(text.contains(path) && text.contains(cause), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        let text = find_in(b"# a\n# \xff", "{}", "ghcr.io").unwrap_err();
        assert!(text.contains("not TOML, at line 2"), "{text}");
    }

    proptest! {
        // Each case writes files.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_read_or_refused_without_panic(bytes: Vec<u8>, text in "[\\[\\]{}=\".\na-c]*") {
            for bytes in [bytes, text.into_bytes()] {
                for found in [find_in(&bytes, "{}", "ghcr.io"), find_in(PROJECT, &bytes, "ghcr.io")] {
                    prop_assert!(found.as_deref().map_or(true, str::is_empty), "{:?}", found);
                }
            }
        }
    }
}
