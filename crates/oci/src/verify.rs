//! Checks bytes against the descriptor that names them, while they stream.

use futures_util::{StreamExt as _, stream};

use crate::{ByteStream, Descriptor, Error, Hasher};

/// Compares bytes, piece by piece, with the size and the digest of a descriptor.
#[derive(Debug)]
pub struct Verifier {
    descriptor: Descriptor,
    hasher: Hasher,
    read: u64,
}

impl Verifier {
    /// Starts a check.
    #[must_use]
    pub fn new(descriptor: &Descriptor) -> Self {
        let hasher = Hasher::new(descriptor.digest.algorithm());
        Self { descriptor: descriptor.clone(), hasher, read: 0 }
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`Error::Size`] as soon as there are more than announced.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.read += bytes.len() as u64;
        if self.read > self.descriptor.size {
            return Err(self.wrong_size());
        }
        self.hasher.update(bytes);
        Ok(())
    }

    /// Returns how many bytes were added.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Ends the check.
    ///
    /// # Errors
    /// [`Error::Size`] where bytes are missing, [`Error::Digest`] where they are others.
    pub fn finish(self) -> Result<(), Error> {
        if self.read != self.descriptor.size {
            return Err(self.wrong_size());
        }
        let actual = self.hasher.finish();
        if actual != self.descriptor.digest {
            return Err(Error::Digest { expected: self.descriptor.digest, actual, read: self.read });
        }
        Ok(())
    }

    fn wrong_size(&self) -> Error {
        let Descriptor { digest, size, .. } = &self.descriptor;
        Error::Size { digest: digest.clone(), expected: *size, actual: self.read }
    }
}

/// Passes on the bytes of `stream` and ends with an error unless they are what `descriptor` names.
///
/// The last piece is held back until all of it was checked: a reader that gets the announced number of bytes knows
/// that they are right, and one that sends them on never completes a lie.
#[must_use]
pub fn verified(stream: ByteStream, descriptor: &Descriptor) -> ByteStream {
    struct State {
        stream: ByteStream,
        verifier: Verifier,
        held: Option<bytes::Bytes>,
    }
    let state = State { stream, verifier: Verifier::new(descriptor), held: None };
    let pieces = stream::try_unfold(Some(state), |state| async move {
        let Some(mut state) = state else { return Ok(None) };
        while let Some(piece) = state.stream.next().await.transpose()? {
            state.verifier.update(&piece)?;
            if let Some(ready) = state.held.replace(piece) {
                return Ok(Some((ready, Some(state))));
            }
        }
        state.verifier.finish()?;
        Ok(state.held.map(|last| (last, None)))
    });
    pieces.boxed()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::{Digest, MediaType};

    fn run(pieces: &[&[u8]], descriptor: &Descriptor) -> (Vec<u8>, Option<Error>) {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut stream = verified(stream::iter(pieces).boxed(), descriptor);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut passed = Vec::new();
            while let Some(piece) = stream.next().await {
                match piece {
                    Ok(piece) => passed.extend_from_slice(&piece),
                    Err(error) => return (passed, Some(error)),
                }
            }
            (passed, None)
        })
    }

    fn descriptor(bytes: &[u8]) -> Descriptor {
        Descriptor::of(MediaType::OCTET_STREAM, bytes)
    }

    #[test]
    fn a_lie_is_never_passed_on_whole() {
        let honest = descriptor(b"wharf");
        assert!(
            matches!(run(&[b"wh", b"art"], &honest), (passed, Some(Error::Digest { read: 5, .. })) if passed == b"wh")
        );
        assert!(matches!(run(&[b"wh", b"ar"], &honest), (_, Some(Error::Size { actual: 4, .. }))));
        assert!(
            matches!(run(&[b"wharf", b"!"], &honest), (passed, Some(Error::Size { actual: 6, .. })) if passed.is_empty())
        );
        assert!(matches!(run(&[], &honest), (_, Some(Error::Size { actual: 0, .. }))));
    }

    #[test]
    fn the_algorithm_is_the_descriptors() {
        let mut sha512 = descriptor(b"wharf");
        sha512.digest = Digest::of(crate::Algorithm::Sha512, b"wharf");
        assert!(matches!(run(&[b"wharf"], &sha512), (_, None)));
    }

    proptest! {
        #[test]
        fn the_truth_passes_in_any_pieces(bytes: Vec<u8>, size in 1usize..9) {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            let (passed, error) = run(&pieces, &descriptor(&bytes));
            prop_assert!(error.is_none());
            prop_assert_eq!(passed, bytes);
        }
    }
}
