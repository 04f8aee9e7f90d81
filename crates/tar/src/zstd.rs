//! Zstandard (RFC 8878): frames after one another, some of them to be skipped.

use std::io::{self, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::InvalidTar;
use crate::limits::ZSTD_WINDOW_BYTES_MAX;

/// Reads the content of all frames.
pub(crate) struct Frames<R: Read> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    BetweenFrames,
    InFrame,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
        Self { source: BufReader::new(source), decoder, state: State::BetweenFrames }
    }

    /// Goes to the content of the next frame; `None` where there is none.
    fn start_frame(&mut self) -> io::Result<Option<()>> {
        loop {
            if io::BufRead::fill_buf(&mut self.source)?.is_empty() {
                return Ok(None);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(Some(())),
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

    fn end_frame(&mut self) -> io::Result<()> {
        self.state = State::BetweenFrames;
        let expected = self.decoder.get_checksum_from_data();
        if expected.is_some() && expected != self.decoder.get_calculated_checksum() {
            return Err(InvalidTar::Checksum.into());
        }
        Ok(())
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if matches!(self.state, State::BetweenFrames) {
                if self.start_frame()?.is_none() {
                    return Ok(0);
                }
                self.state = State::InFrame;
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.end_frame()?;
                continue;
            }
            let one = BlockDecodingStrategy::UptoBlocks(1);
            self.decoder.decode_blocks(&mut self.source, one).map_err(invalid)?;
        }
    }
}

fn invalid(error: FrameDecoderError) -> io::Error {
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, .. } => InvalidTar::Window { size: requested }.into(),
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}
