//! Tells what bytes are: a core module, a component, or a WIT package.

mod error;
mod framing;
mod header;
mod input;
mod metadata;
mod order;
mod sections;
mod surface;
#[cfg(test)]
mod tests;
mod walk;
mod wit;

use std::fmt;
use std::io::{Cursor, Read, Seek, SeekFrom};

use semver::Version;
use wharf_oci::Digest;

use self::header::Layer;
use self::input::Input;
use self::walk::Walker;
use crate::limits::PACKAGE_BYTES_MAX;

pub use self::error::{Defect, InvalidWasm, NativeFormat, Packing, UndecodableWit};
pub use self::metadata::{Marker, Metadata, Producer};

/// What a Wasm binary is and says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wasm {
    /// Which of the three it is.
    pub kind: Kind,
    /// The size in bytes.
    pub size: u64,
    /// The SHA-256 digest.
    pub digest: Digest,
    /// What it imports, sorted, each once.
    ///
    /// Of a component these are the names as they stand, such as `wasi:http/types@0.2.3` or `run`; of a core module,
    /// module and field with a dot between them, such as `env.proxy_log`. A WIT package imports nothing.
    pub imports: Vec<String>,
    /// What it exports, sorted, each once.
    ///
    /// Of a WIT package these are the ids of its interfaces and worlds, and what its worlds export.
    pub exports: Vec<String>,
    /// The name of a WIT package with its version, such as `wasi:http@0.2.3`; nothing for the other kinds.
    pub package: Option<String>,
    /// What its outermost custom sections say.
    pub metadata: Metadata,
    /// Which sections of hosts are among the outermost ones, sorted, each once.
    pub markers: Vec<Marker>,
}

/// The kinds of Wasm binaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A component.
    Component,
    /// A core module.
    Module,
    /// A component that holds nothing but a WIT package.
    WitPackage,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Component => "component",
            Self::Module => "core module",
            Self::WitPackage => "WIT package",
        })
    }
}

/// A version of WASI; the later, the greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wasi {
    /// `wasi_unstable`, the snapshot before preview 1.
    Unstable,
    /// `wasi_snapshot_preview1`.
    Preview1,
    /// Interfaces of the component model, such as those of WASI 0.2.3.
    Components(Version),
}

impl fmt::Display for Wasi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unstable => formatter.write_str("0.0"),
            Self::Preview1 => formatter.write_str("0.1"),
            Self::Components(version) => version.fmt(formatter),
        }
    }
}

impl Wasm {
    /// Returns the highest version of WASI among the imports and exports; nothing where WASI is not among them.
    #[must_use]
    pub fn wasi_version(&self) -> Option<Wasi> {
        match self.kind {
            Kind::Module => self.imports.iter().filter_map(|name| wasi_of_import(name)).max(),
            Kind::Component | Kind::WitPackage => wasi_of_interfaces(self.imports.iter().chain(&self.exports)),
        }
    }
}

/// Returns the highest version of WASI among names of interfaces, such as `wasi:http/types@0.2.3`.
#[must_use]
pub fn wasi_of_interfaces<'a>(names: impl IntoIterator<Item = &'a String>) -> Option<Wasi> {
    names.into_iter().filter_map(|name| wasi_of_interface(name)).max()
}

/// Examines a binary in one pass, from its start whatever the position of `reader` is.
///
/// It takes a few hundred KiB of memory for code, data and debug information of any size, and up to the
/// [limits](crate::limits) for the rest. Only a WIT package, which is small, is read a second time to decode it.
/// Nested modules and components are examined too; instructions and types are not validated.
///
/// # Errors
/// [`InvalidWasm`], for each way in which the bytes fall short; see there.
pub fn examine<R: Read + Seek>(reader: &mut R) -> Result<Wasm, InvalidWasm> {
    let size = reader.seek(SeekFrom::End(0)).map_err(InvalidWasm::Read)?;
    reader.rewind().map_err(InvalidWasm::Read)?;
    let mut walker = Walker::new(Input::new(reader, size));
    let layer = walker.run()?;
    let Walker { input, surface, .. } = walker;
    let digest = input.finish();
    let kind = match layer {
        Layer::Module => Kind::Module,
        Layer::Component => Kind::Component,
    };
    let is_package = layer == Layer::Component && surface.package.is_package();
    let mut wasm = Wasm {
        kind,
        size,
        digest,
        imports: surface.imports.into_iter().collect(),
        exports: surface.exports.into_iter().collect(),
        package: None,
        metadata: surface.metadata,
        markers: surface.markers.into_iter().collect(),
    };
    if is_package && let Some(package) = read_package(reader, &wasm)? {
        wasm.kind = Kind::WitPackage;
        wasm.exports = package.exports.into_iter().collect();
        wasm.package = Some(package.name);
    }
    Ok(wasm)
}

/// Returns the WIT text of a component or a WIT package.
///
/// Of a component, which keeps no name for its world, that is a package `root:component` with the world `root`; all
/// packages that it refers to follow in the form `package … { … }`, as far as the component uses them, so that the
/// text stands for itself. Of a WIT package it is the package alone, with its documentation.
///
/// # Errors
/// [`InvalidWasm::NoWit`] for a core module, [`InvalidWasm::Wit`] where decoding fails, and those of [`examine`].
pub fn world_wit(bytes: &[u8]) -> Result<String, InvalidWasm> {
    match examine(&mut Cursor::new(bytes))?.kind {
        Kind::Module => Err(InvalidWasm::NoWit),
        Kind::Component | Kind::WitPackage => wit::print(bytes),
    }
}

fn read_package<R: Read + Seek>(reader: &mut R, wasm: &Wasm) -> Result<Option<wit::Package>, InvalidWasm> {
    if wasm.size > PACKAGE_BYTES_MAX {
        return Err(InvalidWasm::PackageTooLarge { size: wasm.size, limit: PACKAGE_BYTES_MAX });
    }
    reader.rewind().map_err(InvalidWasm::Read)?;
    let mut bytes = Vec::new();
    reader.take(PACKAGE_BYTES_MAX).read_to_end(&mut bytes).map_err(InvalidWasm::Read)?;
    if Digest::sha256(&bytes) != wasm.digest {
        return Err(InvalidWasm::Changed);
    }
    wit::package(&bytes)
}

fn wasi_of_import(name: &str) -> Option<Wasi> {
    match name.split_once('.')?.0 {
        "wasi_unstable" => Some(Wasi::Unstable),
        "wasi_snapshot_preview1" => Some(Wasi::Preview1),
        _ => None,
    }
}

fn wasi_of_interface(name: &str) -> Option<Wasi> {
    let (_, version) = name.strip_prefix("wasi:")?.split_once('@')?;
    Version::parse(version).ok().map(Wasi::Components)
}
