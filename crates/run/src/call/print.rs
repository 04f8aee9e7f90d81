//! Prints what a function answered.

use std::io::{self, Write};

use super::value::{Answer, Value, not_finite};

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For another program: a string and a list of bytes as they are, what else is no single word as JSON in one line.
    Plain,
    /// The same for a reader, with JSON over several lines.
    Pretty,
    /// `{"ok": …}` or `{"err": …}` in one line.
    Json,
}

impl Answer {
    /// Prints it, with a line feed but after bytes. Nothing is printed for no value.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn print(&self, form: Form, mut out: impl Write) -> io::Result<()> {
        let (Self::Ok(value) | Self::Err(value)) = self;
        match (form, value) {
            (Form::Json, _) => serde_json::to_writer(&mut out, self)?,
            (_, None) => return Ok(()),
            (_, Some(value)) => {
                if let Some(bytes) = bytes_of(value) {
                    return out.write_all(bytes);
                }
                match (word(value), form) {
                    (Some(word), _) => out.write_all(word.as_bytes())?,
                    (None, Form::Pretty) => serde_json::to_writer_pretty(&mut out, value)?,
                    (None, _) => serde_json::to_writer(&mut out, value)?,
                }
            }
        }
        out.write_all(b"\n")
    }
}

/// Returns a value as it may be written among the words of a call, but for a list of bytes.
pub(super) fn text(value: &Value) -> String {
    word(value).unwrap_or_else(|| serde_json::to_string(value).expect("a value has no keys but strings"))
}

fn bytes_of(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        Value::Option(Some(value)) => match &**value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        },
        _ => None,
    }
}

/// Returns a value as one word, where it needs no JSON.
fn word(value: &Value) -> Option<String> {
    Some(match value {
        // An option of an option needs what tells both apart.
        Value::Option(Some(inner)) if matches!(**inner, Value::Option(_)) => return None,
        Value::F32(value) if !value.is_finite() => not_finite((*value).into()).to_owned(),
        Value::F64(value) if !value.is_finite() => not_finite(*value).to_owned(),
        Value::Char(value) => value.to_string(),
        Value::String(value) | Value::Enum(value) | Value::Handle(value) | Value::Variant(value, None) => value.clone(),
        Value::Option(Some(value)) => {
            // A case that is called as none is written needs its quotes.
            return word(value).filter(|word| matches!(**value, Value::String(_)) || word != "null");
        }
        _ => return None,
    })
}
