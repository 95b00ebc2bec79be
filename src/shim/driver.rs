//! Compiler drivers: the files that `CC` and `CXX` name.
//!
//! A compile cache (ccache, sccache) takes two compilers for one when their files are alike, and for two when they
//! differ: by content, by size and time, of the file that is named or the one that a link leads to. The target is not
//! among the arguments, so each variant has driver files of its own. What a driver is follows from its [`Identity`],
//! which holds everything that changes an object, and no path: the same variant on another machine is the same
//! compiler, and a shared cache hits.
//!
//! A driver runs `tools/<tool>` beside itself, a link to the store's copy of xtool. On Linux it is a small ELF program
//! (`driver/*.s`), since a shell would cost more than xtool itself does; elsewhere on Unix a script; on Windows, which
//! starts no scripts, a copy of xtool with the identity behind its last byte.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::rules::VERSION;
use super::{Sdk, Spec, Tool, Zig, osxcross};
use crate::digest::Sha256;

#[cfg(any(target_os = "linux", test))]
mod elf;

/// The folder beside a driver with the links that it runs.
pub(super) const TOOLS: &str = "tools";

/// The folder in a variant's where drivers have the names that `configure --host` looks for.
pub const NAMES: &str = "bin";

/// The folder of the drivers that run what lies in `folder`; `None` where it is not such a folder.
pub(super) fn beside(folder: &Path) -> Option<PathBuf> {
    let above = folder.parent().filter(|_| folder.ends_with(TOOLS))?;
    Some(above.to_owned())
}

/// The variant's folder, when `folder` is one in it where tools have other names.
pub(super) fn variant_of(folder: &Path) -> Option<PathBuf> {
    osxcross::variant_of(folder).or_else(|| {
        let above = folder.parent().filter(|_| folder.ends_with(NAMES))?;
        Some(above.to_owned())
    })
}

/// What makes a compiler another one: everything that changes an object which it makes of the same arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(String);

impl Identity {
    /// The identity of a tool of a variant. `toolchain_id` stands for every byte of the toolchain: it has the digest of
    /// its archives.
    pub fn new(toolchain_id: &str, spec: &Spec, tool: Tool) -> Self {
        // Every field is named, so that a new one cannot be forgotten here.
        let Spec {
            schema: _,
            triple,
            family,
            root,
            sysroot,
            // Where the toolchain's own programs find their libraries, which are a part of it.
            library_path: _,
            deployment_target,
            compiler_version,
            tools: _,
            zig,
            sdk,
            // Runs what was built.
            runner: _,
        } = spec;
        let mut lines = vec![
            format!("xtool {} {VERSION}", tool.name()),
            format!("toolchain {toolchain_id}"),
            format!("target {triple}"),
            format!("family {family:?}"),
        ];
        let mut option = |name: &str, value: Option<&str>| {
            lines.extend(value.map(|value| format!("{name} {value}")));
        };
        let below_root = sysroot.as_deref().map(|path| relative(path, root));
        option("sysroot", below_root.as_deref());
        option(
            "program",
            spec.program(tool)
                .map(|path| relative(path, root))
                .as_deref(),
        );
        option("macos", deployment_target.as_deref());
        option("compiler", compiler_version.as_deref());
        if let Some(Zig {
            exe: _,
            target,
            cpu,
            version,
            cache_dir: _,
        }) = zig
        {
            option("zig", Some(version));
            option("zig-target", Some(target));
            option("zig-cpu", cpu.as_deref());
        }
        if let Some(Sdk { path, version, id }) = sdk {
            let name = path.file_name().map(|n| n.to_string_lossy());
            option("sdk", name.as_deref());
            option("sdk-version", Some(version));
            option("sdk-id", id.as_deref());
        }
        Self(lines.join("\n") + "\n")
    }

    fn digest(&self) -> [u8; 32] {
        *Sha256::of(self.0.as_bytes()).bytes()
    }

    /// The time stamp of the file, since ccache compares times and sizes unless told otherwise: a second between 1980
    /// (the first that zip and FAT know) and 2014, chosen by the digest. In the past, so that no build tool takes the
    /// compiler for newer than what it made.
    pub fn time(&self) -> SystemTime {
        const FIRST: u64 = 315_619_200;
        let [a, b, c, d, ..] = self.digest();
        let second = u64::from(u32::from_be_bytes([a, b, c, d]) >> 2);
        SystemTime::UNIX_EPOCH + Duration::from_secs(FIRST + second)
    }

    /// The text that every kind of driver holds.
    fn text(&self) -> String {
        // Sizes differ too, where a file system or an archive keeps no time.
        let [.., last] = self.digest();
        format!("{}{}", self.0, "#".repeat(usize::from(last)))
    }
}

/// A path without the toolchain's folder, with `/` on every host.
fn relative(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.to_string_lossy().replace('\\', "/")
}

/// A driver's bytes on Linux.
#[cfg(target_os = "linux")]
pub(super) fn content(identity: &Identity, tool: Tool) -> Vec<u8> {
    let launcher = elf::Machine::of_this_program();
    launcher.map_or_else(
        || script(identity, tool).into_bytes(),
        |machine| elf::program(machine, &target_of(tool), &identity.text()),
    )
}

/// A driver's bytes elsewhere on Unix.
#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn content(identity: &Identity, tool: Tool) -> Vec<u8> {
    script(identity, tool).into_bytes()
}

/// What a driver runs, relative to its own folder.
#[cfg(any(unix, test))]
fn target_of(tool: Tool) -> String {
    format!("{TOOLS}/{}", tool.name())
}

/// A driver as a script, for systems that no launcher is written for. Where nothing lies beside the name it was called
/// by, a link led here.
#[cfg(any(unix, test))]
fn script(identity: &Identity, tool: Tool) -> String {
    let target = target_of(tool);
    let comment = identity.text().replace('\n', "\n# ");
    format!(
        "#!/bin/sh\n# {comment}\ncase $0 in */*) folder=${{0%/*}} ;; *) folder=. ;; esac\n\
         [ -e \"$folder/{target}\" ] || folder=$(dirname \"$(readlink -f \"$0\")\")\n\
         exec \"$folder/{target}\" \"$@\"\n"
    )
}

/// What stands behind the last byte of the copy of xtool that is a driver on Windows. The copy's own name is in it, so
/// that another build of xtool is not taken for this one.
#[cfg(any(not(unix), test))]
pub(super) fn tail(identity: &Identity, exe: &Path) -> String {
    let copy = exe.file_name().unwrap_or_default().to_string_lossy();
    format!("\n{}{copy}\n", identity.text())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::manifest::Family;

    /// A folder with a driver of this content, whose tool tells its arguments.
    #[cfg(unix)]
    pub(in crate::shim) fn tell(folder: &Path, content: &[u8]) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let tools = folder.join(TOOLS);
        fs_err::create_dir(&tools).unwrap();
        let cc = folder.join("cc");
        let files = [
            (
                &tools.join("cc"),
                &b"#!/bin/sh\nprintf '%s\\n' \"$@\"\n"[..],
            ),
            (&cc, content),
        ];
        for (path, bytes) in files {
            fs_err::write(path, bytes).unwrap();
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        cc
    }

    #[cfg(unix)]
    pub(in crate::shim) fn said_by(program: &std::ffi::OsStr, args: &[&str]) -> String {
        let out = std::process::Command::new(program).args(args).output();
        let out =
            out.unwrap_or_else(|e| panic!("{program:?} (scripts/test.sh installs emulators): {e}"));
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn a_script_runs_what_lies_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let spec = zig("x86_64-unknown-linux-musl", "x86_64-linux-musl");
        let text = script(&of(&spec), Tool::Cc);
        let cc = tell(dir.path(), text.as_bytes());
        assert_eq!(said_by(cc.as_os_str(), &["a b", "c"]), "a b\nc\n");
        let elsewhere = tempfile::tempdir().unwrap();
        let link = elsewhere.path().join("my cc");
        fs_err::os::unix::fs::symlink(&cc, &link).unwrap();
        assert_eq!(said_by(link.as_os_str(), &["x"]), "x\n");
        // Comments only, whatever the identity holds.
        assert_eq!(text.lines().filter(|l| !l.starts_with('#')).count(), 3);
    }

    fn zig(triple: &str, target: &str) -> Spec {
        let mut spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/home/a/t".into());
        spec.zig = Some(Zig {
            exe: "/home/a/t/zig".into(),
            target: target.into(),
            cpu: None,
            version: "0.15.2".into(),
            cache_dir: "/home/a/c".into(),
        });
        spec
    }

    fn of(spec: &Spec) -> Identity {
        Identity::new("zig-0.15.2-0a1b2c3d", spec, Tool::Cc)
    }

    #[test]
    fn everything_that_changes_an_object_changes_the_identity() {
        let glibc = zig("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.17");
        let mut all = vec![
            of(&glibc),
            Identity::new("zig-0.15.2-0a1b2c3d", &glibc, Tool::Cxx),
            Identity::new("zig-0.16.0-0a1b2c3d", &glibc, Tool::Cc),
            Identity::new("zig-0.15.2-ffffffff", &glibc, Tool::Cc),
            of(&zig("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.28")),
            of(&zig("x86_64-unknown-linux-musl", "x86_64-linux-musl")),
            of(&zig("aarch64-unknown-linux-musl", "aarch64-linux-musl")),
        ];
        let mut macos = zig("aarch64-apple-darwin", "aarch64-macos-none");
        for oldest in ["11.0", "12.0"] {
            macos.deployment_target = Some(oldest.into());
            all.push(of(&macos));
        }
        for (name, version, id) in [
            ("A.sdk", "14.5", "a"),
            ("B.sdk", "14.5", "a"),
            ("A.sdk", "15.0", "a"),
            ("A.sdk", "14.5", "b"),
        ] {
            macos.sdk = Some(Sdk {
                path: Path::new("/sdks").join(name),
                version: version.into(),
                id: Some(id.into()),
            });
            all.push(of(&macos));
        }
        let mut cpu = glibc.clone();
        cpu.zig.as_mut().unwrap().cpu = Some("x86_64_v2".into());
        all.push(of(&cpu));
        let mut gcc = Spec::new(
            "x86_64-pc-windows-gnu".parse().unwrap(),
            Family::Gcc,
            "/t".into(),
        );
        for program in ["gcc-posix", "gcc-win32"] {
            gcc.tools.cc = Some(Path::new("/t").join(program));
            all.push(of(&gcc));
        }
        for (i, one) in all.iter().enumerate() {
            for other in &all[..i] {
                assert_ne!(one.0, other.0);
                assert_ne!(one.time(), other.time(), "{}{}", one.0, other.0);
                assert_ne!(one.text(), other.text());
            }
        }
    }

    #[test]
    fn another_home_is_the_same_compiler() {
        let spec = zig("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.17");
        let mut there = Spec::new(spec.triple.clone(), Family::Zig, "/opt/xtool/t".into());
        there.zig.clone_from(&spec.zig);
        let zig = there.zig.as_mut().unwrap();
        zig.exe = "/opt/xtool/t/zig".into();
        zig.cache_dir = "/root/c".into();
        there.runner = crate::shim::Runner::named("qemu", None);
        assert_eq!(of(&spec), of(&there));
        assert!(!of(&spec).text().contains("/home"), "{}", of(&spec).text());
        assert_eq!(of(&spec).time(), of(&there).time());

        let gcc = |root: &str| {
            let mut spec = Spec::new(
                "aarch64-unknown-linux-gnu".parse().unwrap(),
                Family::Gcc,
                root.into(),
            );
            spec.tools.cc = Some(Path::new(root).join("usr/bin/aarch64-linux-gnu-gcc"));
            spec.sysroot = Some(Path::new(root).join("usr/aarch64-linux-gnu"));
            Identity::new("gnu-cross-12.2.0-1", &spec, Tool::Cc)
        };
        assert_eq!(gcc("/a"), gcc("/b/c"));
    }

    #[test]
    fn times_are_in_the_past_and_in_every_archives_range() {
        for id in 0..100 {
            let spec = zig("x86_64-unknown-linux-musl", "x86_64-linux-musl");
            let time = Identity::new(&format!("zig-{id}"), &spec, Tool::Cc).time();
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert!((315_532_800..1_400_000_000).contains(&since.as_secs()));
        }
    }

    #[test]
    fn a_copys_tail_names_the_build_that_it_is_of() {
        let identity = of(&zig("x86_64-unknown-linux-musl", "x86_64-linux-musl"));
        let of = |exe: &str| tail(&identity, Path::new(exe));
        assert_eq!(
            of("/a/xtool-0.1.0-aaaaaaaa.exe"),
            of("/b/xtool-0.1.0-aaaaaaaa.exe")
        );
        assert_ne!(
            of("xtool-0.1.0-aaaaaaaa.exe"),
            of("xtool-0.1.0-bbbbbbbb.exe")
        );
    }
}
