//! What a guest imports and nobody here provides. It is looked for only when linking has failed.
//!
//! A linker does not say what it holds, but refuses to hold one name twice. So each import is defined once more: where
//! that succeeds, it was missing.

use std::collections::BTreeMap;
use std::fmt;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};
use wasmtime::{Module, Store, bail};

use crate::host::Host;

/// The versions of WASI that the engine has, by what the versions that it stands for start with.
const PROVIDED: [(&str, &str); 2] = [("0.2.", "0.2.12"), ("0.3.", "0.3.0")];

/// An import that nobody here provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingImport {
    /// The interface with its version, such as `wasi:nn/tensor@0.2.0-rc-2024-10-28`; of a core module, the module.
    pub interface: String,
    /// What of it is missing: functions and resources.
    pub items: Vec<String>,
    /// The newest version that Wharf has of the interface, where it has it in part or in another version.
    pub provided: Option<&'static str>,
}

impl fmt::Display for MissingImport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.items.as_slice(), self.provided) {
            (items, None) if self.interface.contains(':') || items.is_empty() => {
                write!(formatter, "`{}`", self.interface)
            }
            (items, None) => write!(formatter, "`{}` of `{}`", items.join("`, `"), self.interface),
            ([], Some(version)) => write!(formatter, "`{}` (Wharf has {version})", self.interface),
            (items, Some(version)) => {
                write!(formatter, "`{}` of `{}` (Wharf has {version})", items.join("`, `"), self.interface)
            }
        }
    }
}

/// Returns what of the imports of a component is not in `linker`, which is of no use after this.
pub(crate) fn of_component(linker: &mut Linker<Host>, component: &Component) -> Vec<MissingImport> {
    let engine = linker.engine().clone();
    let mut missing = Vec::new();
    for (name, import) in component.component_type().imports(&engine) {
        let version = provided_version(name);
        let known = version.map_or_else(|| name.to_owned(), |version| with_version(name, version));
        let ComponentItem::ComponentInstance(instance) = &import.ty else {
            if is_absent(&mut linker.root(), name, &import.ty) {
                missing.push(MissingImport { interface: name.to_owned(), items: Vec::new(), provided: None });
            }
            continue;
        };
        let Ok(mut linked) = linker.instance(&known) else { continue };
        let exports: Vec<_> = instance.exports(&engine).collect();
        let things = exports.iter().filter(|(_, export)| is_thing(&export.ty)).count();
        let items = exports.iter().filter(|(item, export)| is_absent(&mut linked, item, &export.ty));
        let items: Vec<String> = items.map(|(item, _)| (*item).to_owned()).collect();
        if !items.is_empty() {
            let provided = version.filter(|_| items.len() < things);
            missing.push(MissingImport { interface: name.to_owned(), items, provided });
        }
    }
    missing
}

/// Returns what of the imports of a core module is not in `linker`.
pub(crate) fn of_module<T>(store: &mut Store<T>, linker: &wasmtime::Linker<T>, module: &Module) -> Vec<MissingImport> {
    let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for import in module.imports() {
        if linker.get_by_import(&mut *store, &import).is_none() {
            missing.entry(import.module().to_owned()).or_default().push(import.name().to_owned());
        }
    }
    missing.into_iter().map(|(interface, items)| MissingImport { interface, items, provided: None }).collect()
}

/// Whether an item is one that stands for itself, and no mere type.
fn is_thing(item: &ComponentItem) -> bool {
    matches!(item, ComponentItem::ComponentFunc(_) | ComponentItem::Resource(_))
}

fn is_absent(linker: &mut LinkerInstance<'_, Host>, name: &str, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::ComponentFunc(_) => linker.func_new(name, |_, _, _, _| bail!("it is not provided")).is_ok(),
        ComponentItem::Resource(_) => linker.resource(name, ResourceType::host::<()>(), |_, _| Ok(())).is_ok(),
        _ => false,
    }
}

/// Returns the version of the engine that stands for the one that an import of WASI asks for.
fn provided_version(name: &str) -> Option<&'static str> {
    let (package, version) = name.rsplit_once('@')?;
    let is_release = |version: &str| version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let mut tracks = PROVIDED.into_iter().filter(|(track, _)| version.starts_with(track));
    tracks.next().map(|(_, provided)| provided).filter(|_| package.starts_with("wasi:") && is_release(version))
}

fn with_version(name: &str, version: &str) -> String {
    let package = name.rsplit_once('@').map_or(name, |(package, _)| package);
    format!("{package}@{version}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EngineOptions, Runtime};

    fn missing(imports: &str) -> Vec<String> {
        let runtime = Runtime::new(EngineOptions::default()).unwrap();
        let wat = format!("(component {imports})");
        let component = Component::new(&runtime.engine, wat::parse_str(&wat).unwrap()).unwrap();
        let mut linker = crate::linker::link(&component).unwrap();
        of_component(&mut linker, &component).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_interface_of_somebody_else_is_missing_and_wasi_is_not() {
        let imports = r#"
            (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64)))))
            (import "wasi:random/random@0.3.0" (instance (export "get-random-u64" (func (result u64)))))
            (import "acme:calc/add@1.0.0" (instance (export "add" (func (result u64)))))
            (import "wasi:clocks/wall-clock@0.2.0-rc-2023-11-10" (instance (export "now" (func (result u64)))))
            (import "tell" (func))"#;
        assert_eq!(
            missing(imports),
            ["`acme:calc/add@1.0.0`", "`wasi:clocks/wall-clock@0.2.0-rc-2023-11-10`", "`tell`"]
        );
    }

    #[test]
    fn a_function_that_came_later_is_told_with_the_version_that_is_here() {
        let imports = r#"(import "wasi:random/random@0.2.99" (instance
            (export "get-random-u64" (func (result u64))) (export "get-random-dice" (func (result u64)))))"#;
        assert_eq!(missing(imports), ["`get-random-dice` of `wasi:random/random@0.2.99` (Wharf has 0.2.12)"]);
    }
}
