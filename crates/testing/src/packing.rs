//! Tar, gzip and zstd for tests, nothing compressed, written from the specifications and not by what reads them.

/// Bytes that a stored block of gzip, and a raw one of zstd, hold at most.
const BLOCK_BYTES_MAX: usize = 0xffff;

/// Returns a tar with a file for each path and content; a path that ends with `/` is a folder, and a content that
/// starts with `-> ` a symbolic link.
///
/// # Panics
/// Where a path or the target of a link has more than 100 bytes.
#[must_use]
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, content) in files {
        let link = content.strip_prefix(b"-> ");
        let (kind, content): (u8, &[u8]) = match (path.ends_with('/'), link) {
            (true, _) => (b'5', b""),
            (false, Some(_)) => (b'2', b""),
            (false, None) => (b'0', content),
        };
        tar.extend(header(path, kind, content.len(), link.unwrap_or_default()));
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// Returns gzip (RFC 1952) with stored blocks (RFC 1951, 3.2.4).
///
/// # Panics
/// Where it would hold more than 4 GiB.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    let mut blocks = bytes.chunks(BLOCK_BYTES_MAX).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("blocks are cut to 16 bits");
        gzip.push(u8::from(blocks.peek().is_none()));
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
        gzip.extend_from_slice(block);
    }
    gzip.extend(crc32(bytes).to_le_bytes());
    gzip.extend(u32::try_from(bytes.len()).expect("the sizes have 32 bits").to_le_bytes());
    gzip
}

/// Returns a frame of zstd (RFC 8878, 3.1.1) with raw blocks.
///
/// # Panics
/// Where it would hold more than 4 GiB.
#[must_use]
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    // A single segment, and its size in four bytes.
    let mut zstd = b"\x28\xb5\x2f\xfd\xa0".to_vec();
    zstd.extend(u32::try_from(bytes.len()).expect("the sizes have 32 bits").to_le_bytes());
    let mut blocks = bytes.chunks(BLOCK_BYTES_MAX).peekable();
    while let Some(block) = blocks.next() {
        let length = u32::try_from(block.len()).expect("blocks are cut to 16 bits");
        let header = (length << 3) | u32::from(blocks.peek().is_none());
        zstd.extend(&header.to_le_bytes()[..3]);
        zstd.extend_from_slice(block);
    }
    zstd
}

/// Returns a header of POSIX tar (ustar).
fn header(path: &str, kind: u8, size: usize, link: &[u8]) -> [u8; 512] {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let mut header = [0; 512];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, path.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\x000000000\0");
    put(124, format!("{size:011o}\x0000000000000\0").as_bytes());
    put(156, &[kind]);
    put(157, link);
    put(257, b"ustar\x0000");
    header[CHECKSUM].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
