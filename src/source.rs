//! Where an artifact is to be had: a plain address, a Python package, the distribution's packages, a file.
//!
//! In: a [`Pin`], and a [`Transport`] that downloads. Out: every archive of the first source that answers, verified.
//! `pypi` and `apt` name a package, never a server: the package client of the host says where packages come from, so
//! the user's own index or mirror applies. Whichever way an archive came, the digest in the pin decides.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;
use url::Url;

use crate::archive::{Archive, VerifiedArchive};
use crate::pin::{Pin, PinnedSource};
use crate::reporter::Reporter;

pub mod apt;
pub mod client;
mod environment;
mod error;
pub mod pypi;

pub use client::without_credentials;
pub use environment::Environment;
pub use error::{Cause, Failure, SourceError, one_line};

use client::Cancel;

/// An error of the download engine.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Text from the network.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it came from in the end, after redirects: what relative addresses in it are relative to.
    pub url: Url,
    /// The text.
    pub body: String,
}

/// What a source needs of the download engine.
pub trait Transport: Send + Sync {
    /// The archive from the cache or the mirror; `None` when neither has it.
    fn at_hand(
        &self,
        archive: &Archive,
    ) -> impl Future<Output = Result<Option<VerifiedArchive>, BoxError>> + Send;

    /// Downloads the archive into the cache. With a minisign public key the signature beside it (`<url>.minisig`)
    /// must be good too.
    fn download(
        &self,
        archive: &Archive,
        url: &Url,
        minisign: Option<&str>,
    ) -> impl Future<Output = Result<VerifiedArchive, BoxError>> + Send;

    /// A small text, at most `limit` bytes of it: an error beyond.
    fn text(
        &self,
        url: &Url,
        accept: &str,
        limit: u64,
    ) -> impl Future<Output = Result<Page, BoxError>> + Send;

    /// Verifies a file that a client of the system downloaded and moves it into the cache.
    fn adopt(
        &self,
        archive: &Archive,
        file: &Path,
    ) -> impl Future<Output = Result<VerifiedArchive, BoxError>> + Send;

    /// Whether the system's package client may succeed where this error stopped us: 401, 403, 406, 407, a certificate
    /// that our roots do not know, a scheme that we do not speak.
    fn client_may_help(&self, error: &BoxError) -> bool;
}

/// Everything that the effects of a source need.
#[derive(Clone)]
pub struct Context {
    /// A private, writable folder: apt's state, empty folders for clients and what they download live below it. On
    /// the file system of the download cache, so that adopting a file is a rename.
    pub work_dir: PathBuf,
    /// Only what is at hand.
    pub offline: bool,
    /// Who is told.
    pub reporter: Arc<dyn Reporter>,
    /// Steps name the host that a client's settings lead to.
    pub verbose: bool,
    /// The variables that we read and that clients get.
    pub environment: Environment,
    /// Stops clients that are under way.
    pub cancel: Cancel,
    asked: Arc<pypi::Asked>,
}

/// Every archive of one source of a pin.
#[derive(Debug)]
pub struct Provided {
    /// Which of [`Pin::sources`] answered.
    pub source: usize,
    /// Its archives in the pin's order: one, or one a package for apt.
    pub archives: Vec<VerifiedArchive>,
}

impl Context {
    /// Online, terse, with the environment of this process.
    pub fn new(work_dir: PathBuf, reporter: Arc<dyn Reporter>) -> Self {
        Self {
            // Clients run in another folder. It fails for an empty path only, and then making the folder fails.
            work_dir: std::path::absolute(&work_dir).unwrap_or(work_dir),
            offline: false,
            reporter,
            verbose: false,
            environment: Environment::of_process(),
            cancel: Cancel::default(),
            asked: Arc::default(),
        }
    }

    /// Runs blocking work off the async threads; dropping the future stops the client that it runs.
    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> R + Send + 'static,
    ) -> R {
        let (cancel, guard) = self.cancel.child();
        let mut ctx = self.clone();
        ctx.cancel = cancel;
        let result = tokio::task::spawn_blocking(move || work(&ctx)).await;
        guard.disarm();
        match result {
            Ok(r) => r,
            Err(e) => match e.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that is shutting down cancels blocking work, and it polls nobody any more.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

/// Gets every archive of one pin: from the first source that is wholly at hand, else from the first that answers.
///
/// A source that fails costs one warning line that names it and the cause; when all fail, the error lists each. A full
/// disk is no source's fault: then no other is asked.
pub async fn provide<T: Transport>(
    pin: &Pin,
    ctx: &Context,
    transport: &T,
) -> Result<Provided, SourceError> {
    let mut looked = Vec::with_capacity(pin.sources.len());
    for (source, pinned) in pin.sources.iter().enumerate() {
        let found = at_hand(pinned, ctx, transport).await;
        if found.iter().all(Option::is_some) && !found.is_empty() {
            let archives = found.into_iter().flatten().collect();
            return Ok(Provided { source, archives });
        }
        looked.push(found);
    }
    let mut failures = Vec::new();
    for (source, (pinned, found)) in pin.sources.iter().zip(looked).enumerate() {
        let cause = match from_source(pinned, found, ctx, transport).await {
            Ok(archives) => return Ok(Provided { source, archives }),
            Err(cause) => cause,
        };
        // What one source cannot write, no other can either; only the user can make room.
        let full = cause.is_full_disk();
        if let (Some(next), false, false) = (pin.sources.get(source + 1), ctx.offline, full) {
            ctx.reporter.warn(&format!(
                "Cannot use {}: {}; trying {}",
                pinned.describe(),
                one_line(&cause),
                next.describe()
            ));
        }
        failures.push(Failure {
            source: pinned.describe(),
            cause,
        });
        if full {
            break;
        }
    }
    Err(SourceError {
        toolchain: pin.toolchain.clone(),
        version: pin.version.clone(),
        failures,
    })
}

/// What cache and mirror have of a source. One that cannot answer counts as empty: the source itself is still there.
async fn at_hand<T: Transport>(
    source: &PinnedSource,
    ctx: &Context,
    transport: &T,
) -> Vec<Option<VerifiedArchive>> {
    let archives = source.archives();
    let found = join_all(archives.iter().map(|a| transport.at_hand(a))).await;
    let mut warned = false;
    found
        .into_iter()
        .zip(archives)
        .map(|(found, archive)| match found {
            Ok(found) => found,
            Err(e) => {
                if !warned {
                    ctx.reporter.warn(&format!(
                        "Cannot look for `{}` in cache and mirror: {}",
                        archive.file,
                        one_line(e.as_ref())
                    ));
                    warned = true;
                }
                None
            }
        })
        .collect()
}

/// The archives of one source, of which cache and mirror had `found`.
async fn from_source<T: Transport>(
    source: &PinnedSource,
    found: Vec<Option<VerifiedArchive>>,
    ctx: &Context,
    transport: &T,
) -> Result<Vec<VerifiedArchive>, Cause> {
    if let PinnedSource::Path { path, archive, .. } = source {
        return Ok(vec![from_path(path, archive, ctx).await?]);
    }
    if ctx.offline {
        let missing = source
            .archives()
            .into_iter()
            .zip(&found)
            .find(|(_, found)| found.is_none())
            .map_or_else(String::new, |(archive, _)| archive.file.clone());
        return Err(Cause::Offline { file: missing });
    }
    match source {
        PinnedSource::Url {
            url,
            archive,
            minisign,
            ..
        } => transport
            .download(archive, url, minisign.as_deref())
            .await
            .map(|a| vec![a])
            .map_err(Cause::Download),
        PinnedSource::Pypi {
            package, archive, ..
        } => Ok(vec![pypi::get(package, archive, ctx, transport).await?]),
        PinnedSource::Apt {
            distribution,
            packages,
        } => Ok(apt::get(distribution, packages, found, ctx, transport).await?),
        PinnedSource::Path { .. } => unreachable!("answered above"),
    }
}

/// A file of the user's: checked where it lies, not copied.
async fn from_path(
    path: &Path,
    archive: &Archive,
    ctx: &Context,
) -> Result<VerifiedArchive, Cause> {
    let (path, archive) = (path.to_owned(), archive.clone());
    ctx.blocking(move |_| {
        if path.is_dir() {
            return Err(Cause::Folder { path });
        }
        Ok(VerifiedArchive::check(&path, &archive)?)
    })
    .await
}
