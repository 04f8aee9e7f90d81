//! Gzip and zstd.

#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use wharf_fuzz::Trickle;
use wharf_tar::{Compression, InvalidTar, ZSTD_WINDOW_BYTES_MAX, decompress};

/// Small enough to be met.
const LIMIT: usize = 64 * 1024;

fuzz_target!(|input: &[u8]| {
    let (unpacked, error) = unpack(input, LIMIT);
    check_pieces(input, &unpacked, error.is_some());
    let is_over = matches!(error, Some(InvalidTar::Expansion { limit: _ }));
    assert!(unpacked.len() <= LIMIT && (!is_over || unpacked.len() == LIMIT), "{} bytes: {error:?}", unpacked.len());
    if !unpacked.is_empty() && error.is_none() {
        let (_, error) = unpack(input, unpacked.len() - 1);
        assert!(matches!(error, Some(InvalidTar::Expansion { .. })), "{error:?}");
    }
    check_packed(input);
    match Compression::of(input) {
        Compression::None => assert_eq!((&input[..unpacked.len()], unpacked.len() < input.len()), (&unpacked[..], is_over)),
        Compression::Gzip => {}
        Compression::Zstd => check_zstd(input, &unpacked, error.as_ref()),
    }
});

/// Returns what comes out, and what ended it.
fn unpack(input: &[u8], limit: usize) -> (Vec<u8>, Option<InvalidTar>) {
    let mut unpacked = Vec::new();
    let mut reader = decompress(input, limit as u64).expect("memory can be read");
    let error = reader.read_to_end(&mut unpacked).err();
    (unpacked, error.map(InvalidTar::from))
}

/// How many bytes come and go at a time makes no difference.
fn check_pieces(input: &[u8], expected: &[u8], is_refused: bool) {
    let mut reader = decompress(Trickle::new(input), LIMIT as u64).expect("memory can be read");
    let (mut unpacked, mut buffer) = (Vec::new(), vec![0; 1 + input.len() % 300]);
    let refused = loop {
        match reader.read(&mut buffer) {
            Ok(0) => break false,
            Ok(read) => unpacked.extend_from_slice(&buffer[..read]),
            Err(_) => break true,
        }
    };
    let (some, more) = if unpacked.len() < expected.len() { (&unpacked[..], expected) } else { (expected, &unpacked[..]) };
    // What stands before a fault may be there before the fault is seen.
    assert!(refused == is_refused && more.starts_with(some) && (refused || more == some), "{some:?} {more:?}");
}

/// What libzstd packs is unpacked. With its highest levels, it does not get on with AddressSanitizer.
fn check_packed(content: &[u8]) {
    let level = 1 + i32::from(content.len() as u8 % 5);
    let packed = zstd::bulk::compress(content, level).expect("memory can be packed");
    let (unpacked, error) = unpack(&packed, content.len());
    assert!(unpacked == content && error.is_none(), "at level {level}: {error:?}");
}

/// What both unpack is the same; libzstd takes some things that the specification does not have.
fn check_zstd(input: &[u8], unpacked: &[u8], error: Option<&InvalidTar>) {
    let peer = unpack_with_peer(input);
    match (error, peer) {
        (Some(_), Err(_)) => {}
        (Some(_), Ok(other)) => {
            let (one, other) = if unpacked.len() < other.len() { (unpacked, &other[..]) } else { (&other[..], unpacked) };
            assert!(other.starts_with(one), "{one:?}\n{other:?}");
        }
        (None, Ok(other)) => assert!(unpacked == other, "{unpacked:?}\n{other:?}"),
        // Our decoder lets some faults pass that libzstd finds, such as bits that are left over in a block; content is
        // compared with its digest before it gets here.
        (None, Err(_)) => {}
    }
}

fn unpack_with_peer(input: &[u8]) -> io::Result<Vec<u8>> {
    let mut decoder = zstd::stream::read::Decoder::new(input)?;
    decoder.window_log_max(ZSTD_WINDOW_BYTES_MAX.ilog2())?;
    let mut unpacked = Vec::new();
    decoder.take(LIMIT as u64 + 1).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}
