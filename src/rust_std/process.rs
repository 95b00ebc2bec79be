//! Runs rustc, cargo and rustup: in the project's root, without input, and never longer than a limit.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use url::Url;

use super::Context;

/// What a program left behind.
pub(super) struct Output {
    /// Exit status 0.
    pub(super) success: bool,
    /// Its data.
    pub(super) stdout: String,
    stderr: String,
}

impl Output {
    /// The last lines that it wrote for people, without credentials.
    pub(super) fn last_words(&self) -> String {
        let lines: Vec<&str> = self
            .stderr
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        // From the last error on; what came before it is progress.
        let error = lines.iter().rposition(|l| l.starts_with("error"));
        let from = error.unwrap_or(lines.len().saturating_sub(5));
        let last = &lines[from..lines.len().min(from + 5)];
        if last.is_empty() {
            return "it said nothing".to_owned();
        }
        last.iter()
            .map(|l| redact(l))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// Addresses in a line, without user names, passwords and queries; control characters go.
fn redact(line: &str) -> String {
    line.split(' ')
        .map(|word| {
            let start = word.find("://").and_then(|i| {
                word[..i]
                    .rfind(|c: char| !c.is_ascii_alphanumeric())
                    .map(|j| j + 1)
                    .or(Some(0))
            });
            match start {
                Some(start) => {
                    let end = word[start..]
                        .find(['\'', '"', '`', ')', '>', ','])
                        .map_or(word.len(), |i| start + i);
                    match Url::parse(&word[start..end]) {
                        Ok(url) => format!(
                            "{}{}{}",
                            &word[..start],
                            crate::pin::redacted(&url),
                            &word[end..]
                        ),
                        Err(_) => "…".to_owned(),
                    }
                }
                None => word.to_owned(),
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect()
}

/// Looks a program up on the context's `PATH`; a name with a separator is taken as it is, from the root.
pub(super) fn which(name: &Path, context: Context<'_>) -> Option<PathBuf> {
    let is_program = |path: &Path| -> bool {
        let Ok(meta) = fs_err::metadata(path) else {
            return false;
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            meta.is_file() && meta.permissions().mode() & 0o111 != 0
        }
        #[cfg(not(unix))]
        {
            meta.is_file()
        }
    };
    let candidates = |folder: &Path| {
        let plain = folder.join(name);
        let mut exe = plain.clone().into_os_string();
        exe.push(std::env::consts::EXE_SUFFIX);
        [PathBuf::from(exe), plain]
    };
    if name.components().count() > 1 {
        return candidates(context.project.root())
            .into_iter()
            .find(|p| is_program(p));
    }
    let path = (context.env)("PATH")?;
    std::env::split_paths(&path)
        // An empty or relative part would be the project's folder.
        .filter(|dir| dir.is_absolute())
        .flat_map(|dir| candidates(&dir))
        .find(|p| is_program(p))
}

/// Runs a program; the error says in words why there is no output. Its output goes to files, so that a grandchild
/// that keeps a pipe open cannot hold us up.
pub(super) fn run(
    program: &Path,
    args: &[&str],
    context: Context<'_>,
    limit: Duration,
) -> Result<Output, String> {
    let io = |e: std::io::Error| e.to_string();
    let mut stdout = tempfile::tempfile().map_err(io)?;
    let mut stderr = tempfile::tempfile().map_err(io)?;
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(context.project.root())
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().map_err(io)?)
        .stderr(stderr.try_clone().map_err(io)?)
        // A question about rustc must not make rustup fetch a toolchain.
        .env("RUSTUP_AUTO_INSTALL", "0")
        // Its last lines go into our error: they are to be the cause, not a stack.
        .env("RUST_BACKTRACE", "0");
    if let Some(path) = (context.env)("PATH") {
        command.env("PATH", path);
    }
    crate::interrupt::watch();
    let mut child = command
        .spawn()
        .map_err(|e| format!("`{}` cannot be started: {e}", program.display()))?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(io)? {
            break status;
        }
        if start.elapsed() >= limit {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("it did not end within {} seconds", limit.as_secs()));
        }
        // A version is told in 15 ms, a download takes minutes.
        let pause =
            (start.elapsed() / 8).clamp(Duration::from_millis(1), Duration::from_millis(50));
        std::thread::sleep(pause);
    };
    Ok(Output {
        success: status.success(),
        stdout: text(&mut stdout).map_err(io)?,
        stderr: text(&mut stderr).map_err(io)?,
    })
}

/// What was written to a file, at most 1 MiB of it.
fn text(file: &mut (impl Read + Seek)) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(1 << 20).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F67: rustup names its server; a password in that address stays out of our messages.
    #[test]
    fn credentials_are_taken_out_of_last_words() {
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr: "info: downloading\nerror: could not download file from 'https://me:secret@mirror.example/dist?t=1' to '/x'\n"
                .to_owned(),
        };
        let words = output.last_words();
        assert!(
            !words.contains("secret") && !words.contains("t=1"),
            "{words}"
        );
        assert!(
            words.contains("'https://mirror.example/dist?…' to '/x'"),
            "{words}"
        );
    }
}
