//! What the home remembers of one project: which toolchains it uses (`cache prune` asks) and which keys of its
//! cargo configuration are ours (`remove` asks).

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ProjectError;
use super::atomic::{self, Held, StateDirs, read_text, root_key};
use super::cargo_config::Claim;
use super::splice;

const VERSION: u32 = 1;

/// One project's record, `<home>/projects/<key of the root>.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: u32,
    /// The project's root.
    pub root: PathBuf,
    /// Ids of the toolchains that it uses.
    #[serde(default)]
    pub toolchains: Vec<String>,
    /// Names of the shim variants that it uses.
    #[serde(default)]
    pub variants: Vec<String>,
    /// Files that were there before us, relative to the root with `/`: they stay even when they become empty.
    #[serde(default)]
    pub existed: Vec<String>,
    /// The keys that are ours.
    #[serde(default, rename = "key")]
    pub claims: Vec<Claim>,
}

impl Record {
    /// An empty one.
    pub fn new(root: &Path) -> Self {
        Self {
            version: VERSION,
            root: root.to_owned(),
            ..Self::default()
        }
    }

    /// Reads a project's record; `None` where there is none, or where it cannot be understood: then the keys are
    /// recognised by their values, which is enough to go on.
    pub fn load(dirs: &StateDirs, root: &Path) -> Result<Option<Self>, ProjectError> {
        let path = Self::path(dirs, root);
        let record = read_text(&path)?.and_then(|text| toml::from_str::<Self>(&text).ok());
        Ok(record.filter(|r| r.version == VERSION && r.root == root))
    }

    /// Writes the record, or deletes the file when nothing is left to remember. Nothing is written when the file
    /// says it already.
    pub fn save(&self, _held: &Held, dirs: &StateDirs) -> Result<(), ProjectError> {
        let path = Self::path(dirs, &self.root);
        if self.toolchains.is_empty() && self.variants.is_empty() && self.claims.is_empty() {
            return atomic::delete(&path);
        }
        let text = self.render();
        if read_text(&path)?.as_deref() == Some(&text) {
            return Ok(());
        }
        atomic::note(&path, &text)
    }

    fn render(&self) -> String {
        let mut out = format!(
            "# xtool's notes about one project: what it uses, and which keys of its cargo configuration are ours.\n\
             version = {VERSION}\nroot = {}\ntoolchains = {}\nvariants = {}\nexisted = {}\n",
            splice::string_text(&self.root.to_string_lossy()),
            splice::array_text(&self.toolchains),
            splice::array_text(&self.variants),
            splice::array_text(&self.existed),
        );
        for claim in &self.claims {
            out.push_str("\n[[key]]\nfile = ");
            out.push_str(&splice::string_text(&claim.file));
            out.push_str("\npath = ");
            out.push_str(&splice::array_text(&claim.path));
            out.push_str("\nwrote = ");
            out.push_str(&splice::array_text(&claim.wrote));
            if let Some(before) = &claim.before {
                out.push_str("\nbefore = ");
                out.push_str(&splice::string_text(before));
            }
            out.push_str(if claim.table_existed {
                "\ntable_existed = true\n"
            } else {
                "\n"
            });
        }
        out
    }

    fn path(dirs: &StateDirs, root: &Path) -> PathBuf {
        dirs.projects.join(format!("{}.toml", root_key(root)))
    }

    /// Every record in the home, for `cache prune`.
    pub fn all(dirs: &StateDirs) -> Result<Records, ProjectError> {
        let mut out = Records::default();
        let entries = match fs_err::read_dir(&dirs.projects) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(out),
            Err(source) => {
                return Err(ProjectError::Read {
                    path: dirs.projects.clone(),
                    source,
                });
            }
        };
        for entry in entries {
            let path = entry
                .map_err(|source| ProjectError::Read {
                    path: dirs.projects.clone(),
                    source,
                })?
                .path();
            if path.extension().is_none_or(|e| e != "toml") {
                continue;
            }
            let parsed = read_text(&path)
                .ok()
                .flatten()
                .and_then(|text| toml::from_str::<Self>(&text).ok());
            match parsed {
                Some(record) if record.root.is_dir() => out.present.push(record),
                Some(record) if record.root.parent().is_some_and(Path::is_dir) => {
                    out.gone.push(record);
                }
                Some(record) => out.away.push((path, record)),
                None => out.unreadable.push(path),
            }
        }
        out.present.sort_by(|a, b| a.root.cmp(&b.root));
        out.gone.sort_by(|a, b| a.root.cmp(&b.root));
        out.away.sort_by(|a, b| a.1.root.cmp(&b.1.root));
        out.unreadable.sort();
        Ok(out)
    }
}

/// What the home remembers of all projects.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Records {
    /// Those that are there.
    pub present: Vec<Record>,
    /// Those whose folder was removed or renamed: the one that held it is there.
    pub gone: Vec<Record>,
    /// Those on a disk that is not mounted, say: not even the folder that held them is there. With their files.
    pub away: Vec<(PathBuf, Record)>,
    /// Files that cannot be understood: they may stand for any project.
    pub unreadable: Vec<PathBuf>,
}
