//! Which toolchains running programs hold: what a build that started before a `remove` or an `update` still needs.
//!
//! A compiler runs from the toolchain's folder. rustc and build scripts have been told of a shim, in their arguments or
//! variables. All of that the system tells of every process of this user; of another user's at least the arguments.

use std::path::{Path, PathBuf};

/// Says of one id after the other whether a running program names it.
#[derive(Debug)]
pub(super) struct Running {
    /// What each process says of itself: its program, folder, arguments and variables.
    processes: Vec<Vec<u8>>,
}

impl Running {
    /// A look at every process but this one.
    pub(super) fn look() -> Self {
        Self {
            processes: processes(),
        }
    }

    /// Whether a process runs from one of these folders or was told of one. `prefixes` are paths, or beginnings of
    /// paths. Processes were told of a path as the user wrote it; the system tells of one without links and `.`.
    pub(super) fn hold(&self, prefixes: &[&Path]) -> bool {
        prefixes
            .iter()
            .any(|given| self.name(given) || canonical(given).is_some_and(|path| self.name(&path)))
    }

    fn name(&self, prefix: &Path) -> bool {
        let prefix = prefix.as_os_str().as_encoded_bytes();
        self.processes
            .iter()
            .any(|p| p.windows(prefix.len()).any(|w| w == prefix))
    }
}

/// The same without links and `.`; the last name may be the beginning of one.
fn canonical(path: &Path) -> Option<PathBuf> {
    let folder = fs_err::canonicalize(path.parent()?).ok()?;
    Some(folder.join(path.file_name()?))
}

#[cfg(target_os = "linux")]
fn processes() -> Vec<Vec<u8>> {
    let own = std::process::id().to_string();
    let Ok(entries) = fs_err::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|e| {
            let name = e.file_name();
            let name = name.as_encoded_bytes();
            name.iter().all(u8::is_ascii_digit) && name != own.as_bytes()
        })
        .map(|e| {
            let mut said = Vec::new();
            // A process that ends meanwhile, or is another user's, says less.
            for link in ["exe", "cwd"] {
                if let Ok(path) = fs_err::read_link(e.path().join(link)) {
                    said.extend_from_slice(path.as_os_str().as_encoded_bytes());
                    said.extend_from_slice(b"/\0");
                }
            }
            for file in ["cmdline", "environ"] {
                if let Ok(bytes) = fs_err::read(e.path().join(file)) {
                    said.extend_from_slice(&bytes);
                    said.push(0);
                }
            }
            said
        })
        .collect()
}

/// Elsewhere on Unix `ps` knows the arguments (POSIX.1-2024, `ps`).
#[cfg(all(unix, not(target_os = "linux")))]
fn processes() -> Vec<Vec<u8>> {
    let output = std::process::Command::new("/bin/ps")
        .args(["-A", "-w", "-w", "-o", "args="])
        .stdin(std::process::Stdio::null())
        .output();
    let lines = output.map(|o| o.stdout).unwrap_or_default();
    lines.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

/// Windows refuses to rename a folder that a program runs from.
#[cfg(not(unix))]
fn processes() -> Vec<Vec<u8>> {
    Vec::new()
}
