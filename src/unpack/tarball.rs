//! A tar, decoded once from begin to end: folders and files are written as they come, links by the caller at the end.
//!
//! One pass is enough to be safe: while anything is written there are no links of this archive, and what a refused
//! entry leaves behind is removed.

use std::io::{BufRead, BufReader};

use super::dest::Dest;
use super::format::Compression;
use super::gate::SafePath;
use super::input::{Ahead, CHUNK, FilePart};
use super::plan::{Entries, Plan};
use super::{Cause, decode};

mod extended;
pub(crate) mod members;

use members::{Kind, Member, Members};

pub use members::checksum_is_right;

/// Unpacks the tar inside `content`, but for its links.
pub fn unpack<'p>(
    content: FilePart,
    compression: Compression,
    plan: &'p Plan<'p>,
    dest: &Dest<'_>,
) -> Result<Entries<'p>, Cause> {
    let memory = plan.limits.decoder_memory;
    let decoder = decode::decoder(content, compression, memory, plan.threads)
        .map_err(|e| decode::failure(e, memory))?;
    if plan.threads == 1 || compression == Compression::None {
        return unpack_stream(BufReader::with_capacity(CHUNK, decoder), plan, dest);
    }
    std::thread::scope(|scope| unpack_stream(Ahead::spawn(scope, decoder), plan, dest))
}

fn unpack_stream<'p>(
    stream: impl BufRead,
    plan: &'p Plan<'p>,
    dest: &Dest<'_>,
) -> Result<Entries<'p>, Cause> {
    let mut entries = Entries::new(plan);
    let mut members = Members::new(stream, plan.limits);
    while let Some(member) = members.next()? {
        entries.count()?;
        take(&member, &mut entries, &mut members, dest)?;
    }
    entries.check_whole()?;
    Ok(entries)
}

/// Judges a member, and writes it unless it is a link.
fn take<R: BufRead>(
    member: &Member,
    entries: &mut Entries<'_>,
    members: &mut Members<R>,
    dest: &Dest<'_>,
) -> Result<(), Cause> {
    let folder = match member.kind {
        Kind::Folder => entries.folder(&member.path)?,
        Kind::Symlink => entries.symlink(&member.path, &member.link)?,
        Kind::HardLink => entries.hard_link(&member.path, &member.link)?,
        Kind::File => {
            if let Some(place) = entries.file(&member.path)? {
                write_file(&place, member, members, dest)?;
            }
            return Ok(());
        }
        Kind::Special(kind) => return Err(entries.special(&member.path, kind)),
        // A header about the headers to come.
        Kind::Global => return Ok(()),
    };
    folder.map_or(Ok(()), |folder| dest.folder(&folder))
}

fn write_file<R: BufRead>(
    place: &SafePath,
    member: &Member,
    members: &mut Members<R>,
    dest: &Dest<'_>,
) -> Result<(), Cause> {
    if let Some(parent) = place.parent() {
        dest.folder(&parent)?;
    }
    let mut sink = dest.file(place, member.executable, member.size)?;
    members.content(|bytes| sink.write(bytes))?;
    sink.finish();
    Ok(())
}
