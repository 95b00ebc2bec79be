//! [`Lock`] to text: sorted, one source or package a line, so that a diff shows what changed.

use std::fmt::Write as _;

use super::{Lock, LockKey, VERSION};
use crate::archive::Archive;
use crate::manifest::Family;
use crate::pin::{AptPackage, Pin, PinnedSource};
use crate::project::splice::string_text;

impl Lock {
    /// The file's text: the same for the same content, on every machine.
    pub fn render(&self) -> String {
        let mut out = format!(
            "# Exact toolchains for every target and host. Written by xtool: commit it, and let `xtool update` change it.\n\
             version = {VERSION}\n"
        );
        for (key, pin) in &self.entries {
            entry(&mut out, key, pin);
        }
        out
    }
}

fn entry(out: &mut String, key: &LockKey, pin: &Pin) {
    out.push_str("\n[[entry]]\n");
    let mut line = |key: &str, value: &str| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "{key} = {}", string_text(value));
    };
    line("target", key.triple.as_str());
    line("host", key.host.rustc_triple());
    if let Some(distribution) = &key.distribution {
        line("distribution", &distribution.to_string());
    }
    line("toolchain", &pin.toolchain);
    line("version", &pin.version);
    line("family", family(pin.family));
    out.push_str("sources = [\n");
    for source in &pin.sources {
        match source {
            PinnedSource::Url {
                url,
                archive,
                root,
                minisign,
            } => {
                // The file is committed: the manifest, or the user's own settings, know the credentials.
                let mut url = url.clone();
                if !url.username().is_empty() || url.password().is_some() {
                    // Cannot fail: an address with a user name has a host.
                    let _ = url.set_username("");
                    let _ = url.set_password(None);
                }
                let mut fields = vec![("url", url.to_string())];
                fields.extend(root.clone().map(|r| ("root", r)));
                fields.extend(minisign.clone().map(|m| ("minisign", m)));
                plain(out, &fields, archive);
            }
            PinnedSource::Pypi {
                package,
                archive,
                root,
            } => {
                let mut fields = vec![("pypi", package.clone())];
                fields.extend(root.clone().map(|r| ("root", r)));
                plain(out, &fields, archive);
            }
            PinnedSource::Path {
                path,
                archive,
                root,
            } => {
                let mut fields = vec![("path", path.to_string_lossy().into_owned())];
                fields.extend(root.clone().map(|r| ("root", r)));
                plain(out, &fields, archive);
            }
            PinnedSource::Apt {
                distribution,
                packages,
            } => {
                let apt = string_text(&distribution.to_string());
                let _ = writeln!(out, "  {{ apt = {apt}, packages = [");
                let mut packages: Vec<&AptPackage> = packages.iter().collect();
                packages.sort_by(|a, b| {
                    (&a.name, &a.architecture, &a.version).cmp(&(
                        &b.name,
                        &b.architecture,
                        &b.version,
                    ))
                });
                for p in packages {
                    let _ = writeln!(
                        out,
                        "    {{ name = {}, version = {}, architecture = {}, {} }},",
                        string_text(&p.name),
                        string_text(&p.version),
                        string_text(&p.architecture),
                        pinned(&p.archive)
                    );
                }
                out.push_str("  ] },\n");
            }
        }
    }
    out.push_str("]\n");
}

fn plain(out: &mut String, fields: &[(&str, String)], archive: &Archive) {
    let mut parts: Vec<String> = fields
        .iter()
        .map(|(k, v)| format!("{k} = {}", string_text(v)))
        .collect();
    parts.insert(1, pinned(archive));
    let _ = writeln!(out, "  {{ {} }},", parts.join(", "));
}

fn pinned(archive: &Archive) -> String {
    let mut out = format!(
        "file = {}, sha256 = \"{}\"",
        string_text(&archive.file),
        archive.sha256
    );
    if let Some(size) = archive.size {
        let _ = write!(out, ", size = {size}");
    }
    out
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Zig => "zig",
        Family::Gcc => "gcc",
        Family::Clang => "clang",
    }
}
