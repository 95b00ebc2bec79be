//! The environment variables that sources read and that clients get, and the programs on its `PATH`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A snapshot of environment variables, so that what a client sees is decided in one place.
#[derive(Clone, Default)]
pub struct Environment {
    variables: Arc<Vec<(OsString, OsString)>>,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The variable's value when it is set and not empty. Names are compared as the platform does.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .iter()
            .find(|(key, value)| same_name(key, name) && !value.is_empty())
            .map(|(_, value)| value.as_os_str())
    }

    /// The value as text; one that is not Unicode counts as unset.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.var(name).and_then(OsStr::to_str)
    }

    /// This one with a variable set, or removed by `None`.
    #[must_use]
    pub fn with(&self, name: &str, value: Option<&OsStr>) -> Self {
        self.variables
            .iter()
            .filter(|(key, _)| !same_name(key, name))
            .cloned()
            .chain(value.map(|v| (name.into(), v.to_owned())))
            .collect()
    }

    /// Every variable.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables
            .iter()
            .map(|(k, v)| (k.as_os_str(), v.as_os_str()))
    }

    /// The first program of that name on `PATH`. Relative entries of `PATH` are passed over: they would find what
    /// lies in a project.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(self.var("PATH")?)
            .filter(|folder| folder.is_absolute())
            .flat_map(|folder| {
                SUFFIXES
                    .iter()
                    .map(move |suffix| folder.join(format!("{name}{suffix}")))
            })
            .find(|path| is_program(path))
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self {
            variables: Arc::new(variables.into_iter().collect()),
        }
    }
}

const SUFFIXES: &[&str] = if cfg!(windows) {
    &[".exe", ".cmd", ".bat"]
} else {
    &[""]
};

fn same_name(key: &OsStr, name: &str) -> bool {
    if cfg!(windows) {
        key.eq_ignore_ascii_case(name)
    } else {
        key == name
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs_err::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_unset_and_with_replaces() {
        let env: Environment = [("A".into(), "1".into()), ("B".into(), "".into())]
            .into_iter()
            .collect();
        assert_eq!(env.text("A"), Some("1"));
        assert_eq!(env.text("B"), None);
        assert_eq!(env.with("A", None).text("A"), None);
        let env = env.with("A", Some(OsStr::new("2")));
        assert_eq!((env.text("A"), env.variables().count()), (Some("2"), 2));
    }

    #[cfg(unix)]
    #[test]
    fn programs_are_never_found_through_relative_entries() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let absolute = fs_err::canonicalize(dir.path()).unwrap();
        let tool = absolute.join("tool");
        fs_err::write(&tool, "#!/bin/sh\n").unwrap();
        let env = Environment::default().with("PATH", Some(absolute.as_os_str()));
        assert_eq!(env.program("tool"), None, "not executable yet");
        fs_err::set_permissions(&tool, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(env.program("tool"), Some(tool));

        let up = std::env::current_dir().unwrap().components().count() - 1;
        let relative = Path::new(&"../".repeat(up)).join(absolute.strip_prefix("/").unwrap());
        assert!(relative.join("tool").is_file(), "the entry itself is good");
        let env = env.with("PATH", Some(relative.as_os_str()));
        assert_eq!(env.program("tool"), None);
    }
}
