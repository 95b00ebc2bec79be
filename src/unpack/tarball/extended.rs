//! What extension headers say of the member that follows: POSIX pax (section "pax Extended Header") and GNU's long
//! names.
//!
//! Where archivers disagree about an archive, one of them can be shown something else than another. So a value that
//! comes twice, or a size other than the header's, is an error.

use super::members::malformed;
use crate::unpack::Cause;

/// Values that take the place of the header's.
#[derive(Debug, Default)]
pub struct Overrides {
    /// The member's path.
    pub path: Option<Vec<u8>>,
    /// Its link target.
    pub link: Option<Vec<u8>>,
    size: Option<u64>,
    /// Whether a pax header was seen.
    pax: bool,
}

impl Overrides {
    /// Whether no extension header was seen.
    pub fn is_empty(&self) -> bool {
        self.path.is_none() && self.link.is_none() && !self.pax
    }

    /// A pax header.
    pub fn pax(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        if std::mem::replace(&mut self.pax, true) {
            return Err(malformed("two pax headers describe the same member"));
        }
        for record in records(bytes)? {
            match record.key {
                b"path" => set(&mut self.path, record.value)?,
                b"linkpath" => set(&mut self.link, record.value)?,
                b"size" => {
                    let size = std::str::from_utf8(record.value)
                        .ok()
                        .and_then(|text| text.parse().ok())
                        .ok_or_else(|| malformed("a pax size is no number"))?;
                    if self.size.replace(size).is_some() {
                        return Err(malformed("a pax header has two sizes"));
                    }
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(malformed("it holds a sparse file"));
                }
                // Times, owners, comments and vendors' own: nothing that is unpacked.
                _ => {}
            }
        }
        Ok(())
    }

    /// GNU's `L`: a path that ends with NUL.
    pub fn long_name(&mut self, bytes: Vec<u8>) -> Result<(), Cause> {
        set(&mut self.path, &without_nul(bytes))
    }

    /// GNU's `K`: a link target that ends with NUL.
    pub fn long_link(&mut self, bytes: Vec<u8>) -> Result<(), Cause> {
        set(&mut self.link, &without_nul(bytes))
    }

    /// The header's size is the only one there is.
    pub fn check_size(&self, header: u64) -> Result<(), Cause> {
        match self.size {
            Some(size) if size != header => Err(malformed(format!(
                "a pax header claims {size} bytes where the header says {header}"
            ))),
            _ => Ok(()),
        }
    }
}

/// A global header may hold anything but what would change a member's path, target or size.
pub fn check_global(bytes: &[u8]) -> Result<(), Cause> {
    let changes = records(bytes)?.into_iter().any(|record| {
        matches!(record.key, b"path" | b"linkpath" | b"size")
            || record.key.starts_with(b"GNU.sparse.")
    });
    if changes {
        return Err(malformed("a global header changes what members are"));
    }
    Ok(())
}

struct Record<'b> {
    key: &'b [u8],
    value: &'b [u8],
}

/// `LENGTH KEY=VALUE\n`, where the length counts the whole record.
fn records(mut bytes: &[u8]) -> Result<Vec<Record<'_>>, Cause> {
    let bad = || malformed("a pax header is malformed");
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
        let length: usize = std::str::from_utf8(&bytes[..digits])
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(bad)?;
        let (record, rest) = bytes.split_at_checked(length).ok_or_else(bad)?;
        let body = record
            .get(digits..)
            .and_then(|body| body.strip_prefix(b" "))
            .and_then(|body| body.strip_suffix(b"\n"))
            .ok_or_else(bad)?;
        let equals = body.iter().position(|&b| b == b'=').ok_or_else(bad)?;
        records.push(Record {
            key: &body[..equals],
            value: &body[equals + 1..],
        });
        bytes = rest;
    }
    Ok(records)
}

fn set(slot: &mut Option<Vec<u8>>, value: &[u8]) -> Result<(), Cause> {
    if slot.replace(value.to_vec()).is_some() {
        return Err(malformed("two extension headers name the same member"));
    }
    Ok(())
}

fn without_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
