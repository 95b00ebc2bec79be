//! `zig ar`: archives that zig's own linker can read.

use std::ffi::OsString;

/// zig's linker takes a thin archive for a linker script ("unexpected token in LD script: '!<thin>'"); Meson makes
/// thin ones where the archiver offers it. `T` is taken out of the operation (binutils' ar(1), "T"), so that the
/// archive holds its members.
pub(super) fn whole(mut args: Vec<OsString>) -> Vec<OsString> {
    args.retain(|a| a != "--thin");
    if let Some(first) = args.first_mut()
        && let Some(operation) = first.to_str()
        // An operation, not `--version`, nor the file after it.
        && !operation.starts_with("--")
        && operation.contains('T')
        && operation.trim_start_matches('-').chars().all(|c| c.is_ascii_alphabetic())
    {
        *first = operation.replace('T', "").into();
    }
    args
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_operation_loses_its_t() {
        let run = |args: &[&str]| {
            let args = args.iter().map(Into::into).collect();
            super::whole(args).join(" ".as_ref()).into_string().unwrap()
        };
        assert_eq!(run(&["csrDT", "libT.a", "T.o"]), "csrD libT.a T.o");
        assert_eq!(run(&["-rcT", "--thin", "a.a"]), "-rc a.a");
        assert_eq!(run(&["cr", "a.a"]), "cr a.a");
        assert_eq!(run(&["--help"]), "--help");
    }
}
