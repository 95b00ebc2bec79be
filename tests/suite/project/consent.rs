//! What a hostile clone may not do.

use xtool::archive::Archive;
use xtool::digest::Sha256;
use xtool::help::Help;
use xtool::manifest::Family;
use xtool::pin::{Pin, PinnedSource};
use xtool::project::consent::{check, grant, missing, required};
use xtool::project::lock::Lock;
use xtool::project::{Config, ProjectError};
use xtool::target::Host;

use super::{Env, MUSL, triple};

fn items(env: &Env) -> Vec<xtool::project::consent::Item> {
    let project = env.project();
    let config = Config::load(&project).expect("read");
    let lock = Lock::load(&project).expect("read");
    required(&project, config.as_ref(), lock.as_ref()).expect("read")
}

#[test]
fn an_ordinary_project_needs_none() {
    let env = Env::new();
    env.put(
        "xtool.toml",
        "[targets]\nx86_64-unknown-linux-musl = { toolchain = \"zig\" }\n",
    );
    env.put("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n");
    env.put(
        ".cargo/config.toml",
        "[target.x86_64-unknown-linux-musl]\nrunner = \"evil\"\n",
    );
    assert_eq!(items(&env), []);
    assert!(check(&env.dirs, &env.project(), &[]).is_ok());
}

/// A clone that names programs and folders of its own gets nothing before its user has said so, once.
#[test]
fn a_hostile_clone_waits_for_its_user() {
    let env = Env::new();
    env.put("toolchains.toml", "schema = 1\n");
    env.put(
        "xtool.toml",
        "[targets]\nx86_64-unknown-linux-musl = { runner = \"sh -c evil\" }\n",
    );
    env.put("rust-toolchain.toml", "[toolchain]\npath = \"./evil\"\n");
    let project = env.project();
    let held = project.hold(&env.dirs).expect("the lock");
    let mut lock = Lock::default();
    let pin = Pin {
        toolchain: "x".to_owned(),
        version: "1".to_owned(),
        family: Family::Gcc,
        sources: vec![PinnedSource::Path {
            path: "/etc".into(),
            archive: Archive {
                file: "x.tar".to_owned(),
                sha256: Sha256::of(b""),
                size: None,
            },
            root: None,
        }],
    };
    lock.insert(triple(MUSL), Host::LinuxX64, None, pin);
    lock.save(&held, &project).expect("saved");

    let all = items(&env);
    assert_eq!(all.len(), 4, "{all:?}");
    let error = check(&env.dirs, &project, &all).expect_err("not allowed");
    let text = error.to_string();
    for word in ["toolchains.toml", "sh -c evil", "/etc", "./evil"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(matches!(error, ProjectError::Consent { .. }));
    assert!(error.help().expect("help").contains("--trust"));

    grant(&held, &env.dirs, &project, &all).expect("granted");
    assert!(check(&env.dirs, &project, &items(&env)).is_ok());

    // Another content is another question; what was allowed and stays as it was is none.
    env.put("toolchains.toml", "schema = 1 # evil\n");
    let asked = missing(&env.dirs, &project, &items(&env)).expect("read");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].file, env.root.join("toolchains.toml"));
    env.put(
        "xtool.toml",
        "[targets]\nx86_64-unknown-linux-musl = { runner = \"sh -c worse\" }\n",
    );
    assert_eq!(
        missing(&env.dirs, &project, &items(&env))
            .expect("read")
            .len(),
        2
    );

    // Another checkout of the same files was not asked about.
    let other = Env::new();
    let theirs = required(&other.project(), None, None).expect("read");
    assert_eq!(theirs, []);
    other.put("toolchains.toml", "schema = 1\n");
    // Alone it is somebody else's business, and nothing reads it.
    assert_eq!(required(&other.project(), None, None).expect("read"), []);
    other.put("xtool.toml", "[targets]\n");
    assert!(check(&env.dirs, &other.project(), &items(&other)).is_err());
}

/// A link in the clone that leads out of it would let a command write somewhere else.
#[cfg(unix)]
#[test]
fn links_out_of_the_project_need_consent() {
    let env = Env::new();
    let outside = env.root.with_file_name("outside.toml");
    fs_err::write(&outside, "").expect("written");
    fs_err::create_dir(env.root.join(".cargo")).expect("made");
    fs_err::os::unix::fs::symlink(&outside, env.root.join(".cargo/config.toml")).expect("linked");
    env.put("dot/x.toml", "");
    fs_err::os::unix::fs::symlink("dot/x.toml", env.root.join("xtool.toml")).expect("linked");
    let all = items(&env);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].to_string().contains("outside.toml"));
}
