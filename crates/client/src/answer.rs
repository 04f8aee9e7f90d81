//! What a registry says besides content: its errors (distribution-spec, "Error Codes").

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::limits::{REGISTRY_ERRORS_MAX, TEXT_CHARACTERS_MAX};
use crate::retry::retry_after;

/// What a registry says when it does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The errors in the body; none where it has another form.
    pub errors: Vec<RegistryError>,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// Whether one of the errors has this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.errors.iter().any(|error| error.code == code)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.status.canonical_reason().unwrap_or_default();
        write!(formatter, "{} {reason}", self.status.as_u16())?;
        for error in &self.errors {
            let repeats = error.code.replace('_', " ").eq_ignore_ascii_case(reason);
            let code = if repeats { "" } else { &error.code };
            // A detail in JSON is for programs, and repeats what the request says.
            let detail = error.detail.as_deref().filter(|detail| !detail.starts_with(['{', '[']));
            for text in [code, &error.message, detail.unwrap_or_default()] {
                if !text.is_empty() {
                    write!(formatter, ": {text}")?;
                }
            }
        }
        Ok(())
    }
}

/// One error of a registry, fit to be shown: without control characters, of limited length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError {
    /// The code, such as `MANIFEST_UNKNOWN`; empty where there is none.
    pub code: String,
    /// The message; empty where there is none.
    pub message: String,
    /// The detail, as JSON where it is no text.
    pub detail: Option<String>,
}

/// Makes a text from elsewhere fit to be shown: one line, without control characters, of limited length.
pub(crate) fn shown(text: &str) -> String {
    let is_shown = |&character: &char| !character.is_control() && !moves_text(character);
    text.chars().filter(is_shown).take(TEXT_CHARACTERS_MAX).collect()
}

/// Whether a character ends a line, or turns the direction of writing, which can make a text look like another.
fn moves_text(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reads the head and body of an error; a body of another form says nothing.
pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    let errors = serde_json::from_slice::<Body>(body).map(Body::errors).unwrap_or_default();
    Answer { status, errors, retry_after: retry_after(headers) }
}

/// The forms of an error: a registry's, and those of token servers (RFC 6749, section 5.2, and Docker Hub's own).
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Registry { errors: Vec<Entry> },
    OAuth { error: String, error_description: Option<String> },
    Hub { details: String },
}

#[derive(Deserialize)]
struct Entry {
    code: Option<Value>,
    message: Option<Value>,
    detail: Option<Value>,
}

impl Body {
    fn errors(self) -> Vec<RegistryError> {
        match self {
            Self::Registry { errors } => errors.into_iter().take(REGISTRY_ERRORS_MAX).map(Entry::shown).collect(),
            Self::OAuth { error, error_description } => {
                let message = shown(&error_description.unwrap_or_default());
                vec![RegistryError { code: shown(&error), message, detail: None }]
            }
            Self::Hub { details } => {
                vec![RegistryError { code: String::new(), message: shown(&details), detail: None }]
            }
        }
    }
}

impl Entry {
    fn shown(self) -> RegistryError {
        RegistryError {
            code: self.code.and_then(text).unwrap_or_default(),
            message: self.message.and_then(text).unwrap_or_default(),
            detail: self.detail.and_then(text),
        }
    }
}

/// Returns a value as text, and nothing where there is nothing to read in it.
fn text(value: Value) -> Option<String> {
    let text = match value {
        Value::String(text) => shown(&text),
        Value::Null => return None,
        value => shown(&value.to_string()),
    };
    (!matches!(text.as_str(), "" | "{}" | "[]")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_as(body: &str) -> String {
        read(StatusCode::BAD_REQUEST, &HeaderMap::new(), body.as_bytes()).to_string()
    }

    fn answer(status: u16, code: &str, message: &str) -> Answer {
        let error = RegistryError { code: code.to_owned(), message: message.to_owned(), detail: None };
        Answer { status: StatusCode::from_u16(status).unwrap(), errors: vec![error], retry_after: None }
    }

    #[test]
    fn an_answer_names_status_code_and_message_once() {
        let table = [
            (answer(401, "UNAUTHORIZED", "authentication required"), "401 Unauthorized: authentication required"),
            (answer(404, "MANIFEST_UNKNOWN", "manifest unknown"), "404 Not Found: MANIFEST_UNKNOWN: manifest unknown"),
            (answer(500, "", ""), "500 Internal Server Error"),
            (answer(429, "TOO_MANY_REQUESTS", "slow down"), "429 Too Many Requests: slow down"),
        ];
        for (answer, expected) in table {
            assert_eq!(answer.to_string(), expected);
        }
    }

    #[test]
    fn a_foreign_text_cannot_move_the_cursor_or_fill_the_screen() {
        assert_eq!(shown("a\r\n\u{1b}[2Jb\u{202e}c\u{2028}d\u{61c}"), "a[2Jbcd");
        assert_eq!(shown(&"x".repeat(10_000)).len(), TEXT_CHARACTERS_MAX);
    }

    #[test]
    fn errors_are_read_in_the_forms_that_servers_write() {
        let table = [
            (
                r#"{"errors":[{"code":"NAME_INVALID","message":"bad name","detail":{"name":"x"}}]}"#,
                ": NAME_INVALID: bad name",
            ),
            (r#"{"errors":[{"code":"A","message":"b","detail":"c"}]}"#, ": A: b: c"),
            (r#"{"errors":[{"code":"A"},{"message":"b","detail":null}]}"#, ": A: b"),
            (r#"{"errors":[{"code":"A","message":"b","detail":{}}]}"#, ": A: b"),
            (r#"{"errors":[]}"#, ""),
            (r#"{"error":"invalid_grant","error_description":"expired"}"#, ": invalid_grant: expired"),
            (r#"{"details":"incorrect username or password"}"#, ": incorrect username or password"),
            ("<html>oops</html>", ""),
            ("", ""),
            (r#"{"errors":[{"code":"A","message":"\u001b[31mred\n"}]}"#, ": A: [31mred"),
        ];
        for (body, expected) in table {
            assert_eq!(shown_as(body), format!("400 Bad Request{expected}"), "{body}");
        }
    }

    #[test]
    fn what_is_kept_of_an_error_is_limited() {
        let entry = format!(r#"{{"code":"A","message":"{}"}}"#, "x".repeat(10_000));
        let body = format!(r#"{{"errors":[{}]}}"#, vec![entry; 100].join(","));
        assert!(shown_as(&body).len() < 2_000);
    }
}
