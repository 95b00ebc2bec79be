//! What an index says about a package: PEP 691's JSON, and the names in it.

use std::sync::Arc;

use serde::Deserialize;
use url::Url;

use super::PypiError;
use crate::archive::Archive;
use crate::digest::Sha256;
use crate::source::Page;

/// Checks a package's name: PEP 508, "Names".
pub(super) fn check_name(name: &str) -> Result<(), PypiError> {
    let ok = name.len() <= 200
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if ok {
        return Ok(());
    }
    Err(PypiError::Name {
        name: name.to_owned(),
    })
}

/// The name as addresses have it: PEP 503, "Normalized Names".
pub(super) fn normalized(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if "._-".contains(c) {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.push(c.to_ascii_lowercase());
        }
    }
    out
}

/// The files of a package.
#[derive(Debug, Clone)]
pub(super) struct Files {
    listed: Arc<Vec<File>>,
    /// What their addresses are relative to.
    base: Url,
    /// Whose credentials they get, on the same server.
    index: Url,
}

#[derive(Debug, Deserialize)]
struct Project {
    files: Vec<File>,
}

#[derive(Debug, Deserialize)]
struct File {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Hashes,
}

#[derive(Debug, Default, Deserialize)]
struct Hashes {
    sha256: Option<String>,
}

impl Files {
    pub(super) fn parse(package: &str, page: Page, index: &Url) -> Result<Self, PypiError> {
        let text = page.body.trim_start_matches('\u{feff}').trim_start();
        if !text.starts_with('{') {
            return Err(PypiError::NoJson {
                package: package.to_owned(),
            });
        }
        let project: Project = serde_json::from_str(text).map_err(|source| PypiError::Json {
            package: package.to_owned(),
            source,
        })?;
        Ok(Self {
            listed: Arc::new(project.files),
            base: page.url,
            index: index.clone(),
        })
    }

    /// The address of the file, with the index's credentials where it is on the same server.
    pub(super) fn locate(&self, package: &str, archive: &Archive) -> Result<Url, PypiError> {
        let file = self
            .listed
            .iter()
            .find(|f| f.filename == archive.file)
            .ok_or_else(|| PypiError::NoFile {
                package: package.to_owned(),
                file: archive.file.clone(),
            })?;
        let listed: Option<Sha256> = file.hashes.sha256.as_deref().and_then(|d| d.parse().ok());
        if let Some(listed) = listed.filter(|d| *d != archive.sha256) {
            return Err(PypiError::OtherDigest {
                file: archive.file.clone(),
                pinned: archive.sha256,
                listed,
            });
        }
        let mut url = self
            .base
            .join(&file.url)
            .map_err(|source| PypiError::FileUrl {
                file: archive.file.clone(),
                source,
            })?;
        let own = !url.username().is_empty() || url.password().is_some();
        if !own && same_server(&url, &self.index) {
            // Cannot fail: an address on the index's server has a host.
            let _ = url.set_username(self.index.username());
            let _ = url.set_password(self.index.password());
        }
        url.set_fragment(None);
        Ok(url)
    }
}

/// Scheme, host and port: what RFC 6454, section 4 calls an origin.
fn same_server(a: &Url, b: &Url) -> bool {
    a.origin().is_tuple() && a.origin() == b.origin()
}

/// A wheel's file name, taken apart: PEP 427, "File name convention".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wheel {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) python: String,
    pub(super) abi: String,
    pub(super) platform: String,
}

impl Wheel {
    pub(super) fn parse(file: &str) -> Option<Self> {
        let stem = file.strip_suffix(".whl")?;
        let safe = |part: &&str| {
            !part.is_empty()
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._+!".contains(c))
        };
        let parts: Vec<&str> = stem.split('-').filter(safe).collect();
        if parts.len() != stem.split('-').count() {
            return None;
        }
        let ([name, version, python, abi, platform] | [name, version, _, python, abi, platform]) =
            parts[..]
        else {
            return None;
        };
        // Of several tags in one, any fits the file.
        let first = |tags: &str| tags.split('.').next().unwrap_or_default().to_owned();
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            python: first(python),
            abi: first(abi),
            platform: first(platform),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "https://u:p@index.invalid/root/simple/";
    const FILE: &str = "ziglang-0.15.2-py3-none-win_arm64.whl";

    fn archive(content: &[u8]) -> Archive {
        Archive {
            file: FILE.to_owned(),
            sha256: Sha256::of(content),
            size: None,
        }
    }

    fn files(json: &str) -> Result<Files, PypiError> {
        let page = Page {
            url: "https://index.invalid/root/simple/ziglang/"
                .parse()
                .unwrap(),
            body: json.to_owned(),
        };
        Files::parse("ziglang", page, &INDEX.parse().unwrap())
    }

    fn locate(url: &str, digest: Option<Sha256>) -> Result<Url, PypiError> {
        let hashes = digest.map_or_else(String::new, |d| format!(r#""sha256": "{d}""#));
        let json = format!(
            r#"{{"meta": {{"api-version": "1.1"}}, "name": "ziglang", "files": [
                {{"filename": "ziglang-0.15.2.tar.gz", "url": "x", "hashes": {{}}, "yanked": false}},
                {{"filename": "{FILE}", "url": "{url}", "hashes": {{{hashes}}}, "requires-python": "~=3.5", "size": 4}}]}}"#
        );
        files(&json)?.locate("ziglang", &archive(b"good"))
    }

    #[test]
    fn addresses_are_relative_to_the_page_and_credentials_stay_on_their_server() {
        let digest = Some(Sha256::of(b"good"));
        for (given, expected) in [
            (
                "../../files/a.whl#sha256=0",
                "https://u:p@index.invalid/root/files/a.whl",
            ),
            ("/files/a.whl", "https://u:p@index.invalid/files/a.whl"),
            (
                "https://index.invalid/a.whl",
                "https://u:p@index.invalid/a.whl",
            ),
            (
                "https://index.invalid:8443/a.whl",
                "https://index.invalid:8443/a.whl",
            ),
            ("http://index.invalid/a.whl", "http://index.invalid/a.whl"),
            ("https://files.invalid/a.whl", "https://files.invalid/a.whl"),
            (
                "https://x:y@index.invalid/a.whl",
                "https://x:y@index.invalid/a.whl",
            ),
        ] {
            assert_eq!(locate(given, digest).unwrap().as_str(), expected);
        }
        assert!(
            locate("a.whl", None).is_ok(),
            "the digest is the index's choice"
        );
    }

    #[test]
    fn another_digest_is_told_before_anything_is_downloaded() {
        let error = locate("a.whl", Some(Sha256::of(b"evil")))
            .unwrap_err()
            .to_string();
        assert!(error.contains(&Sha256::of(b"evil").to_string()), "{error}");
        assert!(error.contains(&Sha256::of(b"good").to_string()), "{error}");
    }

    #[test]
    fn odd_answers_are_told_apart() {
        let html = files("<!DOCTYPE html><html><a href=x>x</a>");
        assert!(matches!(html, Err(PypiError::NoJson { .. })), "{html:?}");
        let cut = files(r#"{"files": [{"filename": "#);
        assert!(matches!(cut, Err(PypiError::Json { .. })), "{cut:?}");
        let none = files(r#"{"files": []}"#)
            .unwrap()
            .locate("ziglang", &archive(b""));
        assert!(matches!(none, Err(PypiError::NoFile { .. })), "{none:?}");
        assert!(matches!(
            locate("http://[", None),
            Err(PypiError::FileUrl { .. })
        ));
    }

    #[test]
    fn names_follow_their_specifications() {
        assert_eq!(normalized("Zig_Lang..X--y"), "zig-lang-x-y");
        for bad in ["", "-r", "a/b", "..", "a b", "a\n", "é"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        let wheel = Wheel::parse(
            "ziglang-0.15.2-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl",
        )
        .unwrap();
        assert_eq!(
            (
                wheel.name.as_str(),
                wheel.version.as_str(),
                wheel.platform.as_str()
            ),
            ("ziglang", "0.15.2", "manylinux_2_12_x86_64")
        );
        let built = Wheel::parse("a-1-1-cp311-abi3-win_amd64.whl").unwrap();
        assert_eq!(
            (built.python.as_str(), built.abi.as_str()),
            ("cp311", "abi3")
        );
        for bad in [
            "a-1.tar.gz",
            "a-1-py3-none.whl",
            "a--py3-none-any.whl",
            "a-1 --x-py3-none-any.whl",
        ] {
            assert_eq!(Wheel::parse(bad), None, "{bad}");
        }
    }
}
