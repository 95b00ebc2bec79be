//! Why an archive could not be had.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::retry::Verdict;
use crate::archive::VerifyError;
use crate::env_vars;
use crate::help::Help;

/// Why a fetch failed. Addresses in it are free of credentials.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// One source did not give the archive.
    #[error("Cannot download `{file}` from {url}{}", after(*tries))]
    Download {
        /// The archive's file name.
        file: String,
        /// The address, redacted.
        url: String,
        /// How often it was tried.
        tries: u32,
        /// What the last try met.
        #[source]
        cause: Box<Cause>,
    },
    /// A small document could not be read.
    #[error("Cannot read {url}{}", after(*tries))]
    Document {
        /// The address, redacted.
        url: String,
        /// How often it was tried.
        tries: u32,
        /// What the last try met.
        #[source]
        cause: Box<Cause>,
    },
    /// Offline, and it is not at hand.
    #[error("`{what}` is not in the cache, and offline mode forbids to download it")]
    Offline {
        /// The archive's file name, or the document's address (redacted).
        what: String,
    },
    /// An environment variable cannot be used as it is.
    #[error("{variable} is `{value}`: expected {expected}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// Its value, without credentials.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The roots of trust that the environment names cannot be used; there is no silent return to the platform's.
    #[error("{variable} names `{}`, which cannot be used", path.display())]
    Roots {
        /// `SSL_CERT_FILE` or `SSL_CERT_DIR`.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The HTTP client could not be made: no roots of trust on this host.
    #[error("Cannot set up TLS")]
    Client(#[source] HttpError),
    /// A file of the cache cannot be read, written or locked.
    #[error("Cannot use the download cache at `{}`{}", path.display(), in_all(*needed))]
    Cache {
        /// Where.
        path: PathBuf,
        /// The archive's bytes, where it was being written.
        needed: Option<u64>,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The mirror's folder or file cannot be read.
    #[error("Cannot read the mirror at `{}`", path.display())]
    Mirror {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that should be adopted is another one than pinned.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The signature does not vouch for the archive.
    #[error("`{file}` is not vouched for by its publisher's minisign key: {reason}")]
    Signature {
        /// The archive's file name.
        file: String,
        /// What is wrong.
        reason: String,
    },
}

/// What one try met.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// An address that is not HTTP.
    #[error("Expected an `https:` or `http:` address, found `{scheme}:`")]
    Scheme {
        /// As found.
        scheme: String,
    },
    /// No connection: name resolution, TCP, TLS or a proxy.
    #[error("Cannot connect")]
    Connect(#[source] HttpError),
    /// The server's certificate is not trusted.
    #[error("The server's TLS certificate is not trusted")]
    Certificate(#[source] HttpError),
    /// Nothing arrived for so long.
    #[error("The server sent nothing for {} s", limit.as_secs_f32())]
    Stalled {
        /// The read timeout.
        limit: Duration,
    },
    /// The connection broke off, in the head or in the body.
    #[error("The connection broke after {received} bytes")]
    Broken {
        /// Bytes of the archive at hand.
        received: u64,
        /// Why.
        #[source]
        source: HttpError,
    },
    /// The body ended early, and nothing announced its length.
    #[error("The body ended after {received} of {expected} bytes")]
    EndedEarly {
        /// Bytes of the archive at hand.
        received: u64,
        /// Bytes, as pinned.
        expected: u64,
    },
    /// A redirect that is not followed.
    #[error("A redirect was refused")]
    Redirect(#[source] HttpError),
    /// Any status that brings no body of use.
    #[error("The server answered {status}")]
    Status {
        /// With its reason phrase: `404 Not Found`.
        status: reqwest::StatusCode,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The part at hand cannot be continued; the next try starts over.
    #[error("The server cannot continue the part at hand: {reason}")]
    CannotResume {
        /// What is wrong with the answer.
        reason: &'static str,
    },
    /// More bytes than allowed.
    #[error("The body is longer than {limit} bytes")]
    TooLong {
        /// The pinned size, or our limit.
        limit: u64,
    },
    /// An HTML page stands in for the archive.
    #[error(
        "The server sent an HTML page, such as a login page, instead of bytes with the pinned digest"
    )]
    Html(
        /// The digests, where the page was read to its end.
        #[source]
        Option<VerifyError>,
    ),
    /// The bytes are others than pinned.
    #[error("The server sent other bytes than pinned")]
    Digest(#[source] VerifyError),
    /// The bytes are others than pinned, or more, and the server says that it changed them.
    #[error(
        "The server sent other bytes, compressed with `Content-Encoding: {encoding}`, which was not asked for"
    )]
    Encoded {
        /// `gzip`, …
        encoding: String,
        /// The digests, where the body was read to its end.
        #[source]
        wrong: Option<Box<VerifyError>>,
    },
    /// A document that is not UTF-8.
    #[error("The document is not UTF-8 text")]
    NotText,
    /// The download's time is used up; the part is kept.
    #[error("It took longer than {} s; {received} bytes are kept for the next run", budget.as_secs_f32())]
    OutOfTime {
        /// The time for the whole download.
        budget: Duration,
        /// Bytes of the archive at hand.
        received: u64,
    },
    /// The part cannot be written.
    #[error("Cannot write `{}`{}", path.display(), in_all(*needed))]
    Write {
        /// Where.
        path: PathBuf,
        /// The archive's bytes, where known.
        needed: Option<u64>,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The request could not even be made.
    #[error("Cannot make the request")]
    Request(#[source] HttpError),
}

/// An error and its causes in one line, for a warning.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        line = format!("{line}: {e}");
        next = e.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn in_all(needed: Option<u64>) -> String {
    needed.map_or_else(String::new, |n| format!(", {n} bytes in all"))
}

/// An error of the HTTP client's, shown by its innermost cause: the layers around it say only that they failed.
///
/// Made without the address, which may hold credentials.
pub struct HttpError(reqwest::Error);

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut inner: &dyn std::error::Error = &self.0;
        while let Some(source) = inner.source() {
            inner = source;
        }
        fmt::Display::fmt(inner, f)
    }
}

impl fmt::Debug for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for HttpError {}

fn after(tries: u32) -> String {
    match tries {
        0 | 1 => String::new(),
        n => format!(" in {n} tries"),
    }
}

impl FetchError {
    /// Whether another source may still give the archive; `false` when the fault is this host's.
    pub fn next_source(&self) -> bool {
        match self {
            Self::Download { cause, .. } | Self::Document { cause, .. } => {
                super::retry::classify(cause) != Verdict::Fatal
            }
            Self::Mirror { .. } | Self::Verify(_) | Self::Signature { .. } => true,
            Self::Offline { .. }
            | Self::Variable { .. }
            | Self::Roots { .. }
            | Self::Client(_)
            | Self::Cache { .. } => false,
        }
    }

    /// The HTTP status that ended it: a package client may know the credentials that a 401, 403 or 407 asks for.
    pub fn status(&self) -> Option<u16> {
        match self.cause() {
            Some(Cause::Status { status, .. }) => Some(status.as_u16()),
            _ => None,
        }
    }

    /// What the last try met, for a download or a document.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Download { cause, .. } | Self::Document { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl Help for FetchError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Download { cause, .. } | Self::Document { cause, .. } => cause.help(),
            Self::Offline { .. } => Some(format!(
                "run it once without `--offline`, or set {} to a folder or file made with `xtool mirror`",
                env_vars::XTOOL_MIRROR
            )),
            Self::Variable { variable, .. } => Some(format!("change or unset {variable}")),
            Self::Roots { variable, .. } => Some(format!(
                "point {variable} at certificates in PEM form, or unset it to use the platform's"
            )),
            Self::Client(_) => Some(format!(
                "install the `ca-certificates` package, or set {} to a bundle of certificates in PEM form",
                env_vars::SSL_CERT_FILE
            )),
            Self::Cache { .. } => Some(format!(
                "set {} to a folder that you can write to, with enough space",
                env_vars::XTOOL_CACHE_DIR
            )),
            Self::Mirror { .. } => Some(format!("change or unset {}", env_vars::XTOOL_MIRROR)),
            Self::Verify(_) | Self::Signature { .. } => None,
        }
    }
}

impl Help for Cause {
    fn help(&self) -> Option<String> {
        let mirror = env_vars::XTOOL_MIRROR;
        match self {
            Self::Connect(_) => Some(format!(
                "if a proxy stands between, check HTTPS_PROXY and NO_PROXY; without a network set {mirror} to a mirror \
                 made with `xtool mirror`, or use `--offline` with a filled cache"
            )),
            Self::Certificate(_) => Some(format!(
                "behind a proxy that inspects TLS set {} to its certificates in PEM form; a host without roots of \
                 trust needs the `ca-certificates` package",
                env_vars::SSL_CERT_FILE
            )),
            Self::Stalled { .. } => Some(format!(
                "run the command again: it goes on where it stopped; {} sets the limit in seconds",
                env_vars::XTOOL_HTTP_READ_TIMEOUT
            )),
            Self::OutOfTime { .. } => Some(format!(
                "run the command again: it goes on where it stopped; {} sets the limit in seconds",
                env_vars::XTOOL_HTTP_TIMEOUT
            )),
            Self::Broken { .. } | Self::EndedEarly { .. } => {
                Some("run the command again: it goes on where it stopped".to_owned())
            }
            Self::Html(_) => Some(format!(
                "open the address in a browser: a proxy or a login page stands before it; {mirror} names another place"
            )),
            Self::Status { status, .. } => match status.as_u16() {
                401 | 403 => {
                    Some("put user name and password into the address, or ask its owner".to_owned())
                }
                407 => Some("put user name and password of the proxy into HTTPS_PROXY".to_owned()),
                404 | 410 => Some(format!(
                    "`xtool update` looks for what is published now; {mirror} names a mirror that still has it"
                )),
                429 | 500..=599 => Some(format!(
                    "try again later; {mirror} names another place to get it from"
                )),
                _ => None,
            },
            Self::Digest(_) | Self::TooLong { .. } => Some(format!(
                "the file was replaced at its source, or altered on the way: `xtool update` looks for a newer \
                 release, {mirror} names another place"
            )),
            Self::Encoded { .. } => Some(format!(
                "turn compression off on the server or the proxy before it; {mirror} names another place"
            )),
            Self::Write { .. } => Some(format!(
                "free some space, or set {} to a folder with more of it",
                env_vars::XTOOL_CACHE_DIR
            )),
            Self::Scheme { .. }
            | Self::Redirect(_)
            | Self::CannotResume { .. }
            | Self::NotText
            | Self::Request(_) => None,
        }
    }
}
