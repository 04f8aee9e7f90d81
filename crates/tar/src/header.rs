//! One block of 512 bytes that tells of an entry.

use tar::Header;

use crate::InvalidTar;
use crate::extension::is_extension;

/// Bytes of a block: headers are one, and contents are filled up to one.
pub(crate) const BLOCK_BYTES: usize = 512;

const MAGIC_OFFSET: usize = 257;
const MAGIC: &[u8] = b"ustar";
/// Where the first folders of a long path stand.
const PREFIX_OFFSET: usize = 345;

/// Whether content starts as a tar does: `ustar` stands in its first header, or it is a header of the seventh
/// edition of Unix, whose checksum is right. The first 512 bytes are enough to tell.
#[must_use]
pub fn is_tar(first: &[u8]) -> bool {
    if first.get(MAGIC_OFFSET..).is_some_and(|rest| rest.starts_with(MAGIC)) {
        return true;
    }
    first.first_chunk::<BLOCK_BYTES>().is_some_and(|block| checksum_holds(Header::from_byte_slice(block)))
}

/// The fields of a header that reading needs.
pub(crate) struct RawHeader {
    pub(crate) offset: u64,
    pub(crate) path: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) type_flag: u8,
}

impl RawHeader {
    /// Reads the block at `offset` of the tar.
    pub(crate) fn parse(block: &[u8; BLOCK_BYTES], offset: u64) -> Result<Self, InvalidTar> {
        let header = Header::from_byte_slice(block);
        if !checksum_holds(header) {
            return Err(InvalidTar::Header { offset, reason: "its checksum does not match" });
        }
        let type_flag = header.as_old().linkflag[0];
        // Of headers that are neither POSIX' nor GNU's, some readers take these things from their place all the same.
        let is_extended = is_extension(type_flag) || block[PREFIX_OFFSET] != 0;
        if is_extended && header.as_ustar().is_none() && header.as_gnu().is_none() {
            return Err(InvalidTar::Header { offset, reason: "it is extended, and of a format that cannot be" });
        }
        let path = header.path_bytes().into_owned();
        Ok(Self { offset, path, size: size_of(header, offset)?, type_flag })
    }

    /// Returns an error that names this header.
    pub(crate) fn invalid(&self, reason: &'static str) -> InvalidTar {
        InvalidTar::Header { offset: self.offset, reason }
    }
}

fn checksum_holds(header: &Header) -> bool {
    let mut correct = header.clone();
    correct.set_cksum();
    header.cksum().is_ok_and(|sum| correct.cksum().is_ok_and(|correct| correct == sum))
}

fn size_of(header: &Header, offset: u64) -> Result<u64, InvalidTar> {
    let invalid = || InvalidTar::Header { offset, reason: "its size is not a number of bytes" };
    let field = header.as_old().size;
    // A binary number starts with 0x80; the parser reads its last eight bytes, whatever is before them.
    if field[0] >= 0x80 && field[..4] != [0x80, 0, 0, 0] {
        return Err(invalid());
    }
    header.entry_size().map_err(|_| invalid())
}
