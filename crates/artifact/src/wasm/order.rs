//! What the sections of a core module say of each other: their order, and the numbers they share.

use super::walk::Section;
use super::{Defect, InvalidWasm};

const FUNCTION: u8 = 3;
const CODE: u8 = 10;
const DATA: u8 = 11;
const DATA_COUNT: u8 = 12;

/// The ids of all sections but custom ones, in the order they stand in (core specification, "Binary format, Modules").
const ORDER: [u8; 13] = [1, 2, FUNCTION, 4, 5, 13, 6, 7, 8, 9, DATA_COUNT, CODE, DATA];

/// What the sections met so far announce.
#[derive(Default)]
pub(super) struct Announced {
    /// How many places of [`ORDER`] are taken or passed.
    places: usize,
    functions: Option<Number>,
    segments: Option<Number>,
    has_code: bool,
    has_data: bool,
}

/// A number, and the section that it is from.
struct Number {
    section: Section,
    value: u32,
}

impl Announced {
    /// Checks that a section may stand where it stands.
    pub(super) fn place(&mut self, section: &Section) -> Result<(), InvalidWasm> {
        let Some(place) = ORDER.iter().position(|&id| id == section.id) else { return Ok(()) };
        if place < self.places {
            return Err(section.corrupt(Defect::Order));
        }
        self.places = place + 1;
        Ok(())
    }

    /// Compares the number that a section gives (of its items, or what it announces) with what was announced.
    pub(super) fn count(&mut self, section: &Section, value: u32) -> Result<(), InvalidWasm> {
        match section.id {
            FUNCTION => self.functions = Some(Number { section: *section, value }),
            DATA_COUNT => self.segments = Some(Number { section: *section, value }),
            CODE => {
                self.has_code = true;
                let announced = self.functions.as_ref().map_or(0, |number| number.value);
                agree(section, "function bodies", announced, value)?;
            }
            DATA => {
                self.has_data = true;
                let announced = self.segments.as_ref().map_or(value, |number| number.value);
                agree(section, "data segments", announced, value)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks that whatever was announced has come.
    pub(super) fn finish(self) -> Result<(), InvalidWasm> {
        let missing =
            [(self.functions, self.has_code, "function bodies"), (self.segments, self.has_data, "data segments")];
        for (number, has_come, what) in missing {
            if let Some(Number { section, value }) = number.filter(|_| !has_come) {
                agree(&section, what, value, 0)?;
            }
        }
        Ok(())
    }
}

fn agree(section: &Section, what: &'static str, announced: u32, found: u32) -> Result<(), InvalidWasm> {
    match announced == found {
        true => Ok(()),
        false => Err(section.corrupt(Defect::Count { what, announced, found })),
    }
}
