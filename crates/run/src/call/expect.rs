//! How a value is written, told and shown.

use super::print::text;
use super::signature::{Case, Type};
use super::value::Value;

/// Names of one type that are told.
const NAMES_MAX: usize = 12;

/// Elements of a list of a fixed length that an example shows.
const EXAMPLE_MAX: u32 = 8;

/// Returns what a value of a type is written as, in words.
pub(super) fn expected(ty: &Type) -> String {
    let whole = |least: &str, most: &str| format!("a whole number from {least} to {most}");
    match ty {
        Type::Bool => "`true` or `false`".to_owned(),
        Type::S8 => whole(&i8::MIN.to_string(), &i8::MAX.to_string()),
        Type::U8 => whole("0", &u8::MAX.to_string()),
        Type::S16 => whole(&i16::MIN.to_string(), &i16::MAX.to_string()),
        Type::U16 => whole("0", &u16::MAX.to_string()),
        Type::S32 => whole(&i32::MIN.to_string(), &i32::MAX.to_string()),
        Type::U32 => whole("0", &u32::MAX.to_string()),
        Type::S64 => whole(&i64::MIN.to_string(), &i64::MAX.to_string()),
        Type::U64 => whole("0", &u64::MAX.to_string()),
        Type::F32 | Type::F64 => "a number, `nan`, `inf` or `-inf`".to_owned(),
        Type::Char => "one character".to_owned(),
        Type::String => "a text".to_owned(),
        Type::List(_) if ty.is_bytes() => {
            "bytes: `@FILE`, `@-` for standard input, `hex:…`, `text:…`, or a text that begins otherwise".to_owned()
        }
        Type::List(element) => format!("values, or a JSON array, each {}", expected(element)),
        Type::FixedList { length, .. } => format!("a JSON array of {length}"),
        Type::Tuple(types) => format!("a JSON array of {}", types.len()),
        Type::Map { .. } => "a JSON object, or an array of pairs".to_owned(),
        Type::Record(fields) => {
            format!("a JSON object with {}", listed(fields.iter().map(|field| field.name.clone())))
        }
        Type::Variant(cases) => format!("one of {}", listed(cases.iter().map(case))),
        Type::Enum(names) => format!("one of {}", listed(names.iter().cloned())),
        Type::Flags(names) => format!("none or some of {}, with commas", listed(names.iter().cloned())),
        Type::Option(inner) if inner.is_text() => expected(inner),
        Type::Option(inner) if matches!(**inner, Type::Option(_)) => expected_json(ty),
        Type::Option(inner) => format!("{}, or `null`", expected(inner)),
        Type::Result { ok, err } => {
            let end =
                |name: &str, ty: &Option<Box<Type>>| format!("{name}{}", if ty.is_some() { "=VALUE" } else { "" });
            format!("`{}` or `{}`", end("ok", ok), end("err", err))
        }
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext | Type::TooLarge => {
            "nothing that can be given".to_owned()
        }
    }
}

/// Returns what a value of a type is written as within JSON, in words.
pub(super) fn expected_json(ty: &Type) -> String {
    match ty {
        Type::Char => "a JSON string of one character".to_owned(),
        Type::String => "a JSON string".to_owned(),
        Type::List(_) if ty.is_bytes() => "a JSON array of numbers from 0 to 255".to_owned(),
        Type::List(_) => "a JSON array".to_owned(),
        Type::F32 | Type::F64 => "a number, `\"nan\"`, `\"inf\"` or `\"-inf\"`".to_owned(),
        Type::Flags(names) => format!("a JSON array of {}", listed(names.iter().cloned())),
        Type::Variant(cases) => {
            let case = |case: &Case| match case.ty {
                Some(_) => format!("{{\"{}\": VALUE}}", case.name),
                None => format!("\"{}\"", case.name),
            };
            format!("one of {}", listed(cases.iter().map(case)))
        }
        Type::Result { .. } => "`{\"ok\": VALUE}` or `{\"err\": VALUE}`".to_owned(),
        Type::Option(inner) if matches!(**inner, Type::Option(_)) => "`{\"some\": VALUE}` or `null`".to_owned(),
        Type::Option(inner) => format!("{}, or `null`", expected_json(inner)),
        _ => expected(ty),
    }
}

fn case(case: &Case) -> String {
    format!("{}{}", case.name, if case.ty.is_some() { "=VALUE" } else { "" })
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let mut listed: Vec<String> = names.take(NAMES_MAX + 1).map(|name| format!("`{name}`")).collect();
    if listed.len() > NAMES_MAX {
        listed[NAMES_MAX] = "…".to_owned();
    }
    listed.join(", ")
}

/// Returns words for an example of a type, one but for a list; nothing for what cannot be given.
pub(super) fn example(ty: &Type) -> Option<String> {
    match ty {
        Type::Option(inner) if !matches!(**inner, Type::Option(_)) => example(inner),
        _ if ty.is_bytes() => Some("@FILE".to_owned()),
        Type::Variant(cases) => {
            let case = cases.first()?;
            match &case.ty {
                Some(ty) => Some(format!("{}={}", case.name, example(ty)?)),
                None => Some(case.name.clone()),
            }
        }
        Type::Result { ok: Some(ok), .. } => Some(format!("ok={}", example(ok)?)),
        Type::Result { ok: None, .. } => Some("ok".to_owned()),
        Type::Flags(names) => Some(names.iter().take(2).cloned().collect::<Vec<_>>().join(",")),
        _ => example_value(ty).map(|value| text(&value)),
    }
}

fn example_value(ty: &Type) -> Option<Value> {
    let boxed = |ty: &Option<Box<Type>>| match ty {
        Some(ty) => example_value(ty).map(|value| Some(Box::new(value))),
        None => Some(None),
    };
    Some(match ty {
        Type::Bool => Value::Bool(true),
        Type::S8 => Value::S8(1),
        Type::U8 => Value::U8(1),
        Type::S16 => Value::S16(1),
        Type::U16 => Value::U16(1),
        Type::S32 => Value::S32(1),
        Type::U32 => Value::U32(1),
        Type::S64 => Value::S64(1),
        Type::U64 => Value::U64(1),
        Type::F32 => Value::F32(1.5),
        Type::F64 => Value::F64(1.5),
        Type::Char => Value::Char('a'),
        Type::String => Value::String("hello".to_owned()),
        Type::List(element) => Value::List(vec![example_value(element)?]),
        Type::FixedList { element, length } => {
            let element = example_value(element)?;
            Value::List((0..*length.min(&EXAMPLE_MAX)).map(|_| element.clone()).collect())
        }
        Type::Map { key, value } => Value::Map(vec![(example_value(key)?, example_value(value)?)]),
        Type::Record(fields) => {
            let field = |field: &super::Field| Some((field.name.clone(), example_value(&field.ty)?));
            Value::Record(fields.iter().map(field).collect::<Option<_>>()?)
        }
        Type::Tuple(types) => Value::Tuple(types.iter().map(example_value).collect::<Option<_>>()?),
        Type::Variant(cases) => {
            let case = cases.first()?;
            let payload = case.ty.as_ref().map(|ty| example_value(ty).map(Box::new));
            Value::Variant(case.name.clone(), payload.map_or(Some(None), |payload| payload.map(Some))?)
        }
        Type::Enum(names) => Value::Enum(names.first()?.clone()),
        Type::Option(inner) => Value::Option(example_value(inner).map(Box::new)),
        Type::Result { ok, .. } => Value::Result(Ok(boxed(ok)?)),
        Type::Flags(names) => Value::Flags(names.iter().take(2).cloned().collect()),
        _ => return None,
    })
}
