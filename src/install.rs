//! Drives the stages for toolchains that are wanted: source → fetch → unpack → store, several at a time.
//!
//! In: [`Pin`]s. Out: for each, the [`Installed`] toolchain or what stopped it; one that fails takes no other with it.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::archive::VerifiedArchive;
use crate::fetch::{FetchError, Fetcher};
use crate::help::Help;
use crate::interrupt;
use crate::pin::{Pin, PinnedSource};
use crate::reporter::Reporter;
use crate::source::{self, SourceError};
use crate::store::{Installed, Receipt, Store, StoreError};
use crate::unpack::{self, UnpackError};

mod transport;

/// Why a toolchain could not be installed. The store is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No source gave its archives.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// An archive was refused, or could not be written out.
    #[error("Cannot install {toolchain} {version}")]
    Unpack {
        /// The toolchain's name.
        toolchain: String,
        /// Its version.
        version: String,
        /// Why.
        #[source]
        source: Box<UnpackError>,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Help for InstallError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Source(e) => e.help().or_else(|| download_help(e)),
            Self::Unpack { source, .. } => source.help(),
            Self::Store(e) => e.help(),
        }
    }
}

/// What the download engine says of the first source that it failed for.
fn download_help(error: &SourceError) -> Option<String> {
    error.failures.iter().find_map(|failure| {
        if let source::Cause::Download(e) = &failure.cause {
            return e.downcast_ref::<FetchError>()?.help();
        }
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&failure.cause);
        while let Some(e) = cause {
            if let Some(e) = e.downcast_ref::<FetchError>() {
                return e.help();
            }
            cause = e.source();
        }
        None
    })
}

/// A toolchain that is there now.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Where and what.
    pub installed: Installed,
    /// Whether this call installed it.
    pub fresh: bool,
}

/// Everything that an installation needs; cheap to clone.
#[derive(Clone)]
pub struct Installer {
    /// Where it goes.
    pub store: Store,
    /// What downloads.
    pub fetcher: Fetcher,
    /// What the sources need.
    pub context: source::Context,
    /// Who is told.
    pub reporter: Arc<dyn Reporter>,
}

impl Installer {
    /// Installs what is missing, all at once as far as downloads and cores allow. The results are in the order of
    /// `pins`. SIGINT ends the process ([`interrupt`]); parts of downloads stay for the next time.
    pub fn install_all(&self, pins: &[Pin]) -> Vec<Result<Outcome, InstallError>> {
        let mut found: Vec<Option<Result<Outcome, InstallError>>> = pins
            .iter()
            .map(|pin| self.present(pin).transpose())
            .collect();
        if found.iter().all(Option::is_some) {
            return found.into_iter().flatten().collect();
        }
        interrupt::watch();
        let runtime = match tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(e) => {
                let e = StoreError::io(
                    "start the threads that install into",
                    self.store.layout().home(),
                )(e);
                return vec![Err(e.into())];
            }
        };
        let missing: Vec<usize> = (0..pins.len()).filter(|i| found[*i].is_none()).collect();
        let work = join_all(missing.iter().map(|i| self.install(&pins[*i])));
        for (i, result) in missing.into_iter().zip(runtime.block_on(work)) {
            found[i] = Some(result);
        }
        found.into_iter().flatten().collect()
    }

    fn present(&self, pin: &Pin) -> Result<Option<Outcome>, InstallError> {
        Ok(self.store.find(&pin.id())?.map(|installed| Outcome {
            installed,
            fresh: false,
        }))
    }

    async fn install(&self, pin: &Pin) -> Result<Outcome, InstallError> {
        let id = pin.id();
        let this = self.clone();
        let _lock = blocking(move || {
            this.store.lock(&id, || {
                this.reporter
                    .step(&format!("Waiting for another xtool that installs {id}"));
            })
        })
        .await?;
        // Whoever held the lock may have installed it.
        if let Some(there) = self.present(pin)? {
            return Ok(there);
        }
        let provided = source::provide(pin, &self.context, &self.fetcher).await?;
        let this = self.clone();
        let pin = pin.clone();
        blocking(move || this.unpack(&pin, &pin.sources[provided.source], &provided.archives)).await
    }

    fn unpack(
        &self,
        pin: &Pin,
        source: &PinnedSource,
        archives: &[VerifiedArchive],
    ) -> Result<Outcome, InstallError> {
        let root = match source {
            PinnedSource::Url { root, .. }
            | PinnedSource::Pypi { root, .. }
            | PinnedSource::Path { root, .. } => root.as_deref(),
            PinnedSource::Apt { .. } => None,
        };
        let staging = self.store.stage()?;
        let tree = staging.tree();
        let options = unpack::Options {
            root,
            ..unpack::Options::default()
        };
        let (mut files, mut bytes) = (0, 0);
        for archive in archives {
            let unpacked = unpack::unpack(archive, &tree, &options).map_err(|source| {
                InstallError::Unpack {
                    toolchain: pin.toolchain.clone(),
                    version: pin.version.clone(),
                    source: Box::new(source),
                }
            })?;
            files += unpacked.files;
            bytes += unpacked.bytes;
        }
        let receipt = Receipt {
            schema: 1,
            toolchain: pin.toolchain.clone(),
            version: pin.version.clone(),
            family: pin.family,
            source: source.describe(),
            archives: archives
                .iter()
                .map(|a| format!("{}  {}", a.archive().sha256, a.archive().file))
                .collect(),
            files,
            bytes,
            xtool: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let installed = self.store.commit(staging, &pin.id(), &receipt)?;
        Ok(Outcome {
            installed,
            fresh: true,
        })
    }
}

/// Runs work that waits for disks or locks off the threads that the network needs.
async fn blocking<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, InstallError>
where
    InstallError: From<E>,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        // Never cancelled, so it can only have panicked: the panic goes on here.
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}
