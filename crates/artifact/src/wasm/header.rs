//! The first bytes: a module, a component, or something that people take for one.

use super::{InvalidWasm, NativeFormat, Packing};
use crate::text::is_text;

/// Bytes of the header: magic number, version, layer.
pub(super) const HEADER_BYTES: usize = 8;

/// Bytes that tell all that [`read`] tells apart; tar has its mark the farthest behind.
pub(super) const SNIFF_BYTES: usize = 262;

/// The bytes that every Wasm binary starts with.
pub(super) const MAGIC: &[u8; 4] = b"\0asm";

/// What a header announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// A core module.
    Module,
    /// A component.
    Component,
}

impl Layer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Module => "core module",
            Self::Component => "component",
        }
    }

    /// Returns what a section is called; nothing for an id that is not in use.
    pub(super) fn section_name(self, id: u8) -> Option<&'static str> {
        // In the order of the ids, from 0 on.
        let names: &[&'static str] = match self {
            Self::Module => &[
                "custom section",
                "type section",
                "import section",
                "function section",
                "table section",
                "memory section",
                "global section",
                "export section",
                "start section",
                "element section",
                "code section",
                "data section",
                "data count section",
                "tag section",
            ],
            Self::Component => &[
                "custom section",
                "core module",
                "core instance section",
                "core type section",
                "nested component",
                "instance section",
                "alias section",
                "type section",
                "canonical function section",
                "start section",
                "import section",
                "export section",
            ],
        };
        names.get(usize::from(id)).copied()
    }
}

/// Tells from the first [`SNIFF_BYTES`] of a file (fewer, where it has fewer) what it is.
pub(super) fn read(bytes: &[u8]) -> Result<Layer, InvalidWasm> {
    match parse(bytes) {
        Some((1, 0)) => Ok(Layer::Module),
        Some((0xd, 1)) => Ok(Layer::Component),
        Some((version, layer)) => Err(InvalidWasm::Version { version, layer }),
        None => Err(refusal(bytes)),
    }
}

/// Returns version and layer, where there is a whole header.
pub(super) fn parse(bytes: &[u8]) -> Option<(u16, u16)> {
    let &[version_low, version_high, layer_low, layer_high, ..] = bytes.strip_prefix(MAGIC)? else { return None };
    Some((u16::from_le_bytes([version_low, version_high]), u16::from_le_bytes([layer_low, layer_high])))
}

/// Names what is no Wasm binary.
fn refusal(bytes: &[u8]) -> InvalidWasm {
    const PACKED: [(&[u8], Packing); 5] = [
        (b"\x1f\x8b", Packing::Gzip),
        (b"\x28\xb5\x2f\xfd", Packing::Zstd),
        (b"PK\x03\x04", Packing::Zip),
        (b"PK\x05\x06", Packing::Zip),
        (b"PK\x07\x08", Packing::Zip),
    ];
    let packing = PACKED.iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(_, packing)| *packing);
    let start = &bytes[..bytes.len().min(MAGIC.len())];
    if bytes.is_empty() {
        InvalidWasm::Empty
    } else if MAGIC.starts_with(start) {
        let missing = HEADER_BYTES.saturating_sub(bytes.len()) as u64;
        InvalidWasm::Truncated { section: "header", offset: 0, missing }
    } else if let Some(format) = NativeFormat::of(bytes) {
        InvalidWasm::Native { format }
    } else if let Some(packing) = packing {
        InvalidWasm::Packed { packing }
    } else if bytes.get(257..262) == Some(b"ustar") {
        InvalidWasm::Packed { packing: Packing::Tar }
    } else if is_text(bytes) {
        InvalidWasm::Text
    } else {
        InvalidWasm::Foreign
    }
}
