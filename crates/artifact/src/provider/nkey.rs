//! Keys of NATS ("nkeys"): Ed25519 keys as text, whose first letters say what they are for.
//!
//! ```text
//!   public key  base32( prefix byte │ 32 bytes of key  │ CRC-16 )     56 characters, `A…` for an account
//!   seed        base32( two bytes   │ 32 bytes of seed │ CRC-16 )     58 characters, `SA…` for an account
//!
//!   two bytes   10010ppp ppppp000     the prefix of seeds, then that of the kind, with five bits each
//!   CRC-16      of all bytes before it (XMODEM: polynomial 0x1021, starts with 0), little-endian
//! ```

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::{Zeroize as _, Zeroizing};

const KEY_BYTES: usize = 32;
const CRC_BYTES: usize = 2;
const PUBLIC_CHARACTERS: usize = 56;
const SEED_CHARACTERS: usize = 58;
const SIGNATURE_BYTES: usize = 64;
/// The prefix of seeds, `S`.
const SEED_PREFIX: u8 = 18 << 3;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// An account, `A`, which signs claims.
    Account,
    /// A cluster, `C`.
    Cluster,
    /// A module, `M`: a component or an actor.
    Module,
    /// A server, `N`.
    Server,
    /// An operator, `O`.
    Operator,
    /// A user, `U`.
    User,
    /// A service, `V`: a provider.
    Service,
}

impl KeyKind {
    const ALL: [Self; 7] =
        [Self::Account, Self::Cluster, Self::Module, Self::Server, Self::Operator, Self::User, Self::Service];

    /// Returns the letter that public keys of this kind start with.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Account => 'A',
            Self::Cluster => 'C',
            Self::Module => 'M',
            Self::Server => 'N',
            Self::Operator => 'O',
            Self::User => 'U',
            Self::Service => 'V',
        }
    }

    /// Returns the byte whose first five bits are the letter in base32.
    fn prefix(self) -> u8 {
        (self.letter() as u8 - b'A') << 3
    }

    fn of_prefix(prefix: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Account => "account",
            Self::Cluster => "cluster",
            Self::Module => "module",
            Self::Server => "server",
            Self::Operator => "operator",
            Self::User => "user",
            Self::Service => "service",
        })
    }
}

/// Why a text is no key. No text is part of it, since it could be a seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// It has another length.
    #[error("it has {actual} characters where a {what} has {expected}")]
    Length {
        /// What it should be.
        what: &'static str,
        /// How long that is.
        expected: usize,
        /// How long it is.
        actual: usize,
    },
    /// It has characters other than those of base32.
    #[error("it is not base32: that has A to Z in capitals, and 2 to 7")]
    Base32,
    /// Its checksum is that of another key.
    #[error("its checksum does not match: it is mistyped or cut")]
    Checksum,
    /// Its first letters are not those of a known kind of key.
    #[error("it does not start like a {what}")]
    Prefix {
        /// What it should be.
        what: &'static str,
    },
}

/// A key that verifies signatures, and names whoever holds the other half.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey {
    kind: KeyKind,
    bytes: [u8; KEY_BYTES],
}

impl PublicKey {
    /// Returns what it is for.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether `signature` was made of `message` with the other half.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(message, signature).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        const WHAT: &str = "public key";
        let decoded = decode(text, WHAT, PUBLIC_CHARACTERS)?;
        let (prefix, key) = decoded.split_first().ok_or(InvalidKey::Prefix { what: WHAT })?;
        let kind = KeyKind::of_prefix(*prefix).ok_or(InvalidKey::Prefix { what: WHAT })?;
        let bytes = key.try_into().map_err(|_| InvalidKey::Prefix { what: WHAT })?;
        Ok(Self { kind, bytes })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&encode(&[self.kind.prefix()], &self.bytes))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Both halves of a key. It shows nothing but the public one, and forgets the seed when it is dropped.
pub struct KeyPair {
    kind: KeyKind,
    seed: Zeroizing<[u8; KEY_BYTES]>,
    pair: Ed25519KeyPair,
}

impl KeyPair {
    /// Makes a key from 32 bytes, which must come from a source of randomness that is fit for secrets.
    #[must_use]
    pub fn from_random(kind: KeyKind, random: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(random.as_slice()).expect("any 32 bytes are a seed of Ed25519");
        Self { kind, seed: random, pair }
    }

    /// Reads a seed.
    ///
    /// # Errors
    /// [`InvalidKey`], for each way in which the text falls short; see there.
    pub fn from_seed(text: &str) -> Result<Self, InvalidKey> {
        const INVALID: InvalidKey = InvalidKey::Prefix { what: "seed" };
        let decoded = decode(text, "seed", SEED_CHARACTERS)?;
        let ([first, second], key) = decoded.split_first_chunk().ok_or(INVALID)?;
        if first & 0b1111_1000 != SEED_PREFIX || second & 0b0000_0111 != 0 {
            return Err(INVALID);
        }
        let kind = KeyKind::of_prefix((first & 0b0000_0111) << 5 | second >> 3).ok_or(INVALID)?;
        let seed: [u8; KEY_BYTES] = key.try_into().map_err(|_| INVALID)?;
        Ok(Self::from_random(kind, Zeroizing::new(seed)))
    }

    /// Returns the seed as text, to be stored where nobody else reads it.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<String> {
        let prefix = self.kind.prefix();
        Zeroizing::new(encode(&[SEED_PREFIX | prefix >> 5, prefix << 3], self.seed.as_slice()))
    }

    /// Returns the half that anyone may know.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let bytes = self.pair.public_key().as_ref().try_into().expect("a public key of Ed25519 has 32 bytes");
        PublicKey { kind: self.kind, bytes }
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.pair.sign(message).as_ref().try_into().expect("a signature of Ed25519 has 64 bytes")
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("KeyPair").field(&self.public_key()).finish()
    }
}

fn encode(prefix: &[u8], key: &[u8]) -> String {
    let mut bytes = [prefix, key].concat();
    let crc = crc16(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    let text = BASE32_NOPAD.encode(&bytes);
    bytes.zeroize();
    text
}

/// Returns prefix and key, after checking length and checksum.
fn decode(text: &str, what: &'static str, expected: usize) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
    let actual = text.chars().count();
    if actual != expected {
        return Err(InvalidKey::Length { what, expected, actual });
    }
    let decoded = BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidKey::Base32)?;
    let mut decoded = Zeroizing::new(decoded);
    let end = decoded.len().saturating_sub(CRC_BYTES);
    if decoded[end..] != crc16(&decoded[..end]).to_le_bytes() {
        return Err(InvalidKey::Checksum);
    }
    decoded.truncate(end);
    Ok(decoded)
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    const POLYNOMIAL: u16 = 0x1021;
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => crc << 1 ^ POLYNOMIAL,
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Generated by the Go library of nkeys; taken from the tests of the crate `nkeys` 0.4.5.
    const GO_SEED: &str = "SAAPN4W3EG6KCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK4";
    const GO_PUBLIC: &str = "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2";

    fn pair(kind: KeyKind, byte: u8) -> KeyPair {
        KeyPair::from_random(kind, Zeroizing::new([byte; KEY_BYTES]))
    }

    #[test]
    fn keys_of_other_implementations_are_read_and_written() {
        let table = [
            (GO_SEED, GO_PUBLIC),
            // From 32 bytes of 7, by the crate `nkeys` 0.4.5.
            (
                "SAAAOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOB6O4U",
                "ADVEU3DD4KOFECV66VIHWEZOYX4ZKR3WV27L464SIIPOU2IUI3JCZW22",
            ),
            (
                "SMAAOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOB4AKE",
                "MDVEU3DD4KOFECV66VIHWEZOYX4ZKR3WV27L464SIIPOU2IUI3JCYSUA",
            ),
            (
                "SVAAOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBZ4JI",
                "VDVEU3DD4KOFECV66VIHWEZOYX4ZKR3WV27L464SIIPOU2IUI3JCYLIL",
            ),
        ];
        for (seed, public) in table {
            let pair = KeyPair::from_seed(seed).unwrap();
            assert_eq!((pair.seed().as_str(), pair.public_key().to_string().as_str()), (seed, public));
        }
        for kind in KeyKind::ALL {
            assert_eq!(KeyPair::from_seed(&pair(kind, 7).seed()).unwrap().public_key().kind(), kind);
        }
    }

    #[test]
    fn a_signature_is_that_of_other_implementations() {
        // By the crate `nkeys` 0.4.5.
        let expected = "f664c43b71803b048e881c1fe195c303bd565da00cdc7f1760f91c20ae231c76\
                        7470ad3359de4fade10d1b98bfe5cc572ae66cd4fab44cbc3754fb8e96e36602";
        assert_eq!(data_encoding::HEXLOWER.encode(&pair(KeyKind::Account, 7).sign(b"wharf")), expected);
    }

    #[test]
    fn the_checksum_is_that_of_xmodem() {
        // The check value of the catalogue of CRC algorithms.
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn a_signature_verifies_for_its_message_and_its_key_alone() {
        let (ours, theirs) = (pair(KeyKind::Account, 1), pair(KeyKind::Account, 2));
        let mut signature = ours.sign(b"message");
        assert!(ours.public_key().verifies(b"message", &signature));
        assert!(!ours.public_key().verifies(b"massage", &signature));
        assert!(!theirs.public_key().verifies(b"message", &signature));
        assert!(!ours.public_key().verifies(b"message", &signature[..63]));
        signature[0] ^= 1;
        assert!(!ours.public_key().verifies(b"message", &signature));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        let lower = GO_SEED.to_lowercase();
        let swapped = GO_SEED.replace("PN", "NP");
        // A seed whose second prefix is that of a curve key (`X`), with a checksum that matches.
        let curve = encode(&[SEED_PREFIX | (23 << 3) >> 5, (23 << 3) << 3], &[7; KEY_BYTES]);
        let uneven = encode(&[SEED_PREFIX, 1], &[7; KEY_BYTES]);
        let private = encode(&[15 << 3], &[7; KEY_BYTES]);
        let seeds = [
            ("", "it has 0 characters where a seed has 58"),
            (GO_PUBLIC, "it has 56 characters where a seed has 58"),
            (&lower, "it is not base32: that has A to Z in capitals, and 2 to 7"),
            (&swapped, "its checksum does not match: it is mistyped or cut"),
            (&curve, "it does not start like a seed"),
            (&uneven, "it does not start like a seed"),
        ];
        for (text, expected) in seeds {
            assert_eq!(KeyPair::from_seed(text).unwrap_err().to_string(), expected, "{text}");
        }
        let publics = [
            (GO_SEED, "it has 58 characters where a public key has 56"),
            (&private, "it does not start like a public key"),
            (&"ÄÖ".repeat(28), "it is not base32: that has A to Z in capitals, and 2 to 7"),
        ];
        for (text, expected) in publics {
            assert_eq!(text.parse::<PublicKey>().unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_pair_shows_no_secret() {
        let pair = KeyPair::from_seed(GO_SEED).unwrap();
        assert_eq!(format!("{pair:?}"), format!("KeyPair({GO_PUBLIC})"));
    }

    proptest! {
        #[test]
        fn seeds_and_public_keys_round_trip(which in 0..KeyKind::ALL.len(), random: [u8; KEY_BYTES]) {
            let kind = KeyKind::ALL[which];
            let pair = KeyPair::from_random(kind, Zeroizing::new(random));
            let again = KeyPair::from_seed(&pair.seed()).unwrap();
            prop_assert_eq!(again.public_key(), pair.public_key());
            prop_assert_eq!(&*again.seed(), &*pair.seed());
            let text = pair.public_key().to_string();
            prop_assert!(text.starts_with(kind.letter()));
            prop_assert_eq!(text.parse::<PublicKey>().unwrap(), pair.public_key());
            let seed = pair.seed();
            prop_assert!(seed.starts_with(&format!("S{}", kind.letter())), "{}", *seed);
        }
    }
}
