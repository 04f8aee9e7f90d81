//! When two types are the same: types by what they consist of, whatever they are called.
//!
//! Every type of both versions gets a number, its [`Shape`], and two types are the same exactly where their numbers are.
//! An alias has the number of what it stands for. Numbers are given from the innermost types outwards, in the order in
//! which wit-parser has them, so that no nesting is too deep.
//!
//! Three kinds of type go by their name instead. Resources are nothing but a name. What is inside a type of another
//! package is for that package to say; there, versions that are compatible have one name. And a type that both versions
//! define, and not alike, is told of where it is defined, not again wherever it is used: for that, all types are numbered
//! twice.

use std::collections::{HashMap, HashSet};

use wit_parser::{Handle, InterfaceId, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner, WorldItem, WorldKey};
use wit_parser::{PackageName, WorldId};

use super::{Release, Subject};

/// The number of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape(usize);

/// A version with the shapes of its types.
#[derive(Debug)]
pub(super) struct Shaped<'a> {
    pub(super) resolve: &'a Resolve,
    pub(super) labels: Labels,
    primitives: HashMap<Type, Shape>,
    shapes: HashMap<TypeId, Shape>,
}

impl Shaped<'_> {
    /// Returns the number of a type.
    pub(super) fn shape(&self, of: Type) -> Shape {
        match of {
            Type::Id(id) => self.shapes[&id],
            primitive => self.primitives[&primitive],
        }
    }

    /// Returns the type that an alias stands for; of any other type, itself.
    pub(super) fn definition(&self, id: TypeId) -> TypeId {
        let mut id = id;
        while let TypeDefKind::Type(Type::Id(target)) = self.resolve.types[id].kind {
            id = target;
        }
        id
    }
}

/// Numbers the types of two versions.
pub(super) fn shapes<'a>(old: &Release<'a>, new: &Release<'a>) -> (Shaped<'a>, Shaped<'a>) {
    let (old_shaped, new_shaped) =
        number([(old.resolve, Labels::of(old)), (new.resolve, Labels::of(new))], &HashSet::new());
    let changed = changed(&old_shaped, &new_shaped);
    number([(old.resolve, old_shaped.labels), (new.resolve, new_shaped.labels)], &changed)
}

/// Returns the names of the types that both versions define, and not alike.
fn changed(old: &Shaped<'_>, new: &Shaped<'_>) -> HashSet<String> {
    let (old_shapes, mut new_shapes) = (old.own_definitions(), new.own_definitions());
    new_shapes.retain(|name, shape| old_shapes.get(name).is_some_and(|old| old != shape));
    new_shapes.into_keys().collect()
}

/// What two types have in common that are the same.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Primitive(Type),
    Named(String),
    Record(Vec<(String, Shape)>),
    Variant(Vec<(String, Option<Shape>)>),
    Enum(Vec<String>),
    Flags(Vec<String>),
    Tuple(Vec<Shape>),
    Own(Shape),
    Borrow(Shape),
    Option(Shape),
    Result(Option<Shape>, Option<Shape>),
    List(Shape),
    Map(Shape, Shape),
    FixedLengthList(Shape, u32),
    Future(Option<Shape>),
    Stream(Option<Shape>),
}

const PRIMITIVES: [Type; 14] = [
    Type::Bool,
    Type::U8,
    Type::U16,
    Type::U32,
    Type::U64,
    Type::S8,
    Type::S16,
    Type::S32,
    Type::S64,
    Type::F32,
    Type::F64,
    Type::Char,
    Type::String,
    Type::ErrorContext,
];

/// Numbers the types of two versions, where types with these names go by them.
fn number<'a>(
    [(old, old_labels), (new, new_labels)]: [(&'a Resolve, Labels); 2],
    named: &HashSet<String>,
) -> (Shaped<'a>, Shaped<'a>) {
    let mut numbers = HashMap::new();
    let old = number_side(old, old_labels, named, &mut numbers);
    let new = number_side(new, new_labels, named, &mut numbers);
    (old, new)
}

fn number_side<'a>(
    resolve: &'a Resolve,
    labels: Labels,
    named: &HashSet<String>,
    numbers: &mut HashMap<Key, Shape>,
) -> Shaped<'a> {
    let mut intern = |key| {
        let next = Shape(numbers.len());
        *numbers.entry(key).or_insert(next)
    };
    let primitives = PRIMITIVES.map(|primitive| (primitive, intern(Key::Primitive(primitive)))).into();
    let mut shaped = Shaped { resolve, labels, primitives, shapes: HashMap::new() };
    for (id, definition) in resolve.types.iter() {
        let shape = match definition.kind {
            TypeDefKind::Type(target) => shaped.shape(target),
            _ => intern(shaped.key(definition, named)),
        };
        shaped.shapes.insert(id, shape);
    }
    shaped
}

impl Shaped<'_> {
    /// Returns the types with members that what is compared defines, by their whole names.
    fn own_definitions(&self) -> HashMap<String, Shape> {
        let definitions = self.resolve.types.iter();
        let own = definitions.filter(|(_, definition)| self.labels.is_own(definition.owner));
        own.filter_map(|(id, definition)| Some((self.labels.nominal(definition)?, self.shapes[&id]))).collect()
    }

    fn key(&self, definition: &TypeDef, named: &HashSet<String>) -> Key {
        if let Some(name) = self.labels.nominal(definition)
            && (matches!(definition.kind, TypeDefKind::Resource)
                || !self.labels.is_own(definition.owner)
                || named.contains(&name))
        {
            return Key::Named(name);
        }
        let shape = |of: &Type| self.shape(*of);
        let optional = |of: &Option<Type>| of.map(|of| self.shape(of));
        match &definition.kind {
            TypeDefKind::Record(record) => {
                Key::Record(record.fields.iter().map(|field| (field.name.clone(), shape(&field.ty))).collect())
            }
            TypeDefKind::Variant(variant) => {
                Key::Variant(variant.cases.iter().map(|case| (case.name.clone(), optional(&case.ty))).collect())
            }
            TypeDefKind::Enum(of) => Key::Enum(of.cases.iter().map(|case| case.name.clone()).collect()),
            TypeDefKind::Flags(flags) => Key::Flags(flags.flags.iter().map(|flag| flag.name.clone()).collect()),
            TypeDefKind::Tuple(tuple) => Key::Tuple(tuple.types.iter().map(shape).collect()),
            TypeDefKind::Handle(Handle::Own(resource)) => Key::Own(self.shapes[resource]),
            TypeDefKind::Handle(Handle::Borrow(resource)) => Key::Borrow(self.shapes[resource]),
            TypeDefKind::Option(of) => Key::Option(shape(of)),
            TypeDefKind::Result(result) => Key::Result(optional(&result.ok), optional(&result.err)),
            TypeDefKind::List(of) => Key::List(shape(of)),
            TypeDefKind::Map(key, value) => Key::Map(shape(key), shape(value)),
            TypeDefKind::FixedLengthList(of, length) => Key::FixedLengthList(shape(of), *length),
            TypeDefKind::Future(of) => Key::Future(optional(of)),
            TypeDefKind::Stream(of) => Key::Stream(optional(of)),
            // Neither has a structure: an unknown type is one of a package that is not there.
            TypeDefKind::Resource | TypeDefKind::Unknown | TypeDefKind::Type(_) => {
                Key::Named(definition.name.clone().unwrap_or_default())
            }
        }
    }
}

/// What interfaces are called where versions do not matter, and which are compared.
#[derive(Debug)]
pub(super) struct Labels {
    interfaces: HashMap<InterfaceId, String>,
    worlds: HashMap<WorldId, String>,
    own_interfaces: HashSet<InterfaceId>,
    own_worlds: HashSet<WorldId>,
}

impl Labels {
    fn of(release: &Release<'_>) -> Self {
        let resolve = release.resolve;
        let own_interfaces = own_interfaces(release);
        let own_worlds: HashSet<_> = match release.subject {
            Subject::Component(world) => [world].into(),
            Subject::Package(package) => resolve.packages[package].worlds.values().copied().collect(),
        };
        let mut interfaces = HashMap::new();
        for (id, interface) in resolve.interfaces.iter() {
            if let (Some(name), Some(package)) = (&interface.name, interface.package) {
                let is_of_package = matches!(release.subject, Subject::Package(own) if own == package);
                interfaces.insert(id, label(&resolve.packages[package].name, name, is_of_package));
            }
        }
        let worlds: HashMap<_, _> =
            resolve.worlds.iter().map(|(id, world)| (id, format!("world {}", world.name))).collect();
        for (id, world) in resolve.worlds.iter() {
            for (direction, items) in [("import", &world.imports), ("export", &world.exports)] {
                for (key, item) in items {
                    if let (WorldKey::Name(name), WorldItem::Interface { id: interface, .. }) = (key, item) {
                        interfaces.entry(*interface).or_insert_with(|| format!("{} {direction} {name}", worlds[&id]));
                    }
                }
            }
        }
        Self { interfaces, worlds, own_interfaces, own_worlds }
    }

    /// Returns what an interface is called.
    pub(super) fn interface(&self, id: InterfaceId) -> &str {
        self.interfaces.get(&id).map_or("", String::as_str)
    }

    /// Whether what is defined there belongs to what is compared.
    fn is_own(&self, owner: TypeOwner) -> bool {
        match owner {
            TypeOwner::Interface(id) => self.own_interfaces.contains(&id),
            TypeOwner::World(id) => self.own_worlds.contains(&id),
            TypeOwner::None => true,
        }
    }

    /// Returns the whole name of a type that has members, or is a resource; nothing for any other, which is no more than
    /// what it consists of.
    pub(super) fn nominal(&self, definition: &TypeDef) -> Option<String> {
        use TypeDefKind::{Enum, Flags, Record, Resource, Variant};
        if !matches!(definition.kind, Enum(_) | Flags(_) | Record(_) | Resource | Variant(_)) {
            return None;
        }
        let name = definition.name.as_deref()?;
        match definition.owner {
            TypeOwner::Interface(id) => Some(format!("{}.{{{name}}}", self.interface(id))),
            TypeOwner::World(id) => Some(format!("{}.{{{name}}}", self.worlds[&id])),
            TypeOwner::None => None,
        }
    }
}

/// Returns the interfaces whose content is compared: those of the package, or those that the component exports.
fn own_interfaces(release: &Release<'_>) -> HashSet<InterfaceId> {
    let resolve = release.resolve;
    match release.subject {
        Subject::Package(package) => {
            let is_own = |id: &InterfaceId| resolve.interfaces[*id].package == Some(package);
            resolve.interfaces.iter().map(|(id, _)| id).filter(is_own).collect()
        }
        Subject::Component(world) => {
            let exports = resolve.worlds[world].exports.values();
            let interface = |item: &WorldItem| match item {
                WorldItem::Interface { id, .. } => Some(*id),
                WorldItem::Function(_) | WorldItem::Type { .. } => None,
            };
            exports.filter_map(interface).collect()
        }
    }
}

/// Returns the name of an interface with the part of the version that has to be equal; the package that is compared has
/// another version each time.
fn label(package: &PackageName, interface: &str, is_of_package: bool) -> String {
    let PackageName { namespace, name, version } = package;
    match version {
        Some(version) if !is_of_package => {
            let (track, _) = PackageName::version_compat_track_string(version);
            format!("{namespace}:{name}/{interface}@{track}")
        }
        _ => format!("{namespace}:{name}/{interface}"),
    }
}
