//! Names of packages: `namespace:name`, two labels of the component model.
//!
//! ```text
//! label = word *( "-" word )        word = %x61-7A *( %x61-7A / DIGIT )      a-z, then a-z and 0-9
//! ```
//!
//! WIT allows acronyms in capitals and, behind a gate, nested namespaces as well; registries store neither, and so this
//! has neither. What is left is safe as a part of a repository, a path or a URL.

use std::fmt;
use std::str::FromStr;

use semver::Version;
use serde::Deserialize;

use crate::limits::NAME_LEN_MAX;

/// Why a text is no package name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// There is no `:`.
    #[error("`{text}` is not a package name: it has the form `namespace:name`")]
    Form {
        /// What was given.
        text: String,
    },
    /// There is more than one `:`.
    #[error("`{text}` has more than one `:`; a package has one namespace and one name")]
    Nested {
        /// What was given.
        text: String,
    },
    /// It goes on behind the name of the package.
    #[error("`{text}` names something in the package `{package}`; give the package alone")]
    Item {
        /// What was given.
        text: String,
        /// The part that names the package.
        package: String,
    },
    /// A label has nothing in it.
    #[error("a namespace or name is empty, or has a `-` without a word on either side, in `{text}`")]
    Empty {
        /// What was given.
        text: String,
    },
    /// A label has a capital.
    #[error("`{text}` has capitals; namespaces and names of packages are in lower case")]
    Capital {
        /// The label.
        text: String,
    },
    /// A word starts with another character than a letter.
    #[error("the word `{word}` of `{text}` does not start with a letter")]
    Start {
        /// The label.
        text: String,
        /// The word, one of those that `-` joins.
        word: String,
    },
    /// A label has a character that none may have.
    #[error("`{text}` has the character `{character}`; a namespace or name has `a` to `z`, `0` to `9` and `-`")]
    Character {
        /// The label.
        text: String,
        /// The first such character.
        character: char,
    },
    /// It is too long.
    #[error("package name of {length} characters is longer than the limit of {NAME_LEN_MAX}")]
    Length {
        /// Its length in bytes.
        length: usize,
    },
}

/// One part of a package name: lower-case words that single `-` join.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(Box<str>);

impl Label {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        check_length(text)?;
        let owned = || text.to_owned();
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidName::Capital { text: owned() });
        }
        let is_foreign = |character: &char| !matches!(character, 'a'..='z' | '0'..='9' | '-');
        if let Some(character) = text.chars().find(is_foreign) {
            return Err(InvalidName::Character { text: owned(), character });
        }
        for word in text.split('-') {
            match word.bytes().next() {
                None => return Err(InvalidName::Empty { text: owned() }),
                Some(b'a'..=b'z') => {}
                Some(_) => return Err(InvalidName::Start { text: owned(), word: word.to_owned() }),
            }
        }
        Ok(Self(text.into()))
    }
}

/// The name of a package: `namespace:name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct PackageName {
    namespace: Label,
    name: Label,
}

impl PackageName {
    /// Returns the part before the `:`, which says whose package it is.
    #[must_use]
    pub fn namespace(&self) -> &Label {
        &self.namespace
    }

    /// Returns the part after the `:`.
    #[must_use]
    pub fn name(&self) -> &Label {
        &self.name
    }

    /// Returns the name of the folder below `wit/deps`: `wasi-http-0.2.3`, or `wasi-http` without a version.
    ///
    /// It is a plain file name on every system.
    #[must_use]
    pub fn folder_name(&self, version: Option<&Version>) -> String {
        let Self { namespace, name } = self;
        match version {
            Some(version) => format!("{namespace}-{name}-{version}"),
            None => format!("{namespace}-{name}"),
        }
    }
}

impl FromStr for PackageName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        check_length(text)?;
        let (namespace, name) = text.split_once(':').ok_or_else(|| InvalidName::Form { text: text.to_owned() })?;
        if let Some((name, _)) = name.split_once('/') {
            let package = format!("{namespace}:{name}");
            return Err(InvalidName::Item { text: text.to_owned(), package });
        }
        if name.contains(':') {
            return Err(InvalidName::Nested { text: text.to_owned() });
        }
        if namespace.is_empty() || name.is_empty() {
            return Err(InvalidName::Empty { text: text.to_owned() });
        }
        Ok(Self { namespace: namespace.parse()?, name: name.parse()? })
    }
}

fn check_length(text: &str) -> Result<(), InvalidName> {
    if text.len() > NAME_LEN_MAX {
        return Err(InvalidName::Length { length: text.len() });
    }
    Ok(())
}

impl TryFrom<String> for Label {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl TryFrom<String> for PackageName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_two_labels() {
        for text in ["wasi:http", "a:b", "wasm-pkg:client2", "a1-b2:c3-d4-e5"] {
            let name: PackageName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(format!("{}:{}", name.namespace(), name.name()), text);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("wasi:{}", "a".repeat(NAME_LEN_MAX));
        let table = [
            ("", "`` is not a package name: it has the form `namespace:name`"),
            ("wasi", "`wasi` is not a package name"),
            (":http", "is empty"),
            ("wasi:", "is empty"),
            ("wasi:http-", "without a word on either side, in `http-`"),
            ("-wasi:http", "without a word on either side, in `-wasi`"),
            ("wasi:a--b", "without a word on either side, in `a--b`"),
            ("wasi:cloud:http", "has more than one `:`"),
            ("wasi:http/types", "names something in the package `wasi:http`"),
            ("wasi:http/types@0.2.0", "names something in the package `wasi:http`"),
            ("wasi:http@0.2.0", "has the character `@`"),
            ("wasi:HTTP", "`HTTP` has capitals"),
            ("Wasi:http", "`Wasi` has capitals"),
            ("wasi:h_ttp", "has the character `_`"),
            ("wasi:..", "has the character `.`"),
            ("../a:http", "has the character `.`"),
            ("wasi:hétp", "has the character `é`"),
            ("wasi: http", "has the character ` `"),
            ("wasi:2d", "the word `2d` of `2d` does not start with a letter"),
            ("wasi:http-2", "the word `2` of `http-2` does not start with a letter"),
            (long.as_str(), "package name of 205 characters is longer than the limit of 200"),
        ];
        for (text, expected) in table {
            let message = text.parse::<PackageName>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn a_folder_is_named_after_the_package_and_its_version() {
        let name: PackageName = "wasi:http-types".parse().unwrap();
        for (version, expected) in [
            (None, "wasi-http-types"),
            (Some("0.2.3"), "wasi-http-types-0.2.3"),
            (Some("1.0.0-rc.1+b.5"), "wasi-http-types-1.0.0-rc.1+b.5"),
        ] {
            let version: Option<Version> = version.map(|version| version.parse().unwrap());
            assert_eq!(name.folder_name(version.as_ref()), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC*|[a-z0-9-]{1,5}:[a-z0-9-]{1,5}") {
            if let Ok(name) = text.parse::<PackageName>() {
                prop_assert_eq!(name.to_string(), text);
            }
        }

        #[test]
        fn every_name_round_trips_and_is_a_repository(text in "[a-z][a-z0-9]{0,8}(-[a-z][a-z0-9]{0,8}){0,2}:[a-z][a-z0-9]{0,8}(-[a-z][a-z0-9]{0,8}){0,2}") {
            let name: PackageName = text.parse().unwrap();
            prop_assert_eq!(name.to_string(), text.as_str());
            prop_assert!(text.replace(':', "/").parse::<wharf_oci::RepositoryName>().is_ok());
        }
    }
}
