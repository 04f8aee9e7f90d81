//! Credential files: Podman's `auth.json` (containers-auth.json(5)) and Docker's `config.json`.
//!
//! ```text
//! { "auths":       { "ghcr.io":                     { "auth": "<base64 of user:password>" },
//!                    "ghcr.io/acme":                { "identitytoken": "…" },
//!                    "https://index.docker.io/v1/": { "registrytoken": "…" } },
//!   "credHelpers": { "gcr.io": "gcloud" },            docker-credential-gcloud
//!   "credsStore":  "desktop" }                        docker-credential-desktop, for all others
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize as _};
use serde_json::{Map, Value, json};
use wharf_oci::{Registry, RepositoryName};

use super::fault::CredentialFileFault;
use crate::limits::CREDENTIAL_FILE_BYTES_MAX;
use crate::{Credential, Error, Secret};

/// The name under which Docker keeps an identity token in place of a user.
pub(super) const TOKEN_USER: &str = "<token>";

const DOCKER_HUB: &str = "docker.io";
/// The key of Docker Hub in files and helpers.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Returns the key under which a registry as a whole is kept.
pub(super) fn registry_key(registry: &Registry) -> &str {
    if registry.as_str() == DOCKER_HUB { DOCKER_HUB_KEY } else { registry.as_str() }
}

/// Where in a file the credential is.
pub(super) enum Found {
    /// In the file itself.
    Credential(Credential),
    /// With a helper of this name.
    Helper(String),
}

/// A credential file, with all that it holds besides.
pub(super) struct CredentialFile {
    path: PathBuf,
    document: Map<String, Value>,
}

/// The part of a file that is about credentials.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    auths: BTreeMap<String, Option<Entry>>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl CredentialFile {
    /// Starts an empty file.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), document: Map::new() }
    }

    /// Reads a file; `None` where there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Error> {
        let fault = |source| Error::CredentialFile { path: path.to_owned(), source };
        let Some(bytes) = read(path).map_err(fault)? else { return Ok(None) };
        // Podman makes an empty file before the first login.
        let text = if bytes.trim_ascii().is_empty() { b"{}".as_slice() } else { &bytes };
        let document = serde_json::from_slice(text).map_err(|error| fault(json_fault(&error)))?;
        Ok(Some(Self { path: path.to_owned(), document }))
    }

    /// Returns the places where the credential may be, in the order to look at them.
    pub(super) fn lookup(&self, registry: &Registry, repository: Option<&RepositoryName>) -> Result<Vec<Found>, Error> {
        let Content { auths, cred_helpers, creds_store } = self.content()?;
        let mut found = Vec::new();
        found.extend(find(&cred_helpers, registry.as_str()).map(|(_, name)| Found::Helper(name.clone())));
        for name in namespaces(registry, repository) {
            if let Some((key, Some(entry))) = find(&auths, &name)
                && let Some(credential) = self.credential(key, entry)?
            {
                found.push(Found::Credential(credential));
                break;
            }
        }
        found.extend(creds_store.filter(|name| !name.is_empty()).map(Found::Helper));
        Ok(found)
    }

    /// Returns the helper that keeps the credential of a registry.
    pub(super) fn helper(&self, registry: &Registry) -> Result<Option<String>, Error> {
        let Content { cred_helpers, creds_store, .. } = self.content()?;
        let helper = find(&cred_helpers, registry.as_str()).map(|(_, name)| name.clone());
        Ok(helper.or(creds_store).filter(|name| !name.is_empty()))
    }

    /// Sets the credential of a registry as a whole.
    pub(super) fn insert(&mut self, registry: &Registry, credential: &Credential) -> Result<(), Error> {
        self.remove(registry)?;
        let auths = self.document.entry("auths").or_insert_with(|| json!({}));
        if let Value::Object(auths) = auths {
            auths.insert(registry_key(registry).to_owned(), entry(credential));
        }
        Ok(())
    }

    /// Removes the credential of a registry as a whole, and tells whether there was one.
    pub(super) fn remove(&mut self, registry: &Registry) -> Result<bool, Error> {
        // The form is checked before anything is changed.
        self.content()?;
        let Some(Value::Object(auths)) = self.document.get_mut("auths") else { return Ok(false) };
        let count = auths.len();
        auths.retain(|key, _| normal(key) != registry.as_str());
        Ok(auths.len() != count)
    }

    /// Replaces the file on disk: whole or not at all, and readable by its owner alone.
    pub(super) fn write(&self) -> Result<(), Error> {
        let fault = |error| Error::CredentialFile { path: self.path.clone(), source: CredentialFileFault::Io(error) };
        self.replace().map_err(fault)
    }

    fn replace(&self) -> io::Result<()> {
        let mut bytes = Vec::new();
        // Docker writes the file with tabs.
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        self.document.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))?;
        // Where the path is a link, what it points to is replaced, and the link stays.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        // A temporary file is made with the mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        #[cfg(unix)]
        fs::File::open(directory)?.sync_all()?;
        Ok(())
    }

    fn content(&self) -> Result<Content, Error> {
        Content::deserialize(&self.document).map_err(|_| {
            // Read from the parsed form, the error knows no place, and its text may quote a secret.
            self.fault(CredentialFileFault::Form)
        })
    }

    fn credential(&self, key: &str, entry: &Entry) -> Result<Option<Credential>, Error> {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&entry.registrytoken) {
            return Ok(Some(Credential::Bearer(token.into())));
        }
        if let Some(token) = filled(&entry.identitytoken) {
            return Ok(Some(Credential::IdentityToken(token.into())));
        }
        let pair = match filled(&entry.auth) {
            Some(auth) => {
                let pair = decode_pair(&auth);
                Some(pair.ok_or_else(|| self.fault(CredentialFileFault::Auth { key: key.to_owned() }))?)
            }
            None => filled(&entry.username).zip(filled(&entry.password)),
        };
        Ok(pair.map(|(username, password)| basic(username, password)))
    }

    fn fault(&self, source: CredentialFileFault) -> Error {
        Error::CredentialFile { path: self.path.clone(), source }
    }
}

/// Reads a file within the limit; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, CredentialFileFault> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CredentialFileFault::Io(error)),
    };
    let mut bytes = Vec::new();
    let limit = CREDENTIAL_FILE_BYTES_MAX;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(CredentialFileFault::Io)?;
    match bytes.len() as u64 > limit {
        true => Err(CredentialFileFault::TooLarge { limit }),
        false => Ok(Some(bytes)),
    }
}

/// Makes a credential of a name and a password; one name says that the password is an identity token.
pub(super) fn basic(username: String, password: String) -> Credential {
    let password = Secret::from(password);
    if username == TOKEN_USER { Credential::IdentityToken(password) } else { Credential::Basic { username, password } }
}

pub(super) fn json_fault(error: &serde_json::Error) -> CredentialFileFault {
    CredentialFileFault::Json { line: error.line(), column: error.column() }
}

fn decode_pair(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    // Old versions of Docker filled up with zero bytes.
    let (username, password) = text.split_once(':')?;
    Some((username.to_owned(), password.trim_end_matches('\0').to_owned()))
}

fn entry(credential: &Credential) -> Value {
    match credential {
        Credential::Basic { username, password } => {
            json!({ "auth": STANDARD.encode(format!("{username}:{}", password.expose())) })
        }
        Credential::IdentityToken(token) => json!({ "identitytoken": token.expose() }),
        Credential::Bearer(token) => json!({ "registrytoken": token.expose() }),
    }
}

/// Returns the names that an entry may have, the most specific first: `host/a/b`, `host/a`, `host`.
fn namespaces(registry: &Registry, repository: Option<&RepositoryName>) -> Vec<String> {
    let mut name = match repository {
        Some(repository) => format!("{registry}/{}", repository.as_str()),
        None => registry.to_string(),
    };
    let mut names = vec![name.clone()];
    while let Some(slash) = name.rfind('/') {
        name.truncate(slash);
        names.push(name.clone());
    }
    names
}

/// Finds an entry by its key as it is, or else by what the key stands for.
pub(super) fn find<'a, T>(entries: &'a BTreeMap<String, T>, name: &str) -> Option<(&'a String, &'a T)> {
    entries.get_key_value(name).or_else(|| entries.iter().find(|(key, _)| normal(key) == name))
}

/// Returns what a key stands for: `https://host/v1/` is `host`, and all names of Docker Hub are `docker.io`.
fn normal(key: &str) -> String {
    let url = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let name = match url.map(|rest| rest.trim_end_matches('/')) {
        Some(rest) => rest.strip_suffix("/v1").or_else(|| rest.strip_suffix("/v2")).unwrap_or(rest),
        None => key,
    };
    let (host, path) = name.split_at(name.find('/').unwrap_or(name.len()));
    let host = host.to_ascii_lowercase();
    let host = if matches!(host.as_str(), "index.docker.io" | "registry-1.docker.io") { DOCKER_HUB } else { &host };
    format!("{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (tempfile::TempDir, Result<Option<CredentialFile>, Error>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        fs::write(&path, text).unwrap();
        let file = CredentialFile::read(&path);
        (directory, file)
    }

    /// Looks up a reference, and writes what is found as text with the secrets.
    fn lookup(text: &str, reference: &str) -> String {
        let (_directory, file) = read(text);
        let reference: wharf_oci::Reference = reference.parse().unwrap();
        let found = file.unwrap().unwrap().lookup(reference.registry(), Some(reference.repository())).unwrap();
        let texts = found.into_iter().map(|found| match found {
            Found::Credential(Credential::Basic { username, password }) => format!("{username}:{}", password.expose()),
            Found::Credential(Credential::IdentityToken(token)) => format!("identity {}", token.expose()),
            Found::Credential(Credential::Bearer(token)) => format!("bearer {}", token.expose()),
            Found::Helper(name) => format!("helper {name}"),
        });
        texts.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn entries_are_found_as_docker_and_podman_find_them() {
        // am86cHc= is jo:pw, YTpi is a:b, PHRva2VuPjp0 is <token>:t.
        let table = [
            (r#"{"auths":{"ghcr.io":{"auth":"am86cHc="}}}"#, "ghcr.io/acme/hello", "jo:pw"),
            (r#"{"auths":{"https://ghcr.io":{"auth":"am86cHc="}}}"#, "ghcr.io/acme/hello", "jo:pw"),
            (r#"{"auths":{"https://GHCR.io/v2/":{"auth":"am86cHc="}}}"#, "ghcr.io/acme/hello", "jo:pw"),
            (r#"{"auths":{"ghcr.io":{"username":"jo","password":"pw"}}}"#, "ghcr.io/acme/hello", "jo:pw"),
            (r#"{"auths":{"https://index.docker.io/v1/":{"auth":"am86cHc="}}}"#, "hello", "jo:pw"),
            (r#"{"auths":{"docker.io":{"auth":"am86cHc="}}}"#, "acme/hello", "jo:pw"),
            (r#"{"auths":{"registry-1.docker.io":{"auth":"am86cHc="}}}"#, "acme/hello", "jo:pw"),
            (
                r#"{"auths":{"ghcr.io":{"auth":"am86cHc="},"ghcr.io/acme":{"auth":"YTpi"}}}"#,
                "ghcr.io/acme/hello",
                "a:b",
            ),
            (
                r#"{"auths":{"ghcr.io":{"auth":"am86cHc="},"ghcr.io/acm":{"auth":"YTpi"}}}"#,
                "ghcr.io/acme/hello",
                "jo:pw",
            ),
            (r#"{"auths":{"ghcr.io/v2":{"auth":"am86cHc="}}}"#, "ghcr.io/acme/hello", ""),
            (r#"{"auths":{"localhost:5000":{"auth":"am86cHc="}}}"#, "localhost:5001/hello", ""),
            (r#"{"auths":{"ghcr.io":{"auth":"PHRva2VuPjp0"}}}"#, "ghcr.io/acme/hello", "identity t"),
            (r#"{"auths":{"ghcr.io":{"auth":"am86cHc=","identitytoken":"i"}}}"#, "ghcr.io/acme/hello", "identity i"),
            (r#"{"auths":{"ghcr.io":{"registrytoken":"r"}}}"#, "ghcr.io/acme/hello", "bearer r"),
            (r#"{"auths":{"ghcr.io":{}},"credsStore":"desktop"}"#, "ghcr.io/acme/hello", "helper desktop"),
            (r#"{"auths":{"ghcr.io":null},"credsStore":""}"#, "ghcr.io/acme/hello", ""),
            (
                r#"{"auths":{"ghcr.io":{"auth":"am86cHc="}},"credHelpers":{"ghcr.io":"gh"},"credsStore":"desktop"}"#,
                "ghcr.io/acme/hello",
                "helper gh, jo:pw, helper desktop",
            ),
            (r#"{"credHelpers":{"gcr.io":"gcloud"}}"#, "ghcr.io/acme/hello", ""),
            ("{}", "ghcr.io/acme/hello", ""),
            ("", "ghcr.io/acme/hello", ""),
        ];
        for (text, reference, expected) in table {
            assert_eq!(lookup(text, reference), expected, "{reference} in {text}");
        }
    }

    #[test]
    fn a_broken_file_is_an_error_that_quotes_nothing_of_it() {
        let large = format!("{{\"hunter2\":\"{}\"}}", "x".repeat(1 << 20));
        let registry: Registry = "ghcr.io".parse().unwrap();
        for text in [
            "{\"auths\": hunter2",
            "[\"hunter2\"]",
            "{\"auths\":\"hunter2\"}",
            "{\"auths\":{\"ghcr.io\":{\"auth\":[\"hunter2\"]}}}",
            "{\"auths\":{\"ghcr.io\":{\"auth\":\"hunter2!\"}}}",
            "{\"auths\":{\"ghcr.io\":{\"auth\":\"aHVudGVyMg==\"}}}",
            &large,
        ] {
            let (directory, file) = read(text);
            let found = file.and_then(|file| file.unwrap().lookup(&registry, None));
            let error = found.err().unwrap_or_else(|| panic!("{text} was read"));
            let cause = std::error::Error::source(&error).unwrap();
            let message = format!("{error}: {cause}; {error:?}");
            assert!(message.contains(&*directory.path().to_string_lossy()), "{message}");
            assert!(!message.contains("hunter2") && !message.contains("aHVudGVyMg"), "{message}");
        }
    }

    #[test]
    fn a_missing_file_is_none() {
        assert!(CredentialFile::read(Path::new("/nonexistent/config.json")).unwrap().is_none());
    }

    #[test]
    fn a_written_credential_is_found_again_and_all_else_stays() {
        let text = r#"{"psFormat":"x","auths":{"a.example":{"auth":"YTpi"},"https://ghcr.io":{"auth":"YTpi"}}}"#;
        let credentials = [
            Credential::Basic { username: "jo".to_owned(), password: Secret::from("p:w") },
            Credential::IdentityToken(Secret::from("i")),
            Credential::Bearer(Secret::from("r")),
        ];
        for (credential, expected) in credentials.iter().zip(["jo:p:w", "identity i", "bearer r"]) {
            let (directory, file) = read(text);
            let mut file = file.unwrap().unwrap();
            file.insert(&"ghcr.io".parse().unwrap(), credential).unwrap();
            file.write().unwrap();
            let written = fs::read_to_string(directory.path().join("config.json")).unwrap();
            assert_eq!(lookup(&written, "ghcr.io/acme/hello"), expected);
            assert_eq!(lookup(&written, "a.example/hello"), "a:b");
            assert!(written.contains("psFormat") && !written.contains("https://ghcr.io"), "{written}");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "a temporary file stayed");
        }
    }

    #[test]
    fn what_was_removed_is_gone() {
        let (directory, file) = read(r#"{"auths":{"ghcr.io":{"auth":"YTpi"},"ghcr.io/acme":{"auth":"am86cHc="}}}"#);
        let mut file = file.unwrap().unwrap();
        let registry: Registry = "ghcr.io".parse().unwrap();
        assert!(file.remove(&registry).unwrap());
        assert!(!file.remove(&registry).unwrap());
        file.write().unwrap();
        let written = fs::read_to_string(directory.path().join("config.json")).unwrap();
        assert_eq!(lookup(&written, "ghcr.io/other"), "");
        assert_eq!(lookup(&written, "ghcr.io/acme/hello"), "jo:pw");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_file_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let (directory, _) = read("{}");
        let target = directory.path().join("config.json");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
        let link = directory.path().join("link.json");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        CredentialFile::read(&link).unwrap().unwrap().write().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_new_file_is_made_with_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("containers/auth.json");
        let mut file = CredentialFile::new(&path);
        file.insert(&"docker.io".parse().unwrap(), &Credential::Bearer(Secret::from("r"))).unwrap();
        file.write().unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.contains(DOCKER_HUB_KEY), "{written}");
        assert_eq!(lookup(&written, "hello"), "bearer r");
    }
}
