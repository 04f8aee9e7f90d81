//! Where artifacts are: in a registry, in a folder, or in an archive.
//!
//! ```text
//!   host[:port]/repository[:tag][@digest]     a registry
//!   oci-layout:FOLDER[:name][@digest]         an OCI image layout, a folder with index.json and blobs/
//!   oci-archive:FILE[:name][@digest]          the same as a tar file
//!   docker-archive:FILE[:name][@digest]       a tar file as `docker save` writes it, with manifest.json
//! ```
//!
//! A name is a tag, or a whole image name such as `acme/hello:1.0.0`. The path ends at the first colon, unless there is
//! something whose path has one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use wharf_archive::ImageName;
use wharf_oci::{Digest, InvalidReference, Reference, Registry, TagName};

/// A place for artifacts, and which of them is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In a registry.
    Registry(Reference),
    /// On this machine.
    Local(LocalLocation),
}

/// A place on this machine, and which artifact in it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalLocation {
    /// What is at the path.
    pub container: Container,
    /// The folder or file.
    pub path: PathBuf,
    /// A tag or a whole image name; the only artifact where neither this nor a digest is given.
    pub name: Option<ImageName>,
    /// The digest of the manifest.
    pub digest: Option<Digest>,
}

/// What artifacts can be in on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// A folder in the OCI image layout.
    OciLayout,
    /// A tar file that holds an OCI image layout.
    OciArchive,
    /// A tar file as `docker save` writes it.
    DockerArchive,
}

/// Why a text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLocation {
    /// It has no scheme of a place on this machine, and is no reference either.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// Nothing follows the scheme.
    #[error("`{scheme}:` lacks the path behind it")]
    NoPath {
        /// The scheme.
        scheme: Container,
    },
    /// What follows the path is no name.
    #[error("`{text}` is no name of an image: that is a tag, or repository:tag")]
    Name {
        /// What was given.
        text: String,
        /// Why.
        source: InvalidReference,
    },
    /// What follows the `@` is no digest.
    #[error("`{text}` is no digest: that has the form sha256:…")]
    Digest {
        /// What was given.
        text: String,
    },
}

impl Location {
    /// Returns the reference, where it is in a registry.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Registry(reference) => Some(reference),
            Self::Local(_) => None,
        }
    }

    /// Returns the registry, where it is in one.
    #[must_use]
    pub fn registry(&self) -> Option<&Registry> {
        self.reference().map(Reference::registry)
    }

    /// Returns the digest that is asked for.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Registry(reference) => reference.digest(),
            Self::Local(local) => local.digest.as_ref(),
        }
    }

    /// Returns the tag that is asked for.
    #[must_use]
    pub fn tag(&self) -> Option<&TagName> {
        match self {
            Self::Registry(reference) => reference.tag(),
            Self::Local(local) => local.name.as_ref().map(ImageName::tag),
        }
    }

    /// Returns the same place with nothing but this digest.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        match self {
            Self::Registry(reference) => Self::Registry(reference.with_digest(digest)),
            Self::Local(local) => Self::Local(LocalLocation { name: None, digest: Some(digest), ..local.clone() }),
        }
    }

    /// Returns the same place with neither name nor digest.
    #[must_use]
    pub fn bare(&self) -> Self {
        match self {
            Self::Registry(reference) => Self::Registry(reference.bare()),
            Self::Local(local) => Self::Local(LocalLocation { name: None, digest: None, ..local.clone() }),
        }
    }

    /// Returns the same place with this tag, and no digest.
    #[must_use]
    pub fn with_tag(&self, tag: TagName) -> Self {
        match self {
            Self::Registry(reference) => Self::Registry(reference.with_tag(tag)),
            Self::Local(local) => {
                let repository = local.name.as_ref().and_then(ImageName::repository);
                // The repository was one before.
                let name = repository.and_then(|repository| ImageName::new(repository, tag.clone()).ok());
                Self::Local(LocalLocation { name: Some(name.unwrap_or(tag.into())), digest: None, ..local.clone() })
            }
        }
    }

    /// Returns what the artifact is called here, where it has a name.
    #[must_use]
    pub fn image_name(&self) -> Option<ImageName> {
        match self {
            Self::Registry(reference) => {
                // What a reference says of its registry and repository is a name of a repository.
                ImageName::new(&reference.bare().to_string(), reference.tag()?.clone()).ok()
            }
            Self::Local(local) => local.name.clone(),
        }
    }
}

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        for container in [Container::OciLayout, Container::OciArchive, Container::DockerArchive] {
            // Hosts have no upper and lower case, so that none may be called like it in another one either.
            if let Some((scheme, rest)) = text.split_once(':')
                && scheme.eq_ignore_ascii_case(container.scheme())
            {
                return LocalLocation::parse(container, rest).map(Self::Local);
            }
        }
        Ok(Self::Registry(text.parse()?))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => reference.fmt(formatter),
            Self::Local(local) => local.fmt(formatter),
        }
    }
}

impl From<Reference> for Location {
    fn from(reference: Reference) -> Self {
        Self::Registry(reference)
    }
}

impl LocalLocation {
    fn parse(container: Container, rest: &str) -> Result<Self, InvalidLocation> {
        let whole = |digest| Self { container, path: rest.into(), name: None, digest };
        if Path::new(rest).exists() {
            return Ok(whole(None));
        }
        let (rest, digest) = match rest.rsplit_once('@') {
            Some((before, text)) if text.starts_with("sha256:") || text.starts_with("sha512:") => {
                let digest = text.parse().map_err(|_| InvalidLocation::Digest { text: text.to_owned() })?;
                (before, Some(digest))
            }
            _ => (rest, None),
        };
        let (path, name) = match rest.split_once(':') {
            _ if Path::new(rest).exists() => (rest, None),
            Some((path, name)) => (path, Some(image_name(name)?)),
            None => (rest, None),
        };
        match path.is_empty() {
            true => Err(InvalidLocation::NoPath { scheme: container }),
            false => Ok(Self { container, path: path.into(), name, digest }),
        }
    }
}

fn image_name(text: &str) -> Result<ImageName, InvalidLocation> {
    text.parse().map_err(|source| InvalidLocation::Name { text: text.to_owned(), source })
}

impl fmt::Display for LocalLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.container, self.path.display())?;
        if let Some(name) = &self.name {
            write!(formatter, ":{name}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

impl Container {
    fn scheme(self) -> &'static str {
        match self {
            Self::OciLayout => "oci-layout",
            Self::OciArchive => "oci-archive",
            Self::DockerArchive => "docker-archive",
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.scheme())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_place_on_this_machine_has_a_scheme_a_path_and_a_name() {
        let table = [
            ("oci-layout:out", "out", None),
            ("oci-archive:out/x.tar:1.0.0", "out/x.tar", Some("1.0.0")),
            ("docker-archive:x.tar:localhost:5000/acme/hello:1", "x.tar", Some("localhost:5000/acme/hello:1")),
            ("oci-layout:/srv/layout:v1", "/srv/layout", Some("v1")),
        ];
        for (text, path, name) in table {
            for digest in [None, Some(DIGEST)] {
                let text = digest.map_or(text.to_owned(), |digest| format!("{text}@{digest}"));
                let location: Location = text.parse().unwrap();
                assert_eq!(location.to_string(), text);
                let Location::Local(local) = location else { panic!("{text}") };
                assert_eq!(local.path, Path::new(path));
                assert_eq!(local.name.map(|name| name.to_string()).as_deref(), name, "{text}");
                assert_eq!(local.digest.map(|digest| digest.to_string()).as_deref(), digest, "{text}");
            }
        }
    }

    #[test]
    fn no_registry_is_called_like_a_scheme() {
        let [capital, usual] =
            ["OCI-Layout:2/out:v1", "oci-layout:2/out:v1"].map(|text| text.parse::<Location>().unwrap());
        assert_eq!(capital, usual);
        assert!(matches!(usual, Location::Local(local) if local.path == Path::new("2/out")));
    }

    #[test]
    fn what_is_there_under_its_whole_path_is_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("build:1.tar");
        std::fs::write(&path, "").unwrap();
        for (suffix, is_pinned) in [(String::new(), false), (format!("@{DIGEST}"), true)] {
            let location: Location = format!("oci-archive:{}{suffix}", path.display()).parse().unwrap();
            let Location::Local(local) = location else { panic!() };
            assert_eq!((local.path, local.name, local.digest.is_some()), (path.clone(), None, is_pinned));
        }
    }

    #[test]
    fn all_else_is_a_reference() {
        let location: Location = "localhost:5000/acme/hello:1".parse().unwrap();
        assert_eq!(location.reference().unwrap().to_string(), "localhost:5000/acme/hello:1");
        assert_eq!(location.image_name().unwrap().to_string(), "localhost:5000/acme/hello:1");
    }

    #[test]
    fn what_is_no_place_is_refused_with_the_reason() {
        let table = [
            ("oci-layout:", "`oci-layout:` lacks the path"),
            ("oci-archive::1", "`oci-archive:` lacks the path"),
            ("oci-archive:x.tar:a b", "`a b` is no name of an image"),
            ("oci-archive:x.tar::1", "`:1` is no name of an image"),
            ("oci-archive:x.tar@sha256:12", "`sha256:12` is no digest"),
            ("NO SUCH", ""),
        ];
        for (text, expected) in table {
            let message = text.parse::<Location>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
