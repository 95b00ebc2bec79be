//! What a [`Fetcher`](super::Fetcher) is told: read once from the environment, or written down by a test.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::error::FetchError;
use crate::digest::Sha256;
use crate::env_vars;
use crate::pin::redacted;

/// How downloads are done.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The cache's root; archives lie in `downloads/sha256` under it.
    pub cache_dir: PathBuf,
    /// What is asked before an archive's own sources.
    pub mirror: Option<Mirror>,
    /// Open no socket at all.
    pub offline: bool,
    /// How long to wait, and how often to try.
    pub timeouts: Timeouts,
    /// Downloads that run at the same time, over all clones of a fetcher; at least one.
    pub concurrency: usize,
    /// Proxies and roots.
    pub network: Network,
}

impl Settings {
    /// The defaults, without a look at the environment.
    pub fn new(cache_dir: PathBuf) -> Self {
        Self {
            cache_dir,
            mirror: None,
            offline: false,
            timeouts: Timeouts::default(),
            concurrency: 4,
            network: Network::default(),
        }
    }

    /// The defaults, changed by `XTOOL_MIRROR`, `XTOOL_HTTP_TIMEOUT`, `XTOOL_HTTP_READ_TIMEOUT` and the network's
    /// usual variables (see [`Network::from_env`]).
    pub fn from_env(cache_dir: PathBuf, offline: bool) -> Result<Self, FetchError> {
        let mut settings = Self::new(cache_dir);
        settings.offline = offline;
        if let Some(value) = text(env_vars::XTOOL_MIRROR)? {
            settings.mirror = Some(Mirror::parse(&value)?);
        }
        if let Some(total) = seconds(env_vars::XTOOL_HTTP_TIMEOUT)? {
            settings.timeouts.total = total;
        }
        if let Some(read) = seconds(env_vars::XTOOL_HTTP_READ_TIMEOUT)? {
            settings.timeouts.read = read;
        }
        settings.network = Network::from_env()?;
        Ok(settings)
    }
}

/// How long to wait, and how often to try.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// Without a byte, before the download is taken up anew.
    pub read: Duration,
    /// For one download in all: its tries, and the waits between them.
    pub total: Duration,
    /// The longest `Retry-After` that is waited for; a server that asks for more is given up at once.
    pub max_retry_after: Duration,
    /// The wait before the second try; it doubles from try to try.
    pub retry_base: Duration,
    /// The longest wait between tries that we choose ourselves.
    pub retry_cap: Duration,
    /// Tries in a row that bring nothing.
    pub tries: u32,
    /// Tries in a row that reach no server.
    pub connect_tries: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            total: Duration::from_mins(30),
            max_retry_after: Duration::from_mins(1),
            retry_base: Duration::from_millis(500),
            retry_cap: Duration::from_secs(10),
            tries: 5,
            connect_tries: 3,
        }
    }
}

/// Where archives may lie under their digest: `<base>/sha256/<digest>`.
#[derive(Clone, PartialEq, Eq)]
pub enum Mirror {
    /// A static file server.
    Http(Url),
    /// A folder.
    Folder(PathBuf),
    /// A `.tar.zst` file, read as a stream.
    Tar(PathBuf),
}

impl Mirror {
    /// Reads the value of `XTOOL_MIRROR`: an `http:`, `https:` or `file:` address, or a path; one that ends in
    /// `.tar.zst` is an archive, any other a folder.
    pub fn parse(value: &str) -> Result<Self, FetchError> {
        let malformed = |expected| FetchError::Variable {
            variable: env_vars::XTOOL_MIRROR,
            value: masked(value),
            expected,
        };
        if !value.contains("://") {
            let path = std::path::absolute(value).map_err(|_| malformed("a path"))?;
            return Ok(Self::local(path));
        }
        let url = Url::parse(value).map_err(|_| malformed("an address or a path"))?;
        match url.scheme() {
            "http" | "https" => Ok(Self::Http(url)),
            "file" => url
                .to_file_path()
                .map(Self::local)
                .map_err(|()| malformed("a `file:` address of this machine")),
            _ => Err(malformed(
                "an `https:`, `http:` or `file:` address, or a path",
            )),
        }
    }

    fn local(path: PathBuf) -> Self {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if name.ends_with(".tar.zst") {
            Self::Tar(path)
        } else {
            Self::Folder(path)
        }
    }

    /// An archive's address under a base; a query (an access token) stays.
    pub(super) fn address(base: &Url, digest: Sha256) -> Url {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .extend(["sha256", &digest.to_string()]);
        }
        url
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => f.write_str(&redacted(url)),
            Self::Folder(path) | Self::Tar(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mirror({self})")
    }
}

/// Proxies and roots of trust, as the environment names them; checked when the first connection is made.
#[derive(Clone, Default)]
pub struct Network {
    /// For `http:` addresses: the variable, and its value.
    pub http_proxy: Option<(&'static str, String)>,
    /// For `https:` addresses.
    pub https_proxy: Option<(&'static str, String)>,
    /// For both, where the one of the scheme is not set.
    pub all_proxy: Option<(&'static str, String)>,
    /// Hosts that are reached without a proxy, separated by commas.
    pub no_proxy: Option<String>,
    /// `SSL_CERT_FILE`: a PEM bundle in place of the platform's roots.
    pub cert_file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: folders of PEM files, in place of the platform's roots.
    pub cert_dirs: Vec<PathBuf>,
}

impl Network {
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in upper or lower case; `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` (`OpenSSL`'s variables). An empty one counts as not set.
    pub fn from_env() -> Result<Self, FetchError> {
        Ok(Self {
            http_proxy: first_text([env_vars::HTTP_PROXY, "http_proxy"])?,
            https_proxy: first_text([env_vars::HTTPS_PROXY, "https_proxy"])?,
            all_proxy: first_text([env_vars::ALL_PROXY, "all_proxy"])?,
            no_proxy: first_text([env_vars::NO_PROXY, "no_proxy"])?.map(|(_, value)| value),
            cert_file: env_vars::non_empty(env_vars::SSL_CERT_FILE).map(PathBuf::from),
            cert_dirs: env_vars::non_empty(env_vars::SSL_CERT_DIR)
                .map(|dirs| {
                    std::env::split_paths(&dirs)
                        .filter(|d| d != Path::new(""))
                        .collect()
                })
                .unwrap_or_default(),
        })
    }
}

impl fmt::Debug for Network {
    /// Names the variables only: a proxy's value may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxies = [&self.http_proxy, &self.https_proxy, &self.all_proxy];
        f.debug_struct("Network")
            .field(
                "proxies",
                &proxies
                    .into_iter()
                    .flatten()
                    .map(|p| p.0)
                    .collect::<Vec<_>>(),
            )
            .field("cert_file", &self.cert_file)
            .field("cert_dirs", &self.cert_dirs)
            .finish_non_exhaustive()
    }
}

/// A value that may hold credentials, for messages: without what stands before the last `@`.
pub(super) fn masked(value: &str) -> String {
    let shown = match (value.rsplit_once('@'), value.split_once("://")) {
        (Some((_, host)), Some((scheme, _))) => format!("{scheme}://…@{host}"),
        (Some((_, host)), None) => format!("…@{host}"),
        (None, _) => value.to_owned(),
    };
    let shown = match shown.split_once('?') {
        Some((address, _)) => format!("{address}?…"),
        None => shown,
    };
    shown.chars().flat_map(char::escape_debug).collect()
}

fn text(variable: &'static str) -> Result<Option<String>, FetchError> {
    let Some(value) = env_vars::non_empty(variable) else {
        return Ok(None);
    };
    match value.into_string() {
        Ok(value) => Ok(Some(value)),
        Err(value) => Err(FetchError::Variable {
            variable,
            value: masked(&value.to_string_lossy()),
            expected: "UTF-8 text",
        }),
    }
}

fn first_text(names: [&'static str; 2]) -> Result<Option<(&'static str, String)>, FetchError> {
    for name in names {
        if let Some(value) = text(name)? {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

fn seconds(variable: &'static str) -> Result<Option<Duration>, FetchError> {
    text(variable)?
        .map(|value| parse_seconds(variable, &value))
        .transpose()
}

fn parse_seconds(variable: &'static str, value: &str) -> Result<Duration, FetchError> {
    match value.trim().parse() {
        Ok(n @ 1..=1_000_000) => Ok(Duration::from_secs(n)),
        _ => Err(FetchError::Variable {
            variable,
            value: masked(value),
            expected: "a whole number of seconds, at least 1",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_an_address_a_folder_or_an_archive() {
        let folder = std::path::absolute("some/folder").unwrap();
        assert_eq!(
            Mirror::parse("some/folder").unwrap(),
            Mirror::Folder(folder)
        );
        let tar = std::path::absolute("m.tar.zst").unwrap();
        assert_eq!(
            Mirror::parse("m.tar.zst").unwrap(),
            Mirror::Tar(tar.clone())
        );
        let address = Url::from_file_path(&tar).unwrap();
        assert_eq!(Mirror::parse(address.as_str()).unwrap(), Mirror::Tar(tar));
        assert!(matches!(
            Mirror::parse("https://m.example/x").unwrap(),
            Mirror::Http(_)
        ));
        let error = Mirror::parse("ftp://me:secret@m.example/x?t=hidden")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("XTOOL_MIRROR") && error.contains("m.example"),
            "{error}"
        );
        assert!(
            !error.contains("secret") && !error.contains("hidden"),
            "{error}"
        );
    }

    #[test]
    fn an_archive_lies_under_its_digest_with_the_bases_query() {
        let digest = Sha256::of(b"");
        for base in [
            "https://m.example/a?token=1",
            "https://m.example/a/?token=1",
        ] {
            assert_eq!(
                Mirror::address(&Url::parse(base).unwrap(), digest).as_str(),
                format!("https://m.example/a/sha256/{digest}?token=1")
            );
        }
    }

    #[test]
    fn seconds_are_a_positive_whole_number() {
        assert_eq!(
            parse_seconds("XTOOL_HTTP_TIMEOUT", "90").unwrap(),
            Duration::from_secs(90)
        );
        for bad in ["0", "-1", "1.5", "1m", "", "99999999999"] {
            let error = parse_seconds("XTOOL_HTTP_TIMEOUT", bad).unwrap_err();
            assert!(error.to_string().contains("XTOOL_HTTP_TIMEOUT"), "{error}");
        }
    }
}
