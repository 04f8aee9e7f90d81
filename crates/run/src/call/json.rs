//! Reads a value as JSON.
//!
//! The type leads: JSON that is nested deeper than the type is not read so deep, and digits are read as what they are to
//! be, so that all of 64 bits is kept.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::bytes::Bytes;
use super::fault::{Cause, Fault, near};
use super::parse;
use super::signature::{Field, Type};
use super::value::Value;

/// The entries of an object, in their order and with those that are there twice.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

/// Reads a text as a value of a type.
pub(super) fn value(ty: &Type, text: &str) -> Result<Value, Fault> {
    if let Some(what) = ty.not_given() {
        return Err(Cause::NotGiven(what).into());
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => read(ty, raw.get()),
        // A word that was meant to be a number or a name is to hear that, and not of JSON.
        Err(error) if text.trim_start().starts_with(['{', '[', '"']) => {
            Err(Cause::Json { expected: super::expect::expected(ty), fault: error.to_string() }.into())
        }
        Err(_) => Err(Fault::value(ty, text)),
    }
}

/// Reads valid JSON.
fn read(ty: &Type, raw: &str) -> Result<Value, Fault> {
    let wrong = || Fault::json(ty, raw);
    match ty {
        Type::Bool => parsed(raw).map(Value::Bool).ok_or_else(wrong),
        Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 | Type::S64 | Type::U64 => {
            parse::number(ty, raw).ok_or_else(wrong)
        }
        Type::F32 | Type::F64 => match parsed::<String>(raw) {
            Some(word) => parse::not_finite(ty, &word).ok_or_else(wrong),
            None => parse::number(ty, raw).ok_or_else(wrong),
        },
        Type::Char => parsed::<String>(raw).and_then(|text| parse::character(&text)).ok_or_else(wrong),
        Type::String => parsed(raw).map(Value::String).ok_or_else(wrong),
        Type::Enum(names) => parse::name(ty, names, &parsed::<String>(raw).ok_or_else(wrong)?).map(Value::Enum),
        Type::Flags(names) => {
            let set: Vec<String> = parsed(raw).ok_or_else(wrong)?;
            parse::flags(ty, names, set.iter().map(String::as_str))
        }
        Type::List(_) if ty.is_bytes() => parsed(raw).map(Value::Bytes).ok_or_else(wrong),
        Type::List(element) => elements(raw).ok_or_else(wrong).and_then(|raw| list(raw, |_| element)).map(Value::List),
        Type::FixedList { element, length } => {
            let raw = elements(raw).filter(|raw| raw.len() == *length as usize).ok_or_else(wrong)?;
            list(raw, |_| element).map(Value::List)
        }
        Type::Tuple(types) => {
            let raw = elements(raw).filter(|raw| raw.len() == types.len()).ok_or_else(wrong)?;
            list(raw, |position| &types[position]).map(Value::Tuple)
        }
        Type::Map { key, value } => map(ty, key, value, raw),
        Type::Record(fields) => record(fields, entries(raw).ok_or_else(wrong)?),
        Type::Option(inner) => option(ty, inner, raw),
        Type::Variant(_) => variant(ty, raw),
        Type::Result { ok, err } => {
            let (end, payload) = single(raw).ok_or_else(wrong)?;
            match end.as_str() {
                "ok" => Ok(Value::Result(Ok(self::payload(ty, ok.as_deref(), (&end, payload))?))),
                "err" => Ok(Value::Result(Err(self::payload(ty, err.as_deref(), (&end, payload))?))),
                _ => Err(wrong()),
            }
        }
        _ => Err(Cause::NotGiven(ty.not_given().unwrap_or("nothing")).into()),
    }
}

fn parsed<'a, T: Deserialize<'a>>(raw: &'a str) -> Option<T> {
    serde_json::from_str(raw).ok()
}

fn elements(raw: &str) -> Option<Vec<&RawValue>> {
    parsed(raw)
}

fn entries(raw: &str) -> Option<Vec<(String, &RawValue)>> {
    parsed(raw).map(|Entries(entries)| entries)
}

/// Returns the entry of an object that has but one.
fn single(raw: &str) -> Option<(String, &RawValue)> {
    let [entry] = <[_; 1]>::try_from(entries(raw)?).ok()?;
    Some(entry)
}

fn list<'t>(raw: Vec<&RawValue>, ty: impl Fn(usize) -> &'t Type) -> Result<Vec<Value>, Fault> {
    let element =
        |(position, raw): (usize, &RawValue)| read(ty(position), raw.get()).map_err(|fault| fault.at(position));
    raw.into_iter().enumerate().map(element).collect()
}

fn map(ty: &Type, key: &Type, value: &Type, raw: &str) -> Result<Value, Fault> {
    if let Some(entries) = entries(raw) {
        let mut no_files = no_files;
        let mut bytes = Bytes::new(&mut no_files);
        let entry = |(name, raw): (String, &RawValue)| {
            let key = parse::word(key, &name, &mut bytes).map_err(|fault| fault.in_field(&name))?;
            Ok((key, read(value, raw.get()).map_err(|fault| fault.in_field(&name))?))
        };
        return entries.into_iter().map(entry).collect::<Result<_, _>>().map(Value::Map);
    }
    let pairs: Vec<[&RawValue; 2]> = parsed(raw).ok_or_else(|| Fault::json(ty, raw))?;
    let pair = |(position, [name, raw]): (usize, [&RawValue; 2])| {
        let pair = read(key, name.get()).and_then(|key| Ok((key, read(value, raw.get())?)));
        pair.map_err(|fault| fault.at(position))
    };
    pairs.into_iter().enumerate().map(pair).collect::<Result<_, _>>().map(Value::Map)
}

fn record(fields: &[Field], entries: Vec<(String, &RawValue)>) -> Result<Value, Fault> {
    let mut given: Vec<Option<&RawValue>> = vec![None; fields.len()];
    for (name, raw) in entries {
        let Some(position) = fields.iter().position(|field| field.name == name) else {
            let near = near(&name, fields.iter().map(|field| field.name.as_str()));
            return Err(Fault::from(Cause::Unknown { near }).in_field(&name));
        };
        if given[position].replace(raw).is_some() {
            return Err(Fault::from(Cause::Twice).in_field(&name));
        }
    }
    let field = |(field, raw): (&Field, Option<&RawValue>)| {
        let value = match (raw, &field.ty) {
            (Some(raw), ty) => read(ty, raw.get()),
            (None, Type::Option(_)) => Ok(Value::Option(None)),
            (None, _) => Err(Cause::Missing.into()),
        };
        value.map(|value| (field.name.clone(), value)).map_err(|fault| fault.in_field(&field.name))
    };
    fields.iter().zip(given).map(field).collect::<Result<_, _>>().map(Value::Record)
}

fn option(ty: &Type, inner: &Type, raw: &str) -> Result<Value, Fault> {
    if raw == "null" {
        return Ok(Value::Option(None));
    }
    if !matches!(inner, Type::Option(_)) {
        return read(inner, raw).map(|value| Value::Option(Some(Box::new(value))));
    }
    match single(raw) {
        Some((name, raw)) if name == "some" => read(inner, raw.get()).map(|value| Value::Option(Some(Box::new(value)))),
        _ => Err(Fault::json(ty, raw)),
    }
}

fn variant(ty: &Type, raw: &str) -> Result<Value, Fault> {
    let Type::Variant(cases) = ty else { return Err(Fault::json(ty, raw)) };
    if let Some(name) = parsed::<String>(raw) {
        let case = parse::case(ty, cases, &name)?;
        return match case.ty {
            None => Ok(Value::Variant(name, None)),
            Some(_) => Err(Fault::json(ty, raw)),
        };
    }
    let (name, raw) = single(raw).ok_or_else(|| Fault::json(ty, raw))?;
    let case = parse::case(ty, cases, &name)?;
    let payload = payload(ty, case.ty.as_ref(), (&name, raw))?;
    Ok(Value::Variant(name, payload))
}

/// Reads what a case carries; `null` for nothing.
fn payload(outer: &Type, ty: Option<&Type>, (name, raw): (&str, &RawValue)) -> Result<Option<Box<Value>>, Fault> {
    match ty {
        Some(ty) => read(ty, raw.get()).map(|value| Some(Box::new(value))).map_err(|fault| fault.in_field(name)),
        None if raw.get() == "null" => Ok(None),
        None => Err(Fault::json(outer, raw.get())),
    }
}

/// Keys are no bytes, so that no key opens a file.
fn no_files(_: super::BytesFrom<'_>) -> std::io::Result<Box<dyn std::io::Read>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Entries<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Read)
    }
}
