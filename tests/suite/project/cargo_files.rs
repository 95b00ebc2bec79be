//! The effects on disk: `.cargo/config.toml` and what stands around it.

use std::time::SystemTime;

use xtool::help::Help;
use xtool::project::apply::Where;
use xtool::project::cargo_config::{Change, Claim};
use xtool::project::settings::{ConfigMode, TargetOptions};
use xtool::project::version::Version;
use xtool::project::{ProjectError, Record};

use super::{Env, MUSL, WINDOWS, entries, git, triple};

const CONFIG: &str = ".cargo/config.toml";

/// F51: no configuration → created; remove deletes it, and `.cargo` when it is empty.
#[test]
fn a_config_that_was_not_there_goes_again() {
    for forget in [false, true] {
        let env = Env::new();
        let applied = env.add(&[WINDOWS, MUSL]);
        assert_eq!(applied.changed, [env.root.join(CONFIG)]);
        assert_eq!(applied.mode, ConfigMode::Direct);
        let parsed: toml::Table = env.text(CONFIG).parse().expect("TOML");
        assert_eq!(
            parsed["target"][WINDOWS]["linker"].as_str(),
            entries(WINDOWS, "/s").linker.to_str()
        );
        assert_eq!(
            env.project()
                .configured_targets(&env.dirs)
                .expect("read")
                .len(),
            2
        );
        if forget {
            env.forget();
        }
        env.remove(&[WINDOWS]);
        assert!(env.has(CONFIG));
        env.remove(&[MUSL]);
        assert!(!env.has(".cargo"), "forget: {forget}");
    }
    let env = Env::new();
    env.put(".cargo/audit.toml", "");
    env.add(&[MUSL]);
    env.remove(&[MUSL]);
    assert!(env.has(".cargo/audit.toml") && !env.has(CONFIG));
}

/// F51, F53: an empty file of the user's is not taken for ours.
#[test]
fn an_empty_config_stays() {
    let env = Env::new();
    env.put(CONFIG, "");
    env.add(&[WINDOWS]);
    env.remove(&[WINDOWS]);
    assert_eq!(env.text(CONFIG), "");
}

/// F52: adding twice writes nothing, neither in the project nor in the home.
#[test]
fn adding_twice_writes_nothing() {
    let env = Env::new();
    env.put(CONFIG, "[build]\njobs = 1\n");
    env.add(&[WINDOWS]);
    let stamps = || -> Vec<(std::path::PathBuf, SystemTime)> {
        [env.root.join(".cargo"), env.dirs.projects.clone()]
            .iter()
            .flat_map(|dir| fs_err::read_dir(dir).expect("a folder"))
            .map(|e| {
                let e = e.expect("an entry");
                (
                    e.path(),
                    e.metadata().expect("metadata").modified().expect("a time"),
                )
            })
            .collect()
    };
    let before = stamps();
    assert_eq!(before.len(), 2);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let applied = env.add(&[WINDOWS]);
    assert_eq!((applied.changed.len(), applied.warnings.len()), (0, 0));
    assert_eq!(stamps(), before);
}

/// F54: a conflict changes nothing on disk; `--force` replaces and remove restores.
#[test]
fn a_conflict_changes_nothing() {
    let env = Env::new();
    let user = "[target.x86_64-pc-windows-gnu]\nlinker = 'mine'\n";
    env.put(CONFIG, user);
    let set = [entries(WINDOWS, "/s")];
    let mut change = Change {
        set: &set,
        ..Change::default()
    };
    let error = env.apply(&change).expect_err("a conflict");
    assert!(matches!(&error, ProjectError::Conflicts { conflicts, .. } if conflicts.len() == 1));
    assert!(
        error
            .to_string()
            .contains("target.x86_64-pc-windows-gnu.linker = 'mine'"),
        "{error}"
    );
    assert!(error.help().expect("help").contains("--force"));
    assert_eq!(env.text(CONFIG), user);
    change.force = true;
    env.apply(&change).expect("forced");
    assert!(!env.text(CONFIG).contains("mine"));
    env.remove(&[WINDOWS]);
    assert_eq!(env.text(CONFIG), user);
}

/// F54's neighbour: what `--force` cannot replace either is not sent there; the help names the key and the file.
#[test]
fn a_conflict_that_force_does_not_solve_says_what_to_edit() {
    for (user, key) in [
        (
            "[target.x86_64-pc-windows-gnu]\nrustflags = [1]\n",
            "rustflags",
        ),
        (
            "[target.x86_64-pc-windows-gnu]\nrustflags = 1\n",
            "rustflags",
        ),
        (
            "[target.x86_64-pc-windows-gnu.linker]\npath = 'mine'\n",
            "linker",
        ),
        ("[target.x86_64-pc-windows-gnu.runner]\n", "runner"),
    ] {
        for force in [false, true] {
            let env = Env::new();
            env.put(CONFIG, user);
            let set = [entries(WINDOWS, "/s")];
            let change = Change {
                set: &set,
                force,
                ..Change::default()
            };
            let error = env.apply(&change).expect_err("a conflict");
            let help = error.help().expect("help");
            let key = format!("target.x86_64-pc-windows-gnu.{key}");
            assert!(
                help.contains(&key) && help.contains("config.toml"),
                "{help}"
            );
            assert!(!help.contains("pass `--force`"), "{user} {force}: {help}");
            assert_eq!(env.text(CONFIG), user);
        }
    }
}

/// F55: the user's edit is kept, and the command says so.
#[test]
fn an_edit_is_kept_with_a_warning() {
    let env = Env::new();
    env.add(&[MUSL]);
    let ours = entries(MUSL, "/s").linker;
    let ours = ours.to_str().expect("UTF-8");
    env.put(CONFIG, &env.text(CONFIG).replacen(ours, "/opt/cc", 1));
    let applied = env.remove(&[MUSL]);
    assert_eq!(applied.warnings.len(), 1);
    assert!(applied.warnings[0].contains("target.x86_64-unknown-linux-musl.linker"));
    assert_eq!(
        env.text(CONFIG),
        "[target.x86_64-unknown-linux-musl]\nlinker = \"/opt/cc\"\n"
    );
}

/// F56: TOML with a fault → file, line and column; the file is untouched.
#[test]
fn a_fault_is_placed() {
    let env = Env::new();
    let text = "[build]\njobs = = 1\n";
    env.put(CONFIG, text);
    let set = [entries(MUSL, "/s")];
    let change = Change {
        set: &set,
        ..Change::default()
    };
    let error = env.apply(&change).expect_err("not TOML").to_string();
    assert!(error.contains("config.toml:2:8: "), "{error}");
    assert_eq!(env.text(CONFIG), text);
}

/// F57: line endings, byte order mark, mode and link stay.
#[cfg(unix)]
#[test]
fn mode_and_link_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    for mode in [0o600, 0o664, 0o644] {
        let env = Env::new();
        let user = "\u{feff}[build]\r\njobs = 1";
        env.put("dot/cargo.toml", user);
        let file = env.root.join("dot/cargo.toml");
        fs_err::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("mode");
        fs_err::create_dir(env.root.join(".cargo")).expect("made");
        fs_err::os::unix::fs::symlink("../dot/cargo.toml", env.root.join(CONFIG)).expect("linked");
        let is = || {
            let link = fs_err::read_link(env.root.join(CONFIG)).expect("still a link");
            let mode = fs_err::metadata(&file).expect("there").permissions().mode() & 0o777;
            (link, mode)
        };
        let before = is();
        env.add(&[WINDOWS]);
        assert_eq!(is(), before);
        let text = env.text(CONFIG);
        assert!(text.starts_with('\u{feff}') && !text.ends_with('\n'));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        env.remove(&[WINDOWS]);
        assert_eq!((env.text(CONFIG).as_str(), is()), (user, before));
    }
}

/// F57's neighbour: nothing is created through a link that leads nowhere, and a read-only file stays.
#[cfg(unix)]
#[test]
fn a_dangling_link_is_an_error() {
    let env = Env::new();
    let elsewhere = env.root.with_file_name("elsewhere");
    fs_err::create_dir(env.root.join(".cargo")).expect("made");
    fs_err::os::unix::fs::symlink(&elsewhere, env.root.join(CONFIG)).expect("linked");
    let set = [entries(MUSL, "/s")];
    let change = Change {
        set: &set,
        ..Change::default()
    };
    let error = env.apply(&change).expect_err("refused");
    assert!(
        matches!(error, ProjectError::DanglingLink { .. }),
        "{error}"
    );
    assert!(!elsewhere.exists());
}

/// F57's neighbour: a rename would replace a file that its mode protects.
#[cfg(unix)]
#[test]
fn a_read_only_file_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let set = [entries(MUSL, "/s")];
    let change = Change {
        set: &set,
        ..Change::default()
    };
    let env = Env::new();
    env.put(CONFIG, "# locked\n");
    let file = env.root.join(CONFIG);
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).expect("mode");
    let error = env.apply(&change).expect_err("refused");
    assert!(
        matches!(&error, ProjectError::Write { path, .. } if *path == file),
        "{error}"
    );
    assert_eq!(env.text(CONFIG), "# locked\n");
}

/// F58: the file that cargo reads is the one that is edited.
#[test]
fn the_legacy_file_is_edited_where_cargo_reads_it() {
    let env = Env::new();
    env.put(".cargo/config", "[build]\n");
    let applied = env.add(&[MUSL]);
    assert_eq!(applied.changed, [env.root.join(".cargo/config")]);
    assert!(applied.warnings.is_empty() && !env.has(CONFIG));

    env.put(CONFIG, "[alias]\n");
    let applied = env.add(&[WINDOWS]);
    assert!(env.text(".cargo/config").contains(WINDOWS));
    assert_eq!(env.text(CONFIG), "[alias]\n");
    assert!(
        applied.warnings[0].contains("both present"),
        "{:?}",
        applied.warnings
    );
    env.remove(&[WINDOWS, MUSL]);
    assert_eq!(env.text(".cargo/config"), "[build]\n");
}

/// F59: adds at the same time are all there in the end, in every file.
#[test]
fn adds_at_the_same_time_are_all_there() {
    let env = Env::new();
    let names = [
        WINDOWS,
        MUSL,
        "aarch64-apple-darwin",
        "aarch64-unknown-linux-gnu",
        "i686-pc-windows-gnu",
        "riscv64gc-unknown-linux-gnu",
    ];
    std::thread::scope(|scope| {
        for name in names {
            let env = &env;
            scope.spawn(move || {
                env.add(&[name]);
                let project = env.project();
                let held = project.hold(&env.dirs).expect("the lock");
                let options = TargetOptions::default();
                project
                    .add_target(&held, &triple(name), &options)
                    .expect("added");
            });
        }
    });
    let parsed: toml::Table = env.text(CONFIG).parse().expect("TOML");
    for name in names {
        assert!(parsed["target"][name]["linker"].is_str());
    }
    let record = Record::load(&env.dirs, &env.root)
        .expect("read")
        .expect("a record");
    assert_eq!(
        record
            .claims
            .iter()
            .filter(|c| c.path.last().is_some_and(|k| k == "linker"))
            .count(),
        names.len()
    );
    let config = xtool::project::Config::load(&env.project())
        .expect("read")
        .expect("a file");
    assert_eq!(config.targets.len(), names.len());
    env.remove(&names);
    assert!(!env.has(".cargo"));
}

/// F43: a run that was killed between record and configuration is completed by the next one, and one killed before
/// the record's last write leaves nothing behind.
#[test]
fn an_interrupted_run_is_completed() {
    let env = Env::new();
    let user = "[build]\njobs = 1\n";
    env.put(CONFIG, user);
    env.add(&[MUSL]);
    env.put(CONFIG, user);
    env.add(&[MUSL]);
    assert!(env.text(CONFIG).contains(MUSL));
    env.put(CONFIG, user);
    let applied = env.remove(&[MUSL]);
    assert_eq!(
        (applied.warnings.len(), env.text(CONFIG).as_str()),
        (0, user)
    );
    assert_eq!(Record::load(&env.dirs, &env.root).expect("read"), None);
}

/// F43: what a killed process left beside the files is cleared away by the next run; the litter of another project's
/// run, which may be alive, is not.
#[test]
fn litter_is_cleared_away() {
    let env = Env::new();
    env.add(&[MUSL]);
    let record = fs_err::read_dir(&env.dirs.projects)
        .expect("a folder")
        .next()
        .expect("a record")
        .expect("an entry")
        .file_name();
    let record = record.to_str().expect("UTF-8");
    for file in [
        ".xtool-xtool.toml-a1.tmp",
        ".cargo/.xtool-config.toml-a1.tmp",
    ] {
        env.put(file, "[targ");
    }
    let litter = |name: &str| env.dirs.projects.join(format!(".xtool-{name}-a1.tmp"));
    for name in [record, "0123456789abcdef.toml"] {
        fs_err::write(litter(name), "").expect("written");
    }
    env.remove(&[MUSL]);
    assert!(!env.has(".cargo") && !env.has(".xtool-xtool.toml-a1.tmp"));
    assert!(!litter(record).exists() && litter("0123456789abcdef.toml").exists());
}

fn repository(env: &Env) {
    git(&env.root, &["init", "-q"]);
    git(&env.root, &["add", "-A"]);
    git(&env.root, &["commit", "-qm", "start"]);
}

fn dirty(env: &Env) -> String {
    let out = std::process::Command::new("git")
        .args(["status", "--porcelain", "--untracked-files=all"])
        .current_dir(&env.root)
        .output()
        .expect("git");
    String::from_utf8(out.stdout).expect("UTF-8")
}

/// A tracked file gets one line; the paths of this machine stay out of git; remove restores all.
#[test]
fn a_tracked_config_gets_one_line() {
    let env = Env::new();
    let user = "# ours\n[build]\njobs = 1\n";
    env.put(CONFIG, user);
    repository(&env);
    let applied = env.add(&[WINDOWS]);
    assert_eq!(applied.mode, ConfigMode::Include);
    assert_eq!(
        env.text(CONFIG),
        format!("include = [{{ path = \"xtool.toml\", optional = true }}]\n{user}")
    );
    assert!(
        env.text(".cargo/xtool.toml")
            .contains("[target.x86_64-pc-windows-gnu]\nlinker")
    );
    assert_eq!(dirty(&env), " M .cargo/config.toml\n");

    // The second target goes there too, and a second run writes nothing.
    assert_eq!(
        env.add(&[MUSL]).changed,
        [env.root.join(".cargo/xtool.toml")]
    );
    assert_eq!(env.add(&[MUSL, WINDOWS]).changed.len(), 0);

    // A fresh clone has the line but not the file.
    git(&env.root, &["commit", "-qam", "include"]);
    fs_err::remove_file(env.root.join(".cargo/xtool.toml")).expect("gone");
    env.forget();
    let applied = env.add(&[WINDOWS]);
    assert_eq!(applied.mode, ConfigMode::Include);
    assert_eq!(dirty(&env), "");

    env.remove(&[WINDOWS]);
    assert_eq!(env.text(CONFIG), user);
    assert!(!env.has(".cargo/xtool.toml") && !env.has(".cargo/.gitignore"));
}

/// The user's own linker in the tracked file would win over the included one: that is a conflict as well.
#[test]
fn a_tracked_config_can_conflict() {
    let env = Env::new();
    let user = "[target.x86_64-pc-windows-gnu]\nlinker = 'mine'\n";
    env.put(CONFIG, user);
    repository(&env);
    let set = [entries(WINDOWS, "/s")];
    let mut change = Change {
        set: &set,
        ..Change::default()
    };
    assert!(matches!(
        env.apply(&change),
        Err(ProjectError::Conflicts { .. })
    ));
    assert_eq!(
        (env.text(CONFIG).as_str(), env.has(".cargo/xtool.toml")),
        (user, false)
    );
    change.force = true;
    env.apply(&change).expect("forced");
    assert!(!env.text(CONFIG).contains("mine"));
    env.remove(&[WINDOWS]);
    assert_eq!(env.text(CONFIG), user);
}

/// An older cargo fails on the include line, so it is not written where one may build the project.
#[test]
fn an_older_cargo_gets_the_keys_directly() {
    let old = Version::new(1, 93, 0);
    let new = Version::new(1, 95, 0);
    for (cargo, manifest, toolchain) in [
        (Some(old), "", ""),
        (None, "", ""),
        (Some(new), "rust-version = \"1.85\"\n", ""),
        (Some(new), "", "[toolchain]\nchannel = \"1.90.0\"\n"),
    ] {
        let env = Env::new();
        env.put(
            "Cargo.toml",
            &format!("[package]\nname = \"app\"\n{manifest}"),
        );
        if !toolchain.is_empty() {
            env.put("rust-toolchain.toml", toolchain);
        }
        env.put(CONFIG, "[build]\n");
        repository(&env);
        let project = env.project();
        let held = project.hold(&env.dirs).expect("the lock");
        let set = [entries(MUSL, "/s")];
        let change = Change {
            set: &set,
            ..Change::default()
        };
        let place = Where { mode: None, cargo };
        let applied = project
            .apply(&held, &env.dirs, &change, place)
            .expect("applied");
        assert_eq!(applied.mode, ConfigMode::Direct);
        assert!(
            applied.warnings[0].contains("1.94.0"),
            "{:?}",
            applied.warnings
        );
    }
}

/// `config` in xtool.toml decides, and changing it moves the keys.
#[test]
fn the_mode_can_be_chosen_and_changed() {
    let env = Env::new();
    env.put(CONFIG, "[build]\n");
    let set = [entries(WINDOWS, "/s")];
    let change = Change {
        set: &set,
        ..Change::default()
    };
    let apply = |mode| {
        let project = env.project();
        let held = project.hold(&env.dirs).expect("the lock");
        let place = Where {
            mode: Some(mode),
            cargo: Some(Version::new(1, 95, 0)),
        };
        project
            .apply(&held, &env.dirs, &change, place)
            .expect("applied")
    };
    apply(ConfigMode::Include);
    assert!(env.has(".cargo/xtool.toml"));
    apply(ConfigMode::Direct);
    assert!(!env.has(".cargo/xtool.toml"));
    assert!(
        env.text(CONFIG).starts_with("[build]\n\n[target."),
        "{}",
        env.text(CONFIG)
    );
    apply(ConfigMode::Include);
    assert!(!env.text(CONFIG).contains("target"));
    env.remove(&[WINDOWS]);
    assert_eq!(env.text(CONFIG), "[build]\n");
}

/// `--build-std` comes and goes; a list of the user's own stays.
#[test]
fn build_std_comes_and_goes() {
    let env = Env::new();
    let on = Change {
        build_std: Some(true),
        ..Change::default()
    };
    env.apply(&on).expect("applied");
    assert_eq!(
        env.text(CONFIG),
        "[unstable]\nbuild-std = [\"std\", \"panic_abort\"]\n"
    );
    assert!(env.apply(&on).expect("again").changed.is_empty());
    env.forget();
    env.remove(&[]);
    assert!(!env.has(".cargo"));
    let user = "[unstable]\nbuild-std = [\"core\"]\n";
    env.put(CONFIG, user);
    env.apply(&on).expect("applied");
    env.remove(&[]);
    assert_eq!(env.text(CONFIG), user);
}

/// The record tells prune what a project uses; a project that is gone uses nothing.
#[test]
fn records_tell_what_projects_use() {
    let env = Env::new();
    let project = env.project();
    let held = project.hold(&env.dirs).expect("the lock");
    let mut record = Record::new(&env.root);
    record.toolchains = vec!["zig-0.15.2-8063164a".to_owned()];
    record.save(&held, &env.dirs).expect("saved");
    drop(held);
    env.add(&[MUSL]);
    let all = Record::all(&env.dirs).expect("read");
    assert_eq!((all.present.len(), all.unreadable.len()), (1, 0));
    assert_eq!(all.present[0].toolchains, ["zig-0.15.2-8063164a"]);
    assert!(!all.present[0].claims.is_empty());
    fs_err::write(env.dirs.projects.join("x.toml"), "?").expect("written");
    assert_eq!(Record::all(&env.dirs).expect("read").unreadable.len(), 1);
    fs_err::remove_dir_all(&env.root).expect("gone");
    let all = Record::all(&env.dirs).expect("read");
    assert_eq!(
        (all.present.len(), all.gone.len(), all.away.len()),
        (0, 1, 0)
    );
}

/// A record gives back what it was given, whatever stood in the user's file.
#[test]
fn a_record_round_trips() {
    let env = Env::new();
    let project = env.project();
    let held = project.hold(&env.dirs).expect("the lock");
    for text in [
        "[\r\n  'a', # b\r\n]",
        "\"\"\"\n\n x \"quoted\" \\\n\"\"\"",
        "'''\n'''",
        "\r\n",
        "\t\u{7f}\u{feff}é\\",
        "",
    ] {
        let mut record = Record::new(&env.root);
        record.variants = vec!["v".to_owned()];
        record.existed = vec![".cargo/config.toml".to_owned()];
        record.claims = vec![Claim {
            file: ".cargo/config.toml".to_owned(),
            path: vec!["target".to_owned(), text.to_owned()],
            wrote: vec![text.to_owned(), "x".to_owned()],
            before: Some(text.to_owned()),
            table_existed: true,
        }];
        record.save(&held, &env.dirs).expect("saved");
        assert_eq!(
            Record::load(&env.dirs, &env.root).expect("read"),
            Some(record),
            "{text:?}"
        );
    }
}
