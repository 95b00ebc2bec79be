//! The receipt beside a toolchain's folder: what it is and where it came from. Written last.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::manifest::Family;
use crate::owner;
use crate::parts::{Extent, Paths};

/// What an installed toolchain is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Receipt {
    /// The format of this file: [`SCHEMA_WHOLE`], or [`SCHEMA_PARTS`] where it speaks of parts, so that an xtool that
    /// does not know them refuses it.
    pub schema: u32,
    /// The toolchain's name.
    pub toolchain: String,
    /// Its version.
    pub version: String,
    /// Which rules its shim uses.
    pub family: Family,
    /// The source that answered, in words.
    pub source: String,
    /// The archives that were unpacked, `<sha256>  <file name>` each, in order.
    pub archives: Vec<String>,
    /// Files written.
    pub files: u64,
    /// Bytes written.
    pub bytes: u64,
    /// The xtool that installed it.
    pub xtool: String,
    /// The parts that are there, by the names that they had then; empty for a whole toolchain.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parts: BTreeSet<String>,
    /// What is not there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without: BTreeSet<Paths>,
}

/// [`Receipt::schema`] of a whole toolchain.
const SCHEMA_WHOLE: u32 = 1;
/// [`Receipt::schema`] of one with parts.
const SCHEMA_PARTS: u32 = 2;

/// What every schema has.
#[derive(Deserialize)]
struct Head {
    schema: u32,
}

impl Receipt {
    /// The receipt of `id`; `None` when there is none.
    pub(super) fn read(toolchains: &Path, id: &str) -> Result<Option<Self>, StoreError> {
        let path = toolchains.join(format!("{id}.toml"));
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(e)
                if matches!(
                    e.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(e) => return Err(StoreError::io("read", &path)(e)),
        };
        let unreadable = |message: String| StoreError::Receipt {
            path: path.clone(),
            message,
        };
        if let Ok(Head { schema }) = toml::from_str(&text)
            && schema > SCHEMA_PARTS
        {
            return Err(unreadable(format!(
                "its `schema` is {schema}, and this xtool reads up to {SCHEMA_PARTS}: a newer xtool wrote it"
            )));
        }
        toml::from_str(&text)
            .map(Some)
            .map_err(|e| unreadable(e.to_string().trim().to_owned()))
    }

    /// How much of the toolchain there is.
    pub fn extent(&self) -> Extent {
        Extent {
            parts: self.parts.clone(),
            without: self.without.clone(),
        }
    }

    /// Says that there is so much of it.
    pub fn set_extent(&mut self, extent: &Extent) {
        self.schema = if extent.is_whole() {
            SCHEMA_WHOLE
        } else {
            SCHEMA_PARTS
        };
        self.parts.clone_from(&extent.parts);
        self.without.clone_from(&extent.without);
    }

    /// The glibc that a toolchain of Debian's cross packages brings, and so fixes: the upstream version of its
    /// `libc6-<arch>-cross` package. `None` for every other toolchain.
    pub fn glibc(&self) -> Option<&str> {
        self.archives.iter().find_map(|line| {
            let (_, file) = line.split_once("  ")?;
            let (package, rest) = file.split_once('_')?;
            let name = package.strip_prefix("libc6-")?.strip_suffix("-cross")?;
            let version = rest.split(['-', '_', '+']).next()?;
            (!name.starts_with("dev-")).then_some(version)
        })
    }

    /// Writes it to a file that is renamed into its place later.
    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        // Serialising strings and numbers to TOML cannot fail.
        let text = toml::to_string(self).unwrap_or_default();
        owner::create(path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_data()
            })
            .map_err(StoreError::io("write", path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_cross_packages_fix_the_glibc() {
        let receipt = |files: &[&str]| Receipt {
            schema: 1,
            toolchain: "gnu-cross".to_owned(),
            version: "12.2.0".to_owned(),
            family: Family::Gcc,
            source: "apt".to_owned(),
            archives: files.iter().map(|f| format!("00  {f}")).collect(),
            files: 0,
            bytes: 0,
            xtool: "0".to_owned(),
            parts: BTreeSet::new(),
            without: BTreeSet::new(),
        };
        let cross = receipt(&[
            "gcc-12-aarch64-linux-gnu_12.2.0-14_amd64.deb",
            "libc6-dev-arm64-cross_2.35-8_all.deb",
            "libc6-arm64-cross_2.36-8cross1_all.deb",
        ]);
        assert_eq!(cross.glibc(), Some("2.36"));
        assert_eq!(receipt(&["zig.tar.xz"]).glibc(), None);
    }
    /// A receipt from before there were parts means the whole; one with parts says so to an xtool that knows none, and
    /// so would one of a later format to this one.
    #[test]
    fn receipts_of_other_versions() {
        let dir = tempfile::tempdir().unwrap();
        let old = "schema = 1\ntoolchain = \"t\"\nversion = \"1\"\nfamily = \"gcc\"\nsource = \"s\"\narchives = []\nfiles = 1\nbytes = 1\nxtool = \"0\"\n";
        let path = dir.path().join("t-1.toml");
        fs_err::write(&path, old).unwrap();
        let mut receipt = Receipt::read(dir.path(), "t-1").unwrap().unwrap();
        assert!(receipt.extent().is_whole());

        let extent = Extent {
            parts: BTreeSet::from(["core".to_owned()]),
            without: BTreeSet::from(["lib/a".parse().unwrap()]),
        };
        receipt.set_extent(&extent);
        receipt.write(&path).unwrap();
        assert!(
            fs_err::read_to_string(&path)
                .unwrap()
                .starts_with("schema = 2\n")
        );
        let read = Receipt::read(dir.path(), "t-1").unwrap().unwrap();
        assert_eq!(read.extent(), extent);
        assert_eq!(read, receipt);

        fs_err::write(&path, old.replace("schema = 1", "schema = 3\nnew = 1")).unwrap();
        let e = Receipt::read(dir.path(), "t-1").unwrap_err();
        assert!(e.to_string().contains("a newer xtool wrote it"), "{e}");
    }
}
