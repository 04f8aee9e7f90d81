//! Code and data, which are passed by: only the frames of their items are read.
//!
//! ```text
//!   code section: count, then for each function: size, body
//!   data section: count, then for each segment: flags, memory and offset expression as they say, size, bytes
//! ```

use std::io::Read;

use wasmparser::{BinaryReader, ConstExpr};

use super::walk::{Section, Walker};
use super::{Defect, InvalidWasm};

/// Bytes that all before the content of a data segment may take; a usual offset expression takes 3 to 12.
const SEGMENT_HEADER_BYTES_MAX: usize = 1024;

/// The most bytes of a LEB128 number of 32 bits.
const LEB_BYTES_MAX: usize = 5;

impl<R: Read> Walker<'_, R> {
    /// Passes by a code section, and returns how many functions it holds.
    pub(super) fn code(&mut self, section: &Section) -> Result<u32, InvalidWasm> {
        let count = self.var_u32(section)?;
        for _ in 0..count {
            let offset = self.input.offset();
            let size = self.var_u32(section)?;
            self.skip_part(section, "function body", offset, size)?;
        }
        self.expect_end(section)?;
        Ok(count)
    }

    /// Passes by a data section, and returns how many segments it holds.
    pub(super) fn data(&mut self, section: &Section) -> Result<u32, InvalidWasm> {
        let count = self.var_u32(section)?;
        for _ in 0..count {
            let offset = self.input.offset();
            let window = self.peek_in(section, SEGMENT_HEADER_BYTES_MAX)?;
            let mut reader = BinaryReader::new(window, offset);
            let size = segment_size(&mut reader).map_err(|defect| section.corrupt(defect))?;
            let header_bytes = reader.current_position();
            self.input.advance(header_bytes);
            self.skip_part(section, "data segment", offset, size)?;
        }
        self.expect_end(section)?;
        Ok(count)
    }

    fn var_u32(&mut self, section: &Section) -> Result<u32, InvalidWasm> {
        let offset = self.input.offset();
        let mut reader = BinaryReader::new(self.peek_in(section, LEB_BYTES_MAX)?, offset);
        let number = reader.read_var_u32().map_err(|error| section.corrupt(error))?;
        let number_bytes = reader.current_position();
        self.input.advance(number_bytes);
        Ok(number)
    }

    /// Passes by `size` bytes that belong to the part that starts at `offset`.
    fn skip_part(&mut self, section: &Section, part: &'static str, offset: u64, size: u32) -> Result<(), InvalidWasm> {
        let left = section.end - self.input.offset();
        if u64::from(size) > left {
            let beyond = u64::from(size) - left;
            return Err(section.corrupt(Defect::Overrun { part, offset, beyond }));
        }
        self.input.skip(size.into())
    }

    fn expect_end(&self, section: &Section) -> Result<(), InvalidWasm> {
        match section.end - self.input.offset() {
            0 => Ok(()),
            count => Err(section.corrupt(Defect::Excess { count })),
        }
    }
}

/// Reads all before the content of a data segment, and returns the size of the content.
fn segment_size(reader: &mut BinaryReader<'_>) -> Result<u32, Defect> {
    const PASSIVE: u32 = 1;
    const OTHER_MEMORY: u32 = 2;
    let offset = reader.original_position();
    let flags = reader.read_var_u32()?;
    if flags > OTHER_MEMORY {
        return Err(Defect::SegmentFlags { offset, flags });
    }
    if flags == OTHER_MEMORY {
        reader.read_var_u32()?;
    }
    if flags != PASSIVE {
        reader.read::<ConstExpr<'_>>()?;
    }
    Ok(reader.read_var_u32()?)
}
