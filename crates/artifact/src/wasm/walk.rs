//! The walk over all sections, those of nested modules and components too.
//!
//! ```text
//!   header: 00 61 73 6d, version, layer
//!   section: id (1 byte), size (LEB128), content      … to the end
//! ```
//!
//! `wasmparser`'s own parser wants every section in memory at once, a data section of 300 MB too; so the frame of a
//! section is read here, and `wasmparser` reads the items in it. Code, data, unknown custom sections and whatever
//! nests are never in memory as a whole.

use std::io::Read;

use wasmparser::BinaryReader;

use super::header::{HEADER_BYTES, Layer, MAGIC, SNIFF_BYTES};
use super::input::Input;
use super::order::Announced;
use super::surface::Surface;
use super::{Defect, InvalidWasm, header, metadata, sections};
use crate::limits::{METADATA_BYTES_MAX, NESTING_DEPTH_MAX, SECTION_BYTES_MAX};

/// The most bytes of a LEB128 number of 32 bits.
const LEB_BYTES_MAX: usize = 5;

/// Bytes that the name of a custom section may take, with its length; real ones take a few dozen.
const CUSTOM_NAME_BYTES_MAX: usize = 4 * 1024;

const CUSTOM: u8 = 0;
const MODULE_CODE: u8 = 10;
const MODULE_DATA: u8 = 11;
const COMPONENT_MODULE: u8 = 1;
const COMPONENT_COMPONENT: u8 = 4;

/// Walks over an input, and keeps what the outermost module or component says of itself.
pub(super) struct Walker<'a, R> {
    pub(super) input: Input<'a, R>,
    pub(super) surface: Surface,
    /// The content of one section at a time.
    section: Vec<u8>,
}

/// The module or component that the walk is in.
#[derive(Clone, Copy)]
struct Level {
    layer: Layer,
    /// Where it ends in the input.
    end: u64,
    /// How many components it stands in.
    depth: usize,
}

/// The frame of a section.
#[derive(Clone, Copy)]
pub(super) struct Section {
    pub(super) id: u8,
    pub(super) name: &'static str,
    /// Where it starts, with its id.
    pub(super) offset: u64,
    /// Where its content ends.
    pub(super) end: u64,
}

impl Section {
    pub(super) fn corrupt(&self, source: impl Into<Defect>) -> InvalidWasm {
        InvalidWasm::Corrupt { section: self.name, offset: self.offset, source: source.into() }
    }
}

impl<'a, R: Read> Walker<'a, R> {
    pub(super) fn new(input: Input<'a, R>) -> Self {
        Self { input, surface: Surface::default(), section: Vec::new() }
    }

    /// Walks over the whole input.
    pub(super) fn run(&mut self) -> Result<Layer, InvalidWasm> {
        let layer = header::read(self.input.peek(SNIFF_BYTES)?)?;
        self.input.advance(HEADER_BYTES);
        self.level(Level { layer, end: self.input.size(), depth: 0 })?;
        Ok(layer)
    }

    fn level(&mut self, level: Level) -> Result<(), InvalidWasm> {
        match level.layer {
            Layer::Module => self.module(level),
            Layer::Component => self.component(level),
        }
    }

    fn module(&mut self, level: Level) -> Result<(), InvalidWasm> {
        let mut announced = Announced::default();
        while let Some(section) = self.next_section(level)? {
            announced.place(&section)?;
            let count = match section.id {
                CUSTOM => {
                    self.custom(level, &section)?;
                    continue;
                }
                MODULE_CODE => self.code(&section)?,
                MODULE_DATA => self.data(&section)?,
                _ => {
                    self.read_section(&section)?;
                    let reader = BinaryReader::new(&self.section, section.end - self.section.len() as u64);
                    let surface = (level.depth == 0).then_some(&mut self.surface);
                    sections::module(section.id, reader, surface).map_err(|error| section.corrupt(error))?
                }
            };
            announced.count(&section, count)?;
            self.surface.check()?;
        }
        announced.finish()
    }

    fn component(&mut self, level: Level) -> Result<(), InvalidWasm> {
        while let Some(section) = self.next_section(level)? {
            let top = level.depth == 0;
            if top {
                self.surface.package.meet(section.id);
            }
            match section.id {
                CUSTOM => self.custom(level, &section)?,
                COMPONENT_MODULE => self.nested(level, &section, Layer::Module)?,
                COMPONENT_COMPONENT => self.nested(level, &section, Layer::Component)?,
                _ => {
                    self.read_section(&section)?;
                    let reader = BinaryReader::new(&self.section, section.end - self.section.len() as u64);
                    let surface = top.then_some(&mut self.surface);
                    sections::component(section.id, reader, surface).map_err(|error| section.corrupt(error))?;
                }
            }
            self.surface.check()?;
        }
        Ok(())
    }

    fn nested(&mut self, level: Level, section: &Section, layer: Layer) -> Result<(), InvalidWasm> {
        let depth = level.depth + 1;
        if depth > NESTING_DEPTH_MAX {
            return Err(InvalidWasm::TooDeep { offset: section.offset });
        }
        let header = self.peek_in(section, HEADER_BYTES)?;
        let expected = match layer {
            Layer::Module => (1, 0),
            Layer::Component => (0xd, 1),
        };
        if header::parse(header) != Some(expected) {
            return Err(section.corrupt(Defect::Header { expected: layer.name() }));
        }
        self.input.advance(HEADER_BYTES);
        self.level(Level { layer, end: section.end, depth })
    }

    /// Reads the frame of the next section; nothing at the end of the module or component.
    fn next_section(&mut self, level: Level) -> Result<Option<Section>, InvalidWasm> {
        let offset = self.input.offset();
        let left = usize::try_from(level.end - offset).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(None);
        }
        let window = self.input.peek(1 + LEB_BYTES_MAX)?;
        let window = &window[..window.len().min(left)];
        let Some(name) = level.layer.section_name(window[0]) else { return Err(InvalidWasm::Trailing { offset }) };
        // A second file behind the first, and padding with zeros, would both be custom sections that are corrupt.
        if window.starts_with(MAGIC) || window.starts_with(&[CUSTOM, 0]) {
            return Err(InvalidWasm::Trailing { offset });
        }
        let mut section = Section { id: window[0], name, offset, end: level.end };
        let bytes = &window[1..window.len().min(1 + LEB_BYTES_MAX)];
        let is_cut = bytes.len() < LEB_BYTES_MAX && bytes.iter().all(|byte| byte & 0x80 != 0);
        if is_cut {
            return Err(beyond(level, &section, 1));
        }
        let mut reader = BinaryReader::new(bytes, offset + 1);
        let size = reader.read_var_u32().map_err(|error| section.corrupt(error))?;
        section.end = reader.original_position() + u64::from(size);
        let header_bytes = 1 + reader.current_position();
        if section.end > level.end {
            return Err(beyond(level, &section, section.end - level.end));
        }
        self.input.advance(header_bytes);
        Ok(Some(section))
    }

    /// Reads the content of a section into memory.
    fn read_section(&mut self, section: &Section) -> Result<(), InvalidWasm> {
        let size = section.end - self.input.offset();
        if size > SECTION_BYTES_MAX {
            let Section { name, offset, .. } = *section;
            return Err(InvalidWasm::SectionTooLarge { section: name, offset, size, limit: SECTION_BYTES_MAX });
        }
        self.input.read_into(size as usize, &mut self.section)
    }

    /// Takes metadata from a custom section of the outermost level, and passes by all others.
    fn custom(&mut self, level: Level, section: &Section) -> Result<(), InvalidWasm> {
        let offset = self.input.offset();
        let mut reader = BinaryReader::new(self.peek_in(section, CUSTOM_NAME_BYTES_MAX)?, offset);
        let name = reader.read_string().map_err(|error| section.corrupt(error))?;
        let top = level.depth == 0;
        let field = metadata::Field::of(level.layer, name).filter(|_| top);
        let marker = metadata::Marker::of(name).filter(|_| top);
        let name_bytes = reader.current_position();
        self.input.advance(name_bytes);
        self.surface.markers.extend(marker);
        if let Some(field) = field {
            let size = section.end - self.input.offset();
            let kept = size.min(METADATA_BYTES_MAX as u64) as usize;
            self.input.read_into(kept, &mut self.section)?;
            let is_whole = kept as u64 == size;
            self.surface.metadata.take(field, &self.section, is_whole);
        }
        self.input.skip(section.end - self.input.offset())
    }

    /// Returns the next `wanted` bytes of a section, or as many as it has.
    pub(super) fn peek_in(&mut self, section: &Section, wanted: usize) -> Result<&[u8], InvalidWasm> {
        let left = usize::try_from(section.end - self.input.offset()).unwrap_or(usize::MAX);
        let wanted = wanted.min(left);
        Ok(&self.input.peek(wanted)?[..wanted])
    }
}

/// Says that a section needs `count` bytes more than there are.
fn beyond(level: Level, section: &Section, count: u64) -> InvalidWasm {
    let Section { name, offset, .. } = *section;
    match level.depth {
        0 => InvalidWasm::Truncated { section: name, offset, missing: count },
        _ => section.corrupt(Defect::Overrun { part: name, offset, beyond: count }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write as _};

    use wasm_encoder::Encode as _;

    use super::*;

    /// Some bytes and then as many zeros, which are nowhere in memory.
    struct Large {
        head: io::Cursor<Vec<u8>>,
        zeros: io::Take<io::Repeat>,
    }

    impl Read for Large {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.head.read(buffer)? {
                0 => self.zeros.read(buffer),
                read => Ok(read),
            }
        }
    }

    /// A component with a module that ends with a section of `size` bytes, of which only `start` is given.
    fn component_with(id: u8, start: &[u8], size: u32) -> Large {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        if id == MODULE_CODE {
            module.extend(b"\x01\x04\x01\x60\0\0\x03\x02\x01\0");
        }
        module.push(id);
        size.encode(&mut module);
        let zeros = u64::from(size) - start.len() as u64;
        module.write_all(start).unwrap();
        let mut head = b"\0asm\x0d\0\x01\0\x01".to_vec();
        (u32::try_from(module.len() as u64 + zeros).unwrap()).encode(&mut head);
        head.extend(module);
        Large { head: io::Cursor::new(head), zeros: io::repeat(0).take(zeros) }
    }

    #[test]
    fn code_data_and_custom_sections_of_any_size_are_never_in_memory() {
        const SIZE: u32 = 100 << 20;
        let part = |before: &[u8]| {
            let mut start = before.to_vec();
            (SIZE - u32::try_from(before.len()).unwrap() - 4).encode(&mut start);
            start
        };
        for (id, start) in
            [(CUSTOM, b"\x05hello".to_vec()), (MODULE_CODE, part(b"\x01")), (MODULE_DATA, part(b"\x01\x01"))]
        {
            let mut large = component_with(id, &start, SIZE);
            let size = large.head.get_ref().len() as u64 + large.zeros.limit();
            let mut walker = Walker::new(Input::new(&mut large, size));
            walker.run().unwrap();
            assert_eq!(walker.input.offset(), size);
            assert!(walker.section.capacity() < 1024, "section {id} was read into memory");
        }
    }
}
