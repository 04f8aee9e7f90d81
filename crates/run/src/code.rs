//! Compiled code.

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// The eighth to fifth last bytes of the preamble of a component (`layer` 1), which a core module has zero.
const COMPONENT_LAYER: [u8; 2] = [1, 0];

/// A binary, compiled for this machine.
#[derive(Clone)]
pub enum Code {
    /// A core module.
    Module(CompiledModule),
    /// A component.
    Component(CompiledComponent),
}

/// A core module, compiled.
#[derive(Clone)]
pub struct CompiledModule(pub(crate) Module);

/// A component, compiled.
#[derive(Clone)]
pub struct CompiledComponent(pub(crate) Component);

impl std::fmt::Debug for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Module(_) => "Code::Module",
            Self::Component(_) => "Code::Component",
        })
    }
}

impl Code {
    pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
        match wasm.get(6..8) == Some(&COMPONENT_LAYER) {
            true => Component::from_binary(engine, wasm).map(|component| Self::Component(CompiledComponent(component))),
            false => Module::from_binary(engine, wasm).map(|module| Self::Module(CompiledModule(module))),
        }
    }

    /// Whether it is a component.
    #[must_use]
    pub fn is_component(&self) -> bool {
        matches!(self, Self::Component(_))
    }
}
