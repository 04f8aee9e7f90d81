//! Types and functions as WIT, in one line.

use wit_parser::{Function, FunctionKind, Handle, Resolve, Stability, Type, TypeDefKind, TypeId};

/// Levels of types in types that are written out; what is deeper is an ellipsis.
const DEPTH_MAX: usize = 16;

/// Returns a type as it stands in a signature.
pub(super) fn type_text(resolve: &Resolve, of: Type) -> String {
    nested(resolve, of, DEPTH_MAX)
}

/// Returns what a type consists of: the target of an alias, the keyword of a type with members.
pub(super) fn definition_text(resolve: &Resolve, id: TypeId) -> String {
    match &resolve.types[id].kind {
        TypeDefKind::Type(target) => type_text(resolve, *target),
        _ => anonymous(resolve, id, DEPTH_MAX),
    }
}

/// Returns the keyword that a type is declared with.
pub(super) fn keyword(resolve: &Resolve, id: TypeId) -> &'static str {
    match &resolve.types[id].kind {
        kind @ (TypeDefKind::Record(_)
        | TypeDefKind::Resource
        | TypeDefKind::Flags(_)
        | TypeDefKind::Variant(_)
        | TypeDefKind::Enum(_)) => kind.as_str(),
        _ => "type",
    }
}

/// Returns what kind of function it is, and of which resource.
pub(super) fn function_path(resolve: &Resolve, function: &Function) -> String {
    let kind = match &function.kind {
        FunctionKind::Freestanding | FunctionKind::AsyncFreestanding => "function",
        FunctionKind::Getter | FunctionKind::MethodGetter(_) | FunctionKind::StaticGetter(_) => "getter",
        FunctionKind::Setter | FunctionKind::MethodSetter(_) | FunctionKind::StaticSetter(_) => "setter",
        FunctionKind::Method(_) | FunctionKind::AsyncMethod(_) => "method",
        FunctionKind::Static(_) | FunctionKind::AsyncStatic(_) => "static",
        FunctionKind::Constructor(_) => "",
    };
    let name = function.item_name();
    let item = if kind.is_empty() { name.to_owned() } else { format!("{kind} {name}") };
    match function.kind.resource() {
        Some(resource) => format!("resource {}: {item}", name_of(resolve, resource)),
        None => item,
    }
}

/// Returns the signature of a function, without its name.
pub(super) fn signature(resolve: &Resolve, function: &Function) -> String {
    use FunctionKind::{AsyncMethod, Method, MethodGetter, MethodSetter};
    let is_method = matches!(function.kind, Method(_) | AsyncMethod(_) | MethodGetter(_) | MethodSetter(_));
    let params = function.params.iter().skip(usize::from(is_method));
    let params: Vec<_> = params.map(|param| format!("{}: {}", param.name, type_text(resolve, param.ty))).collect();
    let keyword = if function.kind.is_async() { "async func" } else { "func" };
    let result = function.result.map(|result| format!(" -> {}", type_text(resolve, result))).unwrap_or_default();
    format!("{keyword}({}){result}", params.join(", "))
}

/// Returns the gate that an item is behind since a version.
pub(super) fn since(stability: &Stability) -> Option<String> {
    match stability {
        Stability::Stable { since, .. } => Some(format!("@since(version = {since})")),
        Stability::Unstable { .. } | Stability::Unknown => None,
    }
}

/// Returns what says that an item is deprecated.
pub(super) fn deprecated(stability: &Stability) -> Option<String> {
    match stability {
        Stability::Stable { deprecated, .. } | Stability::Unstable { deprecated, .. } => {
            deprecated.as_ref().map(|version| format!("@deprecated(version = {version})"))
        }
        Stability::Unknown => None,
    }
}

fn name_of(resolve: &Resolve, id: TypeId) -> &str {
    resolve.types[id].name.as_deref().unwrap_or("_")
}

fn nested(resolve: &Resolve, of: Type, depth: usize) -> String {
    match of {
        Type::Bool => "bool".to_owned(),
        Type::U8 => "u8".to_owned(),
        Type::U16 => "u16".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::S8 => "s8".to_owned(),
        Type::S16 => "s16".to_owned(),
        Type::S32 => "s32".to_owned(),
        Type::S64 => "s64".to_owned(),
        Type::F32 => "f32".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::Char => "char".to_owned(),
        Type::String => "string".to_owned(),
        Type::ErrorContext => "error-context".to_owned(),
        Type::Id(id) => match &resolve.types[id].name {
            Some(name) => name.clone(),
            None => anonymous(resolve, id, depth),
        },
    }
}

fn anonymous(resolve: &Resolve, id: TypeId, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else { return "…".to_owned() };
    let inner = |of: &Type| nested(resolve, *of, depth);
    let optional = |of: &Option<Type>| of.as_ref().map_or("_".to_owned(), inner);
    let of_one = |keyword: &str, of: &Option<Type>| match of {
        Some(of) => format!("{keyword}<{}>", inner(of)),
        None => keyword.to_owned(),
    };
    match &resolve.types[id].kind {
        TypeDefKind::Type(of) => inner(of),
        TypeDefKind::Handle(Handle::Own(resource)) => name_of(resolve, *resource).to_owned(),
        TypeDefKind::Handle(Handle::Borrow(resource)) => format!("borrow<{}>", name_of(resolve, *resource)),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(inner).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Option(of) => format!("option<{}>", inner(of)),
        TypeDefKind::Result(result) => match (&result.ok, &result.err) {
            (None, None) => "result".to_owned(),
            (ok, None) => of_one("result", ok),
            (ok, err) => format!("result<{}, {}>", optional(ok), optional(err)),
        },
        TypeDefKind::List(of) => format!("list<{}>", inner(of)),
        TypeDefKind::FixedLengthList(of, length) => format!("list<{}, {length}>", inner(of)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", inner(key), inner(value)),
        TypeDefKind::Future(of) => of_one("future", of),
        TypeDefKind::Stream(of) => of_one("stream", of),
        kind @ (TypeDefKind::Record(_)
        | TypeDefKind::Resource
        | TypeDefKind::Flags(_)
        | TypeDefKind::Variant(_)
        | TypeDefKind::Enum(_)
        | TypeDefKind::Unknown) => kind.as_str().to_owned(),
    }
}
