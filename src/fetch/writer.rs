//! Hashing and writing, off the threads that the network runs on.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::part::Part;
use crate::owner;
use crate::reporter::{Reporter, TaskId};

/// Pieces under way between network and disk. With pieces of at most some 400 kB (hyper's read buffer) this bounds the
/// memory of a download, whatever the archive's size.
const QUEUE: usize = 16;

/// One blocking thread that hashes and writes the pieces it is sent, in order.
pub(super) struct Writer<B> {
    sender: mpsc::Sender<B>,
    done: JoinHandle<io::Result<Part>>,
}

/// What goes with a writer's thread: kept until the last byte is on disk, even when the download is dropped.
pub(super) struct Job {
    /// The part file.
    pub(super) path: PathBuf,
    /// Who shows the progress.
    pub(super) reporter: Arc<dyn Reporter>,
    /// Which download it is.
    pub(super) task: TaskId,
    /// Nobody else writes this part meanwhile.
    #[expect(dead_code, reason = "held, not read")]
    pub(super) lock: Arc<super::cache::DigestLock>,
}

impl<B: AsRef<[u8]> + Send + 'static> Writer<B> {
    /// Goes on after `part`; an empty one truncates the file.
    pub(super) fn spawn(job: Job, part: Part) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        Self {
            sender,
            done: tokio::task::spawn_blocking(move || write(&job, part, receiver)),
        }
    }

    /// Hands a piece over, waiting while the queue is full. `false`: the writer failed, and
    /// [`finish`](Self::finish) says why.
    pub(super) async fn send(&self, piece: B) -> bool {
        self.sender.send(piece).await.is_ok()
    }

    /// The part with everything that was sent.
    pub(super) async fn finish(self) -> io::Result<Part> {
        drop(self.sender);
        match self.done.await {
            Ok(part) => part,
            Err(e) => Err(io::Error::other(e)),
        }
    }
}

fn write<B: AsRef<[u8]>>(
    job: &Job,
    mut part: Part,
    mut receiver: mpsc::Receiver<B>,
) -> io::Result<Part> {
    let mut options = owner::options();
    if part.len == 0 {
        options.write(true).create(true).truncate(true);
    } else {
        options.append(true);
    }
    // Small pieces are gathered; what has waited is written before the next wait.
    let mut file = io::BufWriter::with_capacity(128 * 1024, options.open(&job.path)?);
    job.reporter.download_progress(job.task, part.len);
    let mut batch = Vec::with_capacity(QUEUE);
    while receiver.blocking_recv_many(&mut batch, QUEUE) > 0 {
        for piece in batch.drain(..) {
            let bytes = piece.as_ref();
            file.write_all(bytes)?;
            part.hasher.update(bytes);
            part.len += bytes.len() as u64;
        }
        file.flush()?;
        job.reporter.download_progress(job.task, part.len);
    }
    Ok(part)
}
