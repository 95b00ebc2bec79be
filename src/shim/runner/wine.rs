//! wine: Windows programs. An old one gets the DLL that Rust's std needs.
//!
//! Since Rust 1.78 std imports `ProcessPrng` from `bcryptprimitives.dll`, which wine lacks before version 9: programs
//! die at load with status 0xc0000135 and say nothing. A small DLL with that function, on `WINEPATH`, is enough; the
//! variant's own compiler builds it at the first need.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use super::which;
use crate::digest::Sha256;
use crate::owner;
use crate::shim::{Invocation, ShimError, Spec, Tool};

/// Debian's loader of 64-bit programs, which its package `wine64` has and no link in PATH leads to.
pub const DEBIAN_WINE64: &str = "/usr/lib/wine/wine64";

const DLL: &str = "bcryptprimitives.dll";

/// `ProcessPrng` fills a buffer with random bytes and always succeeds (Microsoft's documentation of
/// `bcryptprimitives.dll`); `RtlGenRandom` is advapi32's `SystemFunction036`.
const DLL_SOURCE: &str = r"
unsigned char __stdcall SystemFunction036(void *, unsigned long);

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *data, __SIZE_TYPE__ length)
{
    while (length > 0) {
        unsigned long part = length > 0x40000000 ? 0x40000000 : (unsigned long)length;
        if (!SystemFunction036(data, part))
            return 0;
        data += part;
        length -= part;
    }
    return 1;
}
";
/// What it exports on a CPU where stdcall has names of its own.
const DLL_EXPORTS: &str = "EXPORTS\n  ProcessPrng=ProcessPrng@8\n";

pub(super) fn plan(
    spec: &Spec,
    variant: &Path,
    args: Vec<OsString>,
) -> Result<Invocation, ShimError> {
    check_machine(spec)?;
    let wine = find(spec)?;
    let cache = cache_folder(variant);
    let mut invocation = Invocation::new(&wine, args);
    if crate::env_vars::non_empty("WINEDEBUG").is_none() {
        invocation.set("WINEDEBUG", "-all");
    }
    let version = version_of(&wine, &cache);
    if let Some(version) = version.filter(|v| lacks_process_prng(v)) {
        let folder = dll_folder(spec, variant, &cache, &version)?;
        invocation.set("WINEPATH", wine_path(&folder, std::env::var_os("WINEPATH")));
    }
    Ok(invocation)
}

/// wine translates no instructions: the program's CPU must be the machine's.
fn check_machine(spec: &Spec) -> Result<(), ShimError> {
    let host = std::env::consts::ARCH;
    let target = spec.triple.arch();
    if target == host || (host == "x86_64" && matches!(target, "i686" | "i586")) {
        return Ok(());
    }
    Err(ShimError::NoRunner {
        triple: spec.triple.clone(),
        wanted: format!("wine on this machine runs {host} programs, not {target} ones"),
        help: "run it on Windows, or set `runner` in xtool.toml".to_owned(),
    })
}

/// The wine to run. For 64-bit programs Debian's `wine` is a script that first asks, each time and on stderr, for a
/// 32-bit wine; the loader behind it is taken where it is there.
fn find(spec: &Spec) -> Result<PathBuf, ShimError> {
    let is_32_bit = matches!(spec.triple.arch(), "i686" | "i586");
    let missing = |wanted: &str, help: &str| ShimError::NoRunner {
        triple: spec.triple.clone(),
        wanted: wanted.to_owned(),
        help: help.to_owned(),
    };
    let debian = Some(PathBuf::from(DEBIAN_WINE64)).filter(|p| super::is_program(p));
    let found = which("wine").or_else(|| which("wine-stable"));
    let is_debians = |path: &Path| {
        fs_err::canonicalize(path).is_ok_and(|real| {
            ["/usr/bin/wine", "/usr/bin/wine-stable"]
                .iter()
                .any(|script| real == Path::new(script))
        })
    };
    if is_32_bit {
        let lacks_32 = debian.is_some() && !Path::new("/usr/lib/wine/wine").exists();
        return match found {
            Some(path) if !(lacks_32 && is_debians(&path)) => Ok(path),
            _ => Err(missing(
                "a 32-bit wine is wanted, and none is installed",
                "`dpkg --add-architecture i386 && apt-get update && apt-get install wine32:i386`",
            )),
        };
    }
    match (found, debian) {
        (Some(path), Some(debian)) if is_debians(&path) => Ok(debian),
        (Some(path), _) => Ok(path),
        (None, debian) => which("wine64").or(debian).ok_or_else(|| {
            missing(
                "none of `wine`, `wine-stable`, `wine64` is in PATH",
                "`apt-get install wine64` (Fedora: `dnf install wine-core`, macOS: `brew install wine-stable`), or set \
                 `runner` in xtool.toml",
            )
        }),
    }
}

/// Where this module keeps its files: beside the shims, shared by all variants.
fn cache_folder(variant: &Path) -> PathBuf {
    let home = variant.parent().and_then(Path::parent).unwrap_or(variant);
    home.join("wine")
}

/// What `wine --version` says, asked once for each state of the program's file. `None` when it does not say.
fn version_of(wine: &Path, cache: &Path) -> Option<String> {
    let facts = fs_err::metadata(wine).ok()?;
    let changed = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let key = format!(
        "{}\n{}\n{}",
        wine.display(),
        facts.len(),
        changed.as_nanos()
    );
    let file = cache.join(format!("version-{}", Sha256::of(key.as_bytes()).short()));
    if let Ok(version) = fs_err::read_to_string(&file) {
        return Some(version);
    }
    let output = Command::new(wine).arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if version.is_empty() {
        return None;
    }
    // An answer that cannot be kept is asked for again.
    let _ = keep(cache, &file, version.as_bytes());
    Some(version)
}

/// Writes a file by rename.
fn keep(folder: &Path, file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    owner::create_dir_all(folder)?;
    let staged = tempfile::NamedTempFile::new_in(folder)?;
    fs_err::write(staged.path(), bytes)?;
    staged.persist(file)?;
    Ok(())
}

/// `wine-8.0 (Debian 8.0~repack-4)`: older than 9.
fn lacks_process_prng(version: &str) -> bool {
    version
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major < 9)
}

/// The folder with the DLL for the target's CPU, built by the variant's own `cc` when it is not there. Two builds at
/// once each rename the same content into place.
fn dll_folder(spec: &Spec, variant: &Path, cache: &Path, wine: &str) -> Result<PathBuf, ShimError> {
    let arch = spec.triple.arch();
    let source_digest = Sha256::of(DLL_SOURCE.as_bytes()).short();
    let folder = cache.join(format!("{arch}-{source_digest}"));
    if folder.join(DLL).is_file() {
        return Ok(folder);
    }
    build(spec, variant, &folder).map_err(|said| ShimError::WineDll {
        wine: wine.to_owned(),
        folder: folder.clone(),
        said,
    })?;
    Ok(folder)
}

fn build(spec: &Spec, variant: &Path, folder: &Path) -> Result<(), String> {
    let io = |e: std::io::Error| e.to_string();
    owner::create_dir_all(folder).map_err(io)?;
    let staging = tempfile::Builder::new()
        .prefix(".staged-")
        .tempdir_in(folder)
        .map_err(io)?;
    let source = staging.path().join("dll.c");
    fs_err::write(&source, DLL_SOURCE).map_err(io)?;
    let made = staging.path().join(DLL);
    let cc = variant.join(format!(
        "{}{}",
        Tool::Cc.name(),
        std::env::consts::EXE_SUFFIX
    ));
    let mut command = Command::new(&cc);
    command
        .args(["-shared", "-O2", "-s", "-o"])
        .arg(&made)
        .arg(&source);
    if spec.triple.arch().starts_with('i') {
        // stdcall's `@8` is not a part of the exported name. GNU ld has `--kill-at` for that, zig does not take it.
        let exports = staging.path().join("dll.def");
        fs_err::write(&exports, DLL_EXPORTS).map_err(io)?;
        command.arg(exports);
    }
    let output = command
        .arg("-ladvapi32")
        .output()
        .map_err(|e| format!("`{}`: {e}", cc.display()))?;
    if !output.status.success() || !made.is_file() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(text.lines().take(3).collect::<Vec<_>>().join("; "));
    }
    // The linker made it after the umask, and Windows programs will load it.
    let ours = staging.path().join("ours.dll");
    owner::copy(&made, &ours).map_err(io)?;
    fs_err::rename(&ours, folder.join(DLL)).map_err(io)
}

/// `WINEPATH` is a list for Windows, divided by `;`.
fn wine_path(folder: &Path, before: Option<OsString>) -> OsString {
    let mut out = folder.as_os_str().to_owned();
    if let Some(before) = before.filter(|b| !b.is_empty()) {
        out.push(OsStr::new(";"));
        out.push(before);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wines_before_nine_lack_it() {
        for (version, lacks) in [
            ("wine-8.0 (Debian 8.0~repack-4)", true),
            ("wine-6.0.3", true),
            ("wine-9.0", false),
            ("wine-10.2 (Staging)", false),
            ("nonsense", false),
        ] {
            assert_eq!(lacks_process_prng(version), lacks, "{version}");
        }
    }

    #[test]
    fn the_users_path_stays() {
        let path = |before: Option<&str>| wine_path(Path::new("/d"), before.map(Into::into));
        assert_eq!(path(Some("C:\\x")), "/d;C:\\x");
        assert_eq!(path(Some("")), "/d");
        assert_eq!(path(None), "/d");
    }

    #[test]
    fn files_lie_beside_the_shims() {
        assert_eq!(
            cache_folder(Path::new("/home/shims/v")),
            Path::new("/home/wine")
        );
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn another_cpus_programs_are_refused() {
        let spec = Spec::new(
            "aarch64-pc-windows-gnullvm".parse().unwrap(),
            crate::manifest::Family::Zig,
            "/z".into(),
        );
        let error = check_machine(&spec).unwrap_err();
        assert!(error.to_string().contains("not aarch64 ones"), "{error}");
    }
}
