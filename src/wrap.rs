//! Text in lines of a given width, in characters.

/// Lines of at most `width`, broken at spaces; a longer word stands alone and stays whole.
pub fn words(text: &str, width: usize) -> Vec<String> {
    let words = text.split(' ').filter(|w| !w.is_empty());
    lines(words.map(|word| vec![word]), width)
}

/// The same with several spaces in a row kept, where no line ends there; and a word that is longer than a line is broken behind the separators of a path. A part that is still
/// longer stays whole.
pub fn paths(text: &str, width: usize) -> Vec<String> {
    let parts = |word| {
        if columns(word) <= width {
            return vec![word];
        }
        word.split_inclusive(std::path::is_separator).collect()
    };
    lines(text.split(' ').map(parts), width)
}

/// Words are joined by a space, and one more for each empty one between them; the parts of one word by nothing.
fn lines<'a>(words: impl Iterator<Item = Vec<&'a str>>, width: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut spaces = 1;
    for word in words {
        if word == [""] {
            spaces += 1;
        }
        for (i, part) in word.into_iter().filter(|p| !p.is_empty()).enumerate() {
            let gap = " ".repeat(if i == 0 { spaces } else { 0 });
            spaces = 1;
            match out.last_mut() {
                Some(line) if columns(line).saturating_add(gap.len() + columns(part)) <= width => {
                    line.push_str(&gap);
                    line.push_str(part);
                }
                _ => out.push(part.to_owned()),
            }
        }
    }
    if out.is_empty() {
        out.push(String::new());
    }
    out
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_words() {
        assert_eq!(words("a bc d", 4), ["a bc", "d"]);
        assert_eq!(words("longer than", 3), ["longer", "than"]);
        assert_eq!(words("", 3), [""]);
        assert_eq!(words("/a/long/path x", 4), ["/a/long/path", "x"]);
    }

    #[test]
    fn long_paths_break_behind_separators() {
        assert_eq!(paths("/a/b x", 10), ["/a/b x"]);
        assert_eq!(paths("do it   (now)", 80), ["do it   (now)"]);
        assert_eq!(paths("do it   (now)", 9), ["do it", "(now)"]);
        assert_eq!(
            paths("see /home/user/xtool now", 12),
            ["see /home/", "user/xtool", "now"]
        );
        assert_eq!(paths("/one-long-name/b", 4), ["/", "one-long-name/", "b"]);
    }
}
