//! The WIT in a component or a WIT package.

use std::collections::BTreeSet;

use wharf_wit::{Document, Error, Form, Resolved, merge};

use super::{InvalidWasm, UndecodableWit};

/// What a WIT package defines.
pub(super) struct Package {
    /// The name with its version, `ns:name@1.2.3`.
    pub(super) name: String,
    /// The ids of its interfaces and worlds, and what its worlds export.
    pub(super) exports: BTreeSet<String>,
}

/// Decodes a WIT package; nothing for a component that is none.
pub(super) fn package(bytes: &[u8]) -> Result<Option<Package>, InvalidWasm> {
    let document = decode(bytes)?;
    match document.form() {
        Form::Package => merge(document, Vec::new()).map(|resolved| Some(describe(&resolved))).map_err(refused),
        Form::Component | Form::Text => Ok(None),
    }
}

/// Prints the WIT of a component or a WIT package.
pub(super) fn print(bytes: &[u8]) -> Result<String, InvalidWasm> {
    merge(decode(bytes)?, Vec::new()).and_then(|resolved| resolved.print()).map_err(refused)
}

fn decode(bytes: &[u8]) -> Result<Document, InvalidWasm> {
    Document::decode("the file", bytes).map_err(refused)
}

fn describe(resolved: &Resolved) -> Package {
    let resolve = resolved.resolve();
    let package = &resolve.packages[resolved.package()];
    let mut exports: BTreeSet<String> = package.interfaces.values().filter_map(|&id| resolve.id_of(id)).collect();
    for (name, &world) in &package.worlds {
        exports.insert(package.name.interface_id(name));
        exports.extend(resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key)));
    }
    Package { name: package.name.to_string(), exports }
}

/// Takes what says why, without that the WIT cannot be read, which [`InvalidWasm::Wit`] says.
fn refused(error: Error) -> InvalidWasm {
    InvalidWasm::Wit(match error {
        Error::Unreadable { source, .. } | Error::Unprintable { source, .. } => UndecodableWit::new(source),
        other => UndecodableWit::new(other),
    })
}
