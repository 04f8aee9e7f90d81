//! The seal of compiled code: what a file was when it was kept, under a code that only the holder of the key can make.
//!
//! ```text
//!   0  "wharf code v1  \n"          16   numbers are little-endian
//!  16  SHA-256 of the Wasm          32
//!  48  SHA-256 of the engine        32   its version, its settings, the features of the processor
//!  80  SHA-256 of the code          32
//! 112  size of the code in bytes     8
//! 120  device of the file            8
//! 128  inode of the file             8
//! 136  last change of the file       8   nanoseconds since 1970, by the clock of the file system (`ctime`)
//! 144  when it was looked at         8   likewise; it was hashed after that
//! 152  1: core module, 2: component  1
//! 153  HMAC-SHA256 of the above     32
//! ```

use ring::hmac;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// A SHA-256 digest.
pub(super) type Sha256Digest = [u8; 32];

/// Bytes of an HMAC.
pub(super) const MAC_BYTES: usize = 32;

/// Bytes of a seal without its HMAC.
const BODY_BYTES: usize = 153;

/// Bytes of a seal.
pub(super) const SEAL_BYTES: usize = BODY_BYTES + MAC_BYTES;

const MAGIC: [u8; 16] = *b"wharf code v1  \n";

/// How long before it was looked at a file must have changed for the last time.
///
/// A file that is written twice within one tick of the clock has the same time after both. Ticks are 10 ms at most where
/// times have nanoseconds; where they are coarser, both times are.
const SETTLED_NANOSECONDS: i64 = 20_000_000;

/// The key that seals are made with.
#[derive(Debug)]
pub(super) struct SealKey(hmac::Key);

/// What was kept, and as what file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) subject: Subject,
    pub(super) kind: Kind,
    /// SHA-256 of the code.
    pub(super) code: Sha256Digest,
    pub(super) file: FileState,
    /// When the file was looked at: before it was hashed, by the clock of its file system.
    pub(super) looked: i64,
}

/// What code is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    /// SHA-256 of the Wasm.
    pub(super) wasm: Sha256Digest,
    /// SHA-256 of all that the engine's code depends on.
    pub(super) engine: Sha256Digest,
}

/// What code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    Component,
}

/// What the file system says of a file. Any write to it changes this, and no user can change it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileState {
    pub(super) size: u64,
    pub(super) device: u64,
    pub(super) inode: u64,
    /// Nanoseconds since 1970.
    pub(super) changed: i64,
}

impl SealKey {
    pub(super) fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Returns a text with its HMAC after it.
    pub(super) fn close(&self, body: &[u8]) -> Vec<u8> {
        [body, hmac::sign(&self.0, body).as_ref()].concat()
    }

    /// Returns a text without its HMAC; `None` where that is not right.
    pub(super) fn open<'a>(&self, closed: &'a [u8]) -> Option<&'a [u8]> {
        let (body, mac) = closed.split_last_chunk::<MAC_BYTES>()?;
        hmac::verify(&self.0, body, mac).ok().map(|()| body)
    }
}

impl Seal {
    /// Reads the body of a seal; `None` where it is none.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let rest = body.strip_prefix(&MAGIC)?;
        let (wasm, rest) = rest.split_first_chunk()?;
        let (engine, rest) = rest.split_first_chunk()?;
        let (code, rest) = rest.split_first_chunk()?;
        let (size, rest) = rest.split_first_chunk()?;
        let (device, rest) = rest.split_first_chunk()?;
        let (inode, rest) = rest.split_first_chunk()?;
        let (changed, rest) = rest.split_first_chunk()?;
        let (looked, rest) = rest.split_first_chunk()?;
        let kind = match rest {
            [1] => Kind::Module,
            [2] => Kind::Component,
            _ => return None,
        };
        let file = FileState {
            size: u64::from_le_bytes(*size),
            device: u64::from_le_bytes(*device),
            inode: u64::from_le_bytes(*inode),
            changed: i64::from_le_bytes(*changed),
        };
        let subject = Subject { wasm: *wasm, engine: *engine };
        Some(Self { subject, kind, code: *code, file, looked: i64::from_le_bytes(*looked) })
    }

    /// Returns the body of the seal.
    pub(super) fn body(&self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Module => 1,
            Kind::Component => 2,
        };
        let Self { subject, code, file, looked, .. } = self;
        let mut body = Vec::with_capacity(SEAL_BYTES);
        body.extend(MAGIC);
        body.extend(subject.wasm);
        body.extend(subject.engine);
        body.extend(code);
        body.extend(file.size.to_le_bytes());
        body.extend(file.device.to_le_bytes());
        body.extend(file.inode.to_le_bytes());
        body.extend(file.changed.to_le_bytes());
        body.extend(looked.to_le_bytes());
        body.push(kind);
        body
    }

    /// Whether a file that is like this now still holds what was hashed, so that it need not be hashed again.
    pub(super) fn vouches_for(&self, now: &FileState) -> bool {
        self.file == *now && self.looked.saturating_sub(self.file.changed) >= SETTLED_NANOSECONDS
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seals() -> impl Strategy<Value = Seal> {
        let digest = any::<Sha256Digest>;
        let file = any::<(u64, u64, u64, i64)>();
        let file = file.prop_map(|(size, device, inode, changed)| FileState { size, device, inode, changed });
        let kind = prop_oneof![Just(Kind::Module), Just(Kind::Component)];
        (digest(), digest(), digest(), kind, file, any::<i64>()).prop_map(|(wasm, engine, code, kind, file, looked)| {
            Seal { subject: Subject { wasm, engine }, kind, code, file, looked }
        })
    }

    fn seal() -> Seal {
        let file = FileState { size: 5, device: 6, inode: 7, changed: 1_000_000_000 };
        let subject = Subject { wasm: [1; 32], engine: [2; 32] };
        Seal { subject, kind: Kind::Component, code: [3; 32], file, looked: 1_020_000_000 }
    }

    proptest! {
        #[test]
        fn a_seal_is_read_as_it_was_written(seal in seals()) {
            prop_assert_eq!(seal.body().len(), BODY_BYTES);
            prop_assert_eq!(Seal::parse(&seal.body()), Some(seal));
        }

        #[test]
        fn other_bytes_are_no_seal_or_the_same_bytes(
            seal in seals(),
            at in 0..BODY_BYTES,
            byte in any::<u8>(),
            length in 0..=BODY_BYTES + 1,
        ) {
            let mut bytes = seal.body();
            bytes[at] = byte;
            bytes.resize(length, byte);
            if let Some(read) = Seal::parse(&bytes) {
                prop_assert_eq!(read.body(), bytes);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2 * SEAL_BYTES)) {
            prop_assert_eq!(Seal::parse(&bytes), None);
            prop_assert_eq!(SealKey::new(&[7; KEY_BYTES]).open(&bytes), None);
        }

        #[test]
        fn a_flipped_bit_breaks_what_was_closed(seal in seals(), at in 0..SEAL_BYTES, bit in 0..8_u8) {
            let key = SealKey::new(&[7; KEY_BYTES]);
            let mut closed = key.close(&seal.body());
            prop_assert_eq!(closed.len(), SEAL_BYTES);
            prop_assert_eq!(key.open(&closed).map(<[u8]>::to_vec), Some(seal.body()));
            closed[at] ^= 1_u8 << bit;
            prop_assert_eq!(key.open(&closed), None);
        }
    }

    #[test]
    fn the_format_is_as_drawn() {
        let body = seal().body();
        assert_eq!(&body[..16], b"wharf code v1  \n");
        assert_eq!((body[16], body[48], body[80]), (1, 2, 3));
        assert_eq!((body[112], body[120], body[128], body[152]), (5, 6, 7, 2));
        assert_eq!(body[136..144], 1_000_000_000_u64.to_le_bytes());
        assert_eq!(body[144..152], 1_020_000_000_u64.to_le_bytes());
    }

    #[test]
    fn a_seal_of_another_key_is_not_opened() {
        let closed = SealKey::new(&[7; KEY_BYTES]).close(&seal().body());
        assert_eq!(SealKey::new(&[8; KEY_BYTES]).open(&closed), None);
    }

    #[test]
    fn a_file_is_known_again_only_as_it_was() {
        let FileState { size, device, inode, changed } = seal().file;
        assert!(seal().vouches_for(&FileState { size, device, inode, changed }));
        for other in [
            FileState { size: 4, device, inode, changed },
            FileState { size, device: 4, inode, changed },
            FileState { size, device, inode: 4, changed },
            FileState { size, device, inode, changed: changed + 1 },
            FileState { size, device, inode, changed: changed - 1 },
        ] {
            assert!(!seal().vouches_for(&other), "{other:?}");
        }
    }

    #[test]
    fn a_file_that_had_just_changed_as_it_was_looked_at_is_hashed_again() {
        let file = seal().file;
        for looked in [1_019_999_999, file.changed, file.changed - 1, i64::MIN] {
            assert!(!Seal { looked, ..seal() }.vouches_for(&file), "{looked}");
        }
    }
}
