//! The members of a tar stream (POSIX pax, section "ustar Interchange Format", with GNU's long names).
//!
//! The headers are taken apart by the `tar` crate; the stream is walked here, because its own iterator reads extension
//! headers of any size into memory, takes malformed ones for absent, and does not look behind the end mark.

use std::io::{self, BufRead};

use tar::{EntryType, Header};

use super::extended::{self, Overrides};
use crate::unpack::{Cause, Limits, decode, gate};

const BLOCK: u64 = 512;
/// Bytes of one extension header. A path of [`gate::MAX_PATH_BYTES`] needs a few KiB.
const MAX_EXTENSION: u64 = 1 << 20;
/// Bytes of the stream for headers and padding, an entry: two extensions of a block and the header itself, doubled.
const OVERHEAD: u64 = 4096;

/// An entry, and what to do with its content.
#[derive(Debug)]
pub struct Member {
    /// As the archive has it.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Bytes of content, which follow.
    pub size: u64,
    /// Whether any executable bit is set.
    pub executable: bool,
    /// A link's target, as the archive has it.
    pub link: Vec<u8>,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// Another name of an earlier file.
    HardLink,
    /// Nothing that is unpacked, with its article.
    Special(&'static str),
    /// A global extended header, which says nothing that matters here.
    Global,
}

/// Reads a tar stream member by member.
pub struct Members<R> {
    stream: R,
    limits: Limits,
    /// Bytes of the stream that may still come.
    budget: u64,
    /// Content of the member that has not been read, and padding after it.
    content: u64,
    padding: u64,
}

impl<R: BufRead> Members<R> {
    /// From the begin of the stream.
    pub fn new(stream: R, limits: Limits) -> Self {
        let budget = limits
            .max_entries
            .saturating_mul(OVERHEAD)
            .saturating_add(limits.max_bytes)
            .saturating_add(MAX_EXTENSION);
        Self {
            stream,
            limits,
            budget,
            content: 0,
            padding: 0,
        }
    }

    /// The next member; what is left of the one before is skipped. After the last one the rest of the stream must be
    /// zeros.
    pub fn next(&mut self) -> Result<Option<Member>, Cause> {
        let mut overrides = Overrides::default();
        loop {
            self.content(|_| Ok(()))?;
            let Some(header) = self.header()? else {
                if !overrides.is_empty() {
                    return Err(malformed("it ends after an extension header"));
                }
                self.end()?;
                return Ok(None);
            };
            let size = header
                .entry_size()
                .map_err(|_| malformed("a size is no number"))?;
            self.content = size;
            self.padding = size.wrapping_neg() % BLOCK;
            match header.entry_type() {
                EntryType::XHeader => overrides.pax(&self.extension(size)?)?,
                EntryType::GNULongName => overrides.long_name(self.extension(size)?)?,
                EntryType::GNULongLink => overrides.long_link(self.extension(size)?)?,
                EntryType::XGlobalHeader => {
                    extended::check_global(&self.extension(size)?)?;
                    // It counts as an entry, so that no archive is made of them.
                    return Ok(Some(Member::global()));
                }
                kind => return self.member(&header, kind, size, overrides).map(Some),
            }
        }
    }

    /// Hands on the member's content, piece by piece.
    pub fn content(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), Cause>,
    ) -> Result<(), Cause> {
        while self.content + self.padding > 0 {
            let bytes = self.stream.fill_buf();
            let bytes = bytes.map_err(|e| decode::failure(e, self.limits.decoder_memory))?;
            if bytes.is_empty() {
                return Err(truncated());
            }
            let wanted = if self.content > 0 {
                self.content
            } else {
                self.padding
            };
            let n = usize::try_from(wanted).map_or(bytes.len(), |wanted| wanted.min(bytes.len()));
            if self.content > 0 {
                take(&bytes[..n])?;
                self.content -= n as u64;
            } else {
                self.padding -= n as u64;
            }
            self.stream.consume(n);
            self.spend(n as u64)?;
        }
        Ok(())
    }

    fn member(
        &self,
        header: &Header,
        kind: EntryType,
        size: u64,
        overrides: Overrides,
    ) -> Result<Member, Cause> {
        overrides.check_size(size)?;
        let path = overrides.path.unwrap_or_else(|| path_of(header));
        let link = overrides
            .link
            .unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
        let kind = match kind {
            // Before POSIX a folder was a file whose name ends in a slash.
            EntryType::Regular | EntryType::Continuous if path.ends_with(b"/") && size == 0 => {
                Kind::Folder
            }
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::Directory => Kind::Folder,
            EntryType::Symlink => Kind::Symlink,
            EntryType::Link => Kind::HardLink,
            EntryType::Char => Kind::Special("a character device"),
            EntryType::Block => Kind::Special("a block device"),
            EntryType::Fifo => Kind::Special("a FIFO"),
            EntryType::GNUSparse => Kind::Special("a sparse file"),
            _ => Kind::Special("of an unknown kind"),
        };
        if kind != Kind::File && size > 0 && !matches!(kind, Kind::Special(_)) {
            return Err(malformed(format!(
                "`{}` is no file and has content",
                gate::escaped(&path)
            )));
        }
        if size > self.limits.max_bytes {
            return Err(Cause::TooLarge {
                limit: self.limits.max_bytes,
            });
        }
        let mode = header.mode().map_err(|_| {
            malformed(format!(
                "the mode of `{}` is no number",
                gate::escaped(&path)
            ))
        })?;
        Ok(Member {
            path,
            kind,
            size,
            executable: mode & 0o111 != 0,
            link,
        })
    }

    /// The next header block; `None` at the end mark.
    fn header(&mut self) -> Result<Option<Header>, Cause> {
        let mut header = Header::new_old();
        io::Read::read_exact(&mut self.stream, header.as_mut_bytes())
            .map_err(|e| decode::failure(e, self.limits.decoder_memory))?;
        self.spend(BLOCK)?;
        if header.as_bytes().iter().all(|&b| b == 0) {
            return Ok(None);
        }
        if !checksum_is_right(header.as_bytes()) {
            return Err(malformed("a header's checksum is wrong"));
        }
        Ok(Some(header))
    }

    /// The content of an extension header.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Cause> {
        if size > MAX_EXTENSION {
            return Err(malformed(format!(
                "an extension header claims {size} bytes"
            )));
        }
        let mut bytes = Vec::new();
        self.content(|more| {
            bytes.extend_from_slice(more);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Behind the end mark: padding, of which archivers write any amount, and then nothing.
    fn end(&mut self) -> Result<(), Cause> {
        loop {
            let bytes = self.stream.fill_buf();
            let bytes = bytes.map_err(|e| decode::failure(e, self.limits.decoder_memory))?;
            let n = bytes.len();
            if n == 0 {
                return Ok(());
            }
            if bytes.iter().any(|&b| b != 0) {
                return Err(malformed("there is data after its end mark"));
            }
            self.stream.consume(n);
            self.spend(n as u64)?;
        }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Cause> {
        self.budget = self.budget.checked_sub(bytes).ok_or(Cause::TooLarge {
            limit: self.limits.max_bytes,
        })?;
        Ok(())
    }
}

/// The content of the member that came last, for those who read rather than take.
impl<R: BufRead> io::Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.content).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let n = self.stream.read(&mut buffer[..wanted])?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.content -= n as u64;
        self.spend(n as u64).map_err(io::Error::other)?;
        Ok(n)
    }
}

impl Member {
    fn global() -> Self {
        Self {
            path: Vec::new(),
            kind: Kind::Global,
            size: 0,
            executable: false,
            link: Vec::new(),
        }
    }
}

/// Name and, in a POSIX header only, prefix.
fn path_of(header: &Header) -> Vec<u8> {
    let until_nul =
        |field: &[u8]| -> Vec<u8> { field.iter().copied().take_while(|&b| b != 0).collect() };
    let name = until_nul(&header.as_old().name);
    let prefix = header
        .as_ustar()
        .map_or_else(Vec::new, |posix| until_nul(&posix.prefix));
    if prefix.is_empty() {
        return name;
    }
    [prefix, name].join(&b'/')
}

/// Whether a header block's checksum is the sum of its bytes, the checksum's own taken as spaces.
pub fn checksum_is_right(block: &[u8]) -> bool {
    let (Some(before), Some(field), Some(after)) =
        (block.get(..148), block.get(148..156), block.get(156..512))
    else {
        return false;
    };
    let sum: u64 = before
        .iter()
        .chain(after)
        .map(|&b| u64::from(b))
        .sum::<u64>()
        + 8 * 32;
    let text: Vec<u8> = field
        .iter()
        .copied()
        .skip_while(|&b| b == b' ')
        .take_while(|b| matches!(b, b'0'..=b'7'))
        .collect();
    std::str::from_utf8(&text)
        .ok()
        .and_then(|text| u64::from_str_radix(text, 8).ok())
        == Some(sum)
}

fn truncated() -> Cause {
    Cause::Damaged {
        source: io::ErrorKind::UnexpectedEof.into(),
    }
}

pub(super) fn malformed(what: impl Into<String>) -> Cause {
    Cause::Malformed {
        format: "tar",
        what: what.into(),
    }
}
