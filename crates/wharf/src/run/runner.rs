//! What is no program for Wharf, and what runs it instead.

use wharf_artifact::{Kind, Wasm};

use crate::Cause;
use crate::cause::RunFault;

/// Fails where something else than Wharf runs a Wasm binary, or nothing does.
pub(super) fn check(wasm: &Wasm) -> Result<(), Cause> {
    let runner = match (wasm.kind, wasm.role()) {
        (Kind::WitPackage, _) => None,
        (_, None) => return Ok(()),
        (_, Some(role)) => Some(role.hosts()),
    };
    Err(RunFault::NotRunnable { kind: wasm.kind, role: wasm.role(), runner }.into())
}
