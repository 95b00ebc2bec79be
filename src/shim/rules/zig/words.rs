//! Leaves out words of the linker's, for rules that come before the linker's own (`linker.rs`).

use std::ffi::OsString;
use std::iter::Peekable;
use std::vec::IntoIter;

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
    fn a_word_goes_in_every_dress_and_alone() {
        let run = |args: &str| {
            let args = args.split(' ').map(Into::into).collect();
            let out = super::retain(args, |word| word != "-bad").join(" ".as_ref());
            out.into_string().unwrap()
        };
        for (given, left) in [
            ("a.o -Wl,-bad b.o", "a.o b.o"),
            ("-Wl,-x,-bad,-y b.o", "-Wl,-x,-y b.o"),
            ("a.o -Xlinker -bad b.o", "a.o b.o"),
            ("-Xlinker -x -Wl,-x,-y -o a", "-Xlinker -x -Wl,-x,-y -o a"),
            ("-Xlinker", "-Xlinker"),
        ] {
            assert_eq!(run(given), left, "{given}");
        }
    }
}
