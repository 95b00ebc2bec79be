//! What `XTOOL_MIRROR` reads, written: archives under their digest, in a folder for any static file server or in one
//! `.tar.zst` for hosts without a network.
//!
//! In: [`VerifiedArchive`]s. Out: `sha256/<digest>` for each. The same archives give the same bytes, whenever and by
//! whomever they are written.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::archive::VerifiedArchive;
use crate::digest::Sha256;
use crate::fetch::Fetcher;
use crate::help::Help;
use crate::pin::Pin;
use crate::source::{self, SourceError};

/// Archives are compressed already; a higher level would cost time and gain nothing.
const LEVEL: i32 = 1;

/// Why a mirror could not be written.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// A file could not be read or written.
    #[error("Cannot {action} `{}`", path.display())]
    Io {
        /// `write`, `read`, …
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An archive of the cache changed while it was copied.
    #[error("`{file}` changed while it was copied: expected sha256 {expected}, found {found}")]
    Changed {
        /// The archive's file name.
        file: String,
        /// As pinned.
        expected: Sha256,
        /// As read.
        found: Sha256,
    },
}

impl Help for MirrorError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Io { .. } => {
                Some("name a folder or a `.tar.zst` that this user can write, with room for the archives".to_owned())
            }
            Self::Changed { .. } => Some("xtool cache clean, and again".to_owned()),
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MirrorError + use<> {
    let path = path.to_owned();
    move |source| MirrorError::Io {
        action,
        path,
        source,
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Archives that the mirror holds now.
    pub archives: usize,
    /// Of those, the ones that it held before.
    pub present: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// The archives of each pin, from cache, mirror or source; nothing is unpacked. In the pins' order.
pub fn collect(
    pins: &[Pin],
    context: &source::Context,
    fetcher: &Fetcher,
) -> Result<Vec<Result<Vec<VerifiedArchive>, SourceError>>, MirrorError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(failed(
            "start the threads that fetch into",
            &context.work_dir,
        ))?;
    let work = futures_util::future::join_all(pins.iter().map(|pin| async {
        let provided = source::provide(pin, context, fetcher).await?;
        Ok(provided.archives)
    }));
    crate::interrupt::watch();
    Ok(runtime.block_on(work))
}

/// Whether a path names an archive, not a folder.
pub fn is_tar(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".tar.zst")
}

/// Writes into `folder`, which is made where it is missing. What is there and right stays; each file appears whole.
pub fn write_folder(folder: &Path, archives: &[VerifiedArchive]) -> Result<Written, MirrorError> {
    let below = folder.join("sha256");
    fs_err::create_dir_all(&below).map_err(failed("create", &below))?;
    let mut written = Written::default();
    for (digest, archive) in by_digest(archives) {
        written.archives += 1;
        written.bytes += archive.size();
        let path = below.join(digest.to_string());
        if VerifiedArchive::check(&path, archive.archive()).is_ok() {
            written.present += 1;
            continue;
        }
        let mut temp = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempfile_in(&below)
            .map_err(failed("write in", &below))?;
        io::copy(&mut archive.content(), &mut temp).map_err(failed("write", &path))?;
        // What was read may have changed since it was verified.
        VerifiedArchive::check(temp.path(), archive.archive()).map_err(|_| {
            let found = Sha256::of_file(temp.path()).map_or(digest, |(found, _)| found);
            MirrorError::Changed {
                file: archive.archive().file.clone(),
                expected: digest,
                found,
            }
        })?;
        make_readable(temp.path()).map_err(failed("write", &path))?;
        temp.persist(&path)
            .map_err(|e| failed("write", &path)(e.error))?;
    }
    Ok(written)
}

/// Writes one `.tar.zst`: entries sorted by digest, no times, owners or other facts of this machine.
pub fn write_tar(path: &Path, archives: &[VerifiedArchive]) -> Result<Written, MirrorError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs_err::create_dir_all(folder).map_err(failed("create", folder))?;
    let temp = tempfile::Builder::new()
        .prefix(".tmp-")
        .tempfile_in(folder)
        .map_err(failed("write in", folder))?;
    let writing = || failed("write", path);
    let mut encoder = zstd::Encoder::new(io::BufWriter::new(temp), LEVEL).map_err(writing())?;
    encoder.include_checksum(true).map_err(writing())?;
    let mut tar = tar::Builder::new(encoder);
    let mut written = Written::default();
    for (digest, archive) in by_digest(archives) {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(archive.size());
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        // Digested on the way: what was read may have changed since it was verified.
        let mut source = Digesting {
            inner: io::Read::take(archive.content(), archive.size()),
            hasher: crate::digest::Hasher::new(),
        };
        tar.append_data(&mut header, format!("sha256/{digest}"), &mut source)
            .map_err(writing())?;
        let found = source.hasher.finish();
        if found != digest {
            return Err(MirrorError::Changed {
                file: archive.archive().file.clone(),
                expected: digest,
                found,
            });
        }
        written.archives += 1;
        written.bytes += archive.size();
    }
    let encoder = tar.into_inner().map_err(writing())?;
    let mut buffer = encoder.finish().map_err(writing())?;
    buffer.flush().map_err(writing())?;
    let temp = buffer.into_inner().map_err(|e| writing()(e.into_error()))?;
    make_readable(temp.path()).map_err(writing())?;
    temp.as_file().sync_data().map_err(writing())?;
    temp.persist(path).map_err(|e| writing()(e.error))?;
    Ok(written)
}

fn by_digest(archives: &[VerifiedArchive]) -> BTreeMap<Sha256, &VerifiedArchive> {
    archives.iter().map(|a| (a.archive().sha256, a)).collect()
}

struct Digesting<R> {
    inner: R,
    hasher: crate::digest::Hasher,
}

impl<R: io::Read> io::Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        Ok(n)
    }
}

/// A static server runs as another user.
#[cfg(unix)]
fn make_readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
fn make_readable(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Archive;

    fn archive(folder: &Path, name: &str, bytes: &[u8]) -> VerifiedArchive {
        let path = folder.join(name);
        fs_err::write(&path, bytes).unwrap();
        let pin = Archive {
            file: name.to_owned(),
            sha256: Sha256::of(bytes),
            size: None,
        };
        VerifiedArchive::check(&path, &pin).unwrap()
    }

    #[test]
    fn the_same_archives_give_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let a = archive(dir.path(), "a", b"first");
        let b = archive(dir.path(), "b", &vec![7; 100_000]);
        let (one, two) = (dir.path().join("1.tar.zst"), dir.path().join("2.tar.zst"));
        let all = [a.clone(), b.clone(), a.clone()];
        assert_eq!(write_tar(&one, &all).unwrap().archives, 2);
        write_tar(&two, &[b, a]).unwrap();
        assert_eq!(fs_err::read(one).unwrap(), fs_err::read(two).unwrap());
    }

    #[test]
    fn a_folder_keeps_what_is_right_and_mends_what_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let all = [
            archive(dir.path(), "a", b"first"),
            archive(dir.path(), "b", b"second"),
        ];
        let out = dir.path().join("mirror");
        assert_eq!(write_folder(&out, &all).unwrap().present, 0);
        let broken = out.join("sha256").join(Sha256::of(b"first").to_string());
        fs_err::write(&broken, b"First").unwrap();
        assert_eq!(write_folder(&out, &all).unwrap().present, 1);
        assert_eq!(fs_err::read(broken).unwrap(), b"first");
    }

    #[test]
    fn an_archive_that_changed_is_not_passed_on() {
        let dir = tempfile::tempdir().unwrap();
        let a = archive(dir.path(), "a", b"first");
        fs_err::write(a.path(), b"fIrst").unwrap();
        let out = dir.path().join("x.tar.zst");
        for result in [
            write_tar(&out, std::slice::from_ref(&a)),
            write_folder(dir.path(), &[a]),
        ] {
            assert!(
                matches!(result, Err(MirrorError::Changed { .. })),
                "{result:?}"
            );
        }
        assert!(!out.exists());
    }
}
