//! Extended headers: what does not fit into the header of an entry stands in entries before it.
//!
//! GNU's type `L` holds a long path; POSIX' type `x` (PAX) holds records `LENGTH KEY=VALUE\n`, of which `path` and
//! `size` count here. A reader that knows one kind and not the other would see another tar, so what gives the same
//! thing twice is refused, and so is type `g`, whose records are for all entries that follow, where it gives one.

use crate::InvalidTar;
use crate::header::RawHeader;

/// What the extended headers before an entry say of it.
#[derive(Default)]
pub(crate) struct Extensions {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) is_sparse: bool,
    seen: Vec<u8>,
}

/// Whether entries of this type say something of the next one.
pub(crate) fn is_extension(type_flag: u8) -> bool {
    matches!(type_flag, b'L' | b'K' | b'x' | b'g')
}

impl Extensions {
    /// Whether an extended header waits for its entry.
    pub(crate) fn is_pending(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Takes in the content of an extended header.
    pub(crate) fn add(&mut self, header: &RawHeader, content: &[u8]) -> Result<(), InvalidTar> {
        if header.type_flag == b'g' {
            return match self.is_pending() {
                true => Err(header.invalid("it stands between an entry and what belongs to that")),
                false => check_global(header, content),
            };
        }
        if self.seen.contains(&header.type_flag) {
            return Err(header.invalid("a header of its kind is there already for the same entry"));
        }
        self.seen.push(header.type_flag);
        match header.type_flag {
            b'L' => self.name(header, long_path(header, content)?),
            b'x' => self.add_records(header, content),
            // The target of a link, which nobody here follows.
            _ => Ok(()),
        }
    }

    fn name(&mut self, header: &RawHeader, path: &[u8]) -> Result<(), InvalidTar> {
        match self.path.replace(path.to_owned()) {
            None => Ok(()),
            Some(_) => Err(header.invalid("the path of the entry is given twice")),
        }
    }

    fn add_records(&mut self, header: &RawHeader, content: &[u8]) -> Result<(), InvalidTar> {
        for record in Records(content) {
            let (key, value) = record.ok_or_else(|| header.invalid("a PAX record is malformed"))?;
            match key {
                b"path" => self.name(header, value)?,
                b"size" => {
                    let size = decimal(value).ok_or_else(|| header.invalid("its PAX size is not a number of bytes"))?;
                    if self.size.replace(size).is_some() {
                        return Err(header.invalid("the size of the entry is given twice"));
                    }
                }
                key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns a path without the NUL that ends it. Some readers would take what stands behind that for a part of it.
fn long_path<'a>(header: &RawHeader, content: &'a [u8]) -> Result<&'a [u8], InvalidTar> {
    let end = content.iter().position(|byte| *byte == 0).unwrap_or(content.len());
    let (path, rest) = content.split_at(end);
    match rest.iter().all(|byte| *byte == 0) {
        true => Ok(path),
        false => Err(header.invalid("its path goes on behind a NUL")),
    }
}

fn check_global(header: &RawHeader, content: &[u8]) -> Result<(), InvalidTar> {
    for record in Records(content) {
        let (key, _) = record.ok_or_else(|| header.invalid("a PAX record is malformed"))?;
        if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse.") {
            return Err(header.invalid("it gives all entries that follow one path or size"));
        }
    }
    Ok(())
}

/// Splits PAX records; a malformed one comes as `None`, and is the last.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Option<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let record = split_record(self.0);
        self.0 = record.map_or(&[], |(_, rest)| rest);
        Some(record.map(|(record, _)| record))
    }
}

type Record<'a> = (&'a [u8], &'a [u8]);

/// Splits the first record into key and value, and returns what follows it.
///
/// A value may hold newlines, so that the length is what tells the end.
fn split_record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&bytes[..space])?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (&record[..equals], &record[equals + 1..]);
    (!key.is_empty()).then_some(((key, value), rest))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    // The standard parser takes a sign too.
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}
