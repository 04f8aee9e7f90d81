//! The functions that a program exports, read from its compiled form.

use wasmtime::component::ResourceType;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type as Compiled};
use wasmtime::{Engine, FuncType, ValType};

use super::signature::{Case, Field, Function, FunctionKind, Parameter, Resource, Type};
use crate::code::{CompiledComponent, CompiledModule};
use crate::{Code, Runtime};

/// Functions of one program that are told.
const FUNCTIONS_MAX: usize = 1_000;

/// Nodes of all types of one program, and of one function. A type can name another twice that does the same, and so be
/// large beyond all measure when it is written out.
const NODES_MAX: usize = 100_000;
const FUNCTION_NODES_MAX: usize = 2_000;

/// How deep types are nested. What is parsed and printed is never deeper than its type.
const DEPTH_MAX: usize = 64;

/// Functions of core modules that are no function to call by name: the start of a command, and of a library.
const STARTS: [&str; 2] = ["_start", "_initialize"];

/// Returns the functions that can be called, in the order of their exports.
///
/// Of a core module, those that take and return numbers.
#[must_use]
pub fn functions(runtime: &Runtime, code: &Code) -> Vec<Function> {
    match code {
        Code::Module(CompiledModule(module)) => {
            let exports = module.exports().filter(|export| !STARTS.contains(&export.name()));
            let functions = exports.filter_map(|export| of_core(export.name(), export.ty().func()?));
            functions.take(FUNCTIONS_MAX).collect()
        }
        Code::Component(component) => of_component(&runtime.engine, component),
    }
}

fn of_core(name: &str, ty: &FuncType) -> Option<Function> {
    let parameter =
        |(position, ty): (usize, ValType)| Some(Parameter { name: format!("arg{}", position + 1), ty: number(&ty)? });
    let parameters = ty.params().enumerate().map(parameter).collect::<Option<_>>()?;
    let mut results = ty.results().map(|ty| number(&ty)).collect::<Option<Vec<_>>>()?;
    let result = if results.len() > 1 { Some(Type::Tuple(results)) } else { results.pop() };
    let kind = FunctionKind::Free(name.to_owned());
    Some(Function { interface: None, kind, parameters, result, is_async: false })
}

fn number(ty: &ValType) -> Option<Type> {
    match ty {
        ValType::I32 => Some(Type::S32),
        ValType::I64 => Some(Type::S64),
        ValType::F32 => Some(Type::F32),
        ValType::F64 => Some(Type::F64),
        ValType::V128 | ValType::Ref(_) => None,
    }
}

fn of_component(engine: &Engine, CompiledComponent(component): &CompiledComponent) -> Vec<Function> {
    let ty = component.component_type();
    let mut reader = Reader { resources: Vec::new(), left: NODES_MAX, left_of_function: 0 };
    for (name, export) in ty.exports(engine).chain(ty.imports(engine)) {
        reader.note(None, name, &export.ty);
        if let ComponentItem::ComponentInstance(instance) = &export.ty {
            instance.exports(engine).for_each(|(item, export)| reader.note(Some(name), item, &export.ty));
        }
    }
    let mut functions = Vec::new();
    for (name, export) in ty.exports(engine) {
        match &export.ty {
            ComponentItem::ComponentFunc(function) => functions.push(reader.function(None, name, function)),
            ComponentItem::ComponentInstance(instance) => {
                let of_instance = instance.exports(engine).filter_map(|(item, export)| match &export.ty {
                    ComponentItem::ComponentFunc(function) => Some(reader.function(Some(name), item, function)),
                    _ => None,
                });
                functions.extend(of_instance.take(FUNCTIONS_MAX));
            }
            _ => (),
        }
        if functions.len() >= FUNCTIONS_MAX {
            break;
        }
    }
    functions.truncate(FUNCTIONS_MAX);
    functions
}

/// Reads types, each to its end unless they are too many.
struct Reader {
    resources: Vec<(ResourceType, Resource)>,
    left: usize,
    left_of_function: usize,
}

impl Reader {
    /// Remembers the name of a resource.
    fn note(&mut self, interface: Option<&str>, name: &str, item: &ComponentItem) {
        if let ComponentItem::Resource(ty) = item {
            let resource = Resource { interface: interface.map(str::to_owned), name: name.to_owned() };
            self.resources.push((*ty, resource));
        }
    }

    fn function(&mut self, interface: Option<&str>, name: &str, function: &ComponentFunc) -> Function {
        self.left_of_function = FUNCTION_NODES_MAX;
        let kind = FunctionKind::of_export(name);
        // The first parameter of a method is its resource.
        let skipped = usize::from(matches!(kind, FunctionKind::Method { .. }));
        let parameters = function.params().skip(skipped);
        let parameters =
            parameters.map(|(name, ty)| Parameter { name: name.to_owned(), ty: self.ty(&ty, 0) }).collect();
        let result = function.results().next().map(|ty| self.ty(&ty, 0));
        let interface = interface.map(str::to_owned);
        Function { interface, kind, parameters, result, is_async: function.async_() }
    }

    fn ty(&mut self, ty: &Compiled, depth: usize) -> Type {
        if depth >= DEPTH_MAX || self.left == 0 || self.left_of_function == 0 {
            return Type::TooLarge;
        }
        self.left -= 1;
        self.left_of_function -= 1;
        let depth = depth + 1;
        match ty {
            Compiled::Bool => Type::Bool,
            Compiled::S8 => Type::S8,
            Compiled::U8 => Type::U8,
            Compiled::S16 => Type::S16,
            Compiled::U16 => Type::U16,
            Compiled::S32 => Type::S32,
            Compiled::U32 => Type::U32,
            Compiled::S64 => Type::S64,
            Compiled::U64 => Type::U64,
            Compiled::Float32 => Type::F32,
            Compiled::Float64 => Type::F64,
            Compiled::Char => Type::Char,
            Compiled::String => Type::String,
            Compiled::ErrorContext => Type::ErrorContext,
            Compiled::List(list) => Type::List(self.boxed(&list.ty(), depth)),
            Compiled::FixedLengthList(list) => {
                Type::FixedList { element: self.boxed(&list.ty(), depth), length: list.len() }
            }
            Compiled::Map(map) => {
                Type::Map { key: self.boxed(&map.key(), depth), value: self.boxed(&map.value(), depth) }
            }
            Compiled::Option(option) => Type::Option(self.boxed(&option.ty(), depth)),
            Compiled::Result(result) => {
                let (ok, err) = (self.maybe(result.ok(), depth), self.maybe(result.err(), depth));
                Type::Result { ok, err }
            }
            Compiled::Future(future) => Type::Future(self.maybe(future.ty(), depth)),
            Compiled::Stream(stream) => Type::Stream(self.maybe(stream.ty(), depth)),
            Compiled::Own(resource) => Type::Own(self.resource(resource)),
            Compiled::Borrow(resource) => Type::Borrow(self.resource(resource)),
            Compiled::Record(_)
            | Compiled::Tuple(_)
            | Compiled::Variant(_)
            | Compiled::Enum(_)
            | Compiled::Flags(_) => self.of_several(ty, depth),
        }
    }

    /// Reads a type that is made of any number of others.
    fn of_several(&mut self, ty: &Compiled, depth: usize) -> Type {
        let names = |names: &mut dyn ExactSizeIterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
        let length = match ty {
            Compiled::Record(record) => record.fields().len(),
            Compiled::Tuple(tuple) => tuple.types().len(),
            Compiled::Variant(variant) => variant.cases().len(),
            Compiled::Enum(names) => names.names().len(),
            Compiled::Flags(names) => names.names().len(),
            _ => 0,
        };
        // Names count too, and cases that carry nothing.
        if length > self.left.min(self.left_of_function) {
            return Type::TooLarge;
        }
        self.left -= length;
        self.left_of_function -= length;
        match ty {
            Compiled::Record(record) => {
                let field = |field: wasmtime::component::types::Field<'_>| Field {
                    name: field.name.to_owned(),
                    ty: self.ty(&field.ty, depth),
                };
                Type::Record(record.fields().map(field).collect())
            }
            Compiled::Variant(variant) => {
                let case = |case: wasmtime::component::types::Case<'_>| Case {
                    name: case.name.to_owned(),
                    ty: case.ty.map(|ty| self.ty(&ty, depth)),
                };
                Type::Variant(variant.cases().map(case).collect())
            }
            Compiled::Tuple(tuple) => Type::Tuple(tuple.types().map(|ty| self.ty(&ty, depth)).collect()),
            Compiled::Enum(cases) => Type::Enum(names(&mut cases.names())),
            Compiled::Flags(flags) => Type::Flags(names(&mut flags.names())),
            _ => Type::TooLarge,
        }
    }

    fn boxed(&mut self, ty: &Compiled, depth: usize) -> Box<Type> {
        Box::new(self.ty(ty, depth))
    }

    fn maybe(&mut self, ty: Option<Compiled>, depth: usize) -> Option<Box<Type>> {
        ty.map(|ty| self.boxed(&ty, depth))
    }

    fn resource(&self, ty: &ResourceType) -> Resource {
        let found = self.resources.iter().find(|(known, _)| known == ty);
        found
            .map_or_else(|| Resource { interface: None, name: "resource".to_owned() }, |(_, resource)| resource.clone())
    }
}
