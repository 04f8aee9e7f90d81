//! Values: what a function is given, and what it returns.

use serde::ser::{SerializeMap as _, SerializeTuple as _};
use serde::{Serialize, Serializer};

use super::print::text;

/// A value of a type of WIT.
///
/// As JSON: a record is an object, a variant `"case"` or `{"case": payload}`, a result `{"ok": …}` or `{"err": …}`, a map
/// an object, flags an array of names, a list of bytes an array of numbers. An option is its value or `null`; in an
/// option of an option the inner one is `{"some": …}`, so that both `null`s differ. `nan`, `inf` and `-inf` are strings.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "they are called as in WIT")]
pub enum Value {
    Bool(bool),
    S8(i8),
    U8(u8),
    S16(i16),
    U16(u16),
    S32(i32),
    U32(u32),
    S64(i64),
    U64(u64),
    F32(f32),
    F64(f64),
    Char(char),
    String(String),
    /// A `list<u8>`.
    Bytes(Vec<u8>),
    /// Any other list, of a fixed length or not.
    List(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Record(Vec<(String, Self)>),
    Tuple(Vec<Self>),
    Variant(String, Option<Box<Self>>),
    Enum(String),
    Option(Option<Box<Self>>),
    Result(Result<Option<Box<Self>>, Option<Box<Self>>>),
    Flags(Vec<String>),
    /// What only the guest can hold, in words: `<resource counter>`, `<stream>`.
    Handle(String),
}

/// What a function answers. Its JSON is `{"ok": …}` or `{"err": …}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// What it returned: the value of the good end where that is a result, and nothing where there is none.
    Ok(Option<Value>),
    /// The other end of a result.
    Err(Option<Value>),
}

impl Answer {
    /// Takes a result apart.
    pub(super) fn of(value: Option<Value>) -> Self {
        match value {
            Some(Value::Result(Ok(value))) => Self::Ok(value.map(|value| *value)),
            Some(Value::Result(Err(value))) => Self::Err(value.map(|value| *value)),
            value => Self::Ok(value),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::S8(value) => serializer.serialize_i8(*value),
            Self::U8(value) => serializer.serialize_u8(*value),
            Self::S16(value) => serializer.serialize_i16(*value),
            Self::U16(value) => serializer.serialize_u16(*value),
            Self::S32(value) => serializer.serialize_i32(*value),
            Self::U32(value) => serializer.serialize_u32(*value),
            Self::S64(value) => serializer.serialize_i64(*value),
            Self::U64(value) => serializer.serialize_u64(*value),
            Self::F32(value) if value.is_finite() => serializer.serialize_f32(*value),
            Self::F64(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::F32(value) => serializer.serialize_str(not_finite((*value).into())),
            Self::F64(value) => serializer.serialize_str(not_finite(*value)),
            Self::Char(value) => serializer.serialize_char(*value),
            Self::String(value) | Self::Enum(value) | Self::Handle(value) => serializer.serialize_str(value),
            Self::Variant(case, None) => serializer.serialize_str(case),
            Self::Variant(case, Some(payload)) => entry(serializer, case, Some(&**payload)),
            Self::Bytes(bytes) => serializer.collect_seq(bytes),
            Self::List(values) => serializer.collect_seq(values),
            Self::Flags(names) => serializer.collect_seq(names),
            Self::Tuple(values) => {
                let mut tuple = serializer.serialize_tuple(values.len())?;
                values.iter().try_for_each(|value| tuple.serialize_element(value))?;
                tuple.end()
            }
            Self::Record(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
            Self::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (text(key), value))),
            Self::Option(None) => serializer.serialize_none(),
            Self::Option(Some(value)) => match &**value {
                inner @ Self::Option(_) => entry(serializer, "some", Some(inner)),
                inner => inner.serialize(serializer),
            },
            Self::Result(Ok(value)) => entry(serializer, "ok", value.as_deref()),
            Self::Result(Err(value)) => entry(serializer, "err", value.as_deref()),
        }
    }
}

/// Writes an object of one entry.
fn entry<S: Serializer>(serializer: S, key: &str, value: Option<&Value>) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, &value)?;
    map.end()
}

/// Returns the word for a number that JSON has none for.
pub(super) fn not_finite(value: f64) -> &'static str {
    match (value.is_nan(), value > 0.0) {
        (true, _) => "nan",
        (false, true) => "inf",
        (false, false) => "-inf",
    }
}
