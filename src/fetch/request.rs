//! One request: how it is made, what its failure means, and what of that is told.

use std::sync::Arc;

use reqwest::Response;
use reqwest::header::{self, HeaderName};
use url::Url;

use super::error::{Cause, one_line};
use super::part::Head;
use super::retry::{Verdict, classify};
use super::settings::Timeouts;
use crate::pin::redacted;
use crate::reporter::Reporter;

/// A request for the bytes as they are. User name and password in the address go as Basic authorization: reqwest
/// takes them out of it.
pub(super) fn get(
    client: &reqwest::Client,
    url: &Url,
    accept: &str,
) -> Result<reqwest::RequestBuilder, Cause> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Cause::Scheme {
            scheme: url.scheme().to_owned(),
        });
    }
    Ok(client
        .get(url.clone())
        .header(header::ACCEPT, accept)
        // The digest is over the raw bytes.
        .header(header::ACCEPT_ENCODING, "identity"))
}

pub(super) async fn send(
    request: reqwest::RequestBuilder,
    received: u64,
    timeouts: &Timeouts,
) -> Result<Response, Cause> {
    request
        .send()
        .await
        .map_err(|e| cause_of(e, received, timeouts))
}

/// Sorts reqwest's error in, without the address it names: that may hold credentials.
pub(super) fn cause_of(error: reqwest::Error, received: u64, timeouts: &Timeouts) -> Cause {
    if distrusted(&error) {
        Cause::Certificate(error.into())
    } else if error.is_redirect() {
        Cause::Redirect(error.into())
    } else if error.is_connect() {
        Cause::Connect(error.into())
    } else if error.is_timeout() {
        Cause::Stalled {
            limit: timeouts.read,
        }
    } else if error.is_builder() {
        Cause::Request(error.into())
    } else {
        Cause::Broken {
            received,
            source: error.into(),
        }
    }
}

/// Whether rustls's refusal of a certificate is at the bottom. I/O errors wrap each other on the way there, and an I/O
/// error's `source` passes over what it wraps.
fn distrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidCertificate(_));
    }
    let wrapped = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => distrusted(wrapped),
        None => error.source().is_some_and(distrusted),
    }
}

pub(super) fn head(response: &Response) -> Head {
    let text = |name: HeaderName| {
        let value = response.headers().get(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    Head {
        status: response.status().as_u16(),
        etag: text(header::ETAG),
        last_modified: text(header::LAST_MODIFIED),
        date: text(header::DATE),
        content_range: text(header::CONTENT_RANGE),
        content_length: response.content_length(),
        retry_after: text(header::RETRY_AFTER),
    }
}

/// The response's `Content-Encoding`, escaped; we ask for none, since digests are over raw bytes.
pub(super) fn encoding(response: &Response) -> Option<String> {
    let value = response.headers().get(header::CONTENT_ENCODING)?;
    let text = value.to_str().unwrap_or("?").trim();
    let plain = text.is_empty() || text.eq_ignore_ascii_case("identity");
    (!plain).then(|| text.chars().take(40).flat_map(char::escape_debug).collect())
}

pub(super) fn is_html(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or("")
        .trim();
    kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml")
}

/// Tells the first failure that may pass, and only that one.
pub(super) struct Warner(Option<Arc<dyn Reporter>>);

impl Warner {
    pub(super) fn new(reporter: Option<Arc<dyn Reporter>>) -> Self {
        Self(reporter)
    }

    pub(super) fn failed(&mut self, what: &str, url: &Url, cause: &Cause) {
        tracing::debug!(url = redacted(url), cause = one_line(cause), "try failed");
        let Verdict::Retry { .. } = classify(cause) else {
            return;
        };
        // A part that is started over is no failure worth a line.
        if matches!(cause, Cause::CannotResume { .. }) {
            return;
        }
        if let Some(reporter) = self.0.take() {
            let from = redacted(url);
            let from = if what == from {
                String::new()
            } else {
                format!(" from {from}")
            };
            reporter.warn(&format!(
                "Trouble with `{what}`{from}, trying again: {}",
                one_line(cause)
            ));
        }
    }
}
