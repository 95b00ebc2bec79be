//! Options of GCC's and clang's drivers mean with zig what they mean there: by what is compiled and linked.

use std::path::Path;
use std::process::Command;

use object::read::pe::{ImageOptionalHeader as _, PeFile64};
use object::{Object as _, ObjectSection as _};

use super::{Lab, fail, succeed};

const LINUX: &str = "x86_64-unknown-linux-musl";
const GLIBC: &str = "x86_64-unknown-linux-gnu";
const WINDOWS: &str = "x86_64-pc-windows-gnu";

const LOOP: &str = "void add(float *restrict a, const float *restrict b, int n) {
  for (int i = 0; i < n; i++) a[i] += b[i];
}
";

const HELLO: &str = "#include <stdio.h>
int main(void) { puts(\"hello\"); return 0; }
";

impl Lab {
    /// A shell command with the target's variables.
    fn sh(&self, triple: &str, script: &str) -> Command {
        self.xtool(self.dir.path(), &["exec", triple, "--", "sh", "-c", script])
    }

    fn add(&self, triple: &str, toolchain: &str) {
        let args = ["add", "--no-cargo", triple, "--toolchain", toolchain];
        succeed(&mut self.xtool(self.dir.path(), &args));
    }

    fn file(&self, name: &str, text: &str) {
        fs_err::write(self.dir.path().join(name), text).unwrap();
    }
}

/// The code of an object.
fn code(path: &Path) -> Vec<u8> {
    let bytes = fs_err::read(path).unwrap();
    let object = object::File::parse(&*bytes).unwrap();
    let text = object
        .sections()
        .filter(|s| s.kind() == object::SectionKind::Text);
    text.flat_map(|section| section.data().unwrap().to_vec())
        .collect()
}

#[test]
fn mtune_does_not_choose_the_instructions() {
    let lab = Lab::enter();
    lab.add(LINUX, "zig");
    lab.file("f.c", LOOP);
    let script = "$CC -O3 -c f.c -o plain.o && $CC -O3 -mtune=haswell -c f.c -o tuned.o \
                  && $CC -O3 -march=x86-64-v3 -mtune=generic -c f.c -o v3.o";
    succeed(&mut lab.sh(LINUX, script));
    let of = |name: &str| code(&lab.dir.path().join(name));
    assert!(!of("plain.o").is_empty());
    assert_eq!(of("plain.o"), of("tuned.o"));
    assert_ne!(of("plain.o"), of("v3.o"));
}

/// As libdeflate has them: functions that choose their instructions themselves, beside others that must not change.
#[test]
fn a_function_may_ask_for_wide_registers() {
    let lab = Lab::enter();
    lab.file("f.c", LOOP);
    let wide = "#include <immintrin.h>\n__attribute__((target(\"avx512f\"))) int wide(const void *p) {\n  \
                return _mm512_reduce_add_epi32(_mm512_loadu_si512(p));\n}\n";
    lab.file("w.c", wide);
    for triple in [LINUX, "i686-unknown-linux-musl"] {
        lab.add(triple, "zig");
        let script = "$CC -O3 -c w.c -o w.o && $CC -O3 -c f.c -o f.o && $CC -O3 -mno-evex512 -c f.c -o plain.o";
        succeed(&mut lab.sh(triple, script));
        let of = |name: &str| code(&lab.dir.path().join(name));
        assert!(!of("w.o").is_empty());
        assert_eq!(of("f.o"), of("plain.o"), "{triple}");
    }
}

/// What the macros of a compile say of its instructions.
#[test]
fn names_of_cpus_are_gccs() {
    let lab = Lab::enter();
    for (triple, cases) in [
        (
            LINUX,
            &[
                ("-march=x86-64-v3", "__AVX2__", true),
                ("-march=x86-64-v3 -mno-sse4.1", "__AVX__", false),
                ("-march=x86-64-v3 -mno-sse4.1", "__SSE4_1__", false),
                ("-march=skylake-avx512", "__AVX512F__", true),
                ("-march=znver4", "__AVX512F__", true),
                ("-march=corei7-avx", "__AVX__", true),
                ("-mcpu=haswell", "__AVX__", false),
                ("-mtune=skylake-avx512", "__AVX__", false),
                ("-msse4", "__SSE4_2__", true),
                ("-msse4.2", "__POPCNT__", true),
                ("-mavx2", "__XSAVE__", true),
                ("-mavx2 -mno-popcnt", "__POPCNT__", false),
                ("-mgeneral-regs-only", "__SSE__", false),
            ][..],
        ),
        (
            "aarch64-unknown-linux-musl",
            &[
                ("-mcpu=cortex-a53+crypto", "__ARM_FEATURE_CRYPTO", true),
                ("-mcpu=cortex-a53", "__ARM_FEATURE_CRC32", true),
                ("-mcpu=cortex-a72+nocrypto", "__ARM_FEATURE_AES", false),
                ("-mgeneral-regs-only", "__ARM_NEON", false),
                (
                    "-mcpu=cortex-a76 -march=armv8-a",
                    "__ARM_FEATURE_DOTPROD",
                    false,
                ),
                ("-march=armv8-a+crc", "__ARM_FEATURE_CRC32", true),
            ],
        ),
        (
            "armv7-unknown-linux-gnueabihf",
            &[
                ("-march=armv7-a", "__ARM_NEON", false),
                ("-mno-unaligned-access", "__ARM_FEATURE_UNALIGNED", false),
                ("-mcpu=cortex-a53+nocrypto", "__ARM_FEATURE_AES", false),
                ("-march=armv7-a+neon", "__ARM_NEON", true),
                ("-mcpu=cortex-a9 -mfpu=vfpv3-d16", "__ARM_NEON", false),
                ("-march=armv8-a+simd", "__ARM_NEON", true),
            ],
        ),
        (
            "riscv64gc-unknown-linux-gnu",
            &[
                ("-march=rv64gc_zba_zbb", "__riscv_zbb", true),
                ("-mcpu=sifive-u74", "__riscv_zbb", false),
                ("-march=rva22u64", "__riscv_zba", true),
            ],
        ),
        (
            "powerpc64le-unknown-linux-gnu",
            &[
                ("-mcpu=power9", "_ARCH_PWR9", true),
                ("-mtune=power9", "_ARCH_PWR9", false),
                ("-mno-vsx", "__VSX__", false),
            ],
        ),
        (
            "s390x-unknown-linux-gnu",
            &[
                ("-march=z14", "__VX__", true),
                ("-march=z14 -mno-vx", "__VX__", false),
                ("-march=arch12", "__VX__", true),
            ],
        ),
    ] {
        lab.add(triple, "zig");
        for (options, name, defined) in cases {
            let script = format!("$CC {options} -dM -E - </dev/null");
            let macros = succeed(&mut lab.sh(triple, &script));
            let found = macros
                .lines()
                .any(|line| line.split(' ').nth(1) == Some(name));
            assert_eq!(found, *defined, "{triple} {options} {name}");
        }
        let said = fail(
            &mut lab.sh(triple, "$CC -march=frob -c -x c /dev/null -o x.o"),
            1,
        );
        assert!(
            said.contains("`-march=frob`") && said.contains("help: "),
            "{said}"
        );
        assert!(said.lines().count() < 6, "{said}");
    }
}

#[test]
fn the_preprocessors_options_arrive() {
    let lab = Lab::enter();
    lab.add(LINUX, "zig");
    lab.file("a.c", "int value = VALUE;\n");
    let script = "$CC -Wp,-DVALUE=3,-MMD,x.d,-MT,it -c a.c -o a.o && cat x.d";
    assert!(succeed(&mut lab.sh(LINUX, script)).contains("it: a.c"));
}

#[test]
fn the_subsystem_stands_in_the_header() {
    let lab = Lab::enter();
    lab.file(
        "gui.c",
        "#include <windows.h>\nint WINAPI WinMain(HINSTANCE a, HINSTANCE b, LPSTR c, int d) { return 7; }\n",
    );
    lab.file(
        "wide.c",
        "#include <wchar.h>\n#ifndef UNICODE\n#error\n#endif\nint wmain(int c, wchar_t **v) { return c; }\n",
    );
    lab.file("hello.c", HELLO);
    for toolchain in ["zig", "mingw-w64"] {
        lab.add(WINDOWS, toolchain);
        for (options, source, subsystem, version) in [
            ("-mwindows", "gui.c", 2, None),
            ("", "hello.c", 3, None),
            ("-mwindows -mconsole", "hello.c", 3, None),
            ("-Wl,--subsystem,windows:6.1", "gui.c", 2, Some((6, 1))),
            (
                "-Wl,--major-subsystem-version,6 -Wl,--minor-subsystem-version,1",
                "hello.c",
                3,
                Some((6, 1)),
            ),
            ("-municode", "wide.c", 3, None),
        ] {
            let script = format!("$CC -Werror {options} {source} -o a.exe");
            succeed(&mut lab.sh(WINDOWS, &script));
            let bytes = fs_err::read(lab.dir.path().join("a.exe")).unwrap();
            let file = PeFile64::parse(&*bytes).unwrap();
            let header = &file.nt_headers().optional_header;
            assert_eq!(header.subsystem().0, subsystem, "{toolchain} {options}");
            let found = (
                header.major_subsystem_version(),
                header.minor_subsystem_version(),
            );
            assert!(
                version.is_none_or(|v| v == found),
                "{toolchain} {options}: {found:?}"
            );
        }
    }
}

#[test]
fn static_programs_are_static_or_an_error() {
    let lab = Lab::enter();
    lab.file("hello.c", HELLO);
    lab.add(LINUX, "zig");
    succeed(&mut lab.sh(LINUX, "$CC -static-pie hello.c -o hello"));
    let path = lab.dir.path().join("hello");
    let bytes = fs_err::read(&path).unwrap();
    let elf = object::File::parse(&*bytes).unwrap();
    assert_eq!(elf.kind(), object::ObjectKind::Dynamic, "a PIE");
    assert!(elf.section_by_name(".interp").is_none(), "static");
    if cfg!(target_arch = "x86_64") {
        assert_eq!(succeed(&mut Command::new(&path)), "hello\n");
    }

    lab.add(GLIBC, "zig");
    for option in ["-static", "-static-pie"] {
        let said = fail(&mut lab.sh(GLIBC, &format!("$CC {option} hello.c -o g")), 1);
        assert!(said.contains("help: ") && said.contains(LINUX), "{said}");
        assert!(!lab.dir.path().join("g").exists());
    }
}

#[test]
fn questions_are_answered_for_the_target() {
    let lab = Lab::enter();
    lab.file("a.c", "#include <stdio.h>\nint a;\n");
    lab.file("b.c", "#include \"b.h\"\nint b;\n");
    lab.file("b.h", "");
    lab.file("bad.c", "int a = b;\n");
    lab.add(GLIBC, "zig");
    let ask = |script: &str| succeed(&mut lab.sh(GLIBC, script));
    assert_eq!(ask("$CC -print-sysroot"), "\n");
    assert_eq!(ask("$CC -print-multiarch"), "x86_64-linux-gnu\n");
    assert_eq!(ask("$CC -print-file-name=libc.a"), "libc.a\n");
    assert_eq!(ask("$CC -dumpmachine"), "x86_64-unknown-linux-gnu\n");
    assert_eq!(ask("$CC -dumpfullversion"), ask("$CC -dumpversion"));
    assert!(ask("$CC -dM -E - </dev/null").contains("#define __x86_64__ 1"));
    assert!(ask("$CXX -dM -E - </dev/null").contains("#define __cplusplus "));
    assert_eq!(ask("$CC -MM a.c b.c"), "a.o: a.c\nb.o: b.c b.h\n");
    assert_eq!(ask("$CC -fsyntax-only -Wall a.c"), "");
    let said = fail(&mut lab.sh(GLIBC, "$CC -fsyntax-only bad.c"), 1);
    assert!(said.contains("undeclared identifier 'b'"), "{said}");
    for left in ["a.o", "bad.o", "a.out"] {
        assert!(!lab.dir.path().join(left).exists(), "{left}");
    }
}

/// As compilers write: into what is there, and an object for each source.
#[test]
fn outputs_that_are_no_files_are_written_to() {
    let lab = Lab::enter();
    lab.file("a.c", "int main(void) { return 0; }\n");
    lab.file("b.c", "int b;\n");
    lab.add(LINUX, "zig");
    let sh = |script: &str| succeed(&mut lab.sh(LINUX, script));
    for mode in ["-E", "-S", "-c", ""] {
        // A pipe stands for a device, which a test that runs as root must not put at risk.
        let script = format!(
            "rm -f pipe && mkfifo pipe && {{ timeout 60 cat pipe >got & }} && $CC {mode} a.c -o pipe && wait && test -p pipe && test -s got"
        );
        sh(&script);
    }
    assert!(sh("$CC -S a.c -o -").contains("main"));
    assert!(sh("$CC -S a.c -o- && $CC -E a.c -o -").contains("int main"));
    sh("$CC -c a.c b.c && test -s a.o && test -s b.o && $CC a.o b.o -o both && ./both");
    assert!(!lab.dir.path().join("-").exists());
}

/// libtool's way to a list of symbols, for objects of three formats and for archives.
#[test]
fn nm_lists_what_the_target_makes() {
    let lab = Lab::enter();
    lab.file(
        "a.c",
        "int data = 1; int zero; static int own(void) { return data; }\nint other(void);\nint code(void) { return own() + other() + zero; }\n",
    );
    for (triple, prefix) in [(LINUX, ""), (WINDOWS, ""), ("aarch64-apple-darwin", "_")] {
        lab.add(triple, "zig");
        let said = succeed(&mut lab.sh(
            triple,
            "$CC -c a.c -o a.o && $AR rcs liba.a a.o && $NM -B liba.a",
        ));
        for (letter, name) in [("D", "data"), ("T", "code"), ("U", "other"), ("t", "own")] {
            let end = format!(" {letter} {prefix}{name}");
            assert!(
                said.lines().any(|line| line.ends_with(&end)),
                "{triple} {end}: {said}"
            );
        }
        let posix = succeed(&mut lab.sh(triple, "$NM -gP a.o"));
        assert!(
            posix
                .lines()
                .any(|line| line.starts_with(&format!("{prefix}code T "))),
            "{posix}"
        );
        let said = fail(&mut lab.sh(triple, "$NM -p /dev/null"), 1);
        assert!(said.contains("/dev/null"), "{said}");
    }
}

/// As with a Makefile's one list of flags, or `pkg-config --libs` where it only compiles.
#[test]
fn a_compile_takes_no_notice_of_what_is_for_the_linker() {
    let lab = Lab::enter();
    lab.add(LINUX, "zig");
    lab.file("f.c", LOOP);
    for options in [
        "-lnowhere",
        "-l nowhere",
        "-rdynamic",
        "-Wl,--wrap=malloc -Xlinker --frob",
        "-T nowhere.ld",
        "-static-libgcc -Werror",
    ] {
        let script = format!("$CC -c f.c {options} -o f.o && $CC -Werror -S f.c {options} -o f.s");
        succeed(&mut lab.sh(LINUX, &script));
    }
}
