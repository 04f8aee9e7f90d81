//! What an artifact in a layout or an archive is called.

use std::fmt;
use std::str::FromStr;

use wharf_oci::{InvalidReference, Reference, TagName};

/// A tag, with or without the repository before it.
///
/// The two are kept apart, so that a port in a repository is never taken for the start of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    repository: Option<String>,
    tag: TagName,
}

impl ImageName {
    /// Makes the name of a tag in a repository, such as `acme/hello` or `localhost:5000/hello`.
    ///
    /// # Errors
    /// [`InvalidReference`] where `repository` is none.
    pub fn new(repository: &str, tag: TagName) -> Result<Self, InvalidReference> {
        let reference = reference_of(repository)?;
        let has_more = reference.tag().is_some() || reference.digest().is_some();
        if has_more || repository.contains("://") {
            return Err(InvalidReference::Repository { text: repository.to_owned() });
        }
        Ok(Self { repository: Some(repository.to_owned()), tag })
    }

    /// Returns the repository as it was given, where it was.
    #[must_use]
    pub fn repository(&self) -> Option<&str> {
        self.repository.as_deref()
    }

    /// Returns the name as containerd keeps it: with the registry that container tools take where none is given.
    #[must_use]
    pub fn qualified(&self) -> String {
        let reference = self.repository().and_then(|repository| reference_of(repository).ok());
        reference.map_or_else(|| self.to_string(), |it| format!("{}:{}", it.bare(), self.tag))
    }

    /// Returns the tag.
    #[must_use]
    pub fn tag(&self) -> &TagName {
        &self.tag
    }
}

/// Reads a repository as container tools do: what has no `/` is the name of an image, whatever dots are in it.
fn reference_of(repository: &str) -> Result<Reference, InvalidReference> {
    match repository.contains('/') {
        true => repository.parse(),
        false => format!("docker.io/library/{repository}").parse(),
    }
}

impl From<TagName> for ImageName {
    /// Makes a name without a repository.
    fn from(tag: TagName) -> Self {
        Self { repository: None, tag }
    }
}

impl FromStr for ImageName {
    type Err = InvalidReference;

    /// Reads `tag` or `repository:tag`.
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        match text.rsplit_once(':') {
            Some((repository, tag)) => Self::new(repository, tag.parse()?),
            None => Ok(Self::from(text.parse::<TagName>()?)),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repository {
            Some(repository) => write!(formatter, "{repository}:{}", self.tag),
            None => self.tag.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        let table = [
            ("v1", None, "v1"),
            ("hello:v1", Some("hello"), "v1"),
            ("localhost:5000/acme/hello:v1", Some("localhost:5000/acme/hello"), "v1"),
        ];
        for (text, repository, tag) in table {
            let name: ImageName = text.parse().unwrap();
            assert_eq!((name.repository(), name.tag().as_str()), (repository, tag));
            assert_eq!(name.to_string(), text);
        }
        for (text, qualified) in [
            ("v1", "v1"),
            ("hello:v1", "docker.io/library/hello:v1"),
            ("proxy-2.0:v1", "docker.io/library/proxy-2.0:v1"),
            ("acme/hello:v1", "docker.io/acme/hello:v1"),
            ("docker.io/acme/hello:v1", "docker.io/acme/hello:v1"),
            ("localhost:5000/hello:v1", "localhost:5000/hello:v1"),
        ] {
            assert_eq!(text.parse::<ImageName>().unwrap().qualified(), qualified);
        }
        for text in ["", ":v1", "localhost:5000/hello", "Hello:v1", "a b:v1", "a:v1:v2", "oci://a/b:v1", "a:"] {
            assert!(text.parse::<ImageName>().is_err(), "{text}");
        }
    }
}
