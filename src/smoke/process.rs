//! Runs a program without input and never longer than a limit.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Exit status 0, in time.
    pub success: bool,
    /// Its data.
    pub stdout: String,
    stderr: String,
    how: String,
}

impl Ended {
    /// The command's name, how it ended and the last lines that it wrote.
    pub fn said(&self, command: &Command) -> String {
        let name = Path::new(command.get_program());
        let name = name.file_name().unwrap_or(name.as_os_str());
        let mut out = format!("`{}` {}", name.display(), self.how);
        let lines: Vec<&str> = self
            .stderr
            .lines()
            .filter(|l| !l.trim().is_empty())
            .collect();
        for line in &lines[lines.len().saturating_sub(8)..] {
            out.push('\n');
            out.extend(
                line.chars()
                    .filter(|c| !c.is_control() || *c == '\t')
                    .take(400),
            );
        }
        out
    }
}

/// Runs it; `scratch` is for what it writes, so that no amount of it can block.
pub fn run(command: &mut Command, scratch: &Path, limit: Duration) -> io::Result<Ended> {
    let out = tempfile::NamedTempFile::new_in(scratch)?;
    let err = tempfile::NamedTempFile::new_in(scratch)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out.reopen()?)
        .stderr(err.reopen()?)
        .spawn()?;
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    let (success, how) = loop {
        if let Some(status) = child.try_wait()? {
            break (status.success(), format!("ended with {status}"));
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            break (false, format!("took longer than {} s", limit.as_secs()));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    let text = |path: &Path| fs_err::read(path).map(|b| String::from_utf8_lossy(&b).into_owned());
    Ok(Ended {
        success,
        stdout: text(out.path())?,
        stderr: text(err.path())?,
        how,
    })
}
