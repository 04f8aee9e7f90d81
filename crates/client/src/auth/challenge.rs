//! The `WWW-Authenticate` header (RFC 9110, section 11.6.1).
//!
//! ```text
//! Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull", Basic realm="x"
//! └scheme┘ └──────────────────────────────── parameters ────────────────────────────────────────┘   └ the next ┘
//! ```

use std::iter::Peekable;
use std::str::Chars;

/// One way in which a server lets itself be convinced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The scheme, in lower case.
    pub(crate) scheme: String,
    /// The parameters, with names in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Returns a parameter; its name is given in lower case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Reads all challenges of one header; nothing where a part of it has another form.
///
/// Strict, as a value that two readers understand in two ways could send a credential astray: a parameter may not
/// stand twice in one challenge, and a quoted string must end.
pub(crate) fn parse(header: &str) -> Option<Vec<Challenge>> {
    let mut text = header.chars().peekable();
    let mut challenges: Vec<Challenge> = Vec::new();
    loop {
        skip(&mut text, |character| is_space(character) || character == ',');
        if text.peek().is_none() {
            return Some(challenges);
        }
        let word = token(&mut text)?.to_ascii_lowercase();
        let had_space = skip(&mut text, is_space);
        if text.peek() == Some(&'=') {
            text.next();
            skip(&mut text, is_space);
            let value = if text.peek() == Some(&'"') { quoted(&mut text)? } else { token(&mut text)? };
            let challenge = challenges.last_mut()?;
            if challenge.parameter(&word).is_some() {
                return None;
            }
            challenge.parameters.push((word, value));
            skip(&mut text, is_space);
            if !matches!(text.peek(), None | Some(',')) {
                return None;
            }
        } else if had_space || matches!(text.peek(), None | Some(',')) {
            challenges.push(Challenge { scheme: word, parameters: Vec::new() });
        } else {
            return None;
        }
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

/// Skips characters, and tells whether there were any.
fn skip(text: &mut Peekable<Chars<'_>>, is_skipped: impl Fn(char) -> bool) -> bool {
    let mut skipped = false;
    while text.next_if(|&character| is_skipped(character)).is_some() {
        skipped = true;
    }
    skipped
}

/// Reads a token of at least one character; `/` and `:` are let pass, as some registries leave URLs unquoted.
fn token(text: &mut Peekable<Chars<'_>>) -> Option<String> {
    let is_token = |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/:".contains(character);
    let mut word = String::new();
    while let Some(character) = text.next_if(|&character| is_token(character)) {
        word.push(character);
    }
    (!word.is_empty()).then_some(word)
}

fn quoted(text: &mut Peekable<Chars<'_>>) -> Option<String> {
    text.next_if_eq(&'"')?;
    let mut value = String::new();
    loop {
        match text.next()? {
            '"' => return Some(value),
            '\\' => value.push(text.next()?),
            character if character.is_control() && character != '\t' => return None,
            character => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> Challenge {
        let own = |text: &str| text.to_owned();
        let parameters = parameters.iter().map(|(name, value)| (own(name), own(value))).collect();
        Challenge { scheme: own(scheme), parameters }
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let token = [("realm", "https://auth.example/token"), ("service", "registry.example")];
        let table = [
            ("", vec![]),
            ("Basic", vec![challenge("basic", &[])]),
            (r#"Basic realm="a, b=\"c\"""#, vec![challenge("basic", &[("realm", r#"a, b="c""#)])]),
            (
                r#"Bearer realm="https://auth.example/token",service="registry.example""#,
                vec![challenge("bearer", &token)],
            ),
            (
                r#"BEARER Realm = https://auth.example/token , SERVICE=registry.example"#,
                vec![challenge("bearer", &token)],
            ),
            (
                r#"Bearer realm="https://auth.example/token", service="registry.example", Basic realm="x", Negotiate"#,
                vec![challenge("bearer", &token), challenge("basic", &[("realm", "x")]), challenge("negotiate", &[])],
            ),
            (r#"Basic realm="", , "#, vec![challenge("basic", &[("realm", "")])]),
        ];
        for (header, expected) in table {
            assert_eq!(parse(header), Some(expected), "{header}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for header in [
            r#"realm="x""#,
            r#"Bearer realm="x"#,
            r#"Bearer realm="x\"#,
            r#"Bearer realm="x" service="y""#,
            r#"Bearer realm="x",realm="y""#,
            r#"Bearer realm="x",REALM="y""#,
            "Bearer realm=",
            "Bearer realm=\"a\u{1}b\"",
            "Bearer ?",
            "Bearer;realm=x",
            "=x",
        ] {
            assert_eq!(parse(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(header in "\\PC*") {
            let _ = parse(&header);
        }

        #[test]
        fn a_quoted_value_comes_out_as_it_went_in(value in "[ -~]*") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            let header = format!("Bearer realm=\"{escaped}\", service=x");
            let expected = challenge("bearer", &[("realm", &value), ("service", "x")]);
            prop_assert_eq!(parse(&header), Some(vec![expected]));
        }
    }
}
