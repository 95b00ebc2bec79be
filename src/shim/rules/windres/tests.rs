use super::*;

fn os(args: &[&str]) -> Vec<OsString> {
    args.iter().map(Into::into).collect()
}

fn triple(name: &str) -> Triple {
    name.parse().unwrap()
}

fn read(args: &[&str]) -> Result<Compile, WindresError> {
    match parse(os(args), &triple("x86_64-pc-windows-gnu"))? {
        Request::Compile(compile) => Ok(*compile),
        other => panic!("{args:?}: {other:?}"),
    }
}

fn zig() -> Zig {
    Zig {
        exe: "/z/zig".into(),
        target: "x86_64-windows-gnu".into(),
        cpu: None,
        version: "0.15.2".into(),
        cache_dir: "/c".into(),
    }
}

/// Both steps, for the files `IN` and `PP`.
fn steps(args: &[&str]) -> (String, String) {
    let compile = read(args).unwrap();
    let text = |args: Vec<OsString>| {
        let args: Vec<_> = args.iter().map(|a| a.to_string_lossy()).collect();
        args.join(" ")
    };
    (
        text(compile.preprocessor(Path::new("IN"), Path::new("PP"))),
        text(compile.compiler(&zig(), Path::new("PP")).args),
    )
}

const CC: &str = "-E -xc -DRC_INVOKED -fuse-line-directives -Wno-unused-command-line-argument";
const RC: &str = "rc /x /:auto-includes none /:input-format rcpp";
const COFF: &str = "/:output-format coff /:target X64";

#[test]
fn every_form_of_an_option_is_read() {
    let (cc, rc) = (
        format!("{CC} -Iinc -DA=1 -UB IN -o PP"),
        format!("{RC} {COFF} /l 411 /c 65001 /i inc -- PP o"),
    );
    for form in [
        &[
            "-i", "a.rc", "-o", "o", "-I", "inc", "-D", "A=1", "-U", "B", "-l", "411", "-c",
            "65001",
        ][..],
        &["-ia.rc", "-oo", "-Iinc", "-DA=1", "-UB", "-l411", "-c65001"],
        &[
            "--input",
            "a.rc",
            "--output",
            "o",
            "--include-dir",
            "inc",
            "--define",
            "A=1",
            "--undefine",
            "B",
            "--language",
            "411",
            "--codepage",
            "65001",
        ],
        &[
            "--input=a.rc",
            "--output=o",
            "--include-dir=inc",
            "--define=A=1",
            "--undefine=B",
            "--language=411",
            "--codepage=65001",
        ],
        // Beginnings of names, as getopt takes them.
        &[
            "--inc=inc",
            "--def=A=1",
            "--und=B",
            "--lang=411",
            "--code=65001",
            "a.rc",
            "o",
        ],
        // Files anywhere, options without effect, several letters behind one `-`.
        &[
            "a.rc",
            "-rv",
            "-Iinc",
            "-rDA=1",
            "--use-temp-file",
            "o",
            "-UB",
            "-l",
            "411",
            "-c",
            "65001",
            "--verbose",
        ],
        &[
            "-fo",
            "o",
            "-Iinc",
            "-DA=1",
            "-UB",
            "-l411",
            "-c65001",
            "--no-use-temp-file",
            "--",
            "a.rc",
        ],
        &[
            "-foo",
            "-Iinc",
            "-DA=1",
            "-UB",
            "-l411",
            "-c65001",
            "--preprocessor=cpp",
            "a.rc",
        ],
    ] {
        assert_eq!(steps(form), (cc.clone(), rc.clone()), "{form:?}");
    }
}

#[test]
fn the_command_lines_of_crates_and_build_systems_are_read() {
    // embed-resource
    let (cc, rc) = steps(&[
        "--input",
        "res/app.rc",
        "--output",
        "/out/app.lib",
        "--include-dir",
        "/out",
        "--output-format=coff",
        "-D",
        "A",
        "-I",
        "b c",
    ]);
    assert_eq!(cc, format!("{CC} -I/out -DA -Ib c IN -o PP"));
    assert_eq!(
        rc,
        format!("{RC} {COFF} /i res /i /out /i b c -- PP /out/app.lib")
    );
    // winresource
    let (_, rc) = steps(&[
        "-I/p",
        "--target",
        "pe-i386",
        "/out/r.rc",
        "/out/main_res.o",
    ]);
    assert_eq!(
        rc,
        format!("{RC} /:output-format coff /:target I386 /i /out /i /p -- PP /out/main_res.o")
    );
    // CMake
    let (cc, _) = steps(&["-O", "coff", "-DX", "-I", "/i", "/s/app.rc", "app.rc.obj"]);
    assert_eq!(cc, format!("{CC} -DX -I/i IN -o PP"));
    // Meson, whose ninja reads what the preprocessor says of headers
    let (cc, _) = steps(&[
        "../app.rc",
        "app.o",
        "--preprocessor-arg=-MD",
        "--preprocessor-arg=-MQapp.o",
        "--preprocessor-arg=-MFapp.o.d",
    ]);
    assert_eq!(cc, format!("{CC} -MD -MQapp.o -MFapp.o.d IN -o PP"));
}

#[test]
fn formats_go_by_option_or_name() {
    let (_, rc) = steps(&["a.rc", "a.res"]);
    assert_eq!(rc, format!("{RC} /:output-format res -- PP a.res"));
    let (_, rc) = steps(&["a.rc", "-O", "RES", "a.o"]);
    assert!(rc.contains("/:output-format res"), "{rc}");
    let (_, rc) = steps(&["a.res", "a.o", "-c", "65001", "-I", "x"]);
    assert_eq!(
        rc,
        format!("rc /x /:auto-includes none /:input-format res {COFF} -- PP a.o")
    );
    assert!(read(&["-J", "rc", "a.res", "a.o"]).unwrap().is_script);
    assert!(read(&["a.in", "a.lib"]).unwrap().is_script);
    assert_eq!(read(&["-o", "a.o"]).unwrap().input, None);
    for bad in [
        &["a.rc"][..],
        &["a.rc", "b.rc"],
        &["a.o", "a.res"],
        &["a.res", "b.res"],
        &["-O", "coff", "a.rc"],
        &[],
    ] {
        let e = read(bad).unwrap_err();
        assert!(matches!(e, WindresError::Direction(_)), "{bad:?}: {e}");
        assert!(e.help().unwrap().contains("-O coff -o app.o"));
    }
}

#[test]
fn numbers_are_gnu_windress() {
    let (_, rc) = steps(&["a.rc", "o", "-l", "0x411", "-c", "0xFDE9"]);
    assert_eq!(rc, format!("{RC} {COFF} /l 411 /c 65001 -- PP o"));
    let (_, rc) = steps(&["a.rc", "o", "-c0"]);
    assert_eq!(rc, format!("{RC} {COFF} /c 1252 -- PP o"));
}

#[test]
fn the_machine_is_the_targets_or_f() {
    let of = |args: &[&str], triple_name| match parse(os(args), &triple(triple_name)).unwrap() {
        Request::Compile(compile) => compile.machine,
        other => panic!("{other:?}"),
    };
    assert_eq!(of(&["a.rc", "o"], "x86_64-pc-windows-gnullvm"), "X64");
    assert_eq!(of(&["a.rc", "o"], "i686-pc-windows-gnu"), "I386");
    assert_eq!(of(&["a.rc", "o"], "aarch64-pc-windows-gnullvm"), "ARM64");
    for (name, machine) in [
        ("pe-x86-64", "X64"),
        ("pei-x86-64", "X64"),
        ("pei-i386", "I386"),
        ("pe-aarch64-little", "ARM64"),
        ("i686-w64-mingw32", "I386"),
    ] {
        assert_eq!(
            of(&["-F", name, "a.rc", "o"], "x86_64-pc-windows-gnu"),
            machine
        );
        assert_eq!(
            of(
                &[&format!("--target={name}"), "a.rc", "o"],
                "x86_64-pc-windows-gnu"
            ),
            machine
        );
    }
    let e = read(&["-Felf32-arm", "a.rc", "o"]).unwrap_err();
    assert_eq!(e, WindresError::NoTarget("elf32-arm".into()));
}

#[test]
fn what_is_no_command_line_is_refused() {
    for (bad, error) in [
        (&["--nope"][..], WindresError::Unknown("--nope".into())),
        // Two options begin so.
        (&["--in=x"], WindresError::Unknown("--in".into())),
        (&["-x"], WindresError::Unknown("-x".into())),
        (&["-o"], WindresError::NoValue("-o".into())),
        (&["--input"], WindresError::NoValue("--input".into())),
        (&["-fo"], WindresError::NoValue("-fo".into())),
        (&["a", "b", "c"], WindresError::OneTooMany("c".into())),
        (&["-Oelf"], WindresError::NoFormat("elf".into())),
        (&["-lx"], WindresError::NoNumber("-l", "x".into())),
        (&["-c", "utf8"], WindresError::NoNumber("-c", "utf8".into())),
        (&["-c932"], WindresError::CodePage(932)),
    ] {
        let e = read(bad).unwrap_err();
        assert_eq!(e, error);
        assert!(e.help().is_some());
    }
}

#[test]
fn questions_are_answered_as_gnu_windres_does() {
    let ask = |args: &[&str]| parse(os(args), &triple("x86_64-pc-windows-gnu")).unwrap();
    // embed-resource's question; `/?` is a file to windres.
    assert_eq!(ask(&["-V", "/?"]), Request::Version);
    assert_eq!(ask(&["--version"]), Request::Version);
    assert_eq!(ask(&["--help"]), Request::Help);
    assert_eq!(ask(&["-h"]), Request::Help);
    assert!(version("x").starts_with("GNU windres"));
    assert!(llvm_version(&os(&["-V", "/?"])).is_some());
    assert!(llvm_version(&os(&["-o", "-V"])).is_none());
}

#[test]
fn a_string_is_defined_with_and_without_a_shell_in_mind() {
    for (given, meant) in [
        (r#"V=\"1.2\""#, r#"V="1.2""#),
        (r#"V="1.2""#, r#"V="1.2""#),
        (r#"V=\"a\\\\b\""#, r#"V="a\\b""#),
        (r#"V="a\"b""#, r#"V="a\"b""#),
        ("V=1", "V=1"),
    ] {
        assert_eq!(unquoted(OsStr::new(given)), meant);
    }
}

#[test]
fn gccs_windres_preprocesses_with_the_shim() {
    let args = with_preprocessor(Path::new("/v"), os(&["a.rc", "a.o"]));
    let cc = format!(
        "--preprocessor={}",
        shim(Path::new("/v"), Tool::Cc).display()
    );
    let rest = ["-E", "-xc", "-DRC_INVOKED"].map(|a| format!("--preprocessor-arg={a}"));
    let mut expected = vec![cc];
    expected.extend(rest);
    expected.extend(["a.rc".to_owned(), "a.o".to_owned()]);
    let expected: Vec<OsString> = expected.into_iter().map(Into::into).collect();
    assert_eq!(args, expected);
    for own in [
        &["--preprocessor", "cpp", "a.rc"][..],
        &["--preprocessor=cpp", "a.rc"],
    ] {
        assert_eq!(with_preprocessor(Path::new("/v"), os(own)), os(own));
    }
}

#[test]
fn a_code_page_holds_wherever_it_stands() {
    let script = b"#line 1 \"a.rc\"\n#pragma code_page(65001)\n#line 1 \"b.rc\"\nx\n#pragma code_page(1252)\r\ny";
    let out = String::from_utf8(with_code_pages(script, Path::new(r#"C:\t"p"#))).unwrap();
    assert_eq!(
        out,
        "// preprocessed\n#line 1 \"a.rc\"\n#line 1 \"C:\\\\t\\\"p\"\n#pragma code_page(65001)\n#line 2 \"a.rc\"\n\
         #line 1 \"b.rc\"\nx\n#line 1 \"C:\\\\t\\\"p\"\n#pragma code_page(1252)\n#line 3 \"b.rc\"\ny"
    );
}

#[test]
fn utf16_is_read_as_utf8() {
    for script in [&b"\xff\xfe\xe9\0\n\0"[..], b"\xfe\xff\0\xe9\0\n"] {
        assert!(is_utf16(script));
        let mut compile = read(&["res/a.rc", "o"]).unwrap();
        let text = compile.moved(script.to_vec());
        assert_eq!(text, "#line 1 \"res/a.rc\"\né\n".as_bytes());
        assert_eq!(compile.preprocess, ["-iquote", "res"]);
        assert_eq!(compile.code_page, Some(65001));
    }
    assert!(!is_utf16("é".as_bytes()));
}

#[test]
fn standard_input_keeps_its_text() {
    let mut compile = read(&["-o", "o"]).unwrap();
    assert_eq!(
        compile.moved(b"\xe9".to_vec()),
        b"#line 1 \"<stdin>\"\n\xe9"
    );
    assert_eq!(compile.preprocess, ["-iquote", "."]);
    assert_eq!(compile.code_page, None);
}
