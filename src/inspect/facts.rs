//! What a file says about itself: plain data, one [`Facts`] for each slice of a universal binary.

use std::fmt;

use serde::Serialize;

use super::version::Version;

/// The file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Linux, Android, the BSDs.
    Elf,
    /// Windows.
    Pe,
    /// macOS and its relatives.
    MachO,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Elf => "ELF",
            Self::Pe => "PE",
            Self::MachO => "Mach-O",
        })
    }
}

/// The order of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ByteOrder {
    /// The least significant byte first.
    Little,
    /// The most significant byte first.
    Big,
}

/// What the file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something to start.
    Program,
    /// Something that a program loads: `.so`, `.dll`, `.dylib`, a bundle.
    Library,
}

/// Everything read from one slice.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and a field of its own in the JSON"
)]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// The file format.
    pub format: Format,
    /// The system that it was made for: `linux`, `android`, `freebsd`, `windows`, `macos`, `ios`, ….
    pub os: String,
    /// The CPU by Rust's name, with `armhf`/`armel` for 32-bit ARM.
    pub architecture: String,
    /// 32 or 64.
    pub bits: u8,
    /// The order of bytes.
    pub byte_order: ByteOrder,
    /// Program or library.
    pub kind: Kind,
    /// Whether nothing else has to be loaded with it.
    #[serde(rename = "static")]
    pub is_static: bool,
    /// Whether it can be loaded at any address.
    pub position_independent: bool,
    /// Whether the symbol table is gone.
    pub stripped: bool,
    /// Whether debug information is in the file.
    pub debug_info: bool,
    /// Whether stack and heap are not executable: NX, DEP.
    pub no_execute: bool,
    /// Whether Rust's standard library is in it, as far as its strings tell.
    pub rust: bool,
    /// Bytes of this slice.
    pub size: u64,
    /// Bytes that stripping takes away; see [`super::size`].
    pub strippable: u64,
    /// The sections, as they stand in the file.
    pub sections: Vec<Section>,
    /// What only this format has.
    pub details: Details,
}

/// What only one format has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Details {
    /// ELF.
    Elf(Elf),
    /// PE.
    Pe(Pe),
    /// Mach-O.
    MachO(MachO),
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Section {
    /// Its name; in Mach-O with the segment: `__TEXT,__text`.
    pub name: String,
    /// What is in it.
    pub kind: SectionKind,
    /// Bytes in memory.
    pub size: u64,
    /// Bytes in the file.
    pub file_size: u64,
}

/// What is in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SectionKind {
    /// Instructions.
    Code,
    /// Constants.
    Constant,
    /// Variables.
    Data,
    /// Variables that begin as zero: no bytes in the file.
    Zero,
    /// Debug information.
    Debug,
    /// Symbol and string tables that running does not need.
    Symbols,
    /// The rest.
    Other,
}

/// The C library that a program is linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Libc {
    /// GNU.
    Glibc,
    /// musl.
    Musl,
    /// Android's.
    Bionic,
    /// Another system's.
    Other,
    /// None is loaded, and none could be told from a static program.
    None,
}

impl fmt::Display for Libc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Glibc => "glibc",
            Self::Musl => "musl",
            Self::Bionic => "bionic",
            Self::Other => "another",
            Self::None => "none",
        })
    }
}

/// How much of the relocated data is made read-only after start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relro {
    /// Nothing.
    None,
    /// All but the PLT's part of the GOT.
    Partial,
    /// Everything; functions are bound at start.
    Full,
}

/// What only ELF has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Elf {
    /// `PT_INTERP`: the loader that starts the program.
    pub interpreter: Option<String>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// `DT_RPATH`, split at `:`.
    pub rpath: Vec<String>,
    /// `DT_RUNPATH`, split at `:`.
    pub runpath: Vec<String>,
    /// The C library.
    pub libc: Libc,
    /// Every version that is asked of a library.
    pub versions: Vec<VersionNeed>,
    /// What must be there at least: the highest of each family in `versions`.
    pub highest: Highest,
    /// Read-only relocations.
    pub relro: Relro,
    /// The build ID, in hexadecimal.
    pub build_id: Option<String>,
    /// The oldest kernel, where the C library's start-up code notes it (`NT_GNU_ABI_TAG`).
    pub kernel: Option<Version>,
}

/// The highest version of each family that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Highest {
    /// `GLIBC_2.34`
    pub glibc: Option<Needs>,
    /// `GLIBCXX_3.4.30`
    pub glibcxx: Option<Needs>,
    /// `CXXABI_1.3.13`
    pub cxxabi: Option<Needs>,
    /// `GCC_12.0.0`
    pub gcc: Option<Needs>,
}

/// A version, and who wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Needs {
    /// The version.
    pub version: Version,
    /// Up to five symbols that need it.
    pub symbols: Vec<String>,
}

/// One version that is asked of one library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VersionNeed {
    /// The library's name: `libc.so.6`.
    pub library: String,
    /// The version's name: `GLIBC_2.34`.
    pub name: String,
    /// Whether the loader may go on without it.
    pub weak: bool,
    /// How many symbols are bound to it.
    pub symbol_count: usize,
    /// The first five of them.
    pub symbols: Vec<String>,
}

/// What only PE has.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and a field of its own in the JSON"
)]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pe {
    /// `console`, `gui`, `native`, `efi-application`, ….
    pub subsystem: String,
    /// The subsystem's version in the optional header: the oldest Windows whose loader takes the file.
    pub subsystem_version: Version,
    /// Every DLL that is imported.
    pub imports: Vec<Import>,
    /// Loaded anywhere (`DYNAMIC_BASE`, with relocations).
    pub aslr: bool,
    /// Loaded anywhere in 64 bits (`HIGH_ENTROPY_VA`).
    pub high_entropy: bool,
    /// Control flow guard (`GUARD_CF`).
    pub control_flow_guard: bool,
    /// Whether an Authenticode signature is attached; it is not checked.
    pub signed: bool,
    /// The PDB that the debug directory names.
    pub pdb: Option<String>,
    /// Whether it is a program for the .NET runtime.
    pub dotnet: bool,
}

/// One DLL that is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Import {
    /// The name as it stands in the file.
    pub dll: String,
    /// Whether it is loaded on first use only.
    pub delayed: bool,
    /// The functions by name; an ordinal is `#12`.
    pub functions: Vec<String>,
}

/// What only Mach-O has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachO {
    /// The oldest release of the platform.
    pub minimum_os: Option<Version>,
    /// The SDK that it was linked with.
    pub sdk: Option<Version>,
    /// The loader: `/usr/lib/dyld`.
    pub dylinker: Option<String>,
    /// Its own name, if it is a library.
    pub install_name: Option<String>,
    /// Every library that is loaded, in order.
    pub dylibs: Vec<Dylib>,
    /// `LC_RPATH`, in order.
    pub rpaths: Vec<String>,
    /// The code signature; it is not checked.
    pub signature: Option<Signature>,
    /// `LC_UUID`, in hexadecimal.
    pub uuid: Option<String>,
}

/// A library that a Mach-O file loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dylib {
    /// The path, which may begin with `@rpath`, `@loader_path` or `@executable_path`.
    pub name: String,
    /// Whether the program starts without it.
    pub weak: bool,
}

/// A code signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Signature {
    /// Made without an identity: enough to run, not to be distributed.
    pub adhoc: bool,
    /// The team's identifier.
    pub team: Option<String>,
}

impl Facts {
    /// The ELF part.
    pub fn elf(&self) -> Option<&Elf> {
        match &self.details {
            Details::Elf(e) => Some(e),
            _ => None,
        }
    }

    /// The PE part.
    pub fn pe(&self) -> Option<&Pe> {
        match &self.details {
            Details::Pe(p) => Some(p),
            _ => None,
        }
    }

    /// The Mach-O part.
    pub fn mach_o(&self) -> Option<&MachO> {
        match &self.details {
            Details::MachO(m) => Some(m),
            _ => None,
        }
    }
}
