//! What compiled code depends on beside the Wasm.

use std::hash::{Hash as _, Hasher};

use sha2::{Digest as _, Sha256};

use crate::Runtime;

/// A [`Hasher`] that keeps all that it is given apart; the one of the standard library has 64 bits.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

/// Hashes version and settings of an engine, and the features of the processor that it compiles for.
pub(super) fn digest(runtime: &Runtime) -> [u8; 32] {
    let mut hasher = Sha256Hasher(Sha256::new());
    runtime.engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineOptions;

    #[test]
    fn engines_of_the_same_settings_share_code_and_others_do_not() {
        let digest_with = |fuel| digest(&Runtime::new(EngineOptions { fuel, ..EngineOptions::default() }).unwrap());
        assert_eq!(digest_with(false), digest_with(false));
        assert_ne!(digest_with(false), digest_with(true));
    }
}
