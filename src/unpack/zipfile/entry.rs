//! One entry of a zip: its local header held against the central directory, its data inflated and measured.

use std::io::Read;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::directory::{Listed, u16_at, u32_at, u64_at};
use super::malformed;
use crate::unpack::Cause;
use crate::unpack::dest::{Dest, Sink};
use crate::unpack::gate::{self, SafePath};
use crate::unpack::input::{CHUNK, FilePart};

const LOCAL_HEADER: usize = 30;
const LOCAL_MAGIC: &[u8; 4] = b"PK\x03\x04";
const DESCRIPTOR_MAGIC: &[u8; 4] = b"PK\x07\x08";
/// The extra field that holds sizes of 64 bits (APPNOTE 4.5.3).
const ZIP64_FIELD: u16 = 1;
/// Flags that must be the same in both headers (APPNOTE 4.4.4): encryption, data descriptor, UTF-8 and the like. The
/// others are hints about compression.
const COMPARED_FLAGS: u16 = 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 11 | 1 << 13;
const DATA_DESCRIPTOR: u16 = 1 << 3;

/// A thread's buffers and decoder, used for one entry after the other.
pub struct Worker {
    input: Vec<u8>,
    output: Vec<u8>,
    inflate: Decompress,
}

/// An entry whose local header was read: the part of its bytes that is in the buffer, and the rest.
struct Opened {
    /// In the input buffer: compressed bytes from here …
    from: usize,
    /// … to here.
    to: usize,
    /// What was not read yet.
    rest: FilePart,
}

impl Worker {
    /// Allocates the buffers.
    pub fn new() -> Self {
        Self {
            input: vec![0; CHUNK],
            output: vec![0; CHUNK],
            inflate: Decompress::new(false),
        }
    }

    /// Unpacks an entry into a file.
    pub fn write(
        &mut self,
        content: &FilePart,
        listed: &Listed,
        place: &SafePath,
        dest: &Dest<'_>,
    ) -> Result<(), Cause> {
        let opened = self.open(content, listed)?;
        let mut sink = dest.file(place, listed.executable, listed.size)?;
        self.decode(opened, listed, |bytes| Sink::write(&mut sink, bytes))?;
        sink.finish();
        Ok(())
    }

    /// The content of an entry that must not be larger than `limit` bytes.
    pub fn small(
        &mut self,
        content: &FilePart,
        listed: &Listed,
        limit: u64,
    ) -> Result<Vec<u8>, Cause> {
        if listed.size > limit {
            return Err(contradiction(listed, "is a link with a target too long"));
        }
        let opened = self.open(content, listed)?;
        let mut bytes = Vec::new();
        self.decode(opened, listed, |more| {
            bytes.extend_from_slice(more);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Holds an entry's headers against each other without unpacking it.
    pub fn check(&mut self, content: &FilePart, listed: &Listed) -> Result<(), Cause> {
        let opened = self.open(content, listed)?;
        let have = (opened.to - opened.from) as u64 + opened.rest.left();
        let descriptor = have.checked_sub(listed.compressed);
        match descriptor {
            Some(0) if listed.flags & DATA_DESCRIPTOR == 0 => Ok(()),
            Some(12 | 16 | 20 | 24) if listed.flags & DATA_DESCRIPTOR != 0 => Ok(()),
            _ => Err(contradiction(listed, "does not end where the next begins")),
        }
    }

    /// Reads and checks the local header (APPNOTE 4.3.7), and as much of the data as comes with it.
    fn open(&mut self, content: &FilePart, listed: &Listed) -> Result<Opened, Cause> {
        let mut rest = content.part(listed.start, listed.end);
        let read = read_some(&mut rest, &mut self.input)?;
        let have = &self.input[..read];
        let header = have
            .get(..LOCAL_HEADER)
            .filter(|header| header.starts_with(LOCAL_MAGIC))
            .ok_or_else(|| contradiction(listed, "has no local header"))?;
        let name_end = LOCAL_HEADER + usize::from(u16_at(header, 26));
        let data = name_end + usize::from(u16_at(header, 28));
        let (Some(name), Some(extra)) =
            (have.get(LOCAL_HEADER..name_end), have.get(name_end..data))
        else {
            return Err(contradiction(listed, "has a local header too long"));
        };
        if name != listed.name {
            return Err(contradiction(
                listed,
                &format!("is `{}` in its local header", gate::escaped(name)),
            ));
        }
        let method = if listed.deflated { 8 } else { 0 };
        if u16_at(header, 8) != method {
            return Err(contradiction(listed, "has two compression methods"));
        }
        if (u16_at(header, 6) ^ listed.flags) & COMPARED_FLAGS != 0 {
            return Err(contradiction(listed, "has different flags in its headers"));
        }
        // With a data descriptor, the header has zeros and the descriptor the truth.
        if listed.flags & DATA_DESCRIPTOR == 0 {
            let sizes = Sizes::of_header(header, extra)
                .ok_or_else(|| contradiction(listed, "lacks its 64-bit sizes"))?;
            if sizes != Sizes::of(listed) {
                return Err(contradiction(listed, "has different sizes in its headers"));
            }
        }
        Ok(Opened {
            from: data,
            to: read,
            rest,
        })
    }

    /// Hands on the unpacked bytes, which are as many as listed and have the listed checksum.
    fn decode(
        &mut self,
        mut opened: Opened,
        listed: &Listed,
        mut take: impl FnMut(&[u8]) -> Result<(), Cause>,
    ) -> Result<(), Cause> {
        let mut measured = Measured {
            crc: Crc::new(),
            bytes: 0,
        };
        let mut take = |bytes: &[u8]| {
            measured.add(bytes, listed)?;
            take(bytes)
        };
        if listed.deflated {
            self.inflate(&mut opened, listed, &mut take)?;
        } else {
            self.copy(&mut opened, listed, &mut take)?;
        }
        if measured.bytes != listed.size || measured.crc.sum() != listed.crc {
            return Err(contradiction(listed, "has another content than listed"));
        }
        self.check_end(opened, listed)
    }

    fn copy(
        &mut self,
        opened: &mut Opened,
        listed: &Listed,
        take: &mut impl FnMut(&[u8]) -> Result<(), Cause>,
    ) -> Result<(), Cause> {
        let mut left = listed.compressed;
        while left > 0 {
            self.refill(opened)?;
            if opened.from == opened.to {
                return Err(contradiction(listed, "ends before its data does"));
            }
            let have = opened.to - opened.from;
            let n = usize::try_from(left).map_or(have, |left| left.min(have));
            take(&self.input[opened.from..opened.from + n])?;
            opened.from += n;
            left -= n as u64;
        }
        Ok(())
    }

    fn inflate(
        &mut self,
        opened: &mut Opened,
        listed: &Listed,
        take: &mut impl FnMut(&[u8]) -> Result<(), Cause>,
    ) -> Result<(), Cause> {
        self.inflate.reset(false);
        let mut filled = 0;
        loop {
            self.refill(opened)?;
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(
                    &self.input[opened.from..opened.to],
                    &mut self.output[filled..],
                    FlushDecompress::None,
                )
                .map_err(|e| Cause::Damaged { source: e.into() })?;
            // Both are at most a buffer's length.
            let read = usize::try_from(self.inflate.total_in() - read).unwrap_or(CHUNK);
            let written = usize::try_from(self.inflate.total_out() - written).unwrap_or(CHUNK);
            opened.from += read;
            filled += written;
            let ended = status == Status::StreamEnd;
            if ended || filled == self.output.len() {
                take(&self.output[..filled])?;
                filled = 0;
            }
            if ended {
                break;
            }
            if read == 0 && written == 0 {
                return Err(contradiction(listed, "ends before its data does"));
            }
        }
        if self.inflate.total_in() != listed.compressed {
            return Err(contradiction(listed, "has another length than listed"));
        }
        Ok(())
    }

    /// Makes sure that there is input, if there is any left.
    fn refill(&mut self, opened: &mut Opened) -> Result<(), Cause> {
        if opened.from == opened.to {
            opened.from = 0;
            opened.to = read_some(&mut opened.rest, &mut self.input)?;
        }
        Ok(())
    }

    /// What follows the data up to the next entry: a data descriptor (APPNOTE 4.3.9) where one was announced, or nothing.
    fn check_end(&mut self, opened: Opened, listed: &Listed) -> Result<(), Cause> {
        const LONGEST: u64 = 24;
        let left = (opened.to - opened.from) as u64 + opened.rest.left();
        let announced = listed.flags & DATA_DESCRIPTOR != 0;
        if announced != (left > 0) || left > LONGEST {
            return Err(contradiction(listed, "does not end where the next begins"));
        }
        if !announced {
            return Ok(());
        }
        let mut descriptor = self.input[opened.from..opened.to].to_vec();
        let mut rest = opened.rest;
        rest.read_to_end(&mut descriptor)
            .map_err(|source| Cause::Damaged { source })?;
        // The magic is optional.
        let body = match descriptor.len() {
            16 | 24 => descriptor.strip_prefix(DESCRIPTOR_MAGIC),
            _ => Some(&descriptor[..]),
        };
        let sizes = match body {
            Some(body) if body.len() == 12 => Some(Sizes {
                crc: u32_at(body, 0),
                compressed: u64::from(u32_at(body, 4)),
                size: u64::from(u32_at(body, 8)),
            }),
            Some(body) if body.len() == 20 => Some(Sizes {
                crc: u32_at(body, 0),
                compressed: u64_at(body, 4),
                size: u64_at(body, 12),
            }),
            _ => None,
        };
        if sizes != Some(Sizes::of(listed)) {
            return Err(contradiction(
                listed,
                "has another data descriptor than listed",
            ));
        }
        Ok(())
    }
}

/// What was unpacked so far.
struct Measured {
    crc: Crc,
    bytes: u64,
}

impl Measured {
    fn add(&mut self, bytes: &[u8], listed: &Listed) -> Result<(), Cause> {
        self.bytes += bytes.len() as u64;
        if self.bytes > listed.size {
            return Err(contradiction(listed, "unpacks to more bytes than listed"));
        }
        self.crc.update(bytes);
        Ok(())
    }
}

/// What is said of an entry in up to three places.
#[derive(Debug, PartialEq, Eq)]
struct Sizes {
    crc: u32,
    compressed: u64,
    size: u64,
}

impl Sizes {
    fn of(listed: &Listed) -> Self {
        Self {
            crc: listed.crc,
            compressed: listed.compressed,
            size: listed.size,
        }
    }

    /// Those of a local header; the extra field has a size where the header has all ones.
    fn of_header(header: &[u8], extra: &[u8]) -> Option<Self> {
        let mut sizes = Self {
            crc: u32_at(header, 14),
            compressed: u64::from(u32_at(header, 18)),
            size: u64::from(u32_at(header, 22)),
        };
        let unknown = u64::from(u32::MAX);
        if sizes.compressed == unknown || sizes.size == unknown {
            let mut field = zip64_field(extra)?;
            for size in [&mut sizes.size, &mut sizes.compressed] {
                if *size == unknown {
                    let (value, rest) = field.split_at_checked(8)?;
                    *size = u64_at(value, 0);
                    field = rest;
                }
            }
        }
        Some(sizes)
    }
}

/// The content of the extra field with 64-bit sizes.
fn zip64_field(mut extra: &[u8]) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let (field, rest) = extra[4..].split_at_checked(length)?;
        if id == ZIP64_FIELD {
            return Some(field);
        }
        extra = rest;
    }
    None
}

/// One read, repeated only where the system was interrupted or gave less than there is.
fn read_some(part: &mut FilePart, buffer: &mut [u8]) -> Result<usize, Cause> {
    let mut n = 0;
    while n < buffer.len() && part.left() > 0 {
        match part.read(&mut buffer[n..]) {
            Ok(more) => n += more,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Cause::Damaged { source }),
        }
    }
    Ok(n)
}

fn contradiction(listed: &Listed, what: &str) -> Cause {
    malformed(format!("`{}` {what}", gate::escaped(&listed.name)))
}
