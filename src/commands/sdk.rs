//! `xtool sdk`: the Apple SDKs that the user brings.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;
use url::Url;
use xtool::archive::{Archive, VerifiedArchive, VerifyError};
use xtool::digest::Sha256;
use xtool::fetch::FetchError;
use xtool::help::Help;
use xtool::install::download_errors;
use xtool::manifest::{Family, file_name};
use xtool::pin::{Pin, PinnedSource, redacted};
use xtool::sdk::{self, Imported};
use xtool::source::{self, SourceError};
use xtool::unpack::format::Format;
use xtool::unpack::{self, Cause, UnpackError};

use super::failure::{because, with_help};
use super::session::Session;
use crate::cli::{Sdk, SdkCommand, SdkImport};

/// Imports or lists.
pub fn run(args: &Sdk, session: &Session) -> Result<ExitCode> {
    match &args.command {
        SdkCommand::Import(args) => import(args, session),
        SdkCommand::List => list(session),
    }
}

fn import(args: &SdkImport, session: &Session) -> Result<ExitCode> {
    let given = Given::read(args)?;
    let from = given.to_string();
    let (imported, fresh) = take(given, session).map_err(|cause| {
        let help = help_for(&cause, &from);
        because(format!("Cannot import `{from}`"), help, cause)
    })?;
    let printer = session.printer;
    if printer.json() {
        let mut value = json_of(&imported);
        value["fresh"] = fresh.into();
        printer.value(&value)?;
        return Ok(ExitCode::SUCCESS);
    }
    let verb = if fresh { "Imported" } else { "Unchanged" };
    printer.step(
        verb,
        &format!("{} in {}", imported.name, imported.path.display()),
    );
    if fresh {
        printer.note(&format!(
            "Now: xtool add aarch64-apple-darwin --sdk {}",
            imported.name
        ));
    } else {
        printer
            .note("An SDK of this name is there already; remove that folder first to replace it");
    }
    Ok(ExitCode::SUCCESS)
}

fn take(given: Given, session: &Session) -> Result<(Imported, bool)> {
    let mut known_as = PathBuf::from(given.to_string());
    let staging = session.store.stage()?;
    let tree = staging.tree();
    match given {
        Given::Folder(folder) => {
            // Judged before it is copied, which takes a while.
            let there = sdk::within(&folder)?;
            session
                .printer
                .step("Copying", &there.path.display().to_string());
            sdk::copy_tree(&there.path, &tree)?;
            known_as = there.path;
        }
        Given::File(path, archive) => {
            let verified = VerifiedArchive::check(&path, &archive)?;
            unpack::unpack(&verified, &tree, &unpack::Options::default())?;
        }
        Given::Url(url, archive) => {
            let verified = download(session, url, archive)?;
            unpack::unpack(&verified, &tree, &unpack::Options::default())?;
        }
    }
    let adopted = sdk::adopt(&session.store, staging);
    Ok(adopted.map_err(|e| e.renamed(&tree, &known_as))?)
}

/// What unpacking and verifying say to who writes a manifest, said to who brings an SDK.
fn help_for(error: &anyhow::Error, from: &str) -> Option<String> {
    error.chain().find_map(|e| {
        let source = e.downcast_ref::<SourceError>();
        let other_bytes = match source {
            Some(e) => e.failures.iter().any(|f| is_other_bytes(&f.cause)),
            None => is_other_bytes(e),
        };
        if other_bytes {
            return Some(format!(
                "compare `--sha256` with what the publisher names, and get {from} again if it is right"
            ));
        }
        if let Some(e) = source {
            // Switched off, say, is told with its own way out. What is gone, a toolchain's words do not fit.
            let gone = |e: &FetchError| matches!(e.status(), Some(404 | 410));
            let others = || {
                let mut errors = download_errors(e).filter(|e| !gone(e));
                errors.find_map(Help::help)
            };
            return e.help().or_else(others).or_else(|| {
                Some("check the address, or get the file by other means, and then: xtool sdk import FILE --sha256 DIGEST".to_owned())
            });
        }
        let cause = &e.downcast_ref::<UnpackError>()?.cause;
        match cause {
            Cause::OtherFormat { .. } => Some(
                "give it the name that its content has: .tar.xz, .tar.gz or .tar.zst".to_owned(),
            ),
            Cause::Damaged { .. } | Cause::Malformed { .. } | Cause::Empty => Some(format!(
                "the archive is not whole: copy or download {from} again, or pack the SDK anew: {PACK}"
            )),
            Cause::Refused { .. } => Some(format!("pack the SDK anew: {PACK}")),
            _ => None,
        }
    })
}

fn is_other_bytes(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |e| e.source())
        .any(|e| matches!(e.downcast_ref(), Some(VerifyError::Digest { .. })))
}

/// How an SDK is packed where it is.
const PACK: &str = "tar --create --xz --file MacOSX.sdk.tar.xz MacOSX.sdk";

/// Refuses what cannot be unpacked by its name, before gigabytes of it are read.
fn check_name(file: &str, path: &Path) -> Result<()> {
    if Format::of_name(file).is_some_and(|f| f != Format::Deb) {
        return Ok(());
    }
    let extension = Path::new(file)
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    let help = match extension.as_deref() {
        Some("xip" | "dmg" | "pkg") => format!(
            "open it on a Mac, and there, in Xcode.app/Contents/Developer/Platforms/MacOSX.platform/Developer/SDKs or \
             /Library/Developer/CommandLineTools/SDKs: {PACK}"
        ),
        _ => format!(
            "give the folder `MacOSX.sdk`, or an archive of it (.tar.xz, .tar.gz, .tar.zst): {PACK}"
        ),
    };
    Err(with_help(
        format!("`{}` is no archive of an SDK", path.display()),
        help,
    ))
}

/// What the user named.
enum Given {
    Folder(PathBuf),
    File(PathBuf, Archive),
    Url(Url, Archive),
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) | Self::File(path, _) => path.display().fmt(f),
            Self::Url(url, _) => redacted(url).fmt(f),
        }
    }
}

impl Given {
    fn read(args: &SdkImport) -> Result<Self> {
        let pinned = args
            .sha256
            .as_deref()
            .map(str::parse::<Sha256>)
            .transpose()
            .context("Cannot use `--sha256`")?;
        if args.from.contains("://") {
            let url: Url = args
                .from
                .parse()
                .context("The SDK's address is not an address")?;
            let Some(sha256) = pinned else {
                return Err(with_help(
                    format!("`{}` is an address, and no digest is given", redacted(&url)),
                    "--sha256 DIGEST   (what the publisher names; nothing unverified is unpacked)",
                ));
            };
            let last = url
                .path_segments()
                .and_then(|mut parts| parts.next_back())
                .unwrap_or_default();
            let file = file_name(last).map_err(anyhow::Error::msg)?;
            check_name(&file, Path::new(&redacted(&url)))?;
            let size = None;
            return Ok(Self::Url(url, Archive { file, sha256, size }));
        }
        let path = std::path::absolute(Path::new(&args.from))
            .with_context(|| format!("Cannot use `{}`", args.from))?;
        if path.is_dir() {
            if pinned.is_some() {
                return Err(with_help(
                    format!("`{}` is a folder, which has no digest", path.display()),
                    "leave `--sha256` out",
                ));
            }
            return Ok(Self::Folder(path));
        }
        // A pipe would be waited for.
        if !path.is_file() {
            let what = if path.exists() {
                "is neither a file nor a folder"
            } else {
                "does not exist"
            };
            return Err(with_help(
                format!("`{}` {what}", path.display()),
                format!("give the folder `MacOSX.sdk`, or an archive of it: {PACK}"),
            ));
        }
        let file = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        check_name(&file, &path)?;
        // Without a digest of the user's the file is taken as it is: it is the user's own.
        let sha256 = match pinned {
            Some(digest) => digest,
            None => {
                Sha256::of_file(&path)
                    .with_context(|| format!("Cannot read `{}`", path.display()))?
                    .0
            }
        };
        let size = None;
        Ok(Self::File(path, Archive { file, sha256, size }))
    }
}

/// With cache, mirror, retries and `--offline` as for a toolchain.
fn download(session: &Session, url: Url, archive: Archive) -> Result<VerifiedArchive> {
    let installer = session.installer()?;
    let pin = Pin {
        toolchain: "sdk".to_owned(),
        version: archive.sha256.short(),
        family: Family::Clang,
        sources: vec![PinnedSource::Url {
            url,
            archive,
            root: None,
            minisign: None,
        }],
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("Cannot start the threads that download")?;
    let work = source::provide(&pin, &installer.context, &installer.fetcher);
    let provided = runtime.block_on(work)?;
    provided
        .archives
        .into_iter()
        .next()
        .context("The download came without a file")
}

fn list(session: &Session) -> Result<ExitCode> {
    let printer = session.printer;
    let all = sdk::imported(&session.store);
    if printer.json() {
        let all: Vec<_> = all.iter().map(json_of).collect();
        printer.value(&json!({ "sdks": all }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for sdk in &all {
        printer.data(format!("{:<16}{}", sdk.name, sdk.path.display()))?;
    }
    if all.is_empty() {
        printer.note("No SDK was imported; xtool cannot ship one: Apple's licence forbids it.");
        printer.advice("xtool sdk import MacOSX.sdk.tar.xz   (a folder, an archive, or an address with --sha256)");
    }
    Ok(ExitCode::SUCCESS)
}

fn json_of(sdk: &Imported) -> serde_json::Value {
    json!({ "name": sdk.name, "version": sdk.version, "path": sdk.path })
}
