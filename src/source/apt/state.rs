//! apt's private state: package lists of our own, nothing installed, the host's sources and keyrings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::{AptError, architecture};
use crate::owner;
use crate::pin::Distribution;
use crate::source::Context;
use crate::source::client::{ClientError, Run};

/// Age from which package lists are fetched anew before a resolution.
const MAX_AGE: Duration = Duration::from_hours(24);
/// How long fetching the package lists may take.
const UPDATE: Duration = Duration::from_mins(5);
/// How long another process is waited for: an update, and something.
const LOCK: Duration = Duration::from_mins(6);

/// Of the host's settings, what must not act here: hooks that speak of the host's own state or clean its cache, lists
/// that nobody reads, other architectures. apt.conf(5): only a file can clear a list, and one given by `-c` is read
/// after all others.
const SETTINGS: &str = "\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets::deb-src;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large-hidpi;
#clear Acquire::IndexTargets::deb::CNF;
#clear Acquire::IndexTargets::deb::Contents-deb;
#clear APT::Architectures;
";

/// How new the package lists must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// There at all, and fetched from the sources that the host has now.
    Any,
    /// Not older than a day, besides.
    Day,
    /// Fetched now.
    Now,
}

/// How fetching the lists went.
#[derive(Debug, Default)]
pub(super) struct Refreshed {
    /// They were fetched just now.
    pub(super) just_updated: bool,
    /// What could not be fetched, in one line, where apt went on with what it had.
    pub(super) text: Option<String>,
}

/// The state, locked against other processes for as long as this lives.
pub(super) struct State {
    folder: PathBuf,
    apt_get: PathBuf,
    apt_cache: PathBuf,
    options: Vec<OsString>,
    /// Unlocked when closed.
    lock: Option<fs_err::File>,
}

impl State {
    /// Makes or opens the state of a distribution. Blocks while another process uses it.
    pub(super) fn open(distribution: &Distribution, ctx: &Context) -> Result<Self, AptError> {
        let program = |name| ctx.environment.program(name).ok_or(AptError::NoApt);
        let (apt_get, apt_cache) = (program("apt-get")?, program("apt-cache")?);
        let architecture = architecture().ok_or(AptError::NoApt)?;
        let Distribution { id, codename } = distribution;
        let folder = ctx.work_dir.join("apt").join(format!(
            "{}-{architecture}",
            safe(&format!("{id}-{codename}"))
        ));
        let lock = prepare(&folder, architecture).map_err(|source| AptError::State {
            path: folder.clone(),
            source,
        })?;
        wait_for(&lock, &folder, ctx)?;
        Ok(Self {
            options: options(&folder, architecture),
            folder,
            apt_get,
            apt_cache,
            lock: Some(lock),
        })
    }

    /// Lets other processes at it: for a long run that reads the lists when it starts and never again.
    pub(super) fn unlocked(mut self) -> Self {
        self.lock = None;
        self
    }

    /// A run of `apt-get` on this state.
    pub(super) fn apt_get(&self, task: &str, timeout: Duration) -> Run<'_> {
        self.run(&self.apt_get, task, timeout).arg("-qq")
    }

    /// A run of `apt-cache` on this state.
    pub(super) fn apt_cache(&self, task: &str, timeout: Duration) -> Run<'_> {
        self.run(&self.apt_cache, task, timeout)
    }

    fn run<'a>(&'a self, program: &'a Path, task: &str, timeout: Duration) -> Run<'a> {
        Run::new(program, task, timeout)
            .args(&self.options)
            .env("DEBIAN_FRONTEND", "noninteractive")
    }

    /// Fetches the package lists if they are not as new as asked.
    ///
    /// A list that could not be fetched is an error only when there is none from before: a source that the host has
    /// beside its distribution's may be down without harm.
    pub(super) fn refresh(&self, want: Freshness, ctx: &Context) -> Result<Refreshed, AptError> {
        let stamp = self.folder.join("updated");
        let updated = fs_err::metadata(&stamp).and_then(|m| m.modified()).ok();
        if let Some(updated) = updated
            && !is_due(want, updated, SystemTime::now(), sources_changed())
        {
            return Ok(Refreshed::default());
        }
        if ctx.offline {
            return match updated {
                Some(_) => Ok(Refreshed::default()),
                None => Err(AptError::Offline),
            };
        }
        ctx.reporter.step("Fetching package lists with apt-get");
        let answer = self
            .apt_get("update", UPDATE)
            .arg("update")
            .in_empty_folder(ctx);
        let text = match answer {
            Ok(output) => trouble(&output.stderr),
            Err(e @ ClientError::Failed { .. }) if self.has_lists() => {
                trouble(e.stderr()).or_else(|| Some(e.to_string().replace('\n', "; ")))
            }
            Err(source) => return Err(AptError::Update { source }),
        };
        if text.is_none() {
            owner::write(&stamp, "").map_err(|source| AptError::State {
                path: stamp,
                source,
            })?;
        }
        Ok(Refreshed {
            just_updated: true,
            text,
        })
    }

    /// Whether any package list is there, of whatever age.
    fn has_lists(&self) -> bool {
        fs_err::read_dir(self.folder.join("lists")).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|e| e.file_name().to_string_lossy().contains("_Packages"))
        })
    }
}

/// Makes the folders and files that apt expects; all of it is ours and can be deleted at any time.
fn prepare(folder: &Path, architecture: &str) -> std::io::Result<fs_err::File> {
    // apt makes the lists after the umask, and takes digests from them.
    if !folder.is_dir() {
        owner::create_dir_all(folder.parent().unwrap_or(folder))?;
        owner::create_dir_around(folder)?;
    }
    for sub in ["lists/partial", "cache/archives/partial", "log"] {
        owner::create_dir_all(&folder.join(sub))?;
    }
    let lock = owner::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))?;
    let settings = format!("{SETTINGS}APT::Architectures {{ \"{architecture}\"; }};\n");
    for (name, text) in [("apt.conf", settings.as_str()), ("status", "")] {
        let path = folder.join(name);
        if fs_err::read_to_string(&path).ok().as_deref() != Some(text) {
            // Another process may read the old one meanwhile.
            let new = tempfile::NamedTempFile::new_in(folder)?;
            fs_err::write(new.path(), text)?;
            new.persist(&path)?;
        }
    }
    Ok(lock)
}

/// Takes the lock, with a bound: a process that hangs must not hang us.
fn wait_for(lock: &fs_err::File, folder: &Path, ctx: &Context) -> Result<(), AptError> {
    let started = Instant::now();
    loop {
        match lock.file().try_lock() {
            Ok(()) => return Ok(()),
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(source)) => {
                return Err(AptError::State {
                    path: folder.to_owned(),
                    source,
                });
            }
        }
        if started.elapsed() >= LOCK || ctx.cancel.is_cancelled() {
            return Err(AptError::Locked {
                path: folder.to_owned(),
                seconds: started.elapsed().as_secs(),
            });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// apt-get(8) and apt.conf(5). Paths are given one by one, as the host's settings may have absolute ones.
fn options(folder: &Path, architecture: &str) -> Vec<OsString> {
    let paths = [
        ("Dir::State", ""),
        ("Dir::State::status", "status"),
        ("Dir::State::lists", "lists"),
        ("Dir::State::extended_states", "extended_states"),
        ("Dir::Cache", "cache"),
        ("Dir::Cache::archives", "cache/archives"),
        ("Dir::Cache::pkgcache", "cache/pkgcache.bin"),
        ("Dir::Log", "log"),
    ];
    let settings = [
        ("Dir::Cache::srcpkgcache", ""),
        ("APT::Architecture", architecture),
        ("APT::Install-Recommends", "false"),
        ("APT::Install-Suggests", "false"),
        // Ours is taken already.
        ("Debug::NoLocking", "true"),
        // As root, apt would write as a user who may not enter our folder.
        ("APT::Sandbox::User", "root"),
        ("APT::Get::List-Cleanup", "true"),
        ("Acquire::Languages", "none"),
        ("Acquire::PDiffs", "false"),
        ("Acquire::Retries", "2"),
    ];
    let mut options = vec!["-c".into(), folder.join("apt.conf").into_os_string()];
    let paths = paths.map(|(name, sub)| (name, folder.join(sub).into_os_string()));
    let settings = settings.map(|(name, value)| (name, value.into()));
    for (name, value) in paths.into_iter().chain(settings) {
        let mut option = OsString::from(name);
        option.push("=");
        option.push(value);
        options.extend(["-o".into(), option]);
    }
    options
}

fn is_due(
    want: Freshness,
    updated: SystemTime,
    now: SystemTime,
    sources: Option<SystemTime>,
) -> bool {
    // A time in the future is a clock that was set back: no reason to trust the lists for years.
    let age = now.duration_since(updated).unwrap_or(MAX_AGE);
    want == Freshness::Now
        || sources.is_some_and(|changed| changed > updated)
        || (want == Freshness::Day && age >= MAX_AGE)
}

/// When the host's list of sources was last changed: sources.list(5).
fn sources_changed() -> Option<SystemTime> {
    let folder = Path::new("/etc/apt/sources.list.d");
    let files = fs_err::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    files
        .chain([folder.to_owned(), PathBuf::from("/etc/apt/sources.list")])
        .filter_map(|path| fs_err::metadata(path).ok()?.modified().ok())
        .max()
}

/// What `apt-get update` could not fetch, though it may have ended well, in one line.
fn trouble(stderr: &str) -> Option<String> {
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|l| l.starts_with("E: ") || l.starts_with("W: Failed to fetch"))
        .collect();
    let first = lines
        .first()?
        .trim_start_matches("E: ")
        .trim_start_matches("W: ");
    let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(match lines.len() {
        1 => first,
        n => format!("{first} (and {} more)", n - 1),
    })
}

/// A part of a path from os-release's words, which nothing has checked.
fn safe(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_fetched_when_old_or_when_the_sources_changed() {
        let hour = Duration::from_hours(1);
        let updated = SystemTime::UNIX_EPOCH + 1000 * hour;
        let after = |hours: u32| updated + hours * hour;
        assert!(!is_due(Freshness::Day, updated, after(1), None));
        assert!(is_due(Freshness::Day, updated, after(24), None));
        assert!(!is_due(Freshness::Any, updated, after(2400), None));
        assert!(is_due(Freshness::Any, updated, after(2), Some(after(1))));
        assert!(!is_due(
            Freshness::Any,
            updated,
            after(2),
            Some(updated - hour)
        ));
        assert!(is_due(Freshness::Now, updated, after(0), None));
        assert!(
            is_due(Freshness::Day, updated, updated - hour, None),
            "clock set back"
        );
    }

    #[test]
    fn a_list_that_could_not_be_fetched_is_told_in_one_line() {
        let stderr = "W: Failed to fetch http://a.invalid/dists/x/InRelease  Could not connect to 127.0.0.1:9\n\
                      W: Failed to fetch http://a.invalid/dists/y/InRelease  Unable to connect\n\
                      W: Some index files failed to download. They have been ignored, or old ones used instead.\n";
        assert_eq!(
            trouble(stderr).as_deref(),
            Some(
                "Failed to fetch http://a.invalid/dists/x/InRelease Could not connect to 127.0.0.1:9 (and 1 more)"
            )
        );
        assert_eq!(
            trouble("W: Target Packages is configured multiple times\n"),
            None
        );
    }

    #[test]
    fn the_folder_s_name_cannot_leave_it() {
        assert_eq!(safe("../etc-book worm"), "___etc-book_worm");
    }
}
