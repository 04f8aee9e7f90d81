//! Values as the engine takes and gives them.

use wasmtime::component::{ResourceAny, Val};

use super::signature::Type;
use super::value::Value;

/// Returns a value for a parameter of a component.
pub(super) fn to_component(ty: &Type, value: &Value) -> Val {
    let boxed = |ty: Option<&Type>, value: &Option<Box<Value>>| {
        value.as_deref().zip(ty).map(|(value, ty)| Box::new(to_component(ty, value)))
    };
    match (ty, value) {
        (Type::List(ty), Value::List(values)) => {
            Val::List(values.iter().map(|value| to_component(ty, value)).collect())
        }
        (Type::FixedList { element, .. }, Value::List(values)) => {
            Val::FixedLengthList(values.iter().map(|value| to_component(element, value)).collect())
        }
        (Type::Map { key: key_type, value: value_type }, Value::Map(entries)) => {
            let entry = |(key, value): &(Value, Value)| (to_component(key_type, key), to_component(value_type, value));
            Val::Map(entries.iter().map(entry).collect())
        }
        (Type::Record(types), Value::Record(fields)) => {
            let fields = fields.iter().zip(types);
            Val::Record(fields.map(|((name, value), field)| (name.clone(), to_component(&field.ty, value))).collect())
        }
        (Type::Tuple(types), Value::Tuple(values)) => {
            Val::Tuple(values.iter().zip(types).map(|(value, ty)| to_component(ty, value)).collect())
        }
        (Type::Variant(cases), Value::Variant(name, payload)) => {
            let case = cases.iter().find(|case| case.name == *name);
            Val::Variant(name.clone(), boxed(case.and_then(|case| case.ty.as_ref()), payload))
        }
        (Type::Option(ty), Value::Option(value)) => Val::Option(boxed(Some(ty), value)),
        (Type::Result { ok, err }, Value::Result(value)) => Val::Result(match value {
            Ok(value) => Ok(boxed(ok.as_deref(), value)),
            Err(value) => Err(boxed(err.as_deref(), value)),
        }),
        (_, value) => scalar(value),
    }
}

fn scalar(value: &Value) -> Val {
    match value {
        Value::Bool(value) => Val::Bool(*value),
        Value::S8(value) => Val::S8(*value),
        Value::U8(value) => Val::U8(*value),
        Value::S16(value) => Val::S16(*value),
        Value::U16(value) => Val::U16(*value),
        Value::S32(value) => Val::S32(*value),
        Value::U32(value) => Val::U32(*value),
        Value::S64(value) => Val::S64(*value),
        Value::U64(value) => Val::U64(*value),
        Value::F32(value) => Val::Float32(*value),
        Value::F64(value) => Val::Float64(*value),
        Value::Char(value) => Val::Char(*value),
        Value::String(value) => Val::String(value.clone()),
        Value::Bytes(bytes) => Val::List(bytes.iter().copied().map(Val::U8).collect()),
        Value::Enum(name) => Val::Enum(name.clone()),
        Value::Flags(names) => Val::Flags(names.clone()),
        // A value is parsed by the type that it is given for, and the engine refuses what does not fit.
        _ => Val::Tuple(Vec::new()),
    }
}

/// Returns a value that a component gave. Handles of resources in it are put into `held`, so that they can be dropped.
pub(super) fn of_component(ty: Option<&Type>, value: Val, held: &mut Vec<ResourceAny>) -> Value {
    match (value, ty) {
        (Val::Bool(value), _) => Value::Bool(value),
        (Val::S8(value), _) => Value::S8(value),
        (Val::U8(value), _) => Value::U8(value),
        (Val::S16(value), _) => Value::S16(value),
        (Val::U16(value), _) => Value::U16(value),
        (Val::S32(value), _) => Value::S32(value),
        (Val::U32(value), _) => Value::U32(value),
        (Val::S64(value), _) => Value::S64(value),
        (Val::U64(value), _) => Value::U64(value),
        (Val::Float32(value), _) => Value::F32(value),
        (Val::Float64(value), _) => Value::F64(value),
        (Val::Char(value), _) => Value::Char(value),
        (Val::String(value), _) => Value::String(value),
        (Val::Enum(name), _) => Value::Enum(name),
        (Val::Flags(names), _) => Value::Flags(names),
        (Val::Resource(resource), ty) => {
            held.push(resource);
            Value::Handle(match ty {
                Some(Type::Own(resource) | Type::Borrow(resource)) => format!("<resource {}>", resource.name),
                _ => "<resource>".to_owned(),
            })
        }
        (Val::Future(_), _) => Value::Handle("<future>".to_owned()),
        (Val::Stream(_), _) => Value::Handle("<stream>".to_owned()),
        (Val::ErrorContext(_), _) => Value::Handle("<error-context>".to_owned()),
        (Val::List(values), Some(ty)) if ty.is_bytes() => Value::Bytes(values.into_iter().filter_map(byte).collect()),
        (value, ty) => of_several(ty, value, held),
    }
}

/// Returns a value that is made of others.
fn of_several(ty: Option<&Type>, value: Val, held: &mut Vec<ResourceAny>) -> Value {
    let mut boxed =
        |ty: Option<&Type>, value: Option<Box<Val>>| value.map(|value| Box::new(of_component(ty, *value, held)));
    match (value, ty) {
        (Val::Option(value), Some(Type::Option(ty))) => Value::Option(boxed(Some(ty), value)),
        (Val::Option(value), _) => Value::Option(boxed(None, value)),
        (Val::Result(Ok(value)), Some(Type::Result { ok, .. })) => Value::Result(Ok(boxed(ok.as_deref(), value))),
        (Val::Result(Err(value)), Some(Type::Result { err, .. })) => Value::Result(Err(boxed(err.as_deref(), value))),
        (Val::Result(value), _) => Value::Result(match value {
            Ok(value) => Ok(boxed(None, value)),
            Err(value) => Err(boxed(None, value)),
        }),
        (Val::Variant(name, payload), Some(Type::Variant(cases))) => {
            let ty = cases.iter().find(|case| case.name == name).and_then(|case| case.ty.as_ref());
            Value::Variant(name, boxed(ty, payload))
        }
        (Val::Variant(name, payload), _) => Value::Variant(name, boxed(None, payload)),
        (Val::List(values) | Val::FixedLengthList(values), ty) => {
            let element = match ty {
                Some(Type::List(element) | Type::FixedList { element, .. }) => Some(&**element),
                _ => None,
            };
            Value::List(values.into_iter().map(|value| of_component(element, value, held)).collect())
        }
        (Val::Tuple(values), ty) => {
            let types = if let Some(Type::Tuple(types)) = ty { types.as_slice() } else { &[] };
            let values = values.into_iter().enumerate();
            Value::Tuple(values.map(|(position, value)| of_component(types.get(position), value, held)).collect())
        }
        (Val::Record(fields), ty) => {
            let types = if let Some(Type::Record(types)) = ty { types.as_slice() } else { &[] };
            let field = |(position, (name, value)): (usize, (String, Val))| {
                (name, of_component(types.get(position).map(|field| &field.ty), value, held))
            };
            Value::Record(fields.into_iter().enumerate().map(field).collect())
        }
        (Val::Map(entries), ty) => {
            let (key, of) =
                if let Some(Type::Map { key, value }) = ty { (Some(&**key), Some(&**value)) } else { (None, None) };
            let entry = |(name, value)| (of_component(key, name, held), of_component(of, value, held));
            Value::Map(entries.into_iter().map(entry).collect())
        }
        // The rest was told before.
        _ => Value::Handle("<value>".to_owned()),
    }
}

fn byte(value: Val) -> Option<u8> {
    if let Val::U8(value) = value { Some(value) } else { None }
}

/// Returns a value for a parameter of a core module.
pub(super) fn to_core(value: &Value) -> wasmtime::Val {
    match value {
        Value::S64(value) => wasmtime::Val::I64(*value),
        Value::F32(value) => wasmtime::Val::F32(value.to_bits()),
        Value::F64(value) => wasmtime::Val::F64(value.to_bits()),
        Value::S32(value) => wasmtime::Val::I32(*value),
        // A value is parsed by the type that it is given for, and the engine refuses what does not fit.
        _ => wasmtime::Val::null_func_ref(),
    }
}

/// Returns the values that a core module gave: one, or several together.
pub(super) fn of_core(values: &[wasmtime::Val]) -> Option<Value> {
    let value = |value: &wasmtime::Val| match value {
        wasmtime::Val::I32(value) => Value::S32(*value),
        wasmtime::Val::I64(value) => Value::S64(*value),
        wasmtime::Val::F32(bits) => Value::F32(f32::from_bits(*bits)),
        wasmtime::Val::F64(bits) => Value::F64(f64::from_bits(*bits)),
        _ => Value::Handle("<value>".to_owned()),
    };
    let mut values: Vec<Value> = values.iter().map(value).collect();
    if values.len() > 1 { Some(Value::Tuple(values)) } else { values.pop() }
}
