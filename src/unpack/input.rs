//! Where an archive's bytes come from: parts of one open file, read by position so that threads can share it, and a
//! thread that decodes ahead of the one that writes.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::Scope;

use fs_err::File;

use crate::archive::read_at;

/// Bytes read, decoded or written at a time.
pub const CHUNK: usize = 256 * 1024;
/// Chunks that the decoding thread may be ahead.
const AHEAD: usize = 8;

/// A part of a file, with a position of its own. Cloning shares the file, not the position.
#[derive(Debug, Clone)]
pub struct FilePart {
    file: Arc<File>,
    start: u64,
    end: u64,
    at: u64,
}

impl FilePart {
    /// The bytes from `start` up to `end`, counted from the file's begin.
    pub fn new(file: Arc<File>, start: u64, end: u64) -> Self {
        Self {
            file,
            start,
            end,
            at: start,
        }
    }

    /// Its size in bytes.
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// A part of this part, its bounds counted from this one's begin.
    pub fn part(&self, start: u64, end: u64) -> Self {
        let at = |offset: u64| self.start.saturating_add(offset).min(self.end);
        Self::new(Arc::clone(&self.file), at(start), at(end).max(at(start)))
    }

    /// Bytes not yet read.
    pub fn left(&self) -> u64 {
        self.end - self.at
    }
}

impl Read for FilePart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left()).map_or(buffer.len(), |left| left.min(buffer.len()));
        if want == 0 {
            return Ok(0);
        }
        let n = read_at(&self.file, &mut buffer[..want], self.at)?;
        if n == 0 {
            // The file was longer when it was verified.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for FilePart {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(n) => self.start.checked_add(n),
            SeekFrom::End(n) => self.end.checked_add_signed(n),
            SeekFrom::Current(n) => self.at.checked_add_signed(n),
        };
        // Beyond the end counts as the end: nothing is there to read either way.
        self.at = at
            .filter(|at| *at >= self.start)
            .ok_or(io::ErrorKind::InvalidInput)?
            .min(self.end);
        Ok(self.at - self.start)
    }
}

/// What another thread reads, in order and a few chunks ahead.
pub struct Ahead {
    chunks: Receiver<io::Result<Vec<u8>>>,
    spent: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Ahead {
    /// Starts to read `source` on a thread of `scope`; the thread ends with the source, at its first error, or when the
    /// returned reader is dropped.
    pub fn spawn<'scope, R: Read + Send + 'scope>(
        scope: &'scope Scope<'scope, '_>,
        source: R,
    ) -> Self {
        let (filled, chunks) = sync_channel(AHEAD);
        let (spent, empty) = channel();
        scope.spawn(move || read_ahead(source, &filled, &empty));
        Self {
            chunks,
            spent,
            chunk: Vec::new(),
            at: 0,
            ended: false,
        }
    }
}

fn read_ahead(
    mut source: impl Read,
    filled: &SyncSender<io::Result<Vec<u8>>>,
    empty: &Receiver<Vec<u8>>,
) {
    loop {
        let mut chunk = empty.try_recv().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        let read = fill(&mut source, &mut chunk);
        let last = !matches!(read, Ok(CHUNK));
        let (n, error) = match read {
            Ok(n) => (n, None),
            Err((n, e)) => (n, Some(e)),
        };
        chunk.truncate(n);
        // A receiver that is gone has its error already and wants no more.
        if filled.send(Ok(chunk)).is_err() {
            return;
        }
        if let Some(e) = error {
            let _ = filled.send(Err(e));
        }
        if last {
            return;
        }
    }
}

/// Reads until the buffer is full or the source ends. What came before an error is not lost.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> Result<usize, (usize, io::Error)> {
    let mut n = 0;
    while n < buffer.len() {
        match source.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err((n, e)),
        }
    }
    Ok(n)
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.chunk.len() && !self.ended {
            match self.chunks.recv() {
                Ok(Ok(next)) => {
                    let spent = std::mem::replace(&mut self.chunk, next);
                    // The reading thread has ended: then it needs no buffer.
                    let _ = self.spent.send(spent);
                    self.at = 0;
                }
                Ok(Err(e)) => {
                    self.ended = true;
                    return Err(e);
                }
                Err(_) => self.ended = true,
            }
        }
        Ok(&self.chunk[self.at..])
    }

    fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.chunk.len());
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = self.fill_buf()?;
        let n = from.len().min(buffer.len());
        buffer[..n].copy_from_slice(&from[..n]);
        self.consume(n);
        Ok(n)
    }
}
