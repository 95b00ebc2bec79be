//! What only Apple's SDK has, and zig's linker for macOS.

use super::{after, quoted};
use crate::shim::Spec;
use crate::target::TargetOs;

/// A framework, or a header of one. zig: `unable to find framework 'Foundation'`; ld64.lld: `framework not found for
/// -framework Foundation`; Apple's ld: `framework not found Foundation`.
pub(super) fn framework(spec: &Spec, line: &str) -> Option<String> {
    if spec.triple.os() != TargetOs::MacOs {
        return None;
    }
    let name = quoted(line, "unable to find framework ")
        .or_else(|| quoted(line, "unable to find system framework "))
        .or_else(|| after(line, "framework not found for -framework "))
        .or_else(|| after(line, "framework not found "))
        .or_else(|| header_of_framework(line))?;
    Some(of_apple(spec, name))
}

/// What only Apple's SDK has.
pub(super) fn of_apple(spec: &Spec, name: &str) -> String {
    let triple = &spec.triple;
    match &spec.sdk {
        None => format!(
            "`{name}` is part of Apple's SDK, which this toolchain does not have: xtool sdk import PATH && xtool add {triple}"
        ),
        Some(sdk) => format!(
            "the macOS {} SDK of this project has no `{name}`: check its spelling, or take another SDK: xtool sdk import PATH && xtool add {triple} --sdk NAME",
            sdk.version
        ),
    }
}

/// `'Foundation/Foundation.h' file not found`
fn header_of_framework(line: &str) -> Option<&str> {
    let (before, _) = line.split_once("' file not found")?;
    let header = before.rsplit('\'').next()?;
    let (framework, file) = header.split_once('/')?;
    let stem = file.strip_suffix(".h")?;
    (framework == stem || framework == "CommonCrypto").then_some(framework)
}
