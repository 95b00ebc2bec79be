//! Which format an archive is: what its name says, confirmed by its first bytes.

use std::fmt;

/// How many bytes of a file's start [`Content::sniff`] wants to see.
pub const SNIFF_BYTES: usize = 512;

/// A format that can be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A zip, a Python wheel among them.
    Zip,
    /// A tar, compressed or not.
    Tar(Compression),
    /// A Debian package (deb(5)).
    Deb,
}

/// What a tar is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Nothing.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// xz.
    Xz,
    /// Zstandard (RFC 8878).
    Zstd,
}

/// By the end of the file name, longest first where one ends in another.
const EXTENSIONS: &[(&str, Format)] = &[
    (".whl", Format::Zip),
    (".zip", Format::Zip),
    (".tar.xz", Format::Tar(Compression::Xz)),
    (".txz", Format::Tar(Compression::Xz)),
    (".tar.gz", Format::Tar(Compression::Gzip)),
    (".tgz", Format::Tar(Compression::Gzip)),
    (".tar.zst", Format::Tar(Compression::Zstd)),
    (".tzst", Format::Tar(Compression::Zstd)),
    (".tar", Format::Tar(Compression::None)),
    (".deb", Format::Deb),
];

impl Format {
    /// What the file name promises; upper and lower case are the same.
    pub fn of_name(file: &str) -> Option<Self> {
        let file = file.to_ascii_lowercase();
        EXTENSIONS
            .iter()
            .find(|(end, _)| file.ends_with(end))
            .map(|&(_, format)| format)
    }

    /// Whether the first [`SNIFF_BYTES`] (fewer, if the file is shorter) are this format's.
    pub fn matches(self, start: &[u8]) -> bool {
        let found = Content::sniff(start);
        match self {
            Self::Zip => found == Content::Zip,
            Self::Tar(Compression::None) => found == Content::Tar,
            Self::Tar(Compression::Gzip) => found == Content::Gzip,
            Self::Tar(Compression::Xz) => found == Content::Xz,
            Self::Tar(Compression::Zstd) => found == Content::Zstd,
            Self::Deb => found == Content::Ar,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "zip",
            Self::Tar(Compression::None) => "tar",
            Self::Tar(Compression::Gzip) => "tar.gz",
            Self::Tar(Compression::Xz) => "tar.xz",
            Self::Tar(Compression::Zstd) => "tar.zst",
            Self::Deb => "deb",
        })
    }
}

/// What a file's first bytes say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A local file header, or the end record of a zip without entries (APPNOTE 4.3.7, 4.3.16).
    Zip,
    /// RFC 1952, section 2.3.1.
    Gzip,
    /// The .xz file format, section 2.1.1.1.
    Xz,
    /// RFC 8878, sections 3.1.1 and 3.1.2 (a skippable frame may come first).
    Zstd,
    /// ar(5), the outer format of a deb.
    Ar,
    /// POSIX ustar or its predecessors: a header block whose checksum is right.
    Tar,
    /// A page of a web server, most often one that asks to log in.
    Html,
    /// None of these.
    Unknown,
}

impl Content {
    /// Judges by the first [`SNIFF_BYTES`].
    pub fn sniff(start: &[u8]) -> Self {
        match start {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ if start.starts_with(b"!<arch>\n") => Self::Ar,
            _ if is_tar(start) => Self::Tar,
            _ if is_html(start) => Self::Html,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "a zip",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Ar => "an ar archive",
            Self::Tar => "a plain tar",
            Self::Html => "an HTML page",
            Self::Unknown => "none of the known formats",
        })
    }
}

fn is_tar(start: &[u8]) -> bool {
    let Some(block) = start.get(..512) else {
        return false;
    };
    // A tar without entries is zeros only.
    block.iter().all(|&b| b == 0) || super::tarball::checksum_is_right(block)
}

fn is_html(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<!doctype") || text.starts_with("<html")
}
