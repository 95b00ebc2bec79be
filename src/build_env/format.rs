//! Variables as the shells and services read them. Pure; each quotes by its own rules.

use std::fmt::Write as _;

/// Lines for a POSIX shell's `eval`. In single quotes everything but the quote itself is text (POSIX.1-2024, Shell
/// Command Language, 2.2.2).
pub fn sh(variables: &[(String, String)]) -> String {
    lines(variables, |name, value| {
        format!("export {name}='{}'", value.replace('\'', r"'\''"))
    })
}

/// Lines for fish's `source`. In its single quotes `\\` and `\'` are the only escapes (fish's documentation, "Quotes").
pub fn fish(variables: &[(String, String)]) -> String {
    lines(variables, |name, value| {
        let value = value.replace('\\', r"\\").replace('\'', r"\'");
        format!("set -gx {name} '{value}'")
    })
}

/// Lines for PowerShell's `Invoke-Expression`. In a verbatim string a quote is doubled, and the typographic single
/// quotes count as quotes too (PowerShell Language Specification 3.0, 2.3.5.2).
pub fn powershell(variables: &[(String, String)]) -> String {
    lines(variables, |name, value| {
        let mut quoted = String::new();
        for c in value.chars() {
            if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
                quoted.push(c);
            }
            quoted.push(c);
        }
        format!("$env:{name} = '{quoted}'")
    })
}

/// Lines for the file that GitHub Actions names in `GITHUB_ENV` (Workflow commands, "Setting an environment
/// variable"): values are taken as they stand; one with line ends goes between delimiters that it does not hold.
pub fn github(variables: &[(String, String)]) -> String {
    lines(variables, |name, value| {
        if !value.contains(['\n', '\r']) {
            return format!("{name}={value}");
        }
        let mut delimiter = "END".to_owned();
        while value.contains(&delimiter) {
            delimiter.push('_');
        }
        format!("{name}<<{delimiter}\n{value}\n{delimiter}")
    })
}

fn lines(variables: &[(String, String)], line: impl Fn(&str, &str) -> String) -> String {
    variables
        .iter()
        .fold(String::new(), |mut out, (name, value)| {
            let _ = writeln!(out, "{}", line(name, value));
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(render: fn(&[(String, String)]) -> String, value: &str) -> String {
        render(&[("CC".to_owned(), value.to_owned())])
    }

    #[test]
    fn quotes_spaces_and_dollars_stay_text() {
        let value = r"it's $HOME\a b";
        assert_eq!(one(sh, value), "export CC='it'\\''s $HOME\\a b'\n");
        assert_eq!(one(fish, value), "set -gx CC 'it\\'s $HOME\\\\a b'\n");
        assert_eq!(one(powershell, value), "$env:CC = 'it''s $HOME\\a b'\n");
        assert_eq!(one(github, value), "CC=it's $HOME\\a b\n");
        assert_eq!(one(powershell, "‘"), "$env:CC = '‘‘'\n");
    }

    #[test]
    fn a_line_end_cannot_set_another_variable() {
        assert_eq!(one(github, "a\nPATH=/x"), "CC<<END\na\nPATH=/x\nEND\n");
        assert_eq!(one(github, "a\nEND\nb"), "CC<<END_\na\nEND\nb\nEND_\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_real_shell_reads_it_back() {
        let value = "a'b\"c $HOME `id` \\ \n*;é";
        let script = format!("{}printf %s \"$CC\"", one(sh, value));
        let out = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), value);
    }
}
