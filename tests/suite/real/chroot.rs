//! apt's closure is complete: GCC runs where the system has nothing but libc6 and apt.

use std::path::Path;
use std::process::Command;

use super::{Lab, said, succeed};
use crate::support::skip;

/// Libraries that GCC's cc1 needs and a minimal Debian may have: they must come out of the store.
const TAKEN_AWAY: [&str; 6] = [
    "libisl", "libmpc", "libmpfr", "libgmp", "libzstd", "libz.so",
];

#[test]
fn gcc_finds_its_libraries_in_the_store() {
    let name = "gcc_finds_its_libraries_in_the_store";
    if succeed(Command::new("id").arg("-u")).trim() != "0" {
        return skip(name, "not root, and a chroot needs it");
    }
    let lab = Lab::with_own_store();
    let root = lab.dir.path().join("root");
    let apt_source = lab.dir.path().join("mirror");
    let mirror = mirror();
    fs_err::write(&apt_source, &mirror).unwrap();
    // Its output names the mirror, so it stays out of the log unless it fails.
    let debootstrap = Command::new("debootstrap")
        .args(["--variant=minbase", "--include=apt,ca-certificates"])
        .arg(codename())
        .arg(&root)
        .arg(mirror.trim())
        .output()
        .unwrap_or_else(|e| panic!("debootstrap (scripts/test.sh installs it): {e}"));
    assert!(debootstrap.status.success(), "{}", said(&debootstrap));

    for copied in [
        "etc/resolv.conf",
        "etc/hosts",
        "etc/apt",
        "etc/ssl",
        "usr/share/keyrings",
    ] {
        let from = Path::new("/").join(copied);
        let parent = root.join(copied).parent().unwrap().to_owned();
        if from.exists() {
            fs_err::create_dir_all(&parent).unwrap();
            let _ = Command::new("rm")
                .arg("-rf")
                .arg(root.join(copied))
                .status();
            succeed(Command::new("cp").args(["-aL"]).arg(&from).arg(&parent));
        }
    }
    let status = root.join("var/lib/dpkg/status");
    let text = fs_err::read_to_string(&status).unwrap();
    let kept: Vec<&str> = text
        .split("\n\n")
        .filter(|s| s.starts_with("Package: libc6\n") || s.starts_with("Package: apt\n"))
        .collect();
    assert_eq!(kept.len(), 2);
    fs_err::write(&status, format!("{}\n\n", kept.join("\n\n"))).unwrap();
    let _ = fs_err::remove_dir_all(root.join("var/lib/apt/lists"));

    fs_err::copy(env!("CARGO_BIN_EXE_xtool"), root.join("usr/bin/xtool")).unwrap();
    fs_err::create_dir_all(root.join("p/src")).unwrap();
    fs_err::write(
        root.join("p/Cargo.toml"),
        "[package]\nname = \"p\"\nedition = \"2021\"\n",
    )
    .unwrap();
    fs_err::write(root.join("p/src/lib.rs"), "").unwrap();
    fs_err::write(
        root.join("p/a.c"),
        "#include <stdio.h>\nint main(void) { return puts(\"hi\") < 0; }\n",
    )
    .unwrap();
    let inside = |script: &str| {
        let mut command = Command::new("chroot");
        command
            .arg(&root)
            .args(["/bin/sh", "-ec", script])
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", "/tmp")
            .env("XTOOL_HOME", "/store");
        for (key, value) in std::env::vars_os() {
            if key
                .to_string_lossy()
                .to_ascii_lowercase()
                .ends_with("_proxy")
            {
                command.env(key, value);
            }
        }
        command
    };
    succeed(&mut inside(
        "cd /p && xtool add x86_64-pc-windows-gnu --toolchain mingw-w64 --no-rust-std",
    ));
    // apt is done; now take away what only GCC would need from the system.
    for library in TAKEN_AWAY {
        succeed(&mut inside(&format!(
            "find /usr/lib /lib -name '{library}*' -not -path '*/store/*' -exec rm -f {{}} +"
        )));
    }
    succeed(&mut inside(
        "cd /p && cc=$(sed -n 's/^linker = \"\\(.*\\)\"/\\1/p' .cargo/config.toml) && $cc a.c -o a.exe",
    ));
    assert!(
        fs_err::read(root.join("p/a.exe"))
            .unwrap()
            .starts_with(b"MZ")
    );
}

fn codename() -> String {
    let text = fs_err::read_to_string("/etc/os-release").unwrap();
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("VERSION_CODENAME="));
    line.expect("a codename in /etc/os-release").to_owned()
}

/// Where this host's own packages come from.
fn mirror() -> String {
    let targets = succeed(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(CREATED_BY) $(CODENAME) $(REPO_URI)",
    ]));
    let prefix = format!("Packages {} ", codename());
    let uri = targets.lines().find_map(|l| l.strip_prefix(&prefix));
    uri.expect("apt sources for this release").to_owned()
}
