//! The pure part: texts in, texts out.

use proptest::prelude::*;
use xtool::project::cargo_config::{
    Change, Claim, Entries, RenderError, includes, is_shim_path, render, render_include, targets,
    unrender_include,
};

use super::{MUSL, WINDOWS, entries, triple};

const FILE: &str = ".cargo/config.toml";

/// Texts as people write them: every layout that TOML allows for the tables we touch.
const CORPUS: &[&str] = &[
    "",
    "\n",
    "# only a comment",
    "[build]\njobs = 2 # two\n",
    "[build]\r\njobs = 2\r\n\r\n# the end",
    "\u{feff}[alias]\nx = \"run\"\n",
    "\u{feff}",
    "[target.x86_64-pc-windows-gnu]\n",
    "[target.x86_64-pc-windows-gnu]\nrustflags = [\"-Ctarget-feature=+crt-static\"]\n",
    "[target.x86_64-pc-windows-gnu]\nrustflags = [\n    \"-Ca\", # why\n    \"-Cb\",\n]\n\n[env]\nA = \"1\"\n",
    "[target.x86_64-pc-windows-gnu]\nrustflags = \"-C a -C b\"",
    "[target.x86_64-pc-windows-gnu]\nrustflags = '-Ca'\r\nar = \"x\"\r\n",
    "[target.x86_64-pc-windows-gnu]\nrustflags = []\n",
    "[target.x86_64-pc-windows-gnu]\nrustflags = \"\"\n",
    "[target]\nx86_64-pc-windows-gnu = { ar = 'a', rustflags = [ 'x' ] }\n",
    "[target]\nx86_64-pc-windows-gnu = {}\nother = { linker = 'l' }\n",
    "target = { other = { linker = 'l' } }\nenv = { A = 'b' }\n",
    "target.x86_64-pc-windows-gnu.ar = 'a'\ntarget.other.linker = 'l'\nenv.A = 'b'\n\n[build]\njobs = 1\n",
    "[target.'cfg(windows)']\nrunner = 'w'\nlinker = 'l'\n",
    "[target.x86_64-pc-windows-gnu.foo]\nrustc-link-lib = ['foo']\n",
    "[env]\n# mine\nFOO = { value = 'x', relative = true }\n[env.BAR]\nvalue = 'y'\nforce = true\n",
    "[env]\n",
    "[unstable]\nbuild-std-features = ['a']\n",
    "# head\n\n[env]\nA = '1'   # tail\n\n\n\n# foot\n",
    "[[registries]]\nx = 1\n\n\t[target.\"x86_64-unknown-linux-musl\"] # quoted\n\tar = 'é'\n",
    "[target.x86_64-pc-windows-gnu]\nlinker = '''x'''  # c\nrunner = [ 'a',\n 'b' ]\n",
    "[target]\nx86_64-unknown-linux-musl = { linker = 'a', runner = \"wine x\" }\n[env]\nCC_x86_64_unknown_linux_musl = { value = 'x', relative = true }\n",
    "[target.aarch64-apple-darwin]\nlinker = \"/usr/bin/clang\"\n\n[unstable]\n# none\n",
];

fn set(entries: &[Entries]) -> Change<'_> {
    Change {
        set: entries,
        ..Change::default()
    }
}

fn step(text: &mut String, claims: &mut Vec<Claim>, change: &Change<'_>) {
    let out = render(text, FILE, change, claims).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let again = render(&out.text, FILE, change, &out.claims).expect("twice");
    assert_eq!(again.text, out.text, "twice changes nothing");
    assert_eq!(again.claims, out.claims, "twice claims nothing new");
    assert_eq!(out.edited, []);
    *text = out.text;
    *claims = out.claims;
}

fn meaning(text: &str) -> toml::Table {
    text.trim_start_matches('\u{feff}').parse().expect("TOML")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// F53: whatever is added and removed in whatever order, the text in the end is the one from the start; in
    /// between, everything of the user's means what it meant (`render` compares that itself before it answers). `force`
    /// replaces the user's own values, and they come back.
    #[test]
    fn what_was_added_can_be_removed_byte_for_byte(
        picks in prop::collection::vec(0..CORPUS.len(), 1..3),
        crlf: bool,
        order in Just(vec![0usize, 1, 2]).prop_shuffle(),
        undo in Just(vec![0usize, 1, 2]).prop_shuffle(),
        update: bool,
        build_std: bool,
    ) {
        let mut text: String = picks.iter().map(|&i| CORPUS[i]).collect::<Vec<_>>().join("\n");
        if crlf {
            text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        let body = text.trim_start_matches('\u{feff}');
        prop_assume!(body.parse::<toml::Table>().is_ok() && !body.contains('\u{feff}'));
        let original = text.clone();
        let all = [WINDOWS, MUSL, "aarch64-apple-darwin"];
        let mut claims = Vec::new();
        for &i in &order {
            step(&mut text, &mut claims, &Change { force: true, ..set(&[entries(all[i], "/s")]) });
        }
        let flag = |on| Change { build_std: Some(on), ..Change::default() };
        if build_std {
            step(&mut text, &mut claims, &flag(true));
        }
        let parsed = meaning(&text);
        for name in all {
            let linker = parsed["target"][name]["linker"].as_str().map(is_shim_path);
            prop_assert_eq!(linker, Some(true));
        }
        if update {
            step(&mut text, &mut claims, &Change { force: true, ..set(&[entries(WINDOWS, "/new store's")]) });
            prop_assert!(!text.contains("\"/s/shims/zig-0.15.2-8063164a-x86_64-pc-windows-gnu"));
        }
        if build_std {
            step(&mut text, &mut claims, &flag(false));
        }
        for &i in &undo {
            let gone = [triple(all[i])];
            step(&mut text, &mut claims, &Change { remove: &gone, ..Change::default() });
        }
        prop_assert_eq!(text, original);
        prop_assert_eq!(claims, vec![]);
    }

    /// F53: the line that includes our file comes and goes the same way.
    #[test]
    fn the_include_line_can_be_removed(
        head in prop::sample::select(vec![
            "", "a = 1\n", "# c\n", "include = \"x.toml\"\n", "include = ['x.toml'] # c\n", "include = []\n",
            "include = [\n  { path = 'x.toml' },\n]\n",
        ]),
        i in 0..CORPUS.len(),
    ) {
        let body = CORPUS[i].trim_start_matches('\u{feff}');
        let text = format!("{}{head}{body}", if body.len() < CORPUS[i].len() { "\u{feff}" } else { "" });
        let (with, claims) = render_include(&text, FILE, &[]).expect("added");
        prop_assert!(includes(&with), "{}", with);
        prop_assert_eq!(render_include(&with, FILE, &claims).expect("twice"), (with.clone(), claims.clone()));
        prop_assert_eq!(unrender_include(&with, &claims).expect("removed"), (text, vec![]));
    }
}

/// Without a record our keys are known by where they point: nothing of ours stays, and a table of the user's does.
#[test]
fn keys_are_recognised_without_a_record() {
    let user =
        "[target.x86_64-pc-windows-gnu]\nar = 'mine'\nrustflags = ['-Ca']\n\n[env]\nA = '1'\n";
    let out = render(user, FILE, &set(&[entries(WINDOWS, "/s")]), &[]).expect("added");
    assert_eq!(targets(&out.text, &[]).expect("TOML"), [triple(WINDOWS)]);
    let gone = [triple(WINDOWS)];
    let change = Change {
        remove: &gone,
        ..Change::default()
    };
    let back = render(&out.text, FILE, &change, &[]).expect("removed");
    assert_eq!(back.text, user);

    let out = render(
        "",
        FILE,
        &set(&[entries(WINDOWS, "/s"), entries(MUSL, "/s")]),
        &[],
    )
    .expect("added");
    let both = [triple(WINDOWS), triple(MUSL)];
    let change = Change {
        remove: &both,
        ..Change::default()
    };
    assert_eq!(
        render(&out.text, FILE, &change, &[]).expect("removed").text,
        ""
    );
}

/// A clone with another machine's paths is brought up to date, not taken for a conflict.
#[test]
fn another_machines_paths_are_ours() {
    let entries = |triple: &str, home: &str| {
        let mut entries = entries(triple, home);
        let suffix = entries.triple.env_suffix();
        let arguments = format!("--target=t --sysroot={home}/toolchains/x/usr");
        let more = [
            ("BINDGEN_EXTRA_CLANG_ARGS", arguments.as_str()),
            ("PKG_CONFIG_PATH", ""),
        ];
        for (name, value) in more {
            entries
                .env
                .push((format!("{name}_{suffix}"), value.to_owned()));
        }
        entries
    };
    let theirs = render(
        "",
        FILE,
        &set(&[entries(WINDOWS, "/home/ada/.local/share/xtool")]),
        &[],
    )
    .expect("added");
    let mine = render(&theirs.text, FILE, &set(&[entries(WINDOWS, "/s")]), &[]).expect("added");
    assert!(!mine.text.contains("ada"), "{}", mine.text);
    let gone = [triple(WINDOWS)];
    let change = Change {
        remove: &gone,
        ..Change::default()
    };
    let back = render(&mine.text, FILE, &change, &mine.claims).expect("removed");
    // Whose table it was cannot be told any more.
    assert_eq!(back.text, "[env]\n");
    assert_eq!(
        meaning(&mine.text),
        meaning(
            &render("", FILE, &set(&[entries(WINDOWS, "/s")]), &[])
                .expect("added")
                .text
        )
    );
}

/// F54: the user's own linker, runner and variable are all named; with `force` they are replaced and come back.
#[test]
fn the_users_own_settings_are_conflicts() {
    let user = "[target.x86_64-pc-windows-gnu]\nlinker = 'my-gcc' # tuned\nrunner = [\"wine64\", \"-x\"]\n\n[env]\nCC_x86_64_pc_windows_gnu = { value = 'cc', force = true }\n";
    let wanted = [entries(WINDOWS, "/s")];
    let Err(RenderError::Conflicts { conflicts }) = render(user, FILE, &set(&wanted), &[]) else {
        panic!("no conflict");
    };
    let keys: Vec<&str> = conflicts.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "target.x86_64-pc-windows-gnu.linker",
            "target.x86_64-pc-windows-gnu.runner",
            "env.CC_x86_64_pc_windows_gnu"
        ]
    );
    assert_eq!(conflicts[0].found, "'my-gcc'");
    let forced = Change {
        force: true,
        ..set(&wanted)
    };
    let with = render(user, FILE, &forced, &[]).expect("forced");
    assert!(with.text.contains("/cc\" # tuned"), "{}", with.text);
    let gone = [triple(WINDOWS)];
    let change = Change {
        remove: &gone,
        ..Change::default()
    };
    assert_eq!(
        render(&with.text, FILE, &change, &with.claims)
            .expect("removed")
            .text,
        user
    );
}

/// The same value as ours, written by the user, stays the user's.
#[test]
fn an_equal_value_of_the_users_is_kept() {
    let t = triple(MUSL);
    let wanted = Entries {
        linker: "/usr/bin/musl-gcc".into(),
        runner: None,
        rustflags: vec![],
        env: vec![],
        triple: t.clone(),
    };
    let user = "[target.x86_64-unknown-linux-musl]\nlinker = \"/usr/bin/musl-gcc\"\n";
    let out = render(user, FILE, &set(&[wanted]), &[]).expect("added");
    assert_eq!((out.text.as_str(), out.claims.len()), (user, 0));
    let gone = [t];
    let change = Change {
        remove: &gone,
        ..Change::default()
    };
    assert_eq!(
        render(user, FILE, &change, &[]).expect("removed").text,
        user
    );
}

/// F55: a value of ours that the user edited is kept on removing, and named.
#[test]
fn an_edited_value_is_kept() {
    let out = render("", FILE, &set(&[entries(WINDOWS, "/s")]), &[]).expect("added");
    let edited = out
        .text
        .replacen(
            "\"/s/shims/zig-0.15.2-8063164a-x86_64-pc-windows-gnu-00c0ffee/cc\"",
            "\"/opt/my-cc\"",
            1,
        )
        .replacen(
            "-Cdlltool=/s/shims/zig-0.15.2-8063164a-x86_64-pc-windows-gnu-00c0ffee/dlltool",
            "-Cdlltool=/opt/dlltool",
            1,
        )
        .replacen(
            "ALLOW_CROSS_x86_64_pc_windows_gnu = \"1\"",
            "ALLOW_CROSS_x86_64_pc_windows_gnu = \"0\"",
            1,
        );
    let gone = [triple(WINDOWS)];
    let change = Change {
        remove: &gone,
        ..Change::default()
    };
    let back = render(&edited, FILE, &change, &out.claims).expect("removed");
    let keys: Vec<&str> = back.edited.iter().map(|e| e.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "target.x86_64-pc-windows-gnu.linker",
            "target.x86_64-pc-windows-gnu.rustflags",
            "env.PKG_CONFIG_ALLOW_CROSS_x86_64_pc_windows_gnu"
        ]
    );
    assert_eq!(
        back.text,
        "[target.x86_64-pc-windows-gnu]\nlinker = \"/opt/my-cc\"\nrustflags = [\"-Cdlltool=/opt/dlltool\"]\n\n[env]\nPKG_CONFIG_ALLOW_CROSS_x86_64_pc_windows_gnu = \"0\"\n"
    );
    assert_eq!(back.claims, []);
    // And on adding again it is a conflict, not a loss.
    let again = render(&edited, FILE, &set(&[entries(WINDOWS, "/s")]), &out.claims);
    assert!(matches!(again, Err(RenderError::Conflicts { .. })));
}

/// A key that a new version no longer needs goes.
#[test]
fn keys_that_are_no_longer_wanted_go() {
    let out = render("", FILE, &set(&[entries(WINDOWS, "/s")]), &[]).expect("added");
    let less = Entries {
        runner: None,
        rustflags: vec![],
        env: vec![],
        ..entries(WINDOWS, "/s")
    };
    let out = render(&out.text, FILE, &set(&[less]), &out.claims).expect("changed");
    assert_eq!(
        out.text,
        "[target.x86_64-pc-windows-gnu]\nlinker = \"/s/shims/zig-0.15.2-8063164a-x86_64-pc-windows-gnu-00c0ffee/cc\"\n"
    );
    assert_eq!(out.claims.len(), 1);
}

#[test]
fn awkward_paths_are_escaped() {
    for store in [
        r"C:\Users\Ä B\xtool",
        "/it's/\"quoted\"",
        "/tab\tand\u{7f}",
        "/space d",
    ] {
        let e = entries(WINDOWS, store);
        let out = render(
            "[env]\nA = '1'\n",
            FILE,
            &set(std::slice::from_ref(&e)),
            &[],
        )
        .expect(store);
        let parsed = meaning(&out.text);
        let t = &parsed["target"][WINDOWS];
        assert_eq!(t["linker"].as_str(), e.linker.to_str());
        assert_eq!(t["rustflags"][0].as_str(), Some(e.rustflags[0].as_str()));
        // cargo splits a runner that is a string at its spaces.
        let runner = e.runner.as_ref().and_then(|r| r.to_str()).expect("UTF-8");
        if runner.contains(char::is_whitespace) {
            assert_eq!(t["runner"], toml::Value::Array(vec![runner.into()]));
        } else {
            assert_eq!(t["runner"].as_str(), Some(runner));
        }
    }
    // Flags in one string are parted at spaces, so a path with a space needs the list form.
    let user = "[target.x86_64-pc-windows-gnu]\nrustflags = \"-C a\"\n";
    let out = render(user, FILE, &set(&[entries(WINDOWS, "/space d")]), &[]).expect("added");
    let flags = meaning(&out.text)["target"][WINDOWS]["rustflags"]
        .as_array()
        .map(Vec::len);
    assert_eq!(flags, Some(3));
    let gone = [triple(WINDOWS)];
    let change = Change {
        remove: &gone,
        ..Change::default()
    };
    assert_eq!(
        render(&out.text, FILE, &change, &out.claims)
            .expect("removed")
            .text,
        user
    );
}

#[test]
fn variables_without_the_triple_are_refused() {
    for name in ["CC", "SDKROOT", "CFLAGS_aarch64_apple_darwin"] {
        let mut e = entries(WINDOWS, "/s");
        e.env = vec![(name.to_owned(), "x".to_owned())];
        assert!(matches!(
            render("", FILE, &set(&[e]), &[]),
            Err(RenderError::Unsuffixed { .. })
        ));
    }
}

/// F54's neighbour: a user's own linker below some folder `shims` is not taken for ours.
#[test]
fn only_shims_of_a_store_are_ours() {
    for ours in [
        "/s/shims/zig-0.15.2-8063164a-x86_64-unknown-linux-musl-00c0ffee/cc",
        r"C:\x\shims\mingw-w64-14.2.0-1-8063164a-x86_64-pc-windows-gnu-00c0ffee\cc.exe",
        "-Cdlltool=/s/shims/zig-0.15.2-8063164a-x86_64-pc-windows-gnu-00c0ffee/dlltool",
        "/s/shims/zig-1-8063164a-wasm32-wasip1-00c0ffee/run",
    ] {
        assert!(is_shim_path(ours), "{ours}");
    }
    for theirs in [
        "cc",
        "",
        "/home/x/.asdf/shims/gcc",
        "/usr/bin/x86_64-w64-mingw32-gcc",
        "/opt/acme/shims/aarch64-gcc/ld",
        "/opt/acme/shims/aarch64-gcc/cc",
        "/opt/acme/shims/zig-1-aarch64-unknown-linux-gnu-00c0ffee/cc",
        "/opt/acme/shims/zig-1-8063164a-aarch64-unknown-linux-gnu/cc",
        "/opt/acme/shims/zig-1-8063164a-aarch64-unknown-linux-gnu-00C0FFEE/cc",
        "/opt/acme/shims/zig-1-8063164a-aarch64-unknown-linux-gnu-00c0ffee/ld",
        "/opt/acme/shims/zig-1-8063164a-aarch64-unknown-linux-gnu-00c0ffee/",
        "shims/zig-1-8063164a-aarch64-unknown-linux-gnu-00c0ffee/cc",
    ] {
        assert!(!is_shim_path(theirs), "{theirs}");
    }
}

/// F54's neighbour: a user's own variable that ends in the triple stays, whatever its value looks like; without a
/// record of ours, one beside our linker goes by its value.
#[test]
fn a_variable_of_the_users_beside_ours_stays() {
    let user = "[env]\nCFLAGS_x86_64_unknown_linux_musl = \"-I/opt/toolchains/mine\"\nMY_x86_64-unknown-linux-musl = \"1\"\n";
    let out = render(user, FILE, &set(&[entries(MUSL, "/s")]), &[]).expect("added");
    assert!(
        out.text.contains("/opt/toolchains/mine") && out.text.contains("MY_x86"),
        "{}",
        out.text
    );
    let again = render(&out.text, FILE, &set(&[entries(MUSL, "/t")]), &out.claims).expect("again");
    let gone = [triple(MUSL)];
    let change = Change {
        remove: &gone,
        ..Change::default()
    };
    let back = render(&again.text, FILE, &change, &again.claims).expect("removed");
    assert_eq!(back.text, user);
    let lost = render("", FILE, &set(&[entries(MUSL, "/s")]), &[]).expect("added");
    assert_eq!(
        render(&lost.text, FILE, &change, &[])
            .expect("removed")
            .text,
        ""
    );
}
