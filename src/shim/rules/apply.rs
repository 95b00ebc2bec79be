//! How rules are written and applied: one function from an argument (and the one after it) to an [`Action`].

use std::ffi::OsString;

/// What becomes of one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::shim) enum Action {
    /// It stays.
    Keep,
    /// It goes.
    Drop,
    /// It and the one after it go.
    DropWithNext,
    /// Others take its place.
    Replace(Vec<String>),
    /// Others take the place of it and the one after it.
    ReplaceWithNext(Vec<String>),
}

impl Action {
    /// One other argument takes its place.
    pub(in crate::shim) fn replace(with: impl Into<String>) -> Self {
        Self::Replace(vec![with.into()])
    }

    /// This action, or what `other` says when this one is to keep.
    pub(in crate::shim) fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Keep { other() } else { self }
    }
}

/// An argument as the rules see it. Only Unicode ones are shown to them; others stay.
#[derive(Debug, Clone, Copy)]
pub(in crate::shim) struct Arg<'a> {
    /// The argument.
    pub text: &'a str,
    /// The one after it.
    pub next: Option<&'a str>,
}

impl<'a> Arg<'a> {
    /// The file name of a path argument; `None` for an option.
    pub(in crate::shim) fn file_name(self) -> Option<&'a str> {
        if self.text.starts_with('-') {
            return None;
        }
        self.text.rsplit(['/', '\\']).next()
    }

    /// The value of an option that has it joined (`-target=X`) or after it (`-target X`): the value, and whether it
    /// is the next argument.
    pub(in crate::shim) fn value_of(self, option: &str) -> Option<(&'a str, bool)> {
        let rest = self.text.strip_prefix(option)?;
        if rest.is_empty() {
            return self.next.map(|next| (next, true));
        }
        rest.strip_prefix('=').map(|value| (value, false))
    }
}

/// Options whose value is the next argument, which therefore is no argument of its own: `-o crt1.o` is an output.
pub(in crate::shim) fn takes_value(text: &str) -> bool {
    matches!(
        text,
        "-o" | "-x"
            | "-MF"
            | "-MT"
            | "-MQ"
            | "-MJ"
            | "-I"
            | "-D"
            | "-U"
            | "-L"
            | "-F"
            | "-B"
            | "-T"
            | "-isystem"
            | "-iquote"
            | "-idirafter"
            | "-iframework"
            | "-isysroot"
            | "-include"
            | "-imacros"
            | "-framework"
            | "-weak_framework"
            | "-arch"
            | "-install_name"
            | "-current_version"
            | "-compatibility_version"
            | "-mllvm"
            | "-Xclang"
            | "-Xassembler"
            | "-Xpreprocessor"
            | "-Xlinker"
            | "--param"
    )
}

/// Applies a rule to every argument. Values of options are not shown to it.
pub(in crate::shim) fn apply(
    args: Vec<OsString>,
    rule: impl Fn(Arg<'_>) -> Action,
) -> Vec<OsString> {
    let mut out = Vec::with_capacity(args.len() + 8);
    let mut rest = args.into_iter().peekable();
    while let Some(arg) = rest.next() {
        let next = rest.peek().and_then(|n| n.to_str());
        let Some(text) = arg.to_str() else {
            out.push(arg);
            continue;
        };
        match rule(Arg { text, next }) {
            Action::Keep => {
                let pair = takes_value(text);
                out.push(arg);
                if pair {
                    out.extend(rest.next());
                }
            }
            Action::Drop => {}
            Action::DropWithNext => drop(rest.next()),
            Action::Replace(with) => out.extend(with.into_iter().map(OsString::from)),
            Action::ReplaceWithNext(with) => {
                rest.next();
                out.extend(with.into_iter().map(OsString::from));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(arg: Arg<'_>) -> Action {
        match arg.text {
            "x.o" => Action::Drop,
            "-pair" => Action::DropWithNext,
            "-one" => Action::Replace(vec!["-a".into(), "-b".into()]),
            "-u" => Action::ReplaceWithNext(vec![format!("-Wl,-u,{}", arg.next.unwrap_or("?"))]),
            _ => Action::Keep,
        }
    }

    fn run(args: &[&str]) -> Vec<OsString> {
        apply(args.iter().map(Into::into).collect(), rule)
    }

    #[test]
    fn every_action_does_what_it_says() {
        assert_eq!(run(&["k", "x.o", "-pair", "v", "-one"]), ["k", "-a", "-b"]);
        assert_eq!(run(&["-u", "sym", "z"]), ["-Wl,-u,sym", "z"]);
        assert_eq!(run(&["-pair"]), Vec::<OsString>::new());
    }

    #[test]
    fn values_of_options_are_left_alone() {
        assert_eq!(run(&["-o", "x.o", "x.o"]), ["-o", "x.o"]);
        assert_eq!(run(&["-o"]), ["-o"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_unicode_stays() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = OsString::from_vec(vec![b'a', 0xFF]);
        assert_eq!(apply(vec![odd.clone()], |_| Action::Drop), [odd]);
    }
}
