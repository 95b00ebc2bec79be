//! What git knows about a file: whether it tracks it, and whether it ignores it.
//!
//! git itself is never started. The configuration of a repository names programs (a monitor, hooks, a lazy fetch
//! whose remote is `ext::./evil.sh`), new ones with every version, and a repository may come along with a clone: as
//! `.git` in an unpacked archive, or as a bare one in any of its folders. A flag against each would have to be known
//! to the git that is installed. So git's own files are read: the index and the patterns, which can only be wrong.

use std::io;
use std::path::{Path, PathBuf};

mod ignore;
mod index;

/// More than any file of lines that git reads for us needs; a hostile one is as long as it likes.
const TEXT_LIMIT: u64 = 1 << 20;

/// Where git keeps what it knows of a working tree.
struct Checkout {
    /// The working tree's uppermost folder.
    top: PathBuf,
    /// This working tree's own: the index.
    git_dir: PathBuf,
    /// What all working trees of the repository share; mostly the same.
    common: PathBuf,
}

impl Checkout {
    /// The one that a folder lies in; an error where there is one that cannot be understood.
    fn of(folder: &Path) -> io::Result<Option<Self>> {
        for top in folder.ancestors() {
            let dot = top.join(".git");
            let Ok(meta) = fs_err::metadata(&dot) else {
                continue;
            };
            let git_dir = if meta.is_file() {
                // A submodule, or one of several working trees.
                let text = text(&dot)?;
                let named = text.strip_prefix("gitdir:").ok_or_else(|| odd(&dot))?;
                top.join(named.trim())
            } else {
                dot
            };
            // As git does: a folder of that name that is no repository is passed over.
            if fs_err::symlink_metadata(git_dir.join("HEAD")).is_err() {
                continue;
            }
            let common = match text(&git_dir.join("commondir")) {
                Ok(named) => git_dir.join(named.trim()),
                Err(_) => git_dir.clone(),
            };
            return Ok(Some(Self {
                top: top.to_owned(),
                git_dir,
                common,
            }));
        }
        Ok(None)
    }

    /// As git writes it: relative to the uppermost folder, with `/`.
    fn path_of(&self, root: &Path, file: &str) -> Option<Vec<u8>> {
        let mut path = Vec::new();
        for part in root.strip_prefix(&self.top).ok()?.components() {
            path.extend_from_slice(part.as_os_str().as_encoded_bytes());
            path.push(b'/');
        }
        path.extend_from_slice(file.as_bytes());
        Some(path)
    }

    /// How many bytes a digest has in the index.
    fn digest_len(&self) -> usize {
        let config = text(&self.common.join("config")).unwrap_or_default();
        let sha256 = config.lines().any(|line| {
            let line = line.trim().to_ascii_lowercase();
            line.starts_with("objectformat") && line.contains("sha256")
        });
        if sha256 { 32 } else { 20 }
    }
}

/// Whether git tracks `file` (relative to `root`); `None` where that cannot be told.
pub(super) fn tracks(root: &Path, file: &str) -> Option<bool> {
    let Some(checkout) = Checkout::of(root).ok()? else {
        return Some(false);
    };
    let path = checkout.path_of(root, file)?;
    index::holds(&checkout.git_dir, checkout.digest_len(), &path).ok()?
}

/// Whether git ignores `file` (relative to `root`), which it does not track; `None` where that cannot be told.
pub(super) fn ignores(root: &Path, file: &str) -> Option<bool> {
    let Some(checkout) = Checkout::of(root).ok()? else {
        return Some(true);
    };
    let path = checkout.path_of(root, file)?;
    Some(ignore::ignores(&checkout.top, &checkout.common, &path))
}

/// The text of a small, ordinary file: nothing that waits for a writer, and nothing without an end.
fn text(path: &Path) -> io::Result<String> {
    use std::io::Read as _;
    let file = fs_err::metadata(path)?;
    if !file.is_file() || file.len() > TEXT_LIMIT {
        return Err(odd(path));
    }
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(TEXT_LIMIT)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn odd(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("`{}` is not as git writes it", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, args: &[&str]) -> bool {
        std::process::Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(args)
            .current_dir(folder)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("git is needed for this test")
            .success()
    }

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs_err::write(path, text).expect("written");
    }

    /// Every form of the index that git writes says the same of the same files.
    #[test]
    fn an_index_of_any_form_is_read() {
        for (init, after) in [
            (&["init", "-q"][..], &[][..]),
            (&["init", "-q"], &["update-index", "--index-version", "4"]),
            (&["init", "-q"], &["update-index", "--split-index"]),
            (
                &["init", "-q"],
                &["update-index", "--skip-worktree", "p/.cargo/config.toml"],
            ),
            (&["init", "-q", "--object-format=sha256"], &[]),
            (
                &["init", "-q"],
                &["worktree", "add", "-q", "--detach", "../other"],
            ),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let top = folder.path().join("top");
            fs_err::create_dir(&top).expect("made");
            assert!(git(&top, init), "{init:?}");
            for file in ["a", "p/.cargo/config.toml", "p/.cargo/config.toml.bak", "z"] {
                put(&top, file, file);
            }
            assert_eq!(tracks(&top.join("p"), ".cargo/config.toml"), Some(false));
            assert!(git(&top, &["add", "-A"]) && git(&top, &["commit", "-qm", "x"]));
            assert!(after.is_empty() || git(&top, after), "{after:?}");
            put(&top, "p/.cargo/xtool.toml", "");
            let other = folder.path().join("other");
            for top in [top, other].iter().filter(|t| t.is_dir()) {
                let root = top.join("p");
                assert_eq!(tracks(&root, ".cargo/config.toml"), Some(true), "{after:?}");
                assert_eq!(tracks(&root, ".cargo/xtool.toml"), Some(false), "{after:?}");
                assert_eq!(tracks(top, ".cargo/config.toml"), Some(false), "{after:?}");
            }
        }
    }

    #[test]
    fn what_is_no_index_is_not_understood() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        put(root, ".git/HEAD", "ref: refs/heads/main\n");
        assert_eq!(tracks(root, "a"), Some(false));
        for index in [
            &b""[..],
            b"DIRC",
            b"DIRC\0\0\0\x09\0\0\0\0",
            b"DIRC\0\0\0\x02\xff\xff\xff\xff",
            b"DIRC\0\0\0\x02\0\0\0\0",
            b"DIRC\0\0\0\x02\0\0\0\0ABCD\xff\xff\xff\xffdigest digest digest",
            b"DIRC\0\0\0\x02\0\0\0\0abcd\0\0\0\0digest digest digest",
        ] {
            fs_err::write(root.join(".git/index"), index).expect("written");
            assert_eq!(tracks(root, "a"), None, "{index:?}");
        }
        // A folder of that name that git passes over, and a file that git does not.
        fs_err::remove_file(root.join(".git/HEAD")).expect("gone");
        assert_eq!(
            (tracks(root, "a"), ignores(root, "a")),
            (Some(false), Some(true))
        );
        fs_err::remove_dir_all(root.join(".git")).expect("gone");
        put(root, ".git", "elsewhere");
        assert_eq!((tracks(root, "a"), ignores(root, "a")), (None, None));
    }

    /// git is asked about every pattern too, and must say the same.
    #[test]
    fn patterns_mean_what_they_mean_to_git() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().join("top");
        let root = top.join("p/q");
        let file = ".cargo/config.toml";
        put(&top, "p/q/.cargo/config.toml", "");
        assert!(git(&top, &["init", "-q"]));
        for (place, patterns) in [
            (".gitignore", "config.toml\n"),
            (".gitignore", "/config.toml\n"),
            (".gitignore", "p/q/.cargo/config.toml\r\n"),
            (".gitignore", "q/.cargo\n"),
            (".gitignore", "**/.cargo/\n"),
            (".gitignore", "p/**\n!config.toml\n"),
            (".gitignore", "p/**/config.toml\n"),
            (".gitignore", "p/*/config.toml\n"),
            (".gitignore", "*.toml  \n!*g.toml\n"),
            (".gitignore", "# config.toml\n\\#x\n*.tom\\l\n"),
            (".gitignore", "con[!a-e]ig.t?ml\n"),
            (".gitignore", "con[[:alpha:]fx]ig.*\n"),
            (".gitignore", "con[]f]ig.*\n"),
            (".gitignore", "con[f\n"),
            (".gitignore", "config.toml/\n"),
            (".gitignore", "p\n!p/q\n"),
            (".gitignore", "\u{feff}config.toml"),
            ("p/.gitignore", "/q/.cargo/config.toml\n"),
            ("p/q/.gitignore", "/.cargo/*\n!/.cargo/config.toml\n"),
            ("p/q/.cargo/.gitignore", "/config.toml\n"),
            ("p/q/.cargo/.gitignore", "*\n!config.toml\n"),
            (".git/info/exclude", "config.*\n"),
        ] {
            put(&top, place, patterns);
            let asked = git(&root, &["check-ignore", "--quiet", "--", file]);
            assert_eq!(ignores(&root, file), Some(asked), "{place}: {patterns:?}");
            fs_err::remove_file(top.join(place)).expect("gone");
        }
        // The nearest file decides.
        put(&top, ".gitignore", "config.toml\n");
        put(&top, "p/q/.cargo/.gitignore", "!config.toml\n");
        assert!(!git(&root, &["check-ignore", "--quiet", "--", file]));
        assert_eq!(ignores(&root, file), Some(false));
    }
}
