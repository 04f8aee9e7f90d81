//! Undoes gzip and zstd, found by their first bytes, within a limit of what may come out.

use std::fmt;
use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;

use crate::InvalidTar;
use crate::limits::{EXPANSION_BYTES_FREE, EXPANSION_RATIO_MAX};
use crate::zstd::Frames;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What bytes are compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Nothing that is known here.
    None,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "nothing",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

impl Compression {
    /// How many of the first bytes are enough for [`Compression::of`].
    pub const MAGIC_BYTES: usize = ZSTD_MAGIC.len();

    /// Tells the compression of content by its first bytes; a media type or a name is only a hint.
    #[must_use]
    pub fn of(first_bytes: &[u8]) -> Self {
        if first_bytes.starts_with(&GZIP_MAGIC) {
            Self::Gzip
        } else if first_bytes.starts_with(&ZSTD_MAGIC) {
            Self::Zstd
        } else {
            Self::None
        }
    }
}

/// Content without the compression that it came in; see [`decompress`].
pub struct Decompressed<R: Read> {
    decoder: Decoder<R>,
    limit: u64,
    unpacked: u64,
    /// Bytes that may come out whatever went in.
    free: u64,
}

type Whole<R> = Metered<Chain<Cursor<Vec<u8>>, R>>;

/// Counts the bytes that go in.
struct Metered<R> {
    reader: R,
    count: u64,
}

enum Decoder<R: Read> {
    None(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
    Zstd(Box<Frames<Whole<R>>>),
}

/// Undoes the compression that the first bytes tell, once: what is compressed twice comes out compressed.
///
/// Reading fails with [`InvalidTar::Expansion`] in an [`io::Error`] once more than `limit` bytes come out, also
/// where nothing was compressed, and with [`InvalidTar::Bomb`] once more comes out than [`EXPANSION_BYTES_FREE`] and
/// [`EXPANSION_RATIO_MAX`] for each byte read; `InvalidTar::from` takes it out again. Several gzip members or zstd frames after
/// one another are one content (RFC 1952, section 2.2; RFC 8878, section 3).
///
/// # Errors
/// That of reading the first bytes.
pub fn decompress<R: Read>(reader: R, limit: u64) -> io::Result<Decompressed<R>> {
    decompress_with(reader, limit, EXPANSION_BYTES_FREE)
}

fn decompress_with<R: Read>(mut reader: R, limit: u64, free: u64) -> io::Result<Decompressed<R>> {
    let mut first = Vec::with_capacity(Compression::MAGIC_BYTES);
    (&mut reader).take(Compression::MAGIC_BYTES as u64).read_to_end(&mut first)?;
    let compression = Compression::of(&first);
    let whole = Metered { reader: Cursor::new(first).chain(reader), count: 0 };
    let decoder = match compression {
        Compression::None => Decoder::None(whole),
        Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(whole))),
        Compression::Zstd => Decoder::Zstd(Box::new(Frames::new(whole))),
    };
    Ok(Decompressed { decoder, limit, unpacked: 0, free })
}

impl<R: Read> Decompressed<R> {
    /// Returns what the content was compressed with.
    #[must_use]
    pub fn compression(&self) -> Compression {
        match self.decoder {
            Decoder::None(_) => Compression::None,
            Decoder::Gzip(_) => Compression::Gzip,
            Decoder::Zstd(_) => Compression::Zstd,
        }
    }
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let left = self.limit - self.unpacked;
        if left == 0 {
            // The content may end exactly at the limit.
            return match self.decoder.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(InvalidTar::Expansion { limit: self.limit }.into()),
            };
        }
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.decoder.read(&mut buffer[..wanted])?;
        self.unpacked += read as u64;
        self.check_ratio()?;
        Ok(read)
    }
}

impl<R: Read> Decompressed<R> {
    fn check_ratio(&self) -> Result<(), InvalidTar> {
        let (read, unpacked) = (self.decoder.read_count(), self.unpacked);
        match unpacked.saturating_sub(self.free) > read.saturating_mul(EXPANSION_RATIO_MAX) {
            true => Err(InvalidTar::Bomb { read, unpacked }),
            false => Ok(()),
        }
    }
}

impl<R: Read> Decoder<R> {
    /// Returns how many bytes went in, some of which may not be decoded yet.
    fn read_count(&self) -> u64 {
        match self {
            Self::None(reader) => reader.count,
            Self::Gzip(reader) => reader.get_ref().count,
            Self::Zstd(reader) => reader.source().count,
        }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::None(reader) => reader.read(buffer),
            Self::Gzip(reader) => reader.read(buffer),
            Self::Zstd(reader) => reader.read(buffer),
        }
    }
}

impl<R: Read> fmt::Debug for Decompressed<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compression = self.compression();
        formatter.debug_struct("Decompressed").field("compression", &compression).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(content: &[u8]) -> Vec<u8> {
        compress_to_vec(content, CompressionLevel::Fastest)
    }

    fn unpack(compressed: &[u8], limit: u64) -> Result<Vec<u8>, InvalidTar> {
        let mut content = Vec::new();
        decompress(compressed, limit)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn the_first_bytes_tell_the_compression() {
        let table = [
            (gzip(b"wharf"), Compression::Gzip),
            (zstd(b"wharf"), Compression::Zstd),
            (b"wharf".to_vec(), Compression::None),
            (vec![0x1f], Compression::None),
            (Vec::new(), Compression::None),
        ];
        for (bytes, compression) in table {
            let unpacked = decompress(&bytes[..], 10).unwrap();
            assert_eq!((unpacked.compression(), Compression::of(&bytes)), (compression, compression));
            let expected = if compression == Compression::None { bytes.clone() } else { b"wharf".to_vec() };
            assert_eq!(unpack(&bytes, 10).unwrap(), expected);
        }
    }

    #[test]
    fn members_and_frames_after_one_another_are_one_content() {
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"any"].concat();
        let frames = [zstd(b"wh"), skipped.clone(), zstd(b""), zstd(b"arf"), skipped].concat();
        assert_eq!(unpack(&[gzip(b"wh"), gzip(b""), gzip(b"arf")].concat(), 10).unwrap(), b"wharf");
        assert_eq!(unpack(&frames, 10).unwrap(), b"wharf");
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let content = vec![0; 1 << 20];
        let limit = 10_000;
        for bomb in [gzip(&content), zstd(&content), content.clone(), gzip(&content[..5000]).repeat(3)] {
            let mut unpacked = Vec::new();
            let error = decompress(&bomb[..], limit).unwrap().read_to_end(&mut unpacked).unwrap_err();
            assert!(matches!(InvalidTar::from(error), InvalidTar::Expansion { limit: 10_000 }));
            assert_eq!(unpacked.len() as u64, limit);
        }
        assert_eq!(unpack(&gzip(&content[..10_000]), limit).unwrap().len(), 10_000);
    }

    #[test]
    fn what_grows_beyond_measure_ends_early() {
        let zeros = vec![0; 1 << 20];
        let unpack_with = |bytes: &[u8], free| {
            let mut content = Vec::new();
            let read = decompress_with(bytes, u64::MAX, free).and_then(|mut it| it.read_to_end(&mut content));
            (content.len(), read.map_err(InvalidTar::from))
        };
        for bomb in [gzip(&zeros), zstd(&zeros)] {
            assert!((bomb.len() as u64) < zeros.len() as u64 / EXPANSION_RATIO_MAX, "{}", bomb.len());
            let (count, ended) = unpack_with(&bomb, 1000);
            assert!(matches!(ended, Err(InvalidTar::Bomb { unpacked, .. }) if unpacked > 1000), "{ended:?}");
            assert!(count < zeros.len(), "{count}");
            // What is small is no bomb.
            assert!(unpack_with(&bomb, 1 << 20).1.is_ok());
        }
        // Wasm of machine-made code, which shrinks more than most.
        let text = b"\x20\x00\x41\x01\x6a\x21\x00".repeat(1 << 14);
        let varied: Vec<u8> = text.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at % 29 == 0)).collect();
        assert!(unpack_with(&gzip(&varied), 0).1.is_ok());
        assert_eq!(unpack_with(&zeros, 0).0, zeros.len(), "what is not compressed does not grow");
    }

    #[test]
    fn what_ends_early_is_an_error() {
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a'];
        for whole in [gzip(b"wharf"), zstd(b"wharf"), [zstd(b"wharf"), zstd(b"wharf")].concat()] {
            for end in Compression::MAGIC_BYTES..whole.len() {
                let is_boundary = whole.len() % 2 == 0 && end == whole.len() / 2 && whole[..end] == whole[end..];
                assert_eq!(unpack(&whole[..end], 100).is_ok(), is_boundary, "{end} of {}", whole.len());
            }
        }
        assert!(unpack(&[&zstd(b"wharf")[..], &skipped].concat(), 100).is_err());
    }

    #[test]
    fn flipped_content_does_not_match_its_checksum() {
        for (mut bytes, at) in [(gzip(b"wharf"), 12), (zstd(b"wharf"), 10)] {
            bytes[at] ^= 1;
            assert!(unpack(&bytes, 100).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_frame_that_wants_gibibytes_of_window_is_refused() {
        // Magic, no single segment, a window descriptor of 2^(10 + exponent) bytes, an empty last block.
        let frame = |exponent: u8| [&ZSTD_MAGIC[..], &[0, exponent << 3, 1, 0, 0]].concat();
        assert!(matches!(unpack(&frame(21), 100), Err(InvalidTar::Window { size }) if size == 1 << 31));
        assert!(matches!(unpack(&frame(16), 100), Err(InvalidTar::Window { .. })));
        assert_eq!(unpack(&frame(15), 100).unwrap(), b"");
        // A single segment of 2 GiB.
        let segment = [&ZSTD_MAGIC[..], &[0xa0, 0, 0, 0, 0x80, 1, 0, 0]].concat();
        assert!(matches!(unpack(&segment, 100), Err(InvalidTar::Window { size }) if size == 1 << 31));
    }

    #[test]
    fn a_frame_of_another_size_than_it_gives_is_refused() {
        // A window of 1 KiB, a size of four bytes, and a raw last block of three bytes.
        let frame = |size: u8| [&ZSTD_MAGIC[..], &[0x80, 0, size, 0, 0, 0, 3 << 3 | 1, 0, 0], b"abc"].concat();
        assert_eq!(unpack(&frame(3), 100).unwrap(), b"abc");
        for size in [0, 2, 4] {
            let refused = unpack(&frame(size), 100);
            assert!(matches!(refused, Err(InvalidTar::FrameSize { actual: 3, .. })), "{size}: {refused:?}");
        }
        // The same in one segment, whose size has one byte, and without a size.
        let segment = |size: u8| [&ZSTD_MAGIC[..], &[0x20, size, 3 << 3 | 1, 0, 0], b"abc"].concat();
        assert_eq!(unpack(&segment(3), 100).unwrap(), b"abc");
        assert!(unpack(&segment(2), 100).is_err() && unpack(&segment(4), 100).is_err());
        let sizeless = [&ZSTD_MAGIC[..], &[0, 0, 3 << 3 | 1, 0, 0], b"abc"].concat();
        assert_eq!(unpack(&sizeless, 100).unwrap(), b"abc");
    }

    #[test]
    fn a_frame_of_a_later_form_is_refused() {
        let frame = |descriptor: u8| [&ZSTD_MAGIC[..], &[descriptor, 0, 1, 0, 0]].concat();
        assert_eq!(unpack(&frame(0), 100).unwrap(), b"");
        // The bit beside it is to be passed over.
        assert_eq!(unpack(&frame(1 << 4), 100).unwrap(), b"");
        assert!(matches!(unpack(&frame(1 << 3), 100), Err(InvalidTar::ReservedBit)));
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_out_again(content in prop::collection::vec(0u8..4, 0..5000)) {
            for compressed in [gzip(&content), zstd(&content)] {
                prop_assert_eq!(unpack(&compressed, 5000).unwrap(), &content[..]);
            }
        }

        #[test]
        fn no_bytes_break_the_decoders(mut bytes in prop::collection::vec(any::<u8>(), 0..300), zstd: bool) {
            let magic = if zstd { &ZSTD_MAGIC[..] } else { &[0x1f, 0x8b, 8, 0][..] };
            bytes.splice(..0, magic.iter().copied());
            let _any = unpack(&bytes, 10_000);
        }
    }
}
