//! A zip: the whole central directory is judged first, then threads inflate and write its files; links are made by the
//! caller at the end.
//!
//! The directory is read by the `zip` crate. Inflating goes to flate2 directly: each thread reads an entry's local header
//! and data in one piece, so a small file costs one read, and every byte of the archive belongs to exactly one entry.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use zip::CompressionMethod;

use super::dest::Dest;
use super::gate::SafePath;
use super::input::FilePart;
use super::plan::{Entries, Plan};
use super::{Cause, gate};

mod directory;
mod entry;

use directory::{Listed, Type};
use entry::Worker;

/// Jobs that a thread takes at a time: entries that lie side by side, most of them small.
const BATCH: usize = 32;
/// Compressed bytes from which on an entry is a batch of its own, and the largest come first, lest one thread is left
/// with the largest at the end.
const LARGE: u64 = 4 << 20;

/// An entry to look at; to write, where it has a place.
struct Job {
    listed: Listed,
    place: Option<SafePath>,
}

/// Unpacks the zip `content`, but for its links.
pub fn unpack<'p>(
    content: &FilePart,
    plan: &'p Plan<'p>,
    dest: &Dest<'_>,
) -> Result<Entries<'p>, Cause> {
    let listed = directory::read(content, plan.limits.max_entries)?;
    let mut entries = Entries::new(plan);
    let mut jobs = Vec::with_capacity(listed.len());
    let mut folders = Vec::new();
    let mut worker = Worker::new();
    for listed in listed {
        entries.count()?;
        let mut place = None;
        match listed.kind {
            Type::Folder => folders.extend(entries.folder(&listed.name)?),
            Type::File => place = entries.file(&listed.name)?,
            Type::Symlink => {
                let target = worker.small(content, &listed, gate::MAX_PATH_BYTES as u64)?;
                folders.extend(entries.symlink(&listed.name, &target)?);
            }
            Type::Special => {
                return Err(entries.special(&listed.name, "a device, a FIFO or a socket"));
            }
        }
        folders.extend(place.as_ref().and_then(SafePath::parent));
        jobs.push(Job { listed, place });
    }
    entries.check_whole()?;
    check_size(&jobs, plan)?;
    folders.sort_unstable();
    folders.dedup();
    for folder in &folders {
        dest.folder(folder)?;
    }
    write_all(content, &mut jobs, plan.threads, dest)?;
    Ok(entries)
}

/// The declared sizes, which the writing then holds each entry to.
fn check_size(jobs: &[Job], plan: &Plan<'_>) -> Result<(), Cause> {
    let limit = plan.limits.max_bytes;
    let total = jobs
        .iter()
        .filter(|job| job.place.is_some())
        .try_fold(0_u64, |sum, job| sum.checked_add(job.listed.size));
    match total {
        Some(total) if total <= limit => Ok(()),
        _ => Err(Cause::TooLarge { limit }),
    }
}

fn write_all(
    content: &FilePart,
    jobs: &mut [Job],
    threads: usize,
    dest: &Dest<'_>,
) -> Result<(), Cause> {
    jobs.sort_unstable_by_key(|job| {
        let large = job.listed.compressed.checked_sub(LARGE);
        (
            std::cmp::Reverse(large),
            if large.is_some() { 0 } else { job.listed.start },
        )
    });
    let (large, small) = jobs.split_at(jobs.partition_point(|job| job.listed.compressed >= LARGE));
    let batches: Vec<&[Job]> = large.chunks(1).chain(small.chunks(BATCH)).collect();
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let work = || {
        let mut worker = Worker::new();
        while !stop.load(Ordering::Relaxed) {
            let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            for job in *batch {
                let done = match &job.place {
                    Some(place) => worker.write(content, &job.listed, place, dest),
                    None => worker.check(content, &job.listed),
                };
                done.inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.min(batches.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut result = work();
        for helper in helpers {
            let done = helper
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(done);
        }
        result
    })
}

fn malformed(what: impl Into<String>) -> Cause {
    Cause::Malformed {
        format: "zip",
        what: what.into(),
    }
}

/// The methods that are unpacked: what every archiver can read.
fn is_known(method: CompressionMethod) -> bool {
    matches!(
        method,
        CompressionMethod::Stored | CompressionMethod::Deflated
    )
}
