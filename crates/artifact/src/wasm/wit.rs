//! The WIT in a component or a WIT package, decoded by `wit-parser`.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wit_component::WitPrinter;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{PackageId, Resolve};

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
    guard(|| match decode(bytes)? {
        DecodedWasm::WitPackage(resolve, id) => Ok(Some(describe(&resolve, id))),
        DecodedWasm::Component(..) => Ok(None),
    })
}

/// Prints the WIT of a component or a WIT package.
pub(super) fn print(bytes: &[u8]) -> Result<String, InvalidWasm> {
    guard(|| {
        let decoded = decode(bytes)?;
        let (resolve, main) = (decoded.resolve(), decoded.package());
        let nested: Vec<PackageId> = match &decoded {
            DecodedWasm::WitPackage(..) => Vec::new(),
            DecodedWasm::Component(..) => resolve.packages.iter().map(|(id, _)| id).filter(|&id| id != main).collect(),
        };
        let mut printer = WitPrinter::default();
        printer.print(resolve, main, &nested)?;
        Ok(printer.output.to_string())
    })
}

fn describe(resolve: &Resolve, id: PackageId) -> Package {
    let package = &resolve.packages[id];
    let mut exports: BTreeSet<String> = package.interfaces.values().filter_map(|&id| resolve.id_of(id)).collect();
    for (name, &world) in &package.worlds {
        exports.insert(package.name.interface_id(name));
        exports.extend(resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key)));
    }
    Package { name: package.name.to_string(), exports }
}

/// Runs the decoder or the printer.
///
/// Both assert what holds for the encodings that `wit-component` writes; with a valid component that someone else
/// has made, such an assertion can fail. That is a property of the bytes, and must not take down who asked.
fn guard<T>(work: impl FnOnce() -> Result<T, Opaque>) -> Result<T, InvalidWasm> {
    let refused = |error: Box<dyn StdError + Send + Sync>| InvalidWasm::Wit(UndecodableWit::new(error));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|Opaque(error)| refused(error)),
        Err(_) => Err(refused(Box::new(Unexpected))),
    }
}

/// The error of a dependency that has no type of its own.
struct Opaque(Box<dyn StdError + Send + Sync>);

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Opaque {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it is encoded in a way that the decoder does not expect")]
struct Unexpected;
