//! Archives into one folder, several at the same time: the files of all of them, then the links of all of them.
//!
//! While files are written there is no link of these archives yet, so that none can be written through (rule 2 of
//! [`super::gate`]), whichever archive is faster. What two of them have in common is compared when both are complete.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::dest::{Dest, Folder};
use super::format::Format;
use super::gate::{AbsoluteTargets, Rules};
use super::input::FilePart;
use super::plan::{Entries, Plan};
use super::{Cause, Options, Unpacked, base, confirm, deb, open, root, tarball, zipfile};
use crate::archive::VerifiedArchive;

/// The most archives at a time, whatever the number of cores: each has a decoder's window in memory.
const AT_ONCE: usize = 4;

/// An archive that was looked at and is to be unpacked.
struct Job<'a> {
    format: Format,
    content: FilePart,
    plan: Plan<'a>,
}

/// Which of the archives was at fault, and why.
type Failure = (usize, Cause);

/// Unpacks all archives, or takes back what was made of them.
pub fn unpack(
    archives: &[VerifiedArchive],
    dest: &Path,
    options: &Options<'_>,
) -> Result<Unpacked, Failure> {
    let mut jobs = Vec::with_capacity(archives.len());
    for (at, archive) in archives.iter().enumerate() {
        jobs.push(job(archive, options).map_err(|cause| (at, cause))?);
    }
    let threads = options.threads.max(1);
    let workers = workers(jobs.len(), threads);
    let mut largest_first: Vec<usize> = (0..jobs.len()).collect();
    largest_first.sort_by_key(|&at| std::cmp::Reverse(jobs[at].content.len()));
    if let Some(&largest) = largest_first.first() {
        // It may take the longest: it gets the threads that are left.
        jobs[largest].plan.threads = threads - (workers - 1);
    }
    let base = base(dest).map_err(|cause| (0, cause))?;
    let folder = Folder::new(&base);
    let dests: Vec<Dest<'_>> = jobs
        .iter()
        .map(|job| Dest::new(&folder, job.plan.limits.max_bytes))
        .collect();
    let unpacked = write_files(&jobs, &largest_first, workers, &dests)
        .and_then(|entries| finish(&entries, &dests));
    if unpacked.is_err() {
        folder.undo();
    }
    unpacked
}

fn job<'a>(archive: &VerifiedArchive, options: &Options<'a>) -> Result<Job<'a>, Cause> {
    let format = Format::of_name(&archive.archive().file).ok_or(Cause::UnknownFormat)?;
    let content = open(archive)?;
    confirm(format, &content)?;
    let rules = Rules::of_host();
    let plan = Plan {
        root: root(options.root, rules)?,
        keep: options.keep,
        limits: options.limits,
        threads: 1,
        rules,
        absolute: if format == Format::Deb {
            AbsoluteTargets::FromTop
        } else {
            AbsoluteTargets::Refuse
        },
    };
    Ok(Job {
        format,
        content,
        plan,
    })
}

/// How many archives are unpacked at a time, of `archives`, with so many threads.
fn workers(archives: usize, threads: usize) -> usize {
    (threads / 2).clamp(2, AT_ONCE).min(threads).min(archives)
}

/// Writes the files of all archives.
fn write_files<'j>(
    jobs: &'j [Job<'j>],
    order: &[usize],
    workers: usize,
    dests: &[Dest<'_>],
) -> Result<Vec<Entries<'j>>, Failure> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let work = || {
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let written = write(&jobs[at], &dests[at]);
            stop.fetch_or(written.is_err(), Ordering::Relaxed);
            done.push((at, written));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for helper in helpers {
            done.extend(
                helper
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            );
        }
        done
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter()
        .map(|(at, written)| written.map_err(|cause| (at, cause)))
        .collect()
}

/// Writes the files of one archive.
fn write<'p>(job: &'p Job<'p>, dest: &Dest<'_>) -> Result<Entries<'p>, Cause> {
    match job.format {
        Format::Zip => zipfile::unpack(&job.content, &job.plan, dest),
        Format::Tar(compression) => {
            tarball::unpack(job.content.clone(), compression, &job.plan, dest)
        }
        Format::Deb => deb::unpack(&job.content, &job.plan, dest),
    }
}

/// Compares what several archives have, and makes the links, in the archives' order.
fn finish(all: &[Entries<'_>], dests: &[Dest<'_>]) -> Result<Unpacked, Failure> {
    for (at, dest) in dests.iter().enumerate() {
        dest.check_repeated().map_err(|cause| (at, cause))?;
    }
    let mut sum = Unpacked::default();
    for (at, (entries, dest)) in all.iter().zip(dests).enumerate() {
        entries.make_links(dest).map_err(|cause| (at, cause))?;
        sum.files += entries.unpacked.files;
        sum.links += entries.unpacked.links;
        sum.bytes += dest.bytes();
    }
    Ok(sum)
}
