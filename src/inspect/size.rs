//! What takes the space, and what would make it less. Nothing is rebuilt: what stripping saves is counted in this
//! very file; the rest are settings to try.

use serde::Serialize;

use super::facts::{Details, Facts, Section, SectionKind};

/// What would make the file smaller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Advice {
    /// Bytes that stripping takes away, counted in this file.
    pub strip_saves: u64,
    /// Bytes of tables that unwinding needs: what `panic = "abort"` saves at most.
    pub unwind_tables: u64,
    /// Settings for `[profile.release]`, if the file is Rust's.
    pub profile: Vec<Setting>,
}

/// One line of a Cargo profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Setting {
    /// `strip = true`
    pub line: String,
    /// What it does to this file.
    pub effect: String,
    /// Whether the effect was counted, not guessed.
    pub measured: bool,
}

/// Below this many bytes a saving is not worth a word.
const WORTH: u64 = 1000;

/// What to try.
pub fn advice(facts: &Facts) -> Advice {
    let unwind_tables = unwind_tables(facts);
    let mut profile = Vec::new();
    if facts.rust {
        let mut add = |line: &str, effect: String, measured| {
            profile.push(Setting {
                line: line.to_owned(),
                effect,
                measured,
            });
        };
        if facts.strippable >= WORTH {
            let saves = format!(
                "saves {} ({})",
                human(facts.strippable),
                percent(facts.strippable, facts.size)
            );
            add("strip = true", saves, true);
        }
        add(
            "opt-level = \"z\"",
            "smaller code, or \"s\" if \"z\" is too slow".into(),
            false,
        );
        add("lto = true", "drops what no crate uses".into(), false);
        add(
            "codegen-units = 1",
            "lets LTO see a crate as a whole".into(),
            false,
        );
        if unwind_tables >= WORTH {
            let most = format!(
                "no unwinding: tables for it take {} ({})",
                human(unwind_tables),
                percent(unwind_tables, facts.size)
            );
            add("panic = \"abort\"", most, false);
        }
    }
    Advice {
        strip_saves: facts.strippable,
        unwind_tables,
        profile,
    }
}

fn unwind_tables(facts: &Facts) -> u64 {
    let names: &[&str] = match facts.details {
        Details::Elf(_) => &[
            ".eh_frame",
            ".eh_frame_hdr",
            ".gcc_except_table",
            ".ARM.extab",
            ".ARM.exidx",
        ],
        Details::Pe(_) => &[".pdata", ".xdata", ".eh_frame"],
        Details::MachO(_) => &[
            "__TEXT,__unwind_info",
            "__TEXT,__eh_frame",
            "__TEXT,__gcc_except_tab",
        ],
    };
    facts
        .sections
        .iter()
        .filter(|s| names.contains(&s.name.as_str()))
        .fold(0, |sum, s| sum.saturating_add(s.file_size))
}

/// The largest sections in the file, then the rest as one; none without bytes.
pub fn largest(sections: &[Section], most: usize) -> Vec<(String, u64)> {
    let mut all: Vec<_> = sections
        .iter()
        .filter(|s| s.file_size > 0 && s.kind != SectionKind::Zero)
        .map(|s| (s.name.clone(), s.file_size))
        .collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if all.len() > most {
        let rest = all.split_off(most - 1);
        let bytes = rest
            .iter()
            .fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
        all.push((format!("{} more", rest.len()), bytes));
    }
    all
}

/// Bytes for people: `1.5 kB`.
pub fn human(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let (mut whole, mut rest) = (n, 0);
    while whole >= 1000 && unit + 1 < UNITS.len() {
        rest = whole % 1000 / 100;
        whole /= 1000;
        unit += 1;
    }
    if unit == 0 || whole >= 100 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{rest} {}", UNITS[unit])
    }
}

/// A share for people: `12 %`.
pub fn percent(part: u64, whole: u64) -> String {
    let share = u128::from(part) * 100 / u128::from(whole.max(1));
    if share == 0 && part > 0 {
        "< 1 %".to_owned()
    } else {
        format!("{share} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_summed() {
        let section = |name: &str, file_size| Section {
            name: name.into(),
            kind: SectionKind::Code,
            size: file_size,
            file_size,
        };
        let all: Vec<_> = (1..=5).map(|n| section(&n.to_string(), n)).collect();
        let shown = largest(&all, 3);
        assert_eq!(
            shown,
            [
                ("5".to_owned(), 5),
                ("4".to_owned(), 4),
                ("3 more".to_owned(), 6)
            ]
        );
        assert_eq!(largest(&all, 5).len(), 5);
        assert_eq!(
            (percent(1, 1000), percent(0, 0), percent(7, 10)),
            ("< 1 %".into(), "0 %".into(), "70 %".into())
        );
        assert_eq!(
            (human(999), human(1500), human(93_508_126)),
            ("999 B".into(), "1.5 kB".into(), "93.5 MB".into())
        );
    }
}
