//! Bytes that an argument names instead of holding them.

use std::io::{self, Read};

use super::fault::{Cause, Fault};

/// Bytes of all arguments of a call together. The engine takes each byte of a list as a value, some forty times as large.
pub(super) const ARGUMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where bytes of an argument come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BytesFrom<'a> {
    /// The file of this name: `@NAME`.
    File(&'a str),
    /// Standard input: `@-`.
    Stdin,
}

/// Opens what bytes of an argument come from. What is too long is not read to its end.
pub type Open<'a> = dyn FnMut(BytesFrom<'_>) -> io::Result<Box<dyn Read>> + 'a;

/// What arguments may still take.
pub(super) struct Bytes<'a> {
    open: &'a mut Open<'a>,
    left: u64,
    is_stdin_taken: bool,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(open: &'a mut Open<'a>) -> Self {
        Self { open, left: ARGUMENT_BYTES_MAX, is_stdin_taken: false }
    }

    /// Counts bytes that are taken.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        let limit = ARGUMENT_BYTES_MAX;
        self.left = self.left.checked_sub(bytes as u64).ok_or(Cause::TooLong { limit })?;
        Ok(())
    }

    /// Reads a list of bytes as it is written: `@file`, `@-`, `hex:…`, `text:…`, or any other text, which they are.
    pub(super) fn read(&mut self, text: &str) -> Result<Vec<u8>, Fault> {
        if let Some(name) = text.strip_prefix('@') {
            let from = if name == "-" { BytesFrom::Stdin } else { BytesFrom::File(name) };
            return self.read_from(from);
        }
        match text.strip_prefix("hex:") {
            Some(digits) => of_hex(digits).ok_or_else(|| Self::no_hex(digits)),
            None => Ok(text.strip_prefix("text:").unwrap_or(text).as_bytes().to_vec()),
        }
    }

    fn read_from(&mut self, from: BytesFrom<'_>) -> Result<Vec<u8>, Fault> {
        let name = match from {
            BytesFrom::File(name) => super::fault::shown(name),
            BytesFrom::Stdin => "standard input".to_owned(),
        };
        if from == BytesFrom::Stdin && std::mem::replace(&mut self.is_stdin_taken, true) {
            let source = io::Error::other("another argument has read it");
            return Err(Cause::Read { from: name, source }.into());
        }
        let mut bytes = Vec::new();
        let reader = (self.open)(from).map(|reader| reader.take(self.left.saturating_add(1)));
        reader
            .and_then(|mut reader| reader.read_to_end(&mut bytes))
            .map_err(|source| Cause::Read { from: name, source })?;
        self.take(bytes.len())?;
        Ok(bytes)
    }

    fn no_hex(digits: &str) -> Fault {
        let expected = "an even number of hexadecimal digits after `hex:`".to_owned();
        Cause::Value { expected, found: super::fault::shown(digits), near: None }.into()
    }
}

fn of_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}
