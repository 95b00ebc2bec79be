//! Sections that the linker removed though a program looks for their borders.

use crate::manifest::Family;
use crate::shim::Spec;

/// lld: `the encapsulation symbol needs to be retained under --gc-sections properly; consider -z nostart-stop-gc`. Seen
/// with the linkme crate, whose slices are such sections. zig's driver takes no such `-z`.
pub(super) fn removed(spec: &Spec, line: &str) -> Option<String> {
    (spec.family == Family::Zig && line.contains("consider -z nostart-stop-gc")).then(|| {
        "zig's linker removes sections that are only known by `__start_` and `__stop_` symbols (linkme's are such) and \
         takes no `-z nostart-stop-gc`: keep all sections with -Wl,--no-gc-sections (for rustc: \
         -Clink-arg=-Wl,--no-gc-sections in the target's rustflags)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::super::explain;
    use super::*;

    #[test]
    fn an_option_that_zig_takes_is_named() {
        let line = ">>> the encapsulation symbol needs to be retained under --gc-sections properly; consider -z \
                    nostart-stop-gc (see https://lld.llvm.org/ELF/start-stop-gc)";
        let of = |family| {
            let triple = "x86_64-unknown-linux-musl".parse().unwrap();
            explain(&Spec::new(triple, family, "/t".into()), None, line)
        };
        assert!(of(Family::Zig).unwrap().contains("-Wl,--no-gc-sections"));
        assert_eq!(of(Family::Gcc), None);
    }
}
