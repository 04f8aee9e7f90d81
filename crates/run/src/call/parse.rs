//! Reads a value as it is written among the words of a call.

use std::str::FromStr;

use super::bytes::Bytes;
use super::fault::{Cause, Fault};
use super::json;
use super::signature::{Case, Type};
use super::value::Value;

/// Reads one word as a value of a type.
pub(super) fn word(ty: &Type, text: &str, bytes: &mut Bytes<'_>) -> Result<Value, Fault> {
    if let Some(what) = ty.not_given() {
        return Err(Cause::NotGiven(what).into());
    }
    match ty {
        Type::String => Ok(Value::String(text.to_owned())),
        Type::List(_) if ty.is_bytes() => Ok(Value::Bytes(bytes.read(text)?)),
        Type::Char => character(text).ok_or_else(|| Fault::value(ty, text)),
        Type::F32 | Type::F64 => {
            not_finite(ty, text).or_else(|| number(ty, text)).ok_or_else(|| Fault::value(ty, text))
        }
        Type::Enum(_) if is_json(text) => json::value(ty, text),
        Type::Enum(names) => name(ty, names, text).map(Value::Enum),
        Type::Flags(_) if is_json(text) => json::value(ty, text),
        Type::Flags(names) => flags(ty, names, text.split(',').filter(|name| !name.is_empty())),
        Type::Option(inner) if inner.is_text() => some(word(inner, text, bytes)?),
        Type::Option(_) if text == "null" => Ok(Value::Option(None)),
        Type::Option(inner) if !matches!(**inner, Type::Option(_)) => some(word(inner, text, bytes)?),
        Type::Variant(_) | Type::Result { .. } if is_json(text) => json::value(ty, text),
        Type::Variant(cases) => variant(ty, cases, text, bytes),
        Type::Result { ok, err } => result(ty, (ok.as_deref(), err.as_deref()), text, bytes),
        _ => json::value(ty, text),
    }
}

/// Reads several words as the elements of a list. One alone may be the whole list as JSON.
pub(super) fn words(ty: &Type, texts: &[&str], bytes: &mut Bytes<'_>) -> Result<Value, Fault> {
    match (ty, texts) {
        (Type::List(_), [text]) if text.trim_start().starts_with('[') => json::value(ty, text),
        (Type::List(element), texts) => {
            let value =
                |(position, text): (usize, &&str)| word(element, text, bytes).map_err(|fault| fault.at(position));
            texts.iter().enumerate().map(value).collect::<Result<_, _>>().map(Value::List)
        }
        (_, texts) => Err(Fault::value(ty, &texts.join(" "))),
    }
}

/// Reads the digits of a number.
pub(super) fn number(ty: &Type, text: &str) -> Option<Value> {
    fn of<T: FromStr>(text: &str) -> Option<T> {
        text.parse().ok()
    }
    Some(match ty {
        Type::S8 => Value::S8(of(text)?),
        Type::U8 => Value::U8(of(text)?),
        Type::S16 => Value::S16(of(text)?),
        Type::U16 => Value::U16(of(text)?),
        Type::S32 => Value::S32(of(text)?),
        Type::U32 => Value::U32(of(text)?),
        Type::S64 => Value::S64(of(text)?),
        Type::U64 => Value::U64(of(text)?),
        // A number that is too large becomes infinite when it is read.
        Type::F32 => Value::F32(of(text).filter(|value: &f32| value.is_finite())?),
        Type::F64 => Value::F64(of(text).filter(|value: &f64| value.is_finite())?),
        _ => return None,
    })
}

/// Reads the word for a number that has no digits.
pub(super) fn not_finite(ty: &Type, text: &str) -> Option<Value> {
    let value = match text {
        "nan" => f32::NAN,
        "inf" => f32::INFINITY,
        "-inf" => f32::NEG_INFINITY,
        _ => return None,
    };
    Some(if *ty == Type::F32 { Value::F32(value) } else { Value::F64(value.into()) })
}

/// Reads a single character.
pub(super) fn character(text: &str) -> Option<Value> {
    let mut characters = text.chars();
    let first = characters.next()?;
    characters.next().is_none().then_some(Value::Char(first))
}

/// Reads one of several names.
pub(super) fn name(ty: &Type, names: &[String], text: &str) -> Result<String, Fault> {
    let is_there = names.iter().any(|name| name == text);
    is_there.then(|| text.to_owned()).ok_or_else(|| Fault::name(ty, text, names.iter().map(String::as_str)))
}

/// Reads flags, and puts them into their order.
pub(super) fn flags<'a>(ty: &Type, names: &[String], set: impl Iterator<Item = &'a str>) -> Result<Value, Fault> {
    let set = set.map(|flag| name(ty, names, flag)).collect::<Result<std::collections::BTreeSet<_>, _>>()?;
    Ok(Value::Flags(names.iter().filter(|name| set.contains(*name)).cloned().collect()))
}

/// Returns the case of a variant.
pub(super) fn case<'a>(ty: &Type, cases: &'a [Case], text: &str) -> Result<&'a Case, Fault> {
    let found = cases.iter().find(|case| case.name == text);
    found.ok_or_else(|| Fault::name(ty, text, cases.iter().map(|case| case.name.as_str())))
}

fn variant(ty: &Type, cases: &[Case], text: &str, bytes: &mut Bytes<'_>) -> Result<Value, Fault> {
    let (name, payload) = parts(text);
    let case = case(ty, cases, name)?;
    Ok(Value::Variant(case.name.clone(), self::payload(ty, case.ty.as_ref(), (text, payload), bytes)?))
}

fn result(
    ty: &Type,
    (ok, err): (Option<&Type>, Option<&Type>),
    text: &str,
    bytes: &mut Bytes<'_>,
) -> Result<Value, Fault> {
    let (name, payload) = parts(text);
    let mut read = |end: Option<&Type>| self::payload(ty, end, (text, payload), bytes);
    match name {
        "ok" => Ok(Value::Result(Ok(read(ok)?))),
        "err" => Ok(Value::Result(Err(read(err)?))),
        _ => Err(Fault::name(ty, name, ["ok", "err"])),
    }
}

/// Reads what a case carries.
fn payload(
    outer: &Type,
    ty: Option<&Type>,
    (text, payload): (&str, Option<&str>),
    bytes: &mut Bytes<'_>,
) -> Result<Option<Box<Value>>, Fault> {
    match (ty, payload) {
        (None, None) => Ok(None),
        (Some(ty), Some(payload)) => {
            word(ty, payload, bytes).map(|value| Some(Box::new(value))).map_err(|fault| fault.in_field(parts(text).0))
        }
        // An option that is left out is none.
        (Some(Type::Option(_)), None) => Ok(Some(Box::new(Value::Option(None)))),
        _ => Err(Fault::value(outer, text)),
    }
}

fn parts(text: &str) -> (&str, Option<&str>) {
    text.split_once('=').map_or((text, None), |(name, payload)| (name, Some(payload)))
}

fn some(value: Value) -> Result<Value, Fault> {
    Ok(Value::Option(Some(Box::new(value))))
}

/// Whether a text is to be JSON, where it could be a word too: names begin with a letter.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
}
