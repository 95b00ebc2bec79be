//! The download engine against a server with faults. The numbers are the cases of the list of faults.

mod cache;
mod environment;
mod integrity;
mod mirror;
mod network;
mod resume;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use url::Url;
use xtool::archive::{Archive, VerifiedArchive};
use xtool::digest::Sha256;
use xtool::fetch::{FetchError, Fetcher, Settings, Timeouts};
use xtool::help::Help as _;

use crate::support::TestEnv;
use crate::support::recorder::Recorder;

/// User `me`, password `hunter2`, as Basic authorization.
const ME_HUNTER2: &str = "Basic bWU6aHVudGVyMg==";

/// A fetcher with a cache of its own and short times.
struct Rig {
    env: TestEnv,
    recorder: Arc<Recorder>,
    fetcher: Fetcher,
}

impl Rig {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::within(TestEnv::new(), change)
    }

    fn within(env: TestEnv, change: impl FnOnce(&mut Settings)) -> Self {
        let recorder = Arc::new(Recorder::default());
        let mut settings = Settings::new(env.path("cache"));
        settings.timeouts = quick();
        change(&mut settings);
        let fetcher = Fetcher::new(settings, recorder.clone()).expect("a fetcher");
        Self {
            env,
            recorder,
            fetcher,
        }
    }

    /// Another run over the same cache.
    fn again(self) -> Self {
        Self::within(self.env, |_| {})
    }

    async fn download(&self, archive: &Archive, url: &Url) -> Result<VerifiedArchive, FetchError> {
        self.fetcher.download(archive, url).await
    }

    /// Drops a download, as Ctrl-C does, once its part has `len` bytes.
    async fn drop_at(&self, archive: &Archive, url: &Url, len: usize) {
        let arrived = async {
            while self.part(archive).is_none_or(|part| part.len() < len) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            result = self.download(archive, url) => panic!("it ended: {result:?}"),
            () = arrived => {}
        }
    }

    /// The bytes of the part, if there is one.
    fn part(&self, archive: &Archive) -> Option<Vec<u8>> {
        fs_err::read(self.part_path(archive, "part")).ok()
    }

    fn part_path(&self, archive: &Archive, suffix: &str) -> std::path::PathBuf {
        self.env.path(&format!(
            "cache/downloads/sha256/{}.{suffix}",
            archive.sha256
        ))
    }

    /// The names in the download folder.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs_err::read_dir(self.env.path("cache/downloads/sha256"))
            .into_iter()
            .flatten()
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

fn quick() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(5),
        read: Duration::from_secs(5),
        total: Duration::from_secs(20),
        max_retry_after: Duration::from_secs(5),
        retry_base: Duration::from_millis(10),
        retry_cap: Duration::from_millis(50),
        ..Timeouts::default()
    }
}

fn archive(bytes: &[u8]) -> Archive {
    Archive {
        file: "tool-1.0.tar.xz".to_owned(),
        sha256: Sha256::of(bytes),
        size: Some(bytes.len() as u64),
    }
}

/// An error as the user reads it: the message, its causes, the way out.
fn told(error: &FetchError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(e) = next {
        let _ = write!(text, "\n  cause: {e}");
        next = e.source();
    }
    if let Some(help) = error.help() {
        let _ = write!(text, "\n  help: {help}");
    }
    text
}

/// Fails with the whole text when one of `parts` is missing.
#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[track_caller]
fn assert_holds(verified: &VerifiedArchive, bytes: &[u8]) {
    assert!(
        fs_err::read(verified.path()).expect("the archive") == bytes,
        "other bytes"
    );
    assert_eq!(verified.size(), bytes.len() as u64);
}
