//! WebAssembly text, which is turned into a binary before anything else happens to it.

use crate::limits::TEXT_BYTES_MAX;

/// Why bytes are no WebAssembly text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidText {
    /// It is larger than [`TEXT_BYTES_MAX`].
    #[error("WebAssembly text of {size} bytes is larger than the limit of {TEXT_BYTES_MAX}")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// It is not UTF-8.
    #[error("WebAssembly text is not UTF-8")]
    Encoding(#[source] std::str::Utf8Error),
    /// It breaks the grammar; the source says where, with line and column.
    #[error("WebAssembly text is malformed")]
    Syntax(#[source] wat::Error),
}

/// Whether the first bytes of a file are those of WebAssembly text: a parenthesis or a comment.
#[must_use]
pub fn is_text(first_bytes: &[u8]) -> bool {
    let start = first_bytes.trim_ascii_start();
    start.starts_with(b"(") || start.starts_with(b";;")
}

/// Returns the binary that a text stands for: a core module or a component.
///
/// # Errors
/// [`InvalidText`], for each way in which the text falls short; see there.
pub fn from_text(bytes: &[u8]) -> Result<Vec<u8>, InvalidText> {
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(InvalidText::TooLarge { size: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(InvalidText::Encoding)?;
    wat::parse_str(text).map_err(InvalidText::Syntax)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{Kind, examine};

    #[test]
    fn text_becomes_the_binary_that_it_stands_for() {
        for (text, expected) in [("(module)", Kind::Module), ("\n ;; none\n(component)", Kind::Component)] {
            assert!(is_text(text.as_bytes()));
            let binary = from_text(text.as_bytes()).unwrap();
            assert_eq!(examine(&mut Cursor::new(binary)).unwrap().kind, expected);
        }
        for bytes in [&b"\0asm\x01\0\0\0"[..], b"", b"module", b"; x"] {
            assert!(!is_text(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn a_fault_is_named_with_its_line_and_column() {
        let error = from_text(b"(module\n  (func (exprt \"x\")))").unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(":2:10"), "{cause}");
        assert!(matches!(from_text(b"(module \xff)"), Err(InvalidText::Encoding(_))));
        assert!(matches!(from_text(&vec![b' '; TEXT_BYTES_MAX + 1]), Err(InvalidText::TooLarge { .. })));
    }
}
