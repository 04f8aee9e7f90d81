//! Zstandard (RFC 8878): frames after one another, some of them to be skipped.

use std::io::{self, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::InvalidTar;
use crate::limits::ZSTD_WINDOW_BYTES_MAX;

/// Bytes of a magic number, and of the descriptor of the frame behind it (RFC 8878, section 3.1.1.1).
const START_BYTES: u64 = 5;
/// Reserved for features that a decoder could not pass over (section 3.1.1.1.1.4).
const RESERVED_BIT: u8 = 1 << 3;
/// One of these is set where a frame tells the size of its content (section 3.1.1.1.4).
const SIZE_BITS: u8 = 0b1110_0000;

/// Reads the content of all frames.
pub(crate) struct Frames<R: Read> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    frame: Option<Frame>,
}

/// The frame whose content is being read.
struct Frame {
    /// The size that it gives, which the decoder passes over.
    size: Option<u64>,
    read: u64,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
        Self { source: BufReader::new(source), decoder, frame: None }
    }

    /// Returns what the frames are read from.
    pub(crate) fn source(&self) -> &R {
        self.source.get_ref()
    }

    /// Goes to the content of the next frame; `None` where there is none.
    fn start_frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let mut start = Vec::new();
            (&mut self.source).take(START_BYTES).read_to_end(&mut start)?;
            if start.is_empty() {
                return Ok(None);
            }
            let descriptor = start.last().copied().unwrap_or_default();
            match self.decoder.reset((&start[..]).chain(&mut self.source)) {
                Ok(()) if descriptor & RESERVED_BIT != 0 => return Err(InvalidTar::ReservedBit.into()),
                Ok(()) => {
                    let size = (descriptor & SIZE_BITS != 0).then(|| self.decoder.content_size());
                    return Ok(Some(Frame { size, read: 0 }));
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(invalid(error)),
            }
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(frame) = &mut self.frame else {
                self.frame = self.start_frame()?;
                match self.frame {
                    None => return Ok(0),
                    Some(_) => continue,
                }
            };
            if self.decoder.can_collect() > 0 {
                let read = self.decoder.read(buffer)?;
                frame.read += read as u64;
                return Ok(read);
            }
            if self.decoder.is_finished() {
                check_end(frame, &self.decoder)?;
                self.frame = None;
                continue;
            }
            let one = BlockDecodingStrategy::UptoBlocks(1);
            self.decoder.decode_blocks(&mut self.source, one).map_err(invalid)?;
        }
    }
}

/// Checks what a frame says of its content, when all of that was read.
fn check_end(frame: &Frame, decoder: &FrameDecoder) -> Result<(), InvalidTar> {
    if let Some(expected) = frame.size.filter(|&size| size != frame.read) {
        return Err(InvalidTar::FrameSize { expected, actual: frame.read });
    }
    let expected = decoder.get_checksum_from_data();
    if expected.is_some() && expected != decoder.get_calculated_checksum() {
        return Err(InvalidTar::Checksum);
    }
    Ok(())
}

fn invalid(error: FrameDecoderError) -> io::Error {
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, .. } => InvalidTar::Window { size: requested }.into(),
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}
