//! What the targets share. Archives: bytes in, a folder of their own, and the two promises of `unpack` checked.

mod inspect;

pub use inspect::inspects_or_refuses;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use xtool::archive::{Archive, VerifiedArchive};
use xtool::digest::Sha256;
use xtool::unpack::{Keep, Limits, Options, unpack};

struct Sandbox {
    folder: tempfile::TempDir,
    dest: PathBuf,
    archive: PathBuf,
}

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let folder = folder_of_its_own();
    let dest = folder.path().join("dest");
    fs_err::create_dir(&dest).expect("a folder");
    Sandbox {
        dest,
        archive: folder.path().join("archive"),
        folder,
    }
});

/// A temporary folder, in memory where there is such a thing: an execution is a handful of file operations.
fn folder_of_its_own() -> tempfile::TempDir {
    let shm = Path::new("/dev/shm");
    let parent = if shm.is_dir() {
        shm.to_owned()
    } else {
        std::env::temp_dir()
    };
    tempfile::Builder::new()
        .prefix("xtool-fuzz-")
        .tempdir_in(parent)
        .expect("a temporary folder")
}

/// Unpacks the bytes under that name. Nothing may appear beside the destination or be reached through it, and an
/// archive that is refused leaves the destination empty.
pub fn unpacks_or_refuses(file: &str, bytes: &[u8]) {
    let sandbox = &*SANDBOX;
    fs_err::write(&sandbox.archive, bytes).expect("the archive is written");
    let archive = Archive {
        file: file.to_owned(),
        sha256: Sha256::of(bytes),
        size: Some(bytes.len() as u64),
    };
    let verified = VerifiedArchive::check(&sandbox.archive, &archive).expect("its own digest");
    let options = Options {
        root: None,
        keep: Keep::All,
        limits: Limits {
            // Small, so that an execution is short; the limits' own tests are elsewhere.
            max_bytes: 1 << 16,
            max_entries: 64,
            decoder_memory: 4 << 20,
        },
        threads: 1,
    };
    let result = unpack(&verified, &sandbox.dest, &options);
    let mut written = 0;
    for entry in fs_err::read_dir(&sandbox.dest).expect("the destination") {
        let path = entry.expect("an entry").path();
        stays_inside(&path, &sandbox.dest, &mut written);
        written += 1;
        let is_folder = path.symlink_metadata().is_ok_and(|m| m.is_dir());
        let removed = if is_folder {
            fs_err::remove_dir_all(&path)
        } else {
            fs_err::remove_file(&path)
        };
        removed.expect("what was unpacked can be removed");
    }
    assert!(
        result.is_ok() || written == 0,
        "a refused archive left {written} entries"
    );
    assert_eq!(
        fs_err::read_dir(sandbox.folder.path())
            .expect("the sandbox")
            .count(),
        2,
        "something was written beside the destination"
    );
}

fn stays_inside(path: &Path, dest: &Path, links: &mut usize) {
    let meta = path.symlink_metadata().expect("what was listed");
    if meta.is_symlink() {
        *links += 1;
        // A link that leads nowhere is allowed; one that leads somewhere leads into the destination.
        if let Ok(real) = fs_err::canonicalize(path) {
            let dest = fs_err::canonicalize(dest).expect("the destination");
            assert!(
                real.starts_with(dest),
                "{} leads to {}",
                path.display(),
                real.display()
            );
        }
    } else if meta.is_dir() {
        for entry in fs_err::read_dir(path).expect("a folder") {
            stays_inside(&entry.expect("an entry").path(), dest, links);
        }
    }
}
