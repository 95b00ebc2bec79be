//! Packages of the host's distribution, from whichever servers its apt uses.
//!
//! apt runs as the user, with the host's sources and keyrings but state of our own, and with no package counted as
//! installed: what a request resolves to depends on the distribution alone. Each package's SHA256 stands in an index
//! whose own digest the signed `InRelease` file holds, which apt checks.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use url::Url;

use super::client::{Output, Run, empty_folder};
use super::{Context, Environment, Transport, one_line};
use crate::archive::{Archive, VerifiedArchive};
use crate::digest::Sha256;
use crate::env_vars::XTOOL_HTTP_TIMEOUT;
use crate::pin::{AptPackage, Distribution};

mod error;
mod output;
mod state;

pub use error::AptError;

use output::{Listed, Record};
use state::{Freshness, State};

/// For a question about packages; loading the lists takes one or two on a slow disk.
const ASK: Duration = Duration::from_mins(2);
/// Seconds that `apt-get download` has, as the download engine has by default.
const DOWNLOAD_SECONDS: u64 = 1800;

/// What the packages of a manifest are today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The host's.
    pub distribution: Distribution,
    /// The upstream version of the package that stands for the toolchain, without epoch and revision.
    pub version: String,
    /// The whole closure, sorted by name.
    pub packages: Vec<AptPackage>,
}

/// The host's distribution, if xtool can use its apt: `apt-get` and `apt-cache` on `PATH`, a machine that Debian knows,
/// and the text of an os-release file (os-release(5)) that names the distribution. Starts no process.
pub fn available(environment: &Environment, os_release: &str) -> Option<Distribution> {
    architecture()?;
    environment.program("apt-get")?;
    environment.program("apt-cache")?;
    output::distribution(os_release)
}

/// [`available`], with the host's own os-release file.
pub fn host_distribution(environment: &Environment) -> Option<Distribution> {
    let text = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| fs_err::read_to_string(path).ok())?;
    available(environment, &text)
}

/// Resolves packages to their whole closure, each with its digest. Blocks: it runs apt, which may fetch package lists
/// when ours are missing or older than a day.
pub fn resolve(packages: &[String], version_of: &str, ctx: &Context) -> Result<Resolved, AptError> {
    packages
        .iter()
        .try_for_each(|name| output::check_name(name))?;
    let distribution = host_distribution(&ctx.environment).ok_or(AptError::NoApt)?;
    let state = State::open(&distribution, ctx)?;
    let mut trouble = state.refresh(Freshness::Day, ctx)?;
    let listed = match closure(packages, &state, ctx) {
        Ok(listed) => listed,
        // Lists of sources that have changed since, or too old to name the packages.
        Err(AptError::Resolve { .. }) if !trouble.just_updated && !ctx.offline => {
            trouble = state.refresh(Freshness::Now, ctx)?;
            closure(packages, &state, ctx).map_err(|e| e.after(trouble.text.clone()))?
        }
        Err(e) => return Err(e.after(trouble.text)),
    };
    if let Some(text) = &trouble.text {
        ctx.reporter.warn(&format!(
            "Some of apt's package lists could not be updated: {text}"
        ));
    }
    let wanted: Vec<Listed> = listed
        .into_iter()
        .filter(|p| !output::is_left_out(&p.name))
        .collect();
    let records = records(&wanted, &state, ctx)?;
    let packages = with_digests(wanted, &records)?;
    let version = packages
        .iter()
        .find(|p| p.name == version_of)
        .map(|p| p.upstream_version().to_owned())
        .ok_or_else(|| AptError::NoVersion {
            package: version_of.to_owned(),
        })?;
    Ok(Resolved {
        distribution,
        version,
        packages,
    })
}

/// What installing the packages on an empty system would download.
fn closure(packages: &[String], state: &State, ctx: &Context) -> Result<Vec<Listed>, AptError> {
    let failed = |source| AptError::Resolve {
        packages: packages.to_vec(),
        lists: None,
        source: Box::new(source),
    };
    let answer = state
        .apt_get("install --print-uris", ASK)
        .args(["--print-uris", "install", "--"])
        .args(packages)
        .in_empty_folder(ctx)
        .map_err(failed)?;
    Listed::parse(&answer.stdout)
}

/// What the package lists say of each package.
fn records(listed: &[Listed], state: &State, ctx: &Context) -> Result<Vec<Record>, AptError> {
    let answer = state
        .apt_cache("show", ASK)
        .args(["show", "--"])
        .args(listed.iter().map(Listed::exact))
        .in_empty_folder(ctx)
        .map_err(|source| AptError::Show { source })?;
    Ok(Record::parse(&answer.stdout))
}

/// Joins both answers; sorted by name.
fn with_digests(listed: Vec<Listed>, records: &[Record]) -> Result<Vec<AptPackage>, AptError> {
    let mut packages: BTreeMap<String, AptPackage> = BTreeMap::new();
    for p in listed {
        let record = records
            .iter()
            .find(|r| r.describes(&p))
            .ok_or_else(|| AptError::NoDigest { package: p.exact() })?;
        let archive = Archive {
            file: p.file.clone(),
            sha256: record.sha256,
            size: Some(record.size),
        };
        packages.insert(
            p.name.clone(),
            AptPackage {
                name: p.name,
                version: p.version,
                architecture: p.architecture,
                archive,
            },
        );
    }
    Ok(packages.into_values().collect())
}

/// Gets the packages that cache and mirror did not have; the answer is in the packages' order.
pub(super) async fn get<T: Transport>(
    distribution: &Distribution,
    packages: &[AptPackage],
    found: Vec<Option<VerifiedArchive>>,
    ctx: &Context,
    transport: &T,
) -> Result<Vec<VerifiedArchive>, AptError> {
    let missing: Vec<AptPackage> = packages
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.is_none())
        .map(|(p, _)| p.clone())
        .collect();
    ctx.reporter.step(&format!(
        "Locating {} of {distribution} with apt",
        counted(missing.len())
    ));
    let (pinned, asked) = (distribution.clone(), missing.clone());
    let located = ctx
        .blocking(move |ctx| locate(&pinned, &asked, ctx))
        .await?;
    if ctx.verbose {
        let mut hosts: Vec<&str> = located.urls.iter().filter_map(Url::host_str).collect();
        hosts.sort_unstable();
        hosts.dedup();
        ctx.reporter
            .step(&format!("Downloading them from {}", hosts.join(", ")));
    }
    let downloads = missing.iter().zip(&located.urls).map(|(p, url)| {
        let only_apt = located.only_apt || !matches!(url.scheme(), "http" | "https");
        async move {
            if only_apt {
                return Ok(Err("apt's way there is its own".to_owned()));
            }
            match transport.download(&p.archive, url, None).await {
                Ok(archive) => Ok(Ok(archive)),
                Err(e) if transport.client_may_help(&e) => Ok(Err(one_line(e.as_ref()))),
                Err(source) => Err(AptError::Download {
                    package: p.name.clone(),
                    source,
                }),
            }
        }
    });
    let mut got = Vec::with_capacity(missing.len());
    let mut for_apt = Vec::new();
    let mut because = None;
    for (answer, package) in join_all(downloads).await.into_iter().zip(&missing) {
        match answer? {
            Ok(archive) => got.push(archive),
            Err(reason) => {
                because.get_or_insert(reason);
                for_apt.push(package.clone());
            }
        }
    }
    if let Some(because) = because {
        got.extend(with_apt(distribution, for_apt, because, ctx, transport).await?);
    }
    Ok(in_order(packages, found, &got))
}

/// Puts what was at hand and what was got into the packages' order. Every package has one of both.
fn in_order(
    packages: &[AptPackage],
    found: Vec<Option<VerifiedArchive>>,
    got: &[VerifiedArchive],
) -> Vec<VerifiedArchive> {
    packages
        .iter()
        .zip(found)
        .filter_map(|(p, found)| {
            found.or_else(|| got.iter().find(|a| *a.archive() == p.archive).cloned())
        })
        .collect()
}

/// Where packages are today.
struct Located {
    /// One a package, in their order.
    urls: Vec<Url>,
    /// apt is set to a proxy or certificates that only it knows.
    only_apt: bool,
}

/// Asks apt where the packages are, after one update of the lists if it no longer knows a version.
fn locate(
    pinned: &Distribution,
    packages: &[AptPackage],
    ctx: &Context,
) -> Result<Located, AptError> {
    for p in packages {
        output::check_name(&p.name)?;
        output::check_version(&p.version)?;
        output::check_architecture(&p.architecture)?;
    }
    let distribution = host_distribution(&ctx.environment).ok_or(AptError::NoApt)?;
    if distribution != *pinned {
        return Err(AptError::OtherDistribution {
            pinned: pinned.clone(),
            host: distribution,
        });
    }
    let state = State::open(&distribution, ctx)?;
    let updated = state.refresh(Freshness::Any, ctx)?;
    let urls = match urls(packages, &state, ctx) {
        Err(e) if e.lists_may_be_old() && !updated.just_updated => {
            let trouble = state.refresh(Freshness::Now, ctx)?;
            urls(packages, &state, ctx).map_err(|e| e.after(trouble.text))
        }
        other => other.map_err(|e| e.after(updated.text)),
    }?;
    let settings = ctx.environment.program("apt-config").and_then(|program| {
        Run::new(&program, "dump", ASK)
            .arg("dump")
            .in_empty_folder(ctx)
            .ok()
    });
    Ok(Located {
        urls,
        only_apt: settings.is_some_and(|s| output::only_apt(&s.stdout)),
    })
}

fn urls(packages: &[AptPackage], state: &State, ctx: &Context) -> Result<Vec<Url>, AptError> {
    let answer = exact(state.apt_get("download --print-uris", ASK), packages)
        .arg("--print-uris")
        .in_empty_folder(ctx)
        .map_err(|source| AptError::of_download(packages, source))?;
    let listed = Listed::parse(&answer.stdout)?;
    packages
        .iter()
        .map(|p| {
            let found = listed
                .iter()
                .find(|l| l.name == p.name && l.version == p.version)
                .filter(|l| l.architecture == p.architecture)
                .ok_or_else(|| AptError::gone(p, None))?;
            if let Some(listed) = found.sha256.filter(|d| *d != p.archive.sha256) {
                return Err(AptError::OtherDigest {
                    package: found.exact(),
                    pinned: p.archive.sha256,
                    listed,
                });
            }
            Url::parse(&found.uri).map_err(|source| AptError::Address {
                package: found.exact(),
                source,
            })
        })
        .collect()
}

/// Has apt download the packages into a folder of ours, and takes them from there.
async fn with_apt<T: Transport>(
    distribution: &Distribution,
    packages: Vec<AptPackage>,
    because: String,
    ctx: &Context,
    transport: &T,
) -> Result<Vec<VerifiedArchive>, AptError> {
    ctx.reporter.step(&format!(
        "Downloading {} with apt-get",
        counted(packages.len())
    ));
    tracing::info!(because, "asking apt-get itself");
    let (distribution, asked) = (distribution.clone(), packages.clone());
    let folder = ctx
        .blocking(move |ctx| {
            let state = State::open(&distribution, ctx)?.unlocked();
            let folder = empty_folder(ctx).map_err(|source| AptError::State {
                path: ctx.work_dir.clone(),
                source,
            })?;
            download(&asked, folder.path(), &state, ctx)?;
            Ok::<_, AptError>(folder)
        })
        .await?;
    let mut got = Vec::with_capacity(packages.len());
    for p in &packages {
        let file = folder.path().join(p.file_name());
        let adopted = transport.adopt(&p.archive, &file).await;
        got.push(adopted.map_err(|source| AptError::Download {
            package: p.name.clone(),
            source,
        })?);
    }
    Ok(got)
}

fn download(
    packages: &[AptPackage],
    folder: &Path,
    state: &State,
    ctx: &Context,
) -> Result<Output, AptError> {
    let seconds = ctx
        .environment
        .text(XTOOL_HTTP_TIMEOUT)
        .and_then(|s| s.parse().ok())
        .unwrap_or(DOWNLOAD_SECONDS);
    let timeout = Duration::from_secs(seconds);
    exact(state.apt_get("download", timeout), packages)
        .run_in(folder, ctx)
        .map_err(|source| AptError::of_download(packages, source))
}

/// `download` of these very versions.
fn exact<'a>(run: Run<'a>, packages: &[AptPackage]) -> Run<'a> {
    run.arg("download")
        .args(packages.iter().map(|p| format!("{}={}", p.name, p.version)))
}

fn counted(packages: usize) -> String {
    match packages {
        1 => "1 package".to_owned(),
        n => format!("{n} packages"),
    }
}

/// Debian's name of this machine; `None` where no toolchain is published for it.
fn architecture() -> Option<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Some("amd64"),
        "aarch64" => Some("arm64"),
        _ => None,
    }
}

/// A digest that apt printed, where it is a SHA-256.
fn sha256_of(hash: &str) -> Option<Sha256> {
    hash.strip_prefix("SHA256:")?.parse().ok()
}
