//! Drives the stages for toolchains that are wanted: source → fetch → unpack → store, several at a time.
//!
//! In: [`Want`]s. Out: for each, the [`Installed`] toolchain or what stopped it; one that fails takes no other with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;

use crate::archive::{Archive, VerifiedArchive};
use crate::fetch::{FetchError, Fetcher};
use crate::help::Help;
use crate::interrupt;
use crate::parts::{Extent, Paths};
use crate::pin::{Pin, PinnedSource};
use crate::reporter::Reporter;
use crate::source::{self, SourceError};
use crate::store::{Installed, Receipt, Staging, Store, StoreError};
use crate::unpack::{self, Keep, UnpackError, Unpacked};
use crate::variant::Program;

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
    /// What the manifest says is in it is not.
    #[error("{toolchain} {version} has no `{}`, which the manifest names as `{}` of `{}`", program.path, program.key, program.triple)]
    NoProgram {
        /// The toolchain's name.
        toolchain: String,
        /// Its version.
        version: String,
        /// What is missing.
        program: Program,
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
            Self::NoProgram {
                toolchain, program, ..
            } => Some(format!(
                "mend `{}` in [target.{}.{toolchain}], or `root` of the toolchain's source, in the toolchains.toml \
                 that names it",
                program.key, program.triple
            )),
            Self::Store(e) => e.help(),
        }
    }
}

/// What the download engine says of the first source that it failed for.
fn download_help(error: &SourceError) -> Option<String> {
    download_errors(error).find_map(Help::help)
}

/// What the download engine failed with, source by source.
pub fn download_errors(error: &SourceError) -> impl Iterator<Item = &FetchError> {
    error.failures.iter().filter_map(|failure| {
        if let source::Cause::Download(e) = &failure.cause {
            return e.downcast_ref::<FetchError>();
        }
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&failure.cause);
        while let Some(e) = cause {
            if let Some(e) = e.downcast_ref::<FetchError>() {
                return Some(e);
            }
            cause = e.source();
        }
        None
    })
}

/// A toolchain, and how much of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Want {
    /// Which, exactly.
    pub pin: Pin,
    /// How much.
    pub extent: Extent,
    /// What must be in it.
    pub programs: BTreeSet<Program>,
}

impl Want {
    /// Takes a target's toolchain into the list: one that is there already is wanted as far as either needs it.
    pub fn add(wants: &mut Vec<Self>, pin: &Pin, extent: Extent, programs: Vec<Program>) {
        let id = pin.id();
        match wants.iter_mut().find(|want| want.pin.id() == id) {
            Some(want) => {
                want.extent = want.extent.union(&extent);
                want.programs.extend(programs);
            }
            None => wants.push(Self {
                pin: pin.clone(),
                extent,
                programs: programs.into_iter().collect(),
            }),
        }
    }
}

/// A toolchain that is there now.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Where and what.
    pub installed: Installed,
    /// Whether this call installed it, or added something to it.
    pub fresh: bool,
    /// What this call added to a toolchain that was there.
    pub added: Option<Added>,
}

/// What was added to a toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Names of parts.
    pub parts: BTreeSet<String>,
    /// Bytes of their files.
    pub bytes: u64,
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
    /// `wants`. SIGINT ends the process ([`interrupt`]); parts of downloads stay for the next time.
    pub fn install_all(&self, wants: &[Want]) -> Vec<Result<Outcome, InstallError>> {
        let mut found: Vec<Option<Result<Outcome, InstallError>>> = wants
            .iter()
            .map(|want| self.present(want).transpose())
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
        let missing: Vec<usize> = (0..wants.len()).filter(|i| found[*i].is_none()).collect();
        let work = join_all(missing.iter().map(|i| self.install(&wants[*i])));
        for (i, result) in missing.into_iter().zip(runtime.block_on(work)) {
            found[i] = Some(result);
        }
        found.into_iter().flatten().collect()
    }

    fn present(&self, want: &Want) -> Result<Option<Outcome>, InstallError> {
        let found = self.store.find_with(&want.pin.id(), &want.extent)?;
        Ok(found.map(|installed| Outcome {
            installed,
            fresh: false,
            added: None,
        }))
    }

    async fn install(&self, want: &Want) -> Result<Outcome, InstallError> {
        let id = want.pin.id();
        let this = self.clone();
        let _lock = blocking(move || {
            this.store.lock(&id, || {
                this.reporter
                    .step(&format!("Waiting for another xtool that installs {id}"));
            })
        })
        .await?;
        // Whoever held the lock may have installed it.
        if let Some(there) = self.present(want)? {
            return Ok(there);
        }
        let there = self.store.find_own(&want.pin.id())?;
        let mut pin = want.pin.clone();
        if let Some(there) = &there {
            // What it came from is what the cache may still have.
            pin.sources
                .sort_by_key(|s| lines(s.archives()) != there.receipt.archives);
        }
        let provided = source::provide(&pin, &self.context, &self.fetcher).await?;
        let this = self.clone();
        let Want {
            extent, programs, ..
        } = want.clone();
        blocking(move || {
            let source = &pin.sources[provided.source];
            match there {
                Some(there) => this.add(&pin, source, &provided.archives, &there, &extent),
                None => this.whole(&pin, source, &provided.archives, &extent, &programs),
            }
        })
        .await
    }

    /// Installs as much as `extent` says.
    fn whole(
        &self,
        pin: &Pin,
        source: &PinnedSource,
        archives: &[VerifiedArchive],
        extent: &Extent,
        programs: &BTreeSet<Program>,
    ) -> Result<Outcome, InstallError> {
        let staging = self.store.stage()?;
        let keep = Keep::AllBut(&extent.without);
        let unpacked = unpack_all(pin, source, archives, &staging, keep)?;
        check_programs(pin, &staging.tree(), programs)?;
        let mut receipt = Receipt {
            schema: 0,
            toolchain: pin.toolchain.clone(),
            version: pin.version.clone(),
            family: pin.family,
            source: source.describe(),
            archives: lines(archives.iter().map(VerifiedArchive::archive).collect()),
            files: unpacked.files,
            bytes: unpacked.bytes,
            xtool: env!("CARGO_PKG_VERSION").to_owned(),
            parts: BTreeSet::new(),
            without: BTreeSet::new(),
        };
        receipt.set_extent(extent);
        let installed = self.store.commit(staging, &pin.id(), &receipt)?;
        Ok(Outcome {
            installed,
            fresh: true,
            added: None,
        })
    }

    /// Adds what a toolchain lacks of `extent`.
    fn add(
        &self,
        pin: &Pin,
        source: &PinnedSource,
        archives: &[VerifiedArchive],
        there: &Installed,
        extent: &Extent,
    ) -> Result<Outcome, InstallError> {
        let lacking: BTreeSet<Paths> = there.lacks(extent);
        let staging = self.store.stage()?;
        let unpacked = unpack_all(pin, source, archives, &staging, Keep::Only(&lacking))?;
        let before = there.receipt.extent();
        let after = before.union(extent);
        let mut receipt = there.receipt.clone();
        receipt.files += unpacked.files;
        receipt.bytes += unpacked.bytes;
        env!("CARGO_PKG_VERSION").clone_into(&mut receipt.xtool);
        receipt.set_extent(&after);
        let installed = self.store.add_parts(staging, there, &lacking, &receipt)?;
        Ok(Outcome {
            installed,
            fresh: true,
            added: Some(Added {
                parts: after.parts.difference(&before.parts).cloned().collect(),
                bytes: unpacked.bytes,
            }),
        })
    }
}

/// What builds will start is there: files, or links that lead to one in the tree.
fn check_programs(
    pin: &Pin,
    tree: &Path,
    programs: &BTreeSet<Program>,
) -> Result<(), InstallError> {
    for program in programs {
        let path: PathBuf = tree.join(program.path.split('/').collect::<PathBuf>());
        if !path.is_file() {
            return Err(InstallError::NoProgram {
                toolchain: pin.toolchain.clone(),
                version: pin.version.clone(),
                program: program.clone(),
            });
        }
    }
    Ok(())
}

/// A receipt's lines about archives.
fn lines(archives: Vec<&Archive>) -> Vec<String> {
    let line = |a: &Archive| format!("{}  {}", a.sha256, a.file);
    archives.into_iter().map(line).collect()
}

/// Unpacks all archives of a source into the staged tree.
fn unpack_all(
    pin: &Pin,
    source: &PinnedSource,
    archives: &[VerifiedArchive],
    staging: &Staging,
    keep: Keep<'_>,
) -> Result<Unpacked, InstallError> {
    let root = match source {
        PinnedSource::Url { root, .. }
        | PinnedSource::Pypi { root, .. }
        | PinnedSource::Path { root, .. } => root.as_deref(),
        PinnedSource::Apt { .. } => None,
    };
    let options = unpack::Options {
        root,
        keep,
        ..unpack::Options::default()
    };
    let tree = staging.tree();
    unpack::unpack_all(archives, &tree, &options).map_err(|source| InstallError::Unpack {
        toolchain: pin.toolchain.clone(),
        version: pin.version.clone(),
        source: Box::new(source),
    })
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
