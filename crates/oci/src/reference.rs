//! References: `host[:port]/repository[:tag][@digest]` (distribution-spec, "Pulling manifests").
//!
//! ```text
//! ghcr.io/acme/hello:1.0.0@sha256:9f86…     registry / repository : tag @ digest
//! localhost:5000/hello                      a first part with `.`, `:` or `localhost` is a registry
//! acme/hello:1.0.0                          docker.io/acme/hello:1.0.0
//! hello                                     docker.io/library/hello
//! oci://ghcr.io/acme/hello                  as Helm and Istio write it
//! ```

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::{Digest, InvalidDigest};

/// Characters of a repository name, as registries commonly limit them together with the host.
const REPOSITORY_LEN_MAX: usize = 255;
/// Characters of a tag (distribution-spec, "Pulling manifests").
const TAG_LEN_MAX: usize = 128;

const DOCKER_HUB: &str = "docker.io";
const SCHEMES: [&str; 3] = ["oci://", "docker://", "registry://"];

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidReference {
    /// There is nothing where the repository should be.
    #[error("`{text}` names no repository")]
    Empty {
        /// What was given.
        text: String,
    },
    /// The registry is not `host` or `host:port`.
    #[error("`{text}` is not a registry: it has the form `host` or `host:port`")]
    Registry {
        /// The part before the first `/`.
        text: String,
    },
    /// The repository has a character or a form that the specification does not allow.
    #[error(
        "`{text}` is not a repository name: it has lower-case letters and digits, in parts that `/`, `.`, `_`, `__` \
         or `-` join"
    )]
    Repository {
        /// The repository.
        text: String,
    },
    /// The repository is too long.
    #[error("repository name of {length} characters is longer than the limit of {REPOSITORY_LEN_MAX}")]
    RepositoryLength {
        /// Its length.
        length: usize,
    },
    /// The tag has a character that the specification does not allow, or is too long.
    #[error(
        "`{text}` is not a tag: it has 1 to {TAG_LEN_MAX} letters, digits, `_`, `.` and `-`, and starts with none of \
         the last two"
    )]
    Tag {
        /// The tag.
        text: String,
    },
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

/// The host, with the port where it has one, of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Registry(String);

impl Registry {
    /// Returns the name, as people write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host and port that speak the protocol; for docker.io that is another one than its name.
    #[must_use]
    pub fn api_host(&self) -> &str {
        if self.0 == DOCKER_HUB { "registry-1.docker.io" } else { &self.0 }
    }

    /// Returns the host without the port, and without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        split_port(&self.0).0.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether the registry is on this machine: `localhost`, a name below it, or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let is_local_name = host == "localhost" || host.ends_with(".localhost");
        is_local_name || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl FromStr for Registry {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let invalid = || InvalidReference::Registry { text: text.to_owned() };
        let lower = text.to_ascii_lowercase();
        let (host, port) = split_port(&lower);
        if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
            return Err(invalid());
        }
        let is_valid = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.split('.').all(is_host_label),
        };
        if !is_valid {
            return Err(invalid());
        }
        let is_hub = matches!(lower.as_str(), "index.docker.io" | "registry-1.docker.io");
        Ok(Self(if is_hub { DOCKER_HUB.to_owned() } else { lower }))
    }
}

/// Splits `host:port`; the colons inside `[…]` belong to the host.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    }
}

fn is_host_label(label: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !label.is_empty() && label.bytes().all(is_valid) && !label.starts_with('-') && !label.ends_with('-')
}

/// The name of a repository within a registry, such as `acme/hello`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(String);

impl RepositoryName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        if text.len() > REPOSITORY_LEN_MAX {
            return Err(InvalidReference::RepositoryLength { length: text.len() });
        }
        if !text.split('/').all(is_repository_part) {
            return Err(InvalidReference::Repository { text: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }
}

/// Matches `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_repository_part(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_separator = |run: &str| matches!(run, "." | "_" | "__") || run.bytes().all(|byte| byte == b'-');
    let starts_and_ends_in_words = part.bytes().next().is_some_and(is_word) && part.bytes().last().is_some_and(is_word);
    let mut runs = part.split(|character: char| u8::try_from(character).is_ok_and(is_word));
    starts_and_ends_in_words && runs.all(is_separator)
}

/// The name of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TagName(String);

impl TagName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the tag `latest`.
    #[must_use]
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }
}

impl FromStr for TagName {
    type Err = InvalidReference;

    /// Matches `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let is_start = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_rest = |byte: u8| is_start(byte) || byte == b'.' || byte == b'-';
        let starts_well = text.bytes().next().is_some_and(is_start);
        if !starts_well || text.len() > TAG_LEN_MAX || !text.bytes().all(is_rest) {
            return Err(InvalidReference::Tag { text: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }
}

macro_rules! display_as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}
display_as_text!(Registry, RepositoryName, TagName);

/// What picks a manifest out of a repository; the specification calls it `<reference>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// A name that can move.
    Tag(TagName),
    /// Exactly these bytes.
    Digest(Digest),
}

impl FromStr for Selector {
    type Err = InvalidReference;

    /// Reads a digest where there is a `:`, which no tag has, else a tag.
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        Ok(if text.contains(':') { Self::Digest(text.parse()?) } else { Self::Tag(text.parse()?) })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(formatter),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

/// Names an artifact in a registry, by tag, by digest, or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    registry: Registry,
    repository: RepositoryName,
    tag: Option<TagName>,
    digest: Option<Digest>,
}

impl Reference {
    /// Names a repository, without a tag or a digest.
    #[must_use]
    pub fn new(registry: Registry, repository: RepositoryName) -> Self {
        Self { registry, repository, tag: None, digest: None }
    }

    /// Returns the registry.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the repository.
    #[must_use]
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Returns the tag, where one was given.
    #[must_use]
    pub fn tag(&self) -> Option<&TagName> {
        self.tag.as_ref()
    }

    /// Returns the digest, where one was given.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Returns what picks the manifest: the digest before the tag, and `latest` where there is neither.
    #[must_use]
    pub fn selector(&self) -> Selector {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => Selector::Digest(digest.clone()),
            (None, Some(tag)) => Selector::Tag(tag.clone()),
            (None, None) => Selector::Tag(TagName::latest()),
        }
    }

    /// Returns the repository alone, without tag and digest.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { tag: None, digest: None, ..self.clone() }
    }

    /// Returns the same repository with this tag alone.
    #[must_use]
    pub fn with_tag(&self, tag: TagName) -> Self {
        Self { tag: Some(tag), digest: None, ..self.clone() }
    }

    /// Returns the same repository with this digest alone.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let bare = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        let (name, digest) = match bare.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse()?)),
            None => (bare, None),
        };
        let (path, tag) = match name.rsplit_once(':') {
            // A colon before the last `/` belongs to the port.
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag.parse()?)),
            _ => (name, None),
        };
        // `localhost:5000` alone is a registry, which Docker would look for in its own.
        if path.is_empty() || (!path.contains('/') && looks_like_host(path)) {
            return Err(InvalidReference::Empty { text: text.to_owned() });
        }
        let (registry, repository) = split_registry(path);
        if repository.is_empty() {
            return Err(InvalidReference::Empty { text: text.to_owned() });
        }
        let registry: Registry = registry.parse()?;
        let is_official = registry.as_str() == DOCKER_HUB && !repository.contains('/');
        let repository = if is_official { format!("library/{repository}") } else { repository.to_owned() };
        Ok(Self { registry, repository: repository.parse()?, tag, digest })
    }
}

/// Splits off the registry by Docker's rule: the first of several parts is a host if it looks like one.
fn split_registry(path: &str) -> (&str, &str) {
    match path.split_once('/') {
        Some((first, rest)) if looks_like_host(first) => (first, rest),
        _ => (DOCKER_HUB, path),
    }
}

fn looks_like_host(part: &str) -> bool {
    // Docker takes a part with a capital for a host too; in small letters, as a host is written, it would be none.
    part.contains(['.', ':']) || part.eq_ignore_ascii_case("localhost")
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn references_are_read_by_dockers_rules() {
        let table = [
            ("hello", "docker.io/library/hello"),
            ("hello:1", "docker.io/library/hello:1"),
            ("acme/hello", "docker.io/acme/hello"),
            ("index.docker.io/hello", "docker.io/library/hello"),
            ("localhost/hello", "localhost/hello"),
            ("LOCALHOST/hello", "localhost/hello"),
            ("localhost:5000/hello", "localhost:5000/hello"),
            ("127.0.0.1:5000/acme/hello:1.0.0", "127.0.0.1:5000/acme/hello:1.0.0"),
            ("[::1]:5000/hello:1", "[::1]:5000/hello:1"),
            ("GHCR.io/acme/hello", "ghcr.io/acme/hello"),
            ("oci://ghcr.io/acme/hello:1.0_build", "ghcr.io/acme/hello:1.0_build"),
            ("ghcr.io/a__b/c-----d/e.f_g", "ghcr.io/a__b/c-----d/e.f_g"),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Reference>().map(|found| found.to_string()), Ok(expected.to_owned()), "{text}");
            let pinned = format!("{text}@{DIGEST}");
            let expected = format!("{expected}@{DIGEST}");
            assert_eq!(pinned.parse::<Reference>().map(|found| found.to_string()), Ok(expected), "{pinned}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_with_the_reason() {
        let long = format!("ghcr.io/{}", "a/".repeat(200) + "a");
        let table = [
            ("", "names no repository"),
            ("ghcr.io/", "names no repository"),
            (":1", "names no repository"),
            ("localhost:5000", "names no repository"),
            ("127.0.0.1:5000", "names no repository"),
            ("ghcr.io", "names no repository"),
            ("ghcr.io/Acme/hello", "`Acme/hello` is not a repository name"),
            ("Acme/hello", "`Acme/hello` is not a repository name"),
            ("ghcr.io/acme//hello", "is not a repository name"),
            ("ghcr.io/acme/../hello", "is not a repository name"),
            ("ghcr.io/acme/-hello", "is not a repository name"),
            ("ghcr.io/acme/hel___lo", "is not a repository name"),
            ("ghcr.io/acme/hélo", "is not a repository name"),
            ("ghcr.io/acme/hello:", "`` is not a tag"),
            ("ghcr.io/acme/hello:.1", "`.1` is not a tag"),
            ("ghcr.io/acme/hello:1.0+build", "`1.0+build` is not a tag"),
            ("ghcr.io/acme/hello@sha256:12", "is not the value of a sha256 digest"),
            ("ghcr.io/acme/hello@", "is not a digest"),
            ("gh_-cr-.io/hello", "is not a registry"),
            ("localhost:99999/hello", "is not a registry"),
            ("[::x]:5000/hello", "is not a registry"),
            (long.as_str(), "longer than the limit"),
        ];
        for (text, expected) in table {
            let message = text.parse::<Reference>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn a_digest_goes_before_a_tag() {
        let both: Reference = format!("ghcr.io/acme/hello:1@{DIGEST}").parse().unwrap();
        assert_eq!(both.selector().to_string(), DIGEST);
        let neither: Reference = "ghcr.io/acme/hello".parse().unwrap();
        assert_eq!(neither.selector().to_string(), "latest");
    }

    #[test]
    fn loopback_is_told_from_elsewhere() {
        for (text, expected) in [
            ("localhost:5000", true),
            ("hub.localhost", true),
            ("127.9.9.9", true),
            ("[::1]:80", true),
            ("localhost.example", false),
            ("10.0.0.1:5000", false),
            ("127.0.0.1.example", false),
        ] {
            assert_eq!(text.parse::<Registry>().unwrap().is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn only_docker_io_has_another_api_host() {
        assert_eq!("docker.io".parse::<Registry>().unwrap().api_host(), "registry-1.docker.io");
        assert_eq!("ghcr.io".parse::<Registry>().unwrap().api_host(), "ghcr.io");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC*") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse(), Ok(reference));
            }
        }
    }
}
