//! The dynamic table: what the loader is told.

use object::Endianness;
use object::elf as def;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::read::{Error, ReadRef, StringTable};

use super::lossy;

/// Entries that are read at most; linkers write a few dozen.
const MAX_ENTRIES: usize = 16_384;
/// The longest path list that is taken.
const MAX_PATHS: usize = 256;

/// What the table says.
#[derive(Debug, Default)]
pub struct Dynamic {
    /// `DT_NEEDED`
    pub needed: Vec<String>,
    /// `DT_SONAME`
    pub soname: Option<String>,
    /// `DT_RPATH`
    pub rpath: Vec<String>,
    /// `DT_RUNPATH`
    pub runpath: Vec<String>,
    /// `DF_1_PIE`
    pub pie_flag: bool,
    /// `DT_BIND_NOW`, `DF_BIND_NOW` or `DF_1_NOW`
    pub bind_now: bool,
    /// The string table's range in the file.
    pub strings: Option<(u64, u64)>,
    /// File offset of the first `Verneed`, and how many there are.
    pub verneed: Option<(u64, u64)>,
    /// File offset of the version of each symbol.
    pub versym: Option<u64>,
    /// File offset of the symbols.
    pub symbols: Option<u64>,
    /// File offset of the old hash table.
    pub hash: Option<u64>,
}

impl Dynamic {
    /// Empty if there is no table; an error if there is one that lies outside the file.
    pub fn read<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
        data: R,
        endian: Endianness,
        segments: &[H::ProgramHeader],
    ) -> Result<Self, Error> {
        let mut out = Self::default();
        let mut entries: &[H::Dyn] = &[];
        for segment in segments {
            if let Some(found) = segment.dynamic(endian, data)? {
                entries = found;
                break;
            }
        }
        let entries: Vec<(i64, u64)> = entries
            .iter()
            .take(MAX_ENTRIES)
            .map(|d| (d.tag(endian).0, d.val(endian)))
            .take_while(|(tag, _)| *tag != def::DT_NULL.0)
            .collect();
        let value =
            |tag: def::DynamicTag| entries.iter().find(|(t, _)| *t == tag.0).map(|(_, v)| *v);
        let offset = |tag| value(tag).and_then(|a| file_offset::<H>(endian, segments, a));

        let len = data.len().unwrap_or(0);
        out.strings = offset(def::DT_STRTAB).map(|start| {
            let size = value(def::DT_STRSZ).unwrap_or(0);
            (start, start.saturating_add(size).min(len))
        });
        out.verneed = offset(def::DT_VERNEED).zip(value(def::DT_VERNEEDNUM));
        out.versym = offset(def::DT_VERSYM);
        out.symbols = offset(def::DT_SYMTAB);
        out.hash = offset(def::DT_HASH);
        let flags = value(def::DT_FLAGS).unwrap_or(0);
        let flags_1 = value(def::DT_FLAGS_1).unwrap_or(0);
        out.pie_flag = flags_1 & def::DF_1_PIE.0 != 0;
        out.bind_now = value(def::DT_BIND_NOW).is_some()
            || flags & def::DF_BIND_NOW.0 != 0
            || flags_1 & def::DF_1_NOW.0 != 0;

        let strings = out.string_table(data);
        let text = |v: u64| Some(lossy(strings.get(u32::try_from(v).ok()?).ok()?));
        let paths = |v: u64| -> Vec<String> {
            let list = text(v).unwrap_or_default();
            list.split(':')
                .filter(|p| !p.is_empty())
                .take(MAX_PATHS)
                .map(str::to_owned)
                .collect()
        };
        for (tag, v) in &entries {
            match def::DynamicTag(*tag) {
                def::DT_NEEDED => out.needed.extend(text(*v).filter(|n| !n.is_empty())),
                def::DT_SONAME => out.soname = text(*v),
                def::DT_RPATH => out.rpath = paths(*v),
                def::DT_RUNPATH => out.runpath = paths(*v),
                _ => {}
            }
        }
        Ok(out)
    }

    /// The strings that names are offsets into.
    pub fn string_table<'d, R: ReadRef<'d>>(&self, data: R) -> StringTable<'d, R> {
        let (start, end) = self.strings.unwrap_or((0, 0));
        StringTable::new(data, start, end)
    }
}

/// Where in the file an address is loaded from.
fn file_offset<H: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    segments: &[H::ProgramHeader],
    address: u64,
) -> Option<u64> {
    segments
        .iter()
        .filter(|s| s.p_type(endian) == def::PT_LOAD)
        .find_map(|s| {
            let into = address.checked_sub(s.p_vaddr(endian).into())?;
            let (offset, size) = s.file_range(endian);
            (into < size).then(|| offset.checked_add(into))?
        })
}
