//! One source's bytes to one file: tries, resumption, limits, digest.

use std::io::Read as _;
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use reqwest::{Response, header};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::cache::DigestLock;
use super::error::{Cause, FetchError};
use super::part::{Part, PartPaths, Plan, plan};
use super::request::{Warner, cause_of, encoding, get, head, is_html, send};
use super::retry::{Tries, jitter};
use super::settings::Timeouts;
use super::writer::{Job, Writer};
use crate::archive::{Archive, VerifiedArchive};
use crate::owner;
use crate::pin::redacted;
use crate::reporter::{Reporter, TaskId};

/// Where a download stops whose size is not pinned: 16 GiB, more than any toolchain or SDK.
pub(super) const UNPINNED_LIMIT: u64 = 16 << 30;

/// The download of one archive from one address.
pub(super) struct Transfer {
    pub(super) client: reqwest::Client,
    pub(super) reporter: Arc<dyn Reporter>,
    pub(super) timeouts: Timeouts,
    pub(super) archive: Archive,
    pub(super) url: Url,
    /// The archive's final place.
    pub(super) path: std::path::PathBuf,
    pub(super) lock: Arc<DigestLock>,
    /// Whether the first failure that may pass is told.
    pub(super) warn: bool,
}

/// What a body was, beside its bytes.
struct Body {
    html: bool,
    /// What the server did to the bytes unasked.
    encoding: Option<String>,
    /// Whether it only went on with a part.
    appended: bool,
}

impl Transfer {
    /// Downloads until the bytes are the pinned ones, the source is of no use, or the time is up.
    pub(super) async fn run(self) -> Result<VerifiedArchive, FetchError> {
        let deadline = Instant::now() + self.timeouts.total;
        let paths = if self.lock.alone {
            PartPaths::of(&self.path)
        } else {
            PartPaths::private(&self.path)
        };
        let shown = Shown::new(&self.reporter, &self.archive);
        let mut part = {
            let (paths, url, size) = (paths.clone(), self.url.clone(), self.archive.size);
            blocking(move || paths.load(&url, size)).await
        };
        if part.len > 0 {
            tracing::debug!(file = self.archive.file, bytes = part.len, "resuming");
        }
        let mut tries = Tries::new(&self.timeouts, part.len);
        let mut warner = Warner::new(self.warn.then(|| Arc::clone(&self.reporter)));
        let mut restarted = false;
        loop {
            let cause = match self.attempt(&paths, &mut part, deadline, shown.task).await {
                Err(cause) => cause,
                Ok(body) => match self.settle(&paths, &part, &body).await {
                    Ok(verified) => return Ok(verified),
                    // Bytes of several responses: the seam may be at fault. Once, the whole from one response.
                    Err(Cause::Digest(_) | Cause::Encoded { .. } | Cause::Html(_))
                        if body.appended && !restarted =>
                    {
                        tracing::debug!(file = self.archive.file, "starting over");
                        restarted = true;
                        tries.made += 1;
                        part = Part::default();
                        continue;
                    }
                    Err(cause) => cause,
                },
            };
            match tries.failed(&cause, part.len, jitter()) {
                Some(wait) if Instant::now() + wait < deadline => {
                    warner.failed(&self.archive.file, &self.url, &cause);
                    tokio::time::sleep(wait).await;
                }
                _ => {
                    let orphan = paths.clone();
                    if self.lock.alone {
                        blocking(move || orphan.drop_orphan()).await;
                    } else {
                        self.discard(&orphan).await;
                    }
                    return Err(FetchError::Download {
                        file: self.archive.file.clone(),
                        url: redacted(&self.url),
                        tries: tries.made,
                        cause: Box::new(cause),
                    });
                }
            }
        }
    }

    /// One request and its body. `part` grows by what arrived, also when it fails.
    async fn attempt(
        &self,
        paths: &PartPaths,
        part: &mut Part,
        deadline: Instant,
        task: TaskId,
    ) -> Result<Body, Cause> {
        // Complete but for its name, as after a kill before the rename. Asking for the rest would only give a 416.
        if part.len > 0 && part.hasher.clone().finish() == self.archive.sha256 {
            return Ok(Body {
                html: false,
                encoding: None,
                appended: true,
            });
        }
        let mut request = get(&self.client, &self.url, "*/*")?;
        match &part.validator {
            Some(validator) if part.len > 0 => {
                request = request
                    .header(header::RANGE, format!("bytes={}-", part.len))
                    .header(header::IF_RANGE, validator.text());
            }
            _ => *part = Part::default(),
        }
        let mut response = self
            .in_time(deadline, part.len, send(request, part.len, &self.timeouts))
            .await?;
        let head = head(&response);
        let limit = self.archive.size.unwrap_or(UNPINNED_LIMIT);
        let appending = match plan(
            &head,
            part.len,
            part.validator.as_ref(),
            self.archive.size,
            SystemTime::now(),
        ) {
            Plan::Append => true,
            Plan::StartOver { validator, size } => {
                if size.is_some_and(|size| size > limit) {
                    return Err(too_long(limit, &response));
                }
                *part = Part {
                    validator,
                    ..Part::default()
                };
                self.start_over(paths, part, size).await?;
                false
            }
            Plan::Discard(cause) => {
                *part = Part::default();
                self.discard(paths).await;
                return Err(cause);
            }
            Plan::Fail(cause) => return Err(cause),
        };
        let framed = head.content_length.is_some()
            || response.headers().contains_key(header::TRANSFER_ENCODING);
        let html = is_html(&response);
        let encoding = encoding(&response);
        if let Err(cause) = self.body(paths, part, &mut response, deadline, task).await {
            if matches!(
                cause,
                Cause::TooLong { .. } | Cause::Encoded { .. } | Cause::Html(_)
            ) {
                *part = Part::default();
                self.discard(paths).await;
            }
            return Err(match cause {
                // The whole under the name of a rest, as some servers send it, and then it may do without a range.
                Cause::TooLong { .. } | Cause::Encoded { .. } if appending => Cause::CannotResume {
                    reason: "it sent more than the rest",
                },
                cause => cause,
            });
        }
        match self.archive.size {
            // Nothing else tells a short body that nobody announced, or a short range, from a whole one.
            Some(expected) if part.len < expected && (appending || !framed) => {
                Err(Cause::EndedEarly {
                    received: part.len,
                    expected,
                })
            }
            _ => Ok(Body {
                html,
                encoding,
                appended: appending,
            }),
        }
    }

    /// Reads a body to its end, to the limit, or to the deadline; the writer is always waited for.
    async fn body(
        &self,
        paths: &PartPaths,
        part: &mut Part,
        response: &mut Response,
        deadline: Instant,
        task: TaskId,
    ) -> Result<(), Cause> {
        let limit = self.archive.size.unwrap_or(UNPINNED_LIMIT);
        let validator = part.validator.clone();
        let mut received = part.len;
        let job = Job {
            path: paths.part.clone(),
            reporter: Arc::clone(&self.reporter),
            task,
            lock: Arc::clone(&self.lock),
        };
        let writer = Writer::spawn(job, mem::take(part));
        let outcome = loop {
            let piece = match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => break Ok(()),
                Ok(Err(e)) => break Err(cause_of(e, received, &self.timeouts)),
                Err(_) => {
                    break Err(Cause::OutOfTime {
                        budget: self.timeouts.total,
                        received,
                    });
                }
            };
            received += piece.len() as u64;
            if received > limit {
                break Err(too_long(limit, response));
            }
            if !writer.send(piece).await {
                break Ok(());
            }
        };
        *part = writer.finish().await.map_err(|source| Cause::Write {
            path: paths.part.clone(),
            needed: self.archive.size,
            source,
        })?;
        part.validator = validator;
        outcome
    }

    /// The part is complete: it becomes the archive, or goes.
    async fn settle(
        &self,
        paths: &PartPaths,
        part: &Part,
        body: &Body,
    ) -> Result<VerifiedArchive, Cause> {
        let found = part.hasher.clone().finish();
        let file = paths.part.clone();
        // Before it has the name under which others may remove it.
        let file = blocking(move || fs_err::File::open(file))
            .await
            .map_err(|source| Cause::Write {
                path: paths.part.clone(),
                needed: self.archive.size,
                source,
            })?;
        match VerifiedArchive::from_digest(&self.path, file, &self.archive, found, part.len) {
            Ok(verified) => {
                let (paths, path) = (paths.clone(), self.path.clone());
                let needed = self.archive.size;
                blocking(move || {
                    paths.finish(&path).map_err(|source| Cause::Write {
                        path,
                        needed,
                        source,
                    })
                })
                .await?;
                Ok(verified)
            }
            Err(wrong) => {
                let file = paths.part.clone();
                let html = body.html || blocking(move || looks_like_html(&file)).await;
                self.discard(paths).await;
                Err(match &body.encoding {
                    _ if html => Cause::Html(Some(wrong)),
                    Some(encoding) => Cause::Encoded {
                        encoding: encoding.clone(),
                        wrong: Some(Box::new(wrong)),
                    },
                    None => Cause::Digest(wrong),
                })
            }
        }
    }

    /// Empties the part *before* its side file says what will continue it.
    async fn start_over(
        &self,
        paths: &PartPaths,
        part: &Part,
        size: Option<u64>,
    ) -> Result<(), Cause> {
        let (paths, url) = (paths.clone(), self.url.clone());
        let (validator, needed) = (part.validator.clone(), self.archive.size);
        blocking(move || {
            owner::create(&paths.part)
                .and_then(|_| paths.note(&url, validator.as_ref(), size))
                .map_err(|source| Cause::Write {
                    path: paths.part.clone(),
                    needed,
                    source,
                })
        })
        .await
    }

    async fn discard(&self, paths: &PartPaths) {
        let paths = paths.clone();
        if let Err(e) = blocking(move || paths.discard()).await {
            // Not fatal: without its side file, or with a wrong digest, it is started over.
            tracing::debug!("{e}");
        }
    }

    async fn in_time<T>(
        &self,
        deadline: Instant,
        received: u64,
        work: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        timeout_at(deadline, work).await.unwrap_or_else(|_| {
            Err(Cause::OutOfTime {
                budget: self.timeouts.total,
                received,
            })
        })
    }
}

fn too_long(limit: u64, response: &Response) -> Cause {
    if is_html(response) {
        return Cause::Html(None);
    }
    encoding(response).map_or(Cause::TooLong { limit }, |encoding| Cause::Encoded {
        encoding,
        wrong: None,
    })
}

/// For a server that sends a page under another type.
fn looks_like_html(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs_err::File::open(path).and_then(|file| file.take(512).read_to_end(&mut start));
    let start = String::from_utf8_lossy(&start).trim_start().to_lowercase();
    read.is_ok() && (start.starts_with("<!doctype html") || start.starts_with("<html"))
}

/// A download on the terminal, from start to end whatever happens.
struct Shown {
    reporter: Arc<dyn Reporter>,
    task: TaskId,
}

impl Shown {
    fn new(reporter: &Arc<dyn Reporter>, archive: &Archive) -> Self {
        Self {
            reporter: Arc::clone(reporter),
            task: reporter.download_started(&archive.file, archive.size),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.reporter.download_finished(self.task);
    }
}

/// Work that blocks, off the threads that the network runs on.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // Never cancelled, so it can only have panicked: the panic goes on here.
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}
