//! A Meson cross file for a target's shims. Pure.
//!
//! Keys and values are those of Meson's documentation, "Machine files" and "Reference tables".

use std::fmt::Write as _;
use std::path::Path;

use super::{PkgConfig, shim};
use crate::shim::{Spec, Tool, tools_of};
use crate::target::{TargetOs, Triple};

/// The text of the file, for `meson setup --cross-file`. `shims` is the variant's folder, absolute.
pub fn cross_file(spec: &Spec, shims: &Path) -> String {
    let triple = &spec.triple;
    let tools = tools_of(spec);
    let mut out = format!("# {triple}, written by xtool.\n[binaries]\n");
    for (tool, key) in [
        (Tool::Cc, "c"),
        (Tool::Cxx, "cpp"),
        (Tool::Ar, "ar"),
        (Tool::Ranlib, "ranlib"),
        (Tool::Strip, "strip"),
        (Tool::Windres, "windres"),
        (Tool::Dlltool, "dlltool"),
        (Tool::Run, "exe_wrapper"),
    ] {
        if tools.contains(&tool) {
            let path = shim(shims, tool);
            let _ = writeln!(out, "{key} = {}", quoted(&path.to_string_lossy()));
        }
    }
    // The host's own pkg-config serves, once it is kept from the host's libraries.
    out.push_str("pkgconfig = 'pkg-config'\npkg-config = 'pkg-config'\n\n[properties]\n");
    let _ = writeln!(out, "needs_exe_wrapper = {}", tools.contains(&Tool::Run));
    let pkg_config = PkgConfig::of(spec, shims);
    let folders: Vec<String> = pkg_config
        .folders
        .iter()
        .map(|folder| quoted(&folder.to_string_lossy()))
        .collect();
    let _ = writeln!(out, "pkg_config_libdir = [{}]", folders.join(", "));
    // Meson's `PKG_CONFIG_SYSROOT_DIR` (its documentation, "Machine files, Properties").
    if let Some(root) = &pkg_config.root {
        let _ = writeln!(out, "sys_root = {}", quoted(&root.to_string_lossy()));
    }
    let (family, cpu) = cpu(triple);
    let _ = write!(
        out,
        "\n[host_machine]\nsystem = '{}'\ncpu_family = '{family}'\ncpu = '{cpu}'\nendian = '{}'\n",
        system(triple),
        if is_big_endian(triple) {
            "big"
        } else {
            "little"
        }
    );
    out
}

fn system(triple: &Triple) -> &'static str {
    match triple.os() {
        TargetOs::Linux => "linux",
        TargetOs::Windows => "windows",
        TargetOs::MacOs => "darwin",
        TargetOs::Wasi | TargetOs::Other => "none",
    }
}

/// Meson's family, and the finer name.
fn cpu(triple: &Triple) -> (&str, &str) {
    match triple.arch() {
        "i686" => ("x86", "i686"),
        "i586" => ("x86", "i586"),
        "riscv64gc" => ("riscv64", "riscv64"),
        "powerpc64le" => ("ppc64", "ppc64le"),
        "powerpc64" => ("ppc64", "ppc64"),
        "powerpc" => ("ppc", "ppc"),
        "mipsel" => ("mips", "mipsel"),
        "mips64el" => ("mips64", "mips64el"),
        arch if arch.starts_with("arm") || arch.starts_with("thumb") => ("arm", arch),
        arch => (arch, arch),
    }
}

fn is_big_endian(triple: &Triple) -> bool {
    matches!(
        triple.arch(),
        "s390x" | "powerpc" | "powerpc64" | "mips" | "mips64" | "sparc64"
    )
}

/// A string literal (Meson's documentation, "Syntax, Strings").
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;
    use crate::shim::Runner;

    #[test]
    fn a_windows_file_names_machine_tools_and_runner() {
        let mut spec = Spec::new(
            "x86_64-pc-windows-gnu".parse().unwrap(),
            Family::Gcc,
            "/t".into(),
        );
        spec.tools.cc = Some("/t/gcc".into());
        spec.runner = Runner::named("wine", None);
        let text = cross_file(&spec, Path::new("/it's"));
        for line in [
            "system = 'windows'",
            "cpu_family = 'x86_64'",
            "endian = 'little'",
            "needs_exe_wrapper = true",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
        assert!(!text.contains("cpp ="), "{text}");
        if cfg!(unix) {
            assert!(text.contains(r"c = '/it\'s/cc'"), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn pkg_config_looks_where_the_variables_say() {
        let mut spec = Spec::new(
            "aarch64-unknown-linux-gnu".parse().unwrap(),
            Family::Gcc,
            "/t".into(),
        );
        spec.sysroot = Some("/t/usr/aarch64-linux-gnu".into());
        let text = cross_file(&spec, Path::new("/s"));
        let folders = "['/t/usr/lib/aarch64-linux-gnu/pkgconfig', '/t/usr/aarch64-linux-gnu/lib/pkgconfig', \
                       '/t/usr/aarch64-linux-gnu/share/pkgconfig']";
        for line in [
            format!("pkg_config_libdir = {folders}"),
            "sys_root = '/t'".to_owned(),
        ] {
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
    }

    #[test]
    fn big_endian_machines_are_told_apart() {
        let spec = Spec::new(
            "s390x-unknown-linux-gnu".parse().unwrap(),
            Family::Gcc,
            "/t".into(),
        );
        assert!(cross_file(&spec, Path::new("/s")).contains("endian = 'big'"));
    }
}
