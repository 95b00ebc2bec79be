//! What the compiled-in manifest offers instead: only read on the way to a help line.

use std::path::Path;

use crate::manifest::{BUILT_IN, Family, Manifest, numbers};
use crate::target::Triple;

fn manifest() -> Option<Manifest> {
    Manifest::parse(BUILT_IN, Path::new("")).ok()
}

/// The commands that give static programs where `triple` has glibc: its sibling with musl, and a GCC with glibc's
/// archives.
pub(super) fn static_instead(triple: &Triple) -> Vec<String> {
    let Some(manifest) = manifest() else {
        return Vec::new();
    };
    let musl = triple.as_str().replace("-gnu", "-musl").parse::<Triple>();
    let musl = musl.ok().filter(|musl| manifest.targets.contains_key(musl));
    let gcc = gcc_of(&manifest, triple);
    let musl = musl.map(|musl| format!("xtool add {musl}"));
    let gcc = gcc.map(|name| format!("xtool add {triple} --toolchain {name}"));
    musl.into_iter().chain(gcc).collect()
}

/// A toolchain with GCC for a target.
pub(in crate::shim) fn gcc(triple: &Triple) -> Option<String> {
    gcc_of(&manifest()?, triple).cloned()
}

fn gcc_of<'m>(manifest: &'m Manifest, triple: &Triple) -> Option<&'m String> {
    let is_gcc = |name: &&String| manifest.toolchains[*name].family == Family::Gcc;
    let target = manifest.targets.get(triple)?;
    target.toolchains.iter().find(is_gcc)
}

/// The newest zig that builds for a target.
pub(super) fn newest_zig(triple: &Triple) -> Option<String> {
    let manifest = manifest()?;
    let has_zig = manifest.targets.get(triple)?.tools.contains_key("zig");
    let artifacts = &manifest
        .toolchains
        .get("zig")
        .filter(|_| has_zig)?
        .artifacts;
    let versions = artifacts.iter().filter_map(|a| a.version.as_deref());
    let newest = versions.max_by_key(|v| numbers(v))?;
    Some(newest.to_owned())
}
