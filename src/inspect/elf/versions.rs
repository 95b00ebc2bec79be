//! Symbol versions: what is asked of which library, and by which symbols.

use object::Endianness;
use object::elf as def;
use object::read::ReadRef;
use object::read::elf::{FileHeader, SectionHeader as _, SectionTable, Sym as _};

use super::dynamic::Dynamic;
use super::lossy;
use crate::inspect::facts::{Highest, Needs, VersionNeed};
use crate::inspect::version::Version;

/// Versions that are read at most; glibc has some forty.
const MAX_VERSIONS: usize = 8192;
/// Names kept for each.
const SYMBOLS: usize = 5;

/// Every version that the dynamic table asks for, in the file's order; empty where the table leads nowhere.
pub fn needed<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    _segments: &[H::ProgramHeader],
    dynamic: &Dynamic,
    table: &SectionTable<'d, H, R>,
) -> Vec<VersionNeed> {
    let Some((mut at, count)) = dynamic.verneed else {
        return Vec::new();
    };
    let strings = dynamic.string_table(data);
    let text = |offset: u32| strings.get(offset).map(lossy).unwrap_or_default();
    let mut needs = Vec::new();
    let mut index_of = std::collections::HashMap::new();
    // `count` is what the file says; the walk ends at MAX_VERSIONS whatever it says.
    let mut steps = 0;
    'libraries: for _ in 0..count.min(MAX_VERSIONS as u64) {
        let Ok(need) = data.read_at::<def::Verneed<Endianness>>(at) else {
            break;
        };
        let library = text(need.vn_file.get(endian));
        let mut aux_at = at.saturating_add(need.vn_aux.get(endian).into());
        for _ in 0..need.vn_cnt.get(endian) {
            steps += 1;
            if steps > MAX_VERSIONS {
                break 'libraries;
            }
            let Ok(aux) = data.read_at::<def::Vernaux<Endianness>>(aux_at) else {
                break;
            };
            index_of.insert(aux.vna_other(endian).index().0, needs.len());
            needs.push(VersionNeed {
                library: library.clone(),
                name: text(aux.vna_name.get(endian)),
                weak: aux.vna_flags.get(endian).contains(def::VER_FLG_WEAK),
                symbol_count: 0,
                symbols: Vec::new(),
            });
            match u64::from(aux.vna_next.get(endian)) {
                0 => break,
                next => aux_at = aux_at.saturating_add(next),
            }
        }
        match u64::from(need.vn_next.get(endian)) {
            0 => break,
            next => at = at.saturating_add(next),
        }
    }
    count_symbols::<H, R>(data, endian, dynamic, table, &index_of, &mut needs);
    needs
}

fn count_symbols<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    dynamic: &Dynamic,
    table: &SectionTable<'d, H, R>,
    index_of: &std::collections::HashMap<u16, usize>,
    needs: &mut [VersionNeed],
) {
    let (Some(versym), Some(symbols)) = (dynamic.versym, dynamic.symbols) else {
        return;
    };
    let strings = dynamic.string_table(data);
    let count = symbol_count::<H, R>(data, endian, dynamic, table);
    let (Ok(versions), Ok(symbols)) = (
        data.read_slice_at::<def::Versym<Endianness>>(versym, count),
        data.read_slice_at::<H::Sym>(symbols, count),
    ) else {
        return;
    };
    for (version, symbol) in versions.iter().zip(symbols) {
        let index = version.0.get(endian).index().0;
        let Some(need) = index_of.get(&index).and_then(|i| needs.get_mut(*i)) else {
            continue;
        };
        need.symbol_count += 1;
        if need.symbols.len() < SYMBOLS
            && let Ok(name) = symbol.name(endian, strings)
        {
            need.symbols.push(lossy(name));
        }
    }
}

/// How many dynamic symbols there are: no entry of the dynamic table says it. The section does; without sections the
/// old hash table does; without that, linkers put the strings right behind the symbols.
fn symbol_count<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    endian: Endianness,
    dynamic: &Dynamic,
    table: &SectionTable<'d, H, R>,
) -> usize {
    let size = size_of::<H::Sym>() as u64;
    let most = data.len().unwrap_or(0) / size;
    let from_section = table
        .iter()
        .find(|s| s.sh_type(endian) == def::SHT_DYNSYM)
        .map(|s| s.sh_size(endian).into() / size);
    let from_hash = || {
        let header = data
            .read_at::<def::HashHeader<Endianness>>(dynamic.hash?)
            .ok()?;
        Some(u64::from(header.chain_count.get(endian)))
    };
    let from_strings = || {
        let (start, _) = dynamic.strings?;
        Some(start.checked_sub(dynamic.symbols?)? / size)
    };
    let count = from_section
        .or_else(from_hash)
        .or_else(from_strings)
        .unwrap_or(0);
    usize::try_from(count.min(most)).unwrap_or(0)
}

/// The highest of each family.
pub fn highest(needs: &[VersionNeed]) -> Highest {
    Highest {
        glibc: highest_of(needs, "GLIBC_"),
        glibcxx: highest_of(needs, "GLIBCXX_"),
        cxxabi: highest_of(needs, "CXXABI_"),
        gcc: highest_of(needs, "GCC_"),
    }
}

fn highest_of(needs: &[VersionNeed], prefix: &str) -> Option<Needs> {
    let version = |need: &VersionNeed| -> Option<Version> {
        let rest = need.name.strip_prefix(prefix)?;
        // Not a release but a feature: packed relative relocations came with glibc 2.36 (its NEWS).
        if prefix == "GLIBC_" && rest == "ABI_DT_RELR" {
            return Some(Version::new(2, 36));
        }
        rest.parse().ok()
    };
    let highest = needs.iter().filter(|n| !n.weak).filter_map(version).max()?;
    let mut symbols: Vec<String> = needs
        .iter()
        .filter(|n| !n.weak && version(n) == Some(highest))
        .flat_map(|n| n.symbols.iter().cloned())
        .collect();
    symbols.truncate(SYMBOLS);
    Some(Needs {
        version: highest,
        symbols,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(name: &str, symbol: &str, weak: bool) -> VersionNeed {
        VersionNeed {
            library: "libc.so.6".into(),
            name: name.into(),
            weak,
            symbol_count: 1,
            symbols: vec![symbol.into()],
        }
    }

    #[test]
    fn the_highest_is_by_number_and_not_weak() {
        let needs = [
            need("GLIBC_2.4", "a", false),
            need("GLIBC_2.17", "b", false),
            need("GLIBC_2.38", "c", true),
            need("GLIBC_PRIVATE", "d", false),
            need("GLIBCXX_3.4.9", "e", false),
            need("GLIBCXX_3.4.29", "f", false),
        ];
        let highest = highest(&needs);
        assert_eq!(
            highest.glibc,
            Some(Needs {
                version: Version::new(2, 17),
                symbols: vec!["b".into()]
            })
        );
        assert_eq!(highest.glibcxx.unwrap().version, Version::new3(3, 4, 29));
        assert_eq!(highest.gcc, None);
    }

    #[test]
    fn packed_relocations_are_glibc_2_36() {
        let needs = [
            need("GLIBC_ABI_DT_RELR", "", false),
            need("GLIBC_2.34", "x", false),
        ];
        assert_eq!(highest(&needs).glibc.unwrap().version, Version::new(2, 36));
    }
}
