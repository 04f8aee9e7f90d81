//! Packages for tests.

use crate::{Document, TextFile, merge};

/// Reads a package of one file `<label>.wit`.
pub(crate) fn text(label: &str, text: &str) -> Document {
    let file = TextFile { name: format!("{label}.wit"), text: text.to_owned() };
    Document::parse(label, vec![file]).unwrap_or_else(|error| panic!("{error}"))
}

/// Reads a package as Wasm that has been encoded with what it needs.
pub(crate) fn wasm(label: &str, root: &str, needed: &[&str]) -> Document {
    let needed = needed.iter().map(|needed| text("needed", needed)).collect();
    let resolved = merge(text(label, root), needed).unwrap_or_else(|error| panic!("{error}"));
    Document::decode(label, &resolved.encode().unwrap()).unwrap()
}
