//! Mach-O, thin and universal. Source: Apple's headers `mach-o/loader.h` and `mach-o/fat.h`, and `cs_blobs.h` of XNU
//! for the signature.

use object::Endianness;
use object::macho as def;
use object::read::ReadRef;
use object::read::macho::{
    FatArch, LoadCommandVariant, MachHeader, MachOFatFile, Nlist as _, Section as _, Segment as _,
};

use super::elf::hex;
use super::facts::{
    ByteOrder, Details, Dylib, Facts, Format, Kind, MachO, Section, SectionKind, Signature,
};
use super::problem::Problem;
use super::version::Version;
use super::{bytes_contain, lossy};

/// Load commands that are read at most; linkers write a few dozen, Apple's own libraries some hundreds.
const MAX_COMMANDS: usize = 16_384;
/// Slices of a universal file; there are not that many CPUs.
const MAX_SLICES: usize = 32;
/// Bytes of one section that are searched for strings at most.
const MAX_SEARCH: u64 = 64 << 20;
/// Bytes of names that are counted at most, as a multiple of the string table's size.
const NAME_PASSES: u64 = 4;

/// Offset and size of each slice of a universal file.
pub fn slices<'d, F: FatArch, R: ReadRef<'d>>(data: R) -> Result<Vec<(u64, u64)>, Problem> {
    let len = data.len().unwrap_or(0);
    let fat = MachOFatFile::<F>::parse(data)?;
    fat.arches()
        .iter()
        .take(MAX_SLICES)
        .map(|arch| {
            let (offset, size) = arch.file_range();
            Problem::check_end("a slice", offset.saturating_add(size), len)?;
            Ok((offset, size))
        })
        .collect()
}

/// Reads the facts of one slice; bytes that lead nowhere give an error or a fact less, never a panic.
pub fn read<'d, H, R>(data: R) -> Result<Facts, Problem>
where
    H: MachHeader<Endian = Endianness>,
    R: ReadRef<'d>,
{
    let header = H::parse(data, 0)?;
    let endian = header.endian()?;
    let file_type = header.filetype(endian);
    match file_type {
        def::MH_EXECUTE | def::MH_DYLIB | def::MH_BUNDLE | def::MH_DYLINKER => {}
        def::MH_OBJECT => return Err(Problem::NotLinked("an object file, not linked yet")),
        def::MH_DSYM => {
            return Err(Problem::NotLinked(
                "a dSYM file, which holds debug information only",
            ));
        }
        def::MH_CORE => return Err(Problem::NotLinked("a core dump")),
        def::MH_KEXT_BUNDLE => return Err(Problem::NotLinked("a kernel extension")),
        _ => return Err(Problem::NotLinked("neither a program nor a library")),
    }
    let len = data.len().unwrap_or(0);
    let commands_end = size_of::<H>() as u64 + u64::from(header.sizeofcmds(endian));
    Problem::check_end("its load commands", commands_end, len)?;
    let mut found = Found::default();
    let commands = header.load_commands(endian, data, 0)?;
    for command in commands.take(MAX_COMMANDS) {
        let command = command?;
        if let Some((segment, rest)) = H::Segment::from_command(command)? {
            let (offset, size) = segment.file_range(endian);
            Problem::check_end("a segment", offset.saturating_add(size), len)?;
            found.segment::<H, R>(data, endian, segment, rest)?;
            continue;
        }
        found.command::<H, R>(data, endian, command)?;
    }
    let program = file_type == def::MH_EXECUTE;
    let flags = header.flags(endian);
    let debug_info = found.sections.iter().any(|s| s.kind == SectionKind::Debug);
    Ok(Facts {
        format: Format::MachO,
        os: found.platform.unwrap_or("macos").to_owned(),
        architecture: architecture(header.cputype(endian)),
        bits: if header.is_type_64() { 64 } else { 32 },
        byte_order: if header.is_little_endian() {
            ByteOrder::Little
        } else {
            ByteOrder::Big
        },
        kind: if program {
            Kind::Program
        } else {
            Kind::Library
        },
        is_static: program && found.out.dylinker.is_none() && found.out.dylibs.is_empty(),
        position_independent: !program || flags.contains(def::MH_PIE),
        stripped: found.local_symbols == 0,
        debug_info,
        no_execute: !flags.contains(def::MH_ALLOW_STACK_EXECUTION),
        rust: found.rust,
        size: len,
        strippable: found.strippable,
        sections: found.sections,
        details: Details::MachO(found.out),
    })
}

fn architecture(cpu: def::CpuType) -> String {
    match cpu {
        def::CPU_TYPE_X86_64 => "x86_64",
        def::CPU_TYPE_ARM64 => "aarch64",
        def::CPU_TYPE_X86 => "x86",
        def::CPU_TYPE_ARM => "armhf",
        def::CPU_TYPE_ARM64_32 => "arm64_32",
        def::CPU_TYPE_POWERPC => "powerpc",
        def::CPU_TYPE_POWERPC64 => "powerpc64",
        other => return format!("machine-{}", other.0),
    }
    .to_owned()
}

fn platform(p: def::Platform) -> &'static str {
    match p {
        def::PLATFORM_MACOS => "macos",
        def::PLATFORM_IOS => "ios",
        def::PLATFORM_TVOS => "tvos",
        def::PLATFORM_WATCHOS => "watchos",
        def::PLATFORM_VISIONOS => "visionos",
        def::PLATFORM_MACCATALYST => "maccatalyst",
        def::PLATFORM_DRIVERKIT => "driverkit",
        def::PLATFORM_IOSSIMULATOR => "ios-simulator",
        _ => "another Apple system",
    }
}

fn version(v: def::Version) -> Version {
    Version::new3(v.major().into(), v.minor().into(), v.update().into())
}

/// What the load commands have said so far.
struct Found {
    out: MachO,
    platform: Option<&'static str>,
    sections: Vec<Section>,
    local_symbols: usize,
    strippable: u64,
    rust: bool,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            out: MachO {
                minimum_os: None,
                sdk: None,
                dylinker: None,
                install_name: None,
                dylibs: Vec::new(),
                rpaths: Vec::new(),
                signature: None,
                uuid: None,
            },
            platform: None,
            sections: Vec::new(),
            local_symbols: 0,
            strippable: 0,
            rust: false,
        }
    }
}

impl Found {
    fn segment<'d, H: MachHeader<Endian = Endianness>, R: ReadRef<'d>>(
        &mut self,
        data: R,
        endian: Endianness,
        segment: &H::Segment,
        rest: &'d [u8],
    ) -> Result<(), Problem> {
        let segment_name = lossy(segment.name());
        let sections = segment.sections(endian, rest)?;
        if sections.is_empty() && segment.filesize(endian).into() > 0 {
            self.sections.push(Section {
                kind: if segment_name == "__LINKEDIT" {
                    SectionKind::Symbols
                } else {
                    SectionKind::Other
                },
                name: segment_name,
                size: segment.vmsize(endian).into(),
                file_size: segment.filesize(endian).into(),
            });
            return Ok(());
        }
        for section in sections {
            let name = lossy(section.name());
            let size: u64 = section.size(endian).into();
            let file_size = section.file_size(endian).unwrap_or(0);
            let flags = section.flags(endian);
            let kind = if segment_name == "__DWARF" {
                SectionKind::Debug
            } else if section.file_size(endian).is_none() {
                SectionKind::Zero
            } else if flags.0 & (def::S_ATTR_PURE_INSTRUCTIONS.0 | def::S_ATTR_SOME_INSTRUCTIONS.0)
                != 0
            {
                SectionKind::Code
            } else if segment_name == "__TEXT" || segment_name == "__DATA_CONST" {
                SectionKind::Constant
            } else {
                SectionKind::Data
            };
            if kind == SectionKind::Debug {
                self.strippable = self.strippable.saturating_add(file_size);
            }
            let may_hold_text =
                matches!(name.as_str(), "__const" | "__cstring") && file_size <= MAX_SEARCH;
            if segment_name == "__TEXT" && may_hold_text && !self.rust {
                let bytes = data.read_bytes_at(section.offset(endian).into(), file_size);
                self.rust = bytes.is_ok_and(|b| bytes_contain(b, b"RUST_BACKTRACE"));
            }
            self.sections.push(Section {
                name: format!("{segment_name},{name}"),
                kind,
                size,
                file_size,
            });
        }
        Ok(())
    }

    fn command<'d, H: MachHeader<Endian = Endianness>, R: ReadRef<'d>>(
        &mut self,
        data: R,
        endian: Endianness,
        command: object::read::macho::LoadCommandData<'d, Endianness>,
    ) -> Result<(), Problem> {
        let out = &mut self.out;
        let text = |s| command.string(endian, s).map(lossy);
        match command.variant()? {
            LoadCommandVariant::Dylib(d) => {
                let flags = command.dylib_use_flags(endian, d)?;
                out.dylibs.push(Dylib {
                    name: text(d.dylib.name)?,
                    weak: command.cmd() == def::LC_LOAD_WEAK_DYLIB
                        || flags.is_some_and(|f| f.contains(def::DYLIB_USE_WEAK_LINK)),
                });
            }
            LoadCommandVariant::IdDylib(d) => out.install_name = Some(text(d.dylib.name)?),
            LoadCommandVariant::LoadDylinker(d) => out.dylinker = Some(text(d.name)?),
            LoadCommandVariant::Rpath(r) => out.rpaths.push(text(r.path)?),
            LoadCommandVariant::Uuid(u) => out.uuid = Some(hex(&u.uuid)),
            LoadCommandVariant::BuildVersion(b, _) => {
                // A "zippered" library has one for macOS and one for Catalyst.
                let name = platform(b.platform.get(endian));
                if self.platform.is_none() || name == "macos" {
                    self.platform = Some(name);
                    out.minimum_os = Some(version(b.minos.get(endian)));
                    out.sdk = Some(version(b.sdk.get(endian))).filter(|v| v.major() > 0);
                }
            }
            LoadCommandVariant::VersionMin(v) => {
                self.platform = self.platform.or(Some(match command.cmd() {
                    def::LC_VERSION_MIN_IPHONEOS => "ios",
                    def::LC_VERSION_MIN_TVOS => "tvos",
                    def::LC_VERSION_MIN_WATCHOS => "watchos",
                    _ => "macos",
                }));
                out.minimum_os = out.minimum_os.or(Some(version(v.version.get(endian))));
                out.sdk = out
                    .sdk
                    .or(Some(version(v.sdk.get(endian))).filter(|v| v.major() > 0));
            }
            LoadCommandVariant::LinkeditData(l) if command.cmd() == def::LC_CODE_SIGNATURE => {
                out.signature = Some(signature(l, endian, data));
            }
            LoadCommandVariant::Symtab(s) => self.symbols::<H, R>(data, endian, s),
            _ => {}
        }
        Ok(())
    }

    /// Counts what `strip` takes from the symbol table: names that are local to the file, and debug entries.
    fn symbols<'d, H: MachHeader<Endian = Endianness>, R: ReadRef<'d>>(
        &mut self,
        data: R,
        endian: Endianness,
        table: &def::SymtabCommand<Endianness>,
    ) {
        let Ok(symbols) = table.symbols::<H, R>(endian, data) else {
            return;
        };
        let size = u64::from(table.strsize.get(endian));
        let Ok(names) = data.read_bytes_at(table.stroff.get(endian).into(), size) else {
            return;
        };
        // Names may overlap in a file made to waste time: count no more than a few passes over them.
        let mut left = size.saturating_mul(NAME_PASSES);
        for symbol in symbols.iter() {
            let kind = symbol.n_type();
            let local = kind.is_stab() || kind.0 & def::N_EXT.0 == 0;
            if !local {
                continue;
            }
            self.local_symbols += 1;
            let name = names
                .get(symbol.n_strx(endian) as usize..)
                .unwrap_or_default();
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(name.len());
            let length = name[..most]
                .iter()
                .position(|b| *b == 0)
                .map_or(most, |n| n + 1) as u64;
            left -= length.min(left);
            self.strippable = self
                .strippable
                .saturating_add(length + size_of::<H::Nlist>() as u64);
        }
    }
}

/// A signature that cannot be read counts as one made ad hoc: it names nobody.
fn signature<'d, R: ReadRef<'d>>(
    command: &def::LinkeditDataCommand<Endianness>,
    endian: Endianness,
    data: R,
) -> Signature {
    let mut out = Signature {
        adhoc: true,
        team: None,
    };
    let Ok(signature) = command.code_signature(endian, data) else {
        return out;
    };
    for blob in signature.blobs().take(64) {
        let Ok(blob) = blob else { break };
        // Eight bytes are the header of an empty wrapper, which ad hoc signatures have.
        if blob.magic() == def::CSMAGIC_BLOBWRAPPER && blob.data().len() > 8 {
            out.adhoc = false;
        }
        if let Ok(Some(directory)) = blob.code_directory()
            && let Ok(Some(team)) = directory.team_id()
        {
            out.team = Some(lossy(team));
        }
    }
    out
}
