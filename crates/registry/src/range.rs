//! `Range` of a download (RFC 9110, section 14.2) and `Content-Range` of a chunk (distribution-spec, "Pushing a blob
//! in chunks").

use std::ops::Range;

/// What a `Range` header asks of content of a known size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes, of which there is at least one.
    Part(Range<u64>),
    /// Bytes that are not there.
    Nothing,
}

/// Reads a `Range` header.
///
/// What is no range of bytes asks for everything, as RFC 9110 has it; so do several ranges, which a server may
/// answer in that way. A range that ends before it starts is not ignored: the conformance suite expects 416.
pub(crate) fn wanted(header: &str, size: u64) -> Wanted {
    let Some((unit, range)) = header.split_once('=') else { return Wanted::Whole };
    let Some((first, last)) = range.trim().split_once('-') else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    let bounds = match (first, last, number(first), number(last)) {
        ("", _, _, Some(length)) => size.saturating_sub(length)..size,
        (_, "", Some(first), _) => first..size,
        (_, _, Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        _ => return Wanted::Whole,
    };
    if bounds.is_empty() { Wanted::Nothing } else { Wanted::Part(bounds) }
}

/// Reads the `Content-Range` of a chunk, which has no unit and no total: `^[0-9]+-[0-9]+$`.
pub(crate) fn chunk(header: &str) -> Option<Range<u64>> {
    let (first, last) = header.split_once('-')?;
    let bounds = number(first)?..number(last)?.checked_add(1)?;
    (!bounds.is_empty()).then_some(bounds)
}

/// Reads digits and nothing else; a number that is too large for any content is the largest one.
pub(crate) fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_range_is_clamped_to_the_content() {
        let table = [
            ("bytes=500-1499", Wanted::Part(500..1500)),
            ("bytes=500-", Wanted::Part(500..2048)),
            ("bytes=-500", Wanted::Part(1548..2048)),
            ("bytes=-5000", Wanted::Part(0..2048)),
            ("bytes=2000-5000", Wanted::Part(2000..2048)),
            ("bytes=2047-2047", Wanted::Part(2047..2048)),
            ("Bytes = 0-0", Wanted::Part(0..1)),
            ("bytes=0-99999999999999999999999", Wanted::Part(0..2048)),
        ];
        for (header, expected) in table {
            assert_eq!(wanted(header, 2048), expected, "{header}");
        }
    }

    #[test]
    fn bytes_that_are_not_there_are_refused() {
        for header in ["bytes=500-0", "bytes=2048-", "bytes=5000-10000", "bytes=-0", "bytes=99999999999999999999-"] {
            assert_eq!(wanted(header, 2048), Wanted::Nothing, "{header}");
        }
        for header in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(wanted(header, 0), Wanted::Nothing, "{header} of nothing");
        }
    }

    #[test]
    fn what_is_no_single_range_asks_for_everything() {
        for header in ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2", "bytes=0-1,5-6", "items=0-5"] {
            assert_eq!(wanted(header, 2048), Wanted::Whole, "{header}");
        }
    }

    #[test]
    fn a_chunk_has_two_numbers_and_nothing_else() {
        assert_eq!(chunk("0-0"), Some(0..1));
        assert_eq!(chunk("512-1023"), Some(512..1024));
        let table = [
            "",
            "0",
            "-",
            "0-",
            "-5",
            "5-4",
            "0--1",
            " 0-5",
            "0-5 ",
            "+0-5",
            "bytes=0-5",
            "bytes 0-5/6",
            "0-5/6",
            "0-99999999999999999999",
            "a-b",
        ];
        for header in table {
            assert_eq!(chunk(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_never_empty_and_never_outside(header in "bytes=[0-9]{0,4}-[0-9]{0,4}", size in 0u64..3000) {
            if let Wanted::Part(part) = wanted(&header, size) {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }

        #[test]
        fn a_part_is_what_was_asked_for(first in 0u64..100, length in 1u64..100, rest in 0u64..100) {
            let last = first + length - 1;
            let part = first..first + length;
            prop_assert_eq!(wanted(&format!("bytes={first}-{last}"), first + length + rest), Wanted::Part(part.clone()));
            prop_assert_eq!(chunk(&format!("{first}-{last}")), Some(part));
        }

        #[test]
        fn any_header_is_read_without_panic(header in "\\PC*", size: u64) {
            let _ = (wanted(&header, size), chunk(&header));
        }
    }
}
