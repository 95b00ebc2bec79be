//! Small documents, such as a package index or a signature: in memory, never in the cache.

use std::sync::Arc;
use std::time::SystemTime;

use reqwest::StatusCode;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::error::{Cause, FetchError};
use super::part::{Plan, plan};
use super::request::{Warner, cause_of, encoding, get, head, send};
use super::retry::{Tries, jitter};
use super::settings::Timeouts;
use crate::pin::redacted;
use crate::reporter::Reporter;

/// A small document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where it came from in the end, after redirects.
    pub url: Url,
    /// What it says.
    pub text: String,
}

/// Reads a small document: the same tries and times as for an archive, all of it in memory up to `limit` bytes.
pub(super) async fn text(
    client: &reqwest::Client,
    reporter: &Arc<dyn Reporter>,
    timeouts: &Timeouts,
    url: &Url,
    accept: &str,
    limit: u64,
) -> Result<Document, FetchError> {
    let deadline = Instant::now() + timeouts.total;
    let mut tries = Tries::new(timeouts, 0);
    let mut warner = Warner::new(Some(Arc::clone(reporter)));
    loop {
        let attempt = timeout_at(deadline, document(client, timeouts, url, accept, limit)).await;
        let cause = match attempt {
            Ok(Ok(document)) => return Ok(document),
            Ok(Err(cause)) => cause,
            Err(_) => Cause::OutOfTime {
                budget: timeouts.total,
                received: 0,
            },
        };
        match tries.failed(&cause, 0, jitter()) {
            Some(wait) if Instant::now() + wait < deadline => {
                warner.failed(&redacted(url), url, &cause);
                tokio::time::sleep(wait).await;
            }
            _ => {
                return Err(FetchError::Document {
                    url: redacted(url),
                    tries: tries.made,
                    cause: Box::new(cause),
                });
            }
        }
    }
}

async fn document(
    client: &reqwest::Client,
    timeouts: &Timeouts,
    url: &Url,
    accept: &str,
    limit: u64,
) -> Result<Document, Cause> {
    let mut response = send(get(client, url, accept)?, 0, timeouts).await?;
    if response.status() != StatusCode::OK {
        // Decided as for an archive that has no part yet.
        if let Plan::Fail(cause) = plan(&head(&response), 0, None, None, SystemTime::now()) {
            return Err(cause);
        }
    }
    if let Some(encoding) = encoding(&response) {
        return Err(Cause::Encoded {
            encoding,
            wrong: None,
        });
    }
    if response.content_length().is_some_and(|n| n > limit) {
        return Err(Cause::TooLong { limit });
    }
    let url = response.url().clone();
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => break,
            Err(e) => return Err(cause_of(e, bytes.len() as u64, timeouts)),
        }
        if bytes.len() as u64 > limit {
            return Err(Cause::TooLong { limit });
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| Cause::NotText)?;
    Ok(Document { url, text })
}
