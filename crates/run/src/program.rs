//! What a program is to be run as, told by what it exports.

use wasmtime::ExternType;
use wasmtime::component::types::ComponentItem;

use crate::{Code, Runtime};

/// The start of a command of WASI 0.1.
const START: &str = "_start";

/// A version of WASI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wasi {
    /// 0.1, of core modules: `wasi_snapshot_preview1`.
    V01,
    /// 0.2.
    V02,
    /// 0.3.
    V03,
}

/// What a program is to be run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// It runs from start to end: `_start`, or `wasi:cli/run`.
    Command(Wasi),
    /// It answers requests: `wasi:http/incoming-handler` (0.2), `wasi:http/handler` (0.3).
    Handler(Wasi),
    /// It has functions to call.
    Functions,
}

impl Program {
    /// Tells what a program is to be run as. One that is both a command and a handler is a command.
    #[must_use]
    pub fn of(code: &Code, runtime: &Runtime) -> Self {
        Self::all_of(code, runtime).into_iter().next().unwrap_or(Self::Functions)
    }

    /// Returns all that a program can be run as, beside calling its functions; commands first, and newer versions
    /// before older ones.
    #[must_use]
    pub fn all_of(code: &Code, runtime: &Runtime) -> Vec<Self> {
        let component = match code {
            Code::Module(module) => {
                let is_start = |name: &str, kind: &ExternType| match kind {
                    ExternType::Func(ty) => name == START && ty.params().len() == 0 && ty.results().len() == 0,
                    _ => false,
                };
                let is_command = module.0.exports().any(|export| is_start(export.name(), &export.ty()));
                return is_command.then_some(Self::Command(Wasi::V01)).into_iter().collect();
            }
            Code::Component(component) => component.0.component_type(),
        };
        let exports = component.exports(&runtime.engine);
        let instances = exports.filter(|(_, export)| matches!(export.ty, ComponentItem::ComponentInstance(_)));
        let names: Vec<&str> = instances.map(|(name, _)| name).collect();
        let known = [
            ("wasi:cli/run@0.3.", Self::Command(Wasi::V03)),
            ("wasi:cli/run@0.2.", Self::Command(Wasi::V02)),
            ("wasi:http/handler@0.3.", Self::Handler(Wasi::V03)),
            ("wasi:http/incoming-handler@0.2.", Self::Handler(Wasi::V02)),
        ];
        let is_exported = |start: &str| names.iter().any(|name| is_release(name, start));
        known.into_iter().filter(|(start, _)| is_exported(start)).map(|(_, program)| program).collect()
    }
}

/// Whether a name is a released version of an interface; what came before one (`0.2.0-rc-2023-11-10`) is another
/// interface.
fn is_release(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}
