//! What git knows about a file: two questions, asked only when something is about to be written.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a folder lies in a git checkout: a look at the file system, no process.
fn in_checkout(root: &Path) -> bool {
    root.ancestors().any(|dir| dir.join(".git").exists())
}

/// Whether git tracks `file` (relative to `root`); `None` where git cannot be asked.
pub(super) fn tracks(root: &Path, file: &str) -> Option<bool> {
    if !in_checkout(root) {
        return Some(false);
    }
    status(root, &["ls-files", "--error-unmatch", "--", file])
}

/// Whether git ignores `file` (relative to `root`); `None` where git cannot be asked.
pub(super) fn ignores(root: &Path, file: &str) -> Option<bool> {
    if !in_checkout(root) {
        return Some(true);
    }
    status(root, &["check-ignore", "--quiet", "--", file])
}

fn status(root: &Path, args: &[&str]) -> Option<bool> {
    let status = Command::new("git")
        // A repository's own configuration must not run a program of its choice.
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath="])
        .args(args)
        .current_dir(root)
        // Set while git runs a hook, and then for another folder than ours.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env_remove("GIT_PREFIX")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    match status.code() {
        Some(0) => Some(true),
        Some(1) => Some(false),
        _ => None,
    }
}
