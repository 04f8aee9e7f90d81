//! Interfaces and what is in them.

use wit_parser::{
    Docs, Function, FunctionKind, Interface, InterfaceId, PackageId, Resolve, Span, Stability, TypeDef, TypeDefKind,
    TypeId, World,
};

use super::shape::Shaped;
use super::text::{deprecated, function_path, keyword, signature, since};
use super::{Comparer, Pair, Rule, Told, pairs, place};

impl Comparer<'_> {
    /// Compares what two packages say of themselves.
    pub(super) fn documentation(&mut self, old: PackageId, new: PackageId) {
        if self.old.resolve.packages[old].docs != self.new.resolve.packages[new].docs {
            self.report(Rule::DocumentationChanged, "package", Told::default());
        }
    }

    /// Compares the interfaces of two packages.
    pub(super) fn interfaces(&mut self, old: PackageId, new: PackageId) {
        let [old, new] =
            [(&self.old, old), (&self.new, new)].map(|(side, package)| stable_interfaces(side.resolve, package));
        for (name, pair) in pairs(&old, &new) {
            let path = format!("interface {name}");
            match pair {
                Pair::Removed(old) => {
                    let place = place(self.old.resolve, self.old.resolve.interfaces[old].span);
                    self.report(Rule::InterfaceRemoved, path, Told { place, ..Told::default() });
                }
                Pair::Added(new) => {
                    let place = place(self.new.resolve, self.new.resolve.interfaces[new].span);
                    self.report(Rule::InterfaceAdded, path, Told { place, ..Told::default() });
                }
                Pair::Kept(old, new) => self.interface(&path, old, new),
            }
        }
    }

    /// Compares two versions of an interface.
    pub(super) fn interface(&mut self, path: &str, old: InterfaceId, new: InterfaceId) {
        let [old, new] = [&self.old.resolve.interfaces[old], &self.new.resolve.interfaces[new]];
        self.said(path, Said::of_interface(old), Said::of_interface(new));
        self.types(path, &stable_types(self.old.resolve, old), &stable_types(self.new.resolve, new));
        self.functions(path, old, new);
    }

    fn types(&mut self, path: &str, old: &[(String, TypeId)], new: &[(String, TypeId)]) {
        for (name, pair) in pairs(old, new) {
            match pair {
                Pair::Removed(old) => self.type_removed(path, &name, old),
                Pair::Added(new) => self.type_added(path, &name, new),
                Pair::Kept(old, new) => {
                    let path = format!("{path}: {} {name}", keyword(self.old.resolve, old));
                    self.type_kept(&path, old, new);
                }
            }
        }
    }

    pub(super) fn type_removed(&mut self, path: &str, name: &str, old: TypeId) {
        let resolve = self.old.resolve;
        let told = Told { place: place(resolve, resolve.types[old].span), ..Told::default() };
        self.report(Rule::TypeRemoved, format!("{path}: {} {name}", keyword(resolve, old)), told);
    }

    pub(super) fn type_added(&mut self, path: &str, name: &str, new: TypeId) {
        let resolve = self.new.resolve;
        let told = Told { place: place(resolve, resolve.types[new].span), ..Told::default() };
        self.report(Rule::TypeAdded, format!("{path}: {} {name}", keyword(resolve, new)), told);
    }

    fn functions(&mut self, path: &str, old: &Interface, new: &Interface) {
        // Whoever gains or loses a resource gains or loses its functions with it.
        let (old_resources, new_resources) =
            (resources(self.old.resolve, old, new), resources(self.new.resolve, new, old));
        let old = stable_functions(old, &old_resources);
        let new = stable_functions(new, &new_resources);
        for (_, pair) in pairs(&old, &new) {
            match pair {
                Pair::Removed(old) => {
                    let (resolve, item) = (self.old.resolve, function_path(self.old.resolve, old));
                    let told = Told { old: Some(signature(resolve, old)), place: place(resolve, old.span), new: None };
                    self.report(Rule::FunctionRemoved, format!("{path}: {item}"), told);
                }
                Pair::Added(new) => {
                    let (resolve, item) = (self.new.resolve, function_path(self.new.resolve, new));
                    let told = Told { new: Some(signature(resolve, new)), place: place(resolve, new.span), old: None };
                    self.report(self.function_added, format!("{path}: {item}"), told);
                }
                Pair::Kept(old, new) => {
                    let path = format!("{path}: {}", function_path(self.new.resolve, new));
                    self.function(&path, old, new);
                }
            }
        }
    }

    /// Compares two versions of a function.
    pub(super) fn function(&mut self, path: &str, old: &Function, new: &Function) {
        self.said(path, Said::of_function(old), Said::of_function(new));
        let parameters = |side: &Shaped<'_>, function: &Function| -> Vec<_> {
            function.params.iter().map(|param| (param.name.clone(), side.shape(param.ty))).collect()
        };
        let result = |side: &Shaped<'_>, function: &Function| function.result.map(|result| side.shape(result));
        let rules = [
            (Rule::ParametersChanged, parameters(&self.old, old) != parameters(&self.new, new)),
            (Rule::ResultChanged, result(&self.old, old) != result(&self.new, new)),
            (Rule::AsyncChanged, old.kind.is_async() != new.kind.is_async()),
        ];
        for (rule, _) in rules.into_iter().filter(|(_, is_changed)| *is_changed) {
            let told = Told {
                old: Some(signature(self.old.resolve, old)),
                new: Some(signature(self.new.resolve, new)),
                place: place(self.new.resolve, new.span),
            };
            self.report(rule, path, told);
        }
    }

    /// Compares what is said of an item.
    pub(super) fn said(&mut self, path: &str, old: Said<'_>, new: Said<'_>) {
        let place = place(self.new.resolve, new.span);
        for (rule, gate) in [(Rule::SinceChanged, since as fn(&_) -> _), (Rule::DeprecatedChanged, deprecated)] {
            let (old, new) = (gate(old.stability), gate(new.stability));
            if old != new {
                self.report(rule, path, Told { old, new, place: place.clone() });
            }
        }
        if old.docs != new.docs {
            self.report(Rule::DocumentationChanged, path, Told { place, ..Told::default() });
        }
    }
}

/// What is said of an item, and where.
pub(super) struct Said<'a> {
    docs: &'a Docs,
    stability: &'a Stability,
    span: Span,
}

impl<'a> Said<'a> {
    fn of_interface(interface: &'a Interface) -> Self {
        Self { docs: &interface.docs, stability: &interface.stability, span: interface.span }
    }

    pub(super) fn of_type(definition: &'a TypeDef) -> Self {
        Self { docs: &definition.docs, stability: &definition.stability, span: definition.span }
    }

    pub(super) fn of_world(world: &'a World) -> Self {
        Self { docs: &world.docs, stability: &world.stability, span: world.span }
    }

    fn of_function(function: &'a Function) -> Self {
        Self { docs: &function.docs, stability: &function.stability, span: function.span }
    }
}

/// Whether an item counts.
pub(super) fn is_stable(stability: &Stability) -> bool {
    !matches!(stability, Stability::Unstable { .. })
}

/// Returns the interfaces of a package that count, by name.
fn stable_interfaces(resolve: &Resolve, package: PackageId) -> Vec<(String, InterfaceId)> {
    let interfaces = resolve.packages[package].interfaces.iter();
    let stable = interfaces.filter(|(_, id)| is_stable(&resolve.interfaces[**id].stability));
    stable.map(|(name, id)| (name.clone(), *id)).collect()
}

/// Returns the types of an interface that count, by name.
fn stable_types(resolve: &Resolve, interface: &Interface) -> Vec<(String, TypeId)> {
    let stable = interface.types.iter().filter(|(_, id)| is_stable(&resolve.types[**id].stability));
    stable.map(|(name, id)| (name.clone(), *id)).collect()
}

/// Returns the resources of an interface that count, and that are called so in the other version too.
fn resources(resolve: &Resolve, interface: &Interface, other: &Interface) -> Vec<TypeId> {
    let is_kept = |name: &str, id: TypeId| {
        let definition = &resolve.types[id];
        matches!(definition.kind, TypeDefKind::Resource)
            && is_stable(&definition.stability)
            && other.types.contains_key(name)
    };
    interface.types.iter().filter(|(name, id)| is_kept(name, **id)).map(|(_, id)| *id).collect()
}

/// Returns the functions of an interface that count, by their whole name, but for those of other resources.
fn stable_functions<'a>(interface: &'a Interface, resources: &[TypeId]) -> Vec<(String, &'a Function)> {
    let is_told = |kind: &FunctionKind| kind.resource().is_none_or(|resource| resources.contains(&resource));
    let stable = interface.functions.iter().filter(|(_, it)| is_stable(&it.stability) && is_told(&it.kind));
    stable.map(|(name, function)| (name.clone(), function)).collect()
}
