//! zig for WASI. rustc takes a linker of whatever name for `wasm-ld` there, and speaks to it as to one
//! (`rustc_target/src/spec/base/wasm.rs`: `LinkerFlavor::WasmLld(Cc::No)`); zig's driver brings libc and start-up
//! objects and wants its own dress.

use std::ffi::OsString;

/// Options of `wasm-ld` whose value is the next argument, and that are the driver's too.
const SHARED: [&str; 3] = ["-o", "-L", "-l"];
/// Those that only the linker knows.
const WITH_VALUE: [&str; 4] = ["--export", "--entry", "-z", "-m"];

/// What rustc says to `wasm-ld`, said to a driver; anything else as it is.
pub(super) fn from_wasm_ld(args: Vec<OsString>) -> Vec<OsString> {
    let is_flavor = |pair: &[OsString]| pair[0] == "-flavor" && pair[1] == "wasm";
    if !args.windows(2).any(is_flavor) {
        return args;
    }
    let mut out = Vec::with_capacity(args.len() + 1);
    let mut rest = args.into_iter();
    while let Some(arg) = rest.next() {
        let Some(text) = arg.to_str() else {
            out.push(arg);
            continue;
        };
        match text {
            "-flavor" => drop(rest.next()),
            // The linker's own optimisation, names in messages, and zig's layout, which its driver does not let change.
            "--no-demangle" | "--stack-first" | "-O0" | "-O1" | "-O2" | "-O3" => {}
            "--allow-undefined" => out.push("-Wl,--import-symbols".into()),
            "-l" => {
                let mut joined = OsString::from("-l");
                joined.extend(rest.next());
                out.push(joined);
            }
            _ if SHARED.contains(&text) => {
                out.push(arg);
                out.extend(rest.next());
            }
            _ if WITH_VALUE.contains(&text) => {
                let join = if text.starts_with("--") { "=" } else { "," };
                let mut joined = OsString::from(format!("-Wl,{text}{join}"));
                joined.extend(rest.next());
                out.push(joined);
            }
            _ if text.ends_with("crt1-reactor.o") => {
                out.push(arg);
                out.push("-mexec-model=reactor".into());
            }
            _ if text.starts_with("--") => out.push(format!("-Wl,{text}").into()),
            _ => out.push(arg),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> String {
        let out = from_wasm_ld(args.iter().map(Into::into).collect());
        out.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn what_rustc_says_to_wasm_ld() {
        let args = "-flavor wasm --export __main_void -z stack-size=1048576 --stack-first --allow-undefined \
                    --no-demangle crt1-command.o a.o -l c -L /d -o a.wasm --gc-sections -O0 --strip-debug";
        assert_eq!(
            run(&args.split_whitespace().collect::<Vec<_>>()),
            "-Wl,--export=__main_void -Wl,-z,stack-size=1048576 -Wl,--import-symbols \
             crt1-command.o a.o -lc -L /d -o a.wasm -Wl,--gc-sections -Wl,--strip-debug"
        );
    }

    #[test]
    fn a_library_is_a_reactor() {
        assert!(run(&["-flavor", "wasm", "crt1-reactor.o"]).ends_with("-mexec-model=reactor"));
    }

    #[test]
    fn a_drivers_arguments_stay() {
        assert_eq!(run(&["-c", "a.c", "-O2"]), "-c a.c -O2");
    }
}
