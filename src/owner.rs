//! Files and folders of the store, the cache and the shims: whoever can write one chooses what others run, so they are
//! made writable by their owner alone, also under an umask of 000 or 002. A stricter umask counts.
//!
//! What other programs write there, a linker or zig, follows the umask: it gets a folder that nobody else enters.
//!
//! The project's own files are the user's, and follow the umask; so do those that `xtool mirror` writes.

use std::io::{self, Write as _};
use std::path::Path;

use fs_err::{File, OpenOptions};

/// Makes a folder, 0755 at most. The error does not name it.
pub fn create_dir(path: &Path) -> io::Result<()> {
    builder().create(path)
}

/// Makes a folder and those above it where they are missing, 0755 at most. The error does not name it.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    builder().recursive(true).create(path)
}

fn builder() -> std::fs::DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder
}

/// How to open a file, which gets 0644 at most if it is new.
pub fn options() -> OpenOptions {
    with_mode(0o644)
}

fn mode_of(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

fn with_mode(mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = (&mut options, mode);
    options
}

/// Makes a file, 0644 at most, or empties the one that is there.
pub fn create(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(true).open(path)
}

/// Makes a file, 0755 or 0644 at most, where nothing was.
pub fn create_new(path: &Path, executable: bool) -> io::Result<File> {
    with_mode(mode_of(executable))
        .write(true)
        .create_new(true)
        .open(path)
}

/// Makes a file with this content, or gives it to the one that is there.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    create(path)?.write_all(bytes.as_ref())
}

/// Copies the content of a file to where nothing was, and of its mode whether it is a program: never the
/// set-user-ID bit, which would make it one that runs as whoever copied it.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (mut source, metadata) = crate::regular::open(from)?;
    let mut target = create_new(to, is_program(&metadata))?;
    // Of the inner files, which the system copies by itself.
    io::copy(source.file_mut(), target.file_mut()).map(drop)
}

#[cfg(unix)]
fn is_program(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_program(_metadata: &std::fs::Metadata) -> bool {
    false
}

/// Writes a file by way of a temporary one in the same folder, so that readers see all of it or nothing. 0755 or 0644
/// at most.
pub fn replace(path: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-");
    // Without this 0600; a store may be shared with other users, who read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode_of(
        executable,
    )));
    #[cfg(not(unix))]
    let _ = executable;
    let mut temp = builder.tempfile_in(folder)?;
    temp.write_all(bytes)?;
    temp.as_file().sync_data()?;
    temp.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// A folder in the making, 0755 at most, that takes its place by a rename; gone again when it is dropped.
pub fn staged_dir(prefix: &str, folder: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
    builder.tempdir_in(folder)
}

/// Makes a folder for a program that makes files in it after the umask: where that lets others write, only the owner
/// gets in at all.
pub fn create_dir_around(path: &Path) -> io::Result<()> {
    match create_dir(path) {
        // Another process was faster.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        made => made?,
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let probe = path.join(".umask");
        fs_err::create_dir(&probe)?;
        let open = fs_err::metadata(&probe)?.permissions().mode() & 0o022 != 0;
        fs_err::remove_dir(&probe)?;
        if open {
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}
