//! Lists of exported symbols, which zig's Mach-O linker takes from 0.16 on and before ends at: "unsupported linker arg".
//!
//! They are left out: a library then exports every global symbol, not only those that were listed. That is wider than
//! asked for, but nothing is missing.

use std::ffi::OsString;
use std::iter::Peekable;
use std::vec::IntoIter;

/// ld's options whose value is the next argument (Apple's manual page, ld(1), "Options when creating a dynamic
/// library").
const WITH_VALUE: [&str; 5] = [
    "-exported_symbols_list",
    "-exported_symbol",
    "-unexported_symbols_list",
    "-unexported_symbol",
    "--dynamic-list",
];

/// The arguments without them. What stands beside them stays.
pub(super) fn without_lists(args: Vec<OsString>) -> Vec<OsString> {
    // The option is gone and its value is still to come.
    let mut in_next = false;
    retain(args, |word| {
        if std::mem::take(&mut in_next) {
            return false;
        }
        in_next = WITH_VALUE.contains(&word);
        !in_next && !word.starts_with("--dynamic-list=")
    })
}

/// The arguments without the linker's words that are not kept, in each of a driver's dresses for what the linker gets:
/// `-Wl,OPTION,FILE`, alone or among others, `-Wl,OPTION -Wl,FILE`, and `-Xlinker OPTION -Xlinker FILE`.
pub(super) fn retain(args: Vec<OsString>, mut keep: impl FnMut(&str) -> bool) -> Vec<OsString> {
    let mut out = Vec::with_capacity(args.len());
    let mut rest = args.into_iter().peekable();
    while let Some(arg) = rest.next() {
        match words(&arg, &mut rest) {
            None => out.push(arg),
            Some((dress, words)) => {
                let before = words.len();
                let kept: Vec<String> = words.into_iter().filter(|word| keep(word)).collect();
                match dress {
                    Dress::Commas if kept.len() == before => out.push(arg),
                    Dress::Commas if kept.is_empty() => {}
                    Dress::Commas => out.push(format!("-Wl,{}", kept.join(",")).into()),
                    Dress::Xlinker => {
                        for word in kept {
                            out.extend([arg.clone(), word.into()]);
                        }
                    }
                }
            }
        }
    }
    out
}

#[derive(Clone, Copy)]
enum Dress {
    Commas,
    Xlinker,
}

/// What the linker gets of an argument, and of the one after it. `None` when it is not the linker's.
fn words(arg: &OsString, rest: &mut Peekable<IntoIter<OsString>>) -> Option<(Dress, Vec<String>)> {
    let text = arg.to_str()?;
    if let Some(words) = text.strip_prefix("-Wl,") {
        let words = words.split(',').map(str::to_owned).collect();
        return Some((Dress::Commas, words));
    }
    if text != "-Xlinker" {
        return None;
    }
    let word = rest.peek()?.to_str()?.to_owned();
    rest.next();
    Some((Dress::Xlinker, vec![word]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_list_goes_in_every_dress_and_alone() {
        let run = |args: &str| {
            let args = args.split(' ').map(Into::into).collect();
            let out = super::without_lists(args).join(" ".as_ref());
            out.into_string().unwrap()
        };
        let list = "-exported_symbols_list";
        for (given, left) in [
            (format!("a.o -Wl,{list},F b.o"), "a.o b.o"),
            (format!("-Wl,{list} -Wl,F b.o"), "b.o"),
            (
                format!("-Wl,-dead_strip,{list},F b.o"),
                "-Wl,-dead_strip b.o",
            ),
            (format!("-Wl,{list},F,-dead_strip"), "-Wl,-dead_strip"),
            (
                format!("-Wl,-dead_strip,{list} -Wl,F,-x b.o"),
                "-Wl,-dead_strip -Wl,-x b.o",
            ),
            (format!("a.o -Xlinker {list} -Xlinker F b.o"), "a.o b.o"),
            (format!("-Xlinker {list} -Wl,F,-x"), "-Wl,-x"),
            (
                "-Wl,-unexported_symbol,_a -Wl,-exported_symbol,_b c.o".to_owned(),
                "c.o",
            ),
            ("-Wl,--dynamic-list=F,-x".to_owned(), "-Wl,-x"),
            (
                "-Xlinker -dead_strip -Wl,-x,-y -o a".to_owned(),
                "-Xlinker -dead_strip -Wl,-x,-y -o a",
            ),
            ("-Xlinker".to_owned(), "-Xlinker"),
        ] {
            assert_eq!(run(&given), left, "{given}");
        }
    }
}
