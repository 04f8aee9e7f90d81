//! What the outermost module or component shows of itself.

use std::collections::BTreeSet;

use super::{InvalidWasm, Marker, Metadata};
use crate::limits::NAMES_BYTES_MAX;

/// How many types of a component are followed to tell whether it is a WIT package; one of WASI has a dozen.
const TYPES_MAX: usize = 100_000;

/// Collects imports, exports and metadata.
#[derive(Default)]
pub(super) struct Surface {
    pub(super) imports: BTreeSet<String>,
    pub(super) exports: BTreeSet<String>,
    pub(super) metadata: Metadata,
    pub(super) markers: BTreeSet<Marker>,
    pub(super) package: PackageShape,
    names_bytes: usize,
}

impl Surface {
    pub(super) fn import(&mut self, name: &str) {
        self.names_bytes += name.len();
        self.imports.insert(name.to_owned());
    }

    pub(super) fn export(&mut self, name: &str) {
        self.names_bytes += name.len();
        self.exports.insert(name.to_owned());
    }

    /// Checks the limit after each section, which is limited itself.
    pub(super) fn check(&self) -> Result<(), InvalidWasm> {
        match self.names_bytes > NAMES_BYTES_MAX {
            true => Err(InvalidWasm::TooManyNames),
            false => Ok(()),
        }
    }
}

/// Follows the types of a component to tell whether it can be a WIT package: all that it holds are types, and all
/// that it exports are types of components.
pub(super) struct PackageShape {
    /// For each type, whether it is the type of a component.
    types: Vec<bool>,
    exports: usize,
    is_possible: bool,
}

impl Default for PackageShape {
    fn default() -> Self {
        Self { types: Vec::new(), exports: 0, is_possible: true }
    }
}

impl PackageShape {
    /// Whether all that was met may stand in a WIT package.
    pub(super) fn is_package(&self) -> bool {
        self.is_possible && self.exports > 0
    }

    /// Takes note of a section.
    pub(super) fn meet(&mut self, id: u8) {
        const CUSTOM_TYPE_EXPORT: [u8; 3] = [0, 7, 11];
        self.is_possible &= CUSTOM_TYPE_EXPORT.contains(&id);
    }

    /// Takes note of a type.
    pub(super) fn define(&mut self, is_component: bool) {
        self.is_possible &= self.types.len() < TYPES_MAX;
        if self.is_possible {
            self.types.push(is_component);
        }
    }

    /// Takes note of an export, with its index where it is a type. That gives the type a second index.
    pub(super) fn export(&mut self, index: Option<u32>) {
        let of = index.and_then(|index| self.types.get(usize::try_from(index).ok()?));
        self.is_possible &= of == Some(&true);
        self.exports += 1;
        self.define(true);
    }
}
