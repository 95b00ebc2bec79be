//! RISC-V's `-march`: an ISA string, as changes of zig's features.

use super::Change;

/// What `rv64gcv_zbc` adds: `v`, `zbc`. The string is the unprivileged ISA's ("ISA Extension Naming Conventions"):
/// single letters, then names with `_` between, each with a version or none; or a profile (`rva22u64`) and names.
/// `None` for another word.
pub(super) fn march(march: &str) -> Option<Vec<Change>> {
    let march = march.to_ascii_lowercase();
    let mut parts = march.split('_');
    let first = parts.next().unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    if let Some(isa) = first
        .strip_prefix("rv64")
        .or_else(|| first.strip_prefix("rv32"))
    {
        let letters = without_versions(isa);
        // `rv64gczbc`, too, may end in one name that no `_` is before.
        let (letters, name) =
            letters.split_at(letters.find(['z', 's', 'x']).unwrap_or(letters.len()));
        for letter in letters.chars() {
            match letter {
                'g' => names.extend(["m", "a", "f", "d"].map(String::from)),
                'i' | 'e' => {}
                other => names.push(other.to_string()),
            }
        }
        names.push(name.to_owned());
    } else if is_profile(first) {
        names.push(first.to_owned());
    } else {
        return None;
    }
    names.extend(parts.map(|part| without_version(part).to_owned()));
    names.retain(|name| !name.is_empty());
    Some(names.iter().map(|name| Change::add(name)).collect())
}

/// `rva22u64`: family, year, mode, width ("RISC-V Profiles").
fn is_profile(name: &str) -> bool {
    let years = name
        .strip_prefix("rva")
        .or_else(|| name.strip_prefix("rvb"))
        .or_else(|| name.strip_prefix("rvi"));
    years.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// `i2p1m2p0` → `im`: each letter's `<major>p<minor>` goes; a `p` that follows no digit is an extension.
fn without_versions(letters: &str) -> String {
    // A name among them keeps its digits: `rv64gcv_zve32x` has `_` before it.
    let mut out = String::new();
    let mut in_version = false;
    for c in letters.chars() {
        let is_point = c == 'p' && in_version;
        in_version = c.is_ascii_digit() || is_point;
        if !in_version {
            out.push(c);
        }
    }
    out
}

/// `zbc1p0` → `zbc`. A name may hold digits (`zve32x`) but end in none without a version, bar `zvl128b`'s like.
fn without_version(name: &str) -> &str {
    let Some((before, minor)) = name.rsplit_once('p') else {
        return name;
    };
    let name_only = before.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_version = !minor.is_empty()
        && minor.bytes().all(|b| b.is_ascii_digit())
        && name_only.len() < before.len();
    if is_version { name_only } else { name }
}

#[cfg(test)]
mod tests {
    use super::super::spelled;
    use super::*;

    #[test]
    fn extensions_in_zigs_words() {
        for (text, words) in [
            ("rv64gc", "+m+a+f+d+c"),
            ("rv64imac", "+m+a+c"),
            ("rv64gc_zbc", "+m+a+f+d+c+zbc"),
            ("rv64gcv_zba1p0_zvl128b", "+m+a+f+d+c+v+zba+zvl128b"),
            ("rv64i2p1_m2p0", "+m"),
            ("rv64i2p1m2p0v1p0_zve32x1p0", "+m+v+zve32x"),
            ("rva22u64", "+rva22u64"),
            ("rva22u64_v", "+rva22u64+v"),
        ] {
            assert_eq!(spelled(&march(text).unwrap()), words, "{text}");
        }
        assert_eq!(march("sifive-u74"), None);
    }
}
