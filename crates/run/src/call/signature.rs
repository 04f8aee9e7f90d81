//! What a function takes and returns.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

/// The name of constructors.
const CONSTRUCTOR: &str = "new";

/// A function that can be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Function {
    /// The interface that it is of, with its version; nothing where the program exports the function itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// What it is to a resource, with its name.
    pub kind: FunctionKind,
    /// What it takes; without the resource, for a method.
    pub parameters: Vec<Parameter>,
    /// What it returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Type>,
    /// Whether it is async in the WIT. It is called alike.
    pub is_async: bool,
}

/// What a function is to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FunctionKind {
    /// Nothing: the name of the function.
    Free(String),
    /// It makes one.
    Constructor {
        /// The name of the resource.
        resource: String,
    },
    /// It does something with one.
    Method {
        /// The name of the resource.
        resource: String,
        /// The name of the method.
        name: String,
    },
    /// It belongs to one, and needs none.
    Static {
        /// The name of the resource.
        resource: String,
        /// The name of the function.
        name: String,
    },
}

/// Something that a function takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name; core modules have none, theirs are `arg1`, `arg2` and so on.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// A type of WIT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "they are called as in WIT")]
pub enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    List(Box<Self>),
    /// A list that is always as long.
    FixedList {
        element: Box<Self>,
        length: u32,
    },
    Map {
        key: Box<Self>,
        value: Box<Self>,
    },
    Record(Vec<Field>),
    Tuple(Vec<Self>),
    Variant(Vec<Case>),
    Enum(Vec<String>),
    Option(Box<Self>),
    Result {
        ok: Option<Box<Self>>,
        err: Option<Box<Self>>,
    },
    Flags(Vec<String>),
    Own(Resource),
    Borrow(Resource),
    Future(Option<Box<Self>>),
    Stream(Option<Box<Self>>),
    ErrorContext,
    /// One that was not read on, as it is deeper or larger than anybody writes.
    TooLarge,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// A case of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The type of what it carries, if anything.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<Type>,
}

/// The type of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// The interface that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Its name.
    pub name: String,
}

impl Function {
    /// Returns its name as it is called; a constructor's is `new`.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.kind {
            FunctionKind::Free(name) | FunctionKind::Method { name, .. } | FunctionKind::Static { name, .. } => name,
            FunctionKind::Constructor { .. } => CONSTRUCTOR,
        }
    }

    /// Returns the name of the resource that it belongs to.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        match &self.kind {
            FunctionKind::Free(_) => None,
            FunctionKind::Constructor { resource }
            | FunctionKind::Method { resource, .. }
            | FunctionKind::Static { resource, .. } => Some(resource),
        }
    }

    /// Returns its name as the binary exports it: `add`, `[constructor]counter`, `[method]counter.increment`.
    #[must_use]
    pub fn export(&self) -> String {
        match &self.kind {
            FunctionKind::Free(name) => name.clone(),
            FunctionKind::Constructor { resource } => format!("[constructor]{resource}"),
            FunctionKind::Method { resource, name } => format!("[method]{resource}.{name}"),
            FunctionKind::Static { resource, name } => format!("[static]{resource}.{name}"),
        }
    }

    /// Returns its name among all functions: `acme:calc/math@1.0.0#add`, or `add` of no interface.
    #[must_use]
    pub fn path(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.export()),
            None => self.export(),
        }
    }

    /// Returns the resource that it hands over, by itself or as the good end of a result.
    pub(super) fn handed_over(&self) -> Option<&Resource> {
        match &self.result {
            Some(Type::Own(resource)) => Some(resource),
            Some(Type::Result { ok: Some(ok), .. }) => match &**ok {
                Type::Own(resource) => Some(resource),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is a method of this resource.
    pub(super) fn is_method_of(&self, of: &Resource) -> bool {
        let is_method = matches!(&self.kind, FunctionKind::Method { resource, .. } if *resource == of.name);
        is_method && self.interface == of.interface
    }
}

impl FunctionKind {
    /// Reads the name that a binary exports a function under.
    pub(super) fn of_export(name: &str) -> Self {
        let parts = |rest: &str| rest.split_once('.').map(|(resource, name)| (resource.to_owned(), name.to_owned()));
        if let Some(resource) = name.strip_prefix("[constructor]") {
            return Self::Constructor { resource: resource.to_owned() };
        }
        if let Some((resource, name)) = name.strip_prefix("[method]").and_then(parts) {
            return Self::Method { resource, name };
        }
        match name.strip_prefix("[static]").and_then(parts) {
            Some((resource, name)) => Self::Static { resource, name },
            None => Self::Free(name.to_owned()),
        }
    }
}

impl Type {
    /// Whether it is `list<u8>`, which is given and printed as bytes.
    #[must_use]
    pub fn is_bytes(&self) -> bool {
        matches!(self, Self::List(element) if **element == Self::U8)
    }

    /// Whether it takes any text as it is.
    pub(super) fn is_text(&self) -> bool {
        *self == Self::String || self.is_bytes()
    }

    /// Whether a parameter of it takes all words that are left.
    pub(super) fn is_variadic(&self) -> bool {
        matches!(self, Self::List(_)) && !self.is_bytes()
    }

    /// Returns what it is, where that cannot be written as text.
    pub(super) fn not_given(&self) -> Option<&'static str> {
        match self {
            Self::Own(_) | Self::Borrow(_) => Some("a resource"),
            Self::Future(_) => Some("a future"),
            Self::Stream(_) => Some("a stream"),
            Self::ErrorContext => Some("an error context"),
            Self::TooLarge => Some("a value of so large a type"),
            _ => None,
        }
    }

    /// Whether it was not read to its end.
    pub(super) fn is_cut(&self) -> bool {
        match self {
            Self::TooLarge => true,
            Self::List(ty) | Self::FixedList { element: ty, .. } | Self::Option(ty) => ty.is_cut(),
            Self::Map { key, value } => key.is_cut() || value.is_cut(),
            Self::Record(fields) => fields.iter().any(|field| field.ty.is_cut()),
            Self::Tuple(types) => types.iter().any(Self::is_cut),
            Self::Variant(cases) => cases.iter().any(|case| case.ty.as_ref().is_some_and(Self::is_cut)),
            Self::Result { ok, err } => [ok, err].into_iter().flatten().any(|ty| ty.is_cut()),
            _ => false,
        }
    }
}

impl Display for Type {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Bool => "bool",
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::S16 => "s16",
            Self::U16 => "u16",
            Self::S32 => "s32",
            Self::U32 => "u32",
            Self::S64 => "s64",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
            Self::ErrorContext => "error-context",
            Self::TooLarge => "…",
            Self::Own(resource) => &resource.name,
            Self::Borrow(resource) => return write!(formatter, "borrow<{}>", resource.name),
            Self::List(element) => return write!(formatter, "list<{element}>"),
            Self::FixedList { element, length } => return write!(formatter, "list<{element}, {length}>"),
            Self::Map { key, value } => return write!(formatter, "map<{key}, {value}>"),
            Self::Option(ty) => return write!(formatter, "option<{ty}>"),
            Self::Future(payload) => return of_one(formatter, "future", payload.as_deref()),
            Self::Stream(payload) => return of_one(formatter, "stream", payload.as_deref()),
            Self::Tuple(types) => {
                formatter.write_str("tuple<")?;
                listed(formatter, types)?;
                return formatter.write_str(">");
            }
            Self::Result { ok, err } => return of_result(formatter, ok.as_deref(), err.as_deref()),
            Self::Record(fields) => return braced(formatter, "record", fields),
            Self::Variant(cases) => return braced(formatter, "variant", cases),
            Self::Enum(names) => return braced(formatter, "enum", names),
            Self::Flags(names) => return braced(formatter, "flags", names),
        };
        formatter.write_str(word)
    }
}

impl Display for Field {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.ty)
    }
}

impl Display for Case {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.ty {
            Some(ty) => write!(formatter, "{}({ty})", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

fn of_one(formatter: &mut Formatter<'_>, word: &str, payload: Option<&Type>) -> fmt::Result {
    match payload {
        Some(ty) => write!(formatter, "{word}<{ty}>"),
        None => formatter.write_str(word),
    }
}

fn of_result(formatter: &mut Formatter<'_>, ok: Option<&Type>, err: Option<&Type>) -> fmt::Result {
    match (ok, err) {
        (Some(ok), Some(err)) => write!(formatter, "result<{ok}, {err}>"),
        (Some(ok), None) => write!(formatter, "result<{ok}>"),
        (None, Some(err)) => write!(formatter, "result<_, {err}>"),
        (None, None) => formatter.write_str("result"),
    }
}

fn braced(formatter: &mut Formatter<'_>, word: &str, items: &[impl Display]) -> fmt::Result {
    write!(formatter, "{word} {{ ")?;
    listed(formatter, items)?;
    formatter.write_str(" }")
}

fn listed(formatter: &mut Formatter<'_>, items: &[impl Display]) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        let comma = if position == 0 { "" } else { ", " };
        write!(formatter, "{comma}{item}")?;
    }
    Ok(())
}
