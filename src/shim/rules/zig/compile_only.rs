//! What is for the linker, where a driver only compiles. GCC takes no notice of it and clang warns, as in
//! `cc -c a.c $(pkg-config --cflags --libs foo)` or a Makefile's one list of flags. zig looks for the libraries, refuses
//! options that its linker does not have, and links the object with others (`-rdynamic`: "-r and --export-dynamic may
//! not be used together"; seen with 0.15.2).

use std::ffi::OsString;

use super::takes_value;

/// The arguments without the linker's, if nothing is linked.
pub(super) fn without_linkers(args: Vec<OsString>) -> Vec<OsString> {
    let mut compiles = false;
    let mut is_value = false;
    for arg in &args {
        let text = arg.to_str().unwrap_or_default();
        if !std::mem::replace(&mut is_value, has_value(text)) {
            compiles |= matches!(text, "-c" | "-S");
        }
    }
    if !compiles {
        return args;
    }
    let mut out = Vec::with_capacity(args.len());
    let mut rest = args.into_iter();
    while let Some(arg) = rest.next() {
        let text = arg.to_str().unwrap_or_default();
        let value = has_value(text).then(|| rest.next()).flatten();
        if !is_linkers(text) {
            out.push(arg);
            out.extend(value);
        }
    }
    out
}

/// Whether an option is for the linker alone.
fn is_linkers(text: &str) -> bool {
    PAIRS.contains(&text)
        || matches!(text, "-rdynamic" | "-static-libgcc" | "-static-libstdc++")
        || text.starts_with("-l")
        || text.starts_with("-Wl,")
}

fn has_value(text: &str) -> bool {
    takes_value(text) || PAIRS.contains(&text)
}

/// Options of the linker whose value is an argument of its own.
const PAIRS: [&str; 10] = [
    "-l",
    "-T",
    "-Xlinker",
    "-u",
    "-e",
    "-z",
    "-framework",
    "-weak_framework",
    "-undefined",
    "-install_name",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn left(args: &str) -> String {
        let args = args.split(' ').map(Into::into).collect();
        let args = without_linkers(args);
        args.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn a_compile_has_nothing_for_the_linker() {
        for (given, kept) in [
            ("-c a.c -lfoo -l bar -L/l", "-c a.c -L/l"),
            ("-rdynamic -Wl,--wrap=x -S a.c", "-S a.c"),
            ("-Xlinker --wrap=x -T a.ld -u main -c a.c", "-c a.c"),
            ("-framework Foo -c a.m -F /f", "-c a.m -F /f"),
            ("-z now -static-libgcc -c a.c -o -lfoo", "-c a.c -o -lfoo"),
            (
                "-c a.c -static -shared -I -lx",
                "-c a.c -static -shared -I -lx",
            ),
        ] {
            assert_eq!(left(given), kept, "{given}");
        }
    }

    #[test]
    fn what_links_keeps_it() {
        for args in ["a.c -lfoo -Wl,-E", "-o -c a.o -lfoo", "-I -S a.o -rdynamic"] {
            assert_eq!(left(args), args);
        }
    }
}
