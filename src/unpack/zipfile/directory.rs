//! The central directory: where it is, without a second opinion, and what it lists (PKWARE APPNOTE 6.3.10).
//!
//! Archivers that look for the end record in different ways, or forgive bytes around the entries, can be shown different
//! archives in one file. So the end record must be the only one in reach and end with the file, the directory must end
//! where that begins, and entries must lie one after the other from the first byte to the directory.

use std::io::{self, BufReader, Read};

use zip::result::ZipError;
use zip::{System, ZipArchive};

use super::{is_known, malformed};
use crate::unpack::input::{CHUNK, FilePart};
use crate::unpack::{Cause, gate};

const END_RECORD: usize = 22;
const END_MAGIC: &[u8; 4] = b"PK\x05\x06";
const LOCATOR: u64 = 20;
const LOCATOR_MAGIC: &[u8; 4] = b"PK\x06\x07";
const END64_RECORD: u64 = 56;
const END64_MAGIC: &[u8; 4] = b"PK\x06\x06";
const MAX_COMMENT: u64 = 0xffff;

/// General purpose flags (APPNOTE 4.4.4): encrypted, patched data, strong encryption, masked headers.
const REFUSED_FLAGS: u16 = 1 | 1 << 5 | 1 << 6 | 1 << 13;

/// Where the file type stands in Unix' external attributes, and its values (stat(2)).
const TYPE_MASK: u32 = 0o170_000;
const TYPE_FILE: u32 = 0o100_000;
const TYPE_FOLDER: u32 = 0o040_000;
const TYPE_SYMLINK: u32 = 0o120_000;

/// An entry as the central directory has it.
#[derive(Debug)]
pub struct Listed {
    /// Raw path.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Type,
    /// Whether any executable bit is set.
    pub executable: bool,
    /// Where its local header begins, and where the next entry's (or the directory) does.
    pub start: u64,
    /// See `start`.
    pub end: u64,
    /// Bytes in the archive.
    pub compressed: u64,
    /// Bytes unpacked.
    pub size: u64,
    /// CRC-32 of the unpacked bytes.
    pub crc: u32,
    /// Whether it is deflated, else stored.
    pub deflated: bool,
    /// General purpose flags.
    pub flags: u16,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link; its content is the target.
    Symlink,
    /// A device, a FIFO or a socket.
    Special,
}

/// All entries, in the order of their place in the file.
pub fn read(content: &FilePart, max_entries: u64) -> Result<Vec<Listed>, Cause> {
    let end = find_end(content)?;
    if end.entries > max_entries {
        return Err(Cause::TooManyEntries { limit: max_entries });
    }
    if end.entries == 0 {
        return Err(Cause::Empty);
    }
    // The crate reads each entry in two small pieces.
    let buffered = BufReader::with_capacity(CHUNK, content.clone());
    let archive = ZipArchive::new(buffered).map_err(zip_failure)?;
    if archive.offset() != 0 || archive.central_directory_start() != end.directory {
        return Err(malformed("it has more than one central directory"));
    }
    if archive.has_duplicate_names() {
        return Err(malformed("its central directory lists a name twice"));
    }
    if archive.len() as u64 != end.entries {
        return Err(malformed(format!(
            "its end record counts {} entries, its central directory {}",
            end.entries,
            archive.len()
        )));
    }
    let mut listed = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        listed.push(entry(&archive, index)?);
    }
    place_one_after_the_other(&mut listed, end.directory)?;
    Ok(listed)
}

fn entry(archive: &ZipArchive<BufReader<FilePart>>, index: usize) -> Result<Listed, Cause> {
    let entry = archive.by_index_data(index).map_err(zip_failure)?;
    let name = entry.name_raw().to_vec();
    let flags = entry.flags().as_u16();
    if flags & REFUSED_FLAGS != 0 {
        return Err(malformed(format!(
            "`{}` is encrypted or patched",
            gate::escaped(&name)
        )));
    }
    if !is_known(entry.compression()) {
        return Err(malformed(format!(
            "`{}` is neither stored nor deflated but {:?}",
            gate::escaped(&name),
            entry.compression()
        )));
    }
    // Only Unix (3) and macOS (19) keep a mode there (APPNOTE 4.4.2.2).
    let mode = match entry.system() {
        System::Unix | System::OsDarwin => entry.external_attributes() >> 16,
        _ => 0,
    };
    let kind = match (mode & TYPE_MASK, name.ends_with(b"/")) {
        (0 | TYPE_FOLDER, true) => Type::Folder,
        (0 | TYPE_FILE, false) => Type::File,
        (TYPE_SYMLINK, false) => Type::Symlink,
        (TYPE_FILE | TYPE_FOLDER | TYPE_SYMLINK, _) => {
            return Err(malformed(format!(
                "`{}` is a folder by its name or its mode, but not by both",
                gate::escaped(&name)
            )));
        }
        _ => Type::Special,
    };
    if kind == Type::Folder && entry.size() > 0 {
        return Err(malformed(format!(
            "the folder `{}` has content",
            gate::escaped(&name)
        )));
    }
    Ok(Listed {
        kind,
        executable: mode & 0o111 != 0,
        start: entry.header_start(),
        end: 0,
        compressed: entry.compressed_size(),
        size: entry.size(),
        crc: entry.crc32(),
        deflated: entry.compression() == zip::CompressionMethod::Deflated,
        flags,
        name,
    })
}

/// Sorts by place and gives each entry its end. Nothing lies before the first, and two do not begin at one place; that
/// each ends where the next begins is seen when its local header is read.
fn place_one_after_the_other(listed: &mut [Listed], directory: u64) -> Result<(), Cause> {
    listed.sort_unstable_by_key(|entry| entry.start);
    if listed.first().is_some_and(|first| first.start != 0) {
        return Err(malformed("there is data before its first entry"));
    }
    for index in 0..listed.len() {
        let end = listed
            .get(index + 1)
            .map_or(directory, |following| following.start);
        let entry = &mut listed[index];
        if end <= entry.start {
            return Err(malformed(format!(
                "`{}` shares its place with another entry",
                gate::escaped(&entry.name)
            )));
        }
        entry.end = end;
    }
    Ok(())
}

/// What the end record says.
struct End {
    entries: u64,
    /// Where the central directory begins.
    directory: u64,
}

/// Finds the end record (APPNOTE 4.3.16) and, before it, the 64-bit one (4.3.14, 4.3.15).
fn find_end(content: &FilePart) -> Result<End, Cause> {
    let length = content.len();
    let tail_start = length.saturating_sub(END_RECORD as u64 + MAX_COMMENT);
    let tail = bytes(content, tail_start, length)?;
    let mut found = tail
        .windows(END_MAGIC.len())
        .enumerate()
        .filter(|(_, window)| *window == END_MAGIC)
        .map(|(at, _)| at);
    // The last one is the one that counts, and every other one that could count makes two archives of the file.
    let at = found
        .next_back()
        .ok_or_else(|| malformed("it has no end record, so it is truncated or no zip"))?;
    let record = tail
        .get(at..at + END_RECORD)
        .ok_or_else(|| malformed("its end record is truncated"))?;
    let comment = u64::from(u16_at(record, 20));
    let start = tail_start + at as u64;
    if start + END_RECORD as u64 + comment != length {
        return Err(malformed("there is data after its end"));
    }
    let plausible = |at: usize| {
        tail.get(at..at + END_RECORD).is_some_and(|other| {
            tail_start + (at + END_RECORD) as u64 + u64::from(u16_at(other, 20)) == length
        })
    };
    if found.any(plausible) {
        return Err(malformed("it has more than one end record"));
    }
    // With a 64-bit end record, all ones.
    let disks = (u16_at(record, 4), u16_at(record, 6));
    if !matches!(disks, (0, 0) | (0xffff, 0xffff)) {
        return Err(malformed("it is one of several volumes"));
    }
    let short = Directory {
        entries: u64::from(u16_at(record, 10)),
        size: u64::from(u32_at(record, 12)),
        start: u64::from(u32_at(record, 16)),
    };
    let (directory, ends) = match find_end64(content, start)? {
        None => (short, start),
        Some((long, ends)) => {
            let agrees = |short: u64, unknown: u64, long: u64| short == unknown || short == long;
            if !agrees(short.entries, 0xffff, long.entries)
                || !agrees(short.size, 0xffff_ffff, long.size)
                || !agrees(short.start, 0xffff_ffff, long.start)
            {
                return Err(malformed("its two end records disagree"));
            }
            (long, ends)
        }
    };
    if directory.start.checked_add(directory.size) != Some(ends) {
        return Err(malformed(
            "its central directory does not end where its end record begins",
        ));
    }
    Ok(End {
        entries: directory.entries,
        directory: directory.start,
    })
}

/// Number of entries, bytes, and begin of the central directory.
struct Directory {
    entries: u64,
    size: u64,
    start: u64,
}

/// The 64-bit end record whose locator lies before the end record at `end`, and where it begins.
fn find_end64(content: &FilePart, end: u64) -> Result<Option<(Directory, u64)>, Cause> {
    let Some(locator_start) = end.checked_sub(LOCATOR) else {
        return Ok(None);
    };
    let locator = bytes(content, locator_start, end)?;
    if !locator.starts_with(LOCATOR_MAGIC) {
        return Ok(None);
    }
    let start = u64_at(&locator, 8);
    // A record of the first version, without the extensible data of the second, which is for encryption.
    if start.checked_add(END64_RECORD) != Some(locator_start) {
        return Err(malformed("its 64-bit end record is not before its locator"));
    }
    let record = bytes(content, start, locator_start)?;
    if !record.starts_with(END64_MAGIC) || u64_at(&record, 4) != END64_RECORD - 12 {
        return Err(malformed("its 64-bit end record is malformed"));
    }
    let directory = Directory {
        entries: u64_at(&record, 32),
        size: u64_at(&record, 40),
        start: u64_at(&record, 48),
    };
    Ok(Some((directory, start)))
}

fn bytes(content: &FilePart, start: u64, end: u64) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    content
        .part(start, end)
        .read_to_end(&mut bytes)
        .map_err(|source| Cause::Damaged { source })?;
    Ok(bytes)
}

fn zip_failure(error: ZipError) -> Cause {
    match error {
        ZipError::Io(source) => Cause::Damaged { source },
        other => Cause::Damaged {
            source: io::Error::new(io::ErrorKind::InvalidData, other),
        },
    }
}

/// Two bytes, little-endian; the caller made sure that they are there.
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Four bytes.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

/// Eight bytes.
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
