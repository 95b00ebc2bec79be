//! A project's files: root, cargo's configuration, `xtool.toml`, `xtool.lock`, consent; and rustc's own part.

mod cargo_files;
mod config_text;
mod consent;
mod lock;
mod real_cargo;
mod root;
mod rust_std;
mod settings;
mod shadows;

use std::path::{Path, PathBuf};

use xtool::project::apply::{Applied, Where};
use xtool::project::cargo_config::{Change, Entries};
use xtool::project::version::Version;
use xtool::project::{Project, ProjectError, StateDirs};
use xtool::target::Triple;

pub(super) const WINDOWS: &str = "x86_64-pc-windows-gnu";
pub(super) const MUSL: &str = "x86_64-unknown-linux-musl";

pub(super) fn triple(name: &str) -> Triple {
    name.parse().expect("a triple")
}

/// What an install would ask for; `store` tells one version of the toolchain from the next.
pub(super) fn entries(name: &str, store: &str) -> Entries {
    let t = triple(name);
    let shims = format!("{store}/shims/zig-0.15.2-8063164a-{name}-00c0ffee");
    let windows = name.contains("windows");
    Entries {
        linker: format!("{shims}/cc").into(),
        runner: windows.then(|| format!("{shims}/run").into()),
        rustflags: if windows {
            vec![format!("-Cdlltool={shims}/dlltool")]
        } else {
            Vec::new()
        },
        env: vec![
            (format!("CC_{}", t.env_suffix()), format!("{shims}/cc")),
            (
                format!("PKG_CONFIG_ALLOW_CROSS_{}", t.env_suffix()),
                "1".to_owned(),
            ),
        ],
        triple: t,
    }
}

/// A cargo project and a store's home, both in a temporary folder.
pub(super) struct Env {
    _folder: tempfile::TempDir,
    pub(super) root: PathBuf,
    pub(super) dirs: StateDirs,
}

impl Env {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let base = fs_err::canonicalize(folder.path()).expect("its path");
        let root = base.join("app");
        let env = Self {
            dirs: StateDirs::below(&base.join("home")),
            root,
            _folder: folder,
        };
        env.put("Cargo.toml", "[package]\nname = \"app\"\n");
        env
    }

    pub(super) fn put(&self, file: &str, text: &str) {
        let path = self.root.join(file);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs_err::write(path, text).expect("written");
    }

    pub(super) fn text(&self, file: &str) -> String {
        fs_err::read_to_string(self.root.join(file)).expect(file)
    }

    pub(super) fn has(&self, file: &str) -> bool {
        self.root.join(file).exists()
    }

    pub(super) fn project(&self) -> Project {
        Project::find(&self.root).expect("a project")
    }

    pub(super) fn apply(&self, change: &Change<'_>) -> Result<Applied, ProjectError> {
        let project = self.project();
        let held = project.hold(&self.dirs)?;
        let place = Where {
            mode: None,
            cargo: Some(Version::new(1, 95, 0)),
        };
        project.apply(&held, &self.dirs, change, place)
    }

    pub(super) fn add(&self, names: &[&str]) -> Applied {
        let set: Vec<Entries> = names.iter().map(|n| entries(n, "/s")).collect();
        let change = Change {
            set: &set,
            ..Change::default()
        };
        self.apply(&change).expect("added")
    }

    pub(super) fn remove(&self, names: &[&str]) -> Applied {
        let remove: Vec<Triple> = names.iter().map(|n| triple(n)).collect();
        let change = Change {
            remove: &remove,
            build_std: Some(false),
            ..Change::default()
        };
        self.apply(&change).expect("removed")
    }

    /// As on another machine: nothing is remembered.
    pub(super) fn forget(&self) {
        let _ = fs_err::remove_dir_all(&self.dirs.projects);
    }
}

pub(super) fn git(root: &Path, args: &[&str]) {
    let status = std::process::Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(args)
        .current_dir(root)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("git is needed for this test");
    assert!(status.success(), "git {args:?}");
}
