//! The user's own command line, to be pasted with one flag more.

use std::ffi::OsString;

use xtool::source::without_credentials;

/// `xtool sync --locked --trust` for `xtool sync --locked` and `--trust`. What follows `--` is another program's, so the
/// flag goes before it. Addresses lose their credentials: the text may end up in a log.
pub fn with_flag(args: impl IntoIterator<Item = OsString>, flag: &str) -> String {
    let mut out = String::from("xtool");
    let mut flag = Some(flag);
    for arg in args {
        if arg == "--"
            && let Some(flag) = flag.take()
        {
            push(&mut out, flag);
        }
        push(&mut out, &without_credentials(&arg.to_string_lossy()));
    }
    if let Some(flag) = flag {
        push(&mut out, flag);
    }
    out
}

fn push(out: &mut String, arg: &str) {
    out.push(' ');
    out.push_str(&quoted(arg));
}

/// As the shell of this system takes it for one word.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,\\".contains(c);
    let plain_here = |c: char| plain(c) && (cfg!(windows) || c != '\\');
    if !arg.is_empty() && arg.chars().all(plain_here) {
        return arg.to_owned();
    }
    if cfg!(windows) {
        return format!("\"{arg}\"");
    }
    format!("'{}'", arg.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::with_flag;

    fn trusted(args: &[&str]) -> String {
        with_flag(args.iter().map(Into::into), "--trust")
    }

    #[test]
    fn the_flag_goes_before_what_another_program_gets() {
        assert_eq!(
            trusted(&["sync", "--locked"]),
            "xtool sync --locked --trust"
        );
        assert_eq!(
            trusted(&["exec", "t", "--", "make", "--", "x"]),
            "xtool exec t --trust -- make -- x"
        );
    }

    #[cfg(unix)]
    #[test]
    fn words_stay_words_and_passwords_stay_out() {
        assert_eq!(
            trusted(&["exec", "t", "--", "sh", "-c", "it's $X", ""]),
            r"xtool exec t --trust -- sh -c 'it'\''s $X' ''"
        );
        assert_eq!(
            trusted(&["sync", "--manifest", "https://me:s3cret@h.invalid/a"]),
            "xtool sync --manifest https://h.invalid/a --trust"
        );
    }
}
