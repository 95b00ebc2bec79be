//! ELF, of both classes and byte orders.
//!
//! What the loader acts on is read as the loader reads it, from the program headers and the dynamic table; section
//! headers are used for what only they have: sizes, symbol tables, debug information. Source: System V ABI, chapters
//! 4 and 5, and the Linux Standard Base, "Symbol Versioning".

mod dynamic;
mod machine;
mod versions;

use object::Endianness;
use object::elf as def;
use object::read::ReadRef;
use object::read::elf::{
    FileHeader, NoteIterator, ProgramHeader as _, SectionHeader as _, SectionTable,
};

use super::facts::{
    ByteOrder, Details, Elf, Facts, Format, Kind, Libc, Relro, Section, SectionKind,
};
use super::problem::Problem;
use super::version::Version;
use super::{bytes_contain, lossy};
use dynamic::Dynamic;

/// Notes that are read at most, in all.
const MAX_NOTES: usize = 4096;
/// Bytes of one section that are searched for strings at most.
const MAX_SEARCH: u64 = 64 << 20;

/// Reads the facts; bytes that lead nowhere give an error or a fact less, never a panic.
pub fn read<'d, H, R>(data: R) -> Result<Facts, Problem>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'d>,
{
    let header = H::parse(data)?;
    let endian = header.endian()?;
    match header.e_type(endian) {
        def::ET_EXEC | def::ET_DYN => {}
        def::ET_REL => return Err(Problem::NotLinked("an object file, not linked yet")),
        def::ET_CORE => return Err(Problem::NotLinked("a core dump")),
        _ => return Err(Problem::NotLinked("neither a program nor a library")),
    }
    let len = data.len().unwrap_or(0);
    check_table_ends::<H>(header, endian, len)?;
    let segments = header.program_headers(endian, data)?;
    for segment in segments {
        let (offset, size) = segment.file_range(endian);
        let end = offset.saturating_add(size);
        if segment.p_type(endian) == def::PT_LOAD {
            Problem::check_end("a segment", end, len)?;
        }
    }
    let table = header.sections(endian, data)?;
    let dynamic = Dynamic::read::<H, R>(data, endian, segments)?;
    let notes = notes::<H, R>(data, endian, segments, &table);
    let interpreter = interpreter::<H, R>(data, endian, segments);
    let sections = sections(data, endian, &table);
    let versions = versions::needed::<H, R>(data, endian, segments, &dynamic, &table);

    let is_dyn = header.e_type(endian) == def::ET_DYN;
    // The flag is newer than PIE; a loader without a name of its own to be linked by is a program too.
    let library =
        is_dyn && !dynamic.pie_flag && (interpreter.is_none() || dynamic.soname.is_some());
    let is_static = interpreter.is_none() && dynamic.needed.is_empty() && !library;
    let os = machine::os(
        header.e_ident().os_abi,
        notes.vendor,
        interpreter.as_deref(),
    );
    let libc = libc(
        data,
        endian,
        &table,
        &LibcHints {
            os: &os,
            interpreter: interpreter.as_deref(),
            needed: &dynamic.needed,
            gnu_tag: notes.kernel.is_some(),
            is_static,
        },
    );
    let executable_stack = segments
        .iter()
        .find(|s| s.p_type(endian) == def::PT_GNU_STACK)
        .is_none_or(|s| s.p_flags(endian).contains(def::PF_X));
    Ok(Facts {
        format: Format::Elf,
        architecture: machine::architecture::<H>(header, endian, interpreter.as_deref()),
        bits: if header.is_type_64() { 64 } else { 32 },
        byte_order: if header.is_little_endian() {
            ByteOrder::Little
        } else {
            ByteOrder::Big
        },
        kind: if library {
            Kind::Library
        } else {
            Kind::Program
        },
        is_static,
        position_independent: is_dyn,
        stripped: !table.iter().any(|s| s.sh_type(endian) == def::SHT_SYMTAB),
        debug_info: sections
            .iter()
            .any(|s| s.kind == SectionKind::Debug && s.name.contains("debug_info")),
        no_execute: !executable_stack,
        rust: is_rust(data, endian, &table),
        size: len,
        strippable: strippable(data, endian, &table),
        sections,
        os,
        details: Details::Elf(Elf {
            relro: relro::<H>(endian, segments, &dynamic),
            interpreter,
            soname: dynamic.soname,
            needed: dynamic.needed,
            rpath: dynamic.rpath,
            runpath: dynamic.runpath,
            libc,
            highest: versions::highest(&versions),
            versions,
            build_id: notes.build_id,
            kernel: notes.kernel,
        }),
    })
}

/// What the loader needs of a library to go on from there.
#[derive(Debug, Clone)]
pub struct Links {
    /// As [`Facts::architecture`].
    pub architecture: String,
    /// `DT_SONAME`
    pub soname: Option<String>,
    /// `DT_NEEDED`
    pub needed: Vec<String>,
    /// `DT_RPATH`
    pub rpath: Vec<String>,
    /// `DT_RUNPATH`
    pub runpath: Vec<String>,
}

/// Reads no more than the loader would, for libraries that are only passed on the way.
pub fn links<'d, H, R>(data: R) -> Result<Links, Problem>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'d>,
{
    let header = H::parse(data)?;
    let endian = header.endian()?;
    if header.e_type(endian) != def::ET_DYN {
        return Err(Problem::NotLinked("not a shared library"));
    }
    let segments = header.program_headers(endian, data)?;
    let interpreter = interpreter::<H, R>(data, endian, segments);
    let dynamic = Dynamic::read::<H, R>(data, endian, segments)?;
    Ok(Links {
        architecture: machine::architecture::<H>(header, endian, interpreter.as_deref()),
        soname: dynamic.soname,
        needed: dynamic.needed,
        rpath: dynamic.rpath,
        runpath: dynamic.runpath,
    })
}

/// A truncated file loses its section headers first: say that, not that an offset is invalid.
fn check_table_ends<H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    len: u64,
) -> Result<(), Problem> {
    for (what, offset, count, size) in [
        (
            "its program headers",
            header.e_phoff(endian).into(),
            header.e_phnum(endian),
            header.e_phentsize(endian),
        ),
        (
            "its section headers",
            header.e_shoff(endian).into(),
            header.e_shnum(endian),
            header.e_shentsize(endian),
        ),
    ] {
        let end = offset.saturating_add(u64::from(count) * u64::from(size));
        if offset != 0 {
            Problem::check_end(what, end, len)?;
        }
    }
    Ok(())
}

fn interpreter<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    segments: &[H::ProgramHeader],
) -> Option<String> {
    let segment = segments
        .iter()
        .find(|s| s.p_type(endian) == def::PT_INTERP)?;
    let (offset, size) = segment.file_range(endian);
    let bytes = data.read_bytes_at(offset, size.min(4096)).ok()?;
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    Some(lossy(&bytes[..end]))
}

/// What the notes say.
#[derive(Default)]
struct Notes {
    build_id: Option<String>,
    kernel: Option<Version>,
    /// A note of a system other than Linux, or of Android.
    vendor: Option<&'static str>,
}

/// Those of the segments, which the loader sees; then those of sections that no segment has, such as a build id that a
/// linker script or `objcopy --add-section` left outside.
fn notes<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    segments: &[H::ProgramHeader],
    table: &SectionTable<'d, H, R>,
) -> Notes {
    let segments = segments
        .iter()
        .filter(|s| s.p_type(endian) == def::PT_NOTE)
        .map(|s| (s.file_range(endian), s.p_align(endian)));
    let sections = table
        .iter()
        .filter(|s| s.sh_type(endian) == def::SHT_NOTE)
        .filter_map(|s| Some((s.file_range(endian)?, s.sh_addralign(endian))));
    let mut found = Notes::default();
    let mut left = MAX_NOTES;
    for ((offset, size), align) in segments.take(64).chain(sections.take(64)) {
        let Ok(bytes) = data.read_bytes_at(offset, size.min(1 << 20)) else {
            continue;
        };
        found.add::<H>(endian, align, bytes, &mut left);
    }
    found
}

impl Notes {
    /// Takes what these bytes say of what is not known yet.
    fn add<H: FileHeader<Endian = Endianness>>(
        &mut self,
        endian: Endianness,
        align: H::Word,
        bytes: &[u8],
        left: &mut usize,
    ) {
        let Ok(notes) = NoteIterator::<H>::new(endian, align, bytes) else {
            return;
        };
        for note in notes.take(*left) {
            *left -= 1;
            let Ok(note) = note else { break };
            match (note.name(), note.n_type(endian)) {
                (b"GNU", def::NT_GNU_BUILD_ID) => {
                    self.build_id.get_or_insert_with(|| hex(note.desc()));
                }
                (b"GNU", def::NT_GNU_ABI_TAG) => {
                    self.kernel = self.kernel.or(abi_tag(note.desc(), endian));
                }
                (b"Android", _) => self.vendor = Some("android"),
                (b"FreeBSD", _) => self.vendor = Some("freebsd"),
                (b"NetBSD", _) => self.vendor = Some("netbsd"),
                (b"OpenBSD", _) => self.vendor = Some("openbsd"),
                _ => {}
            }
        }
    }
}

/// Four words: the system (0 is Linux) and the oldest kernel (Linux Standard Base, "Special Sections").
fn abi_tag(desc: &[u8], endian: Endianness) -> Option<Version> {
    use object::endian::Endian as _;
    let word = |i: usize| -> Option<u32> {
        let bytes: [u8; 4] = desc.get(i * 4..i * 4 + 4)?.try_into().ok()?;
        Some(if endian.is_big_endian() {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    (word(0)? == 0).then_some(())?;
    Some(Version::new3(word(1)?, word(2)?, word(3)?))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().take(64).fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

fn relro<H: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    segments: &[H::ProgramHeader],
    dynamic: &Dynamic,
) -> Relro {
    if !segments
        .iter()
        .any(|s| s.p_type(endian) == def::PT_GNU_RELRO)
    {
        Relro::None
    } else if dynamic.bind_now {
        Relro::Full
    } else {
        Relro::Partial
    }
}

fn sections<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    table: &SectionTable<'d, H, R>,
) -> Vec<Section> {
    let _ = data;
    table
        .iter()
        .filter(|s| s.sh_type(endian) != def::SHT_NULL)
        .map(|s| {
            let name = table.section_name(endian, s).map(lossy).unwrap_or_default();
            let zero = s.sh_type(endian) == def::SHT_NOBITS;
            let size: u64 = s.sh_size(endian).into();
            Section {
                kind: section_kind::<H>(endian, s, &name),
                name,
                size,
                file_size: if zero { 0 } else { size },
            }
        })
        .collect()
}

fn section_kind<H: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    section: &H::SectionHeader,
    name: &str,
) -> SectionKind {
    let flags = section.sh_flags(endian);
    if !flags.contains(def::SHF_ALLOC) {
        return if is_debug(name) {
            SectionKind::Debug
        } else if matches!(section.sh_type(endian), def::SHT_SYMTAB | def::SHT_STRTAB) {
            SectionKind::Symbols
        } else {
            SectionKind::Other
        };
    }
    if section.sh_type(endian) == def::SHT_NOBITS {
        SectionKind::Zero
    } else if flags.contains(def::SHF_EXECINSTR) {
        SectionKind::Code
    } else if flags.contains(def::SHF_WRITE) {
        SectionKind::Data
    } else {
        SectionKind::Constant
    }
}

fn is_debug(name: &str) -> bool {
    [".debug", ".zdebug", ".stab", ".gnu.debuglto", ".line"]
        .iter()
        .any(|p| name.starts_with(p))
        || name == ".gdb_index"
}

/// What `strip` takes: symbol table, its strings, debug sections and relocations that were kept for them, each with
/// its header. The section names, a few hundred bytes, are left out of the account.
fn strippable<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    table: &SectionTable<'d, H, R>,
) -> u64 {
    let _ = data;
    let strings: Vec<usize> = table
        .iter()
        .filter(|s| s.sh_type(endian) == def::SHT_SYMTAB)
        .map(|s| s.link(endian).0)
        .collect();
    let header = size_of::<H::SectionHeader>() as u64;
    table
        .enumerate()
        .filter(|(index, s)| {
            let kind = s.sh_type(endian);
            let gone = matches!(
                kind,
                def::SHT_SYMTAB | def::SHT_SYMTAB_SHNDX | def::SHT_REL | def::SHT_RELA
            ) || strings.contains(&index.0)
                || table
                    .section_name(endian, s)
                    .is_ok_and(|n| is_debug(&lossy(n)));
            gone && kind != def::SHT_NOBITS && !s.sh_flags(endian).contains(def::SHF_ALLOC)
        })
        .map(|(_, s)| s.sh_size(endian).into().saturating_add(header))
        .fold(0, u64::saturating_add)
}

/// The bytes of the section with this name, if it has any and not too many.
fn section_bytes<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    table: &SectionTable<'d, H, R>,
    name: &[u8],
) -> Option<&'d [u8]> {
    let (_, section) = table.section_by_name(endian, name)?;
    let (offset, size) = section.file_range(endian)?;
    (size <= MAX_SEARCH).then_some(())?;
    data.read_bytes_at(offset, size).ok()
}

fn is_rust<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    table: &SectionTable<'d, H, R>,
) -> bool {
    let has = |section: &[u8], needle: &[u8]| {
        section_bytes(data, endian, table, section).is_some_and(|b| bytes_contain(b, needle))
    };
    has(b".comment", b"rustc version") || has(b".rodata", b"RUST_BACKTRACE")
}

struct LibcHints<'a> {
    os: &'a str,
    interpreter: Option<&'a str>,
    needed: &'a [String],
    gnu_tag: bool,
    is_static: bool,
}

fn libc<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    table: &SectionTable<'d, H, R>,
    hints: &LibcHints<'_>,
) -> Libc {
    let interpreter = hints.interpreter.unwrap_or_default();
    let needs = |p: fn(&str) -> bool| hints.needed.iter().any(|n| p(n));
    match hints.os {
        "android" => return Libc::Bionic,
        "linux" => {}
        _ => return Libc::Other,
    }
    if interpreter.contains("/ld-musl-") || needs(|n| n.starts_with("libc.musl-") || n == "libc.so")
    {
        return Libc::Musl;
    }
    // libc.so.6.1: Alpha and IA-64.
    if needs(|n| n == "libc.so.6" || n == "libc.so.6.1") || interpreter.contains("/ld-linux") {
        return Libc::Glibc;
    }
    if !hints.is_static {
        return if hints.interpreter.is_some() {
            Libc::Other
        } else {
            Libc::None
        };
    }
    // Only glibc's start-up code carries the tag; only musl has the symbol.
    if hints.gnu_tag {
        return Libc::Glibc;
    }
    match section_bytes(data, endian, table, b".strtab") {
        Some(names) if bytes_contain(names, b"\0__init_libc\0") => Libc::Musl,
        _ => Libc::None,
    }
}
