//! A file of a Python package, from whichever index the host's pip uses.
//!
//! The index's JSON simple API (PEP 691) says where the file is, and the download engine fetches it from there. Where
//! that cannot work (an index that wants pip's own credentials or certificates, or that speaks only HTML), pip itself
//! downloads. Either way the digest that the pin has decides.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::OnceCell;
use url::Url;

use super::client::{self, ClientError};
use super::{BoxError, Context, Transport, one_line};
use crate::archive::{Archive, VerifiedArchive};
use crate::digest::Sha256;
use crate::env_vars::XTOOL_HTTP_TIMEOUT;
use crate::help::Help;

mod index;
mod page;
mod pip;

use index::Index;
use page::Files;
use pip::Pip;

/// The most that the list of a package's files may take; the largest known ones are near 30 MB.
const PAGE_LIMIT: u64 = 64 << 20;
/// PEP 691. HTML is named so that an index without JSON answers at all, and pip can be asked.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.01";
/// Seconds that pip has for a download, as the engine has by default.
const DOWNLOAD_SECONDS: u64 = 1800;

/// Why a package's file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PypiError {
    /// The name would not be safe in an address or on a command line.
    #[error("`{}` is not a Python package's name: expected letters, digits, `.`, `_` and `-`", name.escape_debug())]
    Name {
        /// As read.
        name: String,
    },
    /// The host has no pip, and no variable names an index.
    #[error("No pip was found to ask where Python packages come from")]
    NoPip {
        /// How the last pip that was found failed.
        #[source]
        source: Option<ClientError>,
    },
    /// Where packages come from is no address. The value is not repeated, as it may hold a password.
    #[error("The index in {origin} is not an address")]
    IndexUrl {
        /// Which setting: a variable, or pip's configuration.
        origin: String,
        /// Why.
        #[source]
        source: url::ParseError,
    },
    /// pip did not say what its default is.
    #[error("pip did not say which index it uses")]
    Default {
        /// Why.
        #[source]
        source: Option<ClientError>,
    },
    /// The list of the package's files could not be had.
    #[error("Cannot list the files of package `{package}` in pip's index")]
    List {
        /// The package.
        package: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// The index answers with something else than JSON.
    #[error("pip's index has no JSON list of package `{package}` (PEP 691)")]
    NoJson {
        /// The package.
        package: String,
    },
    /// The list is no list.
    #[error("The list of package `{package}` in pip's index cannot be read")]
    Json {
        /// The package.
        package: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The list does not have the file.
    #[error("pip's index has no `{file}` among the files of package `{package}`")]
    NoFile {
        /// The package.
        package: String,
        /// The file.
        file: String,
    },
    /// The file's address is none.
    #[error("pip's index gives no usable address of `{file}`")]
    FileUrl {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: url::ParseError,
    },
    /// The index has another file under this name.
    #[error(
        "pip's index has another `{file}` than pinned\n  expected sha256 {pinned}\n  listed   sha256 {listed}"
    )]
    OtherDigest {
        /// The file.
        file: String,
        /// As pinned.
        pinned: Sha256,
        /// As the index says.
        listed: Sha256,
    },
    /// The file could not be downloaded.
    #[error("Cannot download `{file}` of package `{package}`")]
    Download {
        /// The package.
        package: String,
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// pip was asked to download, and could not.
    #[error("pip cannot download `{file}`, which it was asked for because {because}")]
    Client {
        /// The file.
        file: String,
        /// Why we did not download ourselves, in one line.
        because: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// pip ended well without the file, or with another one.
    #[error("pip was asked for `{file}` because {because}, and what it downloaded cannot be used")]
    Adopt {
        /// The file.
        file: String,
        /// Why we did not download ourselves, in one line.
        because: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// Only wheels can be asked of pip by name.
    #[error("pip cannot be asked for `{file}`, which is no wheel (wanted because {because})")]
    NoWheel {
        /// The file.
        file: String,
        /// Why we did not download ourselves, in one line.
        because: String,
    },
}

impl Help for PypiError {
    fn help(&self) -> Option<String> {
        match self {
            Self::NoPip { .. } | Self::Default { .. } => Some(
                "install pip, or set `PIP_INDEX_URL` to the index that packages come from"
                    .to_owned(),
            ),
            Self::IndexUrl { origin, .. } => Some(format!("correct the index in {origin}")),
            _ => None,
        }
    }
}

/// What pip and its index have said so far, so that each is asked once.
#[derive(Default)]
pub(super) struct Asked {
    pip: OnceCell<Pip>,
    index: OnceCell<Index>,
    lists: Mutex<HashMap<String, std::sync::Arc<OnceCell<Files>>>>,
}

/// Gets one file of a package.
pub(super) async fn get<T: Transport>(
    package: &str,
    archive: &Archive,
    ctx: &Context,
    transport: &T,
) -> Result<VerifiedArchive, PypiError> {
    page::check_name(package)?;
    let index = index(ctx).await?;
    let because = match locate_and_download(package, archive, &index, ctx, transport).await {
        Ok(archive) => return Ok(archive),
        Err(Miss::Fatal(e)) => return Err(e),
        Err(Miss::AskPip(because)) => because,
    };
    with_pip(archive, &index, because, ctx, transport).await
}

/// Why the engine did not download the file.
enum Miss {
    /// pip would not either.
    Fatal(PypiError),
    /// pip may, for this reason.
    AskPip(String),
}

async fn locate_and_download<T: Transport>(
    package: &str,
    archive: &Archive,
    index: &Index,
    ctx: &Context,
    transport: &T,
) -> Result<VerifiedArchive, Miss> {
    if let Some(reason) = index.only_pip() {
        return Err(Miss::AskPip(reason));
    }
    let at = if ctx.verbose {
        format!(" (index from {}, at {})", index.origin, host(&index.url))
    } else {
        String::new()
    };
    ctx.reporter.step(&format!(
        "Locating `{}` with pip's settings{at}",
        archive.file
    ));
    let may_help = |e: &PypiError| match e {
        PypiError::NoJson { .. } => true,
        PypiError::List { source, .. } | PypiError::Download { source, .. } => {
            transport.client_may_help(source)
        }
        _ => false,
    };
    let miss = |e: PypiError| {
        // Another index or folder that pip is told of may have what this one lacks.
        let elsewhere =
            index.more_places && matches!(e, PypiError::NoFile { .. } | PypiError::List { .. });
        if may_help(&e) || elsewhere {
            Miss::AskPip(one_line(&e))
        } else {
            Miss::Fatal(e)
        }
    };
    let files = list(package, index, ctx, transport).await.map_err(miss)?;
    let url = files.locate(package, archive).map_err(miss)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Miss::AskPip(format!(
            "its address is a `{}:` one",
            url.scheme()
        )));
    }
    if ctx.verbose {
        ctx.reporter.step(&format!(
            "Downloading `{}` from {}",
            archive.file,
            host(&url)
        ));
    }
    transport
        .download(archive, &url, None)
        .await
        .map_err(|source| {
            miss(PypiError::Download {
                package: package.to_owned(),
                file: archive.file.clone(),
                source,
            })
        })
}

/// The package's files as the index lists them; asked once a process.
async fn list<T: Transport>(
    package: &str,
    index: &Index,
    ctx: &Context,
    transport: &T,
) -> Result<Files, PypiError> {
    let name = page::normalized(package);
    let cell = {
        let mut lists = ctx
            .asked
            .lists
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        std::sync::Arc::clone(lists.entry(name.clone()).or_default())
    };
    cell.get_or_try_init(|| async {
        let page = transport
            .text(&index.page(&name), ACCEPT, PAGE_LIMIT)
            .await
            .map_err(|source| PypiError::List {
                package: package.to_owned(),
                source,
            })?;
        Files::parse(package, page, &index.url)
    })
    .await
    .cloned()
}

async fn index(ctx: &Context) -> Result<Index, PypiError> {
    ctx.asked
        .index
        .get_or_try_init(|| async {
            if let Some(index) = Index::of_environment(&ctx.environment)? {
                return Ok(index);
            }
            let pip = pip(ctx).await?;
            ctx.blocking(move |ctx| Index::of_pip(&pip, ctx)).await
        })
        .await
        .cloned()
}

async fn pip(ctx: &Context) -> Result<Pip, PypiError> {
    ctx.asked
        .pip
        .get_or_try_init(|| ctx.blocking(Pip::find))
        .await
        .cloned()
}

/// Has pip download the file into a folder of ours, and takes it from there.
async fn with_pip<T: Transport>(
    archive: &Archive,
    index: &Index,
    because: String,
    ctx: &Context,
    transport: &T,
) -> Result<VerifiedArchive, PypiError> {
    let file = archive.file.clone();
    let Some(wheel) = page::Wheel::parse(&file) else {
        return Err(PypiError::NoWheel { file, because });
    };
    let pip = pip(ctx).await?;
    let seconds = ctx
        .environment
        .text(XTOOL_HTTP_TIMEOUT)
        .and_then(|s| s.parse().ok())
        .unwrap_or(DOWNLOAD_SECONDS);
    ctx.reporter.step(&format!("Downloading `{file}` with pip"));
    tracing::info!(file, because, "asking pip itself");
    let (sha256, url) = (archive.sha256, index.url.clone());
    let downloaded = ctx
        .blocking(move |ctx| pip.download(&wheel, &sha256, &url, Duration::from_secs(seconds), ctx))
        .await;
    let folder = match downloaded {
        Ok(folder) => folder,
        Err(source) => {
            return Err(PypiError::Client {
                file,
                because,
                source,
            });
        }
    };
    transport
        .adopt(archive, &folder.path().join(&file))
        .await
        .map_err(|source| PypiError::Adopt {
            file,
            because,
            source,
        })
}

fn host(url: &Url) -> String {
    client::without_credentials(url.host_str().unwrap_or(url.scheme()))
}
