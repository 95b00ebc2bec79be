//! The toolchains that are downloaded as archives and could not be here: their entries in the built-in manifest, with
//! archives of the same layout whose programs only say how they were called, from a mirror on loopback.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtool::digest::Sha256;
use xtool::manifest::{BUILT_IN, Manifest, Source};
use xtool::target::Host;

use crate::support::server::Server;
use crate::support::stub_sdk;

/// A program that prints its name and arguments, one a line.
const PROGRAM: &str = "#!/bin/sh\nprintf '%s\\n' \"${0##*/}\" \"$@\"\n";

/// `toolchain`'s archive for `target` on this machine: what the built-in manifest pins it to and calls it.
fn pinned(toolchain: &str, target: &str) -> (String, String, String) {
    let manifest = Manifest::load(None).unwrap();
    let target = target.parse().unwrap();
    let artifact = manifest.toolchains[toolchain]
        .artifacts
        .iter()
        .find(|a| {
            a.host == Host::of_this_build().unwrap()
                && (a.targets.is_empty() || a.targets.contains(&target))
        })
        .expect("an artifact for this machine");
    let Source::Url { archive, root, .. } = &artifact.sources[0] else {
        panic!("{toolchain} is not from an address");
    };
    let root = root.clone().unwrap();
    (archive.file.clone(), archive.sha256.to_string(), root)
}

/// A `.tar.xz` of files with the program's text, below `root`.
fn archive(root: &str, files: &[&str], dir: &Path) -> Vec<u8> {
    for file in files {
        let path = dir.join(root).join(file);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, PROGRAM).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let out = dir.join("out.tar.xz");
    let status = Command::new("tar")
        .args(["--create", "--xz", "--file"])
        .arg(&out)
        .arg("--directory")
        .arg(dir)
        .arg(root)
        .status()
        .unwrap();
    assert!(status.success());
    fs_err::read(out).unwrap()
}

/// Adds `target` with `toolchain`, whose archive holds `files`; gives the folder of shims.
fn add(toolchain: &str, target: &str, files: &[&str], dir: &Path) -> PathBuf {
    let (_, digest, root) = pinned(toolchain, target);
    let body = archive(&root, files, &dir.join("archive"));
    let ours = Sha256::of(&body).to_string();
    let server = Server::files([(format!("sha256/{ours}"), body)]);
    // The built-in entry in everything but the digest (and the size, where it has one).
    let text: String = BUILT_IN
        .lines()
        .map(|line| {
            let line = if line.contains(&digest) {
                let mut parts: Vec<&str> = line.split(", ").collect();
                parts.retain(|part| !part.starts_with("size = "));
                parts.join(", ").replace(&digest, &ours)
            } else {
                line.to_owned()
            };
            line + "\n"
        })
        .collect();
    let manifest = dir.join("manifest.toml");
    fs_err::write(&manifest, text).unwrap();
    let project = dir.join("project");
    fs_err::create_dir_all(&project).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_xtool"))
        .current_dir(&project)
        .args([
            "add",
            target,
            "--no-cargo",
            "--json",
            "--toolchain",
            toolchain,
        ])
        .env("XTOOL_HOME", dir.join("home"))
        .env("XTOOL_SYSTEM_HOME", "")
        .env("XTOOL_CACHE_DIR", dir.join("cache"))
        .env("XTOOL_MANIFEST", &manifest)
        .env("XTOOL_MIRROR", server.url("").as_str())
        .env_remove("XTOOL_HOST")
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", said(&out));
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let linker = said["targets"][0]["linker"].as_str().unwrap();
    Path::new(linker).parent().unwrap().to_owned()
}

fn said(out: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&out.stdout), text(&out.stderr))
}

/// What a shim's tool says of its call, on one line.
fn call(shims: &Path, tool: &str, args: &[&str]) -> String {
    let out = Command::new(shims.join(tool)).args(args).output().unwrap();
    assert!(out.status.success(), "{tool}: {}", said(&out));
    String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn musl_cross_lies_as_crosstool_ng_makes_it() {
    if Host::of_this_build() != Some(Host::LinuxX64) {
        crate::support::skip("musl_cross", "it is published for x86-64 Linux only");
        return;
    }
    for target in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"] {
        let dir = tempfile::tempdir().unwrap();
        let tools = ["gcc", "g++", "ar", "ranlib", "strip"];
        let mut files: Vec<String> = tools.iter().map(|t| format!("bin/{target}-{t}")).collect();
        files.push(format!("{target}/sysroot/usr/include/stdio.h"));
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let shims = add("musl-cross", target, &files, dir.path());
        let gcc = call(&shims, "cc", &["-c", "a.c"]);
        assert!(
            gcc.starts_with(&format!("{target}-gcc --sysroot=")),
            "{gcc}"
        );
        assert!(gcc.ends_with(&format!("/{target}/sysroot -c a.c")), "{gcc}");
        assert!(call(&shims, "c++", &["-c", "a.cc"]).starts_with(&format!("{target}-g++ ")));
        assert_eq!(
            call(&shims, "ar", &["cq", "a.a"]),
            format!("{target}-ar cq a.a")
        );
        // As rustc links with its own start-up objects, which stay.
        let objects = ["/r/self-contained/crt1.o", "a.o", "-nostartfiles"];
        assert!(call(&shims, "cc", &objects).ends_with(&objects.join(" ")));
    }
}

/// clang for macOS out of llvm-mingw's release, which has lld by other names than the one that clang looks for.
#[test]
fn llvm_mingws_clang_links_for_macos_too() {
    for (arch, name, minimum) in [("x86_64", "x86_64", "10.12"), ("aarch64", "arm64", "11.0")] {
        let dir = tempfile::tempdir().unwrap();
        stub_sdk(&dir.path().join("home/sdks/MacOSX14.5"));
        let files = [
            "clang",
            "ld.lld",
            "llvm-ar",
            "llvm-ranlib",
            "llvm-strip",
            "llvm-nm",
        ];
        let files: Vec<String> = files.iter().map(|t| format!("bin/{t}")).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let target = format!("{arch}-apple-darwin");
        let shims = add("osxcross-llvm", &target, &files, dir.path());
        let lld = shims.join("ld64.lld");
        let sdk = dir.path().join("home/sdks/MacOSX14.5");
        let begin = format!(
            "clang --target={name}-apple-macosx{minimum} -fuse-ld=lld --ld-path={} ",
            lld.display()
        );
        let linked = call(&shims, "cc", &["a.o"]);
        assert!(linked.starts_with(&begin), "{linked}");
        assert!(
            linked.contains(&format!("-isysroot {}", sdk.display())),
            "{linked}"
        );
        let cxx = call(&shims, "c++", &["-c", "a.cc"]);
        assert!(
            cxx.contains(" --driver-mode=g++ ") && !cxx.contains("--ld-path"),
            "{cxx}"
        );
        assert_eq!(
            call(&shims, "ld64.lld", &["-arch", "arm64", "a.o"]),
            "ld.lld -flavor darwin -arch arm64 a.o"
        );
        assert!(shims.join("osxcross/bin/xcrun").exists() && shims.join("lipo").exists());
    }
}

#[test]
fn llvm_mingw_lies_as_its_release_does() {
    for arch in ["x86_64", "aarch64"] {
        let dir = tempfile::tempdir().unwrap();
        let wrappers = ["clang", "clang++", "dlltool", "windres"];
        let mut files: Vec<String> = wrappers
            .iter()
            .map(|t| format!("bin/{arch}-w64-mingw32-{t}"))
            .collect();
        files.extend(["llvm-ar", "llvm-ranlib", "llvm-strip"].map(|t| format!("bin/{t}")));
        files.push(format!("{arch}-w64-mingw32/include/windows.h"));
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let target = format!("{arch}-pc-windows-gnullvm");
        let shims = add("llvm-mingw", &target, &files, dir.path());
        assert_eq!(
            call(&shims, "cc", &["-c", "a.c"]),
            format!("{arch}-w64-mingw32-clang -c a.c")
        );
        assert_eq!(
            call(&shims, "c++", &["a.o", "-lc++"]),
            format!("{arch}-w64-mingw32-clang++ a.o -Wl,-Bstatic -lc++ -Wl,-Bdynamic")
        );
        assert!(call(&shims, "ar", &["cq"]).starts_with("llvm-ar"));
        assert!(
            call(&shims, "dlltool", &["-d", "x"])
                .starts_with(&format!("{arch}-w64-mingw32-dlltool"))
        );
    }
}
