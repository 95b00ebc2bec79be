//! Linker options through zig's driver, in real links; what is for Linux or Windows runs.

use std::path::{Path, PathBuf};
use std::process::Output;

use super::{Lab, said, succeed};

const LINUX: &str = "x86_64-unknown-linux-gnu";
const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MAC: &str = "aarch64-apple-darwin";

/// Sources and objects of one target.
struct Bench<'a> {
    lab: &'a Lab,
    target: &'static str,
    folder: PathBuf,
}

impl<'a> Bench<'a> {
    fn new(lab: &'a Lab, target: &'static str, toolchain: &str, sources: &[(&str, &str)]) -> Self {
        let folder = lab.dir.path().join(format!("{target}-{toolchain}"));
        fs_err::create_dir_all(&folder).unwrap();
        succeed(&mut lab.xtool(
            &folder,
            &["add", "--no-cargo", target, "--toolchain", toolchain],
        ));
        for (name, text) in sources {
            fs_err::write(folder.join(name), text).unwrap();
        }
        Self {
            lab,
            target,
            folder,
        }
    }

    /// Runs a shell with the target's tools.
    fn sh(&self, script: &str) -> Output {
        let mut command = self.lab.xtool(
            &self.folder,
            &["exec", self.target, "--", "sh", "-e", "-c", script],
        );
        command.output().unwrap()
    }

    /// What a script that must succeed prints.
    #[track_caller]
    fn prints(&self, script: &str) -> String {
        let output = self.sh(script);
        assert!(output.status.success(), "{script}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).replace('\r', "")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// An archive of which no member is referenced: each adds to a number when the program starts.
const REGISTERED: [(&str, &str); 3] = [
    (
        "one.c",
        "extern int sum; __attribute__((constructor)) static void add(void) { sum += 1; }\n",
    ),
    (
        "ten.c",
        "extern int sum; __attribute__((constructor)) static void add(void) { sum += 10; }\n",
    ),
    (
        "main.c",
        "#include <stdio.h>\nint sum;\nint main(void) { printf(\"%d\\n\", sum); return 0; }\n",
    ),
];
const ARCHIVE: &str =
    "for f in one ten main; do $CC -c $f.c -o $f.o; done; $AR rcs libreg-1.a one.o ten.o";

/// Each way to ask for it whole. `$PWD/libreg-1.a` is how rustc names it.
const WHOLE: [&str; 7] = [
    "-Wl,--whole-archive $PWD/libreg-1.a -Wl,--no-whole-archive",
    "-Wl,--whole-archive,$PWD/libreg-1.a,--no-whole-archive",
    "-Wl,--whole-archive -Wl,libreg-1.a -Wl,--no-whole-archive",
    "-Xlinker --whole-archive -Xlinker libreg-1.a -Xlinker --no-whole-archive",
    "-Wl,--push-state,--whole-archive libreg-1.a -Wl,--pop-state",
    "-L. -Wl,--whole-archive,-lreg-1,--no-whole-archive",
    "-Wl,--whole-archive -l:libreg-1.a -Wl,--no-whole-archive -L.",
];

#[test]
fn an_archive_is_taken_whole_in_every_dress() {
    let lab = Lab::enter();
    for (target, run) in [
        (LINUX, "./p"),
        (
            WINDOWS,
            "eval \"$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER ./p.exe\"",
        ),
    ] {
        if target == LINUX && !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            continue;
        }
        let bench = Bench::new(&lab, target, "zig", &REGISTERED);
        bench.prints(ARCHIVE);
        let out = if target == LINUX { "p" } else { "p.exe" };
        for whole in WHOLE {
            let text = bench.prints(&format!("$CC main.o {whole} -o {out} && {run}"));
            assert_eq!(text.trim(), "11", "{target} {whole}");
        }
        let part = bench.prints(&format!("$CC main.o libreg-1.a -o {out} && {run}"));
        assert_eq!(part.trim(), "0", "{target}");
    }
}

#[test]
fn apples_ways_to_take_an_archive_whole() {
    let lab = Lab::enter();
    let bench = Bench::new(&lab, MAC, "zig", &REGISTERED);
    bench.prints(ARCHIVE);
    let adds = |how: &str| {
        bench.prints(&format!("$CC main.o {how} -o p"));
        let text = fs_err::read(bench.path("p")).unwrap();
        text.windows(5).filter(|name| name == b"_add\0").count()
    };
    assert_eq!(adds("libreg-1.a"), 0);
    for whole in [
        "-Wl,-force_load,libreg-1.a",
        "-Wl,-force_load libreg-1.a",
        "-force_load libreg-1.a",
        "-L. -lreg-1 -Wl,-all_load",
        "-all_load libreg-1.a",
    ] {
        assert_ne!(adds(whole), 0, "{whole}");
    }
}

/// The flavour of Mach-O file, and whether it has a name of its own.
fn kind(path: &Path) -> (u32, bool) {
    let bytes = fs_err::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut at = 32;
    let mut named = false;
    for _ in 0..word(16) {
        named |= word(at) == 0xD;
        at += usize::try_from(word(at + 4)).unwrap();
    }
    (word(12), named)
}

#[test]
fn a_bundle_is_a_bundle() {
    let lab = Lab::enter();
    let sources = [
        (
            "plug.c",
            "int host(int);\nint plug(void) { return host(1); }\n",
        ),
        ("plain.c", "int plain(void) { return 1; }\n"),
    ];
    for target in [MAC, "x86_64-apple-darwin"] {
        let bench = Bench::new(&lab, target, "zig", &sources);
        for how in [
            "-bundle plain.c",
            "-Wl,-bundle plain.c",
            "-bundle -undefined dynamic_lookup plug.c",
            "-bundle -flat_namespace -undefined suppress plug.c",
            "-bundle -bundle_loader p plug.c",
        ] {
            bench.prints(&format!("$CC {how} -o b.so"));
            assert_eq!(kind(&bench.path("b.so")), (8, false), "{target} {how}");
        }
        bench.prints("$CC -dynamiclib -compatibility_version 1.0 plain.c -o l.dylib");
        assert_eq!(kind(&bench.path("l.dylib")), (6, true));
    }
}

/// What distributions, libtool and build systems pass without a thought.
#[test]
fn idle_options_do_no_harm() {
    let lab = Lab::enter();
    let bench = Bench::new(&lab, LINUX, "zig", &REGISTERED);
    bench.prints("$CC -c main.c -o main.o");
    bench.prints(
        "$CC main.o -o p -Wl,-rpath-link,/x -Wl,-z,relro,-z,now,-z,pack-relative-relocs -Wl,-O1 -Wl,--no-demangle \
         -Wl,-Bsymbolic-functions -Wl,--undefined=main -Wl,--fatal-warnings -Wl,--color-diagnostics=never \
         -Wl,-m,elf_x86_64 -Xlinker --hash-style=gnu -Wl,-rpath -Wl,/opt/x -Wl,--icf=none",
    );
    let bytes = fs_err::read(bench.path("p")).unwrap();
    assert!(
        bytes.windows(6).any(|text| text == b"/opt/x"),
        "no run-time path"
    );
}

#[test]
fn what_zig_does_not_take_is_named_with_the_way_on() {
    let lab = Lab::enter();
    let bench = Bench::new(&lab, LINUX, "zig", &REGISTERED);
    bench.prints("$CC -fPIC -c main.c -o main.o");
    for (option, name) in [
        ("-Wl,-Map,p.map", "`-Map`"),
        ("-shared -Wl,--dynamic-list=x", "`--dynamic-list`"),
        ("-Xlinker --defsym=a=main", "`--defsym"),
        ("-Wl,-z,execstack", "`-z execstack`"),
        ("-Wl,--quite-new=1", "`--quite-new`"),
    ] {
        let output = bench.sh(&format!("$CC main.o {option} -o p"));
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{option}: {text}");
        let help = text.lines().last().unwrap_or_default();
        assert!(
            help.starts_with("help: zig's linker does not take"),
            "{option}: {text}"
        );
        assert!(help.contains(name), "{option}: {text}");
    }
    let text = said(&bench.sh("$CC main.o -L/none -l:libvv-1.2.a -o p"));
    assert!(
        text.contains("Cannot find `libvv-1.2.a`") && text.contains("/none"),
        "{text}"
    );
}

/// zig's limit is told where it is met, and is no other toolchain's.
#[test]
fn a_cxx_librarys_exceptions_stay_inside_it_with_zig() {
    let lab = Lab::enter();
    let sources = [
        (
            "lib.cc",
            "#include <stdexcept>\nvoid thrower() { throw std::runtime_error(\"thrown\"); }\n\
             int inside() { try { thrower(); } catch (const std::exception &) { return 7; } return 0; }\n",
        ),
        (
            "main.cc",
            "#include <stdexcept>\n#include <cstdio>\nvoid thrower(); int inside();\nint main() {\n  \
             std::printf(\"%d\\n\", inside());\n  std::fflush(stdout);\n  \
             try { thrower(); } catch (const std::exception &e) { std::puts(e.what()); }\n}\n",
        ),
    ];
    let build = "$CXX -fPIC -shared lib.cc -o libl.so && $CXX main.cc -L. -ll -Wl,-rpath,$PWD -o p";
    let target = "aarch64-unknown-linux-gnu";
    let run = |bench: &Bench<'_>| {
        let cargo_runner = "eval \"$CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER ./p\"";
        let output = bench.sh(cargo_runner);
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let zig = Bench::new(&lab, target, "zig", &sources);
    let text = said(&zig.sh(build));
    assert_eq!(
        text.matches("note: C++ exceptions that leave").count(),
        1,
        "{text}"
    );
    let quiet = said(&zig.sh("$CXX -w -fPIC -shared lib.cc -o libl.so"));
    assert!(!quiet.contains("note: "), "{quiet}");
    assert_eq!(run(&zig), (false, "7\n".to_owned()));
    let shown = succeed(&mut lab.xtool(&zig.folder, &["show", target]));
    assert!(
        shown.contains("C++ exceptions that leave a shared library"),
        "{shown}"
    );

    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert!(
            text.contains("xtool add aarch64-unknown-linux-gnu --toolchain gnu-cross"),
            "{text}"
        );
        let gnu = Bench::new(&lab, target, "gnu-cross", &sources);
        let text = said(&gnu.sh(build));
        assert!(!text.contains("note: "), "{text}");
        assert_eq!(run(&gnu), (true, "7\nthrown\n".to_owned()));
    }
}

/// A table that only its borders name, as test frameworks and tracers have.
const TABLE: [(&str, &str); 2] = [
    (
        "main.c",
        "#include <stdio.h>\nextern int *__start_table[] __attribute__((weak)), *__stop_table[] __attribute__((weak));\n\
         int main(void) { int sum = 0; for (int **at = __start_table; at < __stop_table; at++) sum += **at; \
         printf(\"%d\\n\", sum); }\n",
    ),
    (
        "entry.c",
        "static int value = 7;\n__attribute__((used, section(\"table\"))) static int *entry = &value;\n",
    ),
];

/// Without it the program linked, and its table was empty.
#[test]
fn a_table_that_only_its_borders_name_stays_as_with_gnu_ld() {
    let lab = Lab::enter();
    let musl = "x86_64-unknown-linux-musl";
    let bench = Bench::new(&lab, musl, "zig", &TABLE);
    bench.prints("$CC -O2 -c main.c entry.c");
    for options in ["-O2", "-Wl,--gc-sections,-z,nostart-stop-gc", ""] {
        let ran = bench.prints(&format!("$CC {options} main.o entry.o -o main && ./main"));
        assert_eq!(ran, "7\n", "{options}");
    }
}
