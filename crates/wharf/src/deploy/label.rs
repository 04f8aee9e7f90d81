//! Names that Kubernetes takes.

use std::fmt;
use std::str::FromStr;

use wharf_oci::RepositoryName;

/// Characters of a label (RFC 1035, section 2.3.4).
const LEN_MAX: usize = 63;

/// The name of an object of Kubernetes: a label as DNS has them (RFC 1035), which services need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsLabel(String);

/// A text that is no [`DnsLabel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it has 1 to {LEN_MAX} lower-case letters, digits and `-`, starts with a letter, and ends with a letter or a digit"
)]
pub struct InvalidDnsLabel;

impl DnsLabel {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a name of the last part of that of a repository.
    pub(super) fn of_repository(repository: &RepositoryName) -> Self {
        let last = repository.as_str().rsplit('/').next().unwrap_or_default();
        // All other characters that a repository may have join words.
        let mut name: String = last.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            name.insert_str(0, "app-");
        }
        name.truncate(LEN_MAX);
        Self(name.trim_end_matches('-').to_owned())
    }
}

impl FromStr for DnsLabel {
    type Err = InvalidDnsLabel;

    fn from_str(text: &str) -> Result<Self, InvalidDnsLabel> {
        let is_word = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
        let is_valid = text.len() <= LEN_MAX
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.ends_with(is_word)
            && text.chars().all(|character| is_word(character) || character == '-');
        if is_valid { Ok(Self(text.to_owned())) } else { Err(InvalidDnsLabel) }
    }
}

impl fmt::Display for DnsLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_label_is_what_services_may_be_called() {
        for text in ["a", "hello", "a-1", &"a".repeat(63)] {
            assert_eq!(text.parse(), Ok(DnsLabel(text.to_owned())), "{text}");
        }
        for text in ["", "1a", "-a", "a-", "A", "a.b", "a_b", "é", "a b", &"a".repeat(64)] {
            assert_eq!(text.parse::<DnsLabel>(), Err(InvalidDnsLabel), "{text}");
        }
    }

    #[test]
    fn a_repository_gives_a_name_that_reads_like_it() {
        for (repository, name) in [
            ("acme/hello", "hello"),
            ("hello", "hello"),
            ("acme/my.http_server", "my-http-server"),
            ("acme/3d", "app-3d"),
        ] {
            assert_eq!(DnsLabel::of_repository(&repository.parse().unwrap()).as_str(), name);
        }
    }

    proptest! {
        #[test]
        fn any_repository_gives_a_label(text in "[a-z0-9]{1,70}([._-][a-z0-9]{1,4}){0,3}") {
            let name = DnsLabel::of_repository(&text.parse().unwrap());
            prop_assert_eq!(name.as_str().parse(), Ok(name.clone()));
        }
    }
}
