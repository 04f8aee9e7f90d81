//! What Wasm a manifest led to, so that neither has to be read again.
//!
//! ```text
//!   0  "wharf memo v1  \n"      16
//!  16  key of the memo          32   also its name
//!  48  SHA-256 of the Wasm      32
//!  80  HMAC-SHA256 of the above 32
//! ```

use sha2::{Digest as _, Sha256};

use super::seal::{MAC_BYTES, SealKey, Sha256Digest};
use super::{WasmDigest, hex};

const MAGIC: [u8; 16] = *b"wharf memo v1  \n";

/// Bytes of a memo with its HMAC.
pub(super) const MEMO_BYTES: usize = MAGIC.len() + 2 * size_of::<Sha256Digest>() + MAC_BYTES;

/// What a memo is looked up by: a manifest, and what was chosen in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoKey(Sha256Digest);

impl MemoKey {
    /// Makes the key of a manifest with this digest (`sha256:…`), and of what was chosen among its Wasm (empty where there
    /// was no choice).
    #[must_use]
    pub fn new(manifest: &str, choice: &str) -> Self {
        let length = (manifest.len() as u64).to_le_bytes();
        let hasher = Sha256::new().chain_update(length).chain_update(manifest).chain_update(choice);
        Self(hasher.finalize().into())
    }

    /// Returns the name of the file.
    pub(super) fn file_name(&self) -> String {
        format!("{}.memo", hex(&self.0))
    }
}

/// Returns the bytes of a memo.
pub(super) fn close(key: &SealKey, memo: &MemoKey, wasm: &WasmDigest) -> Vec<u8> {
    key.close(&[MAGIC.as_slice(), &memo.0, &wasm.0].concat())
}

/// Reads a memo; `None` where it is damaged.
pub(super) fn open(key: &SealKey, bytes: &[u8]) -> Option<(MemoKey, WasmDigest)> {
    let (memo, wasm) = key.open(bytes)?.strip_prefix(&MAGIC)?.split_first_chunk()?;
    Some((MemoKey(*memo), WasmDigest(wasm.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_is_read_as_it_was_written_and_no_other_way() {
        let key = SealKey::new(&[7; 32]);
        let (memo, wasm) = (MemoKey::new("sha256:00", "app"), WasmDigest([5; 32]));
        let bytes = close(&key, &memo, &wasm);
        assert_eq!(bytes.len(), MEMO_BYTES);
        assert_eq!(open(&key, &bytes), Some((memo, wasm)));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(open(&key, &flipped), None, "{at}");
            assert_eq!(open(&key, &bytes[..at]), None, "{at}");
        }
    }

    #[test]
    fn what_is_sealed_as_something_else_is_no_memo() {
        let key = SealKey::new(&[7; 32]);
        assert_eq!(open(&key, &key.close(&[0; 80])), None);
        assert_eq!(open(&key, &key.close(&[MAGIC.as_slice(), &[0; 63]].concat())), None);
        assert_eq!(open(&key, &key.close(&[MAGIC.as_slice(), &[0; 65]].concat())), None);
    }

    #[test]
    fn manifests_and_choices_do_not_run_into_each_other() {
        let keys = [("a", "bc"), ("ab", "c"), ("abc", ""), ("", "abc")].map(|(one, two)| MemoKey::new(one, two));
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{at}");
        }
    }
}
