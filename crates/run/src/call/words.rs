//! Reads the words of a command line as a call.
//!
//! ```text
//!   FUNCTION [VALUE | --ARGUMENT VALUE | --ARGUMENT=VALUE | --ARGUMENT.FIELD VALUE]… [-- VALUE…] [. METHOD …]…
//! ```

use super::bytes::{Bytes, Open};
use super::fault::{Cause, Fault, UsageError, near, shown};
use super::find::{check_first, find, find_method};
use super::signature::{Field, Function, Parameter, Resource, Type};
use super::value::Value;
use super::{Call, Step, parse};

/// Begins the name of an argument.
const DASHES: &str = "--";

/// Stands before a method of the resource that the words before it made.
const THEN: &str = ".";

/// Steps of one call.
const STEPS_MAX: usize = 1_000;

/// The words that belong to one function.
#[derive(Default)]
struct Given<'w> {
    in_order: Vec<&'w str>,
    named: Vec<Named<'w>>,
}

/// A value with a name: `--ARGUMENT.FIELD VALUE`.
#[derive(Clone)]
struct Named<'w> {
    /// `ARGUMENT`, then the fields that lead to it.
    path: Vec<&'w str>,
    value: &'w str,
}

impl Call {
    /// Reads words as a call: which function, and what it is given. All is checked here, before anything runs.
    ///
    /// # Errors
    /// [`UsageError`]. What the guest does with the values is not known yet.
    pub fn parse<W: AsRef<str>>(functions: &[Function], words: &[W], open: &mut Open<'_>) -> Result<Self, UsageError> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let mut bytes = Bytes::new(open);
        let (mut function, taken) = find(functions, &words)?;
        check_first(function)?;
        let mut rest = &words[taken..];
        let mut held: Option<&Resource> = None;
        let mut steps = Vec::new();
        loop {
            if function.result.as_ref().is_some_and(Type::is_cut) {
                return Err(UsageError::ResultTooLarge { name: function.name().to_owned() });
            }
            held = function.handed_over().or(held);
            let (given, after) = given(rest, held.is_some() && steps.len() < STEPS_MAX)?;
            let arguments = arguments(&function.parameters, &given, &mut bytes)?;
            steps.push(Step { function: function.clone(), arguments });
            match (after, held) {
                (Some(after), Some(resource)) => {
                    function = find_method(functions, resource, after.first())?;
                    rest = after.get(1..).unwrap_or_default();
                }
                _ => return Ok(Self { steps }),
            }
        }
    }
}

/// Sorts words to the end, or to the [`THEN`] before another method; then, what is after that.
fn given<'a, 'w>(words: &'a [&'w str], may_go_on: bool) -> Result<(Given<'w>, Option<&'a [&'w str]>), UsageError> {
    let mut given = Given::default();
    let mut position = 0;
    while let Some(word) = words.get(position) {
        position += 1;
        let name = word.strip_prefix(DASHES).filter(|name| name.is_empty() || name.starts_with(char::is_alphabetic));
        match name {
            Some("") => {
                given.in_order.extend(&words[position..]);
                break;
            }
            Some(name) => {
                let (name, value) = match name.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => {
                        position += 1;
                        (name, words.get(position - 1).copied())
                    }
                };
                let value = value.ok_or_else(|| UsageError::Missing { name: shown(name) })?;
                given.named.push(Named { path: name.split('.').collect(), value });
            }
            None if *word == THEN && may_go_on => return Ok((given, Some(&words[position..]))),
            None => given.in_order.push(word),
        }
    }
    Ok((given, None))
}

/// Reads the values of all parameters.
fn arguments(parameters: &[Parameter], given: &Given<'_>, bytes: &mut Bytes<'_>) -> Result<Vec<Value>, UsageError> {
    for named in &given.named {
        let name = named.path[0];
        if !parameters.iter().any(|parameter| parameter.name == name) {
            let near = near(name, parameters.iter().map(|parameter| parameter.name.as_str()));
            return Err(UsageError::UnknownArgument { name: shown(name), near });
        }
    }
    let mut open =
        parameters.iter().filter(|parameter| given.named.iter().all(|named| named.path[0] != parameter.name));
    let last = open.next_back().map(|parameter| parameter.name.as_str());
    let mut in_order = given.in_order.as_slice();
    let mut values = Vec::new();
    for Parameter { name, ty } in parameters {
        let named: Vec<Named<'_>> = given.named.iter().filter(|named| named.path[0] == name).cloned().collect();
        let value = if named.is_empty() {
            let take = if last == Some(name) && ty.is_variadic() { in_order.len() } else { 1 };
            let (words, rest) = in_order.split_at(take.min(in_order.len()));
            in_order = rest;
            of_words(ty, words, bytes)
        } else {
            of_named(ty, named, bytes)
        };
        values.push(value.map_err(|fault| fault.of_argument(name))?);
    }
    match in_order.first() {
        Some(word) => Err(UsageError::TooMany { word: shown(word) }),
        None => Ok(values),
    }
}

/// Reads the value of words that stand for one parameter.
fn of_words(ty: &Type, words: &[&str], bytes: &mut Bytes<'_>) -> Result<Value, Fault> {
    if let Some(what) = ty.not_given() {
        return Err(Cause::NotGiven(what).into());
    }
    words.iter().try_for_each(|word| bytes.take(word.len()))?;
    match (words, ty) {
        ([], Type::Option(_)) => Ok(Value::Option(None)),
        ([], _) => Err(Cause::Missing.into()),
        (words, _) if ty.is_variadic() => parse::words(ty, words, bytes),
        ([word], _) => parse::word(ty, word, bytes),
        _ => Err(Cause::Twice.into()),
    }
}

/// Reads the value that is put together of named ones.
fn of_named(ty: &Type, named: Vec<Named<'_>>, bytes: &mut Bytes<'_>) -> Result<Value, Fault> {
    let (whole, parts): (Vec<_>, Vec<_>) = named.into_iter().partition(|named| named.path.len() == 1);
    match (whole.is_empty(), parts.is_empty()) {
        (false, false) => return Err(Cause::Twice.into()),
        (_, true) => {
            let words: Vec<&str> = whole.iter().map(|named| named.value).collect();
            // An option of a list may be repeated as a list may.
            return match ty {
                Type::Option(inner) if inner.is_variadic() && words != ["null"] => {
                    of_words(inner, &words, bytes).map(|value| Value::Option(Some(Box::new(value))))
                }
                ty => of_words(ty, &words, bytes),
            };
        }
        (true, false) => (),
    }
    let parts = parts.into_iter().map(|named| Named { path: named.path[1..].to_vec(), value: named.value }).collect();
    match ty {
        Type::Record(fields) => of_fields(fields, parts, bytes),
        Type::Option(inner) => match &**inner {
            Type::Record(fields) => of_fields(fields, parts, bytes).map(|value| Value::Option(Some(Box::new(value)))),
            _ => Err(no_field(&parts, &[])),
        },
        _ => Err(no_field(&parts, &[])),
    }
}

fn of_fields(fields: &[Field], parts: Vec<Named<'_>>, bytes: &mut Bytes<'_>) -> Result<Value, Fault> {
    let is_field = |part: &Named<'_>| fields.iter().any(|field| field.name == part.path[0]);
    if !parts.iter().all(is_field) {
        let parts: Vec<_> = parts.into_iter().filter(|part| !is_field(part)).collect();
        return Err(no_field(&parts, fields));
    }
    let field = |field: &Field| {
        let parts: Vec<Named<'_>> = parts.iter().filter(|part| part.path[0] == field.name).cloned().collect();
        let value = if parts.is_empty() { of_words(&field.ty, &[], bytes) } else { of_named(&field.ty, parts, bytes) };
        value.map(|value| (field.name.clone(), value)).map_err(|fault| fault.in_field(&field.name))
    };
    fields.iter().map(field).collect::<Result<_, _>>().map(Value::Record)
}

fn no_field(parts: &[Named<'_>], fields: &[Field]) -> Fault {
    let name = parts.first().map_or("", |part| part.path[0]);
    Fault::from(Cause::Unknown { near: near(name, fields.iter().map(|field| field.name.as_str())) }).in_field(name)
}
