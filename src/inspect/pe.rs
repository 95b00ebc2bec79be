//! PE, of 32 and 64 bits. Source: Microsoft, "PE Format".

use object::LittleEndian as LE;
use object::pe as def;
use object::read::coff::CoffHeader as _;
use object::read::pe::{
    DataDirectories, ImageNtHeaders, ImageOptionalHeader as _, ImageThunkData as _, SectionTable,
};
use object::read::{ReadRef, StringTable};

use super::facts::{ByteOrder, Details, Facts, Format, Import, Kind, Pe, Section, SectionKind};
use super::problem::Problem;
use super::version::Version;
use super::{bytes_contain, lossy};

/// DLLs that are read at most.
const MAX_DLLS: usize = 4096;
/// Functions that are read at most, of all DLLs.
const MAX_FUNCTIONS: usize = 65_536;
/// The longest name that is taken.
const MAX_NAME: u64 = 1024;
/// Bytes of one section that are searched for strings at most.
const MAX_SEARCH: u32 = 64 << 20;

/// Reads the facts; bytes that lead nowhere give an error or a fact less, never a panic.
pub fn read<'d, H: ImageNtHeaders, R: ReadRef<'d>>(data: R) -> Result<Facts, Problem> {
    let len = data.len().unwrap_or(0);
    let dos = def::ImageDosHeader::parse(data)?;
    let mut offset = u64::from(dos.nt_headers_offset());
    let (headers, directories) = H::parse(data, &mut offset)?;
    let optional = headers.optional_header();
    Problem::check_end("its headers", optional.size_of_headers().into(), len)?;
    let table = headers.sections(data, offset)?;
    let file = headers.file_header();
    for section in table.iter() {
        let (start, size) = section.pe_file_range();
        Problem::check_end("a section", u64::from(start) + u64::from(size), len)?;
    }
    let symbols = file.symbols(data).ok();
    let names = symbols
        .as_ref()
        .map(object::read::coff::SymbolTable::strings)
        .unwrap_or_default();
    let sections = sections(&table, names);
    let image = Image {
        data,
        table,
        directories,
    };
    let imports = image.imports::<H>();

    let library = file.characteristics.get(LE).contains(def::IMAGE_FILE_DLL);
    let flags = optional.dll_characteristics();
    let aslr = flags.contains(def::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE)
        && !file
            .characteristics
            .get(LE)
            .contains(def::IMAGE_FILE_RELOCS_STRIPPED);
    let debug_info = sections
        .iter()
        .any(|s| s.kind == SectionKind::Debug && s.name.contains("debug_info"));
    let has_symbols = file.number_of_symbols.get(LE) > 0;
    let subsystem = subsystem(optional.subsystem());
    Ok(Facts {
        format: Format::Pe,
        os: if subsystem.starts_with("efi-") {
            "uefi"
        } else {
            "windows"
        }
        .to_owned(),
        architecture: architecture(file.machine.get(LE)),
        bits: if headers.is_type_64() { 64 } else { 32 },
        byte_order: ByteOrder::Little,
        kind: if library {
            Kind::Library
        } else {
            Kind::Program
        },
        is_static: imports.is_empty(),
        position_independent: aslr,
        stripped: !has_symbols && !debug_info,
        debug_info,
        no_execute: flags.contains(def::IMAGE_DLLCHARACTERISTICS_NX_COMPAT),
        rust: image.is_rust(),
        size: len,
        strippable: strippable(file, &sections, names_size(data, file)),
        sections,
        details: Details::Pe(Pe {
            subsystem: subsystem.to_owned(),
            subsystem_version: Version::new(
                optional.major_subsystem_version().into(),
                optional.minor_subsystem_version().into(),
            ),
            imports,
            aslr,
            high_entropy: flags.contains(def::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA),
            control_flow_guard: flags.contains(def::IMAGE_DLLCHARACTERISTICS_GUARD_CF),
            signed: image.has(def::IMAGE_DIRECTORY_ENTRY_SECURITY),
            pdb: image.pdb(),
            dotnet: image.has(def::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR),
        }),
    })
}

fn architecture(machine: def::Machine) -> String {
    match machine {
        def::IMAGE_FILE_MACHINE_AMD64 => "x86_64",
        def::IMAGE_FILE_MACHINE_I386 => "x86",
        def::IMAGE_FILE_MACHINE_ARM64
        | def::IMAGE_FILE_MACHINE_ARM64EC
        | def::IMAGE_FILE_MACHINE_ARM64X => "aarch64",
        def::IMAGE_FILE_MACHINE_ARMNT => "armhf",
        def::IMAGE_FILE_MACHINE_RISCV64 => "riscv64",
        other => return format!("machine-{:#06x}", other.0),
    }
    .to_owned()
}

fn subsystem(s: def::Subsystem) -> &'static str {
    match s {
        def::IMAGE_SUBSYSTEM_NATIVE => "native",
        def::IMAGE_SUBSYSTEM_WINDOWS_GUI => "gui",
        def::IMAGE_SUBSYSTEM_WINDOWS_CUI => "console",
        def::IMAGE_SUBSYSTEM_EFI_APPLICATION => "efi-application",
        def::IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER
        | def::IMAGE_SUBSYSTEM_EFI_RUNTIME_DRIVER
        | def::IMAGE_SUBSYSTEM_EFI_ROM => "efi-driver",
        _ => "other",
    }
}

fn sections<'d, R: ReadRef<'d>>(
    table: &SectionTable<'d>,
    names: StringTable<'d, R>,
) -> Vec<Section> {
    table
        .iter()
        .map(|s| {
            let name = s.name(names).map(lossy).unwrap_or_default();
            let flags = s.characteristics.get(LE);
            let file_size = s.size_of_raw_data.get(LE);
            let kind = if name.starts_with(".debug") || name.starts_with(".stab") {
                SectionKind::Debug
            } else if flags.contains(def::IMAGE_SCN_MEM_EXECUTE) {
                SectionKind::Code
            } else if flags.contains(def::IMAGE_SCN_CNT_UNINITIALIZED_DATA) || file_size == 0 {
                SectionKind::Zero
            } else if flags.contains(def::IMAGE_SCN_MEM_WRITE) {
                SectionKind::Data
            } else if name == ".rdata" {
                SectionKind::Constant
            } else {
                SectionKind::Other
            };
            Section {
                name,
                kind,
                size: s.virtual_size.get(LE).into(),
                file_size: file_size.into(),
            }
        })
        .collect()
}

/// Bytes of the table of long names, which stands behind the symbols.
fn names_size<'d, R: ReadRef<'d>>(data: R, file: &def::ImageFileHeader) -> u64 {
    let at = u64::from(file.pointer_to_symbol_table.get(LE)) + symbols_size(file);
    data.read_at::<object::endian::U32<LE>>(at)
        .map_or(0, |n| u64::from(n.get(LE)))
        .min(data.len().unwrap_or(0))
}

fn symbols_size(file: &def::ImageFileHeader) -> u64 {
    u64::from(file.number_of_symbols.get(LE)) * def::IMAGE_SIZEOF_SYMBOL as u64
}

/// The COFF symbols with their names, and the debug sections.
fn strippable(file: &def::ImageFileHeader, sections: &[Section], names: u64) -> u64 {
    let tables = if file.pointer_to_symbol_table.get(LE) == 0 {
        0
    } else {
        symbols_size(file) + names
    };
    let debug = sections
        .iter()
        .filter(|s| s.kind == SectionKind::Debug)
        .map(|s| s.file_size);
    debug.fold(tables, u64::saturating_add)
}

/// A file with what is needed to follow addresses in it.
struct Image<'d, R: ReadRef<'d>> {
    data: R,
    table: SectionTable<'d>,
    directories: DataDirectories<'d>,
}

impl<'d, R: ReadRef<'d>> Image<'d, R> {
    /// Where in the file an address is loaded from.
    fn offset(&self, address: u32) -> Option<u64> {
        self.table
            .pe_file_range_at(address)
            .map(|(offset, _)| offset.into())
    }

    fn has(&self, directory: usize) -> bool {
        self.directories
            .get(directory)
            .is_some_and(|d| d.virtual_address.get(LE) != 0 && d.size.get(LE) != 0)
    }

    fn text(&self, offset: u64) -> Option<String> {
        let len = self.data.len().ok()?;
        let end = offset.saturating_add(MAX_NAME).min(len);
        let bytes = self.data.read_bytes_at_until(offset..end, 0).ok()?;
        (!bytes.is_empty()).then(|| lossy(bytes))
    }

    /// The import table, then the table of delayed imports; both end with a descriptor of zeros.
    fn imports<H: ImageNtHeaders>(&self) -> Vec<Import> {
        let mut out = Vec::new();
        let mut left = MAX_FUNCTIONS;
        if let Some(mut at) = self.table_start(def::IMAGE_DIRECTORY_ENTRY_IMPORT) {
            while let Ok(d) = self.data.read_at::<def::ImageImportDescriptor>(at) {
                if d.is_null() || out.len() >= MAX_DLLS {
                    break;
                }
                // The names are in the first list, unless the linker left it out (old Borland ones).
                let names = match d.original_first_thunk.get(LE) {
                    0 => d.first_thunk.get(LE),
                    n => n,
                };
                out.extend(self.import::<H>(d.name.get(LE), names, false, &mut left));
                at += size_of::<def::ImageImportDescriptor>() as u64;
            }
        }
        if let Some(mut at) = self.table_start(def::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT) {
            while let Ok(d) = self.data.read_at::<def::ImageDelayloadDescriptor>(at) {
                if d.is_null() || out.len() >= MAX_DLLS {
                    break;
                }
                let names = d.import_name_table_rva.get(LE);
                out.extend(self.import::<H>(d.dll_name_rva.get(LE), names, true, &mut left));
                at += size_of::<def::ImageDelayloadDescriptor>() as u64;
            }
        }
        out
    }

    fn table_start(&self, directory: usize) -> Option<u64> {
        let entry = self.directories.get(directory)?;
        match entry.virtual_address.get(LE) {
            0 => None,
            address => self.offset(address),
        }
    }

    fn import<H: ImageNtHeaders>(
        &self,
        name: u32,
        thunks: u32,
        delayed: bool,
        left: &mut usize,
    ) -> Option<Import> {
        let dll = self.text(self.offset(name)?)?;
        let mut functions = Vec::new();
        let mut at = self.offset(thunks);
        while let Some(offset) = at
            && *left > 0
            && let Ok(thunk) = self.data.read_at::<H::ImageThunkData>(offset)
            && thunk.raw() != 0
        {
            *left -= 1;
            let function = if thunk.is_ordinal() {
                Some(format!("#{}", thunk.ordinal()))
            } else {
                // Two bytes of hint stand before the name.
                self.offset(thunk.address())
                    .and_then(|o| self.text(o.saturating_add(2)))
            };
            functions.extend(function);
            at = offset.checked_add(size_of::<H::ImageThunkData>() as u64);
        }
        Some(Import {
            dll,
            delayed,
            functions,
        })
    }

    /// The file name in a `CodeView` record: `RSDS`, a GUID, an age, the name.
    fn pdb(&self) -> Option<String> {
        let directory = self.directories.get(def::IMAGE_DIRECTORY_ENTRY_DEBUG)?;
        let start = self.offset(directory.virtual_address.get(LE))?;
        let size = size_of::<def::ImageDebugDirectory>();
        let count = (directory.size.get(LE) as usize / size).min(64);
        let entries = self
            .data
            .read_slice_at::<def::ImageDebugDirectory>(start, count)
            .ok()?;
        entries
            .iter()
            .filter(|e| e.typ.get(LE) == def::IMAGE_DEBUG_TYPE_CODEVIEW)
            .find_map(|e| {
                let at = u64::from(e.pointer_to_raw_data.get(LE));
                let magic = self.data.read_bytes_at(at, 4).ok()?;
                (magic == b"RSDS").then(|| self.text(at + 24))?
            })
    }

    fn is_rust(&self) -> bool {
        self.table
            .iter()
            .filter(|s| s.raw_name() == b".rdata" && s.pe_file_range().1 <= MAX_SEARCH)
            .filter_map(|s| s.pe_data(self.data).ok())
            .any(|bytes| bytes_contain(bytes, b"RUST_BACKTRACE"))
    }
}
