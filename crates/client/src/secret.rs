//! Secrets, and the credentials made of them.

use std::fmt;

/// A text that is never shown: `Debug` and `Display` write a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text, to send it or to write it to its file.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// What proves to a registry who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password, or an access token in its place.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// An OAuth 2 refresh token, which the registry's token server takes for access tokens.
    IdentityToken(Secret),
    /// An access token that goes to the registry as it is.
    Bearer(Secret),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_in_no_text() {
        let credential = Credential::Basic { username: "jo".to_owned(), password: Secret::from("hunter2") };
        let token = Credential::IdentityToken(Secret::from("hunter2"));
        let text = format!("{credential:?} {token:#?} {}", Secret::from("hunter2"));
        assert!(!text.contains("hunter2") && text.contains("jo"), "{text}");
    }
}
