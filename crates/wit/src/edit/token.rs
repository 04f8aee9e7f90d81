//! Tokens of WIT text, each with its place.
//!
//! `wit-parser` reads the same tokens, and keeps of most of them neither the place nor the text. What is read here has
//! passed it, so nothing is refused: what is unknown is a mark.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A comment that says something of what follows: `/// …` or `/** … */`.
    Doc,
    /// Any other comment.
    Comment,
    /// A keyword, or a name, with its `%`.
    Word,
    /// A version after an `@`.
    Version,
    /// A number, a text in quotes, or a single character.
    Mark,
}

/// A token. Between tokens there is white space, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    /// The first byte.
    pub(super) start: usize,
}

impl Token<'_> {
    /// Returns the byte after the last one.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn is_comment(&self) -> bool {
        matches!(self.kind, TokenKind::Doc | TokenKind::Comment)
    }
}

/// Takes text apart.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut start = 0;
    // The last one that is no comment.
    let mut last = "";
    while start < text.len() {
        let rest = &text[start..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']).len();
        if blank > 0 {
            start += blank;
            continue;
        }
        let (kind, length) = measure(rest, last == "@");
        let token = Token { kind, text: &rest[..length], start };
        if !token.is_comment() {
            last = token.text;
        }
        start += length;
        tokens.push(token);
    }
    tokens
}

/// Tells what the first token is and how many bytes it has.
fn measure(rest: &str, is_version: bool) -> (TokenKind, usize) {
    let run = |is_part: fn(char) -> bool| rest.find(|next| !is_part(next)).unwrap_or(rest.len());
    let first = rest.chars().next().unwrap_or_default();
    match first {
        _ if rest.starts_with("//") => comment(rest, run(|next| next != '\n')),
        _ if rest.starts_with("/*") => comment(rest, block_length(rest)),
        '"' => (TokenKind::Mark, quoted_length(rest)),
        '0'..='9' if is_version => (TokenKind::Version, version_length(rest)),
        '0'..='9' => (TokenKind::Mark, run(|next| next.is_ascii_digit())),
        '%' => (TokenKind::Word, 1 + rest[1..].find(|next| !is_word(next)).unwrap_or(rest.len() - 1)),
        _ if first != '-' && is_word(first) => (TokenKind::Word, run(is_word)),
        _ => (TokenKind::Mark, first.len_utf8()),
    }
}

/// Measures a version: three numbers, and what a `-` and a `+` add to them. Nothing has to part it from what follows.
fn version_length(rest: &str) -> usize {
    let run = |at: usize, is_part: fn(char) -> bool| {
        rest[at..].find(|next| !is_part(next)).map_or(rest.len(), |length| at + length)
    };
    let mut at = run(0, |next| next.is_ascii_digit());
    for _ in 0..2 {
        if rest[at..].starts_with('.') {
            at = run(at + 1, |next| next.is_ascii_digit());
        }
    }
    for sign in ['-', '+'] {
        if rest[at..].starts_with(sign) {
            at = run(at + 1, |next| next.is_ascii_alphanumeric() || matches!(next, '.' | '-'));
        }
    }
    // The point of `@1.0.0.{…}` stands after the version.
    rest[..at].trim_end_matches('.').len()
}

fn is_word(next: char) -> bool {
    next.is_ascii_alphanumeric() || matches!(next, '-' | '_')
}

fn comment(rest: &str, length: usize) -> (TokenKind, usize) {
    let text = rest[..length].trim_end_matches('\r');
    let is_doc = text.starts_with("///") || (text.starts_with("/**") && text != "/**/");
    (if is_doc { TokenKind::Doc } else { TokenKind::Comment }, text.len())
}

/// Measures a comment `/* … */`, in which others may nest.
fn block_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let next = &rest.as_bytes()[at..];
        if next.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if next.starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Measures a text in quotes, in which a backslash takes the next character along.
fn quoted_length(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return at + 1,
            _ => is_escaped = byte == b'\\' && !is_escaped,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::TokenKind::{Comment, Doc, Mark, Version, Word};
    use super::*;

    #[test]
    fn text_is_taken_apart_as_the_parser_does() {
        let cases: &[(&str, &[(TokenKind, &str)])] = &[
            ("import a-b;", &[(Word, "import"), (Word, "a-b"), (Mark, ";")]),
            ("%use\t_", &[(Word, "%use"), (Word, "_")]),
            (
                "f: func()->u8",
                &[
                    (Word, "f"),
                    (Mark, ":"),
                    (Word, "func"),
                    (Mark, "("),
                    (Mark, ")"),
                    (Mark, "-"),
                    (Mark, ">"),
                    (Word, "u8"),
                ],
            ),
            ("a@1.0.0-rc.1+b.{", &[(Word, "a"), (Mark, "@"), (Version, "1.0.0-rc.1+b"), (Mark, "."), (Mark, "{")]),
            ("@ /* v */ 1.2.3;", &[(Mark, "@"), (Comment, "/* v */"), (Version, "1.2.3"), (Mark, ";")]),
            ("= 12.3", &[(Mark, "="), (Mark, "12"), (Mark, "."), (Mark, "3")]),
            ("// a\r\n///b\n/", &[(Comment, "// a"), (Doc, "///b"), (Mark, "/")]),
            ("/*/*/ */*/x/***//**/", &[(Comment, "/*/*/ */*/"), (Word, "x"), (Doc, "/***/"), (Comment, "/**/")]),
            (r#"("a\"/*\\")"#, &[(Mark, "("), (Mark, r#""a\"/*\\""#), (Mark, ")")]),
            ("\u{feff}a // \u{e9}", &[(Word, "a"), (Comment, "// \u{e9}")]),
        ];
        for (text, expected) in cases {
            let found: Vec<_> = tokens(text).iter().map(|token| (token.kind, token.text)).collect();
            assert_eq!(&found, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn tokens_stand_where_they_say_and_leave_out_white_space_only(text in r#"([a-z%@/*"\\.0-9é\r\n -]|//|/\*|\*/){0,40}"#) {
            let mut end = 0;
            for token in tokens(&text) {
                prop_assert!(text[end..token.start].trim().is_empty());
                prop_assert_eq!(&text[token.start..token.end()], token.text);
                prop_assert!(!token.text.is_empty());
                end = token.end();
            }
            prop_assert!(text[end..].trim().is_empty());
        }
    }
}
