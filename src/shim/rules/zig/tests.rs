//! One test a rule.

use super::*;
use crate::manifest::Family;
use crate::shim::Sdk;
use crate::shim::rules::Recipe;

pub(super) fn spec_of(triple: &str, target: &str, version: &str) -> Spec {
    let mut spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/z".into());
    spec.zig = Some(Zig {
        exe: "/z/zig".into(),
        target: target.into(),
        cpu: None,
        version: version.into(),
        cache_dir: "/c".into(),
    });
    spec
}

pub(super) fn run(spec: &Spec, tool: Tool, args: &[&str]) -> Vec<String> {
    let zig = spec.zig.as_ref().unwrap();
    let args = args.iter().map(Into::into).collect();
    rewrite(
        spec,
        zig,
        Path::new("/v"),
        tool,
        args,
        &Environment::default(),
    )
    .unwrap()
    .args
    .into_iter()
    .map(|a| a.into_string().unwrap())
    .filter(|a| !a.starts_with("/c/xtool/libatomic-"))
    .collect()
}

/// Why arguments are not passed on.
pub(super) fn refused(triple: &str, args: &[&str]) -> ShimError {
    let spec = spec_of(triple, "TARGET", "0.15.2");
    let args = args.iter().map(Into::into).collect();
    let env = Environment::default();
    let zig = spec.zig.as_ref().unwrap();
    rewrite(&spec, zig, Path::new("/v"), Tool::Cc, args, &env).unwrap_err()
}

/// What becomes of `args` when linking for a triple, without the fixed arguments.
pub(super) fn link(triple: &str, args: &[&str]) -> String {
    link_with(triple, "0.15.2", args)
}

/// The same for compiling only.
pub(super) fn compile(triple: &str, args: &[&str]) -> String {
    let spec = spec_of(triple, "TARGET", "0.15.2");
    let input: Vec<&str> = ["-c", "in.c"]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    let out = run(&spec, Tool::Cc, &input);
    let at = out.iter().position(|a| a == "in.c").unwrap();
    out[at + 1..].join(" ")
}

/// The same with libatomic, which all others leave out, and how that is made.
pub(super) fn link_whole(triple: &str, args: &[&str]) -> (Vec<String>, Option<Recipe>) {
    let spec = spec_of(triple, "TARGET", "0.15.2");
    let input = std::iter::once("in.o").chain(args.iter().copied());
    let out = rewrite(
        &spec,
        spec.zig.as_ref().unwrap(),
        Path::new("/v"),
        Tool::Cc,
        input.map(Into::into).collect(),
        &Environment::default(),
    )
    .unwrap();
    let args = out.args.into_iter().map(|a| a.into_string().unwrap());
    (args.collect(), out.recipe)
}

pub(super) fn link_with(triple: &str, version: &str, args: &[&str]) -> String {
    let spec = spec_of(triple, "TARGET", version);
    let input: Vec<&str> = std::iter::once("in.o")
        .chain(args.iter().copied())
        .collect();
    let out = run(&spec, Tool::Cc, &input);
    let at = out.iter().position(|a| a == "in.o").unwrap();
    out[at + 1..].join(" ")
}

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const I686: &str = "i686-pc-windows-gnu";
const MUSL: &str = "x86_64-unknown-linux-musl";
const GLIBC: &str = "x86_64-unknown-linux-gnu";
const APPLE: &str = "aarch64-apple-darwin";

#[test]
fn the_fixed_arguments_come_first() {
    let spec = spec_of(GLIBC, "x86_64-linux-gnu.2.17", "0.15.2");
    assert_eq!(
        run(&spec, Tool::Cc, &["a.o"]),
        [
            "cc",
            "-g",
            "-fno-sanitize=all",
            "-target",
            "x86_64-linux-gnu.2.17",
            "a.o"
        ]
    );
    // `-g` only keeps zig from stripping: compiling takes the caller's word.
    assert_eq!(
        run(&spec, Tool::Cxx, &["-c", "a.cc"]),
        [
            "c++",
            "-fno-sanitize=all",
            "-mevex512",
            "-target",
            "x86_64-linux-gnu.2.17",
            "-c",
            "a.cc"
        ]
    );
}

#[test]
fn the_cpu_is_the_manifests_or_the_triples() {
    let mut spec = spec_of(
        "armv7-unknown-linux-gnueabihf",
        "arm-linux-gnueabihf",
        "0.15.2",
    );
    let cpu = |spec: &Spec| run(spec, Tool::Cc, &["a.o"])[5].clone();
    assert_eq!(cpu(&spec), "-mcpu=generic+v7a+vfp3-d32+thumb2-neon");
    spec.zig.as_mut().unwrap().cpu = Some("cortex_a9".into());
    assert_eq!(cpu(&spec), "-mcpu=cortex_a9");

    let default = |t: &str| default_cpu(&t.parse().unwrap());
    assert_eq!(
        default("arm-unknown-linux-gnueabi"),
        Some("generic+v6+strict_align")
    );
    assert_eq!(
        default("arm-unknown-linux-musleabihf"),
        Some("generic+v6+strict_align+vfp2-d32")
    );
    assert_eq!(
        default("armv5te-unknown-linux-gnueabi"),
        Some("generic+soft_float+strict_align")
    );
    assert_eq!(default("i586-unknown-linux-gnu"), Some("pentium"));
    assert_eq!(default(I686), Some("pentium4"));
    assert_eq!(
        default("riscv64gc-unknown-linux-gnu"),
        Some("generic_rv64+m+a+f+d+c")
    );
    assert_eq!(default(GLIBC), None);
}

#[test]
fn the_cache_is_the_stores() {
    let spec = spec_of(GLIBC, "x86_64-linux-gnu", "0.15.2");
    for tool in [Tool::Cc, Tool::Ar] {
        let out = rewrite(
            &spec,
            spec.zig.as_ref().unwrap(),
            Path::new("/v"),
            tool,
            Vec::new(),
            &Environment::default(),
        )
        .unwrap();
        let set = |name: &str| out.env.iter().any(|(n, v)| n == name && v == "/c");
        assert!(set("ZIG_GLOBAL_CACHE_DIR") && set("ZIG_LOCAL_CACHE_DIR"));
    }
}

#[test]
fn tools_are_subcommands() {
    let spec = spec_of(WINDOWS, "x86_64-windows-gnu", "0.15.2");
    assert_eq!(run(&spec, Tool::Ar, &["cq", "a.a"]), ["ar", "cq", "a.a"]);
    assert_eq!(run(&spec, Tool::Ranlib, &["a.a"]), ["ranlib", "a.a"]);
}

#[test]
fn dlltool_is_llvms() {
    let spec = spec_of(WINDOWS, "x86_64-windows-gnu", "0.15.2");
    // As rustc calls it (`rustc_codegen_ssa/src/back/archive.rs`).
    let args = "-d k.def -D k.dll -l k.lib -m i386:x86-64 -f --64 --no-leading-underscore --temp-prefix /t/k.dll";
    let args: Vec<&str> = args.split(' ').collect();
    assert_eq!(
        run(&spec, Tool::Dlltool, &args).join(" "),
        "dlltool -d k.def -D k.dll -l k.lib -m i386:x86-64 --no-leading-underscore"
    );
}

#[test]
fn another_target_goes() {
    for args in [
        &["-target", "arm64-apple-macosx"][..],
        &["--target=x86_64-linux"],
        &["-target=x"],
        &["--target", "x"],
    ] {
        assert_eq!(link(GLIBC, args), "", "{args:?}");
    }
}

#[test]
fn libgccs_unwinder_is_libunwind() {
    assert_eq!(link(GLIBC, &["-lgcc_s"]), "-lunwind");
    assert_eq!(link(WINDOWS, &["-lgcc_s"]), "-lunwind");
    assert_eq!(link(GLIBC, &["-lgcc_eh", "-lgcc", "-latomic"]), "-lunwind");
}

#[test]
fn preprocessor_options_are_the_drivers() {
    let args = ["-Wp,-DVALUE=3", "-Wp,-MMD,y.d", "-Wp,-U_FORTIFY_SOURCE"];
    let expected = "-DVALUE=3 -MMD -MF y.d -U_FORTIFY_SOURCE";
    assert_eq!(compile(GLIBC, &args), expected);
}

#[test]
fn entry_points_and_symbols_are_linker_options() {
    assert_eq!(link(GLIBC, &["-e_start"]), "-Wl,--entry=_start");
    assert_eq!(link(GLIBC, &["-e", "main"]), "-Wl,--entry=main");
    assert_eq!(
        link(
            GLIBC,
            &["-exported_symbol", "-export-dynamic", "-emit-llvm"]
        ),
        "-exported_symbol -export-dynamic -emit-llvm"
    );
    assert_eq!(
        link(GLIBC, &["-u", "sym", "-uother"]),
        "-Wl,-u,sym -Wl,-u,other"
    );
    for kept in [
        "-undef",
        "-undefined",
        "-unexported_symbols_list",
        "-umbrella",
    ] {
        assert_eq!(link(MUSL, &[kept, "x"]), format!("{kept} x"));
    }
}

#[test]
fn other_linkers_are_not_zigs() {
    assert_eq!(
        link(
            GLIBC,
            &[
                "-B/r/lib/rustlib/x/bin/gcc-ld",
                "-fuse-ld=lld",
                "-B",
                "/r/gcc-ld",
                "-B/mine"
            ]
        ),
        "-B/mine"
    );
    assert_eq!(link(WINDOWS, &["-fno-use-linker-plugin", "-Wl,-O1"]), "");
}

#[test]
fn gccs_words_for_lto_are_clangs() {
    for how in ["-flto=auto", "-flto=jobserver", "-flto=4", "-flto"] {
        assert_eq!(compile(GLIBC, &[how]), "-flto", "{how}");
        assert_eq!(link(GLIBC, &[how]), "-flto", "{how}");
    }
    assert_eq!(compile(GLIBC, &["-flto=thin"]), "-flto=thin");
}

#[test]
fn what_only_gnu_ld_knows_goes_except_on_windows() {
    let args = [
        "-Wl,--no-undefined-version",
        "-Wl,-znostart-stop-gc",
        "-Wl,--fix-cortex-a53-843419",
        "-Wl,-plugin-opt=O3",
    ];
    for triple in [MUSL, GLIBC, APPLE, "wasm32-wasip1"] {
        assert!(!link(triple, &args).contains("-Wl,"), "{triple}");
    }
    assert_eq!(link(WINDOWS, &args[..1]), args[0]);
    assert_eq!(
        link(GLIBC, &["-Wl,-z,relro,--no-undefined-version"]),
        "-Wl,-z,relro"
    );
}

#[test]
fn musl_is_zigs_with_its_start_up_objects() {
    let self_contained = "/r/lib/rustlib/x86_64-unknown-linux-musl/lib/self-contained/rcrt1.o";
    assert_eq!(
        link(
            MUSL,
            &[
                self_contained,
                "-nostartfiles",
                "-lc",
                "-Wl,-melf_i386",
                "-lfoo"
            ]
        ),
        "-lfoo"
    );
    // `-Zbuild-std`: the same objects, which nothing installed.
    assert_eq!(
        link(
            MUSL,
            &[
                "crt1.o",
                "Scrt1.o",
                "rcrt1.o",
                "crti.o",
                "crtbegin.o",
                "crtbeginS.o",
                "crtend.o",
                "crtendS.o",
                "crtn.o"
            ]
        ),
        ""
    );
    // The user's own stay, and so does an output of that name.
    assert_eq!(
        link(MUSL, &["/mine/crt1.o", "-o", "crt1.o"]),
        "/mine/crt1.o -o crt1.o"
    );
    assert_eq!(link(GLIBC, &["-lc"]), "-lc");
}

#[test]
fn compiling_keeps_what_looks_like_a_link() {
    let spec = spec_of(MUSL, "x86_64-linux-musl", "0.15.2");
    let out = run(&spec, Tool::Cc, &["-c", "crt1.c", "-o", "crt1.o"]);
    assert!(out.ends_with(&["-c".into(), "crt1.c".into(), "-o".into(), "crt1.o".into()]));
}

#[test]
fn a_link_of_objects_needs_no_cpu() {
    assert_eq!(
        link(
            "armv7-unknown-linux-gnueabihf",
            &["-march=armv7-a", "/d/libcompiler_builtins-1.rlib", "-lm"]
        ),
        "-lm"
    );
    assert_eq!(link(GLIBC, &["-march=nonsense", "-mtune=generic"]), "");
}

#[test]
fn mips32_may_have_text_relocations() {
    assert_eq!(link("mipsel-unknown-linux-gnu", &[]), "-Wl,-z,notext");
    assert_eq!(link("mips64-unknown-linux-gnuabi64", &[]), "");
}

#[test]
fn apple_drops_what_zigs_linker_lacks() {
    let stubs = "-L/v/lib";
    let args = [
        "-Wl,-dylib",
        "-Wl,-exported_symbols_list,/t/list",
        "-Wl,--dynamic-list=/t/l",
    ];
    assert_eq!(link(APPLE, &args), format!("-shared {stubs}"));
    assert_eq!(
        link_with(APPLE, "0.16.0", &args),
        format!("-shared {} {} {stubs}", args[1], args[2])
    );
    let two = ["-Wl,-exported_symbols_list", "-Wl,/t/list", "-lfoo"];
    assert_eq!(link(APPLE, &two), format!("-lfoo {stubs}"));
    assert_eq!(
        link(APPLE, &["-liconv"]),
        format!("-liconv -lcharset {stubs}")
    );
    assert_eq!(
        link(APPLE, &["-undefined", "dynamic_lookup"]),
        format!("-undefined dynamic_lookup -Wl,-undefined=dynamic_lookup {stubs}")
    );
    assert_eq!(link(APPLE, &["-arch", "arm64", "-isysroot", "/x"]), stubs);
}

/// `-arch` is heeded as Apple's clang does, but for two at once.
#[test]
fn the_other_cpu_of_macos_is_built_for_where_it_is_named() {
    let mut arm = spec_of(APPLE, "aarch64-macos-none", "0.15.2");
    arm.deployment_target = Some("12.0".into());
    let mut intel = spec_of("x86_64-apple-darwin", "x86_64-macos-none", "0.15.2");
    intel.deployment_target = Some("10.12".into());
    let target = |spec: &Spec, args: &[&str]| {
        let out = run(spec, Tool::Cc, args);
        out[out.iter().position(|a| a == "-target").unwrap() + 1].clone()
    };
    let other = ["-arch", "x86_64", "-c", "a.c", "-arch", "x86_64"];
    assert_eq!(target(&arm, &other), "x86_64-macos.12.0-none");
    let other = ["-arch", "arm64", "a.o"];
    assert_eq!(target(&intel, &other), "aarch64-macos.11.0-none");
    assert_eq!(target(&arm, &other), "aarch64-macos.12.0-none");
    let not_ours = ["-Xlinker", "-arch", "-Xlinker", "x86_64", "a.o"];
    assert_eq!(target(&arm, &not_ours), "aarch64-macos.12.0-none");

    for (args, asked) in [
        (
            &["-arch", "x86_64", "-arch", "arm64", "a.c"][..],
            "-arch arm64 -arch x86_64",
        ),
        (&["-arch", "i386", "a.c"], "-arch i386"),
    ] {
        let zig = arm.zig.as_ref().unwrap();
        let args = args.iter().map(Into::into).collect();
        let env = Environment::default();
        let said = rewrite(&arm, zig, Path::new("/v"), Tool::Cc, args, &env).unwrap_err();
        assert!(said.to_string().contains(asked), "{said}");
    }
}

#[test]
fn nothing_of_webassembly_throws() {
    let spec = spec_of("wasm32-wasip1", "wasm32-wasi", "0.15.2");
    let has = |args: &[&str]| run(&spec, Tool::Cxx, args).contains(&"-fno-exceptions".to_owned());
    assert!(has(&["-c", "a.cc"]));
    assert!(!has(&["a.o"]));
}

#[test]
fn apples_oldest_version_is_a_part_of_zigs_target() {
    let mut spec = spec_of(APPLE, "aarch64-macos-none", "0.15.2");
    let target = |spec: &Spec, args: &[&str]| {
        let out = run(spec, Tool::Cc, args);
        out[out.iter().position(|a| a == "-target").unwrap() + 1].clone()
    };
    assert_eq!(target(&spec, &["a.o"]), "aarch64-macos-none");
    assert_eq!(
        target(&spec, &["a.o", "-mmacosx-version-min=11.0.0"]),
        "aarch64-macos.11.0.0-none"
    );
    assert_eq!(
        target(&spec, &["-c", "a.c", "--target=arm64-apple-macosx12.3"]),
        "aarch64-macos.12.3-none"
    );
    spec.deployment_target = Some("13.0".into());
    assert_eq!(
        target(&spec, &["a.o", "-mmacosx-version-min=11.0.0"]),
        "aarch64-macos.13.0-none"
    );
}

#[test]
fn an_sdk_takes_the_place_of_the_stubs() {
    let mut spec = spec_of(APPLE, "aarch64-macos-none", "0.15.2");
    let names = |spec: &Spec| -> Vec<_> {
        let files = stub_files(spec);
        files.into_iter().map(|(name, _)| name).collect()
    };
    let stubs = names(&spec);
    let (last, stubs) = stubs.split_last().unwrap();
    assert_eq!(*last, "assembly/procedures.h");
    assert_eq!(stubs[..2], ["lib/libiconv.tbd", "lib/libcharset.tbd"]);
    assert!(
        stubs[2..].iter().all(|s| s.starts_with("include/")),
        "{stubs:?}"
    );
    let compiled = run(&spec, Tool::Cc, &["-c", "a.c"]);
    assert!(
        compiled
            .windows(2)
            .any(|pair| pair == ["-idirafter", "/v/include"])
    );
    let zig = spec.zig.clone().unwrap();
    let bare = rewrite(
        &spec,
        &zig,
        Path::new("/v"),
        Tool::Cc,
        vec!["a.o".into()],
        &Environment::default(),
    )
    .unwrap();
    assert_eq!(bare.env_remove, ["SDKROOT"]);

    spec.sdk = Some(Sdk {
        path: "/sdk".into(),
        version: "14.5".into(),
        id: None,
    });
    assert_eq!(names(&spec), ["assembly/procedures.h"]);
    let with = rewrite(
        &spec,
        &zig,
        Path::new("/v"),
        Tool::Cc,
        vec!["a.o".into()],
        &Environment::default(),
    )
    .unwrap();
    let args = with.args.join(" ".as_ref()).into_string().unwrap();
    assert!(
        args.ends_with(
            "-isystem /sdk/usr/include -L/sdk/usr/lib -F/sdk/System/Library/Frameworks -iframework \
         /sdk/System/Library/Frameworks a.o"
        ),
        "{args}"
    );
    assert!(with.env.iter().any(|(n, v)| n == "SDKROOT" && v == "/sdk"));
    assert!(!run(&spec, Tool::Cc, &["-c", "a.c"]).contains(&"-idirafter".to_owned()));
}

#[test]
fn versions_are_read_or_taken_as_new() {
    assert_eq!(minor("0.15.2"), 15);
    assert_eq!(minor("0.16.0-dev.12+abc"), 16);
    assert_eq!(minor("1.0.0"), u32::MAX);
    assert_eq!(minor(""), u32::MAX);
}

#[test]
fn instruction_sets_are_no_business_of_a_link() {
    let args = [
        "a.o",
        "-mavx2",
        "-march=x86-64-v3",
        "-m64",
        "-mllvm",
        "-x86-y",
    ];
    assert_eq!(link(GLIBC, &args), "a.o -m64 -mllvm -x86-y");
    let spec = spec_of(GLIBC, "x86_64-linux-gnu", "0.15.2");
    for args in [&["-c", "a.c", "-mavx2"][..], &["a.c", "-mavx2"]] {
        assert!(
            run(&spec, Tool::Cc, args).contains(&"-mavx2".to_owned()),
            "{args:?}"
        );
    }
}

/// Each of them made zig compile its libc or `compiler_rt` again for a link of one object.
#[test]
fn how_functions_are_compiled_is_no_business_of_a_link() {
    let flags = [
        "-fomit-frame-pointer",
        "-fno-omit-frame-pointer",
        "-fno-builtin",
        "-funwind-tables",
        "-fno-asynchronous-unwind-tables",
    ];
    for flag in flags {
        assert_eq!(link(WINDOWS, &["a.o", flag]), "a.o", "{flag}");
        let spec = spec_of(WINDOWS, "x86_64-windows-gnu", "0.15.2");
        for args in [&["-c", "a.c", flag][..], &["a.c", flag]] {
            assert!(
                run(&spec, Tool::Cc, args).contains(&flag.to_owned()),
                "{args:?}"
            );
        }
    }
    for kept in ["-fPIC", "-flto", "-fno-builtin-memcpy", "-f"] {
        assert_eq!(link(WINDOWS, &["a.o", kept]), format!("a.o {kept}"));
    }
}

#[test]
fn the_first_cxx_link_of_zig_0_16_is_quiet() {
    let of = |version: &str, args: &[&str], overrides| {
        let spec = spec_of("x86_64-unknown-linux-musl", "x86_64-linux-musl", version);
        let env = Environment {
            overrides,
            ..Environment::default()
        };
        let args = args.iter().map(Into::into).collect();
        let zig = spec.zig.as_ref().unwrap();
        let done = rewrite(&spec, zig, Path::new("/v"), Tool::Cxx, args, &env).unwrap();
        done.env
            .iter()
            .any(|(name, _)| name == "CCC_OVERRIDE_OPTIONS")
    };
    assert!(of("0.16.0", &["a.o"], false));
    assert!(!of("0.16.0", &["-c", "a.cc"], false) && !of("0.16.0", &["a.o"], true));
    assert!(!of("0.15.2", &["a.o"], false) && !of("0.17.1", &["a.o"], false));
}

#[test]
fn assembly_is_made_without_a_warning() {
    let unused = "-Wno-unused-command-line-argument".to_owned();
    let spec = spec_of("x86_64-unknown-linux-musl", "TARGET", "0.15.2");
    assert!(run(&spec, Tool::Cc, &["-S", "a.c"]).contains(&unused));
    assert!(!run(&spec, Tool::Cc, &["-c", "a.c"]).contains(&unused));
}
