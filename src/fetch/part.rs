//! A download that is not complete: `<digest>.part`, and `<digest>.part.toml` beside it, which says what may
//! continue it.

use std::io;
use std::path::{Path, PathBuf};

use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::Cause;
use super::retry::{http_date, retry_after};
use crate::digest::{Hasher, Sha256};
use crate::owner;
use crate::pin::redacted;
use crate::regular;

/// Where a part and its side file are.
#[derive(Debug, Clone)]
pub(super) struct PartPaths {
    pub(super) part: PathBuf,
    side: PathBuf,
}

/// A part's first bytes as they are on disk.
#[derive(Clone, Default)]
pub(super) struct Part {
    /// Bytes.
    pub(super) len: u64,
    /// Over those bytes.
    pub(super) hasher: Hasher,
    /// What the server must still have for the part to be continued.
    pub(super) validator: Option<Validator>,
}

/// A strong validator: the same value, the same bytes (RFC 9110 §8.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Validator {
    /// A strong entity tag, quotes included.
    Etag(String),
    /// A date, where it is old enough to be strong.
    LastModified(String),
}

impl Validator {
    /// As `If-Range` takes it.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Etag(text) | Self::LastModified(text) => text,
        }
    }
}

/// The side file. No address stands in it, nor anything that opens one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    /// The digest of the redacted address.
    address: String,
    validator: Validator,
    /// The whole body's bytes, where the server said so.
    size: Option<u64>,
}

/// What stands in the side file for an address: nothing of its credentials, nor of a query that may be signed anew
/// for every request.
fn address_key(url: &Url) -> String {
    Sha256::of(redacted(url).as_bytes()).to_string()
}

impl PartPaths {
    /// For an archive whose final place is `path`.
    pub(super) fn of(path: &Path) -> Self {
        let with = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            part: with(".part"),
            side: with(".part.toml"),
        }
    }

    /// The same under names that no other process uses, and that nobody resumes.
    pub(super) fn private(path: &Path) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}-{n}", std::process::id()));
        Self::of(Path::new(&name))
    }

    /// The part of an earlier run, read and hashed; an empty one when there is none that `url` could continue. A part
    /// with another address, or longer than `size`, cannot be; nor one whose side file does not parse (F7).
    pub(super) fn load(&self, url: &Url, size: Option<u64>) -> Part {
        let Some(noted) = regular::read_text(&self.side)
            .ok()
            .and_then(|text| toml::from_str::<Side>(&text).ok())
            // One that no request can carry is not what a server sent.
            .filter(|side| HeaderValue::from_str(side.validator.text()).is_ok())
        else {
            return Part::default();
        };
        let on_disk = fs_err::metadata(&self.part).map_or(0, |m| m.len());
        let limit = size.or(noted.size).unwrap_or(u64::MAX);
        if noted.address != address_key(url) || on_disk == 0 || on_disk > limit {
            return Part::default();
        }
        match hash(&self.part) {
            Ok((hasher, len)) => Part {
                len,
                hasher,
                validator: Some(noted.validator),
            },
            Err(_) => Part::default(),
        }
    }

    /// Says what may continue the part that is written next.
    pub(super) fn note(
        &self,
        url: &Url,
        validator: Option<&Validator>,
        size: Option<u64>,
    ) -> io::Result<()> {
        let Some(validator) = validator else {
            return absent(fs_err::remove_file(&self.side));
        };
        let note = Side {
            address: address_key(url),
            validator: validator.clone(),
            size,
        };
        let text = toml::to_string(&note).map_err(io::Error::other)?;
        owner::write(&self.side, text)
    }

    /// Removes both files.
    pub(super) fn discard(&self) -> io::Result<()> {
        absent(fs_err::remove_file(&self.side))?;
        absent(fs_err::remove_file(&self.part))
    }

    /// Removes a part that nothing can continue, because it has no side file.
    pub(super) fn drop_orphan(&self) {
        if !self.side.exists() {
            let _ = fs_err::remove_file(&self.part);
        }
    }

    /// Moves the complete part to its final place.
    pub(super) fn finish(&self, path: &Path) -> io::Result<()> {
        fs_err::rename(&self.part, path)?;
        // A side file without a part says nothing.
        let _ = fs_err::remove_file(&self.side);
        Ok(())
    }
}

/// A file that is not there need not be removed.
pub(super) fn absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn hash(path: &Path) -> io::Result<(Hasher, u64)> {
    use io::Read as _;
    let mut file = fs_err::File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut len = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher, len)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                len += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// What a response head says, as far as it matters here.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) date: Option<String>,
    pub(super) content_range: Option<String>,
    pub(super) content_length: Option<u64>,
    pub(super) retry_after: Option<String>,
}

/// What to do with a response's body.
#[derive(Debug)]
pub(super) enum Plan {
    /// It is the whole archive.
    StartOver {
        validator: Option<Validator>,
        size: Option<u64>,
    },
    /// It goes on where the part ends.
    Append,
    /// The part cannot be continued: drop it and ask for the whole.
    Discard(Cause),
    /// It is of no use.
    Fail(Cause),
}

/// Decides from the head alone. `part` is what was asked to be continued, empty for a request without a range.
pub(super) fn plan(
    head: &Head,
    part_len: u64,
    part: Option<&Validator>,
    size: Option<u64>,
    now: std::time::SystemTime,
) -> Plan {
    let asked = part_len > 0;
    let cannot = |reason| Plan::Discard(Cause::CannotResume { reason });
    match head.status {
        200 => Plan::StartOver {
            validator: validator(head),
            size: head.content_length,
        },
        206 if asked => {
            let Some((start, total)) = head.content_range.as_deref().and_then(content_range) else {
                return cannot("its Content-Range is missing or malformed");
            };
            if start != part_len {
                return cannot("its Content-Range begins elsewhere");
            }
            if total.is_some_and(|total| size.is_some_and(|size| size != total)) {
                return cannot("its Content-Range has another size");
            }
            // If-Range forbids it, but the digest would find it out only at the end.
            match (&head.etag, part) {
                (Some(now), Some(Validator::Etag(then))) if now != then => {
                    cannot("its ETag has changed")
                }
                _ => Plan::Append,
            }
        }
        416 if asked => cannot("it has no such range"),
        _ => Plan::Fail(Cause::Status {
            status: reqwest::StatusCode::from_u16(head.status)
                .unwrap_or(reqwest::StatusCode::INTERNAL_SERVER_ERROR),
            retry_after: head
                .retry_after
                .as_deref()
                .and_then(|value| retry_after(value, now)),
        }),
    }
}

/// A head's strong validator. A tag that begins with `W/` is weak (RFC 9110 §8.8.1); a modification date is strong
/// only when the response's own date is at least a second later (§8.8.2.2).
fn validator(head: &Head) -> Option<Validator> {
    if let Some(etag) = &head.etag {
        let strong = etag.len() >= 2 && etag.starts_with('"') && etag.ends_with('"');
        return strong.then(|| Validator::Etag(etag.clone()));
    }
    let modified = head.last_modified.as_deref()?;
    let strong = http_date(modified)? < http_date(head.date.as_deref()?)?;
    strong.then(|| Validator::LastModified(modified.to_owned()))
}

/// First byte and whole size of a `Content-Range: bytes 5-9/10` (RFC 9110 §14.4).
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
    let total = match total {
        "*" => None,
        n => Some(n.parse().ok()?),
    };
    (start <= end && total.is_none_or(|total| end < total)).then_some((start, total))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn etag(text: &str) -> Validator {
        Validator::Etag(text.to_owned())
    }

    fn partial(content_range: &str, tag: Option<&str>) -> Head {
        Head {
            status: 206,
            content_range: Some(content_range.to_owned()),
            etag: tag.map(str::to_owned),
            ..Head::default()
        }
    }

    fn decide(head: &Head) -> Plan {
        let tag = etag("\"a\"");
        plan(head, 5, Some(&tag), Some(10), SystemTime::UNIX_EPOCH)
    }

    /// F1 to F6, as decisions.
    #[test]
    fn only_the_very_rest_is_appended() {
        for good in ["bytes 5-9/10", "bytes 5-9/*", "bytes 5-7/10"] {
            assert!(
                matches!(decide(&partial(good, Some("\"a\""))), Plan::Append),
                "{good}"
            );
        }
        for bad in [
            "bytes 0-9/10",
            "bytes 6-9/10",
            "bytes 5-9/11",
            "bytes 5-10/10",
            "bytes */10",
            "items 5-9/10",
            "",
        ] {
            assert!(
                matches!(decide(&partial(bad, None)), Plan::Discard(_)),
                "{bad}"
            );
        }
        assert!(matches!(
            decide(&partial("bytes 5-9/10", Some("\"b\""))),
            Plan::Discard(_)
        ));
        let status = |status| Head {
            status,
            ..Head::default()
        };
        assert!(matches!(decide(&status(416)), Plan::Discard(_)));
        assert!(matches!(decide(&status(200)), Plan::StartOver { .. }));
        assert!(matches!(decide(&status(404)), Plan::Fail(_)));
        for unasked in [206, 416] {
            let plan = plan(&status(unasked), 0, None, Some(10), SystemTime::UNIX_EPOCH);
            assert!(matches!(plan, Plan::Fail(_)), "{unasked}");
        }
    }

    /// F6: weak validators continue nothing.
    #[test]
    fn validators_must_be_strong() {
        let tagged = |tag: &str| {
            validator(&Head {
                etag: Some(tag.to_owned()),
                ..Head::default()
            })
        };
        assert_eq!(tagged("\"x\""), Some(etag("\"x\"")));
        for weak in ["W/\"x\"", "x", "\"", ""] {
            assert_eq!(tagged(weak), None, "{weak}");
        }
        let dated = |modified: &str, date: Option<&str>| {
            validator(&Head {
                last_modified: Some(modified.to_owned()),
                date: date.map(str::to_owned),
                ..Head::default()
            })
        };
        let (old, new) = (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:38 GMT",
        );
        assert_eq!(
            dated(old, Some(new)),
            Some(Validator::LastModified(old.to_owned()))
        );
        assert_eq!(dated(old, Some(old)), None);
        assert_eq!(dated(old, None), None);
    }

    /// F67: nothing of an address's credentials is written down.
    #[test]
    fn the_side_file_holds_no_secret_and_belongs_to_one_address() {
        let dir = tempfile::tempdir().unwrap();
        let paths = PartPaths::of(&dir.path().join("d"));
        let url: Url = "https://me:hunter2@a.example/x?sig=hidden".parse().unwrap();
        paths.note(&url, Some(&etag("\"a\"")), Some(10)).unwrap();
        fs_err::write(&paths.part, "12345").unwrap();
        let text = fs_err::read_to_string(&paths.side).unwrap();
        for secret in ["hunter2", "hidden", "a.example"] {
            assert!(!text.contains(secret), "{text}");
        }
        let part = paths.load(&url, Some(10));
        assert_eq!((part.len, part.validator), (5, Some(etag("\"a\""))));
        assert_eq!(part.hasher.finish(), Sha256::of(b"12345"));

        let other: Url = "https://b.example/x".parse().unwrap();
        assert_eq!(paths.load(&other, Some(10)).len, 0);
        assert_eq!(paths.load(&url, Some(4)).len, 0);
        fs_err::write(&paths.side, "address = 1 junk").unwrap();
        assert_eq!(paths.load(&url, Some(10)).len, 0);
    }
}
