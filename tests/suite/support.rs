//! What the tests start from: a folder of their own, a server that misbehaves on demand, a reporter that remembers.

pub mod recorder;
pub mod server;
#[cfg(target_os = "linux")]
pub mod small_disk;
pub mod tls;

use std::path::{Path, PathBuf};

/// A temporary folder, gone at the end of the test.
pub struct TestEnv {
    root: tempfile::TempDir,
}

impl TestEnv {
    pub fn new() -> Self {
        Self {
            root: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// A path in the folder.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Writes a file, with the folders it needs.
    pub fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs_err::write(&path, bytes).expect("a file");
        path
    }
}

/// `len` bytes that do not compress and are the same every time.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Says on the terminal, past the capture of the test runner, that a test did not run and why, with a running count.
pub fn skip(test: &str, why: &str) {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicUsize, Ordering};
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    let n = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let _ = writeln!(std::io::stderr(), "skipped ({n}): {test}: {why}");
}

/// The smallest folder that passes for an Apple SDK.
pub fn stub_sdk(at: &Path) {
    let write = |file: &str, text: &str| {
        let path = at.join(file);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    write(
        "SDKSettings.json",
        r#"{"CanonicalName":"macosx14.5","Version":"14.5"}"#,
    );
    for name in ["System", "System.B", "c", "m", "pthread", "dl"] {
        write(&format!("usr/lib/lib{name}.tbd"), "--- !tapi-tbd\n");
    }
    for header in ["stdio.h", "sys/types.h"] {
        write(&format!("usr/include/{header}"), "\n");
    }
}
