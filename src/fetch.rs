//! The download engine: a pinned [`Archive`] and an address go in, a [`VerifiedArchive`] in the cache comes out.
//!
//! A download is hashed while it is written, resumed where the server allows it, retried where the failure may pass,
//! and renamed to its place in the cache only when its digest is the pinned one. The decisions are pure functions
//! ([`classify`], the plan for a response, which redirects are followed); the effects are thin around them.
//!
//! | file | |
//! |---|---|
//! | `settings` | proxies, mirror, times: read once from the environment |
//! | `client` | the HTTP client: TLS roots, proxies, redirects |
//! | `download` | one address to one file: tries and bodies |
//! | `document` | a small document, in memory |
//! | `request` | one request, and what its failure means |
//! | `retry` | which failures may pass, and how long to wait |
//! | `part` | an incomplete download, and what may continue it |
//! | `writer` | hashing and writing, off the network's threads |
//! | `cache` | `downloads/sha256/<digest>`, locks, adoption of files |
//! | `mirror` | `XTOOL_MIRROR` |
//! | `minisign` | publishers' signatures |

mod cache;
mod client;
mod document;
mod download;
mod error;
mod minisign;
mod mirror;
mod no_proxy;
mod part;
mod request;
mod retry;
mod settings;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{OnceCell, Semaphore};
use url::Url;

pub use document::Document;
pub use error::{Cause, FetchError, HttpError};
pub use minisign::verify_minisign;
pub use retry::{Verdict, classify};
pub use settings::{Mirror, Network, Settings, Timeouts};

use crate::archive::{Archive, VerifiedArchive};
use crate::pin::redacted;
use crate::reporter::Reporter;
use cache::{Cache, DigestLock};
use download::{Transfer, blocking};
use error::one_line;
use mirror::Miss;

/// A `.minisig` file has four short lines; more than this is none.
const SIGNATURE_LIMIT: u64 = 16 * 1024;

/// Whether an HTTPS client can be made of the settings: proxies are well formed, and there are roots of trust. Reads
/// certificates; no connection is made.
pub fn check(settings: &Settings) -> Result<(), FetchError> {
    client::build(settings, "https").map(drop)
}

/// Gets archives. Cheap to clone; clones share the client, the limit on downloads at a time, and what is known of the
/// mirror.
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

struct Inner {
    settings: Settings,
    reporter: Arc<dyn Reporter>,
    cache: Cache,
    /// Made when the first connection is: reading the host's certificates takes longer than a run with nothing to do.
    client: OnceCell<reqwest::Client>,
    permits: Semaphore,
    mirror: mirror::Known,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fetcher").field(&self.0.settings).finish()
    }
}

/// Removes every download below the cache's root, complete or not, but those that another process is about. Gives the
/// bytes freed and the number of files left.
pub fn clear(cache_dir: &Path) -> Result<(u64, usize), FetchError> {
    Cache::new(cache_dir.to_owned()).clear()
}

impl Fetcher {
    /// Touches neither disk nor network.
    pub fn new(settings: Settings, reporter: Arc<dyn Reporter>) -> Result<Self, FetchError> {
        Ok(Self(Arc::new(Inner {
            cache: Cache::new(settings.cache_dir.clone()),
            permits: Semaphore::new(settings.concurrency.max(1)),
            client: OnceCell::new(),
            mirror: mirror::Known::default(),
            settings,
            reporter,
        })))
    }

    /// The archive from the cache, its digest checked again. Reads the whole file, on the calling thread.
    ///
    /// A file with another digest is removed with a warning and counts as absent.
    pub fn cached(&self, archive: &Archive) -> Result<Option<VerifiedArchive>, FetchError> {
        self.0.cache.verified(archive, self.0.reporter.as_ref())
    }

    /// The archive from the cache, else from the mirror. A mirror that lacks it or gives another file costs one
    /// warning an archive; one that cannot be reached costs one in all, and is not asked again.
    pub async fn at_hand(&self, archive: &Archive) -> Result<Option<VerifiedArchive>, FetchError> {
        if let Some(verified) = self.cached_off_thread(archive).await? {
            return Ok(Some(verified));
        }
        let inner = &self.0;
        let Some(mirror) = &inner.settings.mirror else {
            return Ok(None);
        };
        if inner.mirror.is_broken() || (inner.settings.offline && matches!(mirror, Mirror::Http(_)))
        {
            return Ok(None);
        }
        let warn = |what: String| {
            inner
                .reporter
                .warn(&format!("The mirror {mirror} {what}; going on without it"));
            Ok(None)
        };
        match self.ask_mirror(archive, mirror).await {
            Ok(verified) => Ok(Some(verified)),
            Err(Miss::Ours(error)) => Err(error),
            Err(Miss::Lacks) => warn(format!(
                "lacks `{}` (sha256 {})",
                archive.file, archive.sha256
            )),
            Err(Miss::Bad(error)) => warn(format!(
                "has no good `{}` ({})",
                archive.file,
                one_line(&error)
            )),
            Err(Miss::Broken(error)) if inner.mirror.set_broken() => {
                warn(format!("cannot be used ({})", one_line(&error)))
            }
            Err(Miss::Broken(_)) => Ok(None),
        }
    }

    /// Downloads the archive from one address into the cache; an archive that is there by now is not downloaded.
    ///
    /// What arrived of a download that failed, or was dropped, is kept and resumed by the next one; bytes with a
    /// wrong digest are removed.
    pub async fn download(
        &self,
        archive: &Archive,
        url: &Url,
    ) -> Result<VerifiedArchive, FetchError> {
        if self.0.settings.offline {
            return match self.cached_off_thread(archive).await? {
                Some(verified) => Ok(verified),
                None => Err(FetchError::Offline {
                    what: archive.file.clone(),
                }),
            };
        }
        let lock = self.0.cache.lock(archive, self.0.reporter.as_ref()).await?;
        if let Some(verified) = self.cached_under_lock(archive).await? {
            return Ok(verified);
        }
        self.transfer(archive, url, lock, true).await
    }

    /// A small document, such as a package index's JSON: UTF-8, at most `limit` bytes. Not cached.
    pub async fn document(
        &self,
        url: &Url,
        accept: &str,
        limit: u64,
    ) -> Result<Document, FetchError> {
        if self.0.settings.offline {
            return Err(FetchError::Offline {
                what: redacted(url),
            });
        }
        let client = self.client(url).await?;
        let Inner {
            reporter, settings, ..
        } = &*self.0;
        document::text(&client, reporter, &settings.timeouts, url, accept, limit).await
    }

    /// The text of [`Fetcher::document`].
    pub async fn text(&self, url: &Url, accept: &str, limit: u64) -> Result<String, FetchError> {
        Ok(self.document(url, accept, limit).await?.text)
    }

    /// The signature that lies beside an archive: `archive_url` with `.minisig` after its path.
    pub async fn signature(&self, archive_url: &Url) -> Result<String, FetchError> {
        let mut url = archive_url.clone();
        url.set_path(&format!("{}.minisig", archive_url.path()));
        self.text(&url, "*/*", SIGNATURE_LIMIT).await
    }

    /// Takes over a file that a package client downloaded: it moves into the cache if its digest is the pinned one,
    /// and is removed otherwise. Reads the whole file, on the calling thread.
    pub fn adopt(&self, archive: &Archive, file: &Path) -> Result<VerifiedArchive, FetchError> {
        self.0.cache.adopt(archive, file)
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    async fn ask_mirror(
        &self,
        archive: &Archive,
        mirror: &Mirror,
    ) -> Result<VerifiedArchive, Miss> {
        let lock = self
            .0
            .cache
            .lock(archive, self.0.reporter.as_ref())
            .await
            .map_err(Miss::Ours)?;
        if let Some(verified) = self.cached_under_lock(archive).await.map_err(Miss::Ours)? {
            return Ok(verified);
        }
        if let Mirror::Http(base) = mirror {
            let url = Mirror::address(base, archive.sha256);
            return self
                .transfer(archive, &url, lock, false)
                .await
                .map_err(mirror::http_miss);
        }
        let (inner, archive, mirror) = (Arc::clone(&self.0), archive.clone(), mirror.clone());
        let result = blocking(move || match &mirror {
            Mirror::Folder(folder) => mirror::from_folder(&inner.cache, &archive, folder),
            Mirror::Tar(path) => mirror::from_tar(&inner.cache, &inner.mirror, &archive, path),
            Mirror::Http(_) => Err(Miss::Lacks),
        })
        .await;
        drop(lock);
        result
    }

    async fn transfer(
        &self,
        archive: &Archive,
        url: &Url,
        lock: DigestLock,
        warn: bool,
    ) -> Result<VerifiedArchive, FetchError> {
        let client = self.client(url).await?;
        // The semaphore is never closed, so there is always a permit to come.
        let _permit = self.0.permits.acquire().await.ok();
        let transfer = Transfer {
            client,
            reporter: Arc::clone(&self.0.reporter),
            timeouts: self.0.settings.timeouts.clone(),
            archive: archive.clone(),
            url: url.clone(),
            path: self.0.cache.path(archive.sha256),
            lock: Arc::new(lock),
            warn,
        };
        transfer.run().await
    }

    async fn client(&self, url: &Url) -> Result<reqwest::Client, FetchError> {
        let (inner, scheme) = (Arc::clone(&self.0), url.scheme().to_owned());
        let client = self
            .0
            .client
            .get_or_try_init(|| blocking(move || client::build(&inner.settings, &scheme)))
            .await?;
        Ok(client.clone())
    }

    async fn cached_off_thread(
        &self,
        archive: &Archive,
    ) -> Result<Option<VerifiedArchive>, FetchError> {
        let (this, archive) = (self.clone(), archive.clone());
        blocking(move || this.cached(&archive)).await
    }

    /// Another process may have put it there while we waited. Its damage, if any, is overwritten by the download.
    async fn cached_under_lock(
        &self,
        archive: &Archive,
    ) -> Result<Option<VerifiedArchive>, FetchError> {
        let (inner, archive) = (Arc::clone(&self.0), archive.clone());
        blocking(move || inner.cache.intact(&archive)).await
    }
}
