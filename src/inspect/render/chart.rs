//! Bars of section sizes.

use crate::inspect::size::{human, percent};

/// Columns of the longest bar.
const BAR: usize = 34;
/// Columns of a name.
const NAME: usize = 24;

/// One line a section; the bars are shares of the largest.
pub fn lines(sections: &[(String, u64)], whole: u64) -> Vec<String> {
    let most = sections.iter().map(|(_, n)| *n).max().unwrap_or(0);
    sections
        .iter()
        .map(|(name, bytes)| {
            format!(
                "  {:<NAME$}{:>9} {:>6}  {}",
                short(name),
                human(*bytes),
                percent(*bytes, whole),
                bar(*bytes, most)
            )
        })
        .collect()
}

/// Eighths of a column make small ones visible.
fn bar(bytes: u64, most: u64) -> String {
    const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (u128::from(bytes) * BAR as u128 * 8).div_ceil(u128::from(most.max(1)));
    let eighths = usize::try_from(eighths).unwrap_or(BAR * 8).min(BAR * 8);
    let mut out = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        out.push(PARTS[eighths % 8]);
    }
    out
}

fn short(name: &str) -> String {
    if name.chars().count() < NAME {
        return name.to_owned();
    }
    let start: String = name.chars().take(NAME - 2).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_shares() {
        assert_eq!(bar(100, 100).chars().count(), BAR);
        assert_eq!(bar(50, 100).chars().count(), BAR / 2);
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(0, 0), "");
        let long = lines(&[("x".repeat(200), u64::MAX), ("y".into(), 0)], 1);
        assert!(long.iter().all(|l| l.chars().count() <= 100), "{long:?}");
    }
}
