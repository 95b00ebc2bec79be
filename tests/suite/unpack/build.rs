//! Writers of archives that do as they are told, however hostile.

use std::io::Write as _;

/// The formats under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Zip,
    Wheel,
    Tar,
    TarGz,
    TarXz,
    TarZst,
    Deb,
}

impl Format {
    pub const ALL: [Self; 7] = [
        Self::Zip,
        Self::Wheel,
        Self::Tar,
        Self::TarGz,
        Self::TarXz,
        Self::TarZst,
        Self::Deb,
    ];
    /// Those with a tar inside.
    pub const TARS: [Self; 5] = [Self::Tar, Self::TarGz, Self::TarXz, Self::TarZst, Self::Deb];

    pub fn is_zip(self) -> bool {
        matches!(self, Self::Zip | Self::Wheel)
    }

    pub fn file(self) -> &'static str {
        match self {
            Self::Zip => "a.zip",
            Self::Wheel => "a-1.0-py3-none-any.whl",
            Self::Tar => "a.tar",
            Self::TarGz => "a.tar.gz",
            Self::TarXz => "a.tar.xz",
            Self::TarZst => "a.tar.zst",
            Self::Deb => "a_1_all.deb",
        }
    }

    /// An archive of these entries.
    pub fn archive(self, entries: &[Entry]) -> Vec<u8> {
        if self.is_zip() {
            let mut zip = Zip::default();
            for entry in entries {
                zip.add(ZipEntry::of(entry));
            }
            return zip.finish();
        }
        self.wrap(&tar(entries))
    }

    /// An archive with these bytes for a tar.
    pub fn wrap(self, tar: &[u8]) -> Vec<u8> {
        match self {
            Self::Zip | Self::Wheel => panic!("a zip holds no tar"),
            Self::Tar => tar.to_vec(),
            Self::TarGz => gz(tar),
            Self::TarXz => xz(tar),
            Self::TarZst => zst(tar),
            Self::Deb => deb("data.tar.xz", &xz(tar)),
        }
    }
}

/// What an archive has, as raw as it goes.
#[derive(Debug, Clone)]
pub struct Entry {
    pub path: Vec<u8>,
    pub kind: Kind,
    pub mode: u32,
}

#[derive(Debug, Clone)]
pub enum Kind {
    File(Vec<u8>),
    Folder,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    /// A device or the like: tar's type flag, and the file type of its mode.
    Special(u8, u32),
}

pub fn file(path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Entry {
    entry(path, Kind::File(content.as_ref().to_vec()), 0o644)
}

pub fn folder(path: impl AsRef<[u8]>) -> Entry {
    entry(path, Kind::Folder, 0o755)
}

pub fn symlink(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Entry {
    entry(path, Kind::Symlink(target.as_ref().to_vec()), 0o777)
}

pub fn hard_link(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Entry {
    entry(path, Kind::HardLink(target.as_ref().to_vec()), 0o644)
}

pub fn entry(path: impl AsRef<[u8]>, kind: Kind, mode: u32) -> Entry {
    Entry {
        path: path.as_ref().to_vec(),
        kind,
        mode,
    }
}

/// A whole tar with its end mark.
pub fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        tar_entry(&mut out, entry);
    }
    out.extend([0; 1024]);
    out
}

fn tar_entry(out: &mut Vec<u8>, entry: &Entry) {
    let empty = Vec::new();
    let (flag, link, content) = match &entry.kind {
        Kind::File(content) => (b'0', &empty, content),
        Kind::Folder => (b'5', &empty, &empty),
        Kind::Symlink(target) => (b'2', target, &empty),
        Kind::HardLink(target) => (b'1', target, &empty),
        Kind::Special(flag, _) => (*flag, &empty, &empty),
    };
    // GNU's long names, also for names with NUL, which a header's field would cut.
    for (flag, name) in [(b'L', &entry.path), (b'K', link)] {
        if name.len() > 100 || name.contains(&0) {
            let mut name = name.clone();
            name.push(0);
            tar_member(out, flag, b"././@LongLink", b"", 0o644, &name);
        }
    }
    tar_member(out, flag, &entry.path, link, entry.mode, content);
}

/// One header and its content, padded.
pub fn tar_member(
    out: &mut Vec<u8>,
    flag: u8,
    path: &[u8],
    link: &[u8],
    mode: u32,
    content: &[u8],
) {
    out.extend(tar_header(flag, path, link, mode, content.len() as u64));
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
}

pub fn tar_header(flag: u8, path: &[u8], link: &[u8], mode: u32, size: u64) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &path[..path.len().min(100)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000\x000000000");
    if size < 1 << 33 {
        put(124, format!("{size:011o}").as_bytes());
    } else {
        // GNU's base-256.
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[flag]);
    put(157, &link[..link.len().min(100)]);
    put(257, b"ustar  \0");
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// A pax record, its length right.
pub fn pax_record(key: &str, value: &str) -> Vec<u8> {
    let body = format!(" {key}={value}\n");
    let mut length = body.len();
    while length != body.len() + length.to_string().len() {
        length = body.len() + length.to_string().len();
    }
    format!("{length}{body}").into_bytes()
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = xz2::write::XzEncoder::new(Vec::new(), 0);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

/// A package with this data member.
pub fn deb(data_name: &str, data: &[u8]) -> Vec<u8> {
    let control = xz(&tar(&[file("./control", "Package: a\n")]));
    ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", &control),
        (data_name, data),
    ])
}

pub fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in members {
        out.extend(ar_header(name, &content.len().to_string()));
        out.extend(*content);
        if content.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

pub fn ar_header(name: &str, size: &str) -> Vec<u8> {
    format!(
        "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
        0, 0, 0, 100_644
    )
    .into_bytes()
}

/// A zip entry: each field as it will stand there.
#[derive(Debug, Clone)]
pub struct ZipEntry {
    pub name: Vec<u8>,
    /// In the local header.
    pub local_name: Vec<u8>,
    pub mode: u32,
    pub content: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    pub local_flags: u16,
    /// Declared, in both headers.
    pub size: u64,
    /// Declared in the local header.
    pub local_size: u64,
    pub crc: u32,
    /// Sizes in 64-bit extra fields, as a large file has them.
    pub zip64: bool,
    /// Put after the data.
    pub after: Vec<u8>,
}

impl ZipEntry {
    pub fn of(entry: &Entry) -> Self {
        let mut name = entry.path.clone();
        let (file_type, content) = match &entry.kind {
            Kind::File(content) => (0o100_000, content.clone()),
            Kind::Folder => {
                name.push(b'/');
                (0o040_000, Vec::new())
            }
            Kind::Symlink(target) => (0o120_000, target.clone()),
            Kind::HardLink(_) => panic!("a zip has no hard links"),
            Kind::Special(_, file_type) => (*file_type, Vec::new()),
        };
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        Self {
            local_name: name.clone(),
            name,
            mode: file_type | entry.mode,
            method: if content.is_empty() { 0 } else { 8 },
            flags: 0x800,
            local_flags: 0x800,
            size: content.len() as u64,
            local_size: content.len() as u64,
            crc: crc.sum(),
            content,
            zip64: false,
            after: Vec::new(),
        }
    }

    fn data(&self) -> Vec<u8> {
        if self.method != 8 {
            return self.content.clone();
        }
        let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        out.write_all(&self.content).unwrap();
        out.finish().unwrap()
    }
}

#[derive(Debug, Default)]
pub struct Zip {
    out: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
    pub comment: Vec<u8>,
    pub zip64: bool,
}

impl Zip {
    pub fn add(&mut self, entry: ZipEntry) {
        let start = self.out.len() as u64;
        let data = entry.data();
        let compressed = data.len() as u64;
        self.out.extend(b"PK\x03\x04");
        self.out.extend(20_u16.to_le_bytes());
        let local = fields(
            &entry,
            entry.local_flags,
            compressed,
            entry.local_size,
            &entry.local_name,
        );
        self.out.extend(local.0);
        self.out.extend(entry.local_name.iter());
        self.out.extend(local.1);
        self.out.extend(data);
        self.out.extend(entry.after.iter());

        let central = fields(&entry, entry.flags, compressed, entry.size, &entry.name);
        self.directory.extend(b"PK\x01\x02\x14\x03\x14\x00");
        self.directory.extend(central.0);
        self.directory.extend([0; 6]);
        self.directory
            .extend((entry.mode.checked_shl(16).unwrap()).to_le_bytes());
        self.directory
            .extend(u32::try_from(start).unwrap().to_le_bytes());
        self.directory.extend(entry.name);
        self.directory.extend(central.1);
        self.count += 1;
    }

    pub fn finish(self) -> Vec<u8> {
        let (start, size) = (self.out.len(), self.directory.len());
        let mut out = self.out;
        out.extend(self.directory);
        if self.zip64 {
            let record = out.len() as u64;
            out.extend(b"PK\x06\x06");
            out.extend(44_u64.to_le_bytes());
            out.extend([45, 3, 45, 0]);
            out.extend([0; 8]);
            for n in [
                u64::from(self.count),
                u64::from(self.count),
                size as u64,
                start as u64,
            ] {
                out.extend(n.to_le_bytes());
            }
            out.extend(b"PK\x06\x07\0\0\0\0");
            out.extend(record.to_le_bytes());
            out.extend(1_u32.to_le_bytes());
        }
        let (count, size, start) = if self.zip64 {
            (u16::MAX, u32::MAX, u32::MAX)
        } else {
            (
                self.count,
                u32::try_from(size).unwrap(),
                u32::try_from(start).unwrap(),
            )
        };
        out.extend(end_record(count, size, start, &self.comment));
        out
    }
}

pub fn end_record(count: u16, size: u32, start: u32, comment: &[u8]) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
    out.extend(comment);
    out
}

/// From the flags to the extra field's length, and the extra field: the same in both headers.
fn fields(
    entry: &ZipEntry,
    flags: u16,
    compressed: u64,
    size: u64,
    name: &[u8],
) -> (Vec<u8>, Vec<u8>) {
    let mut extra = Vec::new();
    if entry.zip64 {
        extra.extend([1, 0, 16, 0]);
        extra.extend(size.to_le_bytes());
        extra.extend(compressed.to_le_bytes());
    }
    let short = |n: u64| {
        if entry.zip64 {
            u32::MAX
        } else {
            u32::try_from(n).unwrap()
        }
    };
    let mut out = Vec::new();
    out.extend(flags.to_le_bytes());
    out.extend(entry.method.to_le_bytes());
    out.extend([0, 0, 0x21, 0]);
    out.extend(entry.crc.to_le_bytes());
    out.extend(short(compressed).to_le_bytes());
    out.extend(short(size).to_le_bytes());
    out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    out.extend(u16::try_from(extra.len()).unwrap().to_le_bytes());
    (out, extra)
}
