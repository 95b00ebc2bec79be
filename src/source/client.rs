//! Runs a package client of the system: bounded in time and output, in a folder of ours, without a terminal.
//!
//! A client never runs in the user's project, where a `pip.py` or an `apt.conf` could wait for it.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::Context;
use crate::disk;
use crate::owner;

/// Output kept of one stream, in bytes. Lists of a few hundred packages are a hundredth of it.
const STDOUT_LIMIT: usize = 16 << 20;
const STDERR_LIMIT: usize = 64 << 10;
/// Lines of a failing client that an error repeats.
const TAIL_LINES: usize = 6;
/// How folders for clients are named, and from which age one that is there still was left by a dead process.
const FOLDER_PREFIX: &str = "client-";
const FOLDER_AGE: Duration = Duration::from_hours(48);
/// Less than that on the disk for so long, and the client has no way on: `apt-get update` then waits for ever.
const NO_ROOM: u64 = 64 << 10;
const NO_ROOM_FOR: Duration = Duration::from_secs(2);
/// How long a pipe that an orphan of the client holds open is waited for.
const DRAIN: Duration = Duration::from_secs(2);

/// Why a client gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It could not be started.
    #[error("Cannot start `{}`", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It took too long and was stopped.
    #[error("`{program}` did not end within {seconds} s and was stopped")]
    Timeout {
        /// The program's name and what it was asked.
        program: String,
        /// Seconds that it had.
        seconds: u64,
    },
    /// The disk that it works on is full; it was stopped, or failed.
    #[error("`{program}` has filled the disk of `{}`", folder.display())]
    DiskFull {
        /// The program's name and what it was asked.
        program: String,
        /// The folder of ours that it was to work in.
        folder: PathBuf,
        /// As for any other full disk.
        #[source]
        source: io::Error,
    },
    /// It ended with an error.
    #[error("`{program}` failed ({status}){}", tail(stderr))]
    Failed {
        /// The program's name and what it was asked.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to stderr, without credentials.
        stderr: String,
    },
    /// It wrote more than any answer is long.
    #[error("`{program}` wrote more than {limit} bytes")]
    TooLong {
        /// The program's name and what it was asked.
        program: String,
        /// Bytes.
        limit: usize,
    },
    /// The work that wanted the answer was given up.
    #[error("`{program}` was stopped, as its answer is no longer wanted")]
    Cancelled {
        /// The program's name and what it was asked.
        program: String,
    },
    /// Its folder could not be made.
    #[error("Cannot make the folder for `{program}`")]
    Folder {
        /// The program's name and what it was asked.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ClientError {
    /// What the client wrote to stderr, when it ran to its end.
    pub fn stderr(&self) -> &str {
        match self {
            Self::Failed { stderr, .. } => stderr,
            _ => "",
        }
    }
}

/// Tells clients that their answers are no longer wanted.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    flags: Vec<Arc<AtomicBool>>,
    own: Arc<AtomicBool>,
}

impl Cancel {
    /// Stops every client that was started with this, or with a child of it.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// One that also stops when this does, and a guard that stops it when dropped.
    pub(super) fn child(&self) -> (Self, CancelOnDrop) {
        let mut flags = self.flags.clone();
        flags.push(Arc::clone(&self.own));
        let child = Self {
            flags,
            own: Arc::default(),
        };
        (child.clone(), CancelOnDrop(Some(child)))
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.flags
            .iter()
            .chain([&self.own])
            .any(|f| f.load(Ordering::Relaxed))
    }
}

/// Cancels when the future that waits for a client is dropped.
pub(super) struct CancelOnDrop(Option<Cancel>);

impl CancelOnDrop {
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(cancel) = &self.0 {
            cancel.cancel();
        }
    }
}

/// What a client wrote before it ended well. Bytes that are no UTF-8 are replaced.
#[derive(Debug)]
pub struct Output {
    /// Its answer.
    pub stdout: String,
    /// Its remarks, without credentials.
    pub stderr: String,
}

/// One run of a client.
pub struct Run<'a> {
    program: &'a Path,
    /// What messages call it: `apt-get update`.
    name: String,
    args: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    timeout: Duration,
}

impl<'a> Run<'a> {
    /// Nothing but the program; `task` says in a word what it is asked.
    pub fn new(program: &'a Path, task: &str, timeout: Duration) -> Self {
        let stem = program.file_stem().map_or_else(
            || program.display().to_string(),
            |n| n.to_string_lossy().into_owned(),
        );
        Self {
            program,
            name: format!("{stem} {task}").trim_end().to_owned(),
            args: Vec::new(),
            variables: Vec::new(),
            timeout,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// More arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args
            .extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// A variable over those of the context.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Runs it in an empty folder that is gone afterwards.
    pub fn in_empty_folder(self, ctx: &Context) -> Result<Output, ClientError> {
        let folder = empty_folder(ctx).map_err(|source| ClientError::Folder {
            program: self.name.clone(),
            source,
        })?;
        self.run_in(folder.path(), ctx)
    }

    /// Runs it in a folder, which must be ours. Blocks.
    pub fn run_in(self, folder: &Path, ctx: &Context) -> Result<Output, ClientError> {
        tracing::debug!(program = %self.program.display(), task = self.name, "asking a package client");
        crate::interrupt::watch();
        let started = Instant::now();
        let mut child = self
            .command(folder, ctx)
            .spawn()
            .map_err(|source| ClientError::Start {
                program: self.program.to_owned(),
                source,
            })?;
        let stdout = Capture::start(child.stdout.take(), STDOUT_LIMIT, Keep::First);
        let stderr = Capture::start(child.stderr.take(), STDERR_LIMIT, Keep::Last);
        let status = self.wait(&mut child, started, ctx)?;
        let (stdout, too_long) = stdout.finish();
        let stderr = without_credentials(&stderr.finish().0);
        tracing::debug!(task = self.name, %status, elapsed = ?started.elapsed(), "it ended");
        if !status.success() {
            if is_full(&ctx.work_dir) {
                return Err(self.disk_full(ctx));
            }
            return Err(ClientError::Failed {
                program: self.name,
                status,
                stderr,
            });
        }
        if too_long {
            return Err(ClientError::TooLong {
                program: self.name,
                limit: STDOUT_LIMIT,
            });
        }
        Ok(Output { stdout, stderr })
    }

    fn command(&self, folder: &Path, ctx: &Context) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(&self.args)
            .current_dir(folder)
            .env_clear()
            .envs(ctx.environment.variables())
            // Its words are parsed.
            .env_remove("LANGUAGE")
            .env("LC_ALL", "C")
            .env("PWD", folder)
            .envs(self.variables.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn wait(
        &self,
        child: &mut Child,
        started: Instant,
        ctx: &Context,
    ) -> Result<ExitStatus, ClientError> {
        let mut had_room = started;
        let mut pause = Duration::from_millis(2);
        let error = loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(source) => {
                    break ClientError::Start {
                        program: self.program.to_owned(),
                        source,
                    };
                }
            }
            if !is_full(&ctx.work_dir) {
                had_room = Instant::now();
            } else if had_room.elapsed() >= NO_ROOM_FOR {
                break self.disk_full(ctx);
            }
            if ctx.cancel.is_cancelled() {
                break ClientError::Cancelled {
                    program: self.name.clone(),
                };
            }
            if started.elapsed() >= self.timeout {
                break ClientError::Timeout {
                    program: self.name.clone(),
                    seconds: self.timeout.as_secs(),
                };
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        };
        // Both fail only for a process that has ended meanwhile.
        let _ = child.kill();
        let _ = child.wait();
        Err(error)
    }

    fn disk_full(&self, ctx: &Context) -> ClientError {
        ClientError::DiskFull {
            program: self.name.clone(),
            folder: ctx.work_dir.clone(),
            source: io::ErrorKind::StorageFull.into(),
        }
    }
}

/// Whether a client can write nothing more there.
fn is_full(folder: &Path) -> bool {
    disk::free_space(folder).is_some_and(|bytes| bytes < NO_ROOM)
}

/// A folder below the work folder that is gone when dropped.
pub(super) fn empty_folder(ctx: &Context) -> io::Result<tempfile::TempDir> {
    owner::create_dir_all(&ctx.work_dir)?;
    sweep(&ctx.work_dir);
    tempfile::Builder::new()
        .prefix(FOLDER_PREFIX)
        .tempdir_in(&ctx.work_dir)
}

/// Removes folders that processes left which were killed: those older than any run of a client.
fn sweep(work_dir: &Path) {
    let is_old = |entry: &fs_err::DirEntry| {
        let modified = entry.metadata().and_then(|m| m.modified());
        modified.is_ok_and(|t| t.elapsed().is_ok_and(|age| age > FOLDER_AGE))
    };
    for entry in fs_err::read_dir(work_dir).into_iter().flatten().flatten() {
        let ours = entry
            .file_name()
            .to_string_lossy()
            .starts_with(FOLDER_PREFIX);
        if ours && is_old(&entry) {
            // What cannot be removed is in nobody's way.
            let _ = fs_err::remove_dir_all(entry.path());
        }
    }
}

enum Keep {
    First,
    Last,
}

#[derive(Default)]
struct Captured {
    bytes: Vec<u8>,
    cut: bool,
}

/// Reads a pipe to its end on a thread of its own, keeping a limited part.
struct Capture {
    captured: Arc<Mutex<Captured>>,
    ended: mpsc::Receiver<()>,
}

impl Capture {
    fn start(pipe: Option<impl Read + Send + 'static>, limit: usize, keep: Keep) -> Self {
        let captured = Arc::<Mutex<Captured>>::default();
        let (end, ended) = mpsc::channel::<()>();
        if let Some(mut pipe) = pipe {
            let captured = Arc::clone(&captured);
            std::thread::spawn(move || {
                let _end = end;
                let mut buffer = [0; 8192];
                loop {
                    let n = match pipe.read(&mut buffer) {
                        Ok(0) => return,
                        Ok(n) => n,
                        Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                        Err(_) => return,
                    };
                    let mut to = captured.lock().unwrap_or_else(PoisonError::into_inner);
                    to.bytes.extend_from_slice(&buffer[..n]);
                    let over = to.bytes.len().saturating_sub(limit);
                    if over > 0 {
                        to.cut = true;
                        match keep {
                            Keep::First => to.bytes.truncate(limit),
                            Keep::Last => drop(to.bytes.drain(..over)),
                        }
                    }
                }
            });
        }
        Self { captured, ended }
    }

    /// What came, and whether a part was dropped. A process that the client left behind may hold the pipe open for
    /// ever, so the wait is short; the client itself has ended.
    fn finish(self) -> (String, bool) {
        // An error of either kind: the thread has ended, or is not waited for any longer.
        let _ = self.ended.recv_timeout(DRAIN);
        let captured = self.captured.lock().unwrap_or_else(PoisonError::into_inner);
        (
            String::from_utf8_lossy(&captured.bytes).into_owned(),
            captured.cut,
        )
    }
}

/// The last lines of what a client wrote, for an error.
fn tail(stderr: &str) -> String {
    let lines: Vec<&str> = stderr
        .lines()
        .map(str::trim_end)
        .filter(|l| !l.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..]
        .iter()
        .fold(String::new(), |out, line| {
            let line: String = line
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(400)
                .collect();
            out + "\n  " + &line
        })
}

/// Text without the user names, passwords and queries of the addresses in it.
pub fn without_credentials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || "'\"<>`".contains(c))
            .unwrap_or(after.len());
        let (address, tail) = after.split_at(end);
        // A password may hold a `/` that nobody escaped: cut at the last `@`, even at the price of a path's own.
        let address = address.rsplit_once('@').map_or(address, |(_, host)| host);
        match address.split_once('?') {
            Some((path, _)) => {
                out.push_str(path);
                out.push_str("?…");
            }
            None => out.push_str(address),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_cut_out_of_addresses() {
        let text = "E: Failed to fetch https://me:s3cret@host.invalid/a?token=t  401\n'http://u@h.invalid/' ssh://x";
        assert_eq!(
            without_credentials(text),
            "E: Failed to fetch https://host.invalid/a?…  401\n'http://h.invalid/' ssh://x"
        );
        assert_eq!(
            without_credentials("https://u:a/b@h.invalid/c"),
            "https://h.invalid/c"
        );
        assert_eq!(without_credentials("none here"), "none here");
    }

    #[test]
    fn a_tail_is_a_few_clean_lines() {
        let text = (0..20).fold(String::new(), |t, i| format!("{t}line {i}\r\n\n"));
        let tail = tail(&text);
        assert_eq!(tail.lines().count(), TAIL_LINES + 1);
        assert!(tail.ends_with("\n  line 19"), "{tail:?}");
        assert!(!tail.contains('\r'));
    }

    #[test]
    fn a_child_stops_with_its_parent_and_not_the_other_way() {
        let parent = Cancel::default();
        let (first, guard) = parent.child();
        drop(guard);
        assert!(first.is_cancelled() && !parent.is_cancelled());
        let (second, guard) = parent.child();
        guard.disarm();
        assert!(!second.is_cancelled());
        parent.cancel();
        assert!(second.is_cancelled());
    }
}
