//! The version of the rules follows what they do to compilations: two xtools that compile otherwise are two compilers
//! to a compile cache.

use std::fmt::Write as _;
use std::path::Path;

use xtool::digest::Sha256;
use xtool::manifest::{Family, Manifest};
use xtool::shim::rules::{self, VERSION};
use xtool::shim::{Environment, Sdk, Tool};
use xtool::target::Host;
use xtool::variant::{self, Options, Place};

/// What compilations came to, by the version of the rules. Where the digest is another, the rules give compilers other
/// arguments: raise `VERSION` in `src/shim/rules.rs` and write the pair here.
const KNOWN: (u32, &str) = (
    7,
    "475615c444a41345a3055fb1f8b0a71660a8b0cddbb7d1b54e63046019ef78db",
);

/// What compile caches see: one source, one object.
const COMPILATIONS: [&str; 41] = [
    "-c a.c",
    "-c a.c -o a.o -O2 -g -fPIC",
    "-c a.S",
    "-c a.s",
    "-E a.c",
    "-E -x assembler-with-cpp a.in",
    "-S a.c",
    "-c a.m",
    "-c a.cc -std=c++17",
    "-x c -c -",
    "-MD -MF a.d -MT a.o -c a.c",
    "-c a.c --target=arm64-apple-macosx12.0",
    "-c a.c -target x86_64-unknown-linux-gnu",
    "-c a.c -mmacosx-version-min=12.0 -isysroot /sdk",
    "-c a.c -arch arm64",
    "-c a.c -march=armv8-a+crc",
    "-c a.c -march=x86-64-v3",
    "-c a.c -march=rv64gcv_zbb",
    "-c a.c -march=native",
    "-c a.c -mcpu=cortex-a53",
    "-c a.c -mcpu=power9",
    "-c a.c -mtune=generic",
    "-c a.c -O3 -mtune=haswell",
    "-c a.c -mfpu=neon-vfpv4",
    "-c a.c -mavx2 -mno-sse4.1",
    "-c a.c -Wp,-DVALUE=3",
    "-c a.c -Wp,-MD,a.d",
    "-c a.c -Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=2",
    "-c a.c -Xpreprocessor -DX=1",
    "-c a.c -Wa,--noexecstack",
    "-c a.c -fuse-ld=lld -B/r/gcc-ld",
    "-c a.c -pthread -fopenmp",
    "-c a.c -mwindows -municode",
    "-c a.c -static -static-pie",
    "-c a.c -fsanitize=undefined",
    "-c a.c -flto",
    "-c a.c -flto=auto -ffat-lto-objects",
    "-c a.c -u main -e start",
    "-c a.c -DNAME=\"a_b\" -I. -isystem /i -include b.h",
    "-fsyntax-only a.c",
    "-dM -E -",
];

#[test]
fn the_version_of_the_rules_follows_what_they_do() {
    let manifest = Manifest::load(None).unwrap();
    let mut text = String::new();
    for target in manifest.targets.values() {
        for (name, tools) in &target.tools {
            let toolchain = &manifest.toolchains[name];
            let versions: &[&str] = match toolchain.family {
                Family::Zig => &["0.15.2", "0.16.0", "0.17.1"],
                Family::Gcc | Family::Clang => &["12.2.0"],
            };
            for version in versions {
                let place = Place {
                    root: Path::new("/t"),
                    version,
                    zig_cache: Path::new("/c"),
                    host: Host::LinuxX64,
                };
                let sdk = (toolchain.family == Family::Clang).then(|| Sdk {
                    path: "/sdk".into(),
                    version: "14.5".into(),
                    id: None,
                });
                let options = Options {
                    sdk,
                    ..Options::default()
                };
                let spec = variant::spec(target, toolchain, tools, place, &options).unwrap();
                for line in COMPILATIONS {
                    for tool in [Tool::Cc, Tool::Cxx] {
                        let args = line.split(' ').map(Into::into).collect();
                        let env = Environment::default();
                        let done = rules::rewrite(&spec, Path::new("/v"), tool, args, &env);
                        let done = done.map_err(|e| e.to_string());
                        let _ = writeln!(
                            text,
                            "{} {name} {version} {tool:?} {line}: {done:?}",
                            target.triple
                        );
                    }
                }
            }
        }
    }
    let digest = Sha256::of(text.as_bytes()).to_string();
    let found = (VERSION, digest.as_str());
    assert_eq!(
        found, KNOWN,
        "raise VERSION in src/shim/rules.rs, and write the pair here"
    );
}
