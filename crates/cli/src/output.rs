//! How outcomes reach standard output.

use std::io::{self, Write};

use serde::Serialize;

use crate::args::Format;

/// An outcome that reads as text. As JSON it is what its fields say.
pub(crate) trait Render: Serialize {
    /// Writes the text.
    fn render(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Writes `outcome` in the form that was asked for.
pub(crate) fn write(outcome: &impl Render, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => outcome.render(out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, outcome)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

/// Writes a number of bytes as people read it, in powers of 1000 as disks and networks count.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut units = UNITS.iter();
    let mut unit = units.next().expect("there is a first unit");
    let mut tenths = bytes.saturating_add(50) / 100;
    while tenths >= 10_000 {
        let Some(next) = units.next() else { break };
        tenths = (tenths + 500) / 1000;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Replaces what a terminal would act on: text that comes from a file or a registry is shown, not obeyed.
///
/// A tab becomes one space, as carets below a line of text count it as one.
pub(crate) fn printable(text: &str) -> String {
    // Marks that turn the direction of writing can make a text look like another.
    let turns =
        |character| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |character: char| match character {
        '\t' => ' ',
        character if character.is_control() || turns(character) => '\u{fffd}',
        character => character,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (13_498_460, "13.5 MB"),
            (44_797, "44.8 kB"),
            (3_000_000_000, "3.0 GB"),
        ];
        for (bytes, expected) in table {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn a_terminal_gets_no_orders_from_afar() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(printable("a\u{202e}b"), "a\u{fffd}b");
    }

    #[test]
    fn a_tab_is_as_wide_as_a_caret_counts_it() {
        assert_eq!(printable("\t\tf:\tfunk"), "  f: funk");
    }
}
