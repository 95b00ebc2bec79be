use std::path::Path;

use super::*;

const LINUX: &str = "x86_64-unknown-linux-gnu";
const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MAC: &str = "aarch64-apple-darwin";

/// The files that there are.
const FILES: [&str; 6] = [
    "/one/libfoo.a",
    "/two/libfoo.so",
    "/two/libfoo.a",
    "/two/libvv-1.2.a",
    "/two/libbar.so",
    "/two/libbar.a",
];

fn link(triple: &str, minor: u32, args: &str) -> Result<Link, ShimError> {
    let args = args.split_whitespace().map(Into::into).collect();
    let is_file = |path: &Path| FILES.iter().any(|file| Path::new(file) == path);
    rewrite(&triple.parse().unwrap(), minor, args, &is_file)
}

fn run(triple: &str, args: &str) -> String {
    let link = link(triple, 15, args).unwrap();
    link.args.join(" ".as_ref()).into_string().unwrap()
}

#[track_caller]
fn all(triple: &str, table: &[(&str, &str)]) {
    for (given, expected) in table {
        assert_eq!(run(triple, given), *expected, "{given}");
    }
}

#[test]
fn every_dress_is_the_same() {
    for dress in [
        "-Wl,-rpath,/x,-z,now",
        "-Wl,-rpath -Wl,/x -Wl,-znow",
        "-Xlinker -rpath -Xlinker /x -Xlinker -z -Xlinker now",
        "-Wl,-rpath -Xlinker /x -z now",
        "-Wl,-rpath=/x -Xlinker -z -Wl,now",
        "-Wl,--rpath /x -Wl,-z,now",
        "-Wl,-R/x,-z,now",
    ] {
        let (rpath, z) = ("-Wl,-rpath,/x", "-Wl,-z,now");
        assert_eq!(run(LINUX, dress), format!("{rpath} {z}"), "{dress}");
    }
    // A comma in a value is no border.
    assert_eq!(
        run(LINUX, "-Xlinker -rpath=/a,b"),
        "-Xlinker -rpath -Xlinker /a,b"
    );
    // What is the driver's stays, an output among it.
    assert_eq!(
        run(LINUX, "-o -Wl,x a.o -L /d -Xlinker"),
        "-o -Wl,x a.o -L /d -Xlinker"
    );
}

#[test]
fn what_is_no_option_is_an_input() {
    all(
        LINUX,
        &[
            ("-Wl,/p/x.o", "/p/x.o"),
            ("-Xlinker x.a", "x.a"),
            (
                "-Wl,--whole-archive,/p/libx.a,--no-whole-archive",
                "-Wl,--whole-archive /p/libx.a -Wl,--no-whole-archive",
            ),
            (
                "-Xlinker --whole-archive p.rlib -Xlinker --no-whole-archive",
                "-Wl,--whole-archive p.rlib -Wl,--no-whole-archive",
            ),
            (
                "-Wl,-lfoo -Wl,-l,bar -Wl,--library=z -l y",
                "-lfoo -lbar -lz -ly",
            ),
            ("-Wl,-L,/d -Wl,-L/e -Wl,--library-path=/f", "-L/d -L/e -L/f"),
            ("-Wl,-( a.a -Wl,-)", "-Wl,--start-group a.a -Wl,--end-group"),
        ],
    );
    // What a DLL exports, as rustc passes it.
    assert_eq!(
        run(WINDOWS, "-Wl,/tmp/rustc1/list.def"),
        "/tmp/rustc1/list.def"
    );
    assert_eq!(
        run(WINDOWS, "-Wl,/subsystem:windows"),
        "-Wl,/subsystem:windows"
    );
}

#[test]
fn a_library_by_name_is_taken_whole_too() {
    let whole = "-Wl,--whole-archive";
    let end = "-Wl,--no-whole-archive";
    all(
        LINUX,
        &[
            // A shared library is never in part; the first folder decides, static ones count alone behind -Bstatic.
            (
                "-L/one -L/two -Wl,--whole-archive -lfoo -lbar -lnone",
                &format!("-L/one -L/two {whole} /one/libfoo.a -lbar -lnone"),
            ),
            (
                "-Wl,--whole-archive,-Bstatic -lbar -L /two",
                &format!("{whole} -Wl,-Bstatic /two/libbar.a -L /two"),
            ),
            // CMake's.
            (
                "-Wl,--push-state,--whole-archive a.a -Wl,--pop-state b.a",
                &format!("{whole} a.a {end} b.a"),
            ),
            (
                "-Wl,-Bstatic,--push-state,--as-needed -Wl,-Bdynamic,--pop-state",
                "-Wl,-Bstatic -Wl,--as-needed -Wl,-search_paths_first -Wl,-Bstatic -Wl,--no-as-needed",
            ),
        ],
    );
    // Apple's says it for all, wherever it stands.
    all(
        MAC,
        &[
            (
                "a.a -L/two -lbar -all_load",
                &format!("{whole} a.a -L/two /two/libbar.a {whole}"),
            ),
            ("-Wl,-force_load,a.a", "-Wl,-force_load,a.a"),
            ("-Wl,-force_load a.a b.a", "-Wl,-force_load,a.a b.a"),
            ("-force_load a.a", "-Wl,-force_load,a.a"),
        ],
    );
}

#[test]
fn a_library_by_its_files_name_is_found_along_the_folders() {
    let path = "/two/libvv-1.2.a";
    for dress in [
        "-l:libvv-1.2.a",
        "-l :libvv-1.2.a",
        "-Wl,-l:libvv-1.2.a",
        "-Wl,-l,:libvv-1.2.a",
        "-Xlinker -l:libvv-1.2.a",
    ] {
        assert_eq!(
            run(LINUX, &format!("-L/one {dress} -L/two")),
            format!("-L/one {path} -L/two"),
            "{dress}"
        );
    }
    let error = link(LINUX, 15, "-L/one -L/e -l:libvv-1.2.a")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`libvv-1.2.a`") && error.ends_with("/one, /e"),
        "{error}"
    );
    // zig has these by another name.
    assert_eq!(
        run(LINUX, "-l:libstdc++.a -l:libpthread.so.0"),
        "-lstdc++ -lpthread"
    );
    assert_eq!(run(WINDOWS, "-l:libws2_32.a"), "-lws2_32");
}

#[test]
fn what_makes_no_difference_goes_and_names_are_zigs() {
    for idle in [
        "-Wl,-rpath-link,/x",
        "-Wl,-rpath-link=/x",
        "-Wl,-z,pack-relative-relocs",
        "-z pack-relative-relocs",
        "-Wl,-z,nostart-stop-gc",
        "-Wl,-znostart-stop-gc",
        "-Wl,--no-demangle",
        "-Wl,--no-undefined-version",
        "-Wl,--fix-cortex-a53-843419",
        "-Wl,-melf_i386",
        "-Wl,-m,elf_x86_64",
        "-Wl,-O1,--as-needed",
        "-Wl,-plugin,/p/liblto.so -Wl,-plugin-opt=O2",
    ] {
        let out = run(LINUX, idle);
        assert!(out.is_empty() || out == "-Wl,--as-needed", "{idle}: {out}");
    }
    all(
        LINUX,
        &[
            (
                "-Wl,--undefined=x -Wl,--undefined,y -Wl,-uz",
                "-Wl,-u,x -Wl,-u,y -Wl,-u,z",
            ),
            (
                "-Wl,--entry=m -Wl,-e,m -Wl,-em",
                "-Wl,--entry,m -Wl,--entry,m -Wl,--entry,m",
            ),
            ("-Wl,-pie -Wl,-hlibx.so.1", "-pie -Wl,-soname,libx.so.1"),
            // zig's to take or to refuse; the value is no input.
            (
                "-Wl,-Map,m.map -Wl,--wrap=foo",
                "-Wl,-Map,m.map -Wl,--wrap=foo",
            ),
            ("-Wl,--brand-new=1", "-Wl,--brand-new=1"),
        ],
    );
    all(
        MAC,
        &[(
            "-Wl,-no_uuid -Wl,-platform_version,macos,11.0,12.0 -Wl,-x",
            "-Wl,-x",
        )],
    );
    all(
        WINDOWS,
        &[(
            "-Wl,--dynamicbase,--disable-auto-image-base,--large-address-aware",
            "",
        )],
    );
}

#[test]
fn a_list_of_exports_is_for_newer_zigs() {
    let list = "-exported_symbols_list";
    for dress in [
        format!("-Wl,{list},F b.o"),
        format!("-Wl,{list} -Wl,F b.o"),
        format!("-Xlinker {list} -Xlinker F b.o"),
        format!("-Xlinker {list} -Wl,F b.o"),
        format!("{list} F b.o"),
        "-Wl,--dynamic-list=F b.o".to_owned(),
    ] {
        assert_eq!(run(MAC, &dress), "b.o", "{dress}");
    }
    let newer = link(MAC, 16, &format!("-Wl,{list},F")).unwrap();
    assert_eq!(newer.args, [OsString::from(format!("-Wl,{list},F"))]);
}

#[test]
fn a_librarys_version_has_three_numbers() {
    all(
        MAC,
        &[
            (
                "-Wl,-compatibility_version,1.0 -current_version 2",
                "-Wl,-compatibility_version,1.0.0 -Wl,-current_version,2.0.0",
            ),
            ("-Wl,-current_version,1.2.3", "-Wl,-current_version,1.2.3"),
        ],
    );
}

#[test]
fn a_bundle_is_linked_as_a_library_first() {
    let look_up = "-undefined dynamic_lookup";
    for (given, expected) in [
        ("-bundle a.o", "-shared a.o".to_owned()),
        ("-Wl,-bundle a.o", "-shared a.o".to_owned()),
        (
            "-bundle -bundle_loader app a.o",
            format!("-shared {look_up} a.o"),
        ),
        (
            "-bundle -undefined dynamic_lookup a.o",
            format!("-shared {look_up} a.o"),
        ),
        (
            "-bundle -flat_namespace -undefined suppress a.o",
            format!("-shared {look_up} a.o"),
        ),
    ] {
        let link = link(MAC, 15, given).unwrap();
        assert!(link.bundle, "{given}");
        assert_eq!(
            link.args.join(" ".as_ref()).to_str(),
            Some(expected.as_str()),
            "{given}"
        );
    }
    assert!(!link(MAC, 15, "-shared a.o").unwrap().bundle);
    assert_eq!(
        run(MAC, "-shared -Wl,-U,_host"),
        format!("-shared {look_up}")
    );
}

#[test]
fn what_a_program_exports_is_no_matter_of_failing() {
    all(
        LINUX,
        &[
            // A program exports nothing of its archives.
            ("a.o -Wl,--exclude-libs,ALL", "a.o"),
            ("a.o -Wl,--exclude-libs=libx.a:liby.a", "a.o"),
            // All of its symbols, those that are asked for among them.
            ("a.o -Wl,--dynamic-list,/t/list", "a.o -rdynamic"),
            ("a.o -Wl,--dynamic-list=/t/list", "a.o -rdynamic"),
            ("a.o -Wl,--export-dynamic-symbol=f*", "a.o -rdynamic"),
            // In libraries these say what may be overridden, and what is hidden: zig refuses, which is told.
            (
                "-shared -Wl,--dynamic-list=/t/list",
                "-shared -Wl,--dynamic-list=/t/list",
            ),
            (
                "-shared -Wl,--exclude-libs,ALL",
                "-shared -Wl,--exclude-libs,ALL",
            ),
            (
                "-rdynamic -Wl,--exclude-libs,ALL",
                "-rdynamic -Wl,--exclude-libs,ALL",
            ),
            ("-Wl,-shared,--export-dynamic-symbol,f", "-shared"),
        ],
    );
    all(
        WINDOWS,
        &[
            ("a.o -Wl,--exclude-all-symbols", "a.o"),
            (
                "-shared -Wl,--exclude-all-symbols",
                "-shared -Wl,--exclude-all-symbols",
            ),
            (
                "a.o -Wl,--pic-executable,-e,mainCRTStartup",
                "a.o -Wl,--entry,mainCRTStartup",
            ),
            ("-Wl,--disable-auto-import,--enable-long-section-names", ""),
        ],
    );
}

#[test]
fn sections_go_only_where_that_is_asked_for() {
    all(
        LINUX,
        &[
            ("-O2 a.o", "-O2 a.o -Wl,--no-gc-sections"),
            ("a.o", "a.o"),
            ("-O0 a.o", "-O0 a.o"),
            ("-O2 -r a.o", "-O2 -r a.o"),
            ("-O2 a.o -Wl,--gc-sections", "-O2 a.o -Wl,--gc-sections"),
            (
                "a.o -Wl,--gc-sections -Wl,-z,nostart-stop-gc",
                "a.o -Wl,--no-gc-sections",
            ),
            (
                "-Wl,-znostart-stop-gc -Wl,--gc-sections a.o",
                "a.o -Wl,--no-gc-sections",
            ),
            // rustc's, each time.
            (
                "a.1.rcgu.o -Wl,-znostart-stop-gc -Wl,--gc-sections",
                "a.1.rcgu.o -Wl,--gc-sections",
            ),
        ],
    );
    all(
        MAC,
        &[
            ("-Os a.o", "-Os a.o -Wl,--no-gc-sections"),
            ("-O2 a.o -Wl,-dead_strip", "-O2 a.o -Wl,-dead_strip"),
        ],
    );
    assert_eq!(run(WINDOWS, "-O2 a.o"), "-O2 a.o");
}

#[test]
fn a_library_whose_functions_can_be_overridden_is_told() {
    let note = |args: &str| link(LINUX, 15, args).unwrap().note;
    let told = note("-shared a.o -Wl,-Bsymbolic-functions -Wl,-z,relro").unwrap();
    assert!(told.contains("-Bsymbolic-functions"), "{told}");
    // A program's own functions are its own.
    assert_eq!(note("a.o -Wl,-Bsymbolic-functions"), None);
    assert_eq!(note("-shared a.o -Wl,-Bsymbolic"), None);
}

#[test]
fn apples_names_are_not_gnu_lds_letters() {
    all(
        MAC,
        &[
            ("-Wl,-ObjC", "-ObjC"),
            ("-Wl,-export_dynamic", "-rdynamic"),
            ("-Wl,-encryptable a.o", "a.o"),
            ("-Wl,-load_hidden,/p/libx.a", "-Wl,-load_hidden,/p/libx.a"),
            ("-Wl,-e,_start", "-Wl,--entry,_start"),
            ("-Wl,-lx", "-lx"),
        ],
    );
}

#[test]
fn newer_gnu_lds_words_that_change_nothing_are_left_out() {
    let words = "-z,nocombreloc,-z,nopack-relative-relocs,-z,nomark-plt,--warn-textrel,--no-error-execstack,-w,\
                 --no-tls-optimize,--strip-discarded,-Bno-symbolic,--spare-dynamic-tags=4,-assert,pure-text,-EL,-Qy,\
                 --no-fix-cortex-a53-843419,--enable-linker-version";
    assert_eq!(run(LINUX, &format!("a.o -Wl,{words}")), "a.o");
}
